"""Calls that begin here: in the record once, in no rate, and whom they call nowhere in clear."""

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hotline import dial_orders, flow
from hotline.cli_reconcile import _reconcile as reconcile
from hotline.config import load
from hotline.database import Pool, borrowed, transaction
from metrics.collect import Item, Line
from metrics.ledger import Ledger
from metrics.store import snapshot
from telephony.calls import CallEnded, CallTracker
from telephony.reconcile import DifferenceKind
from tests.calls.plays_outside import OFFICER, OUTSIDE
from tests.calls.recorded import RULES, recorded
from tests.hotline import city
from tests.hotline.story import Life, call
from tests.phones.stage import CITIZEN, UNIT

LATER = datetime(2026, 12, 1, tzinfo=UTC)
NAMES = tuple(sorted(OUTSIDE))
ORDERS = {"dialled_and_answered": "answered", "dialled_and_not_taken_at_the_desk": "desk"}


async def tell_live(pool: Pool, names: Iterable[str]) -> None:
    """What AMI tells of these plays, as the service takes it in."""
    for name in names:
        tracker = CallTracker(RULES)
        for fact in recorded(name).ami:
            for event in tracker.observe(fact):
                async with transaction(pool) as tx:
                    await flow.call_told(tx, (event,))


async def order(pool: Pool, name: str, *, call_id: int | None = None) -> None:
    async with transaction(pool) as tx:
        await dial_orders.record(
            tx,
            channel=f"dial-1001-{ORDERS[name]}",
            system="mianyang-1",
            number=CITIZEN,
            by="1001",
            at=LATER,
            call_id=call_id,
            case_id=None,
        )


async def rows(pool: Pool, table: str) -> list[dict[str, Any]]:
    return [dict(row) for row in await pool.fetch(f"SELECT * FROM {table} ORDER BY 1")]  # noqa: S608 - a test's own words


def undated(_: Item) -> None:
    return None


async def test_they_are_calls_of_the_record_and_in_no_rate(pool: Pool, tmp_path: Path) -> None:
    await Life(pool, tmp_path).tell(call())
    jobs, lines = await pool.fetchval("SELECT count(*) FROM pgqueuer"), (Line(name="mayor"),)
    async with borrowed(pool) as conn:
        before = await snapshot(conn, lines, Ledger(["mayor"], undated), LATER)
    await tell_live(pool, [*NAMES, *NAMES])
    async with borrowed(pool) as conn:
        after = await snapshot(conn, lines, Ledger(["mayor"], undated), LATER)
    assert replace(after, from_here={}, took=before.took) == before
    assert sum(after.from_here.values()) == len(NAMES)
    assert after.from_here["outgoing", "busy"] == 2
    calls = await rows(pool, "calls")
    assert [one["id"] for one in calls] == list(range(1, len(NAMES) + 2))
    assert await pool.fetchval("SELECT last FROM call_counter") == len(NAMES) + 1
    assert {one["direction"] for one in calls[1:]} == {"outgoing", "internal"}
    assert all(one["ended_at"] and one["line"] == "" for one in calls[1:])
    assert len(await rows(pool, "cases")) == 1  # the citizen's, who called
    assert await rows(pool, "callbacks") == []
    assert await pool.fetchval("SELECT count(*) FROM recordings WHERE call_id > 1") == 0
    assert await pool.fetchval("SELECT count(*) FROM pgqueuer") == jobs
    told = await pool.fetch("SELECT event, body FROM journal WHERE call_id > 1 ORDER BY id")
    assert [row["event"] for row in told] == ["call.ended"] * len(NAMES)
    callees = {json.loads(row["body"])["callee"] for row in told}
    assert callees == {"138****1111", "139****2222", "1002", "110", ""}


async def test_a_call_names_what_it_was_dialled_for(pool: Pool, tmp_path: Path) -> None:
    await Life(pool, tmp_path).tell(call())
    case_id = await pool.fetchval("SELECT id FROM cases")
    for name in ORDERS:
        await order(pool, name, call_id=1)
    await tell_live(pool, ORDERS)
    told = await pool.fetch("SELECT body FROM journal WHERE call_id > 1")
    for body in (json.loads(row["body"]) for row in told):
        assert (body["for_call"], body["for_case"]) == (1, case_id)
    # Of the one that was not taken at the desk only the order knows whom it was to reach.
    callees = {one["callee"] for one in (await rows(pool, "calls"))[1:]}
    (callee,) = callees
    assert await pool.fetchval("SELECT number FROM identities WHERE token = $1", callee) == CITIZEN


