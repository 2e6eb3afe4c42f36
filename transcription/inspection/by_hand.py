"""What a person heard, on the same form: checked, and scored by the same rule. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from transcription.inspection.form import Form
from transcription.inspection.inspecting import scored
from transcription.inspection.judged import Judged, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """How one item stands to a person; the seconds say where, if anywhere."""

    item: str
    verdict: Verdict
    lost: int = 0
    start: float | None = None
    end: float | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """A call as a person scored it."""

    marks: tuple[Mark, ...]
    weights: tuple[int, ...]
    score: Decimal


class MarksWrong(Exception):  # noqa: N818 - named for the fact
    """What a person marked does not fit the form; the sentence says where."""


def marked(given: Sequence[Mark], form: Form) -> Marked:
    """Check and score what a person marked, in the form's order.

    Raises:
        MarksWrong: an item is missing, unknown or twice there, or loses what it cannot.
    """
    by_key = {one.item: one for one in given}
    if len(by_key) < len(given):
        raise MarksWrong("items: an item is marked twice.")
    if unknown := sorted(set(by_key) - {item.key for item in form.items}):
        raise MarksWrong(f"items: the form {form.name} has no {unknown[0]}.")
    marks, weights = [], []
    for item in form.items:
        one = by_key.get(item.key)
        if one is None:
            raise MarksWrong(f"items: {item.key} is not marked; each item of the form is.")
        if (one.verdict is Verdict.LOST) != (one.lost > 0) or not 0 <= one.lost <= item.most:
            raise MarksWrong(f"items: {item.key} loses 1 to {item.most} points, or none.")
        if (one.start is None) != (one.end is None) or (one.start or 0) > (one.end or 0):
            raise MarksWrong(f"items: {item.key} has a start and an end in order, or neither.")
        marks.append(one)
        weights.append(item.most)
    score = scored([_judged(a, b) for a, b in zip(marks, weights, strict=True)], form)
    if score is None:
        raise MarksWrong("items: too few are judged for a score.")
    return Marked(marks=tuple(marks), weights=tuple(weights), score=score)


def differences(ours: Sequence[Mark], theirs: Sequence[Mark]) -> tuple[str, ...]:
    """The items that two people marked otherwise."""
    other = {one.item: (one.verdict, one.lost) for one in theirs}
    return tuple(one.item for one in ours if other.get(one.item) != (one.verdict, one.lost))


def _judged(one: Mark, weight: int) -> Judged:
    return _Lost(key=one.item, verdict=one.verdict, weight=weight, points=one.lost)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lost(Judged):
    """An item whose points a person gave."""

    points: int

    @property
    def lost(self) -> int:
        return self.points
