"""The real `hotline serve` as a process: killed, started again, stopped, refused."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp
import pytest

from hotline.database import Pool, migrations
from tests.hotline import city
from tests.hotline.city import City
from tests.hotline.story import call
from transcription.models import SMALL_CN

PATIENCE = 60
FINISHED = "SELECT count(*) FROM transcripts WHERE state <> 'pending' OR reason IS NOT NULL"


async def start(town: City, *arguments: str) -> asyncio.subprocess.Process:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("HOTLINE_")}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "hotline",
        *(arguments or ("serve",)),
        env={**clean, "HOTLINE_CONFIG": str(town.toml)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


@asynccontextmanager
async def serving(town: City) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await start(town)
    try:
        await answered(town, process)
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def answered(town: City, process: asyncio.subprocess.Process) -> dict[str, object]:
    """What /healthz says, once anybody is there to say it."""
    async with asyncio.timeout(PATIENCE), aiohttp.ClientSession() as session:
        while True:
            if process.returncode is not None:
                output, _ = await process.communicate()
                pytest.fail(f"hotline serve ended instead of starting: {output.decode()}")
            with suppress(aiohttp.ClientConnectionError):
                async with session.get(f"{town.url}/healthz") as answer:
                    found: dict[str, object] = await answer.json()
                    return found
            await asyncio.sleep(0.05)


async def until(pool: Pool, sql: str, wanted: object) -> None:
    async with asyncio.timeout(PATIENCE):
        while await pool.fetchval(sql) != wanted:
            pass  # each look is a round trip to the database


async def emptied(pool: Pool, spool: Path) -> None:
    """A killed service's last files leave the exchange when its job is taken up again."""
    async with asyncio.timeout(PATIENCE):
        while os.listdir(spool):  # noqa: PTH208 - iterdir is held for blocking
            await pool.fetchval("SELECT 1")


@pytest.fixture
def town(tmp_path: Path, database: str) -> City:
    """An exchange whose manager interface nobody answers: its files must do."""
    return city.build(tmp_path, dsn=database, ami_port=city.free_port())


async def test_calls_become_cases_from_the_files_alone(town: City, pool: Pool) -> None:
    async with serving(town):
        for number in range(1, 4):
            city.leave_call(town, call(number))
        await until(pool, "SELECT count(*) FROM calls WHERE outcome = 'answered'", 3)
        await until(pool, "SELECT count(*) FROM recordings WHERE state = 'stored'", 6)
        await until(pool, FINISHED, 6)
        await emptied(pool, town.spool)
    rows = await pool.fetch("SELECT id, line, operator, recovered FROM calls ORDER BY id")
    assert [tuple(row) for row in rows] == [(n, "mayor", "1001", True) for n in (1, 2, 3)]
    assert await pool.fetchval("SELECT count(*) FROM cases") == 3


@pytest.mark.parametrize(
    "moment", ["call.started", "case.drafted", "call.ended", "recording.stored"]
)
async def test_a_kill_in_the_middle_loses_and_doubles_nothing(
    town: City, pool: Pool, moment: str
) -> None:
    calls = 5
    async with serving(town) as process:
        for number in range(1, calls + 1):
            city.leave_call(town, call(number))
        async with asyncio.timeout(PATIENCE):
            while not await pool.fetchval("SELECT 1 FROM journal WHERE event = $1", moment):
                pass
        process.send_signal(signal.SIGKILL)
        await process.wait()
    async with serving(town):
        await until(pool, "SELECT count(*) FROM calls WHERE ended_at IS NOT NULL", calls)
        await until(pool, "SELECT count(*) FROM recordings WHERE state = 'stored'", 2 * calls)
        await until(pool, FINISHED, 2 * calls)
        await emptied(pool, town.spool)
    told = await pool.fetch(
        """SELECT call_id, event, count(*) AS times FROM journal
            WHERE event NOT LIKE 'recording.%' GROUP BY 1, 2 HAVING count(*) > 1"""
    )
    assert [tuple(row) for row in told] == []
    assert await pool.fetchval("SELECT last FROM call_counter") == calls
    assert await pool.fetchval("SELECT count(*) FROM cases") == calls
    stored = "SELECT count(*) FROM journal WHERE event = 'recording.stored'"
    assert await pool.fetchval(stored) == 2 * calls
    assert len(list((town.folder / "data").rglob("*.wav"))) == 2 * calls


