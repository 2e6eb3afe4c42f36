"""Every page of the app: for its roles and nobody else, without a serious finding of axe.

Several pages and several roles share a test, because a browser of its own for each takes longer
than all that is looked at; what is wrong names its page.
"""

import json
from typing import Any

import pytest

from hotline.services import Services
from routing.cases import Role
from tests.hotline.console.app.seats import (
    DESK,
    PHONE,
    fits,
    go,
    pages,
    reports_nothing_serious,
    sign_in,
)
from tests.hotline.console.browser import Page
from tests.hotline.console.conftest import Site
from tests.hotline.console.staff import Staff, hire

PLAIN = [page for page in pages() if ":" not in page["path"]]
ROLES = sorted(set(Role) - {Role.SYSTEM})
PARTS = 4


@pytest.mark.parametrize("some", [ROLES[::2], ROLES[1::2]], ids="+".join)
async def test_a_role_has_its_own_pages_in_the_menu_and_is_refused_the_others(
    some: list[Role], site: Site, services: Services, page: Page, staff: Staff
) -> None:
    for number, role in enumerate(some):
        login = f"user-{role}".replace("_", "-")
        extension = f"10{number:02d}" if role is Role.OPERATOR else None
        await hire(services, login, role, extension=extension)
        await sign_in(page, site, staff, login)
        await _only_its_own(page, site, role)


async def _only_its_own(page: Page, site: Site, role: Role) -> None:
    await go(page, site, "/")
    own = {one["path"] for one in PLAIN if role in one["roles"]}
    listed = await page.run(
        "[...document.querySelectorAll('#menu a')].map((a) => a.getAttribute('href').split('#')[1])"
    )
    in_menu = {one["path"] for one in PLAIN if role in one["roles"] and "menu" in one}
    assert set(listed) == in_menu, role
    home = await page.run("location.hash.slice(1)")
    assert home in own or (home == "/nothing" and not own), role
    for path in (one["path"] for one in PLAIN):
        await page.run(f"location.hash = {json.dumps(path)}")
        refused = "Boolean(document.querySelector('main > .refused'))"
        wanted = "false" if path in own else "true"
        await page.until(f"location.hash === {json.dumps('#' + path)} && {refused} === {wanted}")
    assert not [one for one in page.wrong if "403" in one], (role, page.wrong)


@pytest.mark.parametrize("part", range(PARTS))
async def test_pages_without_anything_yet_are_whole_in_both_languages(
    part: int, site: Site, services: Services, page: Page, staff: Staff
) -> None:
    # A unit's people see only what is their unit's: whoever works at the hotline sees more.
    await hire(services, "lina", *(set(ROLES) - {Role.UNIT}), extension="1001")
    await hire(services, "zhou", Role.UNIT)
    for one in PLAIN[part::PARTS]:
        await sign_in(page, site, staff, "zhou" if one["roles"] == [Role.UNIT] else "lina")
        try:
            await _is_whole(page, site, one)
        except AssertionError as error:
            raise AssertionError(f"the page {one['name']}: {error}") from error


async def _is_whole(page: Page, site: Site, one: dict[str, Any]) -> None:
    await page.size(*DESK)
    await go(page, site, one["path"], "zh")
    await _is_said(page)
    # Nobody loads the page anew to read it in English, and a load takes longer than a look.
    await page.click(".tools button[lang=en]")
    await page.until("document.documentElement.lang === 'en'")
    await page.until("!document.querySelector('.el-skeleton')")
    await _is_said(page)
    await page.run("document.documentElement.classList.add('dark')")
    await reports_nothing_serious(page, "color-contrast")  # nothing else comes with the dark
    await page.size(*PHONE)
    await fits(page)
    assert not page.wrong, page.wrong


async def _is_said(page: Page) -> None:
    assert not await page.run("Boolean(document.querySelector('[role=alert]'))"), page.wrong
    await reports_nothing_serious(page)
    keys = await page.run("document.body.innerText.match(/\\b[a-z_]+\\.[a-z_]+\\b/g) || []")
    # The administrator's login and names of files are none.
    found = {key for key in keys if not key.endswith((".yaml", ".csv"))} - {"zhao.min"}
    assert not found, "a key without its words"
