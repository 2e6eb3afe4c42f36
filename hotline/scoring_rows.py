"""What people listen to and how they scored it, in PostgreSQL; in the caller's transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Literal, LiteralString

import asyncpg

from hotline.database import Connection
from transcription.inspection.by_hand import Mark, Marked
from transcription.inspection.judged import Verdict
from transcription.inspection.sampling import Candidate, Chosen

Part = Literal["first", "third", "appeal"]
"""One of the first scores, the third where two differ, the decision of an appeal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """One person's score of a call."""

    id: int
    scorer: str
    part: Part
    fingerprint: str
    score: Decimal
    made_at: datetime
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Appeal:
    """What an operator appealed against."""

    id: int
    call_id: int
    against: int
    operator: str
    items: tuple[str, ...]
    reason: str | None
    asked_at: datetime
    asked_by: str
    due_at: datetime
    state: str
    decided_at: datetime | None
    decided_by: str | None
    answer: str | None


_CANDIDATES: LiteralString = """
    SELECT i.call_id, i.operator, i.low, i.serious,
           (SELECT min(e.answered_at) FROM calls e WHERE e.operator = i.operator)
               > i.answered_at - $3::interval AS newcomer
      FROM inspections i JOIN calls c ON c.id = i.call_id
     WHERE i.current AND i.operator IS NOT NULL AND i.answered_at >= $1 AND i.answered_at < $2
     ORDER BY i.call_id"""
_PLAN: LiteralString = """
    INSERT INTO inspection_plans (week, seed, fingerprint, planned_at, planned_by)
    VALUES ($1, $2, $3, $4, $5) ON CONFLICT (week) DO NOTHING RETURNING true"""
_SAMPLE: LiteralString = """
    INSERT INTO inspection_samples (call_id, week, operator, because, scorers)
    VALUES ($1, $2, $3, $4, $5) ON CONFLICT (call_id) DO NOTHING"""
_NEEDED: LiteralString = "SELECT scorers FROM inspection_samples WHERE call_id = $1"
_SCORE: LiteralString = """
    INSERT INTO inspection_scores (call_id, scorer, part, fingerprint, score, made_at)
    VALUES ($1, $2, $3, $4, $5, $6) RETURNING id"""
_MARK: LiteralString = """
    INSERT INTO inspection_score_items
           (score_id, position, item, verdict, weight, lost, starts, ends, note)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"""
_SCORES: LiteralString = """
    SELECT id, scorer, part, fingerprint, score, made_at FROM inspection_scores
     WHERE call_id = $1 ORDER BY id"""
_MARKS: LiteralString = """
    SELECT item, verdict, lost, starts, ends, note FROM inspection_score_items
     WHERE score_id = $1 ORDER BY position"""
_STANDS: LiteralString = """
    INSERT INTO inspection_results (call_id, score_id, operator, stands_at)
    VALUES ($1, $2, $3, $4)
    ON CONFLICT (call_id) DO UPDATE SET score_id = $2, stands_at = $4"""
_RESULT: LiteralString = """
    SELECT score_id, operator, stands_at FROM inspection_results WHERE call_id = $1"""
_APPEALED: LiteralString = """
    INSERT INTO inspection_appeals
           (call_id, against, operator, items, reason, asked_at, asked_by, due_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    ON CONFLICT (call_id) DO NOTHING RETURNING id"""
_APPEAL: LiteralString = """
    SELECT a.id, a.call_id, a.against, a.operator, a.items, a.reason, a.asked_at, a.asked_by,
           a.due_at, a.state, a.decided_at, a.decided_by, a.answer
      FROM inspection_appeals a JOIN calls c ON c.id = a.call_id"""
_APPEAL_OF: LiteralString = _APPEAL + " WHERE a.call_id = $1"
_APPEAL_BY_ID: LiteralString = _APPEAL + " WHERE a.id = $1 FOR NO KEY UPDATE OF a"
_APPEALS: LiteralString = (
    _APPEAL
    + """
     WHERE ($1::text IS NULL OR a.state = $1) AND ($2::text IS NULL OR a.operator = $2)
       AND ($3::bigint IS NULL OR a.id < $3)
     ORDER BY a.id DESC LIMIT $4"""
)
_DECIDED: LiteralString = """
    UPDATE inspection_appeals SET state = $2, decided_at = $3, decided_by = $4, answer = $5
     WHERE id = $1 AND state = 'open' RETURNING true"""


