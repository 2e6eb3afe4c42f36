"""The sheets of operators and the seats of coming hours, as reports; pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from metrics.forecast import Forecast
from metrics.indicators.definitions import Words
from metrics.reports.document import (
    Bar,
    Bars,
    Cell,
    Form,
    Kind,
    Period,
    Report,
    Table,
    count,
    text,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorSheet:
    """What an operator did in a period; the badge is what callers hear.

    `registered`: of the calls answered, those with a confirmed case. `satisfied` of `surveyed`
    callers were satisfied with the call; `silent` ones did not say.
    """

    operator: str
    answered: int
    talk_seconds: float
    registered: int
    satisfied: int
    surveyed: int
    silent: int


def operators(period: Period, city: str, sheets: Sequence[OperatorSheet]) -> Report:
    """What each operator did: counts by badge, no judgement and no rank."""
    table = Table(
        key="operators",
        title=Words(zh="座席工作情况", en="Operators"),
        columns=(
            Words(zh="工号", en="Badge"),
            Words(zh="接听", en="Answered"),
            Words(zh="平均通话", en="Mean talk"),
            Words(zh="有工单", en="With a case"),
            Words(zh="满意", en="Satisfied"),
            Words(zh="已评价", en="Said so or not"),
            Words(zh="未评价", en="Did not say"),
        ),
        rows=tuple(
            (
                text(one.operator),
                count(one.answered),
                Cell(
                    form=Form.SECONDS,
                    value=one.talk_seconds / one.answered if one.answered else None,
                ),
                count(one.registered),
                count(one.satisfied),
                count(one.surveyed),
                count(one.silent),
            )
            for one in sheets
        ),
        notes=(
            Words(
                zh="仅为计数，按工号排列，不作评价和排名。",
                en="Counts by badge: no judgement and no rank.",
            ),
        ),
    )
    title = Words(zh=f"{city}12345热线座席工作情况", en=f"Operators of the 12345 line, {city}")
    return Report(period=period, city=city, title=title, tables=(table,))


def seats(city: str, found: Forecast) -> Report:
    """The calls of coming hours and the seats they need, the first day as a picture."""
    hours = found.hours
    days = [one.day for one in hours] or list(found.untold)
    table = Table(
        key="staffing",
        title=Words(zh="各小时来电预测与座席", en="Calls and seats by the hour"),
        columns=(
            Words(zh="日期", en="Day"),
            Words(zh="时", en="Hour"),
            Words(zh="预计来电", en="Calls expected"),
            Words(zh="同类日最多", en="At most"),
            Words(zh="需座席", en="Seats"),
            Words(zh="最多时需座席", en="Seats at most"),
            Words(zh="预计及时接听", en="Answered in time"),
            Words(zh="平均等待", en="Mean wait"),
        ),
        rows=tuple(
            (
                text(str(one.day)),
                count(one.hour),
                Cell(form=Form.COUNT, value=round(one.calls, 1)),
                count(one.most),
                count(one.needed.seats),
                count(one.at_most.seats),
                Cell(form=Form.SHARE, value=one.needed.in_time),
                Cell(form=Form.SECONDS, value=one.needed.mean_wait),
            )
            for one in hours
        ),
        notes=(
            Words(
                zh=f"按 Erlang C：{found.plan.share:.0%} 的来电 {found.plan.target:g} 秒内接听，"
                f"每通占用座席 {found.handling_seconds:.0f} 秒。",
                en=f"Erlang C: {found.plan.share:.0%} of calls within {found.plan.target:g} s,"
                f" {found.handling_seconds:.0f} s of a seat each.",
            ),
        ),
    )
    first = [one for one in hours if one.day == days[0]]
    picture = Bars(
        key="seats",
        title=Words(zh=f"{days[0]} 各小时需座席", en="Seats by the hour of the first day"),
        bars=tuple(
            Bar(
                label=Words(zh=f"{one.hour:02d}时", en=f"{one.hour:02d}:00"),
                value=one.needed.seats,
                cell=count(one.needed.seats),
            )
            for one in first
        ),
        most=max((one.needed.seats for one in first), default=1),
    )
    return Report(
        period=Period(kind=Kind.DAILY, first=min(days), last=max(days)),
        city=city,
        title=Words(zh=f"{city}12345热线排班测算", en=f"Staffing of the 12345 line, {city}"),
        tables=(table,),
        pictures=(picture,) if first else (),
    )
