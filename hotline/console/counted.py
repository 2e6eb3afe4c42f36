"""The newest snapshot of the counts, shared by the page of rates and the page for Prometheus.

However many ask, one counts.
"""

import asyncio
import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from importlib.metadata import PackageNotFoundError, version

import asyncpg

from hotline.database import borrowed
from hotline.endings import calendar_end, certificate_end, watched
from hotline.errors import DatabaseUnavailableError
from hotline.services import Services
from metrics.collect import DueTimes, Line, ProcessState, Snapshot, due_times
from metrics.exporter import render
from metrics.indicators.definitions import Current
from metrics.ledger import Ledger
from metrics.store import snapshot

log = logging.getLogger(__name__)

DATABASE_ERRORS = (
    DatabaseUnavailableError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.AdminShutdownError,
    OSError,
    TimeoutError,
)
FRESH_FOR = 1.0
PATIENCE = 5.0
"""Seconds anybody waits for a counting."""
QUICK = 0.02
"""Seconds a scrape waits for newer numbers than those that are there."""
ANSWER = 1.0
"""Seconds the database may take to say that it is there."""
LONGEST = 300.0
"""Seconds one counting may take; the first after a start looks at every case."""


def running_version() -> str:
    """The version of the installed program, `0` where it runs from a bare checkout."""
    try:
        return version("hotline")
    except PackageNotFoundError:
        return "0"


class Counted:
    """The newest snapshot, counted anew when it is no longer fresh; one counting at a time.

    Counting takes at most a tenth of the time, however large the database: a snapshot that took
    long to make is kept for longer, and says on the page when it was made.
    """

    def __init__(self, services: Services) -> None:
        """Lines and their targets come from the configuration."""
        self._services = services
        self._lines = tuple(
            Line(name=line.name, target=timedelta(seconds=line.target_seconds))
            for line in services.config.lines
        )
        self._rule: DueTimes = due_times(services.policies, services.calendar)
        self._ledger = self._new_ledger()
        self._counting: asyncio.Task[Snapshot] | None = None
        self._newest: Snapshot | None = None
        self._first: Snapshot | None = None
        """After a start, until all is counted: everything but what every ended case is read for."""
        self._fresh_until = 0.0
        self._current_until = 0.0

    def _new_ledger(self) -> Ledger:
        return Ledger([line.name for line in self._lines], self._rule)

    async def now(self) -> Snapshot:
        """A fresh snapshot; raises one of `DATABASE_ERRORS`.

        Whoever waits longer than `PATIENCE` is sent away, the counting goes on for the next.
        """
        return await self._within(PATIENCE)

    async def _within(self, patience: float) -> Snapshot:
        if self._newest is not None and time.monotonic() < self._fresh_until:
            return self._newest
        if self._counting is None or self._counting.done():
            self._counting = asyncio.create_task(self._count(), name="counting")
            self._counting.add_done_callback(_look_at)
        async with asyncio.timeout(patience):
            return await asyncio.shield(self._counting)

    async def _for_a_scrape(self) -> Snapshot | None:
        """The newest snapshot; after a start what there is of one, and what comes very soon."""
        known = self._newest or self._first
        try:
            return await self._within(PATIENCE if known is None else QUICK)
        except TimeoutError:
            return self._newest or self._first

    async def _count(self) -> Snapshot:
        """Count anew; the first time, which takes far longer than any later one, in two steps."""
        began, first = time.monotonic(), self._newest is None
        if self._newest is None:
            self._first = await self._read(None, None)
            self._keep_current(time.monotonic() - began)
            kept: Current | None = self._first.current
        else:
            kept = self._newest.current if began < self._current_until else None
        try:
            found = await self._read(self._ledger, kept)
        except BaseException:
            self._ledger = self._new_ledger()  # it may have taken in a part: begin again
            raise
        took = time.monotonic() - began
        if kept is None:
            self._keep_current(took)
        self._newest, self._first = found, None
        self._fresh_until = time.monotonic() + (FRESH_FOR if first else max(FRESH_FOR, 9 * took))
        return found

    def _keep_current(self, took: float) -> None:
        self._current_until = time.monotonic() + max(FRESH_FOR, 9 * took)

    async def _read(self, ledger: Ledger | None, kept: Current | None) -> Snapshot:
        async with asyncio.timeout(LONGEST), borrowed(self._services.pool) as conn:
            now = self._services.clock()
            return await snapshot(conn, self._lines, ledger, now, current=kept)

    async def _answers(self) -> bool:
        try:
            async with asyncio.timeout(ANSWER), borrowed(self._services.pool) as conn:
                return bool(await conn.fetchval("SELECT true"))
        except DATABASE_ERRORS:
            return False

    async def close(self) -> None:
        """Count no more: the service is going down."""
        if self._counting is not None:
            self._counting.cancel()
            await asyncio.wait([self._counting])

    async def page(self, accept: str) -> tuple[bytes, str]:
        """The page for Prometheus; without a database it still tells what the process knows.

        After a start a large city's cases take a while to count: until then the page says that the
        database answers, and has everything but the handling counters.
        """
        found, answers = None, await self._answers()
        if answers:
            with suppress(*DATABASE_ERRORS):
                found = await self._for_a_scrape()
        paths = watched(self._services.config)
        ends = await asyncio.to_thread(lambda: {it.name: certificate_end(it) for it in paths})
        now = self._services.clock()
        return render(found, self._process(ends), accept=accept, now=now, answers=answers)

    def _process(self, certificates: Mapping[str, datetime | None]) -> ProcessState:
        return ProcessState(
            version=running_version(),
            links=tuple(it.connection.state for it in self._services.exchanges.values()),
            captions=self._services.caption_figures(),
            calendar_end=calendar_end(self._services.calendar),
            certificates=certificates,
        )


def _look_at(counting: "asyncio.Task[Snapshot]") -> None:
    """Take note of a failure that nobody waited for; the next who asks counts again."""
    if not counting.cancelled() and (error := counting.exception()) is not None:
        log.info("The counts could not be read: %s", type(error).__name__)
