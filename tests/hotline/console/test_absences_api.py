"""Somebody is away: the deputy has the work at once, no clock waits, the journal says for whom."""

import json
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import ClientSession

from hotline import accounts
from hotline.database import transaction
from hotline.services import Services
from routing.cases import Move, Role
from telephony.calls import Leg
from tests.hotline.console.conftest import NOW, Clock, Site
from tests.hotline.console.filled import Said, Town
from tests.hotline.console.staff import CITY_LIGHTS, WATER, Staff, hire

SAID = (Said(leg=Leg.CALLER, start=1.0, text="涪城区临园路的路灯坏了"),)
CONFIRMED = {"kind": "help", "urgency": "normal", "level1": "城乡建设"}
REASON = "住院三天"


async def ask(
    visitor: ClientSession, method: str, path: str, body: object = None
) -> tuple[int, Any]:
    async with visitor.request(method, path, json=body) as answer:
        return answer.status, await answer.json()


async def work(visitor: ClientSession) -> list[int]:
    _, found = await ask(visitor, "GET", "/api/cases?mine=true")
    return [case["id"] for case in found["cases"]]


@pytest.fixture
async def staff(site: Site, services: Services) -> Staff:
    await hire(services, "boss", Role.ADMINISTRATOR)
    for login in ("an", "bo", "chen"):
        await hire(services, login, Role.UNIT)
    await hire(services, "head", Role.UNIT, head=True)
    await hire(services, "water", Role.UNIT, unit=WATER)
    await hire(services, "dispatch", Role.DISPATCHER)
    await hire(services, "super", Role.SUPERVISOR)
    return Staff(services=services, site=site)


async def signed(town: Town, staff: Staff, by: str = "an") -> int:
    """A case that somebody of the unit has signed for and answers for."""
    call_id = await town.is_talked(NOW - timedelta(minutes=9), SAID)
    await town.moves(call_id, Move.OPEN, NOW, **CONFIRMED)
    await town.moves(call_id, Move.DISPATCH, NOW, unit=CITY_LIGHTS)
    case_id = await town.case_of(call_id)
    status, case = await ask(await staff.visitor(by), "POST", f"/api/cases/{case_id}/sign", {})
    assert (status, case["owner"]) == (200, by)
    return case_id


async def rows_of(services: Services, case_id: int) -> list[dict[str, Any]]:
    rows = await services.pool.fetch(
        "SELECT event, actor, body FROM journal WHERE case_id = $1 ORDER BY id", case_id
    )
    return [{**dict(row), "body": json.loads(row["body"])} for row in rows]


async def test_the_deputy_has_the_work_from_the_beginning_to_the_end_of_the_absence(
    staff: Staff, town: Town, clock: Clock, services: Services
) -> None:
    case_id = await signed(town, staff)
    an, bo = await staff.visitor("an"), await staff.visitor("bo")
    _, before = await ask(an, "GET", f"/api/cases/{case_id}")
    assert (await work(an), await work(bo)) == ([case_id], [])
    notice = {
        "deputy": "bo",
        "reason": REASON,
        "since": (clock() + timedelta(hours=1)).isoformat(),
        "until": (clock() + timedelta(hours=4)).isoformat(),
    }
    status, entered = await ask(an, "POST", "/api/absences", notice)
    assert (status, entered["who"], entered["acting"]) == (200, "an", None)
    assert await work(bo) == []  # not yet
    clock.forward(hours=1)
    assert await work(bo) == [case_id]
    _, told = await ask(bo, "GET", "/api/absences")
    assert (told["absences"][0]["acting"], told["absences"][0]["reason"]) == ("bo", None)
    _, deputies = await ask(bo, "GET", "/api/deputies")
    assert deputies["stands_for"] == ["an"]
    assert {one["login"] for one in deputies["deputies"]} == {"an", "chen", "head"}
    # What only the owner may do, the deputy may, and the row says for whom.
    status, found = await ask(bo, "POST", f"/api/cases/{case_id}/hand-over", {"person": "chen"})
    assert (status, found["offered_to"]) == (200, "chen")
    assert found["due_at"] == before["due_at"]  # no clock waits for anybody
    offered = (await rows_of(services, case_id))[-1]
    assert (offered["event"], offered["actor"], offered["body"]["for"]) == (
        "case.offered",
        "bo",
        "an",
    )
    status, _ = await ask(bo, "POST", f"/api/cases/{case_id}/decline", {})
    assert status == 200
    clock.forward(hours=3)
    an, bo = await staff.visitor("an"), await staff.visitor("bo")  # theirs idled meanwhile
    assert (await work(an), await work(bo)) == ([case_id], [])
    status, problem = await ask(bo, "POST", f"/api/cases/{case_id}/hand-over", {"person": "chen"})
    assert (status, problem["type"]) == (409, "illegal_move")


async def test_what_is_offered_to_somebody_away_goes_to_who_acts(
    staff: Staff, town: Town, services: Services
) -> None:
    case_id = await signed(town, staff, by="chen")
    an, bo, chen = [await staff.visitor(one) for one in ("an", "bo", "chen")]
    await ask(an, "POST", "/api/absences", {"deputy": "bo", "reason": REASON})
    status, found = await ask(chen, "POST", f"/api/cases/{case_id}/hand-over", {"person": "an"})
    assert (status, found["offered_to"]) == (200, "bo")
    assert (await rows_of(services, case_id))[-1]["body"]["for"] == "an"
    assert await work(bo) == [case_id]
    status, found = await ask(bo, "POST", f"/api/cases/{case_id}/accept", {})
    assert (status, found["owner"]) == (200, "bo")


