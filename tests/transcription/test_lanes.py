"""Lanes and the service's hold on them, without a model: who dies, who answers, who waits."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from transcription.engines.worker import Worker, WorkerDied, WorkerRefused

CHILD = "tests.transcription.lanes_child"
LONG = 100.0


@pytest.fixture
async def worker() -> AsyncIterator[Worker]:
    started = await Worker.start(CHILD, "2", "60")
    yield started
    await started.close()


async def there(path: Path) -> None:
    """Wait for a fact in the file system; the test's own timeout is the only clock."""
    while not await asyncio.to_thread(path.exists):  # noqa: ASYNC110 - another process makes it
        await asyncio.sleep(0.002)


async def test_each_asker_gets_its_own_answer(worker: Worker) -> None:
    long = "您好" * 50_000
    asked = [worker.ask({"say": f"{n} {long}"}, within=LONG) for n in range(20)]
    answers = await asyncio.gather(*asked)
    assert [answer["said"] for answer in answers] == [f"{n} {long}" for n in range(20)]
    assert 1 <= len({answer["pid"] for answer in answers}) <= 2


async def test_two_lanes_work_at_the_same_time_and_a_third_job_waits(
    worker: Worker, tmp_path: Path
) -> None:
    jobs = [
        asyncio.create_task(
            worker.ask(
                {"say": n, "started": str(tmp_path / n), "until": str(tmp_path / "go")}, within=LONG
            )
        )
        for n in ("a", "b", "c")
    ]
    await there(tmp_path / "a")
    await there(tmp_path / "b")
    assert (await worker.ask({"ping": True}, within=LONG))["pid"] == worker.pid
    assert not (tmp_path / "c").exists()
    (tmp_path / "go").touch()
    assert [one["said"] for one in await asyncio.gather(*jobs)] == ["a", "b", "c"]


async def test_a_job_that_names_its_lane_waits_for_it_and_others_pass_by(
    worker: Worker, tmp_path: Path
) -> None:
    busy = asyncio.create_task(
        worker.ask(
            {"lane": 1, "started": str(tmp_path / "on"), "until": str(tmp_path / "go")}, within=LONG
        )
    )
    await there(tmp_path / "on")
    waits = asyncio.create_task(worker.ask({"lane": 1, "say": "mine"}, within=LONG))
    others = [await worker.ask({"say": n}, within=LONG) for n in range(3)]
    assert not waits.done()
    (tmp_path / "go").touch()
    assert (await waits)["pid"] == (await busy)["pid"]
    assert len({one["pid"] for one in others}) == 1


async def test_a_lane_that_dies_takes_its_own_job_only(worker: Worker, tmp_path: Path) -> None:
    neighbour = asyncio.create_task(
        worker.ask(
            {"say": "alive", "started": str(tmp_path / "on"), "until": str(tmp_path / "go")},
            within=LONG,
        )
    )
    await there(tmp_path / "on")
    for _ in range(3):
        with pytest.raises(WorkerDied, match="signal 6"):
            await worker.ask({"die": True}, within=LONG)
    (tmp_path / "go").touch()
    assert (await neighbour)["said"] == "alive"
    assert (await worker.ask({"say": "again"}, within=LONG))["said"] == "again"
    assert worker.alive


async def test_a_job_that_fails_says_why_and_its_lane_goes_on(worker: Worker) -> None:
    answers = await asyncio.gather(
        *(worker.ask({"fail": "坏了"}, within=LONG) for _ in range(3)),
        worker.ask({"say": "fine"}, within=LONG),
    )
    assert [one.get("error") for one in answers] == ["ValueError: 坏了"] * 3 + [None]


async def test_a_job_given_up_frees_its_lane_and_one_that_waits_is_never_begun(
    tmp_path: Path,
) -> None:
    worker = await Worker.start(CHILD, "1", "60")
    hanging = asyncio.create_task(
        worker.ask({"started": str(tmp_path / "on"), "until": str(tmp_path / "never")}, within=LONG)
    )
    await there(tmp_path / "on")
    waiting = asyncio.create_task(worker.ask({"started": str(tmp_path / "begun")}, within=LONG))
    await worker.ask({"ping": True}, within=LONG)
    for job in (waiting, hanging):
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job
    assert (await worker.ask({"say": "free"}, within=LONG))["said"] == "free"
    assert not (tmp_path / "begun").exists()
    await worker.close()


async def test_a_job_that_takes_too_long_is_ended(worker: Worker, tmp_path: Path) -> None:
    with pytest.raises(WorkerDied, match="no answer within 0 s"):
        await worker.ask({"until": str(tmp_path / "never")}, within=0.05)
    assert (await worker.ask({"say": "next"}, within=LONG))["said"] == "next"


async def test_a_lane_without_work_rests() -> None:
    worker = await Worker.start(CHILD, "1", "0.0")
    rests = 0
    while not rests:
        rests = (await worker.ask({"say": "x"}, within=LONG))["rests"]
    assert rests >= 1
    await worker.close()


async def test_a_killed_process_tells_everyone_who_waits(worker: Worker, tmp_path: Path) -> None:
    jobs = [
        asyncio.create_task(worker.ask({"until": str(tmp_path / "never")}, within=LONG))
        for _ in range(4)
    ]
    await worker.ping()
    await worker.kill()
    for job in jobs:
        with pytest.raises(WorkerDied, match="signal 9"):
            await job
    assert not worker.alive
    with pytest.raises(WorkerDied, match="signal 9"):
        await worker.ask({}, within=LONG)


async def test_a_process_that_cannot_start_says_why() -> None:
    with pytest.raises(WorkerDied, match="status 1 after saying: no memory left"):
        await Worker.start(CHILD, "end")
    with pytest.raises(WorkerRefused, match="bad model"):
        await Worker.start(CHILD, "refuse")
