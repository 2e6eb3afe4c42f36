"""What runs inside the decoding processes: one Vosk model, shared by one lane a core.

Started by `worker.py` as `python -m transcription.engines.vosk_decoder MODEL`. Nothing of the
service lives here: several mistakes inside Vosk abort the process, and they take one lane with
one recording and no call.

The same sound gives the same words, times and confidences. Vosk adds a little random noise to
the sound (dither), and on telephone sound it needs it: without, our scripted calls come out a
quarter worse (character errors 12.9 instead of 10.2 % for callers). So the noise stays and its
seed is set for each recording; that holds because a lane is a process with one thread.
"""

import argparse
import ctypes
import json
import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transcription.again import DIGIT_WORDS
from transcription.engines.lanes import Lanes, Work, settle

STEP_SECONDS = 0.25
"""Vosk looks for the end of an utterance once a step; 0.1 to 0.25 s cost the same CPU."""
RECYCLE_SECONDS = 1800.0
"""A recogniser is given back after this much sound: its word times are single-precision floats."""
MEGABYTES = 520
"""A lane at ease: model 120 to 200 MB (shared), graph cache of a recogniser up to 250 MB."""
GRAMMARS = {"digits": json.dumps([*DIGIT_WORDS, "[unk]"], ensure_ascii=False)}
"""All that can be asked for by name. A grammar goes in when a recogniser is made and never later:
one set after sound has come, or one that is no JSON, ends the process (transcription.md 1.6)."""
_SAMPLE_BYTES = 2
_SILENCE_SECONDS = 0.1
_SEED = 1


@contextmanager
def telephone_model(model: Path) -> Iterator[Path]:
    """A short-lived twin of the model folder, all links but the feature settings.

    With upsampling allowed a model trained at 16 kHz takes the telephone's 8 kHz; most models
    forbid it in their settings and then fail at the first sound. The model is not touched.
    """
    with tempfile.TemporaryDirectory(prefix="hotline-model-") as folder:
        twin = Path(folder)
        for entry in model.iterdir():
            if entry.name not in ("conf", "mfcc.conf"):
                (twin / entry.name).symlink_to(entry.resolve())
        if (model / "conf").is_dir():
            shutil.copytree(model / "conf", twin / "conf")
        for name in ("conf/mfcc.conf", "mfcc.conf"):
            if (model / name).is_file():
                (twin / name).write_text(_any_rate((model / name).read_text()))
        yield twin


def _any_rate(settings: str) -> str:
    ours = ("--allow-upsample", "--allow-downsample")
    kept = [line for line in settings.splitlines() if line.split("=")[0].strip() not in ours]
    return "\n".join([*kept, *(f"{name}=true" for name in ours), ""])


@dataclass(slots=True)
class Recogniser:
    """A Vosk recogniser and the samples it has heard so far, over all its recordings."""

    native: Any
    rate: int
    samples: int = 0

    @property
    def seconds(self) -> float:
        """All the sound it has heard; its word times count from there."""
        return self.samples / self.rate

    def accept(self, pcm: bytes) -> bool:
        """Hear some sound; true where an utterance ended."""
        self.samples += len(pcm) // _SAMPLE_BYTES
        return bool(self.native.AcceptWaveform(pcm))


