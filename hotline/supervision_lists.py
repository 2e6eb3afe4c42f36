"""Lists and counts of supervision records and tracked items, newest first, by index."""

import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Any, LiteralString

from hotline.database import Connection
from hotline.supervision_rows import record_in
from hotline.tracked_rows import item_in
from routing.supervision import ItemType, Supervision, SupervisionState
from routing.supervision_rules import Level, Trigger
from routing.tracked import TrackedItem, TrackedState


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which records; None means all. `live`: those that are not cleared."""

    state: SupervisionState | None = None
    level: Level | None = None
    type: ItemType | None = None
    trigger: Trigger | None = None
    unit: str | None = None
    case_id: int | None = None
    tracked_id: int | None = None
    live: bool | None = None
    over: datetime | None = None
    """Only those whose level's limit was over at this moment."""
    of_unit: str | None = None
    """Only what this unit may see: its own."""
    besides: Sequence[int] | None = None
    """None of these cases."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedItems:
    """Which tracked items; None means all."""

    state: TrackedState | None = None
    type: ItemType | None = None
    unit: str | None = None
    live: bool | None = None
    over: datetime | None = None
    of_unit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """The live records of one unit (None: the office) at one level."""

    unit: str | None
    level: Level
    live: int
    answered: int
    over: int
    oldest: datetime


_BEGIN: LiteralString = "SELECT count(*) FROM ("
_END: LiteralString = ") AS counted"
_LIST: LiteralString = """
    SELECT * FROM supervisions
     WHERE ($1::text IS NULL OR state = $1) AND ($2::text IS NULL OR level = $2)
       AND ($3::text IS NULL OR type = $3) AND ($4::text IS NULL OR trigger = $4)
       AND ($5::text IS NULL OR unit = $5) AND ($6::bigint IS NULL OR case_id = $6)
       AND ($7::bigint IS NULL OR tracked_id = $7)
       AND ($8::boolean IS NULL OR (state <> 'cleared') = $8)
       AND ($9::timestamptz IS NULL OR (state <> 'cleared' AND due_at < $9))
       AND ($10::text IS NULL OR unit = $10)
       AND ($11::bigint[] IS NULL OR case_id IS NULL OR case_id <> ALL ($11))
       AND ($12::bigint IS NULL OR id < $12)
     ORDER BY id DESC LIMIT $13"""
_COUNT: LiteralString = _BEGIN + _LIST + _END
_ITEMS: LiteralString = """
    SELECT * FROM tracked_items
     WHERE ($1::text IS NULL OR state = $1) AND ($2::text IS NULL OR type = $2)
       AND ($3::text IS NULL OR unit = $3)
       AND ($4::boolean IS NULL OR (settled_at IS NULL) = $4)
       AND ($5::timestamptz IS NULL
            OR (settled_at IS NULL AND reported_at IS NULL AND due_at < $5))
       AND ($6::text IS NULL OR unit = $6)
       AND ($7::bigint IS NULL OR id < $7)
     ORDER BY id DESC LIMIT $8"""
_BOARD: LiteralString = """
    SELECT unit, level, count(*) AS live, count(*) FILTER (WHERE state = 'answered') AS answered,
           count(*) FILTER (WHERE due_at < $1) AS over, min(since) AS oldest
      FROM supervisions
     WHERE state <> 'cleared' AND ($2::text IS NULL OR unit = $2)
     GROUP BY unit, level ORDER BY unit NULLS FIRST, level"""
_FACTS: LiteralString = "SELECT facts FROM supervisions WHERE id = $1"
_CASES: LiteralString = """
    SELECT case_id FROM supervision_cases WHERE supervision_id = $1 ORDER BY case_id"""
_NUMBERS: LiteralString = "SELECT id, number FROM cases WHERE id = ANY ($1::bigint[])"


async def records(
    conn: Connection, wanted: Wanted, *, before: int | None, limit: int
) -> list[Supervision]:
    """Records, newest first, from below the id `before`."""
    rows = await conn.fetch(_LIST, *astuple(wanted), before, limit)
    return [record_in(row) for row in rows]


async def counted(conn: Connection, wanted: Wanted, most: int) -> int:
    """How many records there are, up to `most`."""
    return int(await conn.fetchval(_COUNT, *astuple(wanted), None, most))


async def items(
    conn: Connection, wanted: WantedItems, *, before: int | None, limit: int
) -> list[TrackedItem]:
    """Tracked items, newest first, from below the id `before`."""
    rows = await conn.fetch(_ITEMS, *astuple(wanted), before, limit)
    return [item_in(row) for row in rows]


async def board(conn: Connection, now: datetime, unit: str | None) -> list[Counted]:
    """How many records are live, of each unit at each level."""
    return [
        Counted(**{**dict(row), "level": Level(row["level"])})
        for row in await conn.fetch(_BOARD, now, unit)
    ]


async def facts_of(conn: Connection, record_id: int) -> dict[str, Any]:
    """What the occasion of a record said beside the rest."""
    found: dict[str, Any] = json.loads(await conn.fetchval(_FACTS, record_id) or "{}")
    return found


async def cases_of(conn: Connection, record_id: int) -> list[int]:
    """The cases of a burst's record."""
    return [row["case_id"] for row in await conn.fetch(_CASES, record_id)]


async def numbers_of(conn: Connection, case_ids: Sequence[int]) -> dict[int, str]:
    """The numbers of some cases."""
    return {row["id"]: row["number"] for row in await conn.fetch(_NUMBERS, list(case_ids))}
