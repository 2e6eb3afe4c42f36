"""The real service as a process of its own: `hotline serve` with a configuration file.

The demo and the acceptance tests start it exactly as systemd would, and no code inside it knows.
"""

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp

from hotline.errors import HotlineError

START_SECONDS = 60.0
STOP_SECONDS = 40.0
LAST_LINES = 12


class ServiceFailedError(HotlineError):
    """The service ended or never answered; the message quotes its last words."""


class Service:
    """`hotline serve`, started and stopped; `kill` is a power cut."""

    def __init__(self, *, config: Path, url: str, log: Path) -> None:
        self.config = config
        self.url = url
        self.log = log
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        process = self._process
        return process.pid if process and process.returncode is None else None

    async def start(self) -> None:
        """Start the service and return when it answers over HTTP.

        Raises:
            ServiceFailedError: it ended, or did not answer in a minute.
        """
        self.log.parent.mkdir(parents=True, exist_ok=True)
        await end_left_over(self.config)
        with self.log.open("ab") as output:
            process = self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "hotline",
                "serve",
                env={**os.environ, "HOTLINE_CONFIG": str(self.config)},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C ends the demo, and the demo ends the service
            )
        _pid_file(self.config).write_text(f"{process.pid}\n")
        try:
            async with asyncio.timeout(START_SECONDS), aiohttp.ClientSession() as session:
                while not await self._answers(session):
                    if process.returncode is not None:
                        raise ServiceFailedError(
                            f"The service ended with status {process.returncode} instead of "
                            f"starting; its log {self.log} says:\n{self.last_words()}"
                        )
                    await asyncio.sleep(0.05)
        except TimeoutError as error:
            await self.kill()
            raise ServiceFailedError(
                f"The service did not answer on {self.url} after {START_SECONDS:.0f} s; "
                f"its log {self.log} says:\n{self.last_words()}"
            ) from error

    async def _answers(self, session: aiohttp.ClientSession) -> bool:
        """Tell whether it serves HTTP; 503 while the exchange is still away is an answer too."""
        try:
            async with session.get(f"{self.url}/healthz") as answer:
                return answer.status in (200, 503)
        except aiohttp.ClientError:
            return False

    async def stop(self) -> int | None:
        """Ask it to finish the work in hand; return its exit status."""
        return await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """End it as a power cut would: nothing in hand is finished."""
        await self._end(signal.SIGKILL)

    async def _end(self, number: signal.Signals) -> int | None:
        process, self._process = self._process, None
        if process is None:
            return None
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        _pid_file(self.config).unlink(missing_ok=True)
        return process.returncode

    def last_words(self) -> str:
        """Return the last lines of its log."""
        try:
            lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return "(it wrote nothing)"
        return "\n".join(lines[-LAST_LINES:])


def _pid_file(config: Path) -> Path:
    return config.with_suffix(".pid")


async def end_left_over(config: Path) -> None:
    """End the service that a killed demo left behind with this configuration, and no other."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if (pid := _left_over(config)) is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                while _left_over(config) == pid:  # noqa: ASYNC110 - no child of ours
                    await asyncio.sleep(0.05)


def _left_over(config: Path) -> int | None:
    """Return the process that still serves this configuration, if there is one."""
    try:
        pid = int(_pid_file(config).read_text())
        environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return None
    return pid if f"HOTLINE_CONFIG={config}".encode() in environment else None
