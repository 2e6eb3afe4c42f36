"""The city the service works with, exchanged for a newer version while the service runs.

`hotline city load` writes a version into the database; whoever runs on that database looks after
every announcement of the journal, and every few seconds, and takes the new one over. Cases in hand
go on with what they were given: a suggestion or a move that has begun ends with the old city.
"""

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime

from hotline import city_rows
from hotline.casework import Casework, load_casework, with_city
from hotline.config import Config
from hotline.database import PASSING, Connection, Pool, borrowed
from hotline.errors import DatabaseUnavailableError
from hotline.feed import Feed
from routing.directory import City, read_city
from routing.errors import RoutingError
from routing.suggestions import Suggestion
from transcription.transcripts import Turn

log = logging.getLogger(__name__)

AT_MOST_EVERY = 1.0
"""Seconds between two looks, however much is announced."""
FIRST_START = "first start"


async def opened(conn: Connection, config: Config) -> tuple[Casework, int | None]:
    """What the service starts with: the database's version of the city, else its folder."""
    found = await city_rows.newest(conn)
    number, data = found or (None, None)
    return await asyncio.to_thread(load_casework, config, data), number


async def first_load(conn: Connection, config: Config, now: datetime) -> None:
    """Give an embedded database the configured city once; later only `city load` changes it."""
    if await city_rows.newest_number(conn) is not None:
        return
    data = await asyncio.to_thread(read_city, config.city_dir)
    async with conn.transaction():
        await city_rows.load(conn, data, by=FIRST_START, at=now)


class CityDesk:
    """Knows the city as it is now, and suggests by its rules."""

    def __init__(
        self, casework: Casework, number: int | None, *, config: Config, pool: Pool, feed: Feed
    ) -> None:
        """`number` is the version that `casework` was made of, None for the folder."""
        self._config = config
        self._pool = pool
        self._feed = feed
        self._refused: int | None = None
        self.casework = casework
        self.number = number

    @property
    def city(self) -> City:
        """The city as it is now."""
        return self.casework.city

    def suggest(self, said: str | Sequence[Turn], line: str | None = None) -> Suggestion:
        """What words suggest by the rules of now; may be called from any thread."""
        return self.casework.classifier.suggest(said, line)

    async def run(self) -> None:
        """Follow what is loaded, for ever; returns only when cancelled."""
        while True:
            woken = self._feed.now()
            try:
                await self.refresh()
            except (*PASSING, DatabaseUnavailableError):
                log.warning("The city's data could not be looked at; it stays as it is.")
            await self._feed.news(woken)
            await asyncio.sleep(AT_MOST_EVERY)

    async def refresh(self) -> bool:
        """Take over the newest version, if it is another; says whether it was."""
        async with borrowed(self._pool) as conn:
            number = await city_rows.newest_number(conn)
            if number in {self.number, self._refused}:
                return False
            found = await city_rows.newest(conn)
        if found is None:
            return False
        try:
            self.casework = await asyncio.to_thread(
                with_city, self.casework, self._config, found[1]
            )
        except RoutingError as error:  # such as a policy this program does not know
            self._refused = found[0]
            log.error("Version %d of the city's data is not taken over: %s", found[0], error)  # noqa: TRY400 - the sentence says it all
            return False
        self.number = found[0]
        log.info("Version %d of the city's data is in force.", self.number)
        return True
