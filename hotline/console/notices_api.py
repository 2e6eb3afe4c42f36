"""Notices for people: what was told to whom, what could not be delivered, and the address book."""

import re
from datetime import datetime
from typing import Annotated, Self

from pydantic import Field, model_validator

from hotline import journal, notice_rows, notices
from hotline.console.desk import Request
from hotline.console.endpoint import Endpoint, get, post
from hotline.console.problems import Fault, ProblemError
from hotline.console.shapes import Asked, Id, Name, Size, Told
from hotline.console.who import OFFICE, TELLERS
from hotline.database import Connection, borrowed, transaction
from hotline.errors import NoticeUnknownError
from hotline.journal import Event
from hotline.masking import mask_text
from hotline.notice_rows import Address, Channel, NoticeRow, NoticeState

_ADDRESS_FORMS = {
    Channel.MAIL: r"^[^@\s,;<>]{1,64}@[^@\s,;<>]{1,255}$",
    Channel.SMS: r"^\+?[0-9]{5,15}$",
}


class NoticeQuery(Asked):
    """Which notices, newest first; `before` is the last id of the page before."""

    state: NoticeState | None = None
    case_id: Id | None = None
    before: Id | None = None
    limit: Size = 50


class NoticeView(Told):
    """One fact for one receiver."""

    id: Id
    case_id: Id | None
    event: str
    destination: str
    holder: str
    address: str = Field(description="Masked.")
    state: NoticeState
    queued_at: datetime
    settled_at: datetime | None
    attempts: int
    reason: str | None


class Notices(Told):
    """One page of notices; `next` asks for the following one."""

    notices: tuple[NoticeView, ...]
    next: Id | None


class Nothing(Asked):
    """No content: the address says it all."""


class AddressQuery(Asked):
    """Whose addresses; all of them without a holder."""

    holder: Name | None = None


class AddressAsked(Asked):
    """An address for the book: a unit's, a person's or a post's, named as rules and cases do."""

    holder: Name
    channel: Channel
    address: Annotated[str, Field(min_length=3, max_length=320)]

    @model_validator(mode="after")
    def _formed(self) -> Self:
        if not re.fullmatch(_ADDRESS_FORMS[self.channel], self.address):
            raise ValueError(f"this is no address for {self.channel}")
        return self


class AddressView(Told):
    """An address of the book."""

    id: Id
    holder: str
    channel: Channel
    address: str = Field(description="Masked.")
    added_by: str
    added_at: datetime


class Addresses(Told):
    """The address book, or one holder's part of it."""

    addresses: tuple[AddressView, ...]


async def list_notices(asked: Request) -> Notices:
    """What was told to whom, and what could not be delivered."""
    query = asked.asked(NoticeQuery)
    async with borrowed(asked.services.pool) as conn:
        found = await notice_rows.listed(
            conn,
            state=query.state,
            case_id=query.case_id,
            before=query.before,
            limit=query.limit + 1,
        )
    shown = found[: query.limit]
    return Notices(
        notices=tuple(_notice(one) for one in shown),
        next=shown[-1].id if len(found) > query.limit else None,
    )


async def retry_notice(asked: Request) -> NoticeView:
    """Have an undeliverable notice tried again."""
    notice_id = asked.path_id("notice_id")
    try:
        async with transaction(asked.services.pool) as tx:
            await notices.revived(tx, [notice_id], _who(asked), asked.services.clock)
            found = await notice_rows.get(tx, notice_id)
    except NoticeUnknownError as error:
        raise ProblemError(Fault.NOT_FOUND, str(error)) from error
    if found is None:
        raise ProblemError(Fault.NOT_FOUND, "There is no such notice.")
    return _notice(found)


async def list_addresses(asked: Request) -> Addresses:
    """Where notices go to."""
    query = asked.asked(AddressQuery)
    async with borrowed(asked.services.pool) as conn:
        found = await notice_rows.addresses(conn, query.holder)
    return Addresses(addresses=tuple(_address(one) for one in found))


async def add_address(asked: Request) -> AddressView:
    """Put an address into the book."""
    given, now = asked.asked(AddressAsked), asked.services.clock()
    async with transaction(asked.services.pool) as tx:
        kept = await notice_rows.keep_address(
            tx,
            holder=given.holder,
            channel=given.channel,
            address=given.address,
            by=_who(asked),
            at=now,
        )
        view = _address(kept)
        await _journalled(asked, tx, Event.NOTICE_ADDRESS_ADDED, view)
    return view


async def remove_address(asked: Request) -> AddressView:
    """Take an address out of the book; notices on their way still go to it."""
    try:
        async with transaction(asked.services.pool) as tx:
            view = _address(await notice_rows.drop_address(tx, asked.path_id("address_id")))
            await _journalled(asked, tx, Event.NOTICE_ADDRESS_REMOVED, view)
    except NoticeUnknownError as error:
        raise ProblemError(Fault.NOT_FOUND, str(error)) from error
    return view


async def _journalled(asked: Request, tx: Connection, event: Event, view: AddressView) -> None:
    body = {"holder": view.holder, "channel": view.channel, "address": view.address}
    await journal.write(tx, at=asked.services.clock(), actor=_who(asked), event=event, body=body)


def _who(asked: Request) -> str:
    return asked.who.name


def _notice(row: NoticeRow) -> NoticeView:
    return NoticeView(
        id=row.id,
        case_id=row.case_id,
        event=row.event,
        destination=row.destination,
        holder=row.holder,
        address=notices.masked(row.address),
        state=row.state,
        queued_at=row.queued_at,
        settled_at=row.settled_at,
        attempts=row.attempts,
        reason=row.reason and mask_text(row.reason),
    )


def _address(row: Address) -> AddressView:
    return AddressView(
        id=row.id,
        holder=row.holder,
        channel=row.channel,
        address=notices.masked(row.address),
        added_by=row.added_by,
        added_at=row.added_at,
    )


ENDPOINTS = (
    get("/api/notices", list_notices, Notices, query=NoticeQuery, roles=OFFICE | TELLERS),
    post(
        "/api/notices/{notice_id}/retry",
        retry_notice,
        Nothing,
        NoticeView,
        faults=(Fault.NOT_FOUND,),
        roles=TELLERS,
    ),
    get("/api/notice-addresses", list_addresses, Addresses, query=AddressQuery, roles=TELLERS),
    post("/api/notice-addresses", add_address, AddressAsked, AddressView, roles=TELLERS),
    Endpoint(
        method="DELETE",
        path="/api/notice-addresses/{address_id}",
        handler=remove_address,
        answers=AddressView,
        faults=(Fault.NOT_FOUND,),
        roles=TELLERS,
    ),
)
