"""A month that is over is frozen and disclosed by the service, once what comes late has come.

Each night: the league table of the last month is frozen, if nobody did it (a person freezes a
further version when appeals were granted); its figures and published replies are written into the
public folder; and the months before it that are there are written anew, so that a reply that was
taken back leaves the page. A month in which nothing happened is neither frozen nor disclosed.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path

from hotline import disclosing, journal, league_rows, reports
from hotline.database import PASSING, Pool, borrowed, transaction
from hotline.errors import DatabaseUnavailableError
from hotline.services import Clock
from metrics.collect import Line
from metrics.reports.document import Kind, Period, period_of
from metrics.reports.league import LeagueRules, Place
from routing.directory import City
from routing.numbers import SHANGHAI

log = logging.getLogger(__name__)

SERVICE = "service"
NIGHTLY = time(4, tzinfo=SHANGHAI)
"""After the nightly deletion (retaining.py)."""
SETTLED = timedelta(days=5)
"""After its end: call-backs are over then, and the exchange's own records are read."""
AGAIN = 3
"""Months whose public pages are written anew each night."""


def next_night(now: datetime) -> datetime:
    """The next moment of the nightly run after a moment."""
    here = now.astimezone(SHANGHAI)
    tonight = datetime.combine(here.date(), NIGHTLY)
    return tonight if here < tonight else tonight + timedelta(days=1)


def last_settled(now: datetime) -> Period:
    """The last month that has been over for long enough."""
    day = (now - SETTLED).astimezone(SHANGHAI).date()
    return period_of(Kind.MONTHLY, day.replace(day=1)).before


class MonthDesk:
    """Ends months; a night when the service was away is made up by the next."""

    def __init__(
        self,
        *,
        pool: Pool,
        city: Callable[[], City],
        lines: tuple[Line, ...],
        rules: Callable[[], LeagueRules],
        folder: Path,
        clock: Clock,
    ) -> None:
        """`folder` is the public one."""
        self._pool, self._city, self._lines = pool, city, lines
        self._rules, self._folder, self._clock = rules, folder, clock

    async def run(self) -> None:
        """Every night again; returns only when cancelled."""
        while True:
            now = self._clock()
            await asyncio.sleep((next_night(now) - now).total_seconds())
            await self.look()

    async def look(self) -> None:
        """Freeze and disclose what is due now; a fault is told and waits for the next night."""
        try:
            await self._end(last_settled(self._clock()))
        except (DatabaseUnavailableError, OSError, *PASSING) as error:
            log.warning("The month's end waits for the next night: %s", error)

    async def _end(self, month: Period) -> None:
        async with borrowed(self._pool) as conn:
            report, places = await reports.gathered(
                conn, month, city=self._city(), lines=self._lines, rules=self._rules()
            )
        if report.pictures or len(report.tables) > 1:  # not the bare list of indicators
            await self._freeze(month.first, places)
            await self._disclose(month)
        for _ in range(AGAIN):
            month = month.before
            if (self._folder / f"{month.first:%Y-%m}").is_dir():
                await self._disclose(month)

    async def _freeze(self, month: date, places: tuple[Place, ...]) -> None:
        async with transaction(self._pool) as tx:
            await journal.take_turn(tx)  # of two services one freezes
            if await league_rows.snapshot(tx, month) is None:
                kept = await league_rows.freeze(
                    tx, month, places, self._rules(), SERVICE, self._clock()
                )
                log.info("The league table of %s is frozen, sha256 %s.", month, kept.sha256)

    async def _disclose(self, month: Period) -> None:
        async with borrowed(self._pool) as conn:
            files = await disclosing.disclosed(
                conn, month.first, city=self._city(), lines=self._lines, rules=self._rules()
            )
        await asyncio.to_thread(disclosing.put, self._folder, month, files)
