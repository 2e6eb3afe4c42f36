"""The models of the API: what a request may hold and what an answer holds.

Callers are masked (`138****5678`, `张**`) in every answer. Times are RFC 3339 in UTC.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from routing.cases import CaseState, Channel, Kind, Role, Urgency
from telephony.calls import CallKind, Direction, Leg, Outcome, Side

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
    """A person signs in: with login and password, before the first user with the console's."""

    login: Annotated[str, StringConstraints(max_length=100)] = ""
    password: Annotated[str, StringConstraints(max_length=1000)] = ""
    seat: Annotated[str, StringConstraints(pattern=r"^[0-9]{2,8}$")] | None = None


class Seat(Told):
    """An operator's seat of the configuration."""

    extension: str
    badge: str
    name: str


class Self(Told):
    """The user who is signed in."""

    id: int
    login: str
    name: str


class Session(Told):
    """Who is signed in here, and what signing in takes."""

    signed_in: bool
    password_needed: bool
    login_needed: bool = Field(description="There are users: a login goes with the password.")
    openid: bool = Field(description="`/api/openid` leads to another way in.")
    must_change: bool = Field(description="Nothing else works before the password is changed.")
    user: Self | None = Field(description="Null for whoever signed in before there were users.")
    roles: tuple[Role, ...]
    unit: str | None
    seat: str | None
    expires_at: datetime | None
    seats: tuple[Seat, ...] = Field(description="Empty until somebody is signed in.")


class NewPassword(Asked):
    """A user's own new password."""

    old: Annotated[str, StringConstraints(max_length=1000)]
    new: Annotated[str, StringConstraints(max_length=1000)]


# --- calls -----------------------------------------------------------------------------------
class CallQuery(Asked):
    """Which calls; newest first, `before` is the `next` of the page before."""

    line: Name | None = None
    outcome: Outcome | None = None
    kind: CallKind = CallKind.CITIZEN
    direction: Direction | None = None
    live: bool = False
    before: Id | None = None
    limit: Size = 50


class CaseRef(Told):
    """The case of a call."""

    id: int
    number: str
    state: CaseState
    urgency: Urgency


class CallAbout(Told):
    """For what a call from here was made: an earlier call, a case, a call-back, a call-out."""

    call_id: int | None
    case: CaseRef | None
    callback: bool = Field(description="The earlier call waits, or waited, to be called back.")
    callout_id: int | None


class CallView(Told):
    """One call in a list."""

    id: int
    kind: CallKind = Field(description="A citizen's, or a test call of the service's own.")
    direction: Direction
    system: str
    line: str = Field(description="Empty for a call from here: it came in on none.")
    caller: str = Field(description="Masked.")
    callee: str = Field(description="Whom a call from here called. Masked.")
    name: str = Field(description="Masked.")
    started_at: datetime
    queued_at: datetime | None
    ringing_at: datetime | None
    ringing: tuple[str, ...] = Field(
        description="The seats whose telephones ring for it now, as the exchange told."
    )
    answered_at: datetime | None
    message_at: datetime | None = Field(description="When the caller began to leave a message.")
    ended_at: datetime | None
    operator: str | None
    badge: str | None = Field(description="What the caller was told of who answered.")
    outcome: Outcome | None
    hangup_by: Side | None
    recovered: bool
    wait_seconds: float | None
    talk_seconds: float | None
    recordings: dict[Leg, Literal["expected", "stored", "missing", "damaged", "deleted"]]
    transcripts: dict[Leg, Literal["pending", "done", "failed"]]
    case: CaseRef | None
    about: CallAbout | None


class Calls(Told):
    """One page of calls."""

    calls: tuple[CallView, ...]
    next: int | None


class RecordingView(Told):
    """One recorded leg; `url` plays it when it is stored."""

    leg: Leg
    state: Literal["expected", "stored", "missing", "damaged", "deleted"]
    seconds: float | None
    started_at: datetime | None
    reason: str | None
    url: str | None
    muted_seconds: float | None = Field(
        description="Silent for personal data; null where the words are not known yet, or no sound."
    )


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
    """What one side said; seconds from the start of the recording. Personal data is hidden."""

    leg: Leg
    start: float
    end: float
    text: str = Field(description="Finished: names recovered, numbers as digits, with marks.")
    raw: str = Field(description="As the engine wrote it.")
    hides: bool = Field(description="There is personal data in it: `words/reveal` tells it.")


class CallDetail(CallView):
    """One call with its sound and words."""

    sound: tuple[RecordingView, ...]
    words: tuple[TranscriptView, ...]
    dialogue: tuple[TurnView, ...]


# --- the rest --------------------------------------------------------------------------------
class EntryView(Told):
    """One row of the journal; its body is masked."""

    id: int
    at: datetime
    actor: str
    event: str
    call_id: int | None
    case_id: int | None
    body: dict[str, Any]


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


class UnitView(Told):
    """A unit a case can go to."""

    name: str
    area: str | None
    duties: str
    phone: str


class AreaTile(Told):
    """About where an area lies beside the others: row and column from 1, north-west first."""

    area: str
    row: int
    column: int


class Catalogue(Told):
    """What can be chosen: lines, categories, areas, units, kinds, urgencies and channels."""

    city: str
    sample: bool = Field(description="The directory is made up and must be replaced.")
    lines: tuple[str, ...]
    level1: tuple[str, ...]
    areas: tuple[str, ...]
    tiles: tuple[AreaTile, ...] = Field(description="Empty where the city gives none.")
    units: tuple[UnitView, ...]
    kinds: tuple[Kind, ...]
    urgencies: tuple[Urgency, ...]
    channels: tuple[Channel, ...]
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
