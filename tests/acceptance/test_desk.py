"""A case's whole way through everybody's hands, from a real call in the page to the citizen."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from deploy.demo.phones import PlacedCall
from deploy.demo.scenarios import Caller
from deploy.demo.script import load
from deploy.portable import cache_root
from hotline.database import connected
from routing.cards import Block
from telephony.calls import Leg
from tests.acceptance.browser_desk import HOTLINE, PATIENCE, UNIT, BrowserDesk
from tests.acceptance.words_heard import WORST_ERROR_RATE, as_wav, nearest, piece, words
from tests.hotline.console.app.doing import choose, press_button, tick, write_reply
from tests.hotline.console.app.seats import DESK, PHONE, fits, shows
from tests.phones.softphones import Softphone
from tests.phones.sounds import RATE
from transcription.engines.vosk import VoskTranscriber
from transcription.models import SMALL_CN

LIGHTS = next(call for call in load() if call.name == "01-streetlight")
BROKEN, ASKS_WHERE, AT_PLACE = 1, 2, 3  # turns of that call
CALLER = "13800000001"
SUMMARY = "小区门口路灯坏了三天"
PHOTO = b"\xff\xd8\xff\xe0" + b"a lamp that burns" * 40
QUIET = 60  # of 32768
SURE = (
    "[...document.querySelectorAll('.caption-lines li:not(.guess)')]"
    ".map((it) => [it.className.trim(), it.querySelector('p').innerText])"
)
MOVED = """
    SELECT j.event, j.actor FROM journal j JOIN cases c ON c.id = j.case_id
     WHERE j.event LIKE 'case.%' AND j.event <> 'case.drafted' AND j.actor <> 'service'
       AND c.id = $1
     ORDER BY j.id"""

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.model,
    pytest.mark.timeout(180),
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(
        not (cache_root() / "models" / SMALL_CN.name).is_dir(),
        reason="the Chinese speech model is not there: run `hotline model fetch`",
    ),
]


def said_by(*classes: str) -> str:
    """The condition that captions of these sides stand on the page for good."""
    return " && ".join(
        f"document.querySelector('.caption-lines .{it}:not(.guess)')" for it in classes
    )


async def _calls(desk: BrowserDesk, folder: Path) -> PlacedCall:
    """SIPp's caller: what is broken and where; the operator hangs up."""
    sound = folder / "caller.al"
    sound.write_bytes(b"".join(piece(LIGHTS, turn)[1] for turn in (BROKEN, AT_PLACE)))
    caller = Caller(number=HOTLINE, caller=CALLER, audio=sound)
    return await desk.telephones.call(caller, desk.asterisk.exchange.sip_port)


async def _files_and_dispatches(desk: BrowserDesk) -> None:
    """The operator listens, accepts what is offered, tells what must be told, and dispatches."""
    page = desk.page
    await page.until(shows("138****0001"))
    await page.until(said_by("operator", "caller"))
    for name in ("kind", "urgency", "level1"):
        await page.click(f"[data-offer={name}]")
    await choose(page, "move-area", "涪城区")
    await page.write("#move-summary", SUMMARY)
    await page.click(".know-list button")
    await page.until("document.querySelector('.telling')")
    for block in Block:
        await page.click(f"#block-{block}")
    await press_button(page, "已全部告知", ".telling")
    await page.until(shows("已告知："))
    await press_button(page, "确认立案", ".move-send")
    await page.until("document.querySelector('.move-form[aria-label=派单]')")
    await page.until("document.querySelector('.resolve')")
    await choose(page, "move-unit", UNIT)
    await press_button(page, "派单", ".move-send")
    await page.until(shows("已派单"))


