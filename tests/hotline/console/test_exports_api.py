"""Lists as files: whole, marked with who took them, masked, written down, and without reports."""

import asyncio
import csv
import io
import json
from datetime import timedelta
from typing import Any

import openpyxl
import pytest

from hotline.console import exporting
from hotline.console.exporting import CUT, ROWS
from hotline.database import Pool, transaction
from hotline.protection_rows import mark
from hotline.services import Services
from routing.cases import Move, Role
from telephony.calls import Leg
from tests.hotline.console.conftest import NOW, Clock, Site
from tests.hotline.console.filled import Said, Town
from tests.hotline.console.staff import CITY_LIGHTS, Staff, hire

SAID = (Said(leg=Leg.CALLER, start=1.0, text="涪城区临园路的路灯坏了"),)
CONFIRMED = {"kind": "help", "urgency": "normal", "level1": "城乡建设", "area": "涪城区"}
NUMBER = "13890115678"


@pytest.fixture
async def staff(site: Site, services: Services) -> Staff:
    await hire(services, "boss", Role.ADMINISTRATOR)
    await hire(services, "super", Role.SUPERVISOR)
    await hire(services, "judge", Role.DISCIPLINE)
    await hire(services, "an", Role.UNIT)
    return Staff(services=services, site=site)


async def dispatched(town: Town, count: int) -> list[int]:
    """Cases of the unit for street lights, oldest first."""
    found = []
    for minutes in range(count, 0, -1):
        at = NOW - timedelta(minutes=10 * minutes)
        call_id = await town.is_talked(at, SAID, number=NUMBER, name="张三丰")
        summary = f"=路灯坏了，请回{NUMBER}"
        await town.moves(call_id, Move.OPEN, at, **CONFIRMED, summary=summary)
        if minutes % 2:
            await town.moves(call_id, Move.DISPATCH, at, unit=CITY_LIGHTS)
        found.append(await town.case_of(call_id))
    return found


async def taken(staff: Staff, login: str, path: str) -> tuple[Any, bytes]:
    visitor = await staff.visitor(login)
    async with visitor.get(path) as answer:
        assert answer.status == 200, await answer.text()
        return answer.headers, await answer.read()


def lines(body: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(body.decode("utf-8-sig"))))


async def test_a_list_of_cases_is_whole_marked_masked_and_written_down(
    staff: Staff, town: Town, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "_CHUNK", 2)
    cases = await dispatched(town, 5)
    headers, body = await taken(staff, "super", "/api/exports/cases?state=dispatched")
    (mark_of, *_), columns, *rows = lines(body)
    assert "super 于 2026-11-23 10:30:00 导出，共 3 条；筛选：状态: 已派单" in mark_of
    assert (headers[ROWS], headers[CUT]) == ("3", "false")
    assert headers["Content-Disposition"].endswith("cases-20261123-103000-super.csv")
    first = dict(zip(columns, rows[0], strict=True))
    assert first["承办单位"] == CITY_LIGHTS
    assert first["状态"] == "已派单"
    assert first["诉求摘要"] == "'=路灯坏了，请回138****5678"  # no formula, no number
    assert {row[-1] for row in rows} == {"super 2026-11-23 10:30:00"}
    assert NUMBER.encode() not in body
    numbers = await pool.fetch(
        "SELECT number FROM cases WHERE id = ANY ($1) AND state = 'dispatched' ORDER BY id DESC",
        cases,
    )
    assert [row[0] for row in rows] == [it["number"] for it in numbers]
    (kept,) = await pool.fetch("SELECT actor, body FROM journal WHERE event = 'export.taken'")
    assert (kept["actor"], json.loads(kept["body"])) == (
        "super",
        {
            "list": "cases",
            "file": "cases-20261123-103000-super.csv",
            "rows": 3,
            "filter": "状态: 已派单",
        },
    )
    _, due = await taken(staff, "super", "/api/exports/cases?due=true&language=en")
    assert len(lines(due)) == 2 + 5
    since = (NOW - timedelta(minutes=25)).isoformat().replace("+", "%2B")
    _, late = await taken(staff, "super", f"/api/exports/cases?since={since}")
    assert len(lines(late)) == 2 + 2
    _, found = await taken(staff, "super", "/api/exports/cases?search=路灯")
    assert len(lines(found)) == 2 + 5


