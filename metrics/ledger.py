"""The handling counts of any number of closed items, without looking at each again; pure.

A closed item never changes any more: what remains of it is its due time and four yes-or-no facts.
They are kept sorted by due time, so that counting them at any moment is a search, not a walk.
The definition of every count stays in collect.py; a test holds this file to it.
"""

from array import array
from bisect import bisect_right, insort
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

from metrics.collect import HANDLING_WINDOW, DueTimes, Handling, Item, handling_of


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """What a closed item counts as, whenever it is looked at."""

    line: str
    handled: bool
    on_time: bool
    answered: bool
    withdrawn: bool


class Ledger:
    """Closed items by line; `seen` is the journal row up to which they have been taken in."""

    def __init__(self, lines: Iterable[str], rule: DueTimes) -> None:
        """`rule` dates an item and must not change while the ledger lives."""
        self.seen = 0
        self._lines = tuple(lines)
        self._rule = rule
        self._due: dict[_Facts, array[float]] = {}
        self._undated: dict[tuple[str, bool], int] = {}

    def settle(self, closed: Iterable[Item], seen: int) -> None:
        """Take in items that have been closed since the last time."""
        fresh: dict[_Facts, list[float]] = {}
        for item in closed:
            due_at = self._rule(item)
            if due_at is None:
                key = (item.line, item.withdrawn)
                self._undated[key] = self._undated.get(key, 0) + 1
            else:
                fresh.setdefault(_facts(item, due_at), []).append(due_at.timestamp())
        for facts, moments in fresh.items():
            self._keep(facts, moments)
        self.seen = seen

    def _keep(self, facts: _Facts, moments: list[float]) -> None:
        known = self._due.setdefault(facts, array("d"))
        if len(moments) * 8 < len(known):
            for moment in moments:
                insort(known, moment)
        else:
            self._due[facts] = array("d", sorted([*known, *moments]))

    def count(self, still_open: Iterable[Item], now: datetime) -> dict[str, Handling]:
        """The counts of every line: the open items looked at, the closed ones added."""
        counted = handling_of(still_open, self._lines, self._rule, now)
        sums = {line: asdict(handling) for line, handling in counted.items()}
        for facts, moments in self._due.items():
            _add(sums.setdefault(facts.line, asdict(Handling())), facts, moments, now)
        for (line, withdrawn), count in self._undated.items():
            sums.setdefault(line, asdict(Handling()))["undated"] += count
            sums[line]["withdrawn"] += count * withdrawn
        return {line: Handling(**found) for line, found in sums.items()}


def _facts(item: Item, due_at: datetime) -> _Facts:
    last = max((*item.answers, *item.returns), default=due_at)
    return _Facts(
        line=item.line,
        handled=bool(item.answers),
        on_time=item.answered_by(due_at),
        answered=item.answered_by(last),
        withdrawn=item.withdrawn,
    )


def _add(found: dict[str, int], facts: _Facts, moments: "array[float]", now: datetime) -> None:
    due = bisect_right(moments, now.timestamp())
    recent = due - bisect_right(moments, (now - HANDLING_WINDOW).timestamp())
    later = len(moments) - due
    found["due"] += due
    found["handled"] += due * facts.handled
    found["on_time"] += due * facts.on_time
    found["open_overdue"] += due * (not facts.answered and not facts.withdrawn)
    found["window_due"] += recent
    found["window_handled"] += recent * facts.answered
    found["window_on_time"] += recent * facts.on_time
    found["not_yet_due"] += later
    found["not_yet_due_answered"] += later * facts.answered
    found["withdrawn"] += len(moments) * facts.withdrawn
