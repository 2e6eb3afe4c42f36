"""One year lived and counted again."""

import logging
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from hotline.archiving import ArchiveDesk
from hotline.casework import SHIPPED, load_casework
from hotline.config import Config
from hotline.database import Connection, Pool, borrowed
from hotline.reminders import ReminderDesk
from hotline.supervision import SupervisionDesk
from metrics.collect import Line, Snapshot, due_times
from metrics.ledger import Ledger
from metrics.reports.league import load_league
from metrics.store import snapshot
from tests.year import city, compare, pages, people
from tests.year.crew import Crew
from tests.year.drive import Town
from tests.year.figures import Figures
from tests.year.log import Log
from tests.year.recount import Recount

LINES = (Line(name="mayor"), Line(name="duty"))


@dataclass(slots=True)
class Report:
    """What was lived, what differs (nothing should), and how long it took."""

    counts: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    figures: dict[str, object] = field(default_factory=dict)


class Year:
    """The service's desks on a simulated clock, and the recount beside them."""

    def __init__(
        self,
        pool: Pool,
        *,
        seed: int,
        logs: Sequence[Path] = (),
        reported: Sequence[int] = range(1, 12),
    ) -> None:
        """`logs` are what the simulator writes down: one file, or one for each of the crew.

        `reported` are the months whose bulletins are read.
        """
        casework = load_casework(Config())
        self.pool, self.now, self.report = pool, people.BEGAN, Report()
        self._limits, self._casework = casework.limits, casework
        self._league = load_league(Config().city_dir, SHIPPED)
        self.reported = reported
        self.staff = people.staff(Random(seed))  # noqa: S311 - a year that can be lived again
        # At the year's end limits reach past the published calendars, and are refused at each look.
        logging.getLogger("hotline").setLevel(logging.ERROR)
        self._town = Town(pool=pool, limits=casework.limits, staff=self.staff, seed=seed)
        self.log = Figures()
        self._logs = logs
        self._read = dict.fromkeys(logs, 0)
        self._reminders = ReminderDesk(
            pool=pool,
            policies=casework.policies,
            policy=casework.policy,
            calendar=casework.calendar,
            clock=self.clock,
            every=timedelta(seconds=10),
        )
        self._archive = ArchiveDesk(
            pool=pool, limits=lambda: casework.limits, clock=self.clock, every=timedelta(minutes=10)
        )
        self._supervision = SupervisionDesk(
            pool=pool,
            limits=lambda: casework.limits,
            city=lambda: casework.city,
            clock=self.clock,
            every=timedelta(seconds=30),
        )
        self.recount = Recount()
        self._due = due_times(casework.policies, casework.calendar)
        self._ledger = Ledger([line.name for line in LINES], self._due)

    def clock(self) -> datetime:
        """The simulated moment."""
        return self.now

    async def live(self, cases: int, every: timedelta, crew: Crew | None = None) -> Report:
        """Live the year with so many cases; the desks look once in every such stretch.

        With a crew its processes do what people do, and this one only looks and counts.
        """
        begun, doing = time.perf_counter(), crew or self._town
        self.report.differences += compare.calendars(self._limits.calendar)
        await self._town.hire()
        if crew is None:
            self._town.plan(cases)
            self._town.log = Log(self._logs[0] if self._logs else None)
        seasons = [people.BEGAN + timedelta(days=n) for n in (90, 181, 273)]
        self.now += timedelta(hours=10)  # nobody is reminded at night
        while self.now < people.ENDED:
            self.now = min(self.now + every, people.ENDED)
            started = time.perf_counter()
            await doing.until(self.now)
            self._took("calls and moves", started)
            await self._look(self.now)
            if seasons and self.now >= seasons[0]:
                del seasons[0]
                await self._count(self.now)
        await self._count(self.now)
        await self._close()
        self.report.seconds["the whole"] = time.perf_counter() - begun
        self.report.counts, self.report.events = doing.counts, self.recount.events
        return self.report

    async def _look(self, now: datetime) -> None:
        for name, look in (("reminders", self._reminders.look), ("archive", self._archive.look)):
            begun = time.perf_counter()
            while await look():
                pass
            self._took(name, begun)

        begun = time.perf_counter()
        await self._supervision.catch_up(now)
        self._took("supervision", begun)

    def _took(self, name: str, begun: float) -> None:
        self.report.seconds[name] = self.report.seconds.get(name, 0) + time.perf_counter() - begun

    async def _count(self, now: datetime) -> None:
        """Count everything anew and hold the service's numbers against it."""
        begun = time.perf_counter()
        async with borrowed(self.pool) as conn:
            await self.recount.read(conn)
            told = await snapshot(conn, LINES, self._ledger, now)
            self.report.differences += compare.rates(told, self.recount, now)
            self.report.differences += await compare.deputies(conn, self.staff, now)
            past = now >= people.ENDED
            if self._logs:
                self._read_on()
                self.report.differences += await city.differences(conn, self.log, now, past=past)
                self.report.differences += pages.of_prometheus(told, self.log, now)
            if self._logs and past:
                for month in self.reported:
                    self.report.differences += await pages.of_report(
                        conn, self.log, self._casework, self._league, month
                    )
            anew = await self.told_anew(conn, now)
        if anew.handling != told.handling:
            self.report.differences.append(f"{now:%F}: a ledger begun anew counts otherwise")
        mayor = told.handling["mayor"]
        self.report.figures |= {
            f"{now:%F} handling rate": mayor.ratio.value,
            f"{now:%F} on-time rate": mayor.on_time_ratio.value,
            f"{now:%F} connect rate": told.calls["mayor"].connect.value,
        }
        self._took("counting", begun)

    async def shown_otherwise(self, conn: Connection) -> bool:
        """Whether both the scraped page and a bulletin show other figures than the log."""
        told = await self.told_anew(conn, self.now)
        of_page = pages.of_prometheus(told, self.log, self.now)
        of_report = await pages.of_report(
            conn, self.log, self._casework, self._league, self.reported[0]
        )
        return any(of_page) and any(of_report)

    def _read_on(self) -> None:
        """Take in what was written into the logs since."""
        for path, place in self._read.items():
            with path.open(encoding="utf-8") as file:
                file.seek(place)
                self.log.read(iter(file.readline, ""))
                self._read[path] = file.tell()

    async def told_anew(self, conn: Connection, now: datetime) -> Snapshot:
        """The service's numbers, as one that has just been started counts them."""
        return await snapshot(conn, LINES, Ledger([line.name for line in LINES], self._due), now)

    async def _close(self) -> None:
        """What can only be said of the whole year."""
        begun, report, found = time.perf_counter(), self.report, self.recount
        found.all_passed(self.now)
        report.differences += found.wrongly_dated()
        faults, by_deputies = compare.absences(self.staff, found)
        report.differences += faults
        async with borrowed(self.pool) as conn:
            report.differences += await compare.journal(conn, found)
            report.differences += await compare.supervision(conn, found)
        report.figures |= {
            "journal rows": sum(found.events.values()),
            "moves": len(found.moves),
            "moves by deputies": by_deputies,
            "limits that ended unkept": len(found.late),
            "signatures that came too late": len(found.unsigned),
        }
        self._took("the audit and the rest", begun)
