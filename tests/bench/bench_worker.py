"""How much sound a worker hears in an hour, beside a bare Vosk loop and vosk-server's design.

    .cache/venv/bin/python tests/bench/bench_worker.py [CALLS] [ROUNDS]

The same files in one run: `hotline worker` with jobs in a real PostgreSQL queue and sound in a real
store, from the moment the jobs are there to the last transcript committed; a bare loop with a
thread a core, its recognisers reused, and one with a new recogniser a file; and vosk-server's
design (asr_server.py beside this file) with a client a core that sends as fast as it is answered.
They take turns and the first round warms them; the median round counts. Numbers said digit by
digit the worker hears twice, which no peer does.
"""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

if __name__ == "__main__":  # run as a script: the repository's root is not on the path
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import psutil
from websockets.asyncio.client import connect

from hotline import flow
from hotline.database import EmbeddedPostgres, Pool, connected, migrate, pooled, transaction
from hotline.jobs import JobName, enqueue
from hotline.recordings import take_in
from hotline.sound_folder import SoundFolder
from hotline.sounds import Place, SoundStores
from telephony.calls import Leg
from telephony.sealing import KeyFile
from tests.bench.bench_speech import CORES, GOAL, REPOSITORY, Bare
from tests.hotline import city
from tests.hotline.story import call, events
from transcription import audio
from transcription.errors import ModelError
from transcription.models import ensure_model

MESSAGE_BYTES = 8000
"""Half a second, as vosk-server's own test client sends."""
HEADER_BYTES = 44
MEGABYTE = 2**20


