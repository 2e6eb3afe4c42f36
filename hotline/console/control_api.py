"""Call control for people: each address is one order, given in the name of the seat signed in."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

from pydantic import BaseModel, Field

from hotline.console.desk import Request
from hotline.console.endpoint import Endpoint, Handler, get, post
from hotline.console.problems import Fault, ProblemError
from hotline.console.shapes import Asked, Id, Name, Told
from hotline.console.who import CALLERS, SUPERVISORS
from hotline.control import ControlDesk
from hotline.errors import (
    CallUnknownError,
    ControlForbiddenError,
    ControlImpossibleError,
    ControlUnavailableError,
)
from routing.cases import Role
from routing.errors import CaseUnknown
from telephony.control import Ear
from telephony.live import LiveChannel

FAULTS = (Fault.NOT_FOUND, Fault.FORBIDDEN, Fault.NOT_POSSIBLE, Fault.EXCHANGE_AWAY)
Number = Annotated[str, Field(pattern=r"^[0-9]{2,20}$")]


class Dial(Asked):
    """A number to call from one's own telephone."""

    number: Number


class Target(Asked):
    """Whom to give a call to, to ask, or to invite: a seat, 110/119/120, or an allowed number."""

    target: Number


class Relay(Asked):
    """The unit that is to speak with the citizen of a case."""

    unit: Name


class Attend(Asked):
    """How to take part: listen, whisper (the operator hears it), barge (both hear it)."""

    ear: Ear


class Nothing(Asked):
    """An order that needs no more words."""


class Ordered(Told):
    """The exchange has taken the order; what comes of it is on the feed."""

    call_id: Id | None = None


class LegView(Told):
    """One telephone of a call."""

    seat: str = Field(description="An operator's extension; empty for an outside telephone.")
    caller: bool
    state: str = Field(description="The exchange's word: Ring, Ringing, Up.")
    speaking: bool = Field(description="In one conversation with the caller.")


class Legs(Told):
    """Who is on a call at this moment."""

    call_id: Id
    on_hold: bool
    legs: tuple[LegView, ...]


Order = Callable[[ControlDesk, str], Awaitable[None]]


async def dial(asked: Request) -> Ordered:
    """Call an outside number: the operator's telephone rings first."""
    number = asked.asked(Dial).number
    return await _give(asked, lambda desk, seat: desk.dial(seat, number))


async def dial_caller(asked: Request) -> Ordered:
    """Call back whoever made a call, without seeing the number."""
    return await _about_call(asked, lambda desk, seat, call: desk.dial_caller(seat, call))


async def call_back(asked: Request) -> Ordered:
    """Let a unit speak with the citizen of a case; neither sees the other's number."""
    case_id, unit = asked.path_id("case_id"), asked.asked(Relay).unit
    return await _give(asked, lambda desk, seat: desk.call_back(seat, case_id, unit))


async def dial_case(asked: Request) -> Ordered:
    """Call whoever brought a case, without seeing the number."""
    case_id = asked.path_id("case_id")
    return await _give(asked, lambda desk, seat: desk.dial_case(seat, case_id))


async def hold(asked: Request) -> Ordered:
    """Put the citizen on hold."""
    return await _about_call(asked, lambda desk, seat, call: desk.hold(seat, call))


async def unhold(asked: Request) -> Ordered:
    """Take the citizen off hold."""
    return await _about_call(asked, lambda desk, seat, call: desk.unhold(seat, call))


async def transfer(asked: Request) -> Ordered:
    """Give the citizen to another number at once (blind transfer)."""
    to = asked.asked(Target).target
    return await _about_call(asked, lambda desk, seat, call: desk.transfer(seat, call, to))


async def consult(asked: Request) -> Ordered:
    """Ask another number first, the citizen on hold (attended transfer, first half)."""
    to = asked.asked(Target).target
    return await _about_call(asked, lambda desk, seat, call: desk.consult(seat, call, to))


async def complete(asked: Request) -> Ordered:
    """Give the citizen to whom one has asked (attended transfer, second half)."""
    return await _about_call(asked, lambda desk, seat, call: desk.complete(seat, call))


