"""A unit speaks with the citizen of its case through the hotline, and how such calls went.

The exchange rings the unit's telephone of the directory, then the citizen; both see the hotline's
number. No answer, no journal row and no feed bears either number.
"""

from datetime import datetime
from enum import StrEnum
from typing import LiteralString

from hotline.console.control_api import refusals
from hotline.console.desk import Request
from hotline.console.endpoint import get, post
from hotline.console.problems import Fault, ProblemError
from hotline.console.shapes import Asked, Id, Told
from hotline.console.who import READERS, UNITS
from hotline.database import Connection, borrowed

_MINE: LiteralString = """
    SELECT closed_at IS NULL AND (unit = $2 OR $2 = ANY (helpers)) FROM cases WHERE id = $1"""
_WENT: LiteralString = """
    SELECT d.id, d.ordered_at, d.ordered_by, c.id IS NOT NULL AS there, c.answered_at, c.ended_at,
           d.ordered_at < $2::timestamptz - interval '4 hours' AS long_ago,
           EXISTS (SELECT FROM journal j WHERE j.case_id = $1 AND j.event = 'control.failed'
              AND j.actor = d.ordered_by AND j.at BETWEEN d.ordered_at
              AND d.ordered_at + interval '1 minute') AS refused
      FROM dial_orders d LEFT JOIN calls c ON c.system = d.system AND c.linked_id = d.channel
     WHERE d.case_id = $1 ORDER BY d.id DESC LIMIT 20"""


class RelayState(StrEnum):
    """How a relayed call stands."""

    RINGING = "ringing"
    SPEAKING = "speaking"
    SPOKEN = "spoken"
    NOT_REACHED = "not_reached"
    FAILED = "failed"


class Nothing(Asked):
    """No content: the address says it all."""


class RelayView(Told):
    """One call to the citizen of a case; nobody's number is in it."""

    id: Id
    ordered_at: datetime
    by: str
    state: RelayState


class Relays(Told):
    """The calls to the citizen of a case that were dialled here, newest first."""

    relays: tuple[RelayView, ...]


async def relay(asked: Request) -> Relays:
    """Ring one's own unit, then the citizen of the case: neither sees the other's number."""
    case_id, person = asked.path_id("case_id"), asked.who
    async with borrowed(asked.services.pool) as conn:
        await asked.sight.check(conn, case_id)
        mine = person.unit and await conn.fetchval(_MINE, case_id, person.unit)
    if not mine or person.unit is None:
        raise ProblemError(Fault.NOT_POSSIBLE, "Your unit does not have this case now.")
    with refusals():
        await asked.services.control.call_back(
            f"0{person.user_id or 0:05d}", case_id, person.unit, by=person.name
        )
    async with borrowed(asked.services.pool) as conn:
        return await _went(asked, conn, case_id)


async def list_relays(asked: Request) -> Relays:
    """How the calls to the citizen of a case went that were dialled here."""
    case_id = asked.path_id("case_id")
    async with borrowed(asked.services.pool) as conn:
        await asked.sight.check(conn, case_id)
        return await _went(asked, conn, case_id)


async def _went(asked: Request, conn: Connection, case_id: int) -> Relays:
    rows = await conn.fetch(_WENT, case_id, asked.services.clock())
    return Relays(
        relays=tuple(
            RelayView(
                id=row["id"],
                ordered_at=row["ordered_at"],
                by=row["ordered_by"],
                state=_state(
                    answered=row["answered_at"] is not None,
                    over=row["ended_at"] is not None or (row["long_ago"] and not row["there"]),
                    refused=row["refused"],
                ),
            )
            for row in rows
        )
    )


def _state(*, answered: bool, over: bool, refused: bool) -> RelayState:
    if refused:
        return RelayState.FAILED
    if over:
        return RelayState.SPOKEN if answered else RelayState.NOT_REACHED
    return RelayState.SPEAKING if answered else RelayState.RINGING


_RELAYS = "/api/cases/{case_id}/relays"
_FAULTS = (Fault.NOT_FOUND, Fault.FORBIDDEN, Fault.NOT_POSSIBLE, Fault.EXCHANGE_AWAY)
ENDPOINTS = (
    get(_RELAYS, list_relays, Relays, faults=(Fault.NOT_FOUND,), roles=READERS),
    post(_RELAYS, relay, Nothing, Relays, faults=_FAULTS, roles=UNITS),
)
