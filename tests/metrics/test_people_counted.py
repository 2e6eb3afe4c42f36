"""Operators, uncovered lines and call-outs as the page counts them from the database."""

from datetime import UTC, datetime, timedelta

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


async def test_what_the_duty_desk_owes_stands_on_the_page(conn: asyncpg.Connection) -> None:
    await conn.execute(
        """INSERT INTO coverage_gaps (line, kind, starts_at, noticed_at)
           VALUES ('duty', 'handover', $1, $1)""",
        NOW,
    )
    await conn.execute(
        """INSERT INTO duty_incidents (line, state, summary, raised_at, raised_by, policy, ended_at)
           VALUES ('duty', 'raised', 'flood', $1, '1001', '{}', NULL),
                  ('duty', 'dismissed', 'no flood', $1, '1001', '{}', $1)""",
        NOW,
    )
    await conn.execute(
        """INSERT INTO duty_reminders (kind, subject, ends_at, share, at, over_at)
           VALUES ('phone', 1, $1, 80, $1, NULL), ('phone', 1, $1, 100, $1, NULL),
                  ('text', 1, $1, 100, $1, $1), ('instruction', 1, $1, 100, $1, NULL)""",
        NOW,
    )
    lines = await page(conn)
    for wanted in (
        'hotline_duty_incidents{state="raised"} 1.0',
        'hotline_duty_incidents{state="open"} 0.0',
        'hotline_duty_overdue{timer="acknowledge"} 0.0',
        'hotline_duty_overdue{timer="phone"} 1.0',
        'hotline_duty_overdue{timer="text"} 0.0',
        'hotline_duty_overdue{timer="instruction"} 1.0',
    ):
        assert wanted in lines
    start = 'hotline_coverage_gap_timestamp_seconds{kind="handover",line="duty"}'
    (gap,) = [one for one in lines if one.startswith(start)]
    assert float(gap.split()[-1]) == NOW.timestamp()


PROBED = """INSERT INTO probes (system, line, at, ok, stage, seconds, detail)
            VALUES ('mianyang-1', $1, $2, $3, $4, $5, $6)"""


async def test_test_calls_stand_on_the_page_and_are_no_calls(conn: asyncpg.Connection) -> None:
    earlier = NOW - timedelta(minutes=5)
    await conn.execute(PROBED, "mayor", earlier, True, "recorded", 7.25, None)
    await conn.execute(PROBED, "mayor", NOW, False, "queued", None, "Nobody took it.")
    await conn.execute(
        """INSERT INTO calls (id, system, linked_id, line, started_at, queued_at, answered_at,
                              ended_at, outcome, kind)
           VALUES (1, 'mianyang-1', 'probe-1', 'mayor', $1, $1, $1, $1, 'answered', 'probe')""",
        NOW,
    )
    lines = await page(conn)
    mayor = '{line="mayor",system="mianyang-1"}'
    duty = '{line="duty",system="mianyang-1"}'
    for wanted in (
        f"hotline_probe_success{mayor} 0.0",
        f"hotline_probe_answer_seconds{mayor} NaN",
        f"hotline_probe_success{duty} NaN",
        f"hotline_probe_last_success_timestamp_seconds{duty} 0.0",
        'hotline_calls_offered_total{line="mayor"} 0.0',
        'hotline_calls_ended_total{line="mayor",outcome="answered"} 0.0',
        'hotline_talk_seconds_count{line="mayor"} 0.0',
        'hotline_queue_wait_seconds_count{line="mayor",outcome="answered"} 0.0',
    ):
        assert wanted in lines, wanted
    start = f"hotline_probe_last_success_timestamp_seconds{mayor}"
    (last,) = [one for one in lines if one.startswith(start)]
    assert float(last.split()[-1]) == earlier.timestamp()
