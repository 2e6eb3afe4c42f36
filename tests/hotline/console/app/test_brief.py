"""The brief as a leader uses it: figures with both numbers, hot spots, the cases behind them."""

from datetime import datetime, time, timedelta
from pathlib import Path

from hotline.services import Services
from routing.cases import Move, Role
from routing.numbers import SHANGHAI
from telephony.calls import Leg
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
from tests.hotline.console.filled import Said, Town
from tests.hotline.console.staff import CITY_LIGHTS, Staff, hire

LAMP = (Said(leg=Leg.CALLER, start=1.0, text="涪城区临园路的路灯坏了三天了，请帮忙修一下"),)
OPENED = {"kind": "help", "urgency": "normal", "level1": "城乡建设"}
AREAS = ("涪城区",) * 3 + ("游仙区", "江油市")
TABLE = "[...document.querySelectorAll('.{of} .figures tbody tr')].map((it) => it.innerText)"


async def yesterday(town: Town, services: Services) -> None:
    """Five cases of yesterday morning, three of them in one district, and one of the day before."""
    today = services.clock().astimezone(SHANGHAI).date()
    morning = datetime.combine(today - timedelta(days=1), time(9), SHANGHAI)
    moments = [morning + timedelta(minutes=20 * number) for number in range(len(AREAS))]
    for at, area in (*zip(moments, AREAS, strict=True), (morning - timedelta(days=1), "涪城区")):
        call_id = await town.is_talked(at, LAMP)
        opened = at + timedelta(minutes=5)
        await town.moves(call_id, Move.OPEN, opened, area=area, summary="路灯不亮", **OPENED)
        await town.moves(call_id, Move.DISPATCH, opened, unit=CITY_LIGHTS)


async def test_a_leader_reads_yesterday_and_follows_a_hot_spot_to_its_cases(  # noqa: PLR0917 - fixtures
    site: Site, services: Services, page: Page, staff: Staff, town: Town, tmp_path: Path
) -> None:
    await yesterday(town, services)
    await hire(services, "wu", Role.LEADER)
    await sign_in(page, site, staff, "wu")
    await go(page, site, "/")
    await page.until("location.hash.startsWith('#/brief')")  # where a leader begins
    await page.until("document.querySelectorAll('.chart svg').length === 4")
    assert await page.run(TABLE.format(of="topics")) == ["城乡建设\t5\t1\t+4"]
    areas = await page.run(TABLE.format(of="areas"))
    assert areas == ["涪城区\t3\t1\t+2", "江油市\t1\t0\t+1", "游仙区\t1\t0\t+1"]
    await page.until("document.querySelectorAll('.map .tile').length === 12")
    assert await page.run("document.querySelector('.map .heat-4').innerText") == "涪城区\n3 件"
    assert "5 / 5" in await page.run("document.querySelector('.rates').innerText")
    await page.until(shows("高峰：09时"))
    crossed = await page.run(TABLE.format(of="crossed"))
    assert crossed == ["城乡建设\t3\t1\t1\t5"]
    await page.until(shows("09 时，") + " || " + shows("9 时，"))
    await page.picture(tmp_path / "brief.png")
    await reports_nothing_serious(page)
    await fits(page)
    await page.click(".areas .figures a")
    await page.until("document.querySelectorAll('.case-line').length === 3")
    assert "#/cases?area=%E6%B6%AA%E5%9F%8E%E5%8C%BA&since=" in await page.run("location.hash")
    await go(page, site, "/cases?level1=城乡建设")
    await page.until("document.querySelectorAll('.case-line').length === 6")
    await page.click(".filters .el-tag__close")
    await page.until("!document.querySelector('.filters .category')")
    assert not page.wrong


async def test_a_brief_goes_back_by_keys_and_is_taken_along_as_a_file(  # noqa: PLR0917 - fixtures
    site: Site, services: Services, page: Page, staff: Staff, town: Town, tmp_path: Path
) -> None:
    await yesterday(town, services)
    await hire(services, "sun", Role.SUPERVISOR)
    await sign_in(page, site, staff, "sun")
    await go(page, site, "/brief", "en")
    await page.until("document.querySelectorAll('.chart svg').length === 4")
    await reports_nothing_serious(page)
    await page.press("[")
    await page.until(f"({TABLE.format(of='topics')})[0] === '城乡建设\\t1\\t0\\t+1'")
    taken = await page.run(
        "Promise.all([...document.querySelectorAll('.files a')].map((a) => fetch(a.href)"
        ".then((it) => [it.status, it.headers.get('content-type').split(';')[0]])))"
    )
    assert [status for status, _ in taken] == [200] * 3
    assert [media.split("/")[1] for _, media in taken][::2] == ["html", "pdf"]
    assert await services.pool.fetchval(
        "SELECT count(*) FROM journal WHERE event = 'report.taken' AND actor = 'sun'"
    ) == 3  # fmt: skip
    await page.size(*PHONE)
    await page.until("document.querySelector('.hours svg').clientWidth < innerWidth")
    await fits(page)
    await page.picture(tmp_path / "brief_phone.png")
    assert not page.wrong
