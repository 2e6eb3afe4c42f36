"""The city's names recovered by sound from what a recogniser without those words wrote. Pure.

Vosk's small model cannot write 涪城, 游仙 or 工单: it writes others that sound like them. Each
name of the vocabulary is looked for by sound (syllables.py) where at least two of its syllables
(one of a short name's) stand about where they should. How alike it must sound depends on how sure
the recogniser was of what it wrote, on the name's length, and on whether the segment names the
area the place lies in. Every replacement keeps the original, its score and its position.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from transcription.syllables import alike, key

SHORT, MIDDLE = 2, 3
HIGHEST = {SHORT: 1.01, MIDDLE: 0.96}
"""How alike a name must sound where the recogniser was sure of every word; longer ones below."""
LONGEST = 0.90
LOWEST = {SHORT: 0.95, MIDDLE: 0.89, 4: 0.83, 5: 0.80}
"""The same where it guessed; longer ones below."""
LOWEST_LONG = 0.77
LEAST_OF_A_PART = 0.78
"""How alike the area's part of a name said in one breath must sound by itself."""
BOTH_EDGES = 0.03
"""What it counts that a name begins and ends where words of the recogniser do."""
SURE, UNSURE = 0.95, 0.55
"""Mean confidence from which on it is sure, and below which it guesses."""
AREA_HELPS = 0.06
"""A place whose area the same segment names may sound this much less alike."""


class NameSort(StrEnum):
    """What a name of the vocabulary is a name of."""

    PLACE = "place"
    UNIT = "unit"
    WORD = "word"


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """A name or phrase that may be said; `area` is where a place lies.

    `heard` are writings of the recogniser that stand for it whatever its confidence: words so rare
    in speech that nobody means them (公担 for 工单).
    """

    text: str
    sort: NameSort
    area: str | None = None
    heard: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """Characters `first` to `last` (not included) of a text, and the name they sound like.

    `score` is the likeness, 0 to 1; `least` what it had to reach.
    """

    first: int
    last: int
    original: str
    name: Name
    score: float
    least: float

    @property
    def margin(self) -> float:
        """By how much, over its whole length, it is better than it had to be."""
        return (self.score - self.least + 0.02) * len(self.name.text) + 0.1 * len(self.name.text)


