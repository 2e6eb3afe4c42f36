"""The duty roster in PostgreSQL: shifts are entered and taken back, never changed."""

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

import asyncpg

from hotline.database import Connection
from hotline.roster import Role, Shift


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """A shift that stands on the roster."""

    id: int
    shift: Shift
    entered_by: str


_LINES: LiteralString = (
    "SELECT DISTINCT line FROM roster_shifts WHERE gone_at IS NULL ORDER BY line"
)
_BETWEEN: LiteralString = """
    SELECT id, line, role, operator, starts_at, ends_at, entered_by FROM roster_shifts
     WHERE line = $1 AND gone_at IS NULL AND ends_at > $2 AND starts_at <= $3
     ORDER BY starts_at, role, operator"""
_ENTER: LiteralString = """
    INSERT INTO roster_shifts (line, role, operator, starts_at, ends_at, entered_at, entered_by)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (line, role, operator, starts_at) WHERE gone_at IS NULL DO NOTHING RETURNING id"""
_TAKE_BACK: LiteralString = """
    UPDATE roster_shifts SET gone_at = $2, gone_by = $3 WHERE id = $1 AND gone_at IS NULL
    RETURNING id, line, role, operator, starts_at, ends_at, entered_by"""


async def lines_with_roster(conn: Connection) -> list[str]:
    """The lines that somebody ever entered a shift for and did not take it back."""
    return [row["line"] for row in await conn.fetch(_LINES)]


async def shifts_between(
    conn: Connection, line: str, since: datetime, until: datetime
) -> list[Shift]:
    """The shifts of a line that touch the time between the two."""
    return [one.shift for one in await entered_between(conn, line, since, until)]


async def entered_between(
    conn: Connection, line: str, since: datetime, until: datetime
) -> list[Entered]:
    """The same with their numbers and who entered them."""
    return [_entered(row) for row in await conn.fetch(_BETWEEN, line, since, until)]


async def enter(conn: Connection, shift: Shift, by: str, now: datetime) -> int | None:
    """Put a shift on the roster; returns its number, None where it stands there already."""
    number: int | None = await conn.fetchval(
        _ENTER,
        shift.line,
        shift.role.value,
        shift.operator,
        shift.starts_at,
        shift.ends_at,
        now,
        by,
    )
    return number


async def take_back(conn: Connection, number: int, by: str, now: datetime) -> Entered | None:
    """Take a shift off the roster; None where it is not on it."""
    row = await conn.fetchrow(_TAKE_BACK, number, now, by)
    return _entered(row) if row else None


def _entered(row: asyncpg.Record) -> Entered:
    return Entered(
        id=row["id"],
        entered_by=row["entered_by"],
        shift=Shift(
            line=row["line"],
            role=Role(row["role"]),
            operator=row["operator"],
            starts_at=row["starts_at"],
            ends_at=row["ends_at"],
        ),
    )
