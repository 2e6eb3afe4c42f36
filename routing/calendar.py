"""Working days by the State Council's yearly notice, make-up working days included; pure.

A year's table stands in deploy/calendars/cn-YYYY.yaml and names its notice; those that a city has
loaded itself stand in a folder beside and win over ours. A calendar joins neighbouring years;
before its first and after its last day nothing is computed, because a guess there would be a wrong
promise to a citizen.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from routing.documents import Document, faults, read_document
from routing.errors import CalendarEnds, DataFault

SATURDAY = 5
DAY = timedelta(days=1)
NEW_YEAR_REACHES_BACK = timedelta(days=8)
"""A New Year's holiday may begin, or be worked for, in the last days of December before it."""
NAMES = ("元旦", "春节", "清明", "劳动节", "端午", "中秋", "国庆")
"""The holidays every year's notice speaks of; two that meet share one name (国庆节、中秋节)."""
FEWEST_DAYS_OFF = 13
"""The days off that the law itself gives since 2025 (全国年节及纪念日放假办法)."""


class Holiday(Document):
    """One holiday as the notice gives it: the days off and the weekend days worked for it."""

    name: str = Field(min_length=1)
    first: date
    last: date
    workdays: tuple[date, ...] = ()

    @model_validator(mode="after")
    def _order(self) -> Self:
        if self.last < self.first:
            raise ValueError(f"{self.name} ends before it begins")
        for day in self.workdays:
            if day.weekday() < SATURDAY:
                raise ValueError(f"{day} is no weekend day, so it cannot be a make-up working day")
        return self

    def days(self) -> Iterable[date]:
        """Return every day off of this holiday."""
        return (self.first + DAY * n for n in range((self.last - self.first).days + 1))


class YearTable(Document):
    """One year of the State Council's notice."""

    year: int = Field(ge=2000, le=2999)
    source: str = Field(min_length=1)
    holidays: tuple[Holiday, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        off = [day for holiday in self.holidays for day in holiday.days()]
        worked = [day for holiday in self.holidays for day in holiday.workdays]
        for day in (*off, *worked):
            if not date(self.year, 1, 1) - NEW_YEAR_REACHES_BACK <= day <= date(self.year, 12, 31):
                raise ValueError(f"{day} does not lie in {self.year}")
        both = set(off) & set(worked)
        if both:
            raise ValueError(f"{min(both)} is both a day off and a working day")
        if len(set(off)) != len(off) or len(set(worked)) != len(worked):
            raise ValueError("a day is named twice")
        return self

    def gaps(self) -> tuple[str, ...]:
        """Say what a whole year's notice would have and this table has not; none when complete."""
        missing = [
            name for name in NAMES if not any(name in holiday.name for holiday in self.holidays)
        ]
        found = [f"no holiday of {self.year} is called {name}" for name in missing]
        days = sum(len(list(holiday.days())) for holiday in self.holidays)
        if days < FEWEST_DAYS_OFF:
            found.append(
                f"{self.year} has only {days} days off, and the law gives {FEWEST_DAYS_OFF}"
            )
        return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """The working days from `first` to `last`, both included."""

    first: date
    last: date
    days_off: frozenset[date]
    make_up: frozenset[date]

    @classmethod
    def of(cls, tables: Iterable[YearTable]) -> Self:
        """Join the tables of neighbouring years.

        Raises:
            DataFault: there is no table, a year stands twice or one is missing between two.
        """
        ordered = sorted(tables, key=lambda table: table.year)
        if not ordered:
            raise DataFault("There is no holiday calendar: put one year's YAML into the folder.")
        for before, after in pairwise(ordered):
            if after.year != before.year + 1:
                raise DataFault(
                    f"The holiday calendars of {before.year} and {after.year} do not follow"
                    " each other: one year is missing or stands twice."
                )
        days_off = frozenset(d for t in ordered for h in t.holidays for d in h.days())
        make_up = frozenset(d for t in ordered for h in t.holidays for d in h.workdays)
        if days_off & make_up:
            raise DataFault(
                f"{min(days_off & make_up)} is a day off in one year's holiday calendar and a"
                " working day in another's."
            )
        return cls(
            first=date(ordered[0].year, 1, 1),
            last=date(ordered[-1].year, 12, 31),
            days_off=days_off,
            make_up=make_up,
        )

    def is_working(self, day: date) -> bool:
        """Whether public offices work on this day.

        Raises:
            CalendarEnds: the day lies outside the calendar.
        """
        if not self.first <= day <= self.last:
            raise CalendarEnds(
                f"The holiday calendar covers {self.first} to {self.last} and says nothing about"
                f" {day}: load the State Council's calendar of {day.year}.",
                first=self.first,
                last=self.last,
            )
        return day in self.make_up or (day.weekday() < SATURDAY and day not in self.days_off)

    def add_working_days(self, start: date, days: int) -> date:
        """Return the `days`-th working day after `start`; `start` itself never counts.

        Raises:
            CalendarEnds: the count leaves the calendar.
            ValueError: `days` is less than one.
        """
        if days < 1:
            raise ValueError("a limit has at least one working day")
        day = start
        while days:
            day += DAY
            days -= self.is_working(day)
        return day

    def working_days_between(self, start: date, end: date) -> int:
        """Count the working days after `start` up to and with `end`; negative when reversed."""
        if end < start:
            return -self.working_days_between(end, start)
        return sum(self.is_working(start + DAY * n) for n in range(1, (end - start).days + 1))


def read_year(path: Path) -> YearTable:
    """Return one year's table; raises DataFault with one sentence."""
    return read_document(path, YearTable)


def year_faults(path: Path) -> tuple[str, ...]:
    """Return one sentence for each fault of a year's table, what a whole year lacks included."""
    found = faults(path, YearTable)
    return found or tuple(f"{path}: {gap}." for gap in read_year(path).gaps())


def load_calendar(*folders: Path) -> Calendar:
    """Join every `cn-*.yaml` of some folders; raises DataFault with one sentence.

    A year that a later folder holds again takes the place of the earlier one.
    """
    tables: dict[int, YearTable] = {}
    for folder in folders:
        here: dict[int, Path] = {}
        for path in sorted(folder.glob("cn-*.yaml")):
            table = read_year(path)
            if table.year in here:
                raise DataFault(
                    f"{path}: the year {table.year} stands in {here[table.year].name} already.",
                    path=path,
                )
            here[table.year] = path
            tables[table.year] = table
    return Calendar.of(tables.values())
