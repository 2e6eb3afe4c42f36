"""Asterisk's own figures, scraped by a real Prometheus while a caller waits: none of one call."""

import asyncio
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from deploy.asterisk.config import Exchange
from deploy.asterisk.ports import free_port
from deploy.asterisk.process import Asterisk
from deploy.portable import Tool
from tests.deploy.conftest import MakeExchange
from tests.deploy.sip_calls import Caller, Sipp
from tests.deploy.test_prometheus import RunningPrometheus

pytestmark = pytest.mark.acceptance
OF_ONE_CALL = ("asterisk_channels_state", "asterisk_channels_duration_seconds")


async def page(exchange: Exchange) -> str:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{exchange.metrics_port}/metrics") as answer,
    ):
        assert answer.status == 200
        return await answer.text()


async def test_the_series_of_single_calls_are_dropped(
    make_exchange: MakeExchange, asterisk_tool: Tool, sipp: Sipp, tmp_path: Path
) -> None:
    exchange = replace(make_exchange(max_wait_seconds=30), metrics_port=free_port())
    (tmp_path / "prometheus").mkdir()
    async with Asterisk(exchange, asterisk_tool) as asterisk:
        caller = Caller(number="12345", hangs_up=False)
        process = await sipp.start(caller.steps(), f"127.0.0.1:{exchange.sip_port}")
        try:
            async with asyncio.timeout(20):
                while "asterisk_channels_state" not in (told := await page(exchange)):
                    pass  # each look is a round trip to Asterisk
            assert all(name in told for name in OF_ONE_CALL)
            port = exchange.metrics_port or 0
            async with RunningPrometheus(
                tmp_path / "prometheus", free_port(), asterisk=port
            ) as prometheus:
                busy = await prometheus.first_answer("asterisk_channels_count > 0")
                kept = await prometheus.first_answers('{__name__=~"asterisk_.+"}')
        finally:
            process.kill()
            await process.wait()
        assert "ERROR" not in asterisk.log_path.read_text()
    assert busy >= 1
    names = {one["metric"]["__name__"] for one in kept}
    assert {"asterisk_channels_count", "asterisk_endpoints_count"} <= names
    assert names.isdisjoint({*OF_ONE_CALL, "asterisk_bridges_channels_count"})
    assert all("linkedid" not in one["metric"] for one in kept)
