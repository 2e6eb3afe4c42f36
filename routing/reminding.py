"""When people are reminded of a clock: at 50, 80 and 100 % of it, ordinary ones not at night; pure.

Which reminders were sent is a fact of the journal; what is due follows from it, the clocks and the
time. An ordinary case's reminder waits for the end of the quiet hours, an urgent or an emergency's
never does.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from routing.calendar import Calendar
from routing.cases import Urgency
from routing.clocks import Clock, moment_of
from routing.limits import Stage
from routing.numbers import SHANGHAI
from routing.policy import Policy

SHARES = (50, 80, 100)
"""Per cent of a limit at which somebody is reminded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One reminder of one clock: its natural key within a case."""

    stage: Stage
    starts_at: datetime
    ends_at: datetime
    share: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder:
    """A reminder and the moment from which it may be sent; `at` is when the share was reached."""

    mark: Mark
    clock: Clock
    at: datetime
    send_at: datetime


def reminders_of(
    clocks: Iterable[Clock], urgency: Urgency, policy: Policy, calendar: Calendar
) -> tuple[Reminder, ...]:
    """Return every reminder of the running clocks, the earliest first."""
    found = []
    for clock in clocks:
        if clock.stopped_at is not None:
            continue
        for share in SHARES:
            at = moment_of(clock, calendar, share)
            mark = Mark(
                stage=clock.stage, starts_at=clock.starts_at, ends_at=clock.ends_at, share=share
            )
            sends = held_until(at, urgency, policy)
            found.append(Reminder(mark=mark, clock=clock, at=at, send_at=sends))
    return tuple(sorted(found, key=lambda one: (one.at, one.mark.share)))


def warnings_due(
    reminders: Iterable[Reminder],
    sent: Collection[Mark],
    urgency: Urgency,
    policy: Policy,
    now: datetime,
) -> tuple[Reminder, ...]:
    """Return the reminders that are to be sent now: reached, not sent before, not held back."""
    if held_until(now, urgency, policy) > now:
        return ()
    return tuple(one for one in reminders if one.send_at <= now and one.mark not in sent)


def next_look(
    reminders: Iterable[Reminder],
    sent: Collection[Mark],
    urgency: Urgency,
    policy: Policy,
    now: datetime,
) -> datetime | None:
    """Return when the next reminder can be due; None when no clock will ever remind again."""
    waiting = [one.send_at for one in reminders if one.mark not in sent]
    if not waiting:
        return None
    return max(min(waiting), held_until(now, urgency, policy))


def held_until(at: datetime, urgency: Urgency, policy: Policy) -> datetime:
    """Return the moment itself, or the end of the quiet hours that an ordinary case waits for."""
    quiet = policy.quiet_hours
    if quiet is None or urgency is not Urgency.NORMAL:
        return at
    local = at.astimezone(SHANGHAI)
    if not quiet.contain(local.time()):
        return at
    ends = datetime.combine(local.date(), quiet.ends, SHANGHAI)
    return (ends if ends > local else ends + timedelta(days=1)).astimezone(UTC)
