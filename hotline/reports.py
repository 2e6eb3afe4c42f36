"""Gathers a report from one moment of the database."""

from datetime import date, datetime, time, timedelta

from hotline import league_rows, report_rows, staffing_rows
from hotline.database import Connection
from metrics.collect import Line
from metrics.errors import NoSuchReport
from metrics.indicators.definitions import Scope
from metrics.indicators.every import BY_KEY, INDICATORS
from metrics.indicators.store import figures
from metrics.reports.build import OF_UNITS, Found, report
from metrics.reports.document import Kind, Period, Report
from metrics.reports.league import LeagueRules, Place, UnitFigures, league
from routing.directory import City
from routing.numbers import SHANGHAI

OF_CITY, OF_AREA, ELSE = "市级单位", "县（市、区）单位", "其他单位"
DAY = timedelta(days=1)


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
        known = await of_units(conn, scope, city, rules)
        found = Found(
            period=period,
            city=city.name,
            figures=await figures(conn, scope, INDICATORS),
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


async def of_units(
    conn: Connection, scope: Scope, city: City, rules: LeagueRules
) -> list[UnitFigures]:
    """The figures of every unit that had anything to do in the period."""
    wanted = [BY_KEY[key] for key in dict.fromkeys((*OF_UNITS, *rules.weights))]
    found = []
    for name in await report_rows.units(conn, scope.since, scope.until):
        of_unit = Scope(
            since=scope.since, until=scope.until, line=scope.line, unit=name, lines=scope.lines
        )
        told = await figures(conn, of_unit, wanted)
        found.append(
            UnitFigures(
                unit=name,
                group=_group(city, name),
                dispatched=int(told["signed_in_time"].denominator),
                figures=told,
            )
        )
    return found


def _group(city: City, name: str) -> str:
    unit = city.unit(name)
    if unit is None:
        return ELSE
    return OF_CITY if unit.area is None else OF_AREA


def day_before(now: datetime) -> date:
    """The last day that is over."""
    return now.astimezone(SHANGHAI).date() - DAY
