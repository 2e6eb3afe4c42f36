"""The call as the exchange's files tell it, beside the call as it is stored. Pure.

The files are the proof, AMI the fast path. The same tracker that follows calls live reads the
files' facts, so both tell a call by the same rules. What the files know better is put right; what
only the stored call knows (a row of the files was torn) stays. An answered call is never made an
unanswered one: that is noted and left for a person.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from telephony.calls import Call, CallEnded, CallEvent, CallKey, CallTracker, Outcome, TrackerRules
from telephony.events import Fact

TOLERANCE = timedelta(seconds=1)
"""AMI and the files tell one moment some milliseconds apart; queue_log counts whole seconds."""
_AFTERWARDS = timedelta(hours=1)


class DifferenceKind(StrEnum):
    """In what a stored call differs from the files; a bounded label for metrics."""

    MISSING = "missing"
    """The call was not stored at all."""
    OPEN = "open"
    """The call had ended and was stored as going on."""
    LINE = "line"
    DIRECTION = "direction"
    OUTCOME = "outcome"
    OPERATOR = "operator"
    BADGE = "badge"
    HANGUP_BY = "hangup_by"
    STARTED_AT = "started_at"
    QUEUED_AT = "queued_at"
    RINGING_AT = "ringing_at"
    ANSWERED_AT = "answered_at"
    MESSAGE_AT = "message_at"
    TALK_ENDED_AT = "talk_ended_at"
    ENDED_AT = "ended_at"
    RECORDING = "recording"
    """A recording was made and not expected, lies at the exchange without a call, or is gone."""
    UNJUDGED = "unjudged"
    """The two could not be compared."""


_TIMES = (
    DifferenceKind.STARTED_AT,
    DifferenceKind.QUEUED_AT,
    DifferenceKind.RINGING_AT,
    DifferenceKind.ANSWERED_AT,
    DifferenceKind.MESSAGE_AT,
    DifferenceKind.TALK_ENDED_AT,
    DifferenceKind.ENDED_AT,
)
_WORDS = (
    DifferenceKind.LINE,
    DifferenceKind.DIRECTION,
    DifferenceKind.OUTCOME,
    DifferenceKind.OPERATOR,
    DifferenceKind.BADGE,
    DifferenceKind.HANGUP_BY,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing in which the files and the stored call differ."""

    key: CallKey
    kind: DifferenceKind
    detail: dict[str, Any]
    """`stored` and `files`, as text; never a number or a name of a caller."""
    repaired: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is to be done about one call."""

    differences: tuple[Difference, ...]
    events: tuple[CallEvent, ...] = ()
    """What is to be told: everything of a call that was missing or open; of one that was put
    right its end, for whatever hangs on the outcome."""
    repaired: Call | None = None
    """For a stored call: as it should be."""


def told_by_files(facts: Sequence[Fact], rules: TrackerRules) -> dict[CallKey, list[CallEvent]]:
    """The events of each call that has ended by these facts, as a tracker tells them."""
    if not facts:
        return {}
    tracker = CallTracker(rules)
    events = [event for fact in facts for event in tracker.observe(fact)]
    events += tracker.settle(facts[-1].at + _AFTERWARDS)
    calls: dict[CallKey, list[CallEvent]] = {}
    for event in events:
        calls.setdefault(event.call.key, []).append(event)
    return {key: told for key, told in calls.items() if isinstance(told[-1], CallEnded)}


def judge(told: Sequence[CallEvent], stored: Call | None) -> Verdict:
    """What to do about a call that has ended by the files; `told` are its events."""
    call = told[-1].call
    if stored is None or stored.ended_at is None:
        kind = DifferenceKind.MISSING if stored is None else DifferenceKind.OPEN
        detail = {"stored": None, "files": str(call.outcome)}
        found = Difference(key=call.key, kind=kind, detail=detail, repaired=True)
        return Verdict(differences=(found,), events=tuple(told))
    differences = tuple(_differences(call, stored))
    mended = {
        found.kind.value: getattr(call, found.kind.value) for found in differences if found.repaired
    }
    if not mended:
        return Verdict(differences=differences)
    repaired = replace(stored, recordings=call.recordings, **mended)
    end = CallEnded(call=repaired, at=told[-1].at)
    return Verdict(differences=differences, events=(end,), repaired=repaired)


def _differences(told: Call, stored: Call) -> Iterator[Difference]:
    # A stored answer that the files do not know: a row of theirs may be torn.
    poorer = stored.outcome is Outcome.ANSWERED and told.outcome is not Outcome.ANSWERED
    for kind in (*_WORDS, *_TIMES):
        ours, theirs = getattr(stored, kind.value), getattr(told, kind.value)
        if theirs is None or not _differ(ours, theirs):
            continue
        yield Difference(
            key=stored.key,
            kind=kind,
            detail={"stored": _text(ours), "files": _text(theirs)},
            repaired=not poorer,
        )


def _differ(ours: object, theirs: object) -> bool:
    if isinstance(ours, datetime) and isinstance(theirs, datetime):
        return abs(ours - theirs) > TOLERANCE
    return ours != theirs


def _text(value: object) -> str | None:
    if isinstance(value, datetime):
        return value.isoformat()
    return None if value is None else str(value)
