"""The models of inspections in the API. A score here is the machine's: advice, never a verdict."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from hotline.console.shapes import Asked, Id, Name, Size, Told
from telephony.calls import Leg
from transcription.inspection.judged import Reason, Verdict

Points = Annotated[Decimal, Field(ge=0, le=100, max_digits=5, decimal_places=2)]
ItemKey = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
ADVICE = "The machine's, 0 to 100: advice until a person has listened. Null: too little was heard."


class InspectionFilter(Asked):
    """Which inspections; an operator's own only, whatever is asked."""

    operator: Name | None = None
    line: Name | None = None
    item: ItemKey | None = Field(default=None, description="Calls that lost points at this item.")
    low: bool | None = None
    serious: bool | None = None
    judged: bool | None = Field(default=None, description="Whether there is a score.")
    least: Points | None = None
    most: Points | None = None
    since: AwareDatetime | None = Field(default=None, description="Answered at this or later.")
    until: AwareDatetime | None = Field(default=None, description="Answered before this.")


class InspectionQuery(InspectionFilter):
    """Newest calls first; `before` is the `next` of the page before."""

    before: Id | None = None
    limit: Size = 50


class Both(Told):
    """The same in both languages."""

    zh: str
    en: str


class InspectionView(Told):
    """One call's inspection in a list."""

    call_id: Id
    form: str
    line: str
    operator: str | None
    badge: str | None
    answered_at: datetime
    talk_seconds: float
    score: float | None = Field(description=ADVICE)
    reason: Reason | None = Field(description="Why there is no score.")
    low: bool
    serious: bool = Field(description="A person should listen in any case.")
    lost: tuple[str, ...] = Field(description="Items at which points were lost.")
    not_judged: tuple[str, ...]
    made_at: datetime


class Inspections(Told):
    """One page of inspections."""

    inspections: tuple[InspectionView, ...]
    next: int | None


class DeductionView(Told):
    """One fault: what it cost, why, and the seconds of which leg (null: both) to listen to."""

    points: int
    reason: Reason
    says: Both
    leg: Leg | None
    start: float
    end: float
    words: str | None = Field(description="As the recogniser wrote them; null where none were.")
    phrase: str | None = Field(description="The form's phrase that they were taken for.")
    likeness: float | None = Field(description="How alike they sound, 1 as written.")


class InspectedItemView(Told):
    """One item of the form in this call."""

    key: str
    name: Both
    verdict: Verdict
    weight: int
    lost: int
    reason: Reason | None
    says: Both | None
    serious: bool
    deductions: tuple[DeductionView, ...]


class SideView(Told):
    """One leg's speech: seconds, characters, characters a minute, share of all speech."""

    seconds: float
    characters: int
    pace: float | None
    share: float | None


class BrokeInView(Told):
    """Who broke in, and the seconds in which both spoke."""

    by: Leg
    start: float
    end: float


class MeasuresView(Told):
    """The talk measured, in seconds; null where a leg was not heard."""

    seconds: float
    silence: float | None
    longest_silence: tuple[float, float] | None
    overlap: float | None
    held: tuple[tuple[float, float], ...]
    interruptions: tuple[BrokeInView, ...] | None
    sides: dict[Leg, SideView]


class InspectionDetail(InspectionView):
    """One call's inspection, each item explained."""

    items: tuple[InspectedItemView, ...]
    measures: MeasuresView | None


class ItemCount(Told):
    """How an item stands over many calls."""

    key: str
    name: Both
    kept: int
    lost: int
    not_judged: int
    not_asked: int


class UnscoredCount(Told):
    """How many calls have no score for a reason."""

    reason: Reason
    says: Both
    calls: int


class InspectionSummary(Told):
    """What was found in many calls; the machine's findings, for finding what to listen to."""

    calls: int
    scored: int
    low: int
    serious: int
    p10: float | None
    median: float | None
    p90: float | None
    items: tuple[ItemCount, ...]
    unscored: tuple[UnscoredCount, ...]


class FormItemView(Told):
    """One item of the form in force."""

    key: str
    name: Both
    check: Literal[
        "said",
        "badge",
        "read_back",
        "never",
        "pace",
        "silence",
        "interruptions",
        "overlap",
        "talk_share",
        "hold",
        "answer",
    ]
    points: int
    most: int
    lines: tuple[str, ...] = Field(description="Empty: all.")
    serious: bool
    phrases: tuple[str, ...] = Field(description="What is listened for, if it is phrases.")


class FormView(Told):
    """The form in force."""

    name: str
    fingerprint: str
    basis: str
    low: float
    items: tuple[FormItemView, ...]
