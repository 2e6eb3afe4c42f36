"""Open311 as a program brings reports: a draft like any other, whoever reported it sealed."""

import asyncio
import urllib.parse
import urllib.request
from typing import Any
from xml.etree import ElementTree as ET

import asyncpg
import pytest

from hotline import case_callers, journal
from hotline.audit import verify
from hotline.console import open311_intake
from hotline.console.georeport import CODES
from hotline.database import Pool, borrowed
from hotline.services import Services
from routing import store, text_store
from routing.cases import CaseState, Channel, Role
from tests.hotline.console.conftest import Site
from tests.hotline.console.staff import Staff, hire
from tests.hotline.console.test_absences_api import ask

AT = "/open311/v2/requests"
PHONE, FIRST, LAST = "13890115678", "小虎", "欧阳"
REPORT = {
    "service_code": "01",
    "description": "临园路口的路灯坏了三天，晚上看不清路。",
    "address_string": "涪城区临园路12号门口",
    "lat": "31.4679",
    "long": "104.7426",
    "first_name": FIRST,
    "last_name": LAST,
    "phone": "138 9011-5678",
    "email": "tiger@example.invalid",
}


@pytest.fixture
async def key(site: Site, services: Services) -> str:
    """The API token of a program that may begin cases."""
    await hire(services, "boss", Role.ADMINISTRATOR)
    await hire(services, "app", Role.OPERATOR)
    boss = await Staff(services=services, site=site).visitor("boss")
    _, users = await ask(boss, "GET", "/api/users")
    (app,) = [one["id"] for one in users["users"] if one["login"] == "app"]
    asked = {"name": "市民随手拍", "roles": ["operator"]}
    status, made = await ask(boss, "POST", f"/api/users/{app}/tokens", asked)
    assert status == 200, made
    return str(made["text"])


async def bring(
    site: Site,
    fields: dict[str, str],
    shape: str = "json",
    headers: dict[str, str] | None = None,
) -> tuple[int, Any]:
    async with site.visitor().post(f"{AT}.{shape}", data=fields, headers=headers) as answer:
        text = await answer.text()
        return answer.status, (await answer.json() if shape == "json" else ET.fromstring(text))  # noqa: S314 - our own


async def case_of(conn: asyncpg.Connection, number: str) -> Any:
    return await conn.fetchrow("SELECT * FROM cases WHERE number = $1", number)


async def test_a_plain_client_brings_a_report_and_it_is_a_draft_like_any_other(
    site: Site, key: str, pool: Pool
) -> None:
    def post() -> bytes:
        body = urllib.parse.urlencode(REPORT | {"api_key": key}).encode()
        with urllib.request.urlopen(f"{site.url}{AT[1:]}.xml", body, timeout=20) as answer:  # noqa: S310
            assert answer.status == 200
            assert answer.headers["Content-Type"].startswith("text/xml")
            return bytes(answer.read())

    told = ET.fromstring(await asyncio.to_thread(post))  # noqa: S314 - our own answer
    assert (told.tag, told[0].tag) == ("service_requests", "request")
    number = told.findtext("request/service_request_id") or ""
    assert told.findtext("request/service_notice")
    async with borrowed(pool) as conn:
        row = await case_of(conn, number)
        case = await store.get(conn, row["id"])
        assert (case.state, case.channel) == (CaseState.DRAFT, Channel.PLATFORM)
        assert (case.owner, case.call_id) == ("app", None)
        assert case.level1 == CODES["01"]
        assert case.summary == REPORT["description"]
        texts = {it.sort: it.text for it in await text_store.texts_of(conn, case.id)}
        assert texts["place"] == f"{REPORT['address_string']}；31.467900, 104.742600"
        assert texts["summary"] == REPORT["description"]
        brought = await case_callers.of_case(conn, case.id)
        assert (brought.number, brought.name) == (PHONE, f"{LAST}{FIRST}")
        rows = await journal.of_case(conn, case.id)
        for word in (PHONE, "5678", FIRST, LAST, "tiger"):
            assert word not in str([one.body for one in rows]).replace("138****5678", ""), word
        assert (await verify(conn)).fault is None  # the row is what the journal tells
    async with site.visitor().get(f"/open311/v2/requests/{number}.json") as answer:
        assert answer.status == 404  # nothing of it is public before a reply is


