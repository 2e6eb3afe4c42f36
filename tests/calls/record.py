"""Records the tables anew: a real Asterisk, real SIP callers and operators.

python -m tests.calls.record               all of them, about seven minutes
python -m tests.calls.record answered ...  some of them
"""

import asyncio
import sys
import tempfile
import wave
from pathlib import Path

from deploy.asterisk.config import Exchange, Line, Operator
from deploy.asterisk.ports import free_port, free_ports
from deploy.asterisk.process import Asterisk
from deploy.portable import ensure
from tests.calls.plays import PLAYS
from tests.calls.recorded import FOLDER, SYSTEM
from tests.calls.stage import QUIET_SECONDS, Stage
from tests.deploy.sip_calls import Sipp

EXTENSIONS = ("1001", "1002", "1003", "2001", "2002")
LONGEST_SECONDS = 60.0
_END = b"\r\n\r\n"


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
    await asyncio.sleep(QUIET_SECONDS)
    events = (await _told(reader, writer)).replace(b"\r\n", b"\n")
    writer.close()
    sections = {"ami": events}
    sections |= {section: path.read_bytes()[before[section] :] for section, path in files.items()}
    return "".join(f"== {title}\n{text.decode()}" for title, text in sections.items())


def _exchange(folder: Path, contacts: dict[str, int]) -> Exchange:
    ports = free_ports()
    return Exchange(
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
                notice=_silence(folder / "notice.wav", 2),
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


async def play_alone(name: str) -> str:
    """The table of one play; its exchange is new, so nothing is left of the one before."""
    with tempfile.TemporaryDirectory(prefix="record-") as made:
        folder = Path(made)
        contacts = {extension: free_port() for extension in EXTENSIONS}
        sipp = Sipp(await asyncio.to_thread(ensure, "sipp"), folder / "sipp")
        async with Asterisk(_exchange(folder, contacts), say=lambda _: None) as asterisk:
            try:
                async with asyncio.timeout(LONGEST_SECONDS):
                    return await _record(name, Stage(asterisk, sipp, contacts))
            finally:
                await sipp.close()


async def main(names: list[str]) -> int:
    """Record these plays, or all; how many could not be played."""
    failed = 0
    for name in names or PLAYS:
        try:
            table = await play_alone(name)
        except (TimeoutError, ExceptionGroup) as error:
            print(f"{name}: could not be played ({error!r})", flush=True)  # noqa: T201
            failed += 1
        else:
            (FOLDER / f"{name}.txt").write_text(table, encoding="utf-8")
            print(f"{name}: {len(table)} bytes", flush=True)  # noqa: T201 - for the terminal
    return failed


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
