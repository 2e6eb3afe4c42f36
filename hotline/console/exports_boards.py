"""Boards and figures as files: supervision records, the roster, the staffing forecast, sheets."""

from collections.abc import AsyncIterator, Sequence

from aiohttp import web

from hotline import supervision_lists
from hotline.console.desk import Request
from hotline.console.duty_roster_api import RosterQuery, show_roster
from hotline.console.endpoint import get
from hotline.console.exporting import (
    MEDIA_OF_LISTS,
    MOST,
    List,
    Taking,
    moment,
    protected,
    seconds,
    send,
    snapshot,
    word,
)
from hotline.console.problems import Fault
from hotline.console.shapes import Name
from hotline.console.staffing_api import (
    SheetsQuery,
    StaffingQuery,
    operator_sheets,
    staffing_forecast,
)
from hotline.console.supervision_api import views
from hotline.console.who import DUTY, OVERSEERS, SUPERVISION_EXPORTERS
from hotline.database import Connection
from hotline.drawing.lists import Row
from hotline.supervision_lists import Wanted
from routing.supervision_rules import Level

_PAGE = 500


# --- supervision records ---------------------------------------------------------------------
class SupervisionTaken(Taking):
    """Which records, newest first."""

    level: Level | None = None
    unit: Name | None = None
    live: bool | None = None
    over: bool = False


_RECORD = (
    *("id", "level", "trigger", "type", "number", "unit", "state", "since", "opened_at", "due_at"),
    *("noticed_at", "answered_at", "cleared_at", "basis"),
)


async def export_supervision(asked: Request) -> web.StreamResponse:
    """Supervision records as a file, with the case's number, the level and every time."""
    query = asked.asked(SupervisionTaken)
    async with snapshot(asked) as conn:
        wanted = Wanted(
            level=query.level,
            unit=query.unit,
            live=query.live,
            over=asked.services.clock() if query.over else None,
            besides=await protected(conn),
        )
        total = await supervision_lists.counted(conn, wanted, MOST + 1)
        rows = _records(conn, wanted, query)
        listed = List(name="supervision", columns=_RECORD, total=total, rows=rows)
        return await send(asked, query, listed)


async def _records(conn: Connection, wanted: Wanted, query: SupervisionTaken) -> AsyncIterator[Row]:
    says, before, given = query.language, None, 0
    while found := await supervision_lists.records(conn, wanted, before=before, limit=_PAGE):
        for one in await views(conn, found[: MOST - given]):
            yield (
                *(one.id, word("record_level", one.level, says)),
                *(word("record_trigger", one.trigger, says), word("item_type", one.type, says)),
                *(one.number, one.unit, word("record_state", one.state, says)),
                *(moment(one.since), moment(one.opened_at), moment(one.due_at)),
                *(moment(one.noticed_at), moment(one.answered_at), moment(one.cleared_at)),
                one.basis,
            )
        before, given = found[-1].id, given + len(found)
        if given >= MOST:
            return


# --- the roster, the forecast, the sheets: a few hundred rows at the most ----------------------
class RosterTaken(Taking, RosterQuery):
    """Which line and which time."""


class StaffingTaken(Taking, StaffingQuery):
    """As the forecast itself is asked for."""


class SheetsTaken(Taking, SheetsQuery):
    """Of what time."""


_SHIFT = ("line", "role", "operator", "starts_at", "ends_at", "entered_by")
_HOUR = (
    "day",
    "hour",
    "days",
    "calls",
    "most",
    "seats",
    "in_time",
    "seats_at_most",
    "seats_patient",
)
_SHEET = ("badge", "answered", "talk_seconds", "registered", "satisfied", "surveyed", "silent")


async def export_roster(asked: Request) -> web.StreamResponse:
    """The shifts of a time as a file."""
    query = asked.asked(RosterTaken)
    roster = await show_roster(asked)
    rows = [
        (
            *(word("line", one.line, query.language), word("duty_role", one.role, query.language)),
            *(one.operator, moment(one.starts_at), moment(one.ends_at), one.entered_by),
        )
        for one in roster.shifts
    ]
    return await _small(asked, query, "roster", _SHIFT, rows)


async def export_staffing(asked: Request) -> web.StreamResponse:
    """The forecast by the hour as a file: calls expected, and the seats that answer them."""
    found = await staffing_forecast(asked)
    rows = [
        (
            *(one.day.isoformat(), one.hour, one.days, round(one.calls, 2), one.most),
            *(one.needed.seats, round(one.needed.in_time, 4), one.at_most.seats),
            one.with_patience.seats if one.with_patience else None,
        )
        for one in found.hours
    ]
    return await _small(asked, asked.asked(StaffingTaken), "staffing", _HOUR, rows)


async def export_sheets(asked: Request) -> web.StreamResponse:
    """The operators' sheets of a time as a file: counts, no judgement and no rank."""
    found = await operator_sheets(asked)
    rows = [
        (
            *(one.operator, one.answered, seconds(one.talk_seconds), one.registered),
            *(one.satisfied, one.surveyed, one.silent),
        )
        for one in found.sheets
    ]
    return await _small(asked, asked.asked(SheetsTaken), "sheets", _SHEET, rows)


async def _small(
    asked: Request, taking: Taking, name: str, columns: tuple[str, ...], rows: Sequence[Row]
) -> web.StreamResponse:
    async def one_by_one() -> AsyncIterator[Row]:
        for row in rows:
            yield row

    listed = List(name=name, columns=columns, total=len(rows), rows=one_by_one())
    return await send(asked, taking, listed)


ENDPOINTS = (
    get(
        "/api/exports/supervision",
        export_supervision,
        None,
        media=MEDIA_OF_LISTS,
        query=SupervisionTaken,
        faults=(Fault.TOO_MANY_READERS,),
        roles=SUPERVISION_EXPORTERS,
    ),
    get(
        "/api/exports/roster",
        export_roster,
        None,
        media=MEDIA_OF_LISTS,
        query=RosterTaken,
        roles=DUTY,
    ),
    get(
        "/api/exports/staffing",
        export_staffing,
        None,
        media=MEDIA_OF_LISTS,
        query=StaffingTaken,
        faults=(Fault.NOT_POSSIBLE,),
        roles=DUTY,
    ),
    get(
        "/api/exports/sheets",
        export_sheets,
        None,
        media=MEDIA_OF_LISTS,
        query=SheetsTaken,
        roles=OVERSEERS,
    ),
)
