"""Incidents: raised once, acknowledged once, reported in order, signed before they go, in time."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiohttp import ClientSession

from hotline.database import Pool
from hotline.services import Services
from telephony.calls import Leg
from tests.hotline.console.conftest import NOW, Clock, Site, services_on
from tests.hotline.console.duty_desk import ask, at_duty_seats, staffed
from tests.hotline.console.filled import Said, Town
from tests.hotline.console.staff import Staff

SAID = (Said(leg=Leg.CALLER, start=1.0, text="涪江三桥桥面积水"),)
JUDGED = {"name": "涪江三桥积水事件", "level": "III", "type": "natural"}
TEXT = {
    "happened_at": (NOW - timedelta(minutes=20)).isoformat(),
    "place": "涪江三桥",
    "course": "桥面积水约半米，联系人13990112233",
    "measures": "交警已封闭桥面",
    "source": "市民来电",
}
ALERTS, INCIDENTS = "/api/duty/alerts", "/api/duty/incidents"


@pytest.fixture
def services(tmp_path: Path, pool: Pool, database: str, clock: Clock) -> Services:
    return services_on(at_duty_seats(tmp_path), pool, database, clock)


@pytest.fixture
async def staff(site: Site, services: Services) -> Staff:
    return await staffed(site, services)


async def raised(staff: Staff, town: Town, by: str = "agent") -> tuple[int, int]:
    """An incident raised on a call's case, and the case."""
    call_id = await town.is_talked(NOW - timedelta(minutes=9), SAID, number="13890115678")
    case_id = await town.case_of(call_id)
    body = {"summary": "桥面积水，有车辆被困", "call_id": call_id, "case_id": case_id}
    status, told = await ask(await staff.visitor(by), "POST", ALERTS, body)
    assert (status, told["state"], told["acknowledged_at"]) == (200, "raised", None)
    return told["incident_id"], case_id


async def does(visitor: ClientSession, number: int, word: str, **body: Any) -> tuple[int, Any]:
    return await ask(visitor, "POST", f"{INCIDENTS}/{number}/{word}", body)


async def events(pool: Pool) -> list[str]:
    rows = await pool.fetch("SELECT event FROM journal WHERE event LIKE 'duty.%' ORDER BY id")
    return [row["event"].removeprefix("duty.") for row in rows]


async def test_an_incident_from_the_agents_key_to_the_final_report(
    staff: Staff, town: Town, clock: Clock, pool: Pool
) -> None:
    number, case_id = await raised(staff, town)
    li, boss = await staff.visitor("li"), await staff.visitor("boss")
    status, problem = await does(li, number, "reports", kind="first", text=TEXT)
    assert (status, problem["missing"]) == (422, ["name", "level", "type"])
    assert (await does(li, number, "acknowledge"))[0] == 200
    assert (await does(boss, number, "acknowledge"))[0] == 409
    status, told = await does(li, number, "assess", **JUDGED)
    assert (status, told["state"], told["next_reports"]) == (200, "open", ["first"])
    assert (await does(li, number, "reports", kind="final", text=TEXT))[0] == 422
    status, told = await does(li, number, "reports", kind="first", text={"place": "涪江三桥"})
    assert told["reports"][0]["title"] == "涪江三桥积水事件 初报"
    assert (await does(li, number, "reports", kind="first", text=TEXT))[0] == 409
    # A leader signs what is whole, and what he has read.
    status, problem = await does(boss, number, "reports/1/sign", seen=1)
    assert (status, problem["missing"]) == (422, ["happened_at", "course", "measures", "source"])
    assert (await does(li, number, "reports/1/change", seen=1, text=TEXT))[0] == 200
    assert (await does(boss, number, "reports/1/sign", seen=1))[0] == 409
    assert (await does(li, number, "reports/1/send", to="市应急局"))[0] == 403
    assert (await does(boss, number, "reports/1/sign", seen=2))[0] == 200
    assert (await does(li, number, "reports/1/change", seen=2, text=TEXT))[0] == 409
    # The telephone comes first, then the text.
    status, problem = await does(li, number, "reports/1/send", to="市应急局")
    assert (status, problem["missing"]) == (422, ["phoned"])
    await does(li, number, "phoned", whom="市应急局值班室")
    clock.forward(minutes=20)
    status, told = await does(li, number, "reports/1/send", to="市应急局")
    assert (status, told["overdue"], told["next_reports"]) == (200, [], ["final", "follow_up"])
    assert "13990112233" not in str(told)
    for kind, title in (("follow_up", "续报一"), ("follow_up", "续报二"), ("final", "终报")):
        status, told = await does(li, number, "reports", kind=kind, text=TEXT)
        at = len(told["reports"])
        assert told["reports"][-1]["title"] == f"涪江三桥积水事件 {title}"
        assert (await does(boss, number, f"reports/{at}/sign", seen=1))[0] == 200
        status, told = await does(li, number, f"reports/{at}/send", to="市委、市政府值班室")
        assert status == 200
    assert (told["state"], told["next_reports"]) == ("closed", [])
    assert (await does(li, number, "reports", kind="final", text=TEXT))[0] == 409
    with pytest.raises(asyncpg.RaiseError, match="stays as it was signed"):
        await pool.execute("UPDATE duty_reports SET content = '{}' WHERE number = 1")
    told_of = await pool.fetchval("SELECT count(*) FROM journal WHERE case_id = $1", case_id)
    assert told_of >= 16
    assert (await events(pool))[:4] == [
        *("incident_raised", "incident_acknowledged", "incident_levelled", "incident_drafted")
    ]


