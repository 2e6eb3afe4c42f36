"""A unit sees its own cases and nothing of others, wherever it looks."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import ClientSession

from hotline.console.endpoint import Endpoint
from hotline.console.endpoints import ENDPOINTS
from hotline.services import Services
from routing.cases import Move, Role
from telephony.calls import Leg
from tests.hotline.console.conftest import NOW, Site
from tests.hotline.console.filled import Said, Town
from tests.hotline.console.staff import CITY_LIGHTS, WATER, Staff, hire

SAID = (Said(leg=Leg.CALLER, start=1.0, text="涪城区临园路的路灯坏了"),)
CONFIRMED = {"kind": "help", "urgency": "normal", "level1": "城乡建设"}


async def get(visitor: ClientSession, path: str) -> tuple[int, Any]:
    async with visitor.get(path) as answer:
        return answer.status, await answer.json()


@pytest.fixture
async def staff(site: Site, services: Services) -> Staff:
    await hire(services, "boss", Role.ADMINISTRATOR)
    await hire(services, "lights", Role.UNIT, unit=CITY_LIGHTS)
    await hire(services, "water", Role.UNIT, unit=WATER)
    await hire(services, "desk", Role.DISPATCHER)
    return Staff(services=services, site=site)


async def dispatched(town: Town, unit: str, minutes: int) -> int:
    call_id = await town.is_talked(NOW - timedelta(minutes=minutes), SAID)
    await town.moves(call_id, Move.OPEN, NOW, **CONFIRMED)
    await town.moves(call_id, Move.DISPATCH, NOW, unit=unit)
    return await town.case_of(call_id)


async def test_a_unit_finds_its_own_cases_and_no_others(staff: Staff, town: Town) -> None:
    mine, other = await dispatched(town, CITY_LIGHTS, 9), await dispatched(town, WATER, 5)
    draft = await town.case_of(await town.is_talked(NOW - timedelta(minutes=3), SAID))
    lights, desk = await staff.visitor("lights"), await staff.visitor("desk")
    _, everything = await get(desk, "/api/cases")
    assert [case["id"] for case in everything["cases"]] == [draft, other, mine]
    numbers = {case["id"]: case["number"] for case in everything["cases"]}
    _, found = await get(lights, "/api/cases")
    assert [case["id"] for case in found["cases"]] == [mine]
    for query, ids in (
        (f"unit={WATER}", []),
        ("state=draft", []),
        ("state=dispatched", [mine]),
        (f"before={mine}", []),
        (f"number={numbers[other]}", []),
        (f"number={numbers[mine]}", [mine]),
    ):
        _, found = await get(lights, f"/api/cases?{query}")
        assert [case["id"] for case in found["cases"]] == ids, query
    assert (await get(lights, f"/api/cases/{mine}"))[0] == 200
    # What is hidden and what does not exist are answered in the same words.
    hidden = await get(lights, f"/api/cases/{other}")
    unknown = await get(lights, "/api/cases/999999")
    assert json.dumps(hidden).replace(f"id {other}", "id") == json.dumps(unknown).replace(
        "id 999999", "id"
    )


async def test_a_unit_moves_only_what_it_sees(staff: Staff, town: Town) -> None:
    mine, other = await dispatched(town, CITY_LIGHTS, 9), await dispatched(town, WATER, 5)
    lights, found = await staff.visitor("lights"), {}
    for case_id, status in ((other, 404), (mine, 200)):
        async with lights.post(f"/api/cases/{case_id}/sign", json={}) as answer:
            assert answer.status == status
            found = await answer.json()
    assert (found["state"], found["owner"]) == ("handling", "lights")
    reason = {"reason": "不属本单位职责", "basis": "三定方案"}
    async with lights.post(f"/api/cases/{mine}/ask-return", json=reason) as answer:
        assert answer.status == 200
    async with (await staff.visitor("desk")).post(
        f"/api/cases/{mine}/accept-return", json={}
    ) as answer:
        assert answer.status == 200
    assert (await get(lights, f"/api/cases/{mine}"))[0] == 404  # it is nobody's again


async def test_a_unit_that_helps_or_is_asked_sees_the_case_as_long_as_that_lasts(
    staff: Staff, town: Town, services: Services
) -> None:
    desk, water = await staff.visitor("desk"), await staff.visitor("water")
    case_id = await town.case_of(await town.is_talked(NOW - timedelta(minutes=3), SAID))
    await services.pool.execute("UPDATE cases SET unit = $2 WHERE id = $1", case_id, WATER)
    path = f"/api/cases/{case_id}"

    async def step(word: str, body: dict[str, Any], *, by: ClientSession = desk) -> None:
        async with by.post(f"{path}/{word}", json=body) as answer:
            assert answer.status == 200, (word, await answer.text())

    assert (await get(water, path))[0] == 404  # only suggested so far
    await step("open", CONFIRMED)
    assert (await get(water, path))[0] == 404
    await step("consult", {"units": [WATER], "reason": "管网归属不清"})
    assert (await get(water, path))[0] == 200
    await step("comment", {"comment": "不属自来水管网"}, by=water)
    assert (await get(water, path))[0] == 200
    await step("conclude", {"ruling": "由城管牵头"})
    assert (await get(water, path))[0] == 404
    await step("dispatch", {"unit": CITY_LIGHTS, "helpers": [WATER]})
    assert (await get(water, path))[0] == 200
    _, found = await get(water, "/api/cases")
    assert [case["id"] for case in found["cases"]] == [case_id]


async def test_a_hidden_case_answers_everywhere_like_one_that_does_not_exist(
    staff: Staff, town: Town
) -> None:
    other = await dispatched(town, WATER, 5)
    lights = await staff.visitor("lights")
    tried = 0
    for endpoint in ENDPOINTS:
        if "{case_id}" not in endpoint.path:
            continue
        told = []
        for case_id in (other, 999_999):
            path = endpoint.path.format(case_id=case_id, evidence_id=1)
            body = sample(endpoint) if endpoint.body else None
            async with lights.request(endpoint.method, path, json=body) as answer:
                told.append((answer.status, (await answer.text()).replace(f"id {case_id}", "")))
        assert told[0] == told[1], endpoint.path
        tried += told[0][0] == 404
    assert tried >= 12  # the others are not a unit's to ask


def sample(endpoint: Endpoint) -> dict[str, Any]:
    """A body that passes the endpoint's model."""
    assert endpoint.body is not None
    words = {"days": 2, "units": [CITY_LIGHTS], "helpers": [CITY_LIGHTS], "unit": CITY_LIGHTS}
    required = endpoint.body.model_json_schema().get("required", [])
    return {name: words.get(name, "原因") for name in required}


