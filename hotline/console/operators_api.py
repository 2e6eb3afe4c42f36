"""Operators at their desks and the duty roster: log in, pause, see who is on duty when."""

from datetime import datetime, timedelta
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, Field

from hotline import journal
from hotline.console.control_api import refusals
from hotline.console.desk import Request
from hotline.console.endpoint import Endpoint, Handler, get, post
from hotline.console.problems import Fault, ProblemError
from hotline.console.shapes import Asked, Id, Name, Told
from hotline.console.who import DESK, OFFICE, SUPERVISORS
from hotline.coverage import ROSTER, STAFF
from hotline.database import Connection, borrowed, transaction
from hotline.journal import Event
from hotline.operator_rows import open_gaps
from hotline.operators import Shown
from hotline.roster import Role as Duty
from hotline.roster import Shift, gaps, on_duty
from hotline.roster_rows import Entered, enter, entered_between, take_back
from routing.cases import Role
from telephony.agents import AgentState

FAULTS = (Fault.FORBIDDEN, Fault.NOT_POSSIBLE, Fault.EXCHANGE_AWAY)
LONGEST_SHIFT = timedelta(days=7)
LONGEST_LOOK = timedelta(days=92)
Extension = Annotated[str, Field(pattern=r"^[0-9]{2,8}$")]


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


class GapView(Told):
    """A time in which a line has, or will have, nobody."""

    line: str
    kind: str = Field(description="staff: nobody sits there; roster: nobody is on duty.")
    starts_at: datetime


class Operators(Told):
    """Everybody, and the lines that lack somebody."""

    operators: tuple[OperatorView, ...]
    gaps: tuple[GapView, ...]


class RosterQuery(Asked):
    """Which line and which time; the coming 14 days unless named."""

    line: Name = "duty"
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


class ShiftAsked(Asked):
    """One person on duty for a time."""

    line: Name = "duty"
    role: Duty
    operator: Extension
    starts_at: AwareDatetime
    ends_at: AwareDatetime


class ShiftView(Told):
    """A shift on the roster."""

    id: Id
    line: str
    role: Duty
    operator: str
    starts_at: datetime
    ends_at: datetime
    entered_by: str


class MissingView(Told):
    """A time of the roster in which people are missing."""

    starts_at: datetime
    ends_at: datetime
    missing: dict[Duty, int]


class Roster(Told):
    """Who is on duty when, who is on duty now in the order of ringing, and where people lack."""

    line: str
    shifts: tuple[ShiftView, ...]
    now: tuple[str, ...]
    gaps: tuple[MissingView, ...]


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


async def show_roster(asked: Request) -> Roster:
    """The roster of a line with its gaps."""
    query, now = asked.asked(RosterQuery), asked.services.clock()
    since = query.since or now
    until = query.until or since + timedelta(days=14)
    if not since < until <= since + LONGEST_LOOK:
        raise ProblemError(Fault.INVALID, "until: must follow since by at most 92 days.")
    async with borrowed(asked.services.pool) as conn:
        entered = await entered_between(conn, query.line, since, until)
        today = await entered_between(conn, query.line, now, now)
    return Roster(
        line=query.line,
        shifts=tuple(_shift(one) for one in entered),
        now=tuple(one.operator for one in on_duty([one.shift for one in today], now)),
        gaps=tuple(
            MissingView(starts_at=gap.starts_at, ends_at=gap.ends_at, missing=dict(gap.missing))
            for gap in gaps([one.shift for one in entered], since, until)
        ),
    )


async def enter_shift(asked: Request) -> ShiftView:
    """Put a person on the roster; the same shift entered twice stands once."""
    by, given, now = _supervisor(asked), asked.asked(ShiftAsked), asked.services.clock()
    config = asked.services.config
    if given.line not in {line.name for line in config.lines}:
        raise ProblemError(Fault.INVALID, "line: the configuration has no such line.")
    if given.operator not in {one.extension for one in config.operators}:
        raise ProblemError(Fault.INVALID, "operator: the configuration has no such operator.")
    if not given.starts_at < given.ends_at <= given.starts_at + LONGEST_SHIFT:
        raise ProblemError(Fault.INVALID, "ends_at: must follow starts_at by at most 7 days.")
    shift = Shift(**given.model_dump())
    async with transaction(asked.services.pool) as tx:
        number = await enter(tx, shift, by, now)
        if number is None:
            raise ProblemError(Fault.NOT_POSSIBLE, "This shift stands on the roster already.")
        entered = Entered(id=number, shift=shift, entered_by=by)
        await _tell(tx, Event.ROSTER_ENTERED, entered, by, now)
    return _shift(entered)


async def take_shift_back(asked: Request) -> ShiftView:
    """Take a shift off the roster; it stays in the journal."""
    by, now = _supervisor(asked), asked.services.clock()
    async with transaction(asked.services.pool) as tx:
        gone = await take_back(tx, asked.path_id("shift_id"), by, now)
        if gone is None:
            raise ProblemError(Fault.NOT_FOUND, "There is no such shift on the roster.")
        await _tell(tx, Event.ROSTER_TAKEN_BACK, gone, by, now)
    return _shift(gone)


async def _tell(tx: Connection, event: Event, entered: Entered, by: str, now: datetime) -> None:
    body = _shift(entered).model_dump(mode="json")
    await journal.write(tx, at=now, actor=by, event=event, body=body)


def _about(asked: Request) -> tuple[str, str]:
    """Whom the order is about and who gives it: oneself, or anybody for a supervisor."""
    operator = asked.http.match_info["operator"]
    seat = asked.person.seat if asked.person else None
    if seat is None:
        raise ProblemError(Fault.FORBIDDEN, "Sign in at a seat first.")
    if seat != operator and not _supervises(asked):
        raise ProblemError(Fault.FORBIDDEN, "Only a supervisor may do this for somebody else.")
    return operator, seat


def _supervisor(asked: Request) -> str:
    if not _supervises(asked):
        raise ProblemError(Fault.FORBIDDEN, "Only a supervisor may change the roster.")
    return asked.who.name


def _supervises(asked: Request) -> bool:
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
    )


def _shift(entered: Entered) -> ShiftView:
    shift = entered.shift
    return ShiftView(
        id=entered.id,
        line=shift.line,
        role=shift.role,
        operator=shift.operator,
        starts_at=shift.starts_at,
        ends_at=shift.ends_at,
        entered_by=entered.entered_by,
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
    get("/api/operators", list_operators, Operators, roles=OFFICE),
    _seat("login", log_in, LogIn),
    _seat("logout", log_out),
    _seat("ready", ready),
    _seat("pause", pause, Pause),
    get("/api/roster", show_roster, Roster, query=RosterQuery, roles=OFFICE),
    post(
        "/api/roster",
        enter_shift,
        ShiftAsked,
        ShiftView,
        faults=(Fault.FORBIDDEN, Fault.NOT_POSSIBLE),
        roles=SUPERVISORS,
    ),
    Endpoint(
        method="DELETE",
        path="/api/roster/{shift_id}",
        handler=take_shift_back,
        answers=ShiftView,
        faults=(Fault.FORBIDDEN, Fault.NOT_FOUND),
        roles=SUPERVISORS,
    ),
)
