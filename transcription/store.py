"""Transcripts in PostgreSQL: asked for, finished or failed, and read back as one dialogue.

A transcript's natural key is its call and leg; the SHA-256 of the recording says whether the
words still belong to the sound. Every step can be repeated: the second time changes nothing.
Each function runs inside the caller's transaction.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

import asyncpg

from telephony.calls import Leg
from transcription.sentences import SaidTurn, Sentence, from_rows, turns, unfinished
from transcription.transcripts import (
    HeardAgain,
    Transcript,
    Turn,
    transcript,
    words_from_rows,
    words_to_rows,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingTranscript:
    """A leg that waits for its words."""

    call_id: int
    leg: Leg
    path: str
    recording_sha256: str
    requested_at: datetime
    reason: str | None


_REQUEST: LiteralString = """
INSERT INTO transcripts (call_id, leg, state, recording_sha256, requested_at)
VALUES ($1, $2, 'pending', $3, $4)
ON CONFLICT (call_id, leg) DO UPDATE SET
    state = 'pending', recording_sha256 = excluded.recording_sha256,
    requested_at = excluded.requested_at, engine = NULL, model = NULL, audio_seconds = NULL,
    confidence = NULL, words = NULL, text = NULL, done_at = NULL, again = '[]', reason = NULL
WHERE transcripts.recording_sha256 IS DISTINCT FROM excluded.recording_sha256
RETURNING true
"""


async def request(
    conn: asyncpg.Connection, call_id: int, leg: Leg, recording_sha256: str, *, at: datetime
) -> bool:
    """Ask for the transcript of a recording; true where that is news.

    Asking again for the same recording changes nothing, whatever became of the first request.
    Another recording of the same leg takes its place and is transcribed anew.
    """
    news = await conn.fetchval(_REQUEST, call_id, leg.value, recording_sha256, at)
    return bool(news)


_FINISH: LiteralString = """
UPDATE transcripts SET
    state = 'done', engine = $4, model = $5, audio_seconds = $6, confidence = $7,
    words = $8::text::jsonb, text = $9, done_at = $10, again = $11::text::jsonb, reason = NULL
WHERE call_id = $1 AND leg = $2 AND recording_sha256 = $3 AND state <> 'done'
RETURNING true
"""


async def finish(
    conn: asyncpg.Connection,
    call_id: int,
    found: Transcript,
    recording_sha256: str,
    *,
    at: datetime,
) -> bool:
    """Store the words of a requested transcript; true where they are new.

    False where they stand there already, or where the recording has been replaced meanwhile:
    words of another recording are never stored.
    """
    done = await conn.fetchval(
        _FINISH,
        call_id,
        found.leg.value,
        recording_sha256,
        found.engine,
        found.model,
        found.audio_seconds,
        found.mean_confidence,
        json.dumps(words_to_rows(found.words), ensure_ascii=False),
        found.text,
        at,
        json.dumps([words_to_rows(one.words) for one in found.again], ensure_ascii=False),
    )
    return bool(done)


_FAIL: LiteralString = """
UPDATE transcripts SET state = 'failed', reason = $4, done_at = $5
WHERE call_id = $1 AND leg = $2 AND recording_sha256 = $3 AND state = 'pending'
RETURNING true
"""


async def fail(
    conn: asyncpg.Connection,
    call_id: int,
    leg: Leg,
    recording_sha256: str,
    reason: str,
    *,
    at: datetime,
) -> bool:
    """Note in one sentence why there will be no transcript; true where that is news."""
    failed = await conn.fetchval(_FAIL, call_id, leg.value, recording_sha256, reason, at)
    return bool(failed)


_REOPEN: LiteralString = """
UPDATE transcripts SET state = 'pending', reason = NULL, done_at = NULL
WHERE call_id = $1 AND leg = $2 AND state = 'failed'
RETURNING true
"""


async def reopen(conn: asyncpg.Connection, call_id: int, leg: Leg) -> bool:
    """Let a transcript that failed wait for its words again; true where that is news."""
    reopened = await conn.fetchval(_REOPEN, call_id, leg.value)
    return bool(reopened)


_WAIT: LiteralString = """
UPDATE transcripts SET reason = $4
WHERE call_id = $1 AND leg = $2 AND recording_sha256 = $3 AND state = 'pending'
    AND reason IS DISTINCT FROM $4
