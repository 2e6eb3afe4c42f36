"""Bursts and the cases they are made of, in PostgreSQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import LiteralString

import asyncpg

from hotline.database import Connection
from hotline.errors import BurstUnknownError
from routing.bursts import BurstSort, Unusual


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a case says of itself, as far as a burst is made of it, and the burst it is of."""

    case_id: int
    at: datetime
    area: str | None
    level1: str | None
    burst: int | None
    burst_open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """One burst; `usual` is how many such cases a stretch of time usually has."""

    id: int
    sort: BurstSort
    area: str | None
    level1: str | None
    first_case: int
    raised_at: datetime
    stretch: timedelta
    raised_with: int
    usual: float
    last_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    ended_at: datetime | None


_PLACES: LiteralString = """
    SELECT c.id AS case_id, c.drafted_at AS at, c.area, c.level1, b.burst_id AS burst,
           coalesce(u.ended_at IS NULL AND u.id IS NOT NULL, false) AS burst_open
      FROM cases c
      LEFT JOIN burst_cases b ON b.case_id = c.id LEFT JOIN bursts u ON u.id = b.burst_id
     WHERE c.id = ANY ($1)"""
_OF_CATEGORY: LiteralString = """
    SELECT c.id AS case_id, c.drafted_at AS at, c.area, c.level1, b.burst_id AS burst,
           coalesce(u.ended_at IS NULL AND u.id IS NOT NULL, false) AS burst_open
      FROM cases c
      LEFT JOIN burst_cases b ON b.case_id = c.id LEFT JOIN bursts u ON u.id = b.burst_id
     WHERE c.area = $1 AND c.level1 = $2 AND c.drafted_at > $3 AND c.drafted_at <= $4"""
_RAISE: LiteralString = """
    INSERT INTO bursts (sort, area, level1, first_case, raised_at, stretch, raised_with, usual,
                        last_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING RETURNING *"""
_JOIN: LiteralString = """
    INSERT INTO burst_cases (case_id, burst_id)
    SELECT case_id, $2 FROM unnest($1::bigint[]) AS case_id
    ON CONFLICT (case_id) DO NOTHING"""
_GO_ON: LiteralString = "UPDATE bursts SET last_at = greatest(last_at, $2) WHERE id = $1"
_OF_CATEGORY_OPEN: LiteralString = """
    SELECT id FROM bursts
     WHERE sort = 'category' AND area = $1 AND level1 = $2 AND ended_at IS NULL"""
_END: LiteralString = """
    UPDATE bursts SET ended_at = $1
     WHERE ended_at IS NULL AND last_at + stretch <= $1 RETURNING *"""
_ACKNOWLEDGE: LiteralString = """
    UPDATE bursts SET acknowledged_at = $2, acknowledged_by = $3
     WHERE id = $1 AND acknowledged_at IS NULL RETURNING *"""
_GET: LiteralString = "SELECT * FROM bursts WHERE id = $1"
_LIST: LiteralString = """
    SELECT * FROM bursts
     WHERE (NOT $1 OR ended_at IS NULL OR acknowledged_at IS NULL)
       AND ($2::bigint IS NULL OR id < $2) ORDER BY id DESC LIMIT $3"""
_CASES: LiteralString = """
    SELECT burst_id, case_id FROM burst_cases WHERE burst_id = ANY ($1) ORDER BY case_id"""


async def places(conn: Connection, ids: Sequence[int]) -> dict[int, Place]:
    """Where some cases are, by their ids."""
    return {row["case_id"]: Place(**row) for row in await conn.fetch(_PLACES, list(ids))}


async def of_category(
    conn: Connection, area: str, level1: str, after: datetime, until: datetime
) -> list[Place]:
    """Every case of an area and a category within a time."""
    return [Place(**row) for row in await conn.fetch(_OF_CATEGORY, area, level1, after, until)]


async def raised(
    tx: Connection, sort: BurstSort, members: Sequence[Place], found: Unusual, now: datetime
) -> Burst | None:
    """A new burst of these cases, the newest of them last; None where it is one already."""
    newest = members[-1]
    row = await tx.fetchrow(
        _RAISE,
        sort,
        newest.area,
        newest.level1,
        members[0].case_id,
        now,
        found.stretch.length,
        len(members),
        found.usual,
        newest.at,
    )
    if row is None:
        return None
    await tx.execute(_JOIN, [one.case_id for one in members], row["id"])
    return _burst(row)


async def joined(tx: Connection, burst_id: int, place: Place) -> None:
    """One more case of a burst that goes on."""
    await tx.execute(_JOIN, [place.case_id], burst_id)
    await tx.execute(_GO_ON, burst_id, place.at)


async def open_category(conn: Connection, area: str, level1: str) -> int | None:
    """The burst of an area and a category that goes on."""
    found = await conn.fetchval(_OF_CATEGORY_OPEN, area, level1)
    return None if found is None else int(found)


async def ended(tx: Connection, now: datetime) -> list[Burst]:
    """Bursts that no case joined for as long as they took to be seen; they are over."""
    return [_burst(row) for row in await tx.fetch(_END, now)]


async def acknowledged(tx: Connection, burst_id: int, by: str, now: datetime) -> Burst | None:
    """A person has seen it; None where somebody had before.

    Raises:
        BurstUnknownError: there is no such burst.
    """
    row = await tx.fetchrow(_ACKNOWLEDGE, burst_id, now, by)
    if row is None:
        await get(tx, burst_id)
        return None
    return _burst(row)


async def get(conn: Connection, burst_id: int) -> Burst:
    """One burst; raises `BurstUnknownError`."""
    row = await conn.fetchrow(_GET, burst_id)
    if row is None:
        raise BurstUnknownError(f"There is no burst with the number {burst_id}.")
    return _burst(row)


async def listed(
    conn: Connection, *, live: bool, before: int | None = None, limit: int = 50
) -> list[Burst]:
    """Bursts, newest first; `live` are those that go on or that nobody acknowledged."""
    return [_burst(row) for row in await conn.fetch(_LIST, live, before, limit)]


async def cases_of(conn: Connection, ids: Sequence[int]) -> dict[int, list[int]]:
    """The cases of some bursts, oldest first."""
    found: dict[int, list[int]] = {one: [] for one in ids}
    for row in await conn.fetch(_CASES, list(ids)):
        found[row["burst_id"]].append(row["case_id"])
    return found


def _burst(row: asyncpg.Record) -> Burst:
    return Burst(**{**dict(row), "sort": BurstSort(row["sort"])})
