"""Visits on the spot, and units that are called to come to a caller."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime

from pydantic import AwareDatetime, Field

from hotline import comings, visits
from hotline.comings import Coming, State
from hotline.console.case_shapes import Ids
from hotline.console.desk import Request
from hotline.console.endpoint import get, post
from hotline.console.keyed import KEY, made, made_before
from hotline.console.problems import Fault, ProblemError
from hotline.console.shapes import Asked, Name, Told, Words
from hotline.console.who import CALLERS, DESK, OFFICE, READERS
from hotline.database import Connection, borrowed, transaction
from hotline.errors import (
    ComingConflictError,
    ComingRefusedError,
    ComingUnknownError,
    EvidenceUnknownError,
    VisitRefusedError,
)
from hotline.visits import Reply
from routing.cases import Role
from routing.errors import CaseUnknown


class NewVisit(Asked):
    """What somebody found on the spot."""

    visited_at: AwareDatetime
    place: Name
    found: Words
    reply: Reply = Field(description="Whether the unit's reply is what was found.")
    evidence: Ids = Field(default=(), description="Photographs, uploaded as evidence before.")


class VisitView(Told):
    """One visit."""

    id: int
    case_id: int
    visited_at: datetime
    place: str | None = Field(description="Null where it was erased.")
    found: str | None = Field(description="Null where it was erased.")
    reply: Reply
    evidence: tuple[int, ...]
    by: str
    unit: str | None = Field(description="The visitor's; null for the hotline's own people.")
    at: datetime


class Visits(Told):
    """The visits of a case, oldest first."""

    visits: tuple[VisitView, ...]


class NewComing(Asked):
    """Which unit is to come where, and why."""

    unit: Name
    place: Name
    reason: Words


class Acknowledgement(Asked):
    """When somebody of the unit will be there."""

    comes_at: AwareDatetime


class Nothing(Asked):
    """No content: the address says it all."""


class ComingView(Told):
    """A unit that is called to come."""

    id: int
    case_id: int
    number: str
    unit: str
    place: str | None = Field(description="Null where it was erased.")
    reason: str | None = Field(description="Null where it was erased.")
    state: State
    asked_at: datetime
    asked_by: str
    due_at: datetime | None = Field(description="Until when the unit has to say that it comes.")
    overdue: bool = Field(description="Nobody has said so in time.")
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    comes_at: datetime | None
    ended_at: datetime | None
    ended_by: str | None


class Comings(Told):
    """Units that are called to come, oldest first."""

    comings: tuple[ComingView, ...]


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except (CaseUnknown, ComingUnknownError) as error:
        raise ProblemError(Fault.NOT_FOUND, str(error)) from error
    except EvidenceUnknownError as error:
        raise ProblemError(Fault.INVALID, f"evidence: {error}") from error
    except (VisitRefusedError, ComingRefusedError) as error:
        raise ProblemError(Fault.NOT_POSSIBLE, str(error)) from error
    except ComingConflictError as error:
        raise ProblemError(Fault.CONFLICT, str(error)) from error


async def add_visit(asked: Request) -> VisitView:
    """Keep what somebody found on the spot, to be held against the unit's reply."""
    case_id, given = asked.path_id("case_id"), asked.asked(NewVisit)
    with _refusals():
        async with transaction(asked.services.pool) as tx:
            await asked.sight.check(tx, case_id)
            if (before := await made_before(asked, tx, given)) is not None:
                found = await visits.of_case(tx, case_id)
                return next(VisitView(**asdict(it)) for it in found if it.id == before)
            visit = await visits.add(
                tx,
                case_id,
                visited_at=given.visited_at,
                place=given.place,
                found=given.found,
                reply=given.reply,
                pieces=given.evidence,
                actor=asked.actor(),
                now=asked.services.clock(),
            )
            await made(asked, tx, visit.id)
    return VisitView(**asdict(visit))


async def list_visits(asked: Request) -> Visits:
    """The visits of a case."""
    case_id = asked.path_id("case_id")
    async with borrowed(asked.services.pool) as conn:
        await asked.sight.check(conn, case_id)
        found = await visits.of_case(conn, case_id)
    return Visits(visits=tuple(VisitView(**asdict(visit)) for visit in found))


