"""How soon the screen pop is at the operator's feed, beside a bare client on the same stream.

    .cache/venv/bin/python tests/bench/bench_popup.py [CALLS A SECOND] [SECONDS] [FEEDS]

The exchange of `bench_service.py` tells of synthetic calls, each event stamped as it is sent. The
service is `hotline serve` on a PostgreSQL that waits for its disk and holds a year of history:
100 000 calls, 50 000 cases, 400 000 journal rows; every caller has called before, one in twenty a
thousand times. Every operator has a live feed open. *Pop* is from the stamp of the event that says
that the telephone rings to the arrival of that call's `call.ringing` row, with the caller's
history, at a feed; the peer only runs a callback at that event and stores and looks up nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import sys
import tempfile
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import Any, LiteralString

if __name__ == "__main__":  # run as a script: the repository's root is not on the path
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import aiohttp
from asterisk.ami.client import AMIClient

from hotline.database import EmbeddedPostgres, connected, migrate
from hotline.demo.service import Service
from hotline.demo.settings import free_tcp_port
from telephony.sealing import KeyFile
from tests.bench.ami_stream import SYSTEM
from tests.bench.bench_service import Exchange, p99, percentiles, told_calls

GOAL_SECONDS = 0.2
CALLS, CASES = 100_000, 50_000
OTHER_CALLERS = 10_000
OFTEN, OFTEN_CALLS = 20, 1_000
_NUMBER = "CallerIDNum: "

_CALLER: LiteralString = """
    INSERT INTO identities (look_up, number, name)
    VALUES ($1::fingerprint, $2::sealed, $3::sealed) RETURNING token"""
_OTHERS: LiteralString = """
    INSERT INTO identities (token) SELECT gen_random_uuid() FROM generate_series(1, $1)"""
# Every caller in turn, after those who call again and again had their share.
_HISTORY: LiteralString = """
    INSERT INTO calls (id, system, linked_id, line, caller, started_at, queued_at, ringing_at,
                       answered_at, ended_at, operator, outcome, hangup_by)
    SELECT n, 'mianyang-1', 'history-' || n, CASE WHEN n % 4 = 0 THEN 'duty' ELSE 'mayor' END,
           CASE WHEN n <= array_length($2::uuid[], 1) * $3
                THEN ($2::uuid[])[1 + n % array_length($2::uuid[], 1)]
                ELSE ($1::uuid[])[1 + n % array_length($1::uuid[], 1)] END,
           at, at + interval '9 s', at + interval '10 s',
           CASE WHEN n % 10 > 0 THEN at + interval '15 s' END, at + interval '90 s', '1001',
           CASE WHEN n % 10 > 0 THEN 'answered' ELSE 'abandoned' END, 'caller'
      FROM (SELECT n, now() - make_interval(secs => 300 * ($4 + 1 - n)) AS at
              FROM generate_series(1, $4) AS n) AS told"""
_CASES: LiteralString = """
    INSERT INTO cases (number, call_id, line, state, urgency, owner, drafted_at)
    SELECT 'H' || id, id, line, CASE WHEN id % 4 = 1 THEN 'open' ELSE 'closed' END, 'normal',
           '1001', started_at FROM calls WHERE id % 10 > 0 ORDER BY id % 2 DESC, id LIMIT $1"""
_JOURNAL: LiteralString = """
    INSERT INTO journal (at, actor, event, call_id, body)
    SELECT started_at + make_interval(secs => 15 * k), 'exchange:mianyang-1', word, id,
           jsonb_build_object('line', line, 'caller', '138****0000', 'recovered', false)
      FROM calls CROSS JOIN unnest(ARRAY['call.started', 'call.ringing', 'call.answered',
                                         'call.ended']) WITH ORDINALITY AS told (word, k)
     WHERE id > $1 AND id <= $1 + $2 ORDER BY id, k"""
# The journal's head is written again for each row, and a transaction keeps all its versions.
JOURNAL_TURN = 250


async def fill(folder: Path, dsn: str, numbers: list[str]) -> None:
    """A year of a city's calls, with those who are about to call among the callers."""
    async with connected(dsn) as conn:
        await migrate(conn)
    async with connected(dsn, KeyFile(folder / "data" / "identity.keys")) as conn:
        await conn.execute(_OTHERS, OTHER_CALLERS)
        ours = [await conn.fetchval(_CALLER, number, number, "市民") for number in numbers]
        everybody = [row[0] for row in await conn.fetch("SELECT token FROM identities")]
        often = ours[::OFTEN]
        await conn.execute(_HISTORY, everybody, often, OFTEN_CALLS, CALLS)
        await conn.execute("UPDATE call_counter SET last = $1", CALLS)
        await conn.execute(_CASES, CASES)
        # Such a service has looked at its cases long ago; the first look is not what is measured.
        await conn.execute("UPDATE reminder_looks SET look_at = 'infinity'")
        await conn.execute("ALTER TABLE journal DISABLE TRIGGER journal_told")
        for first in range(0, CALLS, JOURNAL_TURN):
            await conn.execute(_JOURNAL, first, JOURNAL_TURN)
        await conn.execute("ALTER TABLE journal ENABLE TRIGGER journal_told")
        await conn.execute("VACUUM ANALYZE")


