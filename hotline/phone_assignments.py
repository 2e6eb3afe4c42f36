"""Urgent matters by telephone first, the paper later: a unit is told and reports back in minutes.

The clock of the stage `phone_assignment` begins when it was given and stops with the unit's word,
or with the case. It is given before the dispatch or after it, and takes nothing away: the dispatch
is still due, and every step leaves its row. What was said is kept with the case's texts.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

from hotline import journal
from hotline.database import Connection
from hotline.errors import PhoneAssignmentRefusedError
from hotline.journal import Event
from routing import store, text_store
from routing.cases import Actor, Case, CaseState, Move, Role, Urgency
from routing.clock_facts import Phoned

STATES = frozenset({CaseState.OPEN, CaseState.DISPATCHED, CaseState.HANDLING})
"""Between a person's word what the case is about and the unit's answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneAssignment:
    """One assignment; `before_dispatch`: the paper had still to follow."""

    id: int
    case_id: int
    unit: str
    given_at: datetime
    given_by: str
    before_dispatch: bool
    feedback_at: datetime | None
    feedback_by: str | None


_GIVE: LiteralString = """
    INSERT INTO phone_assignments (case_id, unit, given_at, given_by, before_dispatch)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (case_id) WHERE feedback_at IS NULL DO NOTHING RETURNING *"""
_FEEDBACK: LiteralString = """
    UPDATE phone_assignments SET feedback_at = $2, feedback_by = $3
     WHERE case_id = $1 AND feedback_at IS NULL RETURNING *"""
_RUNNING: LiteralString = """
    SELECT * FROM phone_assignments WHERE case_id = $1 AND feedback_at IS NULL"""
_OF_CASE: LiteralString = "SELECT * FROM phone_assignments WHERE case_id = $1 ORDER BY id"
_PHONED: LiteralString = """
    SELECT p.case_id, p.unit, p.given_at AS at,
           coalesce(p.feedback_at, CASE WHEN c.closed_at > p.given_at THEN c.closed_at END)
               AS stopped_at
      FROM phone_assignments p JOIN cases c ON c.id = p.case_id
     WHERE p.case_id = ANY ($1::bigint[]) ORDER BY p.id"""


async def give(
    tx: Connection, case_id: int, actor: Actor, now: datetime, *, unit: str, told: str
) -> PhoneAssignment:
    """Somebody told a unit by telephone what to do at once.

    Raises:
        CaseUnknown: there is no such case.
        PhoneAssignmentRefusedError: it is not urgent, not with this unit, or one waits already.
    """
    case = await store.get(tx, case_id)
    _check(case, unit)
    row = await tx.fetchrow(_GIVE, case_id, unit, now, actor.name, case.given_at is None)
    if row is None:
        raise PhoneAssignmentRefusedError(
            f"Case {case.number} was given by telephone already, and the unit's word is awaited."
        )
    given = PhoneAssignment(**dict(row))
    texts = {"told": told}
    await _tell(tx, Event.CASE_PHONE_ASSIGNED, case, given, actor, now, Move.DISPATCH, texts)
    return given


def _check(case: Case, unit: str) -> None:
    if case.urgency is Urgency.NORMAL:
        raise PhoneAssignmentRefusedError(
            f"Case {case.number} is not urgent: only urgent matters go by telephone first."
        )
    if case.state not in STATES:
        raise PhoneAssignmentRefusedError(
            f"Case {case.number} is {case.state}: it is given by telephone before its answer only."
        )
    if case.given_at is not None and unit not in {case.unit, *case.helpers}:
        raise PhoneAssignmentRefusedError(f"Case {case.number} is with {case.unit}, not {unit}.")


async def feedback(
    tx: Connection, case_id: int, actor: Actor, now: datetime, *, said: str
) -> PhoneAssignment:
    """The unit reported back, to the desk or here itself; the clock stops.

    Raises:
        CaseUnknown: there is no such case.
        PhoneAssignmentRefusedError: nothing is awaited, or from another unit.
    """
    case = await store.get(tx, case_id)
    running = await tx.fetchrow(_RUNNING, case_id)
    if running is None:
        raise PhoneAssignmentRefusedError(f"No word by telephone is awaited for {case.number}.")
    if Role.UNIT in actor.roles and not actor.acts_for(running["unit"]):
        raise PhoneAssignmentRefusedError(f"The word of {running['unit']} is awaited.")
    row = await tx.fetchrow(_FEEDBACK, case_id, now, actor.name)
    if row is None:
        raise PhoneAssignmentRefusedError(f"No word by telephone is awaited for {case.number}.")
    done = PhoneAssignment(**dict(row))
    texts = {"feedback": said}
    await _tell(tx, Event.CASE_PHONE_FEEDBACK, case, done, actor, now, Move.HELPER_FEEDBACK, texts)
    return done


async def of_case(conn: Connection, case_id: int) -> tuple[PhoneAssignment, ...]:
    """Every assignment of a case by telephone, oldest first."""
    return tuple(PhoneAssignment(**dict(row)) for row in await conn.fetch(_OF_CASE, case_id))


async def phoned(conn: Connection, case_ids: Sequence[int]) -> Mapping[int, list[Phoned]]:
    """When some cases were given by telephone, and when each assignment's clock stopped."""
    found: defaultdict[int, list[Phoned]] = defaultdict(list)
    for row in await conn.fetch(_PHONED, list(case_ids)):
        found[row["case_id"]].append(
            Phoned(at=row["at"], stopped_at=row["stopped_at"], unit=row["unit"])
        )
    return found


async def _tell(  # noqa: PLR0917 - by which word, of what, by whom, in whose words
    tx: Connection,
    event: Event,
    case: Case,
    assignment: PhoneAssignment,
    actor: Actor,
    now: datetime,
    move: Move,
    texts: Mapping[str, str],
) -> None:
    kept = await text_store.keep(tx, case.id, move=move, actor=actor, now=now, texts=texts)
    body: dict[str, Any] = {
        "number": case.number,
        "phone_assignment": assignment.id,
        "unit": assignment.unit,
        "owner": case.owner,
        "urgency": case.urgency,
        "before_dispatch": assignment.before_dispatch,
        "given_at": assignment.given_at,
        "texts": kept,
    }
    await journal.write(tx, at=now, actor=actor.name, event=event, case_id=case.id, body=body)
