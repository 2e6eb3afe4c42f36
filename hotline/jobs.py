"""Work that survives a crash: enqueued in the transaction that makes it due, done by PgQueuer.

A job is a name and the ids it is about. It may run twice (the process can die between the work's
commit and the job's end), so every handler is idempotent. A killed worker's jobs are taken over
when its heartbeat is older than `HEARTBEAT`. What fails for want of something (disk, model) is
tried again for ever, slower and slower; what fails for another reason is parked after
`ATTEMPTS` with its reason; `hotline check` and `hotline jobs` show it, `retry` takes it up again.
Only failures count towards that: the queue's own counter also counts waits and stops, so ours lies
beside the queue (`job_failures`), where every worker on any machine counts the same job on.
"""

import asyncio
import json
import logging
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, LiteralString, Never

import asyncpg
from pgqueuer.db import AsyncpgDriver, Driver
from pgqueuer.errors import RetryRequested
from pgqueuer.executors import (
    AbstractEntrypointExecutor,
    EntrypointExecutorParameters,
)
from pgqueuer.models import Context
from pgqueuer.models import Job as QueuedJob
from pgqueuer.qm import QueueManager
from pgqueuer.queries import Queries
from pgqueuer.types import JobId

from hotline.database import PASSING
from hotline.errors import DatabaseUnavailableError, HotlineError

log = logging.getLogger(__name__)

HEARTBEAT = timedelta(seconds=10)
ATTEMPTS = 5
_SLOWEST = 60.0
_PUT_BACK_WITHIN = 5.0

Payload = Mapping[str, Any]
Handler = Callable[[Payload], Awaitable[None]]
GiveUp = Callable[[Payload, str], Awaitable[None]]
Connect = Callable[[], AbstractAsyncContextManager[asyncpg.Connection]]


class JobName(StrEnum):
    """The steps of the pass that run as jobs."""

    COLLECT_RECORDINGS = "collect_recordings"
    TRANSCRIBE = "transcribe"
    ROUTE = "route"
    NOTIFY = "notify"
    FOLLOW = "follow"
    INSPECT = "inspect"


class LaterError(HotlineError):
    """The work cannot be done now for a reason outside it; it is tried again, nothing is lost."""


