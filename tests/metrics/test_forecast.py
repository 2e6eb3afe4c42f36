"""Coming hours are told from past ones like them, holidays by holidays."""

from datetime import date, datetime, timedelta

import asyncpg
import pytest

from hotline import staffing_rows
from hotline.casework import SHIPPED_CALENDARS
from hotline.staffing import coming_days
from metrics.forecast import HOURS, Forecast, HourCount, Plan, forecast
from metrics.reports.document import Kind, period_of
from metrics.reports.people import OperatorSheet, operators, seats
from routing.calendar import load_calendar
from routing.numbers import SHANGHAI
from tests.metrics.rows import CallRow

CALENDAR = load_calendar(SHIPPED_CALENDARS)
PLAN = Plan(target=15, share=0.95, wrapup=30)
DAY = timedelta(days=1)
MONDAY = date(2026, 6, 1)


def hours(day: date, busy: int) -> list[HourCount]:
    """A day that brings `busy` calls of 180 s at ten o'clock and one in each other hour."""
    return [
        HourCount(day=day, hour=it, asked=count, talks=count, talk_seconds=180.0 * count)
        for it in HOURS
        for count in (busy if it == 10 else 1,)
    ]


def at_ten(found: Forecast) -> dict[date, tuple[float, int, int]]:
    return {it.day: (it.calls, it.most, it.days) for it in found.hours if it.hour == 10}


def test_a_monday_is_like_mondays_and_a_holiday_like_days_off() -> None:
    past = [
        row
        for n in range(28)
        for row in hours(MONDAY + n * DAY, 60 + n if (n % 7) == 0 else 20 if n % 7 > 4 else 40)
    ]
    next_monday = MONDAY + 28 * DAY  # 2026-06-29
    national_day = date(2026, 10, 1)  # a Thursday
    found = forecast(past, [next_monday, national_day], PLAN, CALENDAR)
    assert found.handling_seconds == 210
    off = [n for n in range(28) if not CALENDAR.is_working(MONDAY + n * DAY)]
    mondays = [n for n in range(0, 28, 7) if n not in off]
    busy = [60 + n for n in mondays]
    assert at_ten(found)[next_monday] == (sum(busy) / len(busy), max(busy), len(busy))
    of_days_off = [60 + n if n % 7 == 0 else 20 if n % 7 > 4 else 40 for n in off]
    assert at_ten(found)[national_day][1:] == (max(of_days_off), len(off))
    night = next(it for it in found.hours if it.hour == 3)
    assert (night.calls, night.needed.seats) == (1, 2)
    assert found.untold == ()
    assert found.missed is not None
    assert 0 < found.missed < 0.2


def test_without_a_past_nothing_is_guessed() -> None:
    found = forecast([], [MONDAY], PLAN, CALENDAR)
    assert (found.hours, found.untold, found.missed) == ((), (MONDAY,), None)
    only_work = forecast(hours(MONDAY, 5), [MONDAY + 5 * DAY], PLAN, CALENDAR)
    assert only_work.untold == (MONDAY + 5 * DAY,)


def test_the_seats_of_coming_hours_are_a_report_with_a_picture() -> None:
    found = forecast(hours(MONDAY, 60), [MONDAY + 7 * DAY], PLAN, CALENDAR)
    report = seats("绵阳市", found)
    (table,), (picture,) = report.tables, report.pictures
    assert [row[4].value for row in table.rows] == [it.needed.seats for it in found.hours]
    assert [bar.value for bar in picture.bars] == [it.needed.seats for it in found.hours]
    assert "95%" in table.notes[0].zh
    empty = seats("绵阳市", forecast([], [MONDAY], PLAN, CALENDAR))
    assert (empty.tables[0].rows, empty.pictures) == ((), ())


def test_operators_are_told_by_badge_without_a_rank() -> None:
    sheet = OperatorSheet(
        operator="1086",
        answered=4,
        talk_seconds=500.0,
        registered=3,
        satisfied=1,
        surveyed=2,
        silent=2,
    )
    (table,) = operators(period_of(Kind.MONTHLY, MONDAY), "绵阳市", [sheet]).tables
    assert [cell.value for cell in table.rows[0]] == ["1086", 4, 125.0, 3, 1, 2, 2]


async def test_stored_calls_become_hours_of_the_city_and_sheets(conn: asyncpg.Connection) -> None:
    first = datetime(2026, 6, 1, 0, 30, tzinfo=SHANGHAI)
    for week in range(3):
        for minute in range(6):
            await CallRow(
                line="mayor",
                started_at=first + timedelta(weeks=week, hours=10, minutes=minute),
                queued=1,
                answered=5 if minute else None,
                ended=125 if minute else 20,
                outcome="answered" if minute else "abandoned",
            ).write(conn)
    await CallRow(line="duty", started_at=first + timedelta(hours=12), queued=0).write(conn)
    await conn.execute(
        "UPDATE calls SET operator = '1001', badge = '1086', talk_ended_at = ended_at"
        " WHERE answered_at IS NOT NULL"
    )
    now = first + timedelta(weeks=3)
    found = await coming_days(conn, PLAN, CALENDAR, now=now, days=7, weeks=6, line="mayor")
    monday = [it for it in found.hours if it.day == MONDAY + 28 * DAY]
    # The first call's own day is left out: nobody knows whether the whole of it was counted.
    assert [(it.hour, it.calls, it.days) for it in monday if it.calls] == [(10, 6, 2)]
    assert found.handling_seconds == pytest.approx(150)
    (sheet,) = await staffing_rows.sheets(conn, first, now, None)
    assert (sheet.operator, sheet.answered, sheet.talk_seconds) == ("1086", 15, 1800)
