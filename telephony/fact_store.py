"""Facts from the exchange's files in PostgreSQL, with how far each file has been read.

Facts and position move in one transaction, so a row is stored once however often a reader dies.
A fact's row holds the token of the caller, and of whoever was dialled, never a number.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

import asyncpg

from telephony.events import (
    FACTS,
    ChannelStarted,
    Fact,
    LinkedId,
    OutsideDialled,
    Source,
    System,
    UniqueId,
)
from telephony.rows import PlacedFact, Position
from telephony.store import caller_token

_KINDS = {kind: name for name, kind in FACTS.items()}
_HEAD = frozenset({"system", "source", "at", "unique_id", "linked_id"})
_PRIVATE = frozenset({"number", "name"})
_LONGEST_SERVICE = 5
"""Digits; what is longer than 12345 may be somebody's own number."""
_BODIES = {
    kind: tuple(f.name for f in fields(kind) if f.name not in _HEAD | _PRIVATE) for kind in _KINDS
}
JUDGED = "judged"
"""The source under which the last judged fact's id stands among the positions."""

_POSITION: LiteralString = """
SELECT inode AS file, "offset" FROM tail_positions WHERE system = $1 AND source = $2
"""
_LOCKED: LiteralString = _POSITION + " FOR UPDATE"
_MOVE: LiteralString = """
INSERT INTO tail_positions (system, source, inode, "offset", read_at)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (system, source) DO UPDATE SET
    inode = excluded.inode, "offset" = excluded."offset", read_at = excluded.read_at
"""
_APPEND: LiteralString = """
INSERT INTO exchange_facts
    (system, source, linked_id, unique_id, at, kind, body, file_inode, file_offset)
SELECT $1, $2, linked_id, unique_id, at, kind, body::jsonb, file, place
  FROM unnest($3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::text[],
              $8::bigint[], $9::bigint[])
       AS told (linked_id, unique_id, at, kind, body, file, place)
ON CONFLICT (system, source, file_inode, file_offset) DO NOTHING
"""


async def position(conn: asyncpg.Connection, system: System, source: Source) -> Position | None:
    """How far a file has been read; None if never."""
    row = await conn.fetchrow(_POSITION, system, source)
    return None if row is None else Position(file=row["file"], offset=row["offset"])


async def append_facts(
    conn: asyncpg.Connection,
    system: System,
    source: Source,
    facts: Sequence[PlacedFact],
    new: Position,
    *,
    since: Position | None,
    at: datetime,
) -> bool:
    """Store what was read from `since` to `new`; False, and nothing done, if another reader did."""
    async with conn.transaction():
        row = await conn.fetchrow(_LOCKED, system, source)
        if (None if row is None else Position(file=row["file"], offset=row["offset"])) != since:
            return False
        if facts:
            await _append(conn, system, source, facts)
        await conn.execute(_MOVE, system, source, new.file, new.offset, at)
    return True


async def add_facts(
    conn: asyncpg.Connection, system: System, source: Source, facts: Sequence[PlacedFact]
) -> None:
    """Store facts read again; those that are there are left as they are, no position moves."""
    if facts:
        await _append(conn, system, source, facts)


async def _append(
    conn: asyncpg.Connection, system: System, source: Source, facts: Sequence[PlacedFact]
) -> None:
    tokens = await _tokens(conn, facts)
    told = [placed.fact for placed in facts]
    await conn.execute(
        _APPEND,
        system,
        source,
        [fact.linked_id for fact in told],
        [fact.unique_id for fact in told],
        [fact.at for fact in told],
        [_KINDS[type(fact)] for fact in told],
        [_body(fact, tokens) for fact in told],
        [placed.file for placed in facts],
        [placed.offset for placed in facts],
    )


