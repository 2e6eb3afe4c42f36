"""The operator's seat: the pop, captions of both sides, offers that a click accepts, the form."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from hotline.caption_board import CaptionState, Standing
from hotline.services import Services
from routing.cases import Role
from telephony.calls import Call, Leg, Outcome, Side
from tests.hotline.console.app.doing import press_button
from tests.hotline.console.app.seats import go, reports_nothing_serious, shows, sign_in
from tests.hotline.console.browser import Page
from tests.hotline.console.conftest import Site, opened
from tests.hotline.console.filled import Said, Town, seconds
from tests.hotline.console.staff import CITY_LIGHTS, Staff, hire
from transcription.captions import Caption
from transcription.transcripts import Word

WORDS = "涪城区临园路的路灯坏了三天了，请帮忙修一下"
SAID = (
    Said(leg=Leg.OPERATOR, start=0.5, text="您好，市长热线，请讲"),
    Said(leg=Leg.CALLER, start=4.0, text=WORDS),
)


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
