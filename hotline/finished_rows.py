"""Finished texts in PostgreSQL: which legs wait to be finished, and what is kept of them.

A look is a leg that waits; whoever locks its row finishes it. So the job that routes a call and
the desk that makes up for what was left never do the same work, and words that are erased meanwhile
wait for the writer and take what he wrote along. Each function runs in the caller's transaction.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import LiteralString

import asyncpg

from hotline.database import Connection
from routing.said import Said
from telephony.calls import Leg
from transcription.sentences import Sentence, to_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A leg that waits to be finished."""

    call_id: int
    leg: Leg


_OF_CALL: LiteralString = """
    SELECT call_id, leg FROM finishing_looks WHERE call_id = $1 ORDER BY leg FOR UPDATE"""
_WAITING: LiteralString = """
    SELECT call_id, leg FROM finishing_looks
     ORDER BY call_id DESC, leg LIMIT $1 FOR UPDATE SKIP LOCKED"""
_KEEP: LiteralString = """
    INSERT INTO finished_texts (call_id, leg, at, line, operator, level1, rules,
                                sentences, said, raw, sounds, marks, tags)
    SELECT c.id, $2, c.started_at, c.line, c.operator, k.level1, $3,
           $4::text::jsonb, $5, $6, $7, $8, finished_tags($2, c.line, c.operator, k.level1)
      FROM calls c LEFT JOIN cases k ON k.call_id = c.id WHERE c.id = $1
    ON CONFLICT (call_id, leg) DO UPDATE SET
        operator = excluded.operator, level1 = excluded.level1, rules = excluded.rules,
        sentences = excluded.sentences, said = excluded.said, raw = excluded.raw,
        sounds = excluded.sounds, marks = excluded.marks, tags = excluded.tags"""
_DONE: LiteralString = "DELETE FROM finishing_looks WHERE call_id = $1 AND leg = $2"
_RULES: LiteralString = "SELECT rules FROM finishing_rules"
_OTHER_RULES: LiteralString = """
    UPDATE finishing_rules SET rules = $1 WHERE rules <> $1 RETURNING true"""
_ALL_AGAIN: LiteralString = """
    INSERT INTO finishing_looks (call_id, leg)
    SELECT call_id, leg FROM finished_texts WHERE rules <> $1 ON CONFLICT DO NOTHING"""
# A draft that has a suggestion had it from these words as they were before.
_SUGGESTED: LiteralString = """
    SELECT call_id FROM cases
     WHERE call_id = ANY ($1::bigint[]) AND state = 'draft' AND suggestion IS NOT NULL"""
_LEFT: LiteralString = "SELECT count(*) FROM finishing_looks"


async def of_call(tx: Connection, call_id: int) -> list[Look]:
    """The legs of a call that wait; somebody who has them in hand is waited for."""
    return [_look(row) for row in await tx.fetch(_OF_CALL, call_id)]


async def waiting(tx: Connection, most: int) -> list[Look]:
    """Some legs that wait and that nobody has in hand, the newest calls first."""
    return [_look(row) for row in await tx.fetch(_WAITING, most)]


def _look(row: asyncpg.Record) -> Look:
    return Look(call_id=row["call_id"], leg=Leg(row["leg"]))


async def keep(
    tx: Connection, look: Look, sentences: Sequence[Sentence], said: Said, rules: str
) -> None:
    """Keep what a leg says, in the place of what was kept of it before."""
    await tx.execute(
        _KEEP,
        look.call_id,
        look.leg,
        rules,
        json.dumps(to_rows(sentences), ensure_ascii=False, separators=(",", ":")),
        said.text,
        said.raw,
        said.sounds,
        said.marks,
    )


async def done(tx: Connection, look: Look) -> None:
    """It waits no more."""
    await tx.execute(_DONE, look.call_id, look.leg)


async def take_over(tx: Connection, rules: str) -> bool:
    """Have everything finished again that other rules or names finished; whether there were any."""
    if await tx.fetchval(_RULES) == rules or not await tx.fetchval(_OTHER_RULES, rules):
        return False
    await tx.execute(_ALL_AGAIN, rules)
    return True


async def suggested(tx: Connection, calls: Collection[int]) -> list[int]:
    """Those of some calls whose draft has a suggestion that other words gave."""
    return [row["call_id"] for row in await tx.fetch(_SUGGESTED, list(calls))]


async def left(conn: Connection) -> int:
    """How many legs wait."""
    return int(await conn.fetchval(_LEFT))
