"""What is sent to a caller's telephone: a unit's address, a notice card."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime

from pydantic import Field

from hotline import sending
from hotline.console.card_shapes import VersionNumber
from hotline.console.cards_api import refusals
from hotline.console.desk import Request
from hotline.console.endpoint import get, post
from hotline.console.keyed import KEY, made, made_before
from hotline.console.problems import Fault, ProblemError
from hotline.console.shapes import Asked, Id, Name, Told
from hotline.console.who import CALLERS, OFFICE
from hotline.database import borrowed, transaction
from hotline.errors import SendingRefusedError
from hotline.notice_rows import NoticeState
from hotline.sending import Whom
from routing.errors import CaseUnknown


class CardToSend(Asked):
    """A card, in the version that is told now."""

    card: Id
    version: VersionNumber


class UnitToSend(Asked):
    """A unit of the city's directory, by name or id."""

    unit: Name


class SentView(Told):
    """One message: its words, its version, and what became of it."""

    at: datetime
    actor: str
    event: str
    message: str
    unit: str
    card: int | None
    version: int | None = Field(
        description="The card's; for a unit that of the city's data, null where its folder counts."
    )
    state: NoticeState
    reason: str | None
    settled_at: datetime | None


class SentMessages(Told):
    """What was sent to a caller or to whoever brought a case, oldest first."""

    sent: tuple[SentView, ...]


async def send_card(asked: Request) -> SentMessages:
    """Send a notice card to the caller's telephone; its version is kept."""
    return await send_card_to(asked, Whom(call_id=asked.path_id("call_id")))


async def send_card_to(asked: Request, whom: Whom) -> SentMessages:
    """Send a notice card to somebody's telephone, once for a key."""
    given, services = asked.asked(CardToSend), asked.services
    with refusals(), _refusals():
        async with transaction(services.pool) as tx:
            if await made_before(asked, tx, given) is None:
                await sending.send_card(
                    tx,
                    whom,
                    given.card,
                    given.version,
                    by=asked.who.name,
                    now=services.clock(),
                    config=services.config,
                    city=services.city,
                )
                await made(asked, tx, whom.call_id or whom.case_id or 0)
    return await sent_to(asked, whom)


async def send_unit(asked: Request) -> SentMessages:
    """Send a unit's address, route, hours and telephone to the caller's telephone."""
    return await send_unit_to(asked, Whom(call_id=asked.path_id("call_id")))


async def send_unit_to(asked: Request, whom: Whom) -> SentMessages:
    """Send where a unit is to somebody's telephone, once for a key."""
    given, services = asked.asked(UnitToSend), asked.services
    unit = services.city.unit(given.unit)
    if unit is None:
        raise ProblemError(Fault.INVALID, "unit: the city's directory has no such value.")
    with refusals(), _refusals():
        async with transaction(services.pool) as tx:
            if await made_before(asked, tx, given) is None:
                await sending.send_unit(
                    tx,
                    whom,
                    unit,
                    services.city_desk.number,
                    by=asked.who.name,
                    now=services.clock(),
                    config=services.config,
                )
                await made(asked, tx, whom.call_id or whom.case_id or 0)
    return await sent_to(asked, whom)


async def sent_on_call(asked: Request) -> SentMessages:
    """What was sent to the caller of a call, and whether it went out."""
    with refusals():
        return await sent_to(asked, Whom(call_id=asked.path_id("call_id")))


async def sent_to(asked: Request, whom: Whom) -> SentMessages:
    """What was sent to somebody so far."""
    with _refusals():
        async with borrowed(asked.services.pool) as conn:
            found = await sending.sent(conn, whom)
    return SentMessages(sent=tuple(SentView(**asdict(one)) for one in found))


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except CaseUnknown as error:
        raise ProblemError(Fault.NOT_FOUND, str(error)) from error
    except SendingRefusedError as error:
        raise ProblemError(Fault.NOT_POSSIBLE, str(error)) from error


_CALL = "/api/calls/{call_id}"
_FAULTS = (Fault.NOT_FOUND, Fault.NOT_POSSIBLE, Fault.CONFLICT)
ENDPOINTS = (
    get(f"{_CALL}/sent", sent_on_call, SentMessages, faults=(Fault.NOT_FOUND,), roles=OFFICE),
    post(
        f"{_CALL}/send-card",
        send_card,
        CardToSend,
        SentMessages,
        faults=_FAULTS,
        headers=(KEY,),
        roles=CALLERS,
    ),
    post(
        f"{_CALL}/send-unit",
        send_unit,
        UnitToSend,
        SentMessages,
        faults=_FAULTS,
        headers=(KEY,),
        roles=CALLERS,
    ),
)
