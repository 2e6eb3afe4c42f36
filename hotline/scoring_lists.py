"""What people found in many calls: to listen to, results, coaching, agreement.

Results and coaching read `operator_results`, which knows people's scores and nothing of the
machine's. Only the comparison of the two reads both.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import LiteralString

import asyncpg

from hotline.database import Connection
from transcription.inspection.agreement import Agreement, agreement

MOMENTS = 5

_PLANS: LiteralString = """
    SELECT p.week, p.seed, f.name AS form, p.planned_at, p.planned_by,
           count(s.call_id) AS calls, count(r.call_id) AS done
      FROM inspection_plans p JOIN inspection_forms f USING (fingerprint)
      LEFT JOIN inspection_samples s USING (week)
      LEFT JOIN inspection_results r USING (call_id)
     GROUP BY p.week, f.name ORDER BY p.week DESC LIMIT 100"""
_SAMPLES: LiteralString = """
    SELECT s.call_id, s.week, s.operator, s.because, s.scorers, i.line, i.answered_at,
           (SELECT count(*) FROM inspection_scores e
             WHERE e.call_id = s.call_id AND e.part = 'first') AS scored,
           EXISTS (SELECT FROM inspection_scores e
                    WHERE e.call_id = s.call_id AND e.scorer = $2) AS mine,
           r.call_id IS NOT NULL AS stands
      FROM inspection_samples s
      JOIN calls c ON c.id = s.call_id
      JOIN inspections i ON i.call_id = s.call_id AND i.current
      LEFT JOIN inspection_results r ON r.call_id = s.call_id
     WHERE ($1::date IS NULL OR s.week = $1)
       AND (NOT $3::boolean OR r.call_id IS NULL)
       AND s.operator <> ALL ($4::text[])
       AND ($5::bigint IS NULL OR s.call_id < $5)
     ORDER BY s.call_id DESC LIMIT $6"""
_RESULTS: LiteralString = """
    SELECT r.call_id, r.operator, e.score, e.part, r.stands_at, c.answered_at, c.line,
           f.name AS form, a.state AS appeal,
           ARRAY(SELECT n.item FROM inspection_score_items n
                  WHERE n.score_id = r.score_id AND n.lost > 0 ORDER BY n.position) AS lost
      FROM inspection_results r
      JOIN inspection_scores e ON e.id = r.score_id
      JOIN inspection_forms f USING (fingerprint)
      JOIN calls c ON c.id = r.call_id
      LEFT JOIN inspection_appeals a ON a.call_id = r.call_id
     WHERE ($1::text IS NULL OR r.operator = $1)
       AND ($2::timestamptz IS NULL OR c.answered_at >= $2)
       AND ($3::timestamptz IS NULL OR c.answered_at < $3)
       AND ($4::bigint IS NULL OR r.call_id < $4)
     ORDER BY r.call_id DESC LIMIT $5"""
# Where a person gave no seconds, those of the machine's finding at the same item help to find them.
_COACHED: LiteralString = """
    SELECT o.operator, n.item, o.call_id, o.fingerprint, n.lost, n.note,
           coalesce(n.starts, d.starts) AS starts, coalesce(n.ends, d.ends) AS ends, d.leg
      FROM operator_results o
      JOIN calls c ON c.id = o.call_id
      JOIN inspection_score_items n ON n.score_id = o.score_id AND n.lost > 0
      LEFT JOIN inspections i ON i.call_id = o.call_id AND i.current
      LEFT JOIN LATERAL (
           SELECT starts, ends, leg FROM inspection_deductions
            WHERE inspection_id = i.id AND item = n.item ORDER BY position LIMIT 1) d ON true
     WHERE ($1::text IS NULL OR o.operator = $1)
       AND ($2::timestamptz IS NULL OR c.answered_at >= $2)
       AND ($3::timestamptz IS NULL OR c.answered_at < $3)
     ORDER BY o.call_id DESC"""
_JUDGED: LiteralString = """
    SELECT o.operator, count(*) AS calls FROM operator_results o JOIN calls c ON c.id = o.call_id
     WHERE ($1::text IS NULL OR o.operator = $1)
       AND ($2::timestamptz IS NULL OR c.answered_at >= $2)
       AND ($3::timestamptz IS NULL OR c.answered_at < $3)
     GROUP BY o.operator"""
_PAIRS: LiteralString = """
    SELECT x.item, x.lost > 0 AS ours, y.lost > 0 AS theirs
      FROM inspection_scores a
      JOIN inspection_scores b ON b.call_id = a.call_id AND b.id > a.id AND b.part = 'first'
      JOIN calls c ON c.id = a.call_id
      JOIN inspection_score_items x ON x.score_id = a.id AND x.verdict IN ('kept', 'lost')
      JOIN inspection_score_items y
        ON y.score_id = b.id AND y.item = x.item AND y.verdict IN ('kept', 'lost')
     WHERE a.part = 'first'
       AND ($1::timestamptz IS NULL OR c.answered_at >= $1)
       AND ($2::timestamptz IS NULL OR c.answered_at < $2)"""
_MACHINE: LiteralString = """
    SELECT m.item, m.verdict = 'lost' AS machine, n.lost > 0 AS person
      FROM operator_results o
      JOIN calls c ON c.id = o.call_id
      JOIN inspection_score_items n ON n.score_id = o.score_id AND n.verdict IN ('kept', 'lost')
      JOIN inspections i ON i.call_id = o.call_id AND i.current
      JOIN inspection_items m
        ON m.inspection_id = i.id AND m.item = n.item AND m.verdict IN ('kept', 'lost')
     WHERE ($1::timestamptz IS NULL OR c.answered_at >= $1)
       AND ($2::timestamptz IS NULL OR c.answered_at < $2)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Where to listen in a call that a person judged; seconds None where nobody said which."""

    call_id: int
    start: float | None
    end: float | None
    leg: str | None
    lost: int
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Coached:
    """An item that an operator lost again and again, by people's results alone."""

    operator: str
    item: str
    fingerprint: str
    times: int
    judged: int
    moments: tuple[Moment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Of an item: two people's agreement, and how often a person confirmed the machine."""

    item: str
    people: Agreement
    fired: int
    confirmed: int
    missed: int


async def plans(conn: Connection) -> Sequence[asyncpg.Record]:
    """The weeks that were drawn, newest first."""
    rows: list[asyncpg.Record] = await conn.fetch(_PLANS)
    return rows


async def samples(  # noqa: PLR0917 - of which week, for whom, which of them, from where, how many
    conn: Connection,
    week: date | None,
    scorer: str,
    names: frozenset[str],
    before: int | None,
    limit: int,
    *,
    left: bool,
) -> Sequence[asyncpg.Record]:
    """Calls to listen to, newest first; never one's own."""
    rows: list[asyncpg.Record] = await conn.fetch(
        _SAMPLES, week, scorer, left, sorted(names), before, limit
    )
    return rows


async def results(  # noqa: PLR0917 - whose, of which time, from where, how many
    conn: Connection,
    operator: str | None,
    since: datetime | None,
    until: datetime | None,
    before: int | None,
    limit: int,
) -> Sequence[asyncpg.Record]:
    """Results of calls, newest first."""
    rows: list[asyncpg.Record] = await conn.fetch(_RESULTS, operator, since, until, before, limit)
    return rows


async def coaching(
    conn: Connection,
    operator: str | None,
    since: datetime | None,
    until: datetime | None,
    *,
    least: int,
) -> list[Coached]:
    """Items an operator lost at least so often, the most frequent first, each with moments."""
    judged = {
        row["operator"]: row["calls"] for row in await conn.fetch(_JUDGED, operator, since, until)
    }
    found: dict[tuple[str, str], list[asyncpg.Record]] = defaultdict(list)
    for row in await conn.fetch(_COACHED, operator, since, until):
        found[row["operator"], row["item"]].append(row)
    coached = [
        Coached(
            operator=who,
            item=item,
            fingerprint=rows[0]["fingerprint"],
            times=len(rows),
            judged=judged[who],
            moments=tuple(_moment(one) for one in rows[:MOMENTS]),
        )
        for (who, item), rows in found.items()
        if len(rows) >= least
    ]
    return sorted(coached, key=lambda one: (one.operator, -one.times, one.item))


def _moment(row: asyncpg.Record) -> Moment:
    return Moment(
        call_id=row["call_id"],
        start=row["starts"],
        end=row["ends"],
        leg=row["leg"],
        lost=row["lost"],
        note=row["note"],
    )


async def compared(
    conn: Connection, since: datetime | None, until: datetime | None
) -> list[Compared]:
    """How far people agree with each other, and the machine with them, by item."""
    pairs = _by_item(await conn.fetch(_PAIRS, since, until), "ours", "theirs")
    machine = _by_item(await conn.fetch(_MACHINE, since, until), "machine", "person")
    return [
        Compared(
            item=item,
            people=agreement(pairs.get(item, [])),
            fired=sum(said for said, _ in machine.get(item, [])),
            confirmed=sum(said and was for said, was in machine.get(item, [])),
            missed=sum(was and not said for said, was in machine.get(item, [])),
        )
        for item in sorted({*pairs, *machine})
    ]


def _by_item(
    rows: Sequence[asyncpg.Record], one: str, other: str
) -> Mapping[str, list[tuple[bool, bool]]]:
    found: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    for row in rows:
        found[row["item"]].append((row[one], row[other]))
    return found
