"""Periods, scores and what a report tells, from made-up figures."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.indicators.definitions import Better
from metrics.indicators.every import BY_KEY
from metrics.reports.document import Cell, Form, Kind, period_of, written
from metrics.reports.league import Exclusion, Part, UnitFigures, good, league, load_league, score
from routing.errors import DataFault
from tests.metrics.made_report import RULES, made, unit


@pytest.mark.parametrize(
    ("kind", "day", "first", "last", "before"),
    [
        (Kind.DAILY, "2026-03-01", "2026-03-01", "2026-03-01", "2026-02-28"),
        (Kind.WEEKLY, "2026-11-22", "2026-11-16", "2026-11-22", "2026-11-09"),
        (Kind.MONTHLY, "2028-02-29", "2028-02-01", "2028-02-29", "2028-01-01"),
        (Kind.MONTHLY, "2026-12-31", "2026-12-01", "2026-12-31", "2026-11-01"),
    ],
)
def test_a_period_is_whole_days_and_follows_the_one_before(
    kind: Kind, day: str, first: str, last: str, before: str
) -> None:
    found = period_of(kind, date.fromisoformat(day))
    assert (str(found.first), str(found.last), str(found.before.first)) == (first, last, before)


def ranks(units: list[UnitFigures], **more: object) -> dict[str, tuple[int | None, str | None]]:
    rules = RULES.model_copy(update=more)
    return {it.unit: (it.rank, it.reason) for it in league(units, rules)}


def test_units_are_ranked_in_their_class_and_equals_share_a_place() -> None:
    units = [
        unit("a", 90),
        unit("b", 95),
        unit("c", 95),
        unit("d", 50, group="县（市、区）单位"),
        unit("e", 99, items=9),
    ]
    found = ranks(units, excluded=(Exclusion(unit="a", reason="本月机构改革"),))
    assert found["b"] == found["c"] == (1, None)
    assert found["d"] == (1, None)
    assert found["a"] == (None, "本月机构改革")
    assert found["e"][0] is None
    assert "10" in (found["e"][1] or "")
    assert ranks(units)["a"] == (3, None)


def test_a_granted_appeal_takes_one_item_out_of_both_numbers() -> None:
    (plain,) = league([unit("a", 90)], RULES)
    (heard,) = league([unit("a", 90)], RULES, {("a", "solved"): 4})
    (too_many,) = league([unit("a", 90)], RULES, {("a", "solved"): 400})
    assert plain.score is not None
    assert heard.score is not None
    assert heard.score > plain.score
    numbers = {it.key: (it.numerator, it.denominator, it.granted) for it in heard.parts}
    whole = next(it for it in plain.parts if it.key == "solved")
    assert numbers["solved"] == (90, whole.denominator - 4, 4)
    best = next(it for it in too_many.parts if it.key == "solved")
    assert best.numerator == best.denominator == 90


@given(
    numbers=st.lists(
        st.tuples(st.integers(0, 500), st.integers(0, 500), st.integers(1, 100)),
        min_size=1,
        max_size=5,
    ),
    low=st.booleans(),
)
def test_a_score_is_exact_and_between_the_worst_and_the_best_rate(
    numbers: list[tuple[int, int, int]], *, low: bool
) -> None:
    key = next(k for k, it in BY_KEY.items() if (it.better is Better.LOW) is low and it.by_unit)
    parts = [
        Part(key=key, numerator=min(top, bottom), denominator=bottom, weight=weight)
        for top, bottom, weight in numbers
    ]
    found = score(parts)
    told = [good(it) for it in parts if it.denominator]
    if not told:
        assert found is None
        return
    assert found is not None
    assert found == score(parts)
    assert float(min(told)) * 100 - 0.0051 <= float(found) <= float(max(told)) * 100 + 0.0051
    assert found.as_tuple().exponent == -2


def test_an_exact_mean_is_not_a_sum_of_rounded_ones() -> None:
    parts = [Part(key="solved", numerator=1, denominator=3, weight=1)] * 3
    assert score(parts) == Decimal("33.33")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("weights: {connect: 5}", "no rate of units"),
        ("weights: {handling_time: 5}", "no rate of units"),
        ("weights: {solved: 0}", "between 1 and 1000"),
        ("weights: {solved: 1}\ngroups: [{name: a, units: [x]}, {name: b, units: [x]}]", "in two"),
    ],
)
def test_wrong_rules_give_one_sentence(tmp_path: Path, line: str, said: str) -> None:
    text = f"name: own/1\nbasis: 本市考核办法\nleast: 5\n{line}\n"
    (tmp_path / "league.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(DataFault, match=said):
        load_league(tmp_path, Path("/nowhere"))


def test_a_month_tells_figures_units_topics_and_the_table_with_its_rules() -> None:
    report = made()
    tables = {it.key: it for it in report.tables}
    assert list(tables) == ["indicators", "units", "league", "topics", "areas"]
    assert len(tables["indicators"].rows) == len(BY_KEY)
    for table in report.tables:
        assert {len(row) for row in table.rows} == {len(table.columns)}
    change = [written(cell, "zh") for cell in tables["topics"].rows[0]]
    assert change == ["城乡建设", "1,234", "1,000", "+234", "23.40%"]
    assert written(tables["topics"].rows[1][4], "zh") == "—"  # nothing before: no relative change
    assert "default/1" in tables["league"].notes[0].zh
    assert [it.key for it in report.pictures] == ["rates", "hot", "hours"]


def test_nothing_to_divide_by_is_never_a_number() -> None:
    for form in (Form.SHARE, Form.SECONDS, Form.HOURS, Form.SCORE):
        assert written(Cell(form=form, value=None), "en") == "—"
