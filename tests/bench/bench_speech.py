"""How fast recorded legs become words, beside a bare Vosk loop on the same files in the same run.

    .cache/venv/bin/python tests/bench/bench_speech.py [CALLS] [ROUNDS]

Contenders, each with every core: our engine as the service uses it (processes apart, answers
over a pipe); a bare loop with a recogniser reused on each thread; and the bare loop people write,
with a new recogniser for each file. All are warm: a first round is not counted. They take turns,
so noise on a shared machine meets all of them; the median round counts. Our lanes are kept from
resting while the others have their turn: the measure is that of a busy service. The real-time
factor is processor or wall seconds for one second of one stream: smaller is faster.
"""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # run as a script: the repository's root is not on the path
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import psutil

from telephony.calls import Leg
from transcription import audio
from transcription.engines.vosk import VoskTranscriber
from transcription.errors import ModelError
from transcription.models import ensure_model

REPOSITORY = Path(__file__).resolve().parents[2]
CORES = len(os.sched_getaffinity(0))
STEP_BYTES = 4000
GOAL = 0.95
MEGABYTE = 2**20
Round = tuple[float, float]
"""Wall seconds and processor seconds for all the files."""


class Bare:
    """A bare Vosk loop in a process of its own, so that its memory and noise are its own."""

    def __init__(self, mode: str, model: Path, files: list[Path]) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - this file
            [sys.executable, __file__, "--bare", mode, str(model), *map(str, files)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def round(self) -> Round:
        """Decode every file once."""
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        wall, cpu = json.loads(self._process.stdout.readline())
        return wall, cpu

    def end(self) -> None:
        """End the process."""
        self._process.communicate()


def bare(mode: str, model_path: str, files: list[str]) -> None:
    """The peer: one model, a thread a core, and nothing else; a round for each line of input."""
    import vosk  # noqa: PLC0415 - only the peer's own process loads it

    vosk.SetLogLevel(-1)
    model = vosk.Model(model_path)
    shelf: list[Any] = []

    def recogniser() -> Any:
        if mode == "reused" and shelf:
            return shelf.pop()
        made = vosk.KaldiRecognizer(model, 8000)
        made.SetWords(True)
        return made

    def decode(path: str) -> int:
        found = recogniser()
        words = 0
        with Path(path).open("rb") as file:
            file.seek(44)
            while pcm := file.read(STEP_BYTES):
                if found.AcceptWaveform(pcm):
                    words += len(json.loads(found.Result()).get("result", []))
        words += len(json.loads(found.FinalResult()).get("result", []))
        if mode == "reused":
            shelf.append(found)
        return words

    with ThreadPoolExecutor(CORES) as pool:
        for _ in sys.stdin:
            wall, cpu = time.monotonic(), time.process_time()
            list(pool.map(decode, files))
            print(json.dumps([time.monotonic() - wall, time.process_time() - cpu]), flush=True)


class Ours:
    """The engine as the service holds it."""

    def __init__(self, model: Path, files: list[Path]) -> None:
        self.engine = VoskTranscriber(model, nice=0, rest_after=86400.0, unload_after=None)
        self._files = files

    def family(self) -> list[psutil.Process]:
        """The process with the model and its lanes."""
        if self.engine.pid is None:
            return []
        decoder = psutil.Process(self.engine.pid)
        return [decoder, *decoder.children()]

    def _cpu(self) -> float:
        return time.process_time() + sum(sum(p.cpu_times()[:2]) for p in self.family())

    async def round(self) -> Round:
        """Decode every file once."""
        wall, cpu = time.monotonic(), self._cpu()
        await asyncio.gather(*(self.engine.transcribe(file, Leg.CALLER) for file in self._files))
        return time.monotonic() - wall, self._cpu() - cpu


def resident() -> float:
    """Megabytes of this process, which plays the service."""
    return float(psutil.Process().memory_info().rss) / MEGABYTE


def shared_out(processes: list[psutil.Process]) -> str:
    """Resident megabytes of each process, and of all with shared pages counted once."""
    each = " + ".join(f"{p.memory_info().rss / MEGABYTE:.0f}" for p in processes)
    once = sum(p.memory_full_info().pss for p in processes) / MEGABYTE
    return f"RSS {each} MB, together {once:.0f} MB (shared pages once)"


async def measure(model: Path, files: list[Path], rounds: int) -> dict[str, list[Round]]:
    """Let the contenders take turns; the first round warms them up."""
    without = resident()
    ours = Ours(model, files)
    peers = {mode: Bare(mode, model, files) for mode in ("reused", "fresh")}
    found: dict[str, list[Round]] = {"ours": [], "reused": [], "fresh": []}
    for number in range(rounds + 1):
        taken = {"ours": await ours.round()}
        taken |= {mode: await asyncio.to_thread(peer.round) for mode, peer in peers.items()}
        if number:
            for name, one in taken.items():
                found[name].append(one)
    print(f"memory of the service without a model    {without:6.0f} MB")
    print(f"memory of the service while it decodes   {resident():6.0f} MB")
    print(f"memory of the decoder and its lanes      {shared_out(ours.family())}")
    await ours.engine.unload()
    print(f"memory of the decoder when unloaded      {len(ours.family())} processes")
    await ours.engine.aclose()
    for peer in peers.values():
        peer.end()
    return found


def report(found: dict[str, list[Round]], seconds: float) -> None:
    """Print factors of each and our ratios; above 1 we are faster."""
    names = {
        "ours": "our engine",
        "reused": "bare Vosk loop, recognisers reused",
        "fresh": "bare Vosk loop, one recogniser a file",
    }
    for name, label in names.items():
        wall, cpu = (statistics.median(one[n] for one in found[name]) for n in (0, 1))
        print(
            f"{label:38} real-time factor a stream: processor {cpu / seconds:.3f}, "
            f"wall {wall * CORES / seconds:.3f}"
        )
    for name, measure in product(("reused", "fresh"), (0, 1)):
        kind = ("wall", "processor")[measure]
        ratio = statistics.median(
            theirs[measure] / mine[measure]
            for mine, theirs in zip(found["ours"], found[name], strict=True)
        )
        verdict = "meets" if ratio >= GOAL else "MISSES"
        print(f"ratio to {names[name]:38} by {kind:9} {ratio:.2f}  {verdict} the goal {GOAL}")


def main(say: Callable[[str], None] = print) -> int:
    """Run the benchmark on the scripted calls."""
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    beside = REPOSITORY.parent / "shared" / "data"
    folder = Path(os.environ.get("HOTLINE_SHARED_DATA") or beside) / "calls"
    files = sorted(folder.glob("*.wav"))[: 2 * calls]
    if not files:
        say(f"skipped: no scripted calls in {folder} (HOTLINE_SHARED_DATA names the folder)")
        return 0
    cache = Path(os.environ.get("HOTLINE_CACHE") or REPOSITORY / ".cache")
    try:
        model = ensure_model(cache / "models", say)
    except ModelError as error:
        say(f"skipped: {error}")
        return 0
    seconds = sum(audio.inspect(file).seconds for file in files)
    say(
        f"{len(files)} legs, {seconds:.0f} s of sound, {CORES} cores, {rounds} rounds, {model.name}"
    )
    report(asyncio.run(measure(model, files, rounds)), seconds)
    return 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--bare"]:
        bare(sys.argv[2], sys.argv[3], sys.argv[4:])
    else:
        sys.exit(main())
