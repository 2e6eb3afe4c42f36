"""Notices and the addresses they go to, in PostgreSQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import LiteralString
from uuid import UUID

from hotline.database import Connection
from hotline.errors import NoticeUnknownError


class Channel(StrEnum):
    """By what an address is reached."""

    MAIL = "mail"
    SMS = "sms"


class NoticeState(StrEnum):
    """What became of a notice."""

    QUEUED = "queued"
    SENT = "sent"
    DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeRow:
    """One fact for one receiver; `address` is for whoever masks it.

    A message to a caller has no address: `caller` says whose number it is (see sending.py).
    """

    id: int
    uuid: UUID
    journal_id: int
    case_id: int | None
    destination: str
    holder: str
    address: str
    state: NoticeState
    queued_at: datetime
    attempts: int
    reason: str | None
    settled_at: datetime | None
    event: str
    caller: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a unit, a person or a post is reached."""

    id: int
    holder: str
    channel: Channel
    address: str
    added_by: str
    added_at: datetime


_BEGIN: LiteralString = """
    INSERT INTO notice_cursor (last) SELECT coalesce(max(id), 0) FROM journal
    ON CONFLICT (only_row) DO NOTHING"""
_CURSOR: LiteralString = "SELECT last FROM notice_cursor FOR UPDATE"
_MOVE: LiteralString = "UPDATE notice_cursor SET last = $1"
_ADD: LiteralString = """
    INSERT INTO notices (journal_id, case_id, destination, holder, address, queued_at, caller,
                         look_up)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    ON CONFLICT (journal_id, destination, look_up) DO NOTHING RETURNING id"""
_COLUMNS: LiteralString = """
    SELECT n.id, n.uuid, n.journal_id, n.case_id, n.destination, n.holder, n.address, n.state,
           n.queued_at, n.attempts, n.reason, n.settled_at, j.event,
           n.caller
      FROM notices n JOIN journal j ON j.id = n.journal_id"""
_GET: LiteralString = _COLUMNS + " WHERE n.id = $1"
_NUMBER: LiteralString = "SELECT number FROM identities WHERE token = $1"
_LIST: LiteralString = (
    _COLUMNS
    + """
     WHERE ($1::text IS NULL OR n.state = $1) AND ($2::bigint IS NULL OR n.case_id = $2)
       AND ($3::bigint IS NULL OR n.id < $3)
     ORDER BY n.id DESC LIMIT $4"""
)
_SETTLE: LiteralString = """
    UPDATE notices SET state = $2, settled_at = $3, attempts = attempts + 1, reason = $4
     WHERE id = $1 AND state = 'queued'"""
_AGAIN: LiteralString = """
    UPDATE notices SET attempts = attempts + 1, reason = $2
     WHERE id = $1 AND state = 'queued' RETURNING attempts"""
_RAISE: LiteralString = """
    UPDATE notices SET state = 'queued', queued_at = $2, attempts = 0, settled_at = NULL
     WHERE state = 'dead' AND ($1::bigint[] IS NULL OR id = ANY ($1)) RETURNING id"""
_ADDRESSES: LiteralString = """
    SELECT id, holder, channel, address, added_by, added_at FROM notice_addresses
     WHERE ($1::text IS NULL OR holder = $1) ORDER BY holder, channel, id"""
_KEEP: LiteralString = """
    INSERT INTO notice_addresses (holder, channel, address, added_by, added_at, look_up)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (holder, channel, look_up) DO UPDATE SET added_by = notice_addresses.added_by
    RETURNING id, holder, channel, address, added_by, added_at"""
_DROP: LiteralString = """
    DELETE FROM notice_addresses WHERE id = $1
    RETURNING id, holder, channel, address, added_by, added_at"""


async def begin(tx: Connection) -> int:
    """The row up to which the journal was read, held until the transaction ends.

    A city that turns notices on is told of what happens from then on, not of its past.
    """
    await tx.execute(_BEGIN)
    return int(await tx.fetchval(_CURSOR))


async def move_on(tx: Connection, last: int) -> None:
    """The journal was read up to here."""
    await tx.execute(_MOVE, last)


async def add(
    tx: Connection,
    *,
    journal_id: int,
    case_id: int | None,
    destination: str,
    holder: str,
    address: str,
    at: datetime,
    caller: UUID | None = None,
) -> int | None:
    """Note a notice to be sent; returns its id, None where it is noted already."""
    given = (journal_id, case_id, destination, holder, address, at, caller, address)
    found = await tx.fetchval(_ADD, *given)
    return None if found is None else int(found)


async def get(conn: Connection, notice_id: int) -> NoticeRow | None:
    """One notice."""
    row = await conn.fetchrow(_GET, notice_id)
    return None if row is None else _notice(dict(row))


async def number_of(conn: Connection, caller: UUID) -> str | None:
    """A caller's number; None where it was withheld or deleted."""
    found = await conn.fetchval(_NUMBER, caller)
    return None if found is None else str(found)


async def listed(
    conn: Connection,
    *,
    state: NoticeState | None = None,
    case_id: int | None = None,
    before: int | None = None,
    limit: int = 50,
) -> Sequence[NoticeRow]:
    """Notices, newest first, below the id `before`."""
    rows = await conn.fetch(_LIST, state, case_id, before, limit)
    return [_notice(dict(row)) for row in rows]


async def settle(
    tx: Connection, notice_id: int, state: NoticeState, at: datetime, reason: str | None
) -> bool:
    """It is sent, or given up; False where somebody else settled it."""
    return await tx.execute(_SETTLE, notice_id, state, at, reason) == "UPDATE 1"


async def try_again(tx: Connection, notice_id: int, reason: str) -> int | None:
    """Count a try that failed; returns how many there were, None where it is settled."""
    found = await tx.fetchval(_AGAIN, notice_id, reason)
    return None if found is None else int(found)


async def revive(tx: Connection, ids: Sequence[int] | None, at: datetime) -> list[int]:
    """Queue undeliverable notices anew, all of them or those of some ids; returns which.

    Raises:
        NoticeUnknownError: an id names no undeliverable notice; nothing is changed.
    """
    found = sorted(int(row["id"]) for row in await tx.fetch(_RAISE, ids, at))
    if missing := sorted(set(ids or ()) - set(found)):
        raise NoticeUnknownError(
            f"No notice with the number {missing[0]} is undeliverable: "
            "`hotline notices list` shows those that are."
        )
    return found


async def addresses(conn: Connection, holder: str | None = None) -> list[Address]:
    """The address book, or one holder's part of it."""
    return [_address(dict(row)) for row in await conn.fetch(_ADDRESSES, holder)]


async def keep_address(
    tx: Connection, *, holder: str, channel: Channel, address: str, by: str, at: datetime
) -> Address:
    """Put an address into the book, once."""
    row = await tx.fetch(_KEEP, holder, channel, address, by, at, address)
    return _address(dict(row[0]))


async def drop_address(tx: Connection, address_id: int) -> Address:
    """Take an address out of the book.

    Raises:
        NoticeUnknownError: there is no such address.
    """
    row = await tx.fetchrow(_DROP, address_id)
    if row is None:
        raise NoticeUnknownError(f"There is no address with the number {address_id}.")
    return _address(dict(row))


def _notice(row: dict[str, object]) -> NoticeRow:
    return NoticeRow(**{**row, "state": NoticeState(str(row["state"]))})  # type: ignore[arg-type]


def _address(row: dict[str, object]) -> Address:
    return Address(**{**row, "channel": Channel(str(row["channel"]))})  # type: ignore[arg-type]
