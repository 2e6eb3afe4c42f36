"""What is done with accounts, each as one step: its row and its journal row in one transaction.

The console and the command line go through here. No password, no secret and no person's name
reaches the journal: it tells the login and which facts were changed.
"""

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hotline import journal, passwords, session_rows, user_rows
from hotline.database import Connection
from hotline.errors import UserForbiddenError, UserUnknownError, UserWrongError
from hotline.journal import Event
from hotline.users import ROLES, Token, User, UserFacts
from routing.cases import Role

LONGEST_TOKEN = timedelta(days=366)
TOKEN_PREFIX = "hotline"  # noqa: S105 - what a token begins with
_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """What the city and the configuration know: units by name, seats by extension."""

    units: Collection[str]
    seats: Collection[str]

    def check(self, facts: UserFacts) -> None:
        """Raise `UserWrongError` where the facts of a user do not fit together or do not exist."""
        if not facts.roles or not facts.roles <= ROLES:
            raise UserWrongError("roles: a user needs one at least, and no person is the system.")
        if (Role.UNIT in facts.roles) != (facts.unit is not None):
            raise UserWrongError("unit: the role unit and a unit's name go together.")
        if facts.unit is not None and facts.unit not in self.units:
            raise UserWrongError("unit: the city's directory has no such unit.")
        if facts.extension is not None and facts.extension not in self.seats:
            raise UserWrongError("extension: the configuration has no operator with it.")


async def add(
    tx: Connection,
    login: str,
    facts: UserFacts,
    *,
    password: str | None,
    by: str,
    now: datetime,
    must_change: bool = False,
) -> User:
    """A new user; without a password one who comes in by OpenID Connect only.

    Raises:
        UserForbiddenError: the first user is no administrator; UserWrongError: the login is taken.
    """
    if Role.ADMINISTRATOR not in facts.roles and not await user_rows.any_user(tx):
        raise UserForbiddenError("The first user must be an administrator.")
    await _check_extension(tx, facts.extension, login)
    kept = None if password is None else await _new_password(password, login)
    added = await user_rows.add(
        tx, login, facts, password=kept, must_change=must_change, by=by, now=now
    )
    if added is None:
        raise UserWrongError(f"login: there is a user {login} already.")
    user = await found(tx, added)
    await _tell(tx, Event.USER_ADDED, user, by, now, _facts(facts))
    return user


async def change(tx: Connection, user_id: int, facts: UserFacts, *, by: str, now: datetime) -> User:
    """Other facts; whoever loses or gains a role does so from the next request on."""
    administrators = await user_rows.administrators(tx)
    before = await found(tx, user_id)
    if Role.ADMINISTRATOR not in facts.roles:
        _not_the_last(before, administrators)
    await _check_extension(tx, facts.extension, before.login)
    await user_rows.change(tx, user_id, facts)
    after = await found(tx, user_id)
    if after != before:
        await _tell(tx, Event.USER_CHANGED, after, by, now, _facts(facts))
    return after


async def activate(tx: Connection, user_id: int, *, active: bool, by: str, now: datetime) -> User:
    """Let a user in again, or no more: sessions end, and tokens are good for nothing."""
    administrators = await user_rows.administrators(tx)
    before = await found(tx, user_id)
    if active and before.extension is not None:
        await _check_extension(tx, before.extension, before.login)
    if not active:
        _not_the_last(before, administrators)
        await session_rows.end_all(tx, user_id, now)
    await user_rows.activate(tx, user_id, active=active)
    after = await found(tx, user_id)
    if after.active != before.active:
        word = Event.USER_ACTIVATED if active else Event.USER_DEACTIVATED
        await _tell(tx, word, after, by, now)
    return after


async def reset(tx: Connection, user_id: int, password: str, *, by: str, now: datetime) -> User:
    """A password set by somebody else: it must be changed, every session ends, locks are gone."""
    user = await found(tx, user_id)
    kept = await _new_password(password, user.login)
    await user_rows.set_password(tx, user_id, kept, must_change=True)
    await session_rows.end_all(tx, user_id, now)
    await _tell(tx, Event.USER_PASSWORD_RESET, user, by, now)
    return await found(tx, user_id)


