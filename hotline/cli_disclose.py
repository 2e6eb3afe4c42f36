"""`hotline disclose`: the public page of a month, as files for any web server."""

import asyncio
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from hotline import city_rows, database, disclosing, reports
from hotline.casework import SHIPPED, load_casework
from hotline.catalogue import say
from hotline.cli_config import configured
from hotline.config import Config
from hotline.reports import lines_of
from hotline.services import utc_now
from metrics.reports.document import Kind, period_of
from metrics.reports.league import load_league


def disclose(
    folder: Annotated[
        Path | None, typer.Argument(help="Where to; else where the service serves it at /open.")
    ] = None,
    month: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m"], help="Else the last that is over.")
    ] = None,
) -> None:
    """Write the figures and the published replies of a month as pages, CSV and JSON."""
    config = configured()
    first = month.date() if month else _last_month(utc_now())
    files = asyncio.run(_files(config, first))
    target = disclosing.put(folder or config.open_dir, period_of(Kind.MONTHLY, first), files)
    typer.echo(say("disclose.written", config.language, path=target, count=len(files)))


def _last_month(now: datetime) -> date:
    return period_of(Kind.MONTHLY, reports.day_before(now).replace(day=1)).before.first


async def _files(config: Config, first: date) -> dict[str, bytes]:
    reports.check_over(period_of(Kind.MONTHLY, first), utc_now())
    async with (
        database.opened(config.dsn, config.data_dir) as dsn,
        database.connected(dsn) as conn,
    ):
        loaded = await city_rows.newest(conn)
        return await disclosing.disclosed(
            conn,
            first,
            city=load_casework(config, loaded[1] if loaded else None).city,
            lines=lines_of(config),
            rules=load_league(config.city_dir, SHIPPED),
        )
