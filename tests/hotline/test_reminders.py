"""Reminders over a real database: each once, in time, through crashes and races, by index."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from hotline import flow, journal, reminder_rows, reminders
from hotline.casework import load_casework
from hotline.config import Config
from hotline.database import Pool, transaction
from hotline.journal import Event
from hotline.reminders import ReminderDesk
from routing import store
from routing.cases import Actor, Kind, Move, MoveData, Role, Solved, Truth, Urgency

SHANGHAI = ZoneInfo("Asia/Shanghai")
UNIT = "市水务（集团）有限公司"
DESK = Actor(name="1001", roles=frozenset(Role))
CASEWORK = load_casework(Config())


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(UTC)


class Clock:
    def __init__(self) -> None:
        self.at = local("2026-11-23T10:00")

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


def desk_on(pool: Pool, clock: Clock) -> ReminderDesk:
    return ReminderDesk(
        pool=pool,
        policies=CASEWORK.policies,
        policy=CASEWORK.policy,
        calendar=CASEWORK.calendar,
        clock=clock,
        every=timedelta(seconds=0.01),
    )


@pytest.fixture
def desk(pool: Pool, clock: Clock) -> ReminderDesk:
    return desk_on(pool, clock)


async def drafted(conn: asyncpg.Connection, at: datetime) -> int:
    found = await store.open_draft(conn, call_id=None, line="mayor", owner="1001", now=at)
    await journal.write(
        conn, at=at, actor="1001", event=Event.CASE_DRAFTED, case_id=found.case.id, body={}
    )
    return found.case.id


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


async def opened(
    pool: Pool, at: datetime, urgency: Urgency = Urgency.NORMAL, kind: Kind = Kind.HELP
) -> int:
    async with transaction(pool) as tx:
        case_id = await drafted(tx, at)
        await moves(tx, case_id, Move.OPEN, at, kind=kind, urgency=urgency, level1="城乡建设")
    return case_id


async def dispatched(pool: Pool, case_id: int, at: datetime) -> None:
    async with transaction(pool) as tx:
        await moves(tx, case_id, Move.DISPATCH, at, unit=UNIT)


async def returned(tx: asyncpg.Connection, case_id: int, at: datetime) -> None:
    await moves(tx, case_id, Move.ASK_RETURN, at, reason="不属本单位职责", basis="三定规定")
    await moves(tx, case_id, Move.ACCEPT_RETURN, at)


async def told(pool: Pool, case_id: int) -> list[tuple[str, int]]:
    rows = await pool.fetch(
        "SELECT body FROM journal WHERE event = 'reminder.due' AND case_id = $1 ORDER BY id",
        case_id,
    )
    bodies = [json.loads(row["body"]) for row in rows]
    return [(body["stage"], body["share"]) for body in bodies]


async def look(desk: ReminderDesk) -> None:
    while await desk.look():
        pass


async def test_every_stage_reminds_at_its_own_shares(
    pool: Pool, desk: ReminderDesk, clock: Clock
) -> None:
    case_id = await opened(pool, clock.at)
    await look(desk)
    assert await told(pool, case_id) == []
    # One working day to dispatch: Monday 10:00 to Tuesday 18:00, half of it at 02:00 at night.
    clock.at = local("2026-11-24T02:30")
    await look(desk)
    assert await told(pool, case_id) == []
    clock.at = local("2026-11-24T08:00")
    await look(desk)
    assert await told(pool, case_id) == [("dispatch", 50)]
    await dispatched(pool, case_id, local("2026-11-24T09:00"))
    clock.at = local("2026-11-24T18:00")
    await look(desk)
    assert await told(pool, case_id) == [("dispatch", 50)]  # it was dispatched in time
    clock.at = local("2026-11-25T18:00")
    await look(desk)
    assert (await told(pool, case_id))[1:] == [("sign", 50), ("sign", 80), ("sign", 100)]
    clock.at = local("2026-12-02T18:00")
    await look(desk)
    assert (await told(pool, case_id))[4:] == [
        ("handling", 50),
        ("handling", 80),
        ("handling", 100),
    ]
    clock.at = local("2026-12-31T18:00")
    await look(desk)
    assert len(await told(pool, case_id)) == 7


async def test_the_journal_says_all_a_receiver_must_know(
    pool: Pool, desk: ReminderDesk, clock: Clock
) -> None:
    case_id = await opened(pool, clock.at, Urgency.EMERGENCY)
    await dispatched(pool, case_id, clock.at)
    clock.at += timedelta(minutes=8)
    await look(desk)
    row = await pool.fetchrow("SELECT * FROM journal WHERE event = 'reminder.due'")
    assert row is not None
    number = await pool.fetchval("SELECT number FROM cases")
    assert json.loads(row["body"]) == {
        "number": number,
        "stage": "sign",
        "share": 50,
        "highest": 50,
        "starts_at": "2026-11-23 02:00:00+00:00",
        "ends_at": "2026-11-23 02:15:00+00:00",
        "first_end": "2026-11-23 02:15:00+00:00",
        "reached_at": "2026-11-23 02:07:30+00:00",
        "policy": "sichuan-2025/2",
        "basis": CASEWORK.policy.stages["sign"][0].basis,  # type: ignore[index]
        "kind": "help",
        "urgency": "emergency",
        "line": "mayor",
        "unit": UNIT,
        "owner": "1001",
    }
    assert (row["actor"], row["at"]) == ("service", clock.at)
    sent = await pool.fetchrow("SELECT * FROM reminders_sent")
    assert sent is not None
    assert (sent["reached_at"], sent["sent_at"]) == (local("2026-11-23T10:07:30"), clock.at)


async def test_in_a_consultation_only_the_silent_units_are_reminded(
    pool: Pool, desk: ReminderDesk, clock: Clock
) -> None:
    case_id = await opened(pool, clock.at)
    async with transaction(pool) as tx:
        units = (UNIT, "市生态环境局")
        await moves(tx, case_id, Move.CONSULT, clock.at, units=units, reason="职责交叉")
        await moves(tx, case_id, Move.COMMENT, clock.at, unit=UNIT, comment="由我方配合")
    clock.at = local("2026-11-24T18:00")
    await look(desk)
    rows = await pool.fetch("SELECT body FROM journal WHERE event = 'reminder.due' ORDER BY id")
    bodies = [json.loads(row["body"]) for row in rows]
    asked = [body for body in bodies if body["stage"] == "consultation"]
    assert [body["share"] for body in asked] == [50, 80, 100]
    assert all(body["units"] == ["市生态环境局"] for body in asked)


async def test_an_urgent_case_reminds_at_night_and_an_ordinary_one_in_the_morning(
    pool: Pool, desk: ReminderDesk, clock: Clock
) -> None:
    clock.at = local("2026-11-23T20:50")
    urgent = await opened(pool, clock.at, Urgency.URGENT)
    ordinary = await opened(pool, clock.at)
    clock.at = local("2026-11-24T07:59:59")
    await look(desk)
    assert await told(pool, urgent) == [("dispatch", share) for share in (50, 80, 100)]
    assert await told(pool, ordinary) == []
    clock.at = local("2026-11-24T09:30")
    await look(desk)
    assert await told(pool, ordinary) == [("dispatch", 50)]


async def test_an_answer_stops_the_reminders_and_a_redo_starts_them_again(
    pool: Pool, desk: ReminderDesk, clock: Clock
) -> None:
    case_id = await opened(pool, clock.at, kind=Kind.CONSULT)
    await dispatched(pool, case_id, clock.at)
    await look(desk)
    async with transaction(pool) as tx:
        await moves(tx, case_id, Move.SIGN, clock.at)
        told_so = {"reply": "已修好", "public_reply": "已修好", "contacted_at": clock.at}
        told_so |= {"truth": Truth.YES, "publish": True}
        await moves(tx, case_id, Move.ANSWER, clock.at, solved=Solved.YES, **told_so)
    clock.at = local("2026-11-30T12:00")
    await look(desk)
    assert {stage for stage, _ in await told(pool, case_id)} == {"audit"}
    async with transaction(pool) as tx:
        await moves(tx, case_id, Move.REDO, clock.at, reason="没有修好")
    await look(desk)
    handling = [share for stage, share in await told(pool, case_id) if stage == "handling"]
    assert handling == [50, 80, 100]


async def test_a_stage_entered_again_reminds_again(
    pool: Pool, desk: ReminderDesk, clock: Clock
) -> None:
    case_id = await opened(pool, clock.at, Urgency.EMERGENCY)
    for minute in (0, 20):
        at = local("2026-11-23T10:00") + timedelta(minutes=minute)
        await dispatched(pool, case_id, at)
        clock.at = at + timedelta(minutes=15)
        await look(desk)
        async with transaction(pool) as tx:
            await returned(tx, case_id, clock.at)
    signed = [share for stage, share in await told(pool, case_id) if stage == "sign"]
    assert signed == [50, 80, 100] * 2


async def test_an_extension_reminds_anew_at_its_end_and_the_old_end_is_told(
    pool: Pool, desk: ReminderDesk, clock: Clock
) -> None:
    case_id = await opened(pool, clock.at, kind=Kind.CONSULT)  # until Thursday, 18:00
    await dispatched(pool, case_id, clock.at)
    clock.at = local("2026-11-26T17:00")
    async with transaction(pool) as tx:
        await moves(tx, case_id, Move.SIGN, clock.at)
        await moves(tx, case_id, Move.ASK_EXTENSION, clock.at, reason="情况复杂", days=3)
    await look(desk)
    clock.at = local("2026-11-26T17:30")
    async with transaction(pool) as tx:
        await moves(tx, case_id, Move.GRANT_EXTENSION, clock.at, told="已告知来电人")
    clock.at = local("2026-12-01T18:00")
    await look(desk)
    rows = await pool.fetch(
        """SELECT body FROM journal WHERE body ->> 'stage' = 'handling'
              AND event = 'reminder.due' ORDER BY id"""
    )
    ends = [(body["share"], body["ends_at"][:16]) for body in (json.loads(r["body"]) for r in rows)]
    old, new = "2026-11-26 10:00", "2026-12-01 10:00"
    assert ends == [(50, old), (80, old), (50, new), (80, new), (100, new)]
    assert json.loads(rows[-1]["body"])["first_end"].startswith(old)


ASKED = {"reason": "不属本单位职责", "basis": "三定规定"}
ANSWERED = {
    "reply": "已修好",
    "public_reply": "已修好",
    "solved": Solved.YES,
    "truth": Truth.YES,
    "publish": True,
}
SIGNED: tuple[tuple[Move, dict[str, Any]], ...] = ((Move.DISPATCH, {"unit": UNIT}), (Move.SIGN, {}))
LIVES: dict[str, tuple[tuple[tuple[Move, dict[str, Any]], ...], str]] = {
    "dispatch": ((), "2026-11-24T18:00"),
    "consultation": (
        ((Move.CONSULT, {"units": (UNIT,), "reason": "职责交叉"}),),
        "2026-11-24T18:00",
    ),
    "sign": (SIGNED[:1], "2026-11-24T18:00"),
    "return_ruling": ((*SIGNED, (Move.ASK_RETURN, ASKED)), "2026-11-24T18:00"),
    "extension_ruling": (
        (*SIGNED, (Move.ASK_EXTENSION, {"reason": "复杂", "days": 10})),
        "2026-11-24T18:00",
    ),
    "termination_ruling": (
        (*SIGNED, (Move.ASK_TERMINATION, {"reason": "已向法院起诉"})),
        "2026-11-25T18:00",
    ),
    "handling": (SIGNED, "2026-12-14T18:00"),
    "audit": (
        (*SIGNED, (Move.ANSWER, {**ANSWERED, "contacted_at": local("2026-11-23T10:00")})),
        "2026-11-24T18:00",
    ),
    "call_back": (
        (
            *SIGNED,
            (Move.ANSWER, {**ANSWERED, "contacted_at": local("2026-11-23T10:00")}),
            (Move.APPROVE, {}),
        ),
        "2026-11-25T18:00",
    ),
}


@pytest.mark.parametrize("stage", list(LIVES))
async def test_every_stage_that_a_move_leads_to_has_its_clock(
    pool: Pool, desk: ReminderDesk, clock: Clock, stage: str
) -> None:
    ways, ends = LIVES[stage]
    case_id = await opened(pool, clock.at, kind=Kind.COMPLAINT)
    for move, given in ways:
        async with transaction(pool) as tx:
            await moves(tx, case_id, move, clock.at, **given)
    clock.at = local(ends) - timedelta(seconds=1)
    await look(desk)
    before = await told(pool, case_id)
    assert (stage, 80) in before
    assert (stage, 100) not in before
    clock.at += timedelta(seconds=1)
    await look(desk)
    assert (stage, 100) in await told(pool, case_id)
    others = {found for found, _ in await told(pool, case_id)} - {stage, "handling"}
    assert not others  # every other stage was left in time


async def test_a_closed_case_is_never_looked_at_again(
    pool: Pool, desk: ReminderDesk, clock: Clock
) -> None:
    case_id = await opened(pool, clock.at)
    async with transaction(pool) as tx:
        await moves(tx, case_id, Move.WITHDRAW, clock.at, reason="重复")
    assert await pool.fetchval("SELECT count(*) FROM reminder_looks") == 0
    clock.at += timedelta(days=30)
    assert await desk.look() == 0
    assert await told(pool, case_id) == []


async def test_a_draft_and_a_case_without_clocks_wait_for_a_change(
    pool: Pool, desk: ReminderDesk, clock: Clock
) -> None:
    async with transaction(pool) as tx:
        await drafted(tx, clock.at)
    assert await desk.look() == 1
    assert await pool.fetchval("SELECT look_at = 'infinity' FROM reminder_looks")
    assert await desk.look() == 0


class Died(BaseException):
    """The process was killed here."""


@pytest.mark.parametrize("after_commit", [False, True])
async def test_a_crash_neither_loses_a_reminder_nor_sends_it_twice(
    *,
    pool: Pool,
    desk: ReminderDesk,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    after_commit: bool,
) -> None:
    case_id = await opened(pool, clock.at, Urgency.EMERGENCY)
    await look(desk)
    clock.at += timedelta(minutes=6)

    @asynccontextmanager
    async def mortal(pool: Pool) -> AsyncIterator[asyncpg.Connection]:
        async with transaction(pool) as conn:
            yield conn
            if not after_commit:
                raise Died
        raise Died

    monkeypatch.setattr(reminders, "transaction", mortal)
    with pytest.raises(Died):
        await desk.look()
    monkeypatch.undo()
    assert await told(pool, case_id) == ([("dispatch", 50)] if after_commit else [])
    await look(desk_on(pool, clock))
    assert await told(pool, case_id) == [("dispatch", 50)]


async def test_two_services_send_each_reminder_once(pool: Pool, clock: Clock) -> None:
    cases = [await opened(pool, clock.at, Urgency.EMERGENCY) for _ in range(20)]
    clock.at += timedelta(hours=3)
    desks = [desk_on(pool, clock) for _ in range(2)]
    await asyncio.gather(*(look(desk) for desk in desks))
    for case_id in cases:
        shares = await told(pool, case_id)
        assert sorted(shares) == sorted(
            (stage, share) for stage in ("dispatch", "handling") for share in (50, 80, 100)
        )


async def test_a_move_made_meanwhile_wins_and_nobody_waits_for_the_other(
    pool: Pool, desk: ReminderDesk, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The case is answered between the reading and the writing: no reminder, and a new look."""
    case_id = await opened(pool, clock.at, Urgency.EMERGENCY)
    await look(desk)
    clock.at += timedelta(minutes=6)
    waiting = reminder_rows.waiting

    async def slow(conn: asyncpg.Connection, now: datetime, limit: int) -> Any:
        found = await waiting(conn, now, limit)
        await dispatched(pool, case_id, now)
        return found

    monkeypatch.setattr(reminder_rows, "waiting", slow)
    assert await desk.look() == 0
    monkeypatch.undo()
    assert await told(pool, case_id) == []
    # A mover that has not committed yet holds the look: others are settled, this one later.
    other = await opened(pool, clock.at - timedelta(minutes=6), Urgency.EMERGENCY)
    async with transaction(pool) as tx:
        await returned(tx, case_id, clock.at)
        # It also holds the journal's turn, so only what sends nothing can be settled meanwhile.
        sending = asyncio.create_task(desk.look())
        await asyncio.sleep(0.2)
        assert not sending.done()
    await sending
    await look(desk)
    assert await told(pool, other) == [("dispatch", 50)]


