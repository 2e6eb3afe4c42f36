"""How fast emergencies are reported: a versioned pack, each limit with its basis; pure.

No national table gives every figure, so all of them are data. What is fixed here is the ceiling:
the written first report of a level I or II incident within four hours (domain facts 1.6; general
knowledge, not read), because a city may be stricter and never slacker.
"""

from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from routing.documents import Document, read_document
from routing.limits import Sourced, Unit

CEILING = timedelta(hours=4)
_LENGTH = {Unit.MINUTES: timedelta(minutes=1), Unit.HOURS: timedelta(hours=1)}


class Level(StrEnum):
    """How grave an incident is: particularly grave, grave, larger, ordinary."""

    I = "I"  # noqa: E741 - the law's own word
    II = "II"
    III = "III"
    IV = "IV"


class Span(Sourced):
    """A length by the clock: emergencies know no working days."""

    @model_validator(mode="after")
    def _by_the_clock(self) -> Self:
        if self.unit not in _LENGTH:
            raise ValueError("an emergency's limit is given in minutes or hours")
        return self

    @property
    def length(self) -> timedelta:
        """How long it is."""
        return self.amount * _LENGTH[self.unit]


class LevelLimits(Document):
    """How soon to telephone, how soon to write, and how often to follow up."""

    phone: Span
    text: Span
    follow_up: Span

    @model_validator(mode="after")
    def _telephone_first(self) -> Self:
        if self.phone.length > self.text.length:
            raise ValueError("the telephone comes first: phone may not be longer than text")
        return self


class ReportingPolicy(Document):
    """One version of the pack."""

    policy: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    version: int = Field(ge=1, le=999_999)
    title: str = Field(min_length=1)
    source: str = Field(min_length=1)
    acknowledge: Span
    levels: dict[Level, LevelLimits]

    @property
    def name(self) -> str:
        """Name and version, as an incident shows it."""
        return f"{self.policy}/{self.version}"

    @model_validator(mode="after")
    def _every_level(self) -> Self:
        missing = [level for level in Level if level not in self.levels]
        if missing:
            raise ValueError(f"level {missing[0]} has no limits")
        for level in (Level.I, Level.II):
            if self.levels[level].text.length > CEILING:
                raise ValueError(f"level {level}: the written report may take at most 4 hours")
        return self


def read_reporting_policy(path: Path) -> ReportingPolicy:
    """The pack in a file; raises `DataFault` with file and place."""
    return read_document(path, ReportingPolicy)
