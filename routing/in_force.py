"""The rules in force for a case: which policy it follows, when it is due, what may still be asked.

Pure. A case keeps the policy it was opened under; the one in force now is for cases opened now.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from routing.asking import check_extension, check_return, check_statutory
from routing.calendar import Calendar
from routing.cases import Case, CaseState
from routing.clock_facts import facts_of
from routing.clocks import Clock, Extension, main_clock
from routing.deadlines import Standing, after
from routing.errors import CalendarEnds, LimitMissing, TooLate
from routing.limits import Unit
from routing.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """Every pack by its name, the one in force, and the calendar of working days."""

    policies: Mapping[str, Policy]
    policy: Policy
    calendar: Calendar

    def of(self, case: Case) -> Policy | None:
        """The pack a case follows; None where it is no longer there."""
        return self.policies.get(case.policy) if case.policy else self.policy

    def clock_of(self, case: Case) -> Clock | None:
        """The main clock with its extensions; None while nothing was promised.

        Raises:
            CalendarEnds: the limit reaches past the holiday calendar.
            LimitMissing: the cited law is not in the case's pack.
        """
        policy = self.of(case)
        if policy is None:
            return None
        return main_clock(facts_of(case, ()), policy, self.calendar)

    def due_at(self, case: Case) -> datetime | None:
        """When the case is due; None while nothing was promised, or where nobody can say."""
        try:
            clock = self.clock_of(case)
        except (CalendarEnds, LimitMissing):
            return None
        return clock.ends_at if clock else None

    def undated(self, case: Case) -> str | None:
        """Why nobody can say when a case is due, though it was promised; one sentence."""
        if self.of(case) is None:
            return f"The policy {case.policy} that the case follows is no longer there."
        try:
            self.clock_of(case)
        except (CalendarEnds, LimitMissing) as error:
            return str(error)
        return None

    def standing(self, case: Case, now: datetime) -> Standing | None:
        """How a case stands against its limit; the answer stops the clock, so does the end."""
        due_at = case.due_at or self.due_at(case)
        if due_at is None or case.opened_at is None:
            return None
        stopped = case.answered_at or case.closed_at
        if stopped is None:
            return Standing.OVERDUE if now > due_at else Standing.RUNNING
        return Standing.LATE if stopped > due_at else Standing.ON_TIME

    def check_extension(self, case: Case, days: int, now: datetime) -> None:
        """Say why so many working days more cannot be asked for now.

        Raises:
            TooLate, CalendarEnds, LimitMissing: one sentence each.
        """
        clock, policy = self._promise(case)
        wanted = Extension(amount=days, unit=Unit.WORKING_DAYS)
        check_extension(clock, wanted, now, policy, self.calendar)

    def check_law(self, case: Case, cited: str) -> None:
        """Say why this law's limit changes nothing; raises NotLonger and as `check_extension`."""
        clock, policy = self._promise(case)
        check_statutory(clock, cited, policy, self.calendar)

    def check_return(self, case: Case, now: datetime) -> None:
        """Say why a return can no longer be asked for; a pack without such a limit sets none."""
        policy = self.of(case)
        if policy is None or case.given_at is None:
            return
        try:
            check_return(facts_of(case, ()), case.given_at, now, policy, self.calendar)
        except LimitMissing:
            return

    def tries_of(self, case: Case) -> int:
        """How often a caller is tried before his case may be closed without his word."""
        return (self.of(case) or self.policy).call_back_tries

    def archive_at(self, case: Case) -> datetime | None:
        """When a closed case goes to the archive by its own pack; None where it is not closed.

        Where its pack is no longer there, the one in force says so.

        Raises:
            CalendarEnds: the period reaches past the holiday calendar.
        """
        if case.state is not CaseState.CLOSED or case.closed_at is None:
            return None
        policy = self.of(case) or self.policy
        return after(case.closed_at, policy.archive, policy, self.calendar)

    def _promise(self, case: Case) -> tuple[Clock, Policy]:
        clock, policy = self.clock_of(case), self.of(case)
        if clock is None or policy is None:
            raise TooLate("No limit runs for this case, so there is none to move.")
        return clock, policy
