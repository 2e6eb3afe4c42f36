"""What is read, beside the simulator's own log: the scraped page, bulletins, the public page."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

from prometheus_client import parser

from hotline.casework import Casework
from hotline.database import Connection
from hotline.disclosing import disclosed
from hotline.drawing.data import data
from hotline.reports import gathered, scope_of
from metrics.collect import ProcessState, Snapshot
from metrics.exporter import render
from metrics.indicators.definitions import Indicator, Window
from metrics.indicators.every import INDICATORS
from metrics.reports.document import Kind, period_of
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
    """Every row of a month's bulletin and of its public page: the rate and its two numbers."""
    period, city = period_of(Kind.MONTHLY, date(2026, month, 1)), casework.city
    report, _ = await gathered(conn, period, city=city, lines=LINES, rules=rules)
    files = await disclosed(conn, period.first, city=city, lines=LINES, rules=rules)
    scope = scope_of(period, LINES)
    found = log.facts(Period(scope.since.astimezone(UTC), scope.until.astimezone(UTC)))
    place = f"{period.first:%Y-%m}"
    return [
        *_rows(json.loads(data(report)), found, f"the bulletin of {place}"),
        *_rows(json.loads(files["figures.json"]), found, f"the public page of {place}"),
    ]


def _rows(report: dict[str, Any], found: dict[str, float | int], place: str) -> Iterator[str]:
    table = next(it for it in report["tables"] if it["key"] == "indicators")
    rows = {row[0]["text"]["zh"]: [cell["value"] for cell in row[1:4]] for row in table["rows"]}
    for it in TOLD:
        top, bottom = _sums(it, found)
        right = [top / bottom if bottom else None, top, bottom]
        if rows[it.name.zh] != right:
            yield f"{place}: {it.key} is {rows[it.name.zh]}, the log says {right}"
