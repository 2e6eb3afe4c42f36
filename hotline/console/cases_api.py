"""Cases for people: lists, one case with what speaks for it, and the moves people make."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import TypeVar

from hotline import flow, journal
from hotline.console.desk import Request
from hotline.console.endpoint import Endpoint, Handler, get, post
from hotline.console.problems import Fault, ProblemError
from hotline.console.shapes import (
    CaseDetail,
    CaseQuery,
    Cases,
    CaseView,
    Catalogue,
    EntryView,
    LimitView,
    Step,
    SuggestionView,
    TextView,
    UnitView,
)
from hotline.database import Connection, borrowed, transaction
from hotline.services import Services
from routing import store
from routing.cases import Actor, Case, CaseState, Kind, Move, MoveData, Role, Urgency, legal_moves
from routing.deadlines import deadline_of, due, standing
from routing.errors import CalendarEnds, CaseConflict, CaseUnknown, IllegalMove, MissingFact
from routing.policy import Policy
from routing.rules import LEVEL1

T = TypeVar("T")

# One desk for everything until people have roles of their own: whoever is signed in may move.
ROLES = frozenset(Role) - {Role.SYSTEM}


async def list_cases(asked: Request) -> Cases:
    """One page of cases, newest first; a number finds the one case that bears it."""
    query = asked.asked(CaseQuery)
    async with borrowed(asked.services.pool) as conn:
        if query.number is not None:
            found = await _by_number(conn, query.number)
            return Cases(cases=tuple(_view(asked.services, it) for it in found), next=None)
        page = await store.page(
            conn,
            store.Filter(
                states=_one(query.state),
                kinds=_one(query.kind),
                urgencies=_one(query.urgency),
                line=query.line,
                level1=query.level1,
                area=query.area,
                unit=query.unit,
            ),
            after=query.before,
            limit=query.limit,
        )
    return Cases(cases=tuple(_view(asked.services, it) for it in page.cases), next=page.after)


def _one(value: T | None) -> tuple[T, ...] | None:
    return None if value is None else (value,)


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
        return await _detail(asked.services, conn, case_id)


async def _detail(services: Services, conn: Connection, case_id: int) -> CaseDetail:
    try:
        case = await store.get(conn, case_id)
    except CaseUnknown as error:
        raise ProblemError(Fault.NOT_FOUND, str(error)) from error
    suggestion = await store.suggestion_of(conn, case_id)
    history = await journal.of_case(conn, case_id)
    texts = await store.texts_of(conn, case_id)
    return CaseDetail(
        **_view(services, case).model_dump(),
        suggestion=_suggestion(suggestion) if suggestion else None,
        moves=legal_moves(case.state),
        limit=_limit(services, case),
        limit_if_opened_now=_limit_now(services, case),
        history=tuple(entry_view(entry) for entry in history),
        texts=tuple(TextView.model_validate(asdict(text)) for text in texts),
    )


async def open_case(asked: Request) -> CaseDetail:
    """Confirm a draft: what it is about is now a person's word, and its limit begins."""
    return await _move(asked, Move.OPEN)


async def answer_directly(asked: Request) -> CaseDetail:
    """Answer at once, without any unit."""
    return await _move(asked, Move.ANSWER_DIRECTLY)


async def dispatch_case(asked: Request) -> CaseDetail:
    """Give the case to a unit."""
    return await _move(asked, Move.DISPATCH)


async def send_case_back(asked: Request) -> CaseDetail:
    """The unit gives the case back with a reason."""
    return await _move(asked, Move.SEND_BACK)


async def answer_case(asked: Request) -> CaseDetail:
    """Record the unit's answer."""
    return await _move(asked, Move.ANSWER)


async def redo_case(asked: Request) -> CaseDetail:
    """The answer does not do: the unit starts again."""
    return await _move(asked, Move.REDO)


async def close_case(asked: Request) -> CaseDetail:
    """Close an answered case."""
    return await _move(asked, Move.CLOSE)


async def withdraw_case(asked: Request) -> CaseDetail:
    """End a case that is none, with a reason."""
    return await _move(asked, Move.WITHDRAW)


