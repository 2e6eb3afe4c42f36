"""A real Asterisk that dies in the middle of a call: the call ends once, the next one is whole."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asterisk.ami.event import Event

from deploy.asterisk.config import Exchange
from deploy.asterisk.ports import free_port
from deploy.asterisk.process import Asterisk
from deploy.portable import Tool
from hotline.database import Pool, transaction
from telephony import store
from telephony.buffer import Delivery
from telephony.calls import CallAnswered, CallEnded, CallEvent, CallTracker, Outcome, Side
from telephony.connection import AmiConnection
from telephony.events import System
from telephony.recovery import ExchangeFiles, Recovery
from telephony.snapshot import Snapshot
from telephony.translation import EVENTS, translate
from tests.calls.recorded import RULES
from tests.deploy.conftest import MakeExchange, asterisk_tool, make_exchange, sipp, sipp_tool
from tests.deploy.sip_calls import Caller, Sipp, Telephone

__all__ = ["asterisk_tool", "make_exchange", "sipp", "sipp_tool"]  # fixtures of the exchange

pytestmark = pytest.mark.acceptance


class Follower:
    """What the service does with an exchange, without the rest of the service."""

    def __init__(self, exchange: Exchange, pool: Pool) -> None:
        self.system = System(exchange.system)
        self.pool = pool
        self.told: list[CallEvent] = []
        self._news = asyncio.Condition()
        self.tracker = CallTracker(RULES)
        self.recovery = Recovery(
            system=self.system,
            files=ExchangeFiles(cel=exchange.cel_file, queue_log=exchange.queue_log_file),
            rules=RULES,
            tracker=self.tracker,
            transaction=lambda: transaction(pool),
            tell=self.tell,
        )

    async def tell(self, event: CallEvent) -> None:
        async with transaction(self.pool) as tx:
            await store.save(tx, event)
        async with self._news:
            self.told.append(event)
            self._news.notify_all()

    async def deliver(self, delivery: Delivery) -> None:
        now = datetime.now(UTC)
        if isinstance(delivery, Snapshot):
            await self.recovery.merge(delivery, now)
        elif isinstance(delivery, Event):
            fact = translate(delivery, system=self.system, received_at=now)
            for event in self.tracker.observe(fact) if fact else ():
                await self.tell(event)

    async def until(self, seen: Callable[[list[CallEvent]], bool]) -> None:
        async with asyncio.timeout(30), self._news:
            await self._news.wait_for(lambda: seen(self.told))


@asynccontextmanager
async def following(asterisk: Asterisk, pool: Pool) -> AsyncIterator[Follower]:
    follower = Follower(asterisk.exchange, pool)
    await follower.recovery.start(datetime.now(UTC))
    connection = AmiConnection(
        "127.0.0.1",
        asterisk.exchange.ami_port,
        "reader",
        asterisk.secrets.reader,
        system=follower.system,
        only=EVENTS,
    )
    running = asyncio.create_task(connection.run(follower.deliver))
    try:
        yield follower
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def has(kind: type[Any], count: int) -> Callable[[list[CallEvent]], bool]:
    return lambda told: sum(isinstance(event, kind) for event in told) >= count


async def test_a_call_dies_once_with_the_exchange_and_the_next_one_is_whole(
    make_exchange: MakeExchange,
    asterisk_tool: Tool,
    sipp: Sipp,
    pool: Pool,
) -> None:
    port = free_port()
    exchange = make_exchange(contact_port=port)
    asterisk = Asterisk(exchange, asterisk_tool, say=lambda _: None)
    await asterisk.start()
    try:
        async with following(asterisk, pool) as follower:
            telephone = await sipp.operator(Telephone(talk_seconds=30), port)
            citizen = await sipp.start(
                Caller(number="12345", talk_seconds=30).steps(), f"127.0.0.1:{exchange.sip_port}"
            )
            await follower.until(has(CallAnswered, 1))
            await asterisk.kill()
            died = datetime.now(UTC)
            for process in (citizen, telephone):
                process.kill()
                await process.wait()
            await asterisk.start()
            await follower.until(has(CallEnded, 1))
            await sipp.operator(Telephone(), port)
            await sipp.call(Caller(number="12345", talk_seconds=4), exchange.sip_port)
            await follower.until(has(CallEnded, 2))
            differences = await follower.recovery.check(datetime.now(UTC) + timedelta(minutes=1))
    finally:
        await asterisk.stop()
    assert differences == []
    assert follower.tracker.open_calls() == []
    dead, whole = (event.call for event in follower.told if isinstance(event, CallEnded))
    assert (dead.outcome, dead.hangup_by, dead.recovered) == (Outcome.ANSWERED, Side.SYSTEM, True)
    assert dead.ended_at is not None
    assert dead.ended_at <= died
    assert (whole.outcome, whole.hangup_by) == (Outcome.ANSWERED, Side.CALLER)
    assert not whole.recovered
    assert await pool.fetchval("SELECT count(*) FROM calls WHERE ended_at IS NOT NULL") == 2
    assert await pool.fetchval("SELECT count(*) FROM calls") == 2
