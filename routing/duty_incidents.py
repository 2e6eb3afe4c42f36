"""An incident and its reports: first, follow-ups, final; which comes next, and until when; pure.

What happened to an incident is in the journal; every clock follows from those facts, the policy and
the time. An incident without a level is timed as a level I, since nobody has said that it is less.
A level that is raised shortens the clocks and a lowered one never lengthens them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from routing.duty_log import LogText, Part
from routing.duty_policy import Level, ReportingPolicy


class IncidentType(StrEnum):
    """The four types of the law."""

    NATURAL = "natural"
    ACCIDENT = "accident"
    PUBLIC_HEALTH = "public_health"
    SOCIAL_SECURITY = "social_security"


class IncidentState(StrEnum):
    """Where an incident stands."""

    RAISED = "raised"
    OPEN = "open"
    CLOSED = "closed"
    DISMISSED = "dismissed"


class ReportKind(StrEnum):
    """Which report it is."""

    FIRST = "first"
    FOLLOW_UP = "follow_up"
    FINAL = "final"


class FactKind(StrEnum):
    """What can happen to an incident, by the journal's words after `duty.incident_`."""

    RAISED = "raised"
    ACKNOWLEDGED = "acknowledged"
    LEVELLED = "levelled"
    PHONED = "phoned"
    DRAFTED = "drafted"
    SIGNED = "signed"
    SENT = "sent"
    DISMISSED = "dismissed"


class Timer(StrEnum):
    """What somebody must do within a limit."""

    ACKNOWLEDGE = "acknowledge"
    PHONE = "phone"
    TEXT = "text"
    FOLLOW_UP = "follow_up"


class ReportText(LogText):
    """A report: what a log entry says, and what only a report says (domain facts 1.6)."""

    source: Part = ""
    nature: Part = ""
    losses: Part = ""
    leaders: Part = ""
    suggestion: Part = ""


REPORT_PARTS = ("source", "nature", "losses", "leaders", "suggestion")
_NEEDED = ("happened_at", "place", "course", "measures", "source")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One row of the journal about an incident."""

    kind: FactKind
    at: datetime
    level: Level | None = None
    report: ReportKind | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentClock:
    """One limit; `stopped_at` is when it was kept, or when nobody had to keep it any more."""

    timer: Timer
    starts_at: datetime
    ends_at: datetime
    basis: str
    stopped_at: datetime | None

    def is_overdue(self, now: datetime) -> bool:
        """Whether its end has passed and nobody has done it."""
        return self.stopped_at is None and self.ends_at <= now

    def moment_of(self, share: int) -> datetime:
        """When this many per cent of it have passed."""
        return self.starts_at + (self.ends_at - self.starts_at) * share / 100


def lacks(text: ReportText) -> tuple[str, ...]:
    """What must be written before a report can be signed."""
    return tuple(part for part in _NEEDED if not getattr(text, part))


def next_reports(sent: Sequence[ReportKind]) -> frozenset[ReportKind]:
    """Which report may come next: one first, any number of follow-ups, one final, then none."""
    if not sent:
        return frozenset({ReportKind.FIRST})
    if ReportKind.FINAL in sent:
        return frozenset()
    return frozenset({ReportKind.FOLLOW_UP, ReportKind.FINAL})


def title_of(name: str, kind: ReportKind, sequence: int) -> str:
    """How a report is called: `XX事件 初报`, `XX事件 续报一`, `XX事件 终报`."""
    match kind:
        case ReportKind.FIRST:
            return f"{name} 初报"
        case ReportKind.FOLLOW_UP:
            return f"{name} 续报{in_chinese(sequence)}"
        case ReportKind.FINAL:
            return f"{name} 终报"


def in_chinese(number: int) -> str:
    """A number from 1 to 99 as it is written out: 一, 十, 十一, 二十, 九十九; others in digits."""
    if not 1 <= number <= _LARGEST:
        return str(number)
    tens, ones = divmod(number, 10)
    head = "" if tens == 0 else "十" if tens == 1 else f"{_DIGITS[tens]}十"
    return head + (_DIGITS[ones] if ones else "")


_DIGITS = "零一二三四五六七八九"
_LARGEST = 99


def clocks_of(facts: Iterable[Fact], policy: ReportingPolicy) -> tuple[IncidentClock, ...]:
    """Every clock that ever ran for an incident, in the order of its timers; none without facts."""
    told = sorted(facts, key=lambda fact: fact.at)
    raised = next((one for one in told if one.kind is FactKind.RAISED), None)
    if raised is None:
        return ()
    over = _first(told, FactKind.DISMISSED)
    answered = _first(told, FactKind.ACKNOWLEDGED)
    clocks = [
        IncidentClock(
            timer=Timer.ACKNOWLEDGE,
            starts_at=raised.at,
            ends_at=raised.at + policy.acknowledge.length,
            basis=policy.acknowledge.basis,
            stopped_at=_earliest(answered, over),
        ),
        _reporting(told, policy, Timer.PHONE, stopped=_first(told, FactKind.PHONED), over=over),
        _reporting(told, policy, Timer.TEXT, stopped=_first(told, FactKind.SENT), over=over),
    ]
    return (*clocks, *_follow_ups(told, policy, over))


def _reporting(
    told: Sequence[Fact],
    policy: ReportingPolicy,
    timer: Timer,
    *,
    stopped: datetime | None,
    over: datetime | None,
) -> IncidentClock:
    raised = next(one for one in told if one.kind is FactKind.RAISED)
    spans = []
    for at, level in _levels(told):
        limits = policy.levels[level]
        span = limits.phone if timer is Timer.PHONE else limits.text
        spans.append((at + span.length, span.basis))
    ends_at, basis = min(spans, key=lambda span: span[0])
    return IncidentClock(
        timer=timer,
        starts_at=raised.at,
        ends_at=ends_at,
        basis=basis,
        stopped_at=_earliest(stopped, over),
    )


def _levels(told: Sequence[Fact]) -> list[tuple[datetime, Level]]:
    """Each level and from when its limits count: the first one said counts from the beginning."""
    raised = next(one for one in told if one.kind is FactKind.RAISED)
    said = [(one.at, one.level) for one in told if one.level is not None]
    if not said:
        return [(raised.at, Level.I)]
    return [(raised.at, said[0][1]), *said[1:]]


def _follow_ups(
    told: Sequence[Fact], policy: ReportingPolicy, over: datetime | None
) -> list[IncidentClock]:
    sent = [one for one in told if one.kind is FactKind.SENT]
    found = []
    for n, one in enumerate(sent):
        if one.report is ReportKind.FINAL:
            break
        level = [level for at, level in _levels(told) if at <= one.at][-1]
        span = policy.levels[level].follow_up
        following = sent[n + 1].at if n + 1 < len(sent) else None
        found.append(
            IncidentClock(
                timer=Timer.FOLLOW_UP,
                starts_at=one.at,
                ends_at=one.at + span.length,
                basis=span.basis,
                stopped_at=_earliest(following, over),
            )
        )
    return found


def _first(told: Sequence[Fact], kind: FactKind) -> datetime | None:
    return next((one.at for one in told if one.kind is kind), None)


def _earliest(*moments: datetime | None) -> datetime | None:
    return min((at for at in moments if at is not None), default=None)
