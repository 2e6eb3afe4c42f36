"""`hotline city`, typed as an administrator types it."""

import asyncio
import json
import shutil
from pathlib import Path

import pytest

from hotline.database import Pool
from tests.hotline.command_line import Run, typist

CITIES = Path(__file__).resolve().parents[2] / "deploy" / "cities"


@pytest.fixture
def run(
    tmp_path: Path,
    database: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Run:
    toml = tmp_path / "hotline.toml"
    toml.write_text(
        f'language = "en"\ndatabase_dsn = {json.dumps(database)}\ndata_dir = "{tmp_path}/data"\n',
        encoding="utf-8",
    )
    return typist(monkeypatch, capfd, toml)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(CITIES, tmp_path / "cities")
    return tmp_path / "cities" / "mianyang"


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_shipped_city_is_sound_and_says_what_is_a_sample(run: Run) -> None:
    status, said = run("city", "check", CITIES / "mianyang")
    assert status == 0
    assert "12 areas, 167 units" in said
    assert "167 units and 18 cards are samples" in said


async def test_check_tells_every_fault_and_load_loads_none(
    run: Run, folder: Path, pool: Pool
) -> None:
    edit(folder / "units.yaml", "  - id: water\n", "  - id: gas\n")
    edit(folder / "city.yaml", "policy: sichuan-2025", "policy: mars-2099")
    edit(folder / "cards.yaml", "unit: labour\n", "unit: nobody\n")
    status, said = await asyncio.to_thread(run, "city", "check", folder)
    faults = said.splitlines()
    assert status == 1
    assert faults[-1] == f"{len(faults) - 1} faults."
    for what in ("units.yaml: line", "the unit id gas", "mars-2099", "no unit nobody"):
        assert any(what in line for line in faults[:-1]), what
    status, said = await asyncio.to_thread(run, "city", "load", folder)
    assert status == 1
    assert "Not loaded" in said
    assert await pool.fetchval("SELECT count(*) FROM city_versions") == 0
    status, said = await asyncio.to_thread(run, "city", "check", folder / "nowhere")
    assert (status, "does not exist" in said) == (1, True)


async def test_load_says_what_changed_and_nothing_the_second_time(
    run: Run, folder: Path, pool: Pool
) -> None:

    status, said = await asyncio.to_thread(run, "city", "load", folder, "--as", "admin")
    assert status == 0
    assert "version 1 is in force" in said
    assert "units added 167: 市住房和城乡建设委员会" in said
    edit(folder / "cards.yaml", "limit: 3 个工作日（样例）", "limit: 2 个工作日（样例）")
    edit(folder / "units.yaml", "hours: 全天（样例）", "hours: 周一至周日（样例）")
    status, said = await asyncio.to_thread(run, "city", "load", folder, "--as", "admin")
    assert "version 2 is in force" in said
    assert "cards changed 2: housing-fund-withdraw、water-transfer" in said
    assert "units changed 1: 市水务（集团）有限公司" in said
    status, said = await asyncio.to_thread(run, "city", "load", folder, "--as", "admin")
    assert (status, "the same as version 2" in said) == (0, True)
    assert await pool.fetchval("SELECT count(*) FROM city_versions WHERE loaded_by = 'admin'") == 2


def test_an_old_database_is_told_so(
    run: Run, folder: Path, empty_database: str, tmp_path: Path
) -> None:
    (tmp_path / "hotline.toml").write_text(f"database_dsn = {json.dumps(empty_database)}\n")
    status, said = run("city", "load", folder)
    assert (status, "hotline migrate" in said) == (1, True)
