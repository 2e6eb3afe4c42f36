"""The forecast of the coming days from the calls of the past weeks."""

from datetime import date, datetime, time, timedelta

from hotline import staffing_rows
from hotline.database import Connection
from metrics.forecast import Forecast, Plan, forecast
from routing.calendar import Calendar
from routing.numbers import SHANGHAI

DAY = timedelta(days=1)
MOST_DAYS = 31
MOST_WEEKS = 53


async def coming_days(
    conn: Connection,
    plan: Plan,
    calendar: Calendar,
    *,
    now: datetime,
    days: int,
    weeks: int,
    line: str | None = None,
) -> Forecast:
    """The next whole days, told from the last whole weeks; days before the first call say nothing.

    Raises:
        CalendarEnds: a day lies outside the holiday calendar.
        NoSuchStaffing: the plan makes no sense.
    """
    today = now.astimezone(SHANGHAI).date()
    since = _begin(today) - weeks * 7 * DAY
    first = await staffing_rows.first_call(conn, line)
    if first is not None:
        since = max(since, _begin(first.astimezone(SHANGHAI).date() + DAY))
    known = calendar.first if since.astimezone(SHANGHAI).date() < calendar.first else None
    since = _begin(known) if known else since
    past = await staffing_rows.hours(conn, since, _begin(today), line)
    return forecast(past, [today + n * DAY for n in range(1, days + 1)], plan, calendar)


def _begin(day: date) -> datetime:
    """Midnight in the city, at which the day begins."""
    return datetime.combine(day, time(), SHANGHAI)
