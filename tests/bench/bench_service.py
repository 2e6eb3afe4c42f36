"""What the whole service does with calls, beside bare clients on the same stream in the same run.

    .cache/venv/bin/python tests/bench/bench_service.py [CALLS A SECOND] [SECONDS] [BURST] [MEMORY]

An exchange in a process of its own tells of synthetic calls (`ami_stream.py`), each event stamped
as it is sent. *Latency* is from that stamp to the commit of what it meant, as a listener of the
database learns of it; of the bare clients, which store nothing, to their callback. *Sustained*
is a burst told as fast as it is read. *Memory* is the tracker's, for open calls and after many.
The service is `hotline serve` with a PostgreSQL that waits for its disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import multiprocessing
import random
import re
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # run as a script: the repository's root is not on the path
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import psutil
from asterisk.ami.client import AMIClient

from hotline.database import EmbeddedPostgres, connected, migrate
from hotline.demo.service import Service
from hotline.demo.settings import free_tcp_port
from telephony.ami import Decoder
from telephony.calls import CallEnded, CallTracker
from telephony.translation import EVENTS, translate
from tests.bench.ami_stream import EPOCH, GREETING, SYSTEM, _Call, _message
from tests.bench.bench_ami import EXCHANGE, RULES, answer

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it is of 2021
    from panoramisk.manager import Manager

TALK_SECONDS = 2.0
_STAMP = re.compile(rb"Timestamp: [0-9.]+")


def told_calls(first: int, count: int) -> list[list[bytes]]:
    """The events of so many calls, each a list of messages as they stand on the wire."""
    rng = random.Random(first)  # noqa: S311 - a repeatable stream, nothing secret
    return [
        [_message(name, rights, EPOCH, fields) for name, rights, fields in call.events()]
        for call in (_Call(first + n, rng) for n in range(count))
    ]


def stamped(message: bytes) -> bytes:
    return _STAMP.sub(b"Timestamp: %.6f" % time.time(), message, count=1)


class Exchange:
    """Tells every client of the same calls, paced or at once, and answers what it asks."""

    def __init__(self, calls: list[list[bytes]], rate: float | None, *, after: float = 0.2) -> None:
        """`after` so many seconds from a client's first questions the calls begin."""
        self.port = free_tcp_port()
        ready = multiprocessing.Event()
        self._process = multiprocessing.get_context("fork").Process(
            target=_serve, args=(self.port, calls, rate, after, ready), daemon=True
        )
        self._process.start()
        ready.wait(10)

    def stop(self) -> None:
        self._process.terminate()
        self._process.join()


def _serve(
    port: int, calls: list[list[bytes]], rate: float | None, after: float, ready: Any
) -> None:
    async def run() -> None:
        server = await asyncio.start_server(
            lambda reader, writer: _client(reader, writer, calls, rate, after), "127.0.0.1", port
        )
        ready.set()
        await server.serve_forever()

    asyncio.run(run())


async def _client(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    calls: list[list[bytes]],
    rate: float | None,
    after: float,
) -> None:
    telling: asyncio.Task[None] | None = None
    writer.write(GREETING)
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        while True:
            block = (await reader.readuntil(b"\r\n\r\n")).strip()
            asked = dict(line.split(b": ", 1) for line in block.split(b"\r\n") if b": " in line)
            asked.setdefault(b"ActionID", b"0")
            writer.write(answer(asked))
            plain = asked[b"Action"] == b"Login" and b"Key" not in asked
            if telling is None and (plain or asked[b"Action"] == b"QueueStatus"):
                telling = asyncio.create_task(_tell(writer, calls, rate, after))


async def _tell(
    writer: asyncio.StreamWriter, calls: list[list[bytes]], rate: float | None, after: float
) -> None:
    await asyncio.sleep(after)
    if rate is None:
        for call in calls:
            for message in call:
                writer.write(stamped(message))
            await writer.drain()
        return
    due = sorted(
        (n / rate + TALK_SECONDS * k / len(call), n, k)
        for n, call in enumerate(calls)
        for k in range(len(call))
    )
    began = time.monotonic()
    for at, n, k in due:
        wait = began + at - time.monotonic()
        if wait > 0:
            await asyncio.sleep(wait)
        writer.write(stamped(calls[n][k]))


