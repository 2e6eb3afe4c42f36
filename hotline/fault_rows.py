"""Fault records in PostgreSQL, changed by version."""

from dataclasses import fields
from datetime import datetime
from typing import Any, LiteralString

import asyncpg

from hotline.database import Connection
from routing.faults import Fact, FaultRecord, FaultState

_ADD: LiteralString = """
    INSERT INTO fault_records
        (fact, unit, person, case_id, supervision_id, happened_at, recorded_at, recorded_by, state)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'recorded') RETURNING *"""
_GET: LiteralString = "SELECT * FROM fault_records WHERE id = $1"
_CHANGE: LiteralString = """
    UPDATE fault_records SET
        state = $3, decided_at = $4, decided_by = $5, appealed_at = $6, appealed_by = $7,
        appeal_decided_at = $8, appeal_decided_by = $9, version = version + 1
     WHERE id = $1 AND version = $2 RETURNING *"""
# $4: everything may be seen; else what concerns one of the names $5, or the unit $6 as a whole.
_LIST: LiteralString = """
    SELECT * FROM fault_records
     WHERE ($1::text IS NULL OR state = $1) AND ($2::text IS NULL OR unit = $2)
       AND ($3::bigint IS NULL OR case_id = $3)
       AND ($4::boolean OR person = ANY ($5::text[]) OR recorded_by = ANY ($5::text[])
            OR (person IS NULL AND unit = $6))
       AND ($7::bigint IS NULL OR id < $7)
     ORDER BY id DESC LIMIT $8"""
_COLUMNS = tuple(one.name for one in fields(FaultRecord))


def _fault(row: asyncpg.Record) -> FaultRecord:
    values: dict[str, Any] = {name: row[name] for name in _COLUMNS}
    return FaultRecord(
        **{**values, "fact": Fact(values["fact"]), "state": FaultState(values["state"])}
    )


async def add(  # noqa: PLR0917 - what, whose, of which case, when, by whom
    tx: Connection,
    fact: Fact,
    unit: str | None,
    person: str | None,
    case_id: int | None,
    supervision_id: int | None,
    happened_at: datetime,
    *,
    by: str,
    now: datetime,
) -> FaultRecord:
    """A new record."""
    row = await tx.fetchrow(_ADD, fact, unit, person, case_id, supervision_id, happened_at, now, by)
    if row is None:
        raise RuntimeError("an inserted row comes back")
    return _fault(row)


async def get(conn: Connection, fault_id: int) -> FaultRecord | None:
    """One record."""
    row = await conn.fetchrow(_GET, fault_id)
    return None if row is None else _fault(row)


async def change(tx: Connection, before: FaultRecord, after: FaultRecord) -> FaultRecord | None:
    """Write a changed record over the version that was seen; None where somebody was first."""
    row = await tx.fetchrow(
        _CHANGE,
        before.id,
        before.version,
        after.state,
        after.decided_at,
        after.decided_by,
        after.appealed_at,
        after.appealed_by,
        after.appeal_decided_at,
        after.appeal_decided_by,
    )
    return None if row is None else _fault(row)


async def listed(
    conn: Connection,
    state: FaultState | None,
    unit: str | None,
    case_id: int | None,
    *,
    everything: bool,
    names: frozenset[str],
    of_unit: str | None,
    before: int | None,
    limit: int,
) -> list[FaultRecord]:
    """Records that somebody may see, newest first."""
    rows = await conn.fetch(
        _LIST, state, unit, case_id, everything, sorted(names), of_unit, before, limit
    )
    return [_fault(row) for row in rows]
