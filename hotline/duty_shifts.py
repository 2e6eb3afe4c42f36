"""When a handover is due, who may sign it and who is responsible until then; pure.

A handover is due whenever an officer on duty goes: he may not leave before he is relieved, so the
shift before stays responsible until one who goes and one who stays or comes have both signed.
Nobody can be both: whoever goes is not among those who are there afterwards. A time in which
nobody is on duty changes nothing; the last shift before it hands over to the first after it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from hotline.roster import Role, Shift


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Officers go: those before, those from `at` on. `outgoing` go, `incoming` are there then."""

    at: datetime
    before: frozenset[str]
    outgoing: frozenset[str]
    incoming: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a line's shifts stand at one moment."""

    responsible: frozenset[str]
    due: Change | None
    """What is to be signed now: the last change that nobody has taken over."""
    missing_since: datetime | None
    """Since when a shift has changed without a handover."""
    next: Change | None
    """The next change that is still to come."""


def changes(shifts: Collection[Shift]) -> tuple[Change, ...]:
    """Every change of these shifts at which an officer goes, the earliest first."""
    officers = [one for one in shifts if one.role is Role.OFFICER]
    edges = sorted({edge for one in officers for edge in (one.starts_at, one.ends_at)})
    before: frozenset[str] = frozenset()
    found = []
    for edge in edges:
        there = frozenset(one.operator for one in officers if one.covers(edge))
        if not there:
            continue
        if gone := before - there:
            found.append(Change(at=edge, before=before, outgoing=gone, incoming=there))
        before = there
    return tuple(found)


def standing(
    shifts: Collection[Shift],
    relieved: datetime | None,
    now: datetime,
    *,
    lead: Sequence[datetime],
) -> Standing:
    """How the shifts stand; `relieved` is the change up to which everything was taken over.

    `lead` holds two moments: up to which a change can be signed, and up to which one that is not
    is missing.
    """
    signable, late = lead
    told = changes(shifts)
    past = [one for one in told if one.at <= now]
    taken = [one for one in past if relieved is not None and one.at <= relieved]
    left = [one for one in told if relieved is None or one.at > relieved]
    waiting = [one for one in left if one.at <= signable]
    missing = [one for one in left if one.at <= late]
    if taken:
        responsible = taken[-1].incoming
        if not any(one.at <= now for one in left):
            responsible = _there(shifts, now) or responsible
    elif past:
        responsible = past[0].before
    else:
        responsible = _there(shifts, now)
    return Standing(
        responsible=responsible,
        due=waiting[-1] if waiting else None,
        missing_since=missing[0].at if missing else None,
        next=next((one for one in told if one.at > now), None),
    )


def _there(shifts: Collection[Shift], at: datetime) -> frozenset[str]:
    there = (one for one in shifts if one.role is Role.OFFICER and one.covers(at))
    return frozenset(one.operator for one in there)


def signs_as(names: frozenset[str], may: frozenset[str]) -> str | None:
    """Which of those who may sign this person is, or stands in for; None where nobody of them."""
    return next(iter(sorted(names & may)), None)
