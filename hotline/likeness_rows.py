"""The words of cases and what is kept of them, in PostgreSQL: read once, found by index.

Only one reads at a time (`hold`): so no two count the same case, and a case that comes later always
finds the one before it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from hotline.database import Connection
from routing.likeness import Marks, asked_by, cosine, grams_of, marked, marks_of, weighed


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A case whose words are to be read; `kept` is the digest of those that were read before."""

    case_id: int
    changed_in: int
    at: datetime
    words: str
    kept: bytes | None

    @property
    def digest(self) -> bytes:
        """What says whether the words are still the same."""
        return hashlib.sha256(self.words.encode()).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Words as they weigh now: all that can be compared, and the grams others are found by."""

    marks: Marks
    by: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """A case whose words are alike."""

    case_id: int
    at: datetime
    score: float
    marks: Marks


_HOLD: LiteralString = "SELECT pg_try_advisory_xact_lock(hashtextextended('hotline.likeness', 0))"
_WAITING: LiteralString = """
    SELECT l.case_id, l.changed_in, c.drafted_at AS at, words_of_case(l.case_id) AS words,
           m.read AS kept
      FROM likeness_looks l JOIN cases c ON c.id = l.case_id
      LEFT JOIN case_marks m ON m.case_id = l.case_id
     ORDER BY l.case_id LIMIT $1"""
# Nobody is waited for: a case that is being moved this moment is read again after the move.
_LOOKED: LiteralString = """
    DELETE FROM likeness_looks WHERE case_id IN (
        SELECT l.case_id FROM likeness_looks l
          JOIN unnest($1::bigint[], $2::bigint[]) AS read (case_id, changed_in)
         USING (case_id, changed_in) FOR UPDATE OF l SKIP LOCKED)"""
_WORDS: LiteralString = "SELECT words_of_case($1)"
_SEEN: LiteralString = "SELECT mark, seen FROM mark_counts WHERE mark = ANY ($1)"
_TOTAL: LiteralString = "SELECT cases FROM mark_total"
_COUNT: LiteralString = """
    INSERT INTO mark_counts (mark, seen) SELECT mark, 1 FROM unnest($1::integer[]) AS mark
    ON CONFLICT (mark) DO UPDATE SET seen = mark_counts.seen + 1"""
_ONE_MORE: LiteralString = "UPDATE mark_total SET cases = cases + 1"
_KEEP: LiteralString = """
    INSERT INTO case_marks (case_id, at, marks, weights, read) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (case_id) DO UPDATE
       SET marks = excluded.marks, weights = excluded.weights, read = excluded.read"""
_FORGET: LiteralString = "DELETE FROM case_marks WHERE case_id = $1"
NEAR: LiteralString = """
    SELECT case_id, at, marks, weights FROM case_marks
     WHERE marks && $1::integer[] AND case_id <> $2 AND at >= $3"""


async def hold(tx: Connection) -> bool:
    """Whether nobody else reads now; nobody will until the commit."""
    return bool(await tx.fetchval(_HOLD))


async def waiting(tx: Connection, limit: int) -> list[Look]:
    """Cases whose words are new, the oldest first."""
    rows = await tx.fetch(_WAITING, limit)
    return [Look(**{**dict(row), "words": row["words"] or ""}) for row in rows]


async def looked(tx: Connection, looks: Sequence[Look]) -> None:
    """They were read; what changed meanwhile is read again."""
    await tx.execute(_LOOKED, [look.case_id for look in looks], [look.changed_in for look in looks])


async def words_of(conn: Connection, case_id: int) -> str:
    """What a case says: its summary and the caller's own words."""
    return str(await conn.fetchval(_WORDS, case_id) or "")


async def asked(conn: Connection, words: str) -> Asked:
    """How words weigh against everything that was read until now."""
    grams = grams_of(words)
    seen = {row["mark"]: row["seen"] for row in await conn.fetch(_SEEN, list(grams))}
    weights = weighed(grams, seen, await conn.fetchval(_TOTAL))
    return Asked(marks=marked(weights), by=asked_by(weights, seen))


async def near(
    conn: Connection, asked_for: Asked, *, beside: int, since: datetime, least: float
) -> list[Near]:
    """Other cases whose words are alike, the likest first."""
    if not asked_for.by:
        return []
    found = []
    for row in await conn.fetch(NEAR, list(asked_for.by), beside, since):
        score = cosine(asked_for.marks, row["marks"], row["weights"])
        if score >= least:
            marks = marked(dict(zip(row["marks"], row["weights"], strict=True)))
            found.append(Near(case_id=row["case_id"], at=row["at"], score=score, marks=marks))
    return sorted(found, key=lambda one: (-one.score, -one.case_id))


async def keep(tx: Connection, look: Look, read: Asked) -> None:
    """Keep a case's marks and count what it says; words that were read before are not again."""
    if look.digest == look.kept:
        return
    if not look.words:
        await tx.execute(_FORGET, look.case_id)
        return
    marks = marks_of(read.marks.weights).weights
    await tx.execute(_KEEP, look.case_id, look.at, list(marks), list(marks.values()), look.digest)
    await tx.execute(_COUNT, sorted(grams_of(look.words)))
    await tx.execute(_ONE_MORE)
