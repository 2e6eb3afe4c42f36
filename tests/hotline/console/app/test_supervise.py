"""Supervision in the app: the board, records opened by hand, raised, cleared with evidence."""

import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from aiohttp import ClientSession

from hotline.services import Services
from routing.cases import Move, Role
from tests.hotline.console.app.doing import LIGHTS, lit, press_button
from tests.hotline.console.app.seats import fits, go, reports_nothing_serious, shows, sign_in
from tests.hotline.console.browser import Page
from tests.hotline.console.conftest import Site
from tests.hotline.console.filled import Town
from tests.hotline.console.staff import CITY_LIGHTS, WATER, Staff, hire

STATES = "SELECT level, state FROM supervisions ORDER BY id"
STEPS = "SELECT event FROM journal WHERE event LIKE 'supervision.%' ORDER BY id"


async def given(services: Services, unit: str, minutes: int) -> str:
    """A case that a unit has; its number."""
    case_id = await lit(services, minutes=minutes)
    pool = services.pool
    call_id = await pool.fetchval("SELECT call_id FROM cases WHERE id = $1", case_id)
    at = services.clock() - timedelta(minutes=minutes - 5)
    town = Town(services)
    await town.moves(
        call_id, Move.OPEN, at, kind="help", urgency="normal", level1="城乡建设", summary=LIGHTS
    )
    await town.moves(call_id, Move.DISPATCH, at, unit=unit)
    number = await pool.fetchval("SELECT number FROM cases WHERE id = $1", case_id)
    assert isinstance(number, str)
    return number


async def told(visitor: ClientSession, path: str, body: Mapping[str, object]) -> None:
    async with visitor.post(path, json=body) as answer:
        assert answer.ok, await answer.text()


async def chosen_case(page: Page, number: str) -> None:
    """Find a case by its number in the form and choose it."""
    await page.click("#supervise-case")
    await page.write("#supervise-case", number)
    option = (
        "[...document.querySelectorAll('.el-select-dropdown__item')]"
        f".find((it) => it.innerText.includes({json.dumps(number)}))"
    )
    await page.until(option)
    await page.run(f"{option}.click()")


async def test_a_supervisor_puts_a_case_under_supervision_raises_it_and_clears_it_with_evidence(
    site: Site, services: Services, page: Page, staff: Staff, tmp_path: Path
) -> None:
    first = await given(services, CITY_LIGHTS, 90)
    second = await given(services, WATER, 60)
    await hire(services, "chen.jing", Role.SUPERVISOR)
    boss = await staff.visitor("chen.jing")
    case_id = await services.pool.fetchval("SELECT id FROM cases WHERE number = $1", first)
    await told(boss, "/api/supervision", {"case_id": case_id, "reason": "多人反映夜间无照明"})
    await sign_in(page, site, staff, "chen.jing")
    await go(page, site, "/supervise")
    await press_button(page, "发起督办", ".card")
    await chosen_case(page, second)
    await page.write("#supervise-reason", "群众再次来电催问")
    await press_button(page, "发起督办", ".el-dialog")
    await page.until("document.querySelectorAll('.board tbody tr').length === 2")
    await page.until(shows("群众再次来电催问"))
    await page.click(f"button.count[aria-label^='{CITY_LIGHTS} 催办']")
    await page.until(shows("多人反映夜间无照明"))
    await page.until("document.querySelectorAll('.queue-row').length === 1")
    await press_button(page, "提级督办", ".deeds")
    await page.write("#deed-words", "期限将至仍未到场")
    await press_button(page, "提级督办", ".el-dialog")
    await page.until("document.querySelector('.queue-row') === null")
    await page.click(f"button.count[aria-label^='{CITY_LIGHTS} 督办']")
    await page.until("document.querySelector('.ladder .now')?.innerText === '督办'")
    await page.picture(tmp_path / "supervise.png")
    await reports_nothing_serious(page)
    await fits(page)
    photo = tmp_path / "验收照片.jpg"
    photo.write_bytes(b"\xff\xd8\xff\xe0" + b"lit again" * 90)
    await press_button(page, "核实销号", ".deeds")
    await page.write("#deed-words", "现场核实，路灯已全部恢复")
    assert await page.run("document.querySelector('.el-dialog .el-button--primary').disabled")
    await page.choose_file(".el-dialog input[type=file]", photo)
    await page.until("document.querySelector('.el-dialog .el-checkbox.is-checked')")
    await reports_nothing_serious(page)
    await page.picture(tmp_path / "clear.png")
    await press_button(page, "核实销号", ".el-dialog")
    await page.until("document.querySelectorAll('.board tbody tr').length === 1")
    found = [tuple(row) for row in await services.pool.fetch(STATES)]
    assert found == [("supervise", "cleared"), ("urge", "open")]
    assert [row["event"] for row in await services.pool.fetch(STEPS)] == [
        "supervision.opened",
        "supervision.opened",
        "supervision.raised",
        "supervision.evidence_added",
        "supervision.cleared",
    ]
    await go(page, site, "/supervise", "en")
    await reports_nothing_serious(page)
    assert not page.wrong


async def test_discipline_sees_the_board_and_notes_progress_but_clears_nothing(
    site: Site, services: Services, page: Page, staff: Staff
) -> None:
    number = await given(services, CITY_LIGHTS, 90)
    await hire(services, "chen.jing", Role.SUPERVISOR)
    await hire(services, "luo.ping", Role.DISCIPLINE)
    case_id = await services.pool.fetchval("SELECT id FROM cases WHERE number = $1", number)
    boss = await staff.visitor("chen.jing")
    await told(boss, "/api/supervision", {"case_id": case_id, "reason": "多人反映"})
    await sign_in(page, site, staff, "luo.ping")
    await go(page, site, "/supervise")
    await page.until(shows("填写进展"))
    words = await page.run(
        "[...document.querySelectorAll('main button')].map((it) => it.innerText)"
    )
    assert not {"核实销号", "提级督办", "发起督办"} & set(words)
    await press_button(page, "填写进展", ".deeds")
    await page.write("#deed-words", "已约谈单位负责人")
    await press_button(page, "填写进展", ".el-dialog")
    await page.until(shows("已约谈单位负责人"))
    assert not page.wrong
