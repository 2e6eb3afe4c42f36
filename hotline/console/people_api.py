"""Signing in and out, and the journal as a list."""

import asyncio
import json
from typing import LiteralString

import asyncpg
from aiohttp import web

from hotline.console.desk import Desk, Request
from hotline.console.door import COOKIE, LASTS, Person
from hotline.console.endpoint import Endpoint, get, post
from hotline.console.problems import Fault, ProblemError
from hotline.console.shapes import EntryView, Journal, JournalQuery, Seat, Session, SignIn
from hotline.database import borrowed

_JOURNAL: LiteralString = """
    SELECT id, at, actor, event, call_id, case_id, body FROM journal
     WHERE ($1::bigint IS NULL OR id < $1)
       AND ($2::bigint IS NULL OR call_id = $2)
       AND ($3::bigint IS NULL OR case_id = $3)
     ORDER BY id DESC LIMIT $4"""


async def who_am_i(asked: Request) -> Session:
    """Who is signed in; open to everybody, so it says no more than that."""
    return _session(asked.desk, asked.person)


async def sign_in(asked: Request) -> web.Response:
    """Check the password and begin a session."""
    desk, given, now = asked.desk, asked.asked(SignIn), asked.services.clock()
    if desk.door.password_needed:
        address = asked.http.remote or "?"
        desk.door.attempts.check(address, now)
        # Counted before the slow check, so that attempts sent all at once are counted too.
        desk.door.attempts.failed(address, now)
        if not await asyncio.to_thread(desk.door.is_password, given.password):
            raise ProblemError(Fault.WRONG_PASSWORD, "The password is wrong.")
        desk.door.attempts.succeeded(address)
    if given.seat is not None and given.seat not in _seats(desk):
        raise ProblemError(Fault.INVALID, "seat: no operator of the configuration has it.")
    cookie, person = desk.door.begin(given.seat, now)
    response = _json(_session(desk, person))
    secure = asked.http.secure or asked.http.headers.get("X-Forwarded-Proto") == "https"
    response.set_cookie(
        COOKIE,
        cookie,
        max_age=int(LASTS.total_seconds()),
        httponly=True,
        samesite="Strict",
        secure=secure,
        path="/",
    )
    return response


async def sign_out(asked: Request) -> web.Response:
    """End the session, here and for any copy of its cookie."""
    if asked.person is not None:
        asked.desk.door.end(asked.person, asked.services.clock())
    nobody = None if asked.desk.door.password_needed else Person(seat=None)
    response = _json(_session(asked.desk, nobody))
    response.del_cookie(COOKIE, path="/", httponly=True, samesite="Strict")
    return response


async def list_journal(asked: Request) -> Journal:
    """One page of the journal, newest first."""
    query = asked.asked(JournalQuery)
    async with borrowed(asked.services.pool) as conn:
        rows = await conn.fetch(
            _JOURNAL, query.before, query.call_id, query.case_id, query.limit + 1
        )
    shown = rows[: query.limit]
    return Journal(
        entries=tuple(_entry(row) for row in shown),
        next=shown[-1]["id"] if len(rows) > query.limit else None,
    )


def _entry(row: asyncpg.Record) -> EntryView:
    return EntryView(**{**dict(row), "body": json.loads(row["body"])})


def _json(told: Session) -> web.Response:
    return web.Response(text=told.model_dump_json(), content_type="application/json")


def _seats(desk: Desk) -> dict[str, Seat]:
    return {
        it.extension: Seat(extension=it.extension, badge=it.badge, name=it.name)
        for it in desk.services.config.operators
    }


def _session(desk: Desk, person: Person | None) -> Session:
    return Session(
        signed_in=person is not None,
        password_needed=desk.door.password_needed,
        seat=person.seat if person else None,
        expires_at=person.expires_at if person else None,
        seats=tuple(_seats(desk).values()) if person else (),
    )


ENDPOINTS = (
    get("/api/session", who_am_i, Session, is_open=True),
    post(
        "/api/session",
        sign_in,
        SignIn,
        Session,
        faults=(Fault.WRONG_PASSWORD, Fault.TOO_MANY_ATTEMPTS),
        is_open=True,
    ),
    Endpoint(method="DELETE", path="/api/session", handler=sign_out, answers=Session, is_open=True),
    get("/api/journal", list_journal, Journal, query=JournalQuery),
)
