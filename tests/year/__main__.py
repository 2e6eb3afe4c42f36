"""`python -m tests.year`: live a year, print what was lived and every difference; fail on one."""

import argparse
import asyncio
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from hotline.database import EmbeddedPostgres, connected, migrate, pooled
from telephony.sealing import KeyFile
from tests.year.crew import crew, log_of
from tests.year.run import Report, Year

SHOWN, LONGEST = 40, 48


def table(report: Report) -> str:
    """What differs first, then what was lived."""
    lines = report.differences[:SHOWN]
    if len(report.differences) > SHOWN:
        lines.append(f"and {len(report.differences) - SHOWN} more")
    lines = lines or ["Every number is the same when it is counted anew."]
    for title, facts in (
        ("what happened", report.counts),
        ("journal", report.events),
        ("figures", report.figures),
        ("seconds", {name: round(value, 1) for name, value in report.seconds.items()}),
    ):
        lines += ["", f"{title}:", *(f"  {name:<46} {facts[name]}" for name in sorted(facts))]
    return "\n".join(lines)


async def lived(folder: Path, cases: int, seed: int, every: timedelta, parts: int) -> Report:
    """A year in a database of its own, which waits for no disk."""
    server = EmbeddedPostgres(folder / "postgres")
    dsn = await asyncio.to_thread(server.start)
    try:
        async with connected(dsn) as conn:
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                await conn.execute(f"ALTER SYSTEM SET {setting} = off")
            await conn.execute("ALTER SYSTEM SET max_wal_size = '4GB'")
            await conn.execute("SELECT pg_reload_conf()")
            await migrate(conn)
        keys = KeyFile(folder / "identity.keys")
        async with (
            pooled(dsn, size=4, keys=keys) as pool,
            crew(dsn, keys.path, folder, cases, seed, parts) as people,
        ):
            logs = [log_of(folder, part) for part in range(parts)]
            return await Year(pool, seed=seed, logs=logs).live(cases, every, people)
    finally:
        await asyncio.to_thread(server.stop)


def main() -> int:
    """Live it and say what came of it."""
    words = argparse.ArgumentParser(prog="python -m tests.year", description=__doc__)
    words.add_argument("--cases", type=int, default=100_000, help="how many cases (100000)")
    words.add_argument("--seed", type=int, default=1, help="which year (1)")
    words.add_argument("--hours", type=float, default=12, help="hours between looks (12)")
    words.add_argument("--processes", type=int, default=3, help="how many do what people do (3)")
    given = words.parse_args()
    if not 0 < given.hours <= LONGEST:
        words.error(f"--hours is between 0 and {LONGEST}")
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="hotline-year-", ignore_cleanup_errors=True) as at:
        report = asyncio.run(
            lived(Path(at), given.cases, given.seed, timedelta(hours=given.hours), given.processes)
        )
    took = f"{given.cases} cases in {time.perf_counter() - begun:.0f} s, seed {given.seed}"
    sys.stdout.write(f"{table(report)}\n\n{took}\n")
    return 1 if report.differences else 0


if __name__ == "__main__":
    sys.exit(main())
