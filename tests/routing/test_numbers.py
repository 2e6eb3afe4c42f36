from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.numbers import case_number, parse_number

MOMENTS = st.datetimes(datetime(2025, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
IDS = st.integers(1, 10**12)


def test_the_day_is_shanghais() -> None:
    evening = datetime(2026, 11, 22, 16, 30, tzinfo=UTC)  # 00:30 on the 23rd in Mianyang
    assert case_number(42, evening).startswith("20261123-000042-")


@given(IDS, MOMENTS)
def test_a_number_survives_how_people_write_it(case_id: int, moment: datetime) -> None:
    number = case_number(case_id, moment)
    full_width = number.translate(str.maketrans("0123456789-", "０１２３４５６７８９－"))
    for typed in (number, number.replace("-", ""), f" {number} ", full_width):
        assert parse_number(typed) == number


@given(IDS, MOMENTS, st.data())
def test_every_wrong_digit_and_every_swap_is_noticed(
    case_id: int, moment: datetime, data: st.DataObject
) -> None:
    digits = case_number(case_id, moment).replace("-", "")
    at = data.draw(st.integers(0, len(digits) - 1))
    other = data.draw(st.sampled_from([d for d in "0123456789" if d != digits[at]]))
    assert parse_number(digits[:at] + other + digits[at + 1 :]) is None
    at = data.draw(st.integers(0, len(digits) - 2))
    if digits[at] != digits[at + 1]:
        swapped = digits[:at] + digits[at + 1] + digits[at] + digits[at + 2 :]
        assert parse_number(swapped) is None


@pytest.mark.parametrize("typed", ["", "abc", "12345", "20261123-000042-x", "²0261123-000042-1"])
def test_what_is_no_number_finds_nothing(typed: str) -> None:
    assert parse_number(typed) is None


@given(st.text(max_size=60))
def test_any_text_is_answered(typed: str) -> None:
    parse_number(typed)
