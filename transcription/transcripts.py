"""Transcripts as values. Pure.

The raw words are what is kept. Segments, text, punctuation and the dialogue are views derived
from them, so a better rule tomorrow needs no second decoding.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from telephony.calls import Leg

UNKNOWN_WORD = "[unk]"
UNKNOWN_SHOWN = "□"
SEGMENT_GAP = 0.6
"""Seconds of silence that end a segment (Vosk's own endpoint waits 0.5 s)."""
COMMA_GAP = 0.35
"""Seconds of silence inside a segment that read as a comma."""
_QUESTION_ENDINGS = ("吗", "呢", "没有", "多少", "哪里", "哪儿", "怎么", "什么", "怎么办")
_QUESTION_PATTERNS = (
    "是不是",
    "能不能",
    "可不可以",
    "有没有",
    "要不要",
    "请问",
    "为什么",
    "什么时候",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One word as the engine heard it; seconds from the start of the recording.

    `conf` is the engine's own posterior, 0 to 1, or None where the engine gives none.
    """

    text: str
    start: float
    end: float
    conf: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardAgain:
    """What a digits grammar heard in a stretch of the recording: one digit word or more."""

    words: tuple[Word, ...]

    @property
    def start(self) -> float:
        """Seconds from the start of the recording."""
        return self.words[0].start

    @property
    def end(self) -> float:
        """The same, where the last digit ends."""
        return self.words[-1].end

    @property
    def text(self) -> str:
        """The digit words joined."""
        return "".join(word.text for word in self.words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Words of one leg that no pause of `SEGMENT_GAP` seconds divides."""

    leg: Leg
    start: float
    end: float
    text: str
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """What one engine heard on one leg."""

    leg: Leg
    engine: str
    model: str
    words: tuple[Word, ...]
    segments: tuple[Segment, ...]
    audio_seconds: float
    mean_confidence: float | None = None
    again: tuple[HeardAgain, ...] = ()
    """Numbers heard a second time with nothing but digits to choose from."""

    @property
    def text(self) -> str:
        """The raw words joined, without punctuation."""
        return join(word.text for word in self.words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one side said until the other side spoke; seconds from the start of the recording.

    `text` is for reading: its punctuation is inferred from pauses. Rules that look for phrases
    should read `spoken`, which no comma interrupts.
    """

    leg: Leg
    start: float
    end: float
    text: str
    words: tuple[Word, ...] = ()
    finished: str | None = None
    """The same without punctuation, names recovered; None where it was not finished yet."""

    @property
    def spoken(self) -> str:
        """The words joined without inferred punctuation, finished where they were."""
        if self.finished is not None:
            return self.finished
        return join(word.text for word in self.words) if self.words else self.text


def transcript(
    *,
    leg: Leg,
    engine: str,
    model: str,
    words: Iterable[Word],
    audio_seconds: float,
    again: tuple[HeardAgain, ...] = (),
) -> Transcript:
    """Make a transcript of words in any grouping: sorted by time, segments derived."""
    ordered = tuple(sorted(words, key=lambda word: (word.start, word.end)))
    return Transcript(
        leg=leg,
        engine=engine,
        model=model,
        words=ordered,
        segments=segments(leg, ordered),
        audio_seconds=audio_seconds,
        mean_confidence=mean_confidence(ordered),
        again=again,
    )


def mean_confidence(words: Iterable[Word]) -> float | None:
    """The plain mean over the words that carry a confidence; None where none does."""
    known = [word.conf for word in words if word.conf is not None]
    return sum(known) / len(known) if known else None


def segments(leg: Leg, words: Sequence[Word]) -> tuple[Segment, ...]:
    """Divide the words of a leg, in order of time, at pauses of `SEGMENT_GAP` seconds or more."""
    return tuple(
        Segment(
            leg=leg,
            start=part[0].start,
            end=max(word.end for word in part),
            text=join(word.text for word in part),
            words=part,
        )
        for part in _divide(words)
    )


def _divide(words: Sequence[Word]) -> list[tuple[Word, ...]]:
    if not words:
        return []
    cuts = [0]
    reached = words[0].end
    for index, word in enumerate(words[1:], start=1):
        if word.start - reached >= SEGMENT_GAP:
            cuts.append(index)
        reached = max(reached, word.end)
    return [tuple(words[a:b]) for a, b in pairwise([*cuts, len(words)])]


def join(texts: Iterable[str]) -> str:
    """Join words: nothing between CJK characters, one space between other words."""
    joined = ""
    for text in texts:
        shown = UNKNOWN_SHOWN if text == UNKNOWN_WORD else text
        if joined and shown and not (_is_cjk(joined[-1]) or _is_cjk(shown[0])):
            joined += " "
        joined += shown
    return joined


def _is_cjk(character: str) -> bool:
    """Whether no space belongs beside this character: East Asian wide, or our unknown box."""
    wide = unicodedata.east_asian_width(character) in ("W", "F")
    return wide or character == UNKNOWN_SHOWN


def asks(clause: str) -> bool:
    """Whether the last clause of a segment is a question, by the words it ends with or holds."""
    return clause.endswith(_QUESTION_ENDINGS) or any(mark in clause for mark in _QUESTION_PATTERNS)


def words_to_rows(words: Iterable[Word]) -> list[dict[str, Any]]:
    """Write words as plain rows for JSON."""
    return [{"w": w.text, "s": w.start, "e": w.end, "c": w.conf} for w in words]


def words_from_rows(rows: Iterable[Mapping[str, Any]]) -> tuple[Word, ...]:
    """Read words back from the rows `words_to_rows` wrote."""
    return tuple(Word(text=r["w"], start=r["s"], end=r["e"], conf=r["c"]) for r in rows)
