"""The models of the API: what a request may hold and what an answer holds.

Callers are masked (`138****5678`, `张**`) in every answer. Times are RFC 3339 in UTC.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from routing.cases import CaseState, Kind, Move, Urgency
from routing.deadlines import Standing
from telephony.calls import Leg, Outcome, Side

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
Id = Annotated[int, Field(ge=1, le=2**63 - 1)]
Size = Annotated[int, Field(ge=1, le=200)]


class Asked(BaseModel):
    """A request's body or query: unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid")


class Told(BaseModel):
    """An answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)


# --- who is there ----------------------------------------------------------------------------
class SignIn(Asked):
    """A person signs in; without a console password only the seat is asked."""

    password: Annotated[str, StringConstraints(max_length=1000)] = ""
    seat: Annotated[str, StringConstraints(pattern=r"^[0-9]{2,8}$")] | None = None


class Seat(Told):
    """An operator's seat of the configuration."""

    extension: str
    badge: str
    name: str


class Session(Told):
    """Who is signed in here, and what signing in takes."""

    signed_in: bool
    password_needed: bool
    seat: str | None
    expires_at: datetime | None
    seats: tuple[Seat, ...] = Field(description="Empty until somebody is signed in.")


# --- calls -----------------------------------------------------------------------------------
class CallQuery(Asked):
    """Which calls; newest first, `before` is the `next` of the page before."""

    line: Name | None = None
    outcome: Outcome | None = None
    live: bool = False
    before: Id | None = None
    limit: Size = 50


class CaseRef(Told):
    """The case of a call."""

    id: int
    number: str
    state: CaseState
    urgency: Urgency


class CallView(Told):
    """One call in a list."""

    id: int
    system: str
    line: str
    caller: str = Field(description="Masked.")
    name: str = Field(description="Masked.")
    started_at: datetime
    queued_at: datetime | None
    ringing_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    operator: str | None
    outcome: Outcome | None
    hangup_by: Side | None
    recovered: bool
    wait_seconds: float | None
    talk_seconds: float | None
    recordings: dict[Leg, Literal["expected", "stored", "missing", "damaged"]]
    transcripts: dict[Leg, Literal["pending", "done", "failed"]]
    case: CaseRef | None


class Calls(Told):
    """One page of calls."""

    calls: tuple[CallView, ...]
    next: int | None


class RecordingView(Told):
    """One recorded leg; `url` plays it when it is stored."""

    leg: Leg
    state: Literal["expected", "stored", "missing", "damaged"]
    seconds: float | None
    started_at: datetime | None
    reason: str | None
    url: str | None


class TranscriptView(Told):
    """How the words of one leg stand."""

    leg: Leg
    state: Literal["pending", "done", "failed"]
    engine: str | None
    model: str | None
    confidence: float | None
    audio_seconds: float | None
    reason: str | None
    requested_at: datetime
    done_at: datetime | None


class TurnView(Told):
    """What one side said; seconds from the start of the recording."""

    leg: Leg
    start: float
    end: float
    text: str


class CallDetail(CallView):
    """One call with its sound and words."""

    sound: tuple[RecordingView, ...]
    words: tuple[TranscriptView, ...]
    dialogue: tuple[TurnView, ...]


# --- cases -----------------------------------------------------------------------------------
class CaseQuery(Asked):
    """Which cases; newest first, `before` is the `next` of the page before."""

    state: CaseState | None = None
    line: Name | None = None
    kind: Kind | None = None
    urgency: Urgency | None = None
    unit: Name | None = None
    level1: Name | None = None
    area: Name | None = None
    number: Name | None = Field(default=None, description="A case number as people write it.")
    before: Id | None = None
    limit: Size = 50


class CaseView(Told):
    """One case in a list. A draft holds what words suggest, from `open` on what was confirmed."""

    id: int
    number: str
    call_id: int | None
    line: str
    state: CaseState
    kind: Kind | None
    urgency: Urgency
    level1: str | None
    area: str | None
    unit: str | None
    owner: str
    summary: str | None
    policy: str | None
    drafted_at: datetime
    opened_at: datetime | None
    dispatched_at: datetime | None
    answered_at: datetime | None
    closed_at: datetime | None
    due_at: datetime | None = Field(description="Null for a draft: nothing was promised yet.")
    standing: Standing | None


class Cases(Told):
    """One page of cases."""

    cases: tuple[CaseView, ...]
    next: int | None


