"""Supervision and tracked items by their addresses: who sees, answers, raises and clears what."""

from datetime import timedelta
from typing import Any

import pytest
from aiohttp import ClientSession

from hotline.services import Services
from hotline.supervision import SupervisionDesk
from routing.cases import Move, Role
from tests.hotline.console.conftest import NOW, Clock, Site
from tests.hotline.console.filled import Town
from tests.hotline.console.staff import CITY_LIGHTS, WATER, Staff, hire
from tests.hotline.console.test_absences_api import CONFIRMED, SAID, ask

PAPER = b"%PDF-1.4 a paper that shows it"


@pytest.fixture
async def staff(site: Site, services: Services) -> Staff:
    await hire(services, "boss", Role.ADMINISTRATOR)
    await hire(services, "an", Role.UNIT)
    await hire(services, "water", Role.UNIT, unit=WATER)
    await hire(services, "super", Role.SUPERVISOR)
    await hire(services, "chief", Role.LEADER)
    await hire(services, "both", Role.SUPERVISOR, Role.UNIT)
    return Staff(services=services, site=site)


@pytest.fixture
def desk(services: Services) -> SupervisionDesk:
    return SupervisionDesk(
        pool=services.pool,
        limits=lambda: services.limits,
        city=lambda: services.city,
        clock=services.clock,
        every=timedelta(seconds=1),
    )


async def given_to_the_unit(town: Town, **more: str) -> int:
    call_id = await town.is_talked(NOW - timedelta(minutes=9), SAID)
    await town.moves(call_id, Move.OPEN, NOW, **{**CONFIRMED, **more})
    await town.moves(call_id, Move.DISPATCH, NOW, unit=CITY_LIGHTS)
    return await town.case_of(call_id)


async def late_record(town: Town, clock: Clock, desk: SupervisionDesk, staff: Staff) -> Any:
    """The record of a matter of life and death that nobody signed for within its quarter hour."""
    await given_to_the_unit(town, urgency="emergency")
    clock.forward(minutes=16)
    await desk.catch_up(clock())
    _, page = await ask(await staff.visitor("super"), "GET", "/api/supervision")
    (record,) = page["records"]
    return record


async def test_another_unit_finds_nothing_of_a_record_by_whatever_address(
    staff: Staff, town: Town, clock: Clock, desk: SupervisionDesk
) -> None:
    record = await late_record(town, clock, desk, staff)
    an, water = await staff.visitor("an"), await staff.visitor("water")
    at = f"/api/supervision/{record['id']}"
    for path in ("/api/supervision", f"/api/supervision?case_id={record['case_id']}"):
        assert (await ask(water, "GET", path))[1]["records"] == []
        assert [it["id"] for it in (await ask(an, "GET", path))[1]["records"]] == [record["id"]]
    assert (await ask(water, "GET", "/api/supervision/board"))[1]["lines"] == []
    for method, path, body in (
        ("GET", at, None),
        ("POST", f"{at}/notice", {}),
        ("POST", f"{at}/answer", {"text": "x"}),
        ("POST", f"{at}/progress", {"text": "x"}),
        ("GET", f"{at}/evidence/1", None),
    ):
        status, said = await ask(water, method, path, body)
        assert (status, said["type"]) == (404, "not_found")
    assert (await upload(water, f"{at}/evidence"))[0] == 404


async def upload(visitor: ClientSession, path: str, name: str = "照片.pdf") -> tuple[int, Any]:
    async with visitor.post(
        path, params={"name": name}, data=PAPER, headers={"Content-Type": "application/pdf"}
    ) as answer:
        return answer.status, await answer.json()


