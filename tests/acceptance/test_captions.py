"""Captions of real calls: the right words from the right side, and no call that needs them."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from deploy.demo.script import ScriptedCall, load
from deploy.portable import cache_root
from tests.acceptance.conftest import staged
from tests.acceptance.stage import Stage
from tests.acceptance.test_words import distance
from transcription.models import SMALL_CN

CALLS = {call.name: call for call in load()}
PATIENCE = 60.0
WORST_ERROR_RATE = 0.35  # as test_words.py; of the other side's words nearly all are wrong

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.model,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(
        not (cache_root() / "models" / SMALL_CN.name).is_dir(),
        reason="the Chinese speech model is not there: run `hotline model fetch`",
    ),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def captioned(
    tmp_path_factory: pytest.TempPathFactory, postgres: str
) -> AsyncIterator[Stage]:
    folder, extra = tmp_path_factory.mktemp("captioned"), "captions.enabled = true"
    async with staged(folder, postgres, "captioned", extra=extra) as stage:
        async with asyncio.timeout(PATIENCE):
            # It measures what fits before it hears anybody; a page is asked again and again.
            while (await page(stage))["hotline_caption_capacity_calls"] < 1:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        yield stage


@dataclass(kw_only=True)
class Reader:
    """What one reader of a call's captions is told, as it comes."""

    told: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    stirred: asyncio.Event = field(default_factory=asyncio.Event)

    def data(self, event: str) -> list[dict[str, Any]]:
        return [data for name, data in self.told if name == event]

    def finals(self, leg: str) -> list[dict[str, Any]]:
        return [data for data in self.data("caption.final") if data["leg"] == leg]

    def text(self, leg: str) -> str:
        return "".join(
            word["text"]
            for final in self.finals(leg)
            for word in final["words"]
            if word["text"] != "[unk]"
        )

    async def until(self, event: str, count: int = 1) -> dict[str, Any]:
        """The so-manieth event of this name."""
        async with asyncio.timeout(PATIENCE):
            while len(found := self.data(event)) < count:
                await self.stirred.wait()
                self.stirred.clear()
        return found[count - 1]

    async def read(self, url: str) -> None:
        """Read to the end; a service that dies is no mistake of the reader's."""
        name = ""
        with suppress(aiohttp.ClientError):
            async with aiohttp.ClientSession() as session, session.get(url) as answer:
                assert answer.status == 200
                async for line in answer.content:
                    key, _, value = line.decode().rstrip("\n").partition(": ")
                    if key == "event":
                        name = value
                    elif key == "data":
                        self.told.append((name, json.loads(value)))
                        self.stirred.set()


@asynccontextmanager
async def reading(stage: Stage, call: ScriptedCall) -> AsyncIterator[Reader]:
    """Somebody reads the call's captions from when it is answered."""
    stored = await stage.stored(call.caller, until="c.answered_at IS NOT NULL")
    reader = Reader()
    url = f"{stage.service.url}/api/calls/{stored.call['id']}/captions"
    task = asyncio.create_task(reader.read(url))
    yield reader
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@asynccontextmanager
async def seat(stage: Stage, extension: str) -> AsyncIterator[aiohttp.ClientSession]:
    """An operator's browser, signed in at this seat."""
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(stage.service.url, cookie_jar=jar) as session:
        async with session.post("/api/session", json={"seat": extension}) as answer:
            assert answer.status == 200, await answer.text()
        yield session


def spoken(call: ScriptedCall, who: str) -> str:
    text = "".join(turn.text for turn in call.turns if turn.who == who)
    return "".join(character for character in text if character.isalnum())


