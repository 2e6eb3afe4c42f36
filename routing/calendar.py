"""Working days by the State Council's yearly notice, make-up working days included; pure.

A year's table stands in deploy/calendars/cn-YYYY.yaml and names its notice. A calendar joins
neighbouring years; before its first and after its last day nothing is computed, because a guess
there would be a wrong promise to a citizen.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from routing.documents import Document, read_document
from routing.errors import CalendarEnds, DataFault

SATURDAY = 5
DAY = timedelta(days=1)


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
            if day.year != self.year:
                raise ValueError(f"{day} does not lie in {self.year}")
        both = set(off) & set(worked)
        if both:
            raise ValueError(f"{min(both)} is both a day off and a working day")
        if len(set(off)) != len(off) or len(set(worked)) != len(worked):
            raise ValueError("a day is named twice")
        return self


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
        return cls(
            first=date(ordered[0].year, 1, 1),
            last=date(ordered[-1].year, 12, 31),
            days_off=frozenset(d for t in ordered for h in t.holidays for d in h.days()),
            make_up=frozenset(d for t in ordered for h in t.holidays for d in h.workdays),
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


def load_calendar(folder: Path) -> Calendar:
    """Join every `cn-*.yaml` in a folder; raises DataFault with one sentence."""
    return Calendar.of(read_year(path) for path in sorted(folder.glob("cn-*.yaml")))
