"""Which version of which card was told to which caller, and where telling it did not help.

A caller who rings again about the matter of a card that he was told has, as far as can be counted,
not been told enough: that is the defect of a card. "The same matter" is that the same card is told
to him again, or that his next call becomes a case of the card's level-1 category.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import LiteralString

import asyncpg

from hotline.database import Connection
from routing.cards import Block


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A version of a card that was told, on which call or case, with which blocks read out."""

    id: int
    card_id: int
    version: int
    title: str
    call_id: int | None
    case_id: int | None
    at: datetime
    by: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """A caller rang again on the same matter after a card was told to him."""

    told: Told
    again_call_id: int
    again_at: datetime
    told_again: bool
    """Whether the same card had to be told to him again; else only the category is the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """How often a card was told to known callers in a period, and how often they rang again."""

    card_id: int
    title: str
    told: int
    repeats: int


_CASE_CALL: LiteralString = "SELECT call_id FROM cases WHERE id = $1"
_TELL: LiteralString = """
    INSERT INTO cards_told (card_id, version, call_id, case_id, at, by, blocks)
    VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING id"""
_TOLD: LiteralString = """
    SELECT t.id, t.card_id, t.version, v.title, t.call_id, t.case_id, t.at, t.by, t.blocks
      FROM cards_told t JOIN card_versions v USING (card_id, version)"""
_THIS: LiteralString = (
    _TOLD
    + """ WHERE t.card_id = $1 AND t.version = $2
       AND (t.call_id = $3 OR $3::bigint IS NULL AND t.call_id IS NULL AND t.case_id = $4)"""
)
_OF_CALL: LiteralString = _TOLD + " WHERE t.call_id = $1 ORDER BY t.id"
_OF_CASE: LiteralString = _TOLD + " WHERE t.case_id = $1 OR t.call_id = $2 ORDER BY t.id"
_REPEATS: LiteralString = """
    SELECT t.id, t.card_id, t.version, v.title, t.call_id, t.case_id, t.at, t.by, t.blocks,
           again.call_id AS again_call_id, again.at AS again_at, again.told_again
      FROM cards_told t JOIN card_versions v USING (card_id, version)
      CROSS JOIN LATERAL ringing_again(t.id, $3) again
     WHERE t.at >= $1 AND t.at < $2 AND ($4::bigint IS NULL OR t.card_id = $4)
     ORDER BY again.at DESC, t.id DESC LIMIT $5"""
_EFFECTS: LiteralString = """
    SELECT t.card_id, v.title, count(*)::integer AS told,
           count(again.call_id)::integer AS repeats
      FROM cards_told t
      JOIN calls c ON c.id = t.call_id AND c.caller IS NOT NULL
      JOIN cards ON cards.id = t.card_id
      JOIN card_versions v ON v.card_id = cards.id AND v.version = cards.newest
      LEFT JOIN LATERAL ringing_again(t.id, $3) again ON true
     WHERE t.at >= $1 AND t.at < $2 AND ($4::bigint IS NULL OR t.card_id = $4)
     GROUP BY t.card_id, v.title ORDER BY repeats DESC, told DESC, t.card_id LIMIT $5"""


async def call_of_case(conn: Connection, case_id: int) -> int | None:
    """The call a case came from."""
    found = await conn.fetchval(_CASE_CALL, case_id)
    return None if found is None else int(found)


async def tell(
    tx: Connection,
    card_id: int,
    version: int,
    *,
    call_id: int | None,
    case_id: int | None,
    blocks: Sequence[Block],
    by: str,
    at: datetime,
) -> tuple[Told, bool]:
    """Note that a version was told on a call or case, once; False where it was noted before."""
    ticked = [block.value for block in Block if block in blocks]
    new = await tx.fetchval(_TELL, card_id, version, call_id, case_id, at, by, ticked)
    rows = await tx.fetch(_THIS, card_id, version, call_id, case_id)
    return _told(rows[0]), new is not None


async def of_call(conn: Connection, call_id: int) -> Sequence[Told]:
    """What was told on a call, oldest first."""
    return [_told(row) for row in await conn.fetch(_OF_CALL, call_id)]


async def of_case(conn: Connection, case_id: int) -> Sequence[Told]:
    """What was told in a case and on its call, oldest first."""
    call_id = await call_of_case(conn, case_id)
    return [_told(row) for row in await conn.fetch(_OF_CASE, case_id, call_id)]


async def repeats(
    conn: Connection,
    start: datetime,
    end: datetime,
    *,
    within: timedelta,
    card_id: int | None = None,
    limit: int = 100,
) -> Sequence[Repeat]:
    """Of the cards told from `start` up to `end`, those whose callers rang again, newest first."""
    rows = await conn.fetch(_REPEATS, start, end, within, card_id, limit)
    return [
        Repeat(
            told=_told(row),
            again_call_id=row["again_call_id"],
            again_at=row["again_at"],
            told_again=row["told_again"],
        )
        for row in rows
    ]


async def effects(
    conn: Connection,
    start: datetime,
    end: datetime,
    *,
    within: timedelta,
    card_id: int | None = None,
    limit: int = 100,
) -> Sequence[Effect]:
    """For each card how often it was told to known callers, and how many of them rang again."""
    rows = await conn.fetch(_EFFECTS, start, end, within, card_id, limit)
    return [Effect(**dict(row)) for row in rows]


def _told(row: asyncpg.Record) -> Told:
    return Told(
        id=row["id"],
        card_id=row["card_id"],
        version=row["version"],
        title=row["title"],
        call_id=row["call_id"],
        case_id=row["case_id"],
        at=row["at"],
        by=row["by"],
        blocks=tuple(Block(name) for name in row["blocks"]),
    )
