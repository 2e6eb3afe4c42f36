"""What people and Prometheus read beside the simulator's own log: the scraped page, reports."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

from prometheus_client import parser

from hotline.casework import Casework
from hotline.database import Connection
from hotline.reports import gathered, scope_of
from metrics.collect import ProcessState, Snapshot
from metrics.exporter import render
from metrics.indicators.definitions import Indicator, Window
from metrics.indicators.every import INDICATORS
from metrics.reports.document import Kind, Report, period_of
from metrics.reports.league import LeagueRules
from tests.year.city import LEFT_OUT, LINES
from tests.year.figures import Figures, Period

TOLD = tuple(it for it in INDICATORS if it.key not in LEFT_OUT)
Sums = tuple[float, float]


def _sums(it: Indicator, found: dict[str, float | int]) -> Sums:
    return (
        sum(found.get(fact.key, 0) for fact in it.numerator),
        sum(found.get(fact.key, 0) for fact in it.denominator),
    )


def of_prometheus(told: Snapshot, log: Figures, now: datetime) -> Iterator[str]:
    """Every indicator of every line as the scraped text has it."""
    page = render(told, ProcessState(version="year"))[0].decode()
    shown = {
        (sample.name.removeprefix("hotline_indicator_"), *sample.labels.values()): sample.value
        for family in parser.text_string_to_metric_families(page)
        for sample in family.samples
        if sample.name in {"hotline_indicator_numerator", "hotline_indicator_denominator"}
    }
    for line in LINES:
        for window in Window:
            found = log.facts(Period(now - window.length, now, line.name))
            for it in TOLD:
                if it.window is not window:
                    continue
                for part, right in zip(("numerator", "denominator"), _sums(it, found), strict=True):
                    value = shown.get((part, it.key, line.name))
                    if value != right:
                        yield f"{now:%F} /metrics {line.name}: {it.key} {part} {value}, not {right}"


async def of_report(
    conn: Connection, log: Figures, casework: Casework, rules: LeagueRules, month: int
) -> list[str]:
    """Every row of a month's bulletin: the rate and its two numbers, as they are printed."""
    period = period_of(Kind.MONTHLY, date(2026, month, 1))
    report, _ = await gathered(conn, period, city=casework.city, lines=LINES, rules=rules)
    scope = scope_of(period, LINES)
    found = log.facts(Period(scope.since.astimezone(UTC), scope.until.astimezone(UTC)))
    return list(_rows(report, found, f"the report of {period.first:%Y-%m}"))


def _rows(report: Report, found: dict[str, float | int], place: str) -> Iterator[str]:
    table = next(it for it in report.tables if it.key == "indicators")
    rows = {row[0].words.zh: row for row in table.rows if row[0].words}
    for it in TOLD:
        _, rate, numerator, denominator, *_ = rows[it.name.zh]
        top, bottom = _sums(it, found)
        right = (top / bottom if bottom else None, top, bottom)
        if (rate.value, numerator.value, denominator.value) != right:
            yield (
                f"{place}: {it.key} is {rate.value} = {numerator.value} / {denominator.value},"
                f" the log says {right}"
            )
