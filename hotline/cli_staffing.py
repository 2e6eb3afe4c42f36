"""`hotline staffing`: the calls that coming hours will bring, and the seats they need."""

import asyncio
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Annotated

import typer

from hotline import database, staffing
from hotline.casework import SHIPPED_CALENDARS, load_casework
from hotline.catalogue import Language, say
from hotline.cli_config import configured
from hotline.config import Config
from hotline.drawing.files import Format, drawn
from hotline.services import utc_now
from metrics.erlang import rostered
from metrics.forecast import Forecast, Plan
from metrics.reports.people import seats
from routing.calendar import load_calendar


def show(  # noqa: PLR0917 - typer reads them as options
    days: Annotated[int, typer.Option(min=1, max=staffing.MOST_DAYS, help="Coming days.")] = 7,
    weeks: Annotated[int, typer.Option(min=1, max=staffing.MOST_WEEKS, help="Past weeks.")] = 6,
    line: Annotated[str | None, typer.Option(help="One line; else all.")] = None,
    seconds: Annotated[float, typer.Option(min=0, help="The promised time to an answer.")] = 15,
    share: Annotated[float, typer.Option(help="Of how many callers.")] = 0.95,
    patience: Annotated[
        float | None, typer.Option(min=1, help="Mean seconds until a caller hangs up: Erlang A.")
    ] = None,
    absent: Annotated[
        float, typer.Option(help="Share of paid time in breaks, training, absence.")
    ] = 0.3,
    out: Annotated[
        Path | None, typer.Option(help="Write it as a file: .html, .xlsx, .pdf or .json.")
    ] = None,
) -> None:
    """Print for each coming hour the expected calls, the seats and the people to roster."""
    config = configured()
    plan = Plan(target=seconds, share=share, wrapup=config.seats.wrapup_seconds, patience=patience)
    found = asyncio.run(_forecast(config, plan, days, weeks, line))
    if out is None:
        typer.echo("\n".join(_told(found, absent, config.language)))
        return
    shapes = {f".{shape}": shape for shape in Format}
    if out.suffix not in shapes:
        raise typer.BadParameter("The file ends in .html, .xlsx, .pdf or .json.")
    report = seats(load_casework(config).city.name, found)
    out.write_bytes(drawn(report, shapes[out.suffix], utc_now()).content)
    typer.echo(say("report.written", config.language, path=out))


async def _forecast(
    config: Config, plan: Plan, days: int, weeks: int, line: str | None
) -> Forecast:
    calendar = load_calendar(SHIPPED_CALENDARS, config.loaded_calendars)
    async with (
        database.opened(config.dsn, config.data_dir) as dsn,
        database.connected(dsn) as conn,
    ):
        return await staffing.coming_days(
            conn, plan, calendar, now=utc_now(), days=days, weeks=weeks, line=line
        )


def _told(found: Forecast, absent: float, language: Language) -> Iterator[str]:
    plan = found.plan
    yield say(
        "staffing.plan",
        language,
        share=f"{plan.share:.1%}",
        seconds=f"{plan.target:g}",
        handling=f"{found.handling_seconds:.0f}",
    )
    for day, hours in groupby(found.hours, key=lambda one: one.day):
        yield say("staffing.day", language, day=day)
        for one in hours:
            needed = one.needed if one.with_patience is None else one.with_patience
            yield say(
                "staffing.hour",
                language,
                hour=f"{one.hour:02d}",
                calls=f"{one.calls:.1f}",
                most=one.most,
                seats=needed.seats,
                people=rostered(needed.seats, absent),
                in_time=f"{needed.in_time:.1%}",
                at_most=one.at_most.seats,
            )
    for day in found.untold:
        yield say("staffing.untold", language, day=day)
    if found.missed is not None:
        yield say("staffing.missed", language, missed=f"{found.missed:.1%}")
