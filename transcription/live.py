"""The port of an engine that hears while people speak, and how many calls it may hear at once."""

from dataclasses import dataclass
from math import floor
from typing import Protocol

from transcription.transcripts import Word

LEG_BYTES = 250 * 2**20
"""What a recogniser grows to within minutes, and stays at (measured, with the small model)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """What seems to be said now; `start` in seconds from the start of the leg's sound."""

    text: str
    start: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What came of one piece of sound: utterances that ended in it, and the guess at its end."""

    utterances: tuple[tuple[Word, ...], ...] = ()
    guess: Guess | None = None
    cpu_seconds: float = 0.0


class LiveLeg(Protocol):
    """One leg being heard; its methods are called one after the other."""

    async def feed(self, pcm: bytes, at: float) -> Heard:
        """Hear a piece of sound that begins `at` seconds after the leg's start.

        Raises:
            SpeechError: the engine gives up on this leg.
        """
        ...

    async def finish(self) -> Heard:
        """End the utterance now; the leg can be fed again."""
        ...

    def leave(self) -> None:
        """It is not fed again."""
        ...


class LiveEngine(Protocol):
    """What hears legs while people speak, in processes apart from the service."""

    @property
    def lanes(self) -> int:
        """Legs that are heard at the very same time: cores, as a rule."""
        ...

    @property
    def deaths(self) -> int:
        """Decoders that died at work so far."""
        ...

    async def start(self) -> None:
        """Make ready.

        Raises:
            SpeechError: it cannot work now.
        """
        ...

    async def measure(self, pcm: bytes, rate: int) -> "Measured":
        """What a second of sound costs here, from a clip of speech; warms up."""
        ...

    def open(self, rate: int) -> LiveLeg:
        """A leg of this sample rate."""
        ...

    async def aclose(self) -> None:
        """End the processes."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """CPU seconds that a second of sound costs on this machine: speech, and somebody listening."""

    speech: float
    silence: float


def calls_by_cpu(measured: Measured, *, cores: int, share: float) -> int:
    """How many calls fit into a share of the cores: in each one speaks and one listens."""
    cost = measured.speech + measured.silence
    return floor(cores * share / cost) if cost > 0 else 0


def fits_memory(*, available: int, reserve: int) -> bool:
    """Whether one more call's two legs fit beside what must stay free; bytes."""
    return available - reserve >= 2 * LEG_BYTES
