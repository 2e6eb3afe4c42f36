"""Cases, calls and the journal as files; see exporting.py for what every file has in common."""

import json
from collections.abc import AsyncIterator
from datetime import datetime
from typing import LiteralString

from aiohttp import web
from pydantic import AwareDatetime, Field

from hotline import case_rows
from hotline.case_rows import Taken
from hotline.console import calls_api, exports_boards
from hotline.console.case_shapes import SEARCH, CaseNarrowing, SearchText
from hotline.console.cases_api import sought_by, wanted_cases
from hotline.console.desk import Request
from hotline.console.endpoint import get
from hotline.console.exporting import (
    MEDIA_OF_LISTS,
    MOST,
    List,
    Taking,
    joined,
    moment,
    protected,
    seconds,
    send,
    snapshot,
    word,
)
from hotline.console.people_api import entry_of
from hotline.console.problems import Fault
from hotline.console.shapes import Id, Name
from hotline.console.sight import named_in, without, without_reports
from hotline.console.who import EXPORTERS, RECORD_EXPORTERS, UNITS
from hotline.database import Connection
from hotline.drawing.lists import Row
from hotline.masking import mask_text
from routing.cases import Case
from telephony.calls import CallKind, Direction, Outcome

_AHEAD = 500
_COUNT: LiteralString = "SELECT count(*) FROM ("
_COUNTED: LiteralString = ") AS counted"


# --- cases -----------------------------------------------------------------------------------
class CasesTaken(Taking, CaseNarrowing):
    """Which cases, newest first, or (live ones only) those due first."""

    search: SearchText | None = Field(default=None, description=SEARCH)
    due: bool = Field(default=False, description="Live cases only, those due first before all.")


_CASE = (
    *("number", "drafted_at", "channel", "line", "kind", "urgency", "level1", "area", "summary"),
    *("state", "unit", "helpers", "owner", "opened_at", "dispatched_at", "signed_at"),
    *("answered_at", "closed_at", "due_at", "standing", "solved", "satisfied", "outcome"),
)


async def export_cases(asked: Request) -> web.StreamResponse:
    """The cases of a list as a file; a unit's people take those that they see."""
    query = asked.asked(CasesTaken)
    taken = Taken(due=query.due, search=sought_by(asked, query.search) if query.search else None)
    async with snapshot(asked) as conn:
        wanted = await wanted_cases(asked, conn, query, besides=await protected(conn))
        total = await case_rows.counted(conn, wanted, MOST + 1, taken)
        found = case_rows.streamed(conn, wanted, MOST, taken)
        rows = _cases(asked, found, query)
        return await send(asked, query, List(name="cases", columns=_CASE, total=total, rows=rows))


async def _cases(
    asked: Request, found: AsyncIterator[Case], query: CasesTaken
) -> AsyncIterator[Row]:
    limits, now, says = asked.services.limits, asked.services.clock(), query.language
    async for case in found:
        due_at = case.due_at or limits.due_at(case)
        standing = limits.standing(case, now)
        yield (
            *(case.number, moment(case.drafted_at), word("channel", case.channel, says)),
            *(word("line", case.line, says), word("kind", case.kind, says)),
            *(word("urgency", case.urgency, says), case.level1, case.area),
            *(mask_text(case.summary or ""), word("state", case.state, says), case.unit),
            *(joined(case.helpers), case.owner, moment(case.opened_at)),
            *(moment(case.dispatched_at), moment(case.signed_at), moment(case.answered_at)),
            *(moment(case.closed_at), moment(due_at), word("standing", standing, says)),
            *(word("solved", case.solved, says), word("satisfied", case.satisfied, says)),
            word("outcome", case.outcome, says),
        )


# --- calls -----------------------------------------------------------------------------------
class CallsTaken(Taking):
    """Which calls, newest first."""

    line: Name | None = None
    outcome: Outcome | None = None
    direction: Direction | None = None
    live: bool = False
    since: AwareDatetime | None = Field(default=None, description="Begun from then on.")
    until: AwareDatetime | None = Field(default=None, description="Begun before then.")


_CALL = (
    *("id", "started_at", "direction", "line", "other_side", "name", "operator", "badge"),
    *("outcome", "wait_seconds", "talk_seconds", "case"),
)
_OF_CALLS: LiteralString = "SELECT c.id FROM calls c"
_CALLS: LiteralString = """
     WHERE ($1::text IS NULL OR c.line = $1)
       AND ($2::text IS NULL OR c.outcome = $2)
       AND (NOT $3::boolean OR c.ended_at IS NULL)
       AND ($4::text IS NULL OR c.direction = $4)
       AND ($5::timestamptz IS NULL OR c.started_at >= $5)
       AND ($6::timestamptz IS NULL OR c.started_at < $6)
       AND c.kind = $7
       AND NOT EXISTS (SELECT FROM cases k WHERE k.call_id = c.id AND k.id = ANY ($8))
     ORDER BY c.id DESC LIMIT $9"""
_COUNT_CALLS: LiteralString = _COUNT + _OF_CALLS + _CALLS + _COUNTED
_TAKE_CALLS: LiteralString = calls_api.CALLS + _CALLS


