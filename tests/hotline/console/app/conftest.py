"""A running console with a live feed, people who sign in without waiting, and a Chromium."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hotline.services import Services, utc_now
from routing.cases import Role
from tests.hotline.console.app.seats import WEB, chromium
from tests.hotline.console.browser import Page, installed
from tests.hotline.console.conftest import Clock, Site
from tests.hotline.console.staff import Staff, hire


@pytest.fixture
def clock() -> Clock:
    return Clock(at=utc_now())  # the browser has a clock of its own


@pytest.fixture
async def page(tmp_path: Path, listening: None) -> AsyncIterator[Page]:  # noqa: ARG001 - it lives
    program = installed()
    if program is None:
        pytest.skip("no Chromium here (HOTLINE_CHROMIUM names one)")
    if not (WEB / "dist" / "index.html").exists():
        pytest.skip("make setup could not build the console here")
    async with chromium(program, tmp_path) as opened_page:
        yield opened_page


@pytest.fixture
async def staff(services: Services, site: Site) -> Staff:
    """Whoever may let people in; an administrator is there, so everybody signs in."""
    await hire(services, "zhao.min", Role.ADMINISTRATOR)
    return Staff(services=services, site=site)
