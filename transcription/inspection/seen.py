"""What a check sees of a call, and what it answers. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from telephony.calls import Leg
from transcription.inspection.judged import Reason
from transcription.inspection.measures import Measures
from transcription.inspection.spans import Span
from transcription.inspection.talk import Spoken, Talk


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """One fault a check found; points are the form's affair."""

    reason: Reason
    leg: Leg | None
    start: float
    end: float
    words: str | None = None
    facts: Mapping[str, str | float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A check's answer; without `lost` an item that was asked for and could be judged is kept."""

    lost: tuple[Lost, ...] = ()
    reason: Reason | None = None
    asked: bool = True
    judged: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A talk with everything that was derived from it once."""

    talk: Talk
    window: Span
    legs: Mapping[Leg, Spoken]
    measures: Measures

    @staticmethod
    def missing() -> Found:
        """The answer of a check that needs a leg nobody heard."""
        return Found(reason=Reason.LEG_MISSING, judged=False)
