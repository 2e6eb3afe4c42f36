"""Which leaves of the catalogue of categories a text may belong to; pure.

Nobody labels leaves, so they are learnt from what is there: a message of a leaf's own level-1
category that says the leaf's name is taken for one of it, and what such messages say beside the
name is what the leaf sounds like. A leaf that no message names is known by its name alone. A text's
score for a leaf is its likeness to that, times the probability of the leaf's level-1 category: it
orders leaves, it is no probability. Measured by tests/bench/bench_classify.py.
"""

import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

REST = "其他"
"""What is left of a level-2 category; its name says nothing."""
SHORTEST_NAME = 2
SEEN_IN = 3
COMMON = 0.3
KEPT = 120
"""Pieces kept of what the messages of a leaf say, the heaviest ones."""
NAME_VOICE, PARENT_VOICE = 0.3, 0.1
FEW_MESSAGES = 2
SINGLE = 0.3
"""A character alone speaks so much softer than two together."""
MOST = 3
READ = 4000
LEAST_SHARE = 0.01
"""A level-1 category less likely than this has no leaf worth looking at."""
Path3 = tuple[str, str, str]
Loud = tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A leaf that is possible: level1/level2/level3, and its score, which only orders leaves."""

    path: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaves:
    """The leaves of a catalogue, what each sounds like, and how rare each piece is."""

    paths: tuple[Path3, ...]
    rarity: Mapping[str, float]
    sounds: Mapping[str, Loud]
    """Of each piece: the leaves whose messages say it, and how much."""
    called: Mapping[str, Loud]
    """Of each piece: the leaves whose names hold it, and how much of the name it is."""
    known: Mapping[str, tuple[float, Loud, Loud]] = field(init=False)
    """The three above in one, as one look-up a piece is half of the time that a text takes."""

    def __post_init__(self) -> None:
        known = {
            piece: (rare, self.sounds.get(piece, ()), self.called.get(piece, ()))
            for piece, rare in self.rarity.items()
        }
        object.__setattr__(self, "known", known)

    def likeliest(self, text: str, levels: Mapping[str, float]) -> tuple[Leaf, ...]:
        """The three best leaves of a text whose level-1 categories have these probabilities."""
        shares = {name: share for name, share in levels.items() if share >= LEAST_SHARE}
        scores = {
            number: shares[level1] * score
            for number, score in self._heard(_pieces(text)).items()
            if (level1 := self.paths[number][0]) in shares
        }
        best = sorted((it for it in scores if scores[it] > 0), key=lambda it: (-scores[it], it))
        return tuple(
            Leaf(path="/".join(self.paths[it]), score=round(scores[it], 4)) for it in best[:MOST]
        )

    def _heard(self, pieces: Mapping[str, int]) -> defaultdict[int, float]:
        scores: defaultdict[int, float] = defaultdict(float)
        named: list[Loud] = []
        square, known = 0.0, self.known.get
        for piece, times in pieces.items():
            if (found := known(piece)) is None:
                continue
            rare, sounds, called = found
            weight = rare if times == 1 else (1 + math.log(times)) * rare
            square += weight * weight
            for leaf, loud in sounds:
                scores[leaf] += loud * weight
            if called:
                named.append(called)
        length = math.sqrt(square) or 1.0
        for leaf in scores:
            scores[leaf] /= length
        for one in named:
            for leaf, loud in one:
                scores[leaf] += loud
        return scores


def _pieces(text: str) -> Counter[str]:
    plain = "".join(text.split())[:READ]
    found = Counter(plain)
    found.update(plain[i : i + 2] for i in range(len(plain) - 1))
    return found


@lru_cache(maxsize=4096)
def _of_name(name: str) -> tuple[str, ...]:
    return tuple(_pieces(name))


def _called(paths: Sequence[Path3], rarity: Mapping[str, float]) -> dict[str, Loud]:
    """How much of each leaf's own name and its parent's every piece is; a rest has only those."""
    found: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
    for number, (_, level2, level3) in enumerate(paths):
        for name, voice in ((level3, NAME_VOICE), (level2, PARENT_VOICE)):
            parts = _of_name(name)
            loud = {it: rarity.get(it, 1.0) * (SINGLE if len(it) == 1 else 1.0) for it in parts}
            total = sum(loud.values()) or 1.0
            for piece in loud if name != REST else ():
                found[piece].append((number, voice * loud[piece] / total))
    return {piece: tuple(them) for piece, them in found.items()}


def learnt(paths: Sequence[Path3], told: Iterable[tuple[str, str]] = ()) -> Leaves:
    """Learn what each leaf sounds like from messages (text, level-1 category) that say its name."""
    messages = [("".join(text.split()), label) for text, label in told]
    pieces = [_pieces(text) for text, _ in messages]
    named = frozenset(piece for path in paths for name in path for piece in _of_name(name))
    rarity = _rarity(pieces, named)
    sounds: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
    for number, path in enumerate(paths):
        for piece, loud in _sound(path, messages, pieces, rarity).items():
            sounds[piece].append((number, loud))
    kept = {it: rare for it, rare in rarity.items() if it in sounds or it in named}
    return Leaves(
        paths=tuple(paths),
        rarity=kept,
        sounds={piece: tuple(them) for piece, them in sounds.items()},
        called=_called(paths, kept),
    )


def _rarity(pieces: Sequence[Mapping[str, int]], names: Iterable[str]) -> dict[str, float]:
    seen: Counter[str] = Counter()
    for one in pieces:
        seen.update(one.keys())
    known = {it for it, times in seen.items() if SEEN_IN <= times <= COMMON * len(pieces)}
    known |= set(names)
    return {it: round(math.log((1 + len(pieces)) / (1 + seen[it])) + 0.1, 3) for it in known}


def names(path: Path3, text: str, label: str) -> bool:
    """Whether a message of a level-1 category says a leaf's name, and so is taken for one of it."""
    level1, _, level3 = path
    return label == level1 and level3 != REST and len(level3) >= SHORTEST_NAME and level3 in text


