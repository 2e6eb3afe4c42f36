"""Gathers a report from one moment of the database."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

from hotline import league_rows, report_rows, staffing_rows
from hotline.config import Config
from hotline.database import Connection
from metrics.collect import Line
from metrics.errors import NoSuchReport
from metrics.indicators.definitions import Figure, Scope
from metrics.indicators.every import INDICATORS
from metrics.indicators.store import figures, figures_of_units
from metrics.reports.build import Found, report
from metrics.reports.document import Kind, Period, Report
from metrics.reports.league import LeagueRules, Place, UnitFigures, league
from routing.directory import City
from routing.numbers import SHANGHAI

OF_CITY, OF_AREA, ELSE = "市级单位", "县（市、区）单位", "其他单位"
DAY = timedelta(days=1)


def lines_of(config: Config) -> tuple[Line, ...]:
    """The configured lines with their targets."""
    return tuple(
        Line(name=line.name, target=timedelta(seconds=line.target_seconds)) for line in config.lines
    )


def scope_of(period: Period, lines: tuple[Line, ...], line: str | None = None) -> Scope:
    """Whole days of the city, as the indicators count them."""
    return Scope(
        since=datetime.combine(period.first, time(), SHANGHAI),
        until=datetime.combine(period.last + DAY, time(), SHANGHAI),
        line=line,
        lines=lines,
    )


def check_over(period: Period, now: datetime) -> None:
    """A report tells of whole days that are over.

    Raises:
        NoSuchReport: its last day is not over yet.
    """
    if period.last >= now.astimezone(SHANGHAI).date():
        raise NoSuchReport(
            f"The report of {period.first} to {period.last} can be made after its last day is over."
        )


async def gathered(
    conn: Connection,
    period: Period,
    *,
    city: City,
    lines: tuple[Line, ...],
    rules: LeagueRules,
    line: str | None = None,
) -> tuple[Report, tuple[Place, ...]]:
    """A report and its league table, of one moment; a month alone has a table."""
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        scope, before = scope_of(period, lines, line), scope_of(period.before, lines, line)
        names = await report_rows.units(conn, scope.since, scope.until)
        whole, told = await figures_of_units(conn, scope, INDICATORS, names)
        known = [_unit(city, name, told[name]) for name in names]
        found = Found(
            period=period,
            city=city.name,
            figures=whole,
            before=await figures(conn, before, INDICATORS),
            units=known,
            topics=await report_rows.topics(conn, before.since, scope.since, scope.until, line),
            areas=await report_rows.areas(conn, before.since, scope.since, scope.until, line),
            hours=await staffing_rows.hours(conn, scope.since, scope.until, line),
        )
        granted = await league_rows.granted(conn, period.first)
    if period.kind is not Kind.MONTHLY:
        return report(found), ()
    places = league(known, rules, granted)
    return report(found, places, rules), places


def _unit(city: City, name: str, told: Mapping[str, Figure]) -> UnitFigures:
    return UnitFigures(
        unit=name,
        group=_group(city, name),
        dispatched=int(told["signed_in_time"].denominator),
        figures=told,
    )


def _group(city: City, name: str) -> str:
    unit = city.unit(name)
    if unit is None:
        return ELSE
    return OF_CITY if unit.area is None else OF_AREA


def day_before(now: datetime) -> date:
    """The last day that is over."""
    return now.astimezone(SHANGHAI).date() - DAY
