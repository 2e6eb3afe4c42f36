"""The duty desk in the new console: an alarm is acknowledged, assessed and reported."""

from pathlib import Path

from hotline.services import Services
from routing.cases import Role
from tests.hotline.console.app.seats import go, reports_nothing_serious, shows, sign_in
from tests.hotline.console.browser import Page
from tests.hotline.console.conftest import Site
from tests.hotline.console.duty_desk import ask
from tests.hotline.console.staff import Staff, hire

SUBMIT = ".el-dialog__footer button[type=submit]:not([disabled])"


async def test_an_officer_acknowledges_assesses_and_drafts_and_a_leader_signs(
    site: Site, services: Services, page: Page, staff: Staff, tmp_path: Path
) -> None:
    await hire(services, "liu.wei", Role.DUTY_OFFICER)
    await hire(services, "yang.fan", Role.LEADER)
    body = {"summary": "涪江三桥桥面积水，有车辆被困"}
    status, told = await ask(await staff.visitor("liu.wei"), "POST", "/api/duty/alerts", body)
    assert status == 200
    number = told["incident_id"]
    await sign_in(page, site, staff, "liu.wei")
    await go(page, site, "/duty")
    await page.until(shows("桥面积水"))
    await page.picture(tmp_path / "duty.png")
    await page.click(".incident .el-button--danger")
    await page.until("!document.querySelector('.incident .el-button--danger')")
    await reports_nothing_serious(page)
    await go(page, site, f"/duty/incidents/{number}")
    await page.click("#assess")
    await page.write("#incident-name", "涪江三桥积水事件")
    await page.click(".el-radio input[value=III]")
    await page.click(".el-radio input[value=natural]")
    await page.click(".el-dialog__footer button[type=submit]:not([disabled])")
    await page.click("#report")
    await page.write("#report-place", "涪江三桥")
    await page.write("#report-course", "桥面积水约半米")
    await page.write("#report-measures", "交警已封闭桥面")
    await page.write("#report-source", "市民来电")
    await page.click(".el-dialog__footer button[type=submit]:not([disabled])")
    await page.until(shows("涪江三桥积水事件 初报"))
    await page.picture(tmp_path / "incident.png")
    await sign_in(page, site, staff, "yang.fan")
    await go(page, site, f"/duty/incidents/{number}", "en")
    await page.click("#sign-1")
    await page.until("!document.querySelector('#sign-1')")
    await reports_nothing_serious(page)
    row = await services.pool.fetchrow("SELECT * FROM duty_incidents WHERE id = $1", number)
    assert row is not None
    assert (row["acknowledged_by"], row["level"], row["state"]) == ("liu.wei", "III", "open")
    signed = await services.pool.fetchval(
        "SELECT count(*) FROM journal WHERE event = 'duty.incident_signed' AND actor = 'yang.fan'"
    )
    assert signed == 1


async def test_an_officer_opens_an_incident_and_corrects_an_entry_whose_reporter_was_revealed(
    site: Site, services: Services, page: Page, staff: Staff, tmp_path: Path
) -> None:
    await hire(services, "liu.wei", Role.DUTY_OFFICER)
    entry = {
        "kind": "phone",
        "came_at": services.clock().isoformat(),
        "text": {"place": "涪江三桥", "course": "桥面积水"},
        "reporter": {"unit": "涪城区政府办", "name": "陈建国", "phone": "13990112233"},
    }
    _, told = await ask(await staff.visitor("liu.wei"), "POST", "/api/duty/log", entry)
    await sign_in(page, site, staff, "liu.wei")
    await go(page, site, "/duty/log")
    await page.click(f"#entry-{told['id']}")
    await page.until(shows("陈**"))
    await reports_nothing_serious(page)
    await page.picture(tmp_path / "entry.png")
    await page.click("#reveal-reporter")
    await page.write("#reveal-reason", "核实现场情况")
    await page.click(".el-dialog form:has(#reveal-reason) button[type=submit]:not([disabled])")
    await page.until(shows("13990112233"))
    await page.write("#version-measures", "交警已封闭桥面")
    await page.click(SUBMIT)
    await page.until(shows("第 2 版"))
    await go(page, site, "/duty")
    await page.click("#open-incident")
    await page.write("#new-name", "涪江三桥积水事件")
    await page.click(".el-radio input[value=III]")
    await page.click(".el-radio input[value=natural]")
    await page.write("#new-summary", "桥面积水约半米，有车辆被困")
    await page.picture(tmp_path / "opening.png")
    await page.click(SUBMIT)
    await page.until("location.hash.startsWith('#/duty/incidents/')")
    row = await services.pool.fetchrow("SELECT * FROM duty_incidents")
    assert row is not None
    assert (row["raised_by"], row["level"], row["state"]) == ("liu.wei", "III", "open")
    seen = "SELECT count(*) FROM journal WHERE event = 'seen.identity' AND actor = 'liu.wei'"
    assert await services.pool.fetchval(seen) == 1
    assert not page.wrong
