"""Captions as values: what a leg says while it is said. Pure.

A partial is a guess that the next one replaces; a final stands. Both belong to a segment, numbered
from 1 within their leg, so whoever shows them replaces by leg and segment. Neither is ever stored:
the record is the transcript of the recording.
"""

from dataclasses import dataclass
from datetime import datetime

from telephony.calls import Leg
from transcription.transcripts import Word, mean_confidence

PARTIALS_EVERY = 0.25
"""Seconds between two partials of a leg: four a second are as many as anybody reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """What is heard of one segment; seconds from the start of the leg, `at` when it was said.

    `at` is the moment of `start` by the clock of the service. A partial has no words and no end.
    `text` is finished, with the city's names; `spoken` is the same without marks and digits.
    """

    leg: Leg
    segment: int
    start: float
    end: float | None
    at: datetime
    text: str
    words: tuple[Word, ...] = ()
    spoken: str = ""

    @property
    def is_final(self) -> bool:
        """Whether it stands."""
        return self.end is not None

    @property
    def confidence(self) -> float | None:
        """The mean over its words; None for a partial."""
        return mean_confidence(self.words)


class Throttle:
    """Lets partials of one leg through that are new, at most one in `PARTIALS_EVERY` seconds."""

    __slots__ = ("_last", "_said")

    def __init__(self) -> None:
        self._said = ""
        self._last = float("-inf")

    def passes(self, text: str, now: float) -> bool:
        """Whether this partial is to be told at this time (seconds of any steady clock)."""
        if not text or text == self._said or now - self._last < PARTIALS_EVERY:
            return False
        self._said, self._last = text, now
        return True

    def settled(self) -> None:
        """Its segment is final: the same words in the next one are new."""
        self._said = ""
