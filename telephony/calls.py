"""Facts about channels in; calls that started, rang, were answered and ended out. Pure.

A call is a caller's channel on one of our lines, with whatever channels belong to it. It is
*answered* when caller and operator are in one bridge (or the queue connected them), not when the
exchange picked up to play a notice. It *ended* when the caller's channel is gone and nothing of
the call is left. Time comes with the facts; nothing here reads a clock.
"""

from datetime import datetime, timedelta

from telephony.call import (
    Call,
    CallAnswered,
    CallEnded,
    CallEvent,
    CallKey,
    CallKind,
    CallMessage,
    CallRinging,
    CallStarted,
    Direction,
    Leg,
    Outcome,
    Recording,
    Satisfied,
    Side,
    Solved,
    Survey,
    TrackerRules,
)
from telephony.channels import COARSEST, Channel, Party, best, moment
from telephony.events import (
    BadgeTold,
    BridgeEntered,
    ChannelEnded,
    ChannelStarted,
    Fact,
    LinkedId,
    LinkedIdEnded,
    OperatorCalled,
    OperatorConnected,
    QueueJoined,
    SnapshotTaken,
    System,
    UniqueId,
    VoicemailReached,
)
from telephony.outgoing import call_from_here, is_whole
from telephony.outgoing import is_over as is_all_over
from telephony.story import CONTINUE
from telephony.switchboard import Switchboard
from telephony.verdict import call_of, is_over

__all__ = [
    "Call",
    "CallAnswered",
    "CallEnded",
    "CallEvent",
    "CallKey",
    "CallKind",
    "CallMessage",
    "CallRinging",
    "CallStarted",
    "CallTracker",
    "Direction",
    "Leg",
    "Outcome",
    "Recording",
    "Satisfied",
    "Side",
    "Solved",
    "Survey",
    "TrackerRules",
]

_STARTED, _RINGING, _ANSWERED, _ENDED, _MESSAGE = 1, 2, 4, 8, 16
_MARGIN = timedelta(seconds=2)
"""A channel the files tell of, and younger than this, may be missing in a snapshot and live."""
_PATIENCE = timedelta(seconds=5)
"""How long a call that is over waits for a page missing in its story."""


