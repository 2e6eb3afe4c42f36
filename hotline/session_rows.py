"""Sessions and API tokens in PostgreSQL; every function runs in the caller's transaction.

Their secrets are 256 random bits, so the SHA-256 of one is enough to keep.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

import asyncpg

from hotline.database import Connection
from hotline.user_rows import roles_of
from hotline.users import Token, Way
from routing.cases import Role

_BEGIN: LiteralString = """
    INSERT INTO sessions (user_id, secret, seat, way, address, began_at, seen_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $6, $7) RETURNING id"""
_SESSION: LiteralString = """
    SELECT s.id, s.user_id, s.seat, s.seen_at, s.expires_at, u.login, u.roles, u.unit,
           u.extension,
           u.must_change AND s.way = 'password' AS must_change
      FROM sessions s LEFT JOIN users u ON u.id = s.user_id
     WHERE s.id = $1 AND s.secret = $2 AND s.ended_at IS NULL AND s.expires_at > $3
       AND s.seen_at > $4 AND u.active IS NOT FALSE"""
_SEEN: LiteralString = "UPDATE sessions SET seen_at = $2 WHERE id = $1 AND seen_at < $2"
_END: LiteralString = "UPDATE sessions SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL"
_END_ALL: LiteralString = """
    WITH gone AS (UPDATE sessions SET ended_at = $2
                   WHERE user_id = $1 AND ended_at IS NULL AND expires_at > $2
                     AND id IS DISTINCT FROM $3 RETURNING 1)
    SELECT count(*) FROM gone"""

_TOKEN: LiteralString = """
    SELECT t.id, t.user_id, u.login, t.name, t.roles, t.made_at, t.made_by, t.expires_at,
           t.used_at, t.revoked_at
      FROM api_tokens t JOIN users u ON u.id = t.user_id"""
_TOKENS: LiteralString = _TOKEN + " WHERE t.user_id = $1 ORDER BY t.id"
_TOKEN_BY_ID: LiteralString = _TOKEN + " WHERE t.id = $1"
_MAKE_TOKEN: LiteralString = """
    INSERT INTO api_tokens (user_id, name, secret, roles, made_at, made_by, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id"""
_REVOKE: LiteralString = """
    UPDATE api_tokens SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL RETURNING id"""
_TOKEN_HOLDER: LiteralString = """
    SELECT t.id, t.user_id, t.used_at, t.expires_at, u.login, u.unit, u.extension,
           ARRAY(SELECT unnest(t.roles) INTERSECT SELECT unnest(u.roles)) AS roles
      FROM api_tokens t JOIN users u ON u.id = t.user_id
     WHERE t.id = $1 AND t.secret = $2 AND t.revoked_at IS NULL AND t.expires_at > $3
       AND u.active"""
_USED: LiteralString = "UPDATE api_tokens SET used_at = $2 WHERE id = $1"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRow:
    """A session that is open now, with what its user may do; the user's columns may be None."""

    id: int
    user_id: int | None
    seat: str | None
    seen_at: datetime
    expires_at: datetime
    login: str | None
    roles: frozenset[Role]
    unit: str | None
    extension: str | None
    must_change: bool


async def begin(
    conn: Connection,
    *,
    user_id: int | None,
    secret: bytes,
    seat: str | None,
    way: Way,
    address: str,
    now: datetime,
    expires_at: datetime,
) -> int:
    """A new session's id; `secret` is hashed already."""
    return int(await conn.fetchval(_BEGIN, user_id, secret, seat, way, address, now, expires_at))


async def session(
    conn: Connection, session_id: int, secret: bytes, *, now: datetime, idle_since: datetime
) -> SessionRow | None:
    """The session, unless it ended, expired, idled, or its user may come in no more."""
    row = await conn.fetchrow(_SESSION, session_id, secret, now, idle_since)
    if row is None:
        return None
    values = dict(row)
    roles = roles_of(values.pop("roles") or [])
    return SessionRow(**{**values, "roles": roles, "must_change": bool(row["must_change"])})


async def seen(conn: Connection, session_id: int, now: datetime) -> None:
    """Somebody works in this session."""
    await conn.execute(_SEEN, session_id, now)


async def end(conn: Connection, session_id: int, now: datetime) -> None:
    """End one session."""
    await conn.execute(_END, session_id, now)


async def end_all(conn: Connection, user_id: int, now: datetime, *, but: int | None = None) -> int:
    """End every open session of a user except one; returns how many."""
    return int(await conn.fetchval(_END_ALL, user_id, now, but))


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRow:
    """A token that is good now: whose it is and what both it and its user may do."""

    id: int
    user_id: int
    used_at: datetime | None
    expires_at: datetime
    login: str
    unit: str | None
    extension: str | None
    roles: frozenset[Role]


async def make_token(
    conn: Connection,
    user_id: int,
    *,
    name: str,
    secret: bytes,
    roles: frozenset[Role],
    by: str,
    now: datetime,
    expires_at: datetime,
) -> int:
    """A new token's id; `secret` is hashed already."""
    return int(
        await conn.fetchval(_MAKE_TOKEN, user_id, name, secret, sorted(roles), now, by, expires_at)
    )


async def tokens(conn: Connection, user_id: int) -> list[Token]:
    """Every token a user ever had."""
    return [_token(row) for row in await conn.fetch(_TOKENS, user_id)]


async def token(conn: Connection, token_id: int) -> Token | None:
    """One token."""
    row = await conn.fetchrow(_TOKEN_BY_ID, token_id)
    return _token(row) if row else None


async def revoke(conn: Connection, token_id: int, now: datetime) -> bool:
    """Let a token be good for nothing; False where it was so before."""
    return await conn.fetchval(_REVOKE, token_id, now) is not None


async def holder(conn: Connection, token_id: int, secret: bytes, now: datetime) -> TokenRow | None:
    """Whom a token stands for, None where it is good for nothing."""
    row = await conn.fetchrow(_TOKEN_HOLDER, token_id, secret, now)
    return TokenRow(**{**dict(row), "roles": roles_of(row["roles"])}) if row else None


async def used(conn: Connection, token_id: int, now: datetime) -> None:
    """A program has just used it."""
    await conn.execute(_USED, token_id, now)


def _token(row: asyncpg.Record) -> Token:
    return Token(**{**dict(row), "roles": roles_of(row["roles"])})