async def _signs_and_replies(desk: BrowserDesk, photo: Path) -> None:
    """The unit's work, on a telephone's screen."""
    page = desk.page
    await page.size(*PHONE)
    await desk.sign_in("zhou.bo", "/terminal")
    await page.click(".queue-row")
    await press_button(page, "签收", ".move-form")
    await write_reply(page, photo)
    await fits(page)
    await press_button(page, "记录答复", ".move-form")
    await page.until("document.querySelector('.terminal:not(.chosen)')")
    await page.size(*DESK)


async def _audits_and_calls_back(desk: BrowserDesk, photo: Path) -> None:
    page = desk.page
    await desk.sign_in("he.lin", "/audit")
    await page.until(shows(photo.name))
    await press_button(page, "审核通过", ".move-form")
    await page.until("!document.querySelector('.queue-row')")
    await desk.sign_in("sun.li", "/callback")
    for field, text in (("result", "已接通"), ("solved", "已解决"), ("satisfied", "满意")):
        await tick(page, field, text)
    await press_button(page, "办结", ".move-form")
    await page.until("!document.querySelector('.queue-row')")


async def _discloses(desk: BrowserDesk) -> None:
    """`hotline disclose`: the last month that is over goes to the public page."""
    env = os.environ | {"HOTLINE_CONFIG": str(desk.service.config)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hotline", "disclose", env=env, stdout=asyncio.subprocess.DEVNULL
    )
    assert await process.wait() == 0


async def _citizen_looks(desk: BrowserDesk, number: str) -> None:
    """The citizen, on a telephone and signed in nowhere: how it stands, and the month."""
    page = desk.page
    await desk.sign_out()
    await page.size(*PHONE)
    await page.open(f"{desk.url}/open/progress?lang=zh")
    await page.tab.get_by_label("工单编号").fill(number)
    await page.tab.get_by_label("来电电话后四位").fill(CALLER[-4:])
    await page.press("Enter")
    await page.until(shows(UNIT) + " && " + shows("已办结"))
    await fits(page)
    await page.open(f"{desk.url}/open/?lang=zh")
    await page.tab.locator(".months a").click()
    await page.until("document.querySelector('table')")
    await page.size(*DESK)


async def test_a_call_answered_in_the_page_goes_from_hand_to_hand_until_it_is_closed(
    desk: BrowserDesk, tmp_path: Path
) -> None:
    await desk.begin(as_wav(tmp_path / "operator.wav", piece(LIGHTS, ASKS_WHERE)[1]))
    await desk.hears_words()
    calling = asyncio.create_task(_calls(desk, tmp_path))
    await desk.answers()
    await _files_and_dispatches(desk)
    assert not calling.done(), "all of it while the citizen speaks"
    assert await desk.state() == "talking"
    await desk.page.click(".phone .hang-up")
    placed = await calling
    assert placed.status == 0, placed.trouble
    async with connected(desk.dsn, desk.keys) as conn:
        case = await conn.fetchrow("SELECT * FROM cases ORDER BY id DESC LIMIT 1")
        told = await conn.fetchval("SELECT count(*) FROM cards_told")
    assert case is not None
    assert (case["level1"], case["area"], case["unit"]) == ("城乡建设", "涪城区", UNIT)
    assert (case["summary"], told) == (SUMMARY, 1)
    disclosing = asyncio.create_task(_discloses(desk))
    photo = tmp_path / "路灯.jpg"
    photo.write_bytes(PHOTO)
    await _signs_and_replies(desk, photo)
    await _audits_and_calls_back(desk, photo)
    async with connected(desk.dsn, desk.keys) as conn:
        moves = [tuple(it) for it in await conn.fetch(MOVED, case["id"])]
    assert moves == [
        ("case.opened", "li.na"),
        ("case.dispatched", "li.na"),
        ("case.signed", "zhou.bo"),
        ("case.evidence_added", "zhou.bo"),
        ("case.answered", "zhou.bo"),
        ("case.approved", "he.lin"),
        ("case.closed", "sun.li"),
    ]
    await disclosing
    await _citizen_looks(desk, case["number"])


