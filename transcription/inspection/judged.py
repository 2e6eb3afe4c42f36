"""What an inspection finds, as values. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from telephony.calls import Leg
from transcription.inspection.form import Form
from transcription.inspection.measures import Measures


class Verdict(StrEnum):
    """How one item stands. What is not judged is neither kept nor lost."""

    KEPT = "kept"
    LOST = "lost"
    NOT_ASKED = "not_asked"
    NOT_JUDGED = "not_judged"


class Reason(StrEnum):
    """Why an item stands as it does; each is a key of the message catalogue."""

    # lost
    MISSING = "missing"
    NO_BADGE = "no_badge"
    NOT_READ_BACK = "not_read_back"
    FORBIDDEN = "forbidden"
    TOO_FAST = "too_fast"
    TOO_SILENT = "too_silent"
    BROKE_IN = "broke_in"
    OVERLAPPED = "overlapped"
    TALKED_MOST = "talked_most"
    HELD_LONG = "held_long"
    HELD_OFTEN = "held_often"
    ANSWERED_LATE = "answered_late"
    # not judged
    NO_TALK = "no_talk"
    LEG_MISSING = "leg_missing"
    TOO_SHORT = "too_short"
    UNSURE = "unsure"
    UNKNOWN = "unknown"
    # not asked for
    OTHER_LINE = "other_line"
    LET_OFF = "let_off"
    CALLER_HUNG_UP = "caller_hung_up"
    NO_MATTER = "no_matter"
    # kept
    TOLD = "told"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Where to listen: a leg (None: both), from second to second, and what was heard there."""

    leg: Leg | None
    start: float
    end: float
    words: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deduction:
    """Points lost for an item, why, and where to listen; `facts` go into the sentence.

    `points` is what it costs after the item's limit; a deduction past the limit costs nothing and
    is still shown.
    """

    item: str
    points: int
    reason: Reason
    moment: Moment
    facts: Mapping[str, str | float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One item: how it stands, why, and what was lost."""

    key: str
    verdict: Verdict
    weight: int
    reason: Reason | None = None
    deductions: tuple[Deduction, ...] = ()

    @property
    def lost(self) -> int:
        """Points lost, never more than the item weighs."""
        return sum(one.points for one in self.deductions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """A call inspected by one form. `score` is 0 to 100, None where too little could be judged."""

    form: str
    fingerprint: str
    items: tuple[Judged, ...]
    measures: Measures | None
    score: Decimal | None
    reason: Reason | None
    """Why there is no score."""

    def is_low(self, form: Form) -> bool:
        """Whether the score asks for a person."""
        return self.score is not None and float(self.score) < form.low

    def is_serious(self, form: Form) -> bool:
        """Whether something was lost that a person should listen to in any case."""
        serious = {item.key for item in form.items if item.serious}
        return any(it.verdict is Verdict.LOST and it.key in serious for it in self.items)

    @property
    def deductions(self) -> tuple[Deduction, ...]:
        """Every deduction in order of time."""
        found = [one for item in self.items for one in item.deductions]
        return tuple(sorted(found, key=lambda it: (it.moment.start, it.item)))
