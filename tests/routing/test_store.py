import asyncio
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing import store, text_store, unit_store
from routing.cases import (
    Actor,
    CaseState,
    Kind,
    Move,
    MoveData,
    Reached,
    Role,
    Urgency,
)
from routing.connection import Connection
from routing.errors import CaseConflict, CaseUnknown, IllegalMove
from routing.moves import MOVES
from routing.moving import moved
from routing.suggestions import Suggestion
from tests.routing.life import ANYBODY as DESK_FOR_ALL
from tests.routing.life import LIMITS, OTHER, TO_AUDIT, data_of, maker_of

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
DESK = Actor(name="1001", roles=frozenset({Role.OPERATOR, Role.DISPATCHER}))
ANYBODY = Actor(name="1002", roles=DESK_FOR_ALL.roles)
CONFIRMED = MoveData(kind=Kind.HELP, urgency=Urgency.NORMAL, level1="城乡建设")
TO_UNIT = MoveData(unit="市城市管理行政执法局")
DIRECT = MoveData(kind=Kind.HELP, level1="城乡建设", reply="已修好")
REPEATED = MoveData(reason="重复")


async def make(  # noqa: PLR0917 - as the store's own
    conn: Connection,
    case_id: int,
    step: Move,
    actor: Actor,
    now: datetime,
    data: MoveData | None = None,
    *,
    expected: CaseState | None = None,
) -> store.Moved:
    return await store.move(conn, case_id, step, actor, now, data, limits=LIMITS, expected=expected)


def suggestion(level1: str = "环境保护", rules: str = "general-cn/1") -> Suggestion:
    return Suggestion(
        level1=level1,
        confidence=0.7,
        kind=Kind.COMPLAINT,
        urgency=Urgency.URGENT,
        area="安州区",
        unit="安州区生态环境局",
        rules_version=rules,
    )


async def call(conn: Connection, number: int = 1) -> int:
    await conn.fetch(
        "INSERT INTO calls (id, system, linked_id, line, started_at)"
        " VALUES ($1, 'test-1', $2, 'mayor', $3)",
        number,
        f"test-1-{number}",
        NOON,
    )
    return number


async def drafted(conn: Connection) -> int:
    done = await store.open_draft(conn, call_id=None, line="mayor", owner="1001", now=NOON)
    return done.case.id


async def test_a_call_has_one_draft_however_often_it_is_asked(conn: asyncpg.Connection) -> None:
    call_id = await call(conn)
    first = await store.open_draft(conn, call_id=call_id, line="mayor", owner="1001", now=NOON)
    again = await store.open_draft(
        conn, call_id=call_id, line="mayor", owner="1002", now=NOON + timedelta(hours=1)
    )
    assert first.created
    assert not again.created
    assert again.case == first.case
    assert first.case.state is CaseState.DRAFT
    assert await store.get_by_number(conn, first.case.number) == first.case
    assert await store.of_call(conn, call_id) == first.case


async def test_two_at_once_draft_one_case(pool: Pool) -> None:
    async with pool.acquire() as conn:
        call_id = await call(conn)

    async def draft(owner: str) -> store.Drafted:
        async with pool.acquire() as conn, conn.transaction():
            return await store.open_draft(
                conn, call_id=call_id, line="mayor", owner=owner, now=NOON
            )

    results = await asyncio.gather(*(draft(str(n)) for n in range(6)))
    assert [it.created for it in results].count(True) == 1
    assert len({it.case.id for it in results}) == 1


async def test_a_case_without_a_call_is_always_new(conn: asyncpg.Connection) -> None:
    assert await drafted(conn) != await drafted(conn)


async def test_the_whole_way_and_what_each_step_leaves(conn: asyncpg.Connection) -> None:
    case_id = await drafted(conn)
    events = []
    for minute, (step, data) in enumerate(
        [
            (Move.OPEN, CONFIRMED),
            (Move.DISPATCH, TO_UNIT),
            (Move.SIGN, None),
            (Move.ANSWER, data_of(Move.ANSWER)),
            (Move.APPROVE, None),
            (Move.CLOSE, data_of(Move.CLOSE)),
        ]
    ):
        now = NOON + timedelta(minutes=minute)
        done = await make(conn, case_id, step, ANYBODY, now, data)
        assert done.after == await store.get(conn, case_id)
        events.append(done.event)
    assert events == [
        f"case.{word}"
        for word in ("opened", "dispatched", "signed", "answered", "approved", "closed")
    ]
    case = await store.get(conn, case_id)
    assert case.policy == LIMITS.policy.name
    assert case.opened_at == NOON
    assert case.closed_at == NOON + timedelta(minutes=5)
    assert case.answered_at == NOON + timedelta(minutes=3)