async def _tokens(conn: asyncpg.Connection, facts: Sequence[PlacedFact]) -> dict[str, UUID]:
    """A token for each number; in one order, so that no two readers wait in a circle."""
    callers: dict[str, tuple[str, datetime]] = {}
    for placed in facts:
        fact = placed.fact
        for number, told in _numbers(fact):
            name, at = callers.get(number, ("", fact.at))
            callers[number] = (name or told, at)
    tokens: dict[str, UUID] = {}
    for number, (name, at) in sorted(callers.items()):
        if (token := await caller_token(conn, number, name, at)) is not None:
            tokens[number] = token
    return tokens


def _numbers(fact: Fact) -> Iterator[tuple[str, str]]:
    """The numbers of people in a fact, each with the name that came with it."""
    if isinstance(fact, ChannelStarted | OutsideDialled) and fact.number:
        yield fact.number, fact.name if isinstance(fact, ChannelStarted) else ""
    if isinstance(fact, ChannelStarted) and len(fact.exten) > _LONGEST_SERVICE:
        yield fact.exten, ""


def _body(fact: Fact, tokens: dict[str, UUID]) -> str:
    body = {name: getattr(fact, name) for name in _BODIES[type(fact)]}
    if isinstance(fact, ChannelStarted | OutsideDialled) and fact.number:
        body["caller"] = str(tokens[fact.number])
    if isinstance(fact, ChannelStarted) and len(fact.exten) > _LONGEST_SERVICE:
        body["exten"] = ""
        body["dialled"] = str(tokens[fact.exten])
    return json.dumps(body, ensure_ascii=False)


_FACTS: LiteralString = """
SELECT f.id, f.source, f.linked_id, f.unique_id, f.at, f.kind, f.body, i.number, i.name,
       d.number AS dialled
  FROM exchange_facts f LEFT JOIN identities i ON i.token = (f.body ->> 'caller')::uuid
  LEFT JOIN identities d ON d.token = (f.body ->> 'dialled')::uuid
 WHERE f.system = $1
   AND (f.linked_id = ANY ($2::text[])
        OR (f.linked_id IS NULL
            AND f.unique_id = ANY ($2::text[] || ARRAY (
                SELECT p.unique_id FROM exchange_facts p
                 WHERE p.system = $1 AND p.linked_id = ANY ($2::text[])))))
 ORDER BY f.at, f.id
"""
_UNFINISHED: LiteralString = """
SELECT DISTINCT f.linked_id FROM exchange_facts f
 WHERE f.system = $1 AND f.at >= $2 AND f.linked_id IS NOT NULL
   AND NOT EXISTS (SELECT FROM exchange_facts e
                    WHERE e.system = $1 AND e.linked_id = f.linked_id
                      AND e.kind = 'linked_id_ended')
   AND NOT EXISTS (SELECT FROM calls c
                    WHERE c.system = $1 AND c.linked_id = f.linked_id
                      AND c.ended_at IS NOT NULL)
"""
_PARTY: LiteralString = """
WITH RECURSIVE party (linked_id) AS (
    SELECT $2::text
    UNION
    SELECT b.linked_id
      FROM party p
      JOIN exchange_facts a ON a.system = $1 AND a.linked_id = p.linked_id
      JOIN exchange_facts b ON b.system = $1 AND b.unique_id = a.unique_id
     WHERE b.linked_id IS NOT NULL)
SELECT linked_id FROM party
"""
# In the order of the file, up to the first that is too young: the times of neighbours may be
# crossed, and one passed over would never be judged. A time in the far future holds nothing up.
_ENDED: LiteralString = """
SELECT f.id, f.linked_id FROM exchange_facts f
 WHERE f.system = $1 AND f.kind = 'linked_id_ended' AND f.id > $2
   AND NOT EXISTS (SELECT FROM exchange_facts young
                    WHERE young.system = $1 AND young.kind = 'linked_id_ended'
                      AND young.id > $2 AND young.id <= f.id
                      AND young.at > $3 AND young.at <= $3 + interval '1 minute')
 ORDER BY f.id LIMIT $4
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The files say that a linked id has ended."""

    fact_id: int
    linked_id: LinkedId


