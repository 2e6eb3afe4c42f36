"""A storm from its first call to the comparison; used by the command and by the test."""

import asyncio
import contextlib
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, LiteralString

from deploy.asterisk.process import Asterisk
from deploy.demo.phones import LOOPBACK, Telephones, free_udp_port, read_trace
from deploy.demo.scenarios import caller_scenario
from deploy.portable import ensure
from hotline.database import EmbeddedPostgres, connected, migrate
from hotline.demo.service import Service
from hotline.demo.settings import exchange_of, free_tcp_port, service_toml
from telephony.sealing import KeyFile
from tests.acceptance.conftest import tone
from tests.acceptance.proxy import Cable
from tests.storm.compare import Comparison, compare
from tests.storm.people import NOTICE_SECONDS, Group, lines, people
from tests.storm.seen import calls_seen
from tests.storm.weather import Weather, small_disk

SYSTEM = "storm-1"
TAIL_SECONDS = 25.0
"""The longest call of a storm."""
SETTLE_SECONDS = 120.0
DISK_MEGABYTES = 192


@dataclass(frozen=True, kw_only=True)
class Storm:
    """How many calls a second, and what breaks meanwhile, in this order."""

    calls: int
    rate: float
    plan: tuple[str, ...]
    seed: int


@dataclass(frozen=True, kw_only=True)
class Report:
    comparison: Comparison
    outcomes: dict[str, int]
    gaps: int
    """Call numbers that nobody has."""
    open_calls: int
    unjudged: int
    differences: dict[str, int]
    """What the files told otherwise than the stored calls, by kind; all of it put right."""
    recordings: dict[str, int]
    seconds: float

    @property
    def failed(self) -> bool:
        return bool(self.comparison.different or self.gaps or self.open_calls or self.unjudged)


@asynccontextmanager
async def _stage(
    storm: Storm, folder: Path, say: Callable[[str], None]
) -> AsyncIterator[tuple[Weather, Telephones, list[Group], str]]:
    rng = Random(storm.seed)  # noqa: S311 - a storm that can be ridden again
    asterisk_tool = await asyncio.to_thread(ensure, "asterisk", say)
    sipp = await asyncio.to_thread(ensure, "sipp", say)
    drawn = people(storm.calls, rng, audio=_speech(folder))
    with contextlib.ExitStack() as stack:
        spool, store = folder / "asterisk/spool/monitor", folder / "data/recordings"
        for disk in (spool, store):
            stack.enter_context(small_disk(disk, DISK_MEGABYTES))
        server = EmbeddedPostgres(folder / "postgres")
        dsn = await asyncio.to_thread(server.start)
        stack.callback(server.stop)
        async with connected(dsn) as conn:
            await migrate(conn)
        async with Telephones(folder=folder / "phones", sipp=sipp) as telephones:
            port = await telephones.seat(drawn.replies)
            notice, sorry = tone(folder / "n.wav", NOTICE_SECONDS), tone(folder / "s.wav", 0.5)
            exchange = exchange_of(folder / "asterisk", lines(notice, sorry), port, system=SYSTEM)
            async with Asterisk(exchange, asterisk_tool) as asterisk:
                cable = Cable(exchange.ami_port)
                await cable.start()
                http_port = free_tcp_port()
                config = folder / "hotline.toml"
                config.write_text(
                    service_toml(
                        exchange,
                        asterisk.secrets,
                        data_dir=folder / "data",
                        http_port=http_port,
                        ami_port=cable.port,
                        dsn=dsn,
                        model_path=folder / "no-model",  # words are another matter
                        extra="reconcile_every_seconds = 2.0",
                    ),
                    encoding="utf-8",
                )
                service = Service(
                    config=config, url=f"http://127.0.0.1:{http_port}", log=folder / "service.log"
                )
                async with service:
                    weather = Weather(
                        asterisk=asterisk,
                        service=service,
                        cable=cable,
                        postgres=server,
                        postgres_folder=folder / "postgres",
                        store=store,
                        spool=spool,
                        rng=rng,
                        say=say,
                    )
                    yield weather, telephones, list(drawn.groups), dsn
                await cable.close()


def _speech(folder: Path) -> Path:
    """Half a minute of one loud tone, A-law: what is said does not matter, that it lasts does."""
    path = folder / "speech.al"
    wave = bytes((0x55 ^ (n * 37 % 96)) | (0x80 if n % 16 < 8 else 0) for n in range(80))
    path.write_bytes(wave * 3000)
    return path