def _sound(
    path: Path3,
    messages: Sequence[tuple[str, str]],
    pieces: Sequence[Mapping[str, int]],
    rarity: Mapping[str, float],
) -> dict[str, float]:
    """What messages of a leaf say, the heaviest pieces, softer where there are few of them."""
    own = [n for n, (text, label) in enumerate(messages) if names(path, text, label)]
    total: defaultdict[str, float] = defaultdict(float)
    for n in own:
        weights = {
            it: (1 + math.log(times)) * rarity[it]
            for it, times in pieces[n].items()
            if it in rarity
        }
        length = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
        for it, weight in weights.items():
            total[it] += weight / length
    length = math.sqrt(sum(weight * weight for weight in total.values())) or 1.0
    voice = len(own) / (len(own) + FEW_MESSAGES)
    heaviest = sorted(total, key=lambda it: (-total[it], it))[:KEPT]
    return {it: round(voice * total[it] / length, 4) for it in heaviest}


def as_json(leaves: Leaves) -> str:
    """The leaves as JSON, as a model file keeps them."""
    return json.dumps(
        {"paths": leaves.paths, "rarity": leaves.rarity, "sounds": leaves.sounds},
        ensure_ascii=False,
    )


def from_json(text: str) -> Leaves:
    """What `as_json` wrote; raises `KeyError`, `TypeError` or `ValueError` for anything else."""
    found: dict[str, Any] = json.loads(text)
    paths = tuple((str(a), str(b), str(c)) for a, b, c in found["paths"])
    rarity = {str(piece): float(rare) for piece, rare in found["rarity"].items()}
    return Leaves(
        paths=paths,
        rarity=rarity,
        sounds={
            str(piece): tuple((int(leaf), float(loud)) for leaf, loud in them)
            for piece, them in found["sounds"].items()
        },
        called=_called(paths, rarity),
    )
