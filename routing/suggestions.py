"""What the words of a call or message suggest for its case, with the reasons; pure."""

from dataclasses import dataclass

from routing.cases import Kind, Urgency
from routing.leaves import Leaf


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why something is suggested: the very words, where they stand and what they speak for.

    `start` and `end` count characters in the message, or in the turn numbered `turn`; `at` is the
    turn's start in seconds of the recording. `by` is how it was found: `word`, `pair`, `sound`,
    `name`, `duty` or `model`.
    """

    sort: str
    value: str
    by: str
    text: str
    weight: float
    start: int | None = None
    end: int | None = None
    turn: int | None = None
    at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """Another category that is possible, with its confidence."""

    level1: str
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """What the words of a call or message suggest; a person confirms or corrects it.

    `confidence` is the probability that `level1` is right, as far as rules and model can tell.
    """

    level1: str | None
    confidence: float
    kind: Kind
    urgency: Urgency
    area: str | None = None
    unit: str | None = None
    reasons: tuple[Reason, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    leaves: tuple[Leaf, ...] = ()
    rules_version: str
    model_version: str | None = None