async def ask_to_come(asked: Request) -> ComingView:
    """Call a unit to come to the caller; it has to say that it comes."""
    case_id, given, services = asked.path_id("case_id"), asked.asked(NewComing), asked.services
    if (unit := services.city.unit(given.unit)) is None:
        raise ProblemError(Fault.INVALID, "unit: the city's directory has no such value.")
    with _refusals():
        async with transaction(services.pool) as tx:
            await asked.sight.check(tx, case_id)
            coming = await comings.ask(
                tx,
                case_id,
                unit=unit.name,
                place=given.place,
                reason=given.reason,
                actor=asked.actor(),
                now=services.clock(),
                limits=services.limits,
            )
    return _view(asked, coming)


async def comings_of_case(asked: Request) -> Comings:
    """The units that were called to come in a case."""
    case_id = asked.path_id("case_id")
    async with borrowed(asked.services.pool) as conn:
        await asked.sight.check(conn, case_id)
        found = await comings.of_case(conn, case_id)
    return Comings(comings=tuple(_view(asked, one) for one in found))


async def open_comings(asked: Request) -> Comings:
    """Requests where nobody has come yet: for a unit its own, for the hotline's people all."""
    office = bool(asked.who.roles & OFFICE)
    async with borrowed(asked.services.pool) as conn:
        found = await comings.open_ones(conn, None if office else asked.who.unit or "")
        if office:
            seen = await asked.sight.seen(conn, [one.case_id for one in found])
            found = tuple(one for one in found if one.case_id in seen)
    return Comings(comings=tuple(_view(asked, one) for one in found))


async def acknowledge_coming(asked: Request) -> ComingView:
    """Say when somebody comes: the unit itself, or the desk that reached it by telephone."""
    coming_id, given = asked.path_id("coming_id"), asked.asked(Acknowledgement)
    with _refusals():
        async with transaction(asked.services.pool) as tx:
            await _check(asked, tx, coming_id)
            coming = await comings.acknowledge(
                tx,
                coming_id,
                comes_at=given.comes_at,
                actor=asked.actor(),
                now=asked.services.clock(),
            )
    return _view(asked, coming)


async def arrive(asked: Request) -> ComingView:
    """Say that somebody of the unit is there."""
    coming_id = asked.path_id("coming_id")
    with _refusals():
        async with transaction(asked.services.pool) as tx:
            await _check(asked, tx, coming_id)
            coming = await comings.arrive(
                tx, coming_id, actor=asked.actor(), now=asked.services.clock()
            )
    return _view(asked, coming)


async def withdraw_coming(asked: Request) -> ComingView:
    """Nobody needs to come any more."""
    coming_id = asked.path_id("coming_id")
    with _refusals():
        async with transaction(asked.services.pool) as tx:
            await _check(asked, tx, coming_id)
            coming = await comings.withdraw(
                tx, coming_id, actor=asked.actor(), now=asked.services.clock()
            )
    return _view(asked, coming)


async def _check(asked: Request, tx: Connection, coming_id: int) -> None:
    """A unit answers for itself even where it does not see the case; others must see it."""
    if asked.who.roles & OFFICE:
        await asked.sight.check(tx, (await comings.get(tx, coming_id)).case_id)


def _view(asked: Request, coming: Coming) -> ComingView:
    answered = coming.acknowledged_at or coming.ended_at or asked.services.clock()
    overdue = coming.due_at is not None and answered > coming.due_at
    return ComingView(**asdict(coming), overdue=overdue)


_ANSWERERS = DESK | {Role.UNIT}
_STEP = (Fault.NOT_FOUND, Fault.CONFLICT, Fault.NOT_POSSIBLE)
_GONE = (Fault.NOT_FOUND,)
_VISITS, _CASE, _ONE = (
    "/api/cases/{case_id}/visits",
    "/api/cases/{case_id}/comings",
    "/api/comings/{coming_id}",
)
ENDPOINTS = (
    get(_VISITS, list_visits, Visits, faults=_GONE, roles=READERS),
    post(_VISITS, add_visit, NewVisit, VisitView, faults=_STEP, headers=(KEY,), roles=READERS),
    get(_CASE, comings_of_case, Comings, faults=_GONE, roles=READERS),
    post(_CASE, ask_to_come, NewComing, ComingView, faults=_STEP, roles=CALLERS),
    get("/api/comings", open_comings, Comings, roles=READERS),
    post(
        f"{_ONE}/acknowledge",
        acknowledge_coming,
        Acknowledgement,
        ComingView,
        faults=_STEP,
        roles=_ANSWERERS,
    ),
    post(f"{_ONE}/arrive", arrive, Nothing, ComingView, faults=_STEP, roles=_ANSWERERS),
    post(f"{_ONE}/withdraw", withdraw_coming, Nothing, ComingView, faults=_STEP, roles=CALLERS),
)
