"""Reports and the league table by their addresses: one set of figures, nothing protected."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from hotline import reports
from hotline.database import Pool, borrowed, transaction
from hotline.protection_rows import mark
from hotline.reports import lines_of
from hotline.services import Services
from metrics.indicators.every import INDICATORS
from metrics.indicators.store import figures
from metrics.reports.document import Kind, period_of
from routing.cases import Move, Role
from tests.hotline.command_line import typist
from tests.hotline.console.conftest import Clock, Site
from tests.hotline.console.filled import Town
from tests.hotline.console.staff import CITY_LIGHTS, WATER, Staff, hire
from tests.hotline.console.test_absences_api import CONFIRMED, SAID, ask

BEGAN = datetime(2026, 11, 3, 2, 0, tzinfo=UTC)
LATER = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)
MONTH = "2026-11-01"
REPORT = f"/api/reports?kind=monthly&day={MONTH}"


@pytest.fixture
async def staff(site: Site, services: Services) -> Staff:
    await hire(services, "boss", Role.ADMINISTRATOR)
    await hire(services, "an", Role.UNIT)
    await hire(services, "water", Role.UNIT, unit=WATER)
    await hire(services, "super", Role.SUPERVISOR)
    await hire(services, "chief", Role.LEADER)
    return Staff(services=services, site=site)


async def sent(town: Town, number: int) -> int:
    """A call whose case goes to the unit for street lights; returns the case."""
    at = BEGAN + timedelta(hours=number)
    call_id = await town.is_talked(at, SAID, number=f"139{number:08d}")
    await town.moves(call_id, Move.OPEN, at + timedelta(minutes=5), **CONFIRMED)
    await town.moves(call_id, Move.DISPATCH, at + timedelta(minutes=6), unit=CITY_LIGHTS)
    return await town.case_of(call_id)


def table(report: Any, key: str) -> list[list[Any]]:
    (found,) = [it for it in report["tables"] if it["key"] == key]
    return [[cell["value"] for cell in row] for row in found["rows"]]


async def test_a_month_is_told_by_the_indicators_and_names_units_and_topics(
    staff: Staff, town: Town, clock: Clock, services: Services, pool: Pool
) -> None:
    for number in range(3):
        await sent(town, number)
    visitor = await staff.visitor("super")
    status, said = await ask(visitor, "GET", REPORT)
    assert (status, said["type"]) == (409, "not_possible")  # November is not over
    clock.at = LATER
    status, report = await ask(await staff.visitor("super"), "GET", REPORT)
    assert status == 200
    scope = reports.scope_of(period_of(Kind.MONTHLY, BEGAN.date()), lines_of(services.config))
    async with borrowed(pool) as conn:
        known = await figures(conn, scope, INDICATORS)
    told = {row[0]: row[1:4] for row in table(report, "indicators")}
    for it in INDICATORS:
        found = known[it.key]
        assert told[it.name.zh] == [found.value, found.numerator, found.denominator], it.key
    assert table(report, "units")[0][:2] == [CITY_LIGHTS, 3]
    assert table(report, "topics") == [["城乡建设", 3, 0, 3, None]]
    assert table(report, "left_out")[0][0] == CITY_LIGHTS  # fewer than ten


async def test_hot_spots_tell_when_in_the_week_and_what_where(
    staff: Staff, town: Town, pool: Pool
) -> None:
    for number in range(3):
        await sent(town, number)
    await pool.execute("UPDATE cases SET area = '涪城区'")
    visitor = await staff.visitor("super")
    path = "/api/hot-spots?first=2026-11-{:02}&last=2026-11-{:02}"
    _, told = await ask(visitor, "GET", path.format(3, 3))
    begun = [{"weekday": 2, "hour": hour, "cases": 1} for hour in (10, 11, 12)]  # in the city
    here = {"level1": "城乡建设", "area": "涪城区", "cases": 3}
    assert told == {"hours": begun, "places": [here]}
    assert (await ask(visitor, "GET", path.format(4, 5)))[1] == {"hours": [], "places": []}
    _, other = await ask(visitor, "GET", path.format(3, 3) + "&line=duty")
    assert other["hours"] == []
    assert (await ask(visitor, "GET", path.format(5, 4)))[0] == 422


async def test_a_protected_case_is_in_no_report(staff: Staff, town: Town, clock: Clock) -> None:
    await sent(town, 0)
    secret = await sent(town, 1)
    async with transaction(staff.services.pool) as tx:
        await mark(tx, secret, office=False, by="desk", now=BEGAN, handed=False)
    clock.at = LATER
    _, report = await ask(await staff.visitor("super"), "GET", REPORT)
    assert table(report, "units")[0][:2] == [CITY_LIGHTS, 1]
    assert table(report, "topics") == [["城乡建设", 1, 0, 1, None]]


async def test_a_file_names_who_took_it_and_leaves_a_row(
    staff: Staff, clock: Clock, pool: Pool
) -> None:
    clock.at = LATER
    visitor = await staff.visitor("chief")
    for shape, media, first in (
        ("pdf", "application/pdf", b"%PDF-"),
        ("xlsx", "application/vnd.openxml", b"PK"),
        ("json", "application/json", b"{"),
        ("html", "text/html", b"<!doctype"),
    ):
        path = f"/api/reports/file?kind=daily&day=2026-11-30&format={shape}"
        async with visitor.get(path) as answer:
            body = await answer.read()
            assert (answer.status, body[: len(first)]) == (200, first)
            assert answer.headers["Content-Type"].startswith(media)
            policy = answer.headers["Content-Security-Policy"]
            assert ("sha256-" in policy) is (shape == "html")
            assert answer.headers["Cache-Control"] == "no-store"
            if shape == "html":
                assert "chief 于 2026-12-01 10:00:00 导出" in body.decode()
    rows = await pool.fetch("SELECT actor, body FROM journal WHERE event = 'report.taken'")
    assert [row["actor"] for row in rows] == ["chief"] * 4
    assert json.loads(rows[0]["body"])["file"] == "daily-2026-11-30.pdf"


async def test_a_frozen_month_stays_and_a_granted_appeal_makes_the_next_version(
    staff: Staff, town: Town, clock: Clock, pool: Pool
) -> None:
    cases = [await sent(town, number) for number in range(11)]
    clock.at = LATER
    chief, an, water = [await staff.visitor(name) for name in ("chief", "an", "water")]
    status, first = await ask(chief, "POST", "/api/league/freeze", {"month": MONTH})
    assert (status, first["version"], first["rules"]) == (200, 1, "default/1")
    _, again = await ask(chief, "POST", "/api/league/freeze", {"month": MONTH})
    assert (again["version"], again["sha256"]) == (2, first["sha256"])  # same data, same score
    asked = {
        "month": MONTH,
        "indicator": "contacted",
        "case_id": cases[0],
        "reason": "caller_unreachable",
    }
    assert (await ask(water, "POST", "/api/league/appeals", asked))[0] == 404
    status, told = await ask(an, "POST", "/api/league/appeals", asked)
    assert (status, told["appeals"][0]["granted"]) == (200, None)
    assert (await ask(an, "POST", "/api/league/appeals", asked))[0] == 409
    assert (await ask(an, "POST", "/api/league/appeals", asked | {"indicator": "x"}))[0] == 422
    of_water = await ask(water, "GET", f"/api/league/appeals?month={MONTH}")
    assert of_water[1]["appeals"] == []
    path = f"/api/league/appeals/{told['appeals'][0]['id']}/decide"
    assert (await ask(chief, "POST", path, {"granted": True}))[1]["appeals"][0]["granted"] is True
    assert (await ask(chief, "POST", path, {"granted": False}))[0] == 409
    _, third = await ask(chief, "POST", "/api/league/freeze", {"month": MONTH})

    def contacted(frozen: Any) -> list[int]:
        (place,) = frozen["content"]["places"]
        (part,) = [it for it in place["parts"] if it["key"] == "contacted"]
        return [part["numerator"], part["denominator"], part["granted"]]

    top, bottom, _ = contacted(first)
    assert contacted(third) == [top, bottom - 1, 1]
    _, kept = await ask(an, "GET", f"/api/league?month={MONTH}&version=1")
    assert kept == first
    with pytest.raises(asyncpg.RaiseError):
        await pool.execute("UPDATE league_snapshots SET sha256 = ''")
    events = await pool.fetch("SELECT event FROM journal WHERE event LIKE 'league.%' ORDER BY id")
    assert [row["event"].removeprefix("league.") for row in events] == [
        "frozen",
        "frozen",
        "appealed",
        "appeal_decided",
        "frozen",
    ]


def test_the_command_writes_a_file_and_refuses_what_is_not_over(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    database: str,
) -> None:
    toml = tmp_path / "hotline.toml"
    toml.write_text(f'language = "en"\ndatabase_dsn = "{database}"\n', encoding="utf-8")
    run = typist(monkeypatch, capfd, toml)
    out = tmp_path / "week.xlsx"
    status, said = run("report", "weekly", "--format", "xlsx", "--out", out)
    assert (status, out.read_bytes()[:2]) == (0, b"PK"), said
    status, said = run("report", "monthly", "--day", "2999-01-01")
    assert (status, "after its last day is over" in said) == (1, True)
    sheets = tmp_path / "people.pdf"
    status, said = run("report", "operators", "--format", "pdf", "--out", sheets)
    assert status == 0, said
    assert sheets.read_bytes()[:5] == b"%PDF-"
    status, said = run("staffing", "--out", tmp_path / "seats.doc")
    assert status != 0
    status, said = run("staffing", "--out", tmp_path / "seats.xlsx")
    assert (status, (tmp_path / "seats.xlsx").read_bytes()[:2]) == (0, b"PK"), said
    status, said = run("report", "freeze", "2026-01")
    assert (status, "version 1" in said) == (0, True), said
