"""Records the tables anew: a real Asterisk, real SIP callers and operators.

python -m tests.calls.record               all of them, about fifteen minutes
python -m tests.calls.record answered ...  some of them
"""

import asyncio
import sys
import tempfile
from collections.abc import Awaitable
from pathlib import Path

from deploy.asterisk.process import Asterisk
from deploy.portable import ensure
from tests.calls.plays import PLAYS
from tests.calls.plays_by_phone import BY_PHONE
from tests.calls.plays_in_browsers import IN_BROWSERS, in_a_browser
from tests.calls.plays_in_full import IN_FULL
from tests.calls.plays_outside import OUTSIDE
from tests.calls.recorded import FOLDER
from tests.calls.scenes import in_full, plain
from tests.calls.stage import QUIET_SECONDS
from tests.phones.stage import staged

LONGEST_SECONDS = 60.0
WITH_PHONES = {**BY_PHONE, **OUTSIDE}
_END = b"\r\n\r\n"


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


async def _record(asterisk: Asterisk, play: Awaitable[None]) -> str:
    exchange = asterisk.exchange
    files = {"cel": exchange.cel_file, "queue_log": exchange.queue_log_file}
    before = {section: len(path.read_bytes()) for section, path in files.items()}
    reader, writer = await _listen(asterisk)
    async with asyncio.timeout(LONGEST_SECONDS):
        await play
    await asyncio.sleep(QUIET_SECONDS)
    events = (await _told(reader, writer)).replace(b"\r\n", b"\n")
    writer.close()
    sections = {"ami": events}
    sections |= {section: path.read_bytes()[before[section] :] for section, path in files.items()}
    return "".join(f"== {title}\n{text.decode()}" for title, text in sections.items())


async def play_alone(name: str) -> str:
    """The table of one play; its exchange is new, so nothing is left of the one before."""
    with tempfile.TemporaryDirectory(prefix="record-") as made:
        folder = Path(made)
        if name in IN_BROWSERS:
            async with in_a_browser(folder) as desk:
                return await _record(desk.asterisk, IN_BROWSERS[name](desk))
        if name in WITH_PHONES:
            tool = await asyncio.to_thread(ensure, "asterisk")
            async with staged(folder, tool) as phones:
                return await _record(phones.asterisk, WITH_PHONES[name](phones))
        play, scene = (IN_FULL[name], in_full) if name in IN_FULL else (PLAYS[name], plain)
        async with scene(folder) as stage:
            return await _record(stage.asterisk, play(stage))


async def main(names: list[str]) -> int:
    """Record these plays, or all; how many could not be played."""
    failed = 0
    for name in names or (*IN_FULL, *WITH_PHONES, *IN_BROWSERS, *PLAYS):
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
