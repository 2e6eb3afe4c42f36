"""A fault record (责任追究): what happened, by whom, what they say, what people decide of it. Pure.

    recorded -> upheld or dismissed -> appealed -> upheld or dismissed, for good

It holds facts with their evidence. The software draws no consequence: there is no field for a
penalty, and nothing follows from a decision but the record. Whoever recorded it does not decide it,
and an appeal is decided by a third person.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from routing.cases import Actor, Role
from routing.errors import SupervisionRefused


class Fact(StrEnum):
    """What happened."""

    LATE = "late"
    FALSE_REPLY = "false_reply"
    LEAK = "leak"
    RUDE = "rude"
    PUSHED_AWAY = "pushed_away"
    NOT_SIGNED = "not_signed"
    FAKED = "faked"
    OTHER = "other"


class FaultState(StrEnum):
    """How a record stands."""

    RECORDED = "recorded"
    UPHELD = "upheld"
    DISMISSED = "dismissed"
    APPEALED = "appealed"


class Verdict(StrEnum):
    """What is decided of a record: it is so, or it is not."""

    UPHELD = "upheld"
    DISMISSED = "dismissed"


JUDGES = frozenset({Role.SUPERVISOR, Role.LEADER, Role.DISCIPLINE})
"""Who sees every record and decides."""
DECIDED = frozenset({FaultState.UPHELD, FaultState.DISMISSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRecord:
    """One record; of a person, else of a unit as a whole."""

    id: int
    fact: Fact
    unit: str | None
    person: str | None
    case_id: int | None
    supervision_id: int | None
    happened_at: datetime
    recorded_at: datetime
    recorded_by: str
    state: FaultState
    decided_at: datetime | None = None
    decided_by: str | None = None
    appealed_at: datetime | None = None
    appealed_by: str | None = None
    appeal_decided_at: datetime | None = None
    appeal_decided_by: str | None = None
    version: int = 0


def concerns(fault: FaultRecord, actor: Actor) -> bool:
    """Whether this is about the person, or about the unit as a whole and the person is of it."""
    if fault.person is not None:
        return actor.answers_to(fault.person)
    return actor.unit is not None and actor.unit == fault.unit


def may_see(fault: FaultRecord, actor: Actor) -> bool:
    """Whoever decides of faults, whom it concerns, and who recorded it."""
    judge = bool(actor.roles & JUDGES)
    return judge or concerns(fault, actor) or actor.answers_to(fault.recorded_by)


def check_statement(fault: FaultRecord, actor: Actor) -> None:
    """Say why this person can make no statement on it now."""
    _check_concerned(fault, actor)
    if fault.appeal_decided_at is not None:
        raise SupervisionRefused("The appeal is decided: the record stays as it is.")


def decided(fault: FaultRecord, verdict: Verdict, actor: Actor, now: datetime) -> FaultRecord:
    """Somebody else than who recorded it, and than whom it concerns, decides."""
    if fault.state is not FaultState.RECORDED:
        raise SupervisionRefused(f"The record is {fault.state}: it was decided before.")
    _check_apart(fault, actor, (fault.recorded_by,))
    return replace(fault, state=FaultState(verdict), decided_at=now, decided_by=actor.name)


def appealed(fault: FaultRecord, actor: Actor, now: datetime) -> FaultRecord:
    """Whom it concerns appeals against what was decided, once."""
    _check_concerned(fault, actor)
    if fault.state is not FaultState.UPHELD or fault.appealed_at is not None:
        raise SupervisionRefused(
            f"The record is {fault.state}: there is nothing to appeal against."
        )
    return replace(fault, state=FaultState.APPEALED, appealed_at=now, appealed_by=actor.name)


def appeal_decided(
    fault: FaultRecord, verdict: Verdict, actor: Actor, now: datetime
) -> FaultRecord:
    """A third person, who neither recorded nor decided it, decides the appeal for good."""
    if fault.state is not FaultState.APPEALED:
        raise SupervisionRefused(f"The record is {fault.state}: nobody appealed.")
    _check_apart(fault, actor, (fault.recorded_by, fault.decided_by))
    return replace(
        fault, state=FaultState(verdict), appeal_decided_at=now, appeal_decided_by=actor.name
    )


def _check_concerned(fault: FaultRecord, actor: Actor) -> None:
    if not concerns(fault, actor):
        raise SupervisionRefused("Only whom the record concerns can do this.")


def _check_apart(fault: FaultRecord, actor: Actor, before: tuple[str | None, ...]) -> None:
    if concerns(fault, actor) or (fault.unit is not None and actor.unit == fault.unit):
        raise SupervisionRefused("Nobody decides of himself or his own unit.")
    if any(actor.answers_to(name) for name in before):
        raise SupervisionRefused("Somebody else must decide: you had a part in it before.")
