import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import ClientSession

from hotline.services import Services
from telephony.calls import Leg
from tests.hotline.console.conftest import NOW, Clock
from tests.hotline.console.filled import Said, Town

LIGHTS = (
    Said(leg=Leg.OPERATOR, start=0.5, text="您好市长热线，请讲"),
    Said(leg=Leg.CALLER, start=5.0, text="涪城区临园路的路灯坏了三天了，请帮忙修一下"),
)
ANSWER = {
    "reply": "路灯已修好，回访电话13890115678",
    "public_reply": "路灯已修好",
    "solved": "yes",
    "truth": "partly",
    "publish": True,
    "contacted_at": "2026-11-23T12:00:00+08:00",
}
CONFIRMED = {"kind": "help", "urgency": "normal", "level1": "城乡建设", "area": "涪城区"}


async def ask(
    visitor: ClientSession, method: str, path: str, body: object = None
) -> tuple[int, dict[str, Any]]:
    async with visitor.request(method, path, json=body) as answer:
        return answer.status, await answer.json()


async def a_draft(town: Town) -> int:
    return await town.case_of(await town.is_talked(NOW - timedelta(minutes=5), LIGHTS))


async def test_a_draft_shows_what_the_words_suggest_and_why(
    town: Town, visitor: ClientSession
) -> None:
    _, case = await ask(visitor, "GET", f"/api/cases/{await a_draft(town)}")
    assert case["state"] == "draft"
    assert case["moves"] == [
        *("open", "answer_directly", "explain", "withdraw"),
        *("raise_level", "hand_over"),
    ]
    assert case["suggestion"]["area"] == "涪城区"
    assert any("路灯" in reason["text"] for reason in case["suggestion"]["reasons"])
    assert case["limit"] is None
    assert case["due_at"] is None
    assert case["limit_if_opened_now"]["unit"] == "working_days"
    assert case["history"][0]["event"] == "call.started"


async def test_a_person_takes_a_case_from_draft_to_closed(
    town: Town, clock: Clock, visitor: ClientSession
) -> None:
    case_id = await a_draft(town)
    await ask(visitor, "POST", "/api/session", {"seat": "1002"})
    status, case = await ask(visitor, "POST", f"/api/cases/{case_id}/open", CONFIRMED)
    assert (status, case["state"], case["owner"]) == (200, "open", "1002")
    assert case["due_at"] == "2026-12-02T10:00:00Z"  # help: 7 working days from Monday, 18:00
    assert case["standing"] == "running"
    unit = case["unit"] or "市城市管理行政执法局"
    for word, body, state in (
        ("dispatch", {"unit": unit}, "dispatched"),
        ("sign", {}, "handling"),
        ("answer", ANSWER, "answered"),
        ("approve", {}, "calling_back"),
        ("close", {"result": "reached", "solved": "yes", "satisfied": "satisfied"}, "closed"),
    ):
        clock.forward(hours=1)
        status, case = await ask(visitor, "POST", f"/api/cases/{case_id}/{word}", body)
        assert (status, case["state"]) == (200, state)
    assert case["standing"] == "on_time"
    assert case["moves"] == ["reopen"]
    assert (case["outcome"], case["solved"], case["version"]) == ("handled", "yes", 7)
    events = [entry["event"] for entry in case["history"]]
    made = ["opened", "dispatched", "signed", "answered", "approved", "closed"]
    assert events[-6:] == [f"case.{word}" for word in made]
    moves = [entry for entry in case["history"] if entry["event"].startswith("case.")][-6:]
    assert {entry["actor"] for entry in moves} == {"1002"}
    assert "13890115678" not in json.dumps(case["history"], ensure_ascii=False)
    assert [(it["actor"], it["move"], it["sort"], it["text"]) for it in case["texts"]] == [
        ("1002", "answer", "reply", "路灯已修好，回访电话13890115678"),
        ("1002", "answer", "public_reply", "路灯已修好"),
    ]


async def test_each_refusal_has_its_own_word(town: Town, visitor: ClientSession) -> None:
    case_id = await a_draft(town)
    path = f"/api/cases/{case_id}"
    status, problem = await ask(visitor, "POST", f"{path}/close", {})
    assert (status, problem["type"]) == (409, "illegal_move")
    status, problem = await ask(visitor, "POST", f"{path}/answer-directly", CONFIRMED)
    assert (status, problem["type"], problem["missing"]) == (422, "missing_fact", ["reply"])
    status, problem = await ask(visitor, "POST", f"{path}/open", {**CONFIRMED, "unit": "白宫"})
    assert (status, problem["type"]) == (422, "invalid")
    assert problem["detail"].startswith("unit:")
    status, problem = await ask(visitor, "POST", f"{path}/open", {**CONFIRMED, "expected": "open"})
    assert (status, problem["type"]) == (409, "conflict")
    status, problem = await ask(visitor, "POST", "/api/cases/999/open", CONFIRMED)
    assert (status, problem["type"]) == (404, "not_found")
    _, case = await ask(visitor, "GET", path)
    assert case["state"] == "draft"


