"""The notice cards in the app: found, read as they are told, written, doubted, told no longer."""

from pathlib import Path

import pytest

from hotline import card_rows, city_rows
from hotline.database import transaction
from hotline.services import Services
from routing.cases import Role
from routing.directory import read_city
from tests.hotline.console.app.doing import press_button
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
from tests.hotline.console.staff import WATER, Staff, hire
from tests.hotline.console.test_city_api import MIANYANG

SUBMIT = ".el-dialog__footer button[type=submit]:not([disabled])"
LINES = "document.querySelectorAll('.card-line').length"


@pytest.fixture(autouse=True)
async def loaded(services: Services) -> None:
    async with transaction(services.pool) as tx:
        await city_rows.load(tx, read_city(MIANYANG), by="admin", at=services.clock())
    await services.city_desk.refresh()


async def _card(services: Services, key: str) -> card_rows.CardVersion:
    async with transaction(services.pool) as tx:
        card = await card_rows.by_key(tx, key)
    assert card is not None
    return card


async def test_a_unit_changes_its_card_and_an_operator_reads_and_doubts_it(
    site: Site, services: Services, page: Page, staff: Staff, tmp_path: Path
) -> None:
    await hire(services, "wang.fang", Role.UNIT, unit=WATER, name="王芳")
    await hire(services, "chen.jing", Role.OPERATOR, name="陈静", extension="1001")
    await hire(services, "liu.wei", Role.DISPATCHER, name="刘伟")
    await sign_in(page, site, staff, "wang.fang")
    await go(page, site, "/cards")
    await page.until(f"{LINES} === 18")
    await page.write("#card-words", "水表过户")
    await page.until(f"{LINES} < 18 && document.querySelector('.card-line b')")
    await page.click(".card-line")
    await page.until(shows("必须一次告知"))
    await page.click("#change-card")
    await page.write("#card-limit", "1 个工作日办结")
    await page.write("#card-reason", "提速")
    await reports_nothing_serious(page)
    await page.picture(tmp_path / "card-form.png")
    await page.click(SUBMIT)
    await page.until(shows("1 个工作日办结"))
    await page.until("document.querySelectorAll('.card-version').length === 2")
    card = await _card(services, "water-transfer")
    assert (card.version, card.by, card.text.limit) == (2, "wang.fang", "1 个工作日办结")
    other = await _card(services, "housing-fund-withdraw")
    await go(page, site, f"/cards?id={other.card_id}")
    await page.until(shows(other.text.title))
    assert not await page.run("Boolean(document.getElementById('change-card'))")

    await sign_in(page, site, staff, "chen.jing")
    await go(page, site, f"/cards?id={card.card_id}")
    await page.until(shows("1 个工作日办结"))
    assert not await page.run("Boolean(document.getElementById('add-card'))")
    await page.click("#doubt-card")
    await page.write("#card-remark", "窗口已搬到政务中心二楼")
    await page.click(SUBMIT)
    await page.until(shows("窗口已搬到政务中心二楼"))
    await reports_nothing_serious(page)
    await page.picture(tmp_path / "cards.png")
    await page.click('.card-version a[href$="version=1"]')
    await page.until(shows("这是第 1 版的内容，现行为第 2 版"))
    assert not page.wrong


async def test_a_new_card_is_published_and_withdrawn(
    site: Site, services: Services, page: Page, staff: Staff, tmp_path: Path
) -> None:
    await hire(services, "wang.fang", Role.UNIT, unit=WATER, name="王芳")
    await sign_in(page, site, staff, "wang.fang")
    await go(page, site, "/cards")
    await page.press("n")
    for name, text in {
        "title": "临时用水申请",
        "key": "water-temp",
        "review": "2027-03-31",
        "materials": "营业执照\n用水申请表",
        "procedure": "窗口申请\n现场勘察",
        "limit": "5 个工作日",
        "address": "样例路 1 号",
        "transport": "乘样例 1 路",
        "hours": "工作日 9:00-17:00",
    }.items():
        await page.write(f"#card-{name}", text)
    await page.click("#card-category")
    option = (
        "[...document.querySelectorAll('.el-select-dropdown__item')]"
        ".find((it) => it.offsetParent && it.innerText.trim() === '城乡建设')"
    )
    await page.until(option)
    await page.run(f"{option}.click()")
    await page.open("about:blank")  # a browser that goes away takes nothing along
    await go(page, site, "/cards")
    await page.press("n")
    await page.until(shows("以下是上次未保存的内容"))
    await page.click(SUBMIT)
    await page.until("location.hash.startsWith('#/cards?id=')")
    await page.until(shows("现场勘察"))
    card = await _card(services, "water-temp")
    assert (card.text.unit, card.text.materials) == ("water", ("营业执照", "用水申请表"))
    await page.click("#retire-card")
    await page.write("#card-remark", "并入水表报装")
    await page.click(SUBMIT)
    await page.until(shows("已停用，不再对外告知：并入水表报装"))
    await page.size(*PHONE)
    await go(page, site, f"/cards?id={card.card_id}", "en")
    await page.until(shows("Withdrawn, told no longer"))
    await fits(page)
    await reports_nothing_serious(page)
    await page.picture(tmp_path / "card-phone.png")
    await press_button(page, "Put back in use")
    await page.click(SUBMIT)
    await page.until("document.getElementById('retire-card')")
    assert (await _card(services, "water-temp")).version == 3
    assert not page.wrong
