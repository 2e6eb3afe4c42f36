"""The duty desk's contact book in PostgreSQL: sealed names and numbers, replaced, not changed."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import LiteralString

import asyncpg

from hotline.database import Connection
from hotline.errors import DutyChangedError, DutyUnknownError


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactFacts:
    """Whom to reach: a unit's duty telephone, or a person; `review` is when it is checked next."""

    unit: str
    post: str
    name: str | None
    phone: str
    leader: bool
    valid_from: date
    valid_until: date | None
    review: date

    def is_stale(self, today: date) -> bool:
        """Whether it should have been checked, or counts no longer."""
        return self.review < today or (self.valid_until is not None and self.valid_until <= today)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """An entry of the book that stands."""

    id: int
    facts: ContactFacts
    entered_at: datetime
    entered_by: str
    replaces: int | None


_CONTACT: LiteralString = """
    SELECT id, unit, post, name, phone, leader, valid_from, valid_until, review, entered_at,
           entered_by, replaces
      FROM duty_contacts"""
_ONE: LiteralString = _CONTACT + " WHERE id = $1 AND gone_at IS NULL"
# A name is sealed: it is found whole, by its fingerprint.
_LIST: LiteralString = (
    _CONTACT
    + """
     WHERE gone_at IS NULL
       AND ($1::text IS NULL OR strpos(lower(unit || ' ' || post), lower($1)) > 0
            OR look_up = $2::fingerprint)
       AND ($3::date IS NULL OR review < $3 OR valid_until <= $3)
       AND ($4::bigint IS NULL OR id < $4)
     ORDER BY id DESC LIMIT $5"""
)
_ENTER: LiteralString = """
    INSERT INTO duty_contacts (unit, post, name, look_up, phone, leader, valid_from, valid_until,
                               review, entered_at, entered_by, replaces)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING id"""
_REMOVE: LiteralString = """
    UPDATE duty_contacts SET gone_at = $2, gone_by = $3 WHERE id = $1 AND gone_at IS NULL
    RETURNING id"""


async def enter(
    tx: Connection, facts: ContactFacts, *, by: str, now: datetime, replaces: int | None = None
) -> int:
    """A new entry's number; raises `DutyChangedError` where the old one was replaced before."""
    if replaces is not None and not await remove(tx, replaces, by=by, now=now):
        raise DutyChangedError("This contact was replaced or removed meanwhile: look again.")
    return int(
        await tx.fetchval(
            _ENTER,
            facts.unit,
            facts.post,
            facts.name,
            facts.name,
            facts.phone,
            facts.leader,
            facts.valid_from,
            facts.valid_until,
            facts.review,
            now,
            by,
            replaces,
        )
    )


async def remove(tx: Connection, number: int, *, by: str, now: datetime) -> bool:
    """Take an entry out of the book; False where it is not in it."""
    return await tx.fetchval(_REMOVE, number, now, by) is not None


async def get(conn: Connection, number: int) -> Contact:
    """One entry that stands; raises `DutyUnknownError`."""
    row = await conn.fetchrow(_ONE, number)
    if row is None:
        raise DutyUnknownError(f"The contact book has no entry {number}.")
    return _contact(row)


async def listed(
    conn: Connection,
    *,
    words: str | None = None,
    stale_on: date | None = None,
    before: int | None = None,
    limit: int,
) -> list[Contact]:
    """Entries, newest first; `words` are in unit or post, or are a whole name."""
    rows = await conn.fetch(_LIST, words, words, stale_on, before, limit)
    return [_contact(row) for row in rows]


def _contact(row: asyncpg.Record) -> Contact:
    facts = {name: row[name] for name in ContactFacts.__dataclass_fields__}
    return Contact(
        id=row["id"],
        facts=ContactFacts(**facts),
        entered_at=row["entered_at"],
        entered_by=row["entered_by"],
        replaces=row["replaces"],
    )