class Decoder:
    """Decodes one recording after another; the recogniser stays warm between them.

    A warm recogniser costs half the CPU of a new one, because it keeps the part of the word
    graph it has walked. Nothing of the caller stays in it once `FinalResult` has ended a
    recording; a recogniser whose recording failed is thrown away.
    """

    def __init__(self, new_recogniser: Callable[..., Any]) -> None:
        self._new = new_recogniser
        self._warm: Recogniser | None = None

    def do(self, job: dict[str, Any]) -> dict[str, Any]:
        """Decode the sound the job names (path, offset, bytes, rate) into rows of words.

        A job with `stretches` (pairs of seconds) and the name of a `grammar` hears only those.
        """
        started, cpu = time.monotonic(), time.process_time()
        if "grammar" in job:
            return {"words": self._again(job), "cpu_seconds": time.process_time() - cpu}
        recogniser, self._warm = self._warm, None
        if recogniser is None or recogniser.rate != job["rate"]:
            recogniser = self._fresh(job["rate"])
        ctypes.CDLL(None).srand(_SEED)
        words = self._words(recogniser, _sound(job))
        if recogniser.seconds < RECYCLE_SECONDS:
            self._warm = recogniser
        del recogniser
        if self._warm is None or resident_bytes() > MEGABYTES * 2**20:
            self.rest()
        return {
            "words": words,
            "wall_seconds": time.monotonic() - started,
            "cpu_seconds": time.process_time() - cpu,
        }

    def _again(self, job: dict[str, Any]) -> list[list[Any]]:
        """Hear each stretch anew with a grammar; the words' times are those of the recording."""
        words: list[list[Any]] = []
        for start, end in job["stretches"]:
            native = self._new(job["rate"], GRAMMARS[job["grammar"]])
            native.SetWords(True)
            ctypes.CDLL(None).srand(_SEED)
            first = int(start * job["rate"]) * _SAMPLE_BYTES
            last = min(int(end * job["rate"]) * _SAMPLE_BYTES, job["bytes"])
            part = {**job, "offset": job["offset"] + first, "bytes": last - first}
            found = self._words(Recogniser(native, job["rate"]), _sound(part))
            words += [
                [text, round(s + start, 2), round(e + start, 2), c] for text, s, e, c in found
            ]
        return words

    def _fresh(self, rate: int) -> Recogniser:
        native = self._new(rate)
        native.SetWords(True)
        return Recogniser(native, rate)

    def _words(self, recogniser: Recogniser, sound: Iterator[bytes]) -> list[list[Any]]:
        base = recogniser.seconds
        found: list[dict[str, Any]] = []
        ended = False
        for pcm in sound:
            if ended := recogniser.accept(pcm):
                found += _result(recogniser.native.Result())
        if ended:
            # FinalResult right after an endpoint gives the recogniser back unfinished, and the
            # next caller would be heard with this one's voice adaptation. A breath of silence
            # puts it back to work, so that FinalResult really ends this recording.
            recogniser.accept(bytes(int(recogniser.rate * _SILENCE_SECONDS) * _SAMPLE_BYTES))
        found += _result(recogniser.native.FinalResult())
        return [_word(word, base) for word in found]

    def rest(self) -> None:
        """Throw the warm recogniser away and return its memory to the system."""
        self._warm = None
        trim()


def _sound(job: dict[str, Any]) -> Iterator[bytes]:
    step = int(job["rate"] * STEP_SECONDS) * _SAMPLE_BYTES
    left = job["bytes"]
    with Path(job["path"]).open("rb") as file:
        file.seek(job["offset"])
        while left > 0 and (pcm := file.read(min(step, left))):
            left -= len(pcm)
            yield pcm


def _result(answer: str) -> list[dict[str, Any]]:
    words: list[dict[str, Any]] = json.loads(answer).get("result", [])
    return words


def _word(word: dict[str, Any], base: float) -> list[Any]:
    """Text, start, end, confidence; times of this recording, to the hundredth of a second."""
    start = max(0.0, round(word["start"] - base, 2))
    return [word["word"], start, max(start, round(word["end"] - base, 2)), word.get("conf")]


def resident_bytes() -> int:
    """The resident memory of this process, what it shares included."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def trim() -> None:
    """Return freed memory to the system; without it glibc keeps 85 to 95 % of it, measured."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def _load(path: Path) -> Callable[..., Any]:
    """Load the model; the result makes recognisers of it for a sample rate, and a grammar."""
    import vosk  # noqa: PLC0415 - only the decoding process pays for the import

    vosk.SetLogLevel(-1)
    with telephone_model(path) as twin:
        model = vosk.Model(str(twin))
    return lambda rate, *grammar: vosk.KaldiRecognizer(model, rate, *grammar)


def main(work: Callable[[Any], Work], load: Callable[[Path], Any] = _load) -> None:
    """Load the model, then let each lane do its work with it until standard input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path)
    parser.add_argument("--lanes", type=int, default=1)
    parser.add_argument("--nice", type=int, default=0)
    parser.add_argument("--rest-after", type=float, default=60.0)
    options = parser.parse_args()
    settle(options.nice)
    started = time.monotonic()
    try:
        loaded = load(options.model)
    except Exception as error:  # noqa: BLE001 - the service turns it into its own sentence
        refused = not isinstance(error, ImportError)
        print(json.dumps({"ready": False, "model_refused": refused, "error": str(error)}))  # noqa: T201 - our answer
        sys.exit(1)
    lanes = Lanes(options.lanes, lambda: work(loaded), rest_after=options.rest_after)
    lanes.serve({"ready": True, "load_seconds": time.monotonic() - started})
    os._exit(0)


if __name__ == "__main__":
    main(Decoder)
