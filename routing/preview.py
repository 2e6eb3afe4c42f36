"""What another policy would do to open cases, before anybody puts it in force; pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from routing.calendar import Calendar
from routing.clocks import ClockFacts, main_clock
from routing.errors import CalendarEnds, LimitMissing
from routing.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A case whose main limit would end at another moment; `now_overdue`: in time today, not then.

    `no_longer_overdue` is the other way round.
    """

    case_id: int
    before: datetime
    then: datetime
    now_overdue: bool
    no_longer_overdue: bool


@dataclass(slots=True, kw_only=True)
class Preview:
    """How many main limits would end earlier, later or as before, and which of them move.

    `undated` cannot be dated under one of the two (the calendar ends, the pack is gone, or nothing
    is promised yet) and are in no other number. A preview of many cases is the sum of its parts.
    """

    cases: int = 0
    earlier: int = 0
    later: int = 0
    same: int = 0
    undated: int = 0
    moved: list[Shift] = field(default_factory=list)

    def add(self, other: "Preview") -> None:
        """Take in the preview of other cases."""
        self.cases += other.cases
        self.earlier += other.earlier
        self.later += other.later
        self.same += other.same
        self.undated += other.undated
        self.moved += other.moved

    @property
    def now_overdue(self) -> Sequence[int]:
        """Cases that are in time today and would not be."""
        return [one.case_id for one in self.moved if one.now_overdue]

    @property
    def no_longer_overdue(self) -> Sequence[int]:
        """Cases that are overdue today and would not be."""
        return [one.case_id for one in self.moved if one.no_longer_overdue]


def preview(
    cases: Iterable[tuple[int, ClockFacts, Policy | None]],
    new: Policy,
    calendar: Calendar,
    now: datetime,
) -> Preview:
    """Compare the ends of open cases, each under its own pack (None: gone), with those under `new`.

    Every case keeps the pack it was opened under: this says what `new` would do if it did not.
    """
    found = Preview()
    for case_id, facts, old in cases:
        if facts.stopped_at is not None:
            continue
        found.cases += 1
        before = None if old is None else _end(facts, old, calendar)
        then = _end(facts, new, calendar)
        if before is None or then is None:
            found.undated += 1
            continue
        if before == then:
            found.same += 1
            continue
        found.earlier += then < before
        found.later += then > before
        found.moved.append(
            Shift(
                case_id=case_id,
                before=before,
                then=then,
                now_overdue=then < now <= before,
                no_longer_overdue=before < now <= then,
            )
        )
    return found


def _end(facts: ClockFacts, policy: Policy, calendar: Calendar) -> datetime | None:
    try:
        clock = main_clock(facts, policy, calendar)
    except (CalendarEnds, LimitMissing):
        return None
    return clock.ends_at if clock else None
