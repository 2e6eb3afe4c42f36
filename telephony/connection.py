"""The asyncio edge: the events of one exchange, in order, over as many connections as it takes.

The consumer gets, in this order: `Connected`, `Snapshot`, then events; `Disconnected` when a
connection ends, and so on. Events that came while the snapshot was taken follow it. Between
socket and consumer stands a bounded buffer: a consumer that falls behind never makes the exchange
wait; should the buffer fill, the connection ends and a fresh snapshot follows the backlog.
"""

from __future__ import annotations

import asyncio
import logging
import ssl as tls
from collections.abc import Awaitable, Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

from asterisk.ami.action import Action
from asterisk.ami.event import EventListener
from asterisk.ami.response import Response

from telephony.buffer import BUFFER, Buffer, Connected, Deliver, Disconnected
from telephony.errors import (
    ActionError,
    ActionRefused,
    ActionTimeout,
    LinkError,
    NotConnected,
    Reason,
)
from telephony.health import LinkState, Phase, Tally
from telephony.inflight import Listing
from telephony.session import Exchange, Session, connect
from telephony.snapshot import take
from telephony.timing import Clock, SystemClock, Timing

log = logging.getLogger(__name__)

NO_BOOT_SIGN = (
    "The exchange did not say FullyBooted: give the manager user read=system, so that lists "
    "are asked for again once everything is loaded."
)


