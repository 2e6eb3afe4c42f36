"""The live feed: the journal, followed by any number of readers without one query each per tick.

One connection listens; every reader is woken by what it hears and then reads the journal from the
row it saw last. A lost connection is opened again; readers look every few seconds in any case, so
a lost announcement delays a row and never hides it.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, suppress

import asyncpg

from hotline import journal
from hotline.database import Pool, borrowed
from hotline.errors import DatabaseUnavailableError

log = logging.getLogger(__name__)

LOOK_EVERY = 5.0
"""Seconds after which a reader looks even if it heard nothing."""
Connect = Callable[[], AbstractAsyncContextManager[asyncpg.Connection]]


class Feed:
    """What happened, as it happens: `async for entry in feed.follow(last_id)`."""

    def __init__(self, *, pool: Pool, connect: Connect) -> None:
        """`connect` opens the connection that listens; `run` keeps it open."""
        self._pool = pool
        self._connect = connect
        self._wake = asyncio.Event()
        self._closed = False
        self.listening = False

    async def run(self, *, again_after: float = 1.0) -> None:
        """Listen for ever; returns only when cancelled."""
        while True:
            with suppress(DatabaseUnavailableError, OSError, asyncpg.PostgresError):
                async with self._connect() as conn:
                    await self._listen(conn)
            self.listening = False
            log.warning("The live feed lost the database and connects again.")
            await asyncio.sleep(again_after)

    async def _listen(self, conn: asyncpg.Connection) -> None:
        lost = asyncio.Event()
        conn.add_termination_listener(lambda *_: lost.set())
        await conn.add_listener(journal.CHANNEL, lambda *_: self._tell())
        self.listening = True
        self._tell()
        await lost.wait()

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

    async def news(self, woken: asyncio.Event, *, look_every: float = LOOK_EVERY) -> None:
        """Wait for the next announcement, or as long as a lost one may stay unnoticed."""
        with suppress(TimeoutError):
            await asyncio.wait_for(woken.wait(), timeout=look_every)

    async def last_id(self) -> int:
        """The newest row: where a reader starts that wants only what is still to come."""
        return int(await self._pool.fetchval("SELECT coalesce(max(id), 0) FROM journal"))

    async def follow(
        self, last: int, *, look_every: float = LOOK_EVERY
    ) -> AsyncGenerator[journal.Entry, None]:
        """Every row after `last`, oldest first, then each new one; ends when the feed closes."""
        while not self._closed:
            woken = self._wake
            async with borrowed(self._pool) as conn:
                rows = await journal.after(conn, last)
            for entry in rows:
                last = entry.id
                yield entry
            if not rows:
                await self.news(woken, look_every=look_every)
