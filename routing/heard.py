"""What was said, made searchable: passages without gaps, each knowing where it came from; pure.

A recogniser puts spaces between words and people do not, so matching runs on text without white
space. `Passage.span` leads back to the very characters of the original, for the reasons shown.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol


class Spoken(Protocol):
    """One turn of a dialogue, as the transcripts give it."""

    @property
    def leg(self) -> str:
        """Whose words: `caller` or `operator`."""
        ...

    @property
    def start(self) -> float:
        """Seconds from the start of the recording."""
        ...

    @property
    def text(self) -> str:
        """The words."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One stretch of words without white space, with the way back to the original."""

    text: str
    original: str
    positions: tuple[int, ...]
    leg: str | None = None
    at: float | None = None
    turn: int | None = None

    @property
    def from_operator(self) -> bool:
        """Whether the operator said it; then it repeats or asks, and weighs less."""
        return self.leg == "operator"

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where characters `start` to `end` stand in the original."""
        return self.positions[start], self.positions[end - 1] + 1


LONGEST = 20_000  # characters; more is no citizen's message but an attack or a broken file


def passage(
    original: str, *, leg: str | None = None, at: float | None = None, turn: int | None = None
) -> Passage:
    """Return a text as a passage: half-width, lower case, without white space or controls."""
    characters: list[str] = []
    positions: list[int] = []
    for index, char in enumerate(original[:LONGEST]):
        if char.isspace() or unicodedata.category(char) in {"Cc", "Cf"}:
            continue
        folded = unicodedata.normalize("NFKC", char).lower()
        for one in folded:
            characters.append(one)
            positions.append(index)
    return Passage(
        text="".join(characters),
        original=original,
        positions=tuple(positions),
        leg=leg,
        at=at,
        turn=turn,
    )


def heard(said: str | Sequence[Spoken]) -> tuple[Passage, ...]:
    """Return a message or a dialogue as passages, silent ones left out."""
    if isinstance(said, str):
        found: Iterable[Passage] = (passage(said),)
    else:
        found = (
            passage(turn.text, leg=str(turn.leg), at=turn.start, turn=index)
            for index, turn in enumerate(said)
        )
    return tuple(it for it in found if it.text)
