"""Vosk with the real model: words as good as measured, and no death of a process loses one."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import psutil
import pytest

from telephony.calls import Leg
from transcription.engines.vosk import VoskTranscriber
from transcription.errors import (
    AudioEmpty,
    DecoderDied,
    EngineClosed,
    ModelDamaged,
    ModelMissing,
    SpeechError,
)
from transcription.transcriber import Transcriber
from transcription.transcripts import Transcript

pytestmark = [pytest.mark.model, pytest.mark.timeout(600)]

REPOSITORY = Path(__file__).resolve().parents[2]
T = TypeVar("T")
WORST_CALLER = 0.115
WORST_OPERATOR = 0.15
"""Measured on the twelve scripted calls: 0.0996 and 0.1307 with this model, the same each run."""


@pytest.fixture(scope="session")
def calls(shared_data: Path) -> Path:
    folder = shared_data / "calls"
    if not (folder / "calls.json").is_file():
        pytest.skip(f"no scripted calls in {folder}")
    return folder


@pytest.fixture
def short(calls: Path) -> Path:
    """A caller's leg with several turns."""
    return min(calls.glob("*-caller.wav"))


def letters(text: str) -> list[str]:
    return [character for character in text if unicodedata.category(character)[0] in "LN"]


def edits(wanted: list[str], got: list[str]) -> int:
    before = list(range(len(got) + 1))
    for row, one in enumerate(wanted, start=1):
        now = [row]
        for column, other in enumerate(got, start=1):
            substituted = before[column - 1] + (one != other)
            now.append(min(before[column] + 1, now[-1] + 1, substituted))
        before = now
    return before[-1]


async def until(ask: Callable[[], T | None]) -> T:
    """Wait for a fact; the test's own timeout is the only clock."""
    while (found := ask()) is None:  # noqa: ASYNC110 - other processes set no event of ours
        await asyncio.sleep(0.005)
    return found


def reader_of(wav: Path, parent: int, *, beyond: int) -> int | None:
    """The lane that has read past a place of this file by now."""
    for lane in psutil.Process(parent).children():
        folder = Path(f"/proc/{lane.pid}/fd")
        with contextlib.suppress(OSError):
            for fd in folder.iterdir():
                if fd.readlink() == wav.resolve():
                    info = (folder.parent / "fdinfo" / fd.name).read_text()
                    if int(info.split()[1]) > beyond:
                        return lane.pid
    return None


def cut(wav: Path, to: Path, seconds: float, *, zeroed: bool = False) -> Path:
    """The first seconds of a recording, as a crash would leave it or closed in order."""
    pcm = wav.read_bytes()[44 : 44 + int(seconds * 16000)]
    sizes = (0, 0) if zeroed else (len(pcm) + 36, len(pcm))
    head = wav.read_bytes()[8:40]
    to.write_bytes(b"RIFF" + struct.pack("<I", sizes[0]) + head + struct.pack("<I", sizes[1]) + pcm)
    return to


def broken_off(wav: Path, to: Path, seconds: int) -> Path:
    """A file whose header promises more than it holds, ending inside a sample."""
    to.write_bytes(wav.read_bytes()[: 44 + seconds * 16000 + 1])
    return to


async def test_both_legs_come_out_as_well_as_measured(engine: VoskTranscriber, calls: Path) -> None:
    port: Transcriber = engine
    scripts = json.loads((calls / "calls.json").read_text())
    chosen = sorted(scripts)[::2]
    jobs = {(n, leg): port.transcribe(calls / f"{n}-{leg}.wav", leg) for n in chosen for leg in Leg}
    heard = dict(zip(jobs, await asyncio.gather(*jobs.values()), strict=True))
    for found in heard.values():
        assert all(0 <= w.start <= w.end <= found.audio_seconds + 0.3 for w in found.words)
        assert all(a.start <= b.start for a, b in pairwise(found.words))
        assert all(w.conf is not None and 0 <= w.conf <= 1.001 for w in found.words)
    assert error_rate(scripts, heard, Leg.CALLER) <= WORST_CALLER
    assert error_rate(scripts, heard, Leg.OPERATOR) <= WORST_OPERATOR
    assert "vosk" not in sys.modules, "the service must not load the native library"


def error_rate(
    scripts: dict[str, dict[str, list[dict[str, str]]]],
    heard: dict[tuple[str, Leg], Transcript],
    leg: Leg,
) -> float:
    wrong = total = 0
    for (name, side), found in heard.items():
        if side is leg:
            said = [t["text"] for t in scripts[name]["turns"] if t["who"] == leg]
            wanted = letters("".join(said))
            wrong += edits(wanted, letters(found.text))
            total += len(wanted)
    return wrong / total


