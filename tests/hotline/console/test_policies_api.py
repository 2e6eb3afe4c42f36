"""The packs of limits and the calendar through the API."""

from typing import Any

from aiohttp import ClientSession

from hotline.services import Services
from routing.limits import Stage


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
