"""Cases that no call brought: begun by a person, with the clocks of their channel."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from aiohttp import ClientSession

from hotline import audit
from hotline.console.keyed import KEY
from hotline.database import borrowed
from hotline.services import Services
from telephony.calls import Leg
from tests.hotline.console.conftest import NOW, Clock, opened
from tests.hotline.console.filled import Said, Town
from tests.hotline.console.test_cases_api import CONFIRMED, ask
from tests.routing.test_channels import by_channel

SAID = (Said(leg=Leg.CALLER, start=5.0, text="涪城区临园路的路灯坏了三天了，请帮忙修一下"),)


async def begun(visitor: ClientSession, channel: str, **more: Any) -> dict[str, Any]:
    status, case = await ask(visitor, "POST", "/api/cases", {"channel": channel, **more})
    assert status == 200, case
    return case


async def test_a_letter_is_a_case_of_whoever_wrote_it_down_and_its_intake_has_a_clock(
    services: Services, clock: Clock, visitor: ClientSession
) -> None:
    await ask(visitor, "POST", "/api/session", {"seat": "1002"})
    case = await begun(visitor, "mail")
    assert (case["channel"], case["state"], case["owner"]) == ("mail", "draft", "1002")
    assert (case["line"], case["call_id"], case["kind"]) == ("mayor", None, None)
    clock.forward(minutes=30)
    _, found = await ask(visitor, "GET", f"/api/cases/{case['id']}/clocks")
    (intake,) = found["clocks"]
    assert (intake["stage"], intake["amount"], intake["unit"]) == ("intake", 2, "hours")
    assert intake["share_used"] == 0.25
    status, case = await ask(visitor, "POST", f"/api/cases/{case['id']}/open", CONFIRMED)
    assert (status, case["state"], case["channel"]) == (200, "open", "mail")
    async with borrowed(services.pool) as conn:
        assert (await audit.verify(conn)).fault is None


async def test_cases_are_listed_by_channel(town: Town, visitor: ClientSession) -> None:
    call = await town.is_talked(NOW - timedelta(minutes=5), SAID, line="duty")
    by_duty, by_visit = await town.case_of(call), (await begun(visitor, "visit", line="duty"))["id"]

    async def listed(address: str, channel: str) -> list[int]:
        _, found = await ask(visitor, "GET", f"{address}?channel={channel}")
        return [case["id"] for case in found["cases"]]

    for address in ("/api/cases", "/api/cases/work"):
        assert await listed(address, "visit") == [by_visit]
        assert await listed(address, "duty_phone") == [by_duty]
        assert await listed(address, "phone") == []
    status, problem = await ask(visitor, "GET", "/api/cases?channel=pigeon")
    assert (status, problem["type"]) == (422, "invalid")
    _, catalogue = await ask(visitor, "GET", "/api/catalogue")
    assert catalogue["channels"][:2] == ["phone", "duty_phone"]


async def test_a_request_that_came_twice_with_a_key_begins_one_case(
    visitor: ClientSession,
) -> None:
    async def asked(channel: str) -> tuple[int, dict[str, Any]]:
        async with visitor.post(
            "/api/cases", json={"channel": channel}, headers={KEY: "letter 7"}
        ) as answer:
            return answer.status, await answer.json()

    (_, first), (_, again), (status, _) = [await asked(it) for it in ("mail", "mail", "web")]
    assert first["id"] == again["id"]
    assert status == 409
    _, cases = await ask(visitor, "GET", "/api/cases")
    assert [case["id"] for case in cases["cases"]] == [first["id"]]


async def test_a_line_that_is_not_ours_is_refused(visitor: ClientSession) -> None:
    status, problem = await ask(
        visitor, "POST", "/api/cases", {"channel": "web", "line": "complaints"}
    )
    assert (status, problem["detail"]) == (422, "line: no such line is configured.")


async def test_the_limit_of_the_channel_is_promised_and_shown_with_its_basis(
    services: Services,
) -> None:
    limits = by_channel(services.config.data_dir)
    desk = services.city_desk
    desk.casework = replace(desk.casework, policies=dict(limits.policies), policy=limits.policy)
    site = await opened(replace(services, policies=limits.policies))
    visitor = site.visitor()
    found = {}
    for channel in ("superior", "mail"):
        case = await begun(visitor, channel)
        _, case = await ask(visitor, "POST", f"/api/cases/{case['id']}/open", CONFIRMED)
        found[channel] = case["limit"]["amount"], case["limit"]["unit"]
        assert ("上级转办" in case["limit"]["basis"]) is (channel == "superior")
    assert found == {"superior": (1, "working_days"), "mail": (7, "working_days")}
    services.feed.close()
    await site.close()
