"""The archive over a real database: by the pack's period, once, through crashes and races."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hotline import archive_rows, audit, flow, journal
from hotline.archiving import AT_ONCE, ArchiveDesk
from hotline.casework import load_casework
from hotline.config import Config
from hotline.database import Pool, borrowed, transaction
from hotline.journal import Event
from routing import store
from routing.cases import Actor, CaseState, Kind, Move, MoveData, Role, Urgency
from routing.errors import CalendarEnds
from routing.in_force import InForce
from routing.limits import Origin, Sourced, Unit
from tests.hotline.story import Died

CLOSED_AT = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)  # a Monday, 16:00 in Mianyang
DUE = datetime(2026, 12, 2, 10, 0, tzinfo=UTC)  # 30 days on, when offices close
PERSON = Actor(name="1001", roles=frozenset(Role) - {Role.SYSTEM})
LIMITS = load_casework(Config()).limits


class Clock:
    at = DUE

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


def desk_on(
    pool: Pool, clock: Clock, limits: Callable[[], InForce] = lambda: LIMITS
) -> ArchiveDesk:
    return ArchiveDesk(pool=pool, limits=limits, clock=clock, every=timedelta(seconds=0.01))


async def moves(pool: Pool, case_id: int, move: Move, at: datetime, **data: Any) -> None:
    async with transaction(pool) as tx:
        await flow.case_moved(
            tx, case_id, move=move, actor=PERSON, now=at, data=MoveData(**data), limits=LIMITS
        )


async def closed(pool: Pool, at: datetime = CLOSED_AT) -> int:
    async with transaction(pool) as tx:
        found = await store.open_draft(tx, call_id=None, line="mayor", owner="1001", now=at)
        await journal.write(
            tx,
            at=at,
            actor="1001",
            event=Event.CASE_DRAFTED,
            case_id=found.case.id,
            body=found.body,
        )
    about = {"kind": Kind.CONSULT, "urgency": Urgency.NORMAL, "level1": "城乡建设"}
    await moves(pool, found.case.id, Move.ANSWER_DIRECTLY, at, reply="已告知。", **about)
    return found.case.id


async def state(pool: Pool, case_id: int) -> CaseState:
    async with borrowed(pool) as conn:
        return (await store.get(conn, case_id)).state


async def archived(pool: Pool) -> list[int]:
    rows = await pool.fetch("SELECT case_id FROM journal WHERE event = 'case.archived' ORDER BY id")
    return [row["case_id"] for row in rows]


async def test_a_closed_case_is_archived_when_its_packs_period_has_passed_and_not_before(
    pool: Pool, clock: Clock
) -> None:
    case_id, desk = await closed(pool), desk_on(pool, clock)
    clock.at = DUE - timedelta(seconds=1)
    assert await desk.look() == 0
    clock.at = DUE
    assert await desk.look() == 1
    assert await desk.look() == 0
    async with borrowed(pool) as conn:
        case = await store.get(conn, case_id)
        assert (case.state, case.archived_at) == (CaseState.ARCHIVED, DUE)
        assert (await audit.verify(conn)).fault is None
    row = await pool.fetchrow("SELECT actor, body FROM journal WHERE event = 'case.archived'")
    assert row is not None
    assert row["actor"] == "service"
    assert json.loads(row["body"])["changes"]["state"] == "archived"


async def test_the_packs_own_period_counts_and_one_pack_holds_up_no_other(
    pool: Pool, clock: Clock
) -> None:
    case_id = await closed(pool)
    short = Sourced(amount=3, unit=Unit.WORKING_DAYS, basis="本市规定", origin=Origin.REGULATION)
    pack = LIMITS.policy.model_copy(update={"archive": short})
    limits = replace(LIMITS, policies={**LIMITS.policies, pack.name: pack}, policy=pack)
    clock.at = datetime(2026, 11, 5, 9, 59, tzinfo=UTC)
    desk = desk_on(pool, clock, lambda: limits)
    assert await desk.look() == 0
    clock.at += timedelta(minutes=1)
    async with transaction(pool) as tx:  # as if it were of a pack that waits for longer
        await tx.execute("UPDATE cases SET policy = 'beijing-2021/1' WHERE id = $1", case_id)
    other = await closed(pool)
    assert await desk.look() == 1
    assert await archived(pool) == [other]


async def test_a_case_whose_pack_is_gone_or_that_never_had_one_follows_the_one_in_force(
    pool: Pool, clock: Clock
) -> None:
    cases = [await closed(pool), await closed(pool)]
    await pool.execute("UPDATE cases SET policy = 'gone/1' WHERE id = $1", cases[0])
    await pool.execute("UPDATE cases SET policy = NULL WHERE id = $1", cases[1])
    assert await desk_on(pool, clock).look() == 2


async def test_where_the_calendar_ends_a_case_stays_closed_and_says_so(
    pool: Pool, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    case_id = await closed(pool)
    far = Sourced(amount=300, unit=Unit.WORKING_DAYS, basis="本市规定", origin=Origin.REGULATION)
    pack = LIMITS.policy.model_copy(update={"archive": far})
    limits = replace(LIMITS, policies={pack.name: pack}, policy=pack)
    async with borrowed(pool) as conn:
        with pytest.raises(CalendarEnds):
            limits.archive_at(await store.get(conn, case_id))
    clock.at = CLOSED_AT + timedelta(days=700)
    assert await desk_on(pool, clock, lambda: limits).look() == 0
    assert await state(pool, case_id) is CaseState.CLOSED
    assert "stays out of the archive" in caplog.text


async def test_what_was_missed_while_the_service_was_down_is_caught_up_with_by_two_at_once(
    pool: Pool, clock: Clock
) -> None:
    for _ in range(45):
        await closed(pool)
    desks = desk_on(pool, clock), desk_on(pool, clock)
    assert sum(await asyncio.gather(*(desk.look() for desk in desks))) == 45
    told = await archived(pool)
    assert len(told) == len(set(told)) == 45


async def test_a_death_between_two_cases_leaves_neither_half_nor_double(
    pool: Pool, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = [await closed(pool) for _ in range(25)]
    moved, made = flow.case_moved, 0

    async def mortal(*args: Any, **more: Any) -> Any:
        nonlocal made
        made += 1
        if made == 23:
            raise Died
        return await moved(*args, **more)

    monkeypatch.setattr(flow, "case_moved", mortal)
    with pytest.raises(Died):
        await desk_on(pool, clock).look()
    assert await archived(pool) == cases[:20]
    assert await desk_on(pool, clock).look() == 5
    assert await archived(pool) == cases
    async with borrowed(pool) as conn:
        assert (await audit.verify(conn)).fault is None


async def test_a_case_that_was_opened_again_counts_from_its_new_end(
    pool: Pool, clock: Clock
) -> None:
    case_id, desk = await closed(pool), desk_on(pool, clock)
    await moves(pool, case_id, Move.REOPEN, DUE - timedelta(days=1), reason="又坏了")
    assert await desk.look() == 0
    await moves(pool, case_id, Move.WITHDRAW, DUE - timedelta(days=1), reason="误开")
    assert await desk.look() == 0
    clock.at = DUE + timedelta(days=29)
    assert await desk.look() == 1


async def test_it_is_found_by_index_however_many_cases_there_are(pool: Pool) -> None:
    await closed(pool)
    async with borrowed(pool) as conn:
        await conn.execute("SET enable_seqscan = off")
        for query in (archive_rows._POLICIES, archive_rows._CLOSED):
            given = () if "DISTINCT" in query else (LIMITS.policy.name, AT_ONCE)
            plan = await conn.fetch("EXPLAIN " + query, *given)
            assert "cases_closed" in "\n".join(row[0] for row in plan)


async def test_the_service_does_it_by_itself(pool: Pool, clock: Clock) -> None:
    case_id = await closed(pool)
    running = asyncio.create_task(desk_on(pool, clock).run())
    async with asyncio.timeout(20):
        while await state(pool, case_id) is not CaseState.ARCHIVED:  # noqa: ASYNC110 - a row
            await asyncio.sleep(0.02)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