async def test_the_same_sound_gives_the_same_words_times_and_confidences(
    engine: VoskTranscriber, chinese_model: Path, short: Path, tmp_path: Path
) -> None:
    first = cut(short, tmp_path / "first.wav", 14)
    # An endpoint of this recording falls on its very last step.
    other = cut(short, tmp_path / "other.wav", 5.25)
    together = await asyncio.gather(*(engine.transcribe(first, Leg.CALLER) for _ in range(3)))
    await engine.aclose()
    one_lane = VoskTranscriber(chinese_model, lanes=1, nice=0)
    try:
        await one_lane.transcribe(other, Leg.CALLER)
        warm = await one_lane.transcribe(first, Leg.CALLER)
        wide = await one_lane.transcribe(first, Leg.CALLER)
    finally:
        await one_lane.aclose()
    assert warm.words
    assert warm == wide
    assert all(one == warm for one in together)


async def test_a_lane_killed_in_the_middle_loses_no_word_of_any_leg(
    engine: VoskTranscriber, short: Path, tmp_path: Path
) -> None:
    wav = cut(short, tmp_path / "leg.wav", 20)
    neighbour = cut(short, tmp_path / "neighbour.wav", 18)
    calm = await engine.transcribe(wav, Leg.CALLER)
    pid = engine.pid
    assert pid is not None
    both = asyncio.gather(
        engine.transcribe(wav, Leg.CALLER), engine.transcribe(neighbour, Leg.OPERATOR)
    )
    lane = await until(lambda: reader_of(wav, pid, beyond=160_000))
    os.kill(lane, signal.SIGKILL)
    found, other = await both
    assert found == calm
    assert other.words
    assert engine.deaths == 1
    assert engine.pid == pid, "the process with the model lives on"


async def test_the_whole_decoder_killed_in_the_middle_is_started_again(
    engine: VoskTranscriber, short: Path, tmp_path: Path
) -> None:
    wav = cut(short, tmp_path / "leg.wav", 20)
    job = asyncio.create_task(engine.transcribe(wav, Leg.CALLER))
    pid = await until(lambda: engine.pid)
    lane = await until(lambda: reader_of(wav, pid, beyond=100_000))
    os.kill(pid, signal.SIGKILL)
    found = await job
    assert found.words
    assert engine.deaths == 1
    assert engine.pid not in (None, pid)
    await until(lambda: None if psutil.pid_exists(lane) else True)


async def test_a_recording_that_kills_twice_fails_in_one_sentence_and_the_next_works(
    engine: VoskTranscriber, short: Path, tmp_path: Path
) -> None:
    wav = cut(short, tmp_path / "leg.wav", 20)
    job = asyncio.create_task(engine.transcribe(wav, Leg.CALLER))
    pid = await until(lambda: engine.pid)
    first = await until(lambda: reader_of(wav, pid, beyond=0))
    os.kill(first, signal.SIGKILL)
    second = await until(lambda: lane if (lane := reader_of(wav, pid, beyond=0)) != first else None)
    os.kill(second, signal.SIGKILL)
    with pytest.raises(DecoderDied, match=r"died twice on the recording leg\.wav .*signal 9"):
        await job
    assert (await engine.transcribe(cut(short, wav, 12), Leg.CALLER)).words


async def test_a_leg_nobody_waits_for_any_more_frees_its_lane(
    chinese_model: Path, short: Path, tmp_path: Path
) -> None:
    engine = VoskTranscriber(chinese_model, lanes=1, nice=0)
    job = asyncio.create_task(engine.transcribe(short, Leg.CALLER))
    pid = await until(lambda: engine.pid)
    lane = await until(lambda: reader_of(short, pid, beyond=0))
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    found = await engine.transcribe(cut(short, tmp_path / "next.wav", 12), Leg.CALLER)
    assert found.words
    assert not psutil.pid_exists(lane)
    await engine.aclose()


async def test_what_a_crash_left_of_a_recording_is_transcribed(
    engine: VoskTranscriber, short: Path, tmp_path: Path
) -> None:
    whole = await engine.transcribe(cut(short, tmp_path / "whole.wav", 14), Leg.CALLER)
    zeroed = cut(short, tmp_path / "zeroed.wav", 14, zeroed=True)
    assert await engine.transcribe(zeroed, Leg.CALLER) == whole
    truncated = broken_off(short, tmp_path / "truncated.wav", 14)
    assert await engine.transcribe(truncated, Leg.CALLER) == whole


async def test_no_sound_is_one_sentence_and_silence_is_no_words(
    engine: VoskTranscriber, short: Path, tmp_path: Path
) -> None:
    empty = tmp_path / "empty.wav"
    empty.write_bytes(b"")
    with pytest.raises(AudioEmpty, match="zero length"):
        await engine.transcribe(empty, Leg.CALLER)
    assert engine.pid is None, "nothing was loaded for it"
    silent = cut(short, tmp_path / "silent.wav", 3)
    silent.write_bytes(silent.read_bytes()[:44] + bytes(48000))
    found = await engine.transcribe(silent, Leg.CALLER)
    assert (found.words, found.text, found.mean_confidence) == ((), "", None)
    assert found.audio_seconds == 3.0


