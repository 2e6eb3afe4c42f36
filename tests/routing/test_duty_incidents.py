"""Reports of an incident and their clocks, over whatever can happen."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import deploy
from routing.duty_incidents import (
    Fact,
    FactKind,
    ReportKind,
    ReportText,
    Timer,
    clocks_of,
    in_chinese,
    lacks,
    next_reports,
    title_of,
)
from routing.duty_policy import CEILING, Level, read_reporting_policy
from routing.errors import DataFault

PACK = Path(next(iter(deploy.__path__))) / "duty" / "reporting.yaml"
POLICY = read_reporting_policy(PACK)
START = datetime(2026, 11, 23, 2, 30, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def fact(kind: FactKind, minutes: float, **more: object) -> Fact:
    return Fact(kind=kind, at=at(minutes), **more)  # type: ignore[arg-type]


RAISED = fact(FactKind.RAISED, 0)


def test_the_first_report_then_follow_ups_then_the_final_one() -> None:
    assert next_reports([]) == {ReportKind.FIRST}
    later = {ReportKind.FOLLOW_UP, ReportKind.FINAL}
    assert next_reports([ReportKind.FIRST]) == later
    assert next_reports([ReportKind.FIRST, ReportKind.FOLLOW_UP]) == later
    assert next_reports([ReportKind.FIRST, ReportKind.FINAL]) == frozenset()


@given(st.lists(st.sampled_from(list(ReportKind)), max_size=8))
def test_a_sequence_is_legal_exactly_where_each_report_may_come_next(
    kinds: list[ReportKind],
) -> None:
    letters = "".join(kind.value[2] for kind in kinds)  # first: r, follow_up: l, final: n
    shape = letters[:1] in {"", "r"} and letters[1:].rstrip("n").strip("l") == ""
    legal = shape and letters.count("n") <= 1 and letters[:1] != "n"
    assert legal == all(kind in next_reports(kinds[:n]) for n, kind in enumerate(kinds))


def test_reports_are_called_as_they_are_in_the_field() -> None:
    assert title_of("涪江三桥积水事件", ReportKind.FIRST, 1) == "涪江三桥积水事件 初报"
    assert title_of("涪江三桥积水事件", ReportKind.FOLLOW_UP, 12) == "涪江三桥积水事件 续报十二"
    assert title_of("涪江三桥积水事件", ReportKind.FINAL, 3) == "涪江三桥积水事件 终报"
    assert [in_chinese(n) for n in (1, 10, 11, 20, 21, 99, 100)] == [
        *("一", "十", "十一", "二十", "二十一", "九十九", "100")
    ]


def test_a_report_can_be_signed_when_it_says_what_happened_where_and_what_is_done() -> None:
    assert lacks(ReportText()) == ("happened_at", "place", "course", "measures", "source")
    whole = dict.fromkeys(("place", "course", "measures", "source"), "有")
    assert lacks(ReportText(happened_at=START, **whole)) == ()  # type: ignore[arg-type]


def test_without_a_level_an_incident_is_timed_as_the_gravest() -> None:
    acknowledge, phone, text = clocks_of([RAISED], POLICY)
    assert (acknowledge.timer, acknowledge.ends_at) == (Timer.ACKNOWLEDGE, at(5))
    assert (phone.ends_at, text.ends_at) == (at(20), at(40))
    ordinary = [RAISED, fact(FactKind.LEVELLED, 3, level=Level.IV)]
    assert [one.ends_at for one in clocks_of(ordinary, POLICY)[1:]] == [at(60), at(120)]


def test_the_next_follow_up_is_due_a_day_after_each_report_and_the_final_ends_it() -> None:
    told = [RAISED, fact(FactKind.LEVELLED, 1, level=Level.II)]
    told += [fact(FactKind.SENT, 30, report=ReportKind.FIRST)]
    (*_, text, follow) = clocks_of(told, POLICY)
    assert (text.stopped_at, follow.ends_at) == (at(30), at(30 + 24 * 60))
    assert follow.is_overdue(follow.ends_at)
    told += [fact(FactKind.SENT, 900, report=ReportKind.FOLLOW_UP)]
    told += [fact(FactKind.SENT, 1000, report=ReportKind.FINAL)]
    clocks = clocks_of(told, POLICY)
    assert [one.stopped_at for one in clocks if one.timer is Timer.FOLLOW_UP] == [at(900), at(1000)]
    assert not any(one.is_overdue(at(10**6)) for one in clocks[2:])


LEVELLED = st.builds(
    lambda minutes, level: fact(FactKind.LEVELLED, minutes, level=level),
    st.integers(0, 500),
    st.sampled_from(list(Level)),
)
OTHER = st.builds(
    fact,
    st.sampled_from([FactKind.ACKNOWLEDGED, FactKind.PHONED, FactKind.DRAFTED, FactKind.SIGNED]),
    st.integers(0, 500),
)


@given(st.lists(LEVELLED, min_size=1, max_size=5), st.lists(OTHER, max_size=5), LEVELLED)
def test_another_level_never_gives_more_time(
    levels: list[Fact], others: list[Fact], last: Fact
) -> None:
    before = [RAISED, *levels, *others]
    later = max(one.at for one in before)
    after = [*before, Fact(kind=FactKind.LEVELLED, at=later, level=last.level)]
    for one, other in zip(clocks_of(before, POLICY), clocks_of(after, POLICY), strict=True):
        assert other.ends_at <= one.ends_at


@given(st.lists(st.one_of(LEVELLED, OTHER), max_size=8), st.randoms())
def test_the_clocks_follow_from_the_facts_and_not_from_how_they_are_read(
    facts: list[Fact], chance: object
) -> None:
    told = [RAISED, *{one.at: one for one in facts if one.at > START}.values()]
    mixed = list(told)
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    assert clocks_of(told, POLICY) == clocks_of(mixed, POLICY)
    over = [*told, fact(FactKind.DISMISSED, 501)]
    assert all(one.stopped_at is not None for one in clocks_of(over, POLICY))
    assert clocks_of(told[1:], POLICY) == ()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"I": {"text": {"amount": 5, "unit": "hours"}}}, "at most 4 hours"),
        ({"III": {"phone": {"amount": 3, "unit": "hours"}}}, "the telephone comes first"),
        ({"IV": {"follow_up": {"unit": "working_days"}}}, "minutes or hours"),
        ({"II": None}, "level II has no limits"),
    ],
)
def test_a_pack_that_cannot_be_right_is_refused_in_one_sentence(
    tmp_path: Path, change: dict[str, dict[str, dict[str, object]] | None], said: str
) -> None:
    pack = yaml.safe_load(PACK.read_text(encoding="utf-8"))
    for level, parts in change.items():
        if parts is None:
            del pack["levels"][level]
            continue
        for part, values in parts.items():
            pack["levels"][level][part] |= values
    file = tmp_path / "reporting.yaml"
    file.write_text(yaml.safe_dump(pack, allow_unicode=True), encoding="utf-8")
    with pytest.raises(DataFault, match=said):
        read_reporting_policy(file)
    assert timedelta(hours=4) == CEILING
