"""A policy pack: how long each sort of case may take, and by which rule; pure.

Packs are YAML files in deploy/policies/. A pack is never edited once in force: a change is a new
version beside it, and each case keeps the name of the version it was opened under.
"""

import re
from datetime import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from routing.cases import Kind, Urgency
from routing.documents import Document, read_document
from routing.errors import DataFault


class Unit(StrEnum):
    """What a limit is counted in; only working days follow the holiday calendar."""

    MINUTES = "minutes"
    HOURS = "hours"
    CALENDAR_DAYS = "calendar_days"
    WORKING_DAYS = "working_days"


class Origin(StrEnum):
    """Where a limit comes from: a regulation, or this product's default until the city decides."""

    REGULATION = "regulation"
    OURS = "ours"


def _all_or_list(value: object) -> object:
    return None if value == "all" else value


class Limit(Document):
    """One limit: for which cases, how long, by which rule. None (`all`) fits every case."""

    kinds: Annotated[tuple[Kind, ...] | None, BeforeValidator(_all_or_list)] = None
    urgencies: Annotated[tuple[Urgency, ...] | None, BeforeValidator(_all_or_list)] = None
    lines: Annotated[tuple[str, ...] | None, BeforeValidator(_all_or_list)] = None
    level1: Annotated[tuple[str, ...] | None, BeforeValidator(_all_or_list)] = None
    amount: int = Field(ge=1, le=366 * 24 * 60)
    unit: Unit
    basis: str = Field(min_length=1)
    origin: Origin

    def fits(self, kind: Kind, urgency: Urgency, line: str | None, level1: str | None) -> bool:
        """Whether this limit speaks about such a case."""
        pairs = (
            (self.kinds, kind),
            (self.urgencies, urgency),
            (self.lines, line),
            (self.level1, level1),
        )
        return all(wanted is None or is_ in wanted for wanted, is_ in pairs)


class Policy(Document):
    """A versioned pack of limits; the first limit that fits a case is the one that counts."""

    policy: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    version: int = Field(ge=1)
    title: str = Field(min_length=1)
    source: str = Field(min_length=1)
    day_ends: time
    day_ends_basis: str = Field(min_length=1)
    limits: tuple[Limit, ...] = Field(min_length=1)

    @property
    def name(self) -> str:
        """Name and version as a case keeps it, for example `sichuan-2025/1`."""
        return f"{self.policy}/{self.version}"

    @field_validator("day_ends", mode="before")
    @classmethod
    def _clock_time(cls, value: object) -> object:
        # YAML 1.1 reads a bare 18:00 as the number 1080, pydantic would read that as seconds.
        if not isinstance(value, str) or not re.fullmatch(r"[0-2]\d:[0-5]\d", value):
            raise ValueError('write the time in quotes, like "18:00"')
        return value

    @model_validator(mode="after")
    def _covers_everything(self) -> Self:
        for kind in Kind:
            for urgency in Urgency:
                if not any(limit.fits(kind, urgency, None, None) for limit in self.limits):
                    raise ValueError(f"no limit is given for a {kind} that is {urgency}")
        return self

    def limit(
        self,
        kind: Kind,
        urgency: Urgency,
        *,
        line: str | None = None,
        level1: str | None = None,
    ) -> Limit:
        """Return the limit for such a case; a loaded pack always has one."""
        return next(it for it in self.limits if it.fits(kind, urgency, line, level1))


def read_policy(path: Path) -> Policy:
    """Return one pack; raises DataFault with one sentence."""
    return read_document(path, Policy)


def load_policies(folder: Path) -> dict[str, Policy]:
    """Return every pack of a folder by its full name (`sichuan-2025/1`)."""
    packs: dict[str, Policy] = {}
    for path in sorted(folder.glob("*.yaml")):
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
