"""Cases that no call of ours brought: a letter, a visitor, a message, a higher office."""

from typing import Annotated

from pydantic import Field

from hotline import case_callers, flow
from hotline.console.case_shapes import BroughtBy, CaseDetail
from hotline.console.cases_api import detail
from hotline.console.desk import Request
from hotline.console.endpoint import post
from hotline.console.keyed import KEY, made, made_before
from hotline.console.problems import Fault, ProblemError
from hotline.console.shapes import Asked, Name
from hotline.console.who import OPENERS
from hotline.database import borrowed, transaction
from routing.cases import Channel


class NewCase(Asked):
    """How the matter came, and for which line it counts."""

    channel: Channel
    line: Annotated[
        Name | None, Field(description="One of ours; without it the first that is configured.")
    ] = None
    brought_by: BroughtBy | None = Field(
        default=None, description="Who brought it, where that is known; kept sealed."
    )


async def begin_case(asked: Request) -> CaseDetail:
    """Begin the draft of a case that no call brought; whoever begins it answers for it."""
    given, services = asked.asked(NewCase), asked.services
    lines = [line.name for line in services.config.lines]
    line = given.line or next(iter(lines), "")
    if line not in lines:
        raise ProblemError(Fault.INVALID, "line: no such line is configured.")
    async with transaction(services.pool) as tx:
        case_id = await made_before(asked, tx, given)
        if case_id is None:
            case_id = await flow.case_begun(
                tx, channel=given.channel, line=line, owner=asked.who.name, now=services.clock()
            )
            if (by := given.brought_by) is not None:
                await case_callers.note(
                    tx, case_id, by.number, by.name, by=asked.who.name, now=services.clock()
                )
            await made(asked, tx, case_id)
    async with borrowed(services.pool) as conn:
        return await detail(asked, conn, case_id)


ENDPOINTS = (
    post(
        "/api/cases",
        begin_case,
        NewCase,
        CaseDetail,
        faults=(Fault.CONFLICT,),
        headers=(KEY,),
        roles=OPENERS,
    ),
)
