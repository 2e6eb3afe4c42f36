"""The live table: each planned call as the service sees it now."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from rich.table import Table
from rich.text import Text

from deploy.demo.script import Fate
from hotline.demo.rows import Placed
from hotline.demo.words import chinese, term

URGENT = {"urgent": "yellow", "emergency": "bold white on red"}
OUTCOME_STYLE = {
    "answered": "green",
    "abandoned": "yellow",
    "abandoned_short": "yellow",
    "unanswered": "red",
    "failed": "bold red",
}
NARROW = 150  # columns of a terminal below which only what changes is shown


def table(calls: Sequence[Placed], now: datetime, width: int) -> Table:
    """Render all calls for a terminal this wide."""
    shown = Table(title=chinese("title"), expand=False, pad_edge=False)
    columns = [name for name in CELLS if width >= NARROW or name not in LEFT_OUT]
    for name in columns:
        shown.add_column(chinese(f"column.{name}"), overflow="fold")
    for placed in calls:
        shown.add_row(*(CELLS[name](placed, now) for name in columns))
    return shown


def _emphasis(placed: Placed) -> str:
    case = placed.case
    return "" if case is None or case.kind is None else URGENT.get(case.urgency, "")


def _call(placed: Placed, _now: datetime) -> Text:
    return Text(placed.plan.name.partition("-")[0], style=_emphasis(placed))


def _line(placed: Placed, _now: datetime) -> Text:
    return Text(term("line", placed.plan.line))


def _caller(placed: Placed, _now: datetime) -> Text:
    return Text(placed.call.caller if placed.call else "")


def _level1(placed: Placed, _now: datetime) -> Text:
    return Text((placed.case.level1 or "") if placed.case else "", style=_emphasis(placed))


def _kind(placed: Placed, _now: datetime) -> Text:
    return Text(term("kind", placed.case.kind) if placed.case else "")


def _unit(placed: Placed, _now: datetime) -> Text:
    return Text((placed.case.unit or "") if placed.case else "")


def _case(placed: Placed, _now: datetime) -> Text:
    return Text(placed.case.number if placed.case else "")


def _state(placed: Placed, _now: datetime) -> Text:
    return Text(term("state", placed.case.state) if placed.case else "")


def _stage(placed: Placed, _now: datetime) -> Text:
    call = placed.call
    if call is None:
        return Text(chinese("stage.dialling" if placed.dialled else "stage.planned"), style="dim")
    if call.outcome is not None:
        return Text(term("outcome", call.outcome), style=OUTCOME_STYLE.get(call.outcome, ""))
    if call.answered_at is not None:
        return Text(chinese("stage.talking"), style="bold green")
    if call.queued_at is not None:
        return Text(chinese("stage.waiting"), style="bold yellow")
    return Text(chinese("stage.dialling"), style="cyan")


def _wait(placed: Placed, now: datetime) -> Text:
    call = placed.call
    if call is None or call.queued_at is None:
        return Text("")
    return _seconds((call.answered_at or call.ended_at or now) - call.queued_at)


def _talk(placed: Placed, now: datetime) -> Text:
    call = placed.call
    if call is None or call.answered_at is None:
        return Text("")
    return _seconds((call.ended_at or now) - call.answered_at)


def _seconds(span: timedelta) -> Text:
    return Text(f"{max(span.total_seconds(), 0):.0f}", justify="right")


def _recorded(placed: Placed, _now: datetime) -> Text:
    return _share(placed, placed.recorded)


def _words(placed: Placed, _now: datetime) -> Text:
    return _share(placed, placed.transcribed)


def _share(placed: Placed, done: int) -> Text:
    if placed.plan.fate is not Fate.ANSWERED or placed.call is None:
        return Text("")
    return Text(f"{done}/2", style="green" if done == 2 else "dim")  # noqa: PLR2004 - two legs


CELLS: Mapping[str, Callable[[Placed, datetime], Text]] = {
    "call": _call,
    "line": _line,
    "caller": _caller,
    "stage": _stage,
    "wait": _wait,
    "talk": _talk,
    "recorded": _recorded,
    "words": _words,
    "level1": _level1,
    "kind": _kind,
    "unit": _unit,
    "case": _case,
    "state": _state,
}
LEFT_OUT = frozenset({"line", "caller", "unit", "case"})
