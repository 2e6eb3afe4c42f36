"""An administrator brings a city's data: the faults, the report, the confirmation, the version."""

import asyncio
from pathlib import Path

from hotline.city_archive import LARGEST_ARCHIVE
from hotline.services import Services
from routing.cases import Role
from tests.hotline.console.app.doing import press_button
from tests.hotline.console.app.seats import fits, go, reports_nothing_serious, shows, sign_in
from tests.hotline.console.browser import Page
from tests.hotline.console.conftest import Site
from tests.hotline.console.staff import WATER, Staff, hire
from tests.hotline.console.test_city_api import FILES, packed

SOUND = "document.querySelector('#load-city')"


async def choose_files(page: Page, *files: Path) -> None:
    """Choose files as a person does in the system's own dialog."""
    await page.tab.locator("#city-files").set_input_files(files)


def _write(folder: Path, units: str) -> tuple[list[Path], Path]:
    """The city's folder file by file, and an archive of it with a fault."""
    folder.mkdir()
    for name, text in {**FILES, "units.yaml": units}.items():
        (folder / name).write_text(text, encoding="utf-8")
    broken = {"units.yaml": FILES["units.yaml"].replace("- id: water\n", "- id: gas\n", 1)}
    (folder.parent / "broken.zip").write_bytes(packed(broken))
    (folder.parent / "large.zip").write_bytes(bytes(LARGEST_ARCHIVE + 1))
    (folder.parent / "first.zip").write_bytes(packed())
    return sorted(folder.iterdir()), folder.parent


async def test_data_is_checked_mended_and_put_in_force(
    site: Site, services: Services, page: Page, staff: Staff, tmp_path: Path
) -> None:
    renamed = FILES["units.yaml"].replace(WATER, "市供水集团有限公司")
    files, archives = await asyncio.to_thread(_write, tmp_path / "city", renamed)
    await hire(services, "wang.fang", Role.UNIT, unit=WATER, name="王芳")
    await sign_in(page, site, staff, "zhao.min")
    await go(page, site, "/city")
    await page.until(shows("尚未导入过数据"))
    await page.picture(tmp_path / "city-empty.png")

    await choose_files(page, archives / "broken.zip")
    await page.until(shows("units.5：单位编号“gas”重复"))
    await page.until(shows("mianyang/units.yaml"))
    assert not await page.run(f"Boolean({SOUND})")
    await reports_nothing_serious(page)
    await page.picture(tmp_path / "city-faults.png")

    await choose_files(page, archives / "large.zip")
    await page.until(shows("压缩包过大，最多 8 MB"))
    await choose_files(page, archives / "first.zip")
    await page.until(SOUND)
    await page.click("#load-city")
    await page.until(shows("将成为第 1 版并立即生效"))
    await page.picture(tmp_path / "city-confirm.png")
    await press_button(page, "启用这份数据", ".el-dialog")
    await page.until(shows("第 1 版已启用，本服务已采用"))
    await page.until("document.querySelectorAll('.city-version').length === 1")

    await choose_files(page, *files)
    await page.until(shows("与现行第 1 版相比"))
    await page.until(f"{shows('wang.fang')} && {shows('须改到新的单位')}")
    await reports_nothing_serious(page)
    await page.picture(tmp_path / "city-report.png")
    await page.click("#load-city")
    await press_button(page, "启用这份数据", ".el-dialog")
    await page.until("document.querySelectorAll('.city-version').length === 2")
    rows = await services.pool.fetch("SELECT loaded_by FROM city_versions ORDER BY number")
    assert [row["loaded_by"] for row in rows] == ["zhao.min", "zhao.min"]
    assert services.city.unit("市供水集团有限公司")
    assert not page.wrong
    await page.size(390, 844)
    await go(page, site, "/city", "en")
    await page.until(shows("Version 2"))
    await page.run("document.querySelector('.city-version details').open = true")
    await fits(page)
    await reports_nothing_serious(page)
    await page.picture(tmp_path / "city-en-phone.png")
