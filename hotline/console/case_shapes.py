"""The models of a case in the API: lists, one case with its history, and what each move takes."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, Field, StringConstraints, create_model

from hotline.console.shapes import Asked, EntryView, Id, Name, Size, Told, Words
from hotline.evidence import Sort
from routing.cases import (
    CaseState,
    Channel,
    Explanation,
    Kind,
    Move,
    Outcome,
    Reached,
    Satisfied,
    Solved,
    Truth,
    Urgency,
)
from routing.deadlines import Standing
from routing.moves import MOVES

SearchText = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^\x00]*$"),
]
PLACE = r"^([0-9]{1,17}|undated)\.[0-9]{1,18}$"
"""Where a work list goes on: a due time in microseconds, and a case's id."""


class CaseNarrowing(Asked):
    """Which cases a list is about; what is not named is not asked for."""

    state: CaseState | None = None
    line: Name | None = None
    channel: Channel | None = None
    kind: Kind | None = None
    urgency: Urgency | None = None
    unit: Name | None = None
    level1: Name | None = None
    area: Name | None = None
    mine: bool = Field(
        default=False,
        description="Live ones I answer for or am offered, those of people I stand in for too.",
    )
    since: AwareDatetime | None = Field(default=None, description="Begun from then on.")
    until: AwareDatetime | None = Field(default=None, description="Begun before then.")


SEARCH = (
    "A case number or how it begins (a day), the last four digits of a caller's number, or words"
    " of the summary: at least two characters, which stand there as typed."
)


class CaseQuery(CaseNarrowing):
    """Which cases; newest first, `before` is the `next` of the page before."""

    number: Name | None = Field(default=None, description="A case number as people write it.")
    search: SearchText | None = Field(default=None, description=SEARCH)
    before: Id | None = None
    limit: Size = 50


class WorkQuery(CaseNarrowing):
    """Which live cases; `after` is the `next` of the page before."""

    after: Annotated[str, StringConstraints(pattern=PLACE)] | None = None
    limit: Size = 50


class CaseView(Told):
    """One case in a list. A draft holds what words suggest, from `open` on what was confirmed."""

    id: int
    number: str
    call_id: int | None
    line: str
    channel: Channel = Field(description="How the matter came.")
    state: CaseState
    kind: Kind | None
    urgency: Urgency
    level1: str | None
    area: str | None
    unit: str | None
    helpers: tuple[str, ...]
    asked: tuple[str, ...] = Field(description="Consulted units that have not commented yet.")
    owner: str = Field(description="Who answers for the case now.")
    offered_to: str | None
    version: int = Field(description="Counts every change.")
    summary: str | None
    policy: str | None
    drafted_at: datetime
    opened_at: datetime | None
    dispatched_at: datetime | None
    given_at: datetime | None
    signed_at: datetime | None
    answered_at: datetime | None
    closed_at: datetime | None
    archived_at: datetime | None
    reopened_at: datetime | None
    asked_days: int | None
    extended_days: tuple[int, ...]
    statutory: str | None
    return_ruled: bool
    level: int
    truth: Truth | None = Field(description="Whether what was said is so, as the unit found.")
    beyond_duty: bool | None = Field(description="Whether the unit says it may not do it.")
    publish: bool | None = Field(description="Whether the public reply may be published.")
    unit_solved: Solved | None
    solved: Solved | None
    satisfied: Satisfied | None
    call_back_tries: int
    outcome: Outcome | None
    explanation: Explanation | None
    same_as: int | None
    lead: int | None = Field(description="The case of the same matter that this one goes with.")
    due_at: datetime | None = Field(description="Null for a draft: nothing was promised yet.")
    standing: Standing | None


class Cases(Told):
    """One page of cases."""

    cases: tuple[CaseView, ...]
    next: int | None


class Work(Told):
    """One page of live cases, those due first before all others; what is not dated comes last."""

    cases: tuple[CaseView, ...]
    next: str | None


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


