"""What the service itself keeps in PostgreSQL: the recordings of a call, and what they wait for.

Every change is conditional on the state it starts from and tells whether it happened, so a step
done twice changes nothing the second time.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString, assert_never

import asyncpg

from hotline.database import Connection
from hotline.errors import CallUnknownError
from hotline.recordings import Damaged, Found, Missing, Stored
from hotline.sounds import Kept, KeptIn
from telephony.calls import CallKind, Direction, Leg, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCall:
    """What the steps after a call need to know of it."""

    id: int
    system: str
    linked_id: str
    line: str
    started_at: datetime
    answered_at: datetime | None
    talk_ended_at: datetime | None
    ended_at: datetime | None
    outcome: Outcome | None
    kind: CallKind
    direction: Direction


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """A recording that the exchange made and that has not been taken in yet."""

    leg: Leg
    source_path: str


_GET_CALL: LiteralString = """
    SELECT id, system, linked_id, line, started_at, answered_at, talk_ended_at, ended_at,
           outcome, kind, direction
      FROM calls WHERE id = $1"""
_LOCK_CALL: LiteralString = _GET_CALL + " FOR NO KEY UPDATE"


async def get_call(conn: Connection, call_id: int) -> StoredCall:
    """The call by its number; raises `CallUnknownError`."""
    return _call(await conn.fetchrow(_GET_CALL, call_id), call_id)


async def lock_call(conn: Connection, call_id: int) -> StoredCall:
    """The call, held until the transaction ends, so that two steps of one call take turns."""
    return _call(await conn.fetchrow(_LOCK_CALL, call_id), call_id)


async def hold_call(conn: Connection, call_id: int) -> None:
    """Make sure of a call before the journal speaks of it.

    A journal row refers to its call. Whoever changes that call at this moment is waiting for the
    journal's turn, so the call must be had before the turn is taken, or both would wait for ever.
    """
    await conn.execute("SELECT FROM calls WHERE id = $1 FOR KEY SHARE", call_id)


def _call(row: asyncpg.Record | None, call_id: int) -> StoredCall:
    if row is None:
        raise CallUnknownError(f"There is no call number {call_id}.")
    outcome = Outcome(row["outcome"]) if row["outcome"] else None
    kind, direction = CallKind(row["kind"]), Direction(row["direction"])
    return StoredCall(**{**dict(row), "outcome": outcome, "kind": kind, "direction": direction})


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
    UPDATE recordings
       SET state = $3, path = $4, sha256 = $5, seconds = $6, reason = $7,
           kept_in = coalesce($8, kept_in)
     WHERE call_id = $1 AND leg = $2 AND state = 'expected'"""


async def settle_recording(conn: Connection, call_id: int, leg: Leg, found: Found) -> bool:
    """Record what became of an expected recording; False where it was settled before."""
    values: tuple[object, ...]
    match found:
        case Stored():
            kept = found.kept
            values = ("stored", kept.key, kept.sha256, found.seconds, found.note, kept.store)
        case Missing():
            values = ("missing", None, None, None, found.reason, None)
        case Damaged():
            values = ("damaged", None, None, None, found.reason, None)
        case _:
            assert_never(found)
    return await conn.execute(_SETTLE, call_id, leg.value, *values) == "UPDATE 1"


_STORED: LiteralString = """
    SELECT source_path, kept_in, path, sha256 FROM recordings
     WHERE call_id = $1 AND state = 'stored'"""


async def stored_sources(conn: Connection, call_id: int) -> list[tuple[str, Kept]]:
    """Where the stored recordings of a call came from, and where they are now."""
    rows = await conn.fetch(_STORED, call_id)
    return [(row["source_path"], kept_at(row)) for row in rows]


_EXPECTING: LiteralString = """
    SELECT EXISTS (SELECT FROM recordings WHERE call_id = $1 AND state = 'expected')
        OR EXISTS (SELECT FROM transcripts WHERE call_id = $1 AND state = 'pending')"""


async def is_through(conn: Connection, call_id: int) -> bool:
    """Whether nothing more will be heard of a call: no recording and no transcript is awaited."""
    return not await conn.fetchval(_EXPECTING, call_id)


async def has_recordings(conn: Connection, call_id: int) -> bool:
    """Whether the exchange recorded anything of a call, as far as is known."""
    return bool(
        await conn.fetchval("SELECT EXISTS (SELECT FROM recordings WHERE call_id = $1)", call_id)
    )


_SOUND: LiteralString = """
    SELECT r.kept_in, r.path, r.sha256 FROM transcripts t JOIN recordings r USING (call_id, leg)
     WHERE t.call_id = $1 AND t.leg = $2 AND t.state = 'pending' AND r.state = 'stored'"""


async def sound_to_hear(conn: Connection, call_id: int, leg: Leg) -> Kept | None:
    """The stored recording of a leg whose transcript is pending; None where it is through."""
    row = await conn.fetchrow(_SOUND, call_id, leg.value)
    return kept_at(row) if row else None


def kept_at(row: asyncpg.Record) -> Kept:
    """Where the recording of a row (`kept_in`, `path`, `sha256`) is kept."""
    return Kept(store=KeptIn(row["kept_in"]), key=row["path"], sha256=row["sha256"])


_LAST_CALLS: LiteralString = """
    SELECT c.id, c.line, c.direction, c.started_at, i.name, i.number, c.outcome, c.operator,
           extract(epoch FROM
               coalesce(c.answered_at, c.message_at, c.ended_at) - c.queued_at)::float AS wait,
           extract(epoch FROM coalesce(c.talk_ended_at, c.ended_at) - c.answered_at)::float AS talk,
           (SELECT string_agg(r.leg || ' ' || r.state, ', ' ORDER BY r.leg)
              FROM recordings r WHERE r.call_id = c.id) AS recordings,
           (SELECT string_agg(t.leg || ' ' || t.state, ', ' ORDER BY t.leg)
              FROM transcripts t WHERE t.call_id = c.id) AS transcripts,
           k.number AS case_number
      FROM calls c LEFT JOIN identities i ON i.token = coalesce(c.caller, c.callee)
      LEFT JOIN cases k ON k.call_id = c.id
     WHERE c.kind = 'citizen' ORDER BY c.id DESC LIMIT $1"""


async def last_calls(conn: Connection, limit: int) -> list[asyncpg.Record]:
    """The newest calls of citizens with what hangs on them; whoever shows them masks the caller."""
    return await conn.fetch(_LAST_CALLS, limit)
