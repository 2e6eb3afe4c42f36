"""Calls that an operator gives away at his own telephone, by REFER, with the service away.

The exchange and the softphones of `tests/phones/stage.py`: the line `mayor` (12345) rings 1001,
who transfers to 1002.
"""

import asyncio
from collections.abc import Awaitable, Callable

from tests.phones.stage import CITIZEN_HZ, COLLEAGUE, Stage

Play = Callable[[Stage], Awaitable[None]]
SECONDS = 1.0


async def referred(stage: Stage) -> None:
    """He names another telephone and is gone; the other answers; the caller hangs up."""
    _, at_home, at_desk = await stage.answered_call()
    await asyncio.sleep(SECONDS)
    await stage.operator.order("refer", call=at_desk, to=COLLEAGUE)
    taken = await stage.colleague.answer()
    await stage.colleague.hears(taken, yes=[CITIZEN_HZ])
    await stage.citizen.order("hang_up", call=at_home)
    await stage.empty()


async def referred_to_nobody(stage: Stage) -> None:
    """The other telephone refuses: who was given away blindly at a telephone is gone."""
    await stage.answered_call()
    at_desk = 0
    await asyncio.sleep(SECONDS)
    await stage.operator.order("refer", call=at_desk, to=COLLEAGUE)
    ringing = await stage.colleague.until("ringing")
    await stage.colleague.order("refuse", call=ringing["call"])
    await stage.empty()


async def referred_after_asking(stage: Stage) -> None:
    """He puts the caller on hold, asks another, and joins the two."""
    _, at_home, at_desk = await stage.answered_call()
    await stage.operator.order("hold", call=at_desk)
    asking = await stage.operator.dial(COLLEAGUE)
    asked = await stage.colleague.answer()
    await stage.operator.until("up", call=asking)
    await asyncio.sleep(SECONDS)
    await stage.operator.order("refer_attended", call=at_desk, **{"with": asking})
    await stage.colleague.hears(asked, yes=[CITIZEN_HZ])
    await stage.colleague.order("hang_up", call=asked)
    await stage.citizen.until("gone", call=at_home)
    await stage.empty()


async def hung_up_while_the_telephone_asks(stage: Stage) -> None:
    """The caller is gone before the two whom he would have been joined with have spoken."""
    _, at_home, at_desk = await stage.answered_call()
    await stage.operator.order("hold", call=at_desk)
    asking = await stage.operator.dial(COLLEAGUE)
    asked = await stage.colleague.answer()
    await stage.operator.until("up", call=asking)
    await stage.citizen.order("hang_up", call=at_home)
    await stage.operator.until("gone", call=at_desk)
    await stage.colleague.order("hang_up", call=asked)
    await stage.empty()


BY_PHONE: dict[str, Play] = {
    play.__name__: play
    for play in (
        referred,
        referred_to_nobody,
        referred_after_asking,
        hung_up_while_the_telephone_asks,
    )
}
