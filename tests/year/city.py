"""Every figure of every indicator beside what the simulator's own log makes of it.

The same figures are asked of the statements (which reports, the console and the page for Prometheus
use) for the sliding windows of each count, and at the year's end for each month, for each line and
for single units, too.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from hotline.database import Connection
from metrics.collect import Line
from metrics.indicators.definitions import Figure, Scope, Window
from metrics.indicators.every import INDICATORS
from metrics.indicators.store import figures
from tests.year import days
from tests.year.figures import Figures, Period
from tests.year.people import UNITS

LINES = (Line(name="mayor"), Line(name="duty"))
OUTSIDE = frozenset({"missing", "unstored", "repeated", "drafts", "urged", "supervised"})
"""What the log does not tell: nothing is missing here, and whom supervision urged is compared with
the journal (compare.py)."""
LEFT_OUT = frozenset({"cards_fresh", "handed_over", "first_reports", "urged", "supervised"})
"""Cards, shifts and incidents are not lived here."""


async def differences(conn: Connection, log: Figures, now: datetime, *, past: bool) -> list[str]:
    """Every number that is not the same to its last digit."""
    scopes = [*_sliding(now), *(_months(now) if past else ())]
    return [
        told
        for scope in scopes
        for told in _differ(
            scope, await figures(conn, scope, INDICATORS), log.facts(_period(scope))
        )
    ]


def _period(scope: Scope) -> Period:
    return Period(scope.since, scope.until, scope.line, scope.unit)


def _sliding(now: datetime) -> Iterator[Scope]:
    for window in Window:
        scope = Scope(since=now - window.length, until=now, lines=LINES)
        yield scope
        yield from (replace(scope, line=line.name) for line in LINES)
    month = Scope(since=now - Window.MONTH.length, until=now, lines=LINES)
    yield from (replace(month, unit=unit) for unit in UNITS[:2])


def _months(now: datetime) -> Iterator[Scope]:
    """Each calendar month of the year, as a report at its end would tell it."""
    firsts = [datetime(2026, month, 1, tzinfo=days.CHINA) for month in range(1, 13)]
    for first, after in zip(firsts, [*firsts[1:], now], strict=True):
        scope = Scope(since=first.astimezone(UTC), until=after.astimezone(UTC), lines=LINES)
        yield scope
        yield replace(scope, line="mayor")
        yield replace(scope, unit=UNITS[0])


def _differ(
    scope: Scope, told: Mapping[str, Figure], found: Mapping[str, float | int]
) -> Iterator[str]:
    place = f"{scope.since:%F %H:%M} to {scope.until:%F %H:%M} {scope.line} {scope.unit}"
    for key, figure in told.items():
        if key in LEFT_OUT:
            continue
        for name, value in figure.facts.items():
            if name in OUTSIDE:
                if value and name in {"missing", "unstored"}:
                    yield f"{place}: {key}: {value} {name}"
            elif value != found[name]:
                yield f"{place}: {key}: {name} is {value}, the log says {found[name]}"
        rate = _rate(figure, found)
        if figure.value != rate:
            yield f"{place}: {key} is {figure.value}, the log says {rate}"


def _rate(figure: Figure, found: Mapping[str, float | int]) -> float | None:
    """The rate anew: nothing of the figure is used but which facts it divides."""
    it = figure.indicator
    top = sum(found.get(fact.key, 0) for fact in it.numerator)
    bottom = sum(found.get(fact.key, 0) for fact in it.denominator)
    return top / bottom if bottom else None
