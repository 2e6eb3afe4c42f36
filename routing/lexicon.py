"""Finds the words of our rules in what was said; pure, one walk over the text for all words.

Each word leads to what it speaks for (a category, a kind, an urgency) with a weight. A word inside
a longer word of the same sort does not count (工资 inside 拖欠工资), so lists may overlap freely.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from routing.finding import Finder
from routing.heard import Passage
from routing.sounds import alike, exact, merged

SHORTEST_BY_SOUND = 3  # two syllables sound like too many other words
SHORTEST_NEARLY = 4
NEARLY = 0.93  # 我要投注 for 我要投诉


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
        by_ear: frozenset[str] = frozenset(),
    ) -> None:
        self._words = {word: tuple(targets) for word, targets in words.items()}
        self._pairs = tuple(pairs)
        parts = {part for pair in self._pairs for part in (*pair.first, *pair.then)}
        self._finder = Finder(parts | self._words.keys())
        spoken = [word for word in self._words if len(word) >= SHORTEST_BY_SOUND]
        self._exact = {exact(word): word for word in spoken if word not in by_ear}
        self._merged = {merged(word): word for word in spoken if word in by_ear}
        self._exact_finder, self._merged_finder = Finder(self._exact), Finder(self._merged)
        self._near: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for word in spoken:
            if word in by_ear and len(word) >= SHORTEST_NEARLY:
                signs = merged(word)
                self._near[signs[:2]].append((0, word))
                self._near[signs[-2:]].append((len(signs) - 2, word))

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
        for start, word in self._finder.spots(text):
            spots[word].append((start, start + len(word)))
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
        exactly, nearly = passage.exact, passage.merged
        found = [
            *((at, self._exact[signs]) for at, signs in self._exact_finder.spots(exactly)),
            *((at, self._merged[signs]) for at, signs in self._merged_finder.spots(nearly)),
        ]
        for start, word in found:
            if (start, start + len(word)) not in spots.get(word, ()):
                yield from self._by_sound(passage, word, start)
        for at in range(len(nearly) - 1):
            for offset, word in self._near.get(nearly[at : at + 2], ()):
                start = at - offset
                said = passage.text[max(start, 0) : start + len(word)]
                if start >= 0 and said != word and NEARLY <= alike(said, word) < 1.0:
                    yield from self._by_sound(passage, word, start)

    def _by_sound(self, passage: Passage, word: str, start: int) -> Iterable[Hit]:
        for target, weight in self._words[word]:
            yield Hit(
                target=target,
                weight=weight,
                passage=passage,
                start=start,
                end=start + len(word),
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