async def test_a_workbook_holds_what_the_text_file_holds(staff: Staff, town: Town) -> None:
    await dispatched(town, 3)
    _, text = await taken(staff, "super", "/api/exports/calls")
    headers, body = await taken(staff, "super", "/api/exports/calls?format=xlsx")
    assert headers["Content-Type"].endswith("spreadsheetml.sheet")
    sheet = openpyxl.load_workbook(io.BytesIO(body)).active
    assert sheet is not None
    head, columns, *rows = lines(text)
    assert sheet.cell(1, 1).value == head[0]
    assert sheet.oddFooter.left.text.startswith("来电清单：super 于")
    told = [
        ["" if it is None else str(it) for it in row]
        for row in sheet.iter_rows(2, None, None, None, values_only=True)
    ]
    assert told == [columns, *rows]
    assert [row[4] for row in rows] == ["138****5678"] * 3
    assert [row[5] for row in rows] == ["张**"] * 3


async def test_more_than_the_limit_is_told_and_a_unit_takes_its_own(
    staff: Staff, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    await dispatched(town, 5)
    _, own = await taken(staff, "an", "/api/exports/cases")
    assert len(lines(own)) == 2 + 3
    monkeypatch.setattr("hotline.console.exports_api.MOST", 2)
    monkeypatch.setattr(exporting, "MOST", 2)
    headers, body = await taken(staff, "super", "/api/exports/cases")
    (mark_of, *_), _, *rows = lines(body)
    assert (headers[ROWS], headers[CUT], len(rows)) == ("2", "true", 2)
    assert "只含最前 2 条" in mark_of


async def test_a_report_against_officials_is_in_no_file_whoever_takes_it(
    staff: Staff, town: Town, pool: Pool
) -> None:
    first, second = await dispatched(town, 2)
    async with transaction(pool) as tx:
        await mark(tx, first, office=False, by="judge", now=NOW, handed=True)
    number = await pool.fetchval("SELECT number FROM cases WHERE id = $1", first)
    for name, count in (("cases", 1), ("calls", 1), ("journal", None), ("supervision", 0)):
        headers, body = await taken(staff, "judge", f"/api/exports/{name}")
        rows = lines(body)[2:]
        assert number.encode() not in body, name
        assert len(rows) == int(headers[ROWS]), name
        assert count is None or len(rows) == count, name
        if name == "journal":
            assert str(second) in {row[4] for row in rows}
            assert str(first) not in {row[4] for row in rows}


async def test_the_boards_and_figures_are_taken_by_whom_they_are_for(
    staff: Staff, town: Town
) -> None:
    await dispatched(town, 2)
    day = NOW.replace(hour=0, minute=0)
    span = f"since={day:%Y-%m-%dT00:00:00Z}&until={day + timedelta(days=1):%Y-%m-%dT00:00:00Z}"
    for path in ("supervision?live=true", "roster", "staffing?days=2", f"sheets?{span}"):
        headers, body = await taken(staff, "super", f"/api/exports/{path}")
        assert len(lines(body)) == 2 + int(headers[ROWS]), path
    sheets = lines((await taken(staff, "super", f"/api/exports/sheets?{span}"))[1])
    assert sheets[2][1] == "2"


async def test_so_many_at_once_and_whoever_leaves_makes_room(
    staff: Staff, town: Town, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    await dispatched(town, 1)
    gate, going = asyncio.Event(), asyncio.Event()

    async def held(*_: object, **__: object) -> int:
        going.set()
        await gate.wait()
        return 0

    monkeypatch.setattr(exporting, "AT_ONCE", 1)
    monkeypatch.setattr("hotline.case_rows.counted", held)
    waiting = asyncio.create_task(taken(staff, "super", "/api/exports/cases"))
    await going.wait()
    visitor = await staff.visitor("super")
    async with visitor.get("/api/exports/calls") as answer:
        assert answer.status == 503
        assert (await answer.json())["type"] == "too_many_readers"
    gate.set()
    await waiting
    assert (await taken(staff, "super", "/api/exports/calls"))[0][ROWS] == "1"
    assert clock() == NOW
