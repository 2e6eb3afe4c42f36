"""Signing in and the list of cases that follows the feed, as a person does it."""

from datetime import timedelta
from pathlib import Path

from hotline.services import Services
from routing.cases import Role
from telephony.calls import Leg
from tests.hotline.console.app.seats import fits, reports_nothing_serious
from tests.hotline.console.browser import Page
from tests.hotline.console.conftest import Site
from tests.hotline.console.filled import Said, Town
from tests.hotline.console.staff import hire

SAID = (Said(leg=Leg.CALLER, start=1.0, text="涪城区临园路的路灯坏了三天了，请帮忙修一下"),)

GAS = (Said(leg=Leg.CALLER, start=1.0, text="我家里煤气泄漏了，味道很大，快来人救命"),)
HOSTILE = "<img/src=x/onerror=document.title='taken'>"


async def test_a_person_signs_in_and_sees_the_case_that_comes_in_both_languages(
    site: Site, services: Services, page: Page, town: Town, tmp_path: Path
) -> None:
    await hire(services, "zhao.min", Role.ADMINISTRATOR)
    given = await hire(services, "li.na", Role.OPERATOR, password="given-on-paper-9")
    await services.pool.execute("UPDATE users SET must_change = true WHERE id = $1", given.id)
    # The first address leads here, and tells once why the identity provider sent somebody back.
    await page.open(f"{site.url}?lang=zh&problem=sign_in_refused")
    await page.until("document.body.innerText.includes('统一身份认证没有通过')")
    assert await page.run("location.pathname + location.search") == "/app/"
    await page.until("document.querySelector('#login')")
    await reports_nothing_serious(page)
    await page.picture(tmp_path / "sign_in.png")
    await page.write("#login", "li.na")
    await page.write("#password", "wrong-password")
    await page.click("button[type=submit]")
    await page.until("document.querySelector('[role=alert]')")
    await page.write("#password", "given-on-paper-9")
    await page.click("button[type=submit]")
    await page.until("document.body.innerText.includes('该口令由他人设置')")
    for name, value in (("old", "given-on-paper-9"), ("fresh", "a-new-one-of-mine")):
        await page.write(f"#{name}", value)
    await page.write("#again", "another")
    await page.click("button[type=submit]")
    await page.until("document.body.innerText.includes('两次输入的新口令不一致')")
    await page.write("#again", "a-new-one-of-mine")
    await page.click("button[type=submit]")
    await page.until("location.hash === '#/seat'")  # an operator's first page
    await page.run("location.hash = '/cases'")
    await page.until("document.body.innerText.includes('还没有工单')")
    await page.until("document.body.innerText.includes('实时')")
    call_id = await town.is_talked(services.clock() - timedelta(minutes=5), SAID)
    await town.case_of(call_id)
    await page.until("document.querySelectorAll('.case-line').length === 1")
    # An emergency stands on every page until somebody takes it; what a caller sends stays text.
    urgent = await town.is_talked(services.clock() - timedelta(minutes=2), GAS, name=HOSTILE)
    await page.until("document.querySelector('.emergency a')")
    assert str(await town.case_of(urgent)) in str(
        await page.run("document.querySelector('.emergency a').href")
    )
    await page.run("location.hash = '/calls'")
    await page.until("document.querySelectorAll('.call-line').length === 2")
    assert await page.run("document.querySelectorAll('.emergency a').length") == 1
    assert await page.run("document.querySelector('main').querySelectorAll('img').length") == 0
    await page.run("location.hash = '/cases'")
    await page.until("document.querySelectorAll('.case-line').length === 2")
    await reports_nothing_serious(page)
    await page.picture(tmp_path / "cases.png")
    await page.press("/")
    await page.until("document.activeElement.id === 'search'")
    await page.click("button[lang=en]")
    await page.until("document.body.innerText.includes('Draft') || "
                     "document.body.innerText.includes('draft')")  # fmt: skip
    await page.run("document.documentElement.classList.add('dark')")
    await page.size(390, 844)
    await fits(page)
    await page.picture(tmp_path / "phone.png")
    # The browser itself tells of the refused password; nothing else went wrong.
    assert all("401" in one for one in page.wrong), page.wrong
