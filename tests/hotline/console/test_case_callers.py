"""Whoever brought a case that no call brought: sealed, and found wherever a caller is."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from hotline import case_rows, supervision_looks
from hotline.audit import verify
from hotline.case_rows import Filter
from hotline.console.keyed import KEY
from hotline.database import Pool, borrowed
from hotline.notices import NoticeDesk
from hotline.retention_rows import SORTS
from hotline.services import Services
from routing.cases import Role
from routing.retention import Kept
from routing.searching import Sought
from telephony.calls import Leg
from tests.hotline.console.conftest import NOW, Clock, Site, configured, services_on
from tests.hotline.console.filled import Said, Town
from tests.hotline.console.staff import CITY_LIGHTS, Staff, hire
from tests.hotline.console.test_cases_api import CONFIRMED, ask
from tests.hotline.test_notices import settled, until, working
from tests.routing.destinations.receivers import Program, program

NUMBER, NAME = "13977776666", "欧阳小明"
MASKED = "139****6666"
SAID = (Said(leg=Leg.CALLER, start=5.0, text="涪城区临园路的路灯坏了三天了，请帮忙修一下"),)


@pytest.fixture
async def receiver() -> AsyncIterator[Program]:
    async with program() as told:
        yield told


@pytest.fixture
def services(
    tmp_path: Path, pool: Pool, database: str, clock: Clock, receiver: Program
) -> Services:
    sms = {
        "kind": "sms",
        "name": "sms",
        "url": receiver.url,
        "body": '{"mobile": "{to}", "content": "{text}"}',
    }
    return services_on(configured(tmp_path, destinations=[sms]), pool, database, clock)


async def written(visitor: ClientSession, number: str = NUMBER, **more: Any) -> dict[str, Any]:
    by = {"number": number, "name": NAME}
    status, case = await ask(
        visitor, "POST", "/api/cases", {"channel": "mail", "brought_by": by, **more}
    )
    assert status == 200, case
    return case


async def test_who_wrote_is_kept_sealed_shown_masked_and_told_for_a_reason(
    site: Site, services: Services, pool: Pool
) -> None:
    await hire(services, "boss", Role.ADMINISTRATOR)
    await hire(services, "desk", Role.DISPATCHER)
    await hire(services, "lights", Role.UNIT, unit=CITY_LIGHTS)
    staff = Staff(services=services, site=site)
    desk, lights = await staff.visitor("desk"), await staff.visitor("lights")
    case = await written(desk)
    path = f"/api/cases/{case['id']}"
    assert case["brought_by"] == MASKED
    assert [it["event"] for it in case["history"]] == ["case.drafted", "case.caller_noted"]
    assert case["history"][1]["body"] == {"caller": MASKED}
    (kept,) = await pool.fetch("SELECT (number).box AS number, (name).box AS name FROM identities")
    assert NUMBER.encode() not in kept["number"]
    assert NAME.encode() not in kept["name"]
    # The same again changes nothing; another number corrects it; a unit may do neither.
    for number, rows in ((NUMBER, 2), ("13977776667", 3), (NUMBER, 4)):
        status, found = await ask(desk, "POST", f"{path}/caller", {"number": number})
        assert (status, len(found["history"])) == (200, rows)
    assert (await ask(lights, "POST", f"{path}/caller", {"number": NUMBER}))[0] == 403
    assert (await ask(lights, "POST", f"{path}/reveal", {"reason": "我要知道"}))[0] == 403
    status, told = await ask(desk, "POST", f"{path}/reveal", {"reason": "回信核实地址"})
    assert (status, told["number"], told["name"]) == (200, NUMBER, NAME)
    (row,) = await pool.fetch("SELECT * FROM journal WHERE event = 'seen.identity'")
    assert (row["case_id"], json.loads(row["body"])) == (case["id"], {"reason": "回信核实地址"})
    for row in await pool.fetch("SELECT body::text FROM journal"):
        assert NUMBER not in row["body"]
        assert NAME not in row["body"]
    async with borrowed(services.pool) as conn:
        assert (await verify(conn)).fault is None


async def test_a_call_has_its_own_caller_and_a_closed_case_keeps_its_own(
    town: Town, visitor: ClientSession, pool: Pool
) -> None:
    call_id = await town.is_talked(NOW - timedelta(minutes=9), SAID)
    path = f"/api/cases/{await town.case_of(call_id)}"
    status, problem = await ask(visitor, "POST", f"{path}/caller", {"number": NUMBER})
    assert (status, problem["type"]) == (409, "not_possible")
    case = await written(visitor)
    await pool.execute(
        "UPDATE cases SET state = 'closed', closed_at = $2 WHERE id = $1", case["id"], NOW
    )
    path = f"/api/cases/{case['id']}"
    status, problem = await ask(visitor, "POST", f"{path}/caller", {"number": "13800000000"})
    assert (status, problem["type"]) == (409, "not_possible")
    assert (await ask(visitor, "POST", "/api/cases/999/caller", {"number": NUMBER}))[0] == 404
    for number in ("", "12", "abc", "1" * 30):
        assert (await ask(visitor, "POST", f"{path}/caller", {"number": number}))[0] == 422


async def test_a_letter_that_came_twice_with_a_key_is_of_one_person(
    visitor: ClientSession, pool: Pool
) -> None:
    given = {"channel": "web", "brought_by": {"number": NUMBER, "name": NAME}}
    for _ in range(2):
        async with visitor.post("/api/cases", json=given, headers={KEY: "web 1"}) as answer:
            assert answer.status == 200
    assert await pool.fetchval("SELECT count(*) FROM cases WHERE caller IS NOT NULL") == 1
    assert await pool.fetchval("SELECT count(*) FROM identities") == 1


async def test_who_wrote_and_rings_is_one_person(
    town: Town, visitor: ClientSession, pool: Pool
) -> None:
    case = await written(visitor)
    # By the last digits.
    async with borrowed(pool) as conn:
        found = await case_rows.page(conn, Filter(), search=Sought(tail="6666"))
    assert [it.id for it in found.cases] == [case["id"]]
    # On the screen as the telephone rings.
    call_id = await town.is_talked(NOW, SAID, number=NUMBER)
    ringing = await pool.fetchval("SELECT body FROM journal WHERE event = 'call.ringing'")
    history = json.loads(ringing)["history"]
    assert (history["calls"], history["open"]) == (0, 1)
    assert [it["id"] for it in history["open_cases"]] == [case["id"]]
    # As a repeat of his, though the letter says nothing that is alike.
    called = await town.case_of(call_id)
    for one, other in ((called, case["id"]), (case["id"], called)):
        _, related = await ask(visitor, "GET", f"/api/cases/{one}/related")
        assert [it["case"]["id"] for it in related["of_caller"]] == [other]
    await ask(visitor, "POST", f"/api/cases/{case['id']}/open", CONFIRMED)
    given = {
        "explanation": "same_matter",
        "same_as": case["id"],
        "reason": "同一事项",
        "channel": "原工单",
    }
    status, explained = await ask(visitor, "POST", f"/api/cases/{called}/explain", given)
    assert status == 200, explained
    (row,) = await pool.fetch("SELECT * FROM case_repeats")
    assert (row["case_id"], row["same_caller"]) == (case["id"], True)


async def test_an_earlier_letter_makes_the_caller_a_repeated_one(
    town: Town, visitor: ClientSession, pool: Pool
) -> None:
    first = await written(visitor)
    await ask(visitor, "POST", f"/api/cases/{first['id']}/open", CONFIRMED)
    call_id = await town.is_talked(NOW, SAID, number=NUMBER)
    second = await town.case_of(call_id)
    await ask(visitor, "POST", f"/api/cases/{second}/open", CONFIRMED)
    rows = await pool.fetch(supervision_looks._REPEATS, [second], timedelta(days=30), "suggestion")
    assert [(row["asked"], row["id"]) for row in rows] == [(second, first["id"])]


async def test_a_card_and_an_address_reach_whoever_wrote(
    services: Services,
    clock: Clock,
    visitor: ClientSession,
    receiver: Program,
    database: str,
) -> None:
    case = await written(visitor)
    path = f"/api/cases/{case['id']}"
    status, found = await ask(visitor, "POST", f"{path}/send-unit", {"unit": CITY_LIGHTS})
    assert (status, [it["state"] for it in found["sent"]]) == (200, ["queued"])
    desk = NoticeDesk(config=services.config, pool=services.pool, feed=services.feed, clock=clock)
    async with working(database, desk):
        await until(services.pool, lambda rows: bool(rows) and settled(rows))
    assert json.loads(receiver.heard[0].body)["mobile"] == NUMBER
    _, found = await ask(visitor, "GET", f"{path}/sent")
    assert [it["state"] for it in found["sent"]] == ["sent"]
    assert NUMBER not in json.dumps(found)
    _, other = await ask(visitor, "POST", "/api/cases", {"channel": "mail"})
    status, problem = await ask(
        visitor, "POST", f"/api/cases/{other['id']}/send-unit", {"unit": CITY_LIGHTS}
    )
    assert (status, problem["type"]) == (409, "not_possible")
    assert (await ask(visitor, "GET", "/api/cases/999/sent"))[0] == 404


async def test_who_wrote_is_forgotten_when_the_last_case_is_old_and_not_before(
    visitor: ClientSession, pool: Pool
) -> None:
    case = await written(visitor)
    (sort,), later = SORTS[Kept.IDENTITIES], NOW + timedelta(days=1)
    assert await pool.fetchval(sort.due, later) == 0
    await pool.execute(
        "UPDATE cases SET state = 'closed', closed_at = $2 WHERE id = $1", case["id"], NOW
    )
    assert await pool.fetchval(sort.due, NOW) == 0
    assert await pool.fetchval(sort.due, later) == 1
    # A case that is open again holds its person, however old the first end is.
    await pool.execute("UPDATE cases SET state = 'open' WHERE id = $1", case["id"])
    assert await pool.fetchval(sort.due, later) == 0
    assert await pool.fetchval(sort.held, later) == 1