class LeafView(Told):
    """A leaf of the catalogue that is possible."""

    path: str = Field(description="level1/level2/level3")
    score: float = Field(description="Orders leaves; it is no probability.")


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
    leaves: tuple[LeafView, ...] = Field(
        default=(), description="The likeliest leaves of the catalogue, the best first."
    )
    rules_version: str
    model_version: str | None


class LimitView(Told):
    """The limit a due time follows from."""

    due_at: datetime
    amount: int
    unit: str
    basis: str
    policy: str
    extended_from: datetime | None = Field(description="The end before any extension.")


class TextView(Told):
    """What somebody wrote with a move, word for word; only people who are signed in read it."""

    at: datetime
    actor: str
    unit: str | None
    move: str = Field(description="The move, `visit` or `ask_to_come`.")
    sort: str
    text: str | None = Field(description="Null where it was erased.")


class PartView(Told):
    """A unit beside the lead: a helper, or one that was consulted."""

    unit: str
    part: str
    asked_at: datetime
    asked_by: str
    answered_at: datetime | None = Field(description="Null: it is silent.")
    answered_by: str | None
    ended_at: datetime | None


class EvidenceQuery(Asked):
    """What a file is called and what it shows; the body is the file."""

    name: Name
    sort: Sort = Field(
        default=Sort.HANDLING,
        description="Who somebody is, that the caller was spoken to, or what was done.",
    )


class EvidenceView(Told):
    """A paper or picture of a case."""

    id: int
    sort: Sort
    name: str
    media_type: str
    sha256: str
    size: int
    added_by: str
    added_unit: str | None
    added_at: datetime


class BroughtBy(Asked):
    """Whoever brought a case that no call brought."""

    number: Annotated[str, Field(pattern=r"^\+?[0-9]{3,20}$")]
    name: Name | None = None


class CaseDetail(CaseView):
    """One case with what speaks for it, what may be done with it and what happened to it."""

    brought_by: str | None = Field(
        description="The masked number of whoever brought a case that no call brought."
    )
    suggestion: SuggestionView | None
    moves: tuple[Move, ...] = Field(description="What you may do with it now.")
    limit: LimitView | None
    limit_if_opened_now: LimitView | None
    undated: str | None = Field(
        description="Why nobody can say when it is due, such as that the holiday calendar ends."
    )
    units: tuple[PartView, ...]
    evidence: tuple[EvidenceView, ...]
    history: tuple[EntryView, ...]
    texts: tuple[TextView, ...] = Field(description="What people wrote, in full, oldest first.")


class Step(Asked):
    """A move; only what is given changes the case."""

    expected: CaseState | None = Field(
        default=None, description="The state seen on the screen; another one is a conflict."
    )
    version: Annotated[int, Field(ge=0, le=2**63 - 1)] | None = Field(
        default=None, description="The version seen on the screen; another one is a conflict."
    )


Names = Annotated[tuple[Name, ...], Field(min_length=1, max_length=50)]
Ids = Annotated[tuple[Id, ...], Field(max_length=100)]
Days = Annotated[int, Field(ge=1, le=366)]
FACTS: dict[str, Any] = {
    "kind": Kind,
    "urgency": Urgency,
    "level1": Name,
    "area": Name,
    "unit": Name,
    "helpers": Names,
    "units": Names,
    "person": Name,
    "days": Days,
    "evidence": Ids,
    "explanation": Explanation,
    "same_as": Id,
    "lead": Id,
    "truth": Truth,
    "beyond_duty": bool,
    "publish": bool,
    "solved": Solved,
    "satisfied": Satisfied,
    "result": Reached,
    "contacted_at": AwareDatetime,
    "statutory": Name,
}
"""What a move can carry beside free text."""


def step_of(move: Move) -> type[Step]:
    """The body of one move: what the table says it carries and takes."""
    rule = MOVES[move]
    given: dict[str, Any] = {
        name: (FACTS.get(name, Words) | None, None) for name in (*rule.carries, *rule.takes)
    }
    name = "".join(part.title() for part in move.split("_")) + "Step"
    return create_model(name, __base__=Step, __doc__=f"What `{move}` carries and takes.", **given)
