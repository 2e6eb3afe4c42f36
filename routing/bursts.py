"""When many cases of one sort in one area are a burst: more than chance makes of the usual; pure.

Looked at whenever a case comes: how many there were within the last hour, day and week, against
how many such a stretch of time usually has (the four weeks before it). A burst needs a least number
and a count that chance gives too rarely, by the Poisson distribution. The numbers are measured: in
a year of real messages they raise the two hot topics there were, and nothing else
(tests/bench/bench_repeats.py).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

USUAL_OVER = timedelta(days=28)
RAREST_USUAL = 0.05
"""Cases a stretch that are taken for usual where there never was one; so few prove nothing."""
ALIKE_ENOUGH = 0.12
"""How alike two cases must be to speak of one thing that happens now."""


class BurstSort(StrEnum):
    """What a burst's cases have in common beside their area."""

    ALIKE = "alike"
    """Their words."""
    CATEGORY = "category"
    """Only their level-1 category."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A length of time that is looked at, how many cases in it may be a burst, and how likely.

    `chance` is the probability of so many where all is as usual, from which on down it is one.
    """

    length: timedelta
    least: int
    chance: float


STRETCHES = {
    BurstSort.ALIKE: (
        Stretch(length=timedelta(hours=1), least=4, chance=1e-3),
        Stretch(length=timedelta(days=1), least=4, chance=1e-3),
        Stretch(length=timedelta(days=7), least=7, chance=1e-3),
    ),
    BurstSort.CATEGORY: (
        Stretch(length=timedelta(hours=1), least=8, chance=1e-6),
        Stretch(length=timedelta(days=1), least=20, chance=1e-6),
    ),
}
LOOK_BACK = USUAL_OVER + timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unusual:
    """A stretch with more cases than chance makes of the usual number."""

    stretch: Stretch
    cases: int
    usual: float


def unusual(sort: BurstSort, moments: Sequence[datetime], now: datetime) -> Unusual | None:
    """Return the shortest stretch up to `now` that has a burst, None where all is as usual.

    Args:
        sort: what the cases have in common; it sets how many are many.
        moments: when each of them came, over `LOOK_BACK`, this one's own among them.
        now: the moment of the newest.
    """
    for stretch in STRETCHES[sort]:
        begins = now - stretch.length
        cases = sum(begins < at <= now for at in moments)
        before = sum(begins - USUAL_OVER < at <= begins for at in moments)
        usual = max(RAREST_USUAL, before * (stretch.length / USUAL_OVER))
        if cases >= stretch.least and chance_of(cases, usual) <= stretch.chance:
            return Unusual(stretch=stretch, cases=cases, usual=usual)
    return None


def chance_of(cases: int, usual: float) -> float:
    """The probability of so many or more where `usual` are to be expected (Poisson).

    Summed from the top, where each term is smaller than the one before it: a difference from one
    would lose what is rare.
    """
    term = math.exp(cases * math.log(usual) - usual - math.lgamma(cases + 1))
    total, n = 0.0, cases
    while term > total * 1e-12:
        total += term
        n += 1
        term *= usual / n
        if n > cases + 10_000:
            break
    return min(1.0, total)
