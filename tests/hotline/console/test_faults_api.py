"""Fault records by their addresses: who sees them, who says what, who decides."""

import json
from typing import Any

import pytest
from aiohttp import ClientSession

from hotline.services import Services
from routing.cases import Role
from tests.hotline.console.conftest import NOW, Site
from tests.hotline.console.filled import Town
from tests.hotline.console.staff import CITY_LIGHTS, Staff, hire
from tests.hotline.console.test_absences_api import ask
from tests.hotline.console.test_supervision_api import PAPER, given_to_the_unit, upload

LOGINS = ("an", "bo", "operator", "caller_back", "super", "chief", "discipline")


@pytest.fixture
async def people(site: Site, services: Services) -> dict[str, ClientSession]:
    await hire(services, "boss", Role.ADMINISTRATOR)
    await hire(services, "an", Role.UNIT)
    await hire(services, "bo", Role.UNIT)
    await hire(services, "operator", Role.OPERATOR)
    await hire(services, "caller_back", Role.CALL_BACK)
    await hire(services, "super", Role.SUPERVISOR)
    await hire(services, "chief", Role.LEADER)
    await hire(services, "discipline", Role.DISCIPLINE)
    staff = Staff(services=services, site=site)
    return {login: await staff.visitor(login) for login in LOGINS}


async def listed(people: dict[str, ClientSession]) -> set[str]:
    """Who finds a record in the list."""
    return {
        login
        for login, visitor in people.items()
        if (await ask(visitor, "GET", "/api/faults"))[1]["faults"]
    }


async def journal_of(visitor: ClientSession) -> list[dict[str, Any]]:
    _, told = await ask(visitor, "GET", "/api/journal?limit=200")
    return [it for it in told["entries"] if it["event"].startswith("fault.")]


async def test_a_false_reply_from_its_record_to_the_decided_appeal(
    people: dict[str, ClientSession], town: Town, services: Services
) -> None:
    case_id = await given_to_the_unit(town)
    facts = {
        "fact": "false_reply",
        "unit": CITY_LIGHTS,
        "person": "an",
        "case_id": case_id,
        "happened_at": NOW.isoformat(),
        "account": "答复称已修好，现场并未修好",
    }
    status, _ = await ask(people["operator"], "POST", "/api/faults", facts)
    assert status == 403
    status, fault = await ask(people["caller_back"], "POST", "/api/faults", facts)
    assert (status, fault["state"], fault["recorded_by"]) == (200, "recorded", "caller_back")
    at = f"/api/faults/{fault['id']}"
    assert await listed(people) == {"an", "caller_back", "super", "chief", "discipline"}
    for other in ("bo", "operator"):
        assert (await ask(people[other], "GET", at))[0] == 404
        assert (await ask(people[other], "POST", f"{at}/statement", {"text": "x"}))[0] == 404
        assert await journal_of(people[other]) == []
    # The journal tells neither whose nor which; and who may not see records reads no row of them.
    (row,) = await journal_of(people["super"])
    assert row["body"] == {"fault": fault["id"], "state": "recorded"} | {
        key: value for key, value in row["body"].items() if key not in {"fault", "state"}
    }
    assert "an" not in row["body"].values()
    assert CITY_LIGHTS not in json.dumps(row["body"], ensure_ascii=False)
    assert row["case_id"] is None
    # Whom it concerns states how it was, with a paper; nobody else does.
    assert (await ask(people["super"], "POST", f"{at}/statement", {"text": "x"}))[0] == 409
    await ask(people["an"], "POST", f"{at}/statement", {"text": "当时已修，夜里又坏了"})
    status, piece = await upload(people["an"], f"{at}/evidence")
    assert status == 200
    async with people["chief"].get(f"{at}/evidence/{piece['id']}") as file:
        assert await file.read() == PAPER
    # Decided, appealed and decided again, each by somebody else.
    verdict = {"verdict": "upheld", "reason": "经核属实"}
    assert (await ask(people["an"], "POST", f"{at}/decide", verdict))[0] == 403
    assert (await ask(people["an"], "POST", f"{at}/appeal", {"text": "不服"}))[0] == 409
    _, fault = await ask(people["super"], "POST", f"{at}/decide", verdict)
    assert (fault["state"], fault["decided_by"]) == ("upheld", "super")
    stale = {**verdict, "version": 0}
    assert (await ask(people["chief"], "POST", f"{at}/decide", stale))[0] == 409
    _, fault = await ask(people["an"], "POST", f"{at}/appeal", {"text": "不服"})
    assert fault["state"] == "appealed"
    status, said = await ask(people["super"], "POST", f"{at}/decide-appeal", verdict)
    assert (status, said["type"]) == (409, "not_possible")
    lifted = {"verdict": "dismissed", "reason": "夜间确有再次损坏记录"}
    _, fault = await ask(people["discipline"], "POST", f"{at}/decide-appeal", lifted)
    assert (fault["state"], fault["appeal_decided_by"]) == ("dismissed", "discipline")
    for visitor, path, body in (
        (people["an"], "appeal", {"text": "x"}),
        (people["an"], "statement", {"text": "x"}),
        (people["chief"], "decide-appeal", verdict),
    ):
        assert (await ask(visitor, "POST", f"{at}/{path}", body))[0] == 409
    assert (await upload(people["an"], f"{at}/evidence"))[0] == 409
    assert [note["step"] for note in fault["notes"]] == [
        *("recorded.account", "stated.statement", "decided.reason", "appealed.reason"),
        "appeal_decided.reason",
    ]
    words = await services.pool.fetchval("SELECT string_agg(body::text, '') FROM journal")
    assert "现场并未修好" not in words


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"person": None}, 422),
        ({"unit": "没有这个单位"}, 422),
        ({"happened_at": "2030-01-01T00:00:00Z"}, 422),
        ({"case_id": 99}, 404),
        ({"supervision_id": 99}, 404),
        ({"penalty": "扣分"}, 422),
    ],
)
async def test_a_wrong_record_is_refused_with_one_sentence(
    people: dict[str, ClientSession], change: dict[str, object], status: int
) -> None:
    right = {"fact": "rude", "person": "an", "happened_at": NOW.isoformat(), "account": "态度粗暴"}
    answered, said = await ask(people["super"], "POST", "/api/faults", right | change)
    assert (answered, bool(said["detail"])) == (status, True)
    assert await listed(people) == set()
