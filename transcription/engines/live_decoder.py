"""What runs inside the processes that hear live: each lane keeps the recognisers of its legs.

Started by `vosk_live.py` as `python -m transcription.engines.live_decoder MODEL`. A job names its
lane and its leg: `feed` (sound in base64, its rate, where in the leg it begins) or `finish`. A leg
that a lane does not know begins there: it is new, or the lane before this one died. A recogniser
whose leg has finished stays warm for the next; nothing of who spoke stays in it (vosk_decoder.py).
"""

import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from transcription.engines.vosk_decoder import (
    MEGABYTES,
    RECYCLE_SECONDS,
    Recogniser,
    main,
    resident_bytes,
    trim,
)

STEP_SECONDS = 0.1
_SAMPLE_BYTES = 2
_BREATH_SECONDS = 0.1
_A_LEG = 250
"""Megabytes of a recogniser in use."""


@dataclass(slots=True)
class _Leg:
    """A recogniser in use; `base` turns its times into those of the leg."""

    recogniser: Recogniser
    base: float
    after_an_end: bool = False


class Legs:
    """Hears any number of legs in turn; one instance a lane."""

    def __init__(self, new_recogniser: Callable[..., Any]) -> None:
        self._new = new_recogniser
        self._legs: dict[str, _Leg] = {}
        self._warm: list[Recogniser] = []

    def do(self, job: dict[str, Any]) -> dict[str, Any]:
        """Hear a piece, or end an utterance."""
        cpu = time.process_time()
        answer = self._feed(job) if job["do"] == "feed" else self._finish(job["leg"])
        return {**answer, "cpu_seconds": time.process_time() - cpu}

    def rest(self) -> None:
        """Give the warm recognisers back; those in use stay."""
        self._warm.clear()
        trim()

    def _feed(self, job: dict[str, Any]) -> dict[str, Any]:
        leg = self._legs.get(job["leg"])
        if leg is None:
            leg = self._legs[job["leg"]] = self._begin(job["rate"], job["at"])
        pcm = base64.b64decode(job["pcm"])
        step = int(job["rate"] * STEP_SECONDS) * _SAMPLE_BYTES
        utterances = []
        for at in range(0, len(pcm), step):
            leg.after_an_end = leg.recogniser.accept(pcm[at : at + step])
            if leg.after_an_end:
                utterances += _utterance(leg, leg.recogniser.native.Result())
        return {"utterances": utterances, "guess": _guess(leg)}

    def _begin(self, rate: int, at: float) -> _Leg:
        recogniser = next((one for one in self._warm if one.rate == rate), None)
        if recogniser is None:
            native = self._new(rate)
            native.SetWords(True)
            native.SetPartialWords(True)
            recogniser = Recogniser(native, rate)
        else:
            self._warm.remove(recogniser)
        return _Leg(recogniser, recogniser.seconds - at)

    def _finish(self, name: str) -> dict[str, Any]:
        leg = self._legs.pop(name, None)
        if leg is None:
            return {"utterances": []}
        one = leg.recogniser
        if leg.after_an_end:
            one.accept(bytes(int(one.rate * _BREATH_SECONDS) * _SAMPLE_BYTES))
        utterances = _utterance(leg, one.native.FinalResult())
        if one.seconds < RECYCLE_SECONDS:
            self._warm.append(one)
        if resident_bytes() > (MEGABYTES + _A_LEG * len(self._legs)) * 2**20:
            self.rest()
        return {"utterances": utterances}


def _utterance(leg: _Leg, said: str) -> list[list[list[Any]]]:
    """The words of an utterance in times of the leg; nothing where nothing was said."""
    words = json.loads(said).get("result", [])
    return [[_word(word, leg.base) for word in words]] if words else []


def _word(word: dict[str, Any], base: float) -> list[Any]:
    start = max(0.0, round(word["start"] - base, 2))
    return [word["word"], start, max(start, round(word["end"] - base, 2)), word.get("conf")]


def _guess(leg: _Leg) -> list[list[Any]]:
    words = json.loads(leg.recogniser.native.PartialResult()).get("partial_result", [])
    return [_word(word, leg.base) for word in words]


if __name__ == "__main__":
    main(Legs)
