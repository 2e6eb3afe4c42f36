"""The public pages: read by anybody, without a script, and nothing in them that is not public."""

import re
from datetime import timedelta

import pytest
from aiohttp import ClientSession

from hotline import disclosing
from hotline.catalogue import LANGUAGES, Language, say
from hotline.database import Pool
from hotline.services import Services
from metrics.reports.document import Kind, period_of
from routing.cases import Role
from tests.hotline.console.conftest import Clock, Site
from tests.hotline.console.filled import Town
from tests.hotline.console.staff import CITY_LIGHTS, Staff, hire
from tests.hotline.console.test_absences_api import ask
from tests.hotline.console.test_progress_api import told_number
from tests.hotline.console.test_publications_api import (
    BEGAN,
    CALLER,
    NAME,
    REPLY,
    answered,
    files_of,
    words,
)

PAGES = ("", "promise", "progress", "replies")
FORM = {"Sec-Fetch-Site": "same-origin"}


async def read(visitor: ClientSession, path: str, **headers: str) -> tuple[int, str]:
    async with visitor.get(f"/open/{path}", headers=headers) as answer:
        return answer.status, await answer.text()


async def disclosed_with_a_reply(staff: Staff, town: Town, services: Services, pool: Pool) -> None:
    case_id = await answered(town)
    desk, audit = await staff.visitor("desk"), await staff.visitor("audit")
    _, one = await ask(desk, "POST", "/api/publications", words(case_id))
    await ask(audit, "POST", f"/api/publications/{one['id']}/publish", {})
    await pool.execute("UPDATE publications SET decided_at = $1", BEGAN + timedelta(days=1))
    month = period_of(Kind.MONTHLY, BEGAN.date())
    disclosing.put(services.config.open_dir, month, await files_of(services, pool))


@pytest.fixture
async def staff(services: Services, site: Site) -> Staff:
    await hire(services, "boss", Role.ADMINISTRATOR)
    await hire(services, "desk", Role.DISPATCHER)
    await hire(services, "audit", Role.AUDITOR)
    return Staff(services=services, site=site)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_page_stands_before_anything_was_disclosed(
    site: Site, language: Language
) -> None:
    visitor = site.visitor()
    for page in PAGES:
        status, text = await read(visitor, f"{page}?lang={language}")
        assert status == 200
        assert f'<html lang="{"zh-CN" if language == "zh" else "en"}">' in text
        assert "<script" not in text
        assert not re.search(r"\bopen\.[a-z_.]+", text), "a key without its words"
        other = {"zh": "en", "en": "zh"}[language]
        assert f'href="/open/{page}?lang={other}"' in text
    _, first = await read(visitor, f"?lang={language}")
    assert re.findall(r"<dd>(\d+)</dd>", first) == ["12345", "2222"]
    assert say("open.home.no_month", language) in (await read(visitor, f"?lang={language}"))[1]
    assert (
        say("open.replies.none", language) in (await read(visitor, f"replies?lang={language}"))[1]
    )


