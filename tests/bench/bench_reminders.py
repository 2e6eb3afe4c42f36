"""What looking for reminders costs while many cases are open, beside the same query in bare SQL.

    .cache/venv/bin/python tests/bench/bench_reminders.py [CASES]

CASES (default 1,000,000) open cases lie in a real PostgreSQL, their next looks spread over a month.
1. A look that finds nothing, as it is made every ten seconds: p50, p95, and the bare query's.
2. Looks that find work: cases settled and reminders sent a second.
3. A move: what the table's trigger adds to the update of one case.
"""

import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

if __name__ == "__main__":  # run as a script: the repository's root is not on the path
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from hotline import reminder_rows
from hotline.casework import load_casework
from hotline.config import Config
from hotline.database import EmbeddedPostgres, Pool, connected, migrate, pooled
from hotline.reminders import AT_ONCE, ReminderDesk

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
ROUNDS = 200
BUSY = 5000

FILL = """
    INSERT INTO cases (number, line, state, kind, urgency, level1, unit, owner, policy,
                       drafted_at, opened_at, dispatched_at)
    SELECT 'B' || n, 'mayor', 'dispatched', 'help', 'normal', '城乡建设', '市水务局', '1001',
           'sichuan-2025/2', $1, $1, $1 FROM generate_series(1, $2) AS n"""
TOLD = """
    INSERT INTO journal (at, actor, event, case_id, body)
    SELECT c.opened_at, '1001', m.event, c.id, jsonb_build_object('to', m.state)
      FROM cases c CROSS JOIN (VALUES ('case.opened', 'open'), ('case.dispatched', 'dispatched'))
           AS m (event, state) WHERE c.id <= $1"""
SPREAD = "UPDATE reminder_looks SET look_at = $1::timestamptz + random() * interval '30 days'"


async def timed(work: Callable[[], Awaitable[object]], rounds: int = ROUNDS) -> tuple[float, float]:
    """The p50 and p95 of some rounds, in milliseconds."""
    found = []
    for _ in range(rounds):
        begun = time.perf_counter()
        await work()
        found.append((time.perf_counter() - begun) * 1000)
    return statistics.median(found), statistics.quantiles(found, n=20)[-1]


async def filled(pool: Pool, cases: int) -> None:
    begun = time.perf_counter()
    await pool.execute(FILL, NOW - timedelta(days=6), cases)
    await pool.execute(TOLD, BUSY)
    await pool.execute(SPREAD, NOW + timedelta(minutes=5))
    await pool.execute("VACUUM ANALYZE reminder_looks")
    await pool.execute("VACUUM ANALYZE cases")
    await pool.execute("VACUUM ANALYZE journal")
    print(f"{cases} open cases, filled in {time.perf_counter() - begun:.0f} s")


async def bench(pool: Pool, cases: int) -> None:
    await filled(pool, cases)
    casework = load_casework(Config())
    desk = ReminderDesk(
        pool=pool,
        policies=casework.policies,
        policy=casework.policy,
        calendar=casework.calendar,
        clock=lambda: NOW,
        every=timedelta(seconds=10),
    )
    ours = await timed(desk.look)
    bare = await timed(lambda: pool.fetch(reminder_rows._WAITING, NOW, AT_ONCE))
    print(
        f"a look that finds nothing: p50 {ours[0]:.2f} ms, p95 {ours[1]:.2f} ms;"
        f" the bare query: p50 {bare[0]:.2f} ms, p95 {bare[1]:.2f} ms;"
        f" ratio of p95 {ours[1] / bare[1]:.2f}"
    )
    await pool.execute("UPDATE reminder_looks SET look_at = '-infinity' WHERE case_id <= $1", BUSY)
    begun, settled = time.perf_counter(), 0
    while found := await desk.look():
        settled += found
    seconds = time.perf_counter() - begun
    sent = await pool.fetchval("SELECT count(*) FROM reminders_sent")
    print(
        f"{settled} cases looked at with {sent} reminders in {seconds:.1f} s:"
        f" {settled / seconds:.0f} cases and {sent / seconds:.0f} reminders a second"
    )
    move = "UPDATE cases SET owner = owner WHERE id = $1"
    which = random.Random(1)  # noqa: S311 - any case will do
    triggered = await timed(lambda: pool.execute(move, which.randint(1, cases)))
    await pool.execute("ALTER TABLE cases DISABLE TRIGGER cases_changed")
    plain = await timed(lambda: pool.execute(move, which.randint(1, cases)))
    print(f"one case changed: p50 {triggered[0]:.2f} ms with the trigger, {plain[0]:.2f} without")


async def main(cases: int) -> None:
    with tempfile.TemporaryDirectory(prefix="hotline-bench-", ignore_cleanup_errors=True) as at:
        server = EmbeddedPostgres(Path(at) / "data")
        dsn = server.start()
        try:
            async with connected(dsn) as conn:
                await migrate(conn)
            async with pooled(dsn) as pool:
                await bench(pool, cases)
        finally:
            server.stop()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
