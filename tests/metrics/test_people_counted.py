"""Operators, uncovered lines and call-outs as the page counts them from the database."""

from datetime import UTC, datetime

import asyncpg

from metrics.collect import Line
from metrics.exporter import render
from metrics.ledger import Ledger
from metrics.store import snapshot
from tests.metrics.test_page import PROCESS

NOW = datetime(2026, 11, 23, 2, 30, tzinfo=UTC)
SEATED = """INSERT INTO operator_states (operator, system, state, reason, lines, since, until)
            VALUES ($1, 'mianyang-1', $2, $3, $4, now(), $5)"""


async def page(conn: asyncpg.Connection) -> list[str]:
    lines = (Line(name="mayor"), Line(name="duty"))
    ledger = Ledger([line.name for line in lines], lambda _: None)
    text, _ = render(await snapshot(conn, lines, ledger, NOW), PROCESS)
    return text.decode().splitlines()


async def test_operators_gaps_and_callouts_stand_on_the_page(conn: asyncpg.Connection) -> None:
    await conn.execute(SEATED, "1001", "ready", None, ["mayor", "duty"], None)
    await conn.execute(SEATED, "1002", "paused", "meal", ["mayor"], None)
    await conn.execute(SEATED, "1003", "wrapup", None, ["mayor", "closed"], NOW)
    await conn.execute(
        """INSERT INTO coverage_gaps (line, kind, starts_at, noticed_at, restored_at)
           VALUES ('duty', 'staff', $1, $1, NULL), ('mayor', 'staff', $1, $1, $1)""",
        NOW,
    )
    await conn.execute(
        """INSERT INTO callouts (system, line, reason, asked_by, started_at, state, ended_at)
           VALUES ('mianyang-1', 'duty', 'flood', '1001', $1, 'exhausted', $1)""",
        NOW,
    )
    lines = await page(conn)
    for wanted in (
        'hotline_operators{line="mayor",state="ready"} 1.0',
        'hotline_operators{line="mayor",state="paused"} 1.0',
        'hotline_operators{line="mayor",state="wrapup"} 1.0',
        'hotline_operators{line="duty",state="ready"} 1.0',
        'hotline_operators{line="duty",state="logged_out"} 0.0',
        'hotline_coverage_gap_timestamp_seconds{kind="staff",line="mayor"} 0.0',
        'hotline_callouts{state="exhausted"} 1.0',
        'hotline_callouts{state="running"} 0.0',
    ):
        assert wanted in lines
    start = 'hotline_coverage_gap_timestamp_seconds{kind="staff",line="duty"}'
    (gap,) = [one for one in lines if one.startswith(start)]
    assert float(gap.split()[-1]) == NOW.timestamp()
    assert not [one for one in lines if 'line="closed"' in one]
