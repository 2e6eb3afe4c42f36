"""Where the captions of each call stand while it goes on: a light channel, in memory alone.

    the caption desk -> stand, say, offer -> a call's entry -> follow -> every reader

A call is kept by its number; one that was dialled from here has none before it is over, and is kept
by that of its order, below zero (`caption_calls.dial_key`).

A reader that comes late, or again, gets every final so far, then what follows. Each takes at its
own pace: finals wait for it, a partial that was replaced meanwhile is never sent. Entries of calls
that are over are kept for a while and then forgotten; nothing here is ever stored.
"""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from routing.suggestions import Suggestion
from telephony.calls import Leg
from transcription.captions import Caption

KEPT_FINALS = 5_000
"""Finals of one call: some hours of talk."""
KEPT_CALLS = 100
"""Calls that are over whose captions can still be read."""


class CaptionState(StrEnum):
    """How the captions of a call stand."""

    OFF = "off"
    """Captions are switched off."""
    WAITING = "waiting"
    """Nobody talks yet, or the two are apart: on hold, in a transfer."""
    ON = "on"
    """What is said is captioned."""
    SHED = "shed"
    """Given up for this call, for `ShedReason`; the recording and its transcript are untouched."""
    OVER = "over"
    """The call has ended."""


class ShedReason(StrEnum):
    """Why a call has no captions."""

    FULL = "full"
    """As many legs are heard as this machine can hear at once."""
    MEMORY = "memory"
    """Too little memory is free."""
    LAG = "lag"
    """The words came too late to be of use; the youngest call goes first."""
    ENGINE = "engine"
    """The speech model is missing, or the decoder does not work."""
    EXCHANGE = "exchange"
    """The exchange does not give the sound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How the captions of a call stand now; `reason` where they were given up."""

    state: CaptionState
    reason: ShedReason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CardOffer:
    """A knowledge card that fits what the caller says."""

    card_id: int
    version: int
    title: str
    unit: str
    score: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What the caller's words so far suggest, up to and with his segment; nothing is filled in."""

    segment: int
    suggestion: Suggestion
    cards: tuple[CardOffer, ...] = ()


Item: TypeAlias = Standing | Caption | Offer


@dataclass(slots=True)
class _Entry:
    """One call: what stands in order, the newest partial of each leg, and who waits."""

    standing: Standing
    lasting: list[Item] = field(default_factory=list)
    dropped: int = 0
    """How many of the oldest were dropped from `lasting`."""
    partials: dict[Leg, Caption] = field(default_factory=dict)
    stirred: asyncio.Event = field(default_factory=asyncio.Event)
    readers: int = 0

    def stir(self) -> None:
        self.stirred.set()
        self.stirred = asyncio.Event()

    def keep(self, item: Item) -> None:
        self.lasting.append(item)
        if len(self.lasting) > KEPT_FINALS:
            del self.lasting[0]
            self.dropped += 1
        self.stir()


class CaptionBoard:
    """Takes captions in and gives them to readers; safe on one event loop."""

    def __init__(self, *, enabled: bool) -> None:
        """`enabled`: whether there are captions at all."""
        self._begins = Standing(state=CaptionState.WAITING if enabled else CaptionState.OFF)
        self._entries: dict[int, _Entry] = {}
        self._over: dict[int, None] = {}
        self._closed = False

    def standing(self, call_id: int) -> Standing:
        """How the captions of a call stand now."""
        entry = self._entries.get(call_id)
        return entry.standing if entry else self._begins

    def stand(self, call_id: int, standing: Standing) -> None:
        """Tell readers how it stands; the same told twice is told once."""
        entry = self._entry(call_id)
        if entry.standing == standing:
            return
        entry.standing = standing
        if standing.state is not CaptionState.ON:
            entry.partials.clear()
        entry.keep(standing)
        if standing.state is CaptionState.OVER:
            self._over[call_id] = None
            while len(self._over) > KEPT_CALLS:
                oldest = next(iter(self._over))
                del self._over[oldest]
                self._entries.pop(oldest, None)

    def say(self, call_id: int, caption: Caption) -> None:
        """A partial replaces the one before it; a final stands."""
        entry = self._entry(call_id)
        if caption.is_final:
            entry.partials.pop(caption.leg, None)
            entry.keep(caption)
        else:
            entry.partials[caption.leg] = caption
            entry.stir()

    def offer(self, call_id: int, offer: Offer) -> None:
        """What the words so far suggest."""
        self._entry(call_id).keep(offer)

    def close(self) -> None:
        """End every reader: the service is going down."""
        self._closed = True
        for entry in self._entries.values():
            entry.stir()

    async def follow(self, call_id: int) -> AsyncGenerator[Item, None]:
        """How it stands, what was said so far, then each new thing; ends when the call is over."""
        entry = self._entry(call_id)
        entry.readers += 1
        try:
            yield entry.standing
            at, sent = 0, dict[Leg, Caption]()
            # What stood here before is told without how it stood meanwhile.
            begun = entry.dropped + len(entry.lasting)
            while not self._closed:
                stirred = entry.stirred
                while (index := max(at - entry.dropped, 0)) < len(entry.lasting):
                    item = entry.lasting[index]
                    at = entry.dropped + index + 1
                    if at > begun or not isinstance(item, Standing):
                        yield item
                for leg, partial in list(entry.partials.items()):
                    if sent.get(leg) is not partial:
                        sent[leg] = partial
                        yield partial
                if stirred is entry.stirred:
                    if entry.standing.state is CaptionState.OVER:
                        return
                    await stirred.wait()
        finally:
            entry.readers -= 1
            self._forget_if_idle(call_id, entry)

    def _entry(self, call_id: int) -> _Entry:
        entry = self._entries.get(call_id)
        if entry is None:
            entry = self._entries[call_id] = _Entry(self._begins)
        return entry

    def _forget_if_idle(self, call_id: int, entry: _Entry) -> None:
        """An entry that was made for a reader alone goes with it."""
        if not entry.readers and not entry.lasting and not entry.partials:
            self._entries.pop(call_id, None)
