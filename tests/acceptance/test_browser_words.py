"""Words through the page: what a citizen says comes out of it, what an operator says goes in."""

import asyncio
import wave
from collections.abc import Sequence
from pathlib import Path

import pytest

from deploy.demo.alaw import decode
from deploy.demo.script import load
from deploy.portable import cache_root
from telephony.calls import Leg
from tests.acceptance.browser_desk import PATIENCE, BrowserDesk, browser_desk
from tests.phones.sounds import RATE
from transcription.engines.vosk import VoskTranscriber
from transcription.models import SMALL_CN

CALL = next(call for call in load() if call.name == "07-gas-smell")
WORST_ERROR_RATE = 0.35  # as test_words.py
PAUSE = 0.6  # seconds of quiet around a phrase

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.model,
    pytest.mark.asyncio,
    pytest.mark.skipif(
        not (cache_root() / "models" / SMALL_CN.name).is_dir(),
        reason="the Chinese speech model is not there: run `hotline model fetch`",
    ),
]


def phrase(who: str, file: Path) -> tuple[str, Path, float]:
    """The longest thing this side says: its words, its sound, and how many seconds it lasts."""
    turns = [*CALL.turns]
    at = max((n for n, it in enumerate(turns) if it.who == who), key=lambda n: len(turns[n].text))
    begins = turns[at].start - PAUSE
    ends = turns[at + 1].start if at + 1 < len(turns) else CALL.seconds
    audio = CALL.caller_audio if who == "caller" else CALL.operator_audio
    sound = decode(audio.read_bytes()[int(begins * RATE) : int(ends * RATE)])
    _write(file, sound)
    text = "".join(one for one in turns[at].text if one.isalnum())
    return text, file, ends - begins


def _write(file: Path, pcm: bytes) -> Path:
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(pcm)
    return file


def nearest(said: str, heard: str) -> int:
    """How many characters differ between what was said and where it comes nearest in the rest."""
    row = [0] * (len(heard) + 1)
    for i, a in enumerate(said, 1):
        above, row[0] = row[0], i
        for j, b in enumerate(heard, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (a != b))
    return min(row)


async def words(engine: VoskTranscriber, samples: Sequence[int], file: Path, leg: Leg) -> str:
    _write(file, b"".join(one.to_bytes(2, "little", signed=True) for one in samples))
    heard = await engine.transcribe(file, leg)
    return "".join(word.text for word in heard.words if word.text != "[unk]")


async def heard_by(desk: BrowserDesk, call: int, seconds: float) -> list[int]:
    """What the citizen's telephone plays from now on for so long."""
    wanted = len(desk.citizen.samples(call)) + int(seconds * RATE)
    async with asyncio.timeout(seconds + PATIENCE):
        while len(desk.citizen.samples(call)) < wanted:  # noqa: ASYNC110 - a file rings no bell
            await asyncio.sleep(0.2)
    return desk.citizen.samples(call)[-int(seconds * RATE) :]


@pytest.mark.timeout(240)
async def test_both_are_understood(tmp_path: Path, postgres: str) -> None:
    asks, citizen, citizen_lasts = phrase("caller", tmp_path / "citizen.wav")
    says, operator, operator_lasts = phrase("operator", tmp_path / "operator.wav")
    seconds = 2 * max(citizen_lasts, operator_lasts)  # one of it whole, wherever it began
    engine = VoskTranscriber(cache_root() / "models" / SMALL_CN.name)
    try:
        async with browser_desk(
            tmp_path, postgres, "browserwords", microphone=operator, citizen=citizen
        ) as desk:
            await desk.begin()
            call = await desk.answered_call()
            at_home, in_the_page = await asyncio.gather(
                heard_by(desk, call, seconds), desk.sound(seconds)
            )
        told = await words(engine, in_the_page, tmp_path / "page.wav", Leg.CALLER)
        answered = await words(engine, at_home, tmp_path / "home.wav", Leg.OPERATOR)
    finally:
        await engine.aclose()
    assert nearest(asks, told) / len(asks) <= WORST_ERROR_RATE, told
    assert nearest(says, answered) / len(says) <= WORST_ERROR_RATE, answered
    assert nearest(says, told) > nearest(asks, told), "nobody hears himself"
    assert nearest(asks, answered) > nearest(says, answered)