async def set_own_password(
    tx: Connection, user_id: int, password: str, *, session_id: int | None, now: datetime
) -> None:
    """A user's own new password; the other sessions end."""
    user = await found(tx, user_id)
    kept = await _new_password(password, user.login)
    await user_rows.set_password(tx, user_id, kept, must_change=False)
    await session_rows.end_all(tx, user_id, now, but=session_id)
    await _tell(tx, Event.USER_PASSWORD_CHANGED, user, user.login, now)


async def sign_out_everywhere(tx: Connection, user_id: int, *, by: str, now: datetime) -> int:
    """End every session of a user; returns how many there were."""
    user = await found(tx, user_id)
    ended = await session_rows.end_all(tx, user_id, now)
    await _tell(tx, Event.USER_SIGNED_OUT, user, by, now, {"sessions": ended})
    return ended


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeToken:
    """A new token; `text` is shown now and never again."""

    token: Token
    text: str


async def make_token(
    tx: Connection,
    user_id: int,
    *,
    name: str,
    roles: frozenset[Role],
    lasts: timedelta,
    by: str,
    now: datetime,
) -> MadeToken:
    """A token for a program that acts for a user, with some of the user's roles or all."""
    user = await found(tx, user_id)
    if not roles or not roles <= user.roles:
        raise UserWrongError(f"roles: {user.login} holds only {', '.join(sorted(user.roles))}.")
    if not timedelta(0) < lasts <= LONGEST_TOKEN:
        raise UserWrongError(f"days: between 1 and {LONGEST_TOKEN.days}.")
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    made = await session_rows.make_token(
        tx,
        user_id,
        name=name,
        secret=digest(secret),
        roles=roles,
        by=by,
        now=now,
        expires_at=now + lasts,
    )
    body = {"token": made, "roles": sorted(roles), "expires_at": now + lasts}
    await _tell(tx, Event.TOKEN_MADE, user, by, now, body)
    token = await session_rows.token(tx, made)
    if token is None:
        raise UserUnknownError("There is no such token.")
    return MadeToken(token=token, text=f"{TOKEN_PREFIX}_{made}_{secret}")


async def revoke_token(
    tx: Connection, token_id: int, *, of: int | None, by: str, now: datetime
) -> Token:
    """Let a token be good for nothing; `of` a user's own only, None of anybody's."""
    token = await session_rows.token(tx, token_id)
    if token is None or (of is not None and token.user_id != of):
        raise UserUnknownError("There is no such token.")
    if await session_rows.revoke(tx, token_id, now):
        user = await found(tx, token.user_id)
        await _tell(tx, Event.TOKEN_REVOKED, user, by, now, {"token": token_id})
    return await session_rows.token(tx, token_id) or token


def digest(secret: str) -> bytes:
    """What is kept of a session's or token's secret."""
    return hashlib.sha256(secret.encode(errors="replace")).digest()


async def found(tx: Connection, user_id: int) -> User:
    """A user by id; raises `UserUnknownError`."""
    user = await user_rows.get(tx, user_id)
    if user is None:
        raise UserUnknownError("There is no such user.")
    return user


async def _new_password(password: str, login: str) -> str:
    passwords.judge(password, login)
    return await passwords.hashed(password)


async def _check_extension(tx: Connection, extension: str | None, login: str) -> None:
    if extension is None:
        return
    owner = await user_rows.owner_of_extension(tx, extension)
    if owner is not None and owner != login:
        raise UserWrongError(f"extension: {extension} is the seat of {owner}.")


def _not_the_last(user: User, administrators: frozenset[int]) -> None:
    if administrators == {user.id}:
        raise UserForbiddenError(f"{user.login} is the last administrator: make another one first.")


def _facts(facts: UserFacts) -> dict[str, Any]:
    return {
        "roles": sorted(facts.roles),
        "unit": facts.unit,
        "seat": facts.extension,
        "is_head": facts.is_head,
    }


async def _tell(  # noqa: PLR0917 - what, about whom, by whom, when: as everywhere
    tx: Connection,
    event: Event,
    user: User,
    by: str,
    now: datetime,
    body: dict[str, Any] | None = None,
) -> None:
    told = {"user": user.login, **(body or {})}
    await journal.write(tx, at=now, actor=by, event=event, body=told)