async def ride(storm: Storm, say: Callable[[str], None]) -> Report:
    """Place the calls, break things, wait until everything is settled, and compare."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="hotline-storm-", ignore_cleanup_errors=True) as made:
        folder = Path(made)
        await asyncio.to_thread(folder.chmod, 0o755)  # the database's own user must get in
        async with _stage(storm, folder, say) as (weather, telephones, groups, dsn):
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(weather.run(storm.calls / storm.rate, list(storm.plan)))
                for group in groups:
                    tasks.create_task(_dial(telephones, group, storm, weather))
            say(f"{datetime.now(UTC):%H:%M:%S} the last call is over")
            keys = KeyFile(folder / "data" / "identity.keys")
            async with connected(dsn, keys) as conn:
                await _settled(conn)
                callers = [m for path in _traces(telephones, "storm-*") for m in read_trace(path)]
                seen = calls_seen(callers, telephones.operator_messages())
                return await _report(conn, seen, weather, begun)


def _traces(telephones: Telephones, pattern: str) -> list[Path]:
    return sorted(telephones.folder.glob(f"{pattern}.messages"))


async def _dial(telephones: Telephones, group: Group, storm: Storm, weather: Weather) -> None:
    """One SIPp places all calls of a group, evenly over the storm."""
    name = f"storm-{group.name.replace(' ', '-')}-{group.numbers[0]}"
    (telephones.folder / f"{name}.csv").write_text(group.csv())
    whole = storm.calls / storm.rate
    every = max(1, round(1000 * whole / len(group.numbers)))
    await asyncio.sleep(weather.rng.uniform(0, every / 1000))
    rest = [f"{LOOPBACK}:{weather.asterisk.exchange.sip_port}", "-inf", f"{name}.csv"]
    rest += ["-m", str(len(group.numbers)), "-r", "1", "-rp", str(every), "-l", "1000"]
    rest += ["-recv_timeout", f"{int(TAIL_SECONDS * 1000)}", "-timeout", f"{int(whole + 120)}s"]
    process = await telephones._start(name, caller_scenario(group.caller), free_udp_port(), rest)
    await process.wait()  # calls that the exchange's death ended make its status 1


_OPEN: LiteralString = "SELECT count(*) FROM calls WHERE ended_at IS NULL"
_UNJUDGED: LiteralString = """
    SELECT count(*) FROM exchange_facts f WHERE f.kind = 'linked_id_ended' AND f.id > coalesce(
        (SELECT p."offset" FROM tail_positions p WHERE p.source = 'judged'), 0)"""
_COLLECTING: LiteralString = """
    SELECT count(*) FROM pgqueuer WHERE entrypoint = 'collect_recordings'
       AND status IN ('queued', 'picked')"""
_STORED: LiteralString = """
    SELECT i.number, c.*,
           (SELECT count(*) FROM cases k WHERE k.call_id = c.id) AS cases,
           ARRAY(SELECT j.event FROM journal j WHERE j.call_id = c.id ORDER BY j.id) AS journal,
           ARRAY(SELECT r.state FROM recordings r WHERE r.call_id = c.id ORDER BY r.leg)
               AS recordings
      FROM calls c LEFT JOIN identities i ON i.token = c.caller ORDER BY c.id"""


async def _settled(conn: Any) -> None:
    """Nothing is open, unread, uncompared or uncollected any more, or time is up."""
    quiet = 0
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SETTLE_SECONDS):
            while quiet < 3:
                left = [await conn.fetchval(query) for query in (_OPEN, _UNJUDGED, _COLLECTING)]
                quiet = 0 if any(left) else quiet + 1
                await asyncio.sleep(2.5)


async def _report(conn: Any, seen: dict[str, Any], weather: Weather, begun: float) -> Report:
    stored: dict[str, list[Any]] = {}
    rows = await conn.fetch(_STORED)
    for row in rows:
        stored.setdefault(row["number"] or "", []).append(row)
    outcomes: dict[str, int] = {}
    recordings: dict[str, int] = {}
    for row in rows:
        outcomes[str(row["outcome"])] = outcomes.get(str(row["outcome"]), 0) + 1
        for state in row["recordings"]:
            recordings[state] = recordings.get(state, 0) + 1
    ids = [row["id"] for row in rows]
    return Report(
        comparison=compare(seen, stored, away=weather.killed, silent=weather.spool_was_full),
        outcomes=outcomes,
        gaps=max(ids, default=0) - len(ids),
        open_calls=await conn.fetchval(_OPEN),
        unjudged=await conn.fetchval(_UNJUDGED),
        differences={
            row["kind"]: row["n"]
            for row in await conn.fetch(
                "SELECT kind, count(*) AS n FROM differences GROUP BY kind ORDER BY kind"
            )
        },
        recordings=recordings,
        seconds=time.monotonic() - begun,
    )
