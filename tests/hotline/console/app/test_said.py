"""Somebody looks for what was said, hears it from the word, and all of it for a reason."""

import json
from datetime import timedelta

from hotline.services import Services
from routing.cases import Role
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
from tests.hotline.console.staff import Staff, hire

SAID = (
    Said(leg=Leg.OPERATOR, start=0.0, text="您好请讲"),
    Said(leg=Leg.CALLER, start=4.0, text="我在佛城区临园路电话幺三八零八幺幺二三四五"),
    Said(leg=Leg.CALLER, start=14.0, text="路灯坏了三天"),
)
FIELD = "document.getElementById('said-words')"


async def look_for(page: Page, words: str) -> None:
    """Type into the field as a browser does, and send the form."""
    await page.until(f"Boolean({FIELD})")
    await page.run(
        f"{FIELD}.value = {json.dumps(words)}, {FIELD}.dispatchEvent(new Event('input')),"
        f" {FIELD}.form.requestSubmit()"
    )


async def test_a_word_is_found_and_heard_from_its_second_and_whole_for_a_reason(
    site: Site, services: Services, page: Page, staff: Staff, town: Town
) -> None:
    call = await town.is_talked(services.clock() - timedelta(minutes=9), SAID, talk=30)
    await hire(services, "lina", Role.SUPERVISOR)
    await sign_in(page, site, staff, "lina")
    await go(page, site, "/said")
    await look_for(page, "涪城区")
    await page.until(shows("我在涪城区临园路电话***********。"))
    assert await page.run("document.querySelector('mark').innerText") == "涪城区"
    await reports_nothing_serious(page)
    await page.run("document.querySelector('.said-hit button').click()")
    sound = f"/api/calls/{call}/sound/caller#t=13.48"
    source = "document.querySelector('audio').getAttribute('src')"
    await page.until(f"{source} === {json.dumps(sound)}")
    # The browser itself goes to the second that the address names.
    await page.until("document.querySelector('audio').currentTime >= 13.4")
    assert await page.run("document.querySelector('audio').currentTime") < 20
    await page.run("[...document.querySelectorAll('.said-player button')][0].click()")
    await page.until("document.getElementById('reveal-reason')?.offsetParent")
    await page.run(
        "(field => { field.value = '核对回访号码'; field.dispatchEvent(new Event('input'));"
        " field.form.requestSubmit() })(document.getElementById('reveal-reason'))"
    )
    whole = f"/api/calls/{call}/sound/caller?whole=true#t=13.48"
    await page.until(f"document.querySelector('audio').getAttribute('src') === {json.dumps(whole)}")
    row = await services.pool.fetchrow(
        "SELECT actor, body::text AS body FROM journal WHERE event = 'seen.identity'"
    )
    assert row is not None
    assert row["actor"] == "lina"
    assert "核对回访号码" in row["body"]
    await page.size(*PHONE)
    await fits(page)
    assert not page.wrong


async def test_words_that_nobody_said_say_what_to_try(
    site: Site, services: Services, page: Page, staff: Staff, town: Town
) -> None:
    await town.is_talked(services.clock() - timedelta(minutes=9), SAID, talk=30)
    await hire(services, "lina", Role.AUDITOR)
    await sign_in(page, site, staff, "lina")
    await go(page, site, "/said?words=鹿灯")
    await page.until(shows("同音、近音也算”"))
    await go(page, site, "/said?words=鹿灯&by_sound=true")
    await page.until(shows("路灯坏了"))
    await reports_nothing_serious(page)
    # An auditor hears calls, and never whole: there is no such button.
    await page.run("document.querySelector('.said-hit button').click()")
    await page.until("Boolean(document.querySelector('audio'))")
    assert not await page.run(shows("完整收听"))
