"""The models of supervision records and tracked items in the API."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field

from hotline.console.shapes import Asked, Id, Name, Size, Told, Words
from routing.cases import Kind, Urgency
from routing.limits import Stage
from routing.supervision import ItemType, SupervisionState
from routing.supervision_rules import Level, Receiver, Trigger
from routing.tracked import TrackedState

Ids = Annotated[tuple[Id, ...], Field(max_length=100)]
Version = Annotated[int, Field(ge=0, le=2**63 - 1)]
TrackedType = Literal["leader", "suggestion", "proposal", "target", "decision"]


class SupervisionQuery(Asked):
    """Which records; newest first, `before` is the `next` of the page before."""

    state: SupervisionState | None = None
    level: Level | None = None
    type: ItemType | None = None
    trigger: Trigger | None = None
    unit: Name | None = None
    case_id: Id | None = None
    tracked_id: Id | None = None
    live: bool | None = Field(default=None, description="Not cleared (true), or cleared (false).")
    over: bool = Field(default=False, description="Only those past the limit of their level.")
    before: Id | None = None
    limit: Size = 50


class SupervisionView(Told):
    """One record. `unit` is supervised; null is the office itself, where `person` answers."""

    id: Id
    type: ItemType
    trigger: Trigger
    stage: Stage | None = Field(description="The clock that ended, if one did.")
    since: datetime = Field(description="Since when it has been so.")
    ends_at: datetime | None
    basis: str = Field(description="The rule that has it supervised.")
    case_id: Id | None
    number: str | None = Field(description="The case's number.")
    tracked_id: Id | None
    card_id: Id | None
    kind: Kind | None
    urgency: Urgency
    unit: str | None
    person: str | None
    level: Level
    receiver: Receiver
    state: SupervisionState
    policy: str
    opened_at: datetime
    opened_by: str
    level_at: datetime
    due_at: datetime | None = Field(description="When it rises, if it was not cleared.")
    limit_basis: str
    noticed_at: datetime | None
    noticed_by: str | None
    answered_at: datetime | None
    answered_by: str | None
    cleared_at: datetime | None
    cleared_by: str | None
    version: int


class Supervisions(Told):
    """One page of records."""

    records: tuple[SupervisionView, ...]
    next: int | None


class NoteView(Told):
    """What somebody wrote with a step."""

    at: datetime
    actor: str
    unit: str | None
    step: str
    text: str | None = Field(description="Null where it was erased.")


class PieceQuery(Asked):
    """What a file is called; the body is the file."""

    name: Name


class PieceView(Told):
    """A paper or picture that proves something."""

    id: Id
    name: str
    media_type: str
    sha256: str
    size: int
    added_by: str
    added_unit: str | None
    added_at: datetime


class SupervisionDetail(SupervisionView):
    """One record with what was written and added to it."""

    facts: dict[str, Any]
    cases: tuple[Id, ...] = Field(description="Of a burst: the cases that you may see.")
    notes: tuple[NoteView, ...]
    evidence: tuple[PieceView, ...]


class BoardLine(Told):
    """The live records of one unit (null: the office) at one level."""

    unit: str | None
    level: Level
    live: int
    answered: int
    over: int = Field(description="Past the limit of their level.")
    oldest: datetime = Field(description="Since when the oldest has been so.")


class Board(Told):
    """How many matters are under supervision, of whom, at which level."""

    lines: tuple[BoardLine, ...]


class NewSupervision(Asked):
    """What is put under supervision by hand: a case, or a tracked item."""

    case_id: Id | None = None
    tracked_id: Id | None = None
    reason: Words


class Seen(Asked):
    """Which version was seen on the screen; another one is a conflict."""

    version: Version | None = None


class Remark(Seen):
    """A note in one's own words."""

    text: Words


class Clearance(Seen):
    """What was found, with evidence: of the record itself, or of its case."""

    finding: Words
    evidence: Ids = ()
    case_evidence: Ids = ()


# --- tracked items ---------------------------------------------------------------------------
class TrackedQuery(Asked):
    """Which items; newest first, `before` is the `next` of the page before."""

    state: TrackedState | None = None
    type: TrackedType | None = None
    unit: Name | None = None
    live: bool | None = Field(default=None, description="Not done nor taken back, or that.")
    over: bool = Field(default=False, description="Only those past their date, not reported.")
    before: Id | None = None
    limit: Size = 50


class NewTracked(Asked):
    """What somebody has to do by a date. `source`: who gave it, where (a meeting and its day)."""

    type: TrackedType
    title: Words
    source: Name
    unit: Name | None = Field(default=None, description="Null: the office itself.")
    person: Name | None = Field(default=None, description="Who answers for it.")
    urgency: Urgency = Urgency.NORMAL
    due_at: AwareDatetime
    case_id: Id | None = Field(default=None, description="The case that it comes from.")


class TrackedView(Told):
    """One item in a list."""

    id: Id
    type: ItemType
    title: str
    source: str
    unit: str | None
    person: str | None
    urgency: Urgency
    state: TrackedState
    policy: str
    due_at: datetime
    overdue: bool
    given_at: datetime
    given_by: str
    signed_at: datetime | None
    signed_by: str | None
    reported_at: datetime | None
    settled_at: datetime | None
    settled_by: str | None
    case_id: Id | None
    version: int


class TrackedItems(Told):
    """One page of items."""

    items: tuple[TrackedView, ...]
    next: int | None


class TrackedDetail(TrackedView):
    """One item with what was written and added to it, and its supervision records."""

    notes: tuple[NoteView, ...]
    evidence: tuple[PieceView, ...]
    supervision: tuple[SupervisionView, ...]


class Report(Seen):
    """What came of an item."""

    result: Words
    evidence: Ids = ()


class Judgement(Seen):
    """What somebody decides of an item, in words."""

    reason: Words
