"""Urgent cases by telephone first: a clock of minutes, a trace of each step, nothing skipped."""

from datetime import timedelta
from typing import Any

import pytest

from hotline.reminders import ReminderDesk
from hotline.services import Services
from hotline.supervision import SupervisionDesk
from routing.cases import Move, Role
from tests.hotline.console.conftest import NOW, Clock, Site
from tests.hotline.console.filled import Town
from tests.hotline.console.staff import CITY_LIGHTS, WATER, Staff, hire
from tests.hotline.console.test_absences_api import CONFIRMED, SAID, ask

ORDER = {"unit": CITY_LIGHTS, "told": "已电话告知值班员：立即到现场断电"}


@pytest.fixture
async def staff(site: Site, services: Services) -> Staff:
    await hire(services, "boss", Role.ADMINISTRATOR)
    await hire(services, "an", Role.UNIT)
    await hire(services, "water", Role.UNIT, unit=WATER)
    await hire(services, "dispatch", Role.DISPATCHER)
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


async def opened(town: Town, urgency: str) -> str:
    call_id = await town.is_talked(NOW - timedelta(minutes=9), SAID)
    await town.moves(call_id, Move.OPEN, NOW, **{**CONFIRMED, "urgency": urgency})
    return f"/api/cases/{await town.case_of(call_id)}"


async def clock_of(staff: Staff, at: str) -> dict[str, Any]:
    _, found = await ask(await staff.visitor("dispatch"), "GET", f"{at}/clocks")
    (clock,) = [one for one in found["clocks"] if one["stage"] == "phone_assignment"]
    return dict(clock)


@pytest.mark.parametrize("limit", [("emergency", 10), ("urgent", 20)])
async def test_the_units_word_is_awaited_for_minutes_and_then_supervised(
    staff: Staff, town: Town, clock: Clock, desk: SupervisionDesk, limit: tuple[str, int]
) -> None:
    urgency, minutes = limit
    at = await opened(town, urgency)
    dispatcher = await staff.visitor("dispatch")
    status, given = await ask(dispatcher, "POST", f"{at}/phone-assignments", ORDER)
    assert (status, given["before_dispatch"], given["given_by"]) == (200, True, "dispatch")
    found = await clock_of(staff, at)
    assert (found["amount"], found["unit"]) == (minutes, "minutes")
    assert "电话交办" in found["basis"]
    status, said = await ask(dispatcher, "POST", f"{at}/phone-assignments", ORDER)
    assert (status, said["type"]) == (409, "not_possible")  # one is awaited
    clock.forward(minutes=minutes, seconds=1)
    await desk.catch_up(clock())
    _, page = await ask(dispatcher, "GET", "/api/supervision")
    late = [one for one in page["records"] if one["stage"] == "phone_assignment"]
    assert [(one["trigger"], one["unit"]) for one in late] == [("overdue", CITY_LIGHTS)]
    status, done = await ask(
        dispatcher, "POST", f"{at}/phone-assignments/feedback", {"feedback": "已断电，无伤亡"}
    )
    assert (status, done["feedback_by"]) == (200, "dispatch")
    assert (await clock_of(staff, at))["standing"] == "late"
    # The paper is due as ever, and the whole way can be read in the case's history.
    _, case = await ask(dispatcher, "GET", at)
    assert case["state"] == "open"
    told = [it for it in case["history"] if it["event"].startswith("case.phone_")]
    assert [(it["event"], it["actor"], it["body"]["before_dispatch"]) for it in told] == [
        ("case.phone_assigned", "dispatch", True),
        ("case.phone_feedback", "dispatch", True),
    ]
    assert [one["text"] for one in case["texts"]][-2:] == [ORDER["told"], "已断电，无伤亡"]
    status, said = await ask(
        dispatcher, "POST", f"{at}/phone-assignments/feedback", {"feedback": "x"}
    )
    assert (status, said["type"]) == (409, "not_possible")


async def test_a_word_in_time_stops_the_clock_and_reminds_nobody_any_more(
    staff: Staff, town: Town, clock: Clock, desk: SupervisionDesk, services: Services
) -> None:
    at = await opened(town, "emergency")
    case_id = int(at.rpartition("/")[2])
    dispatcher = await staff.visitor("dispatch")
    call = await services.pool.fetchval("SELECT call_id FROM cases WHERE id = $1", case_id)
    await town.moves(call, Move.DISPATCH, clock(), unit=CITY_LIGHTS)
    _, given = await ask(dispatcher, "POST", f"{at}/phone-assignments", ORDER)
    assert given["before_dispatch"] is False
    reminders = ReminderDesk(
        pool=services.pool,
        policies=services.policies,
        policy=services.policy,
        calendar=services.calendar,
        clock=clock,
        every=timedelta(seconds=1),
    )
    clock.forward(minutes=6)
    await reminders.look()
    shares = await services.pool.fetch(
        "SELECT share FROM reminders_sent WHERE stage = 'phone_assignment'"
    )
    assert [row["share"] for row in shares] == [50]
    an, water = await staff.visitor("an"), await staff.visitor("water")
    path = f"{at}/phone-assignments/feedback"
    assert (await ask(water, "POST", path, {"feedback": "x"}))[0] == 404
    status, done = await ask(an, "POST", path, {"feedback": "正在现场"})
    assert (status, done["feedback_by"]) == (200, "an")
    assert (await clock_of(staff, at))["standing"] == "on_time"
    clock.forward(minutes=8)
    await reminders.look()
    await desk.catch_up(clock())
    query = "SELECT count(*) FROM reminders_sent WHERE stage = 'phone_assignment'"
    assert await services.pool.fetchval(query) == 1
    query = "SELECT count(*) FROM supervisions WHERE stage = 'phone_assignment'"
    assert await services.pool.fetchval(query) == 0
    _, listed = await ask(dispatcher, "GET", f"{at}/phone-assignments")
    assert [one["id"] for one in listed["assignments"]] == [done["id"]]


async def test_what_cannot_go_by_telephone_is_refused_in_one_sentence(
    staff: Staff, town: Town, services: Services
) -> None:
    dispatcher = await staff.visitor("dispatch")
    normal, urgent = await opened(town, "normal"), await opened(town, "urgent")
    call = await services.pool.fetchval(
        "SELECT call_id FROM cases WHERE id = $1", int(urgent.rpartition("/")[2])
    )
    await town.moves(call, Move.DISPATCH, NOW, unit=WATER)
    for at, body, status in (
        (normal, ORDER, 409),
        (urgent, ORDER, 409),  # it is with another unit
        (urgent, {**ORDER, "unit": "没有这个单位"}, 422),
        ("/api/cases/999", ORDER, 404),
    ):
        answered, said = await ask(dispatcher, "POST", f"{at}/phone-assignments", body)
        assert (answered, bool(said["detail"])) == (status, True)
    assert await services.pool.fetchval("SELECT count(*) FROM phone_assignments") == 0
