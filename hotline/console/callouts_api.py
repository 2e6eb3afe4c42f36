"""Call-outs: ring one person after another until somebody acknowledges by key."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from hotline.callout import LONGEST_LIST
from hotline.callout_rows import Callout, StepState
from hotline.console.desk import Request
from hotline.console.endpoint import get, post
from hotline.console.problems import Fault, ProblemError
from hotline.console.shapes import Asked, Id, Name, Size, Told
from hotline.console.who import DESK, OFFICE
from hotline.errors import ControlImpossibleError, ControlUnavailableError
from hotline.masking import mask_number, mask_text

FAULTS = (Fault.FORBIDDEN, Fault.NOT_POSSIBLE, Fault.EXCHANGE_AWAY)
Number = Annotated[str, Field(pattern=r"^[0-9]{2,20}$")]


class CalloutAsked(Asked):
    """Why people are rung, and whom; without targets those on duty, in the roster's order."""

    line: Name = "duty"
    reason: Name
    case_id: Id | None = None
    targets: Annotated[tuple[Number, ...], Field(max_length=LONGEST_LIST)] = ()


class CalloutQuery(Asked):
    """How many of the newest."""

    limit: Size = 50


class StepView(Told):
    """One person of a call-out."""

    position: int
    target: str = Field(description="An operator's extension, or a masked number.")
    state: StepState
    rung_at: datetime | None
    ended_at: datetime | None
    detail: str | None


class CalloutView(Told):
    """One call-out with everybody on its list."""

    id: Id
    line: str
    reason: str
    case_id: Id | None
    asked_by: str
    state: str = Field(description="running, acknowledged or exhausted.")
    started_at: datetime
    ended_at: datetime | None
    steps: tuple[StepView, ...]


class Callouts(Told):
    """The newest call-outs."""

    callouts: tuple[CalloutView, ...]


async def list_callouts(asked: Request) -> Callouts:
    """The newest call-outs, and who was rung when."""
    newest = await asked.services.callouts.newest(asked.asked(CalloutQuery).limit)
    return Callouts(callouts=tuple(_view(one) for one in newest))


async def start_callout(asked: Request) -> CalloutView:
    """Ring people one after another until somebody acknowledges by key."""
    seat = asked.person.seat if asked.person else None
    if seat is None:
        raise ProblemError(Fault.FORBIDDEN, "Sign in at a seat first.")
    given, config = asked.asked(CalloutAsked), asked.services.config
    if given.line not in {line.name for line in config.lines}:
        raise ProblemError(Fault.INVALID, "line: the configuration has no such line.")
    try:
        number = await asked.services.callouts.start(
            seat, given.line, given.reason, case_id=given.case_id, targets=given.targets
        )
    except ControlImpossibleError as error:
        raise ProblemError(Fault.NOT_POSSIBLE, str(error)) from error
    except ControlUnavailableError as error:
        raise ProblemError(Fault.EXCHANGE_AWAY, str(error)) from error
    newest = await asked.services.callouts.newest(200)
    return next(_view(one) for one in newest if one.id == number)


def _view(callout: Callout) -> CalloutView:
    return CalloutView(
        id=callout.id,
        line=callout.line,
        reason=mask_text(callout.reason),
        case_id=callout.case_id,
        asked_by=callout.asked_by,
        state=callout.state,
        started_at=callout.started_at,
        ended_at=callout.ended_at,
        steps=tuple(
            StepView(
                position=step.position,
                target=mask_number(step.target),
                state=step.state,
                rung_at=step.rung_at,
                ended_at=step.ended_at,
                detail=step.detail,
            )
            for step in callout.steps
        ),
    )


ENDPOINTS = (
    get("/api/callouts", list_callouts, Callouts, query=CalloutQuery, roles=OFFICE),
    post("/api/callouts", start_callout, CalloutAsked, CalloutView, faults=FAULTS, roles=DESK),
)
