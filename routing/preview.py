"""What another policy would do to open cases, before anybody puts it in force; pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from routing.calendar import Calendar
from routing.clocks import ClockFacts, main_clock
from routing.errors import CalendarEnds, LimitMissing
from routing.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """How many main limits would end earlier, later or as before, and which would be overdue.

    `now_overdue` are cases that are in time today and would not be; `undated` cannot be dated under
    one of the two (the calendar ends, or nothing is promised yet) and are in no other number.
    """

    cases: int = 0
    earlier: int = 0
    later: int = 0
    same: int = 0
    undated: int = 0
    now_overdue: tuple[int, ...] = ()
    no_longer_overdue: tuple[int, ...] = ()


def preview(
    cases: Iterable[tuple[int, ClockFacts]],
    old: Policy,
    new: Policy,
    calendar: Calendar,
    now: datetime,
) -> Preview:
    """Compare the ends of open cases, given by their ids, under two policies as of a moment."""
    tally = dict.fromkeys(("cases", "earlier", "later", "same", "undated"), 0)
    worse, better = [], []
    for case_id, facts in cases:
        if facts.stopped_at is not None:
            continue
        tally["cases"] += 1
        before, then = _end(facts, old, calendar), _end(facts, new, calendar)
        if before is None or then is None:
            tally["undated"] += 1
            continue
        tally["earlier" if then < before else "later" if then > before else "same"] += 1
        if then < now <= before:
            worse.append(case_id)
        if before < now <= then:
            better.append(case_id)
    return Preview(**tally, now_overdue=tuple(worse), no_longer_overdue=tuple(better))


def _end(facts: ClockFacts, policy: Policy, calendar: Calendar) -> datetime | None:
    try:
        clock = main_clock(facts, policy, calendar)
    except (CalendarEnds, LimitMissing):
        return None
    return clock.ends_at if clock else None
