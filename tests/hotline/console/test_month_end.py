"""A month ends by itself: frozen once, disclosed, and a reply that was taken back leaves it."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hotline import league_rows
from hotline.casework import SHIPPED
from hotline.database import Pool, borrowed
from hotline.journal import Event
from hotline.monthly import MonthDesk, last_settled, next_night
from hotline.reports import lines_of
from hotline.services import Services
from metrics.reports.league import load_league
from routing.cases import Role
from routing.numbers import SHANGHAI
from tests.hotline.console.conftest import Site
from tests.hotline.console.filled import Town
from tests.hotline.console.staff import Staff, hire
from tests.hotline.console.test_absences_api import ask
from tests.hotline.console.test_publications_api import BEGAN, CALLER, REPLY, answered, words

SIXTH = datetime(2026, 12, 6, 4, 0, tzinfo=SHANGHAI)


@dataclass(slots=True)
class Hand:
    """A clock that is set by hand."""

    at: datetime

    def __call__(self) -> datetime:
        return self.at


def desk_of(services: Services, pool: Pool, clock: Hand) -> MonthDesk:
    return MonthDesk(
        pool=pool,
        city=lambda: services.city,
        lines=lines_of(services.config),
        rules=lambda: load_league(services.config.city_dir, SHIPPED),
        folder=services.config.open_dir,
        clock=clock,
    )


async def frozen(pool: Pool) -> list[tuple[str, str]]:
    rows = await pool.fetch(
        "SELECT body ->> 'month', actor FROM journal WHERE event = $1 ORDER BY id",
        Event.LEAGUE_FROZEN,
    )
    return [tuple(row) for row in rows]


@pytest.mark.parametrize(
    ("now", "month"),
    [
        (SIXTH - timedelta(hours=5), "2026-10"),
        (SIXTH, "2026-11"),
        (datetime(2027, 1, 3, tzinfo=UTC), "2026-11"),
        (datetime(2027, 1, 31, tzinfo=UTC), "2026-12"),
    ],
)
def test_a_month_is_settled_five_days_after_its_end(now: datetime, month: str) -> None:
    assert f"{last_settled(now).first:%Y-%m}" == month
    assert next_night(now) > now
    assert next_night(now).astimezone(SHANGHAI).hour == 4


async def test_a_month_is_frozen_once_and_its_pages_follow_what_is_published(
    site: Site, services: Services, town: Town, pool: Pool
) -> None:
    for login, role in (("boss", Role.ADMINISTRATOR), ("desk", Role.DISPATCHER)):
        await hire(services, login, role)
    await hire(services, "audit", Role.AUDITOR)
    staff = Staff(services=services, site=site)
    desk, audit = await staff.visitor("desk"), await staff.visitor("audit")
    case_id = await answered(town)
    _, one = await ask(desk, "POST", "/api/publications", words(case_id))
    await ask(audit, "POST", f"/api/publications/{one['id']}/publish", {})
    await pool.execute("UPDATE publications SET decided_at = $1", BEGAN + timedelta(days=1))
    clock = Hand(SIXTH - timedelta(days=1))
    months = desk_of(services, pool, clock)

    await months.look()  # October: nothing happened, November is not settled
    assert (await frozen(pool), services.config.open_dir.exists()) == ([], False)

    clock.at = SIXTH
    await months.look()
    await months.look()
    assert await frozen(pool) == [("2026-11-01", "service")]
    async with borrowed(pool) as conn:
        kept = await league_rows.snapshot(conn, BEGAN.date().replace(day=1))
    assert kept is not None
    assert (kept.version, kept.frozen_by) == (1, "service")
    page = services.config.open_dir / "2026-11" / "index.html"
    assert REPLY in page.read_text(encoding="utf-8")
    async with site.visitor().get("/open/2026-11/index.html") as answer:
        told = await answer.text()
    assert (answer.status, REPLY in told, CALLER in told) == (200, True, False)

    await ask(desk, "POST", f"/api/publications/{one['id']}/withdraw", {})
    clock.at = SIXTH + timedelta(
        days=31
    )  # December has a limit that ended; November's pages follow
    await months.look()
    assert REPLY not in page.read_text(encoding="utf-8")
    assert [month for month, _ in await frozen(pool)] == ["2026-11-01", "2026-12-01"]


async def test_a_fault_waits_for_the_next_night(
    services: Services, town: Town, pool: Pool, caplog: pytest.LogCaptureFixture
) -> None:
    await answered(town)
    folder: Path = services.config.open_dir
    folder.parent.mkdir(parents=True, exist_ok=True)
    await asyncio.to_thread(folder.write_text, "not a folder", encoding="utf-8")
    months = desk_of(services, pool, Hand(SIXTH))
    await months.look()
    assert "waits for the next night" in caplog.text
    await asyncio.to_thread(folder.unlink)
    await months.look()
    assert (folder / "2026-11" / "index.html").is_file()
    assert len(await frozen(pool)) == 1
