"""One moment of the service as numbers, and the definition of every rate; pure.

Sources: the national standard GB/T 33358-2016 as reported by CCTV on 2016-12-23 (a phone is
answered within 15 s; the connect rate over any continuous 24 h is at least 95 %), the city's
founding order (95-100 % of the public's calls are handled). No source defines the handling ratio
(办理率), so the definition here is ours, and numerator and denominator are always shown.

Connect ratio, 24 h sliding: calls answered by a person ÷ calls that asked for a person.
    Callers still waiting are in neither number. A call that left within the short-abandon
    threshold stays in the denominator; its count is published so that anyone can take it out.
15 s answer: calls answered within the target, counted from the entry into the queue (the
    stricter of the two readings) ÷ calls that asked for a person. A waiting call joins the
    denominator as soon as its target has passed.
Handling ratio, 30 days by due time: accepted items answered directly or told where to go, or
    dispatched, signed and not open past their due time ÷ all accepted items that fell due in the
    period. Only who signed can answer, so an answer says all three; an item ended unsolved, with
    the reason told, was answered then. A granted extension is the new due time. An item withdrawn
    after acceptance stays in the denominator and never enters the numerator, so withdrawing cannot
    flatter; withdrawn and never confirmed drafts are published apart. An item is one life of a
    case: reopened on new facts it is accepted anew, and its first life stays counted as it ended.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from routing.calendar import Calendar
from routing.cases import CaseState, Kind, Urgency
from routing.deadlines import after
from routing.errors import CalendarEnds
from routing.numbers import SHANGHAI
from routing.policy import Limit, Policy, Unit
from telephony.health import LinkState

if TYPE_CHECKING:
    from metrics.indicators.definitions import Current

CONNECT_WINDOW = timedelta(hours=24)
HANDLING_WINDOW = timedelta(days=30)
PROMISE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line as the counters know it: its name and the promised time to an answer."""

    name: str
    target: timedelta = timedelta(seconds=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """A rate that is never shown without its two numbers."""

    numerator: int
    denominator: int

    @property
    def value(self) -> float | None:
        """The rate between 0 and 1; None while there is nothing to divide by."""
        return self.numerator / self.denominator if self.denominator else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One call of a bucket, by its number: never by anybody's."""

    call_id: int
    value: float
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """Observations at or below each edge, cumulated; the last count is that of all of them."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    total: float
    examples: tuple["Example | None", ...] = ()
    """One observation of each bucket, or none of any."""
    native: Mapping[int, int] = field(default_factory=dict)
    """The observations of each bucket of a native histogram by its number (names.NATIVE_EDGES)."""

    @classmethod
    def of(
        cls,
        edges: tuple[float, ...],
        found: Mapping[float | None, int],
        total: float,
        examples: "Mapping[float | None, Example] | None" = None,
        native: "Mapping[int, int] | None" = None,
    ) -> "Histogram":
        """Build it from the count of each edge's own bucket; None is beyond the last edge."""
        counts: list[int] = []
        so_far = 0
        for edge in (*edges, None):
            so_far += found.get(edge, 0)
            counts.append(so_far)
        shown = tuple(examples.get(edge) for edge in (*edges, None)) if examples else ()
        return cls(
            edges=edges, counts=tuple(counts), total=total, examples=shown, native=native or {}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LineCalls:
    """What happened on one line, all time and in the sliding 24 hours."""

    offered: int = 0
    answered: int = 0
    within_target: int = 0
    abandoned_short: int = 0
    abandoned_long: int = 0
    left_before_queue: int = 0
    recovered: int = 0
    registered: int = 0
    waiting: int = 0
    active: int = 0
    oldest_waiting: datetime | None = None
    window_offered: int = 0
    window_answered: int = 0
    window_short: int = 0
    target_offered: int = 0
    target_answered: int = 0

    @property
    def connect(self) -> Ratio:
        """The connect ratio of the last 24 hours."""
        return Ratio(numerator=self.window_answered, denominator=self.window_offered)

    @property
    def answered_in_time(self) -> Ratio:
        """The share of the last 24 hours' calls answered within the line's target."""
        return Ratio(numerator=self.target_answered, denominator=self.target_offered)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An accepted matter as the handling ratio sees it.

    `answers` are the moments it was answered, by its unit or directly; `returns` those at which
    an answer was refused and the work began again. A withdrawal is no answer.
    """

    line: str
    kind: Kind
    urgency: Urgency
    level1: str | None
    policy: str
    state: CaseState
    accepted_at: datetime
    withdrawn: bool
    due_at: datetime | None = None
    """As the last move set it; None in rows older than that, which the policy dates."""
    answers: tuple[datetime, ...] = ()
    returns: tuple[datetime, ...] = ()

    def answered_by(self, moment: datetime) -> bool:
        """Whether it stood answered at that moment."""
        last_answer = max((at for at in self.answers if at <= moment), default=None)
        if last_answer is None:
            return False
        return not any(last_answer < at <= moment for at in self.returns)


DueTimes = Callable[[Item], datetime | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Handling:
    """The handling ratio's numbers for one line; `open_overdue` is what people must do now."""

    due: int = 0
    handled: int = 0
    on_time: int = 0
    window_due: int = 0
    window_handled: int = 0
    window_on_time: int = 0
    open_overdue: int = 0
    not_yet_due: int = 0
    not_yet_due_answered: int = 0
    withdrawn: int = 0
    undated: int = 0

    @property
    def ratio(self) -> Ratio:
        """The handling ratio (办理率) of the last 30 days."""
        return Ratio(numerator=self.window_handled, denominator=self.window_due)

    @property
    def on_time_ratio(self) -> Ratio:
        """The share of the last 30 days' due items that were answered by their due time."""
        return Ratio(numerator=self.window_on_time, denominator=self.window_due)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcripts:
    """How the work of transcribing stands."""

    pending: int = 0
    oldest_pending: datetime | None = None
    done: int = 0
    failed: int = 0
    """Legs without words now; they can be had tried again."""
    failures: int = 0
    """Every failure there ever was."""
    audio_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """The newest test call into a line of an exchange, and when the last good one was."""

    at: datetime
    ok: bool
    stage: str
    seconds: float | None
    reason: str | None
    last_ok_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything the page shows that comes from the database, as of one moment of it."""

    at: datetime
    lines: tuple[Line, ...]
    calls: Mapping[str, LineCalls]
    ended: Mapping[tuple[str, str], int]
    waits: Mapping[tuple[str, str], Histogram]
    talks: Mapping[str, Histogram]
    recordings: Mapping[str, int]
    transcripts: Transcripts
    cases: Mapping[tuple[str, str], int]
    handling: Mapping[str, Handling]
    differences: Mapping[tuple[str, str], int]
    operators: Mapping[tuple[str, str], int] = field(default_factory=dict)
    gaps: Mapping[tuple[str, str], datetime] = field(default_factory=dict)
    callouts: Mapping[str, int] = field(default_factory=dict)
    from_here: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Calls that operators or the service made, by direction and outcome."""
    bursts: Mapping[str, int] = field(default_factory=dict)
    supervision: Mapping[str, int] = field(default_factory=dict)
    """Records that are not cleared, by level."""
    unit_cases: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Cases that wait for an answer, by unit and by how their limit stands."""
    unsupervised: int = 0
    """What is overdue and has no record."""
    probes: Mapping[tuple[str, str], Probed] = field(default_factory=dict)
    """By system and line."""
    incidents: Mapping[str, int] = field(default_factory=dict)
    """Those that are not over, by state."""
    overdue: Mapping[str, int] = field(default_factory=dict)
    """What the duty desk has not done in time, by timer."""
    files_read: Mapping[tuple[str, str], datetime] = field(default_factory=dict)
    """By system and source."""
    parked: Mapping[str, int] = field(default_factory=dict)
    """Jobs that were given up, by step."""
    current: "Current"
    """Every indicator over its own window; may be older than the rest."""
    took: float = 0.0
    """Seconds it took to read all this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionFigures:
    """Live captions now, and since this process started; `shed` counts calls by reason."""

    calls: int = 0
    legs: int = 0
    capacity: int = 0
    lag_seconds: float = 0.0
    selftest: float = 0.0
    heard_seconds: float = 0.0
    cpu_seconds: float = 0.0
    segments: int = 0
    shed: Mapping[str, int] = field(default_factory=dict)
    tap_restarts: int = 0
    taps_refused: int = 0
    decoder_deaths: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessState:
    """What only the running process knows; it starts anew with the process."""

    version: str
    links: Sequence[LinkState] = ()
    captions: CaptionFigures = CaptionFigures()
    calendar_end: datetime | None = None
    certificates: Mapping[str, datetime | None] = field(default_factory=dict)
    """When each ends, by the name of its file; None where it cannot be read."""


def due_times(policies: Mapping[str, Policy], calendar: Calendar) -> DueTimes:
    """Return the rule that dates an item; None where its policy or calendar year is missing.

    Limits counted in days depend on the day of acceptance alone, so each is computed once: what
    is remembered is bounded by the days the calendar covers.
    """
    by_day: dict[tuple[str, int, Unit, date], datetime | None] = {}

    @lru_cache(maxsize=4096)
    def limit_of(name: str, kind: Kind, urgency: Urgency, line: str, level1: str | None) -> Limit:
        return policies[name].limit(kind, urgency, line=line, level1=level1)

    def dated(begin: datetime, limit: Limit, policy: Policy) -> datetime | None:
        try:
            return after(begin, limit, policy, calendar)
        except CalendarEnds:
            return None

    def rule(item: Item) -> datetime | None:
        if item.due_at is not None:
            return item.due_at
        policy = policies.get(item.policy)
        if policy is None:
            return None
        limit = limit_of(item.policy, item.kind, item.urgency, item.line, item.level1)
        if limit.unit in {Unit.WORKING_DAYS, Unit.CALENDAR_DAYS}:
            key = (
                item.policy,
                limit.amount,
                limit.unit,
                item.accepted_at.astimezone(SHANGHAI).date(),
            )
            if key not in by_day:
                by_day[key] = dated(item.accepted_at, limit, policy)
            return by_day[key]
        return dated(item.accepted_at, limit, policy)

    return rule


def handling_of(
    items: Iterable[Item], lines: Iterable[str], rule: DueTimes, now: datetime
) -> dict[str, Handling]:
    """Count the items of each line against their due times, as seen at `now`."""
    tallies: dict[str, dict[str, int]] = {line: {} for line in lines}
    for item in items:
        tally = tallies.setdefault(item.line, {})
        for name in _marks(item, rule(item), now):
            tally[name] = tally.get(name, 0) + 1
    return {line: Handling(**tally) for line, tally in tallies.items()}


def _marks(item: Item, due_at: datetime | None, now: datetime) -> Iterable[str]:
    """Name every count of `Handling` this item belongs to."""
    answered = item.answered_by(now)
    if due_at is None:
        counts = {"undated": True}
    elif due_at > now:
        counts = {"not_yet_due": True, "not_yet_due_answered": answered}
    else:
        on_time = item.answered_by(due_at)
        recent = due_at > now - HANDLING_WINDOW
        counts = {
            "due": True,
            # A counter may not fall: an answer once given stays here, a return shows in the window.
            "handled": bool(item.answers),
            "on_time": on_time,
            "open_overdue": not answered and not item.withdrawn,
            "window_due": recent,
            "window_handled": recent and answered,
            "window_on_time": recent and on_time,
        }
    counts["withdrawn"] = item.withdrawn
    return (name for name, true in counts.items() if true)
