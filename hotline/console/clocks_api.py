"""Every clock of a case: its start and end, what is used up, the rule it follows."""

from datetime import datetime

from pydantic import Field

from hotline import phone_assignments, reminder_rows
from hotline.console.desk import Request
from hotline.console.endpoint import get
from hotline.console.problems import Fault, ProblemError
from hotline.console.shapes import Told
from hotline.console.who import READERS
from hotline.database import borrowed
from routing import store
from routing.calendar import Calendar
from routing.clock_facts import facts_of
from routing.clocks import Clock, clocks_of, share_used
from routing.deadlines import Standing
from routing.errors import CaseUnknown
from routing.limits import Origin, Stage, Unit, Verified


class ClockView(Told):
    """One clock; the newest of a stage is the one that may still run."""

    stage: Stage
    starts_at: datetime
    ends_at: datetime
    replaced_ends: tuple[datetime, ...] = Field(
        description="The ends that granted extensions replaced, oldest first."
    )
    stopped_at: datetime | None
    standing: Standing
    share_used: float = Field(description="1.0 is the whole limit; of working days only those.")
    amount: int
    unit: Unit
    basis: str
    origin: Origin
    verified: Verified | None
    policy: str


class ClocksView(Told):
    """The clocks of a case, the main one first, the stages in the order they were entered."""

    clocks: tuple[ClockView, ...]
    missing: tuple[str, ...] = Field(
        description="A sentence for each stage the policy gives no limit for."
    )
    undated: tuple[str, ...] = Field(
        description="A sentence for each clock that would reach past the holiday calendar."
    )


async def case_clocks(asked: Request) -> ClocksView:
    """Every clock of a case as of now."""
    services, case_id = asked.services, asked.path_id("case_id")
    async with borrowed(services.pool) as conn:
        await asked.sight.check(conn, case_id)
        try:
            case = await store.get(conn, case_id)
        except CaseUnknown as error:
            raise ProblemError(Fault.NOT_FOUND, str(error)) from error
        moves = await reminder_rows.moves_of(conn, [case_id])
        phoned = await phone_assignments.phoned(conn, [case_id])
    facts = facts_of(case, moves[case_id], phoned[case_id])
    policy = services.policies.get(case.policy) if case.policy else services.policy
    if policy is None:
        return ClocksView(clocks=(), missing=(), undated=())
    found, now = clocks_of(facts, policy, services.calendar), services.clock()
    return ClocksView(
        clocks=tuple(_view(clock, services.calendar, now) for clock in found.clocks),
        missing=found.missing,
        undated=found.undated,
    )


def _view(clock: Clock, calendar: Calendar, now: datetime) -> ClockView:
    rule = clock.rule
    seen = min(now, clock.stopped_at or now)
    return ClockView(
        stage=clock.stage,
        starts_at=clock.starts_at,
        ends_at=clock.ends_at,
        replaced_ends=clock.extensions,
        stopped_at=clock.stopped_at,
        standing=clock.standing(now),
        share_used=round(share_used(clock, calendar, seen), 4),
        amount=rule.amount,
        unit=rule.unit,
        basis=rule.basis,
        origin=rule.origin,
        verified=rule.verified,
        policy=clock.policy,
    )


ENDPOINTS = (
    get(
        "/api/cases/{case_id}/clocks",
        case_clocks,
        ClocksView,
        faults=(Fault.NOT_FOUND,),
        roles=READERS,
    ),
)
