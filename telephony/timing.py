"""How long the connection waits for what, and the clock it waits by (tests bring their own)."""

from __future__ import annotations

import asyncio
import random
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """All waits of a connection, in seconds."""

    connect: float = 10.0
    """To reach the exchange, with TLS if it is asked for."""
    answer: float = 10.0
    """For the greeting, the login and any one action."""
    listing: float = 30.0
    """For a list to be complete."""
    boot: float = 2.0
    """For FullyBooted after the login; it never comes to a user without `read=system`."""
    ping_every: float = 5.0
    """Also bounds how late an event can be on Asterisk up to 22.10 (asterisk#2145)."""
    ping_deadline: float = 5.0
    pings_missed: int = 2
    """So many pings in a row without an answer end the connection."""
    first_retry: float = 0.5
    longest_retry: float = 30.0
    refused_retry: float = 60.0
    """After a login was refused: slow, so that no fail2ban locks us out, but never giving up."""
    stable: float = 30.0
    """A connection that lasted so long starts the next back-off from the beginning."""

    def retry_after(self, failures: int, luck: float) -> float:
        """The pause after so many failures in a row; `luck` in [0, 1) spreads the clients."""
        longest = min(self.longest_retry, self.first_retry * 2.0 ** min(failures, 30))
        return longest * (0.5 + 0.5 * luck)


class Clock(Protocol):
    """Time and chance, as the connection needs them."""

    def now(self) -> datetime:
        """The time, aware, in UTC."""

    def luck(self) -> float:
        """A number in [0, 1), another one each time."""

    async def sleep(self, seconds: float) -> None:
        """Come back after so long."""

    def within(self, seconds: float) -> AbstractAsyncContextManager[object]:
        """A block that ends with TimeoutError when it takes longer."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The time, aware, in UTC."""
        return datetime.now(UTC)

    def luck(self) -> float:
        """A number in [0, 1), another one each time."""
        return random.random()  # noqa: S311 - it spreads retries, it keeps no secret

    async def sleep(self, seconds: float) -> None:
        """Come back after so long."""
        await asyncio.sleep(seconds)

    def within(self, seconds: float) -> AbstractAsyncContextManager[object]:
        """A block that ends with TimeoutError when it takes longer."""
        return asyncio.timeout(seconds)
