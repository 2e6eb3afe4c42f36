"""The service's hold on one decoding process: start it, ask it, hear it die, end it.

Everything here is asyncio; the process itself is `vosk_decoder.py` with its `lanes.py`.
"""

import asyncio
import contextlib
import json
import os
import sys
from collections import deque
from itertools import count
from pathlib import Path
from typing import Any, Self

_REPOSITORY = Path(__file__).resolve().parents[2]
_LONGEST_LINE = 64 * 2**20
"""Bytes in one answer: the words of a call of many hours still fit."""
_LAST_LINES = 20
_END_WITHIN = 5.0
_PONG_WITHIN = 60.0


class WorkerDied(Exception):  # noqa: N818 - it states a fact
    """The process ended before it answered; its last words are the argument."""


class WorkerRefused(WorkerDied):
    """The process started and could not load its model; the argument says why."""


class Worker:
    """One decoding process. `ask` may be called many times at once; answers find their asker."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._numbers = count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._greeting: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._last_words: deque[str] = deque(maxlen=_LAST_LINES)
        self._reading = asyncio.create_task(self._read(), name=f"decoder-{process.pid}")

    @classmethod
    async def start(cls, module: str, *arguments: str) -> Self:
        """Start `python -m MODULE ARGUMENTS` and return where it says it is ready.

        Raises:
            WorkerRefused: it cannot load its model.
            WorkerDied: it ended before it was ready.
        """
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", module, *arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=_LONGEST_LINE,
            env=_environment(),
            start_new_session=True,  # Ctrl-C reaches the service alone, which ends us in order
        )
        worker = cls(process)
        try:
            greeting = await worker._greeting
        except BaseException:
            await worker.kill()
            raise
        if not greeting.get("ready"):
            await worker.kill()
            why = str(greeting.get("error", "it gave no reason"))
            raise WorkerRefused(why) if greeting.get("model_refused") else WorkerDied(why)
        return worker

    @property
    def alive(self) -> bool:
        """Whether it can still answer."""
        return self._process.returncode is None and not self._reading.done()

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    async def ask(self, message: dict[str, Any], *, within: float) -> dict[str, Any]:
        """Send a job and wait for its answer; a caller that gives up cancels the job.

        Raises:
            WorkerDied: the process, or its lane with this job, died first or took too long.
        """
        number = next(self._numbers)
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            await self._send({**message, "id": number})
            async with asyncio.timeout(within):
                said = await answer
        except TimeoutError:
            await self._send({"cancel": number})
            raise WorkerDied(f"it gave no answer within {within:.0f} s") from None
        except asyncio.CancelledError:
            with contextlib.suppress(WorkerDied):
                await self._send({"cancel": number})
            raise
        finally:
            self._waiting.pop(number, None)
        if "died" in said:
            raise WorkerDied(self._epitaph(str(said["died"])))
        return said

    async def ping(self) -> None:
        """Return where the process answers; end it where it does not, the next job starts one."""
        try:
            await self.ask({"ping": True}, within=_PONG_WITHIN)
        except WorkerDied:
            await self.kill()

    async def _send(self, message: dict[str, Any]) -> None:
        stdin = self._process.stdin
        if stdin is None or not self.alive:
            raise WorkerDied(self._epitaph())
        try:
            stdin.write(json.dumps(message).encode() + b"\n")
            await stdin.drain()
        except (ConnectionError, RuntimeError) as error:
            raise WorkerDied(self._epitaph()) from error

    async def _read(self) -> None:
        """Hand each answer to its asker until the process ends, then tell all who still wait."""
        stdout, stderr = self._process.stdout, self._process.stderr
        if stdout is None or stderr is None:  # pragma: no cover - both are pipes, see `start`
            return
        listening = asyncio.create_task(self._listen(stderr))
        try:
            async for line in stdout:
                self._deliver(json.loads(line))
        except ValueError as error:  # not our protocol, or an answer beyond `_LONGEST_LINE`
            self._last_words.append(f"unreadable answer: {error}")
            self._process.kill()
        finally:
            await listening
            await self._process.wait()
            died = WorkerDied(self._epitaph())
            for future in (self._greeting, *self._waiting.values()):
                if not future.done():
                    future.set_exception(died)
            # A greeting nobody awaits any more must not be reported as never retrieved.
            if self._greeting.done() and not self._greeting.cancelled():
                self._greeting.exception()

    async def _listen(self, stderr: asyncio.StreamReader) -> None:
        async for line in stderr:
            self._last_words.append(line.decode(errors="replace").strip())

    def _deliver(self, answer: dict[str, Any]) -> None:
        if "ready" in answer:
            if not self._greeting.done():
                self._greeting.set_result(answer)
            return
        asker = self._waiting.get(answer["id"])
        if asker and not asker.done():
            asker.set_result(answer)

    def _epitaph(self, how: str = "") -> str:
        if not how:
            code = self._process.returncode
            how = f"it ended with {f'signal {-code}' if code and code < 0 else f'status {code}'}"
        said = next((line for line in reversed(self._last_words) if line), "")
        return how + (f" after saying: {said[:200]}" if said else "")

    async def kill(self) -> None:
        """End it at once."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._buried()

    async def close(self) -> None:
        """Close its input, which ends it; kill it where that does not."""
        if self._process.stdin:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(_END_WITHIN):
                await asyncio.shield(self._reading)
        except TimeoutError:
            await self.kill()
        await self._buried()

    async def _buried(self) -> None:
        """Wait until the process is gone and its pipes are closed."""
        await asyncio.wait([self._reading])
        if self._process.stdin:
            self._process.stdin.close()
            with contextlib.suppress(ConnectionError):
                await self._process.stdin.wait_closed()


def _environment() -> dict[str, str]:
    """Our own packages can be imported, and no secret of the service is handed on."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HOTLINE_")}
    paths = [str(_REPOSITORY), *filter(None, [kept.get("PYTHONPATH", "")])]
    return {**kept, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"}