async def _move(asked: Request, move: Move) -> CaseDetail:
    """Make a move and return the case as it stands after it."""
    case_id, step = asked.path_id("case_id"), asked.asked(Step)
    _check_known(asked, step)
    name = asked.person.name if asked.person else "console"
    try:
        async with transaction(asked.services.pool) as tx:
            await flow.case_moved(
                tx,
                case_id,
                move=move,
                actor=Actor(name=name, roles=ROLES),
                now=asked.services.clock(),
                data=MoveData(**step.model_dump(exclude={"expected"})),
                policy=asked.services.policy.name,
                expected=step.expected,
            )
    except CaseUnknown as error:
        raise ProblemError(Fault.NOT_FOUND, str(error)) from error
    except CaseConflict as error:
        raise ProblemError(Fault.CONFLICT, str(error)) from error
    except MissingFact as error:
        raise ProblemError(Fault.MISSING_FACT, str(error), missing=error.missing) from error
    except IllegalMove as error:
        raise ProblemError(Fault.ILLEGAL_MOVE, str(error)) from error
    return await one_case(asked)


def _check_known(asked: Request, step: Step) -> None:
    """Refuse a category, area or unit that the city does not have."""
    city = asked.services.city
    known: Mapping[str, frozenset[str]] = {
        "level1": frozenset(LEVEL1),
        "area": frozenset(area.name for area in city.areas),
        "unit": frozenset(unit.name for unit in city.units),
    }
    for name, values in known.items():
        given = getattr(step, name)
        if given is not None and given not in values:
            raise ProblemError(Fault.INVALID, f"{name}: the city's directory has no such value.")


async def catalogue(asked: Request) -> Catalogue:
    """What can be chosen when a case is confirmed or dispatched."""
    city, policy = asked.services.city, asked.services.policy
    return Catalogue(
        city=city.name,
        sample=city.sample,
        lines=tuple(line.name for line in asked.services.config.lines),
        level1=LEVEL1,
        areas=tuple(area.name for area in city.areas),
        units=tuple(
            UnitView(name=unit.name, area=unit.area, duties=unit.duties, phone=unit.phone)
            for unit in city.units
        ),
        kinds=tuple(Kind),
        urgencies=tuple(Urgency),
        policy=policy.name,
        policy_title=policy.title,
    )


def entry_view(entry: journal.Entry) -> EntryView:
    """A journal row as the API shows it."""
    return EntryView(**asdict(entry))


def _view(services: Services, case: Case) -> CaseView:
    """A case with its due time as of now."""
    deadline = None
    policy = _policy(services, case)
    if policy is not None:
        try:
            deadline = deadline_of(case, policy, services.calendar)
        except CalendarEnds:
            deadline = None
    return CaseView(
        **asdict(case),
        due_at=deadline.at if deadline else None,
        standing=standing(case, deadline, services.clock()) if deadline else None,
    )


def _policy(services: Services, case: Case) -> Policy | None:
    return services.policies.get(case.policy) if case.policy else services.policy


def _limit(services: Services, case: Case) -> LimitView | None:
    policy = _policy(services, case)
    if policy is None or case.opened_at is None or case.kind is None:
        return None
    return _limit_from(services, case, case.kind, policy, case.opened_at)


def _limit_now(services: Services, case: Case) -> LimitView | None:
    """What a draft would promise if a person confirmed it as suggested, this moment."""
    if case.state is not CaseState.DRAFT or case.kind is None:
        return None
    return _limit_from(services, case, case.kind, services.policy, services.clock())


def _limit_from(
    services: Services, case: Case, kind: Kind, policy: Policy, start: datetime
) -> LimitView | None:
    where = {"line": case.line, "level1": case.level1}
    try:
        due_at = due(kind, case.urgency, start, policy, services.calendar, **where)
    except CalendarEnds:
        return None
    limit = policy.limit(kind, case.urgency, **where)
    return LimitView(
        due_at=due_at,
        amount=limit.amount,
        unit=limit.unit,
        basis=limit.basis,
        policy=policy.name,
    )


def _suggestion(stored: Mapping[str, object]) -> SuggestionView:
    """The stored suggestion; keys a newer classifier added are left out."""
    return SuggestionView.model_validate(stored, extra="ignore")


def _step(word: str, handler: Handler) -> Endpoint:
    return post(
        f"/api/cases/{{case_id}}/{word}",
        handler,
        Step,
        CaseDetail,
        faults=(Fault.NOT_FOUND, Fault.CONFLICT, Fault.ILLEGAL_MOVE, Fault.MISSING_FACT),
    )


ENDPOINTS = (
    get("/api/cases", list_cases, Cases, query=CaseQuery),
    get("/api/cases/{case_id}", one_case, CaseDetail, faults=(Fault.NOT_FOUND,)),
    _step("open", open_case),
    _step("answer-directly", answer_directly),
    _step("dispatch", dispatch_case),
    _step("send-back", send_case_back),
    _step("answer", answer_case),
    _step("redo", redo_case),
    _step("close", close_case),
    _step("withdraw", withdraw_case),
    get("/api/catalogue", catalogue, Catalogue),
)
