"""`hotline audit`: whether the journal was tampered with, and its head to be kept elsewhere."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, TypeVar

import asyncpg
import typer

from hotline import audit, database
from hotline.catalogue import say
from hotline.chain import Head, heads_in, written
from hotline.cli_config import configured
from hotline.cli_indicators import of_days
from hotline.config import Config
from hotline.errors import AuditError
from hotline.flattery import attempts
from hotline.services import utc_now
from routing.numbers import SHANGHAI

T = TypeVar("T")
HEADS = "journal_heads"
audit_app = typer.Typer(
    name="audit", no_args_is_help=True, help="The journal's chain: verify it, write its head down."
)
File = Annotated[
    Path | None,
    typer.Option(help="The file of heads outside the database; default: data_dir/journal_heads."),
]


def _reading(config: Config, work: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
    async def run() -> T:
        async with (
            database.opened(config.dsn, config.data_dir) as dsn,
            database.connected(dsn) as conn,
        ):
            return await work(conn)

    return asyncio.run(run())


@audit_app.command()
def verify(heads: File = None) -> None:
    """Read the whole journal again and compare every case with it; names the first fault."""
    config = configured()
    file = heads or config.data_dir / HEADS
    anchors = _heads(file, must=heads is not None)
    report = _reading(config, lambda conn: audit.verify(conn, anchors))
    if report.fault is not None:
        raise AuditError(report.fault)
    typer.echo(
        say(
            "audit.holds",
            config.language,
            rows=report.head.rows,
            cases=report.cases,
            texts=report.texts,
            erased=report.erased,
            anchors=len(anchors),
        )
    )


def _heads(file: Path, *, must: bool) -> dict[int, Head]:
    try:
        return heads_in(file.read_text(encoding="ascii"))
    except FileNotFoundError as error:
        if must:
            raise AuditError(f"There is no file of heads at {file}.") from error
        return {}
    except (OSError, ValueError) as error:
        raise AuditError(f"The file of heads {file} cannot be used: {error}.") from error


@audit_app.command()
def flattery(
    first: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="The first day.")],
    last: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="The last day.")],
) -> None:
    """List what was done, or looks as if done, to make a rate look better; the status is 1 then."""
    config = configured()
    days = of_days(first.date(), last.date(), line=None, unit=None, lines=())
    found = _reading(config, lambda conn: attempts(conn, days.since, days.until))
    for it in found:
        at = f"{it.at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
        who = f"{it.unit or '-'} {it.by or '-'}"
        typer.echo(f"{at}  {say(f'flattery.{it.trick}', config.language, what=it.what)}  {who}")
    typer.echo(say("flattery.found", config.language, count=len(found)))
    raise typer.Exit(1 if found else 0)


@audit_app.command()
def head(to: File = None) -> None:
    """Print where the journal ends now, and add the line to a file outside the database."""
    config = configured()
    line = written(_reading(config, audit.head_of), utc_now())
    file = to or config.data_dir / HEADS
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="ascii") as opened:
            opened.write(line + "\n")
    except OSError as error:
        raise AuditError(f"The head could not be written to {file}: {error}.") from error
    typer.echo(line)
