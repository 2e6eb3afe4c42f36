"""Reports by day, week and month as JSON and as files, and the league table of units.

Every figure is one of the whole city's, the same for whoever may ask: a protected case is counted
in none. What is taken away as a file carries who took it and when, and leaves a row of the journal.
"""

import asyncio
from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated, Any
from urllib.parse import quote

from aiohttp import web
from pydantic import AfterValidator, Field

from hotline import journal, league_rows, reports
from hotline.casework import SHIPPED
from hotline.catalogue import say_both
from hotline.console.desk import Request
from hotline.console.endpoint import get, post
from hotline.console.problems import Fault, ProblemError
from hotline.console.shapes import Asked, Id, Name, Told
from hotline.console.who import DUTY, LEAGUE_READERS, OVERSEERS, UNITS
from hotline.database import borrowed, transaction
from hotline.drawing.data import BulletinView, view
from hotline.drawing.files import Format, drawn
from hotline.drawing.page import POLICY
from hotline.errors import AppealRefusedError
from hotline.journal import Event
from hotline.league_rows import Appeal, AppealReason
from hotline.reports import lines_of
from metrics.errors import NoSuchReport
from metrics.reports.document import Kind, Report, period_of
from metrics.reports.league import LeagueRules, Place, load_league
from routing.numbers import SHANGHAI


def _first_day(day: date) -> date:
    if day.day != 1:
        raise ValueError("a month is named by its first day")
    return day


EARLIEST = date(2000, 1, 1)
Day = Annotated[date, Field(ge=EARLIEST, le=date(2999, 12, 31))]
Month = Annotated[Day, AfterValidator(_first_day)]


class ReportQuery(Asked):
    """Which report: of the day, week (from Monday) or month in which `day` lies."""

    kind: Kind
    day: Day
    line: Name | None = None


class FileQuery(ReportQuery):
    """Likewise, and in which format."""

    format: Format


class MonthQuery(Asked):
    """Which month, by its first day."""

    month: Month


class SnapshotQuery(MonthQuery):
    """Which version of a frozen month; the newest where none is named."""

    version: Annotated[int, Field(ge=1, le=10_000)] | None = None


class FreezeAsked(Asked):
    """The month to be frozen, by its first day."""

    month: Month


class SnapshotView(Told):
    """A frozen league table with the rules and every number behind each score."""

    month: date
    version: int
    rules: str
    fingerprint: str
    content: dict[str, Any]
    sha256: str
    frozen_at: datetime
    frozen_by: str


class AppealAsked(Asked):
    """An item that counted against the unit and should not have."""

    month: Month
    indicator: Name
    case_id: Id
    reason: AppealReason


class AppealDecision(Asked):
    """Whether the appeal is granted."""

    granted: bool


class AppealView(Told):
    """An appeal; `granted` is null until somebody decided."""

    id: Id
    month: date
    unit: str
    indicator: str
    case_id: Id
    reason: AppealReason
    asked_at: datetime
    asked_by: str
    granted: bool | None
    decided_at: datetime | None
    decided_by: str | None


class Appeals(Told):
    """The appeals of a month."""

    appeals: tuple[AppealView, ...]


async def read_report(asked: Request) -> BulletinView:
    """A report: every indicator with its two numbers, units by name, topics with their change."""
    report, _ = await _made(asked, asked.asked(ReportQuery))
    return view(report)


