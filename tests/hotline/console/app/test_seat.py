"""The operator's seat: the pop, captions of both sides, offers that a click accepts, the form."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Request

from hotline import city_rows
from hotline.caption_board import CaptionState, Standing
from hotline.database import Pool, transaction
from hotline.services import Services
from routing.cases import Role
from routing.directory import read_city
from telephony.calls import Call, Leg, Outcome, Side
from tests.hotline.console.app.doing import press_button
from tests.hotline.console.app.seats import fits, go, reports_nothing_serious, shows, sign_in
from tests.hotline.console.browser import Page
from tests.hotline.console.conftest import Clock, Site, configured, opened, services_on
from tests.hotline.console.filled import Said, Town, seconds
from tests.hotline.console.staff import CITY_LIGHTS, Staff, hire
from tests.hotline.console.test_cards_api import MIANYANG
from transcription.captions import Caption
from transcription.transcripts import Word

WORDS = "涪城区临园路的路灯坏了三天了，请帮忙修一下"
SAID = (
    Said(leg=Leg.OPERATOR, start=0.5, text="您好，市长热线，请讲"),
    Said(leg=Leg.CALLER, start=4.0, text=WORDS),
)


@pytest.fixture
def services(tmp_path: Path, pool: Pool, database: str, clock: Clock) -> Services:
    # What is sent waits in the outbox: nothing here delivers it.
    sms = {"kind": "sms", "name": "sms", "url": "http://127.0.0.1:9/", "body": '{"to": "{to}"}'}
    return services_on(configured(tmp_path, destinations=[sms]), pool, database, clock)


@pytest.fixture
async def seat(services: Services, site: Site, page: Page, staff: Staff) -> Page:
    await hire(services, "lina", Role.OPERATOR, extension="1001")
    await sign_in(page, site, staff, "lina")
    await go(page, site, "/seat")
    return page


def says(services: Services, call_id: int, segment: int, leg: Leg, text: str) -> None:
    end = segment + 0.5
    services.captions.say(
        call_id,
        Caption(
            leg=leg,
            segment=segment,
            start=float(segment),
            end=end,
            at=services.clock(),
            text=text,
            words=(Word(text=text, start=float(segment), end=end, conf=0.9),),
        ),
    )


async def talks(services: Services, town: Town) -> tuple[int, Call]:
    """A call that this seat talks on, with captions."""
    await town.is_talked(services.clock() - timedelta(days=2), SAID)
    _, call = await town.starts(town.call(services.clock() - timedelta(seconds=30)))
    _, call = await town.rings(call)
    call_id, call = await town.answers(call)
    services.captions.stand(call_id, Standing(state=CaptionState.ON))
    says(services, call_id, 1, Leg.OPERATOR, "您好，请讲")
    says(services, call_id, 2, Leg.CALLER, "临园路的路灯坏了")
    return call_id, call


async def is_over(services: Services, town: Town, call_id: int, call: Call) -> None:
    assert call.answered_at is not None
    at = call.answered_at + seconds(25)
    services.captions.stand(call_id, Standing(state=CaptionState.OVER))
    call = replace(call, ended_at=None)
    _, call = await town.ends(call, at, Outcome.ANSWERED, Side.CALLER)
    await town.records(call_id, call)
    await town.hears(call_id, call, SAID)


async def test_from_the_ring_to_the_dispatch_by_accepted_offers(
    seat: Page, services: Services, town: Town, tmp_path: Path
) -> None:
    call_id, call = await talks(services, town)
    await seat.until(shows("138****5678"))
    await seat.until(shows("此前来电 1 次"))
    await seat.until("document.querySelectorAll('.caption-lines li').length === 2")
    sides = "[...document.querySelectorAll('.caption-lines li')].map((it) => it.className.trim())"
    assert await seat.run(sides) == ["operator", "caller"]
    await reports_nothing_serious(seat)
    await seat.picture(tmp_path / "talking.png")
    await seat.until("document.getElementById('move-summary')")
    await seat.write("#move-summary", "来电反映路灯不亮")

    await is_over(services, town, call_id, call)
    await seat.until("document.querySelector('[data-offer=level1]')")
    kept = "document.getElementById('move-summary').value"
    assert await seat.run(kept) == "来电反映路灯不亮"  # what is written outlives the call's end
    for name in ("kind", "urgency", "level1", "area"):
        await seat.click(f"[data-offer={name}]")
    await seat.until(shows("建议") + " && " + shows("涪城区"))
    await seat.picture(tmp_path / "offers.png")
    await reports_nothing_serious(seat)
    await press_button(seat, "确认立案", ".move-send")
    await seat.until(f"{kept} !== undefined && " + shows("派单"))
    row = await services.pool.fetchrow(
        "SELECT state, level1, area, summary FROM cases WHERE call_id = $1", call_id
    )
    assert row is not None
    assert tuple(row) == ("open", "城乡建设", "涪城区", "来电反映路灯不亮")
    await seat.until("document.querySelector('[data-offer=unit]')")
    await seat.click("[data-offer=unit]")
    await press_button(seat, "派单", ".move-send")
    await seat.until(shows("已派单"))
    unit = await services.pool.fetchval("SELECT unit FROM cases WHERE call_id = $1", call_id)
    assert unit in {CITY_LIGHTS, "涪城区综合行政执法局"}
    # There is no exchange here, so that nobody knows who is on the line; nothing else is missing.
    assert all("503" in one and "/api/control/" in one for one in seat.wrong), seat.wrong


async def test_a_reload_and_a_restart_lose_no_draft_and_double_no_line(
    seat: Page, site: Site, services: Services, town: Town
) -> None:
    call_id, _ = await talks(services, town)
    await seat.write("#move-summary", "写到一半的诉求")
    await seat.until("document.querySelectorAll('.caption-lines li').length === 2")
    await seat.run("location.reload()")
    await seat.until("document.getElementById('move-summary')?.value === '写到一半的诉求'")
    await seat.until("document.querySelectorAll('.caption-lines li').length === 2")

    await seat.tab.context.set_offline(True)
    await seat.until(shows("已断开"))
    says(services, call_id, 3, Leg.CALLER, "已经三天了")
    await seat.tab.context.set_offline(False)
    await seat.until("document.querySelectorAll('.caption-lines li').length === 3")

    port = int(site.url.rsplit(":", 1)[1].strip("/"))
    await site.close()
    await seat.until(shows("已断开"))
    again = await opened(services, port)
    try:
        await seat.until(shows("实时"))
        says(services, call_id, 4, Leg.CALLER, "请尽快修")
        await seat.until("document.querySelectorAll('.caption-lines li').length === 4")
        assert await seat.run("document.getElementById('move-summary').value") == "写到一半的诉求"
    finally:
        await again.close()


async def wraps_up(services: Services) -> None:
    """The seat still has a minute and a half for what was said."""
    now = services.clock()
    async with transaction(services.pool) as tx:
        await city_rows.load(tx, read_city(MIANYANG), by="admin", at=now)
        await tx.execute(
            """INSERT INTO operator_states (operator, system, state, since, until, lines)
               VALUES ('1001', 'mianyang-1', 'wrapup', $1, $2, '{mayor}')""",
            now - timedelta(seconds=30),
            now + timedelta(seconds=90),
        )
    await services.city_desk.refresh()


ESSENTIAL = (".seat-now", ".pop", ".call-keys", ".caption-lines", ".seat-offers", "#move-summary")


async def all_on_one_screen(page: Page) -> None:
    """What an operator needs while speaking stands on the screen without scrolling."""
    await fits(page)
    await page.run("scrollTo(0, 0)")
    for one in ESSENTIAL:
        low = await page.run(f"document.querySelector('{one}').getBoundingClientRect().bottom")
        assert low <= await page.run("innerHeight"), one


KEPT = "document.getElementById('move-summary').value"
LEFT = "document.querySelectorAll('.offer-list [data-taken=false]').length"
WRITTEN = "举报社区干部王建国收钱不办事?jk"


async def takes_a_pause(seat: Page, services: Services) -> None:
    await seat.until(shows("话后处理") + " && document.querySelector('.seat-now .since')")
    now = "document.querySelector('.seat-now').innerText.includes('{}')"
    await seat.press("Alt+r")
    await seat.until(now.format("就绪"))
    await seat.tab.select_option("#pause-reason", "meal")
    await seat.press("Alt+p")
    await seat.until(now.format("用餐"))
    row = await services.pool.fetchrow("SELECT state, reason FROM operator_states")
    assert row is not None
    assert tuple(row) == ("paused", "meal")
    await seat.press("Alt+r")
    await seat.until(now.format("就绪"))


async def looks_up(seat: Page, words: str, found: str) -> None:
    """Type into the search by its key, and press what is found."""
    await seat.press("Alt+k")
    await seat.press("Control+a")
    await seat.tab.keyboard.type(words)
    await seat.until(f"document.querySelector('{found}')")
    await seat.run(f"document.querySelector('{found}').focus()")
    await seat.press("Enter")


async def tells_it_all(seat: Page) -> None:
    must = "[...document.querySelectorAll('.telling-block')].filter((it) => it.querySelector('em'))"
    await seat.until(f"{must}.length")
    for at in range(await seat.run(f"{must}.length")):
        await seat.run(f"{must}[{at}].querySelector('input').focus()")
        await seat.press("Space")
    await seat.run("document.querySelector('.telling button[type=submit]').focus()")
    await seat.press("Enter")
    await seat.until("document.querySelector('.told-cards button')")


async def orders(seat: Page) -> list[tuple[str, str | None]]:
    """Every order to the exchange by button or key, as the page sent it: its name and its key."""
    sent: list[tuple[str, str | None]] = []

    def note(asked: Request) -> None:
        if asked.method == "POST" and "/api/control/" in asked.url:
            sent.append((asked.url.rpartition("/")[2], asked.headers.get("idempotency-key")))

    seat.tab.on("request", note)
    await seat.press("Alt+t")
    await seat.until("document.activeElement?.id === 'target'")
    await seat.tab.keyboard.type("1002")
    for name in ("Enter", "直接转接", "三方通话", "Alt+h", "Alt+x"):
        # There is no exchange: each order is refused, and the page says so.
        async with seat.tab.expect_response(
            lambda it: "/api/control/" in it.url and it.status >= 400
        ):
            if name.isascii():
                await seat.press(name)
            else:
                await press_button(seat, name, ".call-keys")
    await seat.until("document.querySelector('.call-keys .refused')")
    return sent


async def test_a_whole_call_by_keyboard_alone(
    seat: Page, site: Site, services: Services, town: Town, tmp_path: Path
) -> None:
    await wraps_up(services)
    await seat.run("location.reload()")
    await takes_a_pause(seat, services)

    call_id, call = await talks(services, town)
    await seat.until("document.getElementById('move-summary')")
    await all_on_one_screen(seat)
    # Whoever writes opens no help: only keys with Alt are the page's then.
    await seat.run("document.getElementById('move-summary').focus()")
    await seat.tab.keyboard.type(WRITTEN)
    assert await seat.run(KEPT) == WRITTEN
    assert not await seat.run("document.querySelector('.el-dialog dl.keys')")
    await seat.until("document.querySelector('.text-check .told')")

    await looks_up(seat, "自来水", ".know-unit button")
    await seat.until(shows("已发短信"))
    await looks_up(seat, "社会保障卡", ".know-list li:not(.know-unit) button")
    await tells_it_all(seat)
    sent = await orders(seat)
    assert [name for name, _ in sent] == ["consult", "transfer", "invite", "hold", "hang-up"]
    assert len({key for _, key in sent}) == len(sent)
    assert await services.pool.fetchval("SELECT count(*) FROM notices WHERE holder = 'caller'") == 1
    await seat.press("Alt+d")
    await seat.until("document.querySelector('.alarm')")
    await reports_nothing_serious(seat)

    await seat.run("location.reload()")
    await seat.until("document.querySelector('.alarm')?.innerText.includes('等待值班室接手')")
    await seat.click(".told-cards button")
    await seat.until("document.querySelector('.telling-block input:checked')?.disabled")
    await seat.until(f"{KEPT} === {json.dumps(WRITTEN)}")
    await seat.picture(tmp_path / "told.png")

    await is_over(services, town, call_id, call)
    await seat.run("location.reload()")  # what is left to do after the call is still there
    await seat.until("document.querySelector('[data-offer=level1]')")
    await seat.until(f"document.querySelectorAll('.offer-list li').length > 5 && {LEFT}")
    while left := await seat.run(LEFT):
        await seat.press("Alt+n")
        await seat.until(f"{LEFT} < {left}")
    await seat.press("Alt+Enter")
    await seat.until(shows("等待其他人处理"))
    row = await services.pool.fetchrow(
        "SELECT state, level1 FROM cases WHERE call_id = $1", call_id
    )
    assert row is not None
    assert tuple(row) == ("dispatched", "城乡建设")
    await seat.press("Alt+w")
    await seat.until(shows("等待来电"))

    await go(seat, site, "/seat", "en")
    await seat.until(shows("Waiting for a call"))
    await seat.press("?")
    await seat.until(shows("Open and dispatch"))
    await seat.picture(tmp_path / "keys.png")
    await reports_nothing_serious(seat)