def settings(folder: Path, dsn: str, port: int, http: int) -> Path:
    for name in ("calls.csv", "queue_log"):
        (folder / name).touch()
    (folder / "monitor").mkdir(exist_ok=True)
    config = folder / "hotline.toml"
    config.write_text(
        f'database_dsn = "{dsn}"\ndata_dir = "{folder}/data"\nhttp_port = {http}\n'
        f'[[exchanges]]\nsystem = "{SYSTEM}"\nport = {port}\nsecret = "x"\n'
        f'cel_file = "{folder}/calls.csv"\nqueue_log_file = "{folder}/queue_log"\n'
        f'recordings_dir = "{folder}/monitor"\n'
        '[[lines]]\nname = "mayor"\nnumber = "12345"\n'
        '[[lines]]\nname = "duty"\nnumber = "2222345"\n'
        f'[speech]\nmodel_path = "{folder}/no-model"\n',
        encoding="utf-8",
    )
    return config


async def listen(url: str, calls: int, pops: list[float], told: list[dict[str, Any]]) -> None:
    """One operator's feed: keep how late each pop came, until that of the last call."""
    seen = 0
    async with aiohttp.ClientSession() as session, session.get(f"{url}/api/feed") as answer:
        async for line in answer.content:
            if not line.startswith(b"data: {"):
                continue
            now = time.time()
            row = json.loads(line[6:])
            if row["event"] != "call.ringing":
                continue
            pops.append(now - datetime.fromisoformat(row["at"]).timestamp())
            told.append(row["body"]["history"])
            seen += 1
            if seen == calls:
                return


async def popped(folder: Path, dsn: str, port: int, calls: int, feeds: int) -> list[float]:
    """Every pop at every feed, in seconds after the ring."""
    http = free_tcp_port()
    url = f"http://127.0.0.1:{http}"
    config = settings(folder, dsn, port, http)
    pops: list[list[float]] = [[] for _ in range(feeds)]
    told: list[dict[str, Any]] = []
    service = Service(config=config, url=url, log=folder / "service.log")
    async with service, asyncio.TaskGroup() as group:
        for one in pops:
            group.create_task(listen(url, calls, one, told))
    assert all(history["calls"] > 0 for history in told), "a caller without his history"
    known = [history["open"] for history in told]
    print(f"pops: {calls} calls, {feeds} feeds, {sum(n > 0 for n in known)} with open cases")
    return [one for feed in pops for one in feed]


def asterisk_ami_bare(port: int, calls: int) -> list[float]:
    """How late asterisk-ami's callback hears that a telephone rings."""
    late: list[float] = []
    done = threading.Event()

    def on_event(event: Any, **_: Any) -> None:
        if event.name == "AgentCalled":
            late.append(time.time() - float(event.keys["Timestamp"]))
            if len(late) == calls:
                done.set()

    client = AMIClient(address="127.0.0.1", port=port)
    client.add_event_listener(on_event)
    client.login(username="b", secret="x")
    assert done.wait(300), "asterisk-ami has lost the stream"
    with contextlib.suppress(Exception):
        client.disconnect()
    return late


def main() -> None:
    """Measure both and print the ratios."""
    defaults = [5.0, 60.0, 30.0]
    given = [float(word) for word in sys.argv[1:4]]
    rate, seconds, feeds = given + defaults[len(given) :]
    logging.disable(logging.CRITICAL)
    calls = told_calls(0, int(rate * seconds))
    numbers = sorted({_caller(call[0]) for call in calls})
    with tempfile.TemporaryDirectory(prefix="bench-popup-") as made:
        folder = Path(made)
        folder.chmod(0o755)
        server = EmbeddedPostgres(folder / "postgres")
        dsn = server.start()
        try:
            asyncio.run(fill(folder, dsn, numbers))
            exchange = Exchange(calls, rate, after=2.0)
            try:
                pops = asyncio.run(popped(folder, dsn, exchange.port, len(calls), int(feeds)))
                peer = asterisk_ami_bare(exchange.port, len(calls))
            finally:
                exchange.stop()
        finally:
            server.stop()
    print(f"at {rate:g} calls a second, load of the machine {os.getloadavg()[0]:.1f}:")
    print(f"  hotline, ring to pop at a feed     {percentiles(pops)}")
    print(f"  asterisk-ami, ring to callback     {percentiles(peer)}")
    print(f"  RATIO p99 to the goal of 200 ms    {p99(pops) / GOAL_SECONDS:.2f}  (1 or less)")
    print(f"  RATIO p99 to asterisk-ami          {p99(pops) / p99(peer):.1f}")


def _caller(message: bytes) -> str:
    line = next(one for one in message.decode().split("\r\n") if one.startswith(_NUMBER))
    return line.removeprefix(_NUMBER)


if __name__ == "__main__":
    main()