async def page(stage: Stage) -> dict[str, float]:
    """The captions' own metrics."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{stage.service.url}/metrics") as answer,
    ):
        lines = (await answer.text()).splitlines()
    return {
        name: float(value)
        for name, _, value in (line.rpartition(" ") for line in lines)
        if name.startswith("hotline_caption_")
    }


@pytest.mark.timeout(300)
async def test_both_sides_are_read_while_they_speak(captioned: Stage) -> None:
    stage, call = captioned, CALLS["07-gas-smell"]
    dialling = asyncio.create_task(stage.dial(stage.scripted(call)))
    async with reading(stage, call) as reader:
        await reader.until("caption.partial")
        first = await reader.until("caption.final")
        assert not dialling.done(), "words come while people speak"
        await dialling
        async with asyncio.timeout(PATIENCE):
            while reader.data("caption.state")[-1]["state"] != "over":
                await reader.stirred.wait()
                reader.stirred.clear()
    assert first["leg"] == "operator", "who picks up greets first"
    for leg, other in (("caller", "operator"), ("operator", "caller")):
        text = reader.text(leg)
        mine, theirs = spoken(call, leg), spoken(call, other)
        assert distance(mine, text) / len(mine) <= WORST_ERROR_RATE, text
        assert distance(theirs, text) > distance(mine, text)
        finals = reader.finals(leg)
        assert [one["segment"] for one in finals] == list(range(1, len(finals) + 1))
        times = [one["start"] for one in finals]
        assert times == sorted(times)
        guesses = [it for it in reader.data("caption.partial") if it["leg"] == leg]
        assert {it["segment"] for it in guesses} <= set(range(1, len(finals) + 2))
    offers = [it["suggestion"] for it in reader.data("caption.offer")]
    emergency = next(it for it in offers if it["urgency"] == "emergency")
    assert {why["by"] for why in emergency["reasons"] if why["sort"] == "urgency"} <= {
        "word",
        "sound",
    }
    stored = await stage.recorded(call.caller)
    assert await stage.differences(stored.call["linked_id"]) == []
    assert await stage.count(call.caller) == 1, "the taps are no calls"
    figures = await page(stage)
    assert figures["hotline_caption_calls"] == 0
    assert figures["hotline_caption_capacity_calls"] >= 1
    assert figures["hotline_caption_tap_restarts_total"] == 0
    said = len(reader.finals("caller")) + len(reader.finals("operator"))
    assert figures["hotline_caption_segments_total"] == said


@pytest.mark.timeout(300)
async def test_the_captions_follow_the_caller_to_whom_he_is_given(captioned: Stage) -> None:
    stage, call = captioned, CALLS["05-barbecue-smoke"]
    dialling = asyncio.create_task(stage.dial(stage.scripted(call)))
    async with reading(stage, call) as reader:
        first = await reader.until("caption.final")
        operator = (await stage.stored(call.caller, until="true")).call["operator"]
        target = next(it for it in ("1001", "1002") if it != operator)
        async with seat(stage, operator) as session:
            path = f"/api/control/calls/{first['call_id']}/transfer"
            before = len(reader.finals("operator"))
            async with session.post(path, json={"target": target}) as answer:
                assert answer.status == 200, await answer.text()
            async with asyncio.timeout(PATIENCE):
                while len(reader.finals("operator")) == before:
                    await reader.stirred.wait()
                    reader.stirred.clear()
        assert not dialling.done(), "who took the call is heard while he speaks"
        await dialling
    assert reader.data("caption.shed") == []
    stored = await stage.recorded(call.caller)
    assert min(row["seconds"] for row in stored.recordings) > call.seconds
    assert await stage.differences(stored.call["linked_id"]) == []


@pytest.mark.timeout(300)
async def test_hold_stall_and_death_harm_no_recording(captioned: Stage) -> None:
    """On hold nobody is heard; stalled, then killed in mid-call: all recorded, captions go on."""
    stage, call = captioned, CALLS["01-streetlight"]
    dialling = asyncio.create_task(stage.dial(stage.scripted(call)))
    async with reading(stage, call) as reader:
        first = await reader.until("caption.final")
        operator = (await stage.stored(call.caller, until="true")).call["operator"]
        async with seat(stage, operator) as session:
            path = f"/api/control/calls/{first['call_id']}"
            for order, state in (("hold", "waiting"), ("unhold", "on")):
                count = len(reader.data("caption.state"))
                async with session.post(f"{path}/{order}", json={}) as answer:
                    assert answer.status == 200, await answer.text()
                assert (await reader.until("caption.state", count + 1))["state"] == state
        await reader.until("caption.final", len(reader.data("caption.final")) + 1)
        pid = stage.service.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        await asyncio.sleep(2.0)
        os.kill(pid, signal.SIGCONT)
        await reader.until("caption.final", len(reader.data("caption.final")) + 1)
        assert reader.data("caption.shed") == []
        await stage.service.kill()
    await stage.service.start()
    async with reading(stage, call) as again:
        await again.until("caption.final")
        assert not dialling.done(), "the call was still up when words came again"
    placed = await dialling
    stored = await stage.recorded(call.caller)
    assert placed.status == 0
    assert stored.call["outcome"] == "answered"
    lengths = [row["seconds"] for row in stored.recordings]
    talk = (stored.call["talk_ended_at"] - stored.call["answered_at"]).total_seconds()
    assert talk == pytest.approx(call.seconds, abs=1.5)
    assert min(lengths) > talk
    assert max(lengths) - min(lengths) < 0.1
    assert await stage.differences(stored.call["linked_id"]) == []
