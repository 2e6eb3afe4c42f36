"""Cards, their versions, what people say of them and whom they were told to, in PostgreSQL.

A version is never changed: what changes makes the next one, and a card that is no longer told gets
a last version that is retired. Every function runs in the caller's transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import LiteralString

import asyncpg

from hotline.database import Connection
from hotline.errors import CardChangedError, CardUnknownError
from routing.cards import CardText, asked_grams, text_grams, title_grams


class CardState(StrEnum):
    """Whether a card is told to people now."""

    PUBLISHED = "published"
    RETIRED = "retired"


class Verdict(StrEnum):
    """What somebody says is wrong with a card."""

    WRONG = "wrong"
    OUTDATED = "outdated"


@dataclass(frozen=True, slots=True, kw_only=True)
class CardVersion:
    """One version of a card, complete; it never changes."""

    card_id: int
    key: str
    version: int
    state: CardState
    at: datetime
    by: str
    reason: str | None
    text: CardText


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A card in a list: its newest version, how many say that it is wrong, how well it fits."""

    card: CardVersion
    reported: int
    score: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """What somebody said of a version."""

    id: int
    card_id: int
    version: int
    at: datetime
    by: str
    verdict: Verdict
    remark: str


_NEWEST: LiteralString = """
    SELECT v.card_id, c.key, v.version, v.state, v.at, v.by, v.reason, v.content
      FROM cards c JOIN card_versions v ON v.card_id = c.id AND v.version = c.newest"""
_GET: LiteralString = _NEWEST + " WHERE c.id = $1"
_GET_BY_KEY: LiteralString = _NEWEST + " WHERE c.key = $1"
_GET_BY_KEYS: LiteralString = _NEWEST + " WHERE c.key = ANY ($1::text[]) ORDER BY c.key"
_VERSIONS: LiteralString = """
    SELECT v.card_id, c.key, v.version, v.state, v.at, v.by, v.reason, v.content
      FROM cards c JOIN card_versions v ON v.card_id = c.id
     WHERE c.id = $1 AND ($2::integer IS NULL OR v.version = $2) ORDER BY v.version DESC"""
_ADD: LiteralString = """
    INSERT INTO cards (key, newest) VALUES ($1, 1) ON CONFLICT (key) DO NOTHING RETURNING id"""
_MOVE_ON: LiteralString = "UPDATE cards SET newest = $3 WHERE id = $1 AND newest = $2"
_ADD_VERSION: LiteralString = """
    INSERT INTO card_versions (card_id, version, state, at, by, reason, title, unit, category,
                               review, content, title_grams, grams)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"""
# What is found counts once, in a title or a keyword four times; without words, by title.
_SEARCH: LiteralString = """
    WITH found AS (
      SELECT v.card_id, c.key, v.version, v.state, v.at, v.by, v.reason, v.content, v.title,
             (SELECT count(*) FROM card_feedback f
               WHERE f.card_id = c.id AND f.version = c.newest) AS reported,
             cardinality(ARRAY(SELECT unnest(v.grams) INTERSECT SELECT unnest($1::text[])))
               + 3 * cardinality(ARRAY(
                   SELECT unnest(v.title_grams) INTERSECT SELECT unnest($1::text[]))) AS score
        FROM cards c JOIN card_versions v ON v.card_id = c.id AND v.version = c.newest
       WHERE v.state = $2 AND ($1::text[] IS NULL OR v.grams && $1)
         AND ($3::text IS NULL OR v.unit = $3)
         AND ($4::text IS NULL OR v.category = $4 OR starts_with(v.category, $4 || '/'))
         AND ($5::date IS NULL OR v.review < $5))
    SELECT * FROM found WHERE NOT $6 OR reported > 0
     ORDER BY score DESC, title, card_id LIMIT $7"""
_REPORT: LiteralString = """
    INSERT INTO card_feedback (card_id, version, at, by, verdict, remark)
    VALUES ($1, $2, $3, $4, $5, $6) RETURNING id, card_id, version, at, by, verdict, remark"""
_FEEDBACK: LiteralString = """
    SELECT id, card_id, version, at, by, verdict, remark FROM card_feedback
     WHERE card_id = $1 ORDER BY id DESC LIMIT 100"""


async def add(
    tx: Connection, key: str, text: CardText, *, by: str, at: datetime, reason: str | None = None
) -> CardVersion:
    """A new card with its first version; raises `CardChangedError` where the key is taken."""
    card_id = await tx.fetchval(_ADD, key)
    if card_id is None:
        raise CardChangedError(f"There is a card with the key {key} already.")
    await _write(tx, card_id, 1, CardState.PUBLISHED, text, by=by, at=at, reason=reason)
    return await get(tx, card_id)