def percentiles(seconds: list[float]) -> str:
    told = sorted(seconds)
    p50, p99 = told[len(told) // 2], told[int(len(told) * 0.99)]
    return f"p50 {1000 * p50:7.1f} ms   p99 {1000 * p99:7.1f} ms   ({len(told)})"


def p99(seconds: list[float]) -> float:
    return sorted(seconds)[int(len(seconds) * 0.99)]


# ---- the whole service ----


class Served:
    """`hotline serve` following the exchange at `port`, and what it has committed."""

    def __init__(self, folder: Path, dsn: str) -> None:
        self.folder, self.dsn = folder, dsn
        self.latencies: list[float] = []

    async def follow(self, port: int, calls: int) -> float:
        """Seconds from the first journal row to the end of the last of so many calls."""
        for name in ("calls.csv", "queue_log"):
            (self.folder / name).touch()
        (self.folder / "monitor").mkdir(exist_ok=True)
        http = free_tcp_port()
        config = self.folder / "hotline.toml"
        config.write_text(
            f'database_dsn = "{self.dsn}"\ndata_dir = "{self.folder}/data"\nhttp_port = {http}\n'
            f"recording_grace_seconds = 0.01\n"
            f'[[exchanges]]\nsystem = "{SYSTEM}"\nport = {port}\nsecret = "x"\n'
            f'cel_file = "{self.folder}/calls.csv"\nqueue_log_file = "{self.folder}/queue_log"\n'
            f'recordings_dir = "{self.folder}/monitor"\n'
            '[[lines]]\nname = "mayor"\nnumber = "12345"\n'
            '[[lines]]\nname = "duty"\nnumber = "2222345"\n'
            f'[speech]\nmodel_path = "{self.folder}/no-model"\n'
        )
        heard: dict[int, float] = {}
        service = Service(
            config=config, url=f"http://127.0.0.1:{http}", log=self.folder / "service.log"
        )
        async with connected(self.dsn) as ear, connected(self.dsn) as conn:
            before = await conn.fetchval("SELECT count(*) FROM calls WHERE ended_at IS NOT NULL")
            last = await conn.fetchval("SELECT coalesce(max(id), 0) FROM journal")
            await ear.add_listener(
                "hotline_journal", lambda *told: heard.__setitem__(int(str(told[3])), time.time())
            )
            async with service:
                ended = 0
                while ended < calls:
                    await asyncio.sleep(0.1)
                    ended = -before + await conn.fetchval(
                        "SELECT count(*) FROM calls WHERE ended_at IS NOT NULL"
                    )
                rows = await conn.fetch(
                    "SELECT id, at FROM journal WHERE id > $1 AND event LIKE 'call.%'", last
                )
        told = [(heard[row["id"]], row["at"].timestamp()) for row in rows if row["id"] in heard]
        self.latencies = [commit - at for commit, at in told]
        return max(commit for commit, _ in told) - min(commit for commit, _ in told)


# ---- the bare clients ----


async def panoramisk_bare(port: int, calls: int) -> tuple[list[float], float]:
    """Latency of its callback for the same kinds of events, and seconds for all of them."""
    latencies: list[float] = []
    done, ended, began = asyncio.Event(), 0, 0.0

    def on_event(_: Any, event: Any) -> None:
        nonlocal ended, began
        now = time.time()
        began = began or now
        if event["Event"] in EVENTS:
            latencies.append(now - float(event["Timestamp"]))
        ended += event["Event"] == "AgentComplete"
        if ended == calls:
            done.set()

    manager = Manager(
        loop=asyncio.get_running_loop(), host="127.0.0.1", port=port, username="b", secret="x"
    )
    manager.register_event("*", on_event)
    await manager.connect()
    await done.wait()
    manager.close()
    return latencies, time.time() - began


def asterisk_ami_bare(port: int, calls: int) -> tuple[list[float], float]:
    """The same for asterisk-ami's client and its reader thread."""
    latencies: list[float] = []
    done = threading.Event()
    state = {"ended": 0, "began": 0.0}

    def on_event(event: Any, **_: Any) -> None:
        now = time.time()
        state["began"] = state["began"] or now
        if event.name in EVENTS:
            latencies.append(now - float(event.keys["Timestamp"]))
        state["ended"] += event.name == "AgentComplete"
        if state["ended"] == calls:
            done.set()

    client = AMIClient(address="127.0.0.1", port=port)
    client.add_event_listener(on_event)
    client.login(username="b", secret="x")
    done.wait(120)
    seconds = time.time() - state["began"]
    with contextlib.suppress(Exception):
        client.disconnect()
    return latencies, seconds


# ---- memory ----


def _through(tracker: CallTracker, calls: list[list[bytes]], until: bytes | None) -> int:
    """Tell the tracker of these calls, each up to the event `until`; how many ended."""
    decoder = Decoder(only=EVENTS)
    decoder.feed(GREETING)
    ended = 0
    for call in calls:
        for message in _up_to(call, until):
            for event in decoder.feed(message):
                fact = translate(event, system=EXCHANGE, received_at=datetime.now(UTC))
                if fact is not None:
                    ended += sum(isinstance(t, CallEnded) for t in tracker.observe(fact))
    return ended


def _up_to(call: list[bytes], until: bytes | None) -> Iterator[bytes]:
    for message in call:
        if until is not None and message.startswith(until):
            return
        yield message


def memory(count: int) -> None:
    """Print what an open call costs, and what is left after many ended ones."""
    this = psutil.Process()
    open_calls = 2_000
    held = told_calls(10_000_000, open_calls)
    gc.collect()
    before = this.memory_info().rss
    tracker = CallTracker(RULES)
    _through(tracker, held, b"Event: HangupRequest")
    gc.collect()
    per_call = (this.memory_info().rss - before) / open_calls
    assert len(tracker.open_calls()) == open_calls
    print(f"memory: {per_call / 1024:.1f} KiB an open call ({open_calls} open)")
    del tracker, held
    tracker, ended, step = CallTracker(RULES), 0, max(1, count // 5)
    sizes = []
    for first in range(0, count, step):
        for part in range(first, min(first + step, count), 500):
            ended += _through(tracker, told_calls(part, min(500, count - part)), None)
        gc.collect()
        sizes.append(this.memory_info().rss / 2**20)
        print(f"memory: {sizes[-1]:.1f} MiB after {ended} calls")
    growth = sizes[-1] - sizes[len(sizes) // 2]
    print(f"memory: {growth:+.1f} MiB over the last half of {ended} calls, goal 0")


def main() -> None:
    """Measure all and print the ratios."""
    settings = [5.0, 15.0, 300.0, 100_000.0]
    given = [float(word) for word in sys.argv[1:5]]
    rate, seconds, burst, many = given + settings[len(given) :]
    logging.disable(logging.CRITICAL)
    paced, at_once = told_calls(0, int(rate * seconds)), told_calls(1_000_000, int(burst))
    with tempfile.TemporaryDirectory(prefix="bench-service-") as made:
        folder = Path(made)
        folder.chmod(0o755)
        server = EmbeddedPostgres(folder / "postgres")
        dsn = server.start()
        try:
            asyncio.run(_compare(folder, dsn, paced, at_once, rate))
        finally:
            server.stop()
    memory(int(many))


async def _compare(
    folder: Path, dsn: str, paced: list[list[bytes]], at_once: list[list[bytes]], rate: float
) -> None:
    async with connected(dsn) as conn:
        await migrate(conn)
    served = Served(folder, dsn)
    told: dict[str, tuple[list[float], float]] = {}
    for what, calls, pace in (("paced", paced, rate), ("burst", at_once, None)):
        exchange = Exchange(calls, pace)
        try:
            seconds = await served.follow(exchange.port, len(calls))
            told[f"hotline {what}"] = (served.latencies, seconds)
            told[f"panoramisk {what}"] = await panoramisk_bare(exchange.port, len(calls))
            told[f"asterisk-ami {what}"] = await asyncio.to_thread(
                asterisk_ami_bare, exchange.port, len(calls)
            )
        finally:
            exchange.stop()
    print(f"latency at {rate:g} calls a second ({len(paced)} calls):")
    print(f"  hotline, event to committed       {percentiles(told['hotline paced'][0])}")
    for peer in ("panoramisk", "asterisk-ami"):
        print(f"  {peer:<13} event to callback   {percentiles(told[f'{peer} paced'][0])}", end="")
        print(f"   RATIO p99 {p99(told['hotline paced'][0]) / p99(told[f'{peer} paced'][0]):.1f}")
    print(f"sustained, {len(at_once)} calls at once:")
    speeds = {
        who: len(at_once) / told[f"{who} burst"][1]
        for who in ("hotline", "panoramisk", "asterisk-ami")
    }
    print(f"  hotline, committed to its disk {speeds['hotline']:>10.1f} calls/s")
    for peer in ("panoramisk", "asterisk-ami"):
        ratio = speeds["hotline"] / speeds[peer]
        print(f"  {peer:<13} counting only   {speeds[peer]:>11.1f} calls/s   RATIO {ratio:.3f}")


if __name__ == "__main__":
    main()
