"""An administrator looks after accounts in the new console: each deed as it stands afterwards."""

import json
from pathlib import Path
from typing import Any

from hotline import user_rows
from hotline.services import Services
from hotline.users import User
from routing.cases import Role
from tests.hotline.console.app.doing import choose, press_button
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
from tests.hotline.console.staff import WATER, Staff, hire

SUBMIT = ".el-dialog__footer button[type=submit]:not([disabled])"
CLOSED = "![...document.querySelectorAll('.el-dialog')].some((one) => one.offsetParent)"
SECRET = "document.querySelector('.copy-text input')?.value"


async def _kept(services: Services, login: str) -> User:
    user = await user_rows.by_login(services.pool, login)  # type: ignore[arg-type]
    assert user is not None
    return user


async def _tick(page: Page, text: str) -> None:
    """Tick the box of the dialog that reads so."""
    found = (
        "[...document.querySelectorAll('.el-dialog .el-checkbox')]"
        f".find((it) => it.offsetParent && it.innerText.trim() === {json.dumps(text)})"
    )
    await page.until(found)
    await page.run(f"{found}.click()")


async def _secret(page: Page) -> Any:
    """What is shown this once, then closed."""
    await page.until(f"Boolean({SECRET})")
    secret = await page.run(SECRET)
    await press_button(page, "已交付，关闭", ".el-dialog")
    await page.until(CLOSED)
    return secret


async def _hired(services: Services) -> None:
    """The people of a small hotline, beside the administrator."""
    await hire(services, "wang.fang", Role.UNIT, unit=WATER, name="王芳", head=True)
    await hire(services, "chen.jing", Role.OPERATOR, name="陈静", extension="1001")
    await hire(services, "liu.wei", Role.DUTY_OFFICER, Role.DISPATCHER, name="刘伟")
    await hire(services, "sun.li", Role.SUPERVISOR, name="孙丽")
    await hire(services, "zhou.jie", Role.AUDITOR, Role.CALL_BACK, name="周洁")


async def test_a_user_is_added_changed_and_let_in_no_more(
    site: Site, services: Services, page: Page, staff: Staff, tmp_path: Path
) -> None:
    await _hired(services)
    await sign_in(page, site, staff, "zhao.min")
    await go(page, site, "/")
    await page.until("location.hash === '#/users'")  # an administrator's first page
    await page.press("n")
    await page.write("#user-name", "林娜")
    await page.write("#user-login", "lin.na")
    await _tick(page, "承办单位")
    await choose(page, "user-unit", WATER)
    await page.click("#make-password")
    await reports_nothing_serious(page)
    await page.picture(tmp_path / "user-form.png")
    await page.click(SUBMIT)
    assert len(await _secret(page)) == 19
    made = await _kept(services, "lin.na")
    assert (made.name, made.roles, made.unit) == ("林娜", frozenset({Role.UNIT}), WATER)
    assert made.must_change

    await page.click("#change-user")
    await _tick(page, "审核员")
    await page.click(SUBMIT)
    await page.until(CLOSED)
    await page.until("document.querySelector('.user-detail .tags').innerText.includes('审核员')")
    changed = await _kept(services, "lin.na")
    assert (changed.roles, changed.unit) == (frozenset({Role.UNIT, Role.AUDITOR}), WATER)

    await page.click("#make-token")
    await page.write("#token-name", "办件系统对接")
    await _tick(page, "承办单位")
    await page.click(SUBMIT)
    assert (await _secret(page)).startswith("hotline_")
    await page.click("#enter-absence")
    await choose(page, "absence-deputy", "王芳 · wang.fang")
    await page.write("#absence-reason", "年休假")
    await page.click(SUBMIT)
    await page.until(shows("代理人：王芳"))
    row = await services.pool.fetchrow("SELECT deputy, reason, entered_by FROM absences")
    assert row is not None
    assert row["deputy"] == (await _kept(services, "wang.fang")).id
    await reports_nothing_serious(page)
    await page.picture(tmp_path / "users.png")

    await page.click("#reset-user")
    await page.click(SUBMIT)
    assert await _secret(page)
    await page.click("#deactivate-user")
    await page.click(SUBMIT)
    await page.until(shows("该账号已停用"))
    assert not (await _kept(services, "lin.na")).active
    await page.click("#activate-user")
    await page.until("document.getElementById('deactivate-user')")
    assert (await _kept(services, "lin.na")).active
    assert not page.wrong


async def test_the_list_is_searched_and_the_last_administrator_stays(
    site: Site, services: Services, page: Page, staff: Staff, tmp_path: Path
) -> None:
    await _hired(services)
    await sign_in(page, site, staff, "zhao.min")
    await page.size(*PHONE)
    await go(page, site, "/users")
    await page.picture(tmp_path / "users-phone-list.png")
    await fits(page)
    await page.write("#user-words", "zhao")
    await page.until("document.querySelectorAll('.user-line').length === 1")
    await page.click(".user-line")
    await page.click("#deactivate-user")
    await page.click(SUBMIT)
    await page.until(shows("这是最后一个管理员"))
    await press_button(page, "取消", ".el-dialog")
    await page.until(CLOSED)
    await fits(page)
    await page.picture(tmp_path / "users-phone.png")
    await page.size(*DESK)
    await go(page, site, f"/users?id={(await _kept(services, 'wang.fang')).id}", "en")
    await page.until(shows("Head of the unit"))
    await reports_nothing_serious(page)
    await page.picture(tmp_path / "users-en.png")
