"""A unit's work on a telephone, and a case's whole way through everybody's hands in the app."""

import hashlib
from datetime import timedelta
from pathlib import Path

from hotline.services import Services
from routing.cases import Role
from tests.hotline.console.app.doing import (
    LIGHTS,
    choose,
    lit,
    press_button,
    stands,
    tick,
    write_reply,
)
from tests.hotline.console.app.seats import (
    DESK,
    PHONE,
    fits,
    go,
    reports_nothing_serious,
    shows,
    sign_in,
)
from tests.hotline.console.browser import Page
from tests.hotline.console.conftest import Site
from tests.hotline.console.staff import CITY_LIGHTS, Staff, hire

_PIECE = "SELECT sha256 FROM case_evidence WHERE case_id = $1"
PHOTO = b"\xff\xd8\xff\xe0" + b"a lamp that burns" * 40


async def _dispatches(page: Page, site: Site, staff: Staff, case_id: int) -> None:
    await sign_in(page, site, staff, "wang.qiang")
    await go(page, site, f"/cases/{case_id}")
    await choose(page, "move-level1", "城乡建设")
    await choose(page, "move-unit", CITY_LIGHTS)
    await page.write("#move-summary", LIGHTS)
    await press_button(page, "立案并派单", ".move-form")
    await page.until(stands("已派单"))


async def _signs_and_answers(page: Page, site: Site, staff: Staff, photo: Path) -> None:
    await page.size(*PHONE)
    await sign_in(page, site, staff, "zhou.bo")
    await go(page, site, "/terminal")
    await page.click(".queue-row")
    await press_button(page, "签收", ".move-form")
    await page.until("document.querySelector('#move-reply')")
    await fits(page)
    await write_reply(page, photo)
    await reports_nothing_serious(page)
    await fits(page)
    await page.picture(photo.with_name("terminal.png"))
    await press_button(page, "记录答复", ".move-form")
    await page.until("document.querySelector('.terminal:not(.chosen)')")
    await page.size(*DESK)


async def test_a_case_goes_from_dispatch_by_the_unit_and_the_audit_to_the_call_back(
    site: Site, services: Services, page: Page, staff: Staff, tmp_path: Path
) -> None:
    case_id = await lit(services)
    photo = tmp_path / "路灯.jpg"
    photo.write_bytes(PHOTO)
    for login, role in (
        ("wang.qiang", Role.DISPATCHER),
        ("zhou.bo", Role.UNIT),
        ("he.lin", Role.AUDITOR),
        ("sun.li", Role.CALL_BACK),
    ):
        await hire(services, login, role)
    await _dispatches(page, site, staff, case_id)
    await _signs_and_answers(page, site, staff, photo)
    await sign_in(page, site, staff, "he.lin")
    await go(page, site, "/audit")
    await page.until(shows("路灯.jpg"))
    await press_button(page, "审核通过", ".move-form")
    await page.until("!document.querySelector('.queue-row')")
    await sign_in(page, site, staff, "sun.li")
    await go(page, site, "/callback")
    for field, text in (("result", "已接通"), ("solved", "已解决"), ("satisfied", "满意")):
        await tick(page, field, text)
    await press_button(page, "办结", ".move-form")
    await page.until("!document.querySelector('.queue-row')")
    row = await services.pool.fetchrow("SELECT * FROM cases WHERE id = $1", case_id)
    assert row
    told = (row["state"], row["unit"], row["owner"], row["solved"], row["satisfied"])
    assert told == ("closed", CITY_LIGHTS, "zhou.bo", "yes", "satisfied")
    sha256 = await services.pool.fetchval(_PIECE, case_id)
    assert sha256 == hashlib.sha256(PHOTO).hexdigest()
    moves = await services.pool.fetch(
        "SELECT event, actor FROM journal WHERE case_id = $1 AND event LIKE 'case.%'"
        " AND event <> 'case.drafted' AND actor <> 'service' ORDER BY id",
        case_id,
    )
    assert [tuple(it) for it in moves] == [
        ("case.opened", "wang.qiang"),
        ("case.dispatched", "wang.qiang"),
        ("case.signed", "zhou.bo"),
        ("case.evidence_added", "zhou.bo"),
        ("case.answered", "zhou.bo"),
        ("case.approved", "he.lin"),
        ("case.closed", "sun.li"),
    ]
    assert not page.wrong