class CallTracker:
    """Facts in, from any source, in any order and as often as they come; call events out.

    Every call starts once and ends once. Memory: the parties that live, a bounded number of
    parties without a call of ours, and the ids of a bounded number of ended calls.
    """

    def __init__(self, rules: TrackerRules) -> None:
        self._rules = rules
        self._exchanges: dict[System, Switchboard] = {}
        self._open: dict[Channel, System] = {}

    def open_calls(self) -> list[Call]:
        """The calls that have started and not ended, oldest first."""
        calls = [
            call_of(system, caller, caller.party.answer(caller), self._rules)
            for caller, system in self._open.items()
        ]
        return sorted(calls, key=lambda call: (call.started_at, call.key))

    def ringing(self) -> dict[CallKey, tuple[str, ...]]:
        """At which seats each open call rings now, as the queues told; most ring nowhere.

        A snapshot tells no seat, so a call that rang before this tracker began is not in it.
        """
        return {
            CallKey(system=system, linked_id=LinkedId(caller.unique_id)): seats
            for caller, system in self._open.items()
            if (seats := caller.party.rings_at(caller))
        }

    def observe(self, fact: Fact | SnapshotTaken) -> list[CallEvent]:
        """What became known with this fact: mostly nothing, at times several events."""
        board = self._exchanges.get(fact.system) or self._board(fact.system)
        if isinstance(fact, SnapshotTaken):
            return self._compare(board, fact)
        channel = board.channel(fact.unique_id, fact.linked_id)
        if channel is None:
            return []
        party = channel.party
        if fact.channel and not channel.name:
            channel.name = fact.channel
        if party.last is None or party.last < fact.at:
            party.last = fact.at
        kind = fact.__class__
        CONTINUE[kind](channel, fact)
        if kind in _CHANGING:
            self._meaning_for_others(board, channel, fact)
        party = channel.party  # it may have been joined with another
        if kind not in _TELLING:
            return []
        if not party.callers:
            return self._from_here(board, fact.system, party) if kind in _ENDING else []
        return self._tell(board, fact.system, party)

    def resume(self, call: Call) -> None:
        """Go on with a stored call that has not ended; what it tells is not told again."""
        board = self._board(call.key.system)
        channel = board.channel(UniqueId(call.key.linked_id), call.key.linked_id)
        if channel is None or channel.told or call.ended_at is not None:
            return
        party = channel.party
        channel.line = call.line
        channel.started = (0, call.started_at)
        channel.started_live = not call.recovered
        channel.number, channel.shown_name = call.caller_number or "", call.caller_name or ""
        channel.queued = (0, call.queued_at) if call.queued_at else channel.queued
        party.rang = (0, call.ringing_at) if call.ringing_at else party.rang
        if call.answered_at:
            channel.connected = ((0, call.answered_at), call.operator or "")
        channel.told = _STARTED
        channel.told |= _RINGING if call.ringing_at else 0
        channel.told |= _ANSWERED if call.answered_at else 0
        channel.message = (0, call.message_at) if call.message_at else channel.message
        channel.told |= _MESSAGE if call.message_at else 0
        party.last = max(
            at for at in (call.started_at, call.queued_at, call.ringing_at, call.answered_at) if at
        )
        board.is_ours(channel)
        self._open[channel] = call.key.system

    def _board(self, system: System) -> Switchboard:
        board = self._exchanges.get(system)
        if board is None:
            board = self._exchanges[system] = Switchboard()
        return board

    def settle(self, now: datetime) -> list[CallEvent]:
        """End the calls that are over although a page of their story never came.

        Calls whose caller is gone, or whose linked ids have all ended, for some seconds. To be
        called from time to time with the present, or after the last fact of a file.
        """
        events: list[CallEvent] = []
        for caller, system in list(self._open.items()):
            party = caller.party
            since = party.over_since
            if caller.ended is None and since is not None:
                caller.ended = (0, since)
            if (
                caller.ended is not None
                and caller.ended[1] <= now - _PATIENCE
                and (since is not None or not party.others_live())
            ):
                events += self._tell(self._exchanges[system], system, party, force=True)
        for system, board in self._exchanges.items():
            for party in board.strangers():
                if party.last is not None and party.last <= now - _PATIENCE:
                    events += self._from_here(board, system, party, force=True)
        return events

    def _compare(self, board: Switchboard, snapshot: SnapshotTaken) -> list[CallEvent]:
        """Whatever is not in the snapshot is over, at the latest when it was last heard of.

        Live events that follow a snapshot come after it, so what they told before is older than
        it; the files may already tell of a channel that began after the snapshot.
        """
        before = snapshot.at - _MARGIN
        parties: dict[Party, None] = {}
        for channel in board.channels.values():
            last = channel.party.last
            young = channel.started and not channel.started_live and channel.started[1] >= before
            if channel.ended or channel.unique_id in snapshot.channels or young or last is None:
                continue
            channel.ended = (1, last)
            parties[channel.party] = None
        events: list[CallEvent] = []
        for party in parties:
            if not party.callers:
                events += self._from_here(board, snapshot.system, party, force=True)
            elif not party.others_live():
                events += self._tell(board, snapshot.system, party, force=True)
        return events

    def _meaning_for_others(self, board: Switchboard, channel: Channel, fact: Fact) -> None:
        """Whether it is a caller of ours, and which other channel the fact speaks of."""
        party = channel.party
        if isinstance(fact, OperatorCalled):
            party.rang = best(party.rang, moment(fact))
            operator = board.join(party, fact.operator_unique_id)
            if operator is not None:
                operator.name = operator.name or fact.operator_channel
                operator.calls_for = (channel, fact.operator)
        elif isinstance(fact, OperatorConnected):
            if fact.operator_unique_id is not None:
                board.join(party, fact.operator_unique_id)
        elif self._is_caller(channel, fact):
            board.is_ours(channel)
        elif isinstance(fact, ChannelStarted) and channel.has_a_person and not channel.line:
            party.rang = best(party.rang, moment(fact))

    def _is_caller(self, channel: Channel, fact: Fact) -> bool:
        rules = self._rules
        if channel.name.endswith(";1"):
            return False  # of the two halves of a Local channel only the other goes into a line
        by_queue = rules.line_by_queue.get(channel.queue) if channel.queue else None
        if channel.context in rules.inbound_contexts:
            channel.line = channel.line or rules.line_by_number.get(channel.exten) or by_queue
        elif isinstance(fact, ChannelEnded) and (channel.started is None or channel.started[0]):
            # It waited in a queue of ours and its beginning was never told.
            channel.line = channel.line or by_queue
            channel.started = channel.started or channel.queued
        return channel.line is not None and channel.started is not None

    def _from_here(
        self, board: Switchboard, system: System, party: Party, *, force: bool = False
    ) -> list[CallEvent]:
        """A call that nobody outside made to us, told when nothing of it is left."""
        if not (is_all_over(party) if force else is_whole(party)):
            return []
        call = call_from_here(system, party, self._rules)
        if call is None or call.ended_at is None:
            return []
        board.forget(party)
        return [CallEnded(call=call, at=call.ended_at)]

    def _tell(
        self, board: Switchboard, system: System, party: Party, *, force: bool = False
    ) -> list[CallEvent]:
        events: list[CallEvent] = []
        over = True
        for caller in party.callers:
            if not caller.told & _ENDED:
                self._tell_one(system, caller, events, force=force)
            over = over and bool(caller.told & _ENDED)
        if over:
            board.forget(party)
        return events

    def _tell_one(
        self, system: System, caller: Channel, events: list[CallEvent], *, force: bool
    ) -> None:
        party = caller.party
        if caller.told & _ANSWERED and caller.ended is None:
            return
        answer = party.answer(caller)
        if not caller.told:
            caller.told = _STARTED
            self._open[caller] = system
            call = call_of(system, caller, answer, self._rules)
            events.append(CallStarted(call=call, at=call.started_at))
        if party.rang is not None and not caller.told & (_RINGING | _ANSWERED):
            caller.told |= _RINGING
            events.append(
                CallRinging(call=call_of(system, caller, answer, self._rules), at=party.rang[1])
            )
        if caller.message is not None and not caller.told & (_MESSAGE | _ANSWERED):
            caller.told |= _MESSAGE
            call = call_of(system, caller, answer, self._rules)
            events.append(CallMessage(call=call, at=caller.message[1]))
        over = caller.ended is not None and (force or is_over(caller))
        if answer and not caller.told & _ANSWERED and (over or answer[0][0] < COARSEST):
            caller.told |= _ANSWERED
            events.append(
                CallAnswered(call=call_of(system, caller, answer, self._rules), at=answer[0][1])
            )
        if over and caller.ended is not None:
            caller.told |= _ENDED
            del self._open[caller]
            call = call_of(system, caller, answer, self._rules, over=True)
            events.append(CallEnded(call=call, at=caller.ended[1]))


_TELLING = frozenset(
    {
        *(ChannelStarted, ChannelEnded, LinkedIdEnded, QueueJoined),
        *(OperatorCalled, OperatorConnected, BridgeEntered, BadgeTold, VoicemailReached),
    }
)
"""The kinds of facts with which a call can start, ring, be answered, leave a message or end."""
_ENDING = frozenset({ChannelEnded, LinkedIdEnded})
_CHANGING = frozenset(
    {ChannelStarted, ChannelEnded, QueueJoined, OperatorCalled, OperatorConnected}
)
"""The kinds of facts that say something about more than their own channel."""