async def unfinished_facts(
    conn: asyncpg.Connection, system: System, *, since: datetime
) -> list[Fact]:
    """The facts of whatever has not ended, neither in the files nor as a stored call."""
    return await _facts(conn, system, await conn.fetch(_UNFINISHED, system, since))


async def facts_of(conn: asyncpg.Connection, system: System, linked_id: LinkedId) -> list[Fact]:
    """All facts of the channels that belong together under this linked id, or came to."""
    return await _facts(conn, system, await conn.fetch(_PARTY, system, linked_id))


async def _facts(
    conn: asyncpg.Connection, system: System, linked: Sequence[asyncpg.Record]
) -> list[Fact]:
    rows = await conn.fetch(_FACTS, system, [row["linked_id"] for row in linked])
    return [_fact(system, row) for row in rows]


async def ended_unjudged(
    conn: asyncpg.Connection, system: System, *, until: datetime, most: int = 500
) -> list[Ended]:
    """What ended in the files by then and has not been compared with the stored calls yet."""
    row = await conn.fetchrow(_POSITION, system, JUDGED)
    rows = await conn.fetch(_ENDED, system, 0 if row is None else row["offset"], until, most)
    return [Ended(fact_id=row["id"], linked_id=LinkedId(row["linked_id"])) for row in rows]


_ENDED_SINCE: LiteralString = """
SELECT min(f.id) AS id, f.linked_id FROM exchange_facts f
 WHERE f.system = $1 AND f.kind = 'linked_id_ended' AND f.at >= $2 AND f.at <= $3
 GROUP BY f.linked_id ORDER BY min(f.at)
"""


async def ended_since(
    conn: asyncpg.Connection, system: System, *, since: datetime, until: datetime
) -> list[Ended]:
    """What ended in the files in this time, compared before or not."""
    rows = await conn.fetch(_ENDED_SINCE, system, since, until)
    return [Ended(fact_id=row["id"], linked_id=LinkedId(row["linked_id"])) for row in rows]


_OUTDATED: LiteralString = """
WITH old AS (
    SELECT f.id FROM exchange_facts f
     WHERE f.system = $1 AND f.at < $2
       AND f.id <= (SELECT p."offset" FROM tail_positions p
                     WHERE p.system = $1 AND p.source = $3)
     ORDER BY f.at LIMIT $4)
DELETE FROM exchange_facts f USING old WHERE f.id = old.id
"""


async def forget_facts(
    conn: asyncpg.Connection, system: System, *, before: datetime, most: int = 5_000
) -> int:
    """Delete the oldest facts that have been compared with the calls; how many went.

    Only a copy goes: the calls stay, and the exchange's own files are not touched.
    """
    done: str = await conn.execute(_OUTDATED, system, before, JUDGED, most)
    return int(done.rpartition(" ")[2])


async def judged(conn: asyncpg.Connection, system: System, ended: Ended, *, at: datetime) -> None:
    """This one was compared: the next time begins after it."""
    await conn.execute(_MOVE, system, JUDGED, 0, ended.fact_id, at)


def _fact(system: System, row: asyncpg.Record) -> Fact:
    kind = FACTS[row["kind"]]
    body: dict[str, Any] = json.loads(row["body"])
    body.pop("caller", None)
    if body.pop("dialled", None):
        body["exten"] = row["dialled"] or ""
    if kind in (ChannelStarted, OutsideDialled):
        body["number"] = row["number"] or ""
    if kind is ChannelStarted:
        body["name"] = row["name"] or ""
    linked_id = row["linked_id"]
    return kind(
        system=system,
        source=Source(row["source"]),
        at=row["at"],
        unique_id=UniqueId(row["unique_id"]),
        linked_id=None if linked_id is None else LinkedId(linked_id),
        **body,
    )
