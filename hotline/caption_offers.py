"""What the caller's words suggest while he speaks: category, unit, urgency, and cards to tell him.

The same rules and model as for a finished call, over the caller's finals so far, in a thread.
Emergency words come from rules alone (routing/classify.py). It is offered beside the form; a
person fills it in.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence

import asyncpg

from hotline import card_rows
from hotline.caption_board import CardOffer, Offer
from hotline.database import PASSING, Pool, borrowed
from hotline.errors import DatabaseUnavailableError
from hotline.steps import Suggests
from telephony.calls import Leg
from transcription.captions import Caption
from transcription.transcripts import Turn

log = logging.getLogger(__name__)

REMEMBERED = 60
"""Finals of the caller that count: some minutes of what he wants."""
AT_MOST_EVERY = 1.0
"""Seconds between two looks at one call."""
CARDS = 3
ASKED = 3
"""The newest finals in whose words cards are sought."""
FITS = 8
"""The score from which a card is worth showing: two pairs of characters of its title."""


class Offers:
    """Follows one call; looks at most once a second, always at all that was said by then."""

    def __init__(
        self, line: str, *, suggests: Suggests, pool: Pool, tell: Callable[[Offer], None]
    ) -> None:
        """`line` is the line the call came in on."""
        self._line, self._suggests, self._pool, self._tell = line, suggests, pool, tell
        self._turns: deque[Turn] = deque(maxlen=REMEMBERED)
        self._segment = 0
        self._stirred = asyncio.Event()
        self._last: Offer | None = None

    def hear(self, said: Caption) -> None:
        """Take in a final; the operator's words ask and explain, and are left out."""
        if said.leg is Leg.CALLER and said.end is not None:
            self._turns.append(
                Turn(
                    leg=said.leg,
                    start=said.start,
                    end=said.end,
                    text=said.text,
                    words=said.words,
                    finished=said.spoken or None,
                )
            )
            self._segment = said.segment
            self._stirred.set()

    async def run(self) -> None:
        """Offer whenever something else is suggested than before; returns only when cancelled."""
        while True:
            await self._stirred.wait()
            self._stirred.clear()
            try:
                await self._look(tuple(self._turns), self._segment)
            except (*PASSING, DatabaseUnavailableError, asyncpg.PostgresError) as error:
                log.warning("A call's captions come without suggestions for now (%s).", error)
            await asyncio.sleep(AT_MOST_EVERY)

    async def _look(self, turns: Sequence[Turn], segment: int) -> None:
        suggestion = await asyncio.to_thread(self._suggests.suggest, turns, self._line)
        offer = Offer(segment=segment, suggestion=suggestion, cards=await self._cards(turns))
        before = self._last
        if (
            before is None
            or before.suggestion != offer.suggestion
            or [it.card_id for it in before.cards] != [it.card_id for it in offer.cards]
        ):
            self._last = offer
            self._tell(offer)

    async def _cards(self, turns: Sequence[Turn]) -> tuple[CardOffer, ...]:
        typed = "".join(turn.spoken for turn in turns[-ASKED:])
        async with borrowed(self._pool) as conn:
            found = await card_rows.search(conn, typed=typed, limit=CARDS)
        return tuple(
            CardOffer(
                card_id=it.card.card_id,
                version=it.card.version,
                title=it.card.text.title,
                unit=it.card.text.unit,
                score=it.score,
            )
            for it in found
            if it.score >= FITS
        )