async def test_a_move_tells_the_journal_what_changed(conn: asyncpg.Connection) -> None:
    case_id = await drafted(conn)
    await make(conn, case_id, Move.OPEN, DESK, NOON, CONFIRMED)
    done = await make(conn, case_id, Move.WITHDRAW, DESK, NOON, MoveData(reason="来电人撤回"))
    assert done.event == "case.withdrawn"
    assert done.body["from"] == "open"
    assert done.body["to"] == "closed"
    assert "来电人撤回" not in str(done.body)
    assert set(done.body["texts"]) == {"reason"}
    assert done.body["changes"]["state"] == "closed"


async def test_an_illegal_move_changes_nothing(conn: asyncpg.Connection) -> None:
    case_id = await drafted(conn)
    before = await conn.fetchrow("SELECT * FROM cases WHERE id = $1", case_id)
    with pytest.raises(IllegalMove):
        await make(conn, case_id, Move.CLOSE, ANYBODY, NOON)
    assert await conn.fetchrow("SELECT * FROM cases WHERE id = $1", case_id) == before


async def test_who_saw_an_older_state_gets_a_conflict(conn: asyncpg.Connection) -> None:
    case_id = await drafted(conn)
    await make(conn, case_id, Move.OPEN, DESK, NOON, CONFIRMED)
    with pytest.raises(CaseConflict, match="is now open"):
        await make(conn, case_id, Move.WITHDRAW, DESK, NOON, REPEATED, expected=CaseState.DRAFT)


async def test_of_two_at_once_exactly_one_wins(pool: Pool) -> None:
    async with pool.acquire() as conn:
        case_id = await drafted(conn)
        await make(conn, case_id, Move.OPEN, DESK, NOON, CONFIRMED)

    async def dispatch(unit: str) -> str:
        async with pool.acquire() as conn, conn.transaction():
            await make(
                conn,
                case_id,
                Move.DISPATCH,
                DESK,
                NOON,
                MoveData(unit=unit),
                expected=CaseState.OPEN,
            )
            return unit

    results = await asyncio.gather(
        *(dispatch(f"单位{n}") for n in range(6)), return_exceptions=True
    )
    winners = [it for it in results if isinstance(it, str)]
    losers = [it for it in results if not isinstance(it, str)]
    assert len(winners) == 1
    assert all(isinstance(it, CaseConflict) for it in losers), losers
    async with pool.acquire() as conn:
        assert (await store.get(conn, case_id)).unit == winners[0]


async def test_the_second_waits_for_the_first_and_then_loses(pool: Pool) -> None:
    """Both have read the open case; the first commits while the second's update waits."""
    async with pool.acquire() as first, pool.acquire() as second, pool.acquire() as watcher:
        case_id = await drafted(first)
        await make(first, case_id, Move.OPEN, DESK, NOON, CONFIRMED)
        mine = first.transaction()
        await mine.start()
        await make(first, case_id, Move.DISPATCH, DESK, NOON, TO_UNIT)
        late = asyncio.create_task(make(second, case_id, Move.ANSWER_DIRECTLY, DESK, NOON, DIRECT))
        await blocked(watcher)
        await mine.commit()
        with pytest.raises(CaseConflict, match="is now dispatched"):
            await late


async def test_when_the_first_gives_up_the_second_wins(pool: Pool) -> None:
    async with pool.acquire() as first, pool.acquire() as second, pool.acquire() as watcher:
        case_id = await drafted(first)
        await make(first, case_id, Move.OPEN, DESK, NOON, CONFIRMED)
        mine = first.transaction()
        await mine.start()
        await make(first, case_id, Move.DISPATCH, DESK, NOON, TO_UNIT)
        late = asyncio.create_task(make(second, case_id, Move.ANSWER_DIRECTLY, DESK, NOON, DIRECT))
        await blocked(watcher)
        await mine.rollback()
        assert (await late).after.state is CaseState.CLOSED


