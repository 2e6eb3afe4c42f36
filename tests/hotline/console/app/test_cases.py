"""The case list and the case page: found by keyboard, moved by the form the API describes."""

from datetime import timedelta
from pathlib import Path

from hotline.services import Services
from routing.cases import Move, Role
from tests.hotline.console.app.doing import LIGHTS, choose, lit, press_button, stands
from tests.hotline.console.app.seats import PHONE, fits, go, reports_nothing_serious, shows, sign_in
from tests.hotline.console.browser import Page
from tests.hotline.console.conftest import Site
from tests.hotline.console.filled import Town
from tests.hotline.console.staff import CITY_LIGHTS, Staff, hire


async def test_a_case_is_found_by_keyboard_and_dispatched_from_its_page(
    site: Site, services: Services, page: Page, staff: Staff
) -> None:
    case_id = await lit(services)
    await hire(services, "wang.qiang", Role.DISPATCHER, extension="1002")
    await sign_in(page, site, staff, "wang.qiang")
    await go(page, site, "/cases")
    await page.until("document.querySelector('.case-line')")
    await reports_nothing_serious(page)
    await page.press("j")
    await page.until("document.activeElement.classList.contains('case-line')")
    await page.run("document.activeElement.click()")
    await page.until(f"location.hash === '#/cases/{case_id}'")
    await page.until("document.querySelector('.move-form')")
    await page.until(shows(LIGHTS[:8]))
    await reports_nothing_serious(page)
    await choose(page, "move-level1", "城乡建设")
    await choose(page, "move-unit", CITY_LIGHTS)
    await page.write("#move-summary", "临园路路灯不亮")
    await go(page, site, f"/cases/{case_id}")
    await page.until("document.querySelector('#move-summary')?.value === '临园路路灯不亮'")
    await press_button(page, "立案并派单", ".move-form")
    await page.until(stands("已派单"))
    row = await services.pool.fetchrow("SELECT * FROM cases WHERE id = $1", case_id)
    assert row
    assert (row["state"], row["unit"], row["level1"]) == ("dispatched", CITY_LIGHTS, "城乡建设")
    await page.until("!document.querySelector('#move-summary')")
    assert not page.wrong


async def test_a_case_page_is_whole_in_both_languages_dark_and_on_a_telephone(
    site: Site, services: Services, page: Page, staff: Staff, tmp_path: Path
) -> None:
    case_id = await lit(services, minutes=600)
    town, call_id = Town(services), await services.pool.fetchval("SELECT max(id) FROM calls")
    at = services.clock() - timedelta(minutes=500)
    about = {"kind": "help", "urgency": "urgent", "level1": "城乡建设", "area": "涪城区"}
    await town.moves(call_id, Move.OPEN, at, **about, summary=LIGHTS)
    await town.moves(call_id, Move.DISPATCH, at, unit=CITY_LIGHTS)
    await hire(services, "chenjing", Role.SUPERVISOR, Role.DISCIPLINE, Role.DISPATCHER)
    await sign_in(page, site, staff, "chenjing")
    for language in ("zh", "en"):
        await go(page, site, f"/cases/{case_id}", language)
        await page.until("document.querySelector('.dialogue') && document.querySelector('.clocks')")
        tabs = await page.run("document.querySelectorAll('.el-tabs__item').length")
        assert tabs == 6
        await page.picture(tmp_path / f"case-{language}.png")
        for tab in range(tabs):
            await page.run(f"document.querySelectorAll('.el-tabs__item')[{tab}].click()")
            await page.until("!document.querySelector('.el-skeleton')")
            assert not await page.run("Boolean(document.querySelector('[role=alert]'))")
            await reports_nothing_serious(page)
        keys = await page.run("document.body.innerText.match(/\\b[a-z_]+\\.[a-z_]+\\b/g) || []")
        assert not keys, "a key without its words"
    await page.run("document.documentElement.classList.add('dark')")
    await reports_nothing_serious(page)
    await page.size(*PHONE)
    await fits(page)
    await page.picture(tmp_path / "case-phone.png")
    assert not page.wrong
