"""Calls that are being dialled from here: they have no number of their own before they are over.

Who dialled, whom (masked) and for what, as ordered; their captions are read by the order's number.
"""

from datetime import datetime
from typing import LiteralString

from pydantic import Field

from hotline.caption_board import CaptionState
from hotline.caption_calls import dial_key
from hotline.console.desk import Request
from hotline.console.endpoint import get
from hotline.console.shapes import Id, Told
from hotline.console.who import OFFICE
from hotline.database import borrowed
from hotline.masking import mask_number

_GOING: LiteralString = """
    SELECT d.id, d.ordered_at, d.ordered_by, i.number, d.call_id, d.case_id
      FROM dial_orders d LEFT JOIN identities i ON i.token = d.callee
     WHERE d.ordered_at > $1::timestamptz - interval '4 hours'
       AND NOT EXISTS (SELECT FROM calls c WHERE c.system = d.system AND c.linked_id = d.channel)
     ORDER BY d.id DESC LIMIT 200"""


class DialView(Told):
    """A call that somebody has the exchange dial and that is not over."""

    id: Id
    ordered_at: datetime
    by: str
    callee: str = Field(description="Masked.")
    call_id: Id | None = Field(description="The earlier call it is for.")
    case_id: Id | None = Field(description="The case it is for.")
    captions: CaptionState


class Dials(Told):
    """The calls that are being dialled now, the newest first."""

    dials: tuple[DialView, ...]


async def list_dials(asked: Request) -> Dials:
    """The calls that are being dialled from here and are not over."""
    async with borrowed(asked.services.pool) as conn:
        rows = await conn.fetch(_GOING, asked.services.clock())
    board = asked.services.captions
    return Dials(
        dials=tuple(
            DialView(
                id=row["id"],
                ordered_at=row["ordered_at"],
                by=row["ordered_by"],
                callee=mask_number(row["number"]),
                call_id=row["call_id"],
                case_id=row["case_id"],
                captions=board.standing(dial_key(row["id"])).state,
            )
            for row in rows
        )
    )


ENDPOINTS = (get("/api/dials", list_dials, Dials, roles=OFFICE),)