async def take_report(asked: Request) -> web.Response:
    """The same report as a page, a workbook, a PDF or JSON, with who took it and when."""
    wanted, now = asked.asked(FileQuery), asked.services.clock()
    report, _ = await _made(asked, wanted)
    mark = say_both(
        "report.watermark",
        person=asked.who.name,
        at=f"{now.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}",
    )
    file = await asyncio.to_thread(drawn, report, wanted.format, now, mark)
    async with transaction(asked.services.pool) as tx:
        await journal.write(
            tx,
            at=now,
            actor=asked.who.name,
            event=Event.REPORT_TAKEN,
            body={"file": file.name, "line": wanted.line},
        )
    headers = {"Content-Type": file.media}
    if wanted.format is Format.HTML:
        headers |= {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": POLICY}
    else:
        name = quote(file.name, safe="")
        headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{name}"
    return web.Response(body=file.content, headers=headers)


async def read_league(asked: Request) -> SnapshotView:
    """The frozen league table of a month."""
    wanted = asked.asked(SnapshotQuery)
    async with borrowed(asked.services.pool) as conn:
        found = await league_rows.snapshot(conn, wanted.month, wanted.version)
    if found is None:
        raise ProblemError(Fault.NOT_FOUND, "This month has no such frozen table.")
    return SnapshotView(**asdict(found))


async def freeze_league(asked: Request) -> SnapshotView:
    """Freeze the league table of a month that is over, granted appeals taken in."""
    month, now = asked.asked(FreezeAsked).month, asked.services.clock()
    wanted = ReportQuery(kind=Kind.MONTHLY, day=month)
    _, places = await _made(asked, wanted)
    async with transaction(asked.services.pool) as tx:
        kept = await league_rows.freeze(tx, month, places, _rules(asked), asked.who.name, now)
    return SnapshotView(**asdict(kept))


async def list_league_appeals(asked: Request) -> Appeals:
    """The appeals of a month; a unit's people see those of their unit."""
    month = asked.asked(MonthQuery).month
    unit = None if asked.who.roles & OVERSEERS else asked.who.unit or ""
    async with borrowed(asked.services.pool) as conn:
        found = await league_rows.appeals(conn, month, unit)
    return Appeals(appeals=tuple(map(_appeal, found)))


async def appeal_league(asked: Request) -> Appeals:
    """A unit says that one of its items counted against it and should not have."""
    given, unit = asked.asked(AppealAsked), asked.who.unit or ""
    if given.indicator not in _rules(asked).weights:
        raise ProblemError(Fault.INVALID, "indicator: the league table has no such rate.")
    try:
        async with transaction(asked.services.pool) as tx:
            await asked.sight.check(tx, given.case_id)
            await league_rows.ask(
                tx,
                given.month,
                unit,
                given.indicator,
                given.case_id,
                given.reason,
                asked.who.name,
                asked.services.clock(),
            )
            found = await league_rows.appeals(tx, given.month, unit)
    except AppealRefusedError as error:
        raise ProblemError(Fault.CONFLICT, str(error)) from error
    return Appeals(appeals=tuple(map(_appeal, found)))


async def decide_league_appeal(asked: Request) -> Appeals:
    """Grant or refuse an appeal; the next version of the frozen month takes it in."""
    given, appeal_id = asked.asked(AppealDecision), asked.path_id("appeal_id")
    try:
        async with transaction(asked.services.pool) as tx:
            month, unit = await league_rows.decide(
                tx, appeal_id, grant=given.granted, by=asked.who.name, now=asked.services.clock()
            )
            found = await league_rows.appeals(tx, month, unit)
    except AppealRefusedError as error:
        raise ProblemError(Fault.CONFLICT, str(error)) from error
    return Appeals(appeals=tuple(map(_appeal, found)))


async def _made(asked: Request, wanted: ReportQuery) -> tuple[Report, tuple[Place, ...]]:
    """A report of what everybody counts the same: not through what this person may see."""
    services, period = asked.services, period_of(wanted.kind, wanted.day)
    try:
        reports.check_over(period, services.clock())
    except NoSuchReport as error:
        raise ProblemError(Fault.NOT_POSSIBLE, str(error)) from error
    async with borrowed(asked.desk.services.pool) as conn:
        return await reports.gathered(
            conn,
            period,
            city=services.city,
            lines=lines_of(services.config),
            rules=_rules(asked),
            line=wanted.line,
        )


def _rules(asked: Request) -> LeagueRules:
    return load_league(asked.services.config.city_dir, SHIPPED)


def _appeal(one: Appeal) -> AppealView:
    return AppealView(**asdict(one) | {"reason": AppealReason(one.reason)})


_IMPOSSIBLE = (Fault.NOT_POSSIBLE,)
ENDPOINTS = (
    get(
        "/api/reports", read_report, BulletinView, query=ReportQuery, roles=DUTY, faults=_IMPOSSIBLE
    ),
    get(
        "/api/reports/file",
        take_report,
        None,
        media="*/*",
        query=FileQuery,
        roles=DUTY,
        faults=_IMPOSSIBLE,
    ),
    get(
        "/api/league",
        read_league,
        SnapshotView,
        query=SnapshotQuery,
        roles=LEAGUE_READERS,
        faults=(Fault.NOT_FOUND,),
    ),
    post(
        "/api/league/freeze",
        freeze_league,
        FreezeAsked,
        SnapshotView,
        roles=OVERSEERS,
        faults=_IMPOSSIBLE,
    ),
    get(
        "/api/league/appeals", list_league_appeals, Appeals, query=MonthQuery, roles=LEAGUE_READERS
    ),
    post(
        "/api/league/appeals",
        appeal_league,
        AppealAsked,
        Appeals,
        roles=UNITS,
        faults=(Fault.NOT_FOUND, Fault.CONFLICT),
    ),
    post(
        "/api/league/appeals/{appeal_id}/decide",
        decide_league_appeal,
        AppealDecision,
        Appeals,
        roles=OVERSEERS,
        faults=(Fault.NOT_FOUND, Fault.CONFLICT),
    ),
)
