"""A call dialled from here has both its legs tapped and heard, on a real exchange."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from deploy.portable import cache_root
from tests.hotline.test_control import OUTGOING, Hall, opened
from tests.phones.stage import CITIZEN, CITIZEN_HZ, OPERATOR, OPERATOR_HZ
from transcription.models import SMALL_CN

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.model,
    pytest.mark.timeout(240),
    pytest.mark.skipif(
        not (cache_root() / "models" / SMALL_CN.name).is_dir(),
        reason="the Chinese speech model is not there: run `hotline model fetch`",
    ),
]
PATIENCE = 60.0


@pytest.fixture
async def hall(tmp_path: Path, database: str) -> AsyncIterator[Hall]:
    async with opened(tmp_path, database, extra="captions.enabled = true") as ready:
        async with asyncio.timeout(PATIENCE):
            while (await figures(ready))["hotline_caption_capacity_calls"] < 1:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        yield ready


async def figures(hall: Hall) -> dict[str, float]:
    """The captions' own metrics."""
    async with (await hall.at(OPERATOR)).get("/metrics") as answer:
        lines = (await answer.text()).splitlines()
    told = (line.rpartition(" ") for line in lines if line.startswith("hotline_caption_"))
    return {name: float(value) for name, _, value in told}


async def dials(hall: Hall) -> list[dict[str, Any]]:
    async with (await hall.at(OPERATOR)).get("/api/dials") as answer:
        assert answer.status == 200, await answer.text()
        return list((await answer.json())["dials"])


async def until_captioned(hall: Hall) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE):
        while True:
            for one in await dials(hall):
                if one["captions"] == "on":
                    return one
            await asyncio.sleep(0.1)


async def test_both_legs_are_heard_while_they_speak_and_nothing_is_left_of_it(hall: Hall) -> None:
    stage = hall.stage
    await hall.order(OPERATOR, "dial", number=CITIZEN)
    desk = await stage.operator.answer()
    (waiting,) = await dials(hall)
    assert (waiting["by"], waiting["captions"]) == (OPERATOR, "waiting")
    there = await stage.outside.answer()
    dial = await until_captioned(hall)
    assert dial["callee"] == "138****1111"
    async with asyncio.timeout(PATIENCE):
        while (now := await figures(hall))["hotline_caption_audio_seconds_total"] < 4:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    assert (now["hotline_caption_calls"], now["hotline_caption_legs"]) == (1, 2)
    # The taps change nothing of what the two hear.
    await stage.operator.hears(desk, yes=[CITIZEN_HZ])
    await stage.outside.hears(there, yes=[OPERATOR_HZ])
    await stage.outside.order("hang_up", call=there)
    await stage.operator.until("gone", call=desk)
    stored = await hall.call(await hall.one(OUTGOING))
    assert (stored["outcome"], stored["operator"]) == ("answered", OPERATOR)
    assert await hall.one("SELECT count(*) FROM calls") == 1, "the taps are no calls"
    async with asyncio.timeout(PATIENCE):
        while (await figures(hall))["hotline_caption_legs"]:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    assert await dials(hall) == []
