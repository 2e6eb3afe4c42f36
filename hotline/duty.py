"""The duty desk's watch: alarms are rung until acknowledged, timers remind and raise an alarm.

    raised, nobody is rung   -> a call-out of those on duty; its list at its end: another one
    a call-out acknowledged  -> the incident is acknowledged by whoever pressed the key
    a clock at 80 and 100 %  -> duty_reminders and journal(duty.timer_due), each once
    a shift has changed      -> without both signatures a gap of its line (duty_handover.py)

Everything is found in the database at each look, so a crash loses and doubles nothing.
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, LiteralString

import asyncpg

from hotline import (
    callout_rows,
    duty_handover,
    duty_incidents,
    duty_instructions,
    journal,
)
from hotline import duty_incident_rows as rows
from hotline import duty_reminder_rows as reminders
from hotline.callout import CalloutDesk
from hotline.catalogue import say
from hotline.config import Config
from hotline.database import PASSING, Connection, Pool, borrowed, transaction
from hotline.duty_incident_rows import Incident
from hotline.duty_incidents import By, Raised
from hotline.duty_reminder_rows import ALARM, Mark
from hotline.errors import (
    ControlImpossibleError,
    ControlUnavailableError,
    DutyChangedError,
)
from hotline.journal import Event
from hotline.masking import mask_number
from hotline.services import Clock
from routing.duty_incidents import IncidentClock, Timer, clocks_of
from routing.duty_policy import ReportingPolicy

log = logging.getLogger(__name__)

SERVICE = "service"
AT_ONCE = 10_000
SHARES = (80, ALARM)
TIMERS = tuple(Timer)
_NOBODY = "00"
"""In whose name outside numbers are rung where the configuration has no operators."""

_TO_RING: LiteralString = """
    SELECT d.id FROM duty_incidents d LEFT JOIN callouts c ON c.id = d.callout_id
     WHERE d.state = 'raised' AND d.acknowledged_at IS NULL
       AND (c.id IS NULL OR c.state = 'exhausted') ORDER BY d.id"""
_ANSWERED: LiteralString = """
    SELECT d.id, s.target FROM duty_incidents d
      JOIN callouts c ON c.id = d.callout_id
      JOIN callout_steps s ON s.callout_id = c.id AND s.state = 'acknowledged'
     WHERE d.state = 'raised' AND d.acknowledged_at IS NULL AND c.state = 'acknowledged'
     ORDER BY d.id"""


class DutyDesk:
    """Watches over what the duty desk must do in time."""

    def __init__(
        self,
        *,
        config: Config,
        pool: Pool,
        callouts: CalloutDesk,
        policy: ReportingPolicy,
        clock: Clock,
    ) -> None:
        """`policy` times incidents that are opened from now on."""
        self._config, self._pool, self._callouts, self._clock = config, pool, callouts, clock
        self.policy = policy
        self._said: dict[int, str] = {}
        """Why nobody is rung for an incident, as far as the log was told."""

    async def run(self) -> None:
        """Look every few seconds; returns only when cancelled."""
        while True:
            try:
                await self.look()
            except (*PASSING, asyncpg.PostgresError) as error:
                log.warning("The duty desk lost the database (%s) and looks again.", error)
            await asyncio.sleep(self._config.duty.look_seconds)

    async def look(self) -> None:
        """One look at everything."""
        await self._take_acknowledgements()
        await self._ring_again()
        await self._remind()
        await duty_instructions.follow(self._pool, self._clock())
        await duty_handover.follow(self._pool, self._config, self._clock())

    async def raise_alarm(self, tx: Connection, raised: Raised, by: By, seat: str | None) -> int:
        """Raise an alarm and have those on duty rung, in one step; returns the incident's number.

        Whoever raises the same case twice finds the first alarm. That nobody can be rung at this
        moment loses nothing: it is tried again until somebody acknowledges.
        """
        number = await duty_incidents.add(tx, raised, self.policy, by)
        if number is None:
            found = raised.case_id and await rows.live_of_case(tx, raised.case_id)
            if not found:
                raise DutyChangedError("The alarm of this case ended at this very moment.")
            return found
        await self._call_out(tx, await rows.get(tx, number), seat, by.name)
        await duty_incidents.tell_raised(tx, number, by)
        return number

    async def acknowledge(self, tx: Connection, number: int, by: By) -> None:
        """Somebody acknowledges at a desk: nobody else is rung."""
        incident = await rows.held(tx, number)
        if incident.callout_id is not None:
            await callout_rows.acknowledged_at_a_desk(tx, incident.callout_id, by.at)
        await duty_incidents.acknowledge(tx, number, by)

    def wake(self) -> None:
        """Ring at once whoever is to be rung."""
        self._callouts.wake()

    async def _call_out(
        self, tx: Connection, incident: Incident, seat: str | None, by: str
    ) -> None:
        asking = seat or next((one.extension for one in self._config.operators), _NOBODY)
        try:
            callout = await self._callouts.begin(
                tx,
                asking,
                incident.line,
                say("duty.callout", self._config.language, incident=incident.id),
                case_id=incident.case_id,
                journalled=by,
            )
        except (ControlImpossibleError, ControlUnavailableError) as error:
            if self._said.get(incident.id) != str(error):
                log.warning("Incident %d: nobody is rung yet: %s", incident.id, error)
                self._said[incident.id] = str(error)
            return
        self._said.pop(incident.id, None)
        await rows.set_callout(tx, incident.id, callout)

    async def _ring_again(self) -> None:
        async with borrowed(self._pool) as conn:
            waiting = [row["id"] for row in await conn.fetch(_TO_RING)]
        for number in waiting:
            async with transaction(self._pool) as tx:
                incident = await rows.held(tx, number)
                if number in {row["id"] for row in await tx.fetch(_TO_RING)}:
                    await self._call_out(tx, incident, None, SERVICE)
        if waiting:
            self.wake()

    async def _take_acknowledgements(self) -> None:
        async with borrowed(self._pool) as conn:
            answered = await conn.fetch(_ANSWERED)
        for row in answered:
            by = By(name=mask_number(row["target"]), at=self._clock())
            async with transaction(self._pool) as tx:
                try:
                    await duty_incidents.acknowledge(tx, row["id"], by)
                except DutyChangedError:
                    continue  # at a desk, at the same moment

    async def _remind(self) -> None:
        now = self._clock()
        async with borrowed(self._pool) as conn:
            live = await rows.listed(conn, live=True, limit=AT_ONCE)
            numbers = [one.id for one in live]
            facts = await rows.facts_of(conn, numbers)
            sent = await reminders.sent(conn, TIMERS, numbers)
            standing = await reminders.alarms(conn, TIMERS)
        clocks = {one.id: clocks_of(facts.get(one.id, ()), one.policy) for one in live}
        due = [
            (incident, clock, mark)
            for incident in live
            for clock in clocks[incident.id]
            for mark in marks_due(incident.id, clock, now)
            if mark not in sent
        ]
        for incident, clock, mark in due:
            await self._tell(incident, clock, mark, now)
        overdue = {
            _mark(number, clock, ALARM)
            for number, found in clocks.items()
            for clock in found
            if clock.is_overdue(now)
        }
        await self._settle([one for one in standing if one not in overdue], now)

    async def _tell(
        self, incident: Incident, clock: IncidentClock, mark: Mark, now: datetime
    ) -> None:
        async with transaction(self._pool) as tx:
            if await reminders.remember(tx, mark, now):
                await journal.write(
                    tx,
                    at=now,
                    actor=SERVICE,
                    event=Event.DUTY_TIMER_DUE,
                    call_id=incident.call_id,
                    case_id=incident.case_id,
                    body=_body(incident, clock, mark),
                )

    async def _settle(self, marks: Sequence[Mark], now: datetime) -> None:
        for mark in marks:
            async with transaction(self._pool) as tx:
                await reminders.over(tx, mark, now)


def marks_due(number: int, clock: IncidentClock, now: datetime) -> Iterable[Mark]:
    """The reminders of a clock that are due now; whoever must only pick up is told at the end."""
    if clock.stopped_at is not None:
        return
    for share in SHARES:
        if share != ALARM and clock.timer is Timer.ACKNOWLEDGE:
            continue
        if clock.moment_of(share) <= now:
            yield _mark(number, clock, share)


def _mark(number: int, clock: IncidentClock, share: int) -> Mark:
    return Mark(kind=clock.timer.value, subject=number, ends_at=clock.ends_at, share=share)


def _body(incident: Incident, clock: IncidentClock, mark: Mark) -> dict[str, Any]:
    return {
        "subject": incident.id,
        "line": incident.line,
        "state": incident.state.value,
        "level": incident.level,
        "timer": clock.timer.value,
        "share": mark.share,
        "starts_at": clock.starts_at,
        "ends_at": clock.ends_at,
        "policy": incident.policy.name,
        "basis": clock.basis,
    }
