"""Requests of people about their own data: entered, answered in time, each step journalled.

Legal basis: 个人信息保护法 44 to 47. Who answers works through the own sight: what that person must
not find is not given or deleted by him; discipline finds protected reports, too.
"""

from datetime import datetime, time
from typing import Annotated, Any

from pydantic import Field

from hotline import journal, person_rows, retaining
from hotline.casework import SHIPPED
from hotline.console.desk import Request
from hotline.console.endpoint import get, post
from hotline.console.problems import Fault, ProblemError
from hotline.console.seen_api import note
from hotline.console.shapes import Asked, Id, Name, Size, Told
from hotline.console.who import DESK, DISCIPLINE, INSPECTORS
from hotline.database import Connection, borrowed, transaction
from hotline.journal import Event
from hotline.masking import mask_name, mask_text
from hotline.person_rows import Answer, PersonRequest, Wish
from hotline.retaining import Stores
from routing.numbers import SHANGHAI
from routing.retention import load_retention

Said = Annotated[str, Field(min_length=4, max_length=500)]
Number = Annotated[str, Field(pattern=r"^\+?[0-9]{3,20}$")]


class NewPersonRequest(Asked):
    """Who asks for what, how it was verified that it is the own data, and by what it is found."""

    kind: Wish
    applicant: Name
    verified: Said
    number: Number | None = None
    call_id: Id | None = None


class PersonRequestQuery(Asked):
    """Which requests; newest first."""

    unsettled: bool = False
    before: Id | None = None
    limit: Size = 50


class Correction(Asked):
    """The right name."""

    name: Name


class Refusal(Asked):
    """The legal reason why not."""

    legal_reason: Said


class NothingMore(Asked):
    """Nothing more is needed."""


class PersonRequestView(Told):
    """One request; whoever asks is masked."""

    id: Id
    kind: Wish
    applicant: str
    found: bool
    verified: str
    asked_at: datetime
    due_at: datetime
    entered_by: str
    outcome: Answer | None
    legal_reason: str | None
    settled_at: datetime | None
    settled_by: str | None


class PersonRequests(Told):
    """One page of requests."""

    requests: tuple[PersonRequestView, ...]
    next: Id | None


class OwnData(Told):
    """Everything kept of a person, for that person."""

    number: str | None
    name: str | None
    calls: tuple[dict[str, Any], ...]
    cases: tuple[dict[str, Any], ...]


async def enter_person_request(asked: Request) -> PersonRequestView:
    """Enter what somebody asks about the own data; its limit begins."""
    given, services = asked.asked(NewPersonRequest), asked.services
    if (given.number is None) == (given.call_id is None):
        raise ProblemError(Fault.INVALID, "Give either the number or one call of whoever asks.")
    now = services.clock()
    days = load_retention(services.config.city_dir, SHIPPED).answer_working_days
    day = services.calendar.add_working_days(now.astimezone(SHANGHAI).date(), days)
    due = datetime.combine(day, time(23, 59, 59), SHANGHAI)
    async with transaction(services.pool) as tx:
        caller = await person_rows.caller_of(tx, number=given.number, call_id=given.call_id)
        verified = mask_text(given.verified)
        number = await person_rows.enter(
            tx, given.kind, caller, given.applicant, verified, now, due, asked.who.name
        )
        await _told(asked, tx, Event.PERSON_ASKED, number, kind=given.kind, found=bool(caller))
        return _view(await _get(tx, number))


async def list_person_requests(asked: Request) -> PersonRequests:
    """One page of requests."""
    query = asked.asked(PersonRequestQuery)
    async with borrowed(asked.services.pool) as conn:
        found = await person_rows.listed(
            conn, unsettled=query.unsettled, before=query.before, limit=query.limit + 1
        )
    shown = found[: query.limit]
    following = shown[-1].id if len(found) > query.limit else None
    return PersonRequests(requests=tuple(_view(it) for it in shown), next=following)


async def own_data(asked: Request) -> OwnData:
    """Everything kept of whoever asks, to be given to that person; settles a request to see it."""
    async with transaction(asked.services.pool) as tx:
        one = await _of_kind(asked, tx, Wish.SEE)
        kept: dict[str, Any] = {"number": None, "name": None, "calls": [], "cases": []}
        if one.caller is not None:
            kept = await person_rows.kept_of(tx, one.caller)
        if one.outcome is None:
            await _settle(asked, tx, one, Answer.GIVEN, None)
        counts = {"calls": len(kept["calls"]), "cases": len(kept["cases"])}
        await _told(asked, tx, Event.PERSON_GIVEN, one.id, **counts)
    await note(asked, Event.SEEN_IDENTITY, what=f"request {one.id}")
    return OwnData(**kept)


