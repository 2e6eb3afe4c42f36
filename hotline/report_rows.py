"""What a report counts beside the indicators: its topics and areas, and which units had items.

A protected case is counted nowhere, whoever asks.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString

from hotline.database import Connection
from metrics.reports.build import HOT, Topic

_TOPICS: LiteralString = """
    SELECT level1 AS name, count(*) FILTER (WHERE opened_at > $2) AS cases,
           count(*) FILTER (WHERE opened_at <= $2) AS before
      FROM cases
     WHERE opened_at > $1 AND opened_at <= $3 AND level1 IS NOT NULL
       AND ($5::text IS NULL OR line = $5)
       AND id <> ALL (ARRAY(SELECT hidden_cases('{}')))
     GROUP BY level1 ORDER BY 2 DESC, level1 LIMIT $4"""
_AREAS: LiteralString = """
    SELECT area AS name, count(*) FILTER (WHERE opened_at > $2) AS cases,
           count(*) FILTER (WHERE opened_at <= $2) AS before
      FROM cases
     WHERE opened_at > $1 AND opened_at <= $3 AND area IS NOT NULL
       AND ($5::text IS NULL OR line = $5)
       AND id <> ALL (ARRAY(SELECT hidden_cases('{}')))
     GROUP BY area ORDER BY 2 DESC, area LIMIT $4"""
_UNITS: LiteralString = """
    SELECT DISTINCT unit FROM (
        SELECT unit FROM cases
         WHERE due_at > $1 AND due_at <= $2 AND given_at IS NOT NULL
           AND id <> ALL (ARRAY(SELECT hidden_cases('{}')))
        UNION ALL
        SELECT j.body ->> 'unit' FROM journal j
         WHERE j.event IN ('case.dispatched', 'case.closed') AND j.at > $1 AND j.at <= $2
           AND j.case_id <> ALL (ARRAY(SELECT hidden_cases('{}')))) AS had (unit)
     WHERE unit IS NOT NULL ORDER BY unit"""


async def topics(
    conn: Connection, before: datetime, since: datetime, until: datetime, line: str | None
) -> Sequence[Topic]:
    """The categories with most cases; `before` is when the time before began."""
    rows = await conn.fetch(_TOPICS, before, since, until, HOT, line)
    return [Topic(**dict(row)) for row in rows]


async def areas(
    conn: Connection, before: datetime, since: datetime, until: datetime, line: str | None
) -> Sequence[Topic]:
    """The areas with most cases."""
    rows = await conn.fetch(_AREAS, before, since, until, HOT * 3, line)
    return [Topic(**dict(row)) for row in rows]


async def units(conn: Connection, since: datetime, until: datetime) -> Sequence[str]:
    """Every unit that was given an item, had one due or ended one."""
    return [row["unit"] for row in await conn.fetch(_UNITS, since, until)]
