"""What was said, made searchable: passages without gaps, each knowing where it came from; pure.

Of a dialogue the spoken words count, without the punctuation that pauses suggested. A recogniser
puts spaces between words and people do not, so matching runs on text without white
space. `Passage.span` leads back to the very characters of the original, for the reasons shown.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from routing.sounds import exact, merged
from telephony.calls import Leg
from transcription.transcripts import Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One stretch of words without white space, with the way back to the original."""

    text: str
    exact: str  # one sign a character for its sound, see sounds.py
    merged: str  # the same after the mergers
    original: str
    positions: tuple[int, ...]
    leg: Leg | None = None
    at: float | None = None
    turn: int | None = None

    @property
    def from_operator(self) -> bool:
        """Whether the operator said it; then it repeats or asks, and weighs less."""
        return self.leg is Leg.OPERATOR

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where characters `start` to `end` stand in the original."""
        return self.positions[start], self.positions[end - 1] + 1


LONGEST = 20_000  # characters; more is no citizen's message but an attack or a broken file


@lru_cache(maxsize=65536)
def folded(char: str) -> str:
    """Return a character half-width and in lower case; white space and controls vanish."""
    if char.isspace() or unicodedata.category(char) in {"Cc", "Cf"}:
        return ""
    return unicodedata.normalize("NFKC", char).lower().replace(" ", "")


def passage(
    original: str, *, leg: Leg | None = None, at: float | None = None, turn: int | None = None
) -> Passage:
    """Return a text as a passage: half-width, lower case, without white space or controls."""
    characters: list[str] = []
    positions: list[int] = []
    for index, char in enumerate(original[:LONGEST]):
        for one in folded(char):
            characters.append(one)
            positions.append(index)
    text = "".join(characters)
    return Passage(
        text=text,
        exact=exact(text),
        merged=merged(text),
        original=original,
        positions=tuple(positions),
        leg=leg,
        at=at,
        turn=turn,
    )


def heard(said: str | Sequence[Turn]) -> tuple[Passage, ...]:
    """Return a message or a dialogue as passages, silent ones left out."""
    if isinstance(said, str):
        found: Iterable[Passage] = (passage(said),)
    else:
        found = (
            passage(turn.spoken, leg=turn.leg, at=turn.start, turn=index)
            for index, turn in enumerate(said)
        )
    return tuple(it for it in found if it.text)
