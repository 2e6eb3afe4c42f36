"""How alike the words of two cases are: few rare sounds that they share; pure.

    words -> grams_of -> weighed (how rare each is now) -> marks_of, kept with the case
                                                        -> asked_by, by which others are found

A gram is a run of two or three sounds (sounds.py), so two recognisers that write one name with
different characters still agree. A gram weighs by how often these words say it and how rare it was
among the cases until now; what more than three cases in a hundred say is no sign of anything. Of
each case only the heaviest grams are kept (its marks), and others are found by the heaviest of the
asked ones that were heard before: so a look-up reads a few hundred rows however many cases there
are. Likeness is the cosine of both, between 0 and 1. Measured by tests/bench/bench_repeats.py.
"""

import math
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from operator import mul

from routing.sounds import exact

SHORTEST, LONGEST = 2, 3
READ = 4000
"""Characters of a case that are read; what is told later repeats itself."""
MARK_BITS = 24
MARKS = 64
ASKED = 32
READ_ROWS = 2000
"""Cases that the asked grams may lead to, all together, by what is known of their rarity."""
BEGINNING = 100
"""Cases that are taken to have been before the first one: a new city's first words weigh, too."""
COMMON_SHARE, COMMON_FROM = 0.03, 20
ALIKE = 0.08
"""From here on a case is worth showing beside another."""
TOGETHER = 0.18
"""From here on a case is suggested for a group: by the sum of its three likest members."""
BEST = 3
PIECES = 3
_RUN = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What is kept of a case's words: its heaviest grams, their weights, and their length."""

    weights: Mapping[int, float]
    length: float
    """The Euclidean length of the weights."""


def marked(weights: Mapping[int, float]) -> Marks:
    """Marks with their length."""
    length = math.sqrt(sum(weight * weight for weight in weights.values()))
    return Marks(weights=weights, length=length)


def mark_of(gram: str) -> int:
    """The number that stands for a gram; one in some millions is shared by two."""
    return zlib.crc32(gram.encode()) >> (32 - MARK_BITS)


def grams_of(text: str) -> Counter[int]:
    """How often each gram is said."""
    found: Counter[int] = Counter()
    for _, _, mark in _placed(text):
        found[mark] += 1
    return found


def _placed(text: str) -> Iterable[tuple[int, int, int]]:
    """Every gram with where it begins and ends in the text."""
    for run in _RUN.finditer(text[:READ].lower()):
        heard = exact(run[0])
        for size in range(SHORTEST, LONGEST + 1):
            for start in range(len(heard) - size + 1):
                begins = run.start() + start
                yield begins, begins + size, mark_of(heard[start : start + size])


def weighed(grams: Mapping[int, int], seen: Mapping[int, int], cases: int) -> dict[int, float]:
    """What each gram weighs.

    Args:
        grams: how often these words say each.
        seen: how many cases said it until now; a missing one was never heard.
        cases: how many cases there were until now.
    """
    common = max(COMMON_FROM, COMMON_SHARE * cases)
    return {
        mark: math.log((BEGINNING + cases) / (1 + seen.get(mark, 0))) * (1 + math.log(times))
        for mark, times in grams.items()
        if seen.get(mark, 0) <= common
    }


def marks_of(weights: Mapping[int, float]) -> Marks:
    """The heaviest grams, which are kept with the case."""
    return marked({mark: weights[mark] for mark in _heaviest(weights, weights)[:MARKS]})


def asked_by(weights: Mapping[int, float], seen: Mapping[int, int]) -> tuple[int, ...]:
    """The heaviest grams that were heard before, as many as lead to a readable number of cases."""
    asked: list[int] = []
    rows = 0
    for mark in _heaviest([mark for mark in weights if seen.get(mark, 0)], weights):
        if len(asked) == ASKED:
            break
        if rows + seen[mark] <= READ_ROWS:
            rows += seen[mark]
            asked.append(mark)
    return tuple(asked)


def _heaviest(marks: Iterable[int], weights: Mapping[int, float]) -> list[int]:
    return sorted(marks, key=lambda mark: (-weights[mark], mark))


def likeness(asked: Marks, kept: Marks) -> float:
    """The cosine of the angle between the words asked about and what is kept of others."""
    return cosine(asked, tuple(kept.weights), tuple(kept.weights.values()))


def cosine(asked: Marks, marks: Sequence[int], weights: Sequence[float]) -> float:
    """The same of marks as they are stored; a look-up does this for a thousand cases."""
    get = asked.weights.get
    shared = sum(map(mul, map(get, marks, repeat(0.0)), weights))
    if not shared:
        return 0.0
    return float(shared / (asked.length * math.sqrt(sum(map(mul, weights, weights)))))


def together(scores: Iterable[float]) -> float:
    """How well a case fits a group: the sum of its three likest members."""
    return sum(sorted(scores, reverse=True)[:BEST])


def shared_words(text: str, asked: Marks, kept: Marks) -> tuple[str, ...]:
    """The pieces of the text that the other says, too: those that weigh most, as reasons."""
    common = asked.weights.keys() & kept.weights.keys()
    places = sorted(
        (start, end, asked.weights[mark]) for start, end, mark in _placed(text) if mark in common
    )
    pieces: Counter[str] = Counter()
    for start, end, weight in _joined(places):
        pieces[text[start:end]] = max(pieces[text[start:end]], round(weight))
    return tuple(piece for piece, _ in pieces.most_common(PIECES))


def _joined(places: Sequence[tuple[int, int, float]]) -> list[tuple[int, int, float]]:
    """Places that lie over each other, as one with all their weight."""
    joined: list[tuple[int, int, float]] = []
    for start, end, weight in places:
        if joined and start < joined[-1][1]:
            begins, ends, so_far = joined[-1]
            joined[-1] = (begins, max(end, ends), so_far + weight)
        else:
            joined.append((start, end, weight))
    return joined
