"""The models of what people do about inspections: plans, scores, results, appeals, coaching."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from hotline.console.inspection_shapes import Both, ItemKey
from hotline.console.shapes import Asked, Id, Name, Size, Told, Words
from hotline.scoring import Stage
from hotline.scoring_rows import Part
from telephony.calls import Leg
from transcription.inspection.judged import Verdict
from transcription.inspection.sampling import Because

Seconds = Annotated[float, Field(ge=0, le=86400)]


class NewPlan(Asked):
    """A week, by its Monday, that is over."""

    week: date


class PlanView(Told):
    """A week's draw; with the seed anybody draws the same calls again."""

    week: date
    seed: str
    form: str
    planned_at: datetime
    planned_by: str
    calls: int
    done: int = Field(description="Calls of it that have a result.")


class Plans(Told):
    """The weeks that were drawn, newest first."""

    plans: tuple[PlanView, ...]


class SampleQuery(Asked):
    """Which calls to listen to; newest first, `before` is the `next` of the page before."""

    week: date | None = None
    left: bool = Field(default=True, description="Only those without a result.")
    before: Id | None = None
    limit: Size = 50


class SampleView(Told):
    """A call that people listen to, and why."""

    call_id: Id
    week: date
    operator: str
    line: str
    answered_at: datetime
    because: tuple[Because, ...]
    scorers: int
    scored: int
    mine: bool = Field(description="You scored it.")
    stands: bool


class Samples(Told):
    """One page of calls to listen to; never one's own."""

    samples: tuple[SampleView, ...]
    next: int | None


class MarkGiven(Asked):
    """How one item stands; points only where it was lost, and the seconds that show it."""

    item: ItemKey
    verdict: Verdict
    lost: Annotated[int, Field(ge=0, le=100)] = 0
    start: Seconds | None = None
    end: Seconds | None = None
    note: Annotated[str, Field(min_length=1, max_length=500)] | None = None


Marks = Annotated[tuple[MarkGiven, ...], Field(min_length=1, max_length=60)]


class NewScore(Asked):
    """Every item of the form in force, as a person heard it."""

    items: Marks


class MarkView(Told):
    """How one item stands to a person."""

    item: str
    name: Both
    verdict: Verdict
    lost: int
    start: float | None
    end: float | None
    note: str | None


class ScoreView(Told):
    """One person's score; `scorer` is told to those who score."""

    id: Id
    scorer: str | None
    part: Part
    form: str
    score: float
    made_at: datetime
    stands: bool
    items: tuple[MarkView, ...]


class InspectionAppealView(Told):
    """An appeal; what people wrote is null where its time is over."""

    id: Id
    call_id: Id
    operator: str
    items: tuple[str, ...]
    reason: str | None
    asked_at: datetime
    due_at: datetime = Field(description="By when another person decides.")
    overdue: bool
    state: Literal["open", "upheld", "dismissed"]
    decided_at: datetime | None
    decided_by: str | None
    answer: str | None


class ScoringView(Told):
    """What people did about a call. Scores of others come with one's own, or the result."""

    call_id: Id
    stage: Stage
    needed: int
    scored: int
    scores: tuple[ScoreView, ...]
    appeal: InspectionAppealView | None
    may_score: bool
    may_appeal: bool
    appeal_until: datetime | None


class NewInspectionAppeal(Asked):
    """The items that were not lost as the result says, and why."""

    items: Annotated[tuple[ItemKey, ...], Field(min_length=1, max_length=60)]
    reason: Words


class InspectionAppealDecision(Asked):
    """With `items`, every item anew, the appeal is upheld; without them it is dismissed."""

    answer: Words
    items: Marks | None = None


class InspectionAppealQuery(Asked):
    """Which appeals; an operator's own only."""

    state: Literal["open", "upheld", "dismissed"] | None = None
    before: Id | None = None
    limit: Size = 50


class InspectionAppeals(Told):
    """One page of appeals, newest first."""

    appeals: tuple[InspectionAppealView, ...]
    next: int | None


class TimeQuery(Asked):
    """Calls answered in this time; an operator's own only, where it is about operators."""

    operator: Name | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


class ResultQuery(TimeQuery):
    """Newest calls first; `before` is the `next` of the page before."""

    before: Id | None = None
    limit: Size = 50


class ResultView(Told):
    """The score of a call that stands: a person's."""

    call_id: Id
    operator: str
    line: str
    answered_at: datetime
    score: float
    part: Part
    form: str
    lost: tuple[str, ...]
    stands_at: datetime
    appeal: Literal["open", "upheld", "dismissed"] | None


class Results(Told):
    """One page of results."""

    results: tuple[ResultView, ...]
    next: int | None


class CoachingMoment(Told):
    """Where to listen; `url` plays that side of the call."""

    call_id: Id
    start: float | None
    end: float | None
    leg: Leg | None
    lost: int
    note: str | None


class CoachingView(Told):
    """An item an operator lost again and again, by people's results alone."""

    operator: str
    badge: str | None
    item: str
    name: Both
    times: int
    judged: int = Field(description="Of so many calls with a result.")
    moments: tuple[CoachingMoment, ...] = Field(description="The newest, five at most.")


class Coaching(Told):
    """What to practise with whom."""

    coaching: tuple[CoachingView, ...]


class AgreementView(Told):
    """Two people's agreement on an item, and how often a person confirmed the machine there."""

    item: str
    name: Both
    pairs: int
    agreed: int
    kappa: float | None = Field(description="Cohen's; null where chance explains everything.")
    fired: int = Field(description="Calls with a result in which the machine took points.")
    confirmed: int
    missed: int
    precision: float | None
    recall: float | None


class Agreements(Told):
    """Agreement by item."""

    items: tuple[AgreementView, ...]
