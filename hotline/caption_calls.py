"""A call that is captioned: its legs, their taps, and what ends with what."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from hotline.caption_leg import Hearing, Line
from hotline.caption_offers import Offers
from telephony.calls import Leg
from telephony.live import LiveCall, LiveChannel

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Captioned:
    """A call with captions; calls are kept in the order in which they got them."""

    id: int
    system: str
    offers: Offers
    lines: dict[Leg, Line] = field(default_factory=lambda: {leg: Line(leg) for leg in Leg})
    hearing: dict[Leg, Hearing] = field(default_factory=dict)
    tasks: set["asyncio.Task[None]"] = field(default_factory=set)
    """Of its taps, those that end included."""
    offering: "asyncio.Task[None] | None" = None
    in_vain: int = 0
    """Taps in a row that brought no sound."""

    @property
    def lag(self) -> float:
        """That of its slower leg, in seconds."""
        return max((one.lag for one in self.hearing.values()), default=0.0)

    def part(self, live: LiveCall, legs: Mapping[Leg, LiveChannel]) -> None:
        """Hear only who talks now; end the taps of channels that are gone or were replaced."""
        existing = {live.caller.unique_id, *(leg.unique_id for leg in live.others)}
        for leg, hearing in list(self.hearing.items()):
            wanted, channel = legs.get(leg), hearing.line.channel
            hearing.speaking = wanted is not None and wanted.unique_id == channel
            if channel not in existing or (wanted is not None and not hearing.speaking):
                hearing.tap.close()
                del self.hearing[leg]

    def hang_up(self) -> None:
        """End the taps; what was said is heard to its end."""
        for hearing in self.hearing.values():
            hearing.tap.close()

    def end(self) -> None:
        """End everything at once."""
        self.hang_up()
        for task in (*self.tasks, self.offering):
            if task is not None and task is not asyncio.current_task():
                task.cancel()


def talking(live: LiveCall) -> dict[Leg, LiveChannel]:
    """The legs of a talk: the caller, and of those who hear him a seat of ours before others."""
    others = [leg for leg in live.speaking() if leg.is_up and not leg.name.startswith("Local/")]
    if not others:
        return {}
    seat = next((leg for leg in others if leg.seat.isdecimal()), others[0])
    return {Leg.CALLER: live.caller, Leg.OPERATOR: seat}


def talking_from_here(live: LiveCall) -> dict[Leg, LiveChannel]:
    """The legs of a call that a seat of ours dialled: whom it reached stands for the caller."""
    others = [leg for leg in live.speaking() if leg.is_up and not leg.name.startswith("Local/")]
    outside = next((leg for leg in others if not leg.seat.isdecimal()), None) or next(
        iter(others), None
    )
    return {} if outside is None else {Leg.CALLER: outside, Leg.OPERATOR: live.caller}


def dial_key(dial_id: int) -> int:
    """Where the board keeps the captions of a call that was dialled from here."""
    return -dial_id


async def contained(work: Callable[[], Awaitable[None]]) -> None:
    """A fault in captions is told, and ends nothing else."""
    try:
        await work()
    except Exception:
        log.exception("A call's captions stop here; the call and its recording go on.")
