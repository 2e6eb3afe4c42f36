"""What people wrote with their moves, word for word, in PostgreSQL.

The journal keeps only sha256(salt + text) of each, so a text can be erased and a changed one is
found. Every function runs inside the caller's transaction.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from routing.cases import Actor
from routing.connection import Connection
from routing.fold import digest

SALT_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """What somebody wrote; `text` is None where it was erased.

    `move` is the case's move, or another deed whose words are kept here; `sort` one of TEXTS, or a
    sort of words of that deed.
    """

    at: datetime
    actor: str
    unit: str | None
    move: str
    sort: str
    text: str | None


KEEP: LiteralString = """
    INSERT INTO case_texts (case_id, at, actor, unit, move, sort, text, salt, digest)
    SELECT $1, $2, $3, $4, $5, given.sort, given.text, given.salt, given.digest
      FROM unnest($6::text[], $7::text[], $8::bytea[], $9::text[])
               AS given (sort, text, salt, digest)"""
OF_CASE: LiteralString = """
    SELECT at, actor, unit, move, sort, text FROM case_texts WHERE case_id = $1 ORDER BY id"""
BY_DIGEST: LiteralString = """
    SELECT digest, text FROM case_texts WHERE digest = ANY ($1::text[]) AND text IS NOT NULL"""


async def keep(
    conn: Connection,
    case_id: int,
    *,
    move: str,
    actor: Actor,
    now: datetime,
    texts: Mapping[str, str],
) -> dict[str, str]:
    """Keep the texts of one move; returns the digest of each by its sort."""
    if not texts:
        return {}
    salts = [secrets.token_bytes(SALT_BYTES) for _ in texts]
    digests = [digest(salt, text) for salt, text in zip(salts, texts.values(), strict=True)]
    await conn.fetch(
        KEEP,
        case_id,
        now,
        actor.name,
        actor.unit,
        str(move),
        list(texts),
        list(texts.values()),
        salts,
        digests,
    )
    return dict(zip(texts, digests, strict=True))


async def texts_of(conn: Connection, case_id: int) -> tuple[Text, ...]:
    """What people wrote with the moves of a case, oldest first."""
    rows = await conn.fetch(OF_CASE, case_id)
    return tuple(Text(**row) for row in rows)


async def by_digest(conn: Connection, digests: Sequence[str]) -> dict[str, str]:
    """The texts that are still there, by their digests."""
    if not digests:
        return {}
    rows = await conn.fetch(BY_DIGEST, list(digests))
    return {row["digest"]: row["text"] for row in rows}
