"""A real exchange with two lines and telephones that answer by script, and the service's desk."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deploy import portable
from deploy.asterisk.config import Exchange, Line, Operator
from deploy.asterisk.ports import free_ports
from deploy.asterisk.process import Asterisk
from deploy.errors import ToolMissing
from deploy.portable import Tool
from hotline import config as settings
from hotline.config import Config
from hotline.database import Pool
from hotline.exchange import RunningExchange
from hotline.operators import OperatorDesk
from hotline.services import utc_now
from telephony.seating import Member, seated

PATIENCE = 30.0
SEATS = ("1001", "1002", "2001", "2002", "2003", "2004")


def tool(name: str) -> Tool:
    try:
        return portable.ensure("asterisk" if name == "asterisk" else "sipp")
    except ToolMissing as missing:
        pytest.skip(str(missing))


def exchange_at(
    folder: Path,
    port: int,
    *,
    fixed: tuple[str, ...] = (),
    elsewhere: Mapping[str, int] | None = None,
) -> Exchange:
    """Both lines; `fixed` sit at the mayor's by the exchange's own configuration.

    Every telephone is at `port`, but those that are `elsewhere`.
    """
    places = elsewhere or {}
    ports = free_ports()
    return Exchange(
        system="mianyang-1",
        run_dir=folder,
        sip_port=ports.sip,
        ami_port=ports.ami,
        rtp_ports=ports.rtp,
        lines=(
            Line(name="mayor", number="12345", operators=fixed, ring_seconds=10),
            Line(name="duty", number="2222345", operators=()),
        ),
        operators=tuple(
            Operator(extension=seat, contact=f"sip:{seat}@127.0.0.1:{places.get(seat, port)}")
            for seat in SEATS
        ),
    )


def config_of(asterisk: Asterisk, **more: Any) -> Config:
    exchange = asterisk.exchange
    described = settings.Exchange.model_validate(
        {
            "system": exchange.system,
            "port": exchange.ami_port,
            "secret": asterisk.secrets.reader,
            "actor_secret": asterisk.secrets.actor,
            "cel_file": exchange.cel_file,
            "queue_log_file": exchange.queue_log_file,
            "recordings_dir": exchange.recordings_dir,
        }
    )
    given: dict[str, Any] = {
        "exchanges": (described,),
        "lines": (
            settings.Line(name="mayor", number="12345"),
            settings.Line(name="duty", number="2222345"),
        ),
        "operators": tuple(settings.Operator(extension=one, badge=one) for one in SEATS),
        "seats": settings.Seats(wrapup_seconds=1.5, sync_seconds=0.2),
        "reconcile_every_seconds": 3600,
    }
    return Config(**{**given, **more})


@dataclass(slots=True)
class Office:
    """The desk at work, and ways to look at what it did."""

    desk: OperatorDesk
    running: RunningExchange
    pool: Pool
    config: Config

    async def members(self, queue: str) -> dict[str, Member]:
        found = await seated(self.running.connection)
        return {one.operator: one for one in found if one.queue == queue and one.is_here}

    async def until(self, true: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not await true():  # noqa: ASYNC110 - each look is a round trip
                await asyncio.sleep(0.05)

    async def journal(self, like: str) -> list[str]:
        rows = await self.pool.fetch(
            "SELECT event FROM journal WHERE event LIKE $1 ORDER BY id", like
        )
        return [row["event"] for row in rows]

    async def state(self, operator: str) -> str | None:
        found: str | None = await self.pool.fetchval(
            "SELECT state FROM operator_states WHERE operator = $1", operator
        )
        return found


@asynccontextmanager
async def opened(pool: Pool, config: Config) -> AsyncIterator[Office]:
    """The service's parts for operators, running; as after a start of the service."""
    (described,) = config.exchanges
    running = RunningExchange(described, config=config, pool=pool, clock=utc_now)
    desk = OperatorDesk(
        config=config, pool=pool, exchanges={running.system: running}, clock=utc_now
    )
    tasks = [asyncio.create_task(running.run()), asyncio.create_task(desk.run())]
    actor = running.actor
    assert actor is not None
    try:
        async with asyncio.timeout(PATIENCE):
            while not (running.connection.state.connected and actor.state.connected):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        yield Office(desk, running, pool, config)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
