"""`hotline notices`: what was told to whom, what could not be, and having it tried again."""

from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hotline import notice_rows, notices
from hotline.catalogue import say
from hotline.cli_cases import at_work
from hotline.cli_config import configured
from hotline.cli_jobs import ALL
from hotline.masking import mask_text
from hotline.notice_rows import NoticeState
from hotline.services import utc_now

LONGEST_LIST = 100
notices_app = typer.Typer(
    name="notices", no_args_is_help=True, help="Notices out: list them, try the dead ones again."
)


@notices_app.command("list")
def list_notices(
    state: Annotated[NoticeState, typer.Option(help="Which ones.")] = NoticeState.DEAD,
) -> None:
    """The newest hundred notices of one state; addresses are masked."""
    config = configured()
    language = config.language
    found = at_work(config, lambda conn: notice_rows.listed(conn, state=state, limit=LONGEST_LIST))
    if not found:
        typer.echo(say("notices.none", language))
        return
    columns = ("id", "event", "destination", "to", "state", "tries", "reason")
    table = Table(*(say(f"notices.column.{name}", language) for name in columns), box=None)
    for one in found:
        to = f"{one.holder} {notices.masked(one.address)}".strip()
        reason = escape(mask_text(one.reason or ""))
        table.add_row(
            str(one.id),
            one.event,
            one.destination,
            escape(to),
            one.state.value,
            str(one.attempts),
            reason,
        )
    Console().print(table)


@notices_app.command()
def retry(
    which: Annotated[str, typer.Argument(help="The notice's number as listed, or: all.")],
) -> None:
    """Have an undeliverable notice, or all of them, tried again by the running service."""
    config = configured()
    if which != ALL and not (which.isascii() and which.isdigit() and len(which) < 19):  # noqa: PLR2004 - bigint
        raise typer.BadParameter(say("notices.which", config.language))
    ids = None if which == ALL else [int(which)]
    done = at_work(config, lambda conn: notices.revived(conn, ids, "command line", utc_now))
    key = "notices.retried" if done else "notices.none"
    typer.echo(say(key, config.language, **({"count": len(done)} if done else {})))
