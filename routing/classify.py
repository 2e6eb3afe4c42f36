"""What the words of a call or message suggest: category, kind, urgency, area and unit; pure.

Rules and the city's names always speak; a trained model joins in where there is one. Emergency
words are rules alone, so no model can hide an emergency or invent one. Everything suggested comes
with its reasons, and a person decides.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from routing.cases import DUTY_LINE, Kind, Urgency
from routing.directory import City, Unit
from routing.heard import Passage, heard
from routing.leaves import Leaf, Leaves
from routing.lexicon import Hit
from routing.places import Found, best_area
from routing.rules import LEVEL1, Rules
from routing.suggestions import Alternative, Reason, Suggestion
from transcription.transcripts import Turn

OPERATOR_WEIGHT = 0.2  # the operator asks and explains; what is wanted the caller says
OPENING = 45  # characters: people say what they want first
OPENING_WEIGHT = 1.5
SOUND_WEIGHT = 0.6
REPEATED = 0.3  # how much the second and later mention of one word adds, each a third of the last
# Fitted on labelled messages, so that a share reads as a probability (bench_classify.py).
SMOOTHING = 1.5
SHARPNESS = 2.3
RULES_BESIDE_MODEL = 0.1
FEW = 3  # alternatives and reasons of one sort that are worth reading
WORTH_NAMING = 0.03
EMERGENCY_ENOUGH = 4.0
URGENT_ENOUGH = 2.0
NEGATABLE = frozenset({"kind", "urgency"})
ONLY_CALLER = frozenset({"kind", "urgency"})


class Model(Protocol):
    """A trained classifier: the probability of each category it was shown."""

    @property
    def version(self) -> str:
        """Name and fingerprint of the model."""
        ...

    @property
    def leaves(self) -> Leaves | None:
        """What the leaves of a catalogue sound like, where it was trained with one."""
        ...

    def judge(self, text: str) -> tuple[Mapping[str, float], Sequence[tuple[str, float]]]:
        """Return one probability a category, and the pieces of text behind the likeliest."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """A hit with what it counts here."""

    hit: Hit
    weight: float


class Classifier:
    """Suggests what a case is, from words, with reasons."""

    def __init__(
        self, city: City, model: Model | None = None, leaves: Leaves | None = None
    ) -> None:
        self._city = city
        self._rules: Rules = city.rules
        self._model = model
        self._leaves = leaves

    def suggest(self, said: str | Sequence[Turn], line: str | None = None) -> Suggestion:
        """Return what a message or a dialogue suggests; silence suggests nothing but a call."""
        passages = heard(said)
        weighed = list(self._weighed(passages))
        urgency, urgency_reasons = _urgency(weighed)
        kind, kind_reasons = _kind(weighed, urgency, line)
        levels, level_reasons = self._level1(passages, weighed)
        places = [found for one in passages for found in self._city.places.find(one)]
        area, area_reasons = _area(places)
        level1 = max(levels, key=lambda name: levels[name]) if levels else None
        unit, unit_reasons = self._unit(passages, level1, area)
        return Suggestion(
            level1=level1,
            confidence=levels[level1] if level1 else 0.0,
            kind=kind,
            urgency=urgency,
            area=area,
            unit=unit,
            reasons=(
                *urgency_reasons,
                *level_reasons.get(level1 or "", ()),
                *kind_reasons,
                *area_reasons,
                *unit_reasons,
            ),
            alternatives=_alternatives(levels, level1),
            leaves=self._likeliest(passages, levels),
            rules_version=self._rules.version,
            model_version=self._model.version if self._model else None,
        )

    def _likeliest(
        self, passages: Sequence[Passage], levels: Mapping[str, float]
    ) -> tuple[Leaf, ...]:
        if self._leaves is None or not levels:
            return ()
        return self._leaves.likeliest(_callers(passages), levels)

    def _weighed(self, passages: Sequence[Passage]) -> Iterable[Weighed]:
        told = 0
        mentions: dict[tuple[str, str, str], int] = defaultdict(int)
        for one in passages:
            for hit in self._rules.lexicon.find(one):
                if hit.target.sort in NEGATABLE and self._rules.negated(hit):
                    continue
                if hit.target.sort in ONLY_CALLER and one.from_operator:
                    continue
                weight = hit.weight * (OPERATOR_WEIGHT if one.from_operator else 1.0)
                if not one.from_operator and told + hit.start < OPENING:
                    weight *= OPENING_WEIGHT
                if hit.by_sound:
                    weight *= SOUND_WEIGHT
                key = (hit.target.sort, hit.target.value, hit.word)
                weight *= REPEATED ** min(mentions[key], 4)
                mentions[key] += 1
                yield Weighed(hit=hit, weight=weight)
            told += 0 if one.from_operator else len(one.text)

    def _level1(
        self, passages: Sequence[Passage], weighed: Iterable[Weighed]
    ) -> tuple[dict[str, float], dict[str, list[Reason]]]:
        scores: dict[str, float] = defaultdict(float)
        reasons: dict[str, list[Reason]] = defaultdict(list)
        for one in sorted(weighed, key=lambda it: -it.weight):
            if one.hit.target.sort == "level1":
                name = one.hit.target.value
                scores[name] += one.weight
                if len(reasons[name]) < FEW:
                    reasons[name].append(_reason(one))
        shares = _shares(scores)
        if self._model is None or not passages:
            return shares, reasons
        judged, pieces = self._model.judge(_callers(passages))
        joined = _joined(judged, shares, scores)
        best = max(judged, key=lambda name: judged[name])
        reasons[best] += (
            Reason(sort="level1", value=best, by="model", text=piece, weight=round(weight, 3))
            for piece, weight in pieces
        )
        return joined, reasons

    def _unit(
        self, passages: Sequence[Passage], level1: str | None, area: str | None
    ) -> tuple[str | None, list[Reason]]:
        scored = [
            (*_unit_score(unit, passages, level1), unit)
            for unit in self._city.units
            if unit.area in {None, area}
        ]
        score, words, unit = max(scored, key=lambda it: (it[0], it[2].area is not None))
        if score == 0:
            return None, []
        by = "duty" if words else "level1"
        text = "、".join(dict.fromkeys(words)) or (level1 or "")
        return unit.name, [
            Reason(sort="unit", value=unit.name, by=by, text=text, weight=round(score, 2))
        ]


def _callers(passages: Sequence[Passage]) -> str:
    """What the caller said, or all of it where nobody knows who spoke."""
    text = "\n".join(one.original for one in passages if not one.from_operator)
    return text or "\n".join(one.original for one in passages)


LEADS_CATEGORY = 2.0
SAME_AREA = 0.5


def _unit_score(
    unit: Unit, passages: Sequence[Passage], level1: str | None
) -> tuple[float, list[str]]:
    """Weigh a unit's own words by their length; leading the category counts more than one word."""
    leads = level1 is not None and level1 in unit.level1
    if unit.protected and not leads:
        return 0.0, []
    score = LEADS_CATEGORY if leads else 0.0
    words = [word for word in unit.keywords if any(word in one.text for one in passages)]
    for word in words:
        by_caller = any(word in one.text for one in passages if not one.from_operator)
        score += len(word) ** 0.5 * (1.0 if by_caller else OPERATOR_WEIGHT)
    return score + (SAME_AREA if score and unit.area else 0.0), words


