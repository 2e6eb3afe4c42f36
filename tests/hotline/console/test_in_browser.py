"""The page in a real Chromium: what a person sees and does, with the service really running."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from hotline.services import Services, utc_now
from routing.cases import Move, Role
from telephony.calls import Leg, Outcome
from tests.hotline.console.browser import Page, browser, installed
from tests.hotline.console.conftest import Clock, Site, opened
from tests.hotline.console.filled import Said, Town
from tests.hotline.console.staff import CITY_LIGHTS, WATER, hire

pytestmark = pytest.mark.usefixtures("listening")

SAID = (
    Said(leg=Leg.OPERATOR, start=0.5, text="您好市长热线，请讲"),
    Said(leg=Leg.CALLER, start=5.0, text="涪城区临园路的路灯坏了三天了，请帮忙修一下"),
)
GAS = (Said(leg=Leg.CALLER, start=1.0, text="我家里煤气泄漏了，味道很大，快来人救命"),)
HOSTILE = "<img/src=x/onerror=document.title='taken'>"


@pytest.fixture(scope="session")
def chromium() -> str:
    program = installed()
    if program is None:
        pytest.skip("no Chromium here (HOTLINE_CHROMIUM names one)")
    return program


@pytest.fixture
async def page(chromium: str, tmp_path: Path) -> AsyncIterator[Page]:
    folder = tmp_path / "chromium"
    folder.mkdir()
    async with browser(chromium, folder) as opened_page:
        yield opened_page


@pytest.fixture
def clock() -> Clock:
    return Clock(at=utc_now())  # the browser has a clock of its own


def shows(text: str) -> str:
    return f"document.body.innerText.includes({text!r})"


async def test_a_call_appears_talks_and_ends_without_anybody_touching_the_page(
    site: Site, page: Page, town: Town, clock: Clock
) -> None:
    await page.open(f"{site.url}?lang=zh")
    await page.until(shows("还没有来电"))
    await page.until(shows("实时"))
    _, call = await town.starts(town.call(clock() - timedelta(seconds=30), name="张三丰"))
    await page.until("document.querySelector('.call-row')")
    await page.until(shows("138****5678 张**"))
    await page.until(shows("排队"))
    _, call = await town.answers(call)
    await page.until(shows("通话中"))
    await page.until("document.querySelector('.case-row')")
    assert await page.run("!document.body.innerText.includes('13890115678')")
    assert page.wrong == []


async def test_a_message_and_the_call_back_for_it_are_told_apart_from_calls_nobody_took(
    site: Site, page: Page, town: Town, clock: Clock
) -> None:
    _, call = await town.starts(town.call(clock() - timedelta(minutes=5)))
    _, call = await town.leaves_a_message(call)
    await page.open(f"{site.url}?lang=zh#/calls")
    await page.until(shows("留言中"))
    first, _ = await town.ends(call, clock() - timedelta(minutes=4), Outcome.VOICEMAIL)
    back = await town.is_dialled(clock() - timedelta(minutes=1), about=first)
    await page.until("document.querySelectorAll('.call-row').length === 2")
    row = f"document.querySelector('.call-row[href=\\'#/calls/{back}\\']')"
    assert "呼出" in str(await page.run(f"{row}.innerText"))
    assert await page.run(f"{row}.querySelector('.badge.red') === null")
    assert "138****5678" in str(await page.run(f"{row}.innerText"))
    await page.run(f"{row}.click()")
    await page.until(shows(f"来电 #{first} 的回电任务"))
    await page.run("document.querySelector('select[aria-label=方向]').value = 'incoming'")
    await page.run(
        "document.querySelector('select[aria-label=方向]').dispatchEvent(new Event('change'))"
    )
    await page.until("document.querySelectorAll('.call-row').length === 1")
    assert page.wrong == []


async def test_a_person_confirms_dispatches_answers_and_closes_a_case(
    site: Site, page: Page, town: Town, clock: Clock
) -> None:
    call_id = await town.is_talked(clock() - timedelta(minutes=5), SAID)
    case_id = await town.case_of(call_id)
    await page.open(f"{site.url}?lang=zh#/cases/{case_id}")
    await page.until(shows("系统建议"))
    await page.until("document.querySelector('.why q').textContent.includes('路灯')"
                     " || [...document.querySelectorAll('.why q')].some((q) => q.textContent"
                     ".includes('路灯'))")  # fmt: skip
    await page.until("document.querySelector('mark').textContent")
    assert await page.run("document.querySelector('#field-area').value") == "涪城区"
    await page.write("#field-level1", "")
    await page.click(".work form button[type=submit]")
    await page.until("document.querySelector('.form-error').innerText.includes('一级分类')")
    await page.write("#field-level1", "城乡建设")
    await page.write("#field-summary", "路灯坏了三天")
    await page.click(".work form button[type=submit]")
    await page.until("document.querySelector('.steps .now').innerText.includes('已立案')")
    await page.write("#field-unit", "市城市管理行政执法局")
    await page.click(".work form button[type=submit]")
    await page.until("document.querySelector('.steps .now').innerText.includes('已派单')")
    await page.click(".work form button[type=submit]")
    await page.until("document.querySelector('.steps .now').innerText.includes('办理中')")
    await page.write("#field-reply", "路灯已修复，已电话告知。")
    await page.write("#field-public_reply", "路灯已修复。")
    await page.write("#field-publish", "false")
    await page.write("#field-withheld_reason", "涉及个人隐私，政府信息公开条例第十五条")
    await page.write("#field-truth", "yes")
    await page.write("#field-solved", "yes")
    await page.write("#field-not_contacted", "来电人未留号码")
    await page.click(".work form button[type=submit]")
    await page.until("document.querySelector('.steps .now').innerText.includes('已答复')")
    await page.click(".work form button[type=submit]")
    await page.until("document.querySelector('.steps .now').innerText.includes('待回访')")
    await page.write("#field-result", "reached")
    await page.write("#field-solved", "yes")
    await page.write("#field-satisfied", "basically")
    await page.click(".work form button[type=submit]")
    await page.until("document.querySelector('.steps .now').innerText.includes('已办结')")
    await page.until("document.querySelector('.history').innerText.includes('路灯已修复')")
    await page.until("document.querySelector('.history').innerText.includes('政府信息公开条例')")
    row = await town.services.pool.fetchrow("SELECT * FROM cases WHERE id = $1", case_id)
    assert row is not None
    assert (row["state"], row["unit"]) == ("closed", "市城市管理行政执法局")
    assert row["summary"] == "路灯坏了三天"
    assert page.wrong == []


async def test_confirm_and_dispatch_is_one_press_and_two_moves(
    site: Site, page: Page, town: Town, clock: Clock
) -> None:
    case_id = await town.case_of(await town.is_talked(clock() - timedelta(minutes=5), SAID))
    await page.open(f"{site.url}?lang=en#/cases/{case_id}")
    await page.until("document.querySelector('#field-unit')")
    await page.write("#field-unit", "市城市管理行政执法局")
    await page.click(".actions button:nth-of-type(2)")
    await page.until("document.querySelector('.steps .now').innerText.includes('Dispatched')")
    events = await town.services.pool.fetch(
        "SELECT event FROM journal WHERE case_id = $1 AND event LIKE 'case.%' ORDER BY id", case_id
    )
    assert [row["event"] for row in events][-2:] == ["case.opened", "case.dispatched"]
    assert page.wrong == []


async def test_an_emergency_is_seen_on_every_page_until_somebody_takes_it(
    site: Site, page: Page, town: Town, clock: Clock
) -> None:
    await page.open(f"{site.url}?lang=zh#/journal")
    await page.until(shows("实时"))
    await town.is_talked(clock() - timedelta(minutes=2), GAS)
    await page.until("document.querySelector('.banner.emergency a')")
    await page.click(".banner.emergency a")
    await page.until("document.querySelector('#field-urgency').value === 'emergency'")
    assert page.wrong == []


async def test_every_asked_units_word_or_silence_and_the_level_are_seen(
    site: Site, page: Page, town: Town, clock: Clock
) -> None:
    call = await town.is_talked(clock() - timedelta(minutes=5), SAID)
    case = await town.case_of(call)
    await town.moves(call, Move.OPEN, clock(), kind="help", urgency="normal", level1="城乡建设")
    await town.moves(call, Move.CONSULT, clock(), units=(CITY_LIGHTS, WATER), reason="职责交叉")
    await town.moves(call, Move.COMMENT, clock(), unit=WATER, comment="管线由我方配合")
    for _ in range(2):
        await town.moves(call, Move.RAISE_LEVEL, clock(), reason="多部门意见不一")
    await page.open(f"{site.url}?lang=zh#/cases/{case}")
    await page.until(shows("会商与协办单位"))
    said = await page.run("[...document.querySelectorAll('.units li')].map(it => it.innerText)")
    assert [("已回复" in text, "尚未回复" in text) for text in said] == [
        (False, True),
        (True, False),
    ]
    assert await page.run(shows("已提级至市政府常务会议"))
    assert await page.run(shows("管线由我方配合"))
    assert page.wrong == []


async def test_work_begun_here_is_not_swept_away_by_somebody_else(
    site: Site, page: Page, town: Town, clock: Clock
) -> None:
    call_id = await town.is_talked(clock() - timedelta(minutes=5), SAID)
    case_id = await town.case_of(call_id)
    await page.open(f"{site.url}?lang=zh#/cases/{case_id}")
    await page.until(shows("实时"))
    await page.write("#field-summary", "我正在写的话")
    other = site.visitor()
    confirmed = {"kind": "help", "urgency": "normal", "level1": "城乡建设"}
    async with other.post(f"/api/cases/{case_id}/open", json=confirmed) as answer:
        assert answer.status == 200
    await page.until(shows("此工单已被他人处理"))
    assert await page.run("document.querySelector('#field-summary').value") == "我正在写的话"
    await page.click(".work form button[type=submit]")
    await page.until("document.querySelector('.form-error').innerText.includes('他人处理')")
    # The refused press is a 409, which the browser itself writes to its console.
    assert [it for it in page.wrong if "409" not in it] == []


async def test_the_page_comes_back_after_the_service_was_away(
    services: Services, page: Page, town: Town, clock: Clock
) -> None:
    site = await opened(services)
    port = site.runner.addresses[0][1]
    await page.open(f"{site.url}?lang=zh")
    await page.until(shows("实时"))
    await site.close()
    await page.until("document.querySelector('.banner.warn')")
    await page.until(shows("已断开"))
    await town.starts(town.call(clock()))
    again = await opened(services, port)
    await page.until("document.querySelector('.call-row')", 30)
    await page.until("!document.querySelector('.banner.warn')")
    services.feed.close()
    await again.close()


async def test_what_a_caller_sends_stays_text_everywhere(
    site: Site, page: Page, town: Town, clock: Clock
) -> None:
    _, call = await town.starts(town.call(clock(), number="1", name=HOSTILE))
    await town.services.pool.execute(
        "UPDATE calls SET operator = $1 WHERE linked_id = $2", HOSTILE, call.key.linked_id
    )
    await page.open(f"{site.url}?lang=zh#/calls/1")
    await page.until("document.querySelector('.detail .facts')")
    await page.until(shows(HOSTILE))
    assert await page.run("document.querySelectorAll('#main img').length") == 0
    assert await page.run("document.title") != "taken"
    assert page.wrong == []


async def test_the_keyboard_alone_reaches_everything(
    site: Site, page: Page, town: Town, clock: Clock
) -> None:
    for minutes in (9, 6):
        await town.is_talked(clock() - timedelta(minutes=minutes), SAID)
    await page.open(f"{site.url}?lang=zh")
    await page.until("document.querySelector('.case-row')")
    await page.press("2")
    await page.until("document.querySelector('.split .call-row')")
    await page.press("j")
    await page.press("j")
    assert await page.run("document.activeElement.classList.contains('call-row')")
    outline = await page.run("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"
    await page.run("document.activeElement.click()")
    await page.until("document.querySelector('.detail .dialogue')")
    await page.press("Escape")
    await page.until(shows("选择一个来电"))
    await page.press("3")
    await page.until("document.querySelector('.split .case-row')")
    await page.press("/")
    assert await page.run("document.activeElement.id") == "search"
    unnamed = await page.run(
        """[...document.querySelectorAll('button, a, select, input, textarea')].filter((it) =>
        !(it.innerText.trim() || it.getAttribute('aria-label') || it.labels?.length
          || it.placeholder)).map((it) => it.outerHTML)"""
    )
    assert unnamed == []
    assert page.wrong == []


async def test_both_sides_of_a_call_are_played_together(
    site: Site, page: Page, town: Town, clock: Clock
) -> None:
    call_id = await town.is_talked(clock() - timedelta(minutes=5), SAID, talk=8)
    await page.open(f"{site.url}?lang=zh#/calls/{call_id}")
    await page.until("document.querySelectorAll('audio').length === 2")
    await page.click(".turn.caller .bubble")
    await page.until("[...document.querySelectorAll('audio')].every((it) => it.currentTime > 5)")
    await page.until("document.querySelector('.turn.now')")
    apart = await page.run(
        """(() => { const [one, two] = document.querySelectorAll('audio');
        return Math.abs(one.currentTime - two.currentTime); })()"""
    )
    assert apart < 0.3
    assert page.wrong == []


@pytest.mark.parametrize("look", ["lang=zh&theme=light", "lang=en&theme=dark"])
async def test_every_page_fits_and_is_legible(
    site: Site, page: Page, town: Town, clock: Clock, look: str
) -> None:
    call_id = await town.is_talked(clock() - timedelta(minutes=5), SAID)
    case_id = await town.case_of(call_id)
    for view in ("overview", f"calls/{call_id}", f"cases/{case_id}", "journal"):
        await page.open("about:blank")
        await page.open(f"{site.url}?{look}#/{view}")
        await page.until("document.querySelector('.row') && !document.querySelector('.loading')")
        for width, height in ((1366, 768), (1920, 1080), (390, 844)):
            await page.size(width, height)
            wide = await page.run("document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, (view, width, wide)
        await page.size(1366, 768)
        faint = await page.run(CONTRAST)
        assert faint == [], (view, faint)
        missing = await page.run("document.body.innerText.match(/\\b[a-z]+\\.[a-z_]+\\b/g)")
        assert not [key for key in missing or [] if not re.search(r"\d|json", key)], missing
    assert page.wrong == []


# Text against the nearest painted background, by WCAG 2's formula; 4.5 is its level AA.
CONTRAST = """(() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => {
    const [r, g, b] = channels(colour).map((value) => value / 255)
      .map((value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = getComputedStyle(one).backgroundColor;
      const alpha = channels(colour)[3];
      if (alpha === undefined || alpha > 0.9) return colour;
    }
    return getComputedStyle(document.body).backgroundColor;
  };
  const faint = [];
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    const unseen = !element.offsetParent
      || element.closest('option, noscript, .hidden, [disabled]');
    if (!own || unseen) continue;
    const text = light(getComputedStyle(element).color);
    const behind = light(ground(element));
    const ratio = (Math.max(text, behind) + 0.05) / (Math.min(text, behind) + 0.05);
    const where = `${element.className} ${element.textContent.slice(0, 30)}`;
    if (ratio < 4.5) faint.push(`${ratio.toFixed(2)} ${where}`);
  }
  return faint;
})()"""


async def test_a_user_signs_in_changes_the_given_password_and_sees_what_the_roles_show(
    site: Site, page: Page, services: Services
) -> None:
    await hire(services, "boss", Role.ADMINISTRATOR)
    given = await hire(services, "li.na", Role.UNIT, password="given-on-paper-9")
    await services.pool.execute("UPDATE users SET must_change = true WHERE id = $1", given.id)
    await page.open(f"{site.url}?lang=zh")
    await page.write("#login", "li.na")
    await page.write("#password", "wrong-password")
    await page.click("form button")
    await page.until(shows("登录名或口令不对"))
    await page.write("#password", "given-on-paper-9")
    await page.click("form button")
    await page.until(shows("该口令由他人设置"))
    for name, value in (("old", "given-on-paper-9"), ("new", "a-new-one-of-mine")):
        await page.write(f"#{name}", value)
    await page.write("#again", "another")
    await page.click("form button")
    await page.until(shows("两次输入的新口令不一致"))
    await page.write("#again", "a-new-one-of-mine")
    await page.click("form button")
    await page.until("document.querySelector('nav')")
    assert await page.run(
        "[...document.querySelectorAll('nav a')].map((it) => it.hash).join()"
    ) == ("#/cases,#/journal")
    # The browser itself tells of the refused password; nothing else went wrong.
    assert all("401" in line for line in page.wrong), page.wrong


async def test_the_identity_providers_refusal_is_told_once(
    site: Site, page: Page, services: Services
) -> None:
    await hire(services, "boss", Role.ADMINISTRATOR)
    await page.open(f"{site.url}?lang=zh&problem=sign_in_refused")
    await page.until(shows("统一身份认证没有通过"))
    assert await page.run("location.search") == ""
