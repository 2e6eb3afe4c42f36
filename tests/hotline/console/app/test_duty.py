"""The duty desk in the new console: an alarm is acknowledged, assessed and reported."""

from pathlib import Path

from hotline.services import Services
from routing.cases import Role
from tests.hotline.console.app.seats import go, reports_nothing_serious, shows, sign_in
from tests.hotline.console.browser import Page
from tests.hotline.console.conftest import Site
from tests.hotline.console.duty_desk import ask
from tests.hotline.console.staff import Staff, hire


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