async def test_the_journal_shows_each_person_what_they_may_see(staff: Staff, town: Town) -> None:
    mine, other = await dispatched(town, CITY_LIGHTS, 9), await dispatched(town, WATER, 5)

    async def seen(login: str, query: str = "") -> set[tuple[bool, int | None]]:
        _, told = await get(await staff.visitor(login), f"/api/journal?limit=200{query}")
        return {(row["call_id"] is not None, row["case_id"]) for row in told["entries"]}

    assert await seen("lights") == {(True, mine)}
    assert await seen("water") == {(True, other)}
    assert await seen("lights", f"&case_id={other}") == set()
    assert await seen("lights", "&call_id=2") == set()
    assert await seen("boss") == {(False, None)}  # accounts, and no case
    assert {case for _, case in await seen("desk")} == {None, mine, other}


async def test_the_feed_tells_a_unit_of_its_own_cases_only(
    staff: Staff, town: Town, services: Services
) -> None:
    water = await staff.visitor("water")
    listening = asyncio.create_task(services.feed.run())
    async with water.get("/api/feed") as answer:
        mine, other = await dispatched(town, CITY_LIGHTS, 9), await dispatched(town, WATER, 5)
        told = []
        async with asyncio.timeout(20):
            async for line in answer.content:
                if line.startswith(b"data: {"):
                    told.append(json.loads(line.removeprefix(b"data: ")))
                if told and told[-1]["event"] == "case.dispatched":
                    break
    listening.cancel()
    assert mine != other
    assert {row["case_id"] for row in told} == {other}


async def test_a_search_shows_a_unit_its_own_cases_and_tells_it_no_caller(
    staff: Staff, town: Town
) -> None:
    mine, other = await dispatched(town, CITY_LIGHTS, 9), await dispatched(town, WATER, 5)
    lights, desk = await staff.visitor("lights"), await staff.visitor("desk")
    await staff.services.pool.execute("UPDATE cases SET summary = '临园路路灯坏了，来电5678'")
    numbers = {
        row["id"]: row["number"]
        for row in await staff.services.pool.fetch("SELECT id, number FROM cases")
    }
    for typed, of_desk, of_unit in (
        ("路灯坏了", [other, mine], [mine]),
        (numbers[other], [other], []),
        (numbers[mine].replace("-", ""), [mine], [mine]),
        (numbers[mine][:8], [other, mine], [mine]),
        ("水管", [], []),
    ):
        for visitor, ids in ((desk, of_desk), (lights, of_unit)):
            _, found = await get(visitor, f"/api/cases?search={typed}")
            assert [case["id"] for case in found["cases"]] == ids, typed
    await staff.services.pool.execute("UPDATE cases SET summary = NULL")
    _, found = await get(desk, "/api/cases?search=5678")
    assert [case["id"] for case in found["cases"]] == [other, mine]
    assert (await get(lights, "/api/cases?search=5678"))[1]["cases"] == []
    status, problem = await get(desk, "/api/cases?search=%EF%BC%8C路")
    assert (status, "two characters" in problem["detail"]) == (422, True)


async def test_a_units_work_list_is_its_own_and_what_is_due_first_comes_first(
    staff: Staff, town: Town
) -> None:
    ids = [await dispatched(town, CITY_LIGHTS, minutes) for minutes in (9, 8, 7, 6)]
    await dispatched(town, WATER, 5)
    for case_id, days in zip(ids, (3, 1, None, 2), strict=True):
        due = None if days is None else NOW + timedelta(days=days)
        await staff.services.pool.execute(
            "UPDATE cases SET due_at = $2 WHERE id = $1", case_id, due
        )
    lights, seen, after = await staff.visitor("lights"), [], ""
    while after is not None:
        _, work = await get(lights, f"/api/cases/work?limit=1{after and f'&after={after}'}")
        seen += [case["id"] for case in work["cases"]]
        after = work["next"]
    assert seen == [ids[1], ids[3], ids[0], ids[2]]
    for wrong in ("x", "1", "undated.", "1.2.3", f"{10**17}.1"):
        assert (await get(lights, f"/api/cases/work?after={wrong}"))[0] == 422
