"""Call-outs in PostgreSQL: one row each, and one for every person on the list."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import LiteralString

import asyncpg

from hotline.database import Connection


class Ended(StrEnum):
    """How a call-out ends."""

    ACKNOWLEDGED = "acknowledged"
    EXHAUSTED = "exhausted"


class StepState(StrEnum):
    """What became of one person."""

    WAITING = "waiting"
    RINGING = "ringing"
    ACKNOWLEDGED = "acknowledged"
    UNANSWERED = "unanswered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One person of a call-out."""

    position: int
    target: str
    channel: str
    state: StepState
    rung_at: datetime | None
    ended_at: datetime | None
    detail: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Callout:
    """One call-out with everybody on its list, in order."""

    id: int
    system: str
    line: str
    reason: str
    case_id: int | None
    asked_by: str
    started_at: datetime
    state: str
    ended_at: datetime | None
    steps: tuple[Step, ...] = ()


_START: LiteralString = """
    INSERT INTO callouts (system, line, reason, case_id, asked_by, started_at)
    VALUES ($1, $2, $3, $4, $5, $6) RETURNING id"""
_LIST: LiteralString = """
    INSERT INTO callout_steps (callout_id, position, target, channel)
    VALUES ($1, $2, $3, $4)"""
_RUNNING: LiteralString = """
    SELECT id, system, line, reason, case_id, asked_by, started_at, state, ended_at
      FROM callouts WHERE state = 'running' ORDER BY id"""
_NEWEST: LiteralString = """
    SELECT id, system, line, reason, case_id, asked_by, started_at, state, ended_at
      FROM callouts ORDER BY id DESC LIMIT $1"""
_STEPS: LiteralString = """
    SELECT callout_id, position, target, channel, state, rung_at, ended_at, detail
      FROM callout_steps WHERE callout_id = ANY ($1) ORDER BY callout_id, position"""
_BEGIN_STEP: LiteralString = """
    UPDATE callout_steps s SET state = 'ringing', rung_at = $3
     WHERE callout_id = $1 AND position = $2 AND state = 'waiting'
       AND NOT EXISTS (SELECT FROM callout_steps o
                        WHERE o.state = 'ringing'
                          AND (o.target = s.target OR o.callout_id = s.callout_id))"""
_END_STEP: LiteralString = """
    UPDATE callout_steps SET state = $3, ended_at = $4, detail = $5
     WHERE callout_id = $1 AND position = $2 AND state = 'ringing'"""
_END: LiteralString = """
    UPDATE callouts SET state = $2, ended_at = $3 WHERE id = $1 AND state = 'running'"""

_AT_A_DESK: LiteralString = """
    UPDATE callout_steps SET state = 'unanswered', ended_at = $2,
           detail = 'It was acknowledged at a desk.'
     WHERE callout_id = $1 AND state = 'ringing'"""


async def start(
    conn: Connection,
    *,
    system: str,
    line: str,
    reason: str,
    case_id: int | None,
    by: str,
    now: datetime,
) -> int:
    """Begin a call-out; nobody is on its list yet."""
    return int(await conn.fetchval(_START, system, line, reason, case_id, by, now))


async def list_person(
    conn: Connection, callout: int, position: int, target: str, channel: str
) -> None:
    """Put a person on the list, to be rung under this channel id."""
    await conn.execute(_LIST, callout, position, target, channel)


async def running(conn: Connection) -> list[Callout]:
    """The call-outs that go on now, the oldest first."""
    return await _whole(conn, await conn.fetch(_RUNNING))


async def newest(conn: Connection, limit: int) -> list[Callout]:
    """The last call-outs, the newest first."""
    return await _whole(conn, await conn.fetch(_NEWEST, limit))


async def begin_step(conn: Connection, callout: int, position: int, now: datetime) -> bool:
    """This person is to be rung now; False where somebody already rings him, or is rung."""
    try:
        async with conn.transaction():
            done = await conn.execute(_BEGIN_STEP, callout, position, now)
    except asyncpg.UniqueViolationError:
        return False  # another call-out has begun to ring him at this moment
    return done == "UPDATE 1"


async def end_step(
    conn: Connection,
    callout: int,
    position: int,
    state: StepState,
    *,
    now: datetime,
    detail: str | None = None,
) -> bool:
    """What became of the person who was rung; False where that was settled before."""
    done = await conn.execute(_END_STEP, callout, position, state.value, now, detail)
    return done == "UPDATE 1"


async def end(conn: Connection, callout: int, how: Ended, now: datetime) -> bool:
    """The call-out is over; False where it was over before."""
    return await conn.execute(_END, callout, how.value, now) == "UPDATE 1"


async def acknowledged_at_a_desk(conn: Connection, callout: int, now: datetime) -> bool:
    """Nobody else is rung: somebody has it; False where the call-out was over before."""
    if not await end(conn, callout, Ended.ACKNOWLEDGED, now):
        return False
    await conn.execute(_AT_A_DESK, callout, now)
    return True


async def _whole(conn: Connection, rows: Sequence[asyncpg.Record]) -> list[Callout]:
    steps: dict[int, list[Step]] = {row["id"]: [] for row in rows}
    for row in await conn.fetch(_STEPS, list(steps)):
        told = {name: value for name, value in row.items() if name != "callout_id"}
        steps[row["callout_id"]].append(Step(**{**told, "state": StepState(row["state"])}))
    return [Callout(**dict(row), steps=tuple(steps[row["id"]])) for row in rows]
