"""A policy pack: how long each sort of case and each stage may take, and by which rule; pure.

Packs are YAML files in deploy/policies/ and in the city's folder. A pack is never edited once in
force: a change is a new version beside it, and each case keeps the name of the version it was
opened under. What one limit can say stands in limits.py.
"""

import re
from collections.abc import Iterable
from datetime import time
from pathlib import Path
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from routing.cases import Kind, Urgency
from routing.documents import Document, faults, read_document
from routing.errors import DataFault, LimitMissing
from routing.limits import (
    ExtensionRule,
    Limit,
    Origin,
    Pausing,
    QuietHours,
    Sourced,
    Stage,
    Starts,
    Statutory,
    Unit,
)
from routing.supervision_rules import SupervisionRules

__all__ = ["Limit", "Origin", "Policy", "Unit", "load_policies", "newest", "read_policy"]

ARCHIVE = Sourced(
    amount=30,
    unit=Unit.CALENDAR_DAYS,
    basis="未见规定；办结满30日归档为本产品默认值（30日内的重复来电仍与原工单相连）",
    origin=Origin.OURS,
)
"""How long a closed case waits for the archive where its pack does not say."""
FOLDER = "policies"
"""The folder of a city's own packs inside its data folder."""


def _clock_time(value: object) -> object:
    # YAML 1.1 reads a bare 18:00 as the number 1080, pydantic would read that as seconds.
    if not isinstance(value, str) or not re.fullmatch(r"[0-2]\d:[0-5]\d", value):
        raise ValueError('write the time in quotes, like "18:00"')
    return value


def _clock_times(value: object) -> object:
    if isinstance(value, dict):
        for key in ("begins", "ends"):
            if key in value:
                _clock_time(value[key])
    return value


