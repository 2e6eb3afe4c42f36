"""What people do with a case in the app: the doings that several tests share."""

import json
from datetime import timedelta
from pathlib import Path

from hotline.services import Services
from telephony.calls import Leg
from tests.hotline.console.browser import Page
from tests.hotline.console.filled import Said, Town

LIGHTS = "涪城区临园路的路灯坏了三天了，晚上很黑，请帮忙修一下"


async def lit(services: Services, *, minutes: int = 30) -> int:
    """A case of a call about street lights, still a draft."""
    town = Town(services)
    call_id = await town.is_talked(
        services.clock() - timedelta(minutes=minutes),
        (
            Said(leg=Leg.OPERATOR, start=0.4, text="您好，市长热线，请讲"),
            Said(leg=Leg.CALLER, start=4.0, text=LIGHTS),
        ),
    )
    return await town.case_of(call_id)


async def choose(page: Page, field: str, text: str) -> None:
    """Choose in a list of the page as a person does: open it, click what reads so."""
    await page.run(f"document.getElementById({json.dumps(field)}).focus()")
    await page.click(f"#{field}")
    option = (
        "[...document.querySelectorAll('.el-select-dropdown__item')]"
        f".find((it) => it.offsetParent && it.innerText.trim() === {json.dumps(text)})"
    )
    await page.until(option)
    await page.run(f"{option}.click()")


async def press_button(page: Page, text: str, within: str = "body") -> None:
    """Press the button that reads so, once it may be pressed."""
    found = (
        f"[...document.querySelectorAll('{within} button')].find((it) => !it.disabled"
        f" && it.offsetParent && it.innerText.trim() === {json.dumps(text)})"
    )
    await page.until(found)
    await page.run(f"{found}.click()")


async def tick(page: Page, field: str, text: str) -> None:
    """Choose one of the buttons of a field of a move."""
    group = f'[aria-labelledby="move-{field}-label"]'
    found = (
        f"[...document.querySelectorAll('{group} label')]"
        f".find((it) => it.innerText.trim() === {json.dumps(text)})"
    )
    await page.until(found)
    await page.run(f"{found}.click()")


def stands(state: str) -> str:
    """The condition that the open case stands there now."""
    return f"document.querySelector('.course .now')?.innerText.startsWith({json.dumps(state)})"


async def write_reply(page: Page, photo: Path) -> None:
    """A unit fills in its reply, with a photo as evidence; nothing is sent yet."""
    await page.write("#move-reply", "已到场更换灯头并试亮，附照片。")
    await page.write("#move-public_reply", "路灯已修复，感谢您的反映。")
    for field, text in (("truth", "属实"), ("solved", "已解决"), ("publish", "可以公开")):
        await tick(page, field, text)
    await page.write("#move-not_contacted", "来电人电话无人接听")
    await page.choose_file("#move-evidence", photo)
    await page.until("document.querySelector('.evidence-pick .is-checked')")
