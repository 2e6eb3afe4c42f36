"""The live wall as a supervisor uses it: who waits, who sits, what is late, what bursts."""

from datetime import timedelta
from pathlib import Path

from hotline.database import transaction
from hotline.services import Services
from routing.cases import Role
from telephony.calls import Leg, Outcome
from tests.hotline.console.app.seats import (
    PHONE,
    fits,
    go,
    reports_nothing_serious,
    shows,
    sign_in,
)
from tests.hotline.console.browser import Page
from tests.hotline.console.conftest import Clock, Site
from tests.hotline.console.filled import Said, Town
from tests.hotline.console.staff import Staff, hire

LAMP = (Said(leg=Leg.CALLER, start=1.0, text="涪城区临园路的路灯坏了三天了，请帮忙修一下"),)
GAS = (Said(leg=Leg.CALLER, start=1.0, text="游仙区有燃气泄漏，味道很重，有人晕倒了，救命"),)
FIGURES = "[...document.querySelectorAll('.line .figure b')].map((it) => it.innerText)"


async def busy_hour(town: Town, services: Services) -> None:
    """One waits, one rings, one speaks; two were answered in time, one too late, one hung up."""
    now = services.clock()
    for minutes, wait in ((300, 6.0), (200, 9.0), (100, 40.0)):
        await town.is_talked(now - timedelta(minutes=minutes), LAMP, wait=wait)
    await town.is_lost(now - timedelta(minutes=90), wait=70, outcome=Outcome.ABANDONED)
    await town.is_talked(now - timedelta(minutes=20), GAS)
    _, speaking = await town.starts(town.call(now - timedelta(seconds=200)))
    await town.answers(speaking, wait=5)
    _, ringing = await town.starts(town.call(now - timedelta(seconds=50), number="13990121234"))
    await town.rings(ringing)
    await town.starts(town.call(now - timedelta(seconds=95), number="13890234567"))
    await seats(services)


async def seats(services: Services) -> None:
    """One seat speaks, the other has a pause; a line lacks somebody."""
    now = services.clock()
    async with transaction(services.pool) as tx:
        await tx.execute(
            """INSERT INTO operator_states (operator, system, state, reason, since, lines)
               VALUES ('1001', 'mianyang-1', 'talking', NULL, $1, '{mayor,duty}'),
                      ('1002', 'mianyang-1', 'paused', 'meal', $2, '{mayor}')""",
            now - timedelta(seconds=195),
            now - timedelta(minutes=12),
        )
        await tx.execute(
            """INSERT INTO coverage_gaps (line, kind, starts_at, noticed_at)
               VALUES ('duty', 'staff', $1, $1)""",
            now - timedelta(minutes=4),
        )


async def burst(services: Services) -> int:
    async with transaction(services.pool) as tx:
        case = await tx.fetchval("SELECT min(id) FROM cases")
        number = await tx.fetchval(
            """INSERT INTO bursts (sort, area, level1, first_case, raised_at, stretch, raised_with,
                                   usual, last_at)
               VALUES ('category', '涪城区', '市政', $1, $2, '2 hours', 7, 1.5, $2)
               RETURNING id""",
            case,
            services.clock() - timedelta(minutes=9),
        )
    assert isinstance(number, int)
    return number


