"""Notices of absence in PostgreSQL, and who is away at a moment."""

from datetime import datetime
from typing import LiteralString

import asyncpg

from hotline.database import Connection
from routing.absences import Absence, Staffing

_ABSENCE: LiteralString = """
    SELECT a.id, w.login AS who, d.login AS deputy, a.reason, a.since, a.until, a.entered_at,
           a.entered_by, a.ended_at
      FROM absences a JOIN users w ON w.id = a.who LEFT JOIN users d ON d.id = a.deputy"""
_ONE: LiteralString = _ABSENCE + " WHERE a.id = $1"
_LIST: LiteralString = (
    _ABSENCE
    + """
     WHERE ($1::timestamptz IS NULL
            OR (a.ended_at IS NULL AND (a.until IS NULL OR a.until > $1)))
       AND ($2::text IS NULL OR w.login = $2) AND ($3::bigint IS NULL OR a.id < $3)
     ORDER BY a.id DESC LIMIT $4"""
)
_HOLD: LiteralString = "SELECT id FROM users WHERE id = $1 FOR UPDATE"
_OVERLAPS: LiteralString = """
    SELECT id FROM absences
     WHERE who = $1 AND ended_at IS NULL AND (until IS NULL OR until > $2)
       AND ($3::timestamptz IS NULL OR since < $3) LIMIT 1"""
_ENTER: LiteralString = """
    INSERT INTO absences (who, deputy, reason, since, until, entered_at, entered_by)
    VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id"""
_END: LiteralString = """
    UPDATE absences SET ended_at = $2, ended_by = $3
     WHERE id = $1 AND ended_at IS NULL AND (until IS NULL OR until > $2) RETURNING id"""
# Every move asks, so it is one question. Who was deactivated is away for good, and named nobody.
_STAFFING: LiteralString = """
    SELECT 'away' AS sort, w.login, d.login AS other, w.unit, w.id
      FROM absences a JOIN users w ON w.id = a.who LEFT JOIN users d ON d.id = a.deputy
     WHERE w.active AND a.since <= $1 AND a.ended_at IS NULL
       AND (a.until IS NULL OR a.until > $1)
    UNION ALL
    SELECT 'away', login, NULL, unit, id FROM users WHERE NOT active
    UNION ALL
    SELECT 'head', login, NULL, unit, id FROM users WHERE active AND is_head
    UNION ALL
    SELECT 'seat', login, extension, NULL, id
      FROM (SELECT DISTINCT ON (extension) login, extension, id FROM users
             WHERE extension IS NOT NULL ORDER BY extension, active DESC, id DESC) AS seat
     ORDER BY id"""


async def staffing(conn: Connection, at: datetime) -> Staffing:
    """Who is away at that moment, and who leads whose unit."""
    away: dict[str, str | None] = {}
    units: dict[str, str | None] = {}
    heads: dict[str | None, tuple[str, ...]] = {}
    seats: dict[str, str] = {}
    for row in await conn.fetch(_STAFFING, at):
        match row["sort"]:
            case "away":
                away[row["login"]], units[row["login"]] = row["other"], row["unit"]
            case "head":
                heads[row["unit"]] = (*heads.get(row["unit"], ()), row["login"])
            case _:
                seats[row["other"]] = row["login"]
    return Staffing(
        away=away,
        heads={login: heads.get(unit, ()) for login, unit in units.items()},
        seats=seats,
    )


async def hold(conn: Connection, user_id: int) -> None:
    """Keep others from entering an absence of the same person until the transaction ends."""
    await conn.fetchval(_HOLD, user_id)


async def overlaps(conn: Connection, user_id: int, since: datetime, until: datetime | None) -> bool:
    """Whether a notice of this person stands for a part of that time."""
    return await conn.fetchval(_OVERLAPS, user_id, since, until) is not None


async def enter(
    conn: Connection,
    *,
    who: int,
    deputy: int | None,
    reason: str,
    since: datetime,
    until: datetime | None,
    now: datetime,
    by: str,
) -> int:
    """A new notice's id."""
    return int(await conn.fetchval(_ENTER, who, deputy, reason, since, until, now, by))


async def end(conn: Connection, absence_id: int, now: datetime, by: str) -> bool:
    """The person is back, or the notice is taken back; False where it was over already."""
    return await conn.fetchval(_END, absence_id, now, by) is not None


async def get(conn: Connection, absence_id: int) -> Absence | None:
    """One notice."""
    row = await conn.fetchrow(_ONE, absence_id)
    return _absence(row) if row else None


async def listed(
    conn: Connection, *, open_at: datetime | None, who: str | None, before: int | None, limit: int
) -> list[Absence]:
    """Notices, newest first; with `open_at` those that are not over at that moment."""
    return [_absence(row) for row in await conn.fetch(_LIST, open_at, who, before, limit)]


def _absence(row: asyncpg.Record) -> Absence:
    return Absence(**dict(row))