class ReasonView(Told):
    """Why something is suggested: the words heard and what they speak for."""

    sort: str
    value: str
    by: str
    text: str
    weight: float
    turn: int | None = None
    at: float | None = None


class AlternativeView(Told):
    """Another possible category."""

    level1: str
    confidence: float


class SuggestionView(Told):
    """What the words suggest; a person decides."""

    level1: str | None
    confidence: float
    kind: Kind
    urgency: Urgency
    area: str | None
    unit: str | None
    reasons: tuple[ReasonView, ...]
    alternatives: tuple[AlternativeView, ...]
    rules_version: str
    model_version: str | None


class LimitView(Told):
    """The limit a due time follows from."""

    due_at: datetime
    amount: int
    unit: str
    basis: str
    policy: str


class EntryView(Told):
    """One row of the journal; its body is masked."""

    id: int
    at: datetime
    actor: str
    event: str
    call_id: int | None
    case_id: int | None
    body: dict[str, Any]


class TextView(Told):
    """What somebody wrote with a move, word for word; only people who are signed in read it."""

    at: datetime
    actor: str
    move: Move
    sort: Literal["reply", "reason"]
    text: str


class CaseDetail(CaseView):
    """One case with what speaks for it, what may be done with it and what happened to it."""

    suggestion: SuggestionView | None
    moves: tuple[Move, ...]
    limit: LimitView | None
    limit_if_opened_now: LimitView | None
    history: tuple[EntryView, ...]
    texts: tuple[TextView, ...] = Field(description="Answers and reasons in full, oldest first.")


class Step(Asked):
    """A person's move; only what is given changes the case."""

    expected: CaseState | None = Field(
        default=None, description="The state seen on the screen; another one is a conflict."
    )
    kind: Kind | None = None
    urgency: Urgency | None = None
    level1: Name | None = None
    area: Name | None = None
    unit: Name | None = None
    summary: Words | None = None
    reply: Words | None = None
    reason: Words | None = None


# --- the rest --------------------------------------------------------------------------------
class JournalQuery(Asked):
    """Which rows; newest first, `before` is the `next` of the page before."""

    before: Id | None = None
    call_id: Id | None = None
    case_id: Id | None = None
    limit: Size = 100


class Journal(Told):
    """One page of the journal."""

    entries: tuple[EntryView, ...]
    next: int | None


class FeedQuery(Asked):
    """Where the feed goes on; the header Last-Event-ID says the same and counts more."""

    last: Annotated[int, Field(ge=0, le=2**63 - 1)] | None = None


class RatioView(Told):
    """A rate with its two numbers; `value` is null while there is nothing to divide by."""

    numerator: int
    denominator: int
    value: float | None


class LineNumbers(Told):
    """The rates of one line; definitions stand in metrics/collect.py."""

    line: str
    target_seconds: float
    waiting: int
    active: int
    oldest_waiting_at: datetime | None
    answered_in_time_24h: RatioView
    connect_24h: RatioView
    connect_24h_without_short: RatioView
    handling_30d: RatioView
    on_time_30d: RatioView
    overdue: int
    not_yet_due: int
    not_yet_due_answered: int
    withdrawn: int
    undated: int
    cases: dict[CaseState, int]


class Numbers(Told):
    """The rates of all lines as of one moment."""

    at: datetime
    promise: float
    lines: tuple[LineNumbers, ...]
    transcripts_pending: int
    transcripts_oldest_pending_at: datetime | None
    transcripts_failed: int
    recordings: dict[str, int]
    differences: int


class UnitView(Told):
    """A unit a case can go to."""

    name: str
    area: str | None
    duties: str
    phone: str


class Catalogue(Told):
    """What can be chosen: lines, categories, areas, units, kinds and urgencies."""

    city: str
    sample: bool = Field(description="The directory is made up and must be replaced.")
    lines: tuple[str, ...]
    level1: tuple[str, ...]
    areas: tuple[str, ...]
    units: tuple[UnitView, ...]
    kinds: tuple[Kind, ...]
    urgencies: tuple[Urgency, ...]
    policy: str
    policy_title: str


class Check(Told):
    """One part of the service; the sentence is shown to people who are signed in."""

    name: str
    works: bool
    sentence: str | None


class Health(Told):
    """`well`: calls are taken down. `complete`: every part works."""

    well: bool
    complete: bool
    checks: tuple[Check, ...]