async def change(
    tx: Connection,
    card_id: int,
    seen: int,
    text: CardText,
    *,
    state: CardState = CardState.PUBLISHED,
    by: str,
    at: datetime,
    reason: str | None = None,
) -> CardVersion:
    """The next version of a card whose newest one is `seen`.

    Raises:
        CardChangedError: somebody else made a newer one.
        CardUnknownError: there is no such card.
    """
    if await tx.execute(_MOVE_ON, card_id, seen, seen + 1) != "UPDATE 1":
        now = await get(tx, card_id)
        raise CardChangedError(
            f"The card {now.text.title} was changed by {now.by} meanwhile and is now version "
            f"{now.version}: read it again."
        )
    await _write(tx, card_id, seen + 1, state, text, by=by, at=at, reason=reason)
    return await get(tx, card_id)


async def _write(
    tx: Connection,
    card_id: int,
    version: int,
    state: CardState,
    text: CardText,
    *,
    by: str,
    at: datetime,
    reason: str | None,
) -> None:
    await tx.execute(
        _ADD_VERSION,
        card_id,
        version,
        state,
        at,
        by,
        reason,
        text.title,
        text.unit,
        text.category,
        text.review,
        text.model_dump_json(),
        sorted(title_grams(text)),
        sorted(text_grams(text)),
    )


async def get(conn: Connection, card_id: int) -> CardVersion:
    """The newest version of a card; raises `CardUnknownError`."""
    row = await conn.fetchrow(_GET, card_id)
    if row is None:
        raise CardUnknownError(f"There is no card with the number {card_id}.")
    return _version(row)


async def by_key(conn: Connection, key: str) -> CardVersion | None:
    """The newest version of the card with this key."""
    row = await conn.fetchrow(_GET_BY_KEY, key)
    return None if row is None else _version(row)


async def by_keys(conn: Connection, keys: Sequence[str]) -> Sequence[CardVersion]:
    """The newest versions of those cards with these keys that are there, by key."""
    return [_version(row) for row in await conn.fetch(_GET_BY_KEYS, keys)]


async def versions(conn: Connection, card_id: int) -> Sequence[CardVersion]:
    """All versions of a card, newest first."""
    return [_version(row) for row in await conn.fetch(_VERSIONS, card_id, None)]


async def one_version(conn: Connection, card_id: int, version: int) -> CardVersion:
    """One version of a card; raises `CardUnknownError`."""
    rows = await conn.fetch(_VERSIONS, card_id, version) if version < 2**31 else []
    if not rows:
        raise CardUnknownError(f"There is no version {version} of the card {card_id}.")
    return _version(rows[0])


async def search(
    conn: Connection,
    *,
    typed: str | None = None,
    state: CardState = CardState.PUBLISHED,
    unit: str | None = None,
    category: str | None = None,
    stale_on: date | None = None,
    reported: bool = False,
    limit: int = 20,
) -> Sequence[Found]:
    """Cards whose newest version fits, best first; `typed` may be the beginning of a question."""
    words = sorted(asked_grams(typed)) if typed else None
    rows = await conn.fetch(_SEARCH, words, state, unit, category, stale_on, reported, limit)
    return [Found(card=_version(row), reported=row["reported"], score=row["score"]) for row in rows]


async def report(
    tx: Connection,
    card_id: int,
    version: int,
    *,
    verdict: Verdict,
    remark: str,
    by: str,
    at: datetime,
) -> Feedback:
    """Somebody says that a version is wrong or outdated."""
    rows = await tx.fetch(_REPORT, card_id, version, at, by, verdict, remark)
    return _feedback(rows[0])


async def feedback(conn: Connection, card_id: int) -> Sequence[Feedback]:
    """What was said of a card, newest first, at most a hundred."""
    return [_feedback(row) for row in await conn.fetch(_FEEDBACK, card_id)]


def _feedback(row: asyncpg.Record) -> Feedback:
    return Feedback(**{**dict(row), "verdict": Verdict(row["verdict"])})


def _version(row: asyncpg.Record) -> CardVersion:
    return CardVersion(
        card_id=row["card_id"],
        key=row["key"],
        version=row["version"],
        state=CardState(row["state"]),
        at=row["at"],
        by=row["by"],
        reason=row["reason"],
        text=CardText.model_validate_json(row["content"]),
    )
