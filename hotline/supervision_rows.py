"""Supervision records in PostgreSQL: opened once for each occasion, changed by version."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, LiteralString

import asyncpg

from hotline.database import Connection
from routing.cases import Kind, Urgency
from routing.limits import Stage
from routing.supervision import ItemType, Supervision, SupervisionState
from routing.supervision_rules import Level, Receiver, Trigger

_ADD: LiteralString = """
    INSERT INTO supervisions
        (type, subject, case_id, tracked_id, card_id, trigger, occasion, stage, ends_at, since,
         facts, kind, urgency, unit, person, level, receiver, state, policy, basis, limit_basis,
         opened_at, opened_by, level_at, due_at, look_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::jsonb, $12, $13, $14, $15, $16, $17,
            'open', $18, $19, $20, $21, $22, $21, $23::timestamptz,
            coalesce($23::timestamptz, 'infinity'))
    ON CONFLICT (subject, trigger, occasion) DO NOTHING RETURNING *"""
_ADD_CASES: LiteralString = """
    INSERT INTO supervision_cases (supervision_id, case_id)
    SELECT s.id, unnest($4::bigint[]) FROM supervisions s
     WHERE s.subject = $1 AND s.trigger = $2 AND s.occasion = $3
    ON CONFLICT DO NOTHING"""
_GET: LiteralString = "SELECT * FROM supervisions WHERE id = $1"
_CHANGE: LiteralString = """
    UPDATE supervisions SET
        level = $3, receiver = $4, state = $5, limit_basis = $6, level_at = $7,
        due_at = $8::timestamptz,
        noticed_at = $9, noticed_by = $10, answered_at = $11, answered_by = $12,
        cleared_at = $13, cleared_by = $14, version = version + 1,
        look_at = CASE WHEN $15 THEN coalesce($8::timestamptz, 'infinity') ELSE 'infinity' END
     WHERE id = $1 AND version = $2 RETURNING *"""
_RISING: LiteralString = """
    SELECT * FROM supervisions WHERE state <> 'cleared' AND look_at < $1
     ORDER BY look_at, id LIMIT $2"""
_UNDATED: LiteralString = """
    SELECT * FROM supervisions
     WHERE state <> 'cleared' AND due_at IS NULL ORDER BY id LIMIT $1"""
_DATED: LiteralString = """
    UPDATE supervisions SET due_at = $3::timestamptz, look_at = $3 WHERE id = $1 AND version = $2"""
_STALE: LiteralString = """
    SELECT c.id, v.version, v.unit, v.review, v.title
      FROM card_versions v JOIN cards c ON c.id = v.card_id AND c.newest = v.version
     WHERE v.review < $1 AND v.state = 'published'
       AND NOT EXISTS (SELECT FROM supervisions s WHERE s.subject = 'card/' || c.id
                          AND s.trigger = 'stale_card' AND s.occasion = v.version::text)
     ORDER BY v.review, c.id LIMIT $2"""
_HEAD: LiteralString = """
    SELECT login FROM users WHERE unit = $1 AND is_head AND active ORDER BY id LIMIT 1"""

READ = {
    "type": ItemType,
    "trigger": Trigger,
    "level": Level,
    "state": SupervisionState,
    "receiver": Receiver,
    "stage": Stage,
    "kind": Kind,
    "urgency": Urgency,
}
_COLUMNS = tuple(one.name for one in fields(Supervision))


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a record is about: exactly one thing, and how urgent that is."""

    type: ItemType
    key: str
    case_id: int | None = None
    tracked_id: int | None = None
    card_id: int | None = None
    case_ids: tuple[int, ...] = ()
    number: str | None = None
    call_id: int | None = None
    kind: Kind | None = None
    urgency: Urgency = Urgency.NORMAL


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleCard:
    """A published card whose newest version should have been looked at before today."""

    card_id: int
    version: int
    unit_id: str
    review: date
    title: str


def record_in(row: asyncpg.Record) -> Supervision:
    """The record in a row that has all columns of `supervisions`."""
    values: dict[str, Any] = {}
    for name in _COLUMNS:
        value = row[name]
        values[name] = READ[name](value) if name in READ and value is not None else value
    return Supervision(**values)


async def add(
    tx: Connection,
    subject: Subject,
    record: Mapping[str, Any],
    facts: Mapping[str, object],
) -> Supervision | None:
    """Open a record; None where this occasion has one already."""
    row = await tx.fetchrow(
        _ADD,
        subject.type,
        subject.key,
        subject.case_id,
        subject.tracked_id,
        subject.card_id,
        record["trigger"],
        record["occasion"],
        record["stage"],
        record["ends_at"],
        record["since"],
        json.dumps(facts, ensure_ascii=False, default=str),
        subject.kind,
        subject.urgency,
        record["unit"],
        record["person"],
        record["level"],
        record["receiver"],
        record["policy"],
        record["basis"],
        record["limit_basis"],
        record["opened_at"],
        record["opened_by"],
        record["due_at"],
    )
    if subject.case_ids:  # a burst goes on growing after its record was opened
        occasion = subject.key, record["trigger"], record["occasion"]
        await tx.execute(_ADD_CASES, *occasion, list(subject.case_ids))
    return None if row is None else record_in(row)


async def get(conn: Connection, record_id: int) -> Supervision | None:
    """One record."""
    row = await conn.fetchrow(_GET, record_id)
    return None if row is None else record_in(row)


async def change(tx: Connection, before: Supervision, after: Supervision) -> Supervision | None:
    """Write a changed record over the version that was seen; None where somebody was first."""
    rises = after.level.next is not None and after.state is not SupervisionState.CLEARED
    row = await tx.fetchrow(
        _CHANGE,
        before.id,
        before.version,
        after.level,
        after.receiver,
        after.state,
        after.limit_basis,
        after.level_at,
        after.due_at,
        after.noticed_at,
        after.noticed_by,
        after.answered_at,
        after.answered_by,
        after.cleared_at,
        after.cleared_by,
        rises,
    )
    return None if row is None else record_in(row)


async def rising(conn: Connection, now: datetime, limit: int) -> list[Supervision]:
    """Records whose level's limit has passed, the oldest limit first."""
    return [record_in(row) for row in await conn.fetch(_RISING, now, limit)]


async def undated(conn: Connection, limit: int) -> list[Supervision]:
    """Records whose limit reached past the holiday calendar when it was given."""
    return [record_in(row) for row in await conn.fetch(_UNDATED, limit)]


async def date_it(tx: Connection, record: Supervision, due_at: datetime) -> bool:
    """Give a record the end that could not be computed before."""
    done: str = await tx.execute(_DATED, record.id, record.version, due_at)
    return done == "UPDATE 1"


async def stale_cards(conn: Connection, today: date, limit: int) -> Sequence[StaleCard]:
    """Cards past their review date that have no record yet."""
    return [
        StaleCard(
            card_id=row["id"],
            version=row["version"],
            unit_id=row["unit"],
            review=row["review"],
            title=row["title"],
        )
        for row in await conn.fetch(_STALE, today, limit)
    ]


async def head_of(conn: Connection, unit: str) -> str | None:
    """The login of a unit's head, where it has one."""
    login: str | None = await conn.fetchval(_HEAD, unit)
    return login
