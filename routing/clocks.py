"""The clocks of a case's stages: when each began, when it ends, what is used up; pure.

    the journal's moves  -> stages_of -> which stage was entered and left when
    facts, policy, calendar -> clock_of -> a Clock: start, end, the end before extensions
    a clock and a moment -> standing, share_used, moment_of

Nothing pauses a clock. An extension that was granted counts from the end it extends, so it never
shortens; a law's longer limit that a person cited counts where it ends later. Where the calendar
ends, a clock in working days is refused with CalendarEnds, whichever stage it is of.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import count, pairwise
from typing import assert_never

from routing.calendar import Calendar
from routing.cases import Channel, Kind, Urgency
from routing.deadlines import Standing, after
from routing.errors import CalendarEnds, LimitMissing
from routing.limits import Limit, Sourced, Stage, Starts, Unit
from routing.numbers import SHANGHAI
from routing.policy import Policy

STAGE_OF_STATE = {
    "draft": Stage.INTAKE,
    "open": Stage.DISPATCH,
    "consulting": Stage.CONSULTATION,
    "dispatched": Stage.SIGN,
    "return_asked": Stage.RETURN_RULING,
    "extension_asked": Stage.EXTENSION_RULING,
    "termination_asked": Stage.TERMINATION_RULING,
    "answered": Stage.AUDIT,
    "calling_back": Stage.CALL_BACK,
}
"""The stage whose clock begins when a case comes into a state; handling has the main limit."""
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """A stage the case is or was in; `left_at` is None while it still is."""

    stage: Stage
    at: datetime
    left_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """A granted extension of the main limit."""

    amount: int
    unit: Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockFacts:
    """What the journal says about one case, as far as its clocks need it.

    `dispatched_at` is the first dispatch: a return never starts a limit again. `stopped_at` is the
    answer that stands, or the end of the case without one. `statutory` is the id of a law's limit
    that a person cited.
    """

    kind: Kind | None
    """None while nobody knows what the case is about: nothing was promised then."""
    urgency: Urgency
    line: str | None = None
    level1: str | None = None
    channel: Channel | None = None
    opened_at: datetime | None = None
    dispatched_at: datetime | None = None
    stopped_at: datetime | None = None
    stages: tuple[Entered, ...] = ()
    extensions: tuple[Extension, ...] = ()
    statutory: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """One running or stopped clock with the rule it follows."""

    stage: Stage
    starts_at: datetime
    ends_at: datetime
    first_end: datetime
    """The end before any extension; the same moment where none was granted."""
    rule: Sourced
    policy: str
    stopped_at: datetime | None = None
    extensions: tuple[datetime, ...] = field(default=())
    """The end that each extension replaced, oldest first."""

    def standing(self, now: datetime) -> Standing:
        """Compare it with its end; being exactly in time is in time."""
        if self.stopped_at is None:
            return Standing.OVERDUE if now > self.ends_at else Standing.RUNNING
        return Standing.LATE if self.stopped_at > self.ends_at else Standing.ON_TIME


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """Every clock of a case that can be computed, and a sentence for each that cannot.

    `missing`: the policy gives no limit for the stage. `undated`: the holiday calendar ends.
    """

    clocks: tuple[Clock, ...]
    missing: tuple[str, ...] = ()
    undated: tuple[str, ...] = ()

    def running(self) -> tuple[Clock, ...]:
        """Those that have not stopped."""
        return tuple(clock for clock in self.clocks if clock.stopped_at is None)


def stages_of(moves: Iterable[tuple[datetime, str]]) -> tuple[Entered, ...]:
    """Return the stages of a case from its moves: each one's moment and the state it led to.

    A move that leaves the state as it is begins no stage anew.
    """
    told = list(moves)
    changes = [one for n, one in enumerate(told) if n == 0 or told[n - 1][1] != one[1]]
    ends: list[datetime | None] = [later for _, (later, _) in pairwise(changes)]
    return tuple(
        Entered(stage=stage, at=at, left_at=left_at)
        for (at, state), left_at in zip(changes, [*ends, None], strict=False)
        if (stage := STAGE_OF_STATE.get(state)) is not None
    )


def clocks_of(facts: ClockFacts, policy: Policy, calendar: Calendar) -> Clocks:
    """Return the main clock, if it has begun, and that of every stage, oldest first."""
    found: list[Clock] = []
    missing, undated = [], []
    for entered in (None, *facts.stages):
        try:
            if entered is not None:
                found.append(stage_clock(entered, facts, policy, calendar))
            elif (main := main_clock(facts, policy, calendar)) is not None:
                found.append(main)
        except LimitMissing as error:
            missing.append(str(error))
        except CalendarEnds as error:
            undated.append(str(error))
    return Clocks(clocks=tuple(found), missing=tuple(missing), undated=tuple(undated))


def stage_clock(entered: Entered, facts: ClockFacts, policy: Policy, calendar: Calendar) -> Clock:
    """Return the clock of one stage.

    Raises:
        LimitMissing: the policy gives no limit for it.
        CalendarEnds: the limit reaches past the holiday calendar.
    """
    limit = policy.stage_limit(
        entered.stage,
        facts.kind,
        facts.urgency,
        line=facts.line,
        level1=facts.level1,
        channel=facts.channel,
    )
    begins = entered.at
    if limit.starts is Starts.DISPATCH and facts.dispatched_at is not None:
        begins = facts.dispatched_at
    ends = after(begins, limit, policy, calendar)
    return Clock(
        stage=entered.stage,
        starts_at=begins,
        ends_at=ends,
        first_end=ends,
        rule=limit,
        policy=policy.name,
        stopped_at=entered.left_at,
    )


def main_clock(facts: ClockFacts, policy: Policy, calendar: Calendar) -> Clock | None:
    """Return the clock of the main limit, extensions included; None while nothing was promised.

    Raises:
        CalendarEnds: the limit reaches past the holiday calendar.
        LimitMissing: the cited statutory limit is not in the pack.
    """
    if facts.kind is None:
        return None
    limit = policy.limit(
        facts.kind,
        facts.urgency,
        line=facts.line,
        level1=facts.level1,
        channel=facts.channel,
    )
    begins = facts.dispatched_at if limit.starts is Starts.DISPATCH else facts.opened_at
    if begins is None:
        return None
    rule, ends = _longer(begins, limit, facts.statutory, policy, calendar)
    replaced = []
    first_end = ends
    for extension in facts.extensions:
        replaced.append(ends)
        ends = extended(ends, extension, policy, calendar)
    return Clock(
        stage=Stage.HANDLING,
        starts_at=begins,
        ends_at=ends,
        first_end=first_end,
        rule=rule,
        policy=policy.name,
        stopped_at=facts.stopped_at,
        extensions=tuple(replaced),
    )


def _longer(
    begins: datetime, limit: Limit, cited: str | None, policy: Policy, calendar: Calendar
) -> tuple[Sourced, datetime]:
    ends = after(begins, limit, policy, calendar)
    if cited is None:
        return limit, ends
    law = policy.statutory_limit(cited)
    laws_end = after(begins, law, policy, calendar)
    return (law, laws_end) if laws_end > ends else (limit, ends)


def extended(end: datetime, extension: Extension, policy: Policy, calendar: Calendar) -> datetime:
    """Return the end that an extension puts in the place of `end`; always later.

    Raises:
        CalendarEnds: it reaches past the holiday calendar.
    """
    added = Sourced(
        amount=extension.amount,
        unit=extension.unit,
        basis="the extension's own decision",
        origin=policy.extension.origin if policy.extension else policy.limits[0].origin,
    )
    return after(end, added, policy, calendar)


def share_used(clock: Clock, calendar: Calendar, now: datetime) -> float:
    """Return how much of a limit has passed: 0.0 at its start, 1.0 at its end, more afterwards.

    Of a limit in working days only working days count, so that nothing is used up in a holiday.
    """
    if now <= clock.starts_at:
        return 0.0
    whole = clock.ends_at - clock.starts_at
    if now >= clock.ends_at:
        return 1.0 + (now - clock.ends_at) / whole
    used = _counted(clock, calendar, now)
    return used / _counted(clock, calendar, clock.ends_at)


def moment_of(clock: Clock, calendar: Calendar, percent: int) -> datetime:
    """Return when `percent` (1 to 100) of a limit is used up; see `share_used`."""
    if percent == 100:  # noqa: PLR2004 - the whole of it
        return clock.ends_at
    if not _is_in_working_days(clock):
        return clock.starts_at + (clock.ends_at - clock.starts_at) * percent / 100
    left = _counted(clock, calendar, clock.ends_at) * percent / 100
    begins = clock.starts_at.astimezone(SHANGHAI)
    for n in count():
        day = begins.date() + DAY * n
        if not calendar.is_working(day):
            continue
        since = max(begins, _midnight(day))
        if since + left <= _midnight(day + DAY):
            return (since + left).astimezone(clock.starts_at.tzinfo)
        left -= _midnight(day + DAY) - since
    raise AssertionError  # the end lies within the calendar, so the loop returns before it


def _counted(clock: Clock, calendar: Calendar, until: datetime) -> timedelta:
    """The time from a clock's start to a moment before its end that counts towards it."""
    if not _is_in_working_days(clock):
        return until - clock.starts_at
    begins, ends = clock.starts_at.astimezone(SHANGHAI), until.astimezone(SHANGHAI)
    counted = timedelta(0)
    for n in range((ends.date() - begins.date()).days + 1):
        day = begins.date() + DAY * n
        if calendar.is_working(day):
            counted += min(ends, _midnight(day + DAY)) - max(begins, _midnight(day))
    return counted


def _is_in_working_days(clock: Clock) -> bool:
    match clock.rule.unit:
        case Unit.WORKING_DAYS:
            return True
        case Unit.MINUTES | Unit.HOURS | Unit.CALENDAR_DAYS:
            return False
        case _:
            assert_never(clock.rule.unit)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)
