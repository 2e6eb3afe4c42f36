"""`hotline retention`: what is kept how long, deleting what is due, and the proof of it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer

from hotline import database, retaining
from hotline.casework import SHIPPED
from hotline.catalogue import say
from hotline.cli_config import configured
from hotline.config import Config
from hotline.database import Pool
from hotline.errors import AuditError
from hotline.keeping import sounds_of
from hotline.retaining import Deleted, Stores
from hotline.services import utc_now
from routing.retention import load_retention

T = TypeVar("T")
retention_app = typer.Typer(name="retention", no_args_is_help=True, help="How long data is kept.")


@retention_app.callback()
def about() -> None:
    """How long each class of personal data is kept, and what was deleted when by which rule."""


@retention_app.command()
def show() -> None:
    """Tell of each class its period, how much is due and how much is held; deletes nothing."""
    config = configured()
    periods = load_retention(config.city_dir, SHIPPED)
    typer.echo(periods.name)
    for one in _on(config, lambda pool: retaining.standing(pool, periods, utc_now())):
        typer.echo(
            say(
                "retention.standing",
                config.language,
                kind=one.kind,
                months=one.months,
                before=one.before.date(),
                due=one.due,
                held=one.held,
            )
        )


@retention_app.command()
def run(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what is due, delete it not.")
    ] = False,
) -> None:
    """Delete everything that is due; each batch leaves its proof in the journal."""
    if dry_run:
        show()
        return
    config = configured()
    periods = load_retention(config.city_dir, SHIPPED)

    async def work(pool: Pool) -> list[Deleted]:
        stores = Stores(sounds=sounds_of(config), evidence=config.evidence_dir)
        return [it async for it in retaining.run(pool, stores, periods, utc_now())]

    done = _on(config, work)
    for one in done:
        typer.echo(
            say("retention.deleted", config.language, kind=one.kind, count=one.count, hash=one.hash)
        )
    typer.echo(say("retention.done", config.language, count=sum(one.count for one in done)))


@retention_app.command()
def prove() -> None:
    """Verify the journal with every proof of a deletion, and that none is half done."""
    config = configured()
    proven = _on(config, retaining.prove)
    if proven.fault is not None:
        raise AuditError(proven.fault)
    for kind, count in sorted(proven.deleted.items()):
        typer.echo(f"{kind}: {count}")
    typer.echo(say("retention.proven", config.language, proofs=proven.proofs))


def _on(config: Config, work: Callable[[Pool], Awaitable[T]]) -> T:
    async def go() -> T:
        async with (
            database.opened(config.dsn, config.data_dir) as dsn,
            database.pooled(dsn, size=2) as pool,
        ):
            return await work(pool)

    return asyncio.run(go())
