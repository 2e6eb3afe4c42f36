"""`hotline worker`: hears recordings for the service, on this machine or any other.

It takes the transcription jobs from the shared queue and fetches each sound from the shared store
(the bucket, or a folder that both machines mount), so the service itself need not decode
(`speech.in_service = false`). It holds no identity keys and opens no port. Killed, it leaves its
jobs to another worker as soon as its heartbeat is old; what it had stored stays, what it had not is
heard once more, and the words of a leg are stored once.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from hotline import database
from hotline.config import Config
from hotline.errors import ConfigError, MigrationRefusedError
from hotline.hearing import Hearing
from hotline.jobs import Workers
from hotline.keeping import sounds_of
from hotline.services import utc_now
from hotline.speech import transcriber_of, workers_of

log = logging.getLogger(__name__)


async def work(config: Config, *, stop: asyncio.Event, ready: Callable[[], None]) -> None:
    """Hear recordings until `stop`, then finish the one in hand or put it back.

    Raises:
        ConfigError: there is no database that two machines could share.
        MigrationRefusedError: the database is not of this version.
        SpeechError: the speech model is missing or damaged.
    """
    async with _workers(config) as workers:
        task = asyncio.create_task(workers.run(), name="jobs")
        ready()
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        workers.stop()
        await asyncio.wait({task}, timeout=config.stop_within_seconds)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def _workers(config: Config) -> AsyncIterator[Workers]:
    """Everything the jobs need, opened; nothing runs yet."""
    dsn = config.dsn
    if dsn is None:
        raise ConfigError(
            "A worker shares the database of the service: set database_dsn in both configurations."
        )
    async with database.connected(dsn) as conn:
        if missing := [one for one in await database.pending(conn) if one.phase == "pre"]:
            raise MigrationRefusedError(
                f"The database lacks {len(missing)} migrations of this version: "
                "run `hotline migrate` first."
            )
    lanes = workers_of(config)
    transcriber = transcriber_of(config)
    try:
        await transcriber.ping()
        async with database.pooled(dsn, size=lanes + 2) as pool:
            sounds = sounds_of(config)
            await asyncio.to_thread(sounds.clear)
            hearing = Hearing(pool=pool, clock=utc_now, sounds=sounds, transcriber=transcriber)
            yield Workers(
                connect=lambda: database.connected(dsn), steps=hearing.slow(), at_once=2 * lanes
            )
    finally:
        await transcriber.aclose()
