"""Plays whose operator sits at a page: see tests/acceptance/browser_desk.py."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from hotline.database import EmbeddedPostgres
from tests.acceptance.browser_desk import BrowserDesk, browser_desk


@asynccontextmanager
async def in_a_browser(folder: Path) -> AsyncIterator[BrowserDesk]:
    """The page is the telephone of 1001 and waits."""
    with tempfile.TemporaryDirectory(prefix="hotline-postgres-") as at:
        server = EmbeddedPostgres(Path(at) / "data")
        dsn = await asyncio.to_thread(server.start)
        try:
            async with browser_desk(folder, dsn, "mianyang") as desk:
                await desk.begin()
                yield desk
        finally:
            await asyncio.to_thread(server.stop)


async def browser_reloaded(desk: BrowserDesk) -> None:
    """The page is loaded anew in the call, has the citizen back, and hangs up."""
    call = await desk.answered_call()
    await asyncio.sleep(1.0)
    await desk.page.tab.reload(wait_until="commit")
    await desk.until("talking")
    await asyncio.sleep(1.0)
    await desk.page.click(".phone .hang-up")
    await desk.citizen.until("gone", call=call)


async def browser_lost(desk: BrowserDesk) -> None:
    """The page is closed in the call: found by its silence, then the queue, and he gives up."""
    call = await desk.answered_call()
    await asyncio.sleep(1.0)
    entered = desk.queue_log("ENTERQUEUE")
    await desk.page.open("about:blank")
    async with asyncio.timeout(50):
        while desk.queue_log("ENTERQUEUE") == entered:  # noqa: ASYNC110 - a file rings no bell
            await asyncio.sleep(0.1)
    await asyncio.sleep(1.0)
    await desk.citizen.order("hang_up", call=call)
    await desk.citizen.until("gone", call=call)


IN_BROWSERS: Mapping[str, Callable[[BrowserDesk], Awaitable[None]]] = {
    play.__name__: play for play in (browser_reloaded, browser_lost)
}
