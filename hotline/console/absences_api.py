"""Being away: notices of absence for everybody to see, and the deputies who act meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from pydantic import AwareDatetime, Field

from hotline import absence_rows, absences, user_rows
from hotline.console.desk import Request
from hotline.console.endpoint import get, post
from hotline.console.problems import Fault, ProblemError
from hotline.console.shapes import Asked, Id, Name, Size, Told
from hotline.console.who import ADMINISTRATORS, SUPERVISORS
from hotline.database import Connection, borrowed, transaction
from hotline.errors import AbsenceUnknownError, AbsenceWrongError
from hotline.users import User
from routing.absences import DESK, Absence

MOST_PEOPLE = 1000


class AbsenceQuery(Asked):
    """Which notices, newest first; `before` is the `next` of the page before."""

    over: bool = Field(default=False, description="Also those that are over.")
    who: Name | None = None
    before: Id | None = None
    limit: Size = 100


class AbsenceAsked(Asked):
    """A person will be away. One's own; for others a supervisor, or the head of the unit."""

    who: Name | None = Field(default=None, description="A login; oneself unless named.")
    deputy: Name | None = Field(
        default=None, description="Of the same unit; without one its head acts, else the desk."
    )
    reason: Name
    since: AwareDatetime | None = Field(default=None, description="From now on unless named.")
    until: AwareDatetime | None = Field(default=None, description="Until ended unless named.")


class DeputyQuery(Asked):
    """Who could stand in for whom."""

    who: Name | None = Field(default=None, description="A login; oneself unless named.")


class Nothing(Asked):
    """An order that needs no more words."""


class AbsenceView(Told):
    """One notice of absence."""

    id: Id
    who: str
    deputy: str | None
    acting: str | None = Field(description="Who acts now; null when the person is there.")
    reason: str | None = Field(description="Shown to the person and to who may enter it.")
    since: datetime
    until: datetime | None
    ended_at: datetime | None
    entered_by: str


class Absences(Told):
    """One page of notices."""

    absences: tuple[AbsenceView, ...]
    next: Id | None


class Deputy(Told):
    """Somebody who can stand in."""

    login: str
    name: str


class Deputies(Told):
    """Who can stand in for a person, and for whom one acts oneself at this moment."""

    deputies: tuple[Deputy, ...]
    stands_for: tuple[str, ...] = Field(description="For whom the asker acts.")


async def list_absences(asked: Request) -> Absences:
    """Who is away, will be, or was, and who acts."""
    query, now = asked.asked(AbsenceQuery), asked.services.clock()
    async with borrowed(asked.services.pool) as conn:
        found = await absence_rows.listed(
            conn,
            open_at=None if query.over else now,
            who=query.who,
            before=query.before,
            limit=query.limit + 1,
        )
        shown = [await _view(asked, conn, one) for one in found[: query.limit]]
    more = shown[-1].id if len(found) > query.limit else None
    return Absences(absences=tuple(shown), next=more)


async def enter_absence(asked: Request) -> AbsenceView:
    """Enter a notice: from its beginning on the deputy acts, and no clock waits."""
    given = asked.asked(AbsenceAsked)
    who = given.who or asked.who.name
    with absence_refusals():
        async with transaction(asked.services.pool) as tx:
            await _check_may(asked, tx, who)
            entered = await absences.enter(
                tx,
                who,
                deputy=given.deputy,
                reason=given.reason,
                since=given.since,
                until=given.until,
                by=asked.who.name,
                now=asked.services.clock(),
            )
            return await _view(asked, tx, entered)


async def end_absence(asked: Request) -> AbsenceView:
    """The person is back, or the notice is taken back; work is the person's own again."""
    absence_id = asked.path_id("absence_id")
    with absence_refusals():
        async with transaction(asked.services.pool) as tx:
            await _check_may(asked, tx, (await absences.found(tx, absence_id)).who)
            ended = await absences.end(
                tx, absence_id, by=asked.who.name, now=asked.services.clock()
            )
            return await _view(asked, tx, ended)


async def list_deputies(asked: Request) -> Deputies:
    """Who can stand in for oneself or for whom one looks after, and for whom one acts now."""
    who = asked.asked(DeputyQuery).who
    async with borrowed(asked.services.pool) as conn:
        if who is None:
            me = await user_rows.get(conn, asked.user_id)
        else:
            await _check_may(asked, conn, who)
            me = await user_rows.by_login(conn, who)
        people = await user_rows.listed(
            conn, active=True, unit=me.unit if me else None, limit=MOST_PEOPLE
        )
        staffing = await absence_rows.staffing(conn, asked.services.clock())
    actor = absences.acting_for(staffing, asked.actor())
    return Deputies(
        deputies=tuple(
            Deputy(login=one.login, name=one.name)
            for one in people
            if me is not None and absences.can_stand_in(me, one)
        ),
        stands_for=tuple(sorted(actor.stands_for)),
    )


async def _check_may(asked: Request, conn: Connection, who: str) -> None:
    user = await user_rows.by_login(conn, who)
    if not await _may(asked, conn, user):
        raise ProblemError(
            Fault.FORBIDDEN, "Only the person, the head of the unit or a supervisor may do this."
        )


async def _may(asked: Request, conn: Connection, user: User | None) -> bool:
    """Whether this notice is the asker's business: one's own, or as head or supervisor."""
    me = await user_rows.get(conn, asked.user_id)
    if me is None:
        return False
    if asked.who.roles & (SUPERVISORS | ADMINISTRATORS):
        return True
    return user is not None and (user.id == me.id or (me.is_head and me.unit == user.unit))


async def _view(asked: Request, conn: Connection, absence: Absence) -> AbsenceView:
    now = asked.services.clock()
    acting = None
    if absence.covers(now):
        acting = (await absence_rows.staffing(conn, now)).acting(absence.who)
    private = await _may(asked, conn, await user_rows.by_login(conn, absence.who))
    return AbsenceView(
        id=absence.id,
        who=absence.who,
        deputy=absence.deputy,
        acting="desk" if acting == DESK else acting,
        reason=absence.reason if private else None,
        since=absence.since,
        until=absence.until,
        ended_at=absence.ended_at,
        entered_by=absence.entered_by,
    )


@contextmanager
def absence_refusals() -> Iterator[None]:
    """What is refused, in the words of the API."""
    try:
        yield
    except AbsenceUnknownError as error:
        raise ProblemError(Fault.NOT_FOUND, str(error)) from error
    except AbsenceWrongError as error:
        raise ProblemError(Fault.INVALID, str(error)) from error


_FAULTS = (Fault.NOT_FOUND, Fault.NOT_POSSIBLE, Fault.FORBIDDEN)

ENDPOINTS = (
    get("/api/absences", list_absences, Absences, query=AbsenceQuery, faults=_FAULTS),
    post("/api/absences", enter_absence, AbsenceAsked, AbsenceView, faults=_FAULTS),
    post("/api/absences/{absence_id}/end", end_absence, Nothing, AbsenceView, faults=_FAULTS),
    get(
        "/api/deputies",
        list_deputies,
        Deputies,
        query=DeputyQuery,
        faults=(Fault.NOT_POSSIBLE, Fault.FORBIDDEN),
    ),
)
