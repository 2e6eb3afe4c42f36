"""What was done, or looks as if it was done, to flatter a rate; found in what stays written.

No definition of an indicator pays for any of it (metrics/indicators/): a deleted call leaves its
number, an answer that is sent back was none, who was not reached is not satisfied, a return stops
no clock. These lists show who tried, for people to judge: the service punishes nobody. Protected
cases are on none of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import LiteralString

from hotline.database import Connection


class Trick(StrEnum):
    """In which way."""

    DELETED = "deleted"
    """The number of a call is gone."""
    EARLY = "early"
    """Ended or answered, and then sent back or reopened within thirty days."""
    SATISFIED = "satisfied"
    """Satisfied or solved by the desk's word, and no call to the caller is on record."""
    RETURNED = "returned"
    """A return asked for in the last fifth of the limit, or refused."""
    EXTENDED = "extended"
    """An extension granted when the limit had ended already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One find: what (a call's or a case's number), when, of which unit, by whom it was done."""

    trick: Trick
    what: str
    at: datetime
    unit: str | None
    by: str | None


# $1 and $2 are the ends of the period: after $1, up to $2.
_DELETED: LiteralString = """
    SELECT n::text AS what,
           coalesce((SELECT b.started_at FROM calls b WHERE b.id < n ORDER BY b.id DESC LIMIT 1),
                    (SELECT a.started_at FROM calls a WHERE a.id > n ORDER BY a.id LIMIT 1),
                    $2::timestamptz) AS at,
           NULL::text AS unit, NULL::text AS by
      FROM generate_series(1, CASE WHEN (SELECT last FROM call_counter)
                                            > (SELECT count(*) FROM calls)
                                   THEN (SELECT last FROM call_counter) ELSE 0 END) AS n
     WHERE NOT EXISTS (SELECT FROM calls c WHERE c.id = n)
       AND $1::timestamptz IS NOT NULL"""
_SHOWN: LiteralString = " AND c.id <> ALL (ARRAY(SELECT hidden_cases('{}'))) "
_EARLY: LiteralString = (
    """
    SELECT c.number AS what, j.at, j.body ->> 'unit' AS unit, was.actor AS by
      FROM journal j JOIN cases c ON c.id = j.case_id
     CROSS JOIN LATERAL (
           SELECT a.at, a.actor FROM journal a
            WHERE a.case_id = j.case_id AND a.id < j.id
              AND (a.event = 'case.answered' OR a.body ? 'outcome')
            ORDER BY a.id DESC LIMIT 1) was
     WHERE j.event IN ('case.redo', 'case.reopened') AND j.at > $1::timestamptz
       AND j.at <= $2::timestamptz AND was.at > j.at - interval '30 days'"""  # noqa: S608 - of literal parts
    + _SHOWN
)
_SATISFIED: LiteralString = (
    """
    SELECT c.number AS what, j.at, j.body ->> 'unit' AS unit, j.actor AS by
      FROM journal j JOIN cases c ON c.id = j.case_id
     WHERE j.event = 'case.closed' AND j.at > $1::timestamptz AND j.at <= $2::timestamptz
       AND (j.body ->> 'satisfied' IN ('satisfied', 'basically') OR j.body ->> 'solved' = 'yes')
       AND (j.body ->> 'result' IS DISTINCT FROM 'reached' OR NOT EXISTS (
            SELECT FROM dial_orders d JOIN calls k ON k.system = d.system
                                                  AND k.linked_id = d.channel
             WHERE (d.case_id = c.id OR d.call_id = c.call_id) AND k.answered_at <= j.at
               AND k.answered_at > coalesce((
                   SELECT max(a.at) FROM journal a
                    WHERE a.case_id = c.id AND a.id < j.id AND a.event = 'case.answered'),
                   '-infinity')))"""  # noqa: S608 - of literal parts
    + _SHOWN
)
_RETURNED: LiteralString = (
    """
    SELECT c.number AS what, j.at, j.body ->> 'unit' AS unit, j.actor AS by
      FROM journal j JOIN cases c ON c.id = j.case_id
     WHERE j.event = 'case.return_asked' AND j.at > $1::timestamptz AND j.at <= $2::timestamptz
       AND (j.at > c.opened_at + 0.8 * (c.due_at - c.opened_at)
            OR EXISTS (SELECT FROM journal r
                        WHERE r.case_id = j.case_id AND r.id > j.id AND r.at <= $2
                          AND r.event = 'case.return_refused'
                          AND r.id = (SELECT min(n.id) FROM journal n
                                       WHERE n.case_id = j.case_id AND n.id > j.id AND n.event IN
                                             ('case.return_refused', 'case.return_accepted'))))"""  # noqa: S608 - of literal parts
    + _SHOWN
)
_EXTENDED: LiteralString = (
    """
    SELECT c.number AS what, j.at, j.body ->> 'unit' AS unit, j.actor AS by
      FROM journal j JOIN cases c ON c.id = j.case_id
     CROSS JOIN LATERAL (
           SELECT (a.body -> 'changes' ->> 'due_at')::timestamptz AS due_at FROM journal a
            WHERE a.case_id = j.case_id AND a.id < j.id
              AND a.body -> 'changes' ->> 'due_at' IS NOT NULL
            ORDER BY a.id DESC LIMIT 1) was
     WHERE j.event = 'case.extension_granted' AND j.at > $1::timestamptz
       AND j.at <= $2::timestamptz AND j.at > was.due_at"""  # noqa: S608 - of literal parts
    + _SHOWN
)
_FINDS: Mapping[Trick, LiteralString] = {
    Trick.DELETED: _DELETED,
    Trick.EARLY: _EARLY,
    Trick.SATISFIED: _SATISFIED,
    Trick.RETURNED: _RETURNED,
    Trick.EXTENDED: _EXTENDED,
}


async def attempts(conn: Connection, since: datetime, until: datetime) -> Sequence[Attempt]:
    """Everything of the kind after one moment and up to another, in the order in which it was."""
    found = [
        Attempt(trick=trick, **dict(row))
        for trick, statement in _FINDS.items()
        for row in await conn.fetch(statement, since, until)
        if since < row["at"] <= until
    ]
    return sorted(found, key=lambda it: (it.at, it.trick, it.what))
