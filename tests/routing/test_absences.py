"""Whoever is away, somebody acts: always exactly one, never one who is away."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from routing.absences import DESK, Absence, Staffing

PEOPLE = ("an", "bo", "chen", "deng", "feng", "gao")
someone = st.sampled_from(PEOPLE)
staffings = st.builds(
    Staffing,
    away=st.dictionaries(someone, st.none() | someone),
    heads=st.dictionaries(someone, st.lists(someone, max_size=3).map(tuple)),
    seats=st.dictionaries(st.sampled_from(["1001", "1002", "1003"]), someone),
)


@given(staffings, st.sampled_from([*PEOPLE, "1001", "1002", "service"]))
def test_somebody_who_is_there_always_acts(staffing: Staffing, name: str) -> None:
    acting = staffing.acting(name)
    assert acting not in staffing.away
    if staffing.person(name) not in staffing.away:
        assert acting == staffing.person(name)
    else:
        assert acting == DESK or acting in PEOPLE


@given(staffings, st.sampled_from([*PEOPLE, "1001", "1002"]))
def test_each_name_is_stood_for_by_exactly_who_acts_for_it(staffing: Staffing, name: str) -> None:
    assume(staffing.person(name) in PEOPLE)
    there = [one for one in PEOPLE if one not in staffing.away]
    standing = [
        one for one in there if one == name or name in staffing.stands_for(one, of_the_desk=False)
    ]
    acting = staffing.acting(name)
    assert standing == ([] if acting == DESK else [acting])
    if acting == DESK:
        assert name in staffing.stands_for("dispatcher", of_the_desk=True)


@pytest.mark.parametrize(
    ("away", "heads", "acting"),
    [
        ({}, {}, "an"),
        ({"an": "bo"}, {}, "bo"),
        ({"an": "bo", "bo": "chen"}, {}, "chen"),
        ({"an": "bo", "bo": "an"}, {}, DESK),
        ({"an": "bo", "bo": "an"}, {"bo": ("deng",)}, "deng"),
        ({"an": "bo", "bo": "chen", "chen": "bo"}, {"chen": ("bo", "deng")}, "deng"),
        ({"an": None}, {"an": ("deng",)}, "deng"),
        ({"an": None}, {"an": ("an",)}, DESK),
        ({"an": None, "deng": "feng"}, {"an": ("deng",)}, "feng"),
        ({"an": None, "deng": None}, {"an": ("deng", "gao"), "deng": ("deng", "gao")}, "gao"),
        ({"an": None}, {}, DESK),
    ],
)
def test_chains_circles_heads_and_the_desk(
    away: dict[str, str | None], heads: dict[str, tuple[str, ...]], acting: str
) -> None:
    assert Staffing(away=away, heads=heads).acting("an") == acting


def test_a_seat_is_its_person() -> None:
    staffing = Staffing(away={"an": "bo"}, seats={"1001": "an", "1002": "bo"})
    assert staffing.acting("1001") == "bo"
    assert staffing.stands_for("bo", of_the_desk=False) == {"an", "1001", "1002"}
    assert (staffing.reached("1002"), staffing.reached("1001")) == ("1002", "bo")


def test_a_notice_begins_and_ends_to_the_moment() -> None:
    start = datetime(2026, 11, 23, 1, tzinfo=UTC)
    absence = Absence(
        id=1,
        who="an",
        deputy="bo",
        reason="培训",
        since=start,
        until=start + timedelta(days=1),
        entered_at=start,
        entered_by="an",
    )
    moment = timedelta(microseconds=1)
    assert not absence.covers(start - moment)
    assert absence.covers(start)
    assert absence.covers(start + timedelta(days=1) - moment)
    assert not absence.covers(start + timedelta(days=1))
