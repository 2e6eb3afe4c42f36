"""The duty roster: who is on duty when, now and next; what it lacks and who stands on it twice."""

from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import AwareDatetime, Field

from hotline import journal
from hotline.catalogue import say
from hotline.console.desk import Request
from hotline.console.endpoint import Endpoint, get, post
from hotline.console.operators_api import supervises
from hotline.console.problems import Fault, ProblemError
from hotline.console.shapes import Asked, Id, Name, Told
from hotline.console.who import OFFICE, SUPERVISORS
from hotline.database import Connection, borrowed, transaction
from hotline.journal import Event
from hotline.roster import Gap, Overlap, Shift, gaps, next_change, on_duty, overlaps
from hotline.roster import Role as Duty
from hotline.roster_rows import Entered, enter, entered_between, take_back
from routing.numbers import SHANGHAI

LONGEST_SHIFT = timedelta(days=7)
LONGEST_LOOK = timedelta(days=92)
Extension = Annotated[str, Field(pattern=r"^[0-9]{2,8}$")]


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
    sentence: str


class OverlapView(Told):
    """A time for which one person stands on the roster twice."""

    operator: str
    roles: tuple[Duty, Duty]
    starts_at: datetime
    ends_at: datetime
    sentence: str


class Roster(Told):
    """Who is on duty when, now and next in the order of ringing, and what is wrong with it."""

    line: str
    shifts: tuple[ShiftView, ...]
    now: tuple[str, ...]
    next_at: datetime | None = Field(description="When somebody next comes or goes.")
    next: tuple[str, ...] = Field(description="Who is on duty from then on.")
    gaps: tuple[MissingView, ...]
    overlaps: tuple[OverlapView, ...]


async def show_roster(asked: Request) -> Roster:
    """The roster of a line with its gaps and with who stands on it twice."""
    query, now = asked.asked(RosterQuery), asked.services.clock()
    since = query.since or now
    until = query.until or since + timedelta(days=14)
    if not since < until <= since + LONGEST_LOOK:
        raise ProblemError(Fault.INVALID, "until: must follow since by at most 92 days.")
    async with borrowed(asked.services.pool) as conn:
        entered = await entered_between(conn, query.line, since, until)
        ahead = await entered_between(conn, query.line, now, now + LONGEST_SHIFT)
    shifts, coming = [one.shift for one in entered], [one.shift for one in ahead]
    following = next_change(coming, now)
    return Roster(
        line=query.line,
        shifts=tuple(_shift(one) for one in entered),
        now=_people(coming, now),
        next_at=following,
        next=_people(coming, following) if following else (),
        gaps=tuple(_missing(asked, query.line, gap) for gap in gaps(shifts, since, until)),
        overlaps=tuple(_overlap(asked, query.line, one) for one in overlaps(shifts)),
    )


async def enter_shift(asked: Request) -> ShiftView:
    """Put a person on the roster; the same shift entered twice stands once."""
    by, now = _supervisor(asked), asked.services.clock()
    shift = _checked(asked)
    async with transaction(asked.services.pool) as tx:
        entered = await _enter(tx, shift, by, now)
        await _tell(tx, Event.ROSTER_ENTERED, entered, by=by, now=now)
    return _shift(entered)


async def change_shift(asked: Request) -> ShiftView:
    """Put another shift in the place of one; the old one stays in the journal."""
    by, now = _supervisor(asked), asked.services.clock()
    shift = _checked(asked)
    async with transaction(asked.services.pool) as tx:
        gone = await _take_back(tx, asked, by, now)
        entered = await _enter(tx, shift, by, now)
        await _tell(
            tx, Event.ROSTER_CHANGED, entered, by=by, now=now, more={"before": _facts(gone)}
        )
    return _shift(entered)


async def take_shift_back(asked: Request) -> ShiftView:
    """Take a shift off the roster; it stays in the journal."""
    by, now = _supervisor(asked), asked.services.clock()
    async with transaction(asked.services.pool) as tx:
        gone = await _take_back(tx, asked, by, now)
        await _tell(tx, Event.ROSTER_TAKEN_BACK, gone, by=by, now=now)
    return _shift(gone)


