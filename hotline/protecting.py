"""Protecting a case and keeping people apart from it: each step one transaction, never ownerless.

A report against officials or against this office is protected: discipline alone handles it, and
whoever took it answers for it until discipline takes it over. The accused, their units and the
units above these are kept apart from it, as is anybody with a conflict (回避) from any case: they
find it nowhere (`hotline/sighted.py`), and what they were answering for is somebody else's in the
same transaction.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hotline import journal, protection_rows, repeats, store
from hotline.database import Connection
from hotline.journal import Event
from hotline.masking import mask_text
from hotline.protection_rows import Because, Protection
from routing import store as cases
from routing.cases import Actor, Case, Move, MoveData, Role
from routing.errors import IllegalMove
from routing.in_force import InForce
from routing.moves import LED

DISCIPLINE_DESK = "discipline"
"""Who answers for a protected case where discipline has no person who may."""
SERVICE = "service"
BY_ITSELF = frozenset({Role.SYSTEM})
DISPATCH_DESK = "dispatcher"
HANDLING = frozenset(
    {Role.OPERATOR, Role.DISPATCHER, Role.AUDITOR, Role.CALL_BACK, Role.SUPERVISOR}
)
"""What discipline does with a protected case: all of it, in place of every desk."""
BY_THE_TAKER = frozenset({Move.OPEN, Move.HAND_OVER, Move.ACCEPT, Move.DECLINE})
TO_A_UNIT = frozenset({Move.DISPATCH, Move.CONSULT, Move.ADD_HELPER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Accused:
    """Whom a report is against; `persons` by login or seat, `others` by name and post."""

    office: bool = False
    persons: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Doing:
    """Who does it, when, by which rules, and which units stand above a unit."""

    by: Actor
    now: datetime
    limits: InForce
    above: Callable[[str], Sequence[str]]


async def protect(
    tx: Connection, case_id: int, accused: Accused, reason: str, doing: Doing
) -> Case:
    """Mark a case as protected, or name more accused; its owner may find it or is replaced."""
    await journal.take_turn(tx)  # other cases may move too
    case, by, now = await cases.get(tx, case_id), doing.by.name, doing.now
    handed = Role.DISCIPLINE in doing.by.roles
    await protection_rows.mark(tx, case_id, office=accused.office, by=by, now=now, handed=handed)
    await _keep_apart(tx, case_id, accused, doing)
    for said in accused.others:
        await protection_rows.accuse(tx, case_id, said, by=by, now=now)
    found = await protection_rows.of_case(tx, case_id)
    owner = case.owner
    if found is not None and found.handed_at is None and found.taker == by:
        owner = by
    elif not await protection_rows.is_discipline(tx, owner):
        owner = by if handed else DISCIPLINE_DESK
    if owner == DISCIPLINE_DESK or await protection_rows.is_apart(tx, case_id, owner):
        free = await protection_rows.candidate(tx, case_id, Role.DISCIPLINE, None)
        owner = free or DISCIPLINE_DESK
    await _let_members_go(tx, case_id, doing)
    more = {
        "against_office": accused.office,
        "accused": len(accused.persons) + len(accused.units) + len(accused.others),
    }
    return await _moved(
        tx, case_id, Move.PROTECT, MoveData(person=owner, reason=mask_text(reason)), doing, more
    )


async def _let_members_go(tx: Connection, case_id: int, doing: Doing) -> None:
    """What went with the case goes on by itself: its callers are told of another's answer."""
    members, _ = await repeats.bound_to(tx, case_id)
    for member in members:
        case = await cases.get(tx, member)
        if case.state in LED:
            data = MoveData(reason="不再并案办理")
            await _moved(tx, member, Move.LEAVE, data, doing, {}, frozenset({Role.DISPATCHER}))


async def _keep_apart(tx: Connection, case_id: int, accused: Accused, doing: Doing) -> None:
    chain = [above for unit in accused.units for above in doing.above(unit)]
    for people, units, because in (
        (accused.persons, accused.units, Because.ACCUSED),
        ((), chain, Because.CHAIN),
    ):
        await protection_rows.keep_apart(
            tx,
            case_id,
            persons=people,
            units=units,
            because=because,
            by=doing.by.name,
            now=doing.now,
        )
    theirs = await protection_rows.units_of(tx, accused.persons)
    if own := [unit for unit in theirs if unit not in accused.units]:
        more = Accused(units=tuple(own))
        await _keep_apart(tx, case_id, more, doing)


async def unprotect(tx: Connection, case_id: int, reason: str, doing: Doing) -> None:
    """Two people of discipline find that a case needs no protection: one asks, another confirms.

    Who was kept apart stays so. Asking again changes nothing but the reason on record.
    """
    found = await _must_be_protected(tx, case_id)
    asked_by = found.end_asked_by
    if asked_by is None or asked_by == doing.by.name:
        await protection_rows.ask_end(tx, case_id, by=doing.by.name, now=doing.now)
        await _told(tx, case_id, Event.CASE_UNPROTECT_ASKED, reason, doing)
    else:
        await protection_rows.end(tx, case_id, by=doing.by.name, now=doing.now)
        await _told(tx, case_id, Event.CASE_UNPROTECTED, reason, doing)


async def rejoin(tx: Connection, case_id: int, apart_id: int, reason: str, doing: Doing) -> None:
    """A recusal is over: the conflict is gone. The accused and their chain stay apart for good."""
    await cases.get(tx, case_id)
    if not await protection_rows.rejoin(tx, case_id, apart_id, by=doing.by.name, now=doing.now):
        raise IllegalMove("There is no recusal of this number that could end.", case_id=case_id)
    await _told(tx, case_id, Event.CASE_REJOINED, reason, doing)


