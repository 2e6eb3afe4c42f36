"""What the journal's rows say about a case's clocks; pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from routing.cases import Case
from routing.clocks import ClockFacts, Extension, stages_of
from routing.limits import Unit

STOPPED = frozenset({"answered", "calling_back", "closed", "archived"})
"""States in which the main clock stands: an answer is there, or none is expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """One row of the journal that moved a case, and the state it led to."""

    at: datetime
    to: str


def facts_of(case: Case, moves: Iterable[Moved]) -> ClockFacts:
    """Return the facts of a case's clocks; the moves are those of the journal, oldest first."""
    told = list(moves)
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
        stages=()
        if case.lead is not None and case.answered_at is None
        else stages_of([(case.drafted_at, "draft"), *((one.at, one.to) for one in told)]),
    )
