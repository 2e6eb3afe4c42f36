"""Leaders' instructions to their evidence, and the contact book that keeps leaders' numbers."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from hotline import sealed
from hotline.database import Pool, borrowed
from hotline.services import Services
from routing.duty_instructions import shares_reached
from telephony.sealing import KeyFile, write_keys
from tests.hotline.console.conftest import NOW, Clock, Site, services_on
from tests.hotline.console.duty_desk import ask, at_duty_seats, staffed
from tests.hotline.console.staff import WATER, Staff

INSTRUCTIONS, CONTACTS = "/api/duty/instructions", "/api/duty/contacts"
GIVEN = {
    "leader": "张副市长",
    "unit": WATER,
    "text": "请立即排查积水路段，联系人13990112233",
    "due_at": (NOW + timedelta(hours=10)).isoformat(),
}
UNIT = {
    "unit": "市应急管理局",
    "post": "值班室",
    "phone": "0816-2212345",
    "valid_from": "2026-01-01",
    "review": "2026-12-31",
}
LEADER = {**UNIT, "post": "局长", "name": "陈建国", "phone": "13990112233", "leader": True}


@pytest.fixture
def services(tmp_path: Path, pool: Pool, database: str, clock: Clock) -> Services:
    return services_on(at_duty_seats(tmp_path), pool, database, clock)


@pytest.fixture
async def staff(site: Site, services: Services) -> Staff:
    return await staffed(site, services)


def test_a_reminder_comes_at_four_fifths_and_an_alarm_at_the_end() -> None:
    end = NOW + timedelta(hours=10)
    told = [shares_reached(NOW, end, NOW + timedelta(hours=at)) for at in (7.9, 8, 10)]
    assert told == [(), (80,), (80, 100)]


async def test_an_instruction_is_passed_on_answered_and_done_with_evidence_each_once(
    staff: Staff, services: Services, clock: Clock, pool: Pool
) -> None:
    li = await staff.visitor("li")
    status, given = await ask(li, "POST", INSTRUCTIONS, GIVEN, key="k")
    assert (status, given["state"], given["overdue"]) == (200, "given", False)
    assert (await ask(li, "POST", INSTRUCTIONS, GIVEN, key="k"))[1]["id"] == given["id"]
    assert "13990112233" not in str(given)
    never = {**GIVEN, "due_at": (NOW + timedelta(days=4000)).isoformat()}
    assert (await ask(li, "POST", INSTRUCTIONS, never))[0] == 422  # no unit could be given it
    path = f"{INSTRUCTIONS}/{given['id']}"

    async def does(visitor: ClientSession, word: str, **body: str) -> tuple[int, Any]:
        return await ask(visitor, "POST", f"{path}/{word}", body)

    assert (await does(li, "done", evidence="已排查"))[0] == 409  # nobody has it yet
    assert (await does(li, "feedback", text="已收到"))[0] == 409
    wang = await staff.visitor("wang")
    answers = await asyncio.gather(*(does(one, "pass-on", to="周某") for one in (li, wang)))
    assert sorted(status for status, _ in answers) == [200, 409]
    # From now on the unit has it as a tracked item, with the date the leader gave.
    wait = await staff.visitor("super")
    _, page = await ask(wait, "GET", "/api/tracked-items")
    (item,) = page["items"]
    assert (item["type"], item["unit"], item["state"]) == ("leader", WATER, "given")
    assert item["due_at"] == given["due_at"]
    assert "13990112233" not in str(page)
    clock.forward(hours=11)
    await services.duty.look()
    assert await pool.fetchval("SELECT count(*) FROM duty_reminders") == 0
    li = await staff.visitor("li")
    _, page = await ask(li, "GET", f"{INSTRUCTIONS}?live=true")
    assert [one["overdue"] for one in page["instructions"]] == [True]
    assert (await does(li, "feedback", text="排查中"))[0] == 200
    status, done = await does(li, "done", evidence="现场照片三张，积水已排")
    assert (status, done["state"], done["feedback"][0]["text"]) == (200, "done", "排查中")
    assert (done["tracked_id"], done["tracked_state"]) == (item["id"], "ended")
    assert (await does(li, "withdraw", reason="不再需要"))[0] == 409
    # It was late, so the supervision has its record, however it was ended.
    late = "SELECT count(*) FROM supervisions WHERE tracked_id = $1 AND trigger = 'overdue'"
    assert await pool.fetchval(late, item["id"]) == 1
    rows = await pool.fetch("SELECT body FROM journal WHERE event LIKE 'duty.instruction%'")
    assert len(rows) == 4
    assert all("积水" not in row["body"] for row in rows)


async def test_what_nobody_passes_on_reminds_the_desk_and_alarms_at_its_date(
    staff: Staff, services: Services, clock: Clock, pool: Pool
) -> None:
    li = await staff.visitor("li")
    _, given = await ask(li, "POST", INSTRUCTIONS, GIVEN)
    for _ in range(2):
        clock.forward(hours=5)
        await services.duty.look()
        await services.duty.look()
    rows = await pool.fetch("SELECT body FROM journal WHERE event = 'duty.timer_due' ORDER BY id")
    assert [json.loads(row["body"])["share"] for row in rows] == [80, 100]
    alarms = "SELECT count(*) FROM duty_reminders WHERE share = 100 AND over_at IS NULL"
    assert await pool.fetchval(alarms) == 1
    li = await staff.visitor("li")
    path = f"{INSTRUCTIONS}/{given['id']}/withdraw"
    assert (await ask(li, "POST", path, {"reason": "领导收回"}))[0] == 200
    await services.duty.look()
    assert await pool.fetchval(alarms) == 0


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"unit": "没有的单位"}, 422),
        ({"due_at": (NOW - timedelta(hours=1)).isoformat()}, 422),
        ({"incident_id": 99}, 404),
        ({"case_id": 99}, 404),
        ({"text": " "}, 422),
    ],
)
async def test_an_instruction_that_does_not_fit_is_refused(
    staff: Staff, pool: Pool, wrong: dict[str, object], status: int
) -> None:
    li = await staff.visitor("li")
    assert (await ask(li, "POST", INSTRUCTIONS, GIVEN | wrong))[0] == status
    assert await pool.fetchval("SELECT count(*) FROM duty_instructions") == 0


async def test_leaders_numbers_are_given_out_to_nobody(
    staff: Staff, pool: Pool, keys: KeyFile
) -> None:
    li, agent, boss = [await staff.visitor(one) for one in ("li", "agent", "super")]
    for body in (UNIT, LEADER):
        assert (await ask(li, "POST", CONTACTS, body))[0] == 200

    async def phones(visitor: ClientSession, query: str = "") -> list[str]:
        _, page = await ask(visitor, "GET", f"{CONTACTS}?{query}")
        return [one["phone"] for one in page["contacts"]]

    assert await phones(li) == ["139****2233", "0816-2212345"]
    assert await phones(agent) == await phones(boss) == ["", "0816-2212345"]
    assert await phones(li, "q=陈建国") == ["139****2233"]
    assert await phones(li, "q=陈") == []
    assert await phones(li, "q=局长") == ["139****2233"]
    _, page = await ask(li, "GET", f"{CONTACTS}?q=局长")
    path = f"{CONTACTS}/{page['contacts'][0]['id']}"
    reason = {"reason": "突发事件须报告"}
    for other in (agent, boss):
        assert (await ask(other, "POST", f"{path}/reveal", reason))[0] == 403
    assert (await ask(li, "POST", f"{path}/reveal", reason))[1]["phone"] == "13990112233"
    seen = await pool.fetch("SELECT actor FROM journal WHERE event = 'seen.identity'")
    assert [row["actor"] for row in seen] == ["li"]
    raw = await pool.fetchval("SELECT string_agg(c::text, '') FROM duty_contacts c")
    assert "13990112233" not in raw
    assert "陈建国" not in raw
    rows = await pool.fetch("SELECT body FROM journal WHERE event LIKE 'duty.contact%'")
    assert all("13990112233" not in row["body"] and "陈建国" not in row["body"] for row in rows)
    write_keys(keys.path, keys.ring.with_new_key())
    async with borrowed(pool) as conn:
        assert await sealed.renew(conn, keys.ring) == 2
    write_keys(keys.path, keys.ring.without_old_keys())
    assert await phones(li, "q=陈建国") == ["139****2233"]


async def test_a_contact_nobody_has_checked_is_stale_and_a_review_replaces_it(
    staff: Staff,
) -> None:
    li = await staff.visitor("li")
    _, entered = await ask(li, "POST", CONTACTS, {**UNIT, "review": "2026-11-22"})
    assert entered["stale"]
    _, page = await ask(li, "GET", f"{CONTACTS}?stale=true")
    assert len(page["contacts"]) == 1
    path = f"{CONTACTS}/{entered['id']}"
    answers = await asyncio.gather(*(ask(li, "POST", f"{path}/replace", UNIT) for _ in range(3)))
    assert [status for status, _ in answers].count(200) == 1
    assert {status for status, _ in answers} <= {200, 404, 409}
    _, page = await ask(li, "GET", CONTACTS)
    assert [one["stale"] for one in page["contacts"]] == [False]
    gone = f"{CONTACTS}/{page['contacts'][0]['id']}"
    assert (await ask(li, "DELETE", gone))[0] == 200
    assert (await ask(li, "DELETE", gone))[0] == 404
    wrong = {**UNIT, "valid_until": "2025-01-01"}
    assert (await ask(li, "POST", CONTACTS, wrong))[0] == 422
