"""A citizen's call rings in the page, is answered there by a click, and both hear each other."""

import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.acceptance.browser_desk import (
    CITIZEN_HZ,
    OPERATOR_HZ,
    BrowserDesk,
    browser_desk,
)
from tests.phones.softphones import HEARD, SILENT

pytestmark = [pytest.mark.acceptance, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(
    tmp_path_factory: pytest.TempPathFactory, postgres: str
) -> AsyncIterator[BrowserDesk]:
    async with browser_desk(tmp_path_factory.mktemp("desk"), postgres, "browserdesk") as desk:
        await desk.take_the_browser()
        yield desk


async def test_a_call_rings_in_the_page_and_both_hear_each_other(desk: BrowserDesk) -> None:
    call = await desk.answered_call()
    await desk.citizen.hears(call, yes=(OPERATOR_HZ,), no=(700,))
    assert await desk.hears(CITIZEN_HZ) > HEARD
    assert await desk.hears(700) < SILENT
    await desk.page.click(".phone .hang-up")
    await desk.citizen.until("gone", call=call)
    await desk.until("registered")


async def test_a_reload_in_the_middle_of_a_call_brings_the_citizen_back(desk: BrowserDesk) -> None:
    call = await desk.answered_call()
    await desk.citizen.hears(call, yes=(OPERATOR_HZ,))
    await desk.page.ask("Page.reload")
    began = time.monotonic()
    await desk.until("talking")
    print(f"talking again {time.monotonic() - began:.1f} s after the reload")
    await desk.citizen.hears(call, yes=(OPERATOR_HZ,))
    assert await desk.hears(CITIZEN_HZ) > HEARD
    assert not desk.citizen.has("gone", call=call)
    await desk.page.click(".phone .hang-up")
    await desk.citizen.until("gone", call=call)


async def test_the_service_starts_anew_and_the_call_goes_on(desk: BrowserDesk) -> None:
    call = await desk.answered_call()
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
    await desk.citizen.order("hang_up", call=call)  # the page hears of it: its way is known again
    await desk.until("ended")
