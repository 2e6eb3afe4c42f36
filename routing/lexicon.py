"""Finds the words of our rules in what was said; pure, one walk over the text for all words.

Each word leads to what it speaks for (a category, a kind, an urgency) with a weight. A word inside
a longer word of the same sort does not count (工资 inside 拖欠工资), so lists may overlap freely.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from routing.heard import Passage
from routing.sounds import merged

SHORTEST_BY_SOUND = 3  # two syllables sound like too many other words


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a word speaks for: a sort (`level1`, `kind`, `urgency`, `unit`) and a value of it."""

    sort: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A word of the rules found in a passage, at characters `start` to `end` of its text."""

    target: Target
    weight: float
    passage: Passage
    start: int
    end: int
    word: str
    by_sound: bool = False

    @property
    def said(self) -> str:
        """The characters as they stand in the original."""
        first, last = self.passage.span(self.start, self.end)
        return self.passage.original[first:last]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two groups of words that mean something only near each other (燃气 ... 味道)."""

    target: Target
    weight: float
    first: frozenset[str]
    then: frozenset[str]
    within: int


class Lexicon:
    """All words of the rules, ready to be found."""

    def __init__(
        self,
        words: Mapping[str, Iterable[tuple[Target, float]]],
        pairs: Iterable[Pair] = (),
        by_sound: frozenset[str] = frozenset(),
    ) -> None:
        self._words = {word: tuple(targets) for word, targets in words.items()}
        self._pairs = tuple(pairs)
        parts = {part for pair in self._pairs for part in (*pair.first, *pair.then)}
        self._lengths = sorted({len(word) for word in (*self._words, *parts)}, reverse=True)
        self._known = parts | self._words.keys()
        self._sounds: dict[tuple[str, ...], str] = {}
        for sound_word in by_sound:
            if len(sound_word) >= SHORTEST_BY_SOUND:
                self._sounds[tuple(map(merged, sound_word))] = sound_word
        self._sound_lengths = sorted({len(key) for key in self._sounds})

    def find(self, passage: Passage) -> list[Hit]:
        """Return every hit in a passage, nested ones of the same sort left out."""
        spots = self._spots(passage.text)
        hits = [
            Hit(target=target, weight=weight, passage=passage, start=start, end=end, word=word)
            for word, places in spots.items()
            for start, end in places
            for target, weight in self._words.get(word, ())
        ]
        hits += self._pair_hits(passage, spots)
        hits += self._sound_hits(passage, spots)
        return _outermost(hits)

    def _spots(self, text: str) -> dict[str, list[tuple[int, int]]]:
        spots: dict[str, list[tuple[int, int]]] = defaultdict(list)
        known = self._known
        for length in self._lengths:
            for start in range(len(text) - length + 1):
                word = text[start : start + length]
                if word in known:
                    spots[word].append((start, start + length))
        return spots

    def _pair_hits(
        self, passage: Passage, spots: Mapping[str, list[tuple[int, int]]]
    ) -> Iterable[Hit]:
        for pair in self._pairs:
            firsts = [place for word in pair.first for place in spots.get(word, ())]
            thens = [place for word in pair.then for place in spots.get(word, ())] if firsts else []
            for a in firsts:
                for b in thens:
                    gap = max(a[0], b[0]) - min(a[1], b[1])
                    if 0 <= gap <= pair.within:
                        start, end = min(a[0], b[0]), max(a[1], b[1])
                        yield Hit(
                            target=pair.target,
                            weight=pair.weight,
                            passage=passage,
                            start=start,
                            end=end,
                            word=passage.text[start:end],
                        )

    def _sound_hits(
        self, passage: Passage, spots: Mapping[str, list[tuple[int, int]]]
    ) -> Iterable[Hit]:
        if not self._sounds:
            return
        sounds = tuple(map(merged, passage.text))
        for length in self._sound_lengths:
            for start in range(len(sounds) - length + 1):
                word = self._sounds.get(sounds[start : start + length])
                if word is None or (start, start + length) in spots.get(word, ()):
                    continue
                for target, weight in self._words[word]:
                    yield Hit(
                        target=target,
                        weight=weight,
                        passage=passage,
                        start=start,
                        end=start + length,
                        word=word,
                        by_sound=True,
                    )


def _outermost(hits: list[Hit]) -> list[Hit]:
    kept: dict[str, list[Hit]] = defaultdict(list)
    for hit in sorted(hits, key=lambda it: (it.start - it.end, it.start)):
        if not any(
            o.start <= hit.start and hit.end <= o.end and o.end - o.start > hit.end - hit.start
            for o in kept[hit.target.sort]
        ):
            kept[hit.target.sort].append(hit)
    return sorted((hit for group in kept.values() for hit in group), key=lambda it: it.start)