class AmiConnection:
    """One exchange, for ever: `await connection.run(deliver)` and read `connection.state`.

    `deliver` is called for one thing after the other, and awaited if it is a coroutine function;
    what it raises is logged and counted and ends nothing. `only` names the events worth reading
    (None: all), `listener` is asterisk-ami's own rule set (white list, black list, attributes):
    what neither wants is counted by name and not delivered.
    """

    def __init__(
        self,
        host: str,
        port: int,
        username: str,
        secret: str,
        *,
        system: str,
        ssl: tls.SSLContext | None = None,
        auth: Literal["md5", "plain"] = "md5",
        only: Collection[str] | None = None,
        listener: EventListener | None = None,
        buffer: int = BUFFER,
        timing: Timing | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._exchange = Exchange(
            system=system,
            host=host,
            port=port,
            username=username,
            secret=secret,
            ssl=ssl,
            auth=auth,
        )
        self._only = only
        self._timing = timing or Timing()
        self._clock = clock or SystemClock()
        self._tally = Tally()
        self._buffer = Buffer(
            buffer, tally=self._tally, clock=self._clock, place=self._exchange.place, rules=listener
        )
        self._session: Session | None = None
        self._generation = 0
        self._last_start: str | None = None
        self._phase = Phase.NEW
        self._connected = False
        self._since: datetime | None = None
        self._retry_at: datetime | None = None
        self._last_error: tuple[str, datetime] | None = None
        self._warning: str | None = None
        self._version: str | None = None

    # ---- for the consumer ----

    async def run(self, deliver: Deliver) -> None:
        """Stay connected and deliver, until cancelled; goodbye is said then."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._buffer.deliver_for_ever(deliver))
                tasks.create_task(self._reconnect_for_ever())
        finally:
            self._phase = Phase.STOPPED

    async def action(
        self,
        name: str,
        headers: Mapping[str, str] | None = None,
        *,
        variables: Mapping[str, str] | None = None,
        seconds: float | None = None,
    ) -> Response:
        """The exchange's answer to one action, sent once and never again.

        Raises:
            UnsafeAction: the exchange would read something else than was meant.
            NotConnected: nothing was sent. ActionLost, ActionTimeout: it may have been carried
            out. ActionRefused: the exchange said no.
        """
        action = Action(name, dict(headers or {}), dict(variables or {}))
        return await self._ready(name).send(action, seconds=seconds)

    async def list_action(
        self, name: str, headers: Mapping[str, str] | None = None, *, seconds: float | None = None
    ) -> Listing:
        """Everything an action lists, once the exchange says that it is complete.

        Raises:
            As `action` does.
        """
        return await self._ready(name).list_action(name, headers, seconds=seconds)

    def _ready(self, action: str) -> Session:
        if self._session is None or not self._connected:
            raise NotConnected(
                f"There is no connection to {self._exchange.place}; {action} was not sent.",
                action=action,
            )
        return self._session

    @property
    def state(self) -> LinkState:
        """The connection as it is now, for health and metrics."""
        tally, session = self._tally, self._session
        error, error_at = self._last_error or (None, None)
        wire = session.decoder.counts + tally.wire if session else replace(tally.wire)
        late = session.inflight.late if session else 0
        return LinkState(
            system=self._exchange.system,
            phase=self._phase,
            connected=self._connected,
            since=self._since,
            generation=self._generation,
            asterisk_ami=self._version,
            retry_at=self._retry_at,
            reconnects=dict(tally.reconnects),
            events=dict(tally.events),
            lag=tally.lag(),
            filtered=tally.filtered,
            dropped=tally.dropped,
            consumer_errors=tally.consumer_errors,
            late_answers=tally.late_answers + late,
            pings_missed=tally.pings_missed,
            buffer=len(self._buffer),
            buffer_limit=self._buffer.limit,
            wire=wire,
            last_error=error,
            last_error_at=error_at,
            warning=self._warning,
        )

    # ---- connections, one after the other ----

    async def _reconnect_for_ever(self) -> None:
        failures = 0
        while True:
            began = self._clock.now()
            fault = await self._one_connection()
            lasted = (self._clock.now() - began).total_seconds()
            failures = 0 if lasted >= self._timing.stable else failures + 1
            self._note(fault)
            await self._pause(fault.reason, max(failures - 1, 0))

    async def _pause(self, reason: Reason, failures: int) -> None:
        if reason is Reason.OVERFLOW:
            self._phase = Phase.DRAINING
            await self._buffer.drained.wait()
        seconds = self._timing.retry_after(failures, self._clock.luck())
        self._phase = Phase.WAITING
        if reason is Reason.BAD_CREDENTIALS:
            self._phase = Phase.REFUSED
            seconds = self._timing.refused_retry * (1.0 + 0.1 * self._clock.luck())
        self._retry_at = self._clock.now() + timedelta(seconds=seconds)
        await self._clock.sleep(seconds)
        self._retry_at = None

    async def _one_connection(self) -> LinkError:
        """Live through one connection; returns what ended it."""
        self._generation += 1
        self._phase = Phase.CONNECTING
        try:
            streams = await connect(self._exchange, self._clock, self._timing)
        except LinkError as error:
            return error
        session = self._session = Session(
            self._exchange,
            streams,
            prefix=f"hotline-{self._generation}",
            clock=self._clock,
            timing=self._timing,
            take=self._buffer.take,
            leave=self._buffer.leave,
            only=self._only,
        )
        self._buffer.hold()
        fault = LinkError(
            f"The connection to {self._exchange.place} was stopped.", reason=Reason.STOPPED
        )
        try:
            fault = await _first_fault(self._live(session))
        finally:
            self._end(session, fault)
            await session.close(politely=fault.reason is Reason.STOPPED)
        return fault

    async def _live(self, session: Session) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(session.read_for_ever())
            await self._start(session)
            tasks.create_task(session.ping_for_ever(self._missed))
            if not session.booted.is_set():
                await session.booted.wait()
                await self._snapshot(session)

    async def _start(self, session: Session) -> None:
        self._phase = Phase.LOGGING_IN
        await session.log_in()
        self._version = session.decoder.version
        self._phase = Phase.BOOTING
        try:
            async with self._clock.within(self._timing.boot):
                await session.booted.wait()
        except TimeoutError:
            self._warning = NO_BOOT_SIGN
        now = self._clock.now()
        connected = Connected(system=self._exchange.system, generation=self._generation, at=now)
        self._buffer.push(connected)
        self._connected = True
        self._since = now
        self._phase = Phase.SNAPSHOT
        await self._snapshot(session)
        self._phase = Phase.READY
        log.info("Connected to the exchange %s.", self._exchange.place)

    async def _snapshot(self, session: Session) -> None:
        """Ask what is true, and let the events that came meanwhile follow it."""
        self._buffer.hold()
        snapshot = await take(
            session,
            system=self._exchange.system,
            generation=self._generation,
            at=self._clock.now(),
            last_start=self._last_start,
        )
        if session.booted.is_set():
            self._warning = None
        if snapshot.missing:
            self._warning = " ".join(snapshot.missing)
        self._last_start = snapshot.exchange_started or self._last_start
        self._buffer.push(snapshot)
        self._buffer.release()

    def _end(self, session: Session, fault: LinkError) -> None:
        self._buffer.release()
        self._session = None
        self._tally.wire += session.decoder.counts
        self._tally.late_answers += session.inflight.late
        if self._connected:
            self._connected = False
            self._since = self._clock.now()
            self._buffer.push(
                Disconnected(
                    system=self._exchange.system,
                    generation=self._generation,
                    at=self._since,
                    reason=fault.reason,
                    sentence=str(fault),
                )
            )

    def _note(self, fault: LinkError) -> None:
        self._tally.reconnects[fault.reason] += 1
        self._last_error = (str(fault), self._clock.now())
        log.warning("%s", fault)

    def _missed(self) -> None:
        self._tally.pings_missed += 1


async def _first_fault(life: Awaitable[None]) -> LinkError:
    """What ended a connection, of all that went wrong at its end."""
    faults: list[BaseException] = []
    try:
        await life
    except* Exception as group:  # noqa: BLE001 - whatever it is, the next connection is tried
        faults.extend(_leaves(group))
    links = [fault for fault in faults if isinstance(fault, LinkError)]
    if links:
        return links[0]
    return _as_link_error(faults[0])


def _leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    return [
        leaf
        for error in group.exceptions
        for leaf in (_leaves(error) if isinstance(error, BaseExceptionGroup) else [error])
    ]


def _as_link_error(fault: BaseException) -> LinkError:
    if isinstance(fault, ActionTimeout):
        return LinkError(str(fault), reason=Reason.SLOW_ANSWER)
    if isinstance(fault, ActionRefused):
        return LinkError(str(fault), reason=Reason.BAD_CREDENTIALS)
    if not isinstance(fault, ActionError):
        log.error("A connection ended by a fault of our own.", exc_info=fault)
    return LinkError(f"The connection broke: {fault}", reason=Reason.BROKEN)
