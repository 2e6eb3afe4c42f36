"""The public pages in a real browser: legible, usable by keyboard, answered without a script."""

from typing import Final, Literal

import pytest

from hotline.database import Pool
from hotline.services import Services
from routing.cases import Role
from tests.hotline.console.app.seats import DESK, PHONE, fits, reports_nothing_serious, shows
from tests.hotline.console.browser import Page
from tests.hotline.console.conftest import Site
from tests.hotline.console.filled import Town
from tests.hotline.console.staff import CITY_LIGHTS, Staff, hire
from tests.hotline.console.test_open_pages import PAGES, disclosed_with_a_reply
from tests.hotline.console.test_progress_api import told_number

LOOKS: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")


@pytest.fixture
async def month(staff: Staff, town: Town, services: Services, pool: Pool) -> str:
    await hire(services, "desk", Role.DISPATCHER)
    await hire(services, "audit", Role.AUDITOR)
    await disclosed_with_a_reply(staff, town, services, pool)
    return "2026-11"


async def test_every_public_page_is_legible_in_both_languages_light_dark_and_on_a_telephone(
    site: Site, page: Page, month: str
) -> None:
    for path in (*(f"{one}?lang=zh" for one in PAGES), "?lang=en", f"{month}/index.html"):
        await page.open(f"{site.url}open/{path}")
        await page.until("document.querySelector('h1')")
        for look in LOOKS:
            await page.tab.emulate_media(color_scheme=look)
            await reports_nothing_serious(page)
        for size in (PHONE, DESK):
            await page.size(*size)
            await fits(page)
    assert not page.wrong


@pytest.mark.usefixtures("staff")
async def test_a_caller_asks_by_keyboard_how_a_matter_stands(
    site: Site, page: Page, town: Town, pool: Pool
) -> None:
    _, number = await told_number(town, pool)
    await page.size(*PHONE)
    await page.open(f"{site.url}open/progress?lang=zh")
    await page.tab.get_by_label("工单编号").fill(number)
    await page.tab.get_by_label("来电电话后四位").fill("1234")
    await page.press("Enter")
    await page.until("document.querySelector('[role=alert]')")
    assert await page.tab.get_by_label("工单编号").input_value() == number
    await page.tab.get_by_label("来电电话后四位").fill("5678")
    await page.press("Enter")
    await page.until(shows(CITY_LIGHTS))
    await reports_nothing_serious(page)
    await fits(page)
    assert [one for one in page.wrong if "404" not in one] == []
