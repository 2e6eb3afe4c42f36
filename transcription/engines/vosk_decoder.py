"""What runs inside a decoding process: one Vosk model, one thread a core, recognisers reused.

Started by `worker.py` as `python -m transcription.engines.vosk_decoder MODEL`. It reads one JSON
job a line from standard input and writes one JSON answer a line to standard output; it ends when
its input ends, so it never outlives the service. Nothing else of the service lives here: a native
abort (several are known) takes this process and no call.
"""

import argparse
import ctypes
import json
import os
import queue
import resource
import select
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STEP_SECONDS = 0.25
"""Vosk looks for the end of an utterance once a step; 0.1 to 0.25 s cost the same CPU."""
RECYCLE_SECONDS = 1800.0
"""A recogniser is given back after this much sound: its word times are single-precision floats."""
MEGABYTES_MODEL = 200
MEGABYTES_RECOGNISER = 320
"""What a recogniser's graph cache grows to is about 250 MB, measured; above it we start afresh."""
_SAMPLE_BYTES = 2
_SILENCE_SECONDS = 0.1
_PIPE_LINE = 65536


@contextmanager
def exact_model(model: Path) -> Iterator[Path]:
    """A short-lived twin of the model folder, all links but the feature settings.

    Without dither the same sound gives the same words; with up- and downsampling allowed, a
    model trained at 16 kHz takes the telephone's 8 kHz. The model itself is not touched.
    """
    with tempfile.TemporaryDirectory(prefix="hotline-model-") as folder:
        twin = Path(folder)
        for entry in model.iterdir():
            if entry.name != "conf":
                (twin / entry.name).symlink_to(entry.resolve())
        if (model / "conf").is_dir():
            shutil.copytree(model / "conf", twin / "conf")
        for settings in (twin / "conf" / "mfcc.conf", twin / "mfcc.conf"):
            if settings.exists():
                text = settings.read_text()
                settings.unlink()
                settings.write_text(_exact(text))
        yield twin


def _exact(settings: str) -> str:
    ours = ("--dither", "--allow-upsample", "--allow-downsample")
    kept = [line for line in settings.splitlines() if line.split("=")[0].strip() not in ours]
    return "\n".join(
        [*kept, "--dither=0.0", "--allow-upsample=true", "--allow-downsample=true", ""]
    )


@dataclass(slots=True)
class Recogniser:
    """A Vosk recogniser and the samples it has heard so far, over all its recordings."""

    native: Any
    rate: int
    samples: int = 0

    @property
    def seconds(self) -> float:
        """All the sound it has heard."""
        return self.samples / self.rate

    def accept(self, pcm: bytes) -> bool:
        """Hear some sound; true where an utterance ended."""
        self.samples += len(pcm) // _SAMPLE_BYTES
        return bool(self.native.AcceptWaveform(pcm))


class Decoder:
    """Decodes jobs with one shared model; recognisers are kept warm and reused."""

    def __init__(self, model: Any, new_recogniser: Any, *, threads: int) -> None:
        self._model = model
        self._new = new_recogniser
        self._threads = threads
        self._idle: list[Recogniser] = []
        self._lock = threading.Lock()
        self._last_used = time.monotonic()
        self._limit = (MEGABYTES_MODEL + MEGABYTES_RECOGNISER * threads) * 2**20
        self.cancelled: set[int] = set()

    def decode(self, job: dict[str, Any]) -> dict[str, Any]:
        """Decode one recording; the recogniser goes back to the pool only after a clean end."""
        started, cpu = time.monotonic(), time.thread_time()
        recogniser = self._lease(job["rate"])
        words = self._words(recogniser, job)
        self._give_back(recogniser)
        return {
            "words": words,
            "wall_seconds": time.monotonic() - started,
            "cpu_seconds": time.thread_time() - cpu,
        }

    def _lease(self, rate: int) -> Recogniser:
        with self._lock:
            for index, idle in enumerate(self._idle):
                if idle.rate == rate:
                    return self._idle.pop(index)
        native = self._new(self._model, rate)
        native.SetWords(True)
        return Recogniser(native, rate)

    def _words(self, recogniser: Recogniser, job: dict[str, Any]) -> list[list[Any]]:
        base = recogniser.seconds
        found: list[dict[str, Any]] = []
        ended = False
        for pcm in _sound(job):
            if job["id"] in self.cancelled:
                raise InterruptedError
            if ended := recogniser.accept(pcm):
                found += _result(recogniser.native.Result())
        if ended:
            # FinalResult right after an endpoint gives the recogniser back unfinished, and the
            # next caller would be heard with this one's voice adaptation. A breath of silence
            # puts it back to work, so that FinalResult really ends this recording.
            recogniser.accept(bytes(int(recogniser.rate * _SILENCE_SECONDS) * _SAMPLE_BYTES))
        found += _result(recogniser.native.FinalResult())
        return [_word(word, base) for word in found]

    def _give_back(self, recogniser: Recogniser) -> None:
        too_big = resident_bytes() > self._limit
        with self._lock:
            self._last_used = time.monotonic()
            if too_big:
                self._idle.clear()
            elif recogniser.seconds < RECYCLE_SECONDS:
                self._idle = [*self._idle, recogniser][-self._threads :]
        if too_big:
            del recogniser
            trim()

    def rest_after(self, seconds: float) -> None:
        """Give back the memory of idle recognisers where nothing was decoded for so long."""
        with self._lock:
            rests = bool(self._idle) and time.monotonic() - self._last_used >= seconds
            if rests:
                self._idle.clear()
        if rests:
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
    """The resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def trim() -> None:
    """Return freed memory to the system; without it glibc keeps 85 to 95 % of it, measured."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


