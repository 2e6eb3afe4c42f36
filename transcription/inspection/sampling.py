"""Which calls people listen to: a share of each operator's, and all that ask for it. Pure.

The draw is by the hash of a seed and the call's number: whoever knows the seed can draw again and
gets the same calls, and nobody chose them. The share is drawn from all calls of an operator before
those that stand out are added, so that what the drawn ones show is true of all of them.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil

from transcription.inspection.form import People


class Because(StrEnum):
    """Why a person listens to a call."""

    SERIOUS = "serious"
    LOW = "low"
    DRAWN = "drawn"
    NEWCOMER = "newcomer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An answered call of the week."""

    call_id: int
    operator: str
    low: bool
    serious: bool
    newcomer: bool
    """Its operator answers calls for a short time only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A call to listen to, why, and by how many people, each without knowing of the other."""

    call_id: int
    operator: str
    because: tuple[Because, ...]
    scorers: int


def plan(calls: Iterable[Candidate], rules: People, seed: str) -> tuple[Chosen, ...]:
    """The calls of a week that people listen to, by number."""
    by_operator: dict[str, list[Candidate]] = defaultdict(list)
    for one in calls:
        by_operator[one.operator].append(one)
    chosen: list[tuple[Candidate, tuple[Because, ...]]] = []
    for theirs in by_operator.values():
        drawn = _drawn(theirs, rules, seed)
        chosen += [(one, why) for one in theirs if (why := _because(one, drawn))]
    twice = _twice([one.call_id for one, _ in chosen], rules, seed)
    found = [
        Chosen(
            call_id=one.call_id,
            operator=one.operator,
            because=why,
            scorers=2 if one.call_id in twice else 1,
        )
        for one, why in chosen
    ]
    return tuple(sorted(found, key=lambda one: one.call_id))


def drawn_at_least(calls: int, rules: People, *, newcomer: bool) -> int:
    """How many of so many calls of an operator are drawn."""
    share = rules.newcomer_share if newcomer else rules.share
    return min(calls, max(rules.least, ceil(share * calls)))


def _drawn(theirs: Sequence[Candidate], rules: People, seed: str) -> frozenset[int]:
    size = drawn_at_least(len(theirs), rules, newcomer=any(one.newcomer for one in theirs))
    return frozenset(sorted((one.call_id for one in theirs), key=_lot(seed, "draw"))[:size])


def _because(one: Candidate, drawn: frozenset[int]) -> tuple[Because, ...]:
    why = []
    if one.serious:
        why.append(Because.SERIOUS)
    if one.low:
        why.append(Because.LOW)
    if one.call_id in drawn:
        why.append(Because.NEWCOMER if one.newcomer else Because.DRAWN)
    return tuple(why)


def _twice(calls: Sequence[int], rules: People, seed: str) -> frozenset[int]:
    return frozenset(sorted(calls, key=_lot(seed, "twice"))[: ceil(rules.double * len(calls))])


class _lot:  # noqa: N801 - a key for sorting
    """The place of a call in a draw."""

    def __init__(self, seed: str, what: str) -> None:
        self._head = f"{seed}/{what}/"

    def __call__(self, call_id: int) -> str:
        return hashlib.sha256(f"{self._head}{call_id}".encode()).hexdigest()
