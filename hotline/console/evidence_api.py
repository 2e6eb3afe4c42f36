"""Evidence of a case: the file itself as the body, its name in the query; downloads as a file."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

from aiohttp import web
from pydantic import BaseModel

from hotline import evidence
from hotline.console.case_shapes import EvidenceQuery, EvidenceView
from hotline.console.cases_api import evidence_view
from hotline.console.desk import Request
from hotline.console.endpoint import Endpoint, get
from hotline.console.keyed import KEY, made, made_before
from hotline.console.problems import Fault, ProblemError
from hotline.console.seen_api import note
from hotline.console.who import READERS
from hotline.database import borrowed, transaction
from hotline.errors import EvidenceRefusedError, EvidenceTooLargeError, EvidenceUnknownError
from hotline.evidence import Sort
from hotline.journal import Event
from routing.errors import CaseUnknown

_MEDIA = re.compile(r"[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,80}")
_ANY = "application/octet-stream"
CHUNK = 64 * 1024


class Brought(BaseModel):
    """A file that is brought, as a key remembers it."""

    name: str
    sort: Sort | None = None
    media_type: str
    sha256: str


async def add_evidence(asked: Request) -> EvidenceView:
    """Add a file as evidence; the same content is kept once, however often it comes."""
    case_id, query, actor = asked.path_id("case_id"), asked.asked(EvidenceQuery), asked.actor()
    try:
        async with borrowed(asked.services.pool) as conn:
            await asked.sight.check(conn, case_id)
            await evidence.check(conn, case_id, actor)
        content, media = await received(asked)
        given = Brought(**query.model_dump(), media_type=media, sha256=content.sha256)
        async with transaction(asked.services.pool) as tx:
            if (before := await made_before(asked, tx, given)) is not None:
                return evidence_view(await evidence.one(tx, case_id, before))
            piece = await evidence.add(
                tx,
                case_id,
                content,
                name=query.name,
                sort=query.sort,
                media_type=media,
                actor=actor,
                now=asked.services.clock(),
            )
            await made(asked, tx, piece.id)
    except CaseUnknown as error:
        raise ProblemError(Fault.NOT_FOUND, str(error)) from error
    except EvidenceUnknownError as error:
        raise ProblemError(Fault.NOT_FOUND, str(error)) from error
    except EvidenceRefusedError as error:
        raise ProblemError(Fault.NOT_POSSIBLE, str(error)) from error
    return evidence_view(piece)


async def received(asked: Request) -> tuple[evidence.Content, str]:
    """The request's body, kept in the evidence folder, with its media type."""
    config, media = asked.services.config, asked.http.content_type
    largest = config.evidence_mebibytes * 2**20
    if (asked.http.content_length or 0) > largest:
        raise ProblemError(Fault.TOO_LARGE, _too_large(config.evidence_mebibytes))
    try:
        content = await evidence.keep(config.evidence_dir, _chunks(asked.http), largest)
    except EvidenceTooLargeError as error:
        raise ProblemError(Fault.TOO_LARGE, _too_large(config.evidence_mebibytes)) from error
    except EvidenceRefusedError as error:
        raise ProblemError(Fault.NOT_POSSIBLE, str(error)) from error
    return content, media if _MEDIA.fullmatch(media) else _ANY


def _too_large(mebibytes: int) -> str:
    return f"Evidence has at most {mebibytes} MiB."


async def _chunks(http: web.Request) -> AsyncIterator[bytes]:
    async for chunk in http.content.iter_chunked(CHUNK):
        yield chunk


async def download_evidence(asked: Request) -> web.StreamResponse:
    """The file of one piece; always as a download, never shown by the browser itself."""
    case_id, evidence_id = asked.path_id("case_id"), asked.path_id("evidence_id")
    try:
        async with borrowed(asked.services.pool) as conn:
            await asked.sight.check(conn, case_id)
            piece = await evidence.one(conn, case_id, evidence_id)
        path = await evidence.file_of(asked.services.config.evidence_dir, piece)
    except EvidenceUnknownError as error:
        raise ProblemError(Fault.NOT_FOUND, str(error)) from error
    await note(asked, Event.SEEN_EVIDENCE, case_id=case_id, what=str(evidence_id))
    return as_download(path, piece.media_type, piece.name)


def as_download(path: Path, media_type: str, name: str) -> web.FileResponse:
    """A file that the browser keeps and never shows by itself."""
    return web.FileResponse(
        path,
        headers={
            "Content-Type": media_type,
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        },
    )


ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/api/cases/{case_id}/evidence",
        handler=add_evidence,
        query=EvidenceQuery,
        answers=EvidenceView,
        upload=_ANY,
        headers=(KEY,),
        faults=(Fault.NOT_FOUND, Fault.NOT_POSSIBLE, Fault.CONFLICT),
        roles=READERS,
    ),
    get(
        "/api/cases/{case_id}/evidence/{evidence_id}",
        download_evidence,
        None,
        media=_ANY,
        faults=(Fault.NOT_FOUND,),
        roles=READERS,
    ),
)
