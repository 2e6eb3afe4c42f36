"""The directory of units in the new console."""

from pathlib import Path

from hotline.services import Services
from routing.cases import Role
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
from tests.hotline.console.staff import Staff, hire


async def test_a_unit_is_found_by_what_it_is_for(
    site: Site, services: Services, page: Page, staff: Staff, tmp_path: Path
) -> None:
    await hire(services, "sun.li", Role.SUPERVISOR, name="孙丽")
    await sign_in(page, site, staff, "sun.li")
    await go(page, site, "/units")
    await page.write("#unit-words", "路灯")
    await page.until("document.querySelectorAll('.unit-line').length < 20")
    await page.click(".unit-line")
    await page.until(shows("尚未登记通知地址"))
    await page.until(shows("办公时间"))
    await reports_nothing_serious(page)
    await page.picture(tmp_path / "units.png")
    await page.size(*PHONE)
    await fits(page)
    await page.picture(tmp_path / "units-phone.png")
    await page.size(*DESK)
    await go(page, site, "/units?unit=urban", "en")
    await page.until(shows("Told at"))
    await reports_nothing_serious(page)
    assert not page.wrong
