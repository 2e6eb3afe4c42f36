"""What was said, as it is looked for: plain lines, their sounds, and marks to find them by; pure.

    sentences -> said_of -> text, raw, sounds and marks, kept with the transcript
    what somebody typed -> wanted -> the same forms -> places: where it stands in a sentence

A word of Chinese may be one character, and a recogniser that does not know a name writes others
that sound like it. So a text is marked by its characters, by its syllables after the mergers
(sounds.py) and by the pairs of these: what was asked is found exactly by the first and the last,
and by sound by the others. Personal data is left out altogether: nobody finds a caller by it.
"""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from routing.heard import folded
from routing.sounds import merged
from transcription.sentences import Line, Sentence
from transcription.syllables import alike

BREAK = "\n"
"""Between sentences, and where something is left out: no word is found over it."""
MOST_WORDS, LONGEST_WORD = 8, 40
_RAW_COUNTS = 0.97
"""How much a find counts that only the engine's own text has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A leg as it is looked for; `raw` is empty where finishing changed nothing."""

    text: str
    raw: str
    sounds: str
    marks: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The words that were asked for, plain; all of them must be said."""

    words: tuple[str, ...]
    by_sound: bool

    @property
    def sounds(self) -> tuple[str, ...]:
        """The words by their sounds after the mergers."""
        return tuple(merged(word) for word in self.words)

    @property
    def marks(self) -> tuple[int, ...]:
        """What a text that says them has among its marks."""
        found: set[int] = set()
        for word in self.words:
            sounds = merged(word)
            found.update(_pairs(sounds))
            found.update(_ones("s", sounds) if self.by_sound else _ones("c", word))
        return tuple(sorted(found))


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a word stands: characters `first` to `last` (not included) of a line.

    `score` is 1 for the very characters, less the less they sound like them.
    """

    word: str
    line: Line
    first: int
    last: int
    score: float


def said_of(sentences: Sequence[Sentence]) -> Said:
    """A leg as it is looked for."""
    text = _joined(plain(one, one.text) for one in sentences)
    raw = _joined(plain(one, one.raw) for one in sentences if _differs(one))
    sounds = merged(text + BREAK + raw if raw else text)
    marks: set[int] = set()
    for line in (*text.split(BREAK), *raw.split(BREAK)):
        marks.update(_ones("c", line))
        heard = merged(line)
        marks.update(_ones("s", heard), _pairs(heard))
    return Said(text=text, raw=raw, sounds=sounds, marks=tuple(sorted(marks)))


def _joined(lines: Iterable[str]) -> str:
    """Lines, each ended by one break, however much is left out between them."""
    return BREAK.join(part for line in lines for part in line.split(BREAK) if part)


def wanted(typed: str, *, by_sound: bool = False) -> Wanted | None:
    """What somebody looks for; None where there is nothing to look for."""
    words = ("".join(_folded(part)) for part in typed.split())
    kept = tuple(dict.fromkeys(word[:LONGEST_WORD] for word in words if word))[:MOST_WORDS]
    return Wanted(words=kept, by_sound=by_sound) if kept else None


def places(sentence: Sentence, asked: Wanted) -> tuple[Place, ...]:
    """Where the words stand in a sentence, in order; in the raw text only what the other lacks."""
    found: list[Place] = []
    for word in asked.words:
        there = list(_places(sentence, sentence.text, word, by_sound=asked.by_sound))
        if not there and _differs(sentence):
            there = [
                Place(word=it.word, line=it.line, first=it.first, last=it.last, score=score)
                for it in _places(sentence, sentence.raw, word, by_sound=asked.by_sound)
                for score in (round(it.score * _RAW_COUNTS, 3),)
            ]
        found += there
    return tuple(sorted(found, key=lambda it: (it.line.starts[it.first], it.first)))


def _places(sentence: Sentence, line: Line, word: str, *, by_sound: bool) -> Iterator[Place]:
    signs, positions = _signs(sentence, line)
    text, asked = (merged(signs), merged(word)) if by_sound else (signs, word)
    for at in _spots(text, asked):
        last = at + len(word)
        yield Place(
            word=word,
            line=line,
            first=positions[at],
            last=positions[last - 1] + 1,
            score=_alike(signs[at:last], word),
        )


def likeness(text: str, asked: Wanted) -> tuple[float, int]:
    """How alike a whole leg is to what was asked, and how many times it says the words.

    The mean over the words of the place that is most alike: 1 says the very characters.
    """
    best: list[float] = []
    times = 0
    heard = merged(text) if asked.by_sound else text
    for word, sounds in zip(asked.words, asked.sounds, strict=True):
        spots = list(_spots(heard, sounds if asked.by_sound else word))
        times += len(spots)
        best.append(max((_alike(text[at : at + len(word)], word) for at in spots), default=0.0))
    return round(sum(best) / len(best), 3), times


def _alike(said: str, word: str) -> float:
    return 1.0 if said == word else round(0.99 * alike(said, word), 3)


def _spots(text: str, word: str) -> Iterator[int]:
    at = text.find(word)
    while at >= 0:
        yield at
        at = text.find(word, at + len(word))


def plain(sentence: Sentence, line: Line) -> str:
    """A line of a sentence without marks, spaces and personal data."""
    return _signs(sentence, line)[0]


def _signs(sentence: Sentence, line: Line) -> tuple[str, tuple[int, ...]]:
    """The characters that count, and where each stands."""
    hidden = sentence.hides(line)
    signs: list[str] = []
    positions: list[int] = []
    for at, char in enumerate(line.text):
        for sign in (BREAK,) if at in hidden else _folded(char):
            signs.append(sign)
            positions.append(at)
    return "".join(signs), tuple(positions)


def _folded(text: str) -> Iterator[str]:
    for char in text:
        yield from (one for one in folded(char) if one.isalnum())


def _differs(one: Sentence) -> bool:
    return "".join(_folded(one.text.text)) != "".join(_folded(one.raw.text))


def _ones(sort: str, line: str) -> Iterable[int]:
    return (_mark(sort + sign) for sign in set(line) - {BREAK})


def _pairs(line: str) -> Iterable[int]:
    return (_mark("p" + a + b) for a, b in pairwise(line) if BREAK not in a + b)


def _mark(sign: str) -> int:
    """A number for PostgreSQL's integer; two signs may share one, and what is found is read."""
    return zlib.crc32(sign.encode()) - 2**31
