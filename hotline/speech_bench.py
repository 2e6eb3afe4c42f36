"""How well and how fast a folder of scripted calls is heard: `hotline bench speech`.

The folder holds `calls.json` ({call: {"turns": [{"who": "caller" | "operator", "text": ...}]}}) and
for each call the legs `CALL-caller.wav` and `CALL-operator.wav`. Character error rates compare
script and transcript after both went through the same rules: numbers as digits, no marks, no
space, letters in lower case (`transcription.mentions.characters`). Places and units are the names
of the city's folder; numbers and amounts are found by their shape. Nothing is tuned to a folder.
"""

import asyncio
import json
import os
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from hotline.errors import HotlineError
from telephony.calls import Leg
from transcription.engines.apart import ApartTranscriber
from transcription.finishing import finish
from transcription.mentions import Mention, Score, characters, errors, held_against, mentions
from transcription.transcriber import Transcriber
from transcription.transcripts import Transcript
from transcription.vocabulary import Vocabulary

T = TypeVar("T")
NONE = Score(there=0, found=0, right=0)


class BenchFolderError(HotlineError):
    """The folder is no set of scripted calls; one sentence says why."""


class _Turn(TypedDict):
    who: str
    text: str


class _Call(TypedDict):
    turns: list[_Turn]


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """One leg and what is said on it, sentence by sentence."""

    name: str
    leg: Leg
    wav: Path
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One leg measured: characters of its script, errors of the raw and of the finished text."""

    script: Script
    length: int
    raw_errors: int
    finished_errors: int
    raw: str
    finished: str
    before: Mapping[Mention, Score]
    after: Mapping[Mention, Score]
    corrections: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """What it cost: seconds of sound, wall and finishing seconds; megabytes of the decoder."""

    sound: float
    wall: float
    finishing: float
    decoder_megabytes: float | None


def read_scripts(folder: Path) -> list[Script]:
    """Read a folder's calls.

    Raises:
        BenchFolderError: it has no `calls.json` of this form, or a leg's sound is missing.
    """
    calls = read_calls(folder, TypeAdapter(dict[str, _Call]))
    scripts = [script for name, call in calls.items() for script in _legs(folder, name, call)]
    if not scripts:
        raise BenchFolderError(f"{folder / 'calls.json'} names no calls.")
    return scripts


def read_calls(folder: Path, shape: TypeAdapter[T]) -> T:
    """What a folder's `calls.json` says, as the shape wants it.

    Raises:
        BenchFolderError: it cannot be read, or is of another form.
    """
    file = folder / "calls.json"
    try:
        return shape.validate_json(file.read_bytes())
    except OSError as error:
        raise BenchFolderError(
            f"{file} cannot be read ({error.strerror}): name a folder with scripted calls."
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = "/".join(map(str, first["loc"])) or "the file"
        raise BenchFolderError(f"{file}: {where}: {first['msg']}.") from error


def _legs(folder: Path, name: str, call: _Call) -> list[Script]:
    if Path(name).name != name:
        raise BenchFolderError(f"{folder / 'calls.json'}: {name!r} is no name of a file.")
    found = []
    for leg in Leg:
        said = [turn["text"] for turn in call["turns"] if turn["who"] == leg]
        if not said:
            continue
        wav = folder / f"{name}-{leg}.wav"
        if not wav.is_file():
            raise BenchFolderError(f"{wav} is missing: each leg of a call has a WAV file.")
        found.append(Script(name=name, leg=leg, wav=wav, text="。".join(said)))
    return found


async def measure(
    scripts: Sequence[Script], engine: Transcriber, vocabulary: Vocabulary
) -> tuple[list[Heard], Effort]:
    """Hear every leg, finish it, and hold both texts against the script."""
    began = time.monotonic()
    transcripts = await asyncio.gather(*(engine.transcribe(one.wav, one.leg) for one in scripts))
    wall = time.monotonic() - began
    memory = _megabytes(engine)
    began = time.monotonic()
    heard = [
        judge(script, found, vocabulary) for script, found in zip(scripts, transcripts, strict=True)
    ]
    return heard, Effort(
        sound=sum(found.audio_seconds for found in transcripts),
        wall=wall,
        finishing=time.monotonic() - began,
        decoder_megabytes=memory,
    )


def judge(script: Script, found: Transcript, vocabulary: Vocabulary) -> Heard:
    """Hold one transcript, raw and finished, against its script."""
    parts = finish(found.leg, found.words, vocabulary, found.again)
    raw = "。".join(part.raw for part in parts)
    finished = "".join(part.text for part in parts)
    there = mentions(script.text, vocabulary)
    wanted = characters(script.text)
    return Heard(
        script=script,
        length=len(wanted),
        raw_errors=errors(wanted, characters(raw)),
        finished_errors=errors(wanted, characters(finished)),
        raw=raw,
        finished=finished,
        before=_scores(there, mentions(raw, vocabulary)),
        after=_scores(there, mentions(finished, vocabulary)),
        corrections=sum(len(part.corrections) for part in parts),
    )


def _scores(
    there: Mapping[Mention, Counter[str]], found: Mapping[Mention, Counter[str]]
) -> dict[Mention, Score]:
    return {sort: held_against(there[sort], found[sort]) for sort in Mention}


def report(heard: Sequence[Heard], effort: Effort, engine: Transcriber) -> dict[str, Any]:
    """Everything measured, as plain values."""
    legs = {leg: _rates([one for one in heard if one.script.leg is leg]) for leg in Leg}
    return {
        "engine": engine.name,
        "model": engine.model,
        "calls": len({one.script.name for one in heard}),
        "compared": "numbers as digits on both sides, no marks, no space, lower case",
        "cer": {"all": _rates(heard), **{str(leg): rates for leg, rates in legs.items()}},
        "mentions": {
            **{str(sort): _mention(heard, (sort,)) for sort in Mention},
            "place_and_unit": _mention(heard, (Mention.PLACE, Mention.UNIT)),
        },
        "corrections": sum(one.corrections for one in heard),
        "sound_seconds": round(effort.sound, 1),
        "real_time_factor": round(effort.wall / effort.sound, 4) if effort.sound else None,
        "finishing_real_time_factor": (
            round(effort.finishing / effort.sound, 5) if effort.sound else None
        ),
        "decoder_megabytes": effort.decoder_megabytes,
        "cores": len(os.sched_getaffinity(0)),
        "legs": [_leg(one) for one in heard],
    }


def _rates(heard: Sequence[Heard]) -> dict[str, Any]:
    length = sum(one.length for one in heard)
    raw = sum(one.raw_errors for one in heard)
    finished = sum(one.finished_errors for one in heard)
    return {
        "characters": length,
        "raw": round(raw / length, 4) if length else None,
        "finished": round(finished / length, 4) if length else None,
        "lower_by": round(1 - finished / raw, 4) if raw else None,
    }


def _mention(heard: Sequence[Heard], sorts: Sequence[Mention]) -> dict[str, Any]:
    return {
        when: _score(sum((getattr(one, when)[sort] for one in heard for sort in sorts), start=NONE))
        for when in ("before", "after")
    }


def _score(score: Score) -> dict[str, Any]:
    return {
        "said": score.there,
        "found": score.found,
        "right": score.right,
        "recall": None if score.recall is None else round(score.recall, 4),
        "precision": None if score.precision is None else round(score.precision, 4),
    }


def _leg(one: Heard) -> dict[str, Any]:
    return {
        "call": one.script.name,
        "leg": str(one.script.leg),
        **_rates([one]),
        "raw_text": one.raw,
        "finished_text": one.finished,
    }


def _megabytes(engine: Transcriber) -> float | None:
    """Memory of the decoder and its lanes, shared pages counted once; None where none is apart."""
    if not isinstance(engine, ApartTranscriber) or engine.pid is None:
        return None
    try:
        lanes = Path(f"/proc/{engine.pid}/task/{engine.pid}/children").read_text().split()
        return round(sum(map(_proportional, (str(engine.pid), *lanes))) / 1024, 1)
    except OSError:
        return None


def _proportional(pid: str) -> int:
    """Proportional kibibytes of a process (Pss of /proc/PID/smaps_rollup)."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0


def as_json(found: Mapping[str, Any]) -> bytes:
    """One JSON object, as UTF-8 whatever the terminal's language."""
    return json.dumps(found, ensure_ascii=False, indent=2).encode()