RETURNING true
"""


async def wait(
    conn: asyncpg.Connection, call_id: int, leg: Leg, recording_sha256: str, reason: str
) -> bool:
    """Note in one sentence what a pending transcript waits for; true where that is news."""
    waits = await conn.fetchval(_WAIT, call_id, leg.value, recording_sha256, reason)
    return bool(waits)


_PENDING: LiteralString = """
SELECT t.call_id, t.leg, r.path, t.recording_sha256, t.requested_at, t.reason
FROM transcripts t JOIN recordings r USING (call_id, leg)
WHERE t.state = 'pending' AND r.state = 'stored' AND r.sha256 = t.recording_sha256
ORDER BY t.requested_at, t.call_id, t.leg
LIMIT $1
"""


async def pending(conn: asyncpg.Connection, limit: int = 1000) -> list[PendingTranscript]:
    """The legs that wait for their words, the oldest request first."""
    return [
        PendingTranscript(
            call_id=row["call_id"],
            leg=Leg(row["leg"]),
            path=row["path"],
            recording_sha256=row["recording_sha256"],
            requested_at=row["requested_at"],
            reason=row["reason"],
        )
        for row in await conn.fetch(_PENDING, limit)
    ]


_LEGS: LiteralString = """
SELECT leg, engine, model, audio_seconds, words::text AS words, again::text AS again
FROM transcripts WHERE call_id = $1 AND state = 'done'
"""


async def transcripts(conn: asyncpg.Connection, call_id: int) -> dict[Leg, Transcript]:
    """The finished transcripts of a call, by leg."""
    return {
        (leg := Leg(row["leg"])): transcript(
            leg=leg,
            engine=row["engine"],
            model=row["model"],
            words=words_from_rows(json.loads(row["words"])),
            audio_seconds=row["audio_seconds"],
            again=tuple(HeardAgain(words=words_from_rows(one)) for one in json.loads(row["again"])),
        )
        for row in await conn.fetch(_LEGS, call_id)
    }


_ANSWERED_AFTER: LiteralString = """
SELECT c.answered_at IS NOT NULL AS answered,
    extract(epoch FROM c.answered_at - r.started_at)::double precision AS after
FROM calls c LEFT JOIN recordings r ON r.call_id = c.id AND r.leg = 'operator'
WHERE c.id = $1
"""


_FINISHED: LiteralString = """
SELECT leg, sentences::text AS sentences FROM finished_texts WHERE call_id = $1
"""


async def finished(conn: asyncpg.Connection, call_id: int) -> dict[Leg, tuple[Sentence, ...]]:
    """The finished text of each leg of a call that has one."""
    return {
        (leg := Leg(row["leg"])): from_rows(leg, json.loads(row["sentences"]))
        for row in await conn.fetch(_FINISHED, call_id)
    }


async def dialogue(conn: asyncpg.Connection, call_id: int) -> tuple[Turn, ...]:
    """What was said in a call, in order, from the legs that are heard by now: finished text.

    The operator's leg counts from the moment of the answer. Where it is not known when the
    recording began, all of it is shown rather than words of the operator lost.
    """
    return tuple(one.turn for one in await said_turns(conn, call_id))


async def said_turns(conn: asyncpg.Connection, call_id: int) -> tuple[SaidTurn, ...]:
    """The same, with its sentences; of a leg not finished yet the names are as they were heard."""
    legs = await finished(conn, call_id)
    for leg, heard in (await transcripts(conn, call_id)).items():
        legs.setdefault(leg, unfinished(heard))
    row = await conn.fetchrow(_ANSWERED_AFTER, call_id)
    after: float | None = None
    if row is not None and row["answered"]:
        after = row["after"] if row["after"] is not None else 0.0
    return turns(legs.get(Leg.CALLER, ()), legs.get(Leg.OPERATOR, ()), after)