async def export_calls(asked: Request) -> web.StreamResponse:
    """The calls of a list as a file; both sides are masked."""
    query = asked.asked(CallsTaken)
    narrowed = (query.line, query.outcome, query.live, query.direction, query.since, query.until)
    async with snapshot(asked) as conn:
        values = (*narrowed, CallKind.CITIZEN, list(await protected(conn)))
        total = await conn.fetchval(_COUNT_CALLS, *values, MOST + 1)
        rows = _calls(conn, values, query)
        return await send(asked, query, List(name="calls", columns=_CALL, total=total, rows=rows))


async def _calls(
    conn: Connection, values: tuple[object, ...], query: CallsTaken
) -> AsyncIterator[Row]:
    says = query.language
    async for row in conn.cursor(_TAKE_CALLS, *values, MOST, prefetch=_AHEAD):
        call = calls_api.view(row)
        other = call["caller"] if call["direction"] == Direction.INCOMING else call["callee"]
        yield (
            *(call["id"], moment(call["started_at"]), word("direction", call["direction"], says)),
            *(word("line", call["line"] or None, says), other, call["name"]),
            *(call["operator"], call["badge"], word("outcome", call["outcome"], says)),
            *(seconds(call["wait_seconds"]), seconds(call["talk_seconds"])),
            call["case"].number if call["case"] else None,
        )


# --- the journal -----------------------------------------------------------------------------
class JournalTaken(Taking):
    """Which rows, newest first."""

    call_id: Id | None = None
    case_id: Id | None = None
    since: AwareDatetime | None = Field(default=None, description="From then on.")
    until: AwareDatetime | None = Field(default=None, description="Before then.")


_ENTRY = ("id", "at", "event", "actor", "case_id", "call_id", "body")
_ENTRIES: LiteralString = """
      FROM journal j
     WHERE NOT starts_with(event, 'seen.')
       AND ($1::bigint IS NULL OR call_id = $1)
       AND ($2::bigint IS NULL OR case_id = $2)
       AND ($3::timestamptz IS NULL OR at >= $3)
       AND ($4::timestamptz IS NULL OR at < $4)
       AND ($5::boolean OR (case_id IS NULL AND call_id IS NULL))
       AND ($6::boolean OR NOT starts_with(event, 'fault.'))
       AND (case_id IS NULL OR case_id <> ALL ($7::bigint[]))
       AND (call_id IS NULL
            OR NOT EXISTS (SELECT FROM cases k WHERE k.call_id = j.call_id AND k.id = ANY ($7)))
     ORDER BY id DESC LIMIT $8"""
_COUNT_ENTRIES: LiteralString = _COUNT + "SELECT id" + _ENTRIES + _COUNTED
_TAKE_ENTRIES: LiteralString = "SELECT id, at, actor, event, call_id, case_id, body" + _ENTRIES


async def export_journal(asked: Request) -> web.StreamResponse:
    """The journal as a file, as far as it may be seen."""
    query, sight = asked.asked(JournalTaken), without_reports(asked.who)
    narrowed = (query.call_id, query.case_id, query.since, query.until)
    async with snapshot(asked) as conn:
        hidden = list(await protected(conn))
        values = (*narrowed, sight.everything, sight.faults, hidden)
        total = await conn.fetchval(_COUNT_ENTRIES, *values, MOST + 1)
        rows = _entries(asked, conn, values, query)
        listed = List(name="journal", columns=_ENTRY, total=total, rows=rows)
        return await send(asked, query, listed)


async def _entries(
    asked: Request, conn: Connection, values: tuple[object, ...], query: JournalTaken
) -> AsyncIterator[Row]:
    sight, hidden = without_reports(asked.who), frozenset(await protected(conn))
    cursor = await conn.cursor(_TAKE_ENTRIES, *values, MOST)
    while chunk := await cursor.fetch(_AHEAD):
        for it in await sight.shown(conn, [entry_of(row) for row in chunk]):
            body = without(it.body, frozenset(named_in(it.body)) - hidden)
            told = json.dumps(body, ensure_ascii=False) if body else None
            event = word("event", it.event, query.language)
            yield it.id, _exactly(it.at), event, it.actor, it.case_id, it.call_id, told


def _exactly(at: datetime) -> str:
    """With milliseconds: of a journal the order within a second counts."""
    return f"{moment(at)}.{at.microsecond // 1000:03d}"


_FULL = (Fault.TOO_MANY_READERS,)
ENDPOINTS = (
    get(
        "/api/exports/cases",
        export_cases,
        None,
        media=MEDIA_OF_LISTS,
        query=CasesTaken,
        faults=_FULL,
        roles=EXPORTERS | UNITS,
    ),
    get(
        "/api/exports/calls",
        export_calls,
        None,
        media=MEDIA_OF_LISTS,
        query=CallsTaken,
        faults=_FULL,
        roles=EXPORTERS,
    ),
    get(
        "/api/exports/journal",
        export_journal,
        None,
        media=MEDIA_OF_LISTS,
        query=JournalTaken,
        faults=_FULL,
        roles=RECORD_EXPORTERS,
    ),
    *exports_boards.ENDPOINTS,
)
