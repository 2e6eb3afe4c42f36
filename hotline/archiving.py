"""Closed cases go to the archive by themselves, when the period of their policy pack has passed.

When one goes follows from its closing and its pack (routing/in_force.py), so nothing has to be
remembered: whatever was missed while the service was down is found at the next look, and a case
that was archived, or opened again, is no longer among the closed ones. The move is a conditional
update with its journal row, as a person's moves are; some go in one short transaction.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from hotline import archive_rows, flow, journal
from hotline.database import PASSING, Connection, Pool, borrowed, transaction
from hotline.errors import DatabaseUnavailableError
from hotline.services import Clock
from routing.cases import Actor, Case, CaseState, Move, MoveData, Role
from routing.errors import CalendarEnds, CaseConflict, IllegalMove
from routing.in_force import InForce

log = logging.getLogger(__name__)

EVERY = timedelta(minutes=10)
AT_ONCE = 200
_IN_ONE_TURN = 20
"""Cases archived in one transaction: whoever tells of calls must not wait long for the journal."""
_SERVICE = Actor(name="service", roles=frozenset({Role.SYSTEM}))


class ArchiveDesk:
    """Looks for closed cases whose time has come, and moves them to the archive."""

    def __init__(
        self, *, pool: Pool, limits: Callable[[], InForce], clock: Clock, every: timedelta
    ) -> None:
        self._pool, self._limits, self._clock = pool, limits, clock
        self._every = every.total_seconds()

    async def run(self) -> None:
        """Look again and again; returns only when cancelled."""
        while True:
            try:
                while await self.look():
                    pass
            except (DatabaseUnavailableError, *PASSING) as error:
                log.warning("The archive lost the database (%s) and tries again.", error)
            await asyncio.sleep(self._every)

    async def look(self) -> int:
        """Archive what is due now, some hundred at a time; returns how many were archived."""
        now, limits = self._clock(), self._limits()
        async with borrowed(self._pool) as conn:
            due = [
                case
                for policy in await archive_rows.policies(conn)
                for case in await _due(conn, policy, now, limits)
            ]
        archived = 0
        for n in range(0, len(due), _IN_ONE_TURN):
            archived += await self._archive(due[n : n + _IN_ONE_TURN], now, limits)
        return archived

    async def _archive(self, cases: Sequence[Case], now: datetime, limits: InForce) -> int:
        archived = 0
        async with transaction(self._pool) as tx:
            await journal.take_turn(tx)
            for case in cases:
                try:
                    await flow.case_moved(
                        tx,
                        case.id,
                        move=Move.ARCHIVE,
                        actor=_SERVICE,
                        now=now,
                        data=MoveData(),
                        limits=limits,
                        expected=CaseState.CLOSED,
                        version=case.version,
                    )
                except (CaseConflict, IllegalMove) as error:
                    log.info("Case %s was not archived: %s", case.number, error)
                else:
                    archived += 1
        return archived


async def _due(conn: Connection, policy: str, now: datetime, limits: InForce) -> list[Case]:
    """Of one pack, those that are due: the one closed first is due first, so the rest can wait."""
    due = []
    for case in await archive_rows.closed(conn, policy, AT_ONCE):
        try:
            archive_at = limits.archive_at(case)
        except CalendarEnds as error:
            log.warning("Case %s stays out of the archive for now: %s", case.number, error)
            break
        if archive_at is None or now < archive_at:
            break
        due.append(case)
    return due
