"""What the service itself keeps in PostgreSQL: recordings and transcripts of a call.

Every change is conditional on the state it starts from and tells whether it happened, so a step
done twice changes nothing the second time.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import LiteralString, assert_never

import asyncpg

from hotline.database import Connection
from hotline.errors import CallUnknownError
from hotline.recordings import Damaged, Found, Missing, Stored
from telephony.calls import Leg, Outcome
from transcription.transcripts import Transcript, transcript, words_from_rows, words_to_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCall:
    """What the steps after a call need to know of it."""

    id: int
    system: str
    linked_id: str
    line: str
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    outcome: Outcome | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """A recording that the exchange made and that has not been taken in yet."""

    leg: Leg
    source_path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """A stored recording whose words are still to come."""

    path: Path
    sha256: str
    line: str


_GET_CALL: LiteralString = """
    SELECT id, system, linked_id, line, started_at, answered_at, ended_at, outcome
      FROM calls WHERE id = $1"""
_LOCK_CALL: LiteralString = _GET_CALL + " FOR UPDATE"


async def get_call(conn: Connection, call_id: int) -> StoredCall:
    """The call by its number; raises `CallUnknownError`."""
    return _call(await conn.fetchrow(_GET_CALL, call_id), call_id)


async def lock_call(conn: Connection, call_id: int) -> StoredCall:
    """The call, held until the transaction ends, so that two steps of one call take turns."""
    return _call(await conn.fetchrow(_LOCK_CALL, call_id), call_id)


def _call(row: asyncpg.Record | None, call_id: int) -> StoredCall:
    if row is None:
        raise CallUnknownError(f"There is no call number {call_id}.")
    outcome = row["outcome"]
    return StoredCall(**{**dict(row), "outcome": Outcome(outcome) if outcome else None})


_EXPECT: LiteralString = """
    INSERT INTO recordings (call_id, leg, state, source_path, started_at)
    VALUES ($1, $2, 'expected', $3, $4) ON CONFLICT (call_id, leg) DO NOTHING"""


async def expect_recording(
    conn: Connection, call_id: int, leg: Leg, source: str, started_at: datetime | None
) -> None:
    """Note that the exchange records this leg into this file; known ones stay as they are."""
    await conn.execute(_EXPECT, call_id, leg.value, source, started_at)


_EXPECTED: LiteralString = """
    SELECT leg, source_path FROM recordings
     WHERE call_id = $1 AND state = 'expected' ORDER BY leg"""


async def expected_recordings(conn: Connection, call_id: int) -> list[Expected]:
    """The recordings of a call that still wait at the exchange."""
    return [
        Expected(leg=Leg(row["leg"]), source_path=row["source_path"])
        for row in await conn.fetch(_EXPECTED, call_id)
    ]


_SETTLE: LiteralString = """
    UPDATE recordings SET state = $3, path = $4, sha256 = $5, seconds = $6, reason = $7
     WHERE call_id = $1 AND leg = $2 AND state = 'expected'"""


async def settle_recording(conn: Connection, call_id: int, leg: Leg, found: Found) -> bool:
    """Record what became of an expected recording; False where it was settled before."""
    values: tuple[object, ...]
    match found:
        case Stored():
            values = ("stored", str(found.path), found.sha256, found.seconds, found.note)
        case Missing():
            values = ("missing", None, None, None, found.reason)
        case Damaged():
            values = ("damaged", None, None, None, found.reason)
        case _:
            assert_never(found)
    return await conn.execute(_SETTLE, call_id, leg.value, *values) == "UPDATE 1"


_STORED: LiteralString = """
    SELECT leg, source_path FROM recordings WHERE call_id = $1 AND state = 'stored'"""


async def stored_sources(conn: Connection, call_id: int) -> list[str]:
    """Where the stored recordings of a call came from: those files may leave the exchange."""
    return [row["source_path"] for row in await conn.fetch(_STORED, call_id)]


_REQUEST: LiteralString = """
    INSERT INTO transcripts (call_id, leg, state, recording_sha256, audio_seconds, requested_at)
    SELECT call_id, leg, 'pending', sha256, seconds, $2 FROM recordings
     WHERE call_id = $1 AND state = 'stored'
    ON CONFLICT (call_id, leg) DO NOTHING"""
_PENDING: LiteralString = """
    SELECT leg FROM transcripts WHERE call_id = $1 AND state = 'pending' ORDER BY leg"""


async def request_transcripts(conn: Connection, call_id: int, now: datetime) -> list[Leg]:
    """Ask for the words of every stored recording; returns the legs still to be heard."""
    await conn.execute(_REQUEST, call_id, now)
    return await pending_legs(conn, call_id)


_EXPECTING: LiteralString = """
    SELECT EXISTS (SELECT FROM recordings WHERE call_id = $1 AND state = 'expected')"""


async def is_through(conn: Connection, call_id: int) -> bool:
    """Whether nothing more will be heard of a call: no recording and no transcript is awaited."""
    if await pending_legs(conn, call_id):
        return False
    return not await conn.fetchval(_EXPECTING, call_id)


async def pending_legs(conn: Connection, call_id: int) -> list[Leg]:
    """The legs of a call whose words are still to come."""
    return [Leg(row["leg"]) for row in await conn.fetch(_PENDING, call_id)]


_SOUND: LiteralString = """
    SELECT r.path, r.sha256, c.line FROM transcripts t
      JOIN recordings r USING (call_id, leg) JOIN calls c ON c.id = t.call_id
     WHERE t.call_id = $1 AND t.leg = $2 AND t.state = 'pending' AND r.state = 'stored'"""


async def sound_to_hear(conn: Connection, call_id: int, leg: Leg) -> Sound | None:
    """The stored recording of a leg whose transcript is pending; None where it is through."""
    row = await conn.fetchrow(_SOUND, call_id, leg.value)
    if row is None:
        return None
    return Sound(path=Path(row["path"]), sha256=row["sha256"], line=row["line"])


_WAITS: LiteralString = """
    UPDATE transcripts SET reason = $3
     WHERE call_id = $1 AND leg = $2 AND state = 'pending' AND reason IS DISTINCT FROM $3"""


async def note_why_pending(conn: Connection, call_id: int, leg: Leg, reason: str) -> None:
    """Say beside a pending transcript what it waits for."""
    await conn.execute(_WAITS, call_id, leg.value, reason)


_DONE: LiteralString = """
    UPDATE transcripts SET state = 'done', engine = $3, model = $4, audio_seconds = $5,
           confidence = $6, words = $7, text = $8, done_at = $9, reason = NULL
     WHERE call_id = $1 AND leg = $2 AND state = 'pending'"""


async def finish_transcript(
    conn: Connection, call_id: int, heard: Transcript, now: datetime
) -> bool:
    """Store what was heard on one leg; False where its transcript was through before."""
    words = json.dumps(words_to_rows(heard.words), ensure_ascii=False)
    done = await conn.execute(
        _DONE,
        call_id,
        heard.leg.value,
        heard.engine,
        heard.model,
        heard.audio_seconds,
        heard.mean_confidence,
        words,
        heard.text,
        now,
    )
    return done == "UPDATE 1"


_FAIL: LiteralString = """
    UPDATE transcripts SET state = 'failed', reason = $3, done_at = $4
     WHERE call_id = $1 AND leg = $2 AND state = 'pending'"""


async def fail_transcript(
    conn: Connection, call_id: int, leg: Leg, reason: str, now: datetime
) -> bool:
    """Record that a leg cannot be heard; False where its transcript was through before."""
    return await conn.execute(_FAIL, call_id, leg.value, reason, now) == "UPDATE 1"


_HEARD: LiteralString = """
    SELECT leg, engine, model, words, audio_seconds FROM transcripts
     WHERE call_id = $1 AND state = 'done'"""


async def transcripts_of(conn: Connection, call_id: int) -> dict[Leg, Transcript]:
    """What was heard of a call, leg by leg."""
    return {
        Leg(row["leg"]): transcript(
            leg=Leg(row["leg"]),
            engine=row["engine"],
            model=row["model"],
            words=words_from_rows(json.loads(row["words"])),
            audio_seconds=row["audio_seconds"],
        )
        for row in await conn.fetch(_HEARD, call_id)
    }


_RECORDED_FROM: LiteralString = """
    SELECT min(started_at) FROM recordings WHERE call_id = $1"""


async def recorded_from(conn: Connection, call_id: int) -> datetime | None:
    """When the recordings of a call begin (both legs at the same moment)."""
    found: datetime | None = await conn.fetchval(_RECORDED_FROM, call_id)
    return found
