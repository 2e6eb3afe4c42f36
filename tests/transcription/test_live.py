"""Hearing live: times of each leg's own, recognisers that go round, no death that ends a leg."""

import asyncio
import base64
import os
import signal
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.demo import alaw
from deploy.demo.script import load
from tests.transcription.test_decoder import StrictRecogniser
from transcription.captions import PARTIALS_EVERY, Throttle
from transcription.engines import live_decoder
from transcription.engines.live_decoder import Legs
from transcription.engines.vosk_live import VoskLeg, VoskLive
from transcription.errors import EngineClosed, ModelMissing
from transcription.live import LEG_BYTES, Heard, Measured, calls_by_cpu, fits_memory
from transcription.transcripts import join

RATE = 8000
CALL = next(call for call in load() if call.name == "07-gas-smell")
SECOND = b"\x01\x00" * RATE


class Strict(StrictRecogniser):
    """The same rules, heard live."""

    def SetPartialWords(self, on: bool) -> None:  # noqa: N802, FBT001 - Vosk's own name
        assert on

    def PartialResult(self) -> str:  # noqa: N802
        return '{"partial": ""}'


def feed(leg: str, pcm: bytes, at: float) -> dict[str, Any]:
    sound = base64.b64encode(pcm).decode()
    return {"do": "feed", "leg": leg, "rate": RATE, "at": at, "pcm": sound}


def test_a_recogniser_goes_round_and_every_leg_has_its_own_clock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # What this process holds is the other tests' own: a decoder's would be given back.
    monkeypatch.setattr(live_decoder, "resident_bytes", lambda: 0)
    made: list[Strict] = []

    def new(rate: int) -> Strict:
        made.append(Strict(rate, set()))
        return made[-1]

    legs = Legs(new)
    quarter = SECOND[: RATE // 2]
    for number, at in enumerate((0.0, 30.0)):
        name = str(number)
        assert legs.do(feed(name, quarter, at))["utterances"] == []
        legs.do(feed(f"other {number}", quarter, at))
        (words,) = legs.do({"do": "finish", "leg": name})["utterances"]
        assert [words[0][1], words[-1][2]] == [at, at + 0.25]
        legs.do({"do": "finish", "leg": f"other {number}"})
    assert len(made) == 2, "the second pair of legs had the recognisers of the first"
    assert legs.do({"do": "finish", "leg": "nobody"})["utterances"] == []
    legs.rest()
    legs.do(feed("new", quarter, 0.0))
    assert len(made) == 3


@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 1)), max_size=60))
def test_guesses_come_at_most_four_times_a_second_and_only_new_ones(
    guesses: list[tuple[str, float]],
) -> None:
    throttle, now, told = Throttle(), 0.0, list[tuple[str, float]]()
    for text, pause in guesses:
        now += pause
        if throttle.passes(text, now):
            told.append((text, now))
    for (before, then), (text, at) in pairwise(told):
        assert at - then >= PARTIALS_EVERY
        assert text != before


def test_room_is_what_was_measured_and_what_is_free() -> None:
    assert calls_by_cpu(Measured(speech=0.17, silence=0.03), cores=2, share=0.65) == 6
    assert calls_by_cpu(Measured(speech=2.0, silence=0.5), cores=2, share=0.6) == 0
    assert fits_memory(available=2 * LEG_BYTES + 7, reserve=7)
    assert not fits_memory(available=2 * LEG_BYTES + 6, reserve=7)


@pytest.fixture(scope="module")
def spoken() -> dict[str, bytes]:
    """Both legs of a scripted call, from the operator's greeting on."""
    return {
        "caller": alaw.decode(CALL.caller_audio.read_bytes()),
        "operator": alaw.decode(CALL.operator_audio.read_bytes()),
    }


@pytest.fixture
async def live(chinese_model: Path) -> AsyncIterator[VoskLive]:
    live = VoskLive(chinese_model, lanes=1)
    await live.start()
    yield live
    await live.aclose()


async def hear(leg: VoskLeg, pcm: bytes, start: float, end: float) -> list[Heard]:
    """Feed some seconds of a leg in pieces, as they come from a telephone."""
    pieces = range(int(start * 10), int(end * 10))
    return [await leg.feed(pcm[at * 1600 : (at + 1) * 1600], at / 10) for at in pieces]


def text(heard: list[Heard]) -> str:
    return join(word.text for one in heard for words in one.utterances for word in words)


@pytest.mark.model
async def test_legs_on_one_lane_are_heard_for_themselves(
    live: VoskLive, spoken: dict[str, bytes]
) -> None:
    legs = {who: live.open(RATE) for who in spoken}
    alone = live.open(RATE)
    both = await asyncio.gather(*(hear(leg, spoken[who], 0, 20) for who, leg in legs.items()))
    heard = dict(zip(legs, both, strict=True))
    for who, leg in legs.items():
        heard[who].append(await leg.finish())
        said = [word for one in heard[who] for words in one.utterances for word in words]
        first = next(turn for turn in CALL.turns if turn.who == who)
        assert said[0].start == pytest.approx(first.start, abs=0.5)
    assert any(one.guess for one in heard["caller"])
    again = [*(await hear(alone, spoken["caller"], 0, 20)), await alone.finish()]
    assert text(again) == text(heard["caller"]) != text(heard["operator"])
    assert live.deaths == 0


@pytest.mark.model
async def test_a_lane_or_a_process_that_dies_ends_no_leg(
    live: VoskLive, spoken: dict[str, bytes]
) -> None:
    leg = live.open(RATE)
    assert live.pid is not None
    await hear(leg, spoken["operator"], 0, 2)
    (lane,) = psutil.Process(live.pid).children()
    os.kill(lane.pid, signal.SIGKILL)
    await hear(leg, spoken["operator"], 2, 4)
    os.kill(live.pid, signal.SIGKILL)
    heard = [*(await hear(leg, spoken["operator"], 4, CALL.seconds)), await leg.finish()]
    words = [word for one in heard for said in one.utterances for word in said]
    assert words, "it is heard again"
    assert words[0].start >= 4.0
    assert live.deaths >= 1


@pytest.mark.model
async def test_who_is_given_up_costs_nobody_else_his_lane(
    live: VoskLive, spoken: dict[str, bytes]
) -> None:
    given_up, other = live.open(RATE), live.open(RATE)
    lane = psutil.Process(live.pid).children()
    task = asyncio.create_task(hear(given_up, spoken["caller"], 0, 20))
    await hear(other, spoken["operator"], 0, 3)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    given_up.leave()
    await hear(other, spoken["operator"], 3, 6)
    assert psutil.Process(live.pid).children() == lane
    measured = await live.measure(spoken["caller"][: 4 * 16_000], RATE)
    assert 0 < measured.silence < 1
    assert 0 < measured.speech < 5


async def test_without_a_model_and_after_the_end_it_is_one_sentence(tmp_path: Path) -> None:
    live = VoskLive(tmp_path / "nothing")
    with pytest.raises(ModelMissing):
        await live.start()
    await live.aclose()
    with pytest.raises(EngineClosed):
        await live.open(RATE).feed(SECOND, 0.0)
