"""The quality of calls: drawn, scored, appealed and decided by people at their screens."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from hotline.inspecting import InspectionDesk
from hotline.services import Services
from routing.cases import Role
from tests.hotline.console.app.seats import (
    PHONE,
    fits,
    go,
    reports_nothing_serious,
    shows,
    sign_in,
)
from tests.hotline.console.browser import Page
from tests.hotline.console.conftest import SEATS, Clock, Site
from tests.hotline.console.filled import Town
from tests.hotline.console.staff import Staff, hire
from tests.hotline.console.test_inspection_api import GOOD, RUDE
from tests.transcription.inspected import form

STANDS = """SELECT s.score, s.scorer, s.part FROM inspection_results r
              JOIN inspection_scores s ON s.id = r.score_id WHERE r.call_id = $1"""


@pytest.fixture
async def calls(town: Town, services: Services, clock: Clock, staff: Staff) -> list[int]:  # noqa: ARG001 - an administrator is there
    """Six calls of the week before, the last one rude; an operator and those who judge."""
    today = clock.at + timedelta(hours=8)
    week = clock.at - timedelta(days=today.weekday() + 4)
    desk = InspectionDesk(
        pool=services.pool,
        form=form,
        badges={one.extension: one.badge for one in SEATS},
        clock=services.clock,
    )
    found = []
    for number in range(6):
        at = week + timedelta(minutes=9 * number)
        said = RUDE if number == 5 else GOOD
        found.append(await town.is_talked(at, said, number=f"1389011{number:04d}"))
        await desk.inspect({"call_id": found[-1]})
    await hire(services, "li", Role.OPERATOR, extension="1001")
    await hire(services, "shen", Role.AUDITOR)
    await hire(services, "sun", Role.SUPERVISOR)
    return found


async def chosen(page: Page, view: str) -> None:
    """Take a list by its name."""
    await page.run(
        f"[...document.querySelectorAll('.el-radio-button')]"
        f".find((it) => it.innerText.trim() === {json.dumps(view)}).querySelector('input').click()"
    )


async def marks(page: Page, item: str, verdict: str) -> None:
    await page.run(
        f"(() => {{ const field = document.querySelector('[data-item={item}] select');"
        f"field.value = {json.dumps(verdict)};"
        f"field.dispatchEvent(new Event('change', {{ bubbles: true }})); }})()"
    )


async def test_a_supervisor_draws_a_week_and_sees_what_is_to_be_heard(
    site: Site, page: Page, staff: Staff, calls: list[int], tmp_path: Path
) -> None:
    await sign_in(page, site, staff, "sun")
    await go(page, site, "/quality")
    await page.until(shows("没有待评分的通话"))
    await page.click(".draw")
    await page.until("document.querySelector('#draw-week')")
    await reports_nothing_serious(page)
    await page.click(".el-dialog__footer .el-button--primary")
    await page.until(f"document.querySelector('a[href=\"#/quality/{calls[-1]}\"]')")
    await page.until(shows("需重点听") + " && " + shows("已出结果 0 / "))
    await reports_nothing_serious(page)
    await page.picture(tmp_path / "samples.png")
    assert not page.wrong


async def test_a_call_is_scored_appealed_and_decided(  # noqa: PLR0917 - fixtures
    site: Site,
    services: Services,
    page: Page,
    staff: Staff,
    calls: list[int],
    tmp_path: Path,
) -> None:
    rude = calls[-1]
    await sign_in(page, site, staff, "shen")
    await go(page, site, f"/quality/{rude}")
    await page.until(shows("你听不懂吗"))
    await page.until("document.querySelector('.scoring [data-item=rude]')")
    await reports_nothing_serious(page)
    await page.picture(tmp_path / "call.png")
    await marks(page, "rude", "lost")
    await page.write("[data-item=rude] .note input", "中间顶撞来电人")
    # What was scored so far is still there after a reload.
    await go(page, site, f"/quality/{rude}")
    await page.until("document.querySelector('[data-item=rude] .note input')?.value.length > 3")
    await reports_nothing_serious(page)
    await page.click(".scoring button[type=submit]")
    await page.until("!document.querySelector('.scoring') && " + shows("生效"))
    first = await services.pool.fetchrow(STANDS, rude)
    assert first is not None
    assert (first["scorer"], first["part"]) == ("shen", "first")
    assert first["score"] < 100

    await sign_in(page, site, staff, "li")
    await go(page, site, "/quality")
    await page.until(f"document.querySelector('a[href=\"#/quality/{rude}\"]')")
    await go(page, site, f"/quality/{rude}")
    assert not await page.run("document.body.innerText.includes('shen')")
    await page.click(".appeal")
    await page.click(".which input")
    await page.write("#appeal-reason", "来电人没听清，我重复了一遍，语气并不重")
    await reports_nothing_serious(page)
    await page.click(".el-dialog__footer .el-button--primary")
    await page.until(shows("申诉中"))

    await sign_in(page, site, staff, "sun")
    await go(page, site, f"/quality/{rude}", "en")
    await page.click(".uphold")
    await page.until("document.querySelector('.el-dialog [data-item=rude]')")
    await reports_nothing_serious(page)
    await marks(page, "rude", "kept")
    await page.write("#appeal-answer", "复听后语气正常，申诉成立")
    await page.click(".el-dialog__footer .el-button--primary")
    await page.until(shows("appeal upheld"))
    after = await services.pool.fetchrow(STANDS, rude)
    assert after is not None
    assert (after["scorer"], after["part"]) == ("sun", "appeal")
    assert after["score"] > first["score"]
    await page.picture(tmp_path / "decided.png")
    await page.size(*PHONE)
    await fits(page)
    assert not page.wrong


async def test_each_list_is_whole_and_an_operator_sees_the_own_calls_only(  # noqa: PLR0917 - fixtures
    site: Site,
    services: Services,
    page: Page,
    staff: Staff,
    calls: list[int],
    tmp_path: Path,
) -> None:
    await hire(services, "wang", Role.OPERATOR, extension="1002")
    await sign_in(page, site, staff, "shen")
    await go(page, site, "/quality")
    for view, said in (
        ("系统初检", f"通话 #{calls[0]}"),
        ("质检结果", "还没有质检结果"),
        ("申诉", "没有申诉"),
        ("辅导", "没有反复失分的项目"),
        ("评分一致性", "还没有两人都评过的通话"),
    ):
        await chosen(page, view)
        await page.until(shows(said))
        await reports_nothing_serious(page)
    await page.press("5")
    await page.until(shows("1 / 6"))
    await fits(page)
    await page.picture(tmp_path / "machine.png")
    await sign_in(page, site, staff, "wang")
    await go(page, site, "/quality")
    assert not await page.run("document.body.innerText.includes('待人工评分')")
    await chosen(page, "系统初检")
    await page.until(shows("没有符合条件的通话"))
    await go(page, site, f"/quality/{calls[0]}")
    await page.until("document.querySelector('[role=alert]')")
    assert all("404" in one for one in page.wrong), page.wrong


async def test_the_sheets_count_what_each_operator_did(
    site: Site, page: Page, staff: Staff, calls: list[int], tmp_path: Path
) -> None:
    await sign_in(page, site, staff, "sun")
    await go(page, site, "/sheets")
    await page.run(
        "[...document.querySelectorAll('button')].find((it) => it.innerText === '近 30 天').click()"
    )
    await page.until("document.querySelector('.sheets tbody td')?.innerText === '6'")
    assert len(calls) == 6
    await reports_nothing_serious(page)
    await fits(page)
    await page.picture(tmp_path / "sheets.png")
    assert not page.wrong