class JobUnknownError(HotlineError):
    """No such job is parked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """How one kind of job is done, and what is recorded when it is given up."""

    do: Handler
    give_up: GiveUp | None = None


async def enqueue(
    conn: asyncpg.Connection, name: JobName, payload: Payload, *, after: timedelta | None = None
) -> None:
    """Put a job into the caller's transaction; the same one already waiting is not put twice."""
    text = json.dumps(payload, sort_keys=True)
    await Queries(AsyncpgDriver(conn)).enqueue(
        name.value,
        text.encode(),
        execute_after=after,
        dedupe_key=f"{name}:{text}",
        on_conflict="skip",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """A job that was given up, with the reason of its last failure."""

    id: int
    name: str
    payload: Payload
    reason: str


_PARKED: LiteralString = """
    SELECT q.id, q.entrypoint, q.payload, (
        SELECT l.traceback ->> 'exception_message' FROM pgqueuer_log l
         WHERE l.job_id = q.id AND l.traceback IS NOT NULL ORDER BY l.id DESC LIMIT 1) AS reason
      FROM pgqueuer q
     WHERE q.status = 'failed' AND ($1::bigint[] IS NULL OR q.id = ANY ($1))
     ORDER BY q.id LIMIT $2"""


async def parked(
    conn: asyncpg.Connection, ids: Sequence[int] | None = None, *, limit: int | None = 100
) -> list[Parked]:
    """The jobs that were given up, oldest first: all of them, or those of some ids."""
    return [
        Parked(
            id=row["id"],
            name=row["entrypoint"],
            payload=json.loads(row["payload"]),
            reason=row["reason"] or "",
        )
        for row in await conn.fetch(_PARKED, ids, limit)
    ]


async def retry(conn: asyncpg.Connection, ids: Sequence[int] | None = None) -> list[Parked]:
    """Take parked jobs up again inside the caller's transaction; all of them, or those of some ids.

    Each begins anew with all its tries. One whose like was put meanwhile leaves the queue: that
    one stands for both.

    Raises:
        JobUnknownError: an id names no parked job; nothing is changed.
    """
    found = await parked(conn, ids, limit=None)
    if unknown := sorted(set(ids or ()) - {job.id for job in found}):
        raise JobUnknownError(
            f"No job with the number {unknown[0]} is parked: "
            "`hotline jobs list` shows those that are."
        )
    queries = Queries(AsyncpgDriver(conn))
    for job in found:
        try:
            async with conn.transaction():
                await queries.requeue_jobs([JobId(job.id)])
        except asyncpg.UniqueViolationError:
            await queries.mark_job_as_cancelled([JobId(job.id)])
    return found


async def waiting(conn: asyncpg.Connection) -> int:
    """How many jobs wait or are being done."""
    return int(
        await conn.fetchval("SELECT count(*) FROM pgqueuer WHERE status IN ('queued', 'picked')")
    )


class Workers:
    """Does the jobs of some names, several at once, until it is told to stop."""

    def __init__(
        self,
        *,
        connect: Connect,
        steps: Mapping[JobName, Step],
        at_once: int = 8,
        heartbeat: timedelta = HEARTBEAT,
    ) -> None:
        """`connect` opens a connection that the queue keeps for itself."""
        self._connect = connect
        self._steps = steps
        self._at_once = max(2, at_once)
        self._heartbeat = heartbeat
        self._manager: QueueManager | None = None
        self._stopping = asyncio.Event()
        self._in_hand: set[asyncio.Task[object]] = set()

    async def run(self) -> None:
        """Work until `stop`, then finish what is in hand; cancelled, put it back into the queue."""
        working = asyncio.create_task(self._work())
        try:
            await asyncio.shield(working)
        except asyncio.CancelledError:
            self.stop()
            for job in self._in_hand:
                job.cancel()
            await asyncio.wait({working}, timeout=_PUT_BACK_WITHIN)
            working.cancel()
            raise

    async def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                async with self._connect() as conn:
                    await self._serve(conn)
            except _LOST as error:
                log.warning("The job queue lost the database (%s) and tries again.", error)
                with suppress(TimeoutError):
                    async with asyncio.timeout(1.0):
                        await self._stopping.wait()

    async def _serve(self, conn: asyncpg.Connection) -> None:
        queries = Queries(AsyncpgDriver(conn))
        manager = QueueManager(queries)
        for name, step in self._steps.items():
            manager.register_executor(name.value, _executor(step, self._in_hand, queries.driver))
        self._manager = manager
        if self._stopping.is_set():
            return
        await manager.run(
            dequeue_timeout=timedelta(seconds=5),
            batch_size=self._at_once // 2,
            max_concurrent_tasks=self._at_once,
            shutdown_on_listener_failure=True,
            heartbeat_timeout=self._heartbeat,
        )

    def stop(self) -> None:
        """Take no new job; `run` returns when those in hand are done."""
        self._stopping.set()
        if self._manager is not None:
            self._manager.shutdown.set()


_LOST = (DatabaseUnavailableError, *PASSING)
# Gone with its job, whoever does it at last.
_FAILED: LiteralString = """
    INSERT INTO job_failures (job_id, failures) VALUES ($1, 1)
    ON CONFLICT (job_id) DO UPDATE SET failures = job_failures.failures + 1 RETURNING failures"""
_FORGOTTEN: LiteralString = "DELETE FROM job_failures WHERE job_id = $1"


class _Executor(AbstractEntrypointExecutor):
    """Runs one step and turns every way it can end into what the queue shall do next."""

    step: Step
    in_hand: set["asyncio.Task[object]"]
    counts: Driver
    """The queue's own connection, one statement at a time."""

    async def execute(self, job: QueuedJob, context: Context) -> None:  # noqa: ARG002 - the port's
        if (task := asyncio.current_task()) is not None:
            self.in_hand.add(task)
            task.add_done_callback(self.in_hand.discard)
        payload = json.loads(job.payload or b"{}")
        try:
            await self.step.do(payload)
        except asyncio.CancelledError:
            # Ending the process must not end the job: the queue would delete a cancelled one.
            raise RetryRequested(reason="the service stopped") from None
        except (LaterError, *_LOST) as error:
            log.info("Job %s %s waits: %s", job.entrypoint, job.payload, error)
            _again(job, error)
        except Exception as error:
            if await self._failed(job.id) < ATTEMPTS:
                log.warning("Job %s %s failed: %s", job.entrypoint, job.payload, error)
                _again(job, error)
            log.exception("Job %s %s is parked.", job.entrypoint, job.payload)
            if self.step.give_up is not None:
                await self.step.give_up(payload, str(error))
            await self.counts.execute(_FORGOTTEN, job.id)
            raise

    async def _failed(self, job_id: int) -> int:
        """How often a job failed by now, whoever did it; where that cannot be kept, once."""
        try:
            return int(str((await self.counts.fetch(_FAILED, job_id))[0]["failures"]))
        except (asyncpg.PostgresError, *_LOST) as error:
            log.warning("A failure of job %d could not be counted: %s", job_id, error)
            return 1


def _executor(step: Step, in_hand: set["asyncio.Task[object]"], counts: Driver) -> _Executor:
    async def unused(job: QueuedJob) -> None:
        raise NotImplementedError

    executor = _Executor(
        EntrypointExecutorParameters(concurrency_limit=0, func=unused, on_failure="hold")
    )
    executor.step, executor.in_hand, executor.counts = step, in_hand, counts
    return executor


def _again(job: QueuedJob, error: Exception) -> Never:
    """Ask for another try after 1, 2, 4 ... 60 s, spread so that many do not come together."""
    seconds = min(_SLOWEST, 2.0 ** min(job.attempts, 10)) * random.uniform(0.8, 1.2)  # noqa: S311
    raise RetryRequested(delay=timedelta(seconds=seconds), reason=str(error)) from error
