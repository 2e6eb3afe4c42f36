"""Evidence of a case: papers and pictures in the data folder, each content once, named by its hash.

    data_dir/evidence/ab/abcdef…   the content; the name a person gave stands in the database only

The file is whole and on the disk before its row is committed: a crash leaves at most a file that no
row names, and the same upload again uses it.
"""

import asyncio
import hashlib
import os
import tempfile
from collections.abc import AsyncIterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import IO, LiteralString, Protocol

import asyncpg

from hotline import journal
from hotline.database import Connection
from hotline.errors import EvidenceRefusedError, EvidenceTooLargeError, EvidenceUnknownError
from hotline.journal import Event
from routing import store
from routing.cases import Actor, Case
from routing.moves import is_over


class Sort(StrEnum):
    """What a piece shows: who somebody is (证件), that the caller was spoken to, what was done."""

    IDENTITY = "identity"
    CONTACT = "contact"
    HANDLING = "handling"


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Bytes that lie in the store."""

    sha256: str
    size: int
    path: Path


class Kept(Protocol):
    """What lies in the store under a path of its own."""

    @property
    def id(self) -> int:
        """Its number."""

    @property
    def path(self) -> str:
        """Where it lies, relative to the evidence folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One piece of a case; `path` is relative to the evidence folder."""

    id: int
    case_id: int
    sort: Sort
    name: str
    media_type: str
    sha256: str
    size: int
    path: str
    added_by: str
    added_unit: str | None
    added_at: datetime


_PIECE: LiteralString = """
    id, case_id, sort, name, media_type, sha256, size, path, added_by, added_unit, added_at"""
_ADD: LiteralString = (
    """
    INSERT INTO case_evidence
        (case_id, name, media_type, sha256, size, path, added_by, added_unit, added_at, sort)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING"""  # noqa: S608 - of literal parts
    + _PIECE
)
_THERE: LiteralString = (
    "SELECT" + _PIECE + " FROM case_evidence WHERE case_id = $1 AND erased_at IS NULL"
)
_OF_CASE: LiteralString = _THERE + " ORDER BY id"
_ONE: LiteralString = _THERE + " AND id = $2"


async def keep(folder: Path, chunks: AsyncIterable[bytes], largest: int) -> Content:
    """Put what comes in into the store; the same content as before is there already.

    Raises:
        EvidenceRefusedError: it is empty; EvidenceTooLargeError: it has more than `largest` bytes.
    """
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    descriptor, name = await asyncio.to_thread(tempfile.mkstemp, dir=folder, suffix=".part")
    digest, size, part = hashlib.sha256(), 0, Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            async for chunk in chunks:
                size += len(chunk)
                if size > largest:
                    raise EvidenceTooLargeError(f"Evidence has at most {largest} bytes.")
                digest.update(chunk)
                await asyncio.to_thread(file.write, chunk)
            if size == 0:
                raise EvidenceRefusedError("An empty file is no evidence.")
            await asyncio.to_thread(_settle, file)
        content = Content(
            sha256=digest.hexdigest(), size=size, path=_place(folder, digest.hexdigest())
        )
        await asyncio.to_thread(_move, part, content.path)
    finally:
        await asyncio.to_thread(part.unlink, missing_ok=True)
    return content


def _place(folder: Path, sha256: str) -> Path:
    return folder / sha256[:2] / sha256


def _settle(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _move(part: Path, path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    if path.exists():
        os.utime(path)  # so that nothing deletes it as a left-over before its new row is there
    else:
        part.rename(path)


async def check(conn: Connection, case_id: int, actor: Actor) -> Case:
    """The case, if it takes evidence from this person.

    Raises:
        CaseUnknown: there is no such case.
        EvidenceRefusedError: it is over, or of other units.
    """
    case = await store.get(conn, case_id)
    if is_over(case.state):
        raise EvidenceRefusedError(f"Case {case.number} is {case.state} and takes no evidence.")
    units = {None, case.unit, *case.helpers, *case.asked}
    if actor.unit not in units:
        raise EvidenceRefusedError(f"Case {case.number} is not with {actor.unit}.")
    return case


async def add(
    tx: Connection,
    case_id: int,
    content: Content,
    *,
    name: str,
    media_type: str,
    actor: Actor,
    now: datetime,
    sort: Sort = Sort.HANDLING,
) -> Evidence:
    """Make stored content evidence of a case; raises as `check`."""
    case = await check(tx, case_id, actor)
    path = f"{content.sha256[:2]}/{content.sha256}"
    row = await tx.fetchrow(
        _ADD,
        case_id,
        name,
        media_type,
        content.sha256,
        content.size,
        path,
        actor.name,
        actor.unit,
        now,
        sort,
    )
    assert row is not None  # noqa: S101 - an INSERT returns its row
    piece = _piece(row)
    body = {
        "number": case.number,
        "evidence": [{"id": piece.id, "sha256": piece.sha256}],
        "sort": piece.sort,
        "media_type": media_type,
        "size": piece.size,
    }
    await journal.write(
        tx, at=now, actor=actor.name, event=Event.CASE_EVIDENCE_ADDED, case_id=case_id, body=body
    )
    return piece


async def of_case(conn: Connection, case_id: int) -> tuple[Evidence, ...]:
    """Every piece of a case, oldest first."""
    return tuple(map(_piece, await conn.fetch(_OF_CASE, case_id)))


async def one(conn: Connection, case_id: int, evidence_id: int) -> Evidence:
    """One piece; raises EvidenceUnknownError."""
    row = await conn.fetchrow(_ONE, case_id, evidence_id)
    if row is None:
        raise EvidenceUnknownError("There is no such evidence of this case.")
    return _piece(row)


def _piece(row: asyncpg.Record) -> Evidence:
    return Evidence(**{**dict(row), "sort": Sort(row["sort"])})


async def file_of(folder: Path, piece: Kept) -> Path:
    """Where the content of a piece lies; raises EvidenceUnknownError where it is gone."""
    path = folder / piece.path
    if not await asyncio.to_thread(path.is_file):
        raise EvidenceUnknownError(f"The file of the evidence {piece.id} is gone from the store.")
    return path
