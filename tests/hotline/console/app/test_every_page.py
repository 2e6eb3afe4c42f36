"""Every page of the app: for its roles and nobody else, without a serious finding of axe."""

import json
from typing import Any

import pytest

from hotline.services import Services
from routing.cases import Role
from tests.hotline.console.app.seats import PHONE, fits, go, pages, reports_nothing_serious, sign_in
from tests.hotline.console.browser import Page
from tests.hotline.console.conftest import Site
from tests.hotline.console.staff import Staff, hire

PLAIN = [page for page in pages() if ":" not in page["path"]]
ROLES = sorted(set(Role) - {Role.SYSTEM})


@pytest.mark.parametrize("role", ROLES)
async def test_a_role_has_its_own_pages_in_the_menu_and_is_refused_the_others(
    role: Role, site: Site, services: Services, page: Page, staff: Staff
) -> None:
    await hire(services, "lina", role, extension="1001" if role is Role.OPERATOR else None)
    await sign_in(page, site, staff, "lina")
    await go(page, site, "/")
    own = {one["path"] for one in PLAIN if role in one["roles"]}
    listed = await page.run(
        "[...document.querySelectorAll('#menu a')].map((a) => a.getAttribute('href').split('#')[1])"
    )
    assert set(listed) == {one["path"] for one in PLAIN if role in one["roles"] and "menu" in one}
    home = await page.run("location.hash.slice(1)")
    assert home in own or (home == "/nothing" and not own)
    for path in (one["path"] for one in PLAIN):
        await page.run(f"location.hash = {json.dumps(path)}")
        refused = "Boolean(document.querySelector('main > .refused'))"
        wanted = "false" if path in own else "true"
        await page.until(f"location.hash === {json.dumps('#' + path)} && {refused} === {wanted}")
    assert not [one for one in page.wrong if "403" in one], page.wrong


@pytest.mark.parametrize("one", PLAIN, ids=lambda one: one["name"])
async def test_a_page_without_anything_yet_is_whole_in_both_languages(
    one: dict[str, Any], site: Site, services: Services, page: Page, staff: Staff
) -> None:
    roles = [Role(role) for role in one["roles"]]
    # A unit's people see only what is their unit's: whoever works at the hotline sees more.
    seen_by = [role for role in roles if role is not Role.UNIT] or roles
    await hire(services, "lina", *seen_by, extension="1001")
    await sign_in(page, site, staff, "lina")
    for language in ("zh", "en"):
        await go(page, site, one["path"], language)
        assert not await page.run("Boolean(document.querySelector('[role=alert]'))"), page.wrong
        await reports_nothing_serious(page)
        keys = await page.run("document.body.innerText.match(/\\b[a-z_]+\\.[a-z_]+\\b/g) || []")
        assert set(keys) <= {"zhao.min"}, "a key without its words"  # the administrator's login
    await page.run("document.documentElement.classList.add('dark')")
    await reports_nothing_serious(page)
    await page.size(*PHONE)
    await fits(page)
    assert not page.wrong
