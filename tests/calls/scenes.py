"""The exchanges on which plays are recorded; each is made for one play and gone after it."""

import wave
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.asterisk.callout_plan import SPOKEN
from deploy.asterisk.config import SOUNDS, Exchange, Line, Operator
from deploy.asterisk.line_plan import MESSAGE_SOUNDS, SURVEY_SOUNDS
from deploy.asterisk.ports import free_port, free_ports
from deploy.asterisk.process import Asterisk
from deploy.portable import ensure
from tests.calls.recorded import SYSTEM
from tests.calls.stage import Stage
from tests.deploy.sip_calls import Sipp

NOTICE_SECONDS, SPOKEN_SECONDS = 2, 1
DUTY_OFFICER = "1003"
MAYOR_SEATS, FREE_SEATS, DUTY_SEATS = ("1001", "1002", "1003"), ("1004",), ("2001", "2002")


def _silence(path: Path, seconds: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(16000 * seconds))
    return path


def _plain_lines(folder: Path) -> tuple[Line, ...]:
    """Line `mayor` (12345) rings 1001, line `duty` (8001) 2001 and 2002."""
    return (
        Line(
            name="mayor",
            number="12345",
            operators=("1001",),
            ring_seconds=3,
            max_wait_seconds=8,
            notice=_silence(folder / "notice.wav", NOTICE_SECONDS),
        ),
        Line(
            name="duty",
            number="8001",
            operators=DUTY_SEATS,
            ring_seconds=2,
            max_wait_seconds=10,
            answer="by_operator",
        ),
    )


def _full_lines(folder: Path) -> tuple[Line, ...]:
    """Both lines with everything on, at seconds short enough for a play."""
    return (
        Line(
            name="mayor",
            number="12345",
            operators=("1001",),
            second_group=("1002",),
            duty_officers=(DUTY_OFFICER,),
            ring_seconds=3,
            overflow_seconds=3,
            max_wait_seconds=14,
            notice=_silence(folder / "notice.wav", NOTICE_SECONDS),
            takes_message=True,
            message_seconds=30,
            silence_seconds=2,
            survey=True,
            survey_seconds=2,
            redial_within=60,
        ),
        Line(
            name="duty",
            number="8001",
            operators=DUTY_SEATS,
            second_group=("2003",),
            duty_officers=("2004",),
            rings="together",
            ring_seconds=2,
            overflow_seconds=2,
            max_wait_seconds=9,
            answer="by_operator",
        ),
    )


@asynccontextmanager
async def plain(folder: Path) -> AsyncIterator[Stage]:
    """Two simple lines; 1002 and 1003 are at no line: calls are given to them."""
    lines = _plain_lines(folder)
    async with _opened(folder, lines, ("1001", "1002", "1003", *DUTY_SEATS)) as stage:
        yield stage


@asynccontextmanager
async def in_full(folder: Path) -> AsyncIterator[Stage]:
    """Two lines with groups, messages, a survey and a block list; 1004 is at no line."""
    sounds = folder / "spoken"
    for name in (*MESSAGE_SOUNDS, *SURVEY_SOUNDS, *SPOKEN, "blocked"):
        _silence(sounds / f"{name}.wav", SPOKEN_SECONDS)
    seats = (*MAYOR_SEATS, *FREE_SEATS, *DUTY_SEATS, "2003", "2004")
    async with _opened(folder, _full_lines(folder), seats, sounds) as stage:
        yield stage


@asynccontextmanager
async def _opened(
    folder: Path, lines: tuple[Line, ...], seats: Iterable[str], sounds: Path | None = None
) -> AsyncIterator[Stage]:
    ports = free_ports()
    contacts = {seat: free_port() for seat in seats}
    exchange = Exchange(
        system=SYSTEM,
        run_dir=folder / "exchange",
        sip_port=ports.sip,
        ami_port=ports.ami,
        rtp_ports=ports.rtp,
        lines=lines,
        operators=tuple(
            Operator(extension=seat, contact=f"sip:{seat}@127.0.0.1:{port}")
            for seat, port in contacts.items()
        ),
        block_list=sounds is not None,
        sounds=sounds or SOUNDS,
    )
    sipp = Sipp(ensure("sipp"), folder / "sipp")
    async with Asterisk(exchange, say=lambda _: None) as asterisk:
        try:
            yield Stage(asterisk, sipp, contacts)
        finally:
            await sipp.close()
