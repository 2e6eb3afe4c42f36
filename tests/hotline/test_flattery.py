"""Each way to make a rate look better is found, is shown, and makes no rate better."""

from datetime import UTC, datetime, timedelta

import asyncpg

from hotline import dial_orders, flow, journal
from hotline.flattery import Attempt, Trick, attempts
from hotline.journal import Event
from metrics.collect import Line
from metrics.indicators.definitions import Scope
from metrics.indicators.every import INDICATORS
from metrics.indicators.store import figures
from routing import store
from routing.cases import Case, Move, Reached, Satisfied
from tests.metrics.rows import CallRow
from tests.routing.life import LIMITS, TO_AUDIT, TO_UNIT, UNIT, data_of, maker_of

NOON = datetime(2026, 11, 2, 4, 0, tzinfo=UTC)
MONTH = timedelta(days=30)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
ENDED = (*TO_AUDIT, Move.APPROVE, Move.CLOSE)


class Story:
    """One case whose people do one thing after another."""

    def __init__(self, conn: asyncpg.Connection) -> None:
        self.conn = conn
        self.case: Case

    async def begin(self, call_id: int | None = None) -> "Story":
        async with self.conn.transaction():
            drafted = await store.open_draft(
                self.conn, call_id=call_id, line="mayor", owner="1001", now=NOON
            )
            self.case = drafted.case
            await journal.write(
                *(self.conn,),
                at=NOON,
                actor="1001",
                event=Event.CASE_DRAFTED,
                case_id=self.case.id,
                body=drafted.body,
            )
        return self

    async def go(self, *moves: Move, at: datetime = NOON, **more: object) -> "Story":
        for minute, move in enumerate(moves, start=1):
            moment = at + timedelta(minutes=minute)
            async with self.conn.transaction():
                moved = await flow.case_moved(
                    self.conn,
                    self.case.id,
                    move=move,
                    actor=maker_of(move, self.case),
                    now=moment,
                    data=data_of(move, moment, **(more if move is moves[-1] else {})),
                    limits=LIMITS,
                )
            self.case = moved.after
        return self


async def found(conn: asyncpg.Connection) -> dict[Trick, list[Attempt]]:
    everything = await attempts(conn, NOON - DAY, NOON + MONTH)
    return {trick: [it for it in everything if it.trick is trick] for trick in Trick}


async def rate(conn: asyncpg.Connection, key: str) -> tuple[float, float]:
    scope = Scope(since=NOON - DAY, until=NOON + MONTH, lines=(Line(name="mayor"),))
    figure = (await figures(conn, scope, INDICATORS))[key]
    return figure.numerator, figure.denominator


async def dialled(conn: asyncpg.Connection, story: Story, at: datetime) -> None:
    """The desk calls the caller back, and somebody answers."""
    await dial_orders.record(
        *(conn,),
        channel="out-1",
        system="mianyang-1",
        number="13890115678",
        by="1001",
        at=at,
        call_id=None,
        case_id=story.case.id,
    )
    await conn.execute(
        """INSERT INTO calls (id, system, linked_id, line, direction, started_at, answered_at,
                              ended_at, outcome)
           VALUES (900, 'mianyang-1', 'out-1', 'mayor', 'outgoing', $1, $1, $1, 'answered')""",
        at,
    )


async def test_an_honest_life_is_on_no_list(conn: asyncpg.Connection) -> None:
    story = await (await Story(conn).begin()).go(*TO_AUDIT, Move.APPROVE)
    await dialled(conn, story, NOON + HOUR)
    await story.go(Move.CLOSE, at=NOON + 2 * HOUR)
    assert not any((await found(conn)).values())
    assert await rate(conn, "satisfied") == (1, 1)


async def test_a_deleted_call_is_named_by_its_number(conn: asyncpg.Connection) -> None:
    for number in (1, 2, 3):
        await CallRow(
            id=number,
            line="mayor",
            started_at=NOON + number * HOUR,
            queued=0,
            answered=5 if number != 2 else None,
            ended=60,
            outcome="answered" if number != 2 else "abandoned",
        ).write(conn)
    await conn.execute("UPDATE call_counter SET last = 3")
    assert await rate(conn, "connect") == (2, 3)
    await conn.execute("DELETE FROM calls WHERE id = 2")
    assert await rate(conn, "connect") == (2, 3)
    (one,) = (await found(conn))[Trick.DELETED]
    assert (one.what, one.at) == ("2", NOON + HOUR)


async def test_who_closes_early_is_found_when_the_case_comes_back(
    conn: asyncpg.Connection,
) -> None:
    back = await (await Story(conn).begin()).go(*TO_AUDIT)
    await back.go(Move.REDO, at=NOON + DAY)
    again = await (await Story(conn).begin()).go(*ENDED)
    await again.go(Move.REOPEN, at=NOON + 5 * DAY)
    early = (await found(conn))[Trick.EARLY]
    assert {it.what for it in early} == {back.case.number, again.case.number}
    assert {it.unit for it in early} == {UNIT}
    assert await rate(conn, "handling") == (1, 3)  # the first life; both that came back are open
    assert await rate(conn, "redone") == (0, 1)


async def test_satisfied_without_a_call_is_found_and_not_reached_is_not_satisfied(
    conn: asyncpg.Connection,
) -> None:
    story = await (await Story(conn).begin()).go(*ENDED)
    (one,) = (await found(conn))[Trick.SATISFIED]
    assert (one.what, one.unit) == (story.case.number, UNIT)
    silent = await (await Story(conn).begin()).go(*TO_AUDIT, Move.APPROVE)
    await silent.go(Move.CLOSE, result=Reached.REACHED, satisfied=Satisfied.NOT_ANSWERED)
    assert await rate(conn, "satisfied") == (1, 1)


async def test_a_return_stops_no_clock_and_a_late_one_is_found(conn: asyncpg.Connection) -> None:
    story = await (await Story(conn).begin()).go(*TO_UNIT[:2])
    due = story.case.due_at
    assert due is not None
    await story.go(Move.ASK_RETURN, at=NOON + HOUR)
    await story.go(Move.REFUSE_RETURN, at=NOON + 2 * HOUR)
    assert story.case.due_at == due
    (one,) = (await found(conn))[Trick.RETURNED]
    assert (one.what, one.unit) == (story.case.number, UNIT)
    assert await rate(conn, "handling") == (0, 1)


async def test_an_extension_granted_after_the_limit_is_found_and_shown(
    conn: asyncpg.Connection,
) -> None:
    story = await (await Story(conn).begin()).go(*TO_UNIT)
    due = story.case.due_at
    assert due is not None
    await story.go(Move.ASK_EXTENSION, at=due - 2 * HOUR)
    await story.go(Move.GRANT_EXTENSION, at=due + HOUR)
    (one,) = (await found(conn))[Trick.EXTENDED]
    assert (one.what, one.at) == (story.case.number, due + HOUR + timedelta(minutes=1))
    scope = Scope(since=NOON - DAY, until=NOON + MONTH)
    on_time = (await figures(conn, scope, INDICATORS))["on_time"]
    assert on_time.beside["extended_due"] == on_time.denominator == 1
