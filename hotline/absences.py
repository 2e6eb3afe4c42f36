"""Being away as steps: entering a notice and ending it, each with its journal row.

The journal tells who, who acts and how long; the reason stays in the notice, it may be an illness.
"""

from dataclasses import replace
from datetime import datetime

from hotline import absence_rows, journal, user_rows
from hotline.database import Connection
from hotline.errors import AbsenceUnknownError, AbsenceWrongError
from hotline.journal import Event
from hotline.users import User
from routing.absences import DESK, Absence, Staffing
from routing.cases import Actor, Case, Move, MoveData, Role


async def enter(
    tx: Connection,
    who: str,
    *,
    deputy: str | None,
    reason: str,
    since: datetime | None,
    until: datetime | None,
    by: str,
    now: datetime,
) -> Absence:
    """A person will be, or is, away; from `since` on (None: now) the deputy acts.

    Raises:
        AbsenceWrongError: people or times do not fit together; the sentence names the field.
    """
    person = await _user(tx, who, "who")
    stand_in = await _user(tx, deputy, "deputy") if deputy is not None else None
    if stand_in is not None:
        _check_deputy(person, stand_in)
    starts = max(since or now, now)
    if until is not None and until <= starts:
        raise AbsenceWrongError("until: it is over before it begins.")
    await absence_rows.hold(tx, person.id)
    if await absence_rows.overlaps(tx, person.id, starts, until):
        raise AbsenceWrongError(f"since: {who} has a notice for a part of this time already.")
    absence_id = await absence_rows.enter(
        tx,
        who=person.id,
        deputy=stand_in.id if stand_in else None,
        reason=reason,
        since=starts,
        until=until,
        now=now,
        by=by,
    )
    entered = await found(tx, absence_id)
    await _tell(tx, Event.ABSENCE_ENTERED, entered, by, now)
    return entered


async def end(tx: Connection, absence_id: int, *, by: str, now: datetime) -> Absence:
    """The person is back, or never goes; what was done meanwhile stays done."""
    before = await found(tx, absence_id)
    if not await absence_rows.end(tx, absence_id, now, by):
        raise AbsenceWrongError("This absence is over already.")
    await _tell(tx, Event.ABSENCE_ENDED, before, by, now)
    return await found(tx, absence_id)


async def found(tx: Connection, absence_id: int) -> Absence:
    """A notice by id; raises `AbsenceUnknownError`."""
    absence = await absence_rows.get(tx, absence_id)
    if absence is None:
        raise AbsenceUnknownError("There is no such notice of absence.")
    return absence


async def _user(tx: Connection, login: str, field: str) -> User:
    user = await user_rows.by_login(tx, login)
    if user is None or not user.active:
        raise AbsenceWrongError(f"{field}: there is no user {login} who may come in.")
    return user


def can_stand_in(person: User, other: User) -> bool:
    """Whether somebody can act for a person: of the same unit, with a role in common."""
    return (
        other.active
        and other.id != person.id
        and other.unit == person.unit
        and bool(other.roles & person.roles)
    )


def _check_deputy(person: User, deputy: User) -> None:
    if not can_stand_in(person, deputy):
        raise AbsenceWrongError(
            f"deputy: {deputy.login} is not another person of the same unit with a role in common."
        )


async def _tell(tx: Connection, event: Event, absence: Absence, by: str, now: datetime) -> None:
    body = {
        "absence": absence.id,
        "user": absence.who,
        "deputy": absence.deputy,
        "since": absence.since,
        "until": absence.until,
    }
    await journal.write(tx, at=now, actor=by, event=event, body=body)


def acting_for(staffing: Staffing, actor: Actor) -> Actor:
    """The same person with every name he or she answers to now."""
    desk = Role.DISPATCHER in actor.roles
    return replace(actor, stands_for=staffing.stands_for(actor.name, of_the_desk=desk))


def redirected(staffing: Staffing, data: MoveData) -> MoveData:
    """What is offered to somebody who is away is offered to whoever acts."""
    if data.person is None or (acting := staffing.acting(data.person)) in {data.person, DESK}:
        return data
    # A seat's person who is there is meant as named.
    return data if staffing.person(data.person) == acting else replace(data, person=acting)


def done_for(
    staffing: Staffing, before: Case, move: Move, actor: Actor, asked: MoveData
) -> str | None:
    """The person who is away and for whom this was done, None where it was one's own to do."""
    if asked.person is not None and redirected(staffing, asked) is not asked:
        return staffing.person(asked.person)
    name = before.offered_to if move in {Move.ACCEPT, Move.DECLINE} else before.owner
    person = None if name is None else staffing.person(name)
    if person is None or person not in staffing.away or name not in actor.stands_for:
        return None
    return person
