"""A supervision record (督办) as a value: its level, who may do what with it, what a step makes.

Pure.

    opened (urge) -> noticed -> answered -> cleared
       limit over, not cleared: raised (supervise, then list), a new notice, a new limit

The record of a case, of a leader's item, a delegate's suggestion, a proposal, a yearly target, a
meeting's decision, a burst or a stale card is one and the same, with the same levels and limits.
Each level lasts at least its whole limit from the moment its notice was given: after a long
standstill of the service a record rises by one level, never by two. Only evidence and a person who
is not supervised clear it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from routing.calendar import Calendar
from routing.cases import Actor, Kind, Role, Urgency
from routing.deadlines import after
from routing.errors import CalendarEnds, SupervisionRefused
from routing.limits import Limit, Stage
from routing.policy import Policy
from routing.supervision_rules import Level, Receiver, Trigger, rules_of


class ItemType(StrEnum):
    """What is supervised."""

    CALL_ORDER = "call_order"
    LEADER = "leader"
    SUGGESTION = "suggestion"
    PROPOSAL = "proposal"
    TARGET = "target"
    DECISION = "decision"
    KNOWLEDGE = "knowledge"


class SupervisionState(StrEnum):
    """How a record stands at its level."""

    OPEN = "open"
    ANSWERED = "answered"
    CLEARED = "cleared"


OVERSEERS = frozenset({Role.SUPERVISOR, Role.LEADER})
"""Who opens, raises and clears."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Supervision:
    """One record. `unit` is who is supervised, None the office itself, where `person` answers.

    `level_at` is when the present level's notice was given, `due_at` when it must be cleared; None
    where the holiday calendar ends before it.
    """

    id: int
    type: ItemType
    subject: str
    trigger: Trigger
    occasion: str
    level: Level
    state: SupervisionState
    since: datetime
    opened_at: datetime
    opened_by: str
    level_at: datetime
    due_at: datetime | None
    policy: str
    basis: str
    limit_basis: str
    receiver: Receiver
    case_id: int | None = None
    tracked_id: int | None = None
    card_id: int | None = None
    stage: Stage | None = None
    ends_at: datetime | None = None
    kind: Kind | None = None
    urgency: Urgency = Urgency.NORMAL
    unit: str | None = None
    person: str | None = None
    noticed_at: datetime | None = None
    noticed_by: str | None = None
    answered_at: datetime | None = None
    answered_by: str | None = None
    cleared_at: datetime | None = None
    cleared_by: str | None = None
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A level's notice: to whom, until when, by which rule."""

    level: Level
    receiver: Receiver
    limit: Limit
    ends_at: datetime | None


def given(
    level: Level,
    kind: Kind | None,
    urgency: Urgency,
    *,
    at: datetime,
    policy: Policy,
    calendar: Calendar,
) -> Given:
    """Return what a level gives from a moment on; without an end where the calendar ends."""
    rule = rules_of(policy).level(level)
    limit = rule.limit(kind, urgency)
    try:
        ends_at = after(at, limit, policy, calendar)
    except CalendarEnds:
        ends_at = None
    return Given(level=level, receiver=rule.receiver, limit=limit, ends_at=ends_at)


def is_to_rise(item: Supervision, now: datetime) -> bool:
    """Whether the limit of its level has passed without clearance, and there is a level above."""
    if item.state is SupervisionState.CLEARED or item.level.next is None:
        return False
    return item.due_at is not None and now > item.due_at


def raised(item: Supervision, now: datetime, policy: Policy, calendar: Calendar) -> Supervision:
    """Return the record one level up, with a new notice that waits for a new answer.

    Raises:
        SupervisionRefused: it is cleared, or at the highest level.
    """
    _check_live(item)
    level = item.level.next
    if level is None:
        raise SupervisionRefused("The highest level is reached: there is none above.")
    new = given(level, item.kind, item.urgency, at=now, policy=policy, calendar=calendar)
    return replace(
        item,
        level=level,
        level_at=now,
        due_at=new.ends_at,
        limit_basis=new.limit.basis,
        receiver=new.receiver,
        state=SupervisionState.OPEN,
        noticed_at=None,
        noticed_by=None,
        answered_at=None,
        answered_by=None,
        version=item.version + 1,
    )


def noticed(item: Supervision, actor: Actor, now: datetime) -> Supervision:
    """The supervised side confirms that it has read the notice of this level."""
    _check_live(item)
    _check_supervised(item, actor)
    if item.noticed_at is not None:
        raise SupervisionRefused(f"{item.noticed_by} confirmed this notice already.")
    return replace(item, noticed_at=now, noticed_by=actor.name, version=item.version + 1)


def answered(item: Supervision, actor: Actor, now: datetime) -> Supervision:
    """The supervised side says what it did; the clock goes on until somebody else clears it."""
    _check_live(item)
    _check_supervised(item, actor)
    return replace(
        item,
        state=SupervisionState.ANSWERED,
        answered_at=now,
        answered_by=actor.name,
        noticed_at=item.noticed_at or now,
        noticed_by=item.noticed_by or actor.name,
        version=item.version + 1,
    )


def cleared(
    item: Supervision, actor: Actor, now: datetime, evidence: Sequence[int | str]
) -> Supervision:
    """The record ends: with evidence, by somebody who is not supervised by it."""
    _check_live(item)
    if not evidence:
        raise SupervisionRefused("A record is cleared with evidence only: add some, or name some.")
    if not is_apart(item, actor):
        raise SupervisionRefused("Whoever is supervised cannot clear the record.")
    return replace(
        item,
        state=SupervisionState.CLEARED,
        cleared_at=now,
        cleared_by=actor.name,
        version=item.version + 1,
    )


def is_apart(item: Supervision, actor: Actor) -> bool:
    """Whether a person may judge: not of the unit, and not whoever answered for it."""
    if actor.everywhere:
        return True
    return actor.is_apart_from(item.unit) and not actor.answers_to(item.person)


def is_supervised(item: Supervision, actor: Actor) -> bool:
    """Whether a person speaks for the supervised side: the unit, or the office's own people."""
    if item.unit is None:
        return actor.unit is None
    return actor.acts_for(item.unit)


def _check_supervised(item: Supervision, actor: Actor) -> None:
    if not is_supervised(item, actor):
        whom = item.unit or "the office"
        raise SupervisionRefused(f"Only {whom}, which is supervised, can do this.")


def _check_live(item: Supervision) -> None:
    if item.state is SupervisionState.CLEARED:
        raise SupervisionRefused(f"The record was cleared by {item.cleared_by}: nothing follows.")
