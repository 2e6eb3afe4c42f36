"""Supervision records: listed, counted, opened by hand, answered, raised, cleared with evidence."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from aiohttp import web

from hotline import evidence, journal, supervising, supervision_lists, supervision_texts, tracking
from hotline.console.desk import Request
from hotline.console.endpoint import Endpoint, get, post
from hotline.console.evidence_api import Brought, as_download, received
from hotline.console.keyed import KEY, made, made_before
from hotline.console.problems import Fault, ProblemError
from hotline.console.supervision_shapes import (
    Board,
    BoardLine,
    Clearance,
    NewSupervision,
    NoteView,
    PieceQuery,
    PieceView,
    Remark,
    Seen,
    SupervisionDetail,
    SupervisionQuery,
    Supervisions,
    SupervisionView,
)
from hotline.console.who import OVERSEERS, READERS
from hotline.database import Connection, borrowed, transaction
from hotline.errors import (
    EvidenceUnknownError,
    SupervisionChangedError,
    SupervisionUnknownError,
)
from hotline.journal import Event
from hotline.supervision_lists import Wanted
from hotline.supervision_texts import Of, Piece
from routing import store
from routing.errors import CaseUnknown, SupervisionRefused
from routing.supervision import Supervision

OF: Of = "supervision_id"
ANY = "application/octet-stream"


@contextmanager
def refusals() -> Iterator[None]:
    """Our errors as the API's refusals."""
    try:
        yield
    except (SupervisionUnknownError, EvidenceUnknownError, CaseUnknown) as error:
        raise ProblemError(Fault.NOT_FOUND, str(error)) from error
    except SupervisionChangedError as error:
        raise ProblemError(Fault.CONFLICT, str(error)) from error
    except SupervisionRefused as error:
        raise ProblemError(Fault.NOT_POSSIBLE, str(error)) from error


def own_unit(asked: Request) -> str | None:
    """The unit to which a person's records are narrowed; None for the hotline's own people."""
    if asked.sight.everything:
        return None
    return asked.sight.unit or ""


async def list_supervision(asked: Request) -> Supervisions:
    """One page of supervision records, newest first; a unit's people see their unit's."""
    query = asked.asked(SupervisionQuery)
    facts = query.model_dump(exclude={"before", "limit", "over"})
    over = asked.services.clock() if query.over else None
    wanted = Wanted(**facts, over=over, of_unit=own_unit(asked))
    async with borrowed(asked.services.pool) as conn:
        found = await supervision_lists.records(
            conn, wanted, before=query.before, limit=query.limit + 1
        )
        shown = await views(conn, found[: query.limit])
    more = shown[-1].id if len(found) > query.limit else None
    return Supervisions(records=tuple(shown), next=more)


async def supervision_board(asked: Request) -> Board:
    """How many records are live, by unit and level."""
    async with borrowed(asked.services.pool) as conn:
        lines = await supervision_lists.board(conn, asked.services.clock(), own_unit(asked))
    return Board(lines=tuple(BoardLine(**asdict(one)) for one in lines))


async def one_supervision(asked: Request) -> SupervisionDetail:
    """One record with its notes and evidence."""
    with refusals():
        async with borrowed(asked.services.pool) as conn:
            return await detail(asked, conn, await _seen(asked, conn))


async def open_supervision(asked: Request) -> SupervisionDetail:
    """Put a case or a tracked item under supervision by hand."""
    given = asked.asked(NewSupervision)
    if (given.case_id is None) == (given.tracked_id is None):
        raise ProblemError(Fault.INVALID, "case_id: name a case or a tracked item, one of them.")
    with refusals():
        async with transaction(asked.services.pool) as tx:
            record_id = await made_before(asked, tx, given)
            if record_id is None:
                record_id = (await _opened(asked, tx, given)).id
                await made(asked, tx, record_id)
        async with borrowed(asked.services.pool) as conn:
            return await detail(asked, conn, await supervising.found(conn, record_id))


async def _opened(asked: Request, tx: Connection, given: NewSupervision) -> Supervision:
    unit, person = None, None
    if given.case_id is not None:
        await asked.sight.check(tx, given.case_id)
        case = await store.get(tx, given.case_id)
        subject = supervising.of_case(case)
        unit, person = (case.unit if case.given_at else None), case.owner
    else:
        item = await tracking.found(tx, given.tracked_id or 0)
        subject, unit, person = tracking.subject_of(item), item.unit, item.person
    return await supervising.opened_by_hand(
        tx,
        subject,
        asked.actor(),
        asked.services.clock(),
        asked.services.limits,
        unit=unit,
        person=person,
        reason=given.reason,
    )


