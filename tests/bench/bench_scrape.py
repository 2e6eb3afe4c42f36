"""A scrape at 10,000, 100,000 and 1,000,000 cases, beside plain SQL of the same figures.

    .cache/venv/bin/python tests/bench/bench_scrape.py [CASES ...]

The cases are those of bench_cases.py: three years of them in a real PostgreSQL, each with the
journal rows of its moves. The service's own page is asked for over HTTP while its numbers are being
read anew, again and again, as a Prometheus would. Printed for each size: the median and the largest
scrape, how long one reading of all numbers takes, the same four rates in plain SQL (the peer), the
size of the page, and the memory of the service's process.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from http import HTTPStatus
from pathlib import Path

if __name__ == "__main__":  # run as a script: the repository's root is not on the path
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import psutil
from aiohttp import ClientSession

from hotline.database import Connection, EmbeddedPostgres, borrowed, connected, migrate, pooled
from metrics.collect import Line
from metrics.indicators.store import current
from routing.cases import Role
from telephony.sealing import KeyFile
from tests.bench.bench_cases import NOW, fill
from tests.hotline.console.conftest import configured, opened, services_on
from tests.hotline.console.staff import Staff, hire

SIZES = (10_000, 100_000, 1_000_000)
SCRAPES = 40
GOAL_MS = 100
LINES = (Line(name="mayor"), Line(name="duty"))

# What bench_cases.py leaves out: the journal of each case, in as many rows as a case often has.
JOURNAL = """
    INSERT INTO journal (at, actor, event, call_id, case_id, prev, hash, body)
    SELECT c.drafted_at + make_interval(hours => n::int), 'desk', event, c.call_id, c.id,
           sha256('a'), sha256('b'),
           jsonb_build_object('unit', c.unit, 'kind', c.kind, 'urgency', c.urgency, 'line', c.line,
                              'level1', c.level1, 'policy', c.policy, 'from', 'draft')
           || CASE WHEN event = 'case.closed'
                   THEN jsonb_build_object('outcome', 'handled', 'result', 'reached',
                                           'satisfied', 'satisfied', 'solved', 'yes',
                                           'opened_at', c.opened_at, 'due_at', c.due_at)
                   ELSE '{}' END
      FROM cases c
     CROSS JOIN unnest(ARRAY['case.opened', 'case.dispatched', 'case.signed', 'case.answered',
                             'case.closed']) WITH ORDINALITY AS told (event, n)
     WHERE n < 4 OR c.closed_at IS NOT NULL
     ORDER BY c.id, n"""
PEER = """
    SELECT (SELECT count(*) FILTER (WHERE answered_at IS NOT NULL)::float8 / nullif(count(*), 0)
              FROM calls
             WHERE coalesce(queued_at, started_at) > $1::timestamptz - interval '1 day'),
           (SELECT count(*) FILTER (WHERE answered_at - coalesce(queued_at, started_at)
                                          <= interval '15 s')::float8 / nullif(count(*), 0)
              FROM calls
             WHERE coalesce(queued_at, started_at) > $1::timestamptz - interval '1 day'),
           (SELECT count(*) FILTER (WHERE EXISTS (
                       SELECT FROM journal j WHERE j.case_id = c.id AND j.at <= $1
                          AND j.event = 'case.answered'))::float8 / nullif(count(*), 0)
              FROM cases c WHERE due_at > $1::timestamptz - interval '30 days' AND due_at <= $1),
           (SELECT count(*) FILTER (WHERE body ->> 'satisfied' = 'satisfied')::float8
                   / nullif(count(*), 0)
              FROM journal
             WHERE event = 'case.closed' AND at > $1::timestamptz - interval '30 days')"""


async def grown(conn: Connection, keys: KeyFile, cases: int) -> None:
    """The cases and their journal, whose chain is not what is measured here."""
    await fill(conn, keys, cases)
    await conn.execute("ALTER TABLE journal DISABLE TRIGGER USER")
    await conn.execute(JOURNAL)
    await conn.execute("ALTER TABLE journal ENABLE TRIGGER USER")
    await conn.execute("UPDATE call_counter SET last = $1", cases)
    await conn.execute("VACUUM ANALYZE")


async def scraped(session: ClientSession) -> tuple[float, int, bool]:
    """One scrape: its milliseconds and bytes, and whether the numbers were there."""
    begun = time.perf_counter()
    async with session.get("/metrics") as answer:
        assert answer.status == HTTPStatus.OK, await answer.text()
        body = await answer.read()
    took = (time.perf_counter() - begun) * 1000
    return took, len(body), b"hotline_database_up 1" in body


async def measure(folder: Path, dsn: str, keys: KeyFile, cases: int) -> bool:
    """All of one size."""
    async with pooled(dsn, size=4, keys=keys) as pool:
        services = services_on(configured(folder), pool, dsn, lambda: NOW)
        await hire(services, "boss", Role.ADMINISTRATOR)
        site = await opened(services)
        try:
            session = await Staff(services=services, site=site).visitor("boss")
            begun, times, size = time.perf_counter(), [], 0
            while not (await scraped(session))[2]:  # the first reading looks at every case,
                pass  # and a scrape waits five seconds for it
            start = time.perf_counter() - begun
            for _ in range(SCRAPES):
                took, size, _ = await scraped(session)
                times.append(took)
                await asyncio.sleep(0.25)
        finally:
            services.feed.close()
            await site.close()
        async with borrowed(pool) as conn:
            begun = time.perf_counter()
            await current(conn, LINES, NOW)
            ours = time.perf_counter() - begun
            begun = time.perf_counter()
            await conn.fetchrow(PEER, NOW)
            plain = time.perf_counter() - begun
    memory = psutil.Process().memory_info().rss / 2**20
    print(
        f"{cases:>9} cases: scrape {statistics.median(times):6.1f} ms, largest {max(times):6.1f};"
        f" first {start:6.1f} s; every indicator {ours:6.2f} s, four rates in plain SQL"
        f" {plain:6.2f} s (ratio {ours / plain:5.1f}); page {size / 1024:.0f} KiB;"
        f" memory {memory:.0f} MiB",
        flush=True,
    )
    return max(times) < GOAL_MS


async def run(folder: Path, cases: int) -> bool:
    server = EmbeddedPostgres(folder / "postgres")
    dsn = await asyncio.to_thread(server.start)
    try:
        keys = KeyFile(folder / "identity.keys")
        async with connected(dsn, keys) as conn:
            await conn.execute("ALTER SYSTEM SET fsync = off")
            await conn.execute("SELECT pg_reload_conf()")
            await migrate(conn)
            await grown(conn, keys, cases)
        return await measure(folder, dsn, keys, cases)
    finally:
        await asyncio.to_thread(server.stop)


def main() -> int:
    """Measure each size; 1 where a scrape took longer than the goal."""
    sizes = [int(word) for word in sys.argv[1:]] or list(SIZES)
    kept = []
    for cases in sizes:
        with tempfile.TemporaryDirectory(
            prefix="hotline-scrape-", ignore_cleanup_errors=True
        ) as at:
            kept.append(asyncio.run(run(Path(at), cases)))
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