async def test_a_late_case_from_its_record_to_its_clearance(
    staff: Staff, town: Town, clock: Clock, desk: SupervisionDesk, services: Services
) -> None:
    record = await late_record(town, clock, desk, staff)
    an, supervisor, chief = [await staff.visitor(it) for it in ("an", "super", "chief")]
    assert (record["trigger"], record["stage"], record["unit"]) == (
        *("not_signed", "sign", CITY_LIGHTS),
    )
    assert (record["level"], record["person"]) == ("urge", "1001")
    case_id, at = record["case_id"], f"/api/supervision/{record['id']}"
    _, board = await ask(an, "GET", "/api/supervision/board")
    (line,) = board["lines"]
    assert (line["unit"], line["level"], line["live"], line["over"]) == (CITY_LIGHTS, "urge", 1, 0)
    # The unit confirms and answers; only that side can.
    status, said = await ask(supervisor, "POST", f"{at}/answer", {"text": "我来答"})
    assert (status, said["type"]) == (409, "not_possible")
    status, found = await ask(an, "POST", f"{at}/notice", {"version": 0})
    assert (status, found["noticed_by"], found["version"]) == (200, "an", 1)
    status, said = await ask(an, "POST", f"{at}/answer", {"text": "已派人", "version": 0})
    assert (status, said["type"]) == (409, "conflict")
    _, found = await ask(an, "POST", f"{at}/answer", {"text": "已派人", "version": 1})
    assert (found["state"], found["answered_by"]) == ("answered", "an")
    await ask(an, "POST", f"{at}/progress", {"text": "明天完工"})
    # An answer stops nothing: the limit of the level is over, and it rises.
    clock.forward(minutes=31)
    await desk.catch_up(clock())
    _, found = await ask(chief, "GET", at)
    assert (found["level"], found["state"], found["receiver"]) == ("supervise", "open", "head")
    assert [note["text"] for note in found["notes"]] == ["已派人", "明天完工"]
    _, found = await ask(chief, "POST", f"{at}/raise", {"text": "影响很大"})
    assert found["level"] == "list"
    status, said = await ask(chief, "POST", f"{at}/raise", {"text": "再升"})
    assert (status, said["type"]) == (409, "not_possible")
    # Cleared with evidence, by somebody else.
    status, said = await ask(supervisor, "POST", f"{at}/clear", {"finding": "属实"})
    assert (status, said["type"]) == (409, "not_possible")
    assert "evidence" in said["detail"]
    for named in ({"evidence": [99]}, {"case_evidence": [99]}):
        status, _ = await ask(supervisor, "POST", f"{at}/clear", {"finding": "属实", **named})
        assert status == 404
    status, piece = await upload(an, f"{at}/evidence")
    assert (status, piece["added_unit"], piece["size"]) == (200, CITY_LIGHTS, len(PAPER))
    clearance = {"finding": "现场核实，已修好", "evidence": [piece["id"]]}
    both = await staff.visitor("both")
    status, said = await ask(both, "POST", f"{at}/clear", clearance)
    assert (status, said["type"]) == (409, "not_possible")  # of the supervised unit
    _, found = await ask(supervisor, "POST", f"{at}/clear", clearance)
    assert (found["state"], found["cleared_by"]) == ("cleared", "super")
    async with supervisor.get(f"{at}/evidence/{piece['id']}") as file:
        assert await file.read() == PAPER
    assert (await ask(an, "GET", "/api/supervision/board"))[1]["lines"] == []
    _, history = await ask(supervisor, "GET", f"/api/cases/{case_id}")
    told = [it["event"] for it in history["history"] if it["event"].startswith("supervision.")]
    assert told == [
        *("supervision.opened", "supervision.noticed", "supervision.answered"),
        *("supervision.progressed", "supervision.raised", "supervision.raised"),
        *("supervision.evidence_added", "supervision.cleared"),
    ]
    words = await services.pool.fetchval("SELECT string_agg(body::text, '') FROM journal")
    assert "现场核实" not in words


