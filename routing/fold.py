"""A case built again from its journal, and what a journal row must say so that this works; pure.

Every row that changed a case carries `changes`, the new value of every fact that changed, and
`texts`, the digest of each free text given with it. The first such row tells the whole case. The
text itself lies apart (`case_texts`) and can be erased: a case built again then lacks its summary,
as the stored one does.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from routing.cases import (
    CASE_FACTS,
    Case,
    CaseState,
    Channel,
    Explanation,
    Kind,
    Move,
    Outcome,
    Satisfied,
    Solved,
    Truth,
    Urgency,
    channel_of,
)
from routing.errors import HistoryFault
from routing.moves import MOVES, TO_THE_DESK

SUMMARY = "summary"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of the journal that speaks of a case, as far as the case is built from it."""

    id: int
    case_id: int
    body: Mapping[str, Any]


def _tuple(value: Any) -> Any:
    return tuple(value)


_moment = datetime.fromisoformat
READ: Mapping[str, Callable[[Any], Any]] = {
    "state": CaseState,
    "channel": Channel,
    "kind": Kind,
    "urgency": Urgency,
    "outcome": Outcome,
    "explanation": Explanation,
    "truth": Truth,
    "unit_solved": Solved,
    "solved": Solved,
    "satisfied": Satisfied,
    "helpers": _tuple,
    "asked": _tuple,
    "extended_days": _tuple,
    **{name: _moment for name in CASE_FACTS if name.endswith("_at")},
}
"""How a fact is read from JSON (or from the database) where it is no plain value."""


def digest(salt: bytes, text: str) -> str:
    """What the journal keeps of a text: without the text's own salt nobody can guess it."""
    return hashlib.sha256(salt + text.encode()).hexdigest()


def told(before: Case | None, after: Case) -> dict[str, Any]:
    """The facts that differ, ready for JSON; all of them where there was no case before.

    The summary is a text: only that there is none any more is told here.
    """
    names = [
        name
        for name in CASE_FACTS
        if before is None or getattr(before, name) != getattr(after, name)
    ]
    found = {name: _plain(getattr(after, name)) for name in names if name not in {"id", SUMMARY}}
    if before is not None and before.summary is not None and after.summary is None:
        found[SUMMARY] = None
    return found


def _plain(value: Any) -> Any:
    match value:
        case StrEnum():
            return value.value
        case datetime():
            return value.isoformat()
        case tuple():
            return list(value)
        case _:
            return value


def fold(rows: Iterable[Row], texts: Mapping[str, str] | None = None) -> Case:
    """Return the case as its journal tells it.

    Args:
        rows: the journal's rows of one case, oldest first; rows that changed nothing are passed by.
        texts: the kept texts by their digests; an erased one is missing.

    Raises:
        HistoryFault: a row does not follow from the one before it.
    """
    case: Case | None = None
    for _, after in unfolded(rows, texts):
        case = after
    if case is None:
        raise HistoryFault("The journal knows of no such case.", case_id=0)
    return case


def unfolded(
    rows: Iterable[Row], texts: Mapping[str, str] | None = None
) -> Iterator[tuple[Row, Case]]:
    """Every row that changed a case, with the case as it stood from then on; see `fold`."""
    case: Case | None = None
    for row in rows:
        if "changes" in row.body:
            case = _after(case, row, texts or {})
            yield row, case


def _after(case: Case | None, row: Row, texts: Mapping[str, str]) -> Case:
    changes = {name: read(name, value) for name, value in row.body["changes"].items()}
    words = row.body.get("texts", {})
    if SUMMARY in words and SUMMARY not in changes:
        changes[SUMMARY] = texts.get(words[SUMMARY])
    try:
        if case is None:
            # Rows from before there were channels speak of calls only.
            return Case(**{"id": row.case_id, "channel": channel_of(changes["line"]), **changes})
        after = replace(case, **changes)
    except (TypeError, KeyError) as error:
        raise HistoryFault(
            f"Journal row {row.id} does not tell case {row.case_id} as it should ({error}).",
            case_id=row.case_id,
            row=row.id,
        ) from error
    _check(case, after, row)
    return after


def read(name: str, value: Any) -> Any:
    """A fact's value, from JSON or from a column of the database."""
    if value is None or name not in READ or (isinstance(value, datetime)):
        return value
    return READ[name](value)


def _check(before: Case, after: Case, row: Row) -> None:
    """The row's move must lead from the state before it to the state after it."""
    step = row.body.get("move")
    rule = MOVES.get(Move(step)) if step is not None else None
    if rule is None:
        lawful = before.state is after.state
    else:
        targets = {rule.target or before.state} | (
            {CaseState.OPEN} if step in TO_THE_DESK else set()
        )
        lawful = before.state in rule.sources and after.state in targets
    if not lawful or after.version != before.version + 1:
        raise HistoryFault(
            f"Journal row {row.id} does not follow: case {before.number} was {before.state}"
            f" in version {before.version}, and '{step}' cannot make it {after.state}"
            f" in version {after.version}.",
            case_id=row.case_id,
            row=row.id,
        )