@pytest.mark.model
async def test_words_that_waited_for_a_model_are_heard_once_it_is_there(
    town: City, pool: Pool
) -> None:
    cache = Path(os.environ.get("HOTLINE_CACHE") or Path(__file__).parents[2] / ".cache")
    model = (cache / "models" / SMALL_CN.name).absolute()
    if not model.is_dir():
        pytest.skip(f"There is no speech model in {model}: make fetches it.")
    waits = (
        "SELECT count(*) FROM transcripts WHERE state = 'pending' AND reason LIKE $$%no speech%$$"
    )
    async with serving(town):
        city.leave_call(town, call())
        await until(pool, waits, 2)
        assert await pool.fetchval("SELECT outcome FROM calls") == "answered"
        async with aiohttp.ClientSession() as session:
            metrics = await (await session.get(f"{town.url}/metrics")).text()
        assert "\nhotline_transcripts_pending 2.0\n" in metrics
    # Started again, still without a model: what waits is in the database, not in the process.
    async with serving(town):
        (town.folder / "models").mkdir(exist_ok=True)
        (town.folder / "models" / SMALL_CN.name).symlink_to(model)
        await until(pool, "SELECT count(*) FROM transcripts WHERE state = 'done'", 2)
        await until(pool, "SELECT count(*) FROM cases WHERE suggestion IS NOT NULL", 1)
    assert await pool.fetchval("SELECT count(*) FROM transcripts WHERE reason IS NOT NULL") == 0


async def test_sigterm_ends_it_in_order_and_with_status_zero(town: City) -> None:
    process = await start(town)
    await answered(town, process)
    process.send_signal(signal.SIGTERM)
    output, _ = await asyncio.wait_for(process.communicate(), 40)
    assert process.returncode == 0, output.decode()
    assert output.decode().rstrip().endswith("Stopped.")
    assert "Traceback" not in output.decode()


async def test_an_exchange_that_is_away_is_said_in_health(town: City) -> None:
    async with serving(town) as process, asyncio.timeout(PATIENCE):
        said, health = "", {}
        while "cannot be reached" not in said:
            health = await answered(town, process)
            checks = {c["name"]: c for c in health["checks"]}  # type: ignore[attr-defined]
            said = checks["exchange mianyang-1"]["sentence"]
    assert said.startswith("The exchange mianyang-1 is not followed live.")
    assert health["well"] is False


async def _refused(town: City, *arguments: str) -> str:
    process = await start(town, *arguments)
    output, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert process.returncode == 1, output.decode()
    lines = output.decode().strip().splitlines()
    assert len(lines) == 1, lines
    return lines[0]


async def test_a_taken_port_is_one_sentence(town: City) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", town.http_port))
        other.listen()
        said = await _refused(town)
    assert (
        said
        == (
            f"The console cannot listen on 127.0.0.1:{town.http_port} (Address already in use): "
            "stop the program that has the port, or change http_port."
        )
        or "http_port" in said
    )


async def test_a_broken_configuration_is_one_sentence(town: City) -> None:
    town.toml.write_text(town.toml.read_text().replace('number = "12345"', "number = 12345"))
    assert await _refused(town) == "Configuration: lines[0].number must be text in quotes."


async def test_an_unmigrated_database_is_refused(tmp_path: Path, empty_database: str) -> None:
    town = city.build(tmp_path, dsn=empty_database, ami_port=city.free_port())
    assert await _refused(town) == (
        f"The database lacks {len(migrations())} migrations of this version: "
        "run `hotline migrate` first."
    )
    process = await start(town, "migrate")
    output, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert "0001_first_light.pre, 0002_job_queue.pre" in output.decode()
    async with serving(town):
        pass


async def test_a_database_that_is_away_is_one_sentence(tmp_path: Path) -> None:
    dsn = f"postgresql://hotline:geheim@/none?host={tmp_path}"
    town = city.build(tmp_path, dsn=dsn, ami_port=city.free_port())
    said = await _refused(town)
    assert "PostgreSQL does not answer" in said
    assert "geheim" not in said
