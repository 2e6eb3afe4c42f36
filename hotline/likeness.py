"""Who reads the words of cases: what is alike is known from then on, and a burst is seen at once.

    the words of a case changed -> its look is due (triggers of `cases` and `transcripts`)
    its look is due             -> its marks are kept, what it says is counted, bursts are weighed
                                   (bursts.py), and the look is done, committed

One reads at a time; a crash before the commit leaves the look due, after it nothing is left to do.
"""

import asyncio
import logging

from hotline import burst_rows, bursts
from hotline import likeness_rows as rows
from hotline.database import PASSING, Connection, Pool, transaction
from hotline.errors import DatabaseUnavailableError
from hotline.journal import Event
from hotline.services import Clock
from hotline.sighted import NOBODY, sighted
from routing.bursts import ALIKE_ENOUGH, LOOK_BACK

log = logging.getLogger(__name__)

AT_ONCE = 20
"""Cases read in one transaction."""


class LikenessDesk:
    """Reads the words of cases as they come."""

    def __init__(self, *, pool: Pool, clock: Clock, every: float) -> None:
        """`every` is in seconds. What everybody is told counts no protected case."""
        self._pool, self._clock, self._every = sighted(pool, NOBODY), clock, every

    async def run(self) -> None:
        """Look every few seconds; returns only when cancelled."""
        while True:
            try:
                while await self.look() == AT_ONCE:
                    pass
                await self.end()
            except (DatabaseUnavailableError, *PASSING) as error:
                log.warning("The reader of likeness lost the database (%s) and tries again.", error)
            await asyncio.sleep(self._every)

    async def look(self) -> int:
        """Read some cases whose words are new; returns how many."""
        async with transaction(self._pool) as tx:
            if not await rows.hold(tx):
                return 0
            looks = await rows.waiting(tx, AT_ONCE)
            raised = [burst for look in looks if (burst := await self._read(tx, look))]
            await rows.looked(tx, looks)
            for burst in raised:
                await bursts.told(tx, burst, self._clock())
        return len(looks)

    async def _read(self, tx: Connection, look: rows.Look) -> burst_rows.Burst | None:
        asked = await rows.asked(tx, look.words)
        near = await rows.near(
            tx, asked, beside=look.case_id, since=look.at - LOOK_BACK, least=ALIKE_ENOUGH
        )
        await rows.keep(tx, look, asked)
        return await bursts.noticed(tx, look.case_id, near, self._clock())

    async def end(self) -> int:
        """End the bursts that are over; returns how many."""
        now = self._clock()
        async with transaction(self._pool) as tx:
            over = await burst_rows.ended(tx, now)
            for burst in over:
                await bursts.told(tx, burst, now, Event.BURST_ENDED)
        return len(over)
