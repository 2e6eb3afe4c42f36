"""What the leading group has before it when it meets: top issues, what is overdue, disputes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from hotline.database import Connection

MOST = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """A category in the time of the pack; `before` is the same length of time before it."""

    level1: str
    cases: int
    before: int
    still_open: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OverdueCase:
    """A case past its main limit without an answer, the longest first."""

    case_id: int
    number: str
    level1: str | None
    unit: str | None
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """A live case about whose unit is argued: returned again and again, or raised."""

    case_id: int
    number: str
    unit: str | None
    state: str
    level: int
    ruled: bool
    returns: int


_ISSUES: LiteralString = """
    SELECT level1, count(*) FILTER (WHERE opened_at >= $2) AS cases,
           count(*) FILTER (WHERE opened_at < $2) AS before,
           count(*) FILTER (WHERE opened_at >= $2 AND state NOT IN ('closed', 'archived'))
               AS still_open
      FROM cases
     WHERE opened_at >= $1 AND opened_at < $3 AND level1 IS NOT NULL
     GROUP BY level1 HAVING count(*) FILTER (WHERE opened_at >= $2) > 0
     ORDER BY 2 DESC, level1 LIMIT $4"""
_OVERDUE: LiteralString = """
    SELECT id AS case_id, number, level1, CASE WHEN given_at IS NOT NULL THEN unit END AS unit,
           due_at
      FROM cases
     WHERE due_at < $1 AND state NOT IN ('closed', 'archived') AND answered_at IS NULL
     ORDER BY due_at, id LIMIT $2"""
_DISPUTES: LiteralString = """
    SELECT c.id AS case_id, c.number, c.unit, c.state, c.level, c.return_ruled AS ruled,
           (SELECT count(*) FROM journal j
             WHERE j.case_id = c.id AND j.event = 'case.return_asked') AS returns
      FROM cases c
     WHERE c.state NOT IN ('closed', 'archived')
       AND (c.level > 0 OR c.state = 'return_asked'
            OR EXISTS (SELECT FROM supervisions s
                        WHERE s.case_id = c.id AND s.trigger = 'returned'))
     ORDER BY c.level DESC, c.id LIMIT $1"""


async def issues(
    conn: Connection, since: datetime, until: datetime, most: int = 10
) -> Sequence[Issue]:
    """The categories with most cases, and how many there were before."""
    before = since - (until - since)
    rows = await conn.fetch(_ISSUES, before, since, until, most)
    return [Issue(**dict(row)) for row in rows]


async def overdue(conn: Connection, now: datetime) -> Sequence[OverdueCase]:
    """What is overdue, the longest first."""
    return [OverdueCase(**dict(row)) for row in await conn.fetch(_OVERDUE, now, MOST)]


async def disputes(conn: Connection) -> Sequence[Dispute]:
    """What is argued about, the highest level first."""
    return [Dispute(**dict(row)) for row in await conn.fetch(_DISPUTES, MOST)]
