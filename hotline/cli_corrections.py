"""`hotline cases corrections`: what people confirmed, as a file that `hotline train` takes."""

import csv
from pathlib import Path
from typing import Annotated

import asyncpg
import typer

from hotline.catalogue import say
from hotline.cli_cases import at_work
from hotline.cli_config import configured
from hotline.corrections import corrections

COLUMNS = ("text", "label", "suggested", "unit", "suggested_unit")


def write(
    out: Annotated[Path, typer.Option("--out", help="Where the CSV file is written.")],
    changed: Annotated[
        bool, typer.Option("--changed", help="Only where a person said something else.")
    ] = False,
) -> None:
    """Write what people confirmed or corrected as labelled messages, masked."""
    config = configured()

    async def work(conn: asyncpg.Connection) -> int:
        count = 0
        partial = out.with_name(out.name + ".partial")
        with partial.open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(COLUMNS)
            async for one in corrections(conn, changed=changed):
                rows.writerow([getattr(one, name) or "" for name in COLUMNS])
                count += 1
        partial.replace(out)
        return count

    count = at_work(config, work)
    typer.echo(say("cases.corrections", config.language, count=count, path=out))
