"""`hotline store move`: recordings into the store that the configuration names now."""

import asyncio

import typer

from hotline import database
from hotline.catalogue import say
from hotline.cli_config import configured
from hotline.config import Config
from hotline.keeping import sounds_of
from hotline.moving import move_all

store_app = typer.Typer(name="store", no_args_is_help=True, help="Where recordings are kept.")


@store_app.callback()
def about() -> None:
    """Where recordings are kept: a folder, or a bucket of S3-compatible storage."""


@store_app.command()
def move() -> None:
    """Bring recordings that are still in the folder into the bucket, or back; verified, resumable.

    The service may run meanwhile. The status is 1 if a recording could not be moved.
    """
    config = configured()
    done, left = asyncio.run(_move(config))
    where = sounds_of(config).current.where
    typer.echo(say("store.moved", config.language, count=done, where=where, left=left))
    raise typer.Exit(1 if left else 0)


async def _move(config: Config) -> tuple[int, int]:
    done = left = 0
    async with (
        database.opened(config.dsn, config.data_dir) as dsn,
        database.pooled(dsn, size=2) as pool,
    ):
        async for one in move_all(pool, sounds_of(config)):
            done += one.moved
            left += not one.moved
            if one.reason is not None:
                typer.echo(f"{one.call_id} {one.leg}: {one.reason}")
    return done, left
