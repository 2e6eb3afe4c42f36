"""The duty roster: who is rung in which order, and where people are missing."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from hotline.roster import NEEDED, Role, Shift, gaps, next_change, on_duty, overlaps, ring_plan

START = datetime(2026, 11, 23, tzinfo=UTC)
WHOLE = timedelta(hours=24)


def shift(role: Role, operator: str, first: float = 0, last: float = 24) -> Shift:
    return Shift(
        line="duty",
        role=role,
        operator=operator,
        starts_at=START + timedelta(hours=first),
        ends_at=START + timedelta(hours=last),
    )


FULL = (
    shift(Role.NEXT, "2004"),
    shift(Role.LEADER, "2003"),
    shift(Role.OFFICER, "2001"),
    shift(Role.OFFICER, "2002"),
)


def test_two_officers_together_then_the_leader_then_the_next_person() -> None:
    assert ring_plan(FULL, START) == {"2001": 0, "2002": 0, "2003": 10, "2004": 20}
    assert [one.operator for one in on_duty(FULL, START)] == ["2001", "2002", "2003", "2004"]
    assert ring_plan(FULL, START + WHOLE) == {}  # an end is exclusive


def test_who_has_two_roles_is_rung_in_the_earlier_one() -> None:
    assert ring_plan((*FULL, shift(Role.LEADER, "2001")), START)["2001"] == 0


def test_a_full_roster_has_no_gap_and_an_empty_one_is_one_gap() -> None:
    assert gaps(FULL, START, START + WHOLE) == ()
    (gap,) = gaps((), START, START + WHOLE)
    assert gap.is_empty
    assert (gap.starts_at, gap.ends_at) == (START, START + WHOLE)


def test_a_missing_officer_between_two_shifts_is_named_with_its_time() -> None:
    late = (*FULL[:3], shift(Role.OFFICER, "2002", 0, 8), shift(Role.OFFICER, "2005", 10, 24))
    (gap,) = gaps(late, START, START + WHOLE)
    assert gap.missing == ((Role.OFFICER, 1),)
    assert gap.ends_at - gap.starts_at == timedelta(hours=2)
    assert not gap.is_empty


def test_one_person_entered_twice_fills_one_place() -> None:
    twice = (*FULL[:3], shift(Role.OFFICER, "2001", 0, 23))
    assert [gap.missing for gap in gaps(twice, START, START + WHOLE)] == [((Role.OFFICER, 1),)]


SHIFTS = st.builds(
    lambda role, who, first, hours: shift(role, who, first, first + hours),
    st.sampled_from(list(Role)),
    st.sampled_from(["2001", "2002", "2003"]),
    st.integers(-5, 28),
    st.integers(1, 20),
)


@given(st.lists(SHIFTS, max_size=8), st.integers(0, 23))
def test_a_moment_lies_in_a_gap_exactly_where_somebody_is_missing(
    shifts: list[Shift], hour: int
) -> None:
    at = START + timedelta(hours=hour, minutes=30)
    short = any(
        len({one.operator for one in shifts if one.role is role and one.covers(at)}) < needed
        for role, needed in NEEDED.items()
    )
    found = gaps(shifts, START, START + WHOLE)
    assert short == any(gap.starts_at <= at < gap.ends_at for gap in found)


def test_who_comes_next_and_when() -> None:
    night = (*FULL, shift(Role.OFFICER, "2001", 24, 30), shift(Role.OFFICER, "2005", 24, 36))
    at = next_change(night, START)
    assert at == START + WHOLE
    assert [one.operator for one in on_duty(night, at)] == ["2001", "2005"]
    assert next_change(FULL, START + WHOLE) is None


def test_a_shift_that_goes_on_is_no_change() -> None:
    whole = (shift(Role.OFFICER, "2001", 0, 8), shift(Role.OFFICER, "2001", 8, 16))
    assert next_change(whole, START) == START + timedelta(hours=16)


def test_who_stands_on_the_roster_twice_is_named_with_the_time() -> None:
    twice = (shift(Role.OFFICER, "2001", 0, 8), shift(Role.LEADER, "2001", 6, 12))
    (found,) = overlaps((*twice, shift(Role.OFFICER, "2002", 0, 8)))
    assert (found.operator, found.roles) == ("2001", (Role.OFFICER, Role.LEADER))
    assert found.starts_at == START + timedelta(hours=6)
    assert found.ends_at == START + timedelta(hours=8)


@given(st.lists(SHIFTS, max_size=8), st.integers(0, 23))
def test_somebody_stands_twice_exactly_where_two_of_his_shifts_cover_a_moment(
    shifts: list[Shift], hour: int
) -> None:
    at = START + timedelta(hours=hour, minutes=30)
    there = [one.operator for one in shifts if one.covers(at)]
    twice = {one for one in there if there.count(one) > 1}
    found = {one.operator for one in overlaps(shifts) if one.starts_at <= at < one.ends_at}
    assert found == twice
