"""`hotline inspect --since WHEN`: calls inspected anew after the form has changed."""

from datetime import UTC, datetime
from typing import Annotated

import asyncpg
import typer

from hotline import inspection_rows
from hotline.casework import SHIPPED
from hotline.catalogue import say
from hotline.cli_cases import at_work
from hotline.cli_config import configured
from hotline.cli_reconcile import since_when
from hotline.inspection_form import load_form
from hotline.jobs import JobName, enqueue


def inspect(
    since: Annotated[
        str, typer.Option(help="24h, 7d, 2026-11-23 or 2026-11-23T08:00; how far to go back.")
    ] = "7d",
) -> None:
    """Have every call since then inspected that the form in force has not inspected yet.

    The running service does the work; a call whose words were deleted stays as it was judged.
    """
    config = configured()
    form = load_form(config.city_dir, SHIPPED)
    began = since_when(since, datetime.now(UTC))

    async def work(conn: asyncpg.Connection) -> int:
        async with conn.transaction():
            calls = await inspection_rows.to_do(conn, began, form.fingerprint())
            for call_id in calls:
                await enqueue(conn, JobName.INSPECT, {"call_id": call_id})
        return len(calls)

    count = at_work(config, work)
    typer.echo(say("inspect.asked", config.language, count=count, form=form.name))
