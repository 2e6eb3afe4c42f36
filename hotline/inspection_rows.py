"""Inspections in PostgreSQL, by call, form and words: what they are made of, what was found."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

import asyncpg

from hotline.database import Connection
from telephony.calls import Leg, Side
from transcription.inspection.form import Form
from transcription.inspection.judged import Deduction, Inspection, Judged
from transcription.inspection.measures import Measures


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """A call as the exchange and the recordings tell it; `began` is when the recordings began."""

    call_id: int
    line: str
    operator: str | None
    badge: str | None
    queued_at: datetime | None
    ringing_at: datetime | None
    answered_at: datetime
    talk_ended_at: datetime | None
    hangup_by: Side | None
    began: datetime | None


# A call whose words were deleted is not judged by their absence.
_CALL: LiteralString = """
    SELECT c.id AS call_id, c.line, c.operator, c.badge, c.queued_at, c.ringing_at, c.answered_at,
           coalesce(c.talk_ended_at, c.ended_at) AS talk_ended_at, c.hangup_by,
           (SELECT started_at FROM recordings r
             WHERE r.call_id = c.id AND r.started_at IS NOT NULL
             ORDER BY r.leg = 'operator' DESC LIMIT 1) AS began
      FROM calls c
     WHERE c.id = $1 AND c.outcome = 'answered' AND c.answered_at IS NOT NULL
       AND c.kind = 'citizen' AND c.direction = 'incoming'
       AND NOT EXISTS (SELECT FROM transcripts t
                        WHERE t.call_id = c.id AND t.reason IS NOT DISTINCT FROM 'deleted')"""
_BRIDGES: LiteralString = """
    SELECT f.at, f.kind FROM exchange_facts f JOIN calls c ON c.system = f.system
     WHERE c.id = $1 AND f.unique_id = c.linked_id
       AND (f.kind = 'bridge_left'
            OR f.kind = 'bridge_entered' AND NOT coalesce((f.body ->> 'holding')::boolean, false))
     ORDER BY f.at, f.id"""
_PUT: LiteralString = """
    INSERT INTO inspections (call_id, form, fingerprint, heard, line, operator, answered_at, score,
                             reason, low, serious, measures, made_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12::text::jsonb, $13)
    RETURNING id"""
_KNOWN: LiteralString = """
    SELECT id FROM inspections WHERE call_id = $1 AND fingerprint = $2 AND heard = $3"""
_OLD: LiteralString = "UPDATE inspections SET current = false WHERE call_id = $1 AND current"
_FORM: LiteralString = """
    INSERT INTO inspection_forms (fingerprint, name, content, first_at)
    VALUES ($1, $2, $3::text::jsonb, $4) ON CONFLICT (fingerprint) DO NOTHING"""
_FORMS: LiteralString = """
    SELECT fingerprint, content::text AS content FROM inspection_forms
     WHERE fingerprint = ANY ($1::text[])"""
_ITEM: LiteralString = """
    INSERT INTO inspection_items (inspection_id, position, item, verdict, weight, lost, reason)
    VALUES ($1, $2, $3, $4, $5, $6, $7)"""
_DEDUCTION: LiteralString = """
    INSERT INTO inspection_deductions
           (inspection_id, position, item, points, reason, leg, starts, ends, words, facts)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::text::jsonb)"""
_TO_DO: LiteralString = """
    SELECT c.id FROM calls c
     WHERE c.answered_at >= $1 AND c.outcome = 'answered' AND c.kind = 'citizen'
       AND c.direction = 'incoming'
       AND EXISTS (SELECT FROM transcripts t WHERE t.call_id = c.id AND t.state = 'done')
       AND NOT EXISTS (SELECT FROM transcripts t WHERE t.call_id = c.id
                          AND (t.state = 'pending' OR t.reason IS NOT DISTINCT FROM 'deleted'))
       AND NOT EXISTS (SELECT FROM inspections i
                        WHERE i.call_id = c.id AND i.current AND i.fingerprint = $2)
     ORDER BY c.id"""


async def call(conn: Connection, call_id: int) -> Inspected | None:
    """The call, if it is one that is inspected: a citizen's, answered, its words not deleted."""
    row = await conn.fetchrow(_CALL, call_id)
    if row is None:
        return None
    side = Side(row["hangup_by"]) if row["hangup_by"] else None
    return Inspected(**{**dict(row), "hangup_by": side})


