"""Leaders' instructions in PostgreSQL; every change is conditional on the state it starts from."""

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

import asyncpg

from hotline.database import Connection
from hotline.errors import DutyUnknownError
from routing.duty_instructions import LIVE, InstructionState
from routing.tracked import TrackedState


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a leader wants, from which unit, until when."""

    leader: str
    unit: str
    text: str
    due_at: datetime
    incident_id: int | None = None
    case_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """One instruction as it stands."""

    id: int
    state: InstructionState
    leader: str
    unit: str
    text: str
    due_at: datetime
    incident_id: int | None
    case_id: int | None
    given_at: datetime
    entered_by: str
    passed_on_at: datetime | None
    passed_on_by: str | None
    passed_on_to: str | None
    ended_at: datetime | None
    ended_by: str | None
    evidence: str | None
    tracked_id: int | None
    """The supervision's item that times it from its passing on."""
    tracked_state: TrackedState | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """What a unit told of it."""

    id: int
    at: datetime
    by: str
    text: str


# Whatever concerns an incident concerns its case: who may not find the one finds nothing of it.
_INSTRUCTION: LiteralString = """
    SELECT i.id, i.state, i.leader, i.unit, i.text, i.due_at, i.incident_id,
           coalesce(i.case_id, d.case_id) AS case_id, i.given_at, i.entered_by, i.passed_on_at,
           i.passed_on_by, i.passed_on_to, i.ended_at, i.ended_by, i.evidence,
           i.tracked_id, t.state AS tracked_state
      FROM duty_instructions i LEFT JOIN duty_incidents d ON d.id = i.incident_id
      LEFT JOIN tracked_items t ON t.id = i.tracked_id"""
_FOUND: LiteralString = " WHERE (i.incident_id IS NULL OR d.id IS NOT NULL)"
_ONE: LiteralString = _INSTRUCTION + _FOUND + " AND i.id = $1"
_LIST: LiteralString = (
    _INSTRUCTION
    + _FOUND
    + """
       AND ($1::text IS NULL OR i.state = $1) AND (NOT $2 OR i.state IN ('given', 'passed_on'))
       AND ($3::text IS NULL OR i.unit = $3) AND ($4::bigint IS NULL OR i.id < $4)
     ORDER BY i.id DESC LIMIT $5"""
)
_ADD: LiteralString = """
    INSERT INTO duty_instructions (state, leader, unit, text, due_at, incident_id, case_id,
                                   given_at, entered_by)
    VALUES ('given', $1, $2, $3, $4, $5, $6, $7, $8) RETURNING id"""
_HOLD: LiteralString = "SELECT id FROM duty_instructions WHERE id = $1 FOR UPDATE"
_PASS_ON: LiteralString = """
    UPDATE duty_instructions
       SET state = 'passed_on', passed_on_at = $2, passed_on_by = $3, passed_on_to = $4,
           tracked_id = $5
     WHERE id = $1 AND state = 'given'"""
_END: LiteralString = """
    UPDATE duty_instructions SET state = $2, ended_at = $3, ended_by = $4, evidence = $5
     WHERE id = $1 AND state = ANY ($6)"""
_SAY: LiteralString = """
    INSERT INTO duty_instruction_feedback (instruction_id, at, by, text) VALUES ($1, $2, $3, $4)"""
_SAID: LiteralString = """
    SELECT id, at, by, text FROM duty_instruction_feedback WHERE instruction_id = $1 ORDER BY id"""


async def add(tx: Connection, given: Given, by: str, now: datetime) -> int:
    """A new instruction's number."""
    return int(
        await tx.fetchval(
            _ADD,
            given.leader,
            given.unit,
            given.text,
            given.due_at,
            given.incident_id,
            given.case_id,
            now,
            by,
        )
    )


async def held(tx: Connection, number: int) -> Instruction:
    """One instruction, held until the transaction ends; raises `DutyUnknownError`."""
    await tx.fetchval(_HOLD, number)
    return await get(tx, number)


async def get(conn: Connection, number: int) -> Instruction:
    """One instruction; raises `DutyUnknownError`."""
    row = await conn.fetchrow(_ONE, number)
    if row is None:
        raise DutyUnknownError(f"There is no instruction {number}.")
    return _instruction(row)


async def listed(
    conn: Connection,
    *,
    state: InstructionState | None = None,
    live: bool = False,
    unit: str | None = None,
    before: int | None = None,
    limit: int,
) -> list[Instruction]:
    """Instructions, newest first; `live` ones are under way."""
    rows = await conn.fetch(_LIST, state, live, unit, before, limit)
    return [_instruction(row) for row in rows]


async def pass_on(
    tx: Connection, number: int, to: str, *, by: str, now: datetime, tracked: int | None
) -> bool:
    """The unit has it; False where it had it before."""
    return await tx.execute(_PASS_ON, number, now, by, to, tracked) == "UPDATE 1"


async def end(
    tx: Connection,
    number: int,
    state: InstructionState,
    *,
    by: str,
    now: datetime,
    told: str,
) -> bool:
    """It is done, with its evidence, or withdrawn, with its reason; False where it was before."""
    done = state is InstructionState.DONE
    begins = [InstructionState.PASSED_ON] if done else sorted(LIVE)
    return await tx.execute(_END, number, state.value, now, by, told, begins) == "UPDATE 1"


async def say(tx: Connection, number: int, text: str, *, by: str, now: datetime) -> None:
    """What the unit told."""
    await tx.execute(_SAY, number, now, by, text)


async def said(conn: Connection, number: int) -> list[Feedback]:
    """What the unit told, oldest first."""
    return [Feedback(**dict(row)) for row in await conn.fetch(_SAID, number)]


def _instruction(row: asyncpg.Record) -> Instruction:
    tracked = row["tracked_state"]
    told = {"tracked_state": TrackedState(tracked) if tracked else None}
    return Instruction(**{**dict(row), **told, "state": InstructionState(row["state"])})
