"""Tracked items in PostgreSQL: given, changed by version, looked at when a clock of theirs ends."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any, LiteralString

import asyncpg

from hotline.database import Connection
from routing.cases import Urgency
from routing.supervision import ItemType
from routing.tracked import TrackedItem, TrackedState

_GIVE: LiteralString = """
    INSERT INTO tracked_items
        (type, title, source, unit, person, urgency, state, policy, due_at, given_at, given_by,
         case_id)
    VALUES ($1, $2, $3, $4, $5, $6, 'given', $7, $8, $9, $10, $11) RETURNING *"""
_GET: LiteralString = "SELECT * FROM tracked_items WHERE id = $1"
_CHANGE: LiteralString = """
    UPDATE tracked_items SET
        state = $3, person = $4, signed_at = $5, signed_by = $6, reported_at = $7,
        settled_at = $8, settled_by = $9, version = version + 1, look_at = '-infinity'
     WHERE id = $1 AND version = $2 RETURNING *"""
_WAITING: LiteralString = """
    SELECT * FROM tracked_items WHERE look_at < $1 AND look_at < 'infinity'
     ORDER BY look_at, id LIMIT $2"""
_LOOK_AGAIN: LiteralString = """
    UPDATE tracked_items SET look_at = coalesce($3::timestamptz, 'infinity')
     WHERE id = $1 AND version = $2"""

READ = {"type": ItemType, "urgency": Urgency, "state": TrackedState}
_COLUMNS = tuple(one.name for one in fields(TrackedItem))


def item_in(row: asyncpg.Record) -> TrackedItem:
    """The item in a row that has all columns of `tracked_items`."""
    values: dict[str, Any] = {
        name: READ[name](row[name]) if name in READ else row[name] for name in _COLUMNS
    }
    return TrackedItem(**values)


async def give(
    tx: Connection, facts: Mapping[str, Any], *, policy: str, now: datetime, by: str
) -> TrackedItem:
    """A new item with its date."""
    named = ("type", "title", "source", "unit", "person", "urgency")
    row = await tx.fetchrow(
        _GIVE,
        *(facts[name] for name in named),
        policy,
        facts["due_at"],
        now,
        by,
        facts["case_id"],
    )
    if row is None:
        raise RuntimeError("an inserted row comes back")
    return item_in(row)


async def get(conn: Connection, item_id: int) -> TrackedItem | None:
    """One item."""
    row = await conn.fetchrow(_GET, item_id)
    return None if row is None else item_in(row)


async def change(tx: Connection, before: TrackedItem, after: TrackedItem) -> TrackedItem | None:
    """Write a changed item over the version that was seen; None where somebody was first."""
    row = await tx.fetchrow(
        _CHANGE,
        before.id,
        before.version,
        after.state,
        after.person,
        after.signed_at,
        after.signed_by,
        after.reported_at,
        after.settled_at,
        after.settled_by,
    )
    return None if row is None else item_in(row)


async def waiting(conn: Connection, now: datetime, limit: int) -> list[TrackedItem]:
    """Items with a change or an ended clock since they were looked at."""
    return [item_in(row) for row in await conn.fetch(_WAITING, now, limit)]


async def look_again(tx: Connection, item: TrackedItem, at: datetime | None) -> bool:
    """Set when an item is looked at next; false where somebody changed it meanwhile."""
    done: str = await tx.execute(_LOOK_AGAIN, item.id, item.version, at)
    return done == "UPDATE 1"
