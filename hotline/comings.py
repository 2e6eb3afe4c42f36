"""请来人处理: a unit is called to come to the caller, and says that it comes.

    asked -> acknowledged -> arrived; withdrawn from either of the first two

Each step is a conditional update with its journal row. The unit must acknowledge within the limit
that the case's policy gives a matter assigned by telephone; where the policy gives none, none is
promised. One open request for each case and unit: the same again finds it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, LiteralString

import asyncpg

from hotline import journal
from hotline.database import Connection
from hotline.errors import ComingConflictError, ComingRefusedError, ComingUnknownError
from hotline.journal import Event
from routing import store, text_store
from routing.cases import Actor, Case
from routing.clock_facts import facts_of
from routing.clocks import Entered, stage_clock
from routing.errors import CalendarEnds, LimitMissing
from routing.in_force import InForce
from routing.limits import Stage
from routing.moves import is_over

DEED = "ask_to_come"
"""The move, so to speak, that the words of a request belong to."""


class State(StrEnum):
    """Where a request to come stands."""

    ASKED = "asked"
    ACKNOWLEDGED = "acknowledged"
    ARRIVED = "arrived"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """One request; `place` and `reason` are None where the words were erased."""

    id: int
    case_id: int
    number: str
    unit: str
    place: str | None
    reason: str | None
    state: State
    asked_at: datetime
    asked_by: str
    due_at: datetime | None
    """Until when the unit has to say that it comes."""
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    comes_at: datetime | None
    ended_at: datetime | None
    ended_by: str | None


_COMING: LiteralString = """
    SELECT c.*, k.number FROM comings c JOIN cases k ON k.id = c.case_id """
_ASK: LiteralString = """
    INSERT INTO comings (case_id, unit, place, reason, asked_at, asked_by, due_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id"""
_OPEN_OF: LiteralString = (
    _COMING
    + """WHERE c.case_id = $1 AND c.unit = $2 AND c.state IN ('asked', 'acknowledged')
       FOR UPDATE OF c"""
)
_ONE: LiteralString = _COMING + "WHERE c.id = $1"
_OF_CASE: LiteralString = _COMING + "WHERE c.case_id = $1 ORDER BY c.id"
_OPEN: LiteralString = (
    _COMING
    + """WHERE c.state IN ('asked', 'acknowledged') AND ($1::text IS NULL OR c.unit = $1)
     ORDER BY c.id LIMIT 200"""
)
_HOLD: LiteralString = "SELECT FROM cases WHERE id = $1 FOR NO KEY UPDATE"
_ACKNOWLEDGE: LiteralString = """
    UPDATE comings SET state = 'acknowledged', acknowledged_at = $2, acknowledged_by = $3,
           comes_at = $4
     WHERE id = $1 AND state = 'asked'"""
_ARRIVE: LiteralString = """
    UPDATE comings SET state = 'arrived', ended_at = $2, ended_by = $3
     WHERE id = $1 AND state = 'acknowledged'"""
_WITHDRAW: LiteralString = """
    UPDATE comings SET state = 'withdrawn', ended_at = $2, ended_by = $3
     WHERE id = $1 AND state IN ('asked', 'acknowledged')"""


async def ask(
    tx: Connection,
    case_id: int,
    *,
    unit: str,
    place: str,
    reason: str,
    actor: Actor,
    now: datetime,
    limits: InForce,
) -> Coming:
    """Call a unit to come to a caller; while it is open, the same again is the one that is there.

    Raises:
        CaseUnknown: there is no such case. ComingRefusedError: it is over.
    """
    await tx.execute(_HOLD, case_id)
    case = await store.get(tx, case_id)
    if is_over(case.state):
        raise ComingRefusedError(f"Case {case.number} is {case.state}: nobody is called to it.")
    if (there := await tx.fetchrow(_OPEN_OF, case_id, unit)) is not None:
        return await _read(tx, there)
    words = {"place": place, "reason": reason}
    digests = await text_store.keep(tx, case_id, move=DEED, actor=actor, now=now, texts=words)
    due_at = _due_at(case, now, limits)
    coming_id = await tx.fetchval(
        _ASK, case_id, unit, digests["place"], digests["reason"], now, actor.name, due_at
    )
    coming = await get(tx, int(coming_id))
    await tell(tx, Event.COMING_ASKED, coming, actor.name, now, {"texts": digests})
    return coming


def _due_at(case: Case, now: datetime, limits: InForce) -> datetime | None:
    policy = limits.of(case) or limits.policy
    begun = Entered(stage=Stage.PHONE_ASSIGNMENT, at=now)
    try:
        return stage_clock(begun, facts_of(case, ()), policy, limits.calendar).ends_at
    except (LimitMissing, CalendarEnds):
        return None


async def acknowledge(
    tx: Connection, coming_id: int, *, comes_at: datetime, actor: Actor, now: datetime
) -> Coming:
    """The unit, or the desk that reached it by telephone, says when somebody comes.

    Raises:
        ComingUnknownError, ComingConflictError: somebody was first; ComingRefusedError: too early.
    """
    coming = await _for(tx, coming_id, actor)
    if comes_at < coming.asked_at:
        raise ComingRefusedError("Nobody comes before he was asked to.")
    done = await tx.execute(_ACKNOWLEDGE, coming_id, now, actor.name, comes_at)
    return await _stepped(tx, done, coming, Event.COMING_ACKNOWLEDGED, actor, now)


async def arrive(tx: Connection, coming_id: int, *, actor: Actor, now: datetime) -> Coming:
    """Somebody of the unit is there; raises as `acknowledge`."""
    coming = await _for(tx, coming_id, actor)
    done = await tx.execute(_ARRIVE, coming_id, now, actor.name)
    return await _stepped(tx, done, coming, Event.COMING_ARRIVED, actor, now)


async def withdraw(tx: Connection, coming_id: int, *, actor: Actor, now: datetime) -> Coming:
    """Nobody needs to come any more; raises as `acknowledge`."""
    coming = await _for(tx, coming_id, actor)
    done = await tx.execute(_WITHDRAW, coming_id, now, actor.name)
    return await _stepped(tx, done, coming, Event.COMING_WITHDRAWN, actor, now)


async def get(conn: Connection, coming_id: int) -> Coming:
    """One request; raises ComingUnknownError."""
    row = await conn.fetchrow(_ONE, coming_id)
    if row is None:
        raise ComingUnknownError("There is no such request to come.")
    return await _read(conn, row)


async def of_case(conn: Connection, case_id: int) -> tuple[Coming, ...]:
    """Every request of a case, oldest first."""
    return tuple([await _read(conn, row) for row in await conn.fetch(_OF_CASE, case_id)])


async def open_ones(conn: Connection, unit: str | None = None) -> tuple[Coming, ...]:
    """Requests where nobody has come yet, oldest first, 200 at most; None: of every unit."""
    return tuple([await _read(conn, row) for row in await conn.fetch(_OPEN, unit)])


async def _for(tx: Connection, coming_id: int, actor: Actor) -> Coming:
    """The request, if it is this person's to answer; else there is none."""
    coming = await get(tx, coming_id)
    if actor.unit is not None and actor.unit != coming.unit:
        raise ComingUnknownError("There is no such request to come.")
    return coming


async def _stepped(  # noqa: PLR0917 - what was done, to what, told how, by whom, when
    tx: Connection, done: str, before: Coming, event: Event, actor: Actor, now: datetime
) -> Coming:
    after = await get(tx, before.id)
    if done != "UPDATE 1":
        raise ComingConflictError(f"This request to {after.unit} is {after.state} already.")
    await tell(tx, event, after, actor.name, now, {"comes_at": after.comes_at})
    return after


async def tell(  # noqa: PLR0917 - what happened to what, by whom, when
    tx: Connection,
    event: Event,
    coming: Coming,
    by: str,
    now: datetime,
    more: Mapping[str, Any] | None = None,
) -> None:
    """Write down what became of a request."""
    about = {"number": coming.number, "coming": coming.id, "unit": coming.unit}
    body = {**about, "state": coming.state, "due_at": coming.due_at, **(more or {})}
    await journal.write(tx, at=now, actor=by, event=event, case_id=coming.case_id, body=body)


async def _read(conn: Connection, row: asyncpg.Record) -> Coming:
    words = await text_store.by_digest(conn, [row["place"], row["reason"]])
    return Coming(
        **{
            **dict(row),
            "place": words.get(row["place"]),
            "reason": words.get(row["reason"]),
            "state": State(row["state"]),
        }
    )
