"""When in the week cases were opened, and how many of which category in which area.

A case counts at the moment it was opened, as in the reports.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from hotline.database import Connection

_HOURS: LiteralString = """
    SELECT extract(isodow FROM opened_at AT TIME ZONE 'Asia/Shanghai')::int AS weekday,
           extract(hour FROM opened_at AT TIME ZONE 'Asia/Shanghai')::int AS hour,
           count(*) AS cases
      FROM cases
     WHERE opened_at > $1 AND opened_at <= $2 AND ($3::text IS NULL OR line = $3)
     GROUP BY 1, 2 ORDER BY 1, 2"""
_PLACES: LiteralString = """
    SELECT level1, area, count(*) AS cases
      FROM cases
     WHERE opened_at > $1 AND opened_at <= $2 AND ($3::text IS NULL OR line = $3)
       AND level1 IS NOT NULL AND area IS NOT NULL
     GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2"""


@dataclass(frozen=True, slots=True, kw_only=True)
class HotHour:
    """What an hour of a weekday brought; Monday is 1. Hours that brought nothing are left out."""

    weekday: int
    hour: int
    cases: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HotPlace:
    """How many cases of a category an area had."""

    level1: str
    area: str
    cases: int


async def hours(
    conn: Connection, since: datetime, until: datetime, line: str | None
) -> Sequence[HotHour]:
    """Opened after `since` and until `until`, by weekday and hour of the city."""
    rows = await conn.fetch(_HOURS, since, until, line)
    return [HotHour(**dict(row)) for row in rows]


async def places(
    conn: Connection, since: datetime, until: datetime, line: str | None
) -> Sequence[HotPlace]:
    """The same by category and area, the most first."""
    rows = await conn.fetch(_PLACES, since, until, line)
    return [HotPlace(**dict(row)) for row in rows]
