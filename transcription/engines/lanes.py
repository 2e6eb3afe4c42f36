"""Forked lanes: what is loaded once is shared by many processes, and each may die alone.

The process that calls `serve` keeps one thread. It forks one lane for each job that runs at the
same time; a lane shares the memory of what was loaded before (copy on write), works on one job
at a time, and when it dies takes that job with it and nothing else. Jobs come as JSON lines on
standard input, answers go as JSON lines to standard output; the end of input ends everything.
"""

import ctypes
import gc
import json
import os
import resource
import selectors
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, Protocol

_PIECE = 65536
_PR_SET_PDEATHSIG = 1


class Work(Protocol):
    """What a lane does; one instance a lane, made after the fork."""

    def do(self, job: dict[str, Any]) -> dict[str, Any]:
        """Do one job."""
        ...

    def rest(self) -> None:
        """Give back memory: no job came for a while."""
        ...


class Lines:
    """Whole lines out of a pipe that gives pieces."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._rest = b""

    def read(self) -> list[bytes] | None:
        """The lines that are complete now; None at the end of the pipe."""
        if not (piece := os.read(self._fd, _PIECE)):
            return None
        *whole, self._rest = (self._rest + piece).split(b"\n")
        return whole


@dataclass(slots=True)
class Lane:
    """One forked process, the pipes to it, and the job it has in hand."""

    pid: int
    jobs: int
    answers: int
    lines: Lines
    job: int | None = None


class Lanes:
    """Hands jobs to free lanes, passes answers on, and forks a new lane for a dead one."""

    def __init__(self, count: int, work: Callable[[], Work], *, rest_after: float) -> None:
        self._work = work
        self._rest_after = rest_after
        self._waiting: deque[dict[str, Any]] = deque()
        self._selector = selectors.DefaultSelector()
        self._parent = os.getpid()
        # The real standard output carries answers alone; what a library prints goes to standard
        # error, where the service keeps the last lines for its error message.
        self._out = os.dup(1)
        os.dup2(2, 1)
        gc.collect()
        gc.freeze()  # the collector must not touch, and so copy, what the lanes share
        self._lanes = [self._fork() for _ in range(count)]

    def serve(self, greeting: dict[str, Any]) -> None:
        """Say that we are ready and work until standard input ends."""
        self._say(greeting)
        told = Lines(0)
        self._selector.register(0, selectors.EVENT_READ)
        while True:
            for key, _ in self._selector.select():
                if isinstance(key.data, Lane):
                    self._hear(key.data)
                elif (lines := told.read()) is None:
                    return self._end()
                else:
                    for line in lines:
                        self._take(json.loads(line))
            self._hand_out()

    def _take(self, message: dict[str, Any]) -> None:
        """A job, a ping, or word that nobody waits for a job any more."""
        if "ping" in message:
            pids = [lane.pid for lane in self._lanes]
            self._say({"id": message["id"], "lanes": pids, "pid": self._parent})
        elif "cancel" in message:
            number = message["cancel"]
            self._waiting = deque(job for job in self._waiting if job["id"] != number)
            for lane in self._lanes:
                if lane.job == number:
                    _kill(lane.pid)
        else:
            self._waiting.append(message)

    def _hand_out(self) -> None:
        for number, lane in enumerate(self._lanes):
            if lane.job is None and (job := self._next_for(number)) is not None:
                lane.job = job["id"]
                # A lane that died a moment ago breaks the pipe: `_bury` then answers for it.
                with suppress(BrokenPipeError):
                    _write(lane.jobs, job)

    def _next_for(self, number: int) -> dict[str, Any] | None:
        """The first job that waits for any lane, or for this one."""
        for job in self._waiting:
            if job.get("lane", number) == number:
                self._waiting.remove(job)
                return job
        return None

    def _hear(self, lane: Lane) -> None:
        if (lines := lane.lines.read()) is None:
            self._bury(lane)
            return
        for line in lines:
            _write_all(self._out, line + b"\n")
            lane.job = None

    def _bury(self, lane: Lane) -> None:
        """Answer for the job a dead lane had in hand, and fork a lane in its place."""
        self._selector.unregister(lane.answers)
        _kill(lane.pid)  # it may have closed its pipe and live on
        _, status = os.waitpid(lane.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        for fd in (lane.jobs, lane.answers):
            os.close(fd)
        if lane.job is not None:
            how = f"signal {-code}" if code < 0 else f"status {code}"
            self._say({"id": lane.job, "died": f"it ended with {how}"})
        self._lanes[self._lanes.index(lane)] = self._fork()

    def _fork(self) -> Lane:
        jobs_read, jobs_write = os.pipe()
        answers_read, answers_write = os.pipe()
        pid = os.fork()
        if pid == 0:
            for fd in (0, self._out, jobs_write, answers_read):
                os.close(fd)
            self._be_lane(jobs_read, answers_write)
        os.close(jobs_read)
        os.close(answers_write)
        lane = Lane(pid, jobs_write, answers_read, Lines(answers_read))
        self._selector.register(answers_read, selectors.EVENT_READ, lane)
        return lane

    def _be_lane(self, jobs: int, answers: int) -> NoReturn:
        """The life of a lane: it ends with its parent, or when a job kills it."""
        status = 1
        try:
            _die_with(self._parent)
            work = self._work()
            for line in _lines_or_rests(jobs, self._rest_after):
                if line is None:
                    work.rest()
                    continue
                job = json.loads(line)
                try:
                    answer = work.do(job)
                except Exception as error:  # noqa: BLE001 - whatever it was, the service must hear
                    answer = {"error": f"{type(error).__name__}: {error}"}
                _write(answers, {"id": job["id"], **answer})
            status = 0
        finally:
            os._exit(status)  # never back into the parent's code

    def _say(self, answer: dict[str, Any]) -> None:
        _write(self._out, answer)

    def _end(self) -> None:
        for lane in self._lanes:
            _kill(lane.pid)
            os.waitpid(lane.pid, 0)


def _lines_or_rests(fd: int, rest_after: float) -> Iterator[bytes | None]:
    """Lines of a pipe until it ends; None once after each `rest_after` seconds without one."""
    lines = Lines(fd)
    selector = selectors.DefaultSelector()
    selector.register(fd, selectors.EVENT_READ)
    patience: float | None = rest_after
    while True:
        if not selector.select(patience):
            patience = None
            yield None
            continue
        if (whole := lines.read()) is None:
            return
        yield from whole
        patience = rest_after


def _write(fd: int, message: dict[str, Any]) -> None:
    _write_all(fd, json.dumps(message, ensure_ascii=False).encode() + b"\n")


def _write_all(fd: int, line: bytes) -> None:
    while line:
        line = line[os.write(fd, line) :]


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _die_with(parent: int) -> None:
    """Have the kernel end this process when its parent ends, however that happens."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(0)


def settle(niceness: int) -> None:
    """Let calls go first, let the kernel pick us when memory runs out, leave no core file."""
    with suppress(OSError):
        os.nice(niceness)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # The service ends us by closing our input, after the work in hand.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
