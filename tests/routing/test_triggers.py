"""What brings a matter under supervision: nothing overdue gets by, whatever its history was."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing import triggers
from routing.cases import Kind, Move
from routing.clock_facts import Moved, facts_of
from routing.clocks import Clock, clocks_of
from routing.deadlines import Standing
from routing.limits import Stage
from routing.supervision_rules import OURS, Trigger
from routing.triggers import Burst, Occasion, Related, versions_of
from tests.routing.life import LIMITS, NOON, UNIT, data_of, maker_of
from tests.routing.test_histories import SEEDS, History, attempts, lived

MINUTE = timedelta(minutes=1)
OVER = frozenset({"closed", "archived"})
Key = tuple[Stage, datetime, datetime]


def occasions(history: History, now: datetime) -> tuple[Occasion, ...]:
    versions = versions_of(zip(history.at, history.rows, strict=True))
    found = triggers.spent_clocks(versions, LIMITS, now)
    return triggers.occasions_of(versions, found.spent, OURS)


def clock_keys(found: Iterable[Occasion]) -> set[str]:
    return {one.key for one in found if one.ends_at is not None}


def overdue_at(history: History, n: int, now: datetime) -> Iterable[Clock]:
    """The clocks that anybody who looks at the case at that moment would find overdue.

    Found as the clocks' own address finds them: from the facts as they stood, not by triggers.py.
    """
    case = history.after[n]
    policy = LIMITS.of(case) or LIMITS.policy
    moves = [
        Moved(at=at, to=after.state)
        for at, after in zip(history.at[1 : n + 1], history.after[1 : n + 1], strict=True)
    ]
    facts = facts_of(case, moves)
    here = tuple(one for one in facts.stages if one.left_at is None)
    for clock in clocks_of(replace(facts, stages=here), policy, LIMITS.calendar).clocks:
        if clock.standing(now) is Standing.OVERDUE:
            yield clock


def seen_overdue(history: History, now: datetime) -> set[str]:
    """Everything that was overdue at the last moment before each change, and is now."""
    until = [*(at - timedelta(microseconds=1) for at in history.at[1:]), now]
    return {
        f"{clock.stage} {clock.starts_at.isoformat()} {clock.ends_at.isoformat()}"
        for n, moment in enumerate(until)
        if moment >= history.at[n]
        for clock in overdue_at(history, n, moment)
    }


@settings(max_examples=150, deadline=None)
@given(
    seed=SEEDS,
    steps=st.integers(1, 50),
    hours=st.sampled_from((1, 12, 90)),
    later=st.integers(0, 400),
)
def test_nothing_that_was_ever_overdue_is_without_an_occasion(
    seed: int, steps: int, hours: int, later: int
) -> None:
    history = lived(attempts(seed, steps, hours))
    now = history.now + timedelta(hours=later)
    found = occasions(history, now)
    keys = clock_keys(found)
    assert seen_overdue(history, now) <= keys
    for one in found:
        assert NOON <= one.since <= now
        if one.ends_at is not None:
            assert one.ends_at <= one.since
            assert (one.trigger is Trigger.NOT_SIGNED) == (one.stage is Stage.SIGN)


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, steps=st.integers(1, 40), hours=st.sampled_from((12, 90)))
def test_looking_often_and_looking_once_at_the_end_find_the_same(
    seed: int, steps: int, hours: int
) -> None:
    history = lived(attempts(seed, steps, hours))
    seen: dict[tuple[Trigger, str], Occasion] = {}
    for n in range(1, len(history.rows) + 1):
        part = History()
        part.rows, part.at = history.rows[:n], history.at[:n]
        until = history.at[n] if n < len(history.rows) else history.now
        for one in occasions(part, until):
            seen.setdefault((one.trigger, one.key), one)
    once = {(one.trigger, one.key): one for one in occasions(history, history.now)}
    assert seen.keys() <= once.keys()
    # A clock may be stopped at the very moment of a look: then only the last one finds it.
    assert {key: once[key] for key in seen} == seen


def at(history: History, move: Move, hours: float) -> None:
    history.now = NOON + timedelta(hours=hours)
    more = {"kind": Kind.CONSULT} if move in {Move.OPEN, Move.DISPATCH} else {}
    data = data_of(move, history.now, **more)
    assert history.try_to(move, maker_of(move, history.case), data) is not None, move


def test_what_was_late_and_is_over_is_found_however_late() -> None:
    history = History()
    for move, hours in (
        (Move.OPEN, 0.1),
        (Move.DISPATCH, 0.2),
        (Move.SIGN, 80),
        (Move.ANSWER, 900),
    ):
        at(history, move, hours)
    at(history, Move.APPROVE, 901)
    at(history, Move.CLOSE, 902)
    found = occasions(history, history.now + timedelta(days=300))
    assert [(one.trigger, one.stage, one.unit) for one in found] == [
        (Trigger.NOT_SIGNED, Stage.SIGN, UNIT),
        (Trigger.OVERDUE, Stage.HANDLING, UNIT),
    ]
    assert all("本产品默认" in one.basis for one in found)


def test_an_extension_granted_after_the_old_end_leaves_the_old_end_on_record() -> None:
    history = History()
    for move, hours in ((Move.OPEN, 0), (Move.DISPATCH, 0.1), (Move.SIGN, 1)):
        at(history, move, hours)
    at(history, Move.ASK_EXTENSION, 70)
    due = history.case.due_at
    assert due is not None
    at(history, Move.GRANT_EXTENSION, 90)
    found = [one for one in occasions(history, history.now) if one.stage is Stage.HANDLING]
    assert [one.ends_at for one in found] == [due]
    assert due < history.now < (history.case.due_at or NOON)


def test_the_office_is_supervised_for_its_own_stages() -> None:
    history = History()
    at(history, Move.OPEN, 0)
    (late,) = occasions(history, NOON + timedelta(days=2))
    assert (late.stage, late.unit, late.person) == (Stage.DISPATCH, None, "1001")


def test_every_second_return_is_an_occasion() -> None:
    history = History()
    at(history, Move.OPEN, 0)
    for n in range(4):
        at(history, Move.DISPATCH, n + 0.2)
        at(history, Move.ASK_RETURN, n + 0.4)
        at(history, Move.ACCEPT_RETURN, n + 0.6)
    found = [one for one in occasions(history, history.now) if one.trigger is Trigger.RETURNED]
    assert [(one.key, one.unit) for one in found] == [("2", UNIT), ("4", UNIT)]
    assert found[0].since == NOON + timedelta(hours=1.4)


REPEAT = OURS.of(Trigger.REPEATED)
BURST = OURS.of(Trigger.CONCENTRATED)


def related(case_id: int, over_at: datetime | None = None) -> Related:
    return Related(
        case_id=case_id, opened_at=NOON - timedelta(days=9), over_at=over_at, unit=UNIT, owner="an"
    )


@pytest.mark.parametrize(
    ("before", "aim"),
    [
        ((related(3), related(5)), 3),
        ((related(3, NOON - MINUTE), related(5)), 5),
        ((related(3, NOON + MINUTE), related(5)), 3),
        ((related(3, NOON - MINUTE), related(5, NOON - MINUTE)), 9),
        ((related(3),), None),
        ((related(3), related(5), related(6)), None),
    ],
)
def test_a_third_call_on_one_matter_presses_the_oldest_case_still_open(
    before: tuple[Related, ...], aim: int | None
) -> None:
    newest = replace(lived([(Move.OPEN, None, 0, Kind.HELP)]).case, id=9, opened_at=NOON)
    found = triggers.repeated(newest, before, REPEAT)
    assert (found[0] if found else None) == aim
    if found:
        assert (found[1].key, found[1].facts["calls"]) == (newest.number, 3)
        assert found[1].unit == (UNIT if aim != newest.id else None)


def test_a_burst_is_one_occasion_a_day_whoever_found_it() -> None:
    evening = datetime(2026, 11, 23, 15, 59, tzinfo=UTC)  # 23:59 in Mianyang
    burst = Burst(matter="城乡建设/涪城区", at=evening, callers=10, case_ids=(1, 2), unit=UNIT)
    found = triggers.concentrated(burst, BURST)
    assert found is not None
    assert (found.key, found.unit, found.trigger) == ("2026-11-23", UNIT, Trigger.CONCENTRATED)
    later = triggers.concentrated(replace(burst, at=evening + MINUTE, callers=30), BURST)
    assert later is not None
    assert later.key == "2026-11-24"
    assert triggers.concentrated(replace(burst, callers=9), BURST) is None
    assert triggers.concentrated(burst, None) is None


def test_a_stale_card_is_one_occasion_for_each_version() -> None:
    rule = OURS.of(Trigger.STALE_CARD)
    found = triggers.stale_card(
        version=4, title="居住证", review=date(2026, 11, 1), unit=UNIT, since=NOON, rule=rule
    )
    assert found is not None
    assert (found.key, found.facts) == ("4", {"matter": "居住证", "review": "2026-11-01"})