async def test_without_a_model_it_waits_and_works_once_the_model_is_there(
    chinese_model: Path, short: Path, tmp_path: Path
) -> None:
    place = tmp_path / chinese_model.name
    engine = VoskTranscriber(place, nice=0)
    wav = cut(short, tmp_path / "leg.wav", 12)
    for ask in (engine.ping(), engine.transcribe(wav, Leg.CALLER)):
        with pytest.raises(ModelMissing, match="run `hotline model fetch`") as caught:
            await ask
        assert caught.value.passing
    place.symlink_to(chinese_model)
    await engine.ping()
    assert engine.pid is None, "a ping loads nothing"
    assert (await engine.transcribe(wav, Leg.CALLER)).words
    await engine.ping()
    await engine.aclose()


async def test_the_model_is_unloaded_when_idle_and_loaded_again(
    chinese_model: Path, short: Path, tmp_path: Path
) -> None:
    engine = VoskTranscriber(chinese_model, nice=0, unload_after=0.0)
    wav = cut(short, tmp_path / "leg.wav", 12)
    first = await engine.transcribe(wav, Leg.CALLER)
    await until(lambda: True if engine.pid is None else None)
    assert await engine.transcribe(wav, Leg.CALLER) == first
    await engine.aclose()


async def test_a_model_that_fails_its_checksum_or_cannot_be_loaded_is_one_sentence(
    chinese_model: Path, short: Path, tmp_path: Path
) -> None:
    damaged = tmp_path / chinese_model.name
    shutil.copytree(chinese_model, damaged)
    with (damaged / "graph" / "Gr.fst").open("r+b") as graph:
        graph.seek(1000)
        graph.write(b"\0\1\2\3")
    unknown = damaged.rename(tmp_path / "unknown")
    (unknown / "SHA256SUMS").unlink()
    (unknown / "am" / "final.mdl").write_bytes(b"no model")
    shutil.copytree(chinese_model, damaged)
    (damaged / "conf" / "model.conf").write_text("--beam=99\n")
    for folder, says in ((damaged, "wrong checksum"), (unknown, "speech")):
        engine = VoskTranscriber(folder, nice=0)
        with pytest.raises(SpeechError, match=says) as caught:
            await engine.transcribe(short, Leg.CALLER)
        assert caught.value.passing
        assert "\n" not in str(caught.value)
        assert isinstance(caught.value, ModelDamaged) or folder is unknown
        await engine.aclose()


async def test_closing_ends_every_process_and_the_work_in_hand_waits(
    engine: VoskTranscriber, short: Path
) -> None:
    job = asyncio.create_task(engine.transcribe(short, Leg.CALLER))
    pid = await until(lambda: engine.pid)
    lane = await until(lambda: reader_of(short, pid, beyond=0))
    await engine.aclose()
    with pytest.raises(EngineClosed) as caught:
        await job
    assert caught.value.passing
    with pytest.raises(EngineClosed):
        await engine.transcribe(short, Leg.CALLER)
    assert not psutil.pid_exists(pid)
    assert not psutil.pid_exists(lane)


async def test_no_decoder_outlives_a_service_that_was_killed(
    chinese_model: Path, short: Path
) -> None:
    service = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SERVICE, str(chinese_model), str(short)),
        stdout=asyncio.subprocess.PIPE,
        cwd=REPOSITORY,
    )
    assert service.stdout is not None
    pid = int(await service.stdout.readline())
    lanes = [lane.pid for lane in psutil.Process(pid).children()]
    assert lanes
    service.kill()
    await service.wait()
    await until(lambda: None if any(map(psutil.pid_exists, [pid, *lanes])) else True)


SERVICE = """
import asyncio, sys
from pathlib import Path
from typing import TypeVar
from telephony.calls import Leg
from transcription.engines.vosk import VoskTranscriber

async def main():
    engine = VoskTranscriber(Path(sys.argv[1]))
    job = asyncio.create_task(engine.transcribe(Path(sys.argv[2]), Leg.CALLER))
    while engine.pid is None:
        await asyncio.sleep(0.005)
    print(engine.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


def test_the_decoder_says_in_its_answer_what_it_cannot_load(tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    done = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", "transcription.engines.vosk_decoder", str(tmp_path)],
        cwd=REPOSITORY,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    answer = json.loads(done.stdout)
    assert (answer["ready"], answer["model_refused"], done.returncode) == (False, True, 1)
