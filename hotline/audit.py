"""The audit: the journal's chain, every case against its journal, every kept text against its hash.

All of it is read as of one moment (one repeatable-read transaction) and computed here, not by the
database. The first fault is told; an erased text is none.
"""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, fields
from itertools import groupby
from typing import Any, LiteralString

import asyncpg

from hotline.chain import Break, ChainReader, Head, Link
from hotline.database import Connection
from routing import store
from routing.cases import Case
from routing.errors import HistoryFault
from routing.fold import Row, digest, fold

BLOCK = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was looked at; `fault` is the first thing found wrong, one sentence."""

    head: Head
    cases: int = 0
    texts: int = 0
    erased: int = 0
    fault: str | None = None


_HEAD: LiteralString = "SELECT id, rows, hash FROM journal_head"
_LINKS: LiteralString = """
    SELECT id, at, actor, event, call_id, case_id, body::text AS body, prev, hash
      FROM journal ORDER BY id"""
_CASES: LiteralString = "SELECT * FROM cases ORDER BY id"
_TOLD: LiteralString = """
    SELECT id, case_id, body FROM journal
     WHERE case_id BETWEEN $1 AND $2 AND body ?| ARRAY['changes', 'texts', 'kept']
     ORDER BY case_id, id"""
_TEXTS: LiteralString = """
    SELECT case_id, digest, salt, text, erased_at FROM case_texts
     WHERE case_id BETWEEN $1 AND $2 ORDER BY case_id, id"""


async def head_of(conn: Connection) -> Head:
    """The head of the journal now."""
    row = await conn.fetchrow(_HEAD)
    if row is None:
        raise HistoryFault("The journal has no head.", case_id=0)
    return Head(**dict(row))


async def verify(conn: Connection, anchors: Mapping[int, Head] | None = None) -> Report:
    """Look at everything; `anchors` are heads that were written down outside the database."""
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        head = await head_of(conn)
        broken = await _chain(conn, head, anchors or {})
        if broken is not None:
            return Report(head=head, fault=broken.sentence)
        return await _cases(conn, head)


async def _chain(conn: Connection, head: Head, anchors: Mapping[int, Head]) -> Break | None:
    reader = ChainReader(anchors)
    async for rows in _blocks(conn, _LINKS):
        broken = reader.take(Link(**dict(row)) for row in rows)
        if broken is not None:
            return broken
    return reader.end(head)


async def _blocks(conn: Connection, query: LiteralString) -> AsyncIterator[list[asyncpg.Record]]:
    cursor = await conn.cursor(query)
    while rows := await cursor.fetch(BLOCK):
        yield rows


async def _cases(conn: Connection, head: Head) -> Report:
    cases = texts = erased = 0
    async for rows in _blocks(conn, _CASES):
        first, last = rows[0]["id"], rows[-1]["id"]
        told = _by_case(await conn.fetch(_TOLD, first, last))
        kept = _by_case(await conn.fetch(_TEXTS, first, last))
        for row in rows:
            case, words = store.case_in(row), kept.get(row["id"], [])
            fault = _fault(case, told.get(case.id, []), words)
            if fault is not None:
                return Report(head=head, cases=cases, texts=texts, erased=erased, fault=fault)
            cases, texts = cases + 1, texts + len(words)
            erased += sum(word["text"] is None for word in words)
    return Report(head=head, cases=cases, texts=texts, erased=erased)


def _by_case(rows: list[asyncpg.Record]) -> dict[int, list[asyncpg.Record]]:
    return {key: list(group) for key, group in groupby(rows, key=lambda row: row["case_id"])}


def _fault(case: Case, told: list[asyncpg.Record], words: list[asyncpg.Record]) -> str | None:
    bodies: list[dict[str, Any]] = [json.loads(row["body"]) for row in told]
    fault = _texts_fault(case, bodies, words)
    if fault is not None:
        return fault
    rows = [
        Row(id=row["id"], case_id=case.id, body=body)
        for row, body in zip(told, bodies, strict=True)
    ]
    texts = {word["digest"]: word["text"] for word in words if word["text"] is not None}
    try:
        made = fold(rows, texts)
    except HistoryFault as error:
        return str(error) if rows else f"The journal knows nothing of case {case.number}."
    differ = [
        one.name for one in fields(Case) if getattr(made, one.name) != getattr(case, one.name)
    ]
    if differ:
        return (
            f"Case {case.number} is not what its journal made it: {', '.join(differ)}"
            " changed past the journal."
        )
    return None


def _texts_fault(
    case: Case, bodies: list[dict[str, Any]], words: list[asyncpg.Record]
) -> str | None:
    proven = {
        it for body in bodies for it in (*body.get("texts", {}).values(), *body.get("kept", ()))
    }
    found = {word["digest"] for word in words}
    if proven - found:
        return f"Case {case.number}: a text that its journal knows of is gone without a trace."
    for word in words:
        if word["digest"] not in proven:
            return f"Case {case.number}: it has a text that its journal does not know of."
        if word["text"] is not None and digest(word["salt"], word["text"]) != word["digest"]:
            return f"Case {case.number}: a text was changed after it was written."
    return None
