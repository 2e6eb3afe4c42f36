"""Cases for people: lists, one case with what speaks for it, and the moves people make."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

from hotline import absence_rows, absences, case_callers, case_rows, evidence, journal
from hotline.case_rows import Filter
from hotline.console.case_shapes import (
    CaseDetail,
    CaseNarrowing,
    CaseQuery,
    Cases,
    CaseView,
    EvidenceView,
    LimitView,
    PartView,
    SuggestionView,
    TextView,
    Work,
    WorkQuery,
)
from hotline.console.desk import Request
from hotline.console.endpoint import get
from hotline.console.problems import Fault, ProblemError
from hotline.console.seen_api import note
from hotline.console.shapes import AreaTile, Catalogue, EntryView, UnitView
from hotline.console.who import READERS
from hotline.database import Connection, borrowed
from hotline.journal import Event
from hotline.masking import mask_number
from hotline.services import Services
from routing import store, text_store, unit_store
from routing.cases import Case, CaseState, Channel, Kind, Urgency
from routing.errors import CalendarEnds, CaseUnknown, LimitMissing
from routing.moving import possible
from routing.rules import LEVEL1
from routing.searching import Sought, can_be_found

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


async def list_cases(asked: Request) -> Cases:
    """One page of cases, newest first; a number finds the one case that bears it."""
    query = asked.asked(CaseQuery)
    async with borrowed(asked.services.pool) as conn:
        if query.number is not None:
            found = await _by_number(conn, query.number)
            seen = await asked.sight.seen(conn, [it.id for it in found])
            found = tuple(it for it in found if it.id in seen)
            return Cases(cases=await _views(asked, conn, found), next=None)
        page = await case_rows.page(
            conn,
            await wanted_cases(asked, conn, query),
            after=query.before,
            limit=query.limit,
            search=sought_by(asked, query.search) if query.search else None,
        )
        return Cases(cases=await _views(asked, conn, page.cases), next=page.after)


def sought_by(asked: Request, typed: str) -> Sought:
    """What somebody types to find cases."""
    found = asked.sight.sought(typed)
    if found.words is not None and not can_be_found(found.words):
        raise ProblemError(Fault.INVALID, "search: give at least two characters or digits.")
    return found


async def list_work(asked: Request) -> Work:
    """One page of live cases in the order in which they are due: a unit's work list."""
    query = asked.asked(WorkQuery)
    async with borrowed(asked.services.pool) as conn:
        work = await case_rows.work(
            conn,
            await wanted_cases(asked, conn, query),
            after=_place(query.after) if query.after else None,
            limit=query.limit,
        )
        views = await _views(asked, conn, work.cases)
    return Work(cases=views, next=None if work.after is None else _written(work.after))


def _written(place: case_rows.Place) -> str:
    if place.due_at is None:
        return f"undated.{place.id}"
    return f"{(place.due_at - _EPOCH) // timedelta(microseconds=1)}.{place.id}"


def _place(written: str) -> case_rows.Place:
    due, _, case_id = written.partition(".")
    due_at = None if due == "undated" else _EPOCH + timedelta(microseconds=int(due))
    return case_rows.Place(due_at=due_at, id=int(case_id))


async def wanted_cases(
    asked: Request, conn: Connection, query: CaseNarrowing, besides: Sequence[int] | None = None
) -> Filter:
    """The filter of a list, narrowed to what the person may see."""
    wanted = Filter(
        state=query.state,
        kind=query.kind,
        urgency=query.urgency,
        line=query.line,
        channel=query.channel,
        level1=query.level1,
        area=query.area,
        unit=query.unit,
        owners=await _mine(asked, conn) if query.mine else None,
        since=query.since,
        until=query.until,
        besides=besides,
    )
    return asked.sight.within(wanted)


async def _mine(asked: Request, conn: Connection) -> tuple[str, ...]:
    """Every name whose work is this person's now: the own ones, and those of people away."""
    staffing = await absence_rows.staffing(conn, asked.services.clock())
    actor = absences.acting_for(staffing, asked.actor())
    return (*asked.who.names, *actor.stands_for)


async def _by_number(conn: Connection, number: str) -> tuple[Case, ...]:
    try:
        return (await store.get_by_number(conn, number),)
    except CaseUnknown:
        return ()


async def one_case(asked: Request) -> CaseDetail:
    """One case with its suggestion, its limit, its possible moves and its history."""
    case_id = asked.path_id("case_id")
    async with (
        borrowed(asked.services.pool) as conn,
        conn.transaction(isolation="repeatable_read", readonly=True),
    ):
        await asked.sight.check(conn, case_id)
        found = await detail(asked, conn, case_id)
    await note(asked, Event.SEEN_CASE, case_id=case_id)
    return found


