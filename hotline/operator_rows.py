"""Where each operator stands and which lines are covered, as PostgreSQL keeps it.

Whoever changes a row holds it until his transaction ends; the journal row is written in the same
one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

import asyncpg

from hotline.database import Connection
from telephony.agents import Agent, AgentState
from telephony.seating import Phone


@dataclass(frozen=True, slots=True, kw_only=True)
class Seated:
    """An operator, the exchange his telephone is at, which it is, and the lines he answers."""

    agent: Agent
    system: str
    lines: tuple[str, ...]
    phone: Phone = Phone.DESK


_ALL: LiteralString = """
    SELECT operator, system, state, reason, lines, since, until, phone
      FROM operator_states ORDER BY operator"""
_HOLD: LiteralString = """
    SELECT operator, system, state, reason, lines, since, until, phone
      FROM operator_states WHERE operator = $1 FOR NO KEY UPDATE"""
_PUT: LiteralString = """
    INSERT INTO operator_states (operator, system, state, reason, lines, since, until, phone)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    ON CONFLICT (operator) DO UPDATE
       SET system = $2, state = $3, reason = $4, lines = $5, since = $6, until = $7, phone = $8"""
_ONE: LiteralString = """
    SELECT operator, system, state, reason, lines, since, until, phone
      FROM operator_states WHERE operator = $1"""
_BROWSERS: LiteralString = "SELECT operator FROM operator_states WHERE phone = 'browser'"


async def all_seated(conn: Connection) -> dict[str, Seated]:
    """Every operator who is known, by extension."""
    return {row["operator"]: _seated(row) for row in await conn.fetch(_ALL)}


async def hold_seated(conn: Connection, operator: str) -> Seated | None:
    """One operator, held until the transaction ends; None where he never was here."""
    row = await conn.fetchrow(_HOLD, operator)
    return _seated(row) if row else None


async def put_seated(conn: Connection, seated: Seated) -> None:
    """Keep where an operator stands now."""
    agent = seated.agent
    reason = agent.reason if agent.state is not AgentState.PAUSED else agent.reason or "paused"
    await conn.execute(
        _PUT,
        agent.operator,
        seated.system,
        agent.state.value,
        reason,
        list(seated.lines),
        agent.since,
        agent.until,
        seated.phone.value,
    )


async def seated_at(conn: Connection, operator: str) -> Seated | None:
    """One operator as he stands; None where he never was here."""
    row = await conn.fetchrow(_ONE, operator)
    return _seated(row) if row else None


async def in_browsers(conn: Connection) -> frozenset[str]:
    """The operators whose telephone is the one in the browser."""
    return frozenset(row["operator"] for row in await conn.fetch(_BROWSERS))


def _seated(row: asyncpg.Record) -> Seated:
    return Seated(
        agent=Agent(
            operator=row["operator"],
            state=AgentState(row["state"]),
            reason=row["reason"],
            since=row["since"],
            until=row["until"],
        ),
        system=row["system"],
        lines=tuple(row["lines"]),
        phone=Phone(row["phone"]),
    )


_GAP: LiteralString = """
    INSERT INTO coverage_gaps (line, kind, starts_at, noticed_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (line, kind) WHERE restored_at IS NULL DO UPDATE SET starts_at = $3
     WHERE coverage_gaps.starts_at <> $3
    RETURNING xmax = 0 AS is_new"""
_RESTORED: LiteralString = """
    UPDATE coverage_gaps SET restored_at = $3
     WHERE line = $1 AND kind = $2 AND restored_at IS NULL RETURNING starts_at"""
_OPEN_GAPS: LiteralString = """
    SELECT line, kind, starts_at FROM coverage_gaps WHERE restored_at IS NULL ORDER BY line, kind"""


async def note_gap(
    conn: Connection, line: str, kind: str, starts_at: datetime, now: datetime
) -> bool:
    """Remember that a line has, or will have, nobody; True the first time."""
    return bool(await conn.fetchval(_GAP, line, kind, starts_at, now))


async def note_restored(conn: Connection, line: str, kind: str, now: datetime) -> datetime | None:
    """The gap is over; returns when it began, None where there was none."""
    began: datetime | None = await conn.fetchval(_RESTORED, line, kind, now)
    return began


async def open_gaps(conn: Connection) -> Sequence[asyncpg.Record]:
    """The gaps that stand now, with line, kind and starts_at."""
    return await conn.fetch(_OPEN_GAPS)
