"""Fault records: facts with evidence, the statement of whom they concern, decisions and appeals.

Supervisors, leaders and discipline see them all; everybody else what concerns himself, or his unit
as a whole, and what he recorded himself. No address sets a penalty.
"""

from dataclasses import asdict
from datetime import datetime

from aiohttp import web
from pydantic import AwareDatetime, Field

from hotline import fault_rows, fault_steps, supervising
from hotline.console.desk import Request
from hotline.console.endpoint import Endpoint, get, post
from hotline.console.keyed import KEY, made, made_before
from hotline.console.problems import Fault, ProblemError
from hotline.console.shapes import Asked, Id, Name, Size, Told, Words
from hotline.console.supervision_api import (
    ANY,
    add_piece,
    download_piece,
    evidence_of,
    notes_of,
    refusals,
)
from hotline.console.supervision_shapes import NoteView, PieceQuery, PieceView, Remark, Seen
from hotline.console.who import FAULT_REPORTERS, FAULT_VIEWERS, READ_BY_ALL
from hotline.database import Connection, borrowed, transaction
from hotline.journal import Event
from hotline.supervision_texts import Of
from routing import store
from routing.errors import SupervisionRefused
from routing.faults import Fact, FaultRecord, FaultState, Verdict

OF: Of = "fault_id"


class FaultQuery(Asked):
    """Which records; newest first, `before` is the `next` of the page before."""

    state: FaultState | None = None
    unit: Name | None = None
    case_id: Id | None = None
    before: Id | None = None
    limit: Size = 50


class NewFault(Asked):
    """What happened, of whom (a login, a unit, or both) and when; in words, as it was seen."""

    fact: Fact
    unit: Name | None = None
    person: Name | None = None
    case_id: Id | None = None
    supervision_id: Id | None = None
    happened_at: AwareDatetime
    account: Words


class Decision(Seen):
    """Whether it was so, with the reason. What follows from it is not said here."""

    verdict: Verdict
    reason: Words


class FaultView(Told):
    """One record in a list."""

    id: Id
    fact: Fact
    unit: str | None
    person: str | None
    case_id: Id | None
    supervision_id: Id | None
    happened_at: datetime
    recorded_at: datetime
    recorded_by: str
    state: FaultState
    decided_at: datetime | None
    decided_by: str | None
    appealed_at: datetime | None
    appealed_by: str | None
    appeal_decided_at: datetime | None
    appeal_decided_by: str | None
    version: int


class Faults(Told):
    """One page of records."""

    faults: tuple[FaultView, ...]
    next: int | None


class FaultDetail(FaultView):
    """One record with what was written on it, and its evidence."""

    notes: tuple[NoteView, ...] = Field(description="Account, statements, reasons; oldest first.")
    evidence: tuple[PieceView, ...]


async def list_faults(asked: Request) -> Faults:
    """One page of the fault records that one may see, newest first."""
    query, who = asked.asked(FaultQuery), asked.who
    async with borrowed(asked.services.pool) as conn:
        found = await fault_rows.listed(
            conn,
            query.state,
            query.unit,
            query.case_id,
            everything=bool(who.roles & FAULT_VIEWERS),
            names=who.names,
            of_unit=who.unit,
            before=query.before,
            limit=query.limit + 1,
        )
    shown = tuple(FaultView(**asdict(one)) for one in found[: query.limit])
    more = shown[-1].id if len(found) > query.limit else None
    return Faults(faults=shown, next=more)


async def one_fault(asked: Request) -> FaultDetail:
    """One fault record."""
    with refusals():
        async with borrowed(asked.services.pool) as conn:
            return await _detail(conn, await _seen(asked, conn))


async def record_fault(asked: Request) -> FaultDetail:
    """Write down what happened, with the case it happened in."""
    given, now = asked.asked(NewFault), asked.services.clock()
    _check(asked, given, now)
    with refusals():
        async with transaction(asked.services.pool) as tx:
            fault_id = await made_before(asked, tx, given)
            if fault_id is None:
                await _check_there(asked, tx, given)
                facts = given.model_dump(exclude={"fact"})
                fault = await fault_steps.recorded(tx, given.fact, asked.actor(), now, **facts)
                fault_id = fault.id
                await made(asked, tx, fault_id)
        async with borrowed(asked.services.pool) as conn:
            fault = await fault_steps.found(conn, fault_id, asked.actor(), None)
            return await _detail(conn, fault)


def _check(asked: Request, given: NewFault, now: datetime) -> None:
    known = {unit.name for unit in asked.services.city.units}
    if given.unit is not None and given.unit not in known:
        raise ProblemError(Fault.INVALID, "unit: the city's directory has no such unit.")
    if given.unit is None and given.person is None:
        raise ProblemError(Fault.INVALID, "person: say whom it concerns, a person or a unit.")
    if given.happened_at > now:
        raise ProblemError(Fault.INVALID, "happened_at: that is still to come.")


