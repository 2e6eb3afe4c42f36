"""One's own account in the new console: password, token, absence, and out everywhere."""

from pathlib import Path

from hotline import passwords, user_rows
from hotline.services import Services
from routing.cases import Role
from tests.hotline.console.app.doing import choose, press_button
from tests.hotline.console.app.seats import (
    PHONE,
    fits,
    go,
    reports_nothing_serious,
    shows,
    sign_in,
)
from tests.hotline.console.browser import Page
from tests.hotline.console.conftest import Site
from tests.hotline.console.staff import PASSWORD, Staff, hire

FRESH = "river-铁塔-58"


async def _set(page: Page, old: str, fresh: str) -> None:
    await page.write("#old-password", old)
    await page.write("#new-password", fresh)
    await page.write("#again-password", fresh)
    await page.click("#change-password:not([disabled])")


async def test_a_person_looks_after_the_own_account(
    site: Site, services: Services, page: Page, staff: Staff, tmp_path: Path
) -> None:
    lina = await hire(services, "lin.na", Role.DISPATCHER, name="林娜", password=PASSWORD)
    await hire(services, "wang.da", Role.DISPATCHER, name="王达")
    await sign_in(page, site, staff, "lin.na")
    await go(page, site, "/account")
    await _set(page, "not-the-password", FRESH)
    await page.until(shows("现口令不对"))
    await _set(page, PASSWORD, FRESH)
    await page.until(shows("口令已更改"))
    kept = await user_rows.password_of(services.pool, lina.id)  # type: ignore[arg-type]
    assert await passwords.fits(FRESH, kept)

    await page.click("#make-token")
    await page.write("#token-name", "报表程序")
    await page.click(".el-dialog__footer button[type=submit]:not([disabled])")
    await page.until("document.querySelector('.copy-text input')?.value.startsWith('hotline_')")
    await press_button(page, "已交付，关闭", ".el-dialog")
    assert await services.pool.fetchval("SELECT user_id FROM api_tokens") == lina.id

    await choose(page, "away-deputy", "王达")
    await page.write("#away-reason", "参加培训")
    await press_button(page, "保存")
    await page.until(shows("结束外出"))
    assert await services.pool.fetchval("SELECT who FROM absences") == lina.id
    await reports_nothing_serious(page)
    await page.picture(tmp_path / "account.png")
    await page.size(*PHONE)
    await fits(page)

    await page.click("#leave-everywhere")
    await press_button(page, "退出所有设备", ".el-dialog")
    await page.until("location.hash.startsWith('#/sign-in')")
    assert not await services.pool.fetchval(
        "SELECT count(*) FROM sessions WHERE user_id = $1 AND ended_at IS NULL", lina.id
    )