async def test_a_key_pressed_twice_raises_one_alarm_and_one_person_acknowledges(
    staff: Staff, town: Town, pool: Pool
) -> None:
    number, case_id = await raised(staff, town)
    agent = await staff.visitor("agent")
    body = {"summary": "再次上报", "case_id": case_id}
    answers = await asyncio.gather(*(ask(agent, "POST", ALERTS, body) for _ in range(3)))
    assert {(status, told["incident_id"]) for status, told in answers} == {(200, number)}
    free = {"summary": "没有来电的上报"}
    answers = await asyncio.gather(*(ask(agent, "POST", ALERTS, free, key="a") for _ in range(3)))
    assert {status for status, _ in answers} == {200}
    assert await pool.fetchval("SELECT count(*) FROM duty_incidents") == 2
    assert (await events(pool)).count("incident_raised") == 2
    officers = [await staff.visitor(one) for one in ("li", "wang", "zhang")]
    answers = await asyncio.gather(*(does(one, number, "acknowledge") for one in officers))
    assert sorted(status for status, _ in answers) == [200, 409, 409]
    assert (await events(pool)).count("incident_acknowledged") == 1
    status, told = await ask(agent, "GET", f"{ALERTS}/{number}")
    assert (status, told["acknowledged_at"] is not None) == (200, True)
    assert (await ask(agent, "GET", f"{INCIDENTS}/{number}"))[0] == 403


async def test_timers_remind_once_and_an_alarm_stands_until_it_is_done(
    staff: Staff, town: Town, services: Services, clock: Clock, pool: Pool
) -> None:
    number, _ = await raised(staff, town)
    agent, li = await staff.visitor("agent"), await staff.visitor("li")

    async def standing() -> dict[str, int]:
        rows = await pool.fetch(
            """SELECT kind, count(*) AS n FROM duty_reminders
                WHERE share = 100 AND over_at IS NULL GROUP BY kind"""
        )
        return {row["kind"]: row["n"] for row in rows}

    await services.duty.look()
    assert await standing() == {}
    clock.forward(minutes=5)
    assert (await ask(agent, "GET", f"{ALERTS}/{number}"))[1]["overdue"]
    for _ in range(2):
        await services.duty.look()
    assert await standing() == {"acknowledge": 1}
    clock.forward(minutes=13)
    await services.duty.look()
    rows = await pool.fetch("SELECT body FROM journal WHERE event = 'duty.timer_due' ORDER BY id")
    told = [json.loads(row["body"]) for row in rows]
    assert [(one["timer"], one["share"]) for one in told] == [("acknowledge", 100), ("phone", 80)]
    assert told[1]["basis"]
    assert told[1]["policy"] == "duty-reporting/1"
    await does(li, number, "assess", **JUDGED)
    await services.duty.look()
    assert await standing() == {}
    clock.forward(hours=2)
    await services.duty.look()
    assert await standing() == {"phone": 1, "text": 1}
    li = await staff.visitor("li")
    _, page = await ask(li, "GET", f"{INCIDENTS}?live=true")
    assert page["incidents"][0]["overdue"] == ["phone", "text"]
    assert (await does(li, number, "dismiss", reason="误报，现场无积水"))[0] == 200
    await services.duty.look()
    assert await standing() == {}
    assert (await ask(li, "GET", f"{INCIDENTS}?live=true"))[1]["incidents"] == []


async def test_the_desk_opens_incidents_itself_and_who_reported_stays_secret(
    staff: Staff, town: Town, pool: Pool
) -> None:
    li = await staff.visitor("li")
    reporter = {"unit": "涪城区政府办", "name": "陈建国", "post": "", "phone": "13990112233"}
    body = {**JUDGED, "summary": "传真报告桥面积水", "reporter": reporter}
    status, told = await ask(li, "POST", INCIDENTS, body, key="k")
    assert (status, told["state"], told["acknowledged_by"]) == (200, "open", "li")
    assert (told["reporter"]["name"], told["reporter"]["phone"]) == ("陈**", "139****2233")
    assert (await ask(li, "POST", INCIDENTS, body, key="k"))[1]["id"] == told["id"]
    _, full = await does(li, told["id"], "reveal", reason="核实现场情况")
    assert full == {**reporter, "post": None}
    number, _ = await raised(staff, town)
    _, full = await does(li, number, "reveal", reason="核实现场情况")
    assert full["phone"] == "13890115678"  # the caller's own
    seen = await pool.fetchval("SELECT count(*) FROM journal WHERE event = 'seen.identity'")
    assert seen == 2
    wrong = (({"line": "none"}, 422), ({"case_id": 99}, 404), ({"call_id": 99}, 404))
    for change, status in (*wrong, ({"level": "V"}, 422), ({"type": "war"}, 422)):
        assert (await ask(li, "POST", INCIDENTS, body | change))[0] == status