async def test_of_two_people_who_move_at_once_one_is_told_so(
    town: Town, visitor: ClientSession
) -> None:
    case_id = await a_draft(town)
    body = {**CONFIRMED, "expected": "draft"}
    answers = await asyncio.gather(
        *(ask(visitor, "POST", f"/api/cases/{case_id}/open", body) for _ in range(5))
    )
    assert sorted(status for status, _ in answers) == [200, 409, 409, 409, 409]
    _, case = await ask(visitor, "GET", f"/api/cases/{case_id}")
    assert [it["event"] for it in case["history"]].count("case.opened") == 1


async def test_bodies_that_are_wrong_change_nothing(town: Town, visitor: ClientSession) -> None:
    path = f"/api/cases/{await a_draft(town)}/open"
    wrong: list[object] = [[], "x", {"kind": "gossip"}, {"colour": "red"}, {"level1": " "}]
    wrong.append({"reply": "x" * 5000})
    for body in wrong:
        status, problem = await ask(visitor, "POST", path, body)
        assert (status, problem["type"]) == (422, "invalid"), body
    async with visitor.post(
        path, data=b"{", headers={"Content-Type": "application/json"}
    ) as answer:
        assert (answer.status, (await answer.json())["type"]) == (422, "invalid")
    async with visitor.post(
        path, data=b"[" * 60_000, headers={"Content-Type": "application/json"}
    ) as answer:
        assert answer.status == 422
    async with visitor.post(path, json={"reply": "x" * 70_000}) as answer:
        assert (answer.status, (await answer.json())["type"]) == (413, "too_large")
    async with visitor.post(path, data="kind=help") as answer:
        assert (answer.status, (await answer.json())["type"]) == (415, "not_json")


async def test_cases_are_listed_narrowed_and_found_by_number(
    town: Town, visitor: ClientSession
) -> None:
    first, second = await a_draft(town), await a_draft(town)
    await ask(visitor, "POST", f"/api/cases/{first}/open", CONFIRMED)
    _, page = await ask(visitor, "GET", "/api/cases?limit=1")
    assert ([it["id"] for it in page["cases"]], page["next"]) == ([second], second)
    _, page = await ask(visitor, "GET", f"/api/cases?before={page['next']}")
    assert ([it["id"] for it in page["cases"]], page["next"]) == ([first], None)
    number = page["cases"][0]["number"]
    for query, ids in (
        ("state=open", [first]),
        ("area=涪城区", [second, first]),
        ("line=duty", []),
    ):
        _, page = await ask(visitor, "GET", f"/api/cases?{query}")
        assert [it["id"] for it in page["cases"]] == ids, query
    for typed in (number, number.replace("-", ""), f" {number.replace('-', '－')} "):
        _, page = await ask(visitor, "GET", f"/api/cases?number={typed}")
        assert [it["id"] for it in page["cases"]] == [first], typed
    _, page = await ask(visitor, "GET", "/api/cases?number=123")
    assert page["cases"] == []


async def test_an_item_past_its_limit_is_overdue_until_it_is_answered(
    town: Town, clock: Clock, visitor: ClientSession
) -> None:
    case_id = await a_draft(town)
    await ask(visitor, "POST", f"/api/cases/{case_id}/open", CONFIRMED)
    clock.forward(days=12)
    _, case = await ask(visitor, "GET", f"/api/cases/{case_id}")
    assert case["standing"] == "overdue"
    _, numbers = await ask(visitor, "GET", "/api/numbers")
    mayor = numbers["lines"][0]
    assert mayor["handling_30d"] == {"numerator": 0, "denominator": 1, "value": 0.0}
    assert mayor["overdue"] == 1


async def test_the_catalogue_names_what_can_be_chosen(
    visitor: ClientSession, services: Services
) -> None:
    _, found = await ask(visitor, "GET", "/api/catalogue")
    assert found["city"] == services.city.name
    assert "涪城区" in found["areas"]
    assert "城乡建设" in found["level1"]
    assert len(found["units"]) == len(services.city.units)
    assert found["policy"] == services.policy.name


async def test_past_the_calendars_end_nothing_is_computed_and_one_sentence_says_so(
    town: Town, clock: Clock, visitor: ClientSession
) -> None:
    case_id = await a_draft(town)
    clock.at = datetime(2026, 12, 30, 2, 0, tzinfo=UTC)
    _, case = await ask(visitor, "POST", f"/api/cases/{case_id}/open", CONFIRMED)
    assert (case["state"], case["due_at"], case["limit"]) == ("open", None, None)
    assert "holiday calendar covers" in case["undated"]
    assert "2026-12-31" in case["undated"]
    _, clocks = await ask(visitor, "GET", f"/api/cases/{case_id}/clocks")
    assert case["undated"] in clocks["undated"]
    assert [it["stage"] for it in clocks["clocks"]] == ["dispatch"]