async def notice_supervision(asked: Request) -> SupervisionDetail:
    """The supervised side confirms that it has read the notice of this level."""
    with refusals():
        async with transaction(asked.services.pool) as tx:
            before = await _seen(asked, tx, asked.asked(Seen))
            now = asked.services.clock()
            after = await supervising.noticed(tx, before, asked.actor(), now)
            return await detail(asked, tx, after)


async def answer_supervision(asked: Request) -> SupervisionDetail:
    """The supervised side says what it did; until somebody clears it, the limit goes on."""
    given = asked.asked(Remark)
    with refusals():
        async with transaction(asked.services.pool) as tx:
            before = await _seen(asked, tx, given)
            now = asked.services.clock()
            after = await supervising.answered(tx, before, asked.actor(), now, given.text)
            return await detail(asked, tx, after)


async def progress_supervision(asked: Request) -> SupervisionDetail:
    """Note how it goes; nothing else changes."""
    given = asked.asked(Remark)
    with refusals():
        async with transaction(asked.services.pool) as tx:
            record = await _seen(asked, tx, given)
            now = asked.services.clock()
            await supervising.progressed(tx, record, asked.actor(), now, given.text)
            return await detail(asked, tx, record)


async def raise_supervision(asked: Request) -> SupervisionDetail:
    """Raise a record one level before its limit is over, for a reason."""
    given = asked.asked(Remark)
    with refusals():
        async with transaction(asked.services.pool) as tx:
            after = await supervising.raised_by_hand(
                tx,
                await _seen(asked, tx, given),
                asked.actor(),
                asked.services.clock(),
                asked.services.limits,
                reason=given.text,
            )
            return await detail(asked, tx, after)


async def clear_supervision(asked: Request) -> SupervisionDetail:
    """Clear a record with evidence; nobody clears what supervises him."""
    given = asked.asked(Clearance)
    with refusals():
        async with transaction(asked.services.pool) as tx:
            before = await _seen(asked, tx, given)
            named = await supervision_texts.named(
                tx,
                OF,
                before.id,
                own=given.evidence,
                case_id=before.case_id,
                of_case=given.case_evidence,
            )
            after = await supervising.cleared(
                tx,
                before,
                asked.actor(),
                asked.services.clock(),
                finding=given.finding,
                evidence=named,
            )
            return await detail(asked, tx, after)


async def add_supervision_evidence(asked: Request) -> PieceView:
    """Add a file as evidence to a record."""
    with refusals():
        async with borrowed(asked.services.pool) as conn:
            record = await _seen(asked, conn)
        return await add_piece(
            asked,
            OF,
            record.id,
            Event.SUPERVISION_EVIDENCE_ADDED,
            {"supervision": record.id},
            case_id=record.case_id,
        )


async def download_supervision_evidence(asked: Request) -> web.StreamResponse:
    """The file of one piece of a record's evidence, as a download."""
    with refusals():
        async with borrowed(asked.services.pool) as conn:
            record = await _seen(asked, conn)
        return await download_piece(asked, OF, record.id)


async def _seen(asked: Request, conn: Connection, seen: Seen | None = None) -> Supervision:
    """The record of the path, if this person may see it and saw this version."""
    record = await supervising.found(
        conn, asked.path_id("supervision_id"), seen.version if seen else None
    )
    unit = own_unit(asked)
    if unit is not None and record.unit != unit:
        raise SupervisionUnknownError("There is no such supervision record.")
    return record


async def add_piece(
    asked: Request,
    of: Of,
    record_id: int,
    event: Event,
    about: dict[str, Any],
    *,
    case_id: int | None = None,
) -> PieceView:
    """Keep the request's body as evidence of a record, with its journal row."""
    query, now, actor = asked.asked(PieceQuery), asked.services.clock(), asked.actor()
    content, media = await received(asked)
    given = Brought(name=query.name, media_type=media, sha256=content.sha256)
    async with transaction(asked.services.pool) as tx:
        if (before := await made_before(asked, tx, given)) is not None:
            return piece_view(await supervision_texts.piece(tx, of, record_id, before))
        piece = await supervision_texts.add_piece(
            tx, of, record_id, content, name=query.name, media_type=media, actor=actor, now=now
        )
        told = {"evidence": [{"id": piece.id, "sha256": piece.sha256}], "size": piece.size}
        await journal.write(
            tx, at=now, actor=actor.name, event=event, case_id=case_id, body={**about, **told}
        )
        await made(asked, tx, piece.id)
    return piece_view(piece)


