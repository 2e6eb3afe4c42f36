"""From the socket to the consumer: a bounded, counted queue, and who is called with what.

While a snapshot is taken events are held back; they follow it. A full buffer ends the connection
(`LinkError`, reason overflow), so that the consumer learns of the gap by a fresh snapshot.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from asterisk.ami.event import Event, EventListener

from telephony.errors import LinkError, Reason
from telephony.health import Tally
from telephony.snapshot import Snapshot
from telephony.timing import Clock

log = logging.getLogger(__name__)

BUFFER = 20_000
"""Events: twelve seconds of the busiest exchange we measured (1 700 a second)."""
TURN = 200
"""Deliveries before the other tasks get their turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """We are logged in; the snapshot comes next."""

    system: str
    generation: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Disconnected:
    """The connection of this generation is over; a new one will be tried."""

    system: str
    generation: int
    at: datetime
    reason: Reason
    sentence: str


Delivery: TypeAlias = Connected | Snapshot | Event | Disconnected
Deliver: TypeAlias = Callable[[Delivery], Awaitable[None] | None]


class Buffer:
    """Takes events as fast as they come and delivers them one after the other."""

    def __init__(
        self,
        limit: int,
        *,
        tally: Tally,
        clock: Clock,
        place: str,
        rules: EventListener | None = None,
    ) -> None:
        self.limit = limit
        self.drained = asyncio.Event()
        """Set while no more than half of the buffer is used."""
        self._filled = asyncio.Event()
        self._queue: deque[Delivery] = deque()
        self._held: list[Event] | None = None
        self._tally = tally
        self._clock = clock
        self._place = place
        self._wants = None if rules is None else rules.check_event

    def __len__(self) -> int:
        return len(self._queue) + len(self._held or ())

    def take(self, events: list[Event]) -> None:
        """Events off the wire, counted, measured and kept; never waits.

        Raises:
            LinkError: the buffer is full; what no longer fitted is counted as dropped.
        """
        self._tally.count([event.name for event in events])
        self._measure(events[0].keys.get("Timestamp"))
        if self._wants is not None:
            wanted = [event for event in events if self._wanted(event)]
            self._tally.filtered += len(events) - len(wanted)
            events = wanted
        room = self.limit - len(self)
        (self._queue if self._held is None else self._held).extend(events[:room])
        self._filled.set()
        if len(events) > room:
            self._tally.dropped += len(events) - room
            self.drained.clear()
            raise LinkError(
                f"{self.limit} events of the exchange {self._place} wait to be dealt with; the "
                "connection starts anew once they are.",
                reason=Reason.OVERFLOW,
            )

    def leave(self, names: list[str]) -> None:
        """Count events that were not even read."""
        self._tally.count(names)
        self._tally.filtered += len(names)

    def _measure(self, stamp: str | None) -> None:
        if stamp is None:
            return
        try:
            self._tally.late_by(self._clock.now().timestamp() - float(stamp))
        except (TypeError, ValueError):
            self._tally.wire.unreadable_lines += 1

    def _wanted(self, event: Event) -> bool:
        """What the rules say; an event that the rules cannot read goes through."""
        try:
            return self._wants is None or bool(self._wants(event))
        except Exception:  # noqa: BLE001 - the rules are the caller's, the reader must live
            self._tally.consumer_errors += 1
            return True

    def hold(self) -> None:
        """From now on events wait for `release`."""
        if self._held is None:
            self._held = []

    def release(self) -> None:
        """Held events follow what has been pushed since."""
        held, self._held = self._held, None
        self._queue.extend(held or ())
        self._filled.set()

    def push(self, delivery: Delivery) -> None:
        """Put something of our own into the stream, before all held events."""
        self._queue.append(delivery)
        self._filled.set()

    async def deliver_for_ever(self, deliver: Deliver) -> None:
        """Call `deliver` for one thing after the other; what it raises ends nothing."""
        queue = self._queue
        while True:
            await self._filled.wait()
            for _ in range(TURN):
                if not queue:
                    self._filled.clear()
                    break
                try:
                    waits = deliver(queue.popleft())
                    if waits is not None:
                        await waits
                except Exception as error:  # noqa: BLE001 - it is logged and counted there
                    self._failed(error)
            if len(self) <= self.limit // 2:
                self.drained.set()
            await asyncio.sleep(0)

    def _failed(self, error: Exception) -> None:
        self._tally.consumer_errors += 1
        errors = self._tally.consumer_errors
        if errors & (errors - 1) == 0:  # the 1st, 2nd, 4th, 8th: a flood is one fault
            log.error(
                "What the exchange %s reported could not be dealt with (%d times so far).",
                self._place,
                errors,
                exc_info=error,
            )
