"""One limit of a policy pack: for which cases, how long, from when, by which rule; pure.

Every figure says where it comes from. `origin: regulation` means that the rule named in `basis`
gives this very figure; `ours` is this product's default until the city decides. `verified` says how
surely the figure is known: its wording was `read`, or it was told `second_hand`.
"""

from datetime import time
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from routing.cases import Channel, Kind, Urgency
from routing.documents import Document
from routing.rules import LEVEL1


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


class Verified(StrEnum):
    """How surely a figure is known; a figure of no source has no mark."""

    READ = "read"
    SECOND_HAND = "second_hand"


class Starts(StrEnum):
    """When a limit begins: with its case or stage, with the first dispatch, or the day after."""

    OPEN = "open"
    DISPATCH = "dispatch"
    NEXT_WORKING_DAY = "next_working_day"


class Stage(StrEnum):
    """A part of a case's life with a clock of its own."""

    HANDLING = "handling"
    """The main limit, from the opening (or the dispatch) to the answer."""
    INTAKE = "intake"
    DISPATCH = "dispatch"
    CONSULTATION = "consultation"
    SIGN = "sign"
    RETURN_ASK = "return_ask"
    RETURN_RULING = "return_ruling"
    EXTENSION_RULING = "extension_ruling"
    TERMINATION_RULING = "termination_ruling"
    AUDIT = "audit"
    CALL_BACK = "call_back"
    SUPERVISION = "supervision"
    PHONE_ASSIGNMENT = "phone_assignment"


class Sourced(Document):
    """A length of time with the rule it comes from."""

    amount: int = Field(ge=1, le=366 * 24 * 60)
    unit: Unit
    basis: str = Field(min_length=1)
    origin: Origin
    verified: Verified | None = None


def _all_or_list(value: object) -> object:
    return None if value == "all" else value


class Limit(Sourced):
    """One limit: for which cases, how long, by which rule. None (`all`) fits every case."""

    kinds: Annotated[tuple[Kind, ...] | None, BeforeValidator(_all_or_list)] = None
    urgencies: Annotated[tuple[Urgency, ...] | None, BeforeValidator(_all_or_list)] = None
    lines: Annotated[tuple[str, ...] | None, BeforeValidator(_all_or_list)] = None
    level1: Annotated[tuple[str, ...] | None, BeforeValidator(_all_or_list)] = None
    channels: Annotated[tuple[Channel, ...] | None, BeforeValidator(_all_or_list)] = None
    starts: Starts = Starts.OPEN

    @field_validator("kinds", "urgencies", "lines", "level1", "channels")
    @classmethod
    def _names_something(cls, values: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if values is not None and not values:
            raise ValueError("an empty list fits no case; leave the key out to mean all")
        if values is not None and len(set(values)) != len(values):
            raise ValueError("a value is named twice")
        return values

    @field_validator("level1")
    @classmethod
    def _known(cls, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        unknown = [name for name in names or () if name not in LEVEL1]
        if unknown:
            raise ValueError(f"{unknown[0]!r} is no level-1 category")
        return names

    def fits(
        self,
        kind: Kind | None,
        urgency: Urgency,
        line: str | None,
        level1: str | None,
        channel: str | None = None,
    ) -> bool:
        """Whether this limit speaks about such a case; what is no case has no kind."""
        pairs = (
            (self.kinds, kind),
            (self.urgencies, urgency),
            (self.lines, line),
            (self.level1, level1),
            (self.channels, channel),
        )
        return all(wanted is None or is_ in wanted for wanted, is_ in pairs)

    def hides(self, later: "Limit") -> bool:
        """Whether a limit that stands after this one could never count."""
        pairs: tuple[tuple[tuple[str, ...] | None, tuple[str, ...] | None], ...] = (
            (self.kinds, later.kinds),
            (self.urgencies, later.urgencies),
            (self.lines, later.lines),
            (self.level1, later.level1),
            (self.channels, later.channels),
        )
        return all(
            mine is None or (its is not None and set(its) <= set(mine)) for mine, its in pairs
        )


class ExtensionRule(Sourced):
    """How often and how far a limit may be extended; `amount` is the longest one extension.

    No pack can do without the rest: an extension is asked for before the limit ends, approved by
    somebody else, and the caller is told.
    """

    max_count: int = Field(ge=1, le=10)
    before_expiry: Literal[True] = True
    approval: Literal[True] = True
    tell_caller: Literal[True] = True


class Statutory(Sourced):
    """A longer limit of another law, which overrides the pack's when a person cites it."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$")

    @model_validator(mode="after")
    def _is_law(self) -> Self:
        if self.origin is not Origin.REGULATION:
            raise ValueError("a statutory limit is the law's, so its origin is regulation")
        return self


class Pausing(StrEnum):
    """What stops a clock: nothing does."""

    NONE = "none"


class QuietHours(Document):
    """When ordinary reminders wait; urgent ones and emergencies never do. May cross midnight."""

    begins: time
    ends: time
    basis: str = Field(min_length=1)
    origin: Origin

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.begins == self.ends:
            raise ValueError("quiet hours that begin and end at the same time are none or all day")
        return self

    def contain(self, clock_time: time) -> bool:
        """Whether it is quiet at this local time; `ends` itself no longer is."""
        if self.begins < self.ends:
            return self.begins <= clock_time < self.ends
        return clock_time >= self.begins or clock_time < self.ends
