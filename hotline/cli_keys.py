"""`hotline keys`: change what names and numbers are sealed with, while the service runs."""

import asyncio
import math
from datetime import timedelta

import typer

from hotline import database, sealed
from hotline.catalogue import say
from hotline.cli_config import configured
from hotline.config import Config
from hotline.errors import HotlineError
from hotline.services import utc_now
from telephony.sealing import KeyFile, write_keys

SETTLES_IN = timedelta(minutes=10)
"""No transaction of ours lasts so long: afterwards nothing new can come with an old key."""

keys_app = typer.Typer(
    name="keys", no_args_is_help=True, help="Identity keys: change them, remove the old ones."
)


class KeysTooYoungError(HotlineError):
    """A transaction that began before the change may still use an old key."""


@keys_app.command()
def rotate() -> None:
    """Add a key and seal every name and number anew; the running service follows by itself."""
    config = configured()
    newest, count = asyncio.run(_rotate(config))
    typer.echo(say("keys.rotated", config.language, newest=newest, count=count))


@keys_app.command()
def prune() -> None:
    """Remove the old keys, once nothing is sealed with them any more."""
    config = configured()
    typer.echo(say("keys.pruned", config.language, newest=asyncio.run(_prune(config))))


async def _rotate(config: Config) -> tuple[int, int]:
    keys = KeyFile(config.keys_path)
    write_keys(keys.path, keys.ring.with_new_key())
    return keys.ring.newest, await _renew(config, keys)


async def _prune(config: Config) -> int:
    keys = KeyFile(config.keys_path)
    age = utc_now().timestamp() - keys.path.stat().st_mtime
    if (left := SETTLES_IN.total_seconds() - age) > 0:
        minutes = math.ceil(left / 60)
        raise KeysTooYoungError(say("keys.early", config.language, minutes=minutes))
    await _renew(config, keys)
    write_keys(keys.path, keys.ring.without_old_keys())
    return keys.ring.newest


async def _renew(config: Config, keys: KeyFile) -> int:
    async with (
        database.opened(config.dsn, config.data_dir) as dsn,
        database.connected(dsn, keys) as conn,
    ):
        await sealed.check_keys(conn, keys.ring)
        return await sealed.renew(conn, keys.ring)
