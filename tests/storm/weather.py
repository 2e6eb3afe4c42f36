"""What goes wrong during a storm, one thing after the other, at moments drawn by chance."""

import asyncio
import contextlib
import os
import resource
import shutil
import signal
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from deploy.asterisk.process import Asterisk
from hotline.database import EmbeddedPostgres
from hotline.demo.service import Service
from tests.acceptance.proxy import Cable

FULL_SECONDS = 10.0
LONGEST_SILENCE = 60.0


@dataclass(kw_only=True)
class Weather:
    """The parts that can break, and when the exchange was away."""

    asterisk: Asterisk
    service: Service
    cable: Cable
    postgres: EmbeddedPostgres
    postgres_folder: Path
    store: Path
    spool: Path
    rng: Random
    say: Callable[[str], None]
    killed: list[tuple[datetime, datetime]] = field(default_factory=list)
    """From when to when the exchange was away."""
    spool_was_full: list[tuple[datetime, datetime]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store_is_a_disk = self.store.is_mount()
        self.spool_is_a_disk = self.spool.is_mount()

    async def run(self, seconds: float, plan: list[str]) -> None:
        """Spread the plan over so many seconds."""
        deeds: dict[str, Callable[[], Awaitable[None]]] = {
            "kill": self.kill_the_service,
            "cut": self.cut_the_cable,
            "half-open": self.freeze_the_cable,
            "postgres": self.restart_postgres,
            "asterisk": self.kill_asterisk,
            "asterisk-stop": self.stop_asterisk,
            "disk": self.fill_the_store,
            "spool": self.fill_the_spool,
        }
        begun = asyncio.get_running_loop().time()
        for n, deed in enumerate(plan):
            at = seconds * (n + self.rng.uniform(0.3, 0.8)) / len(plan)
            await asyncio.sleep(max(0.0, begun + at - asyncio.get_running_loop().time()))
            self.say(f"{datetime.now(UTC):%H:%M:%S} {deed}")
            await deeds[deed]()

    async def kill_the_service(self) -> None:
        await self.service.kill()
        await asyncio.sleep(self.rng.uniform(0.0, 4.0))
        await self.service.start()

    async def cut_the_cable(self) -> None:
        self.cable.cut()
        await asyncio.sleep(self.rng.uniform(0.2, 3.0))
        await self.cable.mend()

    async def freeze_the_cable(self) -> None:
        """Nothing more comes through and nobody is told; the service must notice by itself."""
        before = self.cable.connections
        self.cable.freeze()
        async with asyncio.timeout(LONGEST_SILENCE):
            while self.cable.connections == before:  # noqa: ASYNC110 - a counter rings no bell
                await asyncio.sleep(0.1)

    async def restart_postgres(self) -> None:
        """As after a crash: the server drops everything in hand and recovers from its log."""
        pid = int((self.postgres_folder / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, signal.SIGQUIT)
        while (self.postgres_folder / "postmaster.pid").exists():  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        await asyncio.sleep(self.rng.uniform(0.0, 2.0))
        await asyncio.to_thread(self.postgres._server.ensure_postgres_running)

    async def kill_asterisk(self) -> None:
        await self._restart_asterisk(self.asterisk.kill)

    async def stop_asterisk(self) -> None:
        await self._restart_asterisk(self.asterisk.stop)

    async def _restart_asterisk(self, end: Callable[[], Awaitable[None]]) -> None:
        began = datetime.now(UTC)
        await end()
        await self.asterisk.start()
        self.killed.append((began, datetime.now(UTC)))

    async def fill_the_store(self) -> None:
        """No byte more fits where recordings are kept: they stay at the exchange meanwhile."""
        if self.store_is_a_disk:
            with _full(self.store):
                await asyncio.sleep(FULL_SECONDS)
        elif (pid := self.service.pid) is not None:
            # Without the right to mount: the service's own files may not grow.
            before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, before[1]))
            await asyncio.sleep(FULL_SECONDS)
            with contextlib.suppress(ProcessLookupError):
                resource.prlimit(pid, resource.RLIMIT_FSIZE, before)

    async def fill_the_spool(self) -> None:
        """No byte more fits where the exchange records: sound is lost, calls are not."""
        if not self.spool_is_a_disk:
            self.say("the exchange's disk cannot be filled without the right to mount one")
            return
        began = datetime.now(UTC)
        with _full(self.spool):
            await asyncio.sleep(FULL_SECONDS)
        self.spool_was_full.append((began, datetime.now(UTC)))


@contextlib.contextmanager
def _full(disk: Path) -> Iterator[None]:
    filler = disk / "filler"
    for size in (1 << 16, 1):
        with contextlib.suppress(OSError), filler.open("ab", buffering=0) as file:
            while True:
                file.write(bytes(size))
    try:
        yield
    finally:
        filler.unlink()


@contextlib.contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[None]:
    """A file system of its own below `folder`, where we may mount one; else a plain folder."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = shutil.which("mount")
    mounted = False
    if mount and os.geteuid() == 0:
        argv = [mount, "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
        mounted = subprocess.run(argv, check=False, capture_output=True).returncode == 0  # noqa: S603
    try:
        yield
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=False)  # noqa: S603, S607