def _checked(asked: Request) -> Shift:
    given, config = asked.asked(ShiftAsked), asked.services.config
    if given.line not in {line.name for line in config.lines}:
        raise ProblemError(Fault.INVALID, "line: the configuration has no such line.")
    if given.operator not in {one.extension for one in config.operators}:
        raise ProblemError(Fault.INVALID, "operator: the configuration has no such operator.")
    if not given.starts_at < given.ends_at <= given.starts_at + LONGEST_SHIFT:
        raise ProblemError(Fault.INVALID, "ends_at: must follow starts_at by at most 7 days.")
    return Shift(**given.model_dump())


async def _enter(tx: Connection, shift: Shift, by: str, now: datetime) -> Entered:
    number = await enter(tx, shift, by, now)
    if number is None:
        raise ProblemError(Fault.NOT_POSSIBLE, "This shift stands on the roster already.")
    return Entered(id=number, shift=shift, entered_by=by)


async def _take_back(tx: Connection, asked: Request, by: str, now: datetime) -> Entered:
    gone = await take_back(tx, asked.path_id("shift_id"), by, now)
    if gone is None:
        raise ProblemError(Fault.NOT_FOUND, "There is no such shift on the roster.")
    return gone


async def _tell(
    tx: Connection,
    event: Event,
    entered: Entered,
    *,
    by: str,
    now: datetime,
    more: dict[str, Any] | None = None,
) -> None:
    body = _facts(entered) | (more or {})
    await journal.write(tx, at=now, actor=by, event=event, body=body)


def _facts(entered: Entered) -> dict[str, Any]:
    return _shift(entered).model_dump(mode="json")


def _supervisor(asked: Request) -> str:
    if not supervises(asked):
        raise ProblemError(Fault.FORBIDDEN, "Only a supervisor may change the roster.")
    return asked.who.name


def _people(shifts: list[Shift], at: datetime) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.operator for one in on_duty(shifts, at)))


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


def _missing(asked: Request, line: str, gap: Gap) -> MissingView:
    language = asked.services.config.language
    short = say("list.and", language).join(
        say("duty.short", language, role=say(f"duty.role.{role}", language), count=count)
        for role, count in gap.missing
    )
    return MissingView(
        starts_at=gap.starts_at,
        ends_at=gap.ends_at,
        missing=dict(gap.missing),
        sentence=say("duty.gap", language, line=line, missing=short, **_times(gap)),
    )


def _overlap(asked: Request, line: str, overlap: Overlap) -> OverlapView:
    language = asked.services.config.language
    first, second = (say(f"duty.role.{role}", language) for role in overlap.roles)
    return OverlapView(
        operator=overlap.operator,
        roles=overlap.roles,
        starts_at=overlap.starts_at,
        ends_at=overlap.ends_at,
        sentence=say(
            "duty.overlap",
            language,
            line=line,
            operator=overlap.operator,
            first=first,
            second=second,
            **_times(overlap),
        ),
    )


def _times(span: Gap | Overlap) -> dict[str, str]:
    return {
        "since": f"{span.starts_at.astimezone(SHANGHAI):%m-%d %H:%M}",
        "until": f"{span.ends_at.astimezone(SHANGHAI):%m-%d %H:%M}",
    }


_CHANGING = (Fault.FORBIDDEN, Fault.NOT_POSSIBLE)
_SHIFT = "/api/roster/{shift_id}"
ENDPOINTS = (
    get("/api/roster", show_roster, Roster, query=RosterQuery, roles=OFFICE),
    post("/api/roster", enter_shift, ShiftAsked, ShiftView, faults=_CHANGING, roles=SUPERVISORS),
    post(
        _SHIFT + "/change",
        change_shift,
        ShiftAsked,
        ShiftView,
        faults=(*_CHANGING, Fault.NOT_FOUND),
        roles=SUPERVISORS,
    ),
    Endpoint(
        method="DELETE",
        path=_SHIFT,
        handler=take_shift_back,
        answers=ShiftView,
        faults=(Fault.FORBIDDEN, Fault.NOT_FOUND),
        roles=SUPERVISORS,
    ),
)
