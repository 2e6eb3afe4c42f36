"""Inspections as lists: filtered, page by page, counted; only each call's current one."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, LiteralString

import asyncpg

from hotline.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which inspections; None asks for nothing. The order is that of the statements' parameters."""

    operator: str | None = None
    line: str | None = None
    item: str | None = None
    """Calls that lost something at this item."""
    low: bool | None = None
    serious: bool | None = None
    judged: bool | None = None
    """Whether there is a score."""
    least: Decimal | None = None
    most: Decimal | None = None
    since: datetime | None = None
    until: datetime | None = None


_WHERE: LiteralString = """
     WHERE i.current
       AND ($1::text IS NULL OR i.operator = $1)
       AND ($2::text IS NULL OR i.line = $2)
       AND ($3::text IS NULL OR EXISTS (
            SELECT FROM inspection_items n
             WHERE n.inspection_id = i.id AND n.item = $3 AND n.verdict = 'lost'))
       AND ($4::boolean IS NULL OR i.low = $4)
       AND ($5::boolean IS NULL OR i.serious = $5)
       AND ($6::boolean IS NULL OR (i.score IS NOT NULL) = $6)
       AND ($7::numeric IS NULL OR i.score >= $7)
       AND ($8::numeric IS NULL OR i.score <= $8)
       AND ($9::timestamptz IS NULL OR i.answered_at >= $9)
       AND ($10::timestamptz IS NULL OR i.answered_at < $10)"""
# The call is read through `calls`, so that one whom it is hidden from finds no inspection either.
_ROWS: LiteralString = """
    SELECT i.id, i.call_id, i.form, i.fingerprint, i.line, i.operator, i.answered_at, i.score,
           i.reason, i.low, i.serious, i.made_at, i.measures::text AS measures,
           greatest(0, extract(epoch FROM coalesce(c.talk_ended_at, c.ended_at) - c.answered_at)
           )::double precision AS talk_seconds,
           ARRAY(SELECT n.item FROM inspection_items n
                  WHERE n.inspection_id = i.id AND n.verdict = 'lost' ORDER BY n.position) AS lost,
           ARRAY(SELECT n.item FROM inspection_items n
                  WHERE n.inspection_id = i.id AND n.verdict = 'not_judged' ORDER BY n.position)
           AS not_judged
      FROM inspections i JOIN calls c ON c.id = i.call_id"""
_PAGE: LiteralString = (
    _ROWS
    + _WHERE
    + """ AND ($11::bigint IS NULL OR i.call_id < $11)
     ORDER BY i.call_id DESC LIMIT $12"""
)
_ONE: LiteralString = _ROWS + " WHERE i.current AND i.call_id = $1"
_ITEMS: LiteralString = """
    SELECT item, verdict, weight, lost, reason FROM inspection_items
     WHERE inspection_id = $1 ORDER BY position"""
_DEDUCTIONS: LiteralString = """
    SELECT item, points, reason, leg, starts, ends, words, facts::text AS facts
      FROM inspection_deductions WHERE inspection_id = $1 ORDER BY position"""
_COUNTED_ROWS: LiteralString = """
    SELECT count(*) AS calls, count(i.score) AS scored,
           count(*) FILTER (WHERE i.low) AS low, count(*) FILTER (WHERE i.serious) AS serious,
           percentile_cont(ARRAY[0.1, 0.5, 0.9]) WITHIN GROUP (ORDER BY i.score) AS percentiles
      FROM inspections i JOIN calls c ON c.id = i.call_id"""
_COUNTED: LiteralString = _COUNTED_ROWS + _WHERE
_BY_ITEM_ROWS: LiteralString = """
    SELECT n.item, min(n.position) AS position,
           count(*) FILTER (WHERE n.verdict = 'kept') AS kept,
           count(*) FILTER (WHERE n.verdict = 'lost') AS lost,
           count(*) FILTER (WHERE n.verdict = 'not_judged') AS not_judged,
           count(*) FILTER (WHERE n.verdict = 'not_asked') AS not_asked
      FROM inspections i JOIN calls c ON c.id = i.call_id
      JOIN inspection_items n ON n.inspection_id = i.id"""
_BY_ITEM: LiteralString = _BY_ITEM_ROWS + _WHERE + " GROUP BY n.item ORDER BY 2, 1"
_WHY_NOT_ROWS: LiteralString = """
    SELECT i.reason, count(*) AS calls FROM inspections i JOIN calls c ON c.id = i.call_id"""
_WHY_NOT: LiteralString = (
    _WHY_NOT_ROWS + _WHERE + " AND i.reason IS NOT NULL GROUP BY i.reason ORDER BY 2 DESC, 1"
)


async def page(
    conn: Connection, wanted: Wanted, *, before: int | None, limit: int
) -> Sequence[asyncpg.Record]:
    """Inspections of newer calls first; `before` is the call the last page ended with."""
    rows: list[asyncpg.Record] = await conn.fetch(_PAGE, *astuple(wanted), before, limit)
    return rows


async def of_call(conn: Connection, call_id: int) -> asyncpg.Record | None:
    """The current inspection of a call."""
    return await conn.fetchrow(_ONE, call_id)


async def items(conn: Connection, inspection_id: int) -> Sequence[asyncpg.Record]:
    """How each item of an inspection stands, in the form's order."""
    rows: list[asyncpg.Record] = await conn.fetch(_ITEMS, inspection_id)
    return rows


async def deductions(conn: Connection, inspection_id: int) -> Sequence[asyncpg.Record]:
    """Its faults in order of time."""
    rows: list[asyncpg.Record] = await conn.fetch(_DEDUCTIONS, inspection_id)
    return rows


async def counted(conn: Connection, wanted: Wanted) -> Mapping[str, Any]:
    """How many there are, by item and by why there is no score."""
    row = await conn.fetchrow(_COUNTED, *astuple(wanted))
    return {
        **dict(row or {}),
        "items": [dict(one) for one in await conn.fetch(_BY_ITEM, *astuple(wanted))],
        "unscored": [dict(one) for one in await conn.fetch(_WHY_NOT, *astuple(wanted))],
    }