async def test_by_hand_once_for_a_key_and_never_by_the_one_supervised(
    staff: Staff, town: Town, services: Services
) -> None:
    call_id = await town.is_talked(NOW - timedelta(minutes=9), SAID)
    await town.moves(call_id, Move.OPEN, NOW, by="super", **CONFIRMED)
    case_id = await town.case_of(call_id)
    supervisor, chief = await staff.visitor("super"), await staff.visitor("chief")
    body = {"case_id": case_id, "reason": "社会影响较大"}
    ids = set()
    for _ in range(2):
        async with chief.post(
            "/api/supervision", json=body, headers={"Idempotency-Key": "k-1"}
        ) as answer:
            assert answer.status == 200
            ids.add((await answer.json())["id"])
    (record_id,) = ids
    at = f"/api/supervision/{record_id}"
    _, piece = await upload(chief, f"{at}/evidence")
    clearance = {"finding": "已核实", "evidence": [piece["id"]]}
    status, said = await ask(supervisor, "POST", f"{at}/clear", clearance)
    assert (status, said["type"]) == (409, "not_possible")  # the case is his own
    _, found = await ask(chief, "POST", f"{at}/clear", clearance)
    assert found["state"] == "cleared"
    for wrong in ({"reason": "x"}, {"reason": "x", "case_id": case_id, "tracked_id": 1}):
        assert (await ask(chief, "POST", "/api/supervision", wrong))[0] == 422
    status, _ = await ask(chief, "POST", "/api/supervision", {"case_id": 999, "reason": "x"})
    assert status == 404
    assert await services.pool.fetchval("SELECT count(*) FROM supervisions") == 1


async def test_a_meetings_decision_from_the_giving_to_its_result(
    staff: Staff, clock: Clock, desk: SupervisionDesk
) -> None:
    chief, an, water = [await staff.visitor(it) for it in ("chief", "an", "water")]
    due = clock() + timedelta(hours=2)
    decision = {
        "type": "decision",
        "title": "滨江路路灯改造",
        "source": "市政府常务会议2026年第21次",
        "unit": CITY_LIGHTS,
        "due_at": due.isoformat(),
    }
    status, item = await ask(chief, "POST", "/api/tracked-items", decision)
    assert (status, item["state"], item["overdue"], item["given_by"]) == (
        *(200, "given", False, "chief"),
    )
    at = f"/api/tracked-items/{item['id']}"
    assert (await ask(water, "GET", at))[0] == 404
    assert (await ask(water, "GET", "/api/tracked-items"))[1]["items"] == []
    status, found = await ask(an, "POST", f"{at}/sign", {})
    assert (status, found["state"], found["person"]) == (200, "going", "an")
    await ask(an, "POST", f"{at}/progress", {"text": "已招标"})
    clock.forward(hours=3)
    await desk.catch_up(clock())
    chief, an = [await staff.visitor(it) for it in ("chief", "an")]
    _, late = await ask(an, "GET", "/api/tracked-items?over=true")
    assert [one["overdue"] for one in late["items"]] == [True]
    _, found = await ask(an, "POST", f"{at}/report", {"result": "已完工"})
    (record,) = found["supervision"]
    assert (record["trigger"], record["type"], record["unit"]) == (
        *("overdue", "decision", CITY_LIGHTS),
    )
    _, found = await ask(chief, "POST", f"{at}/send-back", {"reason": "还有两盏不亮"})
    assert (found["state"], found["reported_at"]) == ("going", None)
    _, piece = await upload(an, f"{at}/evidence")
    await ask(an, "POST", f"{at}/report", {"result": "全部点亮", "evidence": [piece["id"]]})
    status, said = await ask(chief, "POST", f"{at}/accept", {"result": "属实"})
    assert (status, said["type"]) == (409, "not_possible")
    _, found = await ask(
        chief, "POST", f"{at}/accept", {"result": "属实", "evidence": [piece["id"]]}
    )
    assert (found["state"], found["settled_by"]) == ("done", "chief")
    assert [note["text"] for note in found["notes"]] == [
        *("已招标", "已完工", "还有两盏不亮", "全部点亮", "属实"),
    ]
    status, said = await ask(chief, "POST", f"{at}/end", {"reason": "晚了"})
    assert (status, said["type"]) == (409, "not_possible")


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"due_at": (NOW - timedelta(days=1)).isoformat()}, 409),
        ({"due_at": "9999-01-01T00:00:00Z"}, 409),
        ({"unit": "没有这个单位"}, 422),
        ({"type": "call_order"}, 422),
        ({"title": "  "}, 422),
        ({"case_id": 99}, 404),
    ],
)
async def test_a_wrong_item_is_refused_with_one_sentence(
    staff: Staff, change: dict[str, object], status: int
) -> None:
    chief = await staff.visitor("chief")
    right = {
        "type": "leader",
        "title": "督办事项",
        "source": "市长批示",
        "due_at": (NOW + timedelta(days=3)).isoformat(),
    }
    answered, said = await ask(chief, "POST", "/api/tracked-items", right | change)
    assert answered == status
    assert said["detail"]
    assert (await ask(chief, "GET", "/api/tracked-items"))[1]["items"] == []


