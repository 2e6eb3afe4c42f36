"""Whoever brought a case that no call brought: a letter's sender, a visitor, who wrote on the web.

The name and the number are sealed like those of a caller and stand behind the same token, so that
who writes today and rings tomorrow is one person: for repeats, for the screen pop, for a search by
the last digits, for retention and for requests about the own data. A case that a call brought has
its caller from the call and takes no other.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from hotline import journal
from hotline.database import Connection
from hotline.errors import CallerFixedError
from hotline.journal import Event
from hotline.masking import mask_number
from routing.errors import CaseUnknown
from telephony.store import caller_token

_HOLD: LiteralString = "SELECT call_id, closed_at FROM cases WHERE id = $1 FOR NO KEY UPDATE"
_SET: LiteralString = """
    UPDATE cases SET caller = $2 WHERE id = $1 AND caller IS DISTINCT FROM $2 RETURNING id"""
_OF_CASE: LiteralString = """
    SELECT k.id AS case_id, k.call_id, c.system, i.token, i.number, i.name
      FROM cases k LEFT JOIN calls c ON c.id = k.call_id
      LEFT JOIN identities i ON i.token = coalesce(k.caller, c.caller, c.callee)
     WHERE k.id = $1"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """Who brought a case; without a `number` it is withheld, unknown or deleted."""

    case_id: int
    call_id: int | None
    system: str | None
    """The exchange of that call."""
    token: UUID | None
    number: str | None
    name: str | None


async def of_case(conn: Connection, case_id: int) -> Brought:
    """Who brought a case, by a call or otherwise; raises CaseUnknown."""
    row = await conn.fetchrow(_OF_CASE, case_id)
    if row is None:
        raise CaseUnknown(f"There is no case {case_id}.")
    return Brought(**dict(row))


async def note(
    tx: Connection, case_id: int, number: str, name: str | None, *, by: str, now: datetime
) -> None:
    """Write down who brought a case; again with the same number it changes nothing.

    Raises:
        CaseUnknown: there is no such case.
        CallerFixedError: a call brought it, or it is closed.
    """
    row = await tx.fetchrow(_HOLD, case_id)
    if row is None:
        raise CaseUnknown(f"There is no case {case_id}.")
    if row["call_id"] is not None:
        raise CallerFixedError("A call brought this case: its caller is whoever rang.")
    if row["closed_at"] is not None:
        raise CallerFixedError("The case is closed: who brought it is changed no longer.")
    token = await caller_token(tx, number, name, now)
    if await tx.fetchval(_SET, case_id, token) is not None:
        await journal.write(
            tx,
            at=now,
            actor=by,
            event=Event.CASE_CALLER_NOTED,
            case_id=case_id,
            body={"caller": mask_number(number)},
        )
