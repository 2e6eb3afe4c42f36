"""What the public reads: two people and a scan for each reply, and the report's own figures."""

import csv
import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from hotline import disclosing
from hotline.casework import SHIPPED
from hotline.database import Pool, borrowed, transaction
from hotline.disclosing import comma_separated
from hotline.protection_rows import mark
from hotline.reports import lines_of
from hotline.services import Services
from metrics.reports.document import Kind, period_of
from metrics.reports.league import load_league
from routing.cases import Move, Role
from tests.hotline.command_line import typist
from tests.hotline.console.conftest import Clock, Site
from tests.hotline.console.filled import Town
from tests.hotline.console.staff import Staff, hire
from tests.hotline.console.test_absences_api import CONFIRMED, SAID, ask
from tests.metrics.made_report import FORMULA, made

BEGAN = datetime(2026, 11, 3, 2, 0, tzinfo=UTC)
LATER = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)
CALLER, NAME = "13912345678", "慕容晓晓"
QUESTION, REPLY = "临园路路灯不亮何时修复？", "市城管执法局已更换灯具12盏，现已恢复照明。"


@pytest.fixture
async def staff(site: Site, services: Services) -> Staff:
    await hire(services, "boss", Role.ADMINISTRATOR)
    await hire(services, "desk", Role.DISPATCHER)
    await hire(services, "audit", Role.AUDITOR)
    return Staff(services=services, site=site)


async def answered(town: Town, number: int = 0) -> int:
    """A case that was answered at once."""
    at = BEGAN + timedelta(hours=number)
    call_id = await town.is_talked(at, SAID, number=CALLER, name=NAME)
    move = Move.ANSWER_DIRECTLY
    await town.moves(call_id, move, at + timedelta(minutes=5), **CONFIRMED, reply="已修好")
    return await town.case_of(call_id)


def words(case_id: int, **more: str) -> dict[str, Any]:
    return {"case_id": case_id, "question": QUESTION, "reply": REPLY} | more


async def files_of(services: Services, pool: Pool) -> dict[str, bytes]:
    async with borrowed(pool) as conn:
        return await disclosing.disclosed(
            conn,
            BEGAN.date().replace(day=1),
            city=services.city,
            lines=lines_of(services.config),
            rules=load_league(services.config.city_dir, SHIPPED),
        )


async def test_a_reply_is_published_by_a_second_person_and_read_without_signing_in(
    staff: Staff, town: Town, services: Services, pool: Pool, site: Site
) -> None:
    case_id = await answered(town)
    desk, audit = await staff.visitor("desk"), await staff.visitor("audit")
    for planted in (CALLER, NAME, "王先生", "3栋2单元501室", "川B12345", "510702199001011234"):
        status, said = await ask(
            desk, "POST", "/api/publications", words(case_id, reply=f"{REPLY}（{planted}）")
        )
        assert (status, "something personal" in said["detail"]) == (409, True), planted
        assert planted not in said["detail"]
    status, one = await ask(desk, "POST", "/api/publications", words(case_id))
    assert (status, one["state"]) == (200, "proposed")
    assert (await ask(audit, "POST", "/api/publications", words(case_id)))[0] == 409
    path = f"/api/publications/{one['id']}/publish"
    assert (await ask(desk, "POST", path, {}))[0] == 409  # the same person
    status, one = await ask(audit, "POST", path, {})
    assert (status, one["state"], one["decided_by"]) == (200, "published", "audit")
    await pool.execute("UPDATE publications SET decided_at = $1", BEGAN + timedelta(days=1))
    month = period_of(Kind.MONTHLY, BEGAN.date())
    disclosing.put(services.config.open_dir, month, await files_of(services, pool))
    anybody = site.visitor()
    for name, kind, needle in (
        ("index.html", "text/html", "2026-11"),
        ("style.css", "text/css", "font"),
        ("2026-11/index.html", "text/html", REPLY),
        ("2026-11/replies.csv", "text/csv", REPLY),
        ("2026-11/replies.json", "application/json", REPLY),
    ):
        async with anybody.get(f"/open/{name}") as answer:
            body = await answer.text()
            assert (answer.status, answer.content_type) == (200, kind), name
            assert needle in body
            assert CALLER not in body
            assert NAME not in body
            assert "12345678" not in body
    for name in ("../console.key", "2026-11/..%2f..%2fconsole.key", "2026-12/index.html", ".x.csv"):
        async with anybody.get(f"/open/{name}") as answer:
            assert answer.status == 404, name
    back = f"/api/publications/{one['id']}/withdraw"
    assert (await ask(desk, "POST", back, {}))[1]["state"] == "withdrawn"
    gone = await files_of(services, pool)
    disclosing.put(services.config.open_dir, month, gone)
    async with anybody.get("/open/2026-11/index.html") as answer:
        assert REPLY not in await answer.text()
    async with anybody.get("/open/2026-11/replies.csv") as answer:
        assert answer.status == 404  # what is withdrawn leaves the folder


