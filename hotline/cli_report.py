"""`hotline report`: the daily brief, the weekly and the monthly bulletin, as a file."""

import asyncio
import getpass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from hotline import city_rows, database, league_rows, reports, staffing_rows
from hotline.casework import SHIPPED, load_casework
from hotline.catalogue import say
from hotline.cli_config import configured
from hotline.config import Config
from hotline.database import Connection
from hotline.drawing.files import Format, drawn
from hotline.league_rows import Snapshot
from hotline.reports import lines_of
from hotline.services import utc_now
from metrics.reports import people
from metrics.reports.document import Kind, Period, Report, period_of
from metrics.reports.league import Place, load_league

report_app = typer.Typer(name="report", no_args_is_help=True, help="Reports, and the league table.")
DayOption = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d"], help="A day within it; else the last that is over."),
]
FormatOption = Annotated[Format, typer.Option("--format", help="As what.")]
OutOption = Annotated[Path | None, typer.Option(help="The file; else one in this folder.")]
LineOption = Annotated[str | None, typer.Option(help="One line; else all.")]


@report_app.command()
def daily(
    day: DayOption = None,
    shape: FormatOption = Format.PDF,
    out: OutOption = None,
    line: LineOption = None,
) -> None:
    """Write the brief of a day."""
    _write(Kind.DAILY, day, shape, out, line)


@report_app.command()
def weekly(
    day: DayOption = None,
    shape: FormatOption = Format.PDF,
    out: OutOption = None,
    line: LineOption = None,
) -> None:
    """Write the bulletin of a week, from Monday."""
    _write(Kind.WEEKLY, day, shape, out, line)


@report_app.command()
def monthly(
    day: DayOption = None,
    shape: FormatOption = Format.PDF,
    out: OutOption = None,
    line: LineOption = None,
) -> None:
    """Write the bulletin of a month, with the league table of units."""
    _write(Kind.MONTHLY, day, shape, out, line)


@report_app.command()
def operators(
    month: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m"], help="Else the last that is over.")
    ] = None,
    shape: FormatOption = Format.XLSX,
    out: OutOption = None,
    line: LineOption = None,
) -> None:
    """Write what each operator did in a month: counts by badge, no rank."""
    config = configured()
    first = _last_over(Kind.MONTHLY, reports.day_before(utc_now()))
    period = period_of(Kind.MONTHLY, month.date() if month else first)
    report = asyncio.run(_operators(config, period, line))
    _put(config, report, shape, out or Path(f"operators-{period.first}.{shape}"))


@report_app.command()
def freeze(
    month: Annotated[datetime, typer.Argument(formats=["%Y-%m"], help="A month that is over.")],
) -> None:
    """Freeze the league table of a month for good, granted appeals taken in."""
    config, first = configured(), month.date().replace(day=1)
    kept = asyncio.run(_freeze(config, first))
    typer.echo(
        say(
            "report.frozen",
            config.language,
            month=f"{first:%Y-%m}",
            version=kept.version,
            rules=kept.rules,
            sha256=kept.sha256,
        )
    )


def _write(
    kind: Kind, day: datetime | None, shape: Format, out: Path | None, line: str | None
) -> None:
    config, now = configured(), utc_now()
    within = day.date() if day else _last_over(kind, reports.day_before(now))
    report, _ = asyncio.run(_made(config, kind, within, line))
    _put(config, report, shape, out)


def _put(config: Config, report: Report, shape: Format, out: Path | None) -> None:
    now = utc_now()
    mark = say("report.watermark", config.language, person=getpass.getuser(), at=f"{now:%F %T}Z")
    file = drawn(report, shape, now, mark)
    target = out or Path(file.name)
    target.write_bytes(file.content)
    typer.echo(say("report.written", config.language, path=target))


async def _operators(config: Config, period: Period, line: str | None) -> Report:
    reports.check_over(period, utc_now())
    scope = reports.scope_of(period, lines_of(config), line)
    async with (
        database.opened(config.dsn, config.data_dir) as dsn,
        database.connected(dsn) as conn,
    ):
        sheets = await staffing_rows.sheets(conn, scope.since, scope.until, line)
        loaded = await city_rows.newest(conn)
    city = load_casework(config, loaded[1] if loaded else None).city
    return people.operators(period, city.name, sheets)


def _last_over(kind: Kind, yesterday: date) -> date:
    """A day of the last period that is over."""
    period = period_of(kind, yesterday)
    return yesterday if period.last <= yesterday else period.before.last


async def _made(
    config: Config, kind: Kind, day: date, line: str | None
) -> tuple[Report, tuple[Place, ...]]:
    async with (
        database.opened(config.dsn, config.data_dir) as dsn,
        database.connected(dsn) as conn,
    ):
        return await _gathered(conn, config, kind, day, line)


async def _gathered(
    conn: Connection, config: Config, kind: Kind, day: date, line: str | None
) -> tuple[Report, tuple[Place, ...]]:
    period = period_of(kind, day)
    reports.check_over(period, utc_now())
    loaded = await city_rows.newest(conn)
    return await reports.gathered(
        conn,
        period,
        city=load_casework(config, loaded[1] if loaded else None).city,
        lines=lines_of(config),
        rules=load_league(config.city_dir, SHIPPED),
        line=line,
    )


async def _freeze(config: Config, first: date) -> Snapshot:
    rules = load_league(config.city_dir, SHIPPED)
    async with (
        database.opened(config.dsn, config.data_dir) as dsn,
        database.connected(dsn) as conn,
    ):
        _, places = await _gathered(conn, config, Kind.MONTHLY, first, None)
        async with conn.transaction():
            return await league_rows.freeze(
                conn, first, places, rules, getpass.getuser(), utc_now()
            )