async def test_the_language_is_the_readers_and_chinese_where_nobody_says(site: Site) -> None:
    visitor = site.visitor()
    for told, wanted in (("", "zh-CN"), ("en-GB,en;q=0.9", "en"), ("en,zh;q=0.5", "zh-CN")):
        assert (
            f'<html lang="{wanted}">' in (await read(visitor, "", **{"Accept-Language": told}))[1]
        )
    async with visitor.get("/open", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (308, "/open/")


async def test_the_promise_is_the_pack_in_force_with_every_basis(
    site: Site, services: Services
) -> None:
    _, text = await read(site.visitor(), "promise?lang=zh")
    policy = services.policy
    assert policy.name in text
    for limit in (*policy.limits, *(one for some in policy.stages.values() for one in some)):
        assert limit.basis in text
        assert f"{limit.amount} {say(f'unit.{limit.unit}')}" in text
    assert text.count("<tr>") == 2 + len(policy.limits) + sum(map(len, policy.stages.values()))


async def test_the_first_page_shows_the_newest_months_rates_with_both_numbers(
    staff: Staff, town: Town, services: Services, pool: Pool, site: Site
) -> None:
    await disclosed_with_a_reply(staff, town, services, pool)
    _, text = await read(site.visitor(), "?lang=zh")
    assert 'href="/open/2026-11/index.html"' in text
    _, figures = await ask(site.visitor(), "GET", "/open/2026-11/figures.json")
    table = next(it for it in figures["tables"] if it["key"] == "indicators")
    promised = [row for row in table["rows"] if row[4]["value"] is not None]
    assert len(promised) > 1
    for name, _, numerator, denominator, *_ in promised:
        assert f"<h3>{name['text']['zh']}</h3>" in text
        both = (f"{one['value']:,}" for one in (numerator, denominator))
        assert "分子 {}，分母 {}".format(*both) in text
    _, month = await read(site.visitor(), "2026-11/index.html")
    assert 'href="../index.html"' in month
    _, index = await read(site.visitor(), "index.html")
    assert 'href="/open/2026-11/index.html"' in index


async def test_replies_are_those_two_people_released_and_are_searched(
    staff: Staff, town: Town, services: Services, pool: Pool, site: Site
) -> None:
    await disclosed_with_a_reply(staff, town, services, pool)
    _, text = await read(site.visitor(), "replies")
    assert REPLY in text
    assert not {CALLER, NAME} & set(re.findall(r"[\u4e00-\u9fff]+|\d+", text))
    assert REPLY in (await read(site.visitor(), f"replies?words={REPLY[:3]}&page=99"))[1]
    for nothing in ("没有这句话", "<b>", "%"):
        _, text = await read(site.visitor(), f"replies?words={nothing}&page=x")
        assert (say("open.replies.none") in text, "<b>" in text) == (True, False)


async def test_a_caller_asks_by_the_form_and_reads_no_words_of_the_case(
    town: Town, site: Site, pool: Pool, services: Services, clock: Clock
) -> None:
    await hire(services, "boss", Role.ADMINISTRATOR)
    _, number = await told_number(town, pool)

    async def asked(tail: str, of: str = number, **headers: str) -> tuple[int, str]:
        form = {"number": of, "tail": tail}
        async with site.visitor().post(
            "/open/progress?lang=zh", data=form, headers=FORM | headers
        ) as answer:
            assert answer.headers["Cache-Control"] == "no-store"
            return answer.status, await answer.text()

    status, text = await asked("5678")
    assert status == 200
    for shown in (number, say("state.dispatched"), CITY_LIGHTS, "承诺答复时间"):
        assert shown in text
    assert "路灯坏了" not in text
    unknown = await asked("5678", "20261123-000009-9")
    wrong = await asked("0000")
    assert wrong[0] == unknown[0] == 404
    assert wrong[1].replace(number, "") == unknown[1].replace("20261123-000009-9", "")
    status, text = await asked("56789", '"><script>')
    assert (status, "<script" in text) == (422, False)
    for _ in range(3):
        await asked("0000")
    status, text = await asked("5678")
    assert (status, say("open.progress.wait") in text) == (429, True)
    async with site.visitor().post("/api/progress", json={"number": number, "tail": "5678"}) as api:
        assert api.status == 429  # both ways count together
    clock.forward(minutes=16)
    assert (await asked("5678"))[0] == 200


async def test_a_form_from_another_site_or_too_large_is_refused(
    site: Site, services: Services
) -> None:
    await hire(services, "boss", Role.ADMINISTRATOR)
    form = {"number": "20261123-000001-0", "tail": "5678"}
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.example"}):
        async with site.visitor().post("/open/progress", data=form, headers=headers) as answer:
            assert answer.status == 403
    async with site.visitor().post("/open/progress", data=form | {"more": "x" * 3000}) as answer:
        assert answer.status == 413