def _urgency(weighed: Sequence[Weighed]) -> tuple[Urgency, list[Reason]]:
    """The plain weights count here: an emergency is one wherever in the call it is told."""
    for urgency, enough in (
        (Urgency.EMERGENCY, EMERGENCY_ENOUGH),
        (Urgency.URGENT, URGENT_ENOUGH),
    ):
        hits = [
            one
            for one in weighed
            if one.hit.target.sort == "urgency" and one.hit.target.value == urgency
        ]
        if any(one.hit.weight >= enough for one in hits):
            return urgency, [_reason(one) for one in hits[:FEW]]
    return Urgency.NORMAL, []


def _kind(
    weighed: Sequence[Weighed], urgency: Urgency, line: str | None
) -> tuple[Kind, list[Reason]]:
    """An emergency is an incident; else the words decide, and help is what remains."""
    scores: dict[str, float] = defaultdict(float)
    reasons: dict[str, list[Reason]] = defaultdict(list)
    for one in weighed:
        if one.hit.target.sort == "kind":
            scores[one.hit.target.value] += one.weight
            reasons[one.hit.target.value].append(_reason(one))
    if urgency is Urgency.EMERGENCY:
        return Kind.INCIDENT, reasons[Kind.INCIDENT][:FEW]
    if line != DUTY_LINE:  # what a newspaper calls an incident is one only when it is happening
        scores.pop(Kind.INCIDENT, None)
    if not scores:
        return Kind.HELP, []
    best = Kind(max(scores, key=lambda name: scores[name]))
    return best, sorted(reasons[best], key=lambda it: -it.weight)[:FEW]


