"""One picture after another: each page, in each language, as somebody who may open it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.hotline.console.app.seats import DESK, PHONE, go, pages, sign_in
from tests.hotline.console.browser import Page
from tests.hotline.console.conftest import Site
from tests.screenshots.town import PEOPLE, Filled

QUIET = """new Promise((done) => {
    let seen = -1;
    const look = () => {
        const now = performance.getEntriesByType('resource').length;
        if (now === seen && !document.querySelector('.el-skeleton')) { done(true); return; }
        seen = now;
        setTimeout(look, 700);
    };
    look();
})"""
"""Until the page has asked for nothing for a while and nothing is still on its way."""
LANGUAGES = ("zh", "en")
ON_A_PHONE = frozenset({"terminal", "case"})
"""Pages that are promised to work on a telephone, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One page as somebody opens it."""

    name: str
    path: str
    login: str


def shots(city: Filled) -> Iterator[Shot]:
    """Every page of every area; an id in an address is that of something there is."""
    ids = {"case": city.case_id, "call": city.call_id, "incident": 1}
    for page in pages():
        if ":" in page["path"] and page["name"] not in ids:
            continue  # nothing of its kind was made
        wanted = page["roles"]
        login = next(login for role in wanted for login, _, roles, _ in PEOPLE if role in roles)
        path = re.sub(r":[a-zA-Z]+", str(ids.get(page["name"], 1)), page["path"])
        yield Shot(name=page["name"], path=path, login=login)


async def shoot(page: Page, site: Site, city: Filled, folder: Path) -> list[str]:
    """Take every picture.

    Returns:
        One sentence for each page that could not be shown whole.
    """
    troubles = []
    for shot in sorted(shots(city), key=lambda one: one.login):
        await sign_in(page, site, city.staff, shot.login)
        for language in LANGUAGES:
            await page.size(*DESK)
            page.wrong.clear()
            await go(page, site, shot.path, language)
            await page.until("document.fonts.status === 'loaded'")
            await page.run(QUIET)
            await page.picture(folder / f"{shot.name}-{language}.png")
            if shot.name in ON_A_PHONE:
                await page.size(*PHONE)
                await page.picture(folder / f"{shot.name}-phone-{language}.png")
            refused = await page.run("document.querySelector('[role=alert]')?.innerText")
            # There is no exchange in the pictures, so that nobody knows who is on a line.
            wrong = [one for one in page.wrong if "/api/control/" not in one]
            told = [*wrong, *([refused] if refused else [])]
            troubles += [f"{shot.name} ({language}): {one}" for one in told]
    return troubles + await _shoot_open(page, site, folder)


async def _shoot_open(page: Page, site: Site, folder: Path) -> list[str]:
    """The pages that anybody may read."""
    await page.size(*DESK)
    for name in ("", "promise", "progress", "replies"):
        for language in LANGUAGES:
            page.wrong.clear()
            await page.open(f"{site.url}open/{name}?lang={language}")
            await page.until("document.querySelector('h1')")
            await page.picture(folder / f"open-{name or 'home'}-{language}.png")
            if page.wrong:
                return list(page.wrong)
    return []
