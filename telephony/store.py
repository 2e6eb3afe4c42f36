"""Calls, and the facts from the exchange's files, in PostgreSQL.

Each function runs inside the caller's transaction and can be repeated: a call's natural key is
(system, linked id), a fact's is its place in its file. The caller's number is kept with the
identities; call and fact rows hold its token. One transaction saves one call: callers are locked
before the counter, so two that save several could wait for each other.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString, TypeAlias
from uuid import UUID

import asyncpg

from telephony.calls import (
    Call,
    CallAnswered,
    CallEvent,
    CallKey,
    CallMessage,
    CallRinging,
    CallStarted,
    Direction,
    Outcome,
    Side,
)
from telephony.events import LinkedId, System

Connection: TypeAlias = asyncpg.Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedCall:
    """What became of an event."""

    call_id: int
    changed: bool
    """Whether the event told something new; False when it was saved before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCall:
    """A call with its number in the database."""

    call_id: int
    call: Call


_FIND: LiteralString = """
SELECT id, ringing_at, answered_at, message_at, ended_at
  FROM calls WHERE system = $1 AND linked_id = $2 FOR NO KEY UPDATE
"""
_TAKE_TURN: LiteralString = "SELECT last FROM call_counter FOR UPDATE"
_COUNT: LiteralString = "UPDATE call_counter SET last = last + 1 RETURNING last"
_INSERT: LiteralString = """
INSERT INTO calls (id, system, linked_id, line, caller, started_at, queued_at, ringing_at,
                   answered_at, talk_ended_at, ended_at, operator, badge, outcome,
                   hangup_by, recovered, kind, message_at, direction, callee)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
"""
_CONTINUE: LiteralString = """
UPDATE calls SET
    caller = coalesce(caller, $2), queued_at = coalesce(queued_at, $3),
    ringing_at = coalesce(ringing_at, $4), answered_at = coalesce(answered_at, $5),
    talk_ended_at = $6, ended_at = $7, operator = coalesce(operator, $8),
    badge = coalesce(badge, $9), outcome = $10, hangup_by = $11, recovered = recovered OR $12,
    message_at = coalesce(message_at, $13), callee = coalesce(callee, $14)
WHERE id = $1 AND ended_at IS NULL
"""


async def save(conn: asyncpg.Connection, event: CallEvent) -> SavedCall:
    """Store what an event tells; a call that has ended is not touched any more.

    A new call takes the next number from the counter in this transaction, so numbers have no
    gaps. What was stored first stays: a time told again by another clock changes nothing.
    """
    call = event.call
    caller = await caller_token(conn, call.caller_number, call.caller_name, call.started_at)
    callee = await caller_token(conn, call.callee_number, None, call.started_at)
    known = await conn.fetchrow(_FIND, call.key.system, call.key.linked_id)
    if known is None:
        await conn.execute(_TAKE_TURN)
        known = await conn.fetchrow(_FIND, call.key.system, call.key.linked_id)
    if known is None:
        return SavedCall(call_id=await _insert(conn, call, caller, callee), changed=True)
    call_id: int = known["id"]
    if known["ended_at"] is not None:
        return SavedCall(call_id=call_id, changed=False)
    await conn.execute(
        _CONTINUE,
        call_id,
        caller,
        call.queued_at,
        call.ringing_at,
        call.answered_at,
        call.talk_ended_at,
        call.ended_at,
        call.operator,
        call.badge,
        call.outcome,
        call.hangup_by,
        call.recovered,
        call.message_at,
        callee,
    )
    return SavedCall(call_id=call_id, changed=_is_news(event, known))


def _is_news(event: CallEvent, known: asyncpg.Record) -> bool:
    match event:
        case CallStarted():
            return False
        case CallRinging():
            return known["ringing_at"] is None
        case CallAnswered():
            return known["answered_at"] is None
        case CallMessage():
            return known["message_at"] is None
        case _:
            return True  # it had not ended


async def _insert(
    conn: asyncpg.Connection, call: Call, caller: UUID | None, callee: UUID | None
) -> int:
    call_id: int = await conn.fetchval(_COUNT)
    await conn.execute(
        _INSERT,
        call_id,
        call.key.system,
        call.key.linked_id,
        call.line,
        caller,
        call.started_at,
        call.queued_at,
        call.ringing_at,
        call.answered_at,
        call.talk_ended_at,
        call.ended_at,
        call.operator,
        call.badge,
        call.outcome,
        call.hangup_by,
        call.recovered,
        call.kind,
        call.message_at,
        call.direction,
        callee,
    )
    return call_id