async def bridges(conn: Connection, call_id: int) -> list[tuple[datetime, bool]]:
    """When the caller began (True) and ceased (False) to speak with somebody, as far as is told."""
    rows = await conn.fetch(_BRIDGES, call_id)
    return [(row["at"], row["kind"] == "bridge_entered") for row in rows]


async def put(
    tx: Connection,
    about: Inspected,
    found: Inspection,
    heard: str,
    *,
    form: Form,
    at: datetime,
) -> int | None:
    """Keep an inspection as the call's current one; None where this very one is kept already."""
    if await tx.fetchval(_KNOWN, about.call_id, found.fingerprint, heard):
        return None
    await tx.execute(_OLD, about.call_id)
    made: int = await tx.fetchval(
        _PUT,
        about.call_id,
        found.form,
        found.fingerprint,
        heard,
        about.line,
        about.operator,
        about.answered_at,
        found.score,
        found.reason,
        found.is_low(form),
        found.is_serious(form),
        None if found.measures is None else json.dumps(measured(found.measures)),
        at,
    )
    await tx.executemany(_ITEM, [_item(made, at, one) for at, one in enumerate(found.items)])
    await tx.executemany(
        _DEDUCTION, [_deduction(made, at, one) for at, one in enumerate(found.deductions)]
    )
    return made


def _item(made: int, position: int, one: Judged) -> tuple[object, ...]:
    return made, position, one.key, one.verdict, one.weight, one.lost, one.reason


def _deduction(made: int, position: int, one: Deduction) -> tuple[object, ...]:
    where = one.moment
    facts = json.dumps(dict(one.facts), ensure_ascii=False)
    about = made, position, one.item, one.points, one.reason
    return (*about, where.leg, where.start, where.end, where.words, facts)


def measured(found: Measures) -> dict[str, Any]:
    """The measures as plain values, without a word of anybody's."""
    longest = found.longest_silence
    return {
        "seconds": _round(found.seconds),
        "held": [[_round(one.start), _round(one.end)] for one in found.held],
        "silence": _round(found.silence),
        "longest_silence": None
        if longest is None
        else [_round(longest.start), _round(longest.end)],
        "overlap": _round(found.overlap),
        "interruptions": None
        if found.interruptions is None
        else [
            [one.by.value, _round(one.span.start), _round(one.span.end)]
            for one in found.interruptions
        ],
        "sides": {
            leg.value: {
                "seconds": _round(side.seconds),
                "characters": side.characters,
                "pace": _round(side.pace),
                "share": None if found.shares is None else _round(found.shares[leg], 4),
            }
            for leg in Leg
            if (side := found.sides.get(leg)) is not None
        },
    }


def _round(value: float | None, digits: int = 2) -> float | None:
    return None if value is None else round(value, digits)


async def keep_form(tx: Connection, form: Form, at: datetime) -> None:
    """Keep a form for good, as it stands; one that is there stays."""
    await tx.execute(_FORM, form.fingerprint(), form.name, form.model_dump_json(), at)


async def forms(conn: Connection, fingerprints: Sequence[str]) -> dict[str, Form]:
    """The forms that some inspections were made by."""
    rows = await conn.fetch(_FORMS, list(set(fingerprints)))
    return {row["fingerprint"]: Form.model_validate_json(row["content"]) for row in rows}


async def to_do(conn: Connection, since: datetime, fingerprint: str) -> Sequence[int]:
    """Calls since a moment that this form has not inspected, oldest first."""
    rows: list[asyncpg.Record] = await conn.fetch(_TO_DO, since, fingerprint)
    return [row["id"] for row in rows]
