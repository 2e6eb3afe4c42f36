"""Several processes that live one year together, each its part of the cases, stretch by stretch.

    python -m tests.year.crew DSN KEYS LOGS CASES SEED PART PARTS

Each line it reads is a moment; it lets happen what comes before, and answers with its counts.
"""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from random import Random

from hotline.casework import load_casework
from hotline.config import Config
from hotline.database import pooled
from telephony.sealing import KeyFile
from tests.year import people
from tests.year.drive import Town
from tests.year.log import Log


class Crew:
    """The processes, as one that lives until a moment."""

    def __init__(self, members: Sequence[Process]) -> None:
        self._members = members
        self.counts: Counter[str] = Counter()

    async def until(self, now: datetime) -> None:
        """Let everything happen that comes before this moment, in all of them at the same time."""
        counts = await asyncio.gather(*(_ask(member, now) for member in self._members))
        self.counts = sum(counts, Counter())


async def _ask(member: Process, now: datetime) -> Counter[str]:
    assert member.stdin is not None
    assert member.stdout is not None
    member.stdin.write(f"{now.isoformat()}\n".encode())
    answer = await member.stdout.readline()
    if not answer:
        raise RuntimeError(f"a process of the crew died with status {await member.wait()}")
    return Counter(json.loads(answer))


@asynccontextmanager
async def crew(  # noqa: PLR0917 - as below
    dsn: str, keys: Path, logs: Path, cases: int, seed: int, parts: int
) -> AsyncIterator[Crew]:
    """Start so many processes, and end them with the year."""
    given = (dsn, str(keys), str(logs), str(cases), str(seed))
    members = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.year.crew", *given, str(part), str(parts)),
            stdin=PIPE,
            stdout=PIPE,
        )
        for part in range(parts)
    ]
    try:
        yield Crew(members)
    finally:
        for member in members:
            assert member.stdin is not None
            member.stdin.close()
        await asyncio.gather(*(member.wait() for member in members))


async def work(  # noqa: PLR0917 - as on the command line
    dsn: str, keys: Path, logs: Path, cases: int, seed: int, part: int, parts: int
) -> None:
    """Live one part, as far as each line says."""
    limits = load_casework(Config()).limits
    staff = people.staff(Random(seed))  # noqa: S311 - as in run.py
    log = Log(log_of(logs, part))
    async with pooled(dsn, size=2, keys=KeyFile(keys)) as pool:
        town = Town(
            pool=pool, limits=limits, staff=staff, seed=seed, part=part, parts=parts, log=log
        )
        town.plan(cases)
        while line := await asyncio.to_thread(sys.stdin.readline):
            await town.until(datetime.fromisoformat(line.strip()))
            sys.stdout.write(json.dumps(town.counts) + "\n")
            sys.stdout.flush()


def log_of(folder: Path, part: int) -> Path:
    """Where a process of the crew writes down what it lets happen."""
    return folder / f"log-{part}.jsonl"


if __name__ == "__main__":
    _, _dsn, _keys, _logs, *_numbers = sys.argv
    asyncio.run(work(_dsn, Path(_keys), Path(_logs), *map(int, _numbers)))
