"""The log of the duty line: what is written down of a call, a visit or a fax; pure.

The fields are those a duty office's telephone log asks for (domain facts 1.6): time, place, cause,
course, measures, result, effect, trend, and whom the reporter has told already and when. Who
reported is kept apart. A correction is a new version; nothing written is ever changed.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AwareDatetime, Field, StringConstraints

from routing.documents import Document

Part = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)]
Whom = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
PARTS = ("place", "cause", "course", "measures", "result", "effect", "trend")
"""The parts in words, in the order in which they are asked."""


class EntryKind(StrEnum):
    """By which way something came to the duty desk; calls of the line enter themselves."""

    CALL = "call"
    VISIT = "visit"
    FAX = "fax"
    PHONE = "phone"
    OTHER = "other"


BY_HAND = frozenset(EntryKind) - {EntryKind.CALL}


class ToldBefore(Document):
    """Somebody the reporter has told already."""

    whom: Whom
    at: AwareDatetime | None = None


class LogText(Document):
    """What one version of an entry says; `happened_at` is when it happened, not when it came."""

    happened_at: AwareDatetime | None = None
    place: Part = ""
    cause: Part = ""
    course: Part = ""
    measures: Part = ""
    result: Part = ""
    effect: Part = ""
    trend: Part = ""
    told: Annotated[tuple[ToldBefore, ...], Field(max_length=20)] = ()


def lacks(text: LogText) -> tuple[str, ...]:
    """What must still be written before an entry counts as finished."""
    return () if text.course else ("course",)


def impossible_times(text: LogText, now: datetime) -> tuple[str, ...]:
    """The fields whose time is still to come: nothing in a log can be."""
    found = ["happened_at"] if text.happened_at is not None and text.happened_at > now else []
    found += ["told" for one in text.told if one.at is not None and one.at > now][:1]
    return tuple(found)
