"""The coming hours and the operators' sheets by their addresses and by the command."""

from datetime import timedelta
from pathlib import Path

import pytest

from hotline.services import Services
from routing.cases import Role
from tests.hotline.command_line import typist
from tests.hotline.console.conftest import NOW, Site
from tests.hotline.console.filled import Town
from tests.hotline.console.staff import Staff, hire
from tests.hotline.console.test_absences_api import SAID, ask


async def test_the_next_week_is_told_from_last_weeks_and_sheets_from_calls(
    site: Site, services: Services, town: Town
) -> None:
    await hire(services, "boss", Role.ADMINISTRATOR)
    await hire(services, "super", Role.SUPERVISOR)
    visitor = await Staff(services=services, site=site).visitor("super")
    status, told = await ask(visitor, "GET", "/api/staffing?days=1")
    assert (status, told["hours"], len(told["untold"])) == (200, [], 1)
    for days in range(1, 16):
        await town.is_talked(NOW - timedelta(days=days), SAID)
    status, told = await ask(visitor, "GET", "/api/staffing?days=1&patience=60")
    assert status == 200
    (busy,) = [it for it in told["hours"] if it["calls"]]
    assert (busy["day"], busy["hour"], busy["calls"]) == ("2026-11-24", 10, 1)
    assert busy["needed"]["in_time"] >= 0.95
    assert busy["with_patience"]["seats"] <= busy["needed"]["seats"]
    span = f"since={(NOW - timedelta(days=3)).isoformat()}&until={NOW.isoformat()}"
    _, told = await ask(visitor, "GET", "/api/operator-sheets?" + span.replace("+", "%2B"))
    assert sum(it["answered"] for it in told["sheets"]) == 3
    status, told = await ask(visitor, "GET", "/api/staffing?line=mayor&days=31&weeks=1")
    # The shipped calendar ends with 2026: 31 days from November stay within it.
    assert status == 200


def test_the_command_prints_plan_and_days_without_a_past(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    database: str,
) -> None:
    toml = tmp_path / "hotline.toml"
    toml.write_text(f'language = "en"\ndatabase_dsn = "{database}"\n', encoding="utf-8")
    status, said = typist(monkeypatch, capfd, toml)("staffing", "--days", "1")
    assert status == 0, said
    assert "95.0% of the calls are answered within 15 s" in said
    assert "there is no forecast" in said
