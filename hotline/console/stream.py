"""The live feed over HTTP: the journal as server-sent events.

Each event's id is the journal row's id. A reader that comes back names the last id it saw and gets
every row after it, once. One that was away for more than `FARTHEST` rows is told to load anew.
Rows are read as they are written out, so a slow reader costs no memory; one that takes nothing
for `PATIENCE` seconds is let go and comes back by itself.
"""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from aiohttp import web

from hotline import journal
from hotline.console.counted import DATABASE_ERRORS
from hotline.console.desk import Request
from hotline.console.door import COOKIE, QUIET
from hotline.console.endpoint import get
from hotline.console.problems import Fault, ProblemError
from hotline.console.shapes import FeedQuery
from hotline.console.sight import visible_cases
from hotline.feed import Feed

FARTHEST = 10_000
PATIENCE = 30.0
BEAT = 15.0
"""Seconds between signs of life, so that both sides notice a dead connection."""
READERS = 200
CANNOT_READ = (TimeoutError, ConnectionError, *DATABASE_ERRORS)


async def feed(asked: Request) -> web.StreamResponse:
    """Send every row after the reader's last one, then each new row, until the reader leaves."""
    desk = asked.desk
    if len(desk.readers) >= READERS:
        raise ProblemError(Fault.TOO_MANY_READERS, "Too many feeds are open: close other windows.")
    newest = await desk.services.feed.last_id()
    wanted = _wanted(asked)
    last = newest if wanted is None or not newest - FARTHEST <= wanted <= newest else wanted
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"}
    )
    desk.readers.add(response)
    try:
        await response.prepare(asked.http)
        opening = "hello" if wanted is None or wanted == last else "reset"
        await send(response, f"retry: 2000\nid: {last}\nevent: {opening}\ndata: {last}\n\n")
        await _follow(response, desk.services.feed, last, asked)
    except CANNOT_READ:
        # The reader is gone, too slow, or the database is: it comes back with its last id.
        if asked.http.transport is not None:
            asked.http.transport.abort()
    finally:
        desk.readers.discard(response)
    return response


def _wanted(asked: Request) -> int | None:
    """Where the reader was; a browser that reconnects says it in Last-Event-ID."""
    header = asked.http.headers.get("Last-Event-ID", "")
    if header.isascii() and header.isdigit() and len(header) <= 18:  # noqa: PLR2004 - a bigint
        return int(header)
    return asked.asked(FeedQuery).last


async def _follow(response: web.StreamResponse, source: Feed, last: int, asked: Request) -> None:
    looked = time.monotonic()
    async with aclosing(_with_beats(source.follow(last, shown=asked.sight.shown))) as events:
        async for text in events:
            if is_over(asked):
                return
            if time.monotonic() - looked >= BEAT:
                looked = time.monotonic()
                if not await still(asked):
                    return
            await send(response, text)


def is_over(asked: Request) -> bool:
    """Whether the reader's session has ended."""
    expires = asked.who.expires_at
    return expires is not None and asked.services.clock() >= expires


async def still(asked: Request) -> bool:
    """Whether the reader may go on: a session can end, and roles can change, while one reads."""
    now = asked.services.clock()
    headers = {**asked.http.headers, QUIET: "1"}
    found = await asked.desk.door.who(headers, asked.http.cookies.get(COOKIE), now)
    return found is not None and visible_cases(found) == asked.sight


async def _with_beats(entries: AsyncIterator[journal.Entry]) -> AsyncGenerator[str, None]:
    """The entries as text, with a comment whenever nothing happened for a while."""
    following = asyncio.ensure_future(anext(entries, None))
    try:
        while True:
            done, _ = await asyncio.wait({following}, timeout=BEAT)
            if not done:
                yield ": nothing new\n\n"
                continue
            entry = following.result()
            if entry is None:
                return
            following = asyncio.ensure_future(anext(entries, None))
            if entry.event not in journal.LOOKS:
                yield _text(entry)
    finally:
        following.cancel()


def _text(entry: journal.Entry) -> str:
    told = {
        "id": entry.id,
        "at": entry.at.isoformat(),
        "actor": entry.actor,
        "event": entry.event,
        "call_id": entry.call_id,
        "case_id": entry.case_id,
        "body": entry.body,
    }
    # JSON escapes every line break, so one row is always one line of data.
    return f"id: {entry.id}\ndata: {json.dumps(told, ensure_ascii=False)}\n\n"


async def send(response: web.StreamResponse, text: str) -> None:
    """Write to a reader; raises TimeoutError where it takes nothing for `PATIENCE` seconds."""
    async with asyncio.timeout(PATIENCE):
        await response.write(text.encode())


ENDPOINTS = (
    get(
        "/api/feed",
        feed,
        None,
        media="text/event-stream",
        query=FeedQuery,
        faults=(Fault.TOO_MANY_READERS,),
    ),
)