class Answers:
    """Writes one JSON answer a line; safe from many threads.

    The real standard output is kept for answers alone: whatever a library prints goes to
    standard error, where the service keeps the last lines for its error message.
    """

    def __init__(self) -> None:
        self._out = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)
        self._lock = threading.Lock()

    def say(self, answer: dict[str, Any]) -> None:
        """Write one answer at once."""
        with self._lock:
            self._out.write(json.dumps(answer, ensure_ascii=False) + "\n")
            self._out.flush()


def _settle(niceness: int) -> None:
    """Let calls go first, let the kernel pick us when memory runs out, leave no core file."""
    with suppress(OSError):
        os.nice(niceness)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # The service ends us by closing our input, after the work in hand.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _work(decoder: Decoder, jobs: "queue.SimpleQueue[dict[str, Any]]", answers: Answers) -> None:
    while True:
        job = jobs.get()
        try:
            answer = decoder.decode(job)
        except InterruptedError:
            answer = {"cancelled": True}
        except Exception as error:  # noqa: BLE001 - whatever it was, the service must hear of it
            answer = {"error": f"{type(error).__name__}: {error}"}
        decoder.cancelled.discard(job["id"])
        answers.say({"id": job["id"], **answer})


def _load(path: Path, answers: Answers, threads: int) -> Decoder | None:
    started = time.monotonic()
    try:
        import vosk  # noqa: PLC0415 - only a decoding process pays for the import
    except ImportError as error:
        answers.say({"ready": False, "error": f"{error}"})
        return None
    vosk.SetLogLevel(-1)
    try:
        with exact_model(path) as twin:
            model = vosk.Model(str(twin))
    except Exception as error:  # noqa: BLE001 - the service turns it into its own sentence
        answers.say({"ready": False, "model_refused": True, "error": f"{error}"})
        return None
    answers.say({"ready": True, "load_seconds": time.monotonic() - started})
    return Decoder(model, vosk.KaldiRecognizer, threads=threads)


def _lines(idle_seconds: float) -> Iterator[bytes | None]:
    """Lines of standard input; None each time `idle_seconds` pass without one."""
    buffer = b""
    while True:
        ready, _, _ = select.select([0], [], [], idle_seconds)
        if not ready:
            yield None
            continue
        if not (piece := os.read(0, _PIPE_LINE)):
            return
        *whole, buffer = (buffer + piece).split(b"\n")
        yield from whole


def main() -> None:
    """Load the model, then decode until standard input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--nice", type=int, default=0)
    parser.add_argument("--rest-after", type=float, default=60.0)
    options = parser.parse_args()
    answers = Answers()
    _settle(options.nice)
    if (decoder := _load(options.model, answers, options.threads)) is None:
        sys.exit(1)
    jobs: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    for _ in range(options.threads):
        threading.Thread(target=_work, args=(decoder, jobs, answers), daemon=True).start()
    for line in _lines(options.rest_after):
        decoder.rest_after(options.rest_after)
        if line is None:
            continue
        message = json.loads(line)
        if "cancel" in message:
            decoder.cancelled.add(message["cancel"])
        elif "ping" in message:
            answers.say({"id": message["ping"], "pong": True, "resident": resident_bytes()})
        else:
            jobs.put(message)
    os._exit(0)


if __name__ == "__main__":
    main()
