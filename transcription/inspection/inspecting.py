"""A talk and a form in, an inspection out. Pure: the same talk and form give the same result.

The score is what was kept of what could be judged: 100 times one minus the points lost over the
weight of the items judged. An item that was not asked for, or could not be judged, is in neither;
where less than the form's `judged` share of the weight could be judged there is no score.
"""

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

from telephony.calls import Leg
from transcription.inspection.checks import check
from transcription.inspection.form import AnyItem, Badge, Form, Never, ReadBack, Said
from transcription.inspection.judged import (
    Deduction,
    Inspection,
    Judged,
    Moment,
    Reason,
    Verdict,
)
from transcription.inspection.measures import legs_of, measure
from transcription.inspection.phrases import Ear, find
from transcription.inspection.seen import Found, Lost, Seen
from transcription.inspection.talk import Talk
from transcription.transcripts import mean_confidence

FULL = 100
_CENT = Decimal("0.01")
ONLY_AS_WRITTEN = Ear(alike=1.01)


def inspect(talk: Talk, form: Form) -> Inspection:
    """Inspect one call."""
    legs = legs_of(talk)
    measures = measure(talk, legs)
    window = talk.window
    if window is None or measures is None or measures.seconds <= 0:
        return _nothing(form, Reason.NO_TALK)
    if measures.seconds < form.least.seconds:
        return _nothing(form, Reason.TOO_SHORT)
    seen = Seen(talk=talk, window=window, legs=legs, measures=measures)
    items = tuple(_item(one, seen, form) for one in form.items)
    score = scored(items, form)
    return Inspection(
        form=form.name,
        fingerprint=form.fingerprint(),
        items=items,
        measures=measures,
        score=score,
        reason=None if score is not None else _why_not(items),
    )


def _nothing(form: Form, reason: Reason) -> Inspection:
    return Inspection(
        form=form.name,
        fingerprint=form.fingerprint(),
        items=tuple(
            Judged(key=one.key, verdict=Verdict.NOT_JUDGED, weight=one.most, reason=reason)
            for one in form.items
        ),
        measures=None,
        score=None,
        reason=reason,
    )


def scored(items: Sequence[Judged], form: Form) -> Decimal | None:
    """What was kept of what was judged, in hundredths; None where too little was."""
    asked = [one for one in items if one.verdict is not Verdict.NOT_ASKED]
    judged = [one for one in asked if one.verdict is not Verdict.NOT_JUDGED]
    weight = sum(one.weight for one in judged)
    every = sum(one.weight for one in asked)
    if not weight or weight < Fraction(form.least.judged) * every:
        return None
    kept = Fraction(FULL * (weight - sum(one.lost for one in judged)), weight)
    whole = Decimal(kept.numerator) / Decimal(kept.denominator)
    return whole.quantize(_CENT, ROUND_HALF_EVEN)


def _why_not(items: Sequence[Judged]) -> Reason:
    """The reason that keeps most weight from being judged."""
    weights: dict[Reason, int] = {}
    for one in items:
        if one.verdict is Verdict.NOT_JUDGED and one.reason is not None:
            weights[one.reason] = weights.get(one.reason, 0) + one.weight
    return max(weights, key=lambda reason: (weights[reason], reason), default=Reason.UNKNOWN)


def _item(item: AnyItem, seen: Seen, form: Form) -> Judged:
    found = _asked(item, seen) or _heard_enough(item, seen, form) or check(item, seen, form)
    if not found.asked:
        verdict = Verdict.NOT_ASKED
    elif not found.judged:
        verdict = Verdict.NOT_JUDGED
    else:
        verdict = Verdict.LOST if found.lost else Verdict.KEPT
    return Judged(
        key=item.key,
        verdict=verdict,
        weight=item.most,
        reason=found.lost[0].reason if found.lost else found.reason,
        deductions=_deductions(item, found.lost),
    )


def _asked(item: AnyItem, seen: Seen) -> Found | None:
    """Why an item is not asked for in this call; None where it is."""
    if item.lines and seen.talk.line not in item.lines:
        return Found(reason=Reason.OTHER_LINE, asked=False)
    if item.unless and any(find(leg, item.unless, ONLY_AS_WRITTEN) for leg in seen.legs.values()):
        return Found(reason=Reason.LET_OFF, asked=False)
    return None


def _heard_enough(item: AnyItem, seen: Seen, form: Form) -> Found | None:
    """Why an item about the operator's words cannot be judged; None where it can be tried."""
    if not isinstance(item, Said | Badge | ReadBack | Never):
        return None
    ours = seen.legs.get(Leg.OPERATOR)
    if ours is None:
        return None
    if ours.length < form.least.characters:
        return Found(reason=Reason.TOO_SHORT, judged=False)
    heard = seen.talk.operator
    sure = mean_confidence(heard.words) if heard else None
    if sure is not None and sure < form.least.confidence:
        return Found(reason=Reason.UNSURE, judged=False)
    return None


def _deductions(item: AnyItem, lost: Sequence[Lost]) -> tuple[Deduction, ...]:
    found, left = [], item.most
    for one in lost:
        points = min(item.points, left)
        left -= points
        moment = Moment(
            leg=one.leg, start=round(one.start, 2), end=round(one.end, 2), words=one.words
        )
        found.append(
            Deduction(
                item=item.key, points=points, reason=one.reason, moment=moment, facts=one.facts
            )
        )
    return tuple(found)
