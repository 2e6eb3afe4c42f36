"""Tracked items, fault records and the meeting pack in the app."""

from datetime import timedelta
from pathlib import Path

from hotline.services import Services
from routing.cases import Role
from tests.hotline.console.app.doing import choose, press_button
from tests.hotline.console.app.seats import fits, go, reports_nothing_serious, shows, sign_in
from tests.hotline.console.app.test_supervise import given, told
from tests.hotline.console.browser import Page
from tests.hotline.console.conftest import Site
from tests.hotline.console.staff import CITY_LIGHTS, Staff, hire

ITEM = "SELECT type, unit, state, settled_by FROM tracked_items"
FAULT = "SELECT fact, unit, state, decided_by, appeal_decided_by FROM fault_records"


async def answers(page: Page, deed: str, words: str) -> None:
    """Do a deed of the open record in one's own words."""
    await press_button(page, deed, ".deeds")
    await page.write("#deed-words", words)
    await press_button(page, deed, ".el-dialog")
    await page.until(f"!document.querySelector('.el-dialog') && {shows(words)}")


async def test_a_leader_enters_a_decision_in_the_pack_sends_the_report_back_and_accepts_it(
    site: Site, services: Services, page: Page, staff: Staff, tmp_path: Path
) -> None:
    await given(services, CITY_LIGHTS, 90)
    await hire(services, "tang.wei", Role.LEADER)
    await hire(services, "zhou.bo", Role.UNIT)
    unit = await staff.visitor("zhou.bo")
    await sign_in(page, site, staff, "tang.wei")
    await go(page, site, "/meeting")
    await press_button(page, "登记议定事项", ".desk-head")
    await page.write("#item-title", "九月底前完成背街小巷路灯排查")
    await page.write("#item-source", "市政府第12次常务会议")
    await choose(page, "item-unit", CITY_LIGHTS)
    await press_button(page, "新增督办事项", ".el-dialog")
    await page.until("document.querySelector('.meeting a[href*=tracked]')")
    await page.until("!document.querySelector('.el-dialog')")
    await reports_nothing_serious(page)
    await fits(page)
    await page.picture(tmp_path / "meeting.png")
    await page.click(".meeting a[href*=tracked]")
    await page.until("document.querySelector('.deeds')")
    item_id = await services.pool.fetchval("SELECT id FROM tracked_items")
    one = f"/api/tracked-items/{item_id}"
    await told(unit, f"{one}/sign", {})
    await told(unit, f"{one}/report", {"result": "已排查 42 条街巷"})
    await answers(page, "退回重办", "缺少台账")
    await told(unit, f"{one}/report", {"result": "台账已补齐"})
    await page.until(shows("台账已补齐"))
    book = tmp_path / "排查台账.pdf"
    book.write_bytes(b"%PDF-1.4 a list of lamps")
    await press_button(page, "验收办结", ".deeds")
    await page.write("#deed-words", "抽查十处，属实")
    await page.choose_file(".el-dialog input[type=file]", book)
    await page.until("document.querySelector('.el-dialog .el-checkbox.is-checked')")
    await press_button(page, "验收办结", ".el-dialog")
    await page.until("!document.querySelector('.el-dialog') && !document.querySelector('.deeds')")
    await reports_nothing_serious(page)
    await fits(page)
    await page.picture(tmp_path / "tracked.png")
    steps = await page.run("document.querySelector('.said-notes').innerText")
    assert "交办事项退回" in steps
    assert "tracked." not in steps, "a step without its word"
    row = await services.pool.fetchrow(ITEM)
    assert row
    assert tuple(row) == ("decision", CITY_LIGHTS, "done", "tang.wei")
    assert not page.wrong


async def test_a_fault_is_recorded_decided_and_its_appeal_decided_by_three_people(
    site: Site, services: Services, page: Page, staff: Staff, tmp_path: Path
) -> None:
    for login, role in (
        ("he.lin", Role.AUDITOR),
        ("luo.ping", Role.DISCIPLINE),
        ("tang.wei", Role.LEADER),
        ("zhou.bo", Role.UNIT),
    ):
        await hire(services, login, role)
    await sign_in(page, site, staff, "he.lin")
    await go(page, site, "/faults")
    await press_button(page, "登记过错", ".desk-head")
    await page.run(
        "(() => { const it = document.querySelector('#fault-fact'); it.value = 'false_reply';"
        " it.dispatchEvent(new Event('change')); })()"
    )
    await choose(page, "fault-unit", CITY_LIGHTS)
    await page.write("#fault-account", "答复称已修复，回访核实仍未亮灯")
    await press_button(page, "登记过错", ".el-dialog")
    await page.until(f"{shows('回访核实仍未亮灯')} && !document.querySelector('.deeds')")
    await sign_in(page, site, staff, "luo.ping")
    await go(page, site, "/faults")
    await _decides(page, "认定", "已认定", "现场照片可证")
    fault_id = await services.pool.fetchval("SELECT id FROM fault_records")
    unit = await staff.visitor("zhou.bo")
    await told(unit, f"/api/faults/{fault_id}/appeal", {"text": "照片拍摄于停电时"})
    await sign_in(page, site, staff, "tang.wei")
    await go(page, site, "/faults")
    await _decides(page, "申诉决定", "不成立", "停电通知属实")
    await reports_nothing_serious(page)
    await fits(page)
    await page.picture(tmp_path / "faults.png")
    row = await services.pool.fetchrow(FAULT)
    assert row
    assert tuple(row) == ("false_reply", CITY_LIGHTS, "dismissed", "luo.ping", "tang.wei")
    assert not page.wrong


async def _decides(page: Page, deed: str, verdict: str, reason: str) -> None:
    await press_button(page, deed, ".deeds")
    await page.write("#deed-words", reason)
    found = (
        "[...document.querySelectorAll('.el-dialog .el-radio')]"
        f".find((it) => it.innerText.trim() === '{verdict}')"
    )
    await page.until(found)
    await page.run(f"{found}.click()")
    await press_button(page, deed, ".el-dialog")
    await page.until(f"!document.querySelector('.el-dialog') && {shows(reason)}")


async def test_an_item_leads_to_its_supervision_record(
    site: Site, services: Services, page: Page, staff: Staff
) -> None:
    await hire(services, "tang.wei", Role.LEADER)
    boss = await staff.visitor("tang.wei")
    due = (services.clock() + timedelta(days=3)).isoformat()
    item = {"type": "leader", "title": "整治夜间施工噪声", "source": "市长批示", "due_at": due}
    await told(boss, "/api/tracked-items", item | {"unit": CITY_LIGHTS})
    item_id = await services.pool.fetchval("SELECT id FROM tracked_items")
    await told(boss, "/api/supervision", {"tracked_id": item_id, "reason": "群众反映强烈"})
    await sign_in(page, site, staff, "tang.wei")
    await go(page, site, "/tracked")
    await page.click(".said-link")
    await page.until(f"document.querySelector('.ladder') && {shows('群众反映强烈')}")
    assert "领导批示" in await page.run("document.querySelector('.supervise h2').innerText")
    assert not page.wrong
