"""The desks: a case is dispatched, audited and called back by the people whose work that is."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from hotline.services import Services
from routing.cases import Move, Role
from telephony.calls import Outcome
from tests.hotline.console.app.doing import LIGHTS, lit, press_button, tick
from tests.hotline.console.app.seats import go, reports_nothing_serious, shows, sign_in
from tests.hotline.console.browser import Page
from tests.hotline.console.conftest import Site
from tests.hotline.console.filled import Town
from tests.hotline.console.staff import CITY_LIGHTS, Staff, hire

ABOUT = {"kind": "help", "urgency": "normal", "level1": "城乡建设", "area": "涪城区"}
REPLY = {"reply": "已更换灯头，现场照明恢复。", "public_reply": "路灯已修复。"}


async def _state(services: Services, case_id: int) -> str:
    return str(await services.pool.fetchval("SELECT state FROM cases WHERE id = $1", case_id))


async def _brought_to(services: Services, *moves: Move, minutes: int = 240) -> int:
    """A case of a call, so far."""
    case_id = await lit(services, minutes=minutes)
    call_id = await services.pool.fetchval("SELECT call_id FROM cases WHERE id = $1", case_id)
    given: dict[Move, dict[str, Any]] = {
        Move.OPEN: ABOUT | {"summary": LIGHTS},
        Move.DISPATCH: {"unit": CITY_LIGHTS},
        Move.ASK_EXTENSION: {"reason": "需要等待灯具到货", "days": 2},
        Move.ANSWER: REPLY
        | {"truth": "yes", "solved": "yes", "publish": True}
        | {"contacted_at": services.clock() - timedelta(minutes=120)},
    }
    for number, move in enumerate(moves):
        at = services.clock() - timedelta(minutes=100 - number)
        await Town(services).moves(call_id, move, at, **given.get(move, {}))
    return case_id


async def test_the_dispatch_desk_takes_the_lead_from_the_catalogue(
    site: Site, services: Services, page: Page, staff: Staff, tmp_path: Path
) -> None:
    first = await _brought_to(services, Move.OPEN)
    second = await _brought_to(services, Move.OPEN, minutes=230)
    await hire(services, "wang.qiang", Role.DISPATCHER)
    await sign_in(page, site, staff, "wang.qiang")
    await go(page, site, "/dispatch")
    await page.until("document.querySelectorAll('.queue-row').length === 2")
    await page.until("document.querySelector('.resolve')")
    await page.until(
        "document.querySelector('.move-form') && !document.querySelector('.el-skeleton')"
    )
    await reports_nothing_serious(page)
    await page.picture(tmp_path / "dispatch.png")
    await press_button(page, "派单", ".move-form")
    await page.until("document.querySelectorAll('.queue-row').length === 1")
    assert sorted([await _state(services, first), await _state(services, second)]) == [
        "dispatched",
        "open",
    ]
    left = first if await _state(services, first) == "open" else second
    number = await services.pool.fetchval("SELECT number FROM cases WHERE id = $1", left)
    await page.until(f"document.querySelector('.desk h2')?.innerText.includes('{number}')")
    assert not page.wrong


async def test_the_audit_desk_sees_the_answer_beside_the_demand_and_sends_back(
    site: Site, services: Services, page: Page, staff: Staff, tmp_path: Path
) -> None:
    case_id = await _brought_to(services, Move.OPEN, Move.DISPATCH, Move.SIGN, Move.ANSWER)
    to_unit = (Move.OPEN, Move.DISPATCH, Move.SIGN)
    asked = await _brought_to(services, *to_unit, Move.ASK_EXTENSION, minutes=230)
    await hire(services, "he.lin", Role.AUDITOR)
    await sign_in(page, site, staff, "he.lin")
    await go(page, site, "/audit")
    await page.until(shows(REPLY["reply"]))
    await page.until(shows(LIGHTS))
    await reports_nothing_serious(page)
    await page.picture(tmp_path / "audit.png")
    await press_button(page, "退回重办", ".other-moves")
    await page.write("#move-reason", "没有说明何时修复，也没有照片")
    await press_button(page, "退回重办", ".move-form")
    await page.until("!document.querySelector('.queue-row')")
    assert await _state(services, case_id) == "handling"
    await page.run("document.querySelectorAll('.desk-head label')[1].click()")
    await page.until("document.querySelector('#move-told')")
    await page.write("#move-told", "已电话告知来电人延期两个工作日")
    await press_button(page, "同意延期", ".move-form")
    await page.until("!document.querySelector('.queue-row')")
    row = await services.pool.fetchrow("SELECT * FROM cases WHERE id = $1", asked)
    assert row
    assert (row["state"], list(row["extended_days"])) == ("handling", [2])
    assert not page.wrong


async def test_the_call_back_desk_closes_cases_and_works_off_messages(
    site: Site, services: Services, page: Page, staff: Staff, tmp_path: Path
) -> None:
    to_audit = (Move.OPEN, Move.DISPATCH, Move.SIGN, Move.ANSWER)
    case_id = await _brought_to(services, *to_audit, Move.APPROVE)
    town = Town(services)
    _, call = await town.starts(town.call(services.clock() - timedelta(minutes=50)))
    _, call = await town.leaves_a_message(call)
    assert call.message_at is not None
    message, _ = await town.ends(call, call.message_at + timedelta(seconds=25), Outcome.VOICEMAIL)
    await hire(services, "sun.li", Role.CALL_BACK)
    await sign_in(page, site, staff, "sun.li")
    await go(page, site, "/callback")
    await tick(page, "result", "已接通")
    await tick(page, "solved", "已解决")
    await tick(page, "satisfied", "基本满意")
    await reports_nothing_serious(page)
    await page.picture(tmp_path / "callback.png")
    await press_button(page, "办结", ".move-form")
    await page.until("!document.querySelector('.queue-row')")
    row = await services.pool.fetchrow("SELECT * FROM cases WHERE id = $1", case_id)
    assert row
    assert (row["state"], row["solved"], row["satisfied"]) == ("closed", "yes", "basically")
    await page.run("document.querySelectorAll('.desk-head label')[1].click()")
    await press_button(page, "登记结果", ".messages")
    await press_button(page, "无人接听", ".messages")
    await page.until(shows("已拨 1 次"))
    await reports_nothing_serious(page)
    await page.picture(tmp_path / "messages.png")
    await press_button(page, "已接通", ".messages")
    await page.until("!document.querySelector('.messages')")
    done = "SELECT done_result FROM callbacks WHERE call_id = $1"
    assert await services.pool.fetchval(done, message) == "reached"
    assert not page.wrong
