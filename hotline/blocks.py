"""Harassing callers kept out for a time: asked by one person, approved by another, always ending.

The exchange reads the list as one empty file for each number, whose time is the end of the block
(deploy/asterisk/line_plan.py). The table is the truth; `write_list` makes the folder agree with it
and may be repeated at any time. Whoever is blocked can still insist by a key or by ringing again,
so nobody in need is kept out.
"""

import asyncio
import logging
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import LiteralString

import asyncpg

from hotline.database import Connection
from hotline.errors import BlockForbiddenError, BlockUnknownError

log = logging.getLogger(__name__)

SHORTEST_NUMBER = 6
"""Shorter numbers name a service (110, 119, 120, 12345), not a person."""
_LONGEST_NAME = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A caller kept out, or asked to be; the number is for whoever masks it."""

    id: int
    call_id: int
    number: str | None
    reason: str
    asked_at: datetime
    asked_by: str
    hours: int
    approved_at: datetime | None
    approved_by: str | None
    until: datetime | None
    lifted_at: datetime | None
    lifted_by: str | None


_SHOWN: LiteralString = """
    SELECT b.id, b.call_id, i.number, b.reason, b.asked_at, b.asked_by, b.hours, b.approved_at,
           b.approved_by, b.until, b.lifted_at, b.lifted_by
      FROM blocks b JOIN identities i ON i.token = b.caller"""
_LIST: LiteralString = (
    _SHOWN
    + """
     WHERE b.lifted_at IS NULL AND (b.until IS NULL OR b.until > $1) ORDER BY b.id DESC"""
)
_LOCK: LiteralString = _SHOWN + " WHERE b.id = $1 FOR UPDATE OF b"
_CALLER: LiteralString = """
    SELECT c.caller, i.number FROM calls c LEFT JOIN identities i ON i.token = c.caller
     WHERE c.id = $1"""
_ASK: LiteralString = """
    INSERT INTO blocks (caller, call_id, reason, asked_at, asked_by, hours)
    VALUES ($1, $2, $3, $4, $5, $6) RETURNING id"""
_APPROVE: LiteralString = """
    UPDATE blocks SET approved_at = $2::timestamptz, approved_by = $3,
           until = $2::timestamptz + make_interval(hours => hours)
     WHERE id = $1"""
_LIFT: LiteralString = "UPDATE blocks SET lifted_at = $2, lifted_by = $3 WHERE id = $1"
_IN_FORCE: LiteralString = """
    SELECT i.number, max(b.until) AS until FROM blocks b JOIN identities i ON i.token = b.caller
     WHERE b.lifted_at IS NULL AND b.until > $1 GROUP BY i.token"""


async def listed(conn: Connection, now: datetime) -> Sequence[Block]:
    """The blocks asked for and those in force, newest first."""
    return [Block(**dict(row)) for row in await conn.fetch(_LIST, now)]


async def ask(
    tx: Connection, call_id: int, *, reason: str, hours: int, by: str, now: datetime
) -> Block:
    """Ask to keep out the caller of a call.

    Raises:
        BlockUnknownError, BlockForbiddenError: one sentence each.
    """
    row = await tx.fetchrow(_CALLER, call_id)
    if row is None:
        raise BlockUnknownError(f"There is no call number {call_id}.")
    if len(file_name(row["number"] or "")) < SHORTEST_NUMBER:
        raise BlockForbiddenError(
            f"The caller of call {call_id} has no number of his own: nobody can be blocked for it."
        )
    try:
        async with tx.transaction():
            block_id = await tx.fetchval(_ASK, row["caller"], call_id, reason, now, by, hours)
    except asyncpg.UniqueViolationError as error:
        raise BlockForbiddenError(
            f"A block of the caller of call {call_id} was asked before and waits for approval."
        ) from error
    return await _held(tx, block_id)


async def approve(tx: Connection, block_id: int, *, by: str, now: datetime) -> Block:
    """Let a block begin; never by whoever asked for it."""
    found = await _held(tx, block_id)
    if found.approved_at is not None or found.lifted_at is not None:
        raise BlockForbiddenError(f"Block {block_id} was decided before.")
    if found.asked_by == by:
        raise BlockForbiddenError(f"Block {block_id} needs the approval of another person.")
    await tx.execute(_APPROVE, block_id, now, by)
    return await _held(tx, block_id)


async def lift(tx: Connection, block_id: int, *, by: str, now: datetime) -> Block:
    """End a block, or refuse one that was asked for."""
    found = await _held(tx, block_id)
    if found.lifted_at is not None:
        raise BlockForbiddenError(f"Block {block_id} was lifted before.")
    await tx.execute(_LIFT, block_id, now, by)
    return await _held(tx, block_id)


async def _held(tx: Connection, block_id: int) -> Block:
    row = await tx.fetchrow(_LOCK, block_id)
    if row is None:
        raise BlockUnknownError(f"There is no block {block_id}.")
    return Block(**dict(row))


async def in_force(conn: Connection, now: datetime) -> Mapping[str, datetime]:
    """Who is kept out now, by file name, and until when."""
    rows = await conn.fetch(_IN_FORCE, now)
    return {file_name(row["number"]): row["until"] for row in rows}


def file_name(number: str) -> str:
    """A number as the exchange looks for it: digits alone, so it can never name another place."""
    return re.sub(r"[^0-9]", "", number)[:_LONGEST_NAME]


async def write_lists(conn: Connection, folders: Iterable[Path], now: datetime) -> None:
    """Make every exchange's list agree with the table; one that cannot be written is told."""
    wanted = await in_force(conn, now)
    for folder in folders:
        try:
            await asyncio.to_thread(write_list, folder, wanted)
        except OSError as error:
            log.error(  # noqa: TRY400 - the sentence says it all
                "The block list %s cannot be written (%s): it stays as it was.",
                folder,
                error.strerror,
            )


def write_list(folder: Path, wanted: Mapping[str, datetime]) -> None:
    """Make the folder hold exactly these numbers; what is not a number is left alone."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in folder.iterdir():
        if path.name.isdecimal() and path.name not in wanted:
            path.unlink(missing_ok=True)
    for name, until in wanted.items():
        if name:
            (folder / name).touch(mode=0o600)
            os.utime(folder / name, (until.timestamp(),) * 2)
