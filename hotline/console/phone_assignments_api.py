"""Urgent cases given to a unit by telephone first (急件电话交办), and its word in minutes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime

from pydantic import Field

from hotline import phone_assignments
from hotline.console.desk import Request
from hotline.console.endpoint import get, post
from hotline.console.problems import Fault, ProblemError
from hotline.console.shapes import Asked, Id, Name, Told, Words
from hotline.console.who import OPENERS, READERS
from hotline.database import borrowed, transaction
from hotline.errors import PhoneAssignmentRefusedError
from routing.cases import Role
from routing.errors import CaseUnknown


class NewPhoneAssignment(Asked):
    """Which unit was told by telephone, whom there, and what."""

    unit: Name
    told: Words = Field(description="Whom of the unit, and what is to be done at once.")


class PhoneFeedback(Asked):
    """What the unit reported back."""

    feedback: Words


class PhoneAssignmentView(Told):
    """One assignment; its clock is the stage `phone_assignment` among the case's clocks."""

    id: Id
    case_id: Id
    unit: str
    given_at: datetime
    given_by: str
    before_dispatch: bool = Field(description="The dispatch had still to follow.")
    feedback_at: datetime | None
    feedback_by: str | None


class PhoneAssignments(Told):
    """Every assignment of a case by telephone, oldest first."""

    assignments: tuple[PhoneAssignmentView, ...]


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except CaseUnknown as error:
        raise ProblemError(Fault.NOT_FOUND, str(error)) from error
    except PhoneAssignmentRefusedError as error:
        raise ProblemError(Fault.NOT_POSSIBLE, str(error)) from error


async def list_phone_assignments(asked: Request) -> PhoneAssignments:
    """When a case was given by telephone, and when the unit reported back."""
    case_id = asked.path_id("case_id")
    async with borrowed(asked.services.pool) as conn:
        await asked.sight.check(conn, case_id)
        found = await phone_assignments.of_case(conn, case_id)
    return PhoneAssignments(assignments=tuple(PhoneAssignmentView(**asdict(it)) for it in found))


async def assign_by_phone(asked: Request) -> PhoneAssignmentView:
    """A unit was told of an urgent case by telephone: its clock begins now."""
    given, case_id = asked.asked(NewPhoneAssignment), asked.path_id("case_id")
    if given.unit not in {unit.name for unit in asked.services.city.units}:
        raise ProblemError(Fault.INVALID, "unit: the city's directory has no such unit.")
    with _refusals():
        async with transaction(asked.services.pool) as tx:
            await asked.sight.check(tx, case_id)
            new = await phone_assignments.give(
                tx,
                case_id,
                asked.actor(),
                asked.services.clock(),
                unit=given.unit,
                told=given.told,
            )
    return PhoneAssignmentView(**asdict(new))


async def report_by_phone(asked: Request) -> PhoneAssignmentView:
    """The unit reported back by telephone, or does so here: the clock stops."""
    given, case_id = asked.asked(PhoneFeedback), asked.path_id("case_id")
    with _refusals():
        async with transaction(asked.services.pool) as tx:
            await asked.sight.check(tx, case_id)
            now = asked.services.clock()
            done = await phone_assignments.feedback(
                tx, case_id, asked.actor(), now, said=given.feedback
            )
    return PhoneAssignmentView(**asdict(done))


_OF = "/api/cases/{case_id}/phone-assignments"
_STEP = (Fault.NOT_FOUND, Fault.NOT_POSSIBLE)
ENDPOINTS = (
    get(_OF, list_phone_assignments, PhoneAssignments, faults=(Fault.NOT_FOUND,), roles=READERS),
    post(
        _OF, assign_by_phone, NewPhoneAssignment, PhoneAssignmentView, faults=_STEP, roles=OPENERS
    ),
    post(
        f"{_OF}/feedback",
        report_by_phone,
        PhoneFeedback,
        PhoneAssignmentView,
        faults=_STEP,
        roles=OPENERS | {Role.UNIT},
    ),
)
