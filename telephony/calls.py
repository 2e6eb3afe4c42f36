"""Facts about channels in; calls that started, rang, were answered and ended out. Pure.

A call is a caller's channel on one of our lines, with whatever channels belong to it. It is
*answered* when caller and operator are in one bridge (or the queue connected them), not when the
exchange picked up to play a notice. It *ended* when the caller's channel is gone and nothing of
the call is left. Time comes with the facts; nothing here reads a clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TypeAlias

from telephony.channels import COARSEST, Channel, Moment, Party, best, moment
from telephony.events import (
    ChannelEnded,
    ChannelStarted,
    Fact,
    LinkedId,
    OperatorCalled,
    OperatorConnected,
    QueueJoined,
    SnapshotTaken,
    System,
)
from telephony.story import CONTINUE
from telephony.switchboard import Switchboard
from telephony.verdict import Outcome, Side, hung_up_by, outcome_of

__all__ = [
    "Call",
    "CallAnswered",
    "CallEnded",
    "CallEvent",
    "CallKey",
    "CallRinging",
    "CallStarted",
    "CallTracker",
    "Leg",
    "Outcome",
    "Recording",
    "Side",
    "TrackerRules",
]


class Leg(StrEnum):
    """Whose voice a recording holds."""

    CALLER = "caller"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class CallKey:
    """The natural key of a call.

    `linked_id` is the linked id under which the call came in, which is the unique id of the
    caller's channel; it stays the key when Asterisk later joins calls under another one.
    """

    system: System
    linked_id: LinkedId


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A recording that should exist."""

    leg: Leg
    path: str
    """As the exchange named it: absolute, or in its folder of recordings."""
    started_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call as far as it is known; aware UTC times by the exchange's clock."""

    key: CallKey
    line: str
    caller_number: str | None = field(repr=False)
    caller_name: str | None = field(repr=False)
    started_at: datetime
    queued_at: datetime | None = None
    ringing_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    operator: str | None = None
    outcome: Outcome | None = None
    hangup_by: Side | None = None
    recordings: tuple[Recording, ...] = ()
    recovered: bool = False
    """Learnt from the exchange's files or a snapshot, because nobody listened at the time."""

    @property
    def wait(self) -> timedelta | None:
        """From the queue to the answer, or to the end; None while waiting or if never queued."""
        until = self.answered_at or self.ended_at
        if self.queued_at is None or until is None:
            return None
        return max(until - self.queued_at, timedelta())

    @property
    def talk(self) -> timedelta | None:
        """From the answer to the end, without the wait; None while talking or if not answered."""
        if self.answered_at is None or self.ended_at is None:
            return None
        return max(self.ended_at - self.answered_at, timedelta())


@dataclass(frozen=True, slots=True, kw_only=True)
class CallStarted:
    """A caller reached one of our lines."""

    call: Call
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRinging:
    """An operator's telephone rings for the call; told once, for the first."""

    call: Call
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CallAnswered:
    """Caller and operator can speak; told once, for the first operator."""

    call: Call
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnded:
    """The call is over and has its outcome."""

    call: Call
    at: datetime


CallEvent: TypeAlias = CallStarted | CallRinging | CallAnswered | CallEnded


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackerRules:
    """What the tracker must know of the city's exchange."""

    line_by_number: Mapping[str, str]
    """The line by the number dialled."""
    line_by_queue: Mapping[str, str]
    inbound_contexts: frozenset[str] = frozenset({"from-trunk"})
    """The dialplan contexts in which calls come in from outside."""
    short_abandon: timedelta = timedelta(seconds=5)
    """A caller who waited less and hung up did not really wait."""
    recording_name: str = "{unique_id}-{leg}.wav"
    """How the dialplan names recordings, for when no fact tells the name."""


