import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta

import asyncpg
import pytest

from hotline import jobs
from hotline.database import Pool, connected, transaction
from hotline.jobs import ATTEMPTS, JobName, LaterError, Payload, Step, Workers, enqueue
from metrics.exporter import STEPS


@asynccontextmanager
async def working(
    database: str, step: Step, *, heartbeat: timedelta = timedelta(seconds=1)
) -> AsyncIterator[Workers]:
    def connect() -> AbstractAsyncContextManager[asyncpg.Connection]:
        return connected(database)

    workers = Workers(connect=connect, steps={JobName.ROUTE: step}, heartbeat=heartbeat)
    task = asyncio.create_task(workers.run())
    try:
        yield workers
    finally:
        workers.stop()
        await asyncio.wait_for(task, timeout=20)


async def _left(pool: Pool) -> list[str]:
    return [row["status"] for row in await pool.fetch("SELECT status::text FROM pgqueuer")]


async def _until_left(pool: Pool, wanted: list[str]) -> None:
    async with asyncio.timeout(20):
        while await _left(pool) != wanted:
            pass  # each look is a round trip to the database


async def _put(pool: Pool, **payload: object) -> None:
    async with transaction(pool) as tx:
        await enqueue(tx, JobName.ROUTE, payload)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_SLOWEST", 0.01)


async def test_a_job_is_done_with_its_payload(database: str, pool: Pool) -> None:
    done: asyncio.Queue[Payload] = asyncio.Queue()
    async with working(database, Step(do=done.put)):
        await _put(pool, call_id=7)
        assert await asyncio.wait_for(done.get(), 10) == {"call_id": 7}
        await _until_left(pool, [])


async def test_a_job_put_in_a_transaction_that_fails_never_was(pool: Pool) -> None:
    async def fail() -> None:
        async with transaction(pool) as tx:
            await enqueue(tx, JobName.ROUTE, {"call_id": 1})
            await tx.execute("SELECT 1 / 0")

    with pytest.raises(asyncpg.DivisionByZeroError):
        await fail()
    assert await _left(pool) == []


def test_the_metrics_know_every_step() -> None:
    assert set(STEPS) == set(JobName)


async def test_the_same_job_is_not_put_twice(pool: Pool) -> None:
    await _put(pool, call_id=1)
    await _put(pool, call_id=1)
    await _put(pool, call_id=2)
    assert await _left(pool) == ["queued", "queued"]


async def test_a_job_that_must_wait_is_tried_for_ever(database: str, pool: Pool) -> None:
    tries = 0

    async def at_last(_: Payload) -> None:
        nonlocal tries
        tries += 1
        if tries <= ATTEMPTS + 3:
            raise LaterError("No room yet.")

    async with working(database, Step(do=at_last)):
        await _put(pool, call_id=1)
        await _until_left(pool, [])
    assert tries == ATTEMPTS + 4


async def test_poison_is_parked_with_its_reason_and_told(database: str, pool: Pool) -> None:
    tries = 0
    given_up: asyncio.Queue[tuple[Payload, str]] = asyncio.Queue()

    async def fail(_: Payload) -> None:
        nonlocal tries
        tries += 1
        raise ValueError("cannot be read")

    async def give_up(payload: Payload, reason: str) -> None:
        await given_up.put((payload, reason))

    async with working(database, Step(do=fail, give_up=give_up)):
        await _put(pool, call_id=5)
        await _until_left(pool, ["failed"])
    assert tries == ATTEMPTS
    assert await given_up.get() == ({"call_id": 5}, "cannot be read")
    async with connected(database) as conn:
        (one,) = await jobs.parked(conn)
    assert (one.name, one.payload, one.reason) == ("route", {"call_id": 5}, "cannot be read")


async def test_workers_that_follow_one_another_count_one_jobs_failures_on(
    database: str, pool: Pool
) -> None:
    """Each worker fails once and stops, as machines that come and go: the last one parks it."""
    tries = 0
    tried = asyncio.Event()

    async def fail(_: Payload) -> None:
        nonlocal tries
        tries += 1
        tried.set()
        raise ValueError("cannot be read")

    await _put(pool, call_id=5)
    while await _left(pool) != ["failed"]:
        tried.clear()
        async with working(database, Step(do=fail)) as workers:
            await asyncio.wait_for(tried.wait(), 20)
            workers.stop()
    assert tries == ATTEMPTS
    assert await pool.fetchval("SELECT count(*) FROM job_failures") == 0


async def test_a_job_that_succeeds_at_last_leaves_no_count(database: str, pool: Pool) -> None:
    tries = 0

    async def at_last(_: Payload) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise ValueError("cannot be read")
        assert await pool.fetchval("SELECT failures FROM job_failures") == 1

    async with working(database, Step(do=at_last)):
        await _put(pool, call_id=5)
        await _until_left(pool, [])
    assert tries == 2
    assert await pool.fetchval("SELECT count(*) FROM job_failures") == 0


