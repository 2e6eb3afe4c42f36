"""Every look leaves a row, a caller is told in full only for a reason, one query says who saw."""

from datetime import timedelta

import pytest
from aiohttp import ClientSession

from hotline.console.spoken_api import _from_the_start
from hotline.services import Services
from routing.cases import Move, Role
from telephony.calls import Leg
from tests.hotline.console.conftest import NOW, Site
from tests.hotline.console.filled import Said, Town
from tests.hotline.console.staff import CITY_LIGHTS, Staff, hire

SAID = (Said(leg=Leg.CALLER, start=1.0, text="涪城区临园路的路灯坏了"),)
CONFIRMED = {"kind": "help", "urgency": "normal", "level1": "城乡建设"}


@pytest.fixture
async def staff(site: Site, services: Services) -> Staff:
    await hire(services, "boss", Role.ADMINISTRATOR)
    await hire(services, "lights", Role.UNIT, unit=CITY_LIGHTS)
    await hire(services, "desk", Role.DISPATCHER)
    await hire(services, "inspector", Role.DISCIPLINE)
    return Staff(services=services, site=site)


async def looks(visitor: ClientSession, case_id: int) -> list[dict[str, str]]:
    async with visitor.get(f"/api/cases/{case_id}/seen") as answer:
        assert answer.status == 200
        return list((await answer.json())["looks"])


async def test_who_saw_a_case_is_told_in_one_query(staff: Staff, town: Town) -> None:
    call_id = await town.is_talked(NOW - timedelta(minutes=9), SAID)
    await town.moves(call_id, Move.OPEN, NOW, **CONFIRMED)
    await town.moves(call_id, Move.DISPATCH, NOW, unit=CITY_LIGHTS)
    case_id = await town.case_of(call_id)
    desk, lights = await staff.visitor("desk"), await staff.visitor("lights")
    inspector = await staff.visitor("inspector")
    assert await looks(inspector, case_id) == []
    for visitor, path in (
        (lights, f"/api/cases/{case_id}"),
        (desk, f"/api/calls/{call_id}"),
    ):
        async with visitor.get(path) as answer:
            assert answer.status == 200
    reason = {"reason": "市民13890115678要求回电核实"}
    async with desk.post(f"/api/calls/{call_id}/reveal", json=reason) as answer:
        told = await answer.json()
        assert answer.status == 200
    assert told["number"].isdigit()
    found = await looks(inspector, case_id)
    assert [one["event"] for one in found] == ["seen.identity", "seen.call", "seen.case"]
    assert len({one["actor"] for one in found}) == 2
    assert found[0]["reason"] == "市民138****5678要求回电核实"
    assert told["number"] not in str(found)


async def test_looking_is_no_news(staff: Staff, town: Town) -> None:
    call_id = await town.is_talked(NOW - timedelta(minutes=9), SAID)
    case_id = await town.case_of(call_id)
    desk = await staff.visitor("desk")
    async with desk.get(f"/api/cases/{case_id}") as answer:
        before = (await answer.json())["history"]
    async with desk.get(f"/api/cases/{case_id}") as answer:
        assert (await answer.json())["history"] == before
    async with desk.get("/api/journal?limit=100") as answer:
        told = (await answer.json())["entries"]
    assert told
    assert not [one for one in told if one["event"].startswith("seen.")]


async def test_without_a_reason_or_a_call_nobody_is_revealed(staff: Staff, town: Town) -> None:
    call_id = await town.is_talked(NOW - timedelta(minutes=9), SAID)
    desk, lights = await staff.visitor("desk"), await staff.visitor("lights")
    for visitor, path, body, status in (
        (desk, call_id, {}, 422),
        (desk, call_id, {"reason": "  x"}, 422),
        (desk, call_id + 1, {"reason": "要求回电核实"}, 404),
        (lights, call_id, {"reason": "要求回电核实"}, 403),
    ):
        async with visitor.post(f"/api/calls/{path}/reveal", json=body) as answer:
            assert answer.status == status
    kept = "SELECT count(*) FROM journal WHERE event = 'seen.identity'"
    assert await town.services.pool.fetchval(kept) == 0


@pytest.mark.parametrize(
    ("asked", "first"),
    [(None, True), ("bytes=0-", True), ("bytes=0-99", True), ("bytes=4096-", False)],
)
async def test_a_sound_played_in_pieces_is_heard_once(asked: str | None, first: bool) -> None:  # noqa: FBT001
    from aiohttp.test_utils import make_mocked_request  # noqa: PLC0415 - only this test

    headers = {} if asked is None else {"Range": asked}
    assert _from_the_start(make_mocked_request("GET", "/", headers=headers)) is first
