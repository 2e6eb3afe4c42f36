"""Which tables and pictures a report has; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from metrics.forecast import HourCount
from metrics.indicators.definitions import Figure, Words
from metrics.indicators.every import INDICATORS
from metrics.reports.document import (
    FORMS,
    NOTHING,
    Bar,
    Bars,
    Cell,
    Form,
    Kind,
    Period,
    Report,
    Table,
    count,
    of_figure,
    text,
)
from metrics.reports.league import LeagueRules, Place, UnitFigures

TITLES = {
    Kind.DAILY: Words(zh="日报", en="Daily brief"),
    Kind.WEEKLY: Words(zh="周报", en="Weekly bulletin"),
    Kind.MONTHLY: Words(zh="月报", en="Monthly bulletin"),
}
OF_UNITS = ("handling", "on_time", "contacted", "signed_in_time", "solved", "satisfied", "redone")
"""The rates that a bulletin tells of each unit by name."""
LOOKED_AT = ("connect", "answered_in_time", "handling", "on_time", "solved", "satisfied")
"""The rates of the picture."""
HOT = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A category, or a place of one, with its cases now and in the time before."""

    name: str
    cases: int
    before: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a report is made of."""

    period: Period
    city: str
    figures: Mapping[str, Figure]
    before: Mapping[str, Figure]
    units: Sequence[UnitFigures]
    topics: Sequence[Topic]
    areas: Sequence[Topic]
    hours: Sequence[HourCount]


def report(found: Found, places: Sequence[Place] = (), rules: LeagueRules | None = None) -> Report:
    """The whole report; with `places` and their rules the league table as well."""
    tables = [indicators(found), units(found), topics(found), areas(found)]
    if rules is not None:
        tables[2:2] = [league_table(places, rules), left_out(places)]
    title = TITLES[found.period.kind]
    return Report(
        period=found.period,
        city=found.city,
        title=Words(
            zh=f"{found.city}12345热线{title.zh}", en=f"{title.en} of the 12345 line, {found.city}"
        ),
        tables=tuple(it for it in tables if it.rows),
        pictures=tuple(it for it in (rates(found), hot(found), by_hour(found)) if it.bars),
        notes=(
            Words(
                zh="各项比率与分子、分母一并列出；“—”表示没有可计算的事项。受保护的工单不计入任何数字。",
                en=f"Each rate stands with its two numbers; {NOTHING} says that there is nothing to"
                " divide by. Protected cases are counted in no figure.",
            ),
        ),
    )


def indicators(found: Found) -> Table:
    """Every figure of the period, its two numbers, the one before, and what was left out."""
    rows = []
    for it in INDICATORS:
        figure, before = found.figures[it.key], found.before[it.key]
        left = "；".join(f"{one.words.zh} {figure.facts[one.key]:,}" for one in it.excluded)
        out = "; ".join(f"{one.words.en} {figure.facts[one.key]:,}" for one in it.excluded)
        rows.append(
            (
                text(it.name.zh, it.name.en),
                of_figure(figure),
                count(figure.numerator),
                count(figure.denominator),
                Cell(form=FORMS[it.measure], value=it.promise),
                of_figure(before),
                text(left or NOTHING, out or NOTHING),
            )
        )
    return Table(
        key="indicators",
        title=Words(zh="主要指标", en="Indicators"),
        columns=(
            Words(zh="指标", en="Indicator"),
            Words(zh="本期", en="Now"),
            Words(zh="分子", en="Numerator"),
            Words(zh="分母", en="Denominator"),
            Words(zh="承诺", en="Promise"),
            Words(zh="上期", en="Before"),
            Words(zh="不计入（单列）", en="Left out, and shown"),
        ),
        rows=tuple(rows),
    )


def units(found: Found) -> Table:
    """Each unit by name: its items and its rates, most items first."""
    names = [one.indicator for one in found.figures.values() if one.indicator.key in OF_UNITS]
    ordered = sorted(found.units, key=lambda one: (-one.dispatched, one.unit))
    return Table(
        key="units",
        title=Words(zh="承办单位", en="Units"),
        columns=(
            Words(zh="单位", en="Unit"),
            Words(zh="派发", en="Dispatched"),
            Words(zh="到期未答复", en="Overdue"),
            *(it.name for it in names),
        ),
        rows=tuple(
            (
                text(one.unit),
                count(one.dispatched),
                count(one.figures["handling"].facts["overdue"]),
                *(of_figure(one.figures[it.key]) for it in names),
            )
            for one in ordered
        ),
    )


def topics(found: Found) -> Table:
    """The categories with most cases, and how many more or less than before."""
    return _topics(
        "topics",
        Words(zh="热点诉求", en="Hot topics"),
        Words(zh="类别", en="Category"),
        found.topics,
    )


def areas(found: Found) -> Table:
    """The same by area."""
    return _topics("areas", Words(zh="地区", en="Areas"), Words(zh="地区", en="Area"), found.areas)


def _topics(key: str, title: Words, first: Words, found: Sequence[Topic]) -> Table:
    return Table(
        key=key,
        title=title,
        columns=(
            first,
            Words(zh="本期", en="Now"),
            Words(zh="上期", en="Before"),
            Words(zh="增减", en="Change"),
            Words(zh="变化率", en="Change, relative"),
        ),
        rows=tuple(
            (
                text(one.name),
                count(one.cases),
                count(one.before),
                Cell(form=Form.CHANGE, value=one.cases - one.before),
                Cell(
                    form=Form.SHARE,
                    value=(one.cases - one.before) / one.before if one.before else None,
                ),
            )
            for one in found
        ),
    )


def league_table(places: Sequence[Place], rules: LeagueRules) -> Table:
    """The units that are ranked, by class, each rate with its two numbers."""
    keys = list(rules.weights)
    names = {it.key: it.name for it in INDICATORS}
    return Table(
        key="league",
        title=Words(zh="月度考核排名", en="League table of the month"),
        columns=(
            Words(zh="类别", en="Class"),
            Words(zh="名次", en="Rank"),
            Words(zh="单位", en="Unit"),
            Words(zh="得分", en="Score"),
            Words(zh="派发", en="Dispatched"),
            *(
                Words(
                    zh=f"{names[key].zh}（权重{rules.weights[key]}）",
                    en=f"{names[key].en} (weight {rules.weights[key]})",
                )
                for key in keys
            ),
            Words(zh="采纳申诉", en="Appeals granted"),
        ),
        rows=tuple(_placed(one) for one in places if one.rank is not None),
        notes=(
            Words(zh=f"规则 {rules.name}：{rules.basis}", en=f"Rules {rules.name}: {rules.basis}"),
            Words(
                zh="得分为各率按权重平均（越低越好的率取1减其值），无可计算事项的率不占权重。",
                en="The score is the mean of the rates by weight (one minus the rate where low is"
                " good); a rate without anything to divide by carries no weight.",
            ),
        ),
    )


def _placed(one: Place) -> tuple[Cell, ...]:
    return (
        text(one.group),
        count(one.rank or 0),
        text(one.unit),
        Cell(form=Form.SCORE, value=None if one.score is None else float(one.score)),
        count(one.dispatched),
        *(
            text(f"{part.numerator}/{part.denominator}" if part.denominator else NOTHING)
            for part in one.parts
        ),
        count(sum(part.granted for part in one.parts)),
    )


def left_out(places: Sequence[Place]) -> Table:
    """The units that are not ranked, each with the reason."""
    return Table(
        key="left_out",
        title=Words(zh="不参与排名", en="Not ranked"),
        columns=(
            Words(zh="单位", en="Unit"),
            Words(zh="派发", en="Dispatched"),
            Words(zh="原因", en="Reason"),
        ),
        rows=tuple(
            (
                text(one.unit),
                count(one.dispatched),
                text(one.reason or "没有可计算的事项 / nothing to divide by"),
            )
            for one in places
            if one.rank is None
        ),
    )


def rates(found: Found) -> Bars:
    """The main rates beside the promise."""
    figures = [found.figures[key] for key in LOOKED_AT if found.figures[key].value is not None]
    return Bars(
        key="rates",
        title=Words(zh="主要比率", en="Main rates"),
        bars=tuple(
            Bar(label=it.indicator.name, value=it.value or 0.0, cell=of_figure(it))
            for it in figures
        ),
        most=1.0,
        promise=0.95,
    )


def hot(found: Found) -> Bars:
    """The hot topics to look at."""
    return Bars(
        key="hot",
        title=Words(zh="热点诉求（件）", en="Hot topics (cases)"),
        bars=tuple(
            Bar(label=Words(zh=it.name, en=it.name), value=it.cases, cell=count(it.cases))
            for it in found.topics[:HOT]
        ),
        most=max((it.cases for it in found.topics), default=0) or 1,
    )


def by_hour(found: Found) -> Bars:
    """How many callers asked for a person in each hour of the day, all days together."""
    counts = [sum(it.asked for it in found.hours if it.hour == hour) for hour in range(24)]
    if not any(counts):
        counts = []
    return Bars(
        key="hours",
        title=Words(zh="各时段来电（个）", en="Calls by hour of the day"),
        bars=tuple(
            Bar(
                label=Words(zh=f"{hour:02d}时", en=f"{hour:02d}:00"),
                value=asked,
                cell=count(asked),
            )
            for hour, asked in enumerate(counts)
        ),
        most=max(counts, default=1),
    )
