"""Supervision over a real database: nothing overdue without a record, through crashes and races."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from hotline import cards, flow, journal, supervising, supervision_looks, tracking
from hotline import supervision as runner
from hotline.casework import load_casework
from hotline.config import Config
from hotline.database import Pool, transaction
from hotline.journal import Event
from hotline.supervision import SupervisionDesk
from metrics.collect import Line
from metrics.exporter import render
from metrics.ledger import Ledger
from metrics.store import snapshot
from routing import store, tracked
from routing.cards import CardText
from routing.cases import Actor, Kind, Move, MoveData, Role, Solved, Truth, Urgency
from routing.supervision import ItemType, SupervisionState
from routing.supervision_rules import Level
from tests.hotline.test_reminders import local
from tests.metrics.test_page import PROCESS

SHANGHAI = ZoneInfo("Asia/Shanghai")
UNIT = "市水务（集团）有限公司"
OTHER = "市城市管理行政执法局"
DESK = Actor(name="1001", roles=frozenset(Role))
CHIEF = Actor(name="chief", roles=frozenset({Role.SUPERVISOR}))
HANDLER = Actor(name="an", roles=frozenset({Role.UNIT}), unit=UNIT)
CASEWORK = load_casework(Config())
MONDAY = local("2026-11-23T10:00")


@pytest.fixture
def desk(pool: Pool) -> SupervisionDesk:
    return SupervisionDesk(
        pool=pool,
        limits=lambda: CASEWORK.limits,
        city=lambda: CASEWORK.city,
        clock=lambda: MONDAY,
        every=timedelta(seconds=0.01),
    )


async def call_of(conn: asyncpg.Connection, caller: str, at: datetime) -> int:
    number = await conn.fetchval("SELECT coalesce(max(id), 0) + 1 FROM calls")
    await conn.execute(
        """INSERT INTO calls (id, system, linked_id, line, caller, started_at, answered_at)
           VALUES ($1::bigint, 'mianyang-1', $1::bigint::text, 'mayor', $2, $3, $3)""",
        number,
        caller,
        at,
    )
    assert isinstance(number, int)
    return number


async def caller_in(conn: asyncpg.Connection) -> str:
    token = await conn.fetchval("INSERT INTO identities DEFAULT VALUES RETURNING token")
    return str(token)


async def moves(
    conn: asyncpg.Connection, case_id: int, move: Move, at: datetime, **data: Any
) -> None:
    await flow.case_moved(
        conn,
        case_id,
        move=move,
        actor=DESK,
        now=at,
        data=MoveData(**data),
        limits=CASEWORK.limits,
    )


async def opened(pool: Pool, at: datetime, caller: str | None = None, **about: Any) -> int:
    async with transaction(pool) as tx:
        call_id = None if caller is None else await call_of(tx, caller, at)
        draft = await store.open_draft(tx, call_id=call_id, line="mayor", owner="1001", now=at)
        await journal.write(
            tx,
            at=at,
            actor="1001",
            event=Event.CASE_DRAFTED,
            case_id=draft.case.id,
            body=draft.body,
        )
        given = {"kind": Kind.CONSULT, "urgency": Urgency.NORMAL, "level1": "城乡建设", **about}
        await moves(tx, draft.case.id, Move.OPEN, at, **given)
    return draft.case.id


async def dispatched(pool: Pool, case_id: int, at: datetime, unit: str = UNIT) -> None:
    async with transaction(pool) as tx:
        await moves(tx, case_id, Move.DISPATCH, at, unit=unit)


async def signed_and_answered(pool: Pool, case_id: int, signed: datetime, at: datetime) -> None:
    async with transaction(pool) as tx:
        await moves(tx, case_id, Move.SIGN, signed)
    async with transaction(pool) as tx:
        said = {"reply": "已修好", "public_reply": "已修好", "contacted_at": at}
        said |= {"truth": Truth.YES, "publish": True}
        await moves(tx, case_id, Move.ANSWER, at, solved=Solved.YES, **said)


async def records(pool: Pool) -> list[tuple[Any, ...]]:
    rows = await pool.fetch(
        """SELECT case_id, trigger, stage, unit, level, state FROM supervisions
            ORDER BY case_id, since, id"""
    )
    return [tuple(row) for row in rows]


async def told(pool: Pool, event: Event) -> list[dict[str, Any]]:
    rows = await pool.fetch("SELECT body FROM journal WHERE event = $1 ORDER BY id", event)
    return [json.loads(row["body"]) for row in rows]


async def test_every_stage_that_ends_is_supervised_with_whoever_had_it(
    pool: Pool, desk: SupervisionDesk
) -> None:
    case_id = await opened(pool, MONDAY)
    await desk.catch_up(local("2026-11-24T18:00"))
    assert await records(pool) == []  # exactly in time is in time
    await desk.catch_up(local("2026-11-24T18:00:01"))
    office = (case_id, "overdue", "dispatch", None, "urge", "open")
    assert await records(pool) == [office]
    await dispatched(pool, case_id, local("2026-11-25T09:00"))
    await desk.catch_up(local("2026-11-26T18:00:01"))
    rows = await pool.fetch("SELECT trigger, stage, unit FROM supervisions WHERE unit = $1", UNIT)
    assert sorted(tuple(row) for row in rows) == [
        ("not_signed", "sign", UNIT),
        ("overdue", "handling", UNIT),
    ]
    (first, *_) = await told(pool, Event.SUPERVISION_OPENED)
    assert first["stage"] == "dispatch"
    assert (first["level"], first["receiver"], first["holder"]) == ("urge", "unit", "1001")
    assert first["ends_at"] == first["since"] == "2026-11-24 10:00:00+00:00"
    assert "本产品默认" in first["basis"]
    assert "催办" in first["limit_basis"]


async def test_what_was_late_and_is_over_has_its_record_after_a_standstill(
    pool: Pool, desk: SupervisionDesk
) -> None:
    case_id = await opened(pool, MONDAY)
    await dispatched(pool, case_id, MONDAY)
    await signed_and_answered(pool, case_id, local("2026-11-23T11:00"), local("2026-12-01T09:00"))
    async with transaction(pool) as tx:
        await moves(tx, case_id, Move.APPROVE, local("2026-12-01T10:00"))
        done = {"result": "refused"}
        await moves(tx, case_id, Move.CLOSE, local("2026-12-01T11:00"), **done)
    await desk.catch_up(local("2026-12-20T09:00"))
    assert await records(pool) == [(case_id, "overdue", "handling", UNIT, "urge", "open")]
    row = await pool.fetchrow("SELECT since, opened_at FROM supervisions")
    assert row is not None
    assert row["since"] == local("2026-11-26T18:00")
    assert row["opened_at"] == local("2026-12-20T09:00")
    assert await pool.fetchval("SELECT count(*) FROM supervision_looks") == 0  # nothing is left


async def test_levels_rise_one_by_one_and_stop_when_cleared(
    pool: Pool, desk: SupervisionDesk
) -> None:
    case_id = await opened(pool, MONDAY, urgency=Urgency.EMERGENCY)
    await dispatched(pool, case_id, MONDAY)
    now, levels = MONDAY, []
    for _ in range(4):
        now += timedelta(days=2)
        await desk.catch_up(now)
        levels.append(await pool.fetchval("SELECT min(level) || max(level) FROM supervisions"))
    assert levels == ["urgeurge", "supervisesupervise", "listlist", "listlist"]
    raised = await told(pool, Event.SUPERVISION_RAISED)
    assert [(it["from"], it["level"], it["holder"]) for it in raised if it["stage"] == "sign"] == [
        ("urge", "supervise", UNIT),
        ("supervise", "list", "leader"),
    ]


async def test_a_cleared_record_neither_rises_nor_comes_again(
    pool: Pool, desk: SupervisionDesk
) -> None:
    case_id = await opened(pool, MONDAY, urgency=Urgency.EMERGENCY)
    await dispatched(pool, case_id, MONDAY)
    await desk.catch_up(MONDAY + timedelta(minutes=16))
    (record_id,) = [row["id"] for row in await pool.fetch("SELECT id FROM supervisions")]
    async with transaction(pool) as tx:
        record = await supervising.found(tx, record_id)
        await supervising.cleared(
            tx,
            record,
            CHIEF,
            MONDAY + timedelta(minutes=20),
            finding="已电话核实签收",
            evidence=[{"id": 1, "sha256": "ab"}],
        )
    await desk.catch_up(MONDAY + timedelta(minutes=100))
    row = await pool.fetchrow("SELECT state, level FROM supervisions WHERE id = $1", record_id)
    assert row is not None
    assert tuple(row) == (SupervisionState.CLEARED, Level.URGE)
    (body,) = await told(pool, Event.SUPERVISION_CLEARED)
    assert body["evidence"] == [{"id": 1, "sha256": "ab"}]
    assert "核实" not in json.dumps(body, ensure_ascii=False)  # people's words lie apart


async def test_a_second_runner_and_a_repeated_one_open_nothing_twice(pool: Pool) -> None:
    for minute in range(12):
        case_id = await opened(pool, MONDAY + timedelta(minutes=minute))
        await dispatched(pool, case_id, MONDAY + timedelta(minutes=minute))
    later = local("2026-11-27T09:00")
    desks = [
        SupervisionDesk(
            pool=pool,
            limits=lambda: CASEWORK.limits,
            city=lambda: CASEWORK.city,
            clock=lambda: later,
            every=timedelta(seconds=1),
        )
        for _ in range(3)
    ]
    await asyncio.gather(*(one.catch_up(later) for one in desks))
    await desks[0].catch_up(later)
    assert await pool.fetchval("SELECT count(*) FROM supervisions") == 24
    assert len(await told(pool, Event.SUPERVISION_OPENED)) == 24


class Died(BaseException):
    """The process was killed here."""


async def test_killed_at_any_commit_the_same_records_come_of_it(
    pool: Pool, desk: SupervisionDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for hour in range(3):
        case_id = await opened(pool, MONDAY + timedelta(hours=hour))
        await dispatched(pool, case_id, MONDAY + timedelta(hours=hour))
    deaths = 0

    def mortal(at: int, *, after: bool) -> Any:
        met = 0

        @asynccontextmanager
        async def one(of: Pool) -> AsyncIterator[asyncpg.Connection]:
            nonlocal met
            met += 1
            struck = met == at
            async with transaction(of) as tx:
                yield tx
                if struck and not after:
                    raise Died
            if struck:
                raise Died

        return one

    moment = local("2026-11-25T09:00")
    for point in range(1, 7):
        for after in (False, True):
            monkeypatch.setattr(runner, "transaction", mortal(point, after=after))
            moment += timedelta(hours=30)
            try:
                await desk.catch_up(moment)
            except Died:
                deaths += 1
            monkeypatch.setattr(runner, "transaction", transaction)
            await desk.catch_up(moment)
    assert deaths >= 4
    # The same as somebody finds who lived through it without a scratch.
    rows = await pool.fetch(
        """SELECT subject, trigger, occasion, level, opened_at, level_at, due_at
             FROM supervisions ORDER BY subject, trigger, occasion"""
    )
    died = [tuple(row) for row in rows]
    raised = len(await told(pool, Event.SUPERVISION_RAISED))
    await pool.execute("TRUNCATE supervisions CASCADE")
    await pool.execute("UPDATE supervision_looks SET look_at = '-infinity'")
    moment = local("2026-11-25T09:00")
    for _ in range(12):
        moment += timedelta(hours=30)
        await desk.catch_up(moment)
    rows = await pool.fetch(
        """SELECT subject, trigger, occasion, level, opened_at, level_at, due_at
             FROM supervisions ORDER BY subject, trigger, occasion"""
    )
    assert [tuple(row) for row in rows] == died
    assert len(await told(pool, Event.SUPERVISION_RAISED)) == 2 * raised


async def test_a_case_moved_while_it_is_looked_at_is_looked_at_again(
    pool: Pool, desk: SupervisionDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id = await opened(pool, MONDAY)
    late = local("2026-11-25T09:00")
    before = supervision_looks.move_on

    async def moved_first(tx: asyncpg.Connection, looked: Any) -> frozenset[int]:
        monkeypatch.setattr(supervision_looks, "move_on", before)
        async with transaction(pool) as other:
            await other.execute("UPDATE cases SET version = version WHERE id = $1", case_id)
        return await before(tx, looked)

    monkeypatch.setattr(supervision_looks, "move_on", moved_first)
    monkeypatch.setattr(journal, "take_turn", _nothing)
    await desk.catch_up(late)
    assert await records(pool) == []
    await desk.catch_up(late)
    assert await records(pool) == [(case_id, "overdue", "dispatch", None, "urge", "open")]


async def _nothing(_: asyncpg.Connection) -> None:
    """Whoever moves the case here needs the turn."""


async def test_a_third_call_and_a_burst_are_found_and_reports_are_never_pooled(
    pool: Pool, desk: SupervisionDesk
) -> None:
    async with transaction(pool) as tx:
        faithful, silent = await caller_in(tx), await caller_in(tx)
        crowd = [await caller_in(tx) for _ in range(9)]
    at = MONDAY
    first = await opened(pool, at, faithful, kind=Kind.HELP)
    await dispatched(pool, first, at)
    for n in range(2):
        at = MONDAY + timedelta(minutes=n + 1)
        await opened(pool, at, faithful, kind=Kind.HELP)
        await opened(pool, at, silent, kind=Kind.REPORT)
        await opened(pool, at, faithful, kind=Kind.HELP, level1="交通运输")
    await opened(pool, at, silent, kind=Kind.REPORT)
    await desk.catch_up(at + timedelta(minutes=1))
    rows = await pool.fetch("SELECT case_id, trigger, unit, facts FROM supervisions")
    (found,) = rows
    assert tuple(found)[:3] == (first, "repeated", UNIT)
    assert json.loads(found["facts"]) == {"calls": 3}
    for n, caller in enumerate(crowd):
        at = MONDAY + timedelta(hours=1, minutes=n)
        case_id = await opened(pool, at, caller, kind=Kind.HELP, area="涪城区")
        await dispatched(pool, case_id, at, OTHER)
        await opened(pool, at, silent, kind=Kind.REPORT, area="涪城区")
        await desk.catch_up(at)
        assert await pool.fetchval("SELECT count(*) FROM supervision_cases") == 0
    last = await opened(pool, at, faithful, kind=Kind.COMPLAINT, area="涪城区")
    await desk.catch_up(at + timedelta(minutes=1))
    burst = await pool.fetchrow("SELECT * FROM supervisions WHERE trigger = 'concentrated'")
    assert burst is not None
    assert (burst["subject"], burst["unit"]) == ("matter/城乡建设/涪城区", OTHER)
    assert json.loads(burst["facts"])["callers"] == 10
    cases = await pool.fetch("SELECT case_id FROM supervision_cases ORDER BY case_id")
    assert len(cases) == 10
    assert cases[-1]["case_id"] == last


async def test_a_tracked_item_has_the_same_clocks_and_records(
    pool: Pool, desk: SupervisionDesk
) -> None:
    for kind in (ItemType.LEADER, ItemType.DECISION):
        facts = {
            "type": kind,
            "title": "滨江路路灯改造",
            "source": "市政府常务会议",
            "unit": UNIT,
            "person": None,
            "urgency": Urgency.NORMAL,
            "due_at": local("2026-12-04T18:00"),
            "case_id": None,
        }
        async with transaction(pool) as tx:
            item = await tracking.given(tx, facts, CHIEF, MONDAY, CASEWORK.limits)
    await desk.catch_up(local("2026-11-24T18:00:01"))
    query = "SELECT type, trigger, stage, unit FROM supervisions ORDER BY id"
    assert [tuple(row) for row in await pool.fetch(query)] == [
        ("leader", "not_signed", "sign", UNIT),
        ("decision", "not_signed", "sign", UNIT),
    ]
    # The runner stands still; the late step itself brings the record.
    late = local("2026-12-05T09:00")
    steps = (
        (lambda it: tracked.signed(it, HANDLER, late), Event.TRACKED_SIGNED),
        (lambda it: tracked.reported(it, HANDLER, late), Event.TRACKED_REPORTED),
        (lambda it: tracked.done(it, CHIEF, late), Event.TRACKED_DONE),
    )
    for step, event in steps:
        async with transaction(pool) as tx:
            item = await tracking.stepped(
                tx, item, step, event, CHIEF, late, CASEWORK.limits, texts={"note": "办结"}
            )
    rows = [tuple(row) for row in await pool.fetch(query)]
    assert rows[2:] == [("decision", "overdue", "handling", UNIT)]
    await desk.catch_up(local("2026-12-05T10:00"))
    rows = [tuple(row) for row in await pool.fetch(query)]
    assert sorted(rows[2:]) == [
        ("decision", "overdue", "handling", UNIT),
        ("leader", "overdue", "handling", UNIT),
    ]


async def test_only_what_is_due_is_read_however_many_cases_there_are(
    pool: Pool, desk: SupervisionDesk
) -> None:
    case_id = await opened(pool, MONDAY)
    await pool.execute(
        """INSERT INTO cases (number, line, state, urgency, owner, drafted_at)
           SELECT n::text, 'mayor', 'draft', 'normal', '1001', now()
             FROM generate_series(1, 20000) n"""
    )
    await pool.execute(
        "UPDATE supervision_looks SET look_at = 'infinity' WHERE case_id <> $1", case_id
    )
    await pool.execute("ANALYZE supervision_looks")
    plan = "\n".join(
        row[0]
        for row in await pool.fetch(
            "EXPLAIN " + supervision_looks._WAITING.replace("$1", "now()").replace("$2", "200")
        )
    )
    assert "supervision_looks_next" in plan
    assert "Seq Scan" not in plan
    await desk.catch_up(local("2026-11-25T09:00"))
    assert len(await records(pool)) == 1


async def test_a_card_past_its_day_is_supervised_once_for_each_version(
    pool: Pool, desk: SupervisionDesk
) -> None:
    text = CASEWORK.city.units[0]
    content = {
        "title": "居住证办理",
        "unit": text.id,
        "category": "公安政法",
        "materials": ["身份证"],
        "procedure": ["到窗口申请"],
        "limit": "当场",
        "address": "临园路东段72号",
        "transport": "3路",
        "hours": "9:00-17:00",
        "review": "2026-11-22",
    }
    card = CardText.model_validate(content)
    async with transaction(pool) as tx:
        await cards.publish(tx, "juzhuzheng", card, "chief", MONDAY)
    await desk.catch_up(local("2026-11-22T23:59"))
    assert await pool.fetchval("SELECT count(*) FROM supervisions") == 0
    for _ in range(2):
        await desk.catch_up(local("2026-11-23T00:01"))
    row = await pool.fetchrow("SELECT * FROM supervisions")
    assert row is not None
    assert (row["type"], row["trigger"], row["unit"]) == ("knowledge", "stale_card", text.name)
    assert row["since"] == local("2026-11-23T00:00")


async def page_of(conn: asyncpg.Connection, now: datetime) -> list[str]:
    lines = (Line(name="mayor"),)
    text, _ = render(await snapshot(conn, lines, Ledger(["mayor"], lambda _: None), now), PROCESS)
    shown = ("hotline_supervision{", "hotline_overdue_unsupervised ")
    return [row for row in text.decode().splitlines() if row.startswith(shown)]


async def test_the_figures_count_levels_and_everything_overdue_without_a_record(
    pool: Pool, conn: asyncpg.Connection, desk: SupervisionDesk
) -> None:
    hidden, late = [await opened(pool, MONDAY), await opened(pool, MONDAY)]
    await dispatched(pool, late, MONDAY)
    facts = {
        "type": ItemType.TARGET,
        "title": "目标",
        "source": "年度目标",
        "unit": UNIT,
        "person": None,
        "urgency": Urgency.NORMAL,
        "case_id": None,
        "due_at": local("2026-11-25T18:00"),
    }
    async with transaction(pool) as tx:
        await tracking.given(tx, facts, CHIEF, MONDAY, CASEWORK.limits)
        await tx.execute(
            """INSERT INTO protections (case_id, against_office, taker, marked_at, marked_by)
               VALUES ($1, false, '1001', $2, '1001')""",
            hidden,
            MONDAY,
        )
    before, now = local("2026-11-26T18:00"), local("2026-11-26T18:00:01")
    for moment, missing in ((before, 1.0), (now, 2.0)):
        rows = await page_of(conn, moment)
        assert f"hotline_overdue_unsupervised {missing}" in rows
    await desk.catch_up(now)
    assert await page_of(conn, now) == [
        # Not signed for and late, the case and the item; the protected case is in no figure.
        'hotline_supervision{level="urge"} 4.0',
        'hotline_supervision{level="supervise"} 0.0',
        'hotline_supervision{level="list"} 0.0',
        "hotline_overdue_unsupervised 0.0",
    ]


async def test_a_burst_found_by_its_words_is_supervised_once_and_protected_cases_are_not_pooled(
    pool: Pool, desk: SupervisionDesk
) -> None:
    async with transaction(pool) as tx:
        crowd = [await caller_in(tx) for _ in range(11)]
    ids = [await opened(pool, MONDAY, caller, kind=Kind.HELP) for caller in crowd]
    async with transaction(pool) as tx:
        burst = await tx.fetchval(
            """INSERT INTO bursts (sort, area, first_case, raised_at, stretch, raised_with, usual,
                                   last_at)
               VALUES ('alike', '涪城区', $1, $2, '1 hour', 5, 0.5, $2) RETURNING id""",
            ids[0],
            MONDAY,
        )
        await tx.execute("INSERT INTO burst_cases SELECT unnest($1::bigint[]), $2", ids[:9], burst)
        await tx.execute(
            """INSERT INTO protections (case_id, against_office, taker, marked_at, marked_by)
               VALUES ($1, true, '1001', $2, '1001')""",
            ids[10],
            MONDAY,
        )
    await desk.catch_up(MONDAY + timedelta(minutes=1))
    assert await pool.fetchval("SELECT count(*) FROM supervisions") == 0  # nine callers
    await pool.execute("INSERT INTO burst_cases VALUES ($1, $2)", ids[10], burst)
    await desk.catch_up(MONDAY + timedelta(minutes=2))
    assert await pool.fetchval("SELECT count(*) FROM supervisions") == 0  # still nine to be told of
    await pool.execute("INSERT INTO burst_cases VALUES ($1, $2)", ids[9], burst)
    for minute in (3, 4):
        await desk.catch_up(MONDAY + timedelta(minutes=minute))
    row = await pool.fetchrow("SELECT * FROM supervisions")
    assert row is not None
    assert (row["subject"], row["occasion"]) == (f"matter/burst/{burst}", "2026-11-23")
    assert json.loads(row["facts"])["callers"] == 10
    assert await pool.fetchval("SELECT count(*) FROM supervision_cases") == 10
