"""How much a page's first load weighs, and a million cases in the list, in a real Chromium.

    .cache/venv/bin/python tests/bench/bench_pages.py [CASES] [ROUNDS]

First the weight: every page of the app opened with an empty cache by somebody who may, the bytes
of its scripts, styles, words and pictures as they travel (gzip), beside the limit of 400,000. Then
CASES (default 1,000,000) lie in a real PostgreSQL as in bench_cases.py, and somebody uses the list
ROUNDS (default 20) times: opens it, goes four pages down, searches words. Printed: median and p95
in milliseconds from the deed to the rows on the page, beside the limit of a second, and the same
answer of the service without any browser.
"""

import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from pathlib import Path

if __name__ == "__main__":  # run as a script: the repository's root is not on the path
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from aiohttp import ClientSession

from hotline.database import EmbeddedPostgres, connected, migrate, pooled
from hotline.services import Services
from routing.cases import Role
from telephony.sealing import KeyFile
from tests.bench.bench_cases import NOW, PLACES, THINGS, fill
from tests.hotline.console.app.seats import chromium, go, pages, sign_in
from tests.hotline.console.browser import Page, installed
from tests.hotline.console.conftest import Site, configured, opened, services_on
from tests.hotline.console.staff import Staff, hire

BUDGET, LIMIT_MS = 400_000, 1000
WEIGHT = """performance.getEntriesByType('resource').filter((one) => !one.name.includes('/api/'))
    .reduce((sum, one) => sum + one.transferSize, 0)
    + performance.getEntriesByType('navigation')[0].transferSize"""
ROWS = "document.querySelectorAll('main .list > li').length"


async def weigh(page: Page, site: Site, staff: Staff) -> bool:
    """Print what each page weighs; returns whether all keep to the limit."""
    heaviest = 0
    await page.ask("Network.setCacheDisabled", cacheDisabled=True)
    for one in pages():
        if ":" in one["path"]:
            continue
        await sign_in(page, site, staff, f"one-{one['roles'][0]}")
        await go(page, site, one["path"])
        weight = await page.run(WEIGHT)
        heaviest = max(heaviest, weight)
        print(f"{one['name']:24} {weight:8} bytes   {weight / BUDGET:5.2f} of the limit")
    await page.ask("Network.setCacheDisabled", cacheDisabled=False)
    return heaviest < BUDGET


async def until_rows(page: Page, wanted: str, deed: str) -> float:
    """Milliseconds from a deed in the page until `wanted` holds and is painted."""
    took: float = await page.run(
        f"""new Promise((done) => {{
            const begun = performance.now();
            {deed};
            const look = () => {{
                let found = false;
                try {{ found = {wanted}; }} catch {{ /* not there yet */ }}
                if (found) requestAnimationFrame(() => done(performance.now() - begun));
                else requestAnimationFrame(look);
            }};
            requestAnimationFrame(look);
        }})"""
    )
    return took


def say(name: str, times: list[float], bare: list[float]) -> bool:
    p95 = statistics.quantiles(times, n=20)[-1]
    alone = statistics.median(bare)
    print(
        f"{name:24} p50 {statistics.median(times):7.1f}  p95 {p95:7.1f} ms   "
        f"{p95 / LIMIT_MS:5.2f} of the limit   the answer alone p50 {alone:7.1f} ms",
        flush=True,
    )
    return p95 < LIMIT_MS


async def answered(visitor: ClientSession, query: str) -> float:
    begun = time.perf_counter()
    async with visitor.get(f"/api/cases?limit=50{query}") as answer:
        answer.raise_for_status()
        await answer.read()
    return (time.perf_counter() - begun) * 1000


async def use(page: Page, site: Site, desk: ClientSession, rounds: int) -> bool:
    """Open, search and go down the list so many times, once the service has counted its cases."""
    counted = 0
    while counted != HTTPStatus.OK:  # the first counting after a start looks at every case
        async with desk.get("/api/numbers") as answer:
            counted = answer.status
    await go(page, site, "/cases")
    kept = []
    opened, searched, further = [], [], []
    bare: tuple[list[float], ...] = ([], [], [])
    for number in range(rounds):
        await page.run("location.hash = '/nothing'")
        await page.until(f"{ROWS} === 0")
        opened.append(await until_rows(page, f"{ROWS} === 50", "location.hash = '/cases'"))
        bare[0].append(await answered(desk, ""))
        for shown in range(2, 6):
            more = "[...document.querySelectorAll('.more-rows button')].at(-1).click()"
            further.append(await until_rows(page, f"{ROWS} === {shown * 50}", more))
        last = await page.run("document.querySelectorAll('main .list > li').length")
        bare[1].append(await answered(desk, f"&before={1000 + last}"))
        words = PLACES[number % len(PLACES)] + "1" if number % 2 else THINGS[number % len(THINGS)]
        write = (
            "const field = document.getElementById('search'); "
            f"field.value = {json.dumps(words)}; "
            "field.dispatchEvent(new Event('input', { bubbles: true }))"
        )
        there = "document.querySelector('main .list > li') && " + f"{ROWS} <= 50"
        searched.append(await until_rows(page, there, write))
        bare[2].append(await answered(desk, f"&search={words}"))
    kept.append(say("the list is opened", opened, bare[0]))
    kept.append(say("one page more", further, bare[1]))
    kept.append(say("words are searched", searched, bare[2]))
    return all(kept)


async def with_site(
    program: str, folder: Path, services: Services, work: Callable[[Page, Site], Awaitable[bool]]
) -> bool:
    site = await opened(services)
    try:
        async with chromium(program, folder) as page:
            return await work(page, site)
    finally:
        services.feed.close()
        await site.close()


async def main(program: str, cases: int, rounds: int) -> bool:
    """Weigh and use the pages; returns whether every limit was kept."""
    with tempfile.TemporaryDirectory(prefix="hotline-bench-", ignore_cleanup_errors=True) as at:
        folder = Path(at)
        server = EmbeddedPostgres(folder / "data")
        dsn = server.start()
        keys = KeyFile(folder / "identity.keys")
        try:
            async with connected(dsn) as conn:
                await conn.execute("ALTER SYSTEM SET max_wal_size = '8GB'")
                await conn.execute("SELECT pg_reload_conf()")
                await migrate(conn)
                await fill(conn, keys, cases)
            async with pooled(dsn, size=4, keys=keys) as pool:
                services = services_on(configured(folder), pool, dsn, lambda: NOW)
                # The first user must be an administrator, and the alphabet begins with one.
                for role in sorted(set(Role) - {Role.SYSTEM}):
                    await hire(services, f"one-{role}", role)

                async def work(page: Page, site: Site) -> bool:
                    staff = Staff(services=services, site=site)
                    light = await weigh(page, site, staff)
                    await sign_in(page, site, staff, f"one-{Role.DISPATCHER}")
                    desk = await staff.visitor(f"one-{Role.DISPATCHER}")
                    return await use(page, site, desk, rounds) and light

                return await with_site(program, folder, services, work)
        finally:
            server.stop()


if __name__ == "__main__":
    found = installed()
    if found is None:
        sys.exit("No Chromium is here: install it, or name one by HOTLINE_CHROMIUM.")
    given = [int(word) for word in sys.argv[1:3]]
    cases, rounds = given + [1_000_000, 20][len(given) :]
    if not asyncio.run(main(found, cases, rounds)):
        sys.exit("A page is heavier or slower than its limit.")
