"""The captions of one call as server-sent events, for whoever may see that call.

Opening them is a look at the call and is written down. Whether the reader may still see it (a case
can become protected while the caller speaks) is looked at before every final, offer and state, and
at least once a second while guesses come; nothing is sent in between.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import LiteralString

from aiohttp import web

from hotline.caption_board import CaptionState, Item, Standing
from hotline.caption_calls import dial_key
from hotline.console import stream
from hotline.console.caption_shapes import EVENTS, Whose, shown
from hotline.console.desk import Request
from hotline.console.endpoint import get
from hotline.console.problems import Fault, ProblemError
from hotline.console.seen_api import note
from hotline.console.who import OFFICE
from hotline.database import borrowed
from hotline.journal import Event
from transcription.captions import Caption

_ENDED: LiteralString = "SELECT ended_at IS NOT NULL FROM calls WHERE id = $1"
_DIALLED: LiteralString = """
    SELECT EXISTS (SELECT FROM calls c WHERE c.system = d.system AND c.linked_id = d.channel)
      FROM dial_orders d WHERE d.id = $1"""
_CASE_OF: LiteralString = "SELECT case_id FROM dial_orders WHERE id = $1"
_GUESSES_FOR = 1.0
"""Seconds for which one look at the call serves for the guesses that follow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Talk:
    """The call that is read: by its number, or by that of the order that dialled it."""

    call_id: int | None = None
    dial_id: int | None = None

    @property
    def key(self) -> int:
        """Where the board keeps it."""
        return self.call_id if self.call_id is not None else dial_key(self.dial_id or 0)

    @property
    def whose(self) -> Whose:
        """What each event says of it."""
        return Whose(call_id=self.call_id, dial_id=self.dial_id)

    async def ended(self, asked: Request) -> bool | None:
        """Whether it has ended; None where there is none for this reader."""
        async with borrowed(asked.services.pool) as conn:
            if self.call_id is not None:
                ended: bool | None = await conn.fetchval(_ENDED, self.call_id)
            else:
                ended = await conn.fetchval(_DIALLED, self.dial_id)
        return ended


async def captions(asked: Request) -> web.StreamResponse:
    """Send how a call's captions stand, its finals so far, then what follows, until it is over."""
    talk = _Talk(call_id=asked.path_id("call_id"))
    if await talk.ended(asked) is None:
        raise ProblemError(Fault.NOT_FOUND, f"There is no call {talk.call_id}.")
    await note(asked, Event.SEEN_CALL, call_id=talk.call_id, what="captions")
    return await _sent(asked, talk)


async def captions_of_dial(asked: Request) -> web.StreamResponse:
    """Send the same of a call that was dialled from here, whom it reached as the caller."""
    talk = _Talk(dial_id=asked.path_id("dial_id"))
    if await talk.ended(asked) is None:
        raise ProblemError(Fault.NOT_FOUND, f"There is no dialled call {talk.dial_id}.")
    async with borrowed(asked.services.pool) as conn:
        case_id = await conn.fetchval(_CASE_OF, talk.dial_id)
    what = f"captions of dial {talk.dial_id}"
    await note(asked, Event.SEEN_CALL, case_id=case_id, what=what)
    return await _sent(asked, talk)


async def _sent(asked: Request, talk: _Talk) -> web.StreamResponse:
    desk = asked.desk
    if len(desk.readers) >= stream.READERS:
        raise ProblemError(Fault.TOO_MANY_READERS, "Too many feeds are open: close other windows.")
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"}
    )
    desk.readers.add(response)
    try:
        await response.prepare(asked.http)
        await stream.send(response, "retry: 2000\n\n")
        await _follow(response, asked, talk)
    except stream.CANNOT_READ:
        if asked.http.transport is not None:
            asked.http.transport.abort()
    finally:
        desk.readers.discard(response)
    return response


async def _follow(response: web.StreamResponse, asked: Request, talk: _Talk) -> None:
    watch = _Watch(asked, talk)
    items = asked.desk.services.captions.follow(talk.key)
    async with aclosing(items), aclosing(_with_beats(items)) as events:
        async for item in events:
            is_guess = isinstance(item, Caption) and not item.is_final
            if not await watch.may_read(is_guess=is_guess):
                return
            if watch.ended and not _lasts(asked, talk):
                await stream.send(response, _text(asked, talk, Standing(state=CaptionState.OVER)))
                return
            await stream.send(response, _text(asked, talk, item))


class _Watch:
    """Looks whether a reader may still read, as often as it must."""

    def __init__(self, asked: Request, talk: _Talk) -> None:
        self._asked, self._talk = asked, talk
        self._looked = float("-inf")
        self._asked_door = time.monotonic()
        self.ended = False
        """Whether the call had ended at the last look."""

    async def may_read(self, *, is_guess: bool) -> bool:
        """Whether the session goes on and the call may be seen."""
        now = time.monotonic()
        if stream.is_over(self._asked):
            return False
        if now - self._asked_door >= stream.BEAT:
            self._asked_door = now
            if not await stream.still(self._asked):
                return False
        if is_guess and now - self._looked < _GUESSES_FOR:
            return True
        self._looked = now
        ended = await self._talk.ended(self._asked)
        self.ended = bool(ended)
        return ended is not None


def _lasts(asked: Request, talk: _Talk) -> bool:
    """Whether the board knows of this call, and so will say itself when it is over."""
    state = asked.desk.services.captions.standing(talk.key).state
    return state not in {CaptionState.OFF, CaptionState.WAITING}


async def _with_beats(items: AsyncIterator[Item]) -> AsyncGenerator[Item | None, None]:
    """Each item; None whenever nothing came for a while."""
    following = asyncio.ensure_future(anext(items, None))
    try:
        while True:
            done, _ = await asyncio.wait({following}, timeout=stream.BEAT)
            if not done:
                yield None
                continue
            item = following.result()
            if item is None:
                return
            yield item
            following = asyncio.ensure_future(anext(items, None))
    finally:
        following.cancel()
        await asyncio.wait({following})


def _text(asked: Request, talk: _Talk, item: Item | None) -> str:
    if item is None:
        return ": nothing new\n\n"
    name, told = shown(talk.whose, item, asked.services.city)
    return f"event: {name}\ndata: {told.model_dump_json()}\n\n"


ENDPOINTS = (
    get(
        "/api/calls/{call_id}/captions",
        captions,
        None,
        media="text/event-stream",
        events=EVENTS,
        faults=(Fault.NOT_FOUND, Fault.TOO_MANY_READERS),
        roles=OFFICE,
    ),
    get(
        "/api/dials/{dial_id}/captions",
        captions_of_dial,
        None,
        media="text/event-stream",
        events=EVENTS,
        faults=(Fault.NOT_FOUND, Fault.TOO_MANY_READERS),
        roles=OFFICE,
    ),
)