WAITING = """
    SELECT count(*) FROM pg_stat_activity
     WHERE wait_event_type = 'Lock' AND datname = current_database()"""


async def blocked(watcher: Connection) -> None:
    """Return once some connection waits for another's row."""
    async with asyncio.timeout(30):
        while not await watcher.fetchval(WAITING):  # noqa: ASYNC110 - the fact is the server's
            await asyncio.sleep(0)


async def test_a_suggestion_fills_a_draft_and_only_a_draft(conn: asyncpg.Connection) -> None:
    case_id = await drafted(conn)
    applied = await store.apply_suggestion(conn, case_id, suggestion())
    assert applied.changed
    assert applied.case.level1 == "环境保护"
    assert applied.case.urgency is Urgency.URGENT
    again = await store.apply_suggestion(conn, case_id, suggestion())
    assert not again.changed
    assert again.case == applied.case
    await make(conn, case_id, Move.OPEN, DESK, NOON, CONFIRMED)
    late = await store.apply_suggestion(conn, case_id, suggestion("交通运输", "general-cn/2"))
    assert late.changed
    assert late.case.level1 == "城乡建设"
    assert late.case.kind is Kind.HELP
    stored = await store.suggestion_of(conn, case_id)
    assert stored is not None
    assert stored["level1"] == "交通运输"


async def test_what_the_words_suggest_a_person_may_simply_confirm(
    conn: asyncpg.Connection,
) -> None:
    case_id = await drafted(conn)
    await store.apply_suggestion(conn, case_id, suggestion())
    opened = await make(conn, case_id, Move.OPEN, DESK, NOON)
    assert opened.after.kind is Kind.COMPLAINT
    sent = await make(conn, case_id, Move.DISPATCH, DESK, NOON)
    assert sent.after.unit == "安州区生态环境局"


async def test_what_is_not_there_is_said_in_one_sentence(conn: asyncpg.Connection) -> None:
    with pytest.raises(CaseUnknown, match="no case with the id 99"):
        await store.get(conn, 99)
    with pytest.raises(CaseUnknown, match="no case with this number"):
        await store.get_by_number(conn, "20261123-000042-0'; DROP TABLE cases; --")
    with pytest.raises(CaseUnknown):
        await store.apply_suggestion(conn, 99, suggestion())
    with pytest.raises(CaseUnknown):
        await make(conn, 99, Move.OPEN, DESK, NOON)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(attempts=st.lists(st.sampled_from(Move), max_size=25))
async def test_the_stored_case_is_what_the_moves_make_of_it(
    conn: asyncpg.Connection, attempts: list[Move]
) -> None:
    lead = await drafted(conn)
    await make(conn, lead, Move.OPEN, DESK, NOON, data_of(Move.OPEN))
    case = await store.get(conn, await drafted(conn))
    for minute, step in enumerate(attempts):
        now = NOON + timedelta(minutes=minute)
        goes_with = {"lead": lead} if step is Move.JOIN else {}
        actor, data = maker_of(step, case), data_of(step, now, **goes_with)
        try:
            expected = moved(case, step, actor, data, now, LIMITS)
        except IllegalMove:
            with pytest.raises(IllegalMove):
                await make(conn, case.id, step, actor, now, data)
            continue
        done = await make(conn, case.id, step, actor, now, data)
        assert done.event == MOVES[step].event
        assert done.after == expected
        case = done.after
    assert await store.get(conn, case.id) == case


async def test_what_is_written_with_a_move_is_kept_word_for_word(
    conn: asyncpg.Connection,
) -> None:
    case_id = await drafted(conn)
    for step in TO_AUDIT[:-1]:
        await make(conn, case_id, step, ANYBODY, NOON, data_of(step))
    replies = ("已修复，请拨打0816-2345678", "第二次答复" * 800)
    for hour, reply in enumerate(replies, start=1):
        at = NOON + timedelta(hours=hour)
        await make(conn, case_id, Move.ANSWER, ANYBODY, at, data_of(Move.ANSWER, reply=reply))
        if hour == 1:
            await make(conn, case_id, Move.REDO, ANYBODY, at, MoveData(reason="太笼统"))
    texts = await text_store.texts_of(conn, case_id)
    written = [(it.at, it.actor, it.move, it.sort, it.text) for it in texts]
    assert written == [
        (NOON + timedelta(hours=1), "1002", Move.ANSWER, "reply", replies[0]),
        (NOON + timedelta(hours=1), "1002", Move.ANSWER, "public_reply", "已修好"),
        (NOON + timedelta(hours=1), "1002", Move.REDO, "reason", "太笼统"),
        (NOON + timedelta(hours=2), "1002", Move.ANSWER, "reply", replies[1]),
        (NOON + timedelta(hours=2), "1002", Move.ANSWER, "public_reply", "已修好"),
    ]


