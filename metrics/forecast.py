"""How many calls an hour will bring, from past weeks, and how many seats they need; pure.

An hour of a coming day is expected to bring the mean of the same hour of past days that are like
it: the same weekday where both are ordinary, else any day that is as free or as working as it is
(a holiday on a Wednesday is like a Sunday). The formulas are in `erlang.py`. Days without any past
day like them have no forecast, rather than a guess.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from metrics.erlang import Service, Traffic, seats_needed
from routing.calendar import Calendar

HOURS = range(24)
SATURDAY = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class HourCount:
    """What an hour of a past day brought: callers who asked for a person, and talks."""

    day: date
    hour: int
    asked: int
    talks: int
    talk_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the seats are planned for.

    `share` of the callers is answered within `target` seconds. `wrapup` seconds follow each talk.
    `patience` is the mean time until a waiting caller hangs up, in seconds.
    """

    target: float
    share: float
    wrapup: float
    patience: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HourForecast:
    """An hour of a coming day: the calls expected, the most that a day like it brought, the seats.

    `needed` is by Erlang C for the expected calls, `at_most` for the most; `with_patience` is by
    Erlang A for the expected ones. `days`: from how many past days.
    """

    day: date
    hour: int
    days: int
    calls: float
    most: int
    needed: Service
    at_most: Service
    with_patience: Service | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """The hours of the coming days, and how well the same method told the last past week.

    `handling_seconds`: talk and wrap-up of a call on average. `missed`: the sum of what the last
    week's hours differed from their forecast, divided by that week's calls (weighted absolute
    percentage error); None without an older week to tell it from. `untold`: days that no past day
    is like.
    """

    plan: Plan
    handling_seconds: float
    hours: tuple[HourForecast, ...]
    untold: tuple[date, ...]
    missed: float | None


def forecast(
    past: Sequence[HourCount], days: Sequence[date], plan: Plan, calendar: Calendar
) -> Forecast:
    """Tell the hours of `days` from past ones; hours without calls need no row, days do.

    Raises:
        CalendarEnds: a day lies outside the holiday calendar.
        NoSuchStaffing: the plan makes no sense.
    """
    counted = _by_day(past)
    talks = sum(one.talks for one in past)
    talked = sum(one.talk_seconds for one in past)
    handling = (talked / talks if talks else 0.0) + plan.wrapup
    told = {day: _alike(day, counted, calendar) for day in days}
    hours = tuple(
        _hour(day, hour, [counted[one][hour] for one in like], plan, handling)
        for day, like in told.items()
        if like and handling
        for hour in HOURS
    )
    return Forecast(
        plan=plan,
        handling_seconds=handling,
        hours=hours,
        untold=tuple(day for day, like in told.items() if not (like and handling)),
        missed=_missed(counted, calendar),
    )


def _by_day(past: Iterable[HourCount]) -> dict[date, list[int]]:
    counted: dict[date, list[int]] = {}
    for one in past:
        counted.setdefault(one.day, [0] * len(HOURS))[one.hour] += one.asked
    return counted


def _alike(day: date, known: Iterable[date], calendar: Calendar) -> list[date]:
    """The past days that this one will be like."""
    works = calendar.is_working(day)
    same = [one for one in known if one < day and calendar.is_working(one) is works]
    if works is not (day.weekday() < SATURDAY):
        return same
    weekday = [one for one in same if one.weekday() == day.weekday()]
    return weekday or same


def _hour(day: date, hour: int, found: list[int], plan: Plan, handling: float) -> HourForecast:
    calls, most = sum(found) / len(found), max(found)

    def seats(count: float, patience: float | None = None) -> Service:
        traffic = Traffic(calls_per_hour=count, handling_seconds=handling, patience=patience)
        return seats_needed(traffic, target=plan.target, share=plan.share)

    return HourForecast(
        day=day,
        hour=hour,
        days=len(found),
        calls=calls,
        most=most,
        needed=seats(calls),
        at_most=seats(most),
        with_patience=None if plan.patience is None else seats(calls, plan.patience),
    )


def _missed(counted: Mapping[date, list[int]], calendar: Calendar) -> float | None:
    """How far the last week's hours were from what the days before it told."""
    week = sorted(counted)[-7:]
    before = [day for day in counted if day < week[0]] if week else []
    told = [(day, _alike(day, before, calendar)) for day in week]
    rows = [
        (counted[day][hour], sum(counted[one][hour] for one in like) / len(like))
        for day, like in told
        if like
        for hour in HOURS
    ]
    calls = sum(came for came, _ in rows)
    return sum(abs(came - expected) for came, expected in rows) / calls if calls else None