_WHO: LiteralString = """
WITH known AS (SELECT token FROM identities WHERE look_up = $1::fingerprint),
     learnt AS (
        UPDATE identities SET name = $3::sealed
         WHERE token = (SELECT token FROM known) AND name IS NULL AND $3::sealed IS NOT NULL),
     added AS (
        INSERT INTO identities (look_up, number, name, first_seen, tail)
        SELECT $1::fingerprint, $2::sealed, $3::sealed, $4, (($5::tails).hashes)[1]
         WHERE NOT EXISTS (SELECT FROM known)
        ON CONFLICT (look_up) DO UPDATE SET name = coalesce(identities.name, excluded.name)
        RETURNING token)
SELECT token FROM known UNION ALL SELECT token FROM added
"""


async def caller_token(
    conn: asyncpg.Connection, number: str | None, name: str | None, at: datetime
) -> UUID | None:
    """The token that stands for a person everywhere else; None where the number is withheld.

    The database gets number and name sealed, and the number's fingerprint to find it by.
    """
    if not number:
        return None
    token: UUID = await conn.fetchval(_WHO, number, number, name or None, at, number)
    return token


_CALLS: LiteralString = """
SELECT c.*, i.number, i.name, o.number AS callee_number
  FROM calls c LEFT JOIN identities i ON i.token = c.caller
  LEFT JOIN identities o ON o.token = c.callee
"""
_OPEN: LiteralString = _CALLS + "WHERE c.system = $1 AND c.ended_at IS NULL ORDER BY c.id"
_ONE: LiteralString = _CALLS + "WHERE c.system = $1 AND c.linked_id = $2"


async def open_calls(conn: asyncpg.Connection, system: System) -> list[StoredCall]:
    """The calls that have not ended, oldest first."""
    return [_stored(row) for row in await conn.fetch(_OPEN, system)]


async def find(conn: asyncpg.Connection, key: CallKey) -> StoredCall | None:
    """The call with this natural key."""
    row = await conn.fetchrow(_ONE, key.system, key.linked_id)
    return None if row is None else _stored(row)


def _stored(row: asyncpg.Record) -> StoredCall:
    call = Call(
        key=CallKey(system=System(row["system"]), linked_id=LinkedId(row["linked_id"])),
        line=row["line"],
        caller_number=row["number"],
        caller_name=row["name"],
        direction=Direction(row["direction"]),
        callee_number=row["callee_number"],
        started_at=row["started_at"],
        queued_at=row["queued_at"],
        ringing_at=row["ringing_at"],
        answered_at=row["answered_at"],
        message_at=row["message_at"],
        talk_ended_at=row["talk_ended_at"],
        ended_at=row["ended_at"],
        operator=row["operator"],
        badge=row["badge"],
        outcome=None if row["outcome"] is None else Outcome(row["outcome"]),
        hangup_by=None if row["hangup_by"] is None else Side(row["hangup_by"]),
        recovered=row["recovered"],
    )
    return StoredCall(call_id=row["id"], call=call)


_REPAIR: LiteralString = """
UPDATE calls SET
    line = $2, started_at = $3, queued_at = $4, ringing_at = $5, answered_at = $6,
    talk_ended_at = $7, ended_at = $8, operator = $9, outcome = $10, hangup_by = $11,
    badge = coalesce($12, badge), message_at = $13, direction = $14
WHERE id = $1
"""


async def repair(conn: asyncpg.Connection, call_id: int, call: Call) -> None:
    """Overwrite the times, the outcome and the people of a stored call; nothing else may."""
    await conn.execute(
        _REPAIR,
        call_id,
        call.line,
        call.started_at,
        call.queued_at,
        call.ringing_at,
        call.answered_at,
        call.talk_ended_at,
        call.ended_at,
        call.operator,
        call.outcome,
        call.hangup_by,
        call.badge,
        call.message_at,
        call.direction,
    )


_DIFFER: LiteralString = """
INSERT INTO differences (found_at, system, linked_id, kind, detail, repaired)
SELECT $1, $2, $3, $4, $5::text::jsonb, $6
 WHERE NOT EXISTS (SELECT FROM differences
                    WHERE system = $2 AND linked_id = $3 AND kind = $4
                      AND detail = $5::text::jsonb)
"""


async def record_difference(
    conn: asyncpg.Connection,
    key: CallKey,
    kind: str,
    detail: dict[str, Any],
    *,
    repaired: bool,
    at: datetime,
) -> None:
    """Note that the files told another story than the stored call; the same one only once."""
    await conn.execute(
        _DIFFER,
        at,
        key.system,
        key.linked_id,
        kind,
        json.dumps(detail, ensure_ascii=False),
        repaired,
    )
