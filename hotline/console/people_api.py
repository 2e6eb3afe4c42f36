"""Signing in and out, and the journal as a list."""

import asyncio
import json
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import LiteralString

import asyncpg
from aiohttp import web

from hotline import accounts, journal, passwords, session_rows, user_rows
from hotline.console.attempts import must_wait
from hotline.console.desk import Desk, Request
from hotline.console.door import COOKIE
from hotline.console.endpoint import Endpoint, get, post
from hotline.console.person import Person, anybody
from hotline.console.problems import Fault, ProblemError
from hotline.console.shapes import (
    Asked,
    EntryView,
    Journal,
    JournalQuery,
    NewPassword,
    Seat,
    Self,
    Session,
    SignIn,
)
from hotline.database import Connection, borrowed, transaction
from hotline.errors import PasswordWeakError
from hotline.journal import Event
from hotline.users import LONGEST_WAIT, User, Way

KNOWN_FOR = timedelta(days=30)
_JOURNAL: LiteralString = """
    SELECT id, at, actor, event, call_id, case_id, body FROM journal
     WHERE NOT starts_with(event, 'seen.')
       AND ($1::bigint IS NULL OR id < $1)
       AND ($2::bigint IS NULL OR call_id = $2)
       AND ($3::bigint IS NULL OR case_id = $3)
       AND ($5::boolean OR case_id IN (SELECT seen FROM cases_of_unit($6) AS seen)
            OR ($7::boolean AND case_id IS NULL AND call_id IS NULL))
       AND ($8::boolean OR NOT starts_with(event, 'fault.'))
     ORDER BY id DESC LIMIT $4"""


class Nothing(Asked):
    """An order that needs no more words."""


async def who_am_i(asked: Request) -> Session:
    """Who is signed in; open to everybody, so it says no more than that."""
    return await _session(asked.desk, asked.person)


async def sign_in(asked: Request) -> web.Response:
    """Check the password and begin a session."""
    desk, given, now = asked.desk, asked.asked(SignIn), asked.services.clock()
    user = None
    if desk.door.password_needed:
        desk.door.attempts.check(asked.address, now)
        # Counted before the slow check, so that attempts sent all at once are counted too.
        desk.door.attempts.failed(asked.address, now)
        if desk.door.has_users:
            user = await _user(asked, given, now)
        elif not await asyncio.to_thread(desk.door.is_password, given.password):
            raise ProblemError(Fault.WRONG_PASSWORD, "The password is wrong.")
        desk.door.attempts.succeeded(asked.address)
    way = Way.PASSWORD if user else Way.CONSOLE
    cookie, person = await session_begun(asked, user, given.seat, way)
    response = _json(await _session(desk, person))
    set_cookie(asked, response, cookie)
    return response


async def _user(asked: Request, given: SignIn, now: datetime) -> User:
    """The user with this login and password; whoever does not exist is refused the same way."""
    door, login = asked.desk.door, given.login.strip().lower()
    async with transaction(asked.services.pool) as tx:
        user = await user_rows.by_login(tx, login)
        if user is None:
            door.unknown.check(login, now)
            door.unknown.failed(login, now)
        else:
            # Somebody else's guesses keep nobody out of the machine they always work at.
            if not await user_rows.is_known_here(tx, user.id, asked.address, now - KNOWN_FOR):
                must_wait(user.wait(now))
            await user_rows.failed(tx, user.id, now, LONGEST_WAIT)
        kept = await user_rows.password_of(tx, user.id) if user else None
    fits = await passwords.fits(given.password, kept)
    if user is None or not user.active or kept is None or not fits:
        if user is not None:
            await _refused(asked, user, now)
        raise ProblemError(Fault.WRONG_PASSWORD, "The login or the password is wrong.")
    async with transaction(asked.services.pool) as tx:
        await user_rows.succeeded(tx, user.id)
        if passwords.is_dated(kept):
            again = await passwords.hashed(given.password)
            await user_rows.rehash(tx, user.id, again, kept)
    return user


async def _refused(asked: Request, user: User, now: datetime) -> None:
    async with transaction(asked.services.pool) as tx:
        body = {"user": user.login, "failures": user.failures + 1}
        await journal.write(tx, at=now, actor=user.login, event=Event.USER_REFUSED, body=body)


async def session_begun(
    asked: Request, user: User | None, seat: str | None, way: Way
) -> tuple[str, Person]:
    """A new session's cookie and who it stands for; the earlier one of this browser ends."""
    desk, now = asked.desk, asked.services.clock()
    async with transaction(asked.services.pool) as tx:
        if seat is not None:
            await _check_seat(tx, desk, seat, user)
        if asked.person is not None and asked.person.session_id is not None:
            await session_rows.end(tx, asked.person.session_id, now)
        cookie, person = await desk.door.begin(
            tx, user, seat=seat, way=way, address=asked.address, now=now
        )
        if user is not None:
            body = {"user": user.login, "way": way, "seat": person.seat}
            word = Event.USER_SIGNED_IN
            await journal.write(tx, at=now, actor=user.login, event=word, body=body)
    return cookie, person


def set_cookie(asked: Request, response: web.StreamResponse, cookie: str) -> None:
    """Give the session to the browser: no script sees it and no other site can send it."""
    response.set_cookie(
        COOKIE,
        cookie,
        max_age=int(asked.desk.door.lasts.total_seconds()),
        httponly=True,
        samesite="Strict",
        secure=asked.is_secure,
        path="/",
    )


