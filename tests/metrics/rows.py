"""Writes calls, cases and their journal as plain rows, with nothing computed on the way."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

import asyncpg


@dataclass(slots=True, kw_only=True)
class CallRow:
    """A call as the tests think of it: seconds from its start."""

    line: str
    started_at: datetime
    queued: float | None = None
    answered: float | None = None
    message: float | None = None
    ended: float | None = None
    outcome: str | None = None
    recovered: bool = False
    id: int = field(default_factory=count(1).__next__)

    def at(self, seconds: float | None) -> datetime | None:
        return None if seconds is None else self.started_at + timedelta(seconds=seconds)

    async def write(self, conn: asyncpg.Connection) -> None:
        await conn.execute(
            """INSERT INTO calls (id, system, linked_id, line, started_at, queued_at, answered_at,
                                  ended_at, outcome, recovered, message_at)
               VALUES ($1, 'mianyang-1', $2, $3, $4, $5, $6, $7, $8, $9, $10)""",
            self.id,
            f"mianyang-1-{self.id}.1",
            self.line,
            self.started_at,
            self.at(self.queued),
            self.at(self.answered),
            self.at(self.ended),
            self.outcome,
            self.recovered,
            self.at(self.message),
        )


@dataclass(slots=True, kw_only=True)
class CaseRow:
    """A case with the journal of its moves, each (event, moment)."""

    line: str
    state: str
    kind: str | None = "consult"
    urgency: str | None = "normal"
    level1: str | None = "民政"
    policy: str | None = "sichuan-2025/1"
    drafted_at: datetime
    opened_at: datetime | None = None
    dispatched_at: datetime | None = None
    answered_at: datetime | None = None
    closed_at: datetime | None = None
    call_id: int | None = None
    outcome: str | None = None
    moves: tuple[tuple[str, datetime], ...] = ()
    id: int = field(default_factory=count(1).__next__)

    def __post_init__(self) -> None:
        if self.state == "closed" and self.outcome is None:
            ended = "direct" if self.dispatched_at is None else "handled"
            withdrawn = any(event == "case.withdrawn" for event, _ in self.moves)
            self.outcome = "withdrawn" if withdrawn else ended

    async def write(self, conn: asyncpg.Connection) -> None:
        await conn.execute(
            """INSERT INTO cases (id, number, call_id, line, state, kind, urgency, level1, owner,
                                  policy, drafted_at, opened_at, dispatched_at, answered_at,
                                  closed_at, outcome)
               OVERRIDING SYSTEM VALUE
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '1001', $9, $10, $11, $12, $13, $14, $15)""",
            self.id,
            f"number-{self.id}",
            self.call_id,
            self.line,
            self.state,
            self.kind,
            self.urgency,
            self.level1,
            self.policy,
            self.drafted_at,
            self.opened_at,
            self.dispatched_at,
            self.answered_at,
            self.closed_at,
            self.outcome,
        )
        for event, at in self.moves:
            await conn.execute(
                """INSERT INTO journal (at, actor, event, case_id, body)
                   VALUES ($1, '1001', $2, $3, $4)""",
                at,
                event,
                self.id,
                json.dumps({}),
            )