async def test_the_same_report_within_a_day_is_one_case(site: Site, key: str, pool: Pool) -> None:
    given = REPORT | {"api_key": key}
    answers = await asyncio.gather(*(bring(site, given) for _ in range(4)))
    assert {status for status, _ in answers} == {200}
    assert len({told[0]["service_request_id"] for _, told in answers}) == 1
    mine = {"Idempotency-Key": "report-7"}
    first = await bring(site, given, headers=mine)
    assert (await bring(site, given, headers=mine)) == first
    status, (error,) = await bring(site, given | {"description": "另一件事"}, headers=mine)
    assert (status, error["code"]) == (400, 400)
    assert await pool.fetchval("SELECT count(*) FROM cases") == 2
    assert await pool.fetchval("SELECT count(DISTINCT caller) FROM cases") == 1


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"api_key": ""}, (400, "api_key was not provided")),
        ({"api_key": "htl_1_wrong"}, (403, "api_key is invalid")),
        ({"service_code": ""}, (400, "service_code was not provided")),
        ({"service_code": "99"}, (404, "service_code was not found")),
        ({"description": " "}, (400, "description was not provided")),
        ({"description": "长" * 4001}, (400, "4000")),
        ({"description": "\0"}, (400, "character")),
        ({"lat": "91"}, (400, "lat is no number")),
        ({"long": "nan"}, (400, "long is no number")),
        ({"long": ""}, (400, "long is no number")),
        ({"address_string": "", "lat": "", "long": ""}, (400, "address_string")),
        ({"phone": "1389011567x"}, (400, "phone")),
        ({"media_url": "javascript:alert(1)"}, (400, "media_url")),
        ({"first_name": "长" * 61}, (400, "name")),
    ],
)
async def test_what_cannot_be_is_refused_in_the_specifications_shape(
    site: Site, key: str, pool: Pool, change: dict[str, str], refusal: tuple[int, str]
) -> None:
    given, (status, says) = REPORT | {"api_key": key} | change, refusal
    found, (error,) = await bring(site, given)
    assert (found, error["code"]) == (status, status), error
    assert says in error["description"]
    assert PHONE not in str(error)
    found, told = await bring(site, given, "xml")
    assert (found, told.tag, told.findtext("error/code")) == (status, "errors", str(status))
    assert await pool.fetchval("SELECT count(*) FROM cases") == 0


async def test_a_program_whose_user_begins_no_cases_is_refused(
    site: Site, services: Services, key: str
) -> None:
    await hire(services, "reader", Role.AUDITOR)
    visitor = await Staff(services=services, site=site).visitor("reader")
    _, made = await ask(visitor, "POST", "/api/tokens", {"name": "看", "roles": ["auditor"]})
    assert (await bring(site, REPORT | {"api_key": made["text"]}))[0] == 403
    assert (await bring(site, REPORT | {"api_key": key}))[0] == 200


async def test_wrong_keys_wait_and_a_program_keeps_a_pace(site: Site, key: str) -> None:
    for number in range(open311_intake.PER_MINUTE):
        status, _ = await bring(site, REPORT | {"api_key": key, "description": f"第{number}件"})
        assert status == 200
    status, (error,) = await bring(site, REPORT | {"api_key": key, "description": "再一件"})
    assert (status, error["code"]) == (429, 429)
    tries = [await bring(site, REPORT | {"api_key": "htl_1_no"}) for _ in range(7)]
    assert [status for status, _ in tries][-1] == 429


async def test_an_emergency_is_escalated_and_nobody_need_say_who_he_is(
    site: Site, key: str, pool: Pool
) -> None:
    given = {name: REPORT[name] for name in ("service_code", "address_string")}
    words = {"description": "小区里燃气泄漏，气味很大，有人晕倒了", "api_key": key}
    status, told = await bring(site, given | words)
    assert status == 200
    async with borrowed(pool) as conn:
        row = await case_of(conn, told[0]["service_request_id"])
        assert (row["urgency"], row["caller"]) == ("emergency", None)
        events = [it.event for it in await journal.of_case(conn, row["id"])]
    assert events == ["case.drafted", "case.suggested", "case.escalated"]
