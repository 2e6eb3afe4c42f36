"""A list taken away as a file: streamed, marked with who took it, and written down.

The rows come from a cursor over one snapshot, and go out as they come; no list is ever whole in
memory. How many rows come stands in the answer's head before the first of them, so a page can tell
how far it is; whoever closes the connection ends the reading. A file holds `MOST` rows at the most;
where there are more, its first line says so. Each row ends in who took it and when, so that a part
of a file tells it too.

What a file never holds: names and numbers in full (they are told one by one, for a reason, by
`/api/cases/{case_id}/reveal`), and protected cases, whoever asks (domain facts 0.3).
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any, Literal, LiteralString
from urllib.parse import quote

from aiohttp import web

from hotline import journal, sighted
from hotline.catalogue import Language, say
from hotline.console.desk import Request
from hotline.console.pages import page_messages
from hotline.console.problems import Fault, ProblemError
from hotline.console.shapes import Asked
from hotline.console.sight import without_reports
from hotline.console.stream import CANNOT_READ, PATIENCE
from hotline.database import Connection, borrowed, transaction
from hotline.drawing.lists import MEDIA, Cell, ListFormat, Row, Writer, writer
from hotline.journal import Event
from hotline.masking import mask_text
from routing.numbers import SHANGHAI

MOST = 100_000
MEDIA_OF_LISTS = "*/*"
AT_ONCE = 3
"""Files made at the same time: each holds a connection of the pool until its reader has it."""
_CHUNK = 500
ROWS, CUT = "X-Hotline-Rows", "X-Hotline-Cut"
_PROTECTED: LiteralString = "SELECT case_id FROM protections WHERE ended_at IS NULL"


class Taking(Asked):
    """In which format and language a list is wanted."""

    format: ListFormat = ListFormat.CSV
    language: Literal["zh", "en"] = "zh"


@dataclass(frozen=True, slots=True, kw_only=True)
class List:
    """What is taken: its name, its columns, how many rows there are, and the rows one by one."""

    name: str
    columns: tuple[str, ...]
    total: int
    rows: AsyncIterator[Row]


@asynccontextmanager
async def snapshot(asked: Request) -> AsyncIterator[Connection]:
    """A connection that shows one moment, for as long as a file takes; at most `AT_ONCE`."""
    running = asked.desk.exports
    if len(running) >= AT_ONCE:
        raise ProblemError(
            Fault.TOO_MANY_READERS, "Other lists are being exported: try again in a minute."
        )
    this, viewer = object(), without_reports(asked.who).viewer
    running.add(this)
    try:
        async with (
            borrowed(sighted.sighted(asked.desk.services.pool, viewer)) as conn,
            conn.transaction(isolation="repeatable_read", readonly=True),
        ):
            yield conn
    finally:
        running.discard(this)


async def protected(conn: Connection) -> tuple[int, ...]:
    """Protected cases that are still found: those that whoever asks took and has not handed on."""
    return tuple(row["case_id"] for row in await conn.fetch(_PROTECTED))


async def send(asked: Request, taking: Taking, listed: List) -> web.StreamResponse:
    """Write down who takes what, then send the file row by row."""
    now, language = asked.services.clock(), taking.language
    shown = min(listed.total, MOST)
    cut = listed.total > MOST
    narrowed = said_filter(taking)
    mark = say(
        "export.mark_cut" if cut else "export.mark",
        language,
        list=say(f"export.list.{listed.name}", language),
        person=asked.who.name,
        at=moment(now),
        filter=narrowed or say("export.everything", language),
        rows=shown,
    )
    file = (
        f"{listed.name}-{now.astimezone(SHANGHAI):%Y%m%d-%H%M%S}-{asked.who.name}.{taking.format}"
    )
    body = {"list": listed.name, "file": file, "rows": shown, "filter": mask_text(narrowed)}
    async with transaction(asked.services.pool) as tx:
        await journal.write(tx, at=now, actor=asked.who.name, event=Event.EXPORT_TAKEN, body=body)
    response = web.StreamResponse(headers=_headers(taking.format, file, shown, cut=cut))
    try:
        await response.prepare(asked.http)
        stamp = f"{asked.who.name} {moment(now)}"
        await _write(response, writer(taking.format, now), mark, _stamped(listed, stamp), language)
        await response.write_eof()
    except CANNOT_READ:
        # Cut off in the middle: the reader sees a broken transfer, never a file that looks whole.
        if asked.http.transport is not None:
            asked.http.transport.abort()
    return response


def _headers(shape: ListFormat, file: str, rows: int, *, cut: bool) -> dict[str, str]:
    return {
        "Content-Type": MEDIA[shape],
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file, safe='')}",
        ROWS: str(rows),
        CUT: "true" if cut else "false",
    }


def _stamped(listed: List, stamp: str) -> List:
    async def rows() -> AsyncIterator[Row]:
        async for row in listed.rows:
            yield (*row, stamp)

    return replace(listed, columns=(*listed.columns, "stamp"), rows=rows())


async def _write(
    response: web.StreamResponse, out: Writer, mark: str, listed: List, language: Language
) -> None:
    columns = [say(f"export.column.{one}", language) for one in listed.columns]
    await _send(response, out.begin(mark, columns))
    chunk: list[Row] = []
    async for row in listed.rows:
        chunk.append(row)
        if len(chunk) == _CHUNK:
            await _send(response, await asyncio.to_thread(out.rows, chunk))
            chunk = []
    await _send(response, await asyncio.to_thread(out.rows, chunk) + out.end())


async def _send(response: web.StreamResponse, data: bytes) -> None:
    async with asyncio.timeout(PATIENCE):
        await response.write(data)


# --- how values are written ------------------------------------------------------------------
_words = cache(page_messages)
_OWN = {"format", "language"}


def word(group: str, value: Any, language: Language) -> str:
    """A value of an enumeration as the page says it; one without a word stays as it is."""
    return "" if value is None else _words(language).get(f"{group}.{value}", str(value))


def moment(at: datetime | None) -> str:
    """A time as the city's clocks show it; empty where there is none."""
    return f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}" if at else ""


def said_filter(taking: Taking) -> str:
    """To what a list was narrowed, in words."""
    given = taking.model_dump(exclude=_OWN, exclude_defaults=True)
    language = taking.language
    parts = (
        f"{say(f'export.by.{name}', language)}: {_said(name, value, language)}"
        for name, value in given.items()
    )
    return "; ".join(parts)


def _said(name: str, value: Any, language: Language) -> str:
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, bool):
        return say("export.yes", language)
    return word(name, value, language)


def seconds(value: float | None) -> Cell:
    """Seconds in full."""
    return None if value is None else round(value)


def joined(values: Sequence[str]) -> str:
    """Several names in one cell."""
    return "、".join(values)