async def test_a_case_past_the_calendar_is_tried_again_and_its_hours_still_remind(
    pool: Pool, desk: ReminderDesk, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    clock.at = local("2026-12-31T10:00")
    case_id = await opened(pool, clock.at)  # seven working days: nobody knows which
    urgent = await opened(pool, clock.at, Urgency.URGENT)
    assert await desk.look() == 2
    assert "load the State Council's calendar of 2027" in caplog.text
    again = await pool.fetchval("SELECT look_at FROM reminder_looks WHERE case_id = $1", case_id)
    assert again == clock.at + timedelta(hours=1)
    clock.at += timedelta(minutes=30)
    await look(desk)
    assert (await told(pool, urgent))[-1] == ("dispatch", 100)
    assert await told(pool, case_id) == []


async def test_a_policy_that_is_gone_stops_nobody_elses_reminders(
    pool: Pool, desk: ReminderDesk, clock: Clock
) -> None:
    lost = await opened(pool, clock.at, Urgency.EMERGENCY)
    await pool.execute("UPDATE cases SET policy = 'gone/1'")
    kept = await opened(pool, clock.at, Urgency.EMERGENCY)
    clock.at += timedelta(minutes=6)
    await look(desk)
    assert await told(pool, lost) == []
    assert await told(pool, kept) == [("dispatch", 50)]


async def test_the_desk_runs_until_it_is_cancelled(
    pool: Pool, desk: ReminderDesk, clock: Clock
) -> None:
    case_id = await opened(pool, clock.at, Urgency.EMERGENCY)
    clock.at += timedelta(minutes=6)
    running = asyncio.create_task(desk.run())
    async with asyncio.timeout(20):
        while not await told(pool, case_id):  # noqa: ASYNC110 - a row of the database
            await asyncio.sleep(0.02)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await told(pool, case_id) == [("dispatch", 50)]


async def test_a_look_reads_only_what_is_due_by_index(pool: Pool, clock: Clock) -> None:
    await pool.execute(
        """INSERT INTO cases (number, line, state, owner, drafted_at)
           SELECT 'n' || n, 'mayor', 'open', '1001', $1 FROM generate_series(1, 20000) AS n""",
        clock.at,
    )
    await pool.execute("UPDATE reminder_looks SET look_at = 'infinity'")
    await pool.execute("ANALYZE reminder_looks")
    plan = await pool.fetch(f"EXPLAIN {reminder_rows._WAITING}", clock.at, 200)
    text = "\n".join(row[0] for row in plan)
    assert "reminder_looks_next" in text
    assert "Seq Scan" not in text
