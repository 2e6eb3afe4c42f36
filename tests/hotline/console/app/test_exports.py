"""Lists taken away in the app: narrowed, counted on their way, broken off, marked; and prints."""

import asyncio
import csv
import json
import time
from pathlib import Path

import pytest

from hotline import case_rows
from hotline.console.endpoints import ENDPOINTS
from hotline.console.exporting import MOST
from hotline.services import Services
from routing.cases import Role
from tests.hotline.console.app.doing import lit, press_button
from tests.hotline.console.app.seats import WEB, go, reports_nothing_serious, shows, sign_in
from tests.hotline.console.browser import Page
from tests.hotline.console.staff import Staff, hire


def test_the_app_offers_an_export_to_whom_the_service_gives_it() -> None:
    told = json.loads((WEB / "src" / "exports.json").read_text("utf-8"))
    paths = {one.path: one.roles for one in ENDPOINTS if one.path.startswith("/api/exports/")}
    assert {one["path"]: frozenset(one["roles"]) for one in told.values()} == paths
    for language in ("zh", "en"):
        words = json.loads((WEB / "messages" / f"{language}.json").read_text("utf-8"))
        assert f"{MOST:,}" in words["export.hint"]


def downloaded(folder: Path) -> str:
    """The text of the file, once it is there: Chromium names it so when it is whole."""
    until = time.monotonic() + 20
    while not (found := list(folder.glob("cases-*-zhou.jie.csv"))):
        assert time.monotonic() < until
        time.sleep(0.05)
    return found[0].read_text("utf-8-sig")


async def test_a_list_is_narrowed_taken_as_a_file_broken_off_and_marked_in_print(
    page: Page, services: Services, staff: Staff, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = staff.site
    for minutes in (30, 20):
        await lit(services, minutes=minutes)
    await hire(services, "zhou.jie", Role.SUPERVISOR)
    await sign_in(page, site, staff, "zhou.jie")
    await page.ask("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    await go(page, site, "/cases?channel=phone")
    await page.until("document.querySelectorAll('.case-line').length === 2")
    await press_button(page, "导出")
    await page.until(shows("当前筛选：来源渠道 电话"))
    await reports_nothing_serious(page)

    gate, counted = asyncio.Event(), case_rows.counted

    async def held(*asked: object) -> int:
        await gate.wait()
        return await counted(*asked)  # type: ignore[arg-type]

    monkeypatch.setattr(case_rows, "counted", held)
    await press_button(page, "开始导出", ".el-dialog")
    await page.until(shows("正在统计条数"))
    await press_button(page, "停止", ".el-dialog")
    await page.until(
        "![...document.querySelectorAll('button')].some((it) => it.innerText === '停止')"
    )
    assert await page.run("document.querySelector('.el-dialog .refused') === null")
    gate.set()

    await page.run("document.querySelector('.el-dialog input[value=csv]').click()")
    await press_button(page, "开始导出", ".el-dialog")
    await page.until(shows("已导出 2 条"))
    found = await asyncio.to_thread(downloaded, tmp_path)
    mark, columns, *rows = list(csv.reader(found.splitlines()))
    assert "zhou.jie 于" in mark[0]
    assert "筛选：来源渠道: 电话" in mark[0]
    assert (columns[0], len(rows)) == ("工单编号", 2)
    row = await services.pool.fetchval(
        "SELECT count(*) FROM journal WHERE event = 'export.taken' AND actor = 'zhou.jie'"
    )
    assert row >= 1

    await page.run("dispatchEvent(new Event('beforeprint'))")
    await page.until(
        "document.querySelector('.print-mark').textContent.includes('打印；筛选：来源渠道 电话')"
    )
    await page.ask("Emulation.setEmulatedMedia", media="print")
    assert await page.run("document.querySelector('.print-mark p').offsetHeight > 0")
    assert await page.run("document.querySelector('.menu').offsetParent === null")
    assert page.wrong == []
