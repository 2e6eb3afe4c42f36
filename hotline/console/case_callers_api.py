"""Who brought a case that no call brought: written down, told in full for a reason, written to."""

from typing import Annotated

from pydantic import Field

from hotline import case_callers, sending
from hotline.console.cards_api import refusals
from hotline.console.case_shapes import BroughtBy, CaseDetail
from hotline.console.cases_api import detail
from hotline.console.desk import Request
from hotline.console.endpoint import get, post
from hotline.console.keyed import KEY
from hotline.console.problems import Fault, ProblemError
from hotline.console.seen_api import RevealAsked, note_reveal
from hotline.console.sending_api import (
    CardToSend,
    SentMessages,
    UnitToSend,
    send_card_to,
    send_unit_to,
    sent_to,
)
from hotline.console.shapes import Id, Told
from hotline.console.who import CALLERS, DISCIPLINE, OFFICE, OPENERS
from hotline.database import borrowed, transaction
from hotline.errors import CallerFixedError
from routing.errors import CaseUnknown


class CaseCaller(Told):
    """Who brought a case, in full; None where the number was withheld or is deleted."""

    case_id: Id
    number: Annotated[str | None, Field(description="As it was dialled from, or written down.")]
    name: str | None


async def note_caller(asked: Request) -> CaseDetail:
    """Write down the name and the number of whoever brought a case; both are kept sealed."""
    case_id, given, services = asked.path_id("case_id"), asked.asked(BroughtBy), asked.services
    try:
        async with transaction(services.pool) as tx:
            await asked.sight.check(tx, case_id)
            await case_callers.note(
                tx, case_id, given.number, given.name, by=asked.who.name, now=services.clock()
            )
    except CaseUnknown as error:
        raise ProblemError(Fault.NOT_FOUND, str(error)) from error
    except CallerFixedError as error:
        raise ProblemError(Fault.NOT_POSSIBLE, str(error)) from error
    async with borrowed(services.pool) as conn:
        return await detail(asked, conn, case_id)


async def reveal_case_caller(asked: Request) -> CaseCaller:
    """Tell in full who brought a case, for a reason that is kept."""
    case_id, given = asked.path_id("case_id"), asked.asked(RevealAsked)
    async with transaction(asked.services.pool) as tx:
        await asked.sight.check(tx, case_id)
        found = await case_callers.of_case(tx, case_id)
        await note_reveal(tx, asked, given, call_id=found.call_id, case_id=case_id)
    return CaseCaller(case_id=case_id, number=found.number, name=found.name)


async def send_card_on_case(asked: Request) -> SentMessages:
    """Send a notice card to the telephone of whoever brought a case."""
    return await send_card_to(asked, sending.Whom(case_id=asked.path_id("case_id")))


async def send_unit_on_case(asked: Request) -> SentMessages:
    """Send a unit's address, route, hours and telephone to whoever brought a case."""
    return await send_unit_to(asked, sending.Whom(case_id=asked.path_id("case_id")))


async def sent_on_case(asked: Request) -> SentMessages:
    """What was sent to whoever brought a case, and whether it went out."""
    with refusals():
        return await sent_to(asked, sending.Whom(case_id=asked.path_id("case_id")))


_CASE = "/api/cases/{case_id}"
_FAULTS = (Fault.NOT_FOUND, Fault.NOT_POSSIBLE, Fault.CONFLICT)
ENDPOINTS = (
    post(
        f"{_CASE}/caller",
        note_caller,
        BroughtBy,
        CaseDetail,
        faults=(Fault.NOT_FOUND, Fault.NOT_POSSIBLE),
        roles=OPENERS,
    ),
    post(
        f"{_CASE}/reveal",
        reveal_case_caller,
        RevealAsked,
        CaseCaller,
        faults=(Fault.NOT_FOUND, Fault.FORBIDDEN),
        roles=CALLERS | DISCIPLINE,
    ),
    get(f"{_CASE}/sent", sent_on_case, SentMessages, faults=(Fault.NOT_FOUND,), roles=OFFICE),
    post(
        f"{_CASE}/send-card",
        send_card_on_case,
        CardToSend,
        SentMessages,
        faults=_FAULTS,
        headers=(KEY,),
        roles=CALLERS,
    ),
    post(
        f"{_CASE}/send-unit",
        send_unit_on_case,
        UnitToSend,
        SentMessages,
        faults=_FAULTS,
        headers=(KEY,),
        roles=CALLERS,
    ),
)
