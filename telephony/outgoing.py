"""Calls from here: an operator or the service calls somebody outside, or one of our own. Pure.

Who calls in is a caller of `calls.py`, and whatever is done for him (a consultation, a third party,
a transfer) belongs to his call. What is left, channels that belong together and no caller among
them, is a call of its own once all of it is over:

    outgoing   it reached the way out, or was ordered and never got so far
    internal   a telephone of ours called another, or the service called one out
    neither    a supervisor who listened, a telephone that was to take a call and did not, a test

It is told once, when it is over, because until then it may still be joined with a caller's call.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from telephony.call import (
    CALLOUT_PREFIX,
    DIAL_PREFIX,
    PROBE_PREFIX,
    Call,
    CallKey,
    Direction,
    Outcome,
    Side,
    TrackerRules,
)
from telephony.channels import Channel, Party
from telephony.events import LinkedId, System
from telephony.text import operator_of
from telephony.verdict import recordings_of

_BUSY = frozenset({17, 21})
"""Q.850: user busy, call rejected."""
_CLOCKS = timedelta(milliseconds=100)
"""By so much AMI's clock and CEL's tell one moment apart, at most."""
_IMPOSSIBLE = frozenset({1, 2, 3, 22, 27, 28, 34, 38, 41, 42, 44, 47, 58, 88, 102, 111})
"""Q.850: no such number, no way there, no circuit, a fault on the way."""


def is_over(party: Party) -> bool:
    """Whether nothing of it is left."""
    return all(channel.ended is not None for channel in party.channels.values())


def is_whole(party: Party) -> bool:
    """Whether it is over and no page of its story is missing."""
    channels = party.channels
    return (
        is_over(party)
        and (party.is_over or all(one.ended_live for one in channels.values()))
        and all(not one.name or party.has_both_halves(one) for one in channels.values())
        and not party.has_a_bridge_of_one()
    )


def call_from_here(system: System, party: Party, rules: TrackerRules) -> Call | None:
    """The call that these channels were, once they are over; None if it was none of its own."""
    origin = _origin(party)
    if origin is None or origin.started is None:
        return None
    return _Story(origin, party, rules).told(system)


def _origin(party: Party) -> Channel | None:
    """The channel under whose id the others came to be, if its beginning is known exactly.

    Where not every id that joined them is a channel's that is known, they belong to something else.
    """
    if not all(str(linked_id) in party.channels for linked_id in party.linked):
        return None
    begun = [
        one
        for one in party.channels.values()
        if LinkedId(one.unique_id) in party.linked
        and one.started is not None
        and not one.started[0]
    ]
    return min(begun, key=lambda one: (one.started, one.unique_id), default=None)


class _Story:
    """What the channels of a party amount to."""

    def __init__(self, origin: Channel, party: Party, rules: TrackerRules) -> None:
        self.origin, self.party, self.rules = origin, party, rules
        self.people = [one for one in party.channels.values() if one.has_a_person]
        self.outside = [one for one in self.people if _seat(one) in rules.outbound_endpoints]
        self.seats = [one for one in self.people if _seat(one).isdecimal()]
        self.called_out = origin.unique_id.startswith(CALLOUT_PREFIX)
        dialled = [one.callee for one in party.channels.values() if one.callee is not None]
        self.dialled = max(dialled, key=lambda told: told[0][1], default=None)

    def told(self, system: System) -> Call | None:
        direction = self.direction()
        if direction is None:
            return None
        far = self.far(direction)
        started = _at(self.origin.started)
        ended = max(at for one in self.party.channels.values() if (at := _at(one.ended)))
        answered, talked = self.talk(ended)
        outcome = _outcome(far, answered)
        return Call(
            key=CallKey(system=system, linked_id=LinkedId(self.origin.unique_id)),
            line="",
            caller_number=None,
            caller_name=None,
            direction=direction,
            callee_number=self.callee(direction, far) or None,
            started_at=started or ended,
            ringing_at=min((at for one in far if (at := _at(one.started))), default=None),
            answered_at=answered,
            talk_ended_at=talked,
            ended_at=ended,
            operator=self.operator() or None,
            outcome=outcome,
            hangup_by=self.hung_up_by(outcome),
            recordings=recordings_of(self.origin, self.rules),
            recovered=not self.origin.ended_live,
        )

    def direction(self) -> Direction | None:
        origin, ids = self.origin, self.party.channels
        if any(one.startswith(PROBE_PREFIX) for one in ids) or self._came_in():
            return None
        if self.outside or self.dialled or origin.unique_id.startswith(DIAL_PREFIX):
            return Direction.OUTGOING
        if self.called_out or len(self.seats) > 1 or self._dialled_by_hand():
            return Direction.INTERNAL
        return None

    def _came_in(self) -> bool:
        strangers = len(self.people) > len(self.outside) + len(self.seats)
        return strangers or self.origin.context in self.rules.inbound_contexts

    def _dialled_by_hand(self) -> bool:
        origin = self.origin
        by_an_operator = origin in self.seats and origin.context in self.rules.operator_contexts
        return by_an_operator and origin.exten.isdecimal()

    def far(self, direction: Direction) -> list[Channel]:
        """The telephones that were called; of two numbers dialled one after the other the last."""
        if direction is Direction.OUTGOING:
            return self._outside_since(self.dialled[0][1]) if self.dialled else self.outside
        if self.called_out:
            return self.seats
        return [one for one in self.seats if one is not self.origin]

    def _outside_since(self, dialled: datetime) -> list[Channel]:
        found = [one for one in self.outside if (_at(one.started) or _LAST) >= dialled]
        if found or not self.outside:
            return found
        last = max(self.outside, key=lambda one: (_at(one.started) or _LAST, one.unique_id))
        is_it = (_at(last.started) or _LAST) > dialled - _CLOCKS
        return [last] if is_it else []

    def callee(self, direction: Direction, far: Sequence[Channel]) -> str:
        if self.dialled is not None:
            return self.dialled[2]
        if direction is Direction.INTERNAL and far:
            return _seat(min(far, key=lambda one: (_at(one.started) or _LAST, one.unique_id)))
        return self.origin.exten if self.origin.exten.isdecimal() else ""

    def operator(self) -> str:
        if self.origin in self.seats and not self.called_out:
            return _seat(self.origin)
        return self.dialled[1] if self.dialled else ""

    def talk(self, ended: datetime) -> tuple[datetime | None, datetime | None]:
        """From when two could speak until fewer than two were left; called out, until the end."""
        met = [(at[1], one, other) for one in self.people for at, other in self.party.meetings(one)]
        if self.called_out:
            taken = min(
                (at for c in self.party.channels.values() if (at := _at(c.taken))), default=None
            )
            return taken, taken and ended
        if not met:
            return None, None
        answered = min(at for at, _, _ in met)
        speakers = {one.unique_id: one for _, *pair in met for one in pair}
        gone = sorted(_at(one.ended) or ended for one in speakers.values())
        return answered, max(answered, gone[-2])

    def hung_up_by(self, outcome: Outcome) -> Side:
        if outcome is Outcome.BUSY:
            return Side.CALLEE
        heard = [(told, one) for one in self.people if (told := self.party.hung_up(one))]
        if not heard:
            return Side.SYSTEM
        _, first = min(heard, key=lambda found: (found[0][1], found[1].unique_id))
        if first is self.origin and not self.called_out:
            return Side.OPERATOR
        return Side.CALLEE


_LAST = datetime.max.replace(tzinfo=UTC)


def _outcome(far: Sequence[Channel], answered: datetime | None) -> Outcome:
    if answered is not None:
        return Outcome.ANSWERED
    causes = {one.cause for one in far}
    if causes & _BUSY:
        return Outcome.BUSY
    if not far or causes & _IMPOSSIBLE:
        return Outcome.FAILED
    return Outcome.UNANSWERED


def _seat(channel: Channel) -> str:
    return operator_of(channel.name)


def _at(told: tuple[int, datetime] | None) -> datetime | None:
    return told and told[1]