def _area(places: Sequence[Found]) -> tuple[str | None, list[Reason]]:
    best = best_area(places)
    if best is None:
        return None, []
    area = best[0]
    return area, [
        Reason(
            sort="area",
            value=found.place.name,
            by="name" if found.likeness == 1.0 else "sound",
            text=found.said,
            weight=round(found.likeness, 2),
            start=found.passage.span(found.start, found.end)[0],
            end=found.passage.span(found.start, found.end)[1],
            turn=found.passage.turn,
            at=found.passage.at,
        )
        for found in places
        if found.place.area == area
    ][:FEW]


def _shares(scores: Mapping[str, float]) -> dict[str, float]:
    """Turn rule scores into shares of one; little evidence leaves every share small."""
    if not scores:
        return {}
    powers = {name: (scores.get(name, 0.0) + SMOOTHING) ** SHARPNESS for name in LEVEL1}
    total = sum(powers.values())
    return {name: power / total for name, power in powers.items()}


def _joined(
    model: Mapping[str, float], shares: Mapping[str, float], scores: Mapping[str, float]
) -> dict[str, float]:
    """Join model and rules: as independent evidence where the model can speak, the rules softly.

    Of categories it was never shown a model knows nothing; there the rules alone speak, with the
    share of the evidence that they found for them.
    """
    even = 1.0 / len(LEVEL1)
    weights = {
        name: math.log(max(share, 1e-9)) + RULES_BESIDE_MODEL * math.log(shares.get(name, even))
        for name, share in model.items()
    }
    top = max(weights.values())
    powers = {name: math.exp(weight - top) for name, weight in weights.items()}
    evidence = sum(scores.values()) + SMOOTHING * len(LEVEL1)
    unseen = {name: score / evidence for name, score in scores.items() if name not in model}
    left = (1.0 - sum(unseen.values())) / sum(powers.values())
    return {name: power * left for name, power in powers.items()} | unseen


def _alternatives(levels: Mapping[str, float], best: str | None) -> tuple[Alternative, ...]:
    others = sorted(
        ((name, share) for name, share in levels.items() if name != best), key=lambda it: -it[1]
    )
    return tuple(
        Alternative(level1=name, confidence=round(share, 4))
        for name, share in others[:FEW]
        if share >= WORTH_NAMING
    )


def _reason(one: Weighed) -> Reason:
    hit = one.hit
    start, end = hit.passage.span(hit.start, hit.end)
    return Reason(
        sort=hit.target.sort,
        value=hit.target.value,
        by="sound" if hit.by_sound else "word",
        text=hit.said,
        weight=round(one.weight, 2),
        start=start,
        end=end,
        turn=hit.passage.turn,
        at=hit.passage.at,
    )
