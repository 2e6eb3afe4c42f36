"""Handovers in PostgreSQL: the list that was left, frozen, and who took it over; rows stay."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

import asyncpg

from hotline.database import Connection
from hotline.errors import DutyUnknownError


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """Something that is open; told by number and state, without a word about any person."""

    kind: str
    id: int
    state: str
    since: datetime
    call_id: int | None = None
    case_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """A list that an officer signed when leaving; `incoming` is None until it is taken over."""

    id: int
    line: str
    changes_at: datetime
    signed_at: datetime
    outgoing: str
    outgoing_for: str
    items: tuple[Item, ...]
    digest: str
    remarks: str
    taken_at: datetime | None
    incoming: str | None
    incoming_for: str | None


MOST = 1000
"""So many of each kind are listed; nobody can take over more."""
# Call-outs that ended without anybody count while nobody has taken over since.
_ITEMS: LiteralString = """
    SELECT * FROM (
        SELECT 'incident' AS kind, id, state, raised_at AS since, call_id, case_id
          FROM duty_incidents WHERE state IN ('raised', 'open') ORDER BY id LIMIT $3) AS incidents
    UNION ALL SELECT * FROM (
        SELECT 'callout', id, state, started_at, NULL::bigint, case_id
          FROM callouts
         WHERE line = $1 AND (state = 'running' OR (state = 'exhausted' AND ended_at >= $2))
         ORDER BY id LIMIT $3) AS callouts
    UNION ALL SELECT * FROM (
        SELECT 'instruction', i.id, i.state, i.given_at, NULL::bigint,
               coalesce(i.case_id, d.case_id)
          FROM duty_instructions i LEFT JOIN duty_incidents d ON d.id = i.incident_id
         WHERE i.state IN ('given', 'passed_on') AND (i.incident_id IS NULL OR d.id IS NOT NULL)
         ORDER BY i.id LIMIT $3) AS instructions
    UNION ALL SELECT * FROM (
        SELECT 'log', e.id, CASE WHEN e.newest = 0 THEN 'unwritten' ELSE 'unfinished' END, e.at,
               e.call_id, coalesce(v.case_id, k.id)
          FROM duty_log e
          LEFT JOIN calls c ON c.id = e.call_id
          LEFT JOIN cases k ON k.call_id = e.call_id
          LEFT JOIN duty_log_versions v ON v.entry_id = e.id AND v.version = e.newest
         WHERE e.line = $1 AND NOT e.done
           AND (e.newest > 0 OR c.outcome IN ('answered', 'voicemail'))
         ORDER BY e.id LIMIT $3) AS entries
    UNION ALL SELECT * FROM (
        SELECT 'case', id, state, drafted_at, call_id, id FROM cases
         WHERE urgency IN ('urgent', 'emergency') AND state NOT IN ('closed', 'archived')
         ORDER BY id LIMIT $3) AS urgent"""
_HANDOVER: LiteralString = """
    SELECT h.id, h.line, h.changes_at, h.signed_at, h.outgoing, h.outgoing_for, h.items, h.digest,
           h.remarks, r.signed_at AS taken_at, r.incoming, r.incoming_for
      FROM duty_handovers h LEFT JOIN duty_reliefs r ON r.handover_id = h.id"""
_ONE: LiteralString = _HANDOVER + " WHERE h.id = $1"
_LIST: LiteralString = (
    _HANDOVER
    + """
     WHERE ($1::text IS NULL OR h.line = $1) AND ($2::bigint IS NULL OR h.id < $2)
     ORDER BY h.id DESC LIMIT $3"""
)
_NEWEST: LiteralString = """
    SELECT max(id) FROM duty_handovers WHERE line = $1 AND changes_at = $2"""
_CALLS: LiteralString = "SELECT id FROM calls WHERE id = ANY ($1)"
_RELIEVED: LiteralString = "SELECT max(changes_at) FROM duty_reliefs WHERE line = $1"
_LINES: LiteralString = "SELECT line FROM duty_lines ORDER BY line"
# Those who sign the same line's handovers take turns.
_HOLD: LiteralString = "SELECT line FROM duty_lines WHERE line = $1 FOR NO KEY UPDATE"
_LEAVE: LiteralString = """
    INSERT INTO duty_handovers (line, changes_at, signed_at, outgoing, outgoing_for, items, digest,
                                remarks)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id"""
_TAKE: LiteralString = """
    INSERT INTO duty_reliefs (handover_id, line, changes_at, outgoing, signed_at, incoming,
                              incoming_for)
    VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING handover_id"""


async def lines(conn: Connection) -> list[str]:
    """The lines that are handed over."""
    return [row["line"] for row in await conn.fetch(_LINES)]


async def hold(tx: Connection, line: str) -> bool:
    """Keep others from signing for this line meanwhile; False where it is no duty line."""
    return await tx.fetchval(_HOLD, line) is not None


async def open_items(conn: Connection, line: str, since: datetime) -> list[Item]:
    """What is open at the desk of a line now; call-outs that failed since that moment too."""
    return [Item(**dict(row)) for row in await conn.fetch(_ITEMS, line, since, MOST)]


async def calls_there(conn: Connection, numbers: Sequence[int]) -> frozenset[int]:
    """Those of some calls that are there for whoever asks."""
    return frozenset(row["id"] for row in await conn.fetch(_CALLS, list(numbers)))


async def relieved(conn: Connection, line: str) -> datetime | None:
    """The last change of shifts that was taken over."""
    found: datetime | None = await conn.fetchval(_RELIEVED, line)
    return found


async def newest(conn: Connection, line: str, changes_at: datetime) -> int | None:
    """The newest list signed for this change."""
    found: int | None = await conn.fetchval(_NEWEST, line, changes_at)
    return found


async def get(conn: Connection, number: int) -> Handover:
    """One handover; raises `DutyUnknownError`."""
    row = await conn.fetchrow(_ONE, number)
    if row is None:
        raise DutyUnknownError(f"There is no handover {number}.")
    return _handover(row)


async def listed(
    conn: Connection, *, line: str | None, before: int | None, limit: int
) -> list[Handover]:
    """Handovers, newest first."""
    return [_handover(row) for row in await conn.fetch(_LIST, line, before, limit)]


async def leave(
    tx: Connection,
    *,
    line: str,
    changes_at: datetime,
    now: datetime,
    outgoing: str,
    outgoing_for: str,
    items: Sequence[Item],
    digest: str,
    remarks: str,
) -> int:
    """An officer who goes signs the list; returns its number."""
    told = json.dumps([as_json(item) for item in items])
    return int(
        await tx.fetchval(
            _LEAVE, line, changes_at, now, outgoing, outgoing_for, told, digest, remarks
        )
    )


async def take(
    tx: Connection, handover: Handover, *, incoming: str, incoming_for: str, now: datetime
) -> bool:
    """An officer who comes signs the same list; False where the shift was taken over before."""
    row = await tx.fetchval(
        _TAKE,
        handover.id,
        handover.line,
        handover.changes_at,
        handover.outgoing,
        now,
        incoming,
        incoming_for,
    )
    return row is not None


def as_json(item: Item) -> dict[str, Any]:
    """An item as it is kept, and as its digest is made of."""
    return {
        "kind": item.kind,
        "id": item.id,
        "state": item.state,
        "since": item.since.isoformat(),
        "call_id": item.call_id,
        "case_id": item.case_id,
    }


def _handover(row: asyncpg.Record) -> Handover:
    told = dict(row)
    items = tuple(
        Item(**{**one, "since": datetime.fromisoformat(one["since"])})
        for one in json.loads(told.pop("items"))
    )
    return Handover(**told, items=items)