class Policy(Document):
    """A versioned pack of limits; the first limit that fits a case is the one that counts."""

    policy: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    version: int = Field(ge=1, le=999_999)
    title: str = Field(min_length=1)
    source: str = Field(min_length=1)
    day_begins: Annotated[time, BeforeValidator(_clock_time)] | None = None
    day_ends: Annotated[time, BeforeValidator(_clock_time)]
    day_ends_basis: str = Field(min_length=1)
    limits: tuple[Limit, ...] = Field(min_length=1)
    stages: dict[Stage, Annotated[tuple[Limit, ...], Field(min_length=1)]] = Field(
        default_factory=dict
    )
    extension: ExtensionRule | None = None
    statutory: tuple[Statutory, ...] = ()
    pausing: Pausing = Pausing.NONE
    call_back_tries: int = Field(default=3, ge=1, le=20)
    """How often a caller is tried before his case may be closed without his word."""
    quiet_hours: Annotated[QuietHours, BeforeValidator(_clock_times)] | None = None
    archive: Sourced = ARCHIVE
    """From the closing to the archive."""
    supervision: SupervisionRules | None = None
    """What triggers supervision and how it rises; None follows this product's defaults."""

    @property
    def name(self) -> str:
        """Name and version as a case keeps it, for example `sichuan-2025/1`."""
        return f"{self.policy}/{self.version}"

    @field_validator("stages")
    @classmethod
    def _no_second_place(
        cls, stages: dict[Stage, tuple[Limit, ...]]
    ) -> dict[Stage, tuple[Limit, ...]]:
        if Stage.HANDLING in stages:
            raise ValueError("the limits of handling stand under limits, not under stages")
        return stages

    @field_validator("statutory")
    @classmethod
    def _once(cls, statutory: tuple[Statutory, ...]) -> tuple[Statutory, ...]:
        ids = [one.id for one in statutory]
        twice = next((it for it in ids if ids.count(it) > 1), None)
        if twice:
            raise ValueError(f"the statutory limit {twice} stands twice")
        return statutory

    @model_validator(mode="after")
    def _covers_everything(self) -> Self:
        for kind in Kind:
            for urgency in Urgency:
                if not any(limit.fits(kind, urgency, None, None) for limit in self.limits):
                    raise ValueError(f"no limit is given for a {kind} that is {urgency}")
        return self

    @model_validator(mode="after")
    def _each_can_count(self) -> Self:
        for place, limits in self._places():
            for n, later in enumerate(limits):
                before = next((m for m in range(n) if limits[m].hides(later)), None)
                if before is not None:
                    raise ValueError(
                        f"{place}.{n} can never count, because {place}.{before} before it"
                        " fits every case it fits"
                    )
        return self

    @model_validator(mode="after")
    def _knows_when_days_begin(self) -> Self:
        clock_units = {Unit.HOURS, Unit.MINUTES}
        for place, limits in self._places():
            for n, limit in enumerate(limits):
                waits = limit.starts is Starts.NEXT_WORKING_DAY and limit.unit in clock_units
                if waits and self.day_begins is None:
                    raise ValueError(
                        f"{place}.{n} counts {limit.unit} from the next working day, so day_begins"
                        " must be given"
                    )
        return self

    @model_validator(mode="after")
    def _certainty_is_told(self) -> Self:
        # The first shape of packs had no stages and no marks; those in force are never edited.
        if self.stages:
            for place, sourced in self._sourced():
                if sourced.origin is Origin.REGULATION and sourced.verified is None:
                    raise ValueError(
                        f"{place} is said to be a regulation's figure, so verified must say"
                        " whether it was read or is second_hand"
                    )
        return self

    def _places(self) -> Iterable[tuple[str, tuple[Limit, ...]]]:
        yield "limits", self.limits
        for stage, limits in self.stages.items():
            yield f"stages.{stage}", limits

    def _sourced(self) -> Iterable[tuple[str, Sourced]]:
        for place, limits in self._places():
            for n, limit in enumerate(limits):
                yield f"{place}.{n}", limit
        if self.extension is not None:
            yield "extension", self.extension
        yield "archive", self.archive
        for n, one in enumerate(self.statutory):
            yield f"statutory.{n}", one
        for level in self.supervision.levels if self.supervision else ():
            for n, limit in enumerate(level.limits):
                yield f"supervision.{level.level}.{n}", limit

    def limit(
        self,
        kind: Kind,
        urgency: Urgency,
        *,
        line: str | None = None,
        level1: str | None = None,
        channel: str | None = None,
    ) -> Limit:
        """Return the main limit for such a case; a loaded pack always has one."""
        return next(it for it in self.limits if it.fits(kind, urgency, line, level1, channel))

    def stage_limit(
        self,
        stage: Stage,
        kind: Kind | None,
        urgency: Urgency,
        *,
        line: str | None = None,
        level1: str | None = None,
        channel: str | None = None,
    ) -> Limit:
        """Return the limit of one stage for such a case.

        Raises:
            LimitMissing: the pack gives none; nothing is made up in its place.
        """
        if stage is Stage.HANDLING and kind is not None:
            return self.limit(kind, urgency, line=line, level1=level1, channel=channel)
        for limit in self.stages.get(stage, ()):
            if limit.fits(kind, urgency, line, level1, channel):
                return limit
        raise LimitMissing(
            f"The policy {self.name} gives no limit for the stage {stage} of a {kind or 'matter'}"
            f" that is {urgency}: add stages.{stage} in a new version, with its basis or as origin:"
            " ours.",
            policy=self.name,
            stage=stage,
        )

    def statutory_limit(self, wanted: str) -> Statutory:
        """Return a law's limit by its id; raises LimitMissing."""
        for one in self.statutory:
            if one.id == wanted:
                return one
        known = ", ".join(one.id for one in self.statutory) or "none"
        raise LimitMissing(
            f"The policy {self.name} knows no statutory limit {wanted!r} (there are: {known}).",
            policy=self.name,
            stage=Stage.HANDLING,
        )


def read_policy(path: Path) -> Policy:
    """Return one pack; raises DataFault with one sentence."""
    return read_document(path, Policy)


def policy_faults(path: Path) -> tuple[str, ...]:
    """Return one sentence for each fault of a pack's file, none when it can be used."""
    return faults(path, Policy)


def load_policies(*folders: Path) -> dict[str, Policy]:
    """Return every pack of some folders by its full name (`sichuan-2025/1`)."""
    packs: dict[str, Policy] = {}
    for path in (path for folder in folders for path in sorted(folder.glob("*.yaml"))):
        pack = read_policy(path)
        if pack.name in packs:
            raise DataFault(f"{path}: the policy {pack.name} stands in two files.", path=path)
        packs[pack.name] = pack
    return packs


def newest(packs: dict[str, Policy], policy: str) -> Policy:
    """Return the newest version of a pack by its short name, or the exact one by its full name."""
    if policy in packs:
        return packs[policy]
    versions = [pack for pack in packs.values() if pack.policy == policy]
    if not versions:
        known = ", ".join(sorted({pack.policy for pack in packs.values()})) or "none"
        raise DataFault(f"There is no policy pack called {policy!r} (there are: {known}).")
    return max(versions, key=lambda pack: pack.version)
