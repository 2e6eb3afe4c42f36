"""Test calls in PostgreSQL: what the record holds of one, its result, and what it leaves behind."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from hotline.database import Connection
from telephony.probing import Seen, Sound, Stage, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """The newest test call into a line."""

    system: str
    line: str
    at: datetime
    ok: bool
    stage: Stage
    seconds: float | None
    reason: str | None


_CALL: LiteralString = """
    SELECT id, started_at, queued_at, answered_at, ended_at
      FROM calls WHERE system = $1 AND linked_id = $2 AND kind = 'probe'"""
_SOUNDS: LiteralString = """
    SELECT leg, state, seconds, reason FROM recordings WHERE call_id = $1 ORDER BY leg"""
_WAITING: LiteralString = """
    SELECT EXISTS (SELECT FROM calls
                    WHERE system = $1 AND line = $2 AND kind = 'citizen' AND ended_at IS NULL
                      AND queued_at IS NOT NULL AND answered_at IS NULL AND message_at IS NULL)"""
_KEEP: LiteralString = """
    INSERT INTO probes (system, line, at, ok, stage, seconds, detail, call_id)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"""
_NEWEST: LiteralString = """
    SELECT DISTINCT ON (system, line) system, line, at, ok, stage, seconds, detail AS reason
      FROM probes ORDER BY system, line, id DESC"""
_LAST_OK: LiteralString = """
    SELECT ok FROM probes WHERE system = $1 AND line = $2 ORDER BY id DESC LIMIT 1"""
_LEFT: LiteralString = """
    SELECT r.call_id, r.leg, r.kept_in, r.path, r.source_path
      FROM recordings r JOIN calls c ON c.id = r.call_id
     WHERE c.kind = 'probe' AND c.system = $1 AND r.state <> 'expected'"""
_FORGET: LiteralString = "DELETE FROM recordings WHERE call_id = $1 AND leg = $2"


async def look(conn: Connection, system: str, caller: str) -> tuple[int | None, Seen | None]:
    """The number of a test call and what is known of it; nothing while it has not come in."""
    row = await conn.fetchrow(_CALL, system, caller)
    if row is None:
        return None, None
    told = dict(row)
    call_id = told.pop("id")
    sounds = tuple(Sound(**dict(one)) for one in await conn.fetch(_SOUNDS, call_id))
    return call_id, Seen(**told, sounds=sounds)


async def somebody_waits(conn: Connection, system: str, line: str) -> bool:
    """Whether a citizen waits in this line now."""
    return bool(await conn.fetchval(_WAITING, system, line))


async def was_ok(conn: Connection, system: str, line: str) -> bool | None:
    """How the last test call into this line ended; None before the first."""
    found: bool | None = await conn.fetchval(_LAST_OK, system, line)
    return found


async def keep(
    conn: Connection, system: str, line: str, verdict: Verdict, *, call_id: int | None, at: datetime
) -> None:
    """Write one result down."""
    await conn.execute(
        _KEEP,
        system,
        line,
        at,
        verdict.ok,
        verdict.stage,
        verdict.seconds,
        verdict.reason,
        call_id,
    )


async def newest(conn: Connection) -> Mapping[tuple[str, str], Probed]:
    """The newest result by system and line."""
    rows = await conn.fetch(_NEWEST)
    found = [Probed(**{**dict(row), "stage": Stage(row["stage"])}) for row in rows]
    return {(one.system, one.line): one for one in found}


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A judged recording of a test call: its place in the store and its name at the exchange."""

    call_id: int
    leg: str
    kept_in: str | None
    path: str | None
    source_path: str


async def left_behind(conn: Connection, system: str) -> list[Left]:
    """The recordings of test calls that are settled; they have done their service."""
    return [Left(**dict(row)) for row in await conn.fetch(_LEFT, system)]


async def forget(conn: Connection, one: Left) -> None:
    """Strike a recording of a test call off the list, after its file is gone."""
    await conn.execute(_FORGET, one.call_id, one.leg)
