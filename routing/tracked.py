"""What a leader, a delegate, a proposal, a plan or a meeting gave somebody to do; pure.

    given -> going (signed for) -> reported (with the result) -> done
                  ^------------------- sent back

Its clocks are those of a case: signing, handling until the date it was given, and the office's own
check of what was reported. What ends before it is stopped is supervised like any case.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from routing.cases import Actor, Urgency
from routing.clocks import Clock
from routing.deadlines import after
from routing.errors import CalendarEnds, SupervisionRefused
from routing.in_force import InForce
from routing.limits import Origin, Sourced, Stage, Unit
from routing.policy import Policy
from routing.supervision import ItemType
from routing.triggers import Spent

TYPES = (
    *(ItemType.LEADER, ItemType.SUGGESTION, ItemType.PROPOSAL),
    *(ItemType.TARGET, ItemType.DECISION),
)
"""The types that are tracked; a call order is its case, a card its knowledge."""
PROMISED = "the date given with the item"


class TrackedState(StrEnum):
    """How a tracked item stands."""

    GIVEN = "given"
    GOING = "going"
    REPORTED = "reported"
    DONE = "done"
    ENDED = "ended"


S = TrackedState
OVER = frozenset({S.DONE, S.ENDED})


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedItem:
    """One item. `unit` has to do it, None the office itself; `source` says who gave it and where.

    `person` is who answers for it, where somebody was named.
    """

    id: int
    type: ItemType
    title: str
    source: str
    unit: str | None
    person: str | None
    urgency: Urgency
    state: TrackedState
    policy: str
    due_at: datetime
    given_at: datetime
    given_by: str
    signed_at: datetime | None = None
    signed_by: str | None = None
    reported_at: datetime | None = None
    settled_at: datetime | None = None
    settled_by: str | None = None
    case_id: int | None = None
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedClocks:
    """An item's clocks; `undated`: one reaches past the holiday calendar."""

    clocks: tuple[Clock, ...]
    undated: bool = False


def clocks_of(item: TrackedItem, limits: InForce) -> TrackedClocks:
    """Return the clocks of an item that have begun, those that ended too."""
    policy = limits.policies.get(item.policy) or limits.policy
    over = item.settled_at
    found = [_promise(item, policy)]
    undated = False
    begun = ((Stage.SIGN, item.given_at, item.signed_at), (Stage.AUDIT, item.reported_at, None))
    for stage, at, stopped in begun:
        limit = next(
            (it for it in policy.stages.get(stage, ()) if it.fits(None, item.urgency, None, None)),
            None,
        )
        if at is None or limit is None:
            continue
        try:
            ends = after(at, limit, policy, limits.calendar)
        except CalendarEnds:
            undated = True
            continue
        found.append(_clock(stage, at, ends, limit, policy, stopped or over))
    return TrackedClocks(clocks=tuple(found), undated=undated)


def _promise(item: TrackedItem, policy: Policy) -> Clock:
    days = max(1, (item.due_at - item.given_at).days)
    rule = Sourced(amount=days, unit=Unit.CALENDAR_DAYS, basis=PROMISED, origin=Origin.OURS)
    stopped = item.reported_at or item.settled_at
    return _clock(Stage.HANDLING, item.given_at, item.due_at, rule, policy, stopped)


def _clock(  # noqa: PLR0917 - of what, from when until when, by which rule
    stage: Stage,
    at: datetime,
    ends: datetime,
    rule: Sourced,
    policy: Policy,
    stopped: datetime | None,
) -> Clock:
    return Clock(
        stage=stage,
        starts_at=at,
        ends_at=ends,
        first_end=ends,
        rule=rule,
        policy=policy.name,
        stopped_at=stopped,
    )


def spent_clocks(item: TrackedItem, clocks: Iterable[Clock], now: datetime) -> tuple[Spent, ...]:
    """Return the clocks that ended before they were stopped; being exactly in time is in time."""
    return tuple(
        Spent(
            clock=clock,
            since=clock.ends_at,
            unit=None if clock.stage is Stage.AUDIT else item.unit,
            person=item.given_by if clock.stage is Stage.AUDIT else item.person,
        )
        for clock in clocks
        if (clock.stopped_at or now) > clock.ends_at
    )


def signed(item: TrackedItem, actor: Actor, now: datetime) -> TrackedItem:
    """The unit signs for it; who signs answers for it from now on."""
    _check(item, {S.GIVEN}, "signed for")
    _check_doer(item, actor)
    return replace(item, state=S.GOING, signed_at=now, signed_by=actor.name, person=actor.name)


def reported(item: TrackedItem, actor: Actor, now: datetime) -> TrackedItem:
    """The unit says what came of it; its clock stops until it is sent back."""
    _check(item, {S.GOING}, "reported")
    _check_doer(item, actor)
    return replace(item, state=S.REPORTED, reported_at=now)


def sent_back(item: TrackedItem, actor: Actor) -> TrackedItem:
    """What was reported does not do: the unit goes on, under the date it had."""
    _check(item, {S.REPORTED}, "sent back")
    _check_judge(item, actor)
    return replace(item, state=S.GOING, reported_at=None)


def done(item: TrackedItem, actor: Actor, now: datetime) -> TrackedItem:
    """The result is accepted by somebody who did not do it."""
    _check(item, {S.REPORTED}, "accepted")
    _check_judge(item, actor)
    return replace(item, state=S.DONE, settled_at=now, settled_by=actor.name)


def ended(item: TrackedItem, actor: Actor, now: datetime) -> TrackedItem:
    """Whoever gives such items takes it back, with the reason told."""
    _check(item, frozenset(S) - OVER, "taken back")
    _check_judge(item, actor)
    return replace(item, state=S.ENDED, settled_at=now, settled_by=actor.name)


def check_progress(item: TrackedItem, actor: Actor) -> None:
    """Say why this person cannot note how an item goes."""
    _check(item, frozenset(S) - OVER, "noted")
    if actor.unit is not None:
        _check_doer(item, actor)


def _check(item: TrackedItem, states: Iterable[TrackedState], what: str) -> None:
    if item.state not in set(states):
        raise SupervisionRefused(f"The item is {item.state} and cannot be {what} now.")


def _check_doer(item: TrackedItem, actor: Actor) -> None:
    theirs = actor.unit is None if item.unit is None else actor.acts_for(item.unit)
    if not theirs:
        raise SupervisionRefused(
            f"Only {item.unit or 'the office'}, which has the item, can do this."
        )


def _check_judge(item: TrackedItem, actor: Actor) -> None:
    if actor.everywhere:
        return
    if not actor.is_apart_from(item.unit) or actor.answers_to(item.person):
        raise SupervisionRefused("Nobody judges his own work.")
