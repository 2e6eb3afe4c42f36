"""A citizen's call rings in the page, is answered there by a click, and both hear each other."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from deploy.asterisk.browser_plan import BACK_SECONDS, LOST_SECONDS
from telephony.seating import LOGGED_OUT_REASON, seated
from tests.acceptance.browser_desk import CITIZEN_HZ, OPERATOR_HZ, SEAT, BrowserDesk, browser_desk
from tests.phones.softphones import HEARD, SILENT

pytestmark = [pytest.mark.acceptance, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(
    tmp_path_factory: pytest.TempPathFactory, postgres: str
) -> AsyncIterator[BrowserDesk]:
    async with browser_desk(tmp_path_factory.mktemp("desk"), postgres, "browserdesk") as desk:
        yield desk


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def _quiet(desk: BrowserDesk) -> None:
    await desk.begin()


async def test_a_call_rings_in_the_page_and_both_hear_each_other(desk: BrowserDesk) -> None:
    call = await desk.answered_call()
    await desk.citizen.hears(call, yes=(OPERATOR_HZ,), no=(700,))
    assert await desk.hears(CITIZEN_HZ) > HEARD
    assert await desk.hears(700) < SILENT
    await desk.page.click(".phone .hang-up")
    await desk.citizen.until("gone", call=call)
    await desk.until("registered")


async def test_a_reload_in_the_middle_of_a_call_brings_the_citizen_back(desk: BrowserDesk) -> None:
    call, returns = await desk.answered_call(), desk.returns()
    await desk.citizen.hears(call, yes=(OPERATOR_HZ,))
    await desk.page.ask("Page.reload")
    began = time.monotonic()
    await desk.until("talking")
    took = time.monotonic() - began
    await desk.citizen.hears(call, yes=(OPERATOR_HZ,))
    assert await desk.hears(CITIZEN_HZ) > HEARD
    assert not desk.citizen.has("gone", call=call)
    assert desk.returns() == returns + 1
    assert took < LOST_SECONDS, "the page itself said that it was loaded anew"
    await desk.page.click(".phone .hang-up")
    await desk.citizen.until("gone", call=call)
    stored = await desk.stored()
    assert (stored["outcome"], stored["operator"], stored["hangup_by"]) == (
        "answered",
        SEAT,
        "operator",
    )
    talk = (stored["talk_ended_at"] - stored["answered_at"]).total_seconds()
    assert min(stored["recorded"]) > talk - 1.0  # while he was brought back nobody spoke
    assert await desk.differences() == []


async def test_the_service_starts_anew_and_the_call_goes_on(desk: BrowserDesk) -> None:
    call, returns = await desk.answered_call(), desk.returns()
    await desk.service.kill()
    await desk.page.until("document.querySelector('.phone').dataset.linked === 'false'")
    assert await desk.state() == "talking"
    await desk.citizen.hears(call, yes=(OPERATOR_HZ,))
    assert await desk.hears(CITIZEN_HZ) > HEARD
    await desk.service.start()
    await desk.page.until("document.querySelector('.phone').dataset.linked === 'true'")
    await desk.citizen.hears(call, yes=(OPERATOR_HZ,))
    assert await desk.hears(CITIZEN_HZ) > HEARD
    assert await desk.state() == "talking"
    assert desk.returns() == returns
    await desk.citizen.order("hang_up", call=call)  # the page hears of it: its way is known again
    await desk.until("ended")


async def test_an_exchange_not_heard_for_a_moment_ends_no_call(desk: BrowserDesk) -> None:
    call, returns = await desk.answered_call(), desk.returns()
    await desk.citizen.hears(call, yes=(OPERATOR_HZ,))
    pid = desk.asterisk.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)  # as a network that is away: neither sound nor SIP, either way
    try:
        async with asyncio.timeout(LOST_SECONDS - 1):
            while await desk.hears(CITIZEN_HZ) > SILENT:
                pass  # each look lasts a second
    finally:
        os.kill(pid, signal.SIGCONT)
    await desk.citizen.hears(call, yes=(OPERATOR_HZ,))
    assert await desk.hears(CITIZEN_HZ) > HEARD
    assert (await desk.state(), desk.returns()) == ("talking", returns)
    await desk.page.click(".phone .hang-up")
    await desk.citizen.until("gone", call=call)


async def test_a_citizen_whose_operator_is_gone_for_good_is_first_in_the_queue(
    desk: BrowserDesk,
) -> None:
    """The page is closed and does not come back soon: found by its silence, kept for the next."""
    call, returns = await desk.answered_call(), desk.returns()
    await desk.page.open("about:blank")
    async with asyncio.timeout(LOST_SECONDS + 10):
        while desk.returns() == returns:  # noqa: ASYNC110 - Asterisk's own record rings no bell
            await asyncio.sleep(0.1)
    await desk.citizen.hears(call, no=(OPERATOR_HZ,))
    queued = desk.queue_log("ENTERQUEUE")
    async with asyncio.timeout(BACK_SECONDS + 10):
        while desk.queue_log("ENTERQUEUE") == queued:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.1)
    assert not desk.citizen.has("gone", call=call)
    await desk.page.open(f"{desk.service.url}/app/?back#/phone")
    await desk.until("ringing")
    await desk.page.click(".phone .answer")
    await desk.until("talking")
    await desk.citizen.hears(call, yes=(OPERATOR_HZ,))
    await desk.page.click(".phone .hang-up")
    await desk.citizen.until("gone", call=call)


async def test_hold_mute_and_keys(desk: BrowserDesk) -> None:
    call = await desk.answered_call()
    await desk.citizen.hears(call, yes=(OPERATOR_HZ,))
    await desk.page.click(".phone .mute")
    await desk.citizen.hears(call, no=(OPERATOR_HZ,))
    await desk.page.click(".phone .mute")
    await desk.citizen.hears(call, yes=(OPERATOR_HZ,))
    await desk.page.click(".phone .hold")
    await desk.until("held")
    await desk.citizen.hears(call, no=(OPERATOR_HZ,))
    assert await desk.hears(CITIZEN_HZ) < SILENT
    await desk.page.click(".phone .resume")
    await desk.until("talking")
    await desk.citizen.hears(call, yes=(OPERATOR_HZ,))
    assert await desk.hears(CITIZEN_HZ) > HEARD
    await desk.page.click(".phone .hang-up")
    await desk.citizen.until("gone", call=call)
    assert desk.page.wrong == []


async def test_the_desk_telephone_rings_where_it_is_chosen(desk: BrowserDesk) -> None:
    await desk.until("registered")
    told = await desk.post("/api/phone", {"chosen": "desk"})
    assert told["account"] is None
    members = {(one.interface, one.pause) for one in await seated(desk.reader)}
    assert members == {(f"PJSIP/{SEAT}", None)}
    told = await desk.post("/api/phone", {"chosen": "browser"})
    assert told["account"] is not None
    members = {(one.interface, one.pause) for one in await seated(desk.reader)}
    assert members == {(f"PJSIP/{SEAT}", LOGGED_OUT_REASON), (f"PJSIP/{SEAT}-web", None)}
