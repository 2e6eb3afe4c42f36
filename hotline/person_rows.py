"""What people ask about their own data, and what is kept of them, in PostgreSQL.

Every function runs in the caller's transaction; on a connection of somebody's sight, what that
person must not find is not found here either.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, LiteralString
from uuid import UUID

import asyncpg

from hotline.database import Connection


class Wish(StrEnum):
    """What somebody wants done with the own data."""

    SEE = "see"
    CORRECT = "correct"
    DELETE = "delete"


class Answer(StrEnum):
    """What became of it."""

    GIVEN = "given"
    CORRECTED = "corrected"
    DELETED = "deleted"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRequest:
    """One request; without a `caller` nothing was found of whoever asks."""

    id: int
    kind: Wish
    caller: UUID | None
    applicant: str
    verified: str
    asked_at: datetime
    due_at: datetime
    entered_by: str
    outcome: Answer | None
    legal_reason: str | None
    settled_at: datetime | None
    settled_by: str | None


_BY_NUMBER: LiteralString = "SELECT token FROM identities WHERE look_up = $1::fingerprint"
_BY_CALL: LiteralString = "SELECT coalesce(caller, callee) FROM calls WHERE id = $1"
_ENTER: LiteralString = """
    INSERT INTO person_requests (kind, caller, applicant, verified, asked_at, due_at, entered_by)
    VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id"""
_GET: LiteralString = "SELECT * FROM person_requests WHERE id = $1"
_LIST: LiteralString = """
    SELECT * FROM person_requests
     WHERE (NOT $1::boolean OR outcome IS NULL) AND ($2::bigint IS NULL OR id < $2)
     ORDER BY id DESC LIMIT $3"""
_SETTLE: LiteralString = """
    UPDATE person_requests SET outcome = $2, legal_reason = $3, settled_at = $4, settled_by = $5
     WHERE id = $1 AND outcome IS NULL RETURNING id"""
_IDENTITY: LiteralString = "SELECT number, name FROM identities WHERE token = $1"
_CALLS: LiteralString = """
    SELECT c.id, c.line, c.started_at, c.ended_at, c.outcome, t.text AS words
      FROM calls c LEFT JOIN transcripts t
        ON t.call_id = c.id AND t.leg = 'caller' AND t.state = 'done'
     WHERE c.caller = $1 OR c.callee = $1 ORDER BY c.id"""
_CASES: LiteralString = """
    SELECT k.id, k.number, k.state, k.kind, k.level1, k.summary, k.drafted_at, k.closed_at,
           k.outcome,
           (SELECT t.text FROM case_texts t WHERE t.case_id = k.id AND t.sort = 'public_reply'
             ORDER BY t.id DESC LIMIT 1) AS public_reply
      FROM cases k JOIN case_callers b ON b.case_id = k.id WHERE b.caller = $1 ORDER BY k.id"""
_MARK: LiteralString = "SELECT encode(($1::fingerprint).hash, 'hex')"
_NAME: LiteralString = "UPDATE identities SET name = $2 WHERE token = $1"
_HELD: LiteralString = """
    SELECT EXISTS (SELECT FROM calls c WHERE (c.caller = $1 OR c.callee = $1)
                      AND call_is_held(c.id))
        OR EXISTS (SELECT FROM cases k WHERE k.caller = $1 AND case_is_held(k.id))"""
_RECORDINGS: LiteralString = """
    WITH theirs AS (
        SELECT r.call_id, r.leg, r.kept_in, r.path, r.sha256
          FROM recordings r JOIN calls c ON c.id = r.call_id
         WHERE (c.caller = $1 OR c.callee = $1) AND r.state = 'stored' FOR UPDATE OF r),
    noted AS (
        INSERT INTO retention_items (call_id, leg, kept_in, path, sha256, decided_at)
        SELECT call_id, leg, kept_in, path, sha256, $2 FROM theirs)
    UPDATE recordings r SET state = 'deleted', path = NULL, sha256 = NULL
      FROM theirs t WHERE r.call_id = t.call_id AND r.leg = t.leg
    RETURNING r.call_id || '/' || r.leg AS item"""
_WORDS: LiteralString = """
    UPDATE transcripts t SET text = '', words = '[]', again = '[]', reason = 'deleted'
      FROM calls c WHERE c.id = t.call_id AND (c.caller = $1 OR c.callee = $1)
       AND t.state = 'done' RETURNING t.call_id || '/' || t.leg AS item"""
_FORGET: LiteralString = """
    UPDATE identities SET number = NULL, name = NULL, look_up = NULL, tail = NULL,
           plain_number = NULL, plain_name = NULL WHERE token = $1 AND NOT person_is_held($1)"""


async def caller_of(conn: Connection, *, number: str | None, call_id: int | None) -> UUID | None:
    """Whom a number or a call leads to; None where nobody is known by it."""
    if number is not None:
        found: UUID | None = await conn.fetchval(_BY_NUMBER, number)
        return found
    of_call: UUID | None = await conn.fetchval(_BY_CALL, call_id)
    return of_call


async def enter(  # noqa: PLR0917 - as a row is read
    tx: Connection,
    kind: Wish,
    caller: UUID | None,
    applicant: str,
    verified: str,
    asked_at: datetime,
    due_at: datetime,
    by: str,
) -> int:
    """A new request; returns its number."""
    return int(await tx.fetchval(_ENTER, kind, caller, applicant, verified, asked_at, due_at, by))


async def get(conn: Connection, request_id: int) -> PersonRequest | None:
    """One request."""
    row = await conn.fetchrow(_GET, request_id)
    return None if row is None else _request(row)


async def listed(
    conn: Connection, *, unsettled: bool, before: int | None, limit: int
) -> list[PersonRequest]:
    """Requests, newest first."""
    return [_request(row) for row in await conn.fetch(_LIST, unsettled, before, limit)]


async def settle(  # noqa: PLR0917 - as a row is read
    tx: Connection, request_id: int, answer: Answer, legal: str | None, at: datetime, by: str
) -> bool:
    """What became of a request, once."""
    return await tx.fetchval(_SETTLE, request_id, answer, legal, at, by) is not None


async def kept_of(conn: Connection, caller: UUID) -> dict[str, Any]:
    """Everything that is kept of a person: identity, calls with the own words, cases."""
    identity = await conn.fetchrow(_IDENTITY, caller)
    return {
        "number": identity["number"] if identity else None,
        "name": identity["name"] if identity else None,
        "calls": [dict(row) for row in await conn.fetch(_CALLS, caller)],
        "cases": [dict(row) for row in await conn.fetch(_CASES, caller)],
    }


async def rename(tx: Connection, caller: UUID, name: str) -> str | None:
    """Correct a name; returns the keyed hash of the old one, None where there was none."""
    row = await tx.fetchrow(_IDENTITY, caller)
    old = row["name"] if row else None
    await tx.execute(_NAME, caller, name)
    mark: str | None = None if old is None else await tx.fetchval(_MARK, old)
    return mark


async def is_held(conn: Connection, caller: UUID) -> bool:
    """Whether anything of a person belongs to an open, disputed or protected matter."""
    return bool(await conn.fetchval(_HELD, caller))


async def forget(tx: Connection, caller: UUID, now: datetime) -> list[str]:
    """Delete recordings, words and identity of a person; returns what each was.

    What the asker must not find stays, with the identity of whoever made it.
    """
    items = [f"recording {row['item']}" for row in await tx.fetch(_RECORDINGS, caller, now)]
    items += [f"words {row['item']}" for row in await tx.fetch(_WORDS, caller)]
    await tx.execute(_FORGET, caller)
    return [*items, f"identity {caller}"]


def _request(row: asyncpg.Record) -> PersonRequest:
    facts = dict(row)
    outcome = facts.pop("outcome")
    return PersonRequest(
        **{**facts, "kind": Wish(facts["kind"])}, outcome=Answer(outcome) if outcome else None
    )
