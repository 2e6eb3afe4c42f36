"""What past hours brought, and what each operator did, from the calls as they are stored."""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString

from hotline.database import Connection
from metrics.forecast import HourCount
from metrics.reports.people import OperatorSheet

# Whole days of the city, one row an hour, so that an hour without a call is a zero and no gap. A
# call counts in the hour in which it asked for a person, as in the rates.
_HOURS: LiteralString = """
    WITH asked AS (
        SELECT date_bin('1 hour', coalesce(queued_at, started_at), $1::timestamptz) AS span,
               answered_at IS NOT NULL AND ended_at IS NOT NULL AS talked,
               extract(epoch FROM coalesce(talk_ended_at, ended_at) - answered_at) AS seconds
          FROM calls
         WHERE kind = 'citizen' AND direction = 'incoming' AND ($3::text IS NULL OR line = $3)
           AND coalesce(queued_at, answered_at) IS NOT NULL
           AND started_at > $1::timestamptz - interval '1 day' AND started_at < $2
           AND coalesce(queued_at, started_at) >= $1 AND coalesce(queued_at, started_at) < $2)
    SELECT (span.at AT TIME ZONE 'Asia/Shanghai')::date AS day,
           extract(hour FROM span.at AT TIME ZONE 'Asia/Shanghai')::int AS hour,
           count(asked.span) AS asked, count(*) FILTER (WHERE talked) AS talks,
           coalesce(sum(seconds) FILTER (WHERE talked), 0)::float8 AS talk_seconds
      FROM generate_series($1::timestamptz, $2::timestamptz - interval '1 hour', '1 hour')
           AS span (at)
      LEFT JOIN asked ON asked.span = span.at
     GROUP BY span.at ORDER BY span.at"""

_FIRST: LiteralString = """
    SELECT min(started_at) FROM calls
     WHERE kind = 'citizen' AND direction = 'incoming' AND ($1::text IS NULL OR line = $1)"""

# What somebody did by calls alone: no measure of a person, and no ranking. The survey counts who
# answered it; who did not is shown beside.
_SHEETS: LiteralString = """
    SELECT coalesce(c.badge, c.operator) AS operator, count(*) AS answered,
           coalesce(sum(extract(epoch FROM coalesce(c.talk_ended_at, c.ended_at) - c.answered_at)),
                    0)::float8 AS talk_seconds,
           count(*) FILTER (WHERE EXISTS (SELECT FROM cases k WHERE k.call_id = c.id
                                             AND k.opened_at IS NOT NULL)) AS registered,
           count(s.satisfied) FILTER (WHERE s.satisfied IN ('yes', 'basically')) AS satisfied,
           count(s.satisfied) FILTER (WHERE s.satisfied IN ('yes', 'basically', 'no')) AS surveyed,
           count(s.satisfied) FILTER (WHERE s.satisfied = 'not_answered') AS silent
      FROM calls c LEFT JOIN surveys s ON s.call_id = c.id
     WHERE c.kind = 'citizen' AND c.direction = 'incoming' AND c.operator IS NOT NULL
       AND c.answered_at > $1 AND c.answered_at <= $2 AND c.ended_at IS NOT NULL
       AND ($3::text IS NULL OR c.line = $3)
     GROUP BY 1 ORDER BY 1"""


async def hours(
    conn: Connection, since: datetime, until: datetime, line: str | None
) -> Sequence[HourCount]:
    """Every hour of a time, and what it brought."""
    rows = await conn.fetch(_HOURS, since, until, line)
    return [HourCount(**dict(row)) for row in rows]


async def first_call(conn: Connection, line: str | None) -> datetime | None:
    """When the first call came; days before it say nothing."""
    found: datetime | None = await conn.fetchval(_FIRST, line)
    return found


async def sheets(
    conn: Connection, since: datetime, until: datetime, line: str | None
) -> Sequence[OperatorSheet]:
    """What each operator did in a time."""
    rows = await conn.fetch(_SHEETS, since, until, line)
    return [OperatorSheet(**dict(row)) for row in rows]
