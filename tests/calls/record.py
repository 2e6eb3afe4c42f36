"""Records the tables anew: a real Asterisk, real SIP callers and operators.

python -m tests.calls.record               all of them, about two minutes
python -m tests.calls.record answered ...  some of them
"""

import asyncio
import sys
import tempfile
import wave
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from deploy.asterisk.config import Exchange, Line, Operator
from deploy.asterisk.ports import free_port, free_ports
from deploy.asterisk.process import Asterisk
from deploy.portable import ensure
from tests.calls.recorded import FOLDER, SYSTEM
from tests.deploy.sip_calls import Caller, Sipp, Telephone

_QUIET_SECONDS = 1.0
_END = b"\r\n\r\n"


class Stage:
    """An exchange with two lines and two operators, and whoever calls."""

    def __init__(self, asterisk: Asterisk, sipp: Sipp, ports: dict[str, int]) -> None:
        self.asterisk, self.sipp, self.ports = asterisk, sipp, ports

    async def call(self, caller: Caller, **operators: Telephone) -> None:
        """One call, and the operators who are at their telephones for it."""
        telephones = [
            await self.sipp.operator(telephone, self.ports[extension.removeprefix("at_")])
            for extension, telephone in operators.items()
        ]
        await self.sipp.call(caller, self.asterisk.exchange.sip_port)
        for telephone in telephones:
            with suppress(TimeoutError):  # one that was never called waits for ever
                await asyncio.wait_for(telephone.wait(), _QUIET_SECONDS)
            if telephone.returncode is None:
                telephone.kill()
                await telephone.wait()


async def answered(stage: Stage) -> None:
    """Notice, queue, operator 1001 answers, the caller hangs up."""
    await stage.call(Caller(number="12345", talk_seconds=5), at_1001=Telephone())


async def operator_hangs_up(stage: Stage) -> None:
    await stage.call(
        Caller(number="12345", hangs_up=False),
        at_1001=Telephone(talk_seconds=2, hangs_up=True),
    )


async def abandoned(stage: Stage) -> None:
    """Waits seven seconds after the notice and hangs up."""
    await stage.call(Caller(number="12345", gives_up_after=9), at_1001=Telephone(answers=False))


async def abandoned_short(stage: Stage) -> None:
    """Hangs up after two seconds in the queue."""
    await stage.call(Caller(number="12345", gives_up_after=4), at_1001=Telephone(answers=False))


async def hung_up_in_notice(stage: Stage) -> None:
    await stage.call(Caller(number="12345", gives_up_after=1))


async def unanswered(stage: Stage) -> None:
    """Nobody takes it; the queue gives up."""
    await stage.call(Caller(number="12345", hangs_up=False), at_1001=Telephone(answers=False))


async def second_operator(stage: Stage) -> None:
    """The first telephone rings in vain, the second is answered."""
    await stage.call(
        Caller(number="8001", talk_seconds=2), at_2001=Telephone(answers=False), at_2002=Telephone()
    )


async def two_at_once(stage: Stage) -> None:
    """Two calls to two lines whose stories interleave."""
    first = Caller(number="12345", caller="13800002222", talk_seconds=7)
    second = Caller(number="8001", caller="13800003333", hangs_up=False)
    at_the_desk = Telephone(talk_seconds=2, hangs_up=True)
    async with asyncio.TaskGroup() as calls:
        calls.create_task(stage.call(first, at_1001=Telephone(rings_seconds=2)))
        await asyncio.sleep(2)  # SIPp takes its ports by looking for free ones
        calls.create_task(stage.call(second, at_2001=at_the_desk, at_2002=at_the_desk))


async def duty_line(stage: Stage) -> None:
    """The line that the operator takes off the hook."""
    await stage.call(
        Caller(number="8001", talk_seconds=2), at_2001=Telephone(), at_2002=Telephone()
    )


PLAYS: dict[str, Callable[[Stage], Awaitable[None]]] = {
    play.__name__: play
    for play in (
        answered,
        operator_hangs_up,
        abandoned,
        abandoned_short,
        hung_up_in_notice,
        unanswered,
        second_operator,
        two_at_once,
        duty_line,
    )
}


def _silence(path: Path, seconds: int) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(16000 * seconds))
    return path


async def _listen(asterisk: Asterisk) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", asterisk.exchange.ami_port)
    secret = asterisk.secrets.reader
    writer.write(f"Action: Login\r\nUsername: reader\r\nSecret: {secret}\r\n\r\n".encode())
    while b"FullyBooted" not in await reader.readuntil(_END):
        pass
    return reader, writer


async def _told(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """What the manager interface told; the answer to a ping ends it."""
    writer.write(b"Action: Ping\r\nActionID: last\r\n\r\n")
    told = b""
    while b"ActionID: last" not in (message := await reader.readuntil(_END)):
        told += message
    return told


async def _record(name: str, stage: Stage) -> str:
    exchange = stage.asterisk.exchange
    files = {"cel": exchange.cel_file, "queue_log": exchange.queue_log_file}
    before = {section: len(path.read_bytes()) for section, path in files.items()}
    reader, writer = await _listen(stage.asterisk)
    await PLAYS[name](stage)
    await asyncio.sleep(_QUIET_SECONDS)
    events = (await _told(reader, writer)).replace(b"\r\n", b"\n")
    writer.close()
    sections = {"ami": events}
    sections |= {section: path.read_bytes()[before[section] :] for section, path in files.items()}
    return "".join(f"== {title}\n{text.decode()}" for title, text in sections.items())


async def main(names: list[str]) -> None:
    with tempfile.TemporaryDirectory(prefix="record-") as made:
        folder = Path(made)
        ports = free_ports()
        extensions = ("1001", "2001", "2002")
        contacts = {extension: free_port() for extension in extensions}
        notice = _silence(folder / "notice.wav", 2)
        exchange = Exchange(
            system=SYSTEM,
            run_dir=folder / "exchange",
            sip_port=ports.sip,
            ami_port=ports.ami,
            rtp_ports=ports.rtp,
            lines=(
                Line(
                    name="mayor",
                    number="12345",
                    operators=("1001",),
                    ring_seconds=3,
                    max_wait_seconds=8,
                    notice=notice,
                ),
                Line(
                    name="duty",
                    number="8001",
                    operators=("2001", "2002"),
                    ring_seconds=2,
                    max_wait_seconds=10,
                    answer="by_operator",
                ),
            ),
            operators=tuple(
                Operator(extension=extension, contact=f"sip:{extension}@127.0.0.1:{port}")
                for extension, port in contacts.items()
            ),
        )
        sipp = Sipp(await asyncio.to_thread(ensure, "sipp"), folder / "sipp")
        async with Asterisk(exchange) as asterisk:
            stage = Stage(asterisk, sipp, contacts)
            for name in names or PLAYS:
                table = await _record(name, stage)
                (FOLDER / f"{name}.txt").write_text(table, encoding="utf-8")
                print(f"{name}: {len(table)} bytes")  # noqa: T201 - a tool for the terminal


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
