"""The call pages: found in the list, heard from the word, revealed for a reason."""

from datetime import timedelta
from pathlib import Path

from hotline.services import Services
from routing.cases import Role
from telephony.calls import Leg
from tests.hotline.console.app.doing import press_button
from tests.hotline.console.app.seats import go, reports_nothing_serious, shows, sign_in
from tests.hotline.console.browser import Page
from tests.hotline.console.conftest import Site
from tests.hotline.console.filled import Said, Town
from tests.hotline.console.staff import Staff, hire

SAYS = (
    Said(leg=Leg.OPERATOR, start=0.4, text="您好，市长热线，请讲"),
    Said(leg=Leg.CALLER, start=4.0, text="涪城区临园路的路灯坏了三天了"),
    Said(leg=Leg.CALLER, start=14.0, text="我的电话是一三八九零一一五六七八"),
)
PLAYS = "document.querySelector('audio') && !document.querySelector('audio').paused"


async def _talked(services: Services) -> int:
    at = services.clock() - timedelta(minutes=30)
    return await Town(services).is_talked(at, SAYS)


async def test_a_call_is_heard_from_the_word_and_paused_by_a_key(
    site: Site, services: Services, page: Page, staff: Staff, tmp_path: Path
) -> None:
    call_id = await _talked(services)
    await hire(services, "lina", Role.OPERATOR, extension="1001")
    await sign_in(page, site, staff, "lina")
    await go(page, site, "/calls")
    await page.until("document.querySelector('.call-line')")
    await reports_nothing_serious(page)
    await page.press("j")
    await page.run("document.activeElement.click()")
    await page.until(f"location.hash === '#/calls/{call_id}'")
    for language in ("zh", "en"):
        await go(page, site, f"/calls/{call_id}", language)
        await page.until("document.querySelectorAll('.dialogue li').length >= 2")
        await reports_nothing_serious(page)
        assert not await page.run("Boolean(document.querySelector('[role=alert]'))")
        await page.picture(tmp_path / f"call-{language}.png")
    await page.until("document.querySelectorAll('audio').length === 2")
    await page.click(".dialogue li.caller .turn")
    await page.until(PLAYS)
    at = await page.run("document.querySelector('audio').currentTime")
    assert at > 3
    await page.run("document.activeElement.blur()")
    await page.press(" ")
    await page.until("[...document.querySelectorAll('audio')].every((it) => it.paused)")
    assert not page.wrong


async def test_what_is_hidden_is_shown_for_a_reason_that_the_journal_keeps(
    site: Site, services: Services, page: Page, staff: Staff
) -> None:
    call_id = await _talked(services)
    await hire(services, "lina", Role.OPERATOR, extension="1001")
    await sign_in(page, site, staff, "lina")
    await go(page, site, f"/calls/{call_id}")
    await page.until("document.querySelectorAll('.dialogue li').length >= 2")
    await page.until("document.querySelector('.from')")
    assert not await page.run(shows("13890115678"))
    await press_button(page, "查看完整信息", "main")
    await page.write(".el-dialog textarea", "回电核实地址")
    await press_button(page, "查看", ".el-dialog")
    await page.until(shows("13890115678"))
    await page.until("!document.querySelector('.el-dialog textarea')")
    await press_button(page, "查看完整对话", "main")
    await page.write(".el-dialog textarea", "核对来电人所留号码")
    await press_button(page, "查看", ".el-dialog")
    await page.until("document.querySelector('.dialogue').innerText.includes('13890115678')")
    rows = await services.pool.fetch(
        "SELECT body ->> 'reason' AS reason FROM journal WHERE event = 'seen.identity' ORDER BY id"
    )
    assert [row["reason"] for row in rows] == ["回电核实地址", "核对来电人所留号码"]
    assert not page.wrong


async def test_a_link_leads_to_the_second(
    site: Site, services: Services, page: Page, staff: Staff
) -> None:
    call_id = await _talked(services)
    await hire(services, "he.lin", Role.AUDITOR)
    await sign_in(page, site, staff, "he.lin")
    await go(page, site, f"/calls/{call_id}?t=14")
    await page.until(PLAYS)
    assert await page.run("document.querySelector('audio').currentTime") >= 14
    assert not page.wrong