async def _check_there(asked: Request, tx: Connection, given: NewFault) -> None:
    if given.case_id is not None:
        await asked.sight.check(tx, given.case_id)
        await store.get(tx, given.case_id)
    if given.supervision_id is not None:
        await supervising.found(tx, given.supervision_id)


async def state_on_fault(asked: Request) -> FaultDetail:
    """Whom the record concerns says how it was."""
    given = asked.asked(Remark)
    with refusals():
        async with transaction(asked.services.pool) as tx:
            fault = await _seen(asked, tx, given)
            now = asked.services.clock()
            await fault_steps.stated(tx, fault, asked.actor(), now, given.text)
            return await _detail(tx, fault)


async def decide_fault(asked: Request) -> FaultDetail:
    """Somebody who did not record it decides whether it was so."""
    given, now = asked.asked(Decision), asked.services.clock()
    with refusals():
        async with transaction(asked.services.pool) as tx:
            before = await _seen(asked, tx, given)
            after = await fault_steps.decided(
                tx, before, given.verdict, asked.actor(), now, reason=given.reason
            )
            return await _detail(tx, after)


async def appeal_fault(asked: Request) -> FaultDetail:
    """Whom the record concerns appeals against what was decided, once."""
    given, now = asked.asked(Remark), asked.services.clock()
    with refusals():
        async with transaction(asked.services.pool) as tx:
            before = await _seen(asked, tx, given)
            after = await fault_steps.appealed(tx, before, asked.actor(), now, reason=given.text)
            return await _detail(tx, after)


async def decide_appeal(asked: Request) -> FaultDetail:
    """A third person decides the appeal, for good."""
    given, now = asked.asked(Decision), asked.services.clock()
    with refusals():
        async with transaction(asked.services.pool) as tx:
            before = await _seen(asked, tx, given)
            after = await fault_steps.appeal_decided(
                tx, before, given.verdict, asked.actor(), now, reason=given.reason
            )
            return await _detail(tx, after)


async def add_fault_evidence(asked: Request) -> PieceView:
    """Add a file as evidence to a fault record."""
    with refusals():
        async with borrowed(asked.services.pool) as conn:
            fault = await _seen(asked, conn)
        if fault.appeal_decided_at is not None:
            raise SupervisionRefused("The appeal is decided: the record stays as it is.")
        return await add_piece(asked, OF, fault.id, Event.FAULT_EVIDENCE_ADDED, {"fault": fault.id})


async def download_fault_evidence(asked: Request) -> web.StreamResponse:
    """The file of one piece of a fault record's evidence, as a download."""
    with refusals():
        async with borrowed(asked.services.pool) as conn:
            fault = await _seen(asked, conn)
        return await download_piece(asked, OF, fault.id)


async def _seen(asked: Request, conn: Connection, seen: Seen | None = None) -> FaultRecord:
    """The record of the path, if this person may see it and saw this version."""
    version = seen.version if seen else None
    return await fault_steps.found(conn, asked.path_id("fault_id"), asked.actor(), version)


async def _detail(conn: Connection, fault: FaultRecord) -> FaultDetail:
    return FaultDetail(
        **asdict(fault),
        notes=await notes_of(conn, OF, fault.id),
        evidence=await evidence_of(conn, OF, fault.id),
    )


_ONE = "/api/faults/{fault_id}"
_GONE = (Fault.NOT_FOUND,)
_STEP = (Fault.NOT_FOUND, Fault.CONFLICT, Fault.NOT_POSSIBLE)
ENDPOINTS = (
    get("/api/faults", list_faults, Faults, query=FaultQuery, roles=READ_BY_ALL),
    post(
        "/api/faults",
        record_fault,
        NewFault,
        FaultDetail,
        faults=_STEP,
        headers=(KEY,),
        roles=FAULT_REPORTERS,
    ),
    get(_ONE, one_fault, FaultDetail, faults=_GONE, roles=READ_BY_ALL),
    *(
        post(f"{_ONE}/{name}", step, body, FaultDetail, faults=_STEP, roles=roles)
        for name, step, body, roles in (
            ("statement", state_on_fault, Remark, READ_BY_ALL),
            ("decide", decide_fault, Decision, FAULT_VIEWERS),
            ("appeal", appeal_fault, Remark, READ_BY_ALL),
            ("decide-appeal", decide_appeal, Decision, FAULT_VIEWERS),
        )
    ),
    Endpoint(
        method="POST",
        path=f"{_ONE}/evidence",
        handler=add_fault_evidence,
        query=PieceQuery,
        answers=PieceView,
        upload=ANY,
        headers=(KEY,),
        faults=(Fault.NOT_FOUND, Fault.NOT_POSSIBLE, Fault.CONFLICT),
        roles=READ_BY_ALL,
    ),
    get(
        f"{_ONE}/evidence/{{evidence_id}}",
        download_fault_evidence,
        None,
        media=ANY,
        faults=_GONE,
        roles=READ_BY_ALL,
    ),
)