async def invite(asked: Request) -> Ordered:
    """Ring a third party, such as 110, who joins the conversation."""
    to = asked.asked(Target).target
    return await _about_call(asked, lambda desk, seat, call: desk.invite(seat, call, to))


async def leave(asked: Request) -> Ordered:
    """Leave the citizen with the third party, once they speak with each other."""
    return await _about_call(asked, lambda desk, seat, call: desk.leave(seat, call))


async def pick_up(asked: Request) -> Ordered:
    """Take a call that rings at another seat."""
    return await _about_call(asked, lambda desk, seat, call: desk.pick_up(seat, call))


async def hang_up(asked: Request) -> Ordered:
    """End a call."""
    return await _about_call(asked, lambda desk, seat, call: desk.hang_up(seat, call))


async def attend(asked: Request) -> Ordered:
    """Listen to a call, whisper to its operator, or barge in; for supervisors."""
    ear = asked.asked(Attend).ear
    return await _about_call(asked, lambda desk, seat, call: desk.attend(seat, call, ear))


async def legs(asked: Request) -> Legs:
    """Who is on a call at this moment."""
    call_id = asked.path_id("call_id")
    with refusals():
        live = await asked.services.control.legs(call_id)
    seats = {operator.extension for operator in asked.services.config.operators}
    speaking = live.speaking()

    def view(leg: LiveChannel, *, caller: bool) -> LegView:
        return LegView(
            seat=leg.seat if leg.seat in seats else "",
            caller=caller,
            state=leg.state,
            speaking=caller or leg in speaking,
        )

    return Legs(
        call_id=call_id,
        on_hold=live.is_on_hold,
        legs=(view(live.caller, caller=True), *(view(one, caller=False) for one in live.others)),
    )


async def _about_call(
    asked: Request, order: Callable[[ControlDesk, str, int], Awaitable[None]]
) -> Ordered:
    call_id = asked.path_id("call_id")
    ordered = await _give(asked, lambda desk, seat: order(desk, seat, call_id))
    return ordered.model_copy(update={"call_id": call_id})


async def _give(asked: Request, order: Order) -> Ordered:
    seat = asked.person.seat if asked.person else None
    if seat is None:
        raise ProblemError(Fault.FORBIDDEN, "Sign in at a seat first.")
    with refusals():
        await order(asked.services.control, seat)
    return Ordered()


@contextmanager
def refusals() -> Iterator[None]:
    """What the desk refuses, in the words of the API."""
    try:
        yield
    except (CallUnknownError, CaseUnknown) as error:
        raise ProblemError(Fault.NOT_FOUND, str(error)) from error
    except ControlForbiddenError as error:
        raise ProblemError(Fault.FORBIDDEN, str(error)) from error
    except ControlImpossibleError as error:
        raise ProblemError(Fault.NOT_POSSIBLE, str(error)) from error
    except ControlUnavailableError as error:
        raise ProblemError(Fault.EXCHANGE_AWAY, str(error)) from error


def _order(
    word: str,
    handler: Handler,
    body: type[BaseModel] = Nothing,
    roles: frozenset[Role] = CALLERS,
) -> Endpoint:
    return post(f"/api/control/{word}", handler, body, Ordered, faults=FAULTS, roles=roles)


ENDPOINTS = (
    get("/api/control/calls/{call_id}", legs, Legs, faults=FAULTS, roles=CALLERS),
    _order("dial", dial, Dial),
    _order("cases/{case_id}/call-back", call_back, Relay),
    _order("cases/{case_id}/dial", dial_case),
    _order("calls/{call_id}/dial", dial_caller),
    _order("calls/{call_id}/hold", hold),
    _order("calls/{call_id}/unhold", unhold),
    _order("calls/{call_id}/transfer", transfer, Target),
    _order("calls/{call_id}/consult", consult, Target),
    _order("calls/{call_id}/complete", complete),
    _order("calls/{call_id}/invite", invite, Target),
    _order("calls/{call_id}/leave", leave),
    _order("calls/{call_id}/pick-up", pick_up),
    _order("calls/{call_id}/hang-up", hang_up),
    _order("calls/{call_id}/attend", attend, Attend, SUPERVISORS),
)
