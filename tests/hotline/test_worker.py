"""Real `hotline worker` processes share one queue, and one takes over what another left."""

import asyncio
import os
import signal
import sys
import wave
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import asyncpg
import pytest

from hotline.database import Pool
from telephony.calls import Leg
from tests.hotline import city
from tests.hotline.city import City
from tests.hotline.story import call
from transcription.errors import ModelError
from transcription.models import ensure_model

REPOSITORY = Path(__file__).resolve().parents[2]
PATIENCE = 120
CALLS = 4
SECONDS = 12
WHEN = "UPDATE pgqueuer SET execute_after ="
PICKED = """SELECT count(DISTINCT queue_manager_id) FROM pgqueuer
             WHERE entrypoint = 'transcribe' AND status = 'picked'"""

pytestmark = [pytest.mark.model, pytest.mark.timeout(400)]


@pytest.fixture
def town(tmp_path: Path, database: str) -> City:
    """A city whose service hears nothing itself; one recording at a time in each worker."""
    try:
        model = ensure_model(
            Path(os.environ.get("HOTLINE_CACHE") or REPOSITORY / ".cache") / "models"
        )
    except ModelError as error:
        pytest.skip(str(error))
    speech = f'[speech]\nin_service = false\nworkers = 1\nmodel_path = "{model}"\n'
    return city.build(tmp_path, dsn=database, ami_port=city.free_port(), extra=speech)


@pytest.fixture
def sound(shared_data: Path) -> Path:
    """A leg of a scripted call, with words in it."""
    found = sorted((shared_data / "calls").glob("*-caller.wav"))
    if not found:
        pytest.skip(f"no scripted calls in {shared_data}")
    return found[0]


@asynccontextmanager
async def running(town: City, command: str, says: str) -> AsyncIterator[asyncio.subprocess.Process]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("HOTLINE_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hotline", command),
        env={**clean, "HOTLINE_CONFIG": str(town.toml)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            while says not in (line := (await process.stdout.readline()).decode()):
                assert line, f"hotline {command} ended instead of starting"
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


def leave(town: City, number: int, sound: Path) -> None:
    """A call with the same words on both legs."""
    one = call(number)
    city.leave_call(town, one)
    with wave.open(str(sound)) as heard:
        frames = heard.readframes(SECONDS * heard.getframerate())
    for leg in Leg:
        with wave.open(str(town.spool / f"{one.key.linked_id}-{leg}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(8000)
            file.writeframes(frames)


async def until(pool: Pool, sql: str, wanted: object) -> None:
    async with asyncio.timeout(PATIENCE):
        while await pool.fetchval(sql) != wanted:
            pass  # each look is a round trip to the database


async def collected(town: City, pool: Pool, sound: Path) -> None:
    """Some calls' recordings in the store, each waiting for its words; the first is no sound."""
    async with running(town, "serve", "runs"):
        for number in range(1, CALLS + 1):
            leave(town, number, sound)
        await until(pool, "SELECT count(*) FROM recordings WHERE state = 'stored'", 2 * CALLS)
        await until(pool, "SELECT count(*) FROM transcripts WHERE state = 'pending'", 2 * CALLS)
    path = await pool.fetchval("SELECT path FROM recordings ORDER BY call_id, leg LIMIT 1")
    poison = town.folder / "data" / "recordings" / path
    poison.chmod(0o600)
    poison.write_bytes(b"no sound at all")
    await pool.execute(f"{WHEN} now() + interval '1 hour' WHERE entrypoint = 'transcribe'")


async def test_two_workers_share_one_queue_and_one_does_what_a_killed_one_left(
    town: City, pool: Pool, sound: Path
) -> None:
    await collected(town, pool, sound)
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(running(town, "worker", "hears"))
        last = await stack.enter_async_context(running(town, "worker", "hears"))
        await pool.execute(f"{WHEN} now()")  # both are there before the first job is
        await until(pool, PICKED, 2)
        first.send_signal(signal.SIGKILL)
        await first.wait()
        await until(pool, "SELECT count(*) FROM transcripts WHERE state = 'pending'", 0)
        last.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE):
            assert await last.wait() == 0
    failed, *heard = await pool.fetch(
        "SELECT state, text, reason FROM transcripts ORDER BY state DESC, call_id, leg"
    )
    assert failed["state"] == "failed"
    assert "not a WAV file" in failed["reason"]
    assert {row["state"] for row in heard} == {"done"}
    texts = {row["text"] for row in heard}
    assert len(texts) == 1  # the same sound gives the same words, whoever hears it
    assert len(texts.pop()) > SECONDS
    told = await pool.fetch("SELECT event FROM journal WHERE event LIKE 'transcript.%'")
    assert len(told) == 2 * CALLS
    await _only_once(pool)


async def _only_once(pool: Pool) -> None:
    doubled: list[asyncpg.Record] = await pool.fetch(
        """SELECT call_id, body ->> 'leg' AS leg FROM journal WHERE event LIKE 'transcript.%'
            GROUP BY 1, 2 HAVING count(*) > 1"""
    )
    assert doubled == []
    assert await pool.fetchval("SELECT count(*) FROM pgqueuer WHERE entrypoint = 'transcribe'") == 0


async def test_a_worker_without_a_shared_database_or_a_model_says_so(
    tmp_path: Path, database: str
) -> None:
    for dsn, wanted in ((None, "set database_dsn"), (database, "no speech model")):
        town = city.build(tmp_path, dsn=dsn, ami_port=city.free_port())
        clean = {k: v for k, v in os.environ.items() if not k.startswith("HOTLINE_")}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "hotline", "worker"),
            env={**clean, "HOTLINE_CONFIG": str(town.toml)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        assert process.returncode == 1
        assert wanted in output.decode()