async def correct_person(asked: Request) -> PersonRequestView:
    """Correct the name of whoever asks; of the old one the journal keeps a keyed hash only."""
    name = asked.asked(Correction).name
    async with transaction(asked.services.pool) as tx:
        one = await _of_kind(asked, tx, Wish.CORRECT)
        if one.caller is None:
            raise ProblemError(Fault.NOT_POSSIBLE, "Nothing was found of whoever asks.")
        await _settle(asked, tx, one, Answer.CORRECTED, None)
        old = await person_rows.rename(tx, one.caller, name)
        await _told(asked, tx, Event.PERSON_CORRECTED, one.id, field="name", old=old)
        return _view(await _get(tx, one.id))


async def delete_person(asked: Request) -> PersonRequestView:
    """Delete recordings, words, name and number of whoever asks, where nothing holds them."""
    services = asked.services
    async with transaction(services.pool) as tx:
        one = await _of_kind(asked, tx, Wish.DELETE)
        if one.caller is None:
            raise ProblemError(Fault.NOT_POSSIBLE, "Nothing was found of whoever asks.")
        if await person_rows.is_held(tx, one.caller):
            raise ProblemError(
                Fault.NOT_POSSIBLE,
                "A matter of this person is not over: settle it first, or refuse with the reason.",
            )
        await _settle(asked, tx, one, Answer.DELETED, None)
        items = await person_rows.forget(tx, one.caller, services.clock())
        proof = {"count": len(items), "hash": retaining.hash_of(items)}
        await _told(asked, tx, Event.PERSON_DELETED, one.id, **proof)
        told = _view(await _get(tx, one.id))
    stores = Stores(sounds=services.sounds, evidence=services.config.evidence_dir)
    await retaining.finish(asked.desk.services.pool, stores)
    return told


async def refuse_person(asked: Request) -> PersonRequestView:
    """Refuse a request; whoever asked is told the legal reason."""
    legal = mask_text(asked.asked(Refusal).legal_reason)
    async with transaction(asked.services.pool) as tx:
        one = await _get(tx, asked.path_id("request_id"))
        await _settle(asked, tx, one, Answer.REFUSED, legal)
        await _told(asked, tx, Event.PERSON_REFUSED, one.id, legal_reason=legal)
        return _view(await _get(tx, one.id))


async def _get(conn: Connection, number: int) -> PersonRequest:
    found = await person_rows.get(conn, number)
    if found is None:
        raise ProblemError(Fault.NOT_FOUND, f"There is no request {number}.")
    return found


async def _of_kind(asked: Request, tx: Connection, kind: Wish) -> PersonRequest:
    one = await _get(tx, asked.path_id("request_id"))
    if one.kind is not kind:
        raise ProblemError(Fault.NOT_POSSIBLE, f"This request is one to {one.kind}.")
    return one


async def _settle(
    asked: Request, tx: Connection, one: PersonRequest, answer: Answer, legal: str | None
) -> None:
    now = asked.services.clock()
    if not await person_rows.settle(tx, one.id, answer, legal, now, asked.who.name):
        raise ProblemError(Fault.CONFLICT, "Somebody has answered this request already.")


async def _told(asked: Request, tx: Connection, event: Event, number: int, **more: Any) -> None:
    await journal.write(
        tx,
        at=asked.services.clock(),
        actor=asked.who.name,
        event=event,
        body={"request": number, **more},
    )


def _view(one: PersonRequest) -> PersonRequestView:
    return PersonRequestView(
        id=one.id,
        kind=one.kind,
        applicant=mask_name(one.applicant),
        found=one.caller is not None,
        verified=one.verified,
        asked_at=one.asked_at,
        due_at=one.due_at,
        entered_by=one.entered_by,
        outcome=one.outcome,
        legal_reason=one.legal_reason,
        settled_at=one.settled_at,
        settled_by=one.settled_by,
    )


_ALL = "/api/person-requests"
_ONE = f"{_ALL}/{{request_id}}"
_FAULTS = (Fault.NOT_FOUND, Fault.NOT_POSSIBLE, Fault.CONFLICT)

ENDPOINTS = (
    get(
        _ALL,
        list_person_requests,
        PersonRequests,
        query=PersonRequestQuery,
        roles=DESK | DISCIPLINE,
    ),
    post(_ALL, enter_person_request, NewPersonRequest, PersonRequestView, roles=DESK | DISCIPLINE),
    post(f"{_ONE}/give", own_data, NothingMore, OwnData, faults=_FAULTS, roles=INSPECTORS),
    post(
        f"{_ONE}/correct",
        correct_person,
        Correction,
        PersonRequestView,
        faults=_FAULTS,
        roles=INSPECTORS,
    ),
    post(
        f"{_ONE}/delete",
        delete_person,
        NothingMore,
        PersonRequestView,
        faults=(*_FAULTS, Fault.STORE_AWAY),
        roles=INSPECTORS,
    ),
    post(
        f"{_ONE}/refuse",
        refuse_person,
        Refusal,
        PersonRequestView,
        faults=_FAULTS,
        roles=INSPECTORS,
    ),
)