async def detail(asked: Request, conn: Connection, case_id: int) -> CaseDetail:
    """A case as it stands, whoever may see it: that is checked before."""
    services = asked.services
    try:
        case = await store.get(conn, case_id)
    except CaseUnknown as error:
        raise ProblemError(Fault.NOT_FOUND, str(error)) from error
    suggestion = await store.suggestion_of(conn, case_id)
    history = await asked.sight.shown(conn, await journal.of_case(conn, case_id))
    texts = await text_store.texts_of(conn, case_id)
    units = await unit_store.parts_of(conn, case_id)
    shown = await evidence.of_case(conn, case_id)
    staffing = await absence_rows.staffing(conn, services.clock())
    actor = absences.acting_for(staffing, asked.actor())
    (view,) = await _views(asked, conn, (case,))
    brought = await case_callers.of_case(conn, case_id) if case.call_id is None else None
    return CaseDetail(
        **view.model_dump(),
        brought_by=mask_number(brought.number) if brought and brought.number else None,
        suggestion=_suggestion(suggestion) if suggestion else None,
        moves=possible(case, actor, services.clock(), services.limits),
        limit=_limit(services, case),
        limit_if_opened_now=_limit_now(services, case),
        undated=services.limits.undated(case),
        units=tuple(PartView.model_validate(asdict(part)) for part in units),
        evidence=tuple(evidence_view(piece) for piece in shown),
        history=tuple(entry_view(entry) for entry in history),
        texts=tuple(TextView.model_validate(asdict(text)) for text in texts),
    )


def evidence_view(piece: evidence.Evidence) -> EvidenceView:
    """A piece of evidence as the API shows it: where its file lies is nobody's business."""
    return EvidenceView.model_validate({**asdict(piece), "path": None}, extra="ignore")


async def catalogue(asked: Request) -> Catalogue:
    """What can be chosen when a case is confirmed or dispatched."""
    city, policy = asked.services.city, asked.services.policy
    return Catalogue(
        city=city.name,
        sample=city.sample,
        lines=tuple(line.name for line in asked.services.config.lines),
        level1=LEVEL1,
        areas=tuple(area.name for area in city.areas),
        tiles=tuple(
            AreaTile(area=area.name, row=area.tile[0], column=area.tile[1])
            for area in city.areas
            if area.tile
        ),
        units=tuple(
            UnitView(name=unit.name, area=unit.area, duties=unit.duties, phone=unit.phone)
            for unit in city.units
        ),
        kinds=tuple(Kind),
        urgencies=tuple(Urgency),
        channels=tuple(Channel),
        policy=policy.name,
        policy_title=policy.title,
    )


def entry_view(entry: journal.Entry) -> EntryView:
    """A journal row as the API shows it."""
    return EntryView(**asdict(entry))


async def _views(asked: Request, conn: Connection, cases: Sequence[Case]) -> tuple[CaseView, ...]:
    """Cases as of now; another case that one names is named only to whoever may find it."""
    named = [other for it in cases for other in (it.same_as, it.lead) if other is not None]
    seen = await asked.sight.found(conn, named)
    return tuple(
        _view(
            asked.services,
            replace(
                it,
                same_as=it.same_as if it.same_as in seen else None,
                lead=it.lead if it.lead in seen else None,
            ),
        )
        for it in cases
    )


def _view(services: Services, case: Case) -> CaseView:
    """A case with its due time as of now."""
    limits = services.limits
    due_at = case.due_at or limits.due_at(case)
    facts = asdict(case) | {"due_at": due_at}
    return CaseView(**facts, standing=limits.standing(case, services.clock()))


def _limit(services: Services, case: Case) -> LimitView | None:
    try:
        clock = services.limits.clock_of(case)
    except (CalendarEnds, LimitMissing):
        return None
    if clock is None:
        return None
    return LimitView(
        due_at=clock.ends_at,
        amount=clock.rule.amount,
        unit=clock.rule.unit,
        basis=clock.rule.basis,
        policy=clock.policy,
        extended_from=clock.first_end if clock.extensions else None,
    )


def _limit_now(services: Services, case: Case) -> LimitView | None:
    """What a draft would promise if a person confirmed it as suggested, this moment."""
    if case.state is not CaseState.DRAFT or case.kind is None:
        return None
    opened = replace(case, opened_at=services.clock(), policy=services.policy.name)
    return _limit(services, opened)


def _suggestion(stored: Mapping[str, object]) -> SuggestionView:
    """The stored suggestion; keys a newer classifier added are left out."""
    return SuggestionView.model_validate(stored, extra="ignore")


ENDPOINTS = (
    get("/api/cases", list_cases, Cases, query=CaseQuery, roles=READERS),
    get("/api/cases/work", list_work, Work, query=WorkQuery, roles=READERS),
    get("/api/cases/{case_id}", one_case, CaseDetail, faults=(Fault.NOT_FOUND,), roles=READERS),
    get("/api/catalogue", catalogue, Catalogue),
)