async def test_a_move_that_is_refused_keeps_nothing_written(conn: asyncpg.Connection) -> None:
    case_id = await drafted(conn)
    with pytest.raises(IllegalMove):
        await make(conn, case_id, Move.ANSWER, ANYBODY, NOON, data_of(Move.ANSWER))
    assert await text_store.texts_of(conn, case_id) == ()


async def test_units_beside_the_lead_are_shown_with_their_word_or_silence(
    conn: asyncpg.Connection,
) -> None:
    case_id = await drafted(conn)
    await make(conn, case_id, Move.OPEN, DESK, NOON, CONFIRMED)
    asked = MoveData(units=(OTHER, "市公安局"), reason="职责交叉")
    await make(conn, case_id, Move.CONSULT, DESK, NOON, asked)
    later = NOON + timedelta(hours=2)
    await make(conn, case_id, Move.COMMENT, ANYBODY, later, data_of(Move.COMMENT))
    await make(conn, case_id, Move.CONCLUDE, DESK, later, MoveData(ruling="由城管局主办"))
    helped = MoveData(unit="市城市管理行政执法局", helpers=(OTHER,))
    await make(conn, case_id, Move.DISPATCH, DESK, later, helped)
    await make(conn, case_id, Move.SIGN, ANYBODY, later)
    feedback = data_of(Move.HELPER_FEEDBACK)
    await make(conn, case_id, Move.HELPER_FEEDBACK, ANYBODY, later, feedback)
    parts = await unit_store.parts_of(conn, case_id)
    assert [(it.unit, it.part, it.answered_at, it.ended_at) for it in parts] == [
        (OTHER, "consulted", later, later),
        ("市公安局", "consulted", None, later),
        (OTHER, "helper", later, None),
    ]


async def test_a_move_refers_to_evidence_and_cases_that_are_there(
    conn: asyncpg.Connection,
) -> None:
    case_id = await drafted(conn)
    told = {"explanation": "same_matter", "reason": "在办", "channel": "已告知进度"}
    with pytest.raises(CaseUnknown):
        await make(conn, case_id, Move.EXPLAIN, DESK, NOON, MoveData(**told, same_as=99))  # type: ignore[arg-type]
    for step in TO_AUDIT[:-1]:
        await make(conn, case_id, step, ANYBODY, NOON, data_of(step))
    with pytest.raises(IllegalMove, match="no evidence with the id 7"):
        await make(conn, case_id, Move.ANSWER, ANYBODY, NOON, data_of(Move.ANSWER, evidence=(7,)))


async def test_two_changes_that_keep_the_state_do_not_overwrite_each_other(pool: Pool) -> None:
    async with pool.acquire() as conn:
        case_id = await drafted(conn)
        for step in (*TO_AUDIT, Move.APPROVE):
            await make(conn, case_id, step, ANYBODY, NOON, data_of(step))

    async def change(step: Move, data: MoveData) -> Move:
        async with pool.acquire() as conn, conn.transaction():
            await make(conn, case_id, step, ANYBODY, NOON, data)
            return step

    tried = MoveData(result=Reached.NOT_REACHED)
    results = await asyncio.gather(
        *(change(Move.CALL_BACK_TRIED, tried) for _ in range(6)),
        change(Move.RAISE_LEVEL, REPEATED),
        return_exceptions=True,
    )
    done = [it for it in results if isinstance(it, Move)]
    assert all(isinstance(it, CaseConflict) for it in results if not isinstance(it, Move))
    async with pool.acquire() as conn:
        case = await store.get(conn, case_id)
    assert case.call_back_tries == done.count(Move.CALL_BACK_TRIED)
    assert case.level == done.count(Move.RAISE_LEVEL)
    assert case.version == len((*TO_AUDIT, Move.APPROVE)) + len(done)
