"""When a handover is due and who may sign it, over whatever a roster can hold."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from hotline.duty_shifts import Standing, changes, signs_as, standing
from hotline.roster import Role, Shift

START = datetime(2026, 11, 23, tzinfo=UTC)


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def shift(operator: str, first: float, last: float, role: Role = Role.OFFICER) -> Shift:
    return Shift(line="duty", role=role, operator=operator, starts_at=at(first), ends_at=at(last))


DAY = (shift("2001", 0, 8), shift("2002", 0, 8), shift("2003", 8, 16), shift("2004", 8, 16))


def stands(
    shifts: tuple[Shift, ...] | list[Shift], hours: float, relieved: float | None = None
) -> Standing:
    now, grace = at(hours), timedelta(minutes=15)
    lead = (now + timedelta(hours=1), now - grace)
    return standing(shifts, None if relieved is None else at(relieved), now, lead=lead)


def test_those_who_go_stay_responsible_until_both_have_signed() -> None:
    early, late = frozenset({"2001", "2002"}), frozenset({"2003", "2004"})
    before = stands(DAY, 6)
    assert (before.responsible, before.due, before.missing_since) == (early, None, None)
    (change,) = changes(DAY)
    assert (change.outgoing, change.incoming) == (early, late)
    assert stands(DAY, 7).due == change
    assert stands(DAY, 8.1).missing_since is None  # there is a grace
    unsigned = stands(DAY, 15)
    assert (unsigned.responsible, unsigned.missing_since) == (early, at(8))
    signed = stands(DAY, 15, relieved=8)
    assert (signed.responsible, signed.due, signed.missing_since) == (late, None, None)
    assert stands(DAY, 7.5, relieved=8).responsible == early  # signed early, and not changed yet


def test_an_hour_in_which_both_shifts_are_there_needs_one_handover_at_its_end() -> None:
    both = (shift("2001", 0, 9), shift("2003", 8, 16))
    (change,) = changes(both)
    assert (change.at, change.outgoing, change.incoming) == (
        at(9),
        frozenset({"2001"}),
        frozenset({"2003"}),
    )


def test_a_gap_between_two_shifts_hands_over_at_its_end() -> None:
    gap = (shift("2001", 0, 8), shift("2003", 10, 16))
    (change,) = changes(gap)
    assert (change.at, change.before) == (at(10), frozenset({"2001"}))
    assert stands(gap, 9).responsible == frozenset()
    assert stands(gap, 11).responsible == {"2001"}


def test_a_later_handover_takes_over_what_was_never_signed_before() -> None:
    three = (*DAY, shift("2001", 16, 24))
    missed = stands(three, 17)
    assert missed.missing_since == at(8)
    assert missed.due is not None
    assert missed.due.at == at(16)
    assert stands(three, 17, relieved=16).responsible == {"2001"}


def test_a_person_signs_for_himself_or_whom_he_stands_in_for() -> None:
    may = frozenset({"2001", "2002"})
    assert signs_as(frozenset({"li", "2001"}), may) == "2001"
    assert signs_as(frozenset({"zhao", "2004", "2002"}), may) == "2002"
    assert signs_as(frozenset({"zhao", "2004"}), may) is None


SHIFTS = st.lists(
    st.builds(
        lambda who, first, hours, role: shift(who, first, first + hours, role),
        st.sampled_from(["2001", "2002", "2003"]),
        st.integers(0, 30),
        st.integers(1, 12),
        st.sampled_from([Role.OFFICER, Role.OFFICER, Role.LEADER]),
    ),
    max_size=8,
)


@given(SHIFTS)
def test_nobody_can_sign_both_sides_of_a_handover(shifts: list[Shift]) -> None:
    for change in changes(shifts):
        assert change.outgoing
        assert change.incoming
        assert not change.outgoing & change.incoming


@given(SHIFTS, st.integers(0, 40))
def test_without_a_signature_nobody_who_came_later_is_ever_responsible(
    shifts: list[Shift], hour: int
) -> None:
    now = hour + 0.5
    past = [one for one in changes(shifts) if one.at <= at(now)]
    found = stands(shifts, now)
    if past:
        assert found.responsible == past[0].before
        assert found.due is not None
    for one in past:
        taken = stands(shifts, now, relieved=(one.at - START) / timedelta(hours=1))
        later = [other for other in past if other.at > one.at]
        assert taken.due == (found.due if later or found.due != one else None)
        if later:
            assert taken.responsible == one.incoming
        assert not taken.missing_since or taken.missing_since > one.at
