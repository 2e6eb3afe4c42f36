"""How far two people who scored the same calls agree. Pure.

Cohen's kappa (J. Cohen, A coefficient of agreement for nominal scales, Educational and
Psychological Measurement 20, 1960, 37-46): the agreement beyond what chance alone would give,
(observed - expected) / (1 - expected); 1 is full agreement, 0 what chance gives. Where both said
the same of every call chance explains all of it, and there is no kappa.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Of how many pairs how many agreed; kappa is None where nothing can be said."""

    pairs: int
    agreed: int
    kappa: float | None


def agreement(pairs: Sequence[tuple[bool, bool]]) -> Agreement:
    """How far two agree on whether something was lost, over the calls both judged."""
    agreed = sum(a == b for a, b in pairs)
    if not pairs:
        return Agreement(pairs=0, agreed=0, kappa=None)
    size = len(pairs)
    ours = Fraction(sum(a for a, _ in pairs), size)
    theirs = Fraction(sum(b for _, b in pairs), size)
    expected = ours * theirs + (1 - ours) * (1 - theirs)
    if expected == 1:
        return Agreement(pairs=size, agreed=agreed, kappa=None)
    kappa = (Fraction(agreed, size) - expected) / (1 - expected)
    return Agreement(pairs=size, agreed=agreed, kappa=round(float(kappa), 4))
