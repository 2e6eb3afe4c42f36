"""Units beside the lead in PostgreSQL: helpers and those consulted, each with word or silence.

What is legal is judged by the case itself; these rows say who was asked when and who answered, for
people and for the supervision of those who are silent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from routing.cases import Actor, Move, MoveData
from routing.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A unit's part in a case; without `answered_at` it is silent, after `ended_at` for good."""

    unit: str
    part: str
    asked_at: datetime
    asked_by: str
    answered_at: datetime | None
    answered_by: str | None
    ended_at: datetime | None


ASK: LiteralString = """
    INSERT INTO case_units (case_id, unit, part, asked_at, asked_by)
    SELECT $1, unit, $3, $4, $5 FROM unnest($2::text[]) WITH ORDINALITY AS u (unit, place)
     ORDER BY place"""
ANSWERED: LiteralString = """
    UPDATE case_units SET answered_at = $4, answered_by = $5
     WHERE case_id = $1 AND unit = $2 AND part = $3 AND ended_at IS NULL"""
ENDED: LiteralString = """
    UPDATE case_units SET ended_at = $2
     WHERE case_id = $1 AND ended_at IS NULL AND ($3::text IS NULL OR part = $3)"""
ENDED_FOR: LiteralString = """
    UPDATE case_units SET ended_at = $2
     WHERE case_id = $1 AND ended_at IS NULL AND unit = ANY ($3::text[])"""
OF_CASE: LiteralString = """
    SELECT unit, part, asked_at, asked_by, answered_at, answered_by, ended_at
      FROM case_units WHERE case_id = $1 ORDER BY id"""
HELPER, CONSULTED = "helper", "consulted"


async def take_part(  # noqa: PLR0917 - in the order of a move: whose, which, who, when, what
    conn: Connection,
    case_id: int,
    move: Move,
    actor: Actor,
    now: datetime,
    data: MoveData,
) -> None:
    """Note what a move means for the units beside the lead."""
    speaks = data.unit if actor.everywhere else actor.unit
    match move:
        case Move.CONSULT:
            await _ask(conn, case_id, data.units or (), CONSULTED, actor, now)
        case Move.DISPATCH | Move.ADD_HELPER:
            await _ask(conn, case_id, data.helpers or (), HELPER, actor, now)
        case Move.COMMENT:
            await conn.fetch(ANSWERED, case_id, speaks, CONSULTED, now, actor.name)
        case Move.HELPER_FEEDBACK:
            await conn.fetch(ANSWERED, case_id, speaks, HELPER, now, actor.name)
        case Move.CONCLUDE:
            await conn.fetch(ENDED, case_id, now, CONSULTED)
        case Move.RECUSE:
            await conn.fetch(ENDED_FOR, case_id, now, list(data.units or ()))
        case Move.ACCEPT_RETURN | Move.REOPEN | Move.PROTECT:
            await conn.fetch(ENDED, case_id, now, None)
        case _:
            pass


async def _ask(  # noqa: PLR0917 - as above
    conn: Connection,
    case_id: int,
    units: Sequence[str],
    part: str,
    actor: Actor,
    now: datetime,
) -> None:
    if units:
        await conn.fetch(ASK, case_id, list(units), part, now, actor.name)


async def parts_of(conn: Connection, case_id: int) -> tuple[Part, ...]:
    """Every unit with a part in a case, in the order they were asked."""
    return tuple(Part(**row) for row in await conn.fetch(OF_CASE, case_id))
