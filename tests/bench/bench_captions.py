"""How soon what was said stands on the feed, with 1, 2, 4, 8 calls at once, and when it is shed.

    .cache/venv/bin/python tests/bench/bench_captions.py [SECONDS A CALL] [CALLS AT ONCE ...]

Real calls: SIPp speaks both legs of a scripted call through a real Asterisk, `hotline serve` taps
and hears them, a reader a call takes what comes. *Late* is from the end of an utterance's last
word, by the sound, to the arrival of its final segment at the reader. The limit is Vosk itself: it
waits for a pause before it lets an utterance stand, so one bare recogniser hears the same legs as
fast as it can, and its wait, in seconds of sound, is what no captions can undercut.

The last turn places two calls more than the service says it has room for, and counts who is given
up. After each turn every call must have both its recordings, whole.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from statistics import quantiles

if __name__ == "__main__":  # run as a script: the repository's root is not on the path
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import aiohttp
import asyncpg

from deploy.asterisk.config import Line
from deploy.asterisk.process import Asterisk
from deploy.demo import alaw
from deploy.demo.phones import Telephones
from deploy.demo.scenarios import Caller, Reply
from deploy.demo.script import ScriptedCall, load
from deploy.portable import cache_root, ensure
from hotline.database import EmbeddedPostgres, connected, migrate
from hotline.demo.service import Service
from hotline.demo.settings import exchange_of, free_tcp_port, service_toml
from telephony.sealing import KeyFile
from transcription.engines.vosk_decoder import telephone_model
from transcription.models import SMALL_CN

CALL = "01-streetlight"
SEATS = 26
"""Operators, so that calls beyond the room can be placed."""
NUMBER = "139"
PATIENCE = 120.0


@dataclass(kw_only=True)
class Turn:
    """What came of so many calls at once."""

    calls: int
    late: list[float] = field(default_factory=list)
    shed: list[str] = field(default_factory=list)
    whole: int = 0


async def read(url: str, turn: Turn) -> None:
    """One reader of one call: note how late each final comes, and whether it was given up."""
    name = ""
    with contextlib.suppress(aiohttp.ClientError):
        timeout = aiohttp.ClientTimeout(total=None)
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as answer:
            async for line in answer.content:
                key, _, value = line.decode().rstrip("\n").partition(": ")
                if key == "event":
                    name = value
                elif key == "data" and name == "caption.final":
                    told = json.loads(value)
                    said = datetime.fromisoformat(told["at"]).timestamp()
                    turn.late.append(time.time() - said - (told["end"] - told["start"]))
                elif key == "data" and name == "caption.shed":
                    turn.shed.append(json.loads(value)["reason"])


async def talked(
    conn: asyncpg.Connection, url: str, phones: Telephones, sip_port: int, callers: list[Caller]
) -> Turn:
    """Let all these calls be at once, read them, and look at their recordings."""
    turn = Turn(calls=len(callers))
    dialling = [asyncio.create_task(phones.call(one, sip_port)) for one in callers]
    numbers = [one.caller for one in callers]
    async with asyncio.timeout(PATIENCE):
        # The database is asked again and again: the fact waited for rings no bell.
        while len(rows := await conn.fetch(_ANSWERED, numbers)) < len(callers):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    reading = [
        asyncio.create_task(read(f"{url}/api/calls/{row['id']}/captions", turn)) for row in rows
    ]
    for placed in await asyncio.gather(*dialling):
        if placed.status:
            raise SystemExit(f"a call failed: {placed.trouble}")
    await asyncio.wait(reading, timeout=10)
    for task in reading:
        task.cancel()
    await asyncio.gather(*reading, return_exceptions=True)
    ids = [row["id"] for row in rows]
    async with asyncio.timeout(PATIENCE):
        while (whole := await conn.fetchval(_WHOLE, ids)) < len(ids):  # noqa: ASYNC110
            await asyncio.sleep(0.2)
    turn.whole = whole
    return turn


_ANSWERED = """
    SELECT c.id FROM calls c JOIN identities i ON i.token = c.caller
     WHERE i.look_up = ANY ($1::fingerprint[]) AND c.answered_at IS NOT NULL"""
# Both legs stored, in step, and as long as the call from its start.
_WHOLE = """
    SELECT count(*) FROM calls c
     WHERE c.id = ANY ($1) AND c.ended_at IS NOT NULL
       AND (SELECT count(*) = 2 AND max(seconds) - min(seconds) < 0.1
                   AND min(seconds) > extract(epoch FROM c.talk_ended_at - c.answered_at) - 0.5
              FROM recordings r WHERE r.call_id = c.id AND r.state = 'stored')"""


def bare(call: ScriptedCall, seconds: float) -> list[float]:
    """How long Vosk itself waits after an utterance, in seconds of sound, over the same legs."""
    import vosk  # noqa: PLC0415 - nothing else here needs it

    vosk.SetLogLevel(-1)
    with telephone_model(cache_root() / "models" / SMALL_CN.name) as twin:
        model = vosk.Model(str(twin))
    waits = []
    for leg in (call.caller_audio, call.operator_audio):
        pcm = alaw.decode(leg.read_bytes()[: int(seconds * alaw.RATE)])
        recogniser = vosk.KaldiRecognizer(model, alaw.RATE)
        recogniser.SetWords(True)
        for at in range(0, len(pcm), 1600):
            if recogniser.AcceptWaveform(pcm[at : at + 1600]):
                words = json.loads(recogniser.Result()).get("result", [])
                if words:
                    waits.append((at + 1600) / (2 * alaw.RATE) - words[-1]["end"])
    return waits


async def measured(folder: Path, dsn: str, seconds: float, steps: list[int]) -> list[Turn]:
    call = next(one for one in load() if one.name == CALL)
    async with connected(dsn) as conn:
        await migrate(conn)
    seats = tuple(str(1001 + number) for number in range(SEATS))
    line = Line(name="mayor", number="12345", operators=seats, answer="by_operator")
    turns = []
    async with Telephones(folder=folder / "phones", sipp=ensure("sipp")) as phones:
        reply = Reply(caller=f"{NUMBER}[0-9]*", audio=call.operator_audio, rings_ms=300)
        port = await phones.seat([reply])
        exchange = exchange_of(folder / "asterisk", [line], port, system="bench-1")
        async with Asterisk(exchange, ensure("asterisk")) as asterisk:
            http, config = free_tcp_port(), folder / "hotline.toml"
            data = folder / "data"
            text = service_toml(
                exchange,
                asterisk.secrets,
                data_dir=data,
                http_port=http,
                dsn=dsn,
                extra="captions.enabled = true",
            )
            config.write_text(text, encoding="utf-8")
            url = f"http://127.0.0.1:{http}"
            async with (
                Service(config=config, url=url, log=folder / "service.log"),
                connected(dsn, KeyFile(data / "identity.keys")) as conn,
            ):
                room = await has_room(url)
                print(f"room for {room} calls, measured by the service at its start", flush=True)
                beyond = min(SEATS, room + 2)
                for number, calls in enumerate([*steps, *([beyond] if room < SEATS else [])]):
                    callers = [
                        Caller(
                            number="12345",
                            caller=f"{NUMBER}{number:02d}{one:06d}",
                            audio=call.caller_audio,
                            talks_ms=int(seconds * 1000),
                        )
                        for one in range(calls)
                    ]
                    turns.append(await talked(conn, url, phones, exchange.sip_port, callers))
                    show(turns[-1])
    return turns


async def has_room(url: str) -> int:
    """How many calls the service says it can caption, once it has measured it."""
    async with aiohttp.ClientSession() as session, asyncio.timeout(PATIENCE):
        while True:
            async with session.get(f"{url}/metrics") as answer:
                page = await answer.text()
            for said in page.splitlines():
                name, _, value = said.rpartition(" ")
                if name == "hotline_caption_capacity_calls" and float(value) > 0:
                    return int(float(value))
            await asyncio.sleep(0.1)


def at(values: list[float], percent: int) -> float:
    return quantiles(values, n=100)[percent - 1] if len(values) > 1 else (values or [0.0])[0]


def show(turn: Turn) -> None:
    reasons = f" ({', '.join(sorted(set(turn.shed)))})" if turn.shed else ""
    print(
        f"{turn.calls:3d} calls at once: {len(turn.late):4d} finals, late p50"
        f" {at(turn.late, 50):.2f} s, p95 {at(turn.late, 95):.2f} s;"
        f" captions given up {len(turn.shed)}{reasons};"
        f" recordings whole {turn.whole} of {turn.calls}; load {os.getloadavg()[0]:.1f}",
        flush=True,
    )


def main() -> None:
    """Measure the turns and the limit, and print the ratio."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 45.0
    steps = [int(word) for word in sys.argv[2:]] or [1, 2, 4, 8]
    logging.disable(logging.CRITICAL)
    call = next(one for one in load() if one.name == CALL)
    with tempfile.TemporaryDirectory(prefix="bench-captions-") as made:
        folder = Path(made)
        folder.chmod(0o755)
        server = EmbeddedPostgres(folder / "postgres")
        dsn = server.start()
        try:
            turns = asyncio.run(measured(folder, dsn, seconds, steps))
        finally:
            server.stop()
    limit = bare(call, seconds)
    print(f"Vosk's own wait after an utterance: p50 {at(limit, 50):.2f} s, p95 {at(limit, 95):.2f}")
    for turn in turns:
        ratio = at(turn.late, 50) / at(limit, 50)
        print(f"  RATIO p50 to Vosk's own wait, {turn.calls} calls at once: {ratio:.2f}")


if __name__ == "__main__":
    main()