async def _finals(desk: BrowserDesk, count: int) -> list[list[str]]:
    """What the service has heard in the call that is up, once it is so many sentences."""
    found: list[dict[str, Any]] = []
    async with desk.visitor("li.na") as session, asyncio.timeout(PATIENCE):
        async with session.get("/api/calls?live=true") as answer:
            (call,) = (await answer.json())["calls"]
        async with session.get(f"/api/calls/{call['id']}/captions") as answer:
            async for line in answer.content:
                if line == b"event: caption.final\n":
                    told = (await answer.content.readline()).decode()
                    found.append(json.loads(told.removeprefix("data: ")))
                    if len(found) == count:
                        break
    return [[one["leg"], one["text"]] for one in sorted(found, key=lambda one: one["start"])]


async def _network_comes_and_goes(desk: BrowserDesk) -> None:
    """Neither sound nor SIP nor the service reach the page; then the exchange does, then all."""
    page, pid = desk.page, desk.asterisk.pid
    assert pid is not None
    async with desk.network_lost():
        os.kill(pid, signal.SIGSTOP)
        try:
            await page.until(shows("已断开"))
            while max(map(abs, await desk.sound(0.5))) > QUIET:
                pass
        finally:
            os.kill(pid, signal.SIGCONT)
        shown = await page.run(SURE)
        said = await _finals(desk, len(shown) + 2)
        assert await page.run(SURE) == shown, "the page is still away"
    await page.until(f"{SURE}.length >= {len(said)}")
    assert (await page.run(SURE))[: len(said)] == said, "none is missing and none is there twice"
    await page.until(shows("实时"))
    await page.until("document.querySelector('.phone').dataset.linked === 'true'")


async def _heard_by(citizen: Softphone, call: int, seconds: float) -> list[int]:
    """What the citizen's telephone plays from now on for so long."""
    wanted = len(citizen.samples(call)) + int(seconds * RATE)
    async with asyncio.timeout(seconds + PATIENCE):
        while len(citizen.samples(call)) < wanted:  # noqa: ASYNC110 - a file rings no bell
            await asyncio.sleep(0.2)
    return citizen.samples(call)[-int(seconds * RATE) :]


async def test_a_call_outlives_a_lost_network_and_both_are_understood(
    desk: BrowserDesk, tmp_path: Path
) -> None:
    asks, home = piece(LIGHTS, AT_PLACE)
    says, seat = piece(LIGHTS, ASKS_WHERE)
    seconds = 2 * max(len(home), len(seat)) / RATE  # one of it whole, wherever it began
    await desk.begin(as_wav(tmp_path / "operator.wav", seat))
    await desk.hears_words()
    citizen = await desk.speaker(as_wav(tmp_path / "citizen.wav", home))
    call = await desk.answered_call(citizen)
    await desk.page.write("#move-summary", SUMMARY)
    await desk.page.until(said_by("operator", "caller"))
    await _network_comes_and_goes(desk)
    assert await desk.page.run("document.getElementById('move-summary').value") == SUMMARY
    at_home, in_the_page = await asyncio.gather(
        _heard_by(citizen, call, seconds), desk.sound(seconds)
    )
    assert (await desk.state(), citizen.has("gone", call=call)) == ("talking", False)
    await desk.page.click(".phone .hang-up")
    await citizen.until("gone", call=call)
    engine = VoskTranscriber(cache_root() / "models" / SMALL_CN.name)
    try:
        told = await words(engine, in_the_page, tmp_path / "page.wav", Leg.CALLER)
        answered = await words(engine, at_home, tmp_path / "home.wav", Leg.OPERATOR)
    finally:
        await engine.aclose()
    assert nearest(asks, told) / len(asks) <= WORST_ERROR_RATE, told
    assert nearest(says, answered) / len(says) <= WORST_ERROR_RATE, answered
    assert nearest(says, told) > nearest(asks, told), "nobody hears himself"
    assert nearest(asks, answered) > nearest(says, answered)