_STARTED, _RINGING, _ANSWERED, _ENDED = 1, 2, 4, 8
_MARGIN = timedelta(seconds=2)
"""A channel younger than this at a snapshot may be missing in it and live."""
_PATIENCE = timedelta(seconds=5)
"""How long a call that is over waits for a page missing in its story."""
_UNKNOWN = datetime.min.replace(tzinfo=UTC)


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
            self._call(system, caller, caller.party.answer(caller))
            for caller, system in self._open.items()
        ]
        return sorted(calls, key=lambda call: (call.started_at, call.key))

    def observe(self, fact: Fact | SnapshotTaken) -> list[CallEvent]:
        """What became known with this fact: mostly nothing, at times several events."""
        board = self._exchanges.get(fact.system)
        if board is None:
            board = self._exchanges[fact.system] = Switchboard()
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
        return self._tell(board, fact.system, channel.party) if channel.party.callers else []

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
        return events

    def _compare(self, board: Switchboard, snapshot: SnapshotTaken) -> list[CallEvent]:
        """Whatever is not in the snapshot is over, at the latest when it was last heard of."""
        before = snapshot.at - _MARGIN
        parties: dict[Party, None] = {}
        for channel in board.channels.values():
            seen = channel.started[1] if channel.started else channel.party.last
            if (
                channel.ended is None
                and channel.unique_id not in snapshot.channels
                and seen is not None
                and seen < before
            ):
                channel.ended = (1, channel.party.last or seen)
            parties[channel.party] = None
        events: list[CallEvent] = []
        for party in parties:
            if party.callers and not party.others_live():
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
        elif isinstance(fact, OperatorConnected):
            if fact.operator_unique_id is not None:
                board.join(party, fact.operator_unique_id)
        elif self._is_caller(channel, fact):
            board.is_ours(channel)
        elif isinstance(fact, ChannelStarted) and channel.has_a_person and not channel.line:
            party.rang = best(party.rang, moment(fact))

    def _is_caller(self, channel: Channel, fact: Fact) -> bool:
        rules = self._rules
        by_queue = rules.line_by_queue.get(channel.queue) if channel.queue else None
        if channel.context in rules.inbound_contexts:
            channel.line = channel.line or rules.line_by_number.get(channel.exten) or by_queue
        elif isinstance(fact, ChannelEnded) and (channel.started is None or channel.started[0]):
            # It waited in a queue of ours and its beginning was never told.
            channel.line = channel.line or by_queue
            channel.started = channel.started or channel.queued
        return channel.line is not None and channel.started is not None

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
        answer = party.answer(caller)
        if not caller.told:
            caller.told = _STARTED
            self._open[caller] = system
            call = self._call(system, caller, answer)
            events.append(CallStarted(call=call, at=call.started_at))
        if party.rang is not None and not caller.told & (_RINGING | _ANSWERED):
            caller.told |= _RINGING
            events.append(CallRinging(call=self._call(system, caller, answer), at=party.rang[1]))
        over = caller.ended is not None and (force or _is_over(caller))
        if answer and not caller.told & _ANSWERED and (over or answer[0][0] < COARSEST):
            caller.told |= _ANSWERED
            events.append(CallAnswered(call=self._call(system, caller, answer), at=answer[0][1]))
        if over and caller.ended is not None:
            caller.told |= _ENDED
            del self._open[caller]
            call = self._call(system, caller, answer, over=True)
            events.append(CallEnded(call=call, at=caller.ended[1]))

    def _call(
        self,
        system: System,
        caller: Channel,
        answer: tuple[Moment, str] | None,
        *,
        over: bool = False,
    ) -> Call:
        """The call as it is known now; what only a coarse clock told, once it is over."""
        by = hung_up_by(caller) if over else None
        short = self._rules.short_abandon
        started, queued, rang, answered, ended = _in_order(
            caller.started,
            caller.queued,
            caller.party.rang,
            answer[0] if answer else None,
            caller.ended if over else None,
            coarsest=COARSEST if over else COARSEST - 1,
        )
        return Call(
            key=CallKey(system=system, linked_id=LinkedId(caller.unique_id)),
            line=caller.line or "",
            caller_number=caller.number or None,
            caller_name=caller.shown_name or None,
            started_at=started or _UNKNOWN,
            queued_at=queued,
            ringing_at=rang,
            answered_at=answered,
            ended_at=ended,
            operator=answer[1] or None if answer and answered else None,
            outcome=outcome_of(caller, answered=answered is not None, by=by, short=short)
            if by
            else None,
            hangup_by=by,
            recordings=self._recordings(caller),
            recovered=not (caller.ended_live if over else caller.started_live),
        )

    def _recordings(self, caller: Channel) -> tuple[Recording, ...]:
        if caller.recording is None:
            return ()
        files = {Leg.CALLER: caller.caller_file, Leg.OPERATOR: caller.operator_file}
        if not any(files.values()):
            name = self._rules.recording_name
            files = {leg: name.format(unique_id=caller.unique_id, leg=leg) for leg in Leg}
        at = caller.recording[1]
        return tuple(
            Recording(leg=leg, path=path, started_at=at) for leg, path in files.items() if path
        )


_CHANGING = frozenset(
    {ChannelStarted, ChannelEnded, QueueJoined, OperatorCalled, OperatorConnected}
)
"""The kinds of facts that say something about more than their own channel."""


def _in_order(*moments: Moment | None, coarsest: int) -> list[datetime | None]:
    """The times that are exact enough; a coarse one never before an exact one it follows."""
    times: list[datetime | None] = []
    floor = _UNKNOWN
    for told in moments:
        if told is None or told[0] > coarsest:
            times.append(None)
            continue
        at = max(told[1], floor) if told[0] else told[1]
        floor = max(floor, at)
        times.append(at)
    return times


def _is_over(caller: Channel) -> bool:
    """Whether everything of the call is known to be over, and its story is whole."""
    party = caller.party
    if party.is_told_by_one_side(caller):
        return False
    if party.is_over:
        return True
    if any(other.ended is None for other in party.callers):
        return caller.ended_live
    return caller.ended_live and not party.others_live()
