"""What somebody had the exchange dial, and for which call and case, in PostgreSQL.

Written down before anything rings, under the id that the exchange then gives the channel: whoever
tells of the call (AMI, the files, after a crash), it finds what it was for.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from hotline.database import Connection
from telephony.calls import Call
from telephony.store import caller_token


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """For what a call was dialled."""

    call_id: int | None
    case_id: int | None


_RECORD: LiteralString = """
    INSERT INTO dial_orders (channel, system, ordered_at, ordered_by, callee, call_id, case_id)
    VALUES ($1, $2, $3, $4, $5, $6, $7)"""
_FOR: LiteralString = """
    SELECT d.callee, d.call_id, coalesce(d.case_id, k.id) AS case_id
      FROM dial_orders d LEFT JOIN cases k ON k.call_id = d.call_id
     WHERE d.system = $1 AND d.channel = $2"""
_NAME: LiteralString = "UPDATE calls SET callee = $2 WHERE id = $1 AND callee IS NULL"


async def record(
    tx: Connection,
    *,
    channel: str,
    system: str,
    number: str,
    by: str,
    at: datetime,
    call_id: int | None,
    case_id: int | None,
) -> None:
    """Note what is going to be dialled; the number is kept with the identities, sealed."""
    callee = await caller_token(tx, number, None, at)
    await tx.execute(_RECORD, channel, system, at, by, callee, call_id, case_id)


async def found_for(tx: Connection, call_id: int, call: Call) -> Ordered | None:
    """For what this call was dialled; one that got nowhere learns here whom it was to reach."""
    row = await tx.fetchrow(_FOR, call.key.system, call.key.linked_id)
    if row is None:
        return None
    await tx.execute(_NAME, call_id, row["callee"])
    return Ordered(call_id=row["call_id"], case_id=row["case_id"])
