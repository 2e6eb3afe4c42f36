"""Visits on the spot: where, when, what was found, and whether it agrees with the unit's reply.

The words are kept as those of a move are (routing/text_store.py): the row and the journal hold
their digests. A visit is added and never changed; a second look is a second visit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import LiteralString

import asyncpg

from hotline import evidence, journal
from hotline.database import Connection
from hotline.errors import VisitRefusedError
from hotline.journal import Event
from routing import store, text_store
from routing.cases import Actor

DEED = "visit"
"""The move, so to speak, that a visit's words belong to."""


class Reply(StrEnum):
    """Whether the unit's reply is what was found; `none`: there is no reply to compare with."""

    TRUE = "true"
    UNTRUE = "untrue"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One visit; `place` and `found` are None where the words were erased, `unit` the visitor's."""

    id: int
    case_id: int
    visited_at: datetime
    place: str | None
    found: str | None
    reply: Reply
    evidence: tuple[int, ...]
    by: str
    unit: str | None
    at: datetime


_ADD: LiteralString = """
    INSERT INTO case_visits (case_id, visited_at, place, found, reply, evidence, by, unit, at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING *"""
_OF_CASE: LiteralString = "SELECT * FROM case_visits WHERE case_id = $1 ORDER BY id"


async def add(
    tx: Connection,
    case_id: int,
    *,
    visited_at: datetime,
    place: str,
    found: str,
    reply: Reply,
    pieces: Sequence[int],
    actor: Actor,
    now: datetime,
) -> Visit:
    """Keep what somebody found on the spot, with its photographs.

    Raises:
        CaseUnknown: there is no such case.
        VisitRefusedError: it lies in the future, or there is no reply to compare with.
        EvidenceUnknownError: a photograph is not evidence of this case.
    """
    case = await store.get(tx, case_id)
    if visited_at > now:
        raise VisitRefusedError("A visit cannot have been made in the future.")
    if reply is not Reply.NONE and case.answered_at is None:
        raise VisitRefusedError(f"Case {case.number} has no reply to compare with yet.")
    shown = [await evidence.one(tx, case_id, piece) for piece in dict.fromkeys(pieces)]
    words = {"place": place, "found": found}
    digests = await text_store.keep(tx, case_id, move=DEED, actor=actor, now=now, texts=words)
    row = await tx.fetchrow(
        _ADD,
        case_id,
        visited_at,
        digests["place"],
        digests["found"],
        reply,
        [piece.id for piece in shown],
        actor.name,
        actor.unit,
        now,
    )
    assert row is not None  # noqa: S101 - an INSERT returns its row
    body = {
        "number": case.number,
        "visit": row["id"],
        "visited_at": visited_at,
        "reply": reply,
        "unit": case.unit,
        "of": actor.unit,
        "evidence": [{"id": piece.id, "sha256": piece.sha256} for piece in shown],
        "texts": digests,
    }
    await journal.write(
        tx, at=now, actor=actor.name, event=Event.CASE_VISITED, case_id=case_id, body=body
    )
    return _visit(row, {digest: words[name] for name, digest in digests.items()})


async def of_case(conn: Connection, case_id: int) -> tuple[Visit, ...]:
    """Every visit of a case, oldest first."""
    rows = await conn.fetch(_OF_CASE, case_id)
    wanted = [row[name] for row in rows for name in ("place", "found")]
    words = await text_store.by_digest(conn, wanted)
    return tuple(_visit(row, words) for row in rows)


def _visit(row: asyncpg.Record, words: dict[str, str]) -> Visit:
    return Visit(
        **{
            **dict(row),
            "place": words.get(row["place"]),
            "found": words.get(row["found"]),
            "reply": Reply(row["reply"]),
            "evidence": tuple(row["evidence"]),
        }
    )
