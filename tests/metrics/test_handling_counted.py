"""The handling ratio: each way to flatter it is tried, and each count recomputed by hand."""

import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import asyncpg
import pytest

from metrics.collect import Handling, Item, Line, due_times, handling_of
from metrics.ledger import Ledger
from metrics.store import snapshot
from routing.calendar import load_calendar
from routing.cases import CaseState, Kind, Urgency
from routing.policy import load_policies
from tests.metrics.rows import CaseRow

REPO = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
LINES = (Line(name="mayor"), Line(name="duty"))
NAMES = [line.name for line in LINES]


def two_days(item: Item) -> datetime:
    return item.accepted_at + 2 * DAY


def item(
    *,
    accepted: datetime,
    answers: Iterable[datetime] = (),
    returns: Iterable[datetime] = (),
    withdrawn: bool = False,
) -> Item:
    return Item(
        line="mayor",
        kind=Kind.CONSULT,
        urgency=Urgency.NORMAL,
        level1=None,
        policy="p/1",
        state=CaseState.OPEN,
        accepted_at=accepted,
        withdrawn=withdrawn,
        answers=tuple(answers),
        returns=tuple(returns),
    )


def counted(*items: Item, now: datetime = NOW) -> Handling:
    return handling_of(items, ["mayor"], two_days, now)["mayor"]


def test_nothing_accepted_is_no_rate() -> None:
    assert counted().ratio.value is None


def test_an_item_not_yet_due_is_in_neither_number() -> None:
    found = counted(item(accepted=NOW - DAY, answers=[NOW - HOUR]))
    assert (found.window_due, found.window_handled) == (0, 0)
    assert (found.not_yet_due, found.not_yet_due_answered) == (1, 1)


def test_answered_in_time_is_handled_and_on_time() -> None:
    found = counted(item(accepted=NOW - 3 * DAY, answers=[NOW - 2 * DAY]))
    assert (found.due, found.handled, found.on_time) == (1, 1, 1)
    assert found.ratio.value == 1.0


def test_answered_late_is_handled_but_not_on_time() -> None:
    found = counted(item(accepted=NOW - 3 * DAY, answers=[NOW - HOUR]))
    assert (found.window_due, found.window_handled, found.window_on_time) == (1, 1, 0)
    assert found.open_overdue == 0


def test_open_past_its_time_is_overdue_and_not_handled() -> None:
    found = counted(item(accepted=NOW - 3 * DAY))
    assert (found.window_due, found.window_handled, found.open_overdue) == (1, 0, 1)


def test_withdrawing_does_not_take_an_item_out_of_the_denominator() -> None:
    found = counted(item(accepted=NOW - 3 * DAY, withdrawn=True))
    assert (found.window_due, found.window_handled, found.withdrawn) == (1, 0, 1)


def test_an_answer_sent_back_counts_no_longer_until_it_is_given_again() -> None:
    back = item(accepted=NOW - 3 * DAY, answers=[NOW - 2 * DAY], returns=[NOW - 2 * DAY + HOUR])
    found = counted(back)
    assert (found.window_handled, found.open_overdue) == (0, 1)
    again = item(
        accepted=back.accepted_at, answers=[*back.answers, NOW - HOUR], returns=back.returns
    )
    assert counted(again).window_handled == 1
    assert counted(again).on_time == 0


def test_the_period_goes_by_due_time_and_the_total_does_not() -> None:
    old = item(accepted=NOW - 40 * DAY, answers=[NOW - 39 * DAY])
    found = counted(old)
    assert (found.due, found.handled, found.window_due) == (1, 1, 0)


def test_due_exactly_now_is_due_and_exactly_thirty_days_ago_no_longer_recent() -> None:
    assert counted(item(accepted=NOW - 2 * DAY)).window_due == 1
    assert counted(item(accepted=NOW - 32 * DAY)).window_due == 0


@pytest.mark.parametrize("seed", range(20))
def test_counters_never_fall_as_time_and_moves_go_on(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - test data
    start = NOW - 20 * DAY
    moves = sorted((start + rng.random() * 20 * DAY, rng.randrange(10)) for _ in range(40))
    answers: dict[int, list[datetime]] = {n: [] for n in range(10)}
    returns: dict[int, list[datetime]] = {n: [] for n in range(10)}
    before = Handling()
    for at, number in moves:
        stands = len(answers[number]) > len(returns[number])
        (returns if stands else answers)[number].append(at)
        items = [
            item(accepted=start + n * DAY / 2, answers=answers[n], returns=returns[n])
            for n in range(10)
        ]
        found = counted(*items, now=at)
        assert found.due >= before.due
        assert found.handled >= before.handled
        assert found.on_time >= before.on_time
        before = found


async def test_rows_become_items_and_the_real_policy_dates_them(conn: asyncpg.Connection) -> None:
    policies = load_policies(REPO / "deploy" / "policies")
    name = next(iter(policies))
    calendar = load_calendar(REPO / "deploy" / "calendars")
    # Monday 2026-11-09: a consultation of that day is due on Thursday 2026-11-12.
    monday = datetime(2026, 11, 9, 1, 0, tzinfo=UTC)
    case = partial(CaseRow, line="mayor", kind="consult", policy=name, drafted_at=monday)
    rows = [
        case(  # answered directly
            state="closed",
            opened_at=monday,
            answered_at=monday,
            closed_at=monday,
            moves=(("case.closed", monday),),
        ),
        case(  # dispatched and answered on the third day
            state="answered",
            opened_at=monday,
            dispatched_at=monday,
            answered_at=monday + 2 * DAY,
            moves=(("case.opened", monday), ("case.answered", monday + 2 * DAY)),
        ),
        case(  # dispatched and answered late
            state="closed",
            opened_at=monday,
            dispatched_at=monday,
            answered_at=monday + 8 * DAY,
            closed_at=monday + 9 * DAY,
            moves=(("case.answered", monday + 8 * DAY), ("case.closed", monday + 9 * DAY)),
        ),
        case(state="dispatched", opened_at=monday, dispatched_at=monday),  # overdue
        case(  # withdrawn after it was accepted
            state="closed",
            opened_at=monday,
            closed_at=monday + DAY,
            moves=(("case.withdrawn", monday + DAY),),
        ),
        case(  # withdrawn as a draft: never accepted
            state="closed", closed_at=monday, moves=(("case.withdrawn", monday),)
        ),
        case(state="draft"),
        case(policy="lost/9", state="open", opened_at=monday),
    ]
    for row in rows:
        await row.write(conn)
    found = (
        await snapshot(conn, LINES, Ledger(NAMES, due_times(policies, calendar)), NOW)
    ).handling["mayor"]
    assert (found.window_due, found.window_handled, found.window_on_time) == (5, 3, 2)
    assert (found.open_overdue, found.withdrawn, found.undated) == (1, 1, 1)
    assert found.ratio.value == 0.6


async def test_an_item_whose_limit_leaves_the_calendar_is_undated_not_lost(
    conn: asyncpg.Connection,
) -> None:
    policies = load_policies(REPO / "deploy" / "policies")
    calendar = load_calendar(REPO / "deploy" / "calendars")
    last = datetime.combine(calendar.last, datetime.min.time(), tzinfo=UTC)
    await CaseRow(
        line="duty", state="open", policy="sichuan-2025/2", drafted_at=last, opened_at=last
    ).write(conn)
    found = await snapshot(
        conn, LINES, Ledger(NAMES, due_times(policies, calendar)), last + 30 * DAY
    )
    assert found.handling["duty"].undated == 1
