"""Cases of one matter over a real database: repeats are counted, members told what came of it."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hotline import flow, repeats
from hotline.casework import load_casework
from hotline.config import Config
from hotline.database import Pool, borrowed, transaction
from hotline.following import FollowDesk
from hotline.jobs import JobName
from hotline.likeness import LikenessDesk
from routing import store
from routing.cases import (
    Actor,
    Case,
    CaseState,
    Explanation,
    Kind,
    Move,
    MoveData,
    Outcome,
    Reached,
    Role,
    Satisfied,
    Solved,
    Truth,
    Urgency,
)
from routing.errors import IllegalMove
from tests.hotline.story import at, call, events

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
UNIT = "市水务（集团）有限公司"
EVERYBODY = Actor(name="1001", roles=frozenset(Role) - {Role.SYSTEM})
LIMITS = load_casework(Config()).limits

CONFIRMED = {"kind": Kind.COMPLAINT, "urgency": Urgency.NORMAL, "level1": "城乡建设"}


class Town:
    """Calls and people of one database."""

    def __init__(self, pool: Pool) -> None:
        self.pool, self.now, self.last = pool, NOON, 0
        self.following = FollowDesk(pool=pool, limits=lambda: LIMITS, clock=lambda: self.now)

    async def rings(self, caller: int, words: str) -> int:
        """Somebody rings, and the operator writes down a draft; returns the case."""
        self.last += 1
        moment = timedelta(minutes=self.last)
        ended = call(self.last, caller_number=f"1381234{caller:04d}", started_at=at(0) + moment)
        async with transaction(self.pool) as tx:
            call_id = await flow.call_told(tx, events(ended))
        async with transaction(self.pool) as tx:
            case = await store.of_call(tx, call_id)
            assert case is not None
            await tx.execute("UPDATE cases SET summary = $2 WHERE id = $1", case.id, words)
        return case.id

    async def makes(self, case_id: int, move: Move, **data: Any) -> Case:
        self.now += timedelta(minutes=1)
        async with transaction(self.pool) as tx:
            moved = await flow.case_moved(
                tx,
                case_id,
                move=move,
                actor=EVERYBODY,
                now=self.now,
                data=MoveData(**data),
                limits=LIMITS,
            )
        return moved.after

    async def opened(self, caller: int, words: str) -> int:
        case_id = await self.rings(caller, words)
        await self.makes(case_id, Move.OPEN, **CONFIRMED)
        return case_id

    async def answered(self, case_id: int) -> None:
        await self.makes(case_id, Move.DISPATCH, unit=UNIT)
        await self.makes(case_id, Move.SIGN)
        await self.makes(
            case_id,
            Move.ANSWER,
            reply="已抢修",
            public_reply="水管已修好，今晚来水",
            truth=Truth.YES,
            publish=True,
            solved=Solved.YES,
            contacted_at=self.now,
        )

    async def case(self, case_id: int) -> Case:
        async with borrowed(self.pool) as conn:
            return await store.get(conn, case_id)

    async def jobs(self) -> list[dict[str, Any]]:
        """The waiting jobs that let members follow, taken out of the queue."""
        async with transaction(self.pool) as tx:
            rows = await tx.fetch(
                "DELETE FROM pgqueuer WHERE entrypoint = $1 RETURNING payload", JobName.FOLLOW
            )
        return [json.loads(row["payload"]) for row in rows]

    async def told(self, case_id: int, event: str) -> list[dict[str, Any]]:
        async with borrowed(self.pool) as conn:
            rows = await conn.fetch(
                "SELECT body FROM journal WHERE case_id = $1 AND event = $2 ORDER BY id",
                *(case_id, event),
            )
        return [json.loads(row["body"]) for row in rows]


@pytest.fixture
def town(pool: Pool) -> Town:
    return Town(pool)


SAME = {
    "explanation": Explanation.SAME_MATTER,
    "reason": "同一事项正在办理",
    "channel": "已告知办理进度",
}


async def test_a_callers_repeat_is_offered_linked_and_counted(town: Town, pool: Pool) -> None:
    first = await town.opened(1, "阳光花园停水一整天，水管爆了")
    other = await town.opened(2, "麻将馆半夜扰民")
    await town.rings(1, "想问公积金怎么提取")
    again = await town.rings(1, "阳光花园还在停水，水管没人修")
    await LikenessDesk(pool=pool, clock=lambda: NOON, every=1.0).look()
    async with borrowed(pool) as conn:
        found = await repeats.related(conn, again, town.now)
    assert found.of_caller[0].case_id == first
    assert any("阳光花园" in word for word in found.of_caller[0].words)
    assert other not in {one.case_id for one in (*found.of_caller, *found.alike)}

    await town.makes(again, Move.EXPLAIN, same_as=first, **SAME)
    linked = await town.case(again)
    assert (linked.outcome, linked.unit) == (Outcome.EXPLAINED, None)
    [row] = await town.told(first, "case.repeated")
    assert (row["repeats"], row["by_the_caller"]) == (1, 1)
    stranger = await town.rings(9, "阳光花园停水")
    await town.makes(stranger, Move.EXPLAIN, same_as=first, **SAME)
    async with borrowed(pool) as conn:
        assert await repeats.times(conn, first) == repeats.Repeated(all=2, by_the_caller=1)
    await town.makes(stranger, Move.REOPEN, reason="另一处水管")
    async with borrowed(pool) as conn:
        assert await repeats.times(conn, first) == repeats.Repeated(all=1, by_the_caller=1)


async def test_all_callers_of_a_group_are_told_what_came_of_it(town: Town, pool: Pool) -> None:
    lead, member = await town.opened(1, "停水"), await town.opened(2, "停水")
    at_unit, alone = await town.opened(3, "停水"), await town.opened(4, "停水")
    await town.makes(at_unit, Move.DISPATCH, unit=UNIT)
    for one in (member, at_unit, alone):
        assert (await town.makes(one, Move.JOIN, lead=lead)).lead == lead
    await town.makes(alone, Move.LEAVE, reason="不是同一处")
    with pytest.raises(IllegalMove, match="goes with case"):
        await town.makes(member, Move.DISPATCH, unit=UNIT)
    rows = await town.told(lead, "case.grouped")
    assert [row["members"] for row in rows] == [1, 2, 3, 2]
    await town.answered(lead)
    assert await town.jobs() == []
    await town.makes(lead, Move.APPROVE)
    [job] = await town.jobs()
    await town.following.follow(job)
    await town.following.follow(job)
    for one in (member, at_unit):
        case = await town.case(one)
        assert (case.state, case.unit) == (CaseState.CALLING_BACK, UNIT)
        assert len(await town.told(one, "case.followed")) == 1
    assert (await town.case(alone)).state is CaseState.OPEN
    async with borrowed(pool) as conn:
        text = await conn.fetchval(
            "SELECT text FROM case_texts WHERE case_id = $1 AND sort = 'public_reply'", member
        )
    assert text == "水管已修好，今晚来水"
    said = {"result": Reached.REACHED, "solved": Solved.NO, "satisfied": Satisfied.DISSATISFIED}
    assert (await town.makes(member, Move.CLOSE, **said)).satisfied is Satisfied.DISSATISFIED
    redone = await town.makes(at_unit, Move.REDO, reason="来电人说仍停水")
    assert (redone.state, redone.lead) == (CaseState.HANDLING, None)


async def test_members_of_a_lead_that_ends_without_a_unit_are_told_too(town: Town) -> None:
    lead, member = await town.opened(1, "何时来水"), await town.opened(2, "何时来水")
    await town.makes(member, Move.JOIN, lead=lead)
    await town.makes(lead, Move.ANSWER_DIRECTLY, reply="今晚八点来水")
    [job] = await town.jobs()
    await town.following.follow(job)
    case = await town.case(member)
    assert (case.state, case.unit) == (CaseState.CALLING_BACK, None)
    with pytest.raises(IllegalMove, match="no unit handled it"):
        await town.makes(member, Move.REDO, reason="不对")


async def test_nothing_is_left_without_a_lead(town: Town) -> None:
    lead, member = await town.opened(1, "停水"), await town.opened(2, "停水")
    third, draft = await town.opened(3, "停水"), await town.rings(4, "停水")
    await town.makes(member, Move.JOIN, lead=lead)
    for move, data, why in (
        (Move.WITHDRAW, {"reason": "误登"}, "other cases go with it"),
        (Move.JOIN, {"lead": third}, "other cases go with it"),
        (Move.EXPLAIN, {**SAME, "same_as": third}, "other cases go with it"),
    ):
        with pytest.raises(IllegalMove, match=why):
            await town.makes(lead, move, **data)
    with pytest.raises(IllegalMove, match="itself goes with another"):
        await town.makes(third, Move.JOIN, lead=member)
    with pytest.raises(IllegalMove, match="nothing can go with"):
        await town.makes(third, Move.JOIN, lead=draft)
    with pytest.raises(IllegalMove, match="with itself"):
        await town.makes(third, Move.JOIN, lead=third)
    with pytest.raises(IllegalMove, match="there is no case"):
        await town.makes(third, Move.JOIN, lead=99999)
    await town.answered(lead)
    await town.makes(lead, Move.APPROVE)
    with pytest.raises(IllegalMove, match="nothing can go with"):
        await town.makes(third, Move.JOIN, lead=lead)


async def test_two_who_let_each_go_with_the_other_leave_one_lead(town: Town) -> None:
    one, other = await town.opened(1, "停水"), await town.opened(2, "停水")

    async def joins(case_id: int, lead: int) -> bool:
        try:
            await town.makes(case_id, Move.JOIN, lead=lead)
        except IllegalMove:
            return False
        return True

    assert sorted(await asyncio.gather(joins(one, other), joins(other, one))) == [False, True]


async def test_who_joins_while_the_lead_is_approved_is_refused_or_told(town: Town) -> None:
    """Whichever of the two commits first: no member waits for ever."""
    lead, member = await town.opened(1, "停水"), await town.opened(2, "停水")
    await town.answered(lead)
    results = await asyncio.gather(
        town.makes(member, Move.JOIN, lead=lead),
        town.makes(lead, Move.APPROVE),
        return_exceptions=True,
    )
    for job in await town.jobs():
        await town.following.follow(job)
    joined = not isinstance(results[0], BaseException)
    state = (await town.case(member)).state
    assert state is (CaseState.CALLING_BACK if joined else CaseState.OPEN)
    assert not isinstance(results[1], BaseException)
