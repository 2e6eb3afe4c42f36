"""Tracked items: what a leader, a delegate, a proposal, a plan or a meeting gave somebody to do."""

from collections.abc import Callable
from dataclasses import asdict

from aiohttp import web

from hotline import supervision_lists, supervision_texts, tracking
from hotline.console.desk import Request
from hotline.console.endpoint import Endpoint, get, post
from hotline.console.keyed import KEY, made, made_before
from hotline.console.problems import Fault, ProblemError
from hotline.console.supervision_api import (
    ANY,
    add_piece,
    download_piece,
    evidence_of,
    notes_of,
    own_unit,
    refusals,
    views,
)
from hotline.console.supervision_shapes import (
    Judgement,
    NewTracked,
    PieceQuery,
    PieceView,
    Remark,
    Report,
    Seen,
    TrackedDetail,
    TrackedItems,
    TrackedQuery,
    TrackedView,
)
from hotline.console.who import OVERSEERS, READERS
from hotline.database import Connection, borrowed, transaction
from hotline.errors import SupervisionUnknownError
from hotline.journal import Event
from hotline.supervision_lists import Wanted, WantedItems
from hotline.supervision_texts import Of
from routing import store, tracked
from routing.errors import SupervisionRefused
from routing.supervision import ItemType
from routing.tracked import TrackedItem

OF: Of = "tracked_id"
MOST_RECORDS = 200


async def list_tracked(asked: Request) -> TrackedItems:
    """One page of tracked items, newest first; a unit's people see their unit's."""
    query = asked.asked(TrackedQuery)
    wanted = WantedItems(
        state=query.state,
        type=ItemType(query.type) if query.type else None,
        unit=query.unit,
        live=query.live,
        over=asked.services.clock() if query.over else None,
        of_unit=own_unit(asked),
    )
    async with borrowed(asked.services.pool) as conn:
        found = await supervision_lists.items(
            conn, wanted, before=query.before, limit=query.limit + 1
        )
    shown = tuple(view(asked, one) for one in found[: query.limit])
    more = shown[-1].id if len(found) > query.limit else None
    return TrackedItems(items=shown, next=more)


async def one_tracked(asked: Request) -> TrackedDetail:
    """One item with its notes, evidence and supervision records."""
    with refusals():
        async with borrowed(asked.services.pool) as conn:
            return await _detail(asked, conn, await _seen(asked, conn))


async def give_item(asked: Request) -> TrackedDetail:
    """Give a unit, or the office itself, something to do by a date."""
    given = asked.asked(NewTracked)
    known = {unit.name for unit in asked.services.city.units}
    if given.unit is not None and given.unit not in known:
        raise ProblemError(Fault.INVALID, "unit: the city's directory has no such unit.")
    facts = given.model_dump() | {"type": ItemType(given.type)}
    with refusals():
        async with transaction(asked.services.pool) as tx:
            item_id = await made_before(asked, tx, given)
            if item_id is None:
                if given.case_id is not None:
                    await asked.sight.check(tx, given.case_id)
                    await store.get(tx, given.case_id)
                now, limits = asked.services.clock(), asked.services.limits
                item_id = (await tracking.given(tx, facts, asked.actor(), now, limits)).id
                await made(asked, tx, item_id)
        async with borrowed(asked.services.pool) as conn:
            return await _detail(asked, conn, await tracking.found(conn, item_id))


async def sign_item(asked: Request) -> TrackedDetail:
    """The unit signs for an item; who signs answers for it from now on."""
    actor, now = asked.actor(), asked.services.clock()
    step = lambda item: tracked.signed(item, actor, now)  # noqa: E731 - one step, named below
    return await _step(asked, asked.asked(Seen), step, Event.TRACKED_SIGNED, {})


async def report_item(asked: Request) -> TrackedDetail:
    """The unit reports what came of an item; its clock stops until it is sent back."""
    given, actor, now = asked.asked(Report), asked.actor(), asked.services.clock()
    step = lambda item: tracked.reported(item, actor, now)  # noqa: E731 - likewise
    texts = {"result": given.result}
    return await _step(asked, given, step, Event.TRACKED_REPORTED, texts, given.evidence)


async def send_item_back(asked: Request) -> TrackedDetail:
    """What was reported does not do: the unit goes on under the date it had."""
    given, actor = asked.asked(Judgement), asked.actor()
    step = lambda item: tracked.sent_back(item, actor)  # noqa: E731 - likewise
    return await _step(asked, given, step, Event.TRACKED_SENT_BACK, {"reason": given.reason})


async def accept_item(asked: Request) -> TrackedDetail:
    """The result is accepted, with evidence, by somebody who did not do it."""
    given, actor, now = asked.asked(Report), asked.actor(), asked.services.clock()

    def step(item: TrackedItem) -> TrackedItem:
        if not given.evidence:
            raise SupervisionRefused("A result is accepted with evidence only: name some.")
        return tracked.done(item, actor, now)

    texts = {"result": given.result}
    return await _step(asked, given, step, Event.TRACKED_DONE, texts, given.evidence)


