"""The live feed: the journal, followed by any number of readers with one query for all of them.

One connection listens; what it hears of is read once and kept for a while, and every reader is
woken and takes it from there, so that thirty operators see a call as soon as one would. A reader
that is further behind reads the journal itself. A lost connection is opened again; until then, and
every few seconds in any case, readers look for themselves, so a lost announcement delays a row and
never hides it.
"""

import asyncio
import logging
from bisect import bisect_right
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, suppress

import asyncpg

from hotline import journal
from hotline.database import PASSING, Pool, borrowed
from hotline.errors import DatabaseUnavailableError

log = logging.getLogger(__name__)

LOOK_EVERY = 5.0
"""Seconds after which a reader looks even if it heard nothing."""
Shown = Callable[[asyncpg.Connection, Sequence[journal.Entry]], Awaitable[Sequence[journal.Entry]]]
"""Which of some rows a reader may see."""
Connect = Callable[[], AbstractAsyncContextManager[asyncpg.Connection]]
KEPT = 1000
"""The newest rows that are kept for readers; at most twice as many are."""


class Feed:
    """What happened, as it happens: `async for entry in feed.follow(last_id)`."""

    def __init__(self, *, pool: Pool, connect: Connect) -> None:
        """`connect` opens the connection that listens; `run` keeps it open."""
        self._pool = pool
        self._connect = connect
        self._wake = asyncio.Event()
        self._closed = False
        self._recent: list[journal.Entry] = []
        """Every row after `_base`, as far as it was heard of."""
        self._base = self._head = -1
        self.listening = False

    async def run(self, *, again_after: float = 1.0) -> None:
        """Listen for ever; returns only when cancelled."""
        while True:
            with suppress(DatabaseUnavailableError, *PASSING, asyncpg.PostgresError):
                async with self._connect() as conn:
                    await self._listen(conn)
            self.listening = False
            log.warning("The live feed lost the database and connects again.")
            await asyncio.sleep(again_after)

    async def _listen(self, conn: asyncpg.Connection) -> None:
        lost, stirred = False, asyncio.Event()

        def lose(*_: object) -> None:
            nonlocal lost
            lost = True
            stirred.set()

        conn.add_termination_listener(lose)
        await conn.add_listener(journal.CHANNEL, lambda *_: stirred.set())
        if self._head < 0:
            self._base = self._head = await _last_id(conn)
        stirred.set()
        self.listening = True
        while not lost:
            await stirred.wait()
            stirred.clear()
            await self._read(conn)

    async def _read(self, conn: asyncpg.Connection) -> None:
        """Take in what was written since the last time, and wake the readers."""
        while rows := await journal.after(conn, self._head):
            self._recent += rows
            self._head = rows[-1].id
            if len(self._recent) > 2 * KEPT:
                self._base = self._recent[-KEPT - 1].id
                del self._recent[:-KEPT]
        self._tell()

    def _tell(self) -> None:
        self._wake.set()
        self._wake = asyncio.Event()

    async def ping(self) -> None:
        """Raise unless announcements are heard."""
        if not self.listening:
            raise DatabaseUnavailableError(
                "The live feed does not hear the database: it shows what happens some seconds late."
            )

    def close(self) -> None:
        """End every reader: the service is going down."""
        self._closed = True
        self._tell()

    def now(self) -> asyncio.Event:
        """What the next announcement sets; taken before reading, so that none is missed."""
        return self._wake

    async def news(self, woken: asyncio.Event, *, look_every: float = LOOK_EVERY) -> bool:
        """Wait for the next announcement; False after as long as a lost one may stay unnoticed."""
        # Not wait_for: in Python 3.11 it forgets a cancellation that comes as the event is set, and
        # the service would wait for ever for a task that goes on.
        try:
            async with asyncio.timeout(look_every):
                return await woken.wait()
        except TimeoutError:
            return False

    async def last_id(self) -> int:
        """The newest row: where a reader starts that wants only what is still to come."""
        async with borrowed(self._pool) as conn:
            return await _last_id(conn)

    async def follow(
        self, last: int, *, shown: Shown | None = None, look_every: float = LOOK_EVERY
    ) -> AsyncGenerator[journal.Entry, None]:
        """Every row after `last`, oldest first, then each new one; ends when the feed closes.

        `shown` leaves out the rows that are not for this reader.
        """
        look = False
        while not self._closed:
            woken = self._wake
            rows = None if look else self._heard_after(last)
            if rows is None:
                async with borrowed(self._pool) as conn:
                    rows = await journal.after(conn, last)
            seen = rows
            if rows and shown is not None:
                async with borrowed(self._pool) as conn:
                    seen = await shown(conn, rows)
            for entry in seen:
                yield entry
            last = rows[-1].id if rows else last
            look = False
            if not rows:
                look = not await self.news(woken, look_every=look_every)

    def _heard_after(self, last: int) -> Sequence[journal.Entry] | None:
        """The rows after `last` that were heard of; None where only the journal itself knows."""
        if not self.listening or last < self._base:
            return None
        return self._recent[bisect_right(self._recent, last, key=lambda entry: entry.id) :]


async def _last_id(conn: asyncpg.Connection) -> int:
    return int(await conn.fetchval("SELECT coalesce(max(id), 0) FROM journal"))
