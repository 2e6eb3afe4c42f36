"""The month's report among a million cases, beside plain SQL of the same figures.

    .cache/venv/bin/python tests/bench/bench_report.py [CASES]

The cases (default 1,000,000) are those of bench_scrape.py: three years of them with the journal of
their moves, sixty units. Measured is the October of 2026: gathering the whole report as the service
does (every indicator of the city for the month and the month before, eight figures of each unit,
topics, areas, hours, the league table), then drawing it in each format. The peer asks for the same
figures of the month in plain SQL, written for this one question: the city's connect ratio, and per
unit what fell due and stands answered, what was dispatched, what was said in call-backs.
"""

import asyncio
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

if __name__ == "__main__":  # run as a script: the repository's root is not on the path
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from hotline import reports
from hotline.casework import SHIPPED
from hotline.database import Connection, EmbeddedPostgres, connected, migrate
from hotline.drawing.files import Format, drawn
from metrics.collect import Line
from metrics.reports.document import Kind, Report, period_of
from metrics.reports.league import load_league
from routing.directory import load_city
from telephony.sealing import KeyFile
from tests.bench.bench_cases import NOW
from tests.bench.bench_scrape import grown
from tests.hotline.console.conftest import configured

CASES = 1_000_000
LINES = (Line(name="mayor"), Line(name="duty"))
OCTOBER = period_of(Kind.MONTHLY, date(2026, 10, 1))
PEERS = (
    """SELECT count(*), count(*) FILTER (WHERE answered_at IS NOT NULL),
              count(*) FILTER (WHERE answered_at - coalesce(queued_at, started_at)
                                     <= interval '15 s')
         FROM calls
        WHERE coalesce(queued_at, started_at) > $1 AND coalesce(queued_at, started_at) <= $2""",
    """SELECT unit, count(*), count(*) FILTER (WHERE EXISTS (
                  SELECT FROM journal j WHERE j.case_id = c.id AND j.event = 'case.answered'
                     AND j.at <= $2)),
              count(*) FILTER (WHERE EXISTS (
                  SELECT FROM journal j WHERE j.case_id = c.id AND j.event = 'case.answered'
                     AND j.at <= c.due_at))
         FROM cases c WHERE due_at > $1 AND due_at <= $2 GROUP BY unit""",
    """SELECT body ->> 'unit', count(*) FROM journal
        WHERE event = 'case.dispatched' AND at > $1 AND at <= $2 GROUP BY 1""",
    """SELECT body ->> 'unit', count(*),
              count(*) FILTER (WHERE body ->> 'solved' = 'yes'),
              count(*) FILTER (WHERE body ->> 'satisfied' = 'satisfied')
         FROM journal WHERE event = 'case.closed' AND at > $1 AND at <= $2 GROUP BY 1""",
    """SELECT level1, count(*) FROM cases WHERE opened_at > $1 AND opened_at <= $2
        GROUP BY level1 ORDER BY 2 DESC LIMIT 10""",
)


async def measure(conn: Connection, folder: Path, cases: int) -> None:
    """Gather it three times and ask the peer three times, in turn; the best of each counts."""
    scope = reports.scope_of(OCTOBER, LINES)
    city, rules = load_city(configured(folder).city_dir), load_league(folder, SHIPPED)
    ours, plain = [], []
    report: Report | None = None
    for _ in range(3):
        begun = time.perf_counter()
        for statement in PEERS:
            await conn.fetch(statement, scope.since, scope.until)
        plain.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        report, _ = await reports.gathered(conn, OCTOBER, city=city, lines=LINES, rules=rules)
        ours.append(time.perf_counter() - begun)
    print(
        f"{cases} cases: the month's report {min(ours):.2f} s, plain SQL {min(plain):.2f} s"
        f" (ratio {min(ours) / min(plain):.1f})",
        flush=True,
    )
    assert report is not None
    for shape in Format:
        begun = time.perf_counter()
        file = drawn(report, shape, NOW)
        took = time.perf_counter() - begun
        print(f"    {shape}: {took:.2f} s, {len(file.content) / 1024:.0f} KiB", flush=True)


async def run(folder: Path, cases: int) -> None:
    server = EmbeddedPostgres(folder / "postgres")
    dsn = await asyncio.to_thread(server.start)
    try:
        keys = KeyFile(folder / "identity.keys")
        async with connected(dsn, keys) as conn:
            await conn.execute("ALTER SYSTEM SET fsync = off")
            await conn.execute("SELECT pg_reload_conf()")
            await migrate(conn)
            await grown(conn, keys, cases)
            await measure(conn, folder, cases)
    finally:
        await asyncio.to_thread(server.stop)


def main() -> None:
    """Fill, measure, print."""
    cases = int(sys.argv[1]) if len(sys.argv) > 1 else CASES
    with tempfile.TemporaryDirectory(prefix="hotline-report-", ignore_cleanup_errors=True) as at:
        asyncio.run(run(Path(at), cases))


if __name__ == "__main__":
    main()
