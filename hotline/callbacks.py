"""What callers answered after a talk, and whom the city owes a call, in PostgreSQL.

Both are keyed by the call, so that a call told twice owes one call and is asked once. A callback is
wanted, tried any number of times, and done once: reached, or given up after at least one try.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import LiteralString

from hotline.database import Connection
from hotline.errors import CallbackDoneError, CallbackUnknownError, CallbackUntriedError
from telephony.calls import Survey


class Tried(StrEnum):
    """Why a try came to nothing."""

    NO_ANSWER = "no_answer"
    BUSY = "busy"
    WRONG_NUMBER = "wrong_number"
    REFUSED = "refused"


class Result(StrEnum):
    """How a callback ended."""

    REACHED = "reached"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """A call the city owes; the caller's number and name are for whoever masks them."""

    call_id: int
    line: str
    reason: str
    wanted_at: datetime
    attempts: int
    last_tried_at: datetime | None
    last_tried_by: str | None
    last_result: Tried | None
    done_at: datetime | None
    done_by: str | None
    done_result: Result | None
    case_id: int | None
    number: str | None
    name: str | None


_KEEP: LiteralString = """
    INSERT INTO surveys (call_id, told_at, solved, satisfied) VALUES ($1, $2, $3, $4)
    ON CONFLICT (call_id) DO NOTHING"""
_WANT: LiteralString = """
    INSERT INTO callbacks (call_id, line, reason, wanted_at) VALUES ($1, $2, 'message', $3)
    ON CONFLICT (call_id) DO NOTHING"""
_SHOWN: LiteralString = """
    SELECT b.*, k.id AS case_id, i.number, i.name
      FROM callbacks b JOIN calls c ON c.id = b.call_id
      LEFT JOIN identities i ON i.token = c.caller
      LEFT JOIN cases k ON k.call_id = b.call_id"""
_LIST: LiteralString = (
    _SHOWN
    + """
     WHERE ($1::text IS NULL OR b.line = $1) AND (b.done_at IS NOT NULL) = $2
     ORDER BY b.wanted_at, b.call_id LIMIT $3"""
)
_LOCK: LiteralString = _SHOWN + " WHERE b.call_id = $1 FOR UPDATE OF b"
_TRY: LiteralString = """
    UPDATE callbacks SET attempts = attempts + 1, last_tried_at = $2, last_tried_by = $3,
           last_result = $4
     WHERE call_id = $1"""
_DONE: LiteralString = """
    UPDATE callbacks SET done_at = $2, done_by = $3, done_result = $4 WHERE call_id = $1"""


async def keep_survey(tx: Connection, call_id: int, survey: Survey, at: datetime) -> bool:
    """Keep what the caller answered, for good; False where it is kept already."""
    values = (call_id, at, survey.solved.value, survey.satisfied.value)
    return await tx.execute(_KEEP, *values) == "INSERT 0 1"


async def want(tx: Connection, call_id: int, line: str, at: datetime) -> bool:
    """Note that the caller of this message is owed a call; False where it is noted already."""
    return await tx.execute(_WANT, call_id, line, at) == "INSERT 0 1"


async def owed(conn: Connection, *, line: str | None, done: bool, limit: int) -> Sequence[Callback]:
    """The callbacks that are still owed (or those done), whoever waits longest first."""
    return [Callback(**dict(row)) for row in await conn.fetch(_LIST, line, done, limit)]


async def hold(tx: Connection, call_id: int) -> Callback:
    """The open callback of a call, held until the transaction ends.

    Raises:
        CallbackUnknownError, CallbackDoneError: one sentence each.
    """
    row = await tx.fetchrow(_LOCK, call_id)
    if row is None:
        raise CallbackUnknownError(f"Call {call_id} left no message: nobody waits for a callback.")
    found = Callback(**dict(row))
    if found.done_at is not None:
        raise CallbackDoneError(f"The callback of call {call_id} was done by {found.done_by}.")
    return found


async def tried(tx: Connection, call_id: int, result: Tried, by: str, at: datetime) -> Callback:
    """Count one try that came to nothing."""
    await hold(tx, call_id)
    await tx.execute(_TRY, call_id, at, by, result.value)
    return await hold(tx, call_id)


async def finish(tx: Connection, call_id: int, result: Result, by: str, at: datetime) -> Callback:
    """End a callback; giving up takes a try.

    Raises:
        CallbackUntriedError: nobody has tried to call back.
    """
    found = await hold(tx, call_id)
    if result is Result.GIVEN_UP and not found.attempts:
        raise CallbackUntriedError(
            f"Nobody has tried to call back for call {call_id}: try once before giving up."
        )
    await tx.execute(_DONE, call_id, at, by, result.value)
    return replace(found, done_at=at, done_by=by, done_result=result)