async def candidates(
    conn: Connection, since: datetime, until: datetime, newcomer: timedelta
) -> list[Candidate]:
    """The inspected calls of a time that may be drawn."""
    rows = await conn.fetch(_CANDIDATES, since, until, newcomer)
    return [Candidate(**dict(row)) for row in rows]


async def keep_plan(  # noqa: PLR0917 - which week, drawn how, by which form, by whom, when
    tx: Connection, week: date, seed: str, fingerprint: str, by: str, now: datetime
) -> bool:
    """A week is planned; False where it was before."""
    return bool(await tx.fetchval(_PLAN, week, seed, fingerprint, now, by))


async def keep_samples(tx: Connection, week: date, chosen: Sequence[Chosen]) -> None:
    """The calls of a plan; one chosen before stays as it was."""
    await tx.executemany(
        _SAMPLE,
        [(one.call_id, week, one.operator, list(one.because), one.scorers) for one in chosen],
    )


async def needed(conn: Connection, call_id: int) -> int:
    """How many people score this call: one, unless it was chosen for two."""
    return int(await conn.fetchval(_NEEDED, call_id) or 1)


async def put(  # noqa: PLR0917 - of which call what, by whom, in which part, by which form, when
    tx: Connection,
    call_id: int,
    found: Marked,
    scorer: str,
    part: Part,
    fingerprint: str,
    now: datetime,
) -> int:
    """One person's score of a call."""
    made: int = await tx.fetchval(_SCORE, call_id, scorer, part, fingerprint, found.score, now)
    rows = [
        (made, at, one.item, one.verdict, weight, one.lost, one.start, one.end, one.note)
        for at, (one, weight) in enumerate(zip(found.marks, found.weights, strict=True))
    ]
    await tx.executemany(_MARK, rows)
    return made


async def scores(conn: Connection, call_id: int) -> list[Scored]:
    """Everybody's scores of a call, oldest first."""
    found = []
    for row in await conn.fetch(_SCORES, call_id):
        marks = tuple(_mark(one) for one in await conn.fetch(_MARKS, row["id"]))
        found.append(Scored(**dict(row), marks=marks))
    return found


def _mark(row: asyncpg.Record) -> Mark:
    return Mark(
        item=row["item"],
        verdict=Verdict(row["verdict"]),
        lost=row["lost"],
        start=row["starts"],
        end=row["ends"],
        note=row["note"],
    )


async def let_stand(
    tx: Connection, call_id: int, score_id: int, operator: str, now: datetime
) -> None:
    """A score of a call becomes its result."""
    await tx.execute(_STANDS, call_id, score_id, operator, now)


async def result(conn: Connection, call_id: int) -> tuple[int, str, datetime] | None:
    """The score that stands, whose call it was, and since when."""
    row = await conn.fetchrow(_RESULT, call_id)
    return None if row is None else (row["score_id"], row["operator"], row["stands_at"])


async def ask(
    tx: Connection,
    call_id: int,
    against: int,
    *,
    operator: str,
    items: Sequence[str],
    reason: str,
    by: str,
    now: datetime,
    due_at: datetime,
) -> int | None:
    """An appeal; None where there was one."""
    found: int | None = await tx.fetchval(
        _APPEALED, call_id, against, operator, list(items), reason, now, by, due_at
    )
    return found


def _appeal(row: asyncpg.Record) -> Appeal:
    return Appeal(**{**dict(row), "items": tuple(row["items"])})


async def appeal_of(conn: Connection, call_id: int) -> Appeal | None:
    """The appeal of a call, if there is one."""
    row = await conn.fetchrow(_APPEAL_OF, call_id)
    return None if row is None else _appeal(row)


async def held_appeal(tx: Connection, appeal_id: int) -> Appeal | None:
    """An appeal, held until the transaction ends."""
    row = await tx.fetchrow(_APPEAL_BY_ID, appeal_id)
    return None if row is None else _appeal(row)


async def appeals(
    conn: Connection, state: str | None, operator: str | None, before: int | None, limit: int
) -> list[Appeal]:
    """Appeals, newest first."""
    return [_appeal(row) for row in await conn.fetch(_APPEALS, state, operator, before, limit)]


async def decide(
    tx: Connection, appeal_id: int, state: str, *, by: str, answer: str, now: datetime
) -> bool:
    """An appeal is decided; False where somebody was first."""
    return bool(await tx.fetchval(_DECIDED, appeal_id, state, now, by, answer))
