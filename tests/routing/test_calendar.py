from datetime import date, timedelta
from pathlib import Path

import chinese_calendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.calendar import Calendar, load_calendar, read_year
from routing.errors import CalendarEnds, DataFault

FIRST, LAST = date(2025, 1, 1), date(2026, 12, 31)
DAYS = st.dates(FIRST, date(2026, 10, 1))


def test_every_day_of_both_years_agrees_with_the_independent_package(calendar: Calendar) -> None:
    day = FIRST
    while day <= LAST:
        assert calendar.is_working(day) == chinese_calendar.is_workday(day), day
        day += timedelta(days=1)


@pytest.mark.parametrize(
    ("day", "working"),
    [
        (date(2026, 1, 4), True),  # a Sunday worked for New Year
        (date(2026, 2, 14), True),  # a Saturday worked for the Spring Festival
        (date(2026, 2, 16), False),
        (date(2026, 10, 10), True),
        (date(2026, 11, 21), False),
        (date(2026, 11, 23), True),
        (date(2025, 9, 28), True),
        (date(2025, 10, 8), False),
    ],
)
def test_days_people_remember(calendar: Calendar, day: date, working: bool) -> None:  # noqa: FBT001
    assert calendar.is_working(day) is working


@given(start=DAYS, days=st.integers(1, 30))
def test_counting_equals_an_independent_count(calendar: Calendar, start: date, days: int) -> None:
    end = calendar.add_working_days(start, days)
    assert end > start
    assert chinese_calendar.is_workday(end)
    counted = chinese_calendar.get_workdays(start + timedelta(days=1), end)
    assert len(counted) == days
    assert calendar.working_days_between(start, end) == days
    assert calendar.add_working_days(start, days + 1) > end


def test_past_its_end_the_calendar_refuses(calendar: Calendar) -> None:
    with pytest.raises(CalendarEnds) as caught:
        calendar.add_working_days(date(2026, 12, 20), 15)
    assert caught.value.last == LAST
    assert "load the State Council's calendar of 2027" in str(caught.value)
    with pytest.raises(CalendarEnds):
        calendar.is_working(date(2024, 12, 31))


def test_a_limit_of_no_days_is_a_programming_error(calendar: Calendar) -> None:
    with pytest.raises(ValueError, match="at least one"):
        calendar.add_working_days(FIRST, 0)


def test_an_empty_folder_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DataFault, match="put one year's YAML"):
        load_calendar(tmp_path)


def year(year: int, first: str = "01-01", extra: str = "") -> str:
    return (
        f"year: {year}\nsource: 通知\nholidays:\n"
        f"  - {{name: 元旦, first: {year}-{first}, last: {year}-01-01{extra}}}\n"
    )


def test_a_missing_year_between_two_is_told(tmp_path: Path) -> None:
    (tmp_path / "cn-2025.yaml").write_text(year(2025))
    (tmp_path / "cn-2027.yaml").write_text(year(2027))
    with pytest.raises(DataFault, match="2025 and 2027 do not follow"):
        load_calendar(tmp_path)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (year(2026, first="01-02"), "元旦 ends before it begins"),
        (year(2026, extra=", workdays: [2026-01-05]"), "2026-01-05 is no weekend day"),
        (year(2026, extra=", workdays: [2027-01-03]"), "2027-01-03 does not lie in 2026"),
        (year(2026, extra=", color: red"), "color"),
        (year(2026).replace("2026-01-01}", "2026-13-01}"), "not valid YAML"),
        ("year: 2026\nyear: 2027\n", "stands twice"),
        ("- 1\n", "must hold keys and values"),
        ("year: [", "not valid YAML"),
        ("", "must hold keys and values"),
        ("!!python/object/apply:os.system [id]", "not valid YAML"),
    ],
)
def test_a_bad_year_gives_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "cn-2026.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataFault) as caught:
        read_year(path)
    message = str(caught.value)
    assert sentence in message
    assert message.startswith(str(path))
    assert "\n" not in message
    assert caught.value.path == path


def test_a_file_in_another_encoding_gives_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "cn-2026.yaml"
    path.write_bytes("year: 2026 # 元旦".encode("gbk"))
    with pytest.raises(DataFault, match="not UTF-8"):
        read_year(path)
