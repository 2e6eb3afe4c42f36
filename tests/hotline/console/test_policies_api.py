"""The packs of limits and the calendar through the API."""

from datetime import timedelta
from typing import Any

from aiohttp import ClientSession

from hotline.services import Services
from routing.cases import Move
from routing.limits import Stage
from telephony.calls import Leg
from tests.hotline.console.conftest import NOW, Clock
from tests.hotline.console.filled import Said, Town

SAID = (Said(leg=Leg.CALLER, start=0.5, text="请问公积金怎么提取"),)


async def ask(visitor: ClientSession, path: str) -> tuple[int, dict[str, Any]]:
    async with visitor.get(path) as answer:
        return answer.status, await answer.json()


async def test_every_pack_is_listed_and_one_is_in_force(
    visitor: ClientSession, services: Services
) -> None:
    status, found = await ask(visitor, "/api/policies")
    assert status == 200
    assert [one["name"] for one in found["policies"]] == sorted(services.policies)
    in_force = [one["name"] for one in found["policies"] if one["in_force"]]
    assert in_force == ["sichuan-2025/2"]


async def test_a_pack_is_told_whole_with_the_source_of_each_figure(visitor: ClientSession) -> None:
    status, found = await ask(visitor, "/api/policies/tianjin-2025")
    assert status == 200
    (sign,) = found["stages"]
    assert (sign["stage"], sign["limits"][0]["amount"]) == ("sign", 15)
    assert sign["limits"][0]["origin"] == "regulation"
    assert sign["limits"][0]["verified"] == "read"
    assert "天津市实施细则" in sign["limits"][0]["basis"]
    assert sign["limits"][2]["kinds"] is None
    assert set(found["stages_without_limit"]) == set(Stage) - {"handling", "sign"}
    assert (found["extension"], found["pausing"]) == (None, "none")
    assert found["statutory"][0]["id"] == "petition"
    assert found["quiet_hours"]["begins"] == "21:00:00"


async def test_an_older_version_can_be_asked_for(visitor: ClientSession) -> None:
    _, newest = await ask(visitor, "/api/policies/sichuan-2025")
    assert (newest["version"], newest["extension"]["amount"]) == (2, 10)
    _, first = await ask(visitor, "/api/policies/sichuan-2025?version=1")
    assert (first["version"], first["stages"], first["in_force"]) == (1, [], False)
    status, problem = await ask(visitor, "/api/policies/sichuan-2025?version=9")
    assert status == 404
    assert "no policy pack called 'sichuan-2025/9'" in problem["detail"]
    assert (await ask(visitor, "/api/policies/chengdu"))[0] == 404
    assert (await ask(visitor, "/api/policies/sichuan-2025?version=0"))[0] == 422


async def test_the_calendar_is_told(visitor: ClientSession) -> None:
    _, found = await ask(visitor, "/api/calendar")
    assert (found["first"], found["last"]) == ("2025-01-01", "2026-12-31")
    assert "2026-02-16" in found["days_off"]
    assert "2026-02-28" in found["make_up_working_days"]


async def test_a_case_shows_the_clock_of_every_stage(
    town: Town, visitor: ClientSession, clock: Clock
) -> None:
    call_id = await town.is_talked(NOW - timedelta(minutes=30), SAID)
    case_id = await town.case_of(call_id)
    status, found = await ask(visitor, f"/api/cases/{case_id}/clocks")
    assert (status, found["clocks"]) == (200, [])
    assert "no limit for the stage intake" in found["missing"][0]
    await town.moves(call_id, Move.OPEN, NOW, kind="consult", urgency="normal", level1="城乡建设")
    await town.moves(call_id, Move.DISPATCH, NOW + timedelta(hours=1), unit="市水务局")
    clock.forward(days=2)
    _, found = await ask(visitor, f"/api/cases/{case_id}/clocks")
    handling, dispatch, sign = found["clocks"]
    assert [one["stage"] for one in (handling, dispatch, sign)] == ["handling", "dispatch", "sign"]
    assert handling["ends_at"] == "2026-11-26T10:00:00Z"
    assert (handling["standing"], handling["amount"]) == ("running", 3)
    assert 0.5 < handling["share_used"] < 0.7
    assert handling["verified"] == "second_hand"
    assert (dispatch["standing"], dispatch["stopped_at"]) == ("on_time", "2026-11-23T03:30:00Z")
    assert (sign["standing"], sign["ends_at"]) == ("overdue", "2026-11-24T10:00:00Z")
    assert sign["share_used"] > 1
    assert (await ask(visitor, "/api/cases/999/clocks"))[0] == 404
