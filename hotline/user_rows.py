"""Users in PostgreSQL; every function runs in the caller's transaction.

Passwords are Argon2id (`passwords.py`) and leave this file only where one is checked.
"""

from datetime import datetime
from typing import LiteralString

import asyncpg

from hotline.database import Connection
from hotline.users import User, UserFacts
from routing.cases import Role

_USER: LiteralString = """
    SELECT id, login, name, roles, unit, extension, is_head, password IS NOT NULL AS has_password,
           must_change, active, failures, failed_at, added_at, added_by FROM users"""
_BY_ID: LiteralString = _USER + " WHERE id = $1"
_BY_LOGIN: LiteralString = _USER + " WHERE login = $1"
_LIST: LiteralString = (
    _USER
    + """
     WHERE ($1::bigint IS NULL OR id > $1) AND ($2::boolean IS NULL OR active = $2)
       AND ($3::text IS NULL OR unit = $3)
       AND ($5::text IS NULL OR strpos(login, lower($5)) > 0 OR strpos(lower(name), lower($5)) > 0)
       AND ($6::text IS NULL OR $6 = ANY (roles))
     ORDER BY id LIMIT $4"""
)
_ANY: LiteralString = "SELECT EXISTS (SELECT FROM users)"
_ADMINISTRATORS: LiteralString = """
    SELECT id FROM users WHERE active AND 'administrator' = ANY (roles) FOR UPDATE"""
_ADD: LiteralString = """
    INSERT INTO users (login, name, roles, unit, extension, is_head, password, must_change,
                       added_at, added_by)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING RETURNING id"""
_CHANGE: LiteralString = """
    UPDATE users SET name = $2, roles = $3, unit = $4, extension = $5, is_head = $6
     WHERE id = $1"""
_OWNER_OF_EXTENSION: LiteralString = "SELECT login FROM users WHERE extension = $1 AND active"
_ACTIVATE: LiteralString = "UPDATE users SET active = $2 WHERE id = $1"
_PASSWORD: LiteralString = "SELECT password FROM users WHERE id = $1"
_SET_PASSWORD: LiteralString = """
    UPDATE users SET password = $2, must_change = $3, failures = 0, failed_at = NULL
     WHERE id = $1"""
_REHASH: LiteralString = "UPDATE users SET password = $2 WHERE id = $1 AND password = $3"
_FAILED: LiteralString = """
    UPDATE users SET failures = CASE WHEN failed_at < $2::timestamptz - $3::interval THEN 1
                                     ELSE failures + 1 END, failed_at = $2
     WHERE id = $1 RETURNING failures"""
_SUCCEEDED: LiteralString = "UPDATE users SET failures = 0, failed_at = NULL WHERE id = $1"
_KNOWN_HERE: LiteralString = """
    SELECT EXISTS (SELECT FROM sessions WHERE user_id = $1 AND address = $2 AND began_at > $3)"""


async def any_user(conn: Connection) -> bool:
    """Whether there is a user at all; users are never deleted, so this never turns back."""
    return bool(await conn.fetchval(_ANY))


async def get(conn: Connection, user_id: int) -> User | None:
    """A user by id."""
    row = await conn.fetchrow(_BY_ID, user_id)
    return _user(row) if row else None


async def by_login(conn: Connection, login: str) -> User | None:
    """A user by login."""
    row = await conn.fetchrow(_BY_LOGIN, login)
    return _user(row) if row else None


async def listed(
    conn: Connection,
    *,
    after: int | None = None,
    active: bool | None = None,
    unit: str | None = None,
    q: str | None = None,
    role: Role | None = None,
    limit: int,
) -> list[User]:
    """Users in the order in which they were added; `q` is a part of the login or the name."""
    rows = await conn.fetch(_LIST, after, active, unit, limit, q, role)
    return [_user(row) for row in rows]


async def administrators(conn: Connection) -> frozenset[int]:
    """The active administrators, held until the transaction ends."""
    return frozenset(row["id"] for row in await conn.fetch(_ADMINISTRATORS))


async def add(
    conn: Connection,
    login: str,
    facts: UserFacts,
    *,
    password: str | None,
    must_change: bool,
    by: str,
    now: datetime,
) -> int | None:
    """A new user's id, None where login or extension is taken; `password` is hashed already."""
    found: int | None = await conn.fetchval(
        _ADD,
        login,
        facts.name,
        sorted(facts.roles),
        facts.unit,
        facts.extension,
        facts.is_head,
        password,
        must_change,
        now,
        by,
    )
    return found


async def change(conn: Connection, user_id: int, facts: UserFacts) -> None:
    """Other facts for a user."""
    await conn.execute(
        _CHANGE,
        user_id,
        facts.name,
        sorted(facts.roles),
        facts.unit,
        facts.extension,
        facts.is_head,
    )


async def owner_of_extension(conn: Connection, extension: str) -> str | None:
    """The login of the active user whose own seat this is."""
    found: str | None = await conn.fetchval(_OWNER_OF_EXTENSION, extension)
    return found


async def activate(conn: Connection, user_id: int, *, active: bool) -> None:
    """Let a user in again, or no more."""
    await conn.execute(_ACTIVATE, user_id, active)


async def password_of(conn: Connection, user_id: int) -> str | None:
    """The kept password, to check another one against."""
    found: str | None = await conn.fetchval(_PASSWORD, user_id)
    return found


async def set_password(conn: Connection, user_id: int, password: str, *, must_change: bool) -> None:
    """Keep a new (hashed) password; earlier wrong ones are forgotten."""
    await conn.execute(_SET_PASSWORD, user_id, password, must_change)


async def rehash(conn: Connection, user_id: int, password: str, before: str) -> None:
    """Keep the same password with more work, unless it was changed meanwhile."""
    await conn.execute(_REHASH, user_id, password, before)


async def failed(conn: Connection, user_id: int, now: datetime, forget: object) -> int:
    """Count a wrong password; after `forget` (a timedelta) of quiet it is the first again."""
    return int(await conn.fetchval(_FAILED, user_id, now, forget))


async def succeeded(conn: Connection, user_id: int) -> None:
    """Forget the wrong passwords."""
    await conn.execute(_SUCCEEDED, user_id)


async def is_known_here(conn: Connection, user_id: int, address: str, since: datetime) -> bool:
    """Whether the user has signed in from this address since then."""
    return bool(await conn.fetchval(_KNOWN_HERE, user_id, address, since))


def _user(row: asyncpg.Record) -> User:
    return User(**{**dict(row), "roles": roles_of(row["roles"])})


def roles_of(values: list[str]) -> frozenset[Role]:
    """A column of roles."""
    return frozenset(Role(value) for value in values)
