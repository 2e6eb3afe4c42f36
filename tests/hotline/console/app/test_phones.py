"""Telephones and notices in the new console: set up, sent again, the book kept."""

import json
from pathlib import Path

import pytest

from hotline import journal, notice_rows
from hotline.config import Phones
from hotline.database import Pool, transaction
from hotline.journal import Event
from hotline.notice_rows import NoticeState
from hotline.services import Services
from tests.hotline.console.app.doing import choose
from tests.hotline.console.app.seats import (
    PHONE,
    fits,
    go,
    reports_nothing_serious,
    shows,
    sign_in,
)
from tests.hotline.console.browser import Page
from tests.hotline.console.conftest import Clock, Site, configured, services_on
from tests.hotline.console.staff import WATER, Staff

SECRET = "made-up-for-the-telephone"
SUBMIT = ".el-dialog__footer button[type=submit]:not([disabled])"
CLOSED = "![...document.querySelectorAll('.el-dialog')].some((one) => one.offsetParent)"


@pytest.fixture
def services(tmp_path: Path, pool: Pool, database: str, clock: Clock) -> Services:
    file = tmp_path / "secrets.json"
    file.write_text(json.dumps({"operators": {"1001": SECRET}}))
    config = configured(tmp_path, phones=Phones(server="10.0.0.5", secrets_file=file))
    return services_on(config, pool, database, clock)


async def test_a_telephone_is_set_up_by_its_code_and_the_journal_keeps_who_saw_it(
    site: Site, services: Services, page: Page, staff: Staff, tmp_path: Path
) -> None:
    await sign_in(page, site, staff, "zhao.min")
    await go(page, site, "/phones")
    await page.click("#seat-1001 .set-up")
    await page.click("#see-phone")
    await page.until("document.querySelector('.scan img')?.naturalWidth > 100")
    link = await page.run("document.querySelector('.scan input').value")
    await reports_nothing_serious(page)
    await page.picture(tmp_path / "phones.png")
    async with site.visitor().get(link[link.index("/phones/") :]) as answer:
        assert SECRET in await answer.text()
    seen = await services.pool.fetch(
        "SELECT actor, body->>'way' FROM journal WHERE event = 'phone.provisioned' ORDER BY id"
    )
    assert [tuple(one) for one in seen] == [("zhao.min", "shown"), ("zhao.min", "link")]
    await page.size(*PHONE)
    await page.run("document.querySelector('#tab-microsip').click()")
    await page.until(
        f"[...document.querySelectorAll('textarea')].some((one) => one.value.includes('{SECRET}'))"
    )
    await fits(page)
    await page.picture(tmp_path / "phones-small.png")
    await go(page, site, "/phones", "en")
    await page.click("#seat-1002 .set-up")
    await page.click("#see-phone")
    await page.until(shows("does not know this telephone"))
    await reports_nothing_serious(page)


async def _notices(services: Services) -> int:
    """Three notices of one row: sent, waiting, and one that could not be delivered."""
    now = services.clock()
    async with transaction(services.pool) as tx:
        await journal.write(
            tx, at=now, actor="service", event=Event.CASE_DISPATCHED, body={"unit": WATER}
        )
        row = await tx.fetchval("SELECT max(id) FROM journal")
        made = []
        for way, address in (
            ("mail", "hot@water.example"),
            ("sms", "13812345678"),
            ("gateway", "13987654321"),
        ):
            given = await notice_rows.add(
                tx,
                journal_id=row,
                case_id=None,
                destination=way,
                holder=WATER,
                address=address,
                at=now,
            )
            assert given is not None
            made.append(given)
        await notice_rows.settle(tx, made[0], NoticeState.SENT, now, None)
        await notice_rows.settle(tx, made[2], NoticeState.DEAD, now, "550 no such mailbox")
    return made[2]


async def test_what_was_not_delivered_is_sent_again_and_the_book_is_kept(
    site: Site, services: Services, page: Page, staff: Staff, tmp_path: Path
) -> None:
    dead = await _notices(services)
    await sign_in(page, site, staff, "zhao.min")
    await go(page, site, "/notices")
    await page.until("document.querySelectorAll('.notice-line').length === 3")
    await reports_nothing_serious(page)
    await page.picture(tmp_path / "notices.png")
    await page.click(f"#notice-{dead} .retry")
    await page.until(f"!document.querySelector('#notice-{dead} .retry')")
    state = await services.pool.fetchval("SELECT state FROM notices WHERE id = $1", dead)
    assert state == "queued"
    await page.click("#tab-book")
    await page.click("#add-address")
    await choose(page, "address-unit", WATER)
    await page.write("#address-address", "duty@water.example")
    await page.click(SUBMIT)
    await page.until(CLOSED)
    await page.until("document.querySelector('.holder .address')")
    kept = await services.pool.fetchrow("SELECT holder, channel, added_by FROM notice_addresses")
    assert kept is not None
    assert tuple(kept) == (WATER, "mail", "zhao.min")
    assert not await page.run(shows("duty@water.example"))
    await reports_nothing_serious(page)
    await page.picture(tmp_path / "addresses.png")
    await page.size(*PHONE)
    await fits(page)
    await page.click(".holder .drop")
    await page.click(SUBMIT)
    await page.until(shows("地址簿还是空的"))
    assert not await services.pool.fetchval("SELECT count(*) FROM notice_addresses")
    assert not page.wrong
