"""The live table: each planned call as the service sees it now."""

from collections.abc import Sequence
from datetime import datetime

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
COLUMNS = (
    "call",
    "line",
    "caller",
    "stage",
    "wait",
    "talk",
    "recorded",
    "words",
    "level1",
    "kind",
    "unit",
    "case",
)


def table(calls: Sequence[Placed], now: datetime) -> Table:
    """Render all calls."""
    shown = Table(title=chinese("title"), expand=False, pad_edge=False)
    for column in COLUMNS:
        shown.add_column(chinese(f"column.{column}"), no_wrap=column not in {"level1", "unit"})
    for placed in calls:
        shown.add_row(*_cells(placed, now))
    return shown


def _cells(placed: Placed, now: datetime) -> list[Text]:
    call, case = placed.call, placed.case
    urgency = str(case.urgency) if case is not None and case.kind is not None else "normal"
    emphasis = URGENT.get(urgency, "")
    return [
        Text(placed.plan.name, style=emphasis),
        Text(term("line", placed.plan.line)),
        Text(call.caller if call else ""),
        _stage(placed),
        Text(_seconds(_wait(placed, now)), justify="right"),
        Text(_seconds(_talk(placed, now)), justify="right"),
        _share(placed, placed.recorded),
        _share(placed, placed.transcribed),
        Text((case.level1 or "") if case else "", style=emphasis),
        Text(term("kind", case.kind) if case else ""),
        Text((case.unit or "") if case else ""),
        Text(f"{case.number} {term('state', case.state)}" if case else ""),
    ]


def _stage(placed: Placed) -> Text:
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


def _wait(placed: Placed, now: datetime) -> float | None:
    call = placed.call
    if call is None or call.queued_at is None:
        return None
    return ((call.answered_at or call.ended_at or now) - call.queued_at).total_seconds()


def _talk(placed: Placed, now: datetime) -> float | None:
    call = placed.call
    if call is None or call.answered_at is None:
        return None
    return ((call.ended_at or now) - call.answered_at).total_seconds()


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{max(value, 0):.0f} s"


def _share(placed: Placed, done: int) -> Text:
    if placed.plan.fate is not Fate.ANSWERED or placed.call is None:
        return Text("")
    return Text(f"{done}/2", style="green" if done == 2 else "dim")  # noqa: PLR2004 - two legs