async def _given_work(services: Services, staff: Staff, case_id: int) -> None:
    """A supervisor supervises the case, gives an item, calls the unit to come, notes a fault."""
    boss = await staff.visitor("chen.jing")
    until = (services.clock() + timedelta(days=5)).isoformat()
    item = {"type": "leader", "title": "排查背街小巷路灯", "source": "市长批示"}
    fault = {"fact": "late", "unit": CITY_LIGHTS, "account": "两次逾期"}
    coming = {"unit": CITY_LIGHTS, "place": "临园路", "reason": "灯杆倾斜"}
    for path, body in (
        ("/api/supervision", {"case_id": case_id, "reason": "多人反映"}),
        ("/api/tracked-items", item | {"unit": CITY_LIGHTS, "due_at": until}),
        (f"/api/cases/{case_id}/comings", coming),
        ("/api/faults", fault | {"happened_at": services.clock().isoformat()}),
    ):
        async with boss.post(path, json=body) as answer:
            assert answer.ok, await answer.text()


async def _turns_to(page: Page, number: int, picture: Path) -> None:
    await page.run(f"document.querySelectorAll('.desk-head label')[{number}].click()")
    await page.until("document.querySelector('.pile-below .state-box')")
    await page.until("!document.querySelector('.el-skeleton')")
    await reports_nothing_serious(page)
    await fits(page)
    await page.picture(picture)


async def _writes(page: Page, step: str, text: str) -> None:
    await press_button(page, step, ".record")
    await page.write(".record textarea", text)
    await press_button(page, "提交", ".record")
    await page.until("!document.querySelector('.record textarea')")


async def test_a_unit_answers_notices_items_and_faults_and_enters_an_absence_on_a_telephone(
    site: Site, services: Services, page: Page, staff: Staff, tmp_path: Path
) -> None:
    case_id = await lit(services)
    await hire(services, "wang.qiang", Role.DISPATCHER)
    await hire(services, "chen.jing", Role.SUPERVISOR)
    await hire(services, "zhou.bo", Role.UNIT)
    await hire(services, "lin.yu", Role.UNIT, name="林雨")
    await _dispatches(page, site, staff, case_id)
    await _given_work(services, staff, case_id)
    await page.size(*PHONE)
    await sign_in(page, site, staff, "zhou.bo")
    await go(page, site, "/terminal")
    await _turns_to(page, 1, tmp_path / "supervision.png")
    await press_button(page, "确认已阅", ".record")
    await _writes(page, "答复督办", "今日内派人修复")
    await page.until(shows("已答复"))
    await _turns_to(page, 2, tmp_path / "tracked.png")
    await press_button(page, "签收", ".record")
    await _writes(page, "报结", "已排查 42 条街巷")
    await page.until(shows("已报结"))
    await _turns_to(page, 3, tmp_path / "comings.png")
    await page.write(".coming input", "2030-01-01T10:00")
    await press_button(page, "答应到场", ".coming")
    await press_button(page, "已到场", ".coming")
    await page.until("!document.querySelector('.coming')")
    await _turns_to(page, 4, tmp_path / "faults.png")
    await _writes(page, "当事人说明", "灯具采购延误")
    await _turns_to(page, 5, tmp_path / "away.png")
    await choose(page, "away-deputy", "林雨")
    await page.write("#away-reason", "外出培训")
    await press_button(page, "保存", ".columns")
    await page.until(shows("zhou.bo →"))
    found = await services.pool.fetchrow(
        "SELECT (SELECT state FROM supervisions) AS supervision,"
        " (SELECT state FROM tracked_items) AS tracked, (SELECT state FROM comings) AS coming,"
        " (SELECT u.login FROM absences JOIN users u ON u.id = deputy) AS deputy,"
        " (SELECT count(*) FROM journal WHERE event = 'fault.stated') AS stated"
    )
    assert found
    done = {"supervision": "answered", "tracked": "reported", "coming": "arrived"}
    assert dict(found) == done | {"deputy": "lin.yu", "stated": 1}
    assert not page.wrong