class Vocabulary:
    """All names of a city, ready to be found by sound."""

    def __init__(self, names: Iterable[Name]) -> None:
        self.names: dict[str, Name] = {}
        for name in names:
            self.names.setdefault(name.text, name)
        told = sorted(f"{it.text}|{it.sort}|{it.area}|{it.heard}" for it in self.names.values())
        self.fingerprint = hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]
        self._longest = max(map(len, self.names), default=0)
        self._heard = {said: one for one in self.names.values() for said in one.heard}
        self._at: dict[str, list[tuple[int, Name]]] = defaultdict(list)
        for name in self.names.values():
            for at, char in enumerate(name.text):
                self._at[key(char)].append((at, name))

    def longest_at(self, text: str, at: int) -> Name | None:
        """The longest name whose very characters stand at a position; compounds by their parts."""
        for size in range(min(self._longest, len(text) - at), 1, -1):
            name = self.names.get(text[at : at + size])
            if name is not None and not self._is_compound(name):
                return name
        return None

    def _is_compound(self, name: Name) -> bool:
        """Whether a place is its area and another place in one breath."""
        rest = name.text.removeprefix(name.area) if name.area else name.text
        return name.sort is NameSort.PLACE and rest not in ("", name.text) and rest in self.names

    def recover(
        self, text: str, conf: Sequence[float | None], edges: frozenset[int]
    ) -> tuple[Replacement, ...]:
        """The replacements for a text, in order, none overlapping another.

        Args:
            text: one segment, a character a syllable.
            conf: the recogniser's confidence in each character; None counts as a guess.
            edges: the positions at which its words begin, and the end of the text.
        """
        standing = self._standing(text)
        areas = frozenset(name.area for _, _, name in standing if name.area)
        heard = _Heard(text=text, conf=conf, edges=edges, areas=areas)
        found = self._candidates(heard)
        fresh = {one.name.area for one in found if one.name.area == one.name.text}
        if fresh - areas:
            found = self._candidates(replace(heard, areas=areas | fresh))
        found += self._by_list(text)
        kept = [(first, last) for first, last, _ in standing]
        chosen: list[Replacement] = []
        for one in sorted(found, key=lambda it: (-it.margin, it.first)):
            if all(_leaves(one, first, text[first:last]) for first, last in kept) and all(
                one.last <= it.first or it.last <= one.first for it in chosen
            ):
                chosen.append(one)
        return tuple(sorted(chosen, key=lambda it: it.first))

    def _standing(self, text: str) -> list[tuple[int, int, Name]]:
        """Names that stand there in their very characters."""
        return [
            (at, at + len(name.text), name)
            for name in self.names.values()
            for at in _spots(text, name.text)
        ]

    def _by_list(self, text: str) -> list[Replacement]:
        return [
            Replacement(
                first=at, last=at + len(said), original=said, name=name, score=1.0, least=0.9
            )
            for said, name in self._heard.items()
            for at in _spots(text, said)
        ]

    def _candidates(self, heard: "_Heard") -> list[Replacement]:
        """The best reading of each name at each spot where enough of its syllables stand."""
        hits: dict[tuple[str, int], int] = defaultdict(int)
        for at, char in enumerate(heard.text):
            for offset, name in self._at.get(key(char), ()):
                for shift in (-1, 0, 1):
                    hits[name.text, at - offset + shift] += 2 if shift == 0 else 1
        best: dict[tuple[str, int], Replacement] = {}
        for (text, start), weight in hits.items():
            enough = weight >= (2 if len(text) <= MIDDLE else 4)
            one = _fit(heard, self.names[text], start) if enough else None
            if one and ((spot := (text, one.last)) not in best or best[spot].score < one.score):
                best[spot] = one
        return list(best.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Heard:
    """A segment as heard: see `Vocabulary.recover`; `areas` are those it names."""

    text: str
    conf: Sequence[float | None]
    edges: frozenset[int]
    areas: frozenset[str | None]


def _fit(heard: _Heard, name: Name, start: int) -> Replacement | None:
    """The best way to read a name at about `start`, if one sounds alike enough."""
    ways = [
        (_edges(heard, first, last), one)
        for first, last in _spans(len(name.text), start)
        if first >= 0 and last <= len(heard.text) and (one := _read(heard, name, first, last))
    ]
    if not ways:
        return None
    return max(ways, key=lambda way: way[1].score + BOTH_EDGES * way[0])[1]


def _spans(size: int, start: int) -> Iterator[tuple[int, int]]:
    """Where a name of `size` characters may stand; a long one may have lost or won a syllable."""
    for first in (start,) if size <= MIDDLE else (start, start + 1, start - 1):
        for more in (0,) if size <= SHORT else (0, 1, -1):
            yield first, first + size + more


def _edges(heard: _Heard, first: int, last: int) -> int:
    return (first in heard.edges) + (last in heard.edges)


def _read(heard: _Heard, name: Name, first: int, last: int) -> Replacement | None:
    """The name read in exactly these characters, None where it may not or sounds too little alike.

    A word of the recogniser must begin or end where the name does; a short name wants both.
    """
    size, said = len(name.text), heard.text[first:last]
    if said == name.text or _edges(heard, first, last) < (2 if size <= SHORT else 1):
        return None
    other = [heard.conf[at] for at in range(first, last) if heard.text[at] not in name.text]
    least = _least(size, other)
    if name.area in heard.areas and name.area != name.text:
        least -= AREA_HELPS
    score = alike(said, name.text)
    if score < least or not _has_its_area(said, name):
        return None
    return Replacement(first=first, last=last, original=said, name=name, score=score, least=least)


def _has_its_area(said: str, name: Name) -> bool:
    """Whether a name that begins with its area does so in what was said, too."""
    size = len(name.area or "")
    if not name.area or name.text == name.area or not name.text.startswith(name.area):
        return True
    return max(alike(said[: size + more], name.area) for more in (-1, 0, 1)) >= LEAST_OF_A_PART


def _leaves(one: Replacement, first: int, standing: str) -> bool:
    """Whether a replacement leaves alone a name that stands at `first`, or makes it much longer."""
    last = first + len(standing)
    if last <= one.first or one.last <= first:
        return True
    inside = one.first <= first and last <= one.last and standing in one.name.text
    if not inside or len(one.name.text) - len(standing) < SHORT:
        return False
    said = one.original[: first - one.first] + one.original[last - one.first :]
    return alike(said, one.name.text.replace(standing, "", 1)) >= LEAST_OF_A_PART


def _least(size: int, conf: Sequence[float | None]) -> float:
    """How alike a name of `size` syllables must sound to what was heard with this confidence."""
    low = LOWEST.get(size, LOWEST_LONG)
    high = HIGHEST.get(size, LONGEST)
    mean = sum(one if one is not None else UNSURE for one in conf) / len(conf) if conf else SURE
    share = min(1.0, max(0.0, (mean - UNSURE) / (SURE - UNSURE)))
    return low + (high - low) * share


def _spots(text: str, word: str) -> Iterable[int]:
    at = text.find(word)
    while at >= 0:
        yield at
        at = text.find(word, at + 1)
