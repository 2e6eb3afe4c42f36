"""The machine's own Chromium, driven by Playwright; no other browser is fetched for it."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import CDPSession, ConsoleMessage, async_playwright
from playwright.async_api import Error as PageError
from playwright.async_api import Page as Tab
from playwright.async_api import TimeoutError as TooLate

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = ("--mute-audio", "--autoplay-policy=no-user-gesture-required")
PATIENCE = 40.0


def installed() -> str | None:
    """Where this machine's Chromium is, None where it has none."""
    named = os.environ.get("HOTLINE_CHROMIUM")
    return named or next((path for name in NAMES if (path := shutil.which(name))), None)


class Page:
    """One tab. `wrong` collects what the page's own console and network complained about.

    Conditions and expressions are JavaScript, and fields are found by CSS. `tab` is Playwright's.
    """

    def __init__(self, tab: Tab) -> None:
        self.tab = tab
        self.wrong: list[str] = []
        self._protocol: CDPSession | None = None
        tab.on("console", self._note)
        tab.on("pageerror", self._threw)

    def _note(self, message: ConsoleMessage) -> None:
        # Chromium's own advice comes without arguments; a page that warns has some.
        if message.type == "error" or (message.type == "warning" and message.args):
            self.wrong.append(f"{message.text} {message.location.get('url', '')}")

    def _threw(self, error: PageError) -> None:
        self.wrong.append(str(error))

    async def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """What only the debugging protocol of Chromium itself can do."""
        if self._protocol is None:
            self._protocol = await self.tab.context.new_cdp_session(self.tab)
            await self._protocol.send("Network.enable")
        told: dict[str, Any] = await self._protocol.send(method, params)
        return told

    async def open(self, url: str) -> None:
        """Go there, and wait for no more than that it answers."""
        await self.tab.goto(url, wait_until="commit")

    async def run(self, script: str) -> Any:
        """The value of a JavaScript expression, awaited where it is a promise."""
        return await self.tab.evaluate(script)

    async def until(self, condition: str, seconds: float = 20) -> None:
        """Wait in the page until the expression is true; tells what the page shows if it is not."""
        looked = f"() => {{ try {{ return Boolean({condition}); }} catch {{ return false; }} }}"
        try:
            await self.tab.wait_for_function(looked, timeout=seconds * 1000, polling=50)
        except TooLate:
            shown = await self.run("document.body.innerText")
            raise AssertionError(f"never true: {condition}\n{shown}\n{self.wrong}") from None

    async def click(self, selector: str) -> None:
        """Press the first that is found, wherever the page is scrolled to."""
        await self.tab.locator(selector).first.dispatch_event("click", timeout=20_000)

    async def write(self, selector: str, text: str) -> None:
        """Put text into a field as a person would: the page hears of it."""
        field = self.tab.locator(selector).first
        await field.evaluate(
            """(field, text) => {
                field.focus();
                field.value = text;
                field.dispatchEvent(new Event("input", { bubbles: true }));
                field.dispatchEvent(new Event("change", { bubbles: true }));
            }""",
            text,
            timeout=20_000,
        )

    async def choose_file(self, selector: str, file: Path) -> None:
        """Hand a file over, as the browser's own dialogue does."""
        await self.tab.locator(selector).set_input_files(file)

    async def press(self, key: str) -> None:
        await self.tab.keyboard.press(key)

    async def size(self, width: int, height: int) -> None:
        await self.tab.set_viewport_size({"width": width, "height": height})

    async def picture(self, file: Path) -> None:
        await self.tab.screenshot(path=file)


@asynccontextmanager
async def browser(program: str, folder: Path, *flags: str) -> AsyncIterator[Page]:
    """A running Chromium with one tab; its profile lives in the folder."""
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            folder,
            executable_path=program,
            args=[*FLAGS, *flags],
            chromium_sandbox=False,
            viewport={"width": 1366, "height": 768},
        )
        context.set_default_timeout(PATIENCE * 1000)
        try:
            yield Page(context.pages[0])
        finally:
            await context.close()
