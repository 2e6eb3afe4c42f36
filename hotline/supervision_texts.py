"""What people write with supervision records, tracked items and fault records, and their evidence.

The journal keeps only sha256(salt + text) of each text, and the SHA-256 of each piece of evidence;
contents lie in the evidence folder (evidence.py), each once.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, LiteralString, get_args

from hotline.database import Connection
from hotline.errors import EvidenceUnknownError
from hotline.evidence import Content
from routing.cases import Actor
from routing.fold import digest

Of = Literal["supervision_id", "tracked_id", "fault_id"]
SALT_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What somebody wrote; `step` is what with, `text` None where it was erased."""

    at: datetime
    actor: str
    unit: str | None
    step: str
    text: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One file of evidence; `path` is relative to the evidence folder."""

    id: int
    name: str
    media_type: str
    sha256: str
    size: int
    path: str
    added_by: str
    added_unit: str | None
    added_at: datetime


_KEEP: LiteralString = """
    INSERT INTO supervision_texts
        (supervision_id, tracked_id, fault_id, at, actor, unit, step, text, salt, digest)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"""
_NOTES: LiteralString = """
    SELECT at, actor, unit, step, text FROM supervision_texts
     WHERE supervision_id = $1 OR tracked_id = $2 OR fault_id = $3 ORDER BY id"""
_ADD: LiteralString = """
    INSERT INTO supervision_evidence
        (supervision_id, tracked_id, fault_id, name, media_type, sha256, size, path, added_by,
         added_unit, added_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
    RETURNING id, name, media_type, sha256, size, path, added_by, added_unit, added_at"""
_PIECES: LiteralString = """
    SELECT id, name, media_type, sha256, size, path, added_by, added_unit, added_at
      FROM supervision_evidence
     WHERE (supervision_id = $1 OR tracked_id = $2 OR fault_id = $3) AND erased_at IS NULL
     ORDER BY id"""
_OF_CASE: LiteralString = """
    SELECT id, sha256 FROM case_evidence WHERE case_id = $1 AND id = ANY ($2::bigint[])
       AND erased_at IS NULL ORDER BY id"""


def _ids(of: Of, record_id: int) -> tuple[int | None, ...]:
    return tuple(record_id if of == one else None for one in get_args(Of))


async def keep(
    tx: Connection,
    of: Of,
    record_id: int,
    *,
    step: str,
    by: str,
    unit: str | None,
    now: datetime,
    texts: Mapping[str, str] | None,
) -> dict[str, str]:
    """Keep what was written with one step; returns the digest of each text by its sort."""
    kept = {}
    for sort, text in (texts or {}).items():
        salt = secrets.token_bytes(SALT_BYTES)
        kept[sort] = digest(salt, text)
        await tx.execute(
            _KEEP, *_ids(of, record_id), now, by, unit, f"{step}.{sort}", text, salt, kept[sort]
        )
    return kept


async def notes(conn: Connection, of: Of, record_id: int) -> tuple[Note, ...]:
    """Everything written about one record, oldest first."""
    return tuple(Note(**dict(row)) for row in await conn.fetch(_NOTES, *_ids(of, record_id)))


async def add_piece(
    tx: Connection,
    of: Of,
    record_id: int,
    content: Content,
    *,
    name: str,
    media_type: str,
    actor: Actor,
    now: datetime,
) -> Piece:
    """Make stored content evidence of a record."""
    row = await tx.fetchrow(
        _ADD,
        *_ids(of, record_id),
        name,
        media_type,
        content.sha256,
        content.size,
        f"{content.sha256[:2]}/{content.sha256}",
        actor.name,
        actor.unit,
        now,
    )
    return Piece(**dict(row or {}))


async def pieces(conn: Connection, of: Of, record_id: int) -> tuple[Piece, ...]:
    """Every piece of evidence of one record, oldest first."""
    return tuple(Piece(**dict(row)) for row in await conn.fetch(_PIECES, *_ids(of, record_id)))


async def piece(conn: Connection, of: Of, record_id: int, wanted: int) -> Piece:
    """One piece of evidence of one record; raises EvidenceUnknownError."""
    for one in await pieces(conn, of, record_id):
        if one.id == wanted:
            return one
    raise EvidenceUnknownError("There is no such evidence of this record.")


async def named(
    conn: Connection,
    of: Of,
    record_id: int,
    *,
    own: Sequence[int],
    case_id: int | None,
    of_case: Sequence[int],
) -> list[dict[str, Any]]:
    """The pieces that a step names, as the journal proves them: the record's and its case's.

    Raises:
        EvidenceUnknownError: one of them is not there.
    """
    mine = {one.id: one.sha256 for one in await pieces(conn, of, record_id)}
    rows = await conn.fetch(_OF_CASE, case_id, list(of_case)) if case_id and of_case else []
    cases = {row["id"]: row["sha256"] for row in rows}
    for wanted, there in ((own, mine), (of_case, cases)):
        if missing := sorted(set(wanted) - set(there)):
            raise EvidenceUnknownError(f"There is no evidence with the id {missing[0]} here.")
    return [
        *({"id": one, "sha256": mine[one]} for one in sorted(set(own))),
        *({"case_evidence": one, "sha256": cases[one]} for one in sorted(set(of_case))),
    ]
