"""The duty desk now, and its handovers: who is responsible, what is open, and both signatures."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field, StringConstraints

from hotline import duty_handover
from hotline import duty_handover_rows as rows
from hotline.console import keyed
from hotline.console.desk import Request
from hotline.console.duty_log_api import refusals
from hotline.console.endpoint import get, post
from hotline.console.problems import Fault, ProblemError
from hotline.console.shapes import Asked, Id, Name, Size, Told
from hotline.console.who import DUTY, DUTY_WRITERS
from hotline.database import Connection, borrowed, transaction
from hotline.duty_handover import Signer
from hotline.duty_handover_rows import Handover, Item
from hotline.duty_shifts import Change
from hotline.masking import mask_text
from hotline.roster import on_duty
from hotline.roster_rows import shifts_between


class DeskQuery(Asked):
    """Which line."""

    line: Name = "duty"


class ItemView(Told):
    """Something that is open at the desk."""

    kind: str = Field(description="incident, callout, instruction, log or case.")
    id: Id
    state: str
    since: datetime
    call_id: Id | None
    case_id: Id | None


class ChangeView(Told):
    """A change of shifts at which officers go."""

    at: datetime
    outgoing: tuple[str, ...] = Field(description="The seats of those who go.")
    incoming: tuple[str, ...] = Field(description="The seats of those who are there then.")


class DutyDeskView(Told):
    """How the desk of a line stands now."""

    line: str
    on_duty: tuple[str, ...] = Field(description="By the roster, in the order of ringing.")
    responsible: tuple[str, ...] = Field(
        description="The officers who answer for the desk: those before, until both have signed."
    )
    handover_due: ChangeView | None = Field(description="What can be signed now.")
    handover_missing_since: datetime | None
    next_change: ChangeView | None
    signed: Id | None = Field(description="The list that waits for the second signature.")
    items: tuple[ItemView, ...]


class Leaving(Asked):
    """The first signature: what the officer who goes adds to the list."""

    line: Name = "duty"
    remarks: Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000)] = ""


class Taking(Asked):
    """The second signature, on the list with this digest."""

    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class HandoverQuery(Asked):
    """Which handovers; newest first, `before` is the `next` of the page before."""

    line: Name | None = None
    before: Id | None = None
    limit: Size = 20


class HandoverView(Told):
    """One list as it was signed."""

    id: Id
    line: str
    changes_at: datetime
    signed_at: datetime
    outgoing: str
    outgoing_for: str = Field(description="The seat on the roster that was signed for.")
    taken_at: datetime | None
    incoming: str | None
    incoming_for: str | None
    remarks: str
    digest: str
    items: tuple[ItemView, ...]


class Handovers(Told):
    """One page of handovers."""

    handovers: tuple[HandoverView, ...]
    next: int | None


async def show_duty_desk(asked: Request) -> DutyDeskView:
    """Who is responsible for the desk now, which handover is due or missing, and what is open."""
    line, now = asked.asked(DeskQuery).line, asked.services.clock()
    async with borrowed(asked.services.pool) as conn:
        found = await duty_handover.stands(conn, asked.services.config, line, now)
        there = on_duty(await shifts_between(conn, line, now, now + timedelta(seconds=1)), now)
        items = await duty_handover.open_now(conn, line, now)
        waiting = await rows.newest(conn, line, found.due.at) if found.due else None
        shown = await _seen(asked, conn, items)
    return DutyDeskView(
        line=line,
        on_duty=tuple(dict.fromkeys(one.operator for one in there)),
        responsible=tuple(sorted(found.responsible)),
        handover_due=_change(found.due),
        handover_missing_since=found.missing_since,
        next_change=_change(found.next),
        signed=waiting,
        items=shown,
    )


async def list_handovers(asked: Request) -> Handovers:
    """One page of handovers with the lists as they were signed."""
    query = asked.asked(HandoverQuery)
    async with borrowed(asked.services.pool) as conn:
        found = await rows.listed(conn, line=query.line, before=query.before, limit=query.limit + 1)
        views = [await _view(asked, conn, one) for one in found[: query.limit]]
    following = found[query.limit - 1].id if len(found) > query.limit else None
    return Handovers(handovers=tuple(views), next=following)


async def one_handover(asked: Request) -> HandoverView:
    """One handover."""
    with refusals():
        async with borrowed(asked.services.pool) as conn:
            return await _view(asked, conn, await rows.get(conn, asked.path_id("handover_id")))


async def sign_as_leaving(asked: Request) -> HandoverView:
    """Sign what is open as an officer whose shift ends; the list is frozen with that."""
    given = asked.asked(Leaving)
    with refusals():
        async with transaction(asked.services.pool) as tx:
            number = await keyed.made_before(asked, tx, given)
            if number is None:
                who = await _signer(asked, tx)
                number = await duty_handover.leave(
                    tx, asked.services.config, given.line, who, given.remarks
                )
                await keyed.made(asked, tx, number)
            return await _view(asked, tx, await rows.get(tx, number))


async def sign_as_taking(asked: Request) -> HandoverView:
    """Sign the same list as an officer whose shift begins; from then on it is responsible."""
    given, number = asked.asked(Taking), asked.path_id("handover_id")
    with refusals():
        async with transaction(asked.services.pool) as tx:
            if await keyed.made_before(asked, tx, given) is None:
                who = await _signer(asked, tx)
                await duty_handover.take(tx, asked.services.config, number, given.digest, who)
                await keyed.made(asked, tx, number)
            return await _view(asked, tx, await rows.get(tx, number))


async def _signer(asked: Request, tx: Connection) -> Signer:
    if asked.who.token_id is not None:
        raise ProblemError(Fault.FORBIDDEN, "A handover is signed by a person, not by a program.")
    return await duty_handover.signer(tx, asked.who.name, asked.who.seat, asked.services.clock())


async def _view(asked: Request, conn: Connection, handover: Handover) -> HandoverView:
    given = {"remarks", "items"}
    kept = {n: getattr(handover, n) for n in HandoverView.model_fields if n not in given}
    items = await _seen(asked, conn, handover.items)
    return HandoverView(**kept, remarks=mask_text(handover.remarks), items=items)


async def _seen(asked: Request, conn: Connection, items: Sequence[Item]) -> tuple[ItemView, ...]:
    """The items without those of cases and calls that this person may not find."""
    ids = [one.case_id for one in items if one.case_id is not None]
    seen = await asked.sight.seen(conn, ids)
    calls = [one.call_id for one in items if one.call_id is not None]
    there = await rows.calls_there(conn, calls)
    return tuple(
        ItemView(
            kind=one.kind,
            id=one.id,
            state=one.state,
            since=one.since,
            call_id=one.call_id,
            case_id=one.case_id,
        )
        for one in items
        if (one.case_id is None or one.case_id in seen)
        and (one.call_id is None or one.call_id in there)
    )


def _change(change: Change | None) -> ChangeView | None:
    if change is None:
        return None
    return ChangeView(
        at=change.at,
        outgoing=tuple(sorted(change.outgoing)),
        incoming=tuple(sorted(change.incoming)),
    )


_SIGNING = (Fault.FORBIDDEN, Fault.CONFLICT, Fault.NOT_FOUND)
_HANDOVER = "/api/duty/handovers/{handover_id}"
ENDPOINTS = (
    get("/api/duty/desk", show_duty_desk, DutyDeskView, query=DeskQuery, roles=DUTY),
    get("/api/duty/handovers", list_handovers, Handovers, query=HandoverQuery, roles=DUTY),
    post(
        "/api/duty/handovers",
        sign_as_leaving,
        Leaving,
        HandoverView,
        faults=_SIGNING,
        headers=(keyed.KEY,),
        roles=DUTY_WRITERS,
    ),
    get(_HANDOVER, one_handover, HandoverView, faults=(Fault.NOT_FOUND,), roles=DUTY),
    post(
        _HANDOVER + "/take",
        sign_as_taking,
        Taking,
        HandoverView,
        faults=_SIGNING,
        headers=(keyed.KEY,),
        roles=DUTY_WRITERS,
    ),
)
