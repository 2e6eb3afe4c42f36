"""What the demo prints at the end: each call with its words and its case, and the rates."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hotline.console.case_shapes import CaseDetail
from hotline.console.number_shapes import LineNumbers, Numbers, RatioView
from hotline.console.shapes import CallDetail
from hotline.demo.api import Api
from hotline.demo.rows import Placed
from hotline.demo.words import both, chinese, moment, term

SPEAKERS = {"caller": "市民", "operator": "话务员"}


async def print_report(console: Console, api: Api, calls: Sequence[Placed]) -> None:
    """Print every call of this run, then the rates."""
    console.rule(chinese("report"))
    for placed in calls:
        if placed.call is None:
            continue
        case = await api.case(placed.case.id) if placed.case else None
        _print_call(console, placed, await api.call(placed.call.id), case)
    console.rule(chinese("rates"))
    console.print(rates(await api.numbers()))


def _print_call(
    console: Console, placed: Placed, call: CallDetail, case: CaseDetail | None
) -> None:
    how = term("outcome", call.outcome)
    console.print(
        f"\n[bold]{placed.plan.name}[/bold]  #{call.id}  {term('line', call.line)}  "
        f"{escape(call.caller)}  {how}"
        f"  {_said('等待', call.wait_seconds)}  {_said('通话', call.talk_seconds)}"
    )
    if case is not None:
        _print_case(console, case)
    for turn in call.dialogue:
        style = "cyan" if turn.leg == "caller" else "green"
        speaker = SPEAKERS[turn.leg]
        console.print(
            f"    [{style}]{speaker}[/{style}] {turn.start:5.1f} s  {escape(turn.text)}",
            soft_wrap=True,
        )


def _print_case(console: Console, case: CaseDetail) -> None:
    facts = [
        case.level1 or "?",
        term("kind", case.kind),
        term("urgency", case.urgency),
        case.area or "",
        f"→ {case.unit}" if case.unit else "",
    ]
    console.print(
        f"  工单 {case.number}  {term('state', case.state)}  "
        + escape("  ".join(fact for fact in facts if fact)),
        soft_wrap=True,
    )
    due = both("deadline", at=moment(case.due_at)) if case.due_at else both("no_deadline")
    console.print(f"  {due}")
    if case.suggestion is not None and case.suggestion.reasons:
        heard = "、".join(dict.fromkeys(reason.text for reason in case.suggestion.reasons))
        console.print(f"  [dim]依据 because of: {escape(heard)}[/dim]", soft_wrap=True)


def _said(what: str, seconds: float | None) -> str:
    return "" if seconds is None else f"{what} {seconds:.0f} s"


def rates(numbers: Numbers) -> Table:
    """Both lines' rates with their two numbers each."""
    table = Table(expand=False)
    for heading in (
        "线路 Line",
        "15 秒接通 In time",
        "接通率 Connect",
        "办理率 Handling",
        "未到期（已答复） Not due (answered)",
    ):
        table.add_column(heading)
    for line in numbers.lines:
        table.add_row(*_rates_of(line))
    return table


def _rates_of(line: LineNumbers) -> list[str]:
    return [
        term("line", line.line),
        _ratio(line.answered_in_time_24h),
        _ratio(line.connect_24h),
        _ratio(line.handling_30d),
        f"{line.not_yet_due} ({line.not_yet_due_answered})",
    ]


def _ratio(rate: RatioView) -> str:
    value = "–" if rate.value is None else f"{rate.value:.1%}"
    return f"{value} ({rate.numerator}/{rate.denominator})"
