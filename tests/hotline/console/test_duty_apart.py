"""Whoever is kept apart from a case finds nothing of it at the duty desk, not even that it was."""

from datetime import timedelta
from pathlib import Path

import pytest

from hotline.database import Pool
from hotline.services import Services
from telephony.calls import Leg
from tests.hotline.console.conftest import NOW, Clock, Site, services_on
from tests.hotline.console.duty_desk import ask, at_duty_seats, staffed
from tests.hotline.console.filled import Said, Town
from tests.hotline.console.staff import WATER

SAID = (Said(leg=Leg.CALLER, start=1.0, text="我要举报值班室的人"),)


@pytest.fixture
def services(tmp_path: Path, pool: Pool, database: str, clock: Clock) -> Services:
    return services_on(at_duty_seats(tmp_path), pool, database, clock)


async def test_an_officer_who_is_kept_apart_finds_no_trace_of_the_case(
    site: Site, services: Services, town: Town, pool: Pool
) -> None:
    staff = await staffed(site, services)
    call_id = await town.is_talked(NOW - timedelta(minutes=9), SAID, line="duty")
    case_id = await town.case_of(call_id)
    wang, li = await staff.visitor("wang"), await staff.visitor("li")
    raised = {"summary": "涉及值班人员", "call_id": call_id, "case_id": case_id}
    _, alert = await ask(wang, "POST", "/api/duty/alerts", raised)
    number = alert["incident_id"]
    wanted = {"leader": "张副市长", "unit": WATER, "text": "核实", "incident_id": number}
    due = {"due_at": (NOW + timedelta(days=1)).isoformat()}
    _, given = await ask(wang, "POST", "/api/duty/instructions", wanted | due)
    lists = {
        "/api/duty/log": "entries",
        "/api/duty/incidents": "incidents",
        "/api/duty/instructions": "instructions",
        "/api/duty/desk": "items",
    }
    entry = await pool.fetchval("SELECT id FROM duty_log")
    ones = (
        f"/api/duty/log/{entry}",
        f"/api/duty/incidents/{number}",
        f"/api/duty/alerts/{number}",
        f"/api/duty/instructions/{given['id']}",
    )

    async def found(login: str) -> list[int]:
        visitor = await staff.visitor(login)
        told = [len((await ask(visitor, "GET", path))[1][name]) for path, name in lists.items()]
        return told + [(await ask(visitor, "GET", path))[0] for path in ones]

    assert await found("li") == [1, 1, 1, 3, 200, 200, 200, 200]
    await pool.execute(
        """INSERT INTO kept_apart (case_id, person, because, since, by)
           VALUES ($1, 'li', 'accused', $2, 'test')""",
        case_id,
        NOW,
    )
    assert await found("li") == [0, 0, 0, 0, 404, 404, 404, 404]
    assert await found("wang") == [1, 1, 1, 3, 200, 200, 200, 200]
    words = f"/api/duty/incidents/{number}"
    for word, body in (("acknowledge", {}), ("reveal", {"reason": "我想知道"})):
        assert (await ask(li, "POST", f"{words}/{word}", body))[0] == 404
    written = {"seen": 0, "text": {"course": "无"}}
    assert (await ask(li, "POST", f"/api/duty/log/{entry}/versions", written))[0] == 404
    assert (await ask(li, "POST", "/api/duty/alerts", raised))[0] == 404