async def end_item(asked: Request) -> TrackedDetail:
    """Take an item back, with the reason."""
    given, actor, now = asked.asked(Judgement), asked.actor(), asked.services.clock()
    step = lambda item: tracked.ended(item, actor, now)  # noqa: E731 - likewise
    return await _step(asked, given, step, Event.TRACKED_ENDED, {"reason": given.reason})


async def note_item(asked: Request) -> TrackedDetail:
    """Note how an item goes."""
    given = asked.asked(Remark)
    with refusals():
        async with transaction(asked.services.pool) as tx:
            item = await _seen(asked, tx, given)
            now = asked.services.clock()
            await tracking.progressed(tx, item, asked.actor(), now, given.text)
            return await _detail(asked, tx, item)


async def add_tracked_evidence(asked: Request) -> PieceView:
    """Add a file as evidence to an item."""
    with refusals():
        async with borrowed(asked.services.pool) as conn:
            item = await _seen(asked, conn)
            tracked.check_progress(item, asked.actor())
        about = {"tracked": item.id, "unit": item.unit}
        return await add_piece(asked, OF, item.id, Event.TRACKED_EVIDENCE_ADDED, about)


async def download_tracked_evidence(asked: Request) -> web.StreamResponse:
    """The file of one piece of an item's evidence, as a download."""
    with refusals():
        async with borrowed(asked.services.pool) as conn:
            item = await _seen(asked, conn)
        return await download_piece(asked, OF, item.id)


async def _step(  # noqa: PLR0917 - of what was seen, what becomes of it, in whose words
    asked: Request,
    seen: Seen,
    step: Callable[[TrackedItem], TrackedItem],
    event: Event,
    texts: dict[str, str],
    named: tuple[int, ...] = (),
) -> TrackedDetail:
    now, limits = asked.services.clock(), asked.services.limits
    with refusals():
        async with transaction(asked.services.pool) as tx:
            before = await _seen(asked, tx, seen)
            pieces = await supervision_texts.named(
                tx, OF, before.id, own=named, case_id=None, of_case=()
            )
            after = await tracking.stepped(
                tx,
                before,
                step,
                event,
                asked.actor(),
                now,
                limits,
                texts=texts,
                evidence=pieces,
            )
            return await _detail(asked, tx, after)


async def _seen(asked: Request, conn: Connection, seen: Seen | None = None) -> TrackedItem:
    item = await tracking.found(conn, asked.path_id("tracked_id"), seen.version if seen else None)
    unit = own_unit(asked)
    if unit is not None and item.unit != unit:
        raise SupervisionUnknownError("There is no such tracked item.")
    return item


def view(asked: Request, item: TrackedItem) -> TrackedView:
    """An item as a list shows it."""
    stopped = item.reported_at or item.settled_at or asked.services.clock()
    return TrackedView(**asdict(item), overdue=stopped > item.due_at)


async def _detail(asked: Request, conn: Connection, item: TrackedItem) -> TrackedDetail:
    records = await supervision_lists.records(
        conn,
        Wanted(tracked_id=item.id, of_unit=own_unit(asked)),
        before=None,
        limit=MOST_RECORDS,
    )
    return TrackedDetail(
        **view(asked, item).model_dump(),
        notes=await notes_of(conn, OF, item.id),
        evidence=await evidence_of(conn, OF, item.id),
        supervision=tuple(await views(conn, records)),
    )


_ONE = "/api/tracked-items/{tracked_id}"
_GONE = (Fault.NOT_FOUND,)
_STEP = (Fault.NOT_FOUND, Fault.CONFLICT, Fault.NOT_POSSIBLE)
ENDPOINTS = (
    get("/api/tracked-items", list_tracked, TrackedItems, query=TrackedQuery, roles=READERS),
    post(
        "/api/tracked-items",
        give_item,
        NewTracked,
        TrackedDetail,
        faults=_STEP,
        headers=(KEY,),
        roles=OVERSEERS,
    ),
    get(_ONE, one_tracked, TrackedDetail, faults=_GONE, roles=READERS),
    *(
        post(f"{_ONE}/{name}", step, body, TrackedDetail, faults=_STEP, roles=roles)
        for name, step, body, roles in (
            ("sign", sign_item, Seen, READERS),
            ("progress", note_item, Remark, READERS),
            ("report", report_item, Report, READERS),
            ("send-back", send_item_back, Judgement, OVERSEERS),
            ("accept", accept_item, Report, OVERSEERS),
            ("end", end_item, Judgement, OVERSEERS),
        )
    ),
    Endpoint(
        method="POST",
        path=f"{_ONE}/evidence",
        handler=add_tracked_evidence,
        query=PieceQuery,
        answers=PieceView,
        upload=ANY,
        headers=(KEY,),
        faults=(Fault.NOT_FOUND, Fault.NOT_POSSIBLE, Fault.CONFLICT),
        roles=READERS,
    ),
    get(
        f"{_ONE}/evidence/{{evidence_id}}",
        download_tracked_evidence,
        None,
        media=ANY,
        faults=_GONE,
        roles=READERS,
    ),
)
