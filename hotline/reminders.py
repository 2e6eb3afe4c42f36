"""Reminders: one journal row when a stage of a case has used 50, 80 and 100 % of its limit.

    a case changed       -> its look is due at once (a trigger of the table `cases`)
    its look is due      -> clocks from journal and policy: what to send now, when to look again
    nobody changed it    -> reminders_sent, the next look and journal(reminder.due), committed

Only cases whose next look is due are read, by index, however many there are. A crash before the
commit leaves the look due; after it the natural key of a reminder keeps it from being sent twice.
Who is told, and how, follows from the journal (notices.py).
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hotline import journal
from hotline import reminder_rows as rows
from hotline.database import PASSING, Connection, Pool, borrowed, transaction
from hotline.errors import DatabaseUnavailableError
from hotline.journal import Event
from hotline.reminder_rows import Look, Looked
from hotline.services import Clock as Time
from routing.calendar import Calendar
from routing.clock_facts import facts_of
from routing.clocks import clocks_of
from routing.errors import RoutingError
from routing.limits import Stage
from routing.policy import Policy
from routing.reminding import Reminder, next_look, reminders_of, warnings_due

log = logging.getLogger(__name__)

SERVICE = "service"
AT_ONCE = 200
_IN_ONE_TURN = 20
"""Cases told of in one transaction: whoever tells of calls must not wait long for the journal."""
_UNDATED = timedelta(hours=1)
"""A case with a clock that cannot be computed is tried again then, or at once after a change."""


class ReminderDesk:
    """Finds the clocks that have come to a share of their limit, and says so in the journal."""

    def __init__(
        self,
        *,
        pool: Pool,
        policies: Mapping[str, Policy],
        policy: Policy,
        calendar: Calendar,
        clock: Time,
        every: timedelta,
    ) -> None:
        """`policy` is in force for cases that have none of their own yet."""
        self._pool, self._clock = pool, clock
        self._policies, self._policy, self._calendar = policies, policy, calendar
        self._every = every.total_seconds()

    async def run(self) -> None:
        """Look every few seconds; returns only when cancelled."""
        while True:
            try:
                while await self.look() == AT_ONCE:
                    pass
            except (DatabaseUnavailableError, *PASSING) as error:
                log.warning("The reminders lost the database (%s) and try again.", error)
            await asyncio.sleep(self._every)

    async def look(self) -> int:
        """Look at the cases that are due, some hundred at a time; returns how many were settled."""
        now = self._clock()
        async with borrowed(self._pool) as conn:
            looks = await rows.waiting(conn, now, AT_ONCE)
        if not looks:
            return 0
        looked = [self._looked(look, now) for look in looks]
        settled = 0
        if silent := [one for one in looked if not one.due]:
            async with transaction(self._pool) as tx:
                settled += len(await rows.move_on(tx, silent))
        telling = [one for one in looked if one.due]
        for n in range(0, len(telling), _IN_ONE_TURN):
            settled += await self._tell(telling[n : n + _IN_ONE_TURN], now)
        return settled

    async def _tell(self, looked: Sequence[Looked], now: datetime) -> int:
        async with transaction(self._pool) as tx:
            # Before any row is locked: whoever moves several cases in one transaction holds the
            # turn and then needs the rows.
            await journal.take_turn(tx)
            settled = await rows.move_on(tx, looked)
            here = [one for one in looked if one.look.case.id in settled]
            due = [(one.look.case.id, reminder) for one in here for reminder in one.due]
            new = await rows.remember(tx, due, now)
            for one in here:
                for reminder in one.due:
                    if (one.look.case.id, reminder.mark) in new:
                        await _write(tx, one, reminder, now)
        return len(settled)

    def _looked(self, look: Look, now: datetime) -> Looked:
        try:
            return self._computed(look, now)
        except RoutingError as error:
            log.warning("Case %s reminds nobody for now: %s", look.case.number, error)
            return Looked(look=look, due=(), again_at=now + _UNDATED)

    def _computed(self, look: Look, now: datetime) -> Looked:
        facts, policy = facts_of(look.case, look.moves, look.phoned), self._policy_of(look)
        here = tuple(stage for stage in facts.stages if stage.left_at is None)
        clocks = clocks_of(replace(facts, stages=here), policy, self._calendar)
        for sentence in clocks.undated:
            log.warning("Case %s reminds nobody of a limit: %s", look.case.number, sentence)
        reminders = reminders_of(clocks.running(), facts.urgency, policy, self._calendar)
        due = warnings_due(reminders, look.sent, facts.urgency, policy, now)
        sent = look.sent | {one.mark for one in due}
        again_at = next_look(reminders, sent, facts.urgency, policy, now)
        if clocks.undated:
            again_at = min(again_at or now + _UNDATED, now + _UNDATED)
        return Looked(look=look, due=due, again_at=again_at)

    def _policy_of(self, look: Look) -> Policy:
        name = look.case.policy
        if name is None:
            return self._policy
        if (policy := self._policies.get(name)) is None:
            raise RoutingError(f"the policy {name} it was opened under is no longer there.")
        return policy


async def _write(tx: Connection, looked: Looked, reminder: Reminder, now: datetime) -> None:
    case = looked.look.case
    await journal.write(
        tx,
        at=now,
        actor=SERVICE,
        event=Event.REMINDER_DUE,
        call_id=case.call_id,
        case_id=case.id,
        body=_body(looked, reminder),
    )


def _body(looked: Looked, reminder: Reminder) -> dict[str, Any]:
    """What a receiver must know; `highest` is the share the clock stands at by now."""
    case, clock = looked.look.case, reminder.clock
    same = [one.mark.share for one in looked.due if one.clock == clock]
    return {
        "number": case.number,
        "stage": reminder.mark.stage,
        "share": reminder.mark.share,
        "highest": max(same),
        "starts_at": clock.starts_at,
        "ends_at": clock.ends_at,
        "first_end": clock.first_end,
        "reached_at": reminder.at,
        "policy": clock.policy,
        "basis": clock.rule.basis,
        "kind": case.kind,
        "urgency": case.urgency,
        "line": case.line,
        "unit": case.unit,
        # Of a consultation those are reminded that have not said anything yet.
        **({"units": case.asked} if reminder.mark.stage is Stage.CONSULTATION else {}),
        "owner": case.owner,
    }