async def _check_seat(tx: Connection, desk: Desk, seat: str, user: User | None) -> None:
    """A seat of the configuration that is not another user's own."""
    if seat not in _seats(desk):
        raise ProblemError(Fault.INVALID, "seat: no operator of the configuration has it.")
    owner = await user_rows.owner_of_extension(tx, seat)
    if owner is not None and user is not None and owner != user.login:
        raise ProblemError(Fault.INVALID, "seat: it is another user's own.")


async def sign_out(asked: Request) -> web.Response:
    """End the session, here and for any copy of its cookie."""
    now, person, door = asked.services.clock(), asked.person, asked.desk.door
    if person is not None and person.session_id is not None:
        async with transaction(asked.services.pool) as tx:
            await session_rows.end(tx, person.session_id, now)
            if person.user_id is not None:
                body = {"user": person.name, "sessions": 1}
                word = Event.USER_SIGNED_OUT
                await journal.write(tx, at=now, actor=person.name, event=word, body=body)
    response = _json(await _session(asked.desk, None if door.password_needed else anybody(None)))
    response.del_cookie(COOKIE, path="/", httponly=True, samesite="Strict")
    return response


async def sign_out_everywhere(asked: Request) -> web.Response:
    """End every session of the user, wherever it is open."""
    async with transaction(asked.services.pool) as tx:
        await accounts.sign_out_everywhere(
            tx, asked.user_id, by=asked.who.name, now=asked.services.clock()
        )
    response = _json(await _session(asked.desk, None))
    response.del_cookie(COOKIE, path="/", httponly=True, samesite="Strict")
    return response


async def change_password(asked: Request) -> Session:
    """Set one's own password; every other session of the user ends."""
    given, now, door = asked.asked(NewPassword), asked.services.clock(), asked.desk.door
    if asked.who.token_id is not None:
        raise ProblemError(Fault.FORBIDDEN, "A token cannot change a password.")
    door.attempts.check(asked.address, now)
    async with borrowed(asked.services.pool) as conn:
        kept = await user_rows.password_of(conn, asked.user_id)
    if not await passwords.fits(given.old, kept):
        door.attempts.failed(asked.address, now)
        raise ProblemError(Fault.WRONG_PASSWORD, "The old password is wrong.")
    if given.old == given.new:
        raise ProblemError(Fault.INVALID, "new: it is the old password.")
    try:
        async with transaction(asked.services.pool) as tx:
            await accounts.set_own_password(
                tx, asked.user_id, given.new, session_id=asked.who.session_id, now=now
            )
    except PasswordWeakError as error:
        raise ProblemError(Fault.INVALID, f"new: {error}") from error
    found = await _session(asked.desk, asked.person)
    return found.model_copy(update={"must_change": False})


async def list_journal(asked: Request) -> Journal:
    """One page of the journal, newest first, as far as it may be seen."""
    query, sight = asked.asked(JournalQuery), asked.sight
    async with borrowed(asked.services.pool) as conn:
        rows = await conn.fetch(
            _JOURNAL,
            query.before,
            query.call_id,
            query.case_id,
            query.limit + 1,
            sight.everything,
            sight.unit,
            sight.house,
            sight.faults,
        )
        page = rows[: query.limit]
        shown = await sight.shown(conn, [entry_of(row) for row in page])
    return Journal(
        entries=tuple(EntryView(**asdict(it)) for it in shown),
        next=page[-1]["id"] if len(rows) > query.limit else None,
    )


def entry_of(row: asyncpg.Record) -> journal.Entry:
    """A row of the journal."""
    return journal.Entry(**{**dict(row), "body": json.loads(row["body"])})


def _json(told: Session) -> web.Response:
    return web.Response(text=told.model_dump_json(), content_type="application/json")


def _seats(desk: Desk) -> dict[str, Seat]:
    return {
        it.extension: Seat(extension=it.extension, badge=it.badge, name=it.name)
        for it in desk.services.config.operators
    }


async def _session(desk: Desk, person: Person | None) -> Session:
    user = None
    if person is not None and person.user_id is not None:
        async with borrowed(desk.services.pool) as conn:
            user = await user_rows.get(conn, person.user_id)
    return Session(
        signed_in=person is not None,
        password_needed=desk.door.password_needed,
        login_needed=desk.door.has_users,
        openid=desk.services.config.openid is not None,
        must_change=person.must_change if person else False,
        user=Self(id=user.id, login=user.login, name=user.name) if user else None,
        roles=tuple(sorted(person.roles)) if person else (),
        unit=person.unit if person else None,
        seat=person.seat if person else None,
        expires_at=person.expires_at if person else None,
        seats=tuple(_seats(desk).values()) if person else (),
    )


_FAULTS = (Fault.WRONG_PASSWORD, Fault.TOO_MANY_ATTEMPTS)

ENDPOINTS = (
    get("/api/session", who_am_i, Session, is_open=True),
    post("/api/session", sign_in, SignIn, Session, faults=_FAULTS, is_open=True),
    Endpoint(method="DELETE", path="/api/session", handler=sign_out, answers=Session, is_open=True),
    post(
        "/api/session/everywhere/end",
        sign_out_everywhere,
        Nothing,
        Session,
        faults=(Fault.NOT_POSSIBLE,),
    ),
    post(
        "/api/session/password",
        change_password,
        NewPassword,
        Session,
        faults=(*_FAULTS, Fault.NOT_POSSIBLE, Fault.FORBIDDEN),
    ),
    get("/api/journal", list_journal, Journal, query=JournalQuery),
)
