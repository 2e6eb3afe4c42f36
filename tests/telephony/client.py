"""Our client, connected to a scripted exchange and heard by a listener, on a clock of the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from telephony.buffer import Deliver
from telephony.connection import AmiConnection
from tests.telephony.exchange import (
    Listener,
    ManualClock,
    Peer,
    ScriptedExchange,
)


@dataclass(slots=True, kw_only=True)
class Bench:
    """An exchange, a client that is connected to it, its consumer and its clock."""

    exchange: ScriptedExchange
    connection: AmiConnection
    listener: Listener
    clock: ManualClock

    async def ready(self, generation: int = 1) -> Peer:
        await self.listener.until(*["Snapshot"] * generation)
        return await self.exchange.peer(generation)

    async def after_retry(self, seconds: float = 0.25) -> None:
        await self.clock.pass_sleep(seconds)


@asynccontextmanager
async def bench(
    exchange: ScriptedExchange | None = None, deliver: Deliver | None = None, **options: Any
) -> AsyncIterator[Bench]:
    clock, listener = ManualClock(), Listener()
    async with exchange or ScriptedExchange() as there:
        connection = AmiConnection(
            "127.0.0.1",
            there.port,
            "reader",
            options.pop("secret", "s3cret"),
            system="mianyang-1",
            clock=clock,
            **options,
        )
        running = asyncio.create_task(connection.run(deliver or listener.deliver))
        try:
            yield Bench(exchange=there, connection=connection, listener=listener, clock=clock)
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
