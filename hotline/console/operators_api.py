"""Operators at their desks: log in, pause, see who is there."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from hotline.console.control_api import refusals
from hotline.console.desk import Request
from hotline.console.endpoint import Endpoint, Handler, get, post
from hotline.console.problems import Fault, ProblemError
from hotline.console.shapes import Asked, Name, Told
from hotline.console.who import ADMINISTRATORS, DESK, OFFICE
from hotline.coverage import ROSTER, STAFF
from hotline.database import borrowed
from hotline.operator_rows import open_gaps
from hotline.operator_views import Shown
from routing.cases import Role
from telephony.agents import AgentState
from telephony.seating import Phone

FAULTS = (Fault.FORBIDDEN, Fault.NOT_POSSIBLE, Fault.EXCHANGE_AWAY)


class LogIn(Asked):
    """Which lines to answer; all of them unless named."""

    lines: tuple[Name, ...] = ()


class Pause(Asked):
    """Why no calls can be taken for a while."""

    reason: Annotated[str, Field(pattern=r"^[\w \-]{1,40}$")]


class Nothing(Asked):
    """An order that needs no more words."""


class OperatorView(Told):
    """One operator of the configuration."""

    operator: str
    badge: str
    name: str
    state: AgentState
    reason: str | None = Field(description="Why he is paused, or will be after this call.")
    since: datetime | None
    until: datetime | None = Field(description="When the wrap-up ends.")
    lines: tuple[str, ...]
    reachable: bool = Field(description="Whether his telephone was there at the last look.")
    phone: Phone = Field(description="Which telephone his lines ring.")


class GapView(Told):
    """A time in which a line has, or will have, nobody."""

    line: str
    kind: str = Field(description="staff: nobody sits there; roster: nobody is on duty.")
    starts_at: datetime


class Operators(Told):
    """Everybody, and the lines that lack somebody."""

    operators: tuple[OperatorView, ...]
    gaps: tuple[GapView, ...]


async def list_operators(asked: Request) -> Operators:
    """Where every operator stands, and which lines lack somebody."""
    shown = await asked.services.operators.shown()
    async with borrowed(asked.services.pool) as conn:
        open_now = await open_gaps(conn)
    kinds = (STAFF, ROSTER)
    return Operators(
        operators=tuple(_view(asked, one) for one in shown),
        gaps=tuple(GapView(**dict(row)) for row in open_now if row["kind"] in kinds),
    )


async def log_in(asked: Request) -> OperatorView:
    """Take calls from now on."""
    operator, by = _about(asked)
    lines = asked.asked(LogIn).lines
    with refusals():
        return _view(asked, await asked.services.operators.log_in(operator, by, lines))


async def log_out(asked: Request) -> OperatorView:
    """Take no more calls; refused during one."""
    operator, by = _about(asked)
    with refusals():
        return _view(asked, await asked.services.operators.log_out(operator, by))


async def ready(asked: Request) -> OperatorView:
    """End a pause or a wrap-up."""
    operator, by = _about(asked)
    with refusals():
        return _view(asked, await asked.services.operators.ready(operator, by))


async def pause(asked: Request) -> OperatorView:
    """Take no calls for a while; during a call the pause begins after it."""
    operator, by = _about(asked)
    reason = asked.asked(Pause).reason
    with refusals():
        return _view(asked, await asked.services.operators.pause(operator, by, reason))


def _about(asked: Request) -> tuple[str, str]:
    """Whom the order is about and who gives it: oneself, or anybody for a supervisor."""
    operator = asked.http.match_info["operator"]
    seat = asked.person.seat if asked.person else None
    if seat is None:
        raise ProblemError(Fault.FORBIDDEN, "Sign in at a seat first.")
    if seat != operator and not supervises(asked):
        raise ProblemError(Fault.FORBIDDEN, "Only a supervisor may do this for somebody else.")
    return operator, seat


def supervises(asked: Request) -> bool:
    """A user is a supervisor by role; before there are users, by the seat."""
    if asked.who.user_id is not None:
        return Role.SUPERVISOR in asked.who.roles
    return asked.who.seat in asked.services.config.control.supervisors


def _view(asked: Request, shown: Shown) -> OperatorView:
    people = {one.extension: one for one in asked.services.config.operators}
    person, row = people[shown.operator], shown.seated
    agent = row.agent if row else None
    return OperatorView(
        operator=shown.operator,
        badge=person.badge,
        name=person.name,
        state=agent.state if agent else AgentState.LOGGED_OUT,
        reason=agent.reason if agent else None,
        since=agent.since if agent else None,
        until=agent.until if agent else None,
        lines=row.lines if row else (),
        reachable=shown.is_reachable,
        phone=row.phone if row else Phone.DESK,
    )


def _seat(word: str, handler: Handler, body: type[BaseModel] = Nothing) -> Endpoint:
    return post(
        f"/api/operators/{{operator}}/{word}",
        handler,
        body,
        OperatorView,
        faults=FAULTS,
        roles=DESK,
    )


ENDPOINTS = (
    get("/api/operators", list_operators, Operators, roles=OFFICE | ADMINISTRATORS),
    _seat("login", log_in, LogIn),
    _seat("logout", log_out),
    _seat("ready", ready),
    _seat("pause", pause, Pause),
)