class Worker:
    """`hotline worker` on a queue of its own, with every file waiting as a job."""

    def __init__(self, town: city.City, pool: Pool) -> None:
        clean = {k: v for k, v in os.environ.items() if not k.startswith("HOTLINE_")}
        self._pool = pool
        self._process = subprocess.Popen(
            [sys.executable, "-m", "hotline", "worker"],
            cwd=REPOSITORY,
            env={**clean, "HOTLINE_CONFIG": str(town.toml)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        if self._process.stdout is None or not self._process.stdout.readline():
            raise RuntimeError("the worker did not start")

    async def round(self) -> float:
        """Seconds from the jobs to the last transcript."""
        async with transaction(self._pool) as tx:
            legs = await tx.fetch(
                """UPDATE transcripts SET state = 'pending', words = NULL, text = NULL,
                          engine = NULL, model = NULL, confidence = NULL, audio_seconds = NULL,
                          done_at = NULL RETURNING call_id, leg"""
            )
            for row in legs:
                payload = {"call_id": row["call_id"], "leg": row["leg"]}
                await enqueue(tx, JobName.TRANSCRIBE, payload)
        began = time.monotonic()
        pending = "SELECT count(*) FROM transcripts WHERE state = 'pending'"
        while await self._pool.fetchval(pending):  # noqa: ASYNC110 - another process does it
            await asyncio.sleep(0.02)  # each look costs the machine that is being measured
        return time.monotonic() - began

    def megabytes(self) -> float:
        """Memory of the worker and all its processes, shared pages once."""
        root = psutil.Process(self._process.pid)
        family = [root, *root.children(recursive=True)]
        return float(sum(one.memory_full_info().pss for one in family)) / MEGABYTE

    def end(self) -> None:
        """End it and wait."""
        self._process.terminate()
        self._process.communicate()


class AsrServer:
    """vosk-server's design, with as many clients as there are cores."""

    def __init__(self, model: Path, files: list[Path]) -> None:
        self._sound = {file: file.read_bytes()[HEADER_BYTES:] for file in files}
        self._process = subprocess.Popen(  # noqa: S603 - the file beside this one
            [sys.executable, str(Path(__file__).with_name("asr_server.py")), str(model)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        if self._process.stdout is None:
            raise RuntimeError
        self._port = json.loads(self._process.stdout.readline())["port"]

    async def round(self) -> float:
        """Seconds until every file has its final result."""
        free = asyncio.Semaphore(CORES)
        began = time.monotonic()
        await asyncio.gather(*(self._client(file, free) for file in self._sound))
        return time.monotonic() - began

    async def _client(self, file: Path, free: asyncio.Semaphore) -> None:
        async with free, connect(f"ws://127.0.0.1:{self._port}") as server:
            pcm = self._sound[file]
            for at in range(0, len(pcm), MESSAGE_BYTES):
                await server.send(pcm[at : at + MESSAGE_BYTES])
                await server.recv()
            await server.send('{"eof" : 1}')
            await server.recv()

    def megabytes(self) -> float:
        """Memory of the server."""
        return float(psutil.Process(self._process.pid).memory_full_info().pss) / MEGABYTE

    def end(self) -> None:
        """Close its input, which ends it."""
        self._process.communicate()


@contextmanager
def database(folder: Path) -> Iterator[str]:
    """A PostgreSQL of our own for the while."""
    server = EmbeddedPostgres(folder / "postgres")
    dsn = server.start()
    try:
        yield dsn
    finally:
        server.stop()


async def fill(pool: Pool, folder: Path, files: list[Path]) -> None:
    """A call for each two files, their sound in the store."""
    kept = SoundFolder(folder / "data" / "recordings")
    sounds = SoundStores(current=kept, folder=kept, work=folder / "data" / "incoming")
    now = datetime.now(UTC) + timedelta(hours=1)
    for number in range(len(files) // 2):
        ended = call(number + 1)
        async with transaction(pool) as tx:
            call_id = await flow.call_told(tx, events(ended))
        found = {
            leg: take_in(
                files[2 * number + side],
                Place(call_id=call_id, leg=leg, started_at=ended.started_at),
                sounds,
                now=now,
                missing_after=now + timedelta(hours=1),
            )
            for side, leg in enumerate(Leg)
        }
        async with transaction(pool) as tx:
            await flow.recordings_collected(tx, call_id, found, now)
    await pool.execute("DELETE FROM pgqueuer")


async def measure(
    folder: Path, model: Path, files: list[Path], rounds: int
) -> dict[str, list[float]]:
    """Let the contenders take turns; the first round warms them up."""
    found: dict[str, list[float]] = {"worker": [], "reused": [], "fresh": [], "server": []}
    with database(folder) as dsn:
        extra = f'[speech]\nmodel_path = "{model}"\n'
        town = city.build(folder, dsn=dsn, ami_port=city.free_port(), extra=extra)
        async with connected(dsn) as conn:
            await migrate(conn)
        async with pooled(dsn, keys=KeyFile(folder / "identity.keys")) as pool:
            await fill(pool, folder, files)
            worker, server = Worker(town, pool), AsrServer(model, files)
            peers = {mode: Bare(mode, model, files) for mode in ("reused", "fresh")}
            try:
                for number in range(rounds + 1):
                    taken = {"worker": await worker.round(), "server": await server.round()}
                    for mode, bare in peers.items():
                        taken[mode] = (await asyncio.to_thread(bare.round))[0]
                    if number:
                        for name, wall in taken.items():
                            found[name].append(wall)
                print(f"memory of the worker and its processes  {worker.megabytes():6.0f} MB")
                print(f"memory of vosk-server's design          {server.megabytes():6.0f} MB")
            finally:
                worker.end()
                server.end()
                for peer in peers.values():
                    peer.end()
    return found


def report(found: dict[str, list[float]], seconds: float) -> None:
    """Print hours of sound in an hour, and our ratios; above 1 we are faster."""
    names = {
        "worker": "hotline worker, queue and store included",
        "reused": "bare Vosk loop, recognisers reused",
        "fresh": "bare Vosk loop, one recogniser a file",
        "server": "vosk-server's design, one client a core",
    }
    for name, label in names.items():
        print(f"{label:42} {seconds / statistics.median(found[name]):6.1f} times real time")
    for name, goal in (("reused", GOAL), ("fresh", GOAL), ("server", 1.0)):
        pairs = zip(found["worker"], found[name], strict=True)
        ratio = statistics.median(theirs / mine for mine, theirs in pairs)
        verdict = "meets" if ratio >= goal else "MISSES"
        print(f"ratio to {names[name]:42} {ratio:.2f}  {verdict} the goal {goal}")


def main(say: Callable[[str], None] = print) -> int:
    """Run the benchmark on the scripted calls."""
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 4
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    beside = REPOSITORY.parent / "shared" / "data"
    folder = Path(os.environ.get("HOTLINE_SHARED_DATA") or beside) / "calls"
    files = sorted(folder.glob("*.wav"))[: 2 * calls]
    if not files:
        say(f"skipped: no scripted calls in {folder} (HOTLINE_SHARED_DATA names the folder)")
        return 0
    cache = Path(os.environ.get("HOTLINE_CACHE") or REPOSITORY / ".cache")
    try:
        model = ensure_model(cache.absolute() / "models", say)
    except ModelError as error:
        say(f"skipped: {error}")
        return 0
    seconds = sum(audio.inspect(file).seconds for file in files)
    say(f"{len(files)} legs, {seconds:.0f} s of sound, {CORES} cores, {rounds} rounds")
    with tempfile.TemporaryDirectory(prefix="bench-worker-") as place:
        report(asyncio.run(measure(Path(place), model, files, rounds)), seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