async def test_what_is_kept_back_is_counted_by_article_and_what_is_protected_not_at_all(
    staff: Staff, town: Town, services: Services, pool: Pool
) -> None:
    desk, audit = await staff.visitor("desk"), await staff.visitor("audit")
    cases = [await answered(town, number) for number in range(3)]
    ids = [(await ask(desk, "POST", "/api/publications", words(it)))[1]["id"] for it in cases]
    for one in ids[:2]:
        path = f"/api/publications/{one}/withhold"
        status, said = await ask(audit, "POST", path, {"reason": "article_15"})
        assert (status, said["withheld"]) == (200, "article_15")
    await ask(audit, "POST", f"/api/publications/{ids[2]}/publish", {})
    await pool.execute("UPDATE publications SET decided_at = $1", BEGAN + timedelta(days=1))
    for hidden in (cases[1], cases[2]):
        async with transaction(pool) as tx:
            await mark(tx, hidden, office=False, by="desk", now=BEGAN, handed=False)
    files = await files_of(services, pool)
    rows = list(csv.reader(StringIO(files["withheld.csv"].decode("utf-8-sig"))))
    assert [row[1] for row in rows[1:]] == ["0", "1", "0", "0"]
    assert "replies.csv" not in files
    assert json.loads(files["replies.json"]) == []


async def test_open_figures_are_those_of_the_report_and_fit_their_schema(
    staff: Staff, town: Town, services: Services, pool: Pool, clock: Clock
) -> None:
    await answered(town)
    files = await files_of(services, pool)
    told = json.loads(files["figures.json"])
    jsonschema_rs.validate(json.loads(files["schema.json"]), told)
    clock.at = LATER
    await hire(services, "super", Role.SUPERVISOR)
    visitor = await staff.visitor("super")
    _, report = await ask(visitor, "GET", "/api/reports?kind=monthly&day=2026-11-01")
    for key in ("indicators", "topics"):
        (ours,) = [it for it in told["tables"] if it["key"] == key]
        (theirs,) = [it for it in report["tables"] if it["key"] == key]
        assert ours == theirs
    assert "league" not in {it["key"] for it in told["tables"]}
    rows = list(csv.reader(StringIO(files["indicators.csv"].decode("utf-8-sig"))))
    (ours,) = [it for it in told["tables"] if it["key"] == "indicators"]
    for row, cells in zip(rows[1:], ours["rows"], strict=True):
        assert row[1:4] == ["" if it["value"] is None else str(it["value"]) for it in cells[1:4]]


def test_no_cell_of_open_data_begins_a_formula() -> None:
    (units,) = [it for it in made().tables if it.key == "units"]
    rows = list(csv.reader(StringIO(comma_separated(units).decode("utf-8-sig"))))
    assert f"'{FORMULA}" in {row[0] for row in rows}


def test_the_command_writes_the_last_month(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    database: str,
) -> None:
    toml = tmp_path / "hotline.toml"
    toml.write_text(f'language = "en"\ndatabase_dsn = "{database}"\n', encoding="utf-8")
    run = typist(monkeypatch, capfd, toml)
    status, said = run("disclose", tmp_path / "open")
    assert (status, "is written" in said) == (0, True), said
    (month,) = [it for it in (tmp_path / "open").iterdir() if it.is_dir()]
    assert {"index.html", "figures.json", "schema.json", "indicators.csv"} <= {
        it.name for it in month.iterdir()
    }
    status, said = run("disclose", "--month", "2999-01")
    assert (status, "after its last day is over" in said) == (1, True)
