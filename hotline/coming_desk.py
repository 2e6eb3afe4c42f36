"""Units called to come that have not said in time that they do: told once, to whoever looks.

What was told stands in the journal, so nothing else has to be remembered: a crash, or a second
service, tells nobody twice, and what came due while the service was down is told at the next look.
"""

import asyncio
import logging
from datetime import timedelta
from typing import LiteralString

from hotline import comings, journal
from hotline.database import PASSING, Pool, transaction
from hotline.errors import DatabaseUnavailableError
from hotline.journal import Event
from hotline.services import Clock

log = logging.getLogger(__name__)

EVERY = timedelta(seconds=10)
SERVICE = "service"
_LATE: LiteralString = """
    SELECT c.id FROM comings c
     WHERE c.state = 'asked' AND c.due_at < $1
       AND NOT EXISTS (SELECT FROM journal j
                        WHERE j.case_id = c.case_id AND j.event = 'coming.overdue'
                          AND (j.body ->> 'coming')::bigint = c.id)
     ORDER BY c.due_at, c.id LIMIT 100"""


class ComingDesk:
    """Looks for requests to come that nobody has acknowledged in time."""

    def __init__(self, *, pool: Pool, clock: Clock, every: timedelta = EVERY) -> None:
        self._pool, self._clock, self._every = pool, clock, every.total_seconds()

    async def run(self) -> None:
        """Look every few seconds; returns only when cancelled."""
        while True:
            try:
                await self.look()
            except (DatabaseUnavailableError, *PASSING) as error:
                log.warning("The requests to come lost the database (%s), and try again.", error)
            await asyncio.sleep(self._every)

    async def look(self) -> int:
        """Tell of every request that is late by now, once; returns how many were told."""
        now = self._clock()
        async with transaction(self._pool) as tx:
            if not await tx.fetch(_LATE, now):
                return 0
            await journal.take_turn(tx)
            late = await tx.fetch(_LATE, now)  # another service may have told of them meanwhile
            for row in late:
                coming = await comings.get(tx, row["id"])
                await comings.tell(tx, Event.COMING_OVERDUE, coming, SERVICE, now)
        return len(late)
