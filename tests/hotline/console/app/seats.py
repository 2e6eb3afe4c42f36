"""What a person does in the console's app, in a real Chromium."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import resources
from pathlib import Path
from typing import Any

from hotline.console.door import COOKIE
from tests.hotline.console.browser import Page, browser
from tests.hotline.console.conftest import Site
from tests.hotline.console.staff import Staff

WEB = Path(str(resources.files("hotline.console") / "web"))
PHONE = (390, 844)
DESK = (1366, 768)


def pages() -> list[dict[str, Any]]:
    """Every page of every area, as its area.json tells it."""
    areas = sorted((WEB / "src" / "pages").glob("*/area.json"))
    return [page for area in areas for page in json.loads(area.read_text("utf-8"))["pages"]]


def shows(text: str) -> str:
    """The condition that a text stands on the page."""
    return f"document.body.innerText.includes({json.dumps(text, ensure_ascii=False)})"


async def sign_in(page: Page, site: Site, staff: Staff, login: str) -> None:
    """Sit down as a user of this login; the very cookie that the sign-in page would bring."""
    cookie = await staff.cookie(login)
    await page.tab.context.add_cookies([{"name": COOKIE, "value": cookie, "url": site.url}])


async def go(page: Page, site: Site, path: str, language: str = "zh") -> None:
    """Open a page of the app anew, `path` as in area.json, and wait until it is drawn."""
    await page.open("about:blank")
    await page.open(f"{site.url}app/?lang={language}#{path}")
    await page.until("document.querySelector('main').children.length > 0")
    await page.until("!document.querySelector('.el-skeleton')")


async def reports_nothing_serious(page: Page, *rules: str) -> None:
    """Axe finds nothing serious on what is shown (WCAG 2.2 AA included), by all rules or by some.

    What passes is not described one by one, because that takes longer than looking at it.
    """
    script = (WEB / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
    if not await page.run("Boolean(window.axe)"):
        await page.run(script)
    options: dict[str, object] = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = rules
    found = await page.run(
        f"axe.run({json.dumps(options)}).then((told) => told.violations.filter((one) =>"
        " ['serious', 'critical'].includes(one.impact)).map((one) => [one.id, one.nodes.map("
        "(node) => [node.html, node.any[0]?.message])]))"
    )
    assert found == [], json.dumps(found, ensure_ascii=False)


async def fits(page: Page) -> None:
    """Nothing stands out to the side of the screen as it is now."""
    wide = await page.run("document.documentElement.scrollWidth - innerWidth")
    out = await page.run(
        "[...document.querySelectorAll('main *')].filter((it) =>"
        " it.getBoundingClientRect().right > innerWidth).map((it) => it.outerHTML.slice(0, 200))"
    )
    assert wide <= 0, f"{wide} pixels too wide: {out}"


@asynccontextmanager
async def chromium(program: str, folder: Path) -> AsyncIterator[Page]:
    """A Chromium with a profile of its own below the folder."""
    place = folder / "chromium"
    place.mkdir(exist_ok=True)
    async with browser(program, place) as page:
        # Colours are looked at as they are in the end, not on their way there.
        await page.tab.emulate_media(reduced_motion="reduce")
        yield page
