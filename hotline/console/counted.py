"""The newest snapshot of the counts, shared by the page of rates and the page for Prometheus.

It is taken at most once a second, however many ask.
"""

import asyncio
import time
from datetime import timedelta
from importlib.metadata import PackageNotFoundError, version

import asyncpg

from hotline.database import borrowed
from hotline.errors import DatabaseUnavailableError
from hotline.services import Services
from metrics.collect import DueTimes, Line, ProcessState, Snapshot, due_times
from metrics.exporter import render
from metrics.store import snapshot

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
"""Seconds the database may take to count."""


def running_version() -> str:
    """The version of the installed program, `0` where it runs from a bare checkout."""
    try:
        return version("hotline")
    except PackageNotFoundError:
        return "0"


class Counted:
    """The newest snapshot, counted anew when it is older than a second; one counting at a time."""

    def __init__(self, services: Services) -> None:
        """Lines and their targets come from the configuration."""
        self._services = services
        self._lines = tuple(
            Line(name=line.name, target=timedelta(seconds=line.target_seconds))
            for line in services.config.lines
        )
        self._rule: DueTimes = due_times(services.policies, services.calendar)
        self._turn = asyncio.Lock()
        self._newest: Snapshot | None = None
        self._counted_at = -FRESH_FOR

    async def now(self) -> Snapshot:
        """A snapshot at most a second old; raises one of `DATABASE_ERRORS`."""
        async with self._turn:
            if self._newest is None or time.monotonic() - self._counted_at >= FRESH_FOR:
                async with asyncio.timeout(PATIENCE), borrowed(self._services.pool) as conn:
                    self._newest = await snapshot(
                        conn, self._lines, self._rule, self._services.clock()
                    )
                self._counted_at = time.monotonic()
            return self._newest

    async def page(self, accept: str) -> tuple[bytes, str]:
        """The page for Prometheus; without a database it still tells what the process knows."""
        try:
            found: Snapshot | None = await self.now()
        except DATABASE_ERRORS:
            found = None
        return render(found, self._process(), accept=accept)

    def _process(self) -> ProcessState:
        return ProcessState(
            version=running_version(),
            links=tuple(it.connection.state for it in self._services.exchanges.values()),
        )
