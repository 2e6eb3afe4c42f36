"""One matter, several cases, through the API: what is suggested, to whom, and bursts."""

from datetime import timedelta

import pytest
from aiohttp import ClientSession

from hotline.database import transaction
from hotline.likeness import LikenessDesk
from hotline.services import Services
from routing.cases import Move, Role
from telephony.calls import Leg
from tests.hotline.console.conftest import NOW, Clock, Site
from tests.hotline.console.filled import Said, Town
from tests.hotline.console.staff import CITY_LIGHTS, WATER, Staff, hire
from tests.hotline.console.test_sight import get

WORDS = "涪城区跃进路阳光花园停水，水管爆了，我的电话13890115678"
CONFIRMED = {"kind": "help", "urgency": "normal", "level1": "城乡建设"}


@pytest.fixture
async def staff(site: Site, services: Services) -> Staff:
    await hire(services, "boss", Role.ADMINISTRATOR)
    await hire(services, "water", Role.UNIT, unit=WATER)
    await hire(services, "lights", Role.UNIT, unit=CITY_LIGHTS)
    await hire(services, "desk", Role.DISPATCHER)
    return Staff(services=services, site=site)


async def told(town: Town, minutes: int, number: str, unit: str | None = None) -> int:
    said = (Said(leg=Leg.CALLER, start=1.0, text=WORDS),)
    call_id = await town.is_talked(NOW - timedelta(minutes=minutes), said, number=number)
    await town.moves(call_id, Move.OPEN, NOW, **CONFIRMED)
    if unit is not None:
        await town.moves(call_id, Move.DISPATCH, NOW, unit=unit)
    return await town.case_of(call_id)


async def post(visitor: ClientSession, path: str, **body: object) -> tuple[int, dict[str, object]]:
    async with visitor.post(path, json=body) as answer:
        return answer.status, await answer.json()


async def test_each_sees_what_may_belong_together_as_far_as_it_sees_the_cases(
    staff: Staff, town: Town, services: Services, clock: Clock
) -> None:
    first = await told(town, 9, "13890115678", WATER)
    other = await told(town, 8, "13890110000", CITY_LIGHTS)
    fourth = await told(town, 6, "13890112222", WATER)
    again = await told(town, 5, "13890115678", WATER)
    reader = LikenessDesk(pool=services.pool, clock=clock, every=1.0)
    await reader.look()
    desk, water = await staff.visitor("desk"), await staff.visitor("water")
    status, seen = await get(desk, f"/api/cases/{again}/related")
    assert status == 200
    assert [it["case"]["id"] for it in seen["of_caller"]] == [first]
    assert {it["case"]["id"] for it in seen["alike"]} == {other, fourth}
    assert all("13890115678" not in str(it["words"]) for it in seen["alike"])
    assert "13890115678" not in str(seen)
    assert {it["lead"]["id"] for it in seen["groups"]} == {other, fourth}
    _, seen = await get(water, f"/api/cases/{again}/related")
    assert [it["case"]["id"] for it in seen["alike"]] == [fourth]
    assert (await get(water, f"/api/cases/{other}/related"))[0] == 404

    for member in (other, again):
        status, case = await post(desk, f"/api/cases/{member}/join", lead=first)
        assert (status, case["lead"]) == (200, first)
    _, members = await get(desk, f"/api/cases/{first}/members")
    assert [it["id"] for it in members["members"]] == [other, again]
    _, members = await get(water, f"/api/cases/{first}/members")
    assert [it["id"] for it in members["members"]] == [again]
    _, seen = await get(desk, f"/api/cases/{fourth}/related")
    assert [it["lead"]["id"] for it in seen["groups"]] == [first]
    status, problem = await post(desk, f"/api/cases/{fourth}/join", lead=999)
    assert (status, problem["type"]) == (404, "not_found")
    status, case = await post(desk, f"/api/cases/{again}/leave", reason="另一处")
    assert (status, case["lead"]) == (200, None)

    _, page = await get(desk, "/api/bursts")
    [burst] = page["bursts"]
    assert burst["cases"] == [first, other, fourth, again]
    path = f"/api/bursts/{burst['id']}/acknowledge"
    status, acknowledged = await post(desk, path)
    assert (status, acknowledged["acknowledged_by"]) == (200, "desk")
    status, problem = await post(desk, path)
    assert (status, problem["type"]) == (409, "conflict")
    assert (await post(desk, "/api/bursts/999/acknowledge"))[0] == 404
    clock.forward(hours=3)
    await reader.end()
    desk = await staff.visitor("desk")
    assert (await get(desk, "/api/bursts"))[1]["bursts"] == []
    _, page = await get(desk, "/api/bursts?live=false")
    assert page["bursts"][0]["ended_at"] is not None


async def test_the_words_of_an_erased_case_are_found_no_longer(
    staff: Staff, town: Town, services: Services, clock: Clock
) -> None:
    first = await told(town, 9, "13890115678")
    other = await told(town, 8, "13890110000")
    reader = LikenessDesk(pool=services.pool, clock=clock, every=1.0)
    await reader.look()
    async with transaction(services.pool) as tx:
        await tx.execute("DELETE FROM transcripts WHERE call_id = 1")
    await reader.look()
    desk = await staff.visitor("desk")
    _, seen = await get(desk, f"/api/cases/{other}/related")
    assert first not in {it["case"]["id"] for it in seen["alike"]}