async def test_the_wall_shows_the_hour_as_it_is_and_follows_it(  # noqa: PLR0917 - fixtures
    site: Site,
    services: Services,
    page: Page,
    staff: Staff,
    town: Town,
    tmp_path: Path,
    clock: Clock,
) -> None:
    await busy_hour(town, services)
    number = await burst(services)
    await hire(services, "sun", Role.SUPERVISOR, extension="1001")
    await sign_in(page, site, staff, "sun")
    await go(page, site, "/wall")
    assert await page.run("location.hash") == "#/wall"
    # Of eight, four were spoken to within 15 s; of six that are decided, one was lost.
    await page.until(shows("4 / 8") + " && " + shows("5 / 6"))
    waiting, longest = (await page.run(FIGURES))[:2]
    assert waiting == "2"
    assert longest.startswith("1:")
    for said in ("值班电话现在无人值守", "用餐", "特急工单 1 件", "平时约 1.5 件", "138****4567"):
        await page.until(shows(said))
    await reports_nothing_serious(page)
    await page.picture(tmp_path / "wall.png")
    await page.click(".bursts button")
    await page.until("document.querySelectorAll('.bursts button').length === 0")
    async with transaction(services.pool) as tx:
        seen = await tx.fetchval("SELECT acknowledged_by FROM bursts WHERE id = $1", number)
    assert seen == "sun"
    clock.forward(seconds=30)  # the service counts its numbers anew after a while
    await town.starts(town.call(clock.at - timedelta(seconds=9), number="13890999999"))
    await page.until(shows("138****9999"))
    await page.until(f"({FIGURES})[0] === '3'")
    await go(page, site, "/wall", "en")
    await page.until(shows("Nobody answers the line"))
    await reports_nothing_serious(page)
    await page.picture(tmp_path / "wall_en.png")
    assert not page.wrong


async def test_calls_are_attended_only_by_a_supervisor_and_the_refusal_is_told(
    site: Site, services: Services, page: Page, staff: Staff, town: Town
) -> None:
    await busy_hour(town, services)
    await hire(services, "sun", Role.SUPERVISOR, extension="1002")
    await hire(services, "wu", Role.LEADER)
    await sign_in(page, site, staff, "sun")
    await go(page, site, "/wall")
    await page.click(".calls .listen")
    await page.until("document.querySelector('.card .refused button') === null && "
                     + shows("您不能对此通话进行该操作"))  # fmt: skip
    await page.click(".calls .barge")
    await page.until("document.querySelector('.el-message-box')")
    await reports_nothing_serious(page)
    await page.click(".el-message-box__btns button:not(.el-button--primary)")
    await page.until("!document.querySelector('.el-overlay-message-box:not([style*=none])')")
    assert await page.run("document.querySelectorAll('.calls .pick-up').length") == 1
    await sign_in(page, site, staff, "wu")
    await go(page, site, "/wall")
    await page.until(shows("138****4567"))
    assert not await page.run("document.querySelector('.calls button')")


async def test_big_type_fills_a_wall_screen_and_a_key_takes_it_back(  # noqa: PLR0917 - fixtures
    site: Site, services: Services, page: Page, staff: Staff, town: Town, tmp_path: Path
) -> None:
    await busy_hour(town, services)
    await hire(services, "wu", Role.LEADER)
    await sign_in(page, site, staff, "wu")
    await page.size(1920, 1080)
    await go(page, site, "/wall?big=1")
    await page.until(shows("值班电话现在无人值守"))
    await fits(page)
    await reports_nothing_serious(page)
    await page.picture(tmp_path / "wall_big.png")
    assert await page.run("getComputedStyle(document.querySelector('.menu')).display") == "none"
    await page.press("b")
    await page.until("getComputedStyle(document.querySelector('.menu')).display !== 'none'")
    await fits(page)
    await page.picture(tmp_path / "wall_wide.png")
    await page.size(*PHONE)
    await fits(page)
    await page.picture(tmp_path / "wall_phone.png")


async def test_the_coming_week_is_told_by_the_hour(  # noqa: PLR0917 - fixtures
    site: Site, services: Services, page: Page, staff: Staff, town: Town, tmp_path: Path
) -> None:
    now = services.clock()
    for days in range(1, 22):
        for hours in range(5):
            await town.is_talked(now - timedelta(days=days, hours=hours), LAMP)
    await hire(services, "wu", Role.LEADER)
    await sign_in(page, site, staff, "wu")
    await go(page, site, "/staffing")
    await page.until("document.querySelectorAll('.chart tbody tr').length >= 24")
    await page.until("document.querySelector('.chart svg')")
    await reports_nothing_serious(page)
    await fits(page)
    await page.picture(tmp_path / "staffing.png")
    await go(page, site, "/wall")
    await page.until("document.querySelectorAll('.coming tbody tr').length === 6")
    assert not page.wrong
