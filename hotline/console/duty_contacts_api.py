"""The duty desk's contact book: whom to reach, and since when nobody has checked it.

Leaders' numbers are given out to nobody: the officers and the leader on duty see them masked, in
full for a reason that the journal keeps; everybody else does not see them at all.
"""

from datetime import date, datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from hotline import duty_contact_rows as rows
from hotline import journal
from hotline.console import keyed
from hotline.console.desk import Request
from hotline.console.duty_log_api import refusals
from hotline.console.endpoint import Endpoint, get, post
from hotline.console.problems import Fault, ProblemError
from hotline.console.seen_api import RevealAsked
from hotline.console.shapes import Asked, Id, Name, Size, Told
from hotline.console.who import CONTACT_READERS, DUTY, DUTY_WRITERS
from hotline.database import Connection, borrowed, transaction
from hotline.duty_contact_rows import Contact, ContactFacts
from hotline.errors import DutyUnknownError
from hotline.journal import Event
from hotline.masking import mask_number, mask_text
from routing.numbers import SHANGHAI

Short = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
Phone = Annotated[str, StringConstraints(pattern=r"^\+?[0-9][0-9 -]{1,24}$")]


class NewContact(Asked):
    """Whom to reach: a unit's duty telephone, or a person."""

    unit: Name
    post: Short = ""
    name: Short = ""
    phone: Phone
    leader: bool = Field(default=False, description="The number is given out to nobody.")
    valid_from: date
    valid_until: date | None = None
    review: date = Field(description="By when it must be checked again.")

    def facts(self) -> ContactFacts:
        """As it is kept."""
        return ContactFacts(**{**self.model_dump(), "name": self.name or None})


class ContactQuery(Asked):
    """Which contacts; `q` is part of a unit or post, or a whole name."""

    q: Name | None = None
    stale: bool = Field(default=False, description="Only those that must be checked.")
    before: Id | None = None
    limit: Size = 50


class ContactView(Told):
    """One entry of the book."""

    id: Id
    unit: str
    post: str
    name: str
    phone: str = Field(description="A leader's is masked, or empty for whoever is not on duty.")
    leader: bool
    valid_from: date
    valid_until: date | None
    review: date
    stale: bool
    entered_at: datetime
    entered_by: str


class Contacts(Told):
    """One page of the book."""

    contacts: tuple[ContactView, ...]
    next: int | None


class PhoneView(Told):
    """A leader's number in full."""

    id: Id
    phone: str


async def list_contacts(asked: Request) -> Contacts:
    """One page of the contact book."""
    query = asked.asked(ContactQuery)
    async with borrowed(asked.services.pool) as conn:
        found = await rows.listed(
            conn,
            words=query.q,
            stale_on=_today(asked) if query.stale else None,
            before=query.before,
            limit=query.limit + 1,
        )
    following = found[query.limit - 1].id if len(found) > query.limit else None
    views = (_view(asked, one) for one in found[: query.limit])
    return Contacts(contacts=tuple(views), next=following)


async def add_contact(asked: Request) -> ContactView:
    """Enter a contact."""
    return await _enter(asked, replaces=None)


async def replace_contact(asked: Request) -> ContactView:
    """Put another entry in the place of one; a review is the same with a later review date."""
    return await _enter(asked, replaces=asked.path_id("contact_id"))


async def remove_contact(asked: Request) -> ContactView:
    """Take a contact out of the book."""
    number, now = asked.path_id("contact_id"), asked.services.clock()
    with refusals():
        async with transaction(asked.services.pool) as tx:
            gone = await rows.get(tx, number)
            if not await rows.remove(tx, number, by=asked.who.name, now=now):
                raise DutyUnknownError(f"The contact book has no entry {number}.")
            await _tell(asked, tx, Event.DUTY_CONTACT_REMOVED, gone)
    return _view(asked, gone)


async def reveal_contact(asked: Request) -> PhoneView:
    """Tell a leader's number in full, for a reason that is kept."""
    given, number = asked.asked(RevealAsked), asked.path_id("contact_id")
    with refusals():
        async with transaction(asked.services.pool) as tx:
            found = await rows.get(tx, number)
            await journal.write(
                tx,
                at=asked.services.clock(),
                actor=asked.who.name,
                event=Event.SEEN_IDENTITY,
                body={"what": f"duty contact {number}", "reason": mask_text(given.reason)},
            )
    return PhoneView(id=found.id, phone=found.facts.phone)


async def _enter(asked: Request, *, replaces: int | None) -> ContactView:
    given, now = asked.asked(NewContact), asked.services.clock()
    if given.valid_until is not None and given.valid_until <= given.valid_from:
        raise ProblemError(Fault.INVALID, "valid_until: it ends before it begins.")
    with refusals():
        async with transaction(asked.services.pool) as tx:
            number = await keyed.made_before(asked, tx, given)
            if number is None:
                if replaces is not None:
                    await rows.get(tx, replaces)
                number = await rows.enter(
                    tx, given.facts(), by=asked.who.name, now=now, replaces=replaces
                )
                found = await rows.get(tx, number)
                await _tell(asked, tx, Event.DUTY_CONTACT_ENTERED, found)
                await keyed.made(asked, tx, number)
            return _view(asked, await rows.get(tx, number))


async def _tell(asked: Request, tx: Connection, event: Event, contact: Contact) -> None:
    facts = contact.facts
    body = {
        "contact": contact.id,
        "unit": facts.unit,
        "post": mask_text(facts.post),
        "leader": facts.leader,
        "review": facts.review,
        "replaces": contact.replaces,
    }
    now = asked.services.clock()
    await journal.write(tx, at=now, actor=asked.who.name, event=event, body=body)


def _today(asked: Request) -> date:
    return asked.services.clock().astimezone(SHANGHAI).date()


def _view(asked: Request, contact: Contact) -> ContactView:
    facts = contact.facts
    phone = facts.phone
    if facts.leader:
        phone = mask_number(phone) if asked.who.roles & DUTY_WRITERS else ""
    return ContactView(
        id=contact.id,
        unit=facts.unit,
        post=facts.post,
        name=facts.name or "",
        phone=phone,
        leader=facts.leader,
        valid_from=facts.valid_from,
        valid_until=facts.valid_until,
        review=facts.review,
        stale=facts.is_stale(_today(asked)),
        entered_at=contact.entered_at,
        entered_by=contact.entered_by,
    )


_PATH = "/api/duty/contacts"
_ONE = _PATH + "/{contact_id}"
_GONE = (Fault.NOT_FOUND,)
_CHANGING = (Fault.NOT_FOUND, Fault.CONFLICT)
ENDPOINTS = (
    get(_PATH, list_contacts, Contacts, query=ContactQuery, roles=CONTACT_READERS),
    post(
        _PATH,
        add_contact,
        NewContact,
        ContactView,
        faults=_CHANGING,
        headers=(keyed.KEY,),
        roles=DUTY,
    ),
    post(
        _ONE + "/replace",
        replace_contact,
        NewContact,
        ContactView,
        faults=_CHANGING,
        headers=(keyed.KEY,),
        roles=DUTY,
    ),
    Endpoint(
        method="DELETE",
        path=_ONE,
        handler=remove_contact,
        answers=ContactView,
        faults=_GONE,
        roles=DUTY,
    ),
    post(
        _ONE + "/reveal", reveal_contact, RevealAsked, PhoneView, faults=_GONE, roles=DUTY_WRITERS
    ),
)
