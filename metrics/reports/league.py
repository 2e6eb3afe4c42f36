"""The league table of units: classes, weights, exclusions and granted appeals; pure.

No source that was read gives weights; ours are data (`deploy/league.yaml`, or the city's own copy),
named with a version that every frozen month keeps. National guidance warns against chasing a
ranking (国办函〔2025〕66号 as reported, domain facts 1.1), so units with too few items are not
ranked, and every unit left out is named with its reason.

A score is the weighted mean of a unit's rates, in hundredths of 100, from exact fractions: the same
figures under the same rules give the same score, on every machine. A rate without anything to
divide by carries no weight. Where low is good the rate counts as one minus itself. A granted appeal
takes one item that counted against the unit out of both numbers.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from metrics.indicators.definitions import Better, Figure, Measure
from metrics.indicators.every import BY_KEY
from routing.documents import Document, read_document

FILE = "league.yaml"
_CENT = Decimal("0.01")
HEAVIEST = 1000


class Exclusion(Document):
    """A unit that is not ranked, and why."""

    unit: str = Field(min_length=1)
    reason: str = Field(min_length=4)


class Group(Document):
    """A class of units that are compared with each other only."""

    name: str = Field(min_length=1)
    units: tuple[str, ...] = Field(min_length=1)


class LeagueRules(Document):
    """One version of the rules; `name` ends in the version, `default/1`."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*/[1-9][0-9]*$")
    basis: str = Field(min_length=4)
    weights: dict[str, int] = Field(min_length=1)
    least: int = Field(ge=1)
    """Items a unit must have been given in the month to be ranked."""
    groups: tuple[Group, ...] = ()
    """Classes by name; units in none are classed by the directory: of the city, or of an area."""
    excluded: tuple[Exclusion, ...] = ()

    @model_validator(mode="after")
    def _known(self) -> Self:
        for key, weight in self.weights.items():
            known = BY_KEY.get(key)
            if known is None or not known.by_unit or known.measure is not Measure.RATIO:
                raise ValueError(f"weights.{key}: no rate of units has this name")
            if not 1 <= weight <= HEAVIEST:
                raise ValueError(f"weights.{key}: a weight lies between 1 and {HEAVIEST}")
        named = [unit for group in self.groups for unit in group.units]
        if len(named) != len(set(named)):
            raise ValueError("groups: a unit stands in two")
        return self

    def fingerprint(self) -> str:
        """The hash of what it says: rules changed under the same name are other rules."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def load_league(city: Path, shipped: Path) -> LeagueRules:
    """The city's own rules, else those that ship.

    Raises:
        DataFault: the file is wrong; one sentence says where.
    """
    own = city / FILE
    return read_document(own if own.exists() else shipped / FILE, LeagueRules)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A rate of a unit's score: its two numbers after `granted` appeals."""

    key: str
    numerator: int
    denominator: int
    weight: int
    granted: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A unit in the table; `rank` within its class, None where it is not ranked for a `reason`."""

    unit: str
    group: str
    dispatched: int
    parts: tuple[Part, ...]
    score: Decimal | None
    rank: int | None
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitFigures:
    """What is known of a unit in the month."""

    unit: str
    group: str
    dispatched: int
    figures: Mapping[str, Figure]


def league(
    units: Sequence[UnitFigures],
    rules: LeagueRules,
    granted: Mapping[tuple[str, str], int] | None = None,
) -> tuple[Place, ...]:
    """The table by class, best first; `granted` appeals by unit and indicator."""
    left_out = {one.unit: one.reason for one in rules.excluded}
    classes = {unit: group.name for group in rules.groups for unit in group.units}
    placed = [
        _placed(one, classes.get(one.unit, one.group), rules, left_out, granted or {})
        for one in units
    ]
    ranked: list[Place] = []
    for group in sorted({one.group for one in placed}):
        ranked += _ranked([one for one in placed if one.group == group])
    return tuple(ranked)


def _placed(
    one: UnitFigures,
    group: str,
    rules: LeagueRules,
    left_out: Mapping[str, str],
    granted: Mapping[tuple[str, str], int],
) -> Place:
    parts = tuple(
        _part(one.figures[key], weight, granted.get((one.unit, key), 0))
        for key, weight in rules.weights.items()
    )
    reason = left_out.get(one.unit)
    if reason is None and one.dispatched < rules.least:
        reason = f"不足{rules.least}件 / fewer than {rules.least} items"
    return Place(
        unit=one.unit,
        group=group,
        dispatched=one.dispatched,
        parts=parts,
        score=score(parts),
        rank=None,
        reason=reason,
    )


def _part(figure: Figure, weight: int, appeals: int) -> Part:
    top, bottom = int(figure.numerator), int(figure.denominator)
    low = figure.indicator.better is Better.LOW
    granted = min(appeals, top if low else bottom - top)
    return Part(
        key=figure.indicator.key,
        numerator=top - granted if low else top,
        denominator=bottom - granted,
        weight=weight,
        granted=granted,
    )


def score(parts: Sequence[Part]) -> Decimal | None:
    """The weighted mean of the rates as 0 to 100; None without anything to divide by."""
    told = [one for one in parts if one.denominator]
    if not told:
        return None
    whole = sum(one.weight for one in told)
    mean = sum((one.weight * good(one) for one in told), Fraction()) / whole
    exact = Decimal(mean.numerator * 100) / Decimal(mean.denominator)
    return exact.quantize(_CENT, rounding=ROUND_HALF_EVEN)


def good(part: Part) -> Fraction:
    """The rate with high for good."""
    rate = Fraction(part.numerator, part.denominator)
    return 1 - rate if BY_KEY[part.key].better is Better.LOW else rate


def _ranked(places: Sequence[Place]) -> list[Place]:
    """Best first; equal scores share a rank; who is not ranked stands last."""
    fit = [one for one in places if one.reason is None and one.score is not None]
    fit.sort(key=lambda one: (-(one.score or Decimal(0)), one.unit))
    others = sorted((one for one in places if one not in fit), key=lambda one: one.unit)
    found: list[Place] = []
    for position, one in enumerate(fit, start=1):
        before = found[-1] if found else None
        rank = before.rank if before and before.score == one.score else position
        found.append(
            Place(
                unit=one.unit,
                group=one.group,
                dispatched=one.dispatched,
                parts=one.parts,
                score=one.score,
                rank=rank,
                reason=None,
            )
        )
    return found + others
