"""What the journal's rows say about a case's clocks; pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from routing.cases import Case
from routing.clocks import ClockFacts, Entered, Extension, stages_of
from routing.limits import Stage, Unit

STOPPED = frozenset({"answered", "calling_back", "closed", "archived"})
"""States in which the main clock stands: an answer is there, or none is expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """One row of the journal that moved a case, and the state it led to."""

    at: datetime
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Phoned:
    """An urgent matter that was given to a unit by telephone; stopped by the unit's word."""

    at: datetime
    stopped_at: datetime | None
    unit: str

    @property
    def stage(self) -> Entered:
        """The stage whose clock it begins."""
        return Entered(stage=Stage.PHONE_ASSIGNMENT, at=self.at, left_at=self.stopped_at)


def facts_of(case: Case, moves: Iterable[Moved], phoned: Iterable[Phoned] = ()) -> ClockFacts:
    """Return the facts of a case's clocks; the moves are those of the journal, oldest first."""
    told = list(moves)
    stages = (
        ()
        if case.lead is not None and case.answered_at is None
        else stages_of([(case.drafted_at, "draft"), *((one.at, one.to) for one in told)])
    )
    stopped_at = (case.answered_at or case.closed_at) if case.state in STOPPED else None
    return ClockFacts(
        kind=case.kind,
        urgency=case.urgency,
        line=case.line,
        level1=case.level1,
        channel=case.channel,
        opened_at=case.opened_at,
        dispatched_at=case.dispatched_at,
        stopped_at=stopped_at,
        extensions=tuple(
            Extension(amount=days, unit=Unit.WORKING_DAYS) for days in case.extended_days
        ),
        statutory=case.statutory,
        stages=(*stages, *(one.stage for one in phoned)),
    )
