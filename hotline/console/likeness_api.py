"""One matter, several cases: what may belong together, for a person to link."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import Field

from hotline import repeats
from hotline.console.desk import Request
from hotline.console.endpoint import get
from hotline.console.problems import Fault
from hotline.console.shapes import Told
from hotline.console.who import READERS
from hotline.database import Connection, borrowed
from hotline.repeats import Alike
from routing import store
from routing.cases import Case, CaseState, Kind, Urgency


class CaseBrief(Told):
    """A case in few words."""

    id: int
    number: str
    state: CaseState
    kind: Kind | None
    urgency: Urgency
    level1: str | None
    area: str | None
    unit: str | None
    lead: int | None = Field(description="The case it goes with, if any.")
    drafted_at: datetime


class AlikeView(Told):
    """A case that may be of the same matter."""

    case: CaseBrief
    score: float = Field(description="How alike the words are: 0 nothing, 1 the same.")
    words: tuple[str, ...] = Field(description="What both say, masked; the reasons.")


class GroupView(Told):
    """A lead case that this one may go with."""

    lead: CaseBrief
    score: float = Field(description="The sum of the three likest cases of the group.")


class RelatedView(Told):
    """What a case may belong to; only suggested."""

    of_caller: tuple[AlikeView, ...] = Field(
        description="The same caller's cases that are open or were closed within 30 days."
    )
    alike: tuple[AlikeView, ...] = Field(description="Open cases of other callers.")
    groups: tuple[GroupView, ...] = Field(description="Lead cases, the best first.")


class MembersView(Told):
    """A lead case with what goes with it, as far as it may be seen."""

    lead: CaseBrief | None = Field(description="The case this one goes with.")
    members: tuple[CaseBrief, ...] = Field(description="Cases of other callers that go with it.")
    repeats: tuple[CaseBrief, ...] = Field(
        description="Calls about the same matter that were linked and need no order of their own."
    )


async def related_cases(asked: Request) -> RelatedView:
    """Cases that may be of the same matter: the caller's own, and those of others, with reasons."""
    case_id = asked.path_id("case_id")
    async with borrowed(asked.services.pool) as conn:
        await asked.sight.check(conn, case_id)
        found = await repeats.related(conn, case_id, asked.services.clock())
        ids = [one.case_id for one in (*found.of_caller, *found.alike)]
        cases = await _seen(asked, conn, ids)
        leads = await _seen(asked, conn, [it.lead for it in cases.values() if it.lead is not None])
    groups = repeats.groups_of(
        [(cases[one.case_id], one.score) for one in found.alike if one.case_id in cases]
    )
    return RelatedView(
        of_caller=_alike(found.of_caller, cases),
        alike=_alike(found.alike, cases),
        groups=tuple(
            GroupView(lead=brief((cases | leads)[lead]), score=round(score, 3))
            for lead, score in groups
            if lead in cases or lead in leads
        ),
    )


async def members_of_case(asked: Request) -> MembersView:
    """What goes with a case: its members, its linked repeats, and its own lead."""
    case_id = asked.path_id("case_id")
    async with borrowed(asked.services.pool) as conn:
        await asked.sight.check(conn, case_id)
        case = await store.get(conn, case_id)
        members, linked = await repeats.bound_to(conn, case_id)
        lead = [] if case.lead is None else [case.lead]
        cases = await _seen(asked, conn, [*lead, *members, *linked])
    return MembersView(
        lead=brief(cases[case.lead]) if case.lead in cases else None,
        members=tuple(brief(cases[it]) for it in members if it in cases),
        repeats=tuple(brief(cases[it]) for it in linked if it in cases),
    )


async def _seen(asked: Request, conn: Connection, ids: Sequence[int]) -> dict[int, Case]:
    seen = await asked.sight.seen(conn, ids)
    return {case.id: case for case in await store.of_ids(conn, sorted(seen))}


def _alike(found: Sequence[Alike], cases: dict[int, Case]) -> tuple[AlikeView, ...]:
    return tuple(
        AlikeView(case=brief(cases[one.case_id]), score=one.score, words=one.words)
        for one in found
        if one.case_id in cases
    )


def brief(case: Case) -> CaseBrief:
    """A case in few words; nothing of who called."""
    return CaseBrief.model_validate({name: getattr(case, name) for name in CaseBrief.model_fields})


_GONE = (Fault.NOT_FOUND,)
ENDPOINTS = (
    get("/api/cases/{case_id}/related", related_cases, RelatedView, faults=_GONE, roles=READERS),
    get("/api/cases/{case_id}/members", members_of_case, MembersView, faults=_GONE, roles=READERS),
)
