"""A real Chromium, driven over its own debugging protocol; nothing else is installed for it."""

import asyncio
import base64
import itertools
import json
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    "--mute-audio",
    "--autoplay-policy=no-user-gesture-required",
    "--remote-debugging-port=0",
)


def installed() -> str | None:
    """Where this machine's Chromium is, None where it has none."""
    named = os.environ.get("HOTLINE_CHROMIUM")
    return named or next((path for name in NAMES if (path := shutil.which(name))), None)


class Page:
    """One tab. `wrong` collects what the page's own console and network complained about."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._ids = itertools.count(1)
        self._asked: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.wrong: list[str] = []

    async def listen(self) -> None:
        async for message in self._socket:
            told = json.loads(message.data)
            if "id" in told:
                future = self._asked.pop(told["id"])
                if not future.done():
                    future.set_result(told)
            else:
                self._note(told["method"], told["params"])

    def _note(self, method: str, params: dict[str, Any]) -> None:
        if method == "Runtime.exceptionThrown":
            self.wrong.append(json.dumps(params["exceptionDetails"], ensure_ascii=False))
        elif method == "Runtime.consoleAPICalled" and params["type"] in {"error", "warning"}:
            self.wrong.append(json.dumps(params["args"], ensure_ascii=False))
        elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.wrong.append(params["entry"]["text"] + " " + params["entry"].get("url", ""))

    async def ask(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self._ids)
        future = self._asked[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": params})
        async with asyncio.timeout(40):
            told = await future
        if "error" in told:
            raise AssertionError(told["error"])
        result: dict[str, Any] = told["result"]
        return result

    async def open(self, url: str) -> None:
        await self.ask("Page.navigate", url=url)

    async def run(self, script: str) -> Any:
        """The value of a JavaScript expression, awaited where it is a promise."""
        told = await self.ask(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in told:
            raise AssertionError(json.dumps(told["exceptionDetails"], ensure_ascii=False))
        return told["result"].get("value")

    async def until(self, condition: str, seconds: float = 20) -> None:
        """Wait in the page until the expression is true; tells what the page shows if it is not."""
        script = f"""new Promise((done) => {{
            const look = () => {{
                let found = null;
                try {{ found = {condition}; }} catch {{ /* not there yet */ }}
                if (found) done(true); else setTimeout(look, 50);
            }};
            look();
            setTimeout(() => done(null), {seconds * 1000});
        }})"""
        found = await self.run(script)
        shown = await self.run("document.body.innerText") if not found else ""
        assert found, f"never true: {condition}\n{shown}\n{self.wrong}"

    async def click(self, selector: str) -> None:
        await self.until(f"document.querySelector({json.dumps(selector)})")
        await self.run(f"document.querySelector({json.dumps(selector)}).click()")

    async def write(self, selector: str, text: str) -> None:
        """Put text into a field as a person would: the page hears of it."""
        await self.until(f"document.querySelector({json.dumps(selector)})")
        await self.run(
            f"""(() => {{ const field = document.querySelector({json.dumps(selector)});
            field.focus(); field.value = {json.dumps(text)};
            field.dispatchEvent(new Event('input', {{ bubbles: true }}));
            field.dispatchEvent(new Event('change', {{ bubbles: true }})); }})()"""
        )

    async def press(self, key: str) -> None:
        for kind in ("keyDown", "keyUp"):
            text = key if len(key) == 1 and kind == "keyDown" else ""
            await self.ask("Input.dispatchKeyEvent", type=kind, key=key, text=text)

    async def size(self, width: int, height: int) -> None:
        await self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    async def picture(self, file: Path) -> None:
        told = await self.ask("Page.captureScreenshot", format="png")
        await asyncio.to_thread(file.write_bytes, base64.b64decode(told["data"]))


@asynccontextmanager
async def browser(program: str, folder: Path, *flags: str) -> AsyncIterator[Page]:
    """A running Chromium with one tab; its profile lives in the folder."""
    log = (folder / "chromium.log").open("wb")
    process = await asyncio.create_subprocess_exec(
        program, *FLAGS, *flags, f"--user-data-dir={folder}", "about:blank", stdout=log, stderr=log
    )
    try:
        port = await _port(folder / "DevToolsActivePort")
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                tabs = await answer.json()
            url = next(tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page")
            async with session.ws_connect(url, max_msg_size=0) as socket:
                page = Page(socket)
                listening = asyncio.create_task(page.listen())
                for domain in ("Page", "Runtime", "Log", "Network"):
                    await page.ask(f"{domain}.enable")
                await page.size(1366, 768)
                yield page
                listening.cancel()
    finally:
        process.terminate()
        await process.wait()
        log.close()


async def _port(file: Path) -> int:
    def told() -> str:
        return file.read_text() if file.exists() else ""

    async with asyncio.timeout(40):
        # Chromium tells its port by this file only.
        while "\n" not in (text := await asyncio.to_thread(told)):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return int(text.split("\n")[0])
