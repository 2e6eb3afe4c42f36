"""baresip as a softphone for the tests: it registers, picks up by itself, speaks and writes a file.

The program is the host's own, or the one the host's package archive carries, unpacked.
"""

import asyncio
import os
import shutil
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.errors import ToolMissing
from deploy.portable import cache_root, fetch_debs
from tests.phones.sounds import RATE, write_tone

PACKAGES = ("baresip", "baresip-core", "libre0", "librem0")
START_SECONDS = 15.0
CONFIG = """\
poll_method epoll
sip_listen {address}:{port}
net_interface {address}
call_max_calls 4
audio_player aubridge,nobody
audio_source aufile,{tone}
audio_alert aufile,{folder}/alert.wav
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
audio_path {folder}
rtp_ports 42000-42100
module_path {modules}
module stdio.so
module g711.so
module aufile.so
module aubridge.so
module sndfile.so
snd_path {folder}
module_tmp account.so
module_app menu.so
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baresip:
    """A running baresip; `said` is what it printed so far."""

    process: asyncio.subprocess.Process
    folder: Path
    log: Path

    def heard(self) -> list[int]:
        """Everything that came out of its loudspeaker, once its calls are over."""
        samples: list[int] = []
        for file in sorted(self.folder.glob("dump-*-dec.wav")):
            with wave.open(str(file)) as sound:
                assert (sound.getframerate(), sound.getnchannels()) == (RATE, 1)
                data = sound.readframes(sound.getnframes())
            samples += [
                int.from_bytes(data[n : n + 2], "little", signed=True)
                for n in range(0, len(data), 2)
            ]
        return samples

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    async def until(self, words: str) -> None:
        async with asyncio.timeout(START_SECONDS):
            while words not in self.said():
                assert self.process.returncode is None, self.said()
                await asyncio.sleep(0.05)


def program() -> tuple[str, Path, dict[str, str]]:
    """The program, its modules and what its loader needs; skips where there is none."""
    installed = shutil.which("baresip")
    if installed:
        modules = next(Path("/usr/lib").glob("**/baresip/modules"))
        return installed, modules, {}
    try:
        prefix = fetch_debs(PACKAGES, cache_root() / "tools" / "baresip", closure=True)
    except ToolMissing as missing:
        pytest.skip(str(missing))
    libraries = ":".join(str(one) for one in sorted(prefix.glob("usr/lib/*-linux-*")))
    modules = next(prefix.glob("usr/lib/**/baresip/modules"))
    return str(prefix / "usr/bin/baresip"), modules, {"LD_LIBRARY_PATH": libraries}


@asynccontextmanager
async def baresip(
    folder: Path, *, user: str, secret: str, server: str, address: str, port: int, hertz: int
) -> AsyncIterator[Baresip]:
    """Run baresip until the block ends; it has registered when the block begins."""
    argv, modules, env = program()
    folder.mkdir(parents=True)  # noqa: ASYNC240 - a test may wait for its own disk
    config = CONFIG.format(
        address=address,
        port=port,
        folder=folder,
        tone=write_tone(folder / "tone.wav", hertz, seconds=60),
        modules=modules,
    )
    (folder / "config").write_text(config)
    (folder / "accounts").write_text(
        f"<sip:{user}@{server}>;auth_user={user};auth_pass={secret};answermode=auto;regint=60\n"
    )
    log = folder / "baresip.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            argv,
            *("-f", str(folder), "-v"),
            stdin=asyncio.subprocess.PIPE,
            stdout=output,
            stderr=output,
            env={**os.environ, **env},
        )
    phone = Baresip(process=process, folder=folder, log=log)
    try:
        await phone.until("200 OK")
        yield phone
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(5):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
