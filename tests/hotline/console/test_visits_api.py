"""Visits on the spot, held against the unit's reply; units called to come; what evidence shows."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import ClientSession

from hotline import audit
from hotline.coming_desk import ComingDesk
from hotline.console.keyed import KEY
from hotline.database import borrowed
from hotline.services import Services
from routing.cases import Move, Role, Solved, Truth
from telephony.calls import Leg
from tests.hotline.console.conftest import NOW, Clock, Site
from tests.hotline.console.filled import Said, Town
from tests.hotline.console.staff import CITY_LIGHTS, WATER, Staff, hire
from tests.hotline.console.test_cases_api import ask

SAID = (Said(leg=Leg.CALLER, start=5.0, text="涪城区临园路的路灯坏了三天了，请帮忙修一下"),)
COME = {"unit": WATER, "place": "临园路口", "reason": "水管爆裂，来电人等在现场"}
PHOTO = b"\xff\xd8\xff" + bytes(200)


@pytest.fixture
async def staff(site: Site, services: Services) -> Staff:
    await hire(services, "first", Role.ADMINISTRATOR)
    await hire(services, "operator", Role.OPERATOR)
    await hire(services, "auditor", Role.AUDITOR)
    await hire(services, "water", Role.UNIT, unit=WATER)
    await hire(services, "water-2", Role.UNIT, unit=WATER)
    await hire(services, "lights", Role.UNIT, unit=CITY_LIGHTS)
    return Staff(services=services, site=site)


@pytest.fixture
async def case_id(town: Town) -> int:
    call = await town.is_talked(NOW - timedelta(minutes=9), SAID)
    await town.moves(call, Move.OPEN, NOW, kind="help", urgency="normal", level1="城乡建设")
    await town.moves(call, Move.DISPATCH, NOW, unit=CITY_LIGHTS)
    return await town.case_of(call)


async def audited(services: Services) -> object:
    async with borrowed(services.pool) as conn:
        return (await audit.verify(conn)).fault


async def test_a_unit_is_called_to_come_says_that_it_comes_and_is_there(
    staff: Staff, services: Services, clock: Clock, case_id: int
) -> None:
    operator, water, colleague, lights = [
        await staff.visitor(it) for it in ("operator", "water", "water-2", "lights")
    ]
    _, asked = await ask(operator, "POST", f"/api/cases/{case_id}/comings", COME)
    assert (asked["state"], asked["unit"], asked["overdue"]) == ("asked", WATER, False)
    assert asked["due_at"] == "2026-11-23T02:50:00Z"  # 20 minutes, as by telephone
    _, again = await ask(operator, "POST", f"/api/cases/{case_id}/comings", COME)
    assert again["id"] == asked["id"]

    desks = [ComingDesk(pool=services.pool, clock=clock) for _ in range(2)]
    assert await desks[0].look() == 0
    clock.forward(minutes=21)
    # Nobody has said in time that he comes: two services and a second look tell of it once.
    assert sum(await asyncio.gather(*(desk.look() for desk in desks))) == 1
    assert await desks[0].look() == 0

    # The unit sees the request, place and reason, though the case is not its own.
    _, listed = await ask(water, "GET", "/api/comings")
    assert [(it["place"], it["overdue"]) for it in listed["comings"]] == [("临园路口", True)]
    assert (await ask(water, "GET", f"/api/cases/{case_id}"))[0] == 404
    path = f"/api/comings/{asked['id']}"
    assert (await ask(lights, "GET", "/api/comings"))[1]["comings"] == []
    comes = {"comes_at": "2026-11-23T11:20:00+08:00"}
    assert (await ask(lights, "POST", f"{path}/acknowledge", comes))[0] == 404

    assert (await ask(water, "POST", f"{path}/arrive", {}))[0] == 409
    both = await asyncio.gather(
        *(ask(one, "POST", f"{path}/acknowledge", comes) for one in (water, colleague))
    )
    assert sorted(status for status, _ in both) == [200, 409]
    assert (await ask(water, "POST", f"{path}/arrive", {}))[1]["state"] == "arrived"
    assert (await ask(operator, "POST", f"{path}/withdraw", {}))[0] == 409
    assert (await ask(water, "GET", "/api/comings"))[1]["comings"] == []

    _, case = await ask(operator, "GET", f"/api/cases/{case_id}")
    told = [it["event"] for it in case["history"] if it["event"].startswith("coming.")]
    assert told == [
        *("coming.asked", "coming.overdue"),
        *("coming.acknowledged", "coming.arrived"),
    ]
    assert COME["reason"] in [text["text"] for text in case["texts"]]
    assert await audited(services) is None


async def test_a_request_to_come_needs_a_unit_there_is_and_a_case_that_goes_on(
    staff: Staff, town: Town, case_id: int
) -> None:
    operator = await staff.visitor("operator")
    path = f"/api/cases/{case_id}/comings"
    status, problem = await ask(operator, "POST", path, {**COME, "unit": "没有这个单位"})
    assert (status, problem["type"]) == (422, "invalid")
    other = await town.is_talked(NOW - timedelta(minutes=3), SAID, number="13890110000")
    await town.moves(other, Move.WITHDRAW, NOW, reason="误拨")
    over = f"/api/cases/{await town.case_of(other)}/comings"
    status, problem = await ask(operator, "POST", over, COME)
    assert (status, problem["type"]) == (409, "not_possible")
    _, asked = await ask(operator, "POST", path, COME)
    status, gone = await ask(operator, "POST", f"/api/comings/{asked['id']}/withdraw", {})
    assert (status, gone["state"]) == (200, "withdrawn")
    assert (await ask(operator, "POST", path, COME))[1]["id"] != asked["id"]


async def upload(visitor: ClientSession, case_id: int, sort: str) -> tuple[int, dict[str, Any]]:
    async with visitor.post(
        f"/api/cases/{case_id}/evidence?name=a.jpg&sort={sort}",
        data=PHOTO,
        headers={"Content-Type": "image/jpeg"},
    ) as answer:
        return answer.status, await answer.json()


async def test_evidence_says_which_of_three_things_it_shows(staff: Staff, case_id: int) -> None:
    lights = await staff.visitor("lights")
    for sort in ("identity", "contact", "handling"):
        status, piece = await upload(lights, case_id, sort)
        assert (status, piece["sort"]) == (200, sort)
    assert (await upload(lights, case_id, "gossip"))[0] == 422
    _, case = await ask(lights, "GET", f"/api/cases/{case_id}")
    assert [piece["sort"] for piece in case["evidence"]] == ["identity", "contact", "handling"]
    rows = [it for it in case["history"] if it["event"] == "case.evidence_added"]
    assert [row["body"]["sort"] for row in rows] == ["identity", "contact", "handling"]


async def test_what_was_found_on_the_spot_is_held_against_the_units_reply(
    staff: Staff, services: Services, town: Town, clock: Clock, case_id: int
) -> None:
    auditor = await staff.visitor("auditor")
    _, photo = await upload(auditor, case_id, "handling")
    visit = {
        "visited_at": "2026-11-23T10:00:00+08:00",
        "place": "临园路东段",
        "found": "路灯仍不亮，共三盏",
        "reply": "none",
        "evidence": [photo["id"]],
    }
    path = f"/api/cases/{case_id}/visits"
    for _ in range(2):  # the same request again is the same visit
        async with auditor.post(path, json=visit, headers={KEY: "a visit"}) as reached:
            first = await reached.json()
            assert (reached.status, first["by"], first["unit"]) == (200, "auditor", None)
    # There is no reply yet that could be true or not, no visit tomorrow, no foreign photograph.
    later = {**visit, "visited_at": "2026-11-24T10:00:00+08:00"}
    for wrong, expected in (
        ({**visit, "reply": "untrue"}, 409),
        (later, 409),
        ({**visit, "evidence": [photo["id"] + 7]}, 422),
    ):
        assert (await ask(auditor, "POST", path, wrong))[0] == expected
    call = await services.pool.fetchval("SELECT call_id FROM cases WHERE id = $1", case_id)
    await town.moves(call, Move.SIGN, NOW)
    answer: dict[str, Any] = {"reply": "已修好", "public_reply": "已修好", "contacted_at": NOW}
    answer |= {"truth": Truth.YES, "publish": True}
    await town.moves(call, Move.ANSWER, NOW, solved=Solved.YES, **answer)
    clock.forward(days=2)
    auditor = await staff.visitor("auditor")
    await ask(auditor, "POST", path, {**later, "reply": "untrue"})
    _, found = await ask(auditor, "GET", path)
    assert [(it["reply"], it["evidence"]) for it in found["visits"]] == [
        ("none", [photo["id"]]),
        ("untrue", [photo["id"]]),
    ]
    assert found["visits"][0]["found"] == "路灯仍不亮，共三盏"
    assert await audited(services) is None
    await services.pool.execute("UPDATE case_texts SET text = '路灯亮' WHERE sort = 'found'")
    assert await audited(services) is not None