async def test_a_parked_job_that_is_taken_up_again_has_all_its_tries_anew(
    database: str, pool: Pool
) -> None:
    tries = 0

    async def mend_late(_: Payload) -> None:
        nonlocal tries
        tries += 1
        if tries < 2 * ATTEMPTS:
            raise ValueError("cannot be read")

    async with working(database, Step(do=mend_late)):
        await _put(pool, call_id=1)
        await _until_left(pool, ["failed"])
        async with transaction(pool) as tx:
            assert [job.payload for job in await jobs.retry(tx)] == [{"call_id": 1}]
        await _until_left(pool, [])
    assert tries == 2 * ATTEMPTS


async def test_a_parked_job_whose_like_waits_gives_way_to_it(pool: Pool) -> None:
    await _put(pool, call_id=1)
    await pool.execute("UPDATE pgqueuer SET status = 'failed'")
    await _put(pool, call_id=1)
    await _put(pool, call_id=2)
    async with transaction(pool) as tx:
        assert len(await jobs.retry(tx)) == 1
    assert await _left(pool) == ["queued", "queued"]


async def test_an_unknown_number_takes_up_nothing(pool: Pool) -> None:
    await _put(pool, call_id=1)
    await pool.execute("UPDATE pgqueuer SET status = 'failed'")
    async with transaction(pool) as tx:
        parked = await jobs.parked(tx)
    with pytest.raises(jobs.JobUnknownError, match="number 99999999 is parked"):
        async with transaction(pool) as tx:
            await jobs.retry(tx, [parked[0].id, 99999999])
    assert await _left(pool) == ["failed"]


async def test_waiting_long_does_not_use_up_the_tries_of_a_later_failure(
    database: str, pool: Pool
) -> None:
    tries = 0

    async def wait_then_stumble(_: Payload) -> None:
        nonlocal tries
        tries += 1
        if tries <= ATTEMPTS + 2:
            raise LaterError("No model yet.")
        if tries < 2 * ATTEMPTS + 1:
            raise ValueError("stumbled")

    async with working(database, Step(do=wait_then_stumble)):
        await _put(pool, call_id=1)
        await _until_left(pool, [])
    assert tries == 2 * ATTEMPTS + 1


async def test_a_database_that_is_away_is_never_the_fault_of_a_job(
    database: str, pool: Pool
) -> None:
    tries = 0

    async def cut_off(_: Payload) -> None:
        nonlocal tries
        tries += 1
        if tries <= ATTEMPTS + 2:
            raise asyncpg.ConnectionDoesNotExistError("connection was closed")

    async with working(database, Step(do=cut_off)):
        await _put(pool, call_id=1)
        await _until_left(pool, [])
    assert tries == ATTEMPTS + 3


async def test_stopping_finishes_the_work_in_hand(database: str, pool: Pool) -> None:
    started, release = asyncio.Event(), asyncio.Event()
    finished = False

    async def slow(_: Payload) -> None:
        nonlocal finished
        started.set()
        await release.wait()
        finished = True

    async with working(database, Step(do=slow)) as workers:
        await _put(pool, call_id=1)
        await asyncio.wait_for(started.wait(), 10)
        workers.stop()
        release.set()
    assert finished
    assert await _left(pool) == []


async def test_a_cancelled_worker_leaves_its_job_in_the_queue(database: str, pool: Pool) -> None:
    started = asyncio.Event()

    async def slow(_: Payload) -> None:
        started.set()
        await asyncio.Event().wait()

    workers = Workers(connect=lambda: connected(database), steps={JobName.ROUTE: Step(do=slow)})
    task = asyncio.create_task(workers.run())
    await _put(pool, call_id=1)
    await asyncio.wait_for(started.wait(), 10)
    task.cancel()
    await asyncio.wait({task}, timeout=10)
    assert task.cancelled()
    assert await _left(pool) == ["queued"]


async def test_the_job_of_a_dead_worker_is_taken_over(database: str, pool: Pool) -> None:
    await _put(pool, call_id=1)
    await pool.execute(
        """UPDATE pgqueuer SET status = 'picked', queue_manager_id = gen_random_uuid(),
           heartbeat = now() - interval '1 minute'"""
    )
    done: asyncio.Queue[Payload] = asyncio.Queue()
    async with working(database, Step(do=done.put)):
        assert await asyncio.wait_for(done.get(), 15) == {"call_id": 1}
        await _until_left(pool, [])


async def test_workers_survive_the_loss_of_their_connection(database: str, pool: Pool) -> None:
    done: asyncio.Queue[Payload] = asyncio.Queue()
    async with working(database, Step(do=done.put)):
        await _put(pool, call_id=1)
        await asyncio.wait_for(done.get(), 10)
        await _until_left(pool, [])
        await pool.execute(
            """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid()
                 AND query ILIKE '%pgqueuer%'"""
        )
        await _put(pool, call_id=2)
        assert await asyncio.wait_for(done.get(), 20) == {"call_id": 2}


async def test_a_payload_is_json_with_sorted_keys(pool: Pool) -> None:
    await _put(pool, leg="caller", call_id=1)
    payload = await pool.fetchval("SELECT payload FROM pgqueuer")
    assert json.loads(payload) == {"call_id": 1, "leg": "caller"}
    await _put(pool, call_id=1, leg="caller")
    assert await _left(pool) == ["queued"]