async def download_piece(asked: Request, of: Of, record_id: int) -> web.StreamResponse:
    """One piece of a record's evidence; the look is a row of the journal."""
    wanted = asked.path_id("evidence_id")
    async with transaction(asked.services.pool) as tx:
        piece = await supervision_texts.piece(tx, of, record_id, wanted)
        path = await evidence.file_of(asked.services.config.evidence_dir, piece)
        await journal.write(
            tx,
            at=asked.services.clock(),
            actor=asked.who.name,
            event=Event.SEEN_EVIDENCE,
            body={"what": f"{of.removesuffix('_id')} {record_id}: {wanted}"},
        )
    return as_download(path, piece.media_type, piece.name)


async def views(conn: Connection, found: Sequence[Supervision]) -> list[SupervisionView]:
    """Records as the API shows them, with the numbers of their cases."""
    ids = [one.case_id for one in found if one.case_id is not None]
    numbers = await supervision_lists.numbers_of(conn, ids) if ids else {}
    return [SupervisionView(**_facts(one, numbers)) for one in found]


def _facts(record: Supervision, numbers: dict[int, str]) -> dict[str, Any]:
    facts = asdict(record)
    del facts["subject"], facts["occasion"]
    return {**facts, "number": numbers.get(record.case_id or 0)}


async def detail(asked: Request, conn: Connection, record: Supervision) -> SupervisionDetail:
    """One record as it stands."""
    cases = await supervision_lists.cases_of(conn, record.id)
    seen = await asked.sight.seen(conn, cases)
    ids = [record.case_id] if record.case_id is not None else []
    return SupervisionDetail(
        **_facts(record, await supervision_lists.numbers_of(conn, ids)),
        facts=await supervision_lists.facts_of(conn, record.id),
        cases=tuple(one for one in cases if one in seen),
        notes=await notes_of(conn, OF, record.id),
        evidence=await evidence_of(conn, OF, record.id),
    )


async def notes_of(conn: Connection, of: Of, record_id: int) -> tuple[NoteView, ...]:
    """What was written about a record."""
    found = await supervision_texts.notes(conn, of, record_id)
    return tuple(NoteView(**asdict(one)) for one in found)


async def evidence_of(conn: Connection, of: Of, record_id: int) -> tuple[PieceView, ...]:
    """The evidence of a record."""
    return tuple(piece_view(one) for one in await supervision_texts.pieces(conn, of, record_id))


def piece_view(piece: Piece) -> PieceView:
    """A piece of evidence without the place where it lies."""
    facts = asdict(piece)
    del facts["path"]
    return PieceView(**facts)


_ONE = "/api/supervision/{supervision_id}"
_GONE = (Fault.NOT_FOUND,)
_STEP = (Fault.NOT_FOUND, Fault.CONFLICT, Fault.NOT_POSSIBLE)
ENDPOINTS = (
    get("/api/supervision", list_supervision, Supervisions, query=SupervisionQuery, roles=READERS),
    post(
        "/api/supervision",
        open_supervision,
        NewSupervision,
        SupervisionDetail,
        faults=_STEP,
        headers=(KEY,),
        roles=OVERSEERS,
    ),
    get("/api/supervision/board", supervision_board, Board, roles=READERS),
    get(_ONE, one_supervision, SupervisionDetail, faults=_GONE, roles=READERS),
    *(
        post(f"{_ONE}/{name}", step, body, SupervisionDetail, faults=_STEP, roles=roles)
        for name, step, body, roles in (
            ("notice", notice_supervision, Seen, READERS),
            ("answer", answer_supervision, Remark, READERS),
            ("progress", progress_supervision, Remark, READERS),
            ("raise", raise_supervision, Remark, OVERSEERS),
            ("clear", clear_supervision, Clearance, OVERSEERS),
        )
    ),
    Endpoint(
        method="POST",
        path=f"{_ONE}/evidence",
        handler=add_supervision_evidence,
        query=PieceQuery,
        answers=PieceView,
        upload=ANY,
        headers=(KEY,),
        faults=(Fault.NOT_FOUND, Fault.NOT_POSSIBLE, Fault.CONFLICT),
        roles=READERS,
    ),
    get(
        f"{_ONE}/evidence/{{evidence_id}}",
        download_supervision_evidence,
        None,
        media=ANY,
        faults=_GONE,
        roles=READERS,
    ),
)