async def test_an_offer_made_before_the_absence_is_the_deputys_to_accept(
    staff: Staff, town: Town, services: Services
) -> None:
    case_id = await signed(town, staff, by="chen")
    an, bo, chen = [await staff.visitor(one) for one in ("an", "bo", "chen")]
    await ask(chen, "POST", f"/api/cases/{case_id}/hand-over", {"person": "an"})
    assert (await ask(bo, "POST", f"/api/cases/{case_id}/accept", {}))[0] == 409
    await ask(an, "POST", "/api/absences", {"deputy": "bo", "reason": REASON})
    status, found = await ask(bo, "POST", f"/api/cases/{case_id}/accept", {})
    assert (status, found["owner"]) == (200, "bo")
    assert (await rows_of(services, case_id))[-1]["body"]["for"] == "an"


async def test_without_a_deputy_the_head_has_the_work_and_without_a_head_the_desk(
    staff: Staff, town: Town, services: Services
) -> None:
    case_id = await signed(town, staff)
    an, head, desk = [await staff.visitor(one) for one in ("an", "head", "dispatch")]
    _, entered = await ask(an, "POST", "/api/absences", {"reason": REASON})
    assert entered["acting"] == "head"
    assert (await work(head), await work(desk)) == ([case_id], [])
    _, entered = await ask(head, "POST", "/api/absences", {"deputy": "an", "reason": REASON})
    assert entered["acting"] == "desk"  # a circle, and nobody above it
    assert await work(desk) == [case_id]
    status, _ = await ask(desk, "POST", f"/api/cases/{case_id}/hand-over", {"person": "bo"})
    assert status == 200
    assert (await rows_of(services, case_id))[-1]["body"]["for"] == "an"


async def test_whoever_is_let_in_no_more_leaves_the_work_to_the_head(
    staff: Staff, town: Town, services: Services
) -> None:
    case_id = await signed(town, staff)
    head = await staff.visitor("head")
    assert await work(head) == []
    gone = await services.pool.fetchval("SELECT id FROM users WHERE login = 'an'")
    async with transaction(services.pool) as tx:
        await accounts.activate(tx, gone, active=False, by="test", now=NOW)
    assert await work(head) == [case_id]


async def test_a_persons_own_act_is_for_nobody_else(
    staff: Staff, town: Town, services: Services
) -> None:
    case_id = await signed(town, staff)
    assert all("for" not in row["body"] for row in await rows_of(services, case_id))


async def test_a_notice_ends_once_and_its_reason_is_not_everybodys(
    staff: Staff, services: Services
) -> None:
    an, bo, head = [await staff.visitor(one) for one in ("an", "bo", "head")]
    _, entered = await ask(an, "POST", "/api/absences", {"deputy": "bo", "reason": REASON})
    path = f"/api/absences/{entered['id']}/end"
    assert entered["reason"] == REASON
    status, problem = await ask(bo, "POST", path, {})
    assert (status, problem["type"]) == (403, "forbidden")
    _, told = await ask(head, "GET", "/api/absences?who=an")
    assert told["absences"][0]["reason"] == REASON
    status, ended = await ask(head, "POST", path, {})
    assert (status, ended["acting"]) == (200, None)
    assert (await ask(an, "POST", path, {}))[0] == 422
    assert (await ask(an, "GET", "/api/absences"))[1]["absences"] == []
    assert len((await ask(an, "GET", "/api/absences?over=true"))[1]["absences"]) == 1
    assert (await ask(an, "POST", "/api/absences/999/end", {}))[0] == 404
    rows = await services.pool.fetch("SELECT body FROM journal WHERE event LIKE 'absence.%'")
    assert len(rows) == 2
    assert all(REASON not in row["body"] for row in rows)


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"deputy": "an"}, 422),
        ({"deputy": "water"}, 422),  # of another unit
        ({"deputy": "dispatch"}, 422),
        ({"deputy": "nobody"}, 422),
        ({"until": "2026-11-23T02:00:00Z"}, 422),
        ({"since": "2026-11-25T00:00:00Z", "until": "2026-11-24T00:00:00Z"}, 422),
        ({"who": "chen"}, 403),
        ({"who": "nobody"}, 403),
        ({"reason": " "}, 422),
    ],
)
async def test_a_notice_that_does_not_fit_is_refused(
    staff: Staff, wrong: dict[str, str], status: int
) -> None:
    an = await staff.visitor("an")
    notice = {"deputy": "bo", "reason": REASON} | wrong
    assert (await ask(an, "POST", "/api/absences", notice))[0] == status


async def test_two_notices_of_one_person_never_overlap(staff: Staff, clock: Clock) -> None:
    an, boss = await staff.visitor("an"), await staff.visitor("super")
    day = timedelta(days=1)
    week = {
        "reason": REASON,
        "since": (clock() + day).isoformat(),
        "until": (clock() + 7 * day).isoformat(),
    }
    assert (await ask(an, "POST", "/api/absences", week))[0] == 200
    for since, until, status in ((0, 2, 422), (3, None, 422), (0, 1, 200), (7, None, 200)):
        notice = {
            "who": "an",
            "reason": REASON,
            "since": (clock() + since * day).isoformat(),
            **({"until": (clock() + until * day).isoformat()} if until else {}),
        }
        assert (await ask(boss, "POST", "/api/absences", notice))[0] == status, (since, until)
