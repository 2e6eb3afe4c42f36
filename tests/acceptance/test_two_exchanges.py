"""Two real exchanges, one service: each is followed for itself, and one may die alone."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import asyncpg
import pytest

from deploy.asterisk.process import Asterisk
from deploy.demo.phones import PlacedCall, Telephones
from deploy.demo.scenarios import Caller
from deploy.errors import ToolMissing
from deploy.portable import ensure
from hotline.database import connected
from hotline.demo.service import Service
from hotline.demo.settings import _exchange_table, exchange_of, free_tcp_port, service_toml
from telephony.sealing import KeyFile
from tests.acceptance.conftest import lines
from tests.acceptance.stage import PICKED_UP, replies

pytestmark = pytest.mark.acceptance
SYSTEMS = ("east-1", "west-1")
PATIENCE = 40.0


@dataclass(kw_only=True)
class City:
    exchanges: dict[str, Asterisk]
    telephones: Telephones
    service: Service
    conn: asyncpg.Connection

    async def dial(self, system: str, number: str) -> PlacedCall:
        caller = Caller(number="12345", caller=PICKED_UP + number, audio=None, talks_ms=2000)
        port = self.exchanges[system].exchange.sip_port
        placed = await self.telephones.call(caller, port)
        assert placed.status == 0, placed.trouble
        return placed

    async def stored(self, placed: PlacedCall) -> asyncpg.Record:
        query = """SELECT c.* FROM calls c JOIN identities i ON i.token = c.caller
                    WHERE i.look_up = $1::fingerprint AND c.ended_at IS NOT NULL"""
        async with asyncio.timeout(PATIENCE):
            while not (rows := await self.conn.fetch(query, placed.caller.caller)):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert len(rows) == 1
        return rows[0]

    async def health(self) -> dict[str, bool]:
        """By system: whether the service says that it follows this exchange."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self.service.url}/healthz") as answer,
        ):
            text = await answer.text()
        return {system: f"The exchange {system} is not followed" not in text for system in SYSTEMS}

    async def until(self, wanted: dict[str, bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while await self.health() != wanted:  # noqa: ASYNC110 - a page is asked
                await asyncio.sleep(0.05)


@pytest.fixture
async def city(tmp_path: Path, database: str) -> AsyncIterator[City]:
    try:
        tool = await asyncio.to_thread(ensure, "asterisk")
        sipp = await asyncio.to_thread(ensure, "sipp")
    except ToolMissing as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"acceptance tests need the exchange: {error}")
    async with AsyncExitStack() as stack:
        telephones = Telephones(folder=tmp_path / "phones", sipp=sipp)
        await stack.enter_async_context(telephones)
        exchanges = {}
        for system in SYSTEMS:
            port = await telephones.seat(replies(None))
            exchange = exchange_of(tmp_path / system, lines(tmp_path), port, system=system)
            asterisk = Asterisk(exchange, tool)
            exchanges[system] = await stack.enter_async_context(asterisk)
        east, west = exchanges.values()
        http_port = free_tcp_port()
        config = tmp_path / "hotline.toml"
        config.write_text(
            service_toml(
                east.exchange,
                east.secrets,
                data_dir=tmp_path / "data",
                http_port=http_port,
                dsn=database,
                model_path=tmp_path / "no-model",
                extra="reconcile_every_seconds = 1.0",
            )
            + _exchange_table(west.exchange, west.secrets, west.exchange.ami_port),
            encoding="utf-8",
        )
        service = Service(
            config=config, url=f"http://127.0.0.1:{http_port}", log=tmp_path / "service.log"
        )
        await stack.enter_async_context(service)
        keys = KeyFile(tmp_path / "data" / "identity.keys")
        conn = await stack.enter_async_context(connected(database, keys))
        yield City(exchanges=exchanges, telephones=telephones, service=service, conn=conn)


@pytest.mark.timeout(180)
async def test_one_exchange_dies_and_the_other_does_not_notice(city: City) -> None:
    await city.until({"east-1": True, "west-1": True})
    both = await asyncio.gather(city.dial("east-1", "0000001"), city.dial("west-1", "0000002"))
    for placed, system in zip(both, SYSTEMS, strict=True):
        call = await city.stored(placed)
        assert (call["system"], call["outcome"], call["recovered"]) == (system, "answered", False)
        assert call["linked_id"].startswith(system)

    await city.exchanges["west-1"].kill()
    await city.until({"east-1": True, "west-1": False})
    call = await city.stored(await city.dial("east-1", "0000003"))
    assert (call["system"], call["outcome"], call["recovered"]) == ("east-1", "answered", False)

    await city.exchanges["west-1"].start()
    await city.until({"east-1": True, "west-1": True})
    call = await city.stored(await city.dial("west-1", "0000004"))
    assert (call["system"], call["outcome"], call["recovered"]) == ("west-1", "answered", False)
    ids = [row["id"] for row in await city.conn.fetch("SELECT id FROM calls ORDER BY id")]
    assert ids == [1, 2, 3, 4]  # one row of numbers for the whole city
