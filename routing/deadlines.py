"""When a case is due: a pure function of its kind, urgency, start, policy and calendar.

Deadlines are computed, never stored. Counting follows the Civil Code: the day of the start does
not count (article 201), the last day ends when offices close (article 203, the policy's
`day_ends`). Hours and minutes run day and night and know no holiday. A limit that starts on the
next working day has that day as its first; its hours begin when offices open (`day_begins`).
The clocks of the stages stand in clocks.py.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import assert_never

from routing.calendar import Calendar
from routing.cases import Case, Kind, Urgency
from routing.limits import Limit, Sourced, Starts, Unit
from routing.numbers import SHANGHAI
from routing.policy import Policy


class Standing(StrEnum):
    """How a case stands against its limit."""

    RUNNING = "running"
    OVERDUE = "overdue"
    ON_TIME = "on_time"
    LATE = "late"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """The moment a case is due, with the limit it follows from."""

    at: datetime
    limit: Limit
    policy: str


def due(
    kind: Kind,
    urgency: Urgency,
    started_at: datetime,
    policy: Policy,
    calendar: Calendar,
    *,
    line: str | None = None,
    level1: str | None = None,
) -> datetime:
    """Return the aware UTC moment at which such a case, started then, is due.

    Raises:
        CalendarEnds: the limit reaches past the holiday calendar.
        ValueError: `started_at` has no time zone.
    """
    limit = policy.limit(kind, urgency, line=line, level1=level1)
    return after(started_at, limit, policy, calendar)


def after(started_at: datetime, limit: Sourced, policy: Policy, calendar: Calendar) -> datetime:
    """Return the end of one limit that starts at an aware moment; see `due`."""
    if started_at.tzinfo is None:
        raise ValueError("a limit starts at a moment with a time zone")
    moment = started_at.astimezone(UTC)
    day, before_it = moment.astimezone(SHANGHAI).date(), limit.amount
    if isinstance(limit, Limit) and limit.starts is Starts.NEXT_WORKING_DAY:
        day = calendar.add_working_days(day, 1)
        moment = datetime.combine(day, policy.day_begins or time.min, SHANGHAI).astimezone(UTC)
        before_it -= 1  # the day itself is the first that counts
    match limit.unit:
        case Unit.MINUTES:
            return moment + timedelta(minutes=limit.amount)
        case Unit.HOURS:
            return moment + timedelta(hours=limit.amount)
        case Unit.CALENDAR_DAYS:
            return _closing(day + timedelta(days=before_it), policy)
        case Unit.WORKING_DAYS:
            return _closing(calendar.add_working_days(day, before_it) if before_it else day, policy)
        case _:
            assert_never(limit.unit)


def _closing(day: date, policy: Policy) -> datetime:
    return datetime.combine(day, policy.day_ends, tzinfo=SHANGHAI).astimezone(UTC)


def deadline_of(case: Case, policy: Policy, calendar: Calendar) -> Deadline | None:
    """Return a case's deadline; None while nothing was promised yet.

    Nothing is promised for a draft, nor before the dispatch where the limit starts with it.

    Raises:
        CalendarEnds: the limit reaches past the holiday calendar.
    """
    if case.opened_at is None or case.kind is None:
        return None
    limit = policy.limit(
        case.kind, case.urgency, line=case.line, level1=case.level1, channel=case.channel
    )
    begins = case.dispatched_at if limit.starts is Starts.DISPATCH else case.opened_at
    if begins is None:
        return None
    return Deadline(at=after(begins, limit, policy, calendar), limit=limit, policy=policy.name)


def standing(case: Case, deadline: Deadline, now: datetime) -> Standing:
    """Compare a case with its deadline; the answer stops the clock, closing without one also."""
    stopped = case.answered_at or case.closed_at
    if stopped is None:
        return Standing.OVERDUE if now > deadline.at else Standing.RUNNING
    return Standing.LATE if stopped > deadline.at else Standing.ON_TIME
