"""Telephones that really ring: SIPp processes that place calls and answer them.

    async with Telephones(folder=..., sipp=ensure("sipp")) as telephones:
        port = await telephones.seat(replies)               # operators wait at 127.0.0.1:port
        outcome = await telephones.call(caller, exchange_port)
        outcome.status                                       # 0: the call went as scripted
        outcome.messages                                     # each SIP message with SIPp's own time

Everything a telephone writes lies in `folder`. No process outlives the `async with`.
"""

import asyncio
import contextlib
import os
import re
import signal
import socket
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.asterisk.ports import free_port, is_free
from deploy.demo.scenarios import Caller, Reply, caller_scenario, operator_scenario
from deploy.errors import DeployError
from deploy.portable import Tool

LOOPBACK = "127.0.0.1"
FIRST_MEDIA_PORT = 12_000
LAST_MEDIA_PORT = 20_000  # from there on Asterisk takes its own
MEDIA_PORTS_PER_PHONE = 40
START_SECONDS = 10.0
STOP_SECONDS = 3.0
LONGEST_CALL_SECONDS = 600
RULER = re.compile(r"^-{20,} (\d{4}-\d\d-\d\d)\s+(\d\d:\d\d:\d\d\.\d+)$")


class TelephoneError(DeployError):
    """SIPp ended instead of waiting for calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SipMessage:
    """One SIP message as a telephone saw it."""

    at: datetime
    sent: bool
    start_line: str
    cseq: str
    call_id: str
    caller: str  # the user part of From


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedCall:
    """A finished call: SIPp's exit status (0: as scripted) and what went over the wire."""

    caller: Caller
    status: int
    messages: tuple[SipMessage, ...]
    trouble: str

    def first(self, start: str, *, cseq: str = "", sent: bool | None = None) -> datetime | None:
        """Return when the first message that starts so went by."""
        return first(self.messages, start, cseq=cseq, sent=sent)


def first(
    messages: Sequence[SipMessage], start: str, *, cseq: str = "", sent: bool | None = None
) -> datetime | None:
    """Return when the first message with this start line (and CSeq method) went by."""
    for message in messages:
        if sent is not None and message.sent != sent:
            continue
        if message.start_line.startswith(start) and message.cseq.endswith(cseq):
            return message.at
    return None


