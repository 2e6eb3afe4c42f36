"""Cases that end, are reopened and end again: each life is one item, however it is counted."""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import asyncpg
import pytest

from hotline import flow, journal
from hotline.journal import Event
from metrics.collect import Handling, Line, due_times
from metrics.exporter import render
from metrics.indicators.definitions import NO_UNIT, Scope, Window
from metrics.indicators.every import BY_KEY, INDICATORS
from metrics.indicators.store import current, figures, figures_of_units
from metrics.ledger import Ledger
from metrics.store import snapshot
from routing import store
from routing.cases import Case, Move
from routing.errors import IllegalMove
from routing.moves import MOVES
from tests.metrics.test_page import PROCESS, read, value
from tests.routing.life import LIMITS, NOON, TO_AUDIT, data_of, maker_of
from tests.routing.test_histories import attempts, chosen

LINES = (Line(name="mayor"),)
RULE = due_times(LIMITS.policies, LIMITS.calendar)
DAY = timedelta(days=1)


async def drafted(conn: asyncpg.Connection) -> Case:
    found = await store.open_draft(conn, call_id=None, line="mayor", owner="1001", now=NOON)
    await journal.write(
        conn,
        at=NOON,
        actor="1001",
        event=Event.CASE_DRAFTED,
        case_id=found.case.id,
        body=found.body,
    )
    return found.case


async def make(
    conn: asyncpg.Connection, case: Case, move: Move, at: datetime, **more: object
) -> Case:
    async with conn.transaction():
        done = await flow.case_moved(
            conn,
            case.id,
            move=move,
            actor=maker_of(move, case),
            now=at,
            data=data_of(move, at, **more),
            limits=LIMITS,
        )
    return done.after


async def counted(conn: asyncpg.Connection, ledger: Ledger, now: datetime) -> Handling:
    return (await snapshot(conn, LINES, ledger, now)).handling["mayor"]


def fresh() -> Ledger:
    return Ledger(["mayor"], RULE)


async def test_a_reopened_case_is_a_new_item_and_its_first_life_stays_counted(
    conn: asyncpg.Connection,
) -> None:
    ledger = fresh()
    case = await drafted(conn)
    for move in (Move.OPEN, Move.ANSWER_DIRECTLY):
        case = await make(conn, case, move, NOON)
    late = NOON + 30 * DAY
    first = await counted(conn, ledger, late)
    assert (first.due, first.handled, first.on_time, first.open_overdue) == (1, 1, 1, 0)
    case = await make(conn, case, Move.REOPEN, NOON + DAY)
    for now_ledger in (ledger, fresh()):
        again = await counted(conn, now_ledger, late)
        assert (again.due, again.handled, again.on_time, again.open_overdue) == (2, 1, 1, 1)


@pytest.mark.parametrize(
    ("path", "handled"),
    [
        ((Move.EXPLAIN,), 0),  # of what nobody knows: no item at all
        ((Move.OPEN, Move.EXPLAIN), 1),
        ((Move.OPEN, Move.WITHDRAW), 0),
        ((*TO_AUDIT[:3],), 0),
        ((*TO_AUDIT[:3], Move.ASK_TERMINATION, Move.APPROVE_TERMINATION), 1),
        ((*TO_AUDIT,), 1),
        ((*TO_AUDIT, Move.REDO), 0),
    ],
)
async def test_handled_is_told_or_answered_and_not_redone(
    conn: asyncpg.Connection, path: tuple[Move, ...], handled: int
) -> None:
    case = await drafted(conn)
    for minute, move in enumerate(path):
        case = await make(conn, case, move, NOON + timedelta(minutes=minute))
    found = await counted(conn, fresh(), NOON + 30 * DAY)
    assert found.window_handled == handled
    assert found.window_due == (0 if path == (Move.EXPLAIN,) else 1)


async def test_a_granted_extension_is_the_new_due_time(conn: asyncpg.Connection) -> None:
    case = await drafted(conn)
    for move in TO_AUDIT[:3]:
        case = await make(conn, case, move, NOON)
    first_due = case.due_at
    assert first_due is not None
    case = await make(conn, case, Move.ASK_EXTENSION, NOON)
    await make(conn, case, Move.GRANT_EXTENSION, NOON)
    found = await counted(conn, fresh(), first_due + timedelta(hours=1))
    assert (found.due, found.not_yet_due) == (0, 1)


@pytest.mark.parametrize("seed", range(6))
async def test_counting_on_and_counting_anew_give_the_same(
    conn: asyncpg.Connection, seed: int
) -> None:
    ledger = fresh()
    cases = [await drafted(conn) for _ in range(4)]
    at = NOON
    for step, (number, _, hours, _) in enumerate(attempts(seed, 120, 3)):
        assert isinstance(number, int)
        at += timedelta(hours=hours)
        place = step % len(cases)
        try:
            move = chosen(cases[place], number)
            cases[place] = await make(conn, cases[place], move, at)
        except IllegalMove:
            continue
        if step % 10 == 0:
            now = at + 10 * DAY
            assert await counted(conn, ledger, now) == await counted(conn, fresh(), now)


@pytest.mark.parametrize("seed", range(4))
async def test_each_unit_counted_in_one_pass_is_what_it_is_when_asked_alone(
    conn: asyncpg.Connection, seed: int
) -> None:
    names = ("住建局", "城管局", "水务局")
    cases = [await drafted(conn) for _ in range(6)]
    at = NOON
    for step, (number, _, hours, _) in enumerate(attempts(seed, 200, 3)):
        assert isinstance(number, int)
        at += timedelta(hours=hours)
        place = step % len(cases)
        move = chosen(cases[place], number)
        sent = {"unit": names[step % 3]} if "unit" in MOVES[move].carries else {}
        with suppress(IllegalMove):
            cases[place] = await make(conn, cases[place], move, at, **sent)
    scope = Scope(since=NOON - DAY, until=at + 10 * DAY, lines=LINES)
    whole, told = await figures_of_units(conn, scope, INDICATORS, (*names, "nobody"))
    assert whole == await figures(conn, scope, INDICATORS)
    for name, found in told.items():
        assert found == await figures(conn, replace(scope, unit=name), INDICATORS), name
    shares = [told[name]["signed_in_time"].denominator for name in names]
    assert 0 < max(shares) < sum(shares) == whole["signed_in_time"].denominator
    now = scope.until
    units = (await current(conn, LINES, now)).units
    month = Scope(since=now - Window.MONTH.length, until=now)
    on_time = [BY_KEY["on_time"]]
    for name, figure in units.items():
        if name != NO_UNIT:
            alone = await figures(conn, replace(month, unit=name), on_time)
            assert figure == alone["on_time"], name
    (all_of_them,) = (await figures(conn, month, on_time)).values()
    assert sum(it.numerator for it in units.values()) == all_of_them.numerator
    assert sum(it.denominator for it in units.values()) == all_of_them.denominator > 0
    series = read(render(await snapshot(conn, LINES, fresh(), now), PROCESS)[0])
    for name, figure in units.items():
        assert value(series, "hotline_unit_window_due", unit=name) == figure.denominator
        assert value(series, "hotline_unit_window_on_time", unit=name) == figure.numerator
