"""`hotline jobs`: what was given up, why, and having it tried again."""

from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hotline import flow, jobs
from hotline.catalogue import say
from hotline.cli_cases import at_work
from hotline.cli_config import configured
from hotline.masking import mask_text

ALL = "all"
jobs_app = typer.Typer(
    name="jobs", no_args_is_help=True, help="Parked jobs: list them, try them again."
)


@jobs_app.command("list")
def list_jobs() -> None:
    """The first hundred jobs that were given up, oldest first, with the reason."""
    config = configured()
    language = config.language
    found = at_work(config, jobs.parked)
    if not found:
        typer.echo(say("jobs.none", language))
        return
    columns = ("id", "name", "about", "reason")
    table = Table(*(say(f"jobs.column.{name}", language) for name in columns), box=None)
    for job in found:
        about = " ".join(f"{key}={value}" for key, value in job.payload.items())
        table.add_row(str(job.id), job.name, escape(about), escape(mask_text(job.reason)))
    Console().print(table)


@jobs_app.command()
def retry(
    which: Annotated[str, typer.Argument(help="The job's number as listed, or: all.")],
) -> None:
    """Put a parked job, or all of them, back into the queue; the running service does the rest."""
    config = configured()
    if which != ALL and not (which.isascii() and which.isdigit() and len(which) < 19):  # noqa: PLR2004 - bigint
        raise typer.BadParameter(say("jobs.which", config.language))
    ids = None if which == ALL else [int(which)]
    done = at_work(config, lambda conn: flow.jobs_taken_up(conn, ids))
    key = "jobs.retried" if done else "jobs.none"
    typer.echo(say(key, config.language, **({"count": len(done)} if done else {})))
