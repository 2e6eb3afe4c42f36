"""The duty desk's instructions and contact book in the new console, each to its end."""

from datetime import timedelta
from pathlib import Path

from hotline.services import Services
from routing.cases import Role
from routing.numbers import SHANGHAI
from tests.hotline.console.app.seats import go, reports_nothing_serious, shows, sign_in
from tests.hotline.console.browser import Page
from tests.hotline.console.conftest import Site
from tests.hotline.console.duty_desk import ask
from tests.hotline.console.staff import Staff, hire

SUBMIT = ".el-dialog__footer button[type=submit]:not([disabled])"
CLOSED = "![...document.querySelectorAll('.el-dialog')].some((one) => one.offsetParent)"


async def _choose(page: Page, selector: str, value: str, event: str) -> None:
    await page.run(
        f"(() => {{ const it = document.querySelector('{selector}'); it.value = {value};"
        f" it.dispatchEvent(new Event('{event}', {{ bubbles: true }})); }})()"
    )


async def _step(page: Page, number: int, step: str, words: str) -> None:
    await page.click(f"#instruction-{number} .step-{step}")
    await page.write("#step-words", words)
    await page.click(SUBMIT)
    await page.until(CLOSED)


async def test_an_officer_takes_an_instruction_down_and_follows_it_to_its_evidence(
    site: Site, services: Services, page: Page, staff: Staff, tmp_path: Path
) -> None:
    await hire(services, "liu.wei", Role.DUTY_OFFICER)
    await sign_in(page, site, staff, "liu.wei")
    await go(page, site, "/duty/instructions")
    await page.click("#take-down")
    await page.write("#give-leader", "张副市长")
    await page.until("document.querySelector('#give-unit').options.length > 1")
    await _choose(page, "#give-unit", "it.options[1].value", "change")
    await page.write("#give-text", "请立即排查积水路段")
    due = services.clock().astimezone(SHANGHAI) + timedelta(hours=10)
    await _choose(page, "#give-due", f"'{due:%Y-%m-%dT%H:%M}'", "input")
    await page.click(SUBMIT)
    await page.until(shows("请立即排查积水路段"))
    number = await services.pool.fetchval("SELECT id FROM duty_instructions")
    await _step(page, number, "pass_on", "王科长")
    await page.until(shows("王科长"))
    await _step(page, number, "feedback", "已派两组人员")
    await page.click(f"#instruction-{number} summary")
    await page.until(shows("已派两组人员"))
    await reports_nothing_serious(page)
    await page.picture(tmp_path / "instructions.png")
    await _step(page, number, "done", "积水已排空，有照片")
    await page.until(f"!document.querySelector('#instruction-{number}')")
    row = await services.pool.fetchrow("SELECT * FROM duty_instructions")
    assert row is not None
    assert (row["state"], row["ended_by"]) == ("done", "liu.wei")


async def test_a_leaders_number_is_shown_for_a_reason_only_and_to_an_operator_never(
    site: Site, services: Services, page: Page, staff: Staff, tmp_path: Path
) -> None:
    await hire(services, "liu.wei", Role.DUTY_OFFICER)
    await hire(services, "chen.jing", Role.OPERATOR, extension="1001")
    book = {"unit": "市应急管理局", "post": "局长", "name": "陈建国", "phone": "13990112233"}
    dates = {"leader": True, "valid_from": "2026-01-01", "review": "2099-12-31"}
    officer = await staff.visitor("liu.wei")
    status, told = await ask(officer, "POST", "/api/duty/contacts", {**book, **dates})
    assert status == 200
    await sign_in(page, site, staff, "liu.wei")
    await go(page, site, "/duty/contacts")
    await page.click("#add-contact")
    await page.write("#contact-unit", "市水务局")
    await page.write("#contact-phone", "0816-2212345")
    await page.click(SUBMIT)
    await page.until(shows("0816-2212345"))
    assert not await page.run(shows("13990112233"))
    await page.click(f"#contact-{told['id']} .reveal")
    await page.write("#reveal-reason", "桥面积水需当面报告")
    await page.click(".el-dialog button[type=submit]:not([disabled])")
    await page.until(shows("13990112233"))
    await reports_nothing_serious(page)
    await page.picture(tmp_path / "contacts.png")
    await page.click(f"#contact-{told['id']} .replace")
    await page.write("#contact-post", "副局长")
    await page.click(SUBMIT)
    await page.until(shows("副局长") + " && " + CLOSED)
    water = "document.querySelector('.case-line:not(:has(.reveal)) .remove')"
    await page.run(f"{water}.click()")
    await page.click(SUBMIT)
    await page.until("!" + shows("0816-2212345"))
    left = await services.pool.fetch("SELECT event FROM journal WHERE event LIKE 'duty.contact%'")
    assert len(left) == 4  # entered twice, replaced, removed
    reason = await services.pool.fetchval(
        "SELECT body->>'reason' FROM journal WHERE event = 'seen.identity' AND actor = 'liu.wei'"
    )
    assert reason == "桥面积水需当面报告"
    await sign_in(page, site, staff, "chen.jing")
    await go(page, site, "/duty/contacts", "en")
    await page.until(shows("not given out"))
    assert not await page.run("Boolean(document.querySelector('.reveal, #add-contact'))")
    await reports_nothing_serious(page)
