"""What a unit may still ask for, and until when: returns, extensions, a longer law; pure."""

from datetime import datetime

from routing.calendar import Calendar
from routing.clocks import Clock, ClockFacts, Entered, Extension, extended, stage_clock
from routing.deadlines import after
from routing.errors import NotLonger, TooLate
from routing.limits import ExtensionRule, Stage, Statutory, Unit
from routing.numbers import SHANGHAI
from routing.policy import Policy


def check_return(
    facts: ClockFacts, given_at: datetime, asked_at: datetime, policy: Policy, calendar: Calendar
) -> Clock:
    """Return the clock of asking for a return, which begins when the unit was given the case.

    Raises:
        TooLate: the time for it is over.
        LimitMissing: the policy gives none.
        CalendarEnds: the limit reaches past the holiday calendar.
    """
    entered = Entered(stage=Stage.RETURN_ASK, at=given_at)
    clock = stage_clock(entered, facts, policy, calendar)
    if asked_at > clock.ends_at:
        raise TooLate(
            f"A return had to be asked for until {_shown(clock.ends_at)} ({clock.rule.basis}):"
            " the case stays with this unit."
        )
    return clock


def extension_rule(policy: Policy) -> ExtensionRule:
    """Return the pack's rule on extensions; raises TooLate where it allows none."""
    if policy.extension is None:
        raise TooLate(f"The policy {policy.name} gives no rule on extensions, so none is possible.")
    return policy.extension


def check_extension(
    clock: Clock, wanted: Extension, asked_at: datetime, policy: Policy, calendar: Calendar
) -> datetime:
    """Return the end an extension would give a main clock, or say why it cannot be asked for.

    Raises:
        TooLate: the limit is over, it was extended as often as it may be, the amount is too long,
            or the policy knows no extensions.
        CalendarEnds: it reaches past the holiday calendar.
    """
    rule = extension_rule(policy)
    if asked_at > clock.ends_at:
        raise TooLate(
            f"An extension is asked for before the limit ends; this one ended on"
            f" {_shown(clock.ends_at)}."
        )
    if len(clock.extensions) >= rule.max_count:
        raise TooLate(
            f"The limit was extended {len(clock.extensions)} times, and {rule.max_count} is the"
            f" most ({rule.basis})."
        )
    ends = extended(clock.ends_at, wanted, policy, calendar)
    longest = Extension(amount=rule.amount, unit=rule.unit)
    if ends > extended(clock.ends_at, longest, policy, calendar):
        raise TooLate(
            f"One extension is at most {_amount(rule.amount, rule.unit)} ({rule.basis}), and"
            f" {_amount(wanted.amount, wanted.unit)} were asked for."
        )
    return ends


def check_statutory(clock: Clock, cited: str, policy: Policy, calendar: Calendar) -> Statutory:
    """Return the law's limit that a person cites for a main clock.

    Raises:
        LimitMissing: the pack does not hold it.
        NotLonger: it does not end later than the policy's own limit.
        CalendarEnds: it reaches past the holiday calendar.
    """
    law = policy.statutory_limit(cited)
    if after(clock.starts_at, law, policy, calendar) <= clock.first_end:
        raise NotLonger(
            f"{law.basis}: this limit does not end later than the policy's own"
            f" ({_shown(clock.first_end)}), so it changes nothing."
        )
    return law


def _amount(amount: int, unit: Unit) -> str:
    return f"{amount} {unit.value.replace('_', ' ')}"


def _shown(at: datetime) -> str:
    return at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
