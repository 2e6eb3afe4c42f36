"""The ledger of closed items counts exactly as the definition does, at every moment."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.collect import HANDLING_WINDOW, Item, Line, due_times, handling_of
from metrics.ledger import Ledger
from metrics.store import snapshot
from routing.calendar import load_calendar
from routing.cases import CaseState, Kind, Urgency
from routing.deadlines import due
from routing.errors import CalendarEnds
from routing.policy import load_policies
from tests.metrics.rows import CaseRow

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
LINES = ("mayor", "duty")
REPO = Path(__file__).resolve().parents[2]
MONTHS = timedelta(days=120)
moments = st.timedeltas(-MONTHS / 2, MONTHS / 2).map(lambda step: NOW + step)
MICROSECOND = timedelta(microseconds=1)


@st.composite
def items(draw: st.DrawFn) -> Item:
    accepted = draw(moments)
    steps = draw(st.lists(st.timedeltas(timedelta(), timedelta(days=60)), max_size=4))
    answers = sorted(accepted + step for step in steps)
    returns = [at + timedelta(minutes=1) for at in answers[:-1]]
    withdrawn = not answers or draw(st.booleans())
    if withdrawn and answers:
        returns.append(answers[-1] + timedelta(minutes=1))
    return Item(
        line=draw(st.sampled_from([*LINES, "other"])),
        kind=Kind.HELP,
        urgency=Urgency.NORMAL,
        level1=draw(st.sampled_from([None, "x"])),
        policy="p/1",
        state=CaseState.CLOSED,
        accepted_at=accepted,
        withdrawn=withdrawn,
        answers=tuple(answers),
        returns=tuple(returns),
    )


def rule(item: Item) -> datetime | None:
    return None if item.level1 else item.accepted_at + timedelta(days=7)


@given(
    st.lists(items(), max_size=30), st.integers(0, 30), st.timedeltas(timedelta(), timedelta(60))
)
def test_the_ledger_counts_as_the_definition_does(
    closed: list[Item], first: int, later: timedelta
) -> None:
    """The ledger is asked after everything was closed, as it always is."""
    ends = (at for item in closed for at in (*item.answers, *item.returns, item.accepted_at))
    now = max(ends, default=NOW) + later
    ledger = Ledger(LINES, rule)
    ledger.settle(closed[:first], 1)
    ledger.settle(closed[first:], 2)
    assert ledger.count([], now) == handling_of(closed, LINES, rule, now)


@pytest.mark.parametrize("shift", [timedelta(), MICROSECOND, -MICROSECOND])
def test_edges_of_due_time_and_window_fall_on_the_same_side(shift: timedelta) -> None:
    closed = Item(
        line="mayor",
        kind=Kind.HELP,
        urgency=Urgency.NORMAL,
        level1=None,
        policy="p/1",
        state=CaseState.CLOSED,
        accepted_at=NOW - timedelta(days=7),
        withdrawn=False,
        answers=(NOW - timedelta(days=7),),
    )
    for now in (NOW + shift, NOW + HANDLING_WINDOW + shift):
        ledger = Ledger(LINES, rule)
        ledger.settle([closed], 1)
        assert ledger.count([], now) == handling_of([closed], LINES, rule, now)


async def test_what_is_closed_later_is_taken_in_once(conn: asyncpg.Connection) -> None:
    lines = [Line(name=name) for name in LINES]
    ledger = Ledger(LINES, rule)
    long_ago = NOW - timedelta(days=10)
    for round_number in range(1, 4):
        for line in LINES:
            await CaseRow(
                line=line,
                state="closed",
                level1=None,
                drafted_at=long_ago,
                opened_at=long_ago,
                closed_at=long_ago,
                moves=(("case.closed", long_ago),),
            ).write(conn)
        for _ in range(2):
            found = (await snapshot(conn, lines, ledger, NOW)).handling
            anew = (await snapshot(conn, lines, Ledger(LINES, rule), NOW)).handling
            assert found == anew
            assert found["mayor"].window_handled == round_number


def test_due_times_remembered_by_day_are_those_of_the_deadlines() -> None:
    policies = load_policies(REPO / "deploy" / "policies")
    calendar = load_calendar(REPO / "deploy" / "calendars")
    quick = due_times(policies, calendar)
    rng = random.Random(7)  # noqa: S311 - test data
    for _ in range(3000):
        name = rng.choice(list(policies))
        item = Item(
            line=rng.choice(LINES),
            kind=rng.choice(list(Kind)),
            urgency=rng.choice(list(Urgency)),
            level1=rng.choice([None, "城乡建设"]),
            policy=name,
            state=CaseState.OPEN,
            accepted_at=datetime(2026, 1, 1, tzinfo=UTC)
            + timedelta(seconds=rng.randrange(364 * 86400)),
            withdrawn=False,
        )
        try:
            expected: datetime | None = due(
                item.kind,
                item.urgency,
                item.accepted_at,
                policies[name],
                calendar,
                line=item.line,
                level1=item.level1,
            )
        except CalendarEnds:
            expected = None
        assert quick(item) == expected