async def test_lists_page_and_filter(
    staff: Staff, town: Town, clock: Clock, desk: SupervisionDesk
) -> None:
    for _ in range(3):
        await given_to_the_unit(town)
        clock.forward(minutes=1)
    clock.forward(days=2)
    await desk.catch_up(clock())
    supervisor = await staff.visitor("super")
    seen: list[int] = []
    path = "/api/supervision?limit=2"
    while True:
        _, page = await ask(supervisor, "GET", path)
        seen += [one["id"] for one in page["records"]]
        if page["next"] is None:
            break
        path = f"/api/supervision?limit=2&before={page['next']}"
    assert len(seen) == 4  # one for each case, and one for a caller's third call
    assert seen == sorted(set(seen), reverse=True)
    for query, count in (
        ("trigger=not_signed", 3),
        ("trigger=overdue", 0),
        ("trigger=repeated", 1),
        ("level=urge&state=open&live=true", 4),
        ("live=false", 0),
        ("type=decision", 0),
        ("over=true", 0),
    ):
        _, page = await ask(supervisor, "GET", f"/api/supervision?{query}")
        assert len(page["records"]) == count, query
    clock.forward(days=2)
    supervisor = await staff.visitor("super")
    _, page = await ask(supervisor, "GET", "/api/supervision?over=true")
    assert len(page["records"]) == 4


async def test_the_meeting_has_issues_overdue_disputes_and_open_decisions_before_it(
    staff: Staff, town: Town, clock: Clock
) -> None:
    chief = await staff.visitor("chief")
    late = await given_to_the_unit(town, urgency="urgent")
    raised = await given_to_the_unit(town)
    call = await town.services.pool.fetchval("SELECT call_id FROM cases WHERE id = $1", raised)
    await town.moves(call, Move.ASK_RETURN, NOW, reason="不属职责", basis="三定规定")
    await town.moves(call, Move.RAISE_LEVEL, NOW, reason="两单位推诿")
    given: list[int] = []
    for title in ("第一项", "第二项"):
        decision = {
            "type": "decision",
            "title": title,
            "source": "领导小组会议",
            "unit": CITY_LIGHTS,
            "due_at": (NOW + timedelta(days=9)).isoformat(),
        }
        _, item = await ask(chief, "POST", "/api/tracked-items", decision)
        given.append(item["id"])
    await ask(chief, "POST", f"/api/tracked-items/{given[-1]}/end", {"reason": "并入第一项"})
    clock.forward(hours=25)
    chief = await staff.visitor("chief")
    _, pack = await ask(chief, "GET", "/api/meeting-pack?days=7")
    assert pack["issues"] == [
        {"level1": "城乡建设", "cases": 2, "before": 0, "still_open": 2},
    ]
    assert [(one["case_id"], one["unit"]) for one in pack["overdue"]] == [(late, CITY_LIGHTS)]
    (dispute,) = pack["disputes"]
    assert (dispute["case_id"], dispute["level"], dispute["returns"]) == (raised, 1, 1)
    assert [one["title"] for one in pack["decisions"]] == ["第一项"]
    clock.forward(days=8)
    chief = await staff.visitor("chief")
    _, pack = await ask(chief, "GET", "/api/meeting-pack?days=7")
    assert (pack["issues"], len(pack["overdue"])) == ([], 1)
