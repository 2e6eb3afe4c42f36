"""Calls that begin here: an operator or the service calls somebody outside, or one of our own.

The exchange and the softphones of `tests/phones/stage.py`: 1001 calls, 1002 is a colleague, and
behind the way out one telephone answers for every number.
"""

import asyncio
from collections.abc import Awaitable, Callable

from telephony.call import CALLOUT_PREFIX, DIAL_PREFIX
from telephony.ringing import ring
from tests.phones.stage import (
    CITIZEN,
    COLLEAGUE,
    HOTLINE,
    OPERATOR,
    OPERATOR_HZ,
    UNIT,
    Stage,
)

Play = Callable[[Stage], Awaitable[None]]
SECONDS = 1.0
OFFICER = "13900002222"


def _order(name: str) -> str:
    """The id of a call, another in each play, as the service gives them."""
    return f"{DIAL_PREFIX}{OPERATOR}-{name}"


async def dialled_and_answered(stage: Stage) -> None:
    """Click-to-dial: his telephone rings, then the citizen's, who answers and hangs up."""
    _, there = await _dialled(stage, "answered")
    await stage.outside.order("answer", call=there)
    await stage.outside.hears(there, yes=[OPERATOR_HZ])
    await asyncio.sleep(SECONDS)
    await stage.outside.order("hang_up", call=there)
    await stage.empty()


async def dialled_and_not_answered(stage: Stage) -> None:
    """The citizen's telephone rings; the operator waits no longer."""
    at_desk, _ = await _dialled(stage, "unanswered")
    await asyncio.sleep(SECONDS)
    await stage.operator.order("hang_up", call=at_desk)
    await stage.empty()


async def dialled_and_busy(stage: Stage) -> None:
    _, there = await _dialled(stage, "busy")
    await stage.outside.order("refuse", call=there)
    await stage.empty()


async def dialled_and_not_taken_at_the_desk(stage: Stage) -> None:
    """The operator does not pick up his own telephone: nobody outside is called."""
    await stage.control.dial(OPERATOR, CITIZEN, order=_order("desk"))
    ringing = await stage.operator.until("ringing")
    await stage.operator.order("refuse", call=ringing["call"])
    await stage.empty()


async def _dialled(stage: Stage, name: str) -> tuple[int, int]:
    await stage.control.dial(OPERATOR, CITIZEN, order=_order(name))
    at_desk = await stage.operator.answer()
    there = (await stage.outside.until("ringing"))["call"]
    return at_desk, there


async def called_back_through_the_hotline(stage: Stage) -> None:
    """The unit answers, then the citizen; the unit hangs up."""
    await stage.control.relay(OPERATOR, UNIT, CITIZEN, order=_order("relay"))
    unit = await stage.outside.answer()
    citizen = await stage.outside.answer()
    await asyncio.sleep(SECONDS)
    await stage.outside.order("hang_up", call=unit)
    await stage.outside.until("gone", call=citizen)
    await stage.empty()


async def called_back_in_vain(stage: Stage) -> None:
    """The unit answers, the citizen is engaged."""
    await stage.control.relay(OPERATOR, UNIT, CITIZEN, order=_order("vain"))
    await stage.outside.answer()
    ringing = await stage.outside.until("ringing")
    await stage.outside.order("refuse", call=ringing["call"])
    await stage.empty()


async def called_out_outside(stage: Stage) -> None:
    """The service rings an officer's own telephone; he picks up, presses nothing and hangs up."""
    await ring(
        stage.actor,
        f"{CALLOUT_PREFIX}1-1-outside",
        OFFICER,
        inside=False,
        shown=HOTLINE,
        seat=OPERATOR,
        seconds=10,
    )
    there = await stage.outside.answer()
    await asyncio.sleep(SECONDS)
    await stage.outside.order("hang_up", call=there)
    await stage.empty()


async def colleague_dialled_by_hand(stage: Stage) -> None:
    """One operator calls another at his own telephone; who called hangs up."""
    asking = await stage.operator.dial(COLLEAGUE)
    await stage.colleague.answer()
    await stage.operator.until("up", call=asking)
    await asyncio.sleep(SECONDS)
    await stage.operator.order("hang_up", call=asking)
    await stage.empty()


async def colleague_refuses(stage: Stage) -> None:
    asking = await stage.operator.dial(COLLEAGUE)
    ringing = await stage.colleague.until("ringing")
    await stage.colleague.order("refuse", call=ringing["call"])
    await stage.operator.until("gone", call=asking)
    await stage.empty()


async def police_dialled_by_hand(stage: Stage) -> None:
    """110 at the operator's own telephone: the only way out that needs no service."""
    asking = await stage.operator.dial("110")
    there = await stage.outside.answer()
    await stage.operator.until("up", call=asking)
    await asyncio.sleep(SECONDS)
    await stage.outside.order("hang_up", call=there)
    await stage.empty()


OUTSIDE: dict[str, Play] = {
    play.__name__: play
    for play in (
        *(dialled_and_answered, dialled_and_not_answered, dialled_and_busy),
        *(dialled_and_not_taken_at_the_desk, called_back_through_the_hotline),
        *(called_back_in_vain, called_out_outside, colleague_dialled_by_hand),
        *(colleague_refuses, police_dialled_by_hand),
    )
}
