"""What an indicator is: which facts are divided, over which time, and where that comes from; pure.

A fact is a count (or a sum of seconds) that one statement of `store.py` gives for a scope. A rate
is one sum of facts divided by another, so both numbers are always there to be shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from metrics.collect import Line


class Source(StrEnum):
    """What is counted; each source has one statement."""

    NUMBERS = "numbers"
    """The gap-free numbers of calls, held against the exchange."""
    CALLS = "calls"
    """Calls of citizens that asked for a person in the period."""
    HANDLING = "handling"
    """Accepted items that fell due in the period."""
    ACCEPTED = "accepted"
    """Items accepted in the period."""
    DISPATCHED = "dispatched"
    """Items first sent to a unit in the period."""
    ENDED = "ended"
    """Items that ended in the period."""
    SURVEYS = "surveys"
    """What callers answered after a talk in the period."""
    REPEATS = "repeats"
    CARDS = "cards"
    """Knowledge cards as they stood when the period ended."""
    DUTY = "duty"


class Window(StrEnum):
    """Over which time the current figure is told; a report asks for its own period."""

    DAY = "24h"
    MONTH = "30d"

    @property
    def length(self) -> timedelta:
        """How far it reaches back from now: it slides, it follows no calendar."""
        return {Window.DAY: timedelta(hours=24), Window.MONTH: timedelta(days=30)}[self]


class Measure(StrEnum):
    """In what the figure is told."""

    RATIO = "ratio"
    """Between 0 and 1; shown as a percentage."""
    SECONDS = "seconds"
    HOURS = "hours"
    """Seconds like the other, so that sums stay exact; people read them as hours."""


class Better(StrEnum):
    """Which way is good."""

    HIGH = "high"
    LOW = "low"


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One text in both languages."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A number that the statement of a source gives; `key` is the name of its column."""

    key: str
    source: Source
    words: Words


Facts = tuple[Fact, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    """One figure: the sum of `numerator` over the sum of `denominator`.

    `excluded` counts what is in neither number, and is always shown; `beside` are further facts
    that belong to the picture. `basis` names where the definition comes from; `ours` says that no
    rule that was read gives it. `promise` is what the city promised. `by_unit`: it can be asked of
    one unit alone.
    """

    key: str
    name: Words
    formula: Words
    numerator: Facts
    denominator: Facts
    excluded: Facts = ()
    beside: Facts = ()
    window: Window
    measure: Measure = Measure.RATIO
    better: Better = Better.HIGH
    promise: float | None = None
    by_unit: bool = False
    basis: Words
    ours: bool = True

    @property
    def by_line(self) -> bool:
        """Whether it can be asked of one line alone."""
        return Source.CARDS not in self.sources

    @property
    def facts(self) -> Facts:
        """Every fact it needs."""
        return (*self.numerator, *self.denominator, *self.excluded, *self.beside)

    @property
    def sources(self) -> frozenset[Source]:
        """The statements it needs."""
        return frozenset(fact.source for fact in self.facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Of what a figure is told: what happened after `since` and up to `until`, as seen then.

    A deadline at midnight belongs to the day that it ends. What happened after `until` changes
    nothing, so a past period keeps its figures, but for an extension granted later: it takes the
    item to the period of its new due time. None: all lines, all units. `lines` are the configured
    lines, with the time in which each promises an answer.
    """

    since: datetime
    until: datetime
    line: str | None = None
    unit: str | None = None
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """An indicator of one scope: its two numbers, and every fact behind it by its key."""

    indicator: Indicator
    scope: Scope
    facts: Mapping[str, float | int] = field(default_factory=dict)

    def _sum(self, facts: Facts) -> float | int:
        return sum(self.facts[fact.key] for fact in facts)

    @property
    def numerator(self) -> float | int:
        """What is divided; a whole number but for sums of time."""
        return self._sum(self.indicator.numerator)

    @property
    def denominator(self) -> float | int:
        """By what it is divided."""
        return self._sum(self.indicator.denominator)

    @property
    def value(self) -> float | None:
        """The figure; None while there is nothing to divide by."""
        return self.numerator / self.denominator if self.denominator else None

    @property
    def excluded(self) -> Mapping[str, float | int]:
        """What is in neither number, by fact."""
        return {fact.key: self.facts[fact.key] for fact in self.indicator.excluded}

    @property
    def beside(self) -> Mapping[str, float | int]:
        """What else belongs to the picture, by fact."""
        return {fact.key: self.facts[fact.key] for fact in self.indicator.beside}


ALL_LINES = "all"
NO_UNIT = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Current:
    """Every indicator over its own window as of one moment, by indicator and line.

    What belongs to no line stands under `ALL_LINES`. `missing` are calls of 30 days whose number is
    gone, or that only the exchange knows.
    """

    at: datetime
    figures: Mapping[tuple[str, str], Figure]
    units: Mapping[str, Figure] = field(default_factory=dict)
    """What each unit answered on time over 30 days; `NO_UNIT` has what no unit has."""
    missing: int = 0
