"""A report of made-up figures, for tests that draw one or score units."""

from datetime import UTC, date, datetime
from pathlib import Path

from hotline.casework import SHIPPED
from metrics.forecast import HourCount
from metrics.indicators.definitions import Figure, Scope
from metrics.indicators.every import BY_KEY, INDICATORS
from metrics.reports.build import Found, Topic, report
from metrics.reports.document import Kind, Report, period_of
from metrics.reports.league import LeagueRules, UnitFigures, league, load_league

SCOPE = Scope(
    since=datetime(2026, 9, 30, 16, tzinfo=UTC), until=datetime(2026, 10, 31, 16, tzinfo=UTC)
)
RULES: LeagueRules = load_league(Path("/nowhere"), SHIPPED)
FORMULA = '=HYPERLINK("http://evil.example","路灯")'


def figure(key: str, top: int, bottom: int) -> Figure:
    """A figure with these two numbers, as far as its facts allow."""
    it = BY_KEY[key]
    facts = dict.fromkeys((fact.key for fact in it.facts), 0)
    facts[it.denominator[-1].key] = bottom
    facts[it.numerator[0].key] = top
    return Figure(indicator=it, scope=SCOPE, facts=facts)


def unit(name: str, share: int, *, group: str = "市级单位", items: int = 100) -> UnitFigures:
    """A unit with `share` good ones of a hundred in every rate."""
    told = {it.key: figure(it.key, share, 100) for it in INDICATORS}
    return UnitFigures(unit=name, group=group, dispatched=items, figures=told)


def made() -> Report:
    """A month with three units, one of which calls itself a formula."""
    units = [unit("市水务局", 97), unit(FORMULA, 80), unit("涪城区", 60, group="县（市、区）单位")]
    told = {it.key: figure(it.key, 93, 100) for it in INDICATORS}
    found = Found(
        period=period_of(Kind.MONTHLY, date(2026, 10, 5)),
        city="绵阳市",
        figures=told,
        before=told,
        units=units,
        topics=[
            Topic(name="城乡建设", cases=1234, before=1000),
            Topic(name="@噪声<script>alert(1)</script>", cases=4, before=0),
        ],
        areas=[Topic(name="涪城区", cases=12, before=15)],
        hours=[HourCount(day=date(2026, 10, 1), hour=10, asked=42, talks=40, talk_seconds=4000.0)],
    )
    return report(found, league(units, RULES), RULES)