class Telephones:
    """SIPp processes that live as long as the `async with` around them."""

    def __init__(self, *, folder: Path, sipp: Tool) -> None:
        self.folder = folder
        self._sipp = sipp
        self._numbers = count(1)
        self._blocks = count()
        self._running: dict[str, asyncio.subprocess.Process] = {}

    async def __aenter__(self) -> Self:
        (self.folder / "audio").mkdir(parents=True, exist_ok=True)
        self._end_left_over()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.hang_up_all()

    async def hang_up_all(self) -> None:
        """End every telephone and wait until it is gone."""
        processes = list(self._running.values())
        self._running.clear()
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        await asyncio.gather(*(_gone(process) for process in processes))

    async def seat(self, replies: Sequence[Reply], *, port: int | None = None) -> int:
        """Seat operators who answer any number of calls at once; return their SIP port.

        Raises:
            TelephoneError: SIPp did not start; the message quotes its last words.
        """
        name = f"operators-{next(self._numbers)}"
        port = port or free_udp_port()
        here = [replace(reply, audio=self._near(reply.audio)) for reply in replies]
        process = await self._start(name, operator_scenario(here), port, [LOOPBACK])
        try:
            async with asyncio.timeout(START_SECONDS):
                while is_free(port):
                    if process.returncode is not None:
                        raise TelephoneError(
                            f"The operators' telephones did not start: {self._trouble(name)}"
                        )
                    await asyncio.sleep(0.02)
        except TimeoutError as error:
            raise TelephoneError(
                f"The operators' telephones did not listen after {START_SECONDS:.0f} s: "
                f"{self._trouble(name)}"
            ) from error
        return port

    async def call(self, caller: Caller, exchange_port: int) -> PlacedCall:
        """Place one call and return when it is over."""
        name = f"caller-{next(self._numbers)}"
        near = replace(caller, audio=self._near(caller.audio))
        remote = [f"{LOOPBACK}:{exchange_port}", "-m", "1"]
        remote += ["-timeout", f"{LONGEST_CALL_SECONDS}s", "-timeout_error"]
        process = await self._start(name, caller_scenario(near), free_udp_port(), remote)
        try:
            status = await process.wait()
        except asyncio.CancelledError:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await _gone(process)
            raise
        finally:
            self._running.pop(name, None)
        trace = self.folder / f"{name}.messages"
        return PlacedCall(
            caller=caller,
            status=status,
            messages=tuple(read_trace(trace)),
            trouble=self._trouble(name) if status else "",
        )

    def operator_messages(self) -> tuple[SipMessage, ...]:
        """Return everything the operators' telephones have sent and received so far."""
        traces = sorted(self.folder.glob("operators-*.messages"))
        return tuple(message for trace in traces for message in read_trace(trace))

    def _near(self, audio: Path | None) -> Path | None:
        """Return a name without commas or blanks: SIPp splits its stream's arguments there."""
        if audio is None:
            return None
        if not audio.is_file():
            raise TelephoneError(f"The recorded speech {audio} is missing: check the checkout.")
        link = self.folder / "audio" / audio.name
        if not link.exists():
            link.unlink(missing_ok=True)
            link.symlink_to(audio.resolve())
        return Path("audio") / audio.name

    async def _start(
        self, name: str, scenario: str, port: int, rest: Sequence[str]
    ) -> asyncio.subprocess.Process:
        (self.folder / f"{name}.xml").write_text(scenario, encoding="utf-8")
        for old in ("messages", "errors"):
            (self.folder / f"{name}.{old}").unlink(missing_ok=True)
        argv = [*self._sipp.argv, "-sf", f"{name}.xml", "-nostdin"]
        argv += ["-i", LOOPBACK, "-mi", LOOPBACK, "-p", str(port), "-mp", str(self._media_port())]
        argv += ["-trace_msg", "-message_file", f"{name}.messages", "-message_overwrite", "true"]
        argv += ["-trace_err", "-error_file", f"{name}.errors", *rest]
        with (self.folder / f"{name}.screen").open("wb") as screen:
            process = await asyncio.create_subprocess_exec(
                *argv,
                cwd=self.folder,
                env={**os.environ, **self._sipp.env, "TZ": "UTC", "TERM": "dumb"},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=screen,
                stderr=screen,
                start_new_session=True,  # Ctrl-C ends us; we end the telephones
            )
        (self.folder / f"{name}.pid").write_text(f"{process.pid}\n")
        self._running[name] = process
        return process

    def _end_left_over(self) -> None:
        """End the telephones that a killed run left behind in this folder, and no others."""
        for path in self.folder.glob("*.pid"):
            with contextlib.suppress(OSError, ValueError):
                process = Path("/proc") / str(int(path.read_text()))
                ours = (process / "cwd").resolve() == self.folder.resolve()
                if ours and f"{path.stem}.xml".encode() in (process / "cmdline").read_bytes():
                    os.kill(int(process.name), signal.SIGKILL)
            path.unlink(missing_ok=True)

    def _media_port(self) -> int:
        """Return the first port of a block that nobody uses; SIPp takes its sound's ports there.

        Raises:
            TelephoneError: every block is taken.
        """
        blocks = (LAST_MEDIA_PORT - FIRST_MEDIA_PORT) // MEDIA_PORTS_PER_PHONE
        for _ in range(blocks):
            block = (os.getpid() + next(self._blocks)) % blocks
            port = FIRST_MEDIA_PORT + block * MEDIA_PORTS_PER_PHONE
            if all(is_free(port + n) for n in range(MEDIA_PORTS_PER_PHONE)):
                return port
        raise TelephoneError(
            f"No UDP ports are free from {FIRST_MEDIA_PORT} to {LAST_MEDIA_PORT}: "
            "end other telephones on this machine."
        )

    def _trouble(self, name: str) -> str:
        """Return the last line SIPp complained with."""
        for kind in ("errors", "screen"):
            path = self.folder / f"{name}.{kind}"
            lines = path.read_text(errors="replace").split("\n") if path.exists() else []
            if said := [line.strip() for line in lines if line.strip()]:
                return said[-1][:300]
        return "it said nothing"


async def _gone(process: asyncio.subprocess.Process) -> None:
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def free_udp_port() -> int:
    """Return a UDP port that the kernel just gave and took back."""
    return free_port(socket.SOCK_DGRAM, LOOPBACK)


def read_trace(path: Path) -> list[SipMessage]:
    """Return the messages of a SIPp trace written with TZ=UTC, in order."""
    messages: list[SipMessage] = []
    block: list[str] = []
    at: datetime | None = None
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    for line in [*text.splitlines(), "-" * 47 + " 9999-12-31 00:00:00.0"]:
        if ruler := RULER.match(line):
            if at is not None and (message := _message(at, block)):
                messages.append(message)
            at = datetime.fromisoformat(f"{ruler[1]}T{ruler[2]:0<15.15}").replace(tzinfo=UTC)
            block = []
        else:
            block.append(line)
    return messages


def _message(at: datetime, block: Sequence[str]) -> SipMessage | None:
    lines = [line for line in block if line.strip()]
    if len(lines) < 2 or "message" not in lines[0]:  # noqa: PLR2004 - what, then the message
        return None
    headers = {
        key.strip().lower(): value.strip()
        for key, colon, value in (line.partition(":") for line in lines[2:])
        if colon
    }
    number = re.search(r"sips?:([^@;>]+)@", headers.get("from", ""))
    return SipMessage(
        at=at,
        sent=" sent " in lines[0],
        start_line=lines[1],
        cseq=headers.get("cseq", ""),
        call_id=headers.get("call-id", ""),
        caller=number[1] if number else "",
    )