async def _told(tx: Connection, case_id: int, event: Event, reason: str, doing: Doing) -> None:
    await journal.write(
        tx,
        at=doing.now,
        actor=doing.by.name,
        event=event,
        case_id=case_id,
        body={"reason": mask_text(reason)},
    )


async def take_over(tx: Connection, case_id: int, doing: Doing) -> Case:
    """A person of discipline answers for a protected case; its taker finds it no more."""
    await _must_be_protected(tx, case_id)
    await protection_rows.hand(tx, case_id, to=doing.by.name, now=doing.now)
    return await _moved(tx, case_id, Move.TAKE_OVER, MoveData(person=doing.by.name), doing, {})


async def _must_be_protected(tx: Connection, case_id: int) -> Protection:
    found = await protection_rows.of_case(tx, case_id)
    if found is None:
        raise IllegalMove("This case is not protected.", case_id=case_id)
    return found


async def recuse(  # noqa: PLR0917 - what, who, why, by whom
    tx: Connection,
    case_id: int,
    persons: Sequence[str],
    units: Sequence[str],
    because: Because,
    reason: str,
    doing: Doing,
) -> Case:
    """Keep people and units with a conflict apart from a case; another has it at once."""
    case = await cases.get(tx, case_id)
    await protection_rows.keep_apart(
        tx, case_id, persons=persons, units=units, because=because, by=doing.by.name, now=doing.now
    )
    owner = await _owner_after(tx, case, units, doing)
    data = MoveData(person=owner, reason=mask_text(reason), units=tuple(units) or None)
    return await _moved(tx, case_id, Move.RECUSE, data, doing, {"because": because})


async def _owner_after(tx: Connection, case: Case, units: Sequence[str], doing: Doing) -> str:
    """The owner, or whoever takes that place: the unit's head, the desk's, whoever recuses."""
    if not await protection_rows.is_apart(tx, case.id, case.owner) and case.unit not in units:
        return case.owner
    if await protection_rows.of_case(tx, case.id) is not None:
        free = await protection_rows.candidate(tx, case.id, Role.DISCIPLINE, None)
        return free or DISCIPLINE_DESK
    if case.unit is not None and case.signed_at is not None and case.unit not in units:
        free = await protection_rows.candidate(tx, case.id, Role.UNIT, case.unit)
        if free is not None:
            return free
    if doing.by.unit is None and not await protection_rows.is_apart(tx, case.id, doing.by.name):
        return doing.by.name
    return await protection_rows.candidate(tx, case.id, Role.DISPATCHER, None) or DISPATCH_DESK


async def _moved(  # noqa: PLR0917 - as a move is told
    tx: Connection,
    case_id: int,
    move: Move,
    data: MoveData,
    doing: Doing,
    more: dict[str, Any],
    roles: frozenset[Role] = BY_ITSELF,
) -> Case:
    """Make one of the service's own moves for a person, with its row of the journal."""
    actor = Actor(name=doing.by.name if roles == BY_ITSELF else SERVICE, roles=roles)
    moved = await cases.move(tx, case_id, move, actor, doing.now, data, limits=doing.limits)
    if moved.after.call_id is not None:
        await store.hold_call(tx, moved.after.call_id)
    await journal.write(
        tx,
        at=doing.now,
        actor=actor.name,
        event=Event(moved.event),
        call_id=moved.after.call_id,
        case_id=case_id,
        body=moved.body | more,
    )
    return moved.after


async def acting(tx: Connection, case_id: int, actor: Actor) -> Actor:
    """Discipline does every desk's part in a protected case, and only there."""
    if Role.DISCIPLINE not in actor.roles:
        return actor
    if await protection_rows.of_case(tx, case_id) is None:
        return actor
    return Actor(
        name=actor.name,
        roles=actor.roles | HANDLING,
        unit=actor.unit,
        stands_for=actor.stands_for,
    )


async def check(tx: Connection, case_id: int, move: Move, actor: Actor, data: MoveData) -> None:
    """Raise `IllegalMove` where a move would give a case to somebody who is kept apart from it."""
    named = [it for it in (data.unit, *(data.units or ()), *(data.helpers or ())) if it]
    apart = await protection_rows.units_apart(tx, case_id, named) if named else frozenset()
    if apart and move in TO_A_UNIT | {Move.OPEN}:
        raise IllegalMove(
            f"'{move}' cannot give this case to {min(apart)}: that unit is kept apart from it.",
            case_id=case_id,
        )
    if data.person and await protection_rows.is_apart(tx, case_id, data.person):
        raise IllegalMove(
            f"'{move}' cannot give this case to {data.person}, who is kept apart from it.",
            case_id=case_id,
        )
    if await protection_rows.of_case(tx, case_id) is not None:
        await _check_protected(tx, case_id, move, actor, data)


async def _check_protected(
    tx: Connection, case_id: int, move: Move, actor: Actor, data: MoveData
) -> None:
    if move in TO_A_UNIT:
        raise IllegalMove("A protected case is given to no unit.", case_id=case_id)
    if Role.DISCIPLINE not in actor.roles and move not in BY_THE_TAKER:
        raise IllegalMove("Only discipline handles a protected case.", case_id=case_id)
    if data.person and not await protection_rows.is_discipline(tx, data.person):
        raise IllegalMove("A protected case is handed to discipline only.", case_id=case_id)
