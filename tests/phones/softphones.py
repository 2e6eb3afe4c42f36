"""Real softphones for the tests: pjsua2 processes that ring, speak and write what they hear.

async with Softphones(folder) as phones:
    desk = await phones.add("1001", address="127.0.0.2", server=..., secret=..., hertz=1000)
    await desk.until("registered")
    call = (await desk.until("ringing"))["call"]
    await desk.order("answer", call=call)
    await desk.hears(call, yes=(440,), no=(700,))
"""

import asyncio
import importlib.util
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from tests.phones.sounds import RATE, loudness, write_tone

PROGRAM = Path(__file__).with_name("pjsua_phone.py")
PATIENCE = 20.0
WINDOW = RATE  # samples: one second
#: A tone of a quarter of full scale has a mean square of 0.03; a leak would be far below.
HEARD, SILENT = 0.001, 0.0001
HEADER_BYTES = 44


class Softphone:
    """One softphone; `events` keeps everything it told, `until` waits for the next of a kind."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path) -> None:
        self.process, self.folder = process, folder
        self.events: list[dict[str, Any]] = []
        self._changed = asyncio.Condition()
        self._reader = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            if not line.startswith(b"{"):  # the library's own words before its log is open
                continue
            async with self._changed:
                self.events.append(json.loads(line))
                self._changed.notify_all()

    async def until(self, event: str, **like: object) -> dict[str, Any]:
        """Return the first event of this kind that no earlier `until` has returned."""

        def found() -> int | None:
            for place in range(len(self.events)):
                told = self.events[place]
                if told["event"] == event and like.items() <= told.items():
                    return place
            return None

        async with asyncio.timeout(PATIENCE), self._changed:
            await self._changed.wait_for(lambda: found() is not None)
        place = found()
        assert place is not None
        return self.events.pop(place)

    def has(self, event: str, **like: object) -> bool:
        return any(told["event"] == event and like.items() <= told.items() for told in self.events)

    async def order(self, do: str, **more: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": do, **more}).encode() + b"\n")
        await self.process.stdin.drain()

    async def answer(self) -> int:
        """Pick up the next call that rings; returns its number once it is up."""
        call = int((await self.until("ringing"))["call"])
        await self.order("answer", call=call)
        await self.until("up", call=call)
        return call

    async def dial(self, number: str) -> int:
        """Call a number; `until("up")` tells when it is answered."""
        await self.order("dial", to=number)
        return int((await self.until("dialled"))["call"])

    def samples(self, call: int) -> list[int]:
        """Everything heard in a call so far; the header is not to be trusted before its end."""
        try:
            data = (self.folder / f"call-{call}.wav").read_bytes()[HEADER_BYTES:]
        except FileNotFoundError:
            return []
        return [
            int.from_bytes(data[n : n + 2], "little", signed=True)
            for n in range(0, len(data) - 1, 2)
        ]

    async def hears(self, call: int, *, yes: Sequence[int] = (), no: Sequence[int] = ()) -> None:
        """Wait until one whole second holds every tone of `yes` and none of `no`."""
        told: dict[int, float] = {}
        start = len(self.samples(call))
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    heard = self.samples(call)
                    if len(heard) >= start + WINDOW:
                        last = heard[-WINDOW:]
                        told = {hertz: loudness(last, hertz) for hertz in (*yes, *no)}
                        if all(told[one] > HEARD for one in yes) and all(
                            told[one] < SILENT for one in no
                        ):
                            return
                    await asyncio.sleep(0.25)
        except TimeoutError:
            pytest.fail(f"call {call} in {self.folder.name}: {told}, wanted {yes} and not {no}")

    def messages(self, sip_id: str) -> list[str]:
        """Every SIP message of one call as this telephone sent or received it."""
        log = (self.folder / "phone.log").read_text(errors="replace")
        texts = [part.split("--end msg--")[0] for part in log.split(" bytes ")[1:]]
        return [text for text in texts if sip_id in text]

    async def stop(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            async with asyncio.timeout(3):
                await self.process.wait()
        except TimeoutError:
            self.process.kill()
            await self.process.wait()
        self._reader.cancel()


class Softphones:
    """The softphones of one test; none outlives the `async with`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.phones: list[Softphone] = []

    async def __aenter__(self) -> Self:
        if importlib.util.find_spec("pjsua2") is None:
            pytest.skip("softphones need the package pjsua2-python")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await asyncio.gather(*(phone.stop() for phone in self.phones))

    async def add(
        self,
        user: str,
        *,
        address: str,
        server: str,
        hertz: int,
        secret: str = "",
        port: int = 0,
        auto: bool = False,
        tones: Mapping[str, int] | None = None,
        sound: Path | None = None,
    ) -> Softphone:
        """Start a softphone; with a secret it registers, with `auto` it picks up by itself.

        With `sound`, a WAV file of 8 kHz, it says that again and again instead of its tone.
        """
        folder = self.folder / f"{user}-{len(self.phones)}"
        folder.mkdir(parents=True)
        given = {
            "user": user,
            "address": address,
            "server": server,
            "secret": secret,
            "port": port,
            "auto": auto,
            "folder": str(folder),
            "tone": str(sound or write_tone(folder / f"{hertz}.wav", hertz)),
            "tones": {
                called: str(write_tone(folder / f"{tone}.wav", tone))
                for called, tone in (tones or {}).items()
            },
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(PROGRAM),
            json.dumps(given),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        phone = Softphone(process, folder)
        self.phones.append(phone)
        await phone.until("ready")
        if secret:
            await phone.until("registered", status=200)
        return phone