async def test_reconcile_finds_those_that_nobody_told_and_puts_wrong_ones_right(
    tmp_path: Path, database: str, pool: Pool
) -> None:
    built = city.build(tmp_path, dsn=database, ami_port=1)
    config = load(built.toml)
    lines = [line for name in NAMES for line in recorded(name).cel_lines]
    built.cel.write_bytes(b"".join(line + b"\n" for line in lines))

    async def run() -> list[DifferenceKind]:
        done = await reconcile(config, LATER - timedelta(days=30), LATER)
        return [difference.kind for one in done for difference in one.differences]

    assert await run() == [DifferenceKind.MISSING] * len(NAMES)
    tracker = CallTracker(RULES)
    live = [e for name in NAMES for fact in recorded(name).ami for e in tracker.observe(fact)]
    stored = await rows(pool, "calls")
    fields = ("linked_id", "direction", "outcome", "operator", "hangup_by")
    assert {tuple(one[field] for field in fields) for one in stored} == {
        (c.key.linked_id, c.direction, c.outcome, c.operator, c.hangup_by)
        for c in (event.call for event in live if isinstance(event, CallEnded))
    }
    assert [one["id"] for one in stored] == list(range(1, len(NAMES) + 1))
    assert all(one["recovered"] for one in stored)
    await pool.execute("UPDATE calls SET outcome = 'failed', direction = 'outgoing'")
    assert set(await run()) == {DifferenceKind.OUTCOME, DifferenceKind.DIRECTION}
    assert await rows(pool, "calls") == stored
    assert await run() == []


async def test_no_number_that_was_dialled_stands_anywhere_in_clear(
    tmp_path: Path, database: str, pool: Pool
) -> None:
    """Every table as its bytes: facts from the files, orders, calls, journal, identities."""
    built = city.build(tmp_path, dsn=database, ami_port=1)
    lines = [line for name in NAMES for line in recorded(name).cel_lines]
    text = b"".join(line + b"\n" for line in lines)
    assert all(number.encode() in text for number in (CITIZEN, OFFICER, UNIT))
    built.cel.write_bytes(text)
    await order(pool, "dialled_and_answered")
    await tell_live(pool, NAMES[:4])
    await reconcile(load(built.toml), LATER - timedelta(days=30), LATER)
    assert await pool.fetchval("SELECT count(*) FROM exchange_facts") > 100
    tables = await pool.fetch("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'")
    for table in (row["name"] for row in tables):
        texts = await pool.fetch(f'SELECT t::text AS text FROM "{table}" t')  # noqa: S608 - its own name
        for row in texts:
            assert not [n for n in (CITIZEN, OFFICER, UNIT) if n in row["text"]], table


async def test_numbers_that_an_older_version_left_in_facts_are_taken_out(pool: Pool) -> None:
    """The migration's own statements, on rows as they were stored before it."""
    old = {
        "channel": f"Local/{CITIZEN}@outbound-00000000;1",
        "context": "outbound",
        "exten": CITIZEN,
    }
    incoming = {"channel": "PJSIP/trunk-00000001", "context": "from-trunk", "exten": "08162345678"}
    heard = {"channel": "PJSIP/1001-00000002", "by": old["channel"]}
    for kind, body in (
        ("channel_started", old),
        ("channel_started", incoming),
        ("hangup_heard", heard),
    ):
        await pool.execute(
            """INSERT INTO exchange_facts (system, source, at, kind, body)
               VALUES ('mianyang-1', 'cel', now(), $1, $2::text::jsonb)""",
            kind,
            json.dumps(body),
        )
    migration = Path(flow.__file__).with_name("migrations") / "0061_calls_from_here.pre.sql"
    for statement in migration.read_text(encoding="utf-8").split(";\n"):
        if "UPDATE exchange_facts" in statement:
            await pool.execute(statement[statement.index("UPDATE") :])
    bodies = [json.loads(row["body"]) for row in await rows(pool, "exchange_facts")]
    assert CITIZEN not in json.dumps(bodies)
    assert bodies[0] == {**old, "channel": "Local/****@outbound-00000000;1", "exten": ""}
    assert bodies[1] == incoming
