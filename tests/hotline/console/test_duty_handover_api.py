"""Handing over: two people sign one frozen list, and nobody is free before it."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiohttp import ClientSession

from hotline.database import Pool, transaction
from hotline.roster import Role as Duty
from hotline.roster import Shift
from hotline.roster_rows import enter
from hotline.services import Services
from routing.cases import Move
from telephony.calls import Leg
from tests.hotline.console.conftest import NOW, Clock, Site, services_on
from tests.hotline.console.duty_desk import ask, at_duty_seats, staffed
from tests.hotline.console.filled import Said, Town
from tests.hotline.console.staff import Staff

SAID = (Said(leg=Leg.CALLER, start=1.0, text="涪江三桥桥面积水"),)
DESK, HANDOVERS = "/api/duty/desk", "/api/duty/handovers"
CHANGE = NOW + timedelta(hours=2)
EARLY, LATE = ["2001", "2002"], ["2003", "2004"]


@pytest.fixture
def services(tmp_path: Path, pool: Pool, database: str, clock: Clock) -> Services:
    return services_on(at_duty_seats(tmp_path), pool, database, clock)


@pytest.fixture
async def staff(site: Site, services: Services) -> Staff:
    """Li and Wang until 12:30, then Zhang and Zhao; Boss leads all the time."""
    for role, seats, starts, hours in (
        (Duty.OFFICER, EARLY, NOW - timedelta(hours=6), 8),
        (Duty.OFFICER, LATE, CHANGE, 8),
        (Duty.LEADER, ["2005"], NOW - timedelta(hours=6), 24),
    ):
        for seat in seats:
            shift = Shift(
                line="duty",
                role=role,
                operator=seat,
                starts_at=starts,
                ends_at=starts + timedelta(hours=hours),
            )
            async with transaction(services.pool) as tx:
                await enter(tx, shift, "test", NOW)
    return await staffed(site, services)


async def gaps(pool: Pool) -> list[str]:
    rows = await pool.fetch(
        """SELECT event, body FROM journal
            WHERE event LIKE 'coverage.%' AND body ->> 'kind' = 'handover' ORDER BY id"""
    )
    return [row["event"] for row in rows]


async def leaves(visitor: ClientSession, **more: Any) -> tuple[int, Any]:
    return await ask(visitor, "POST", HANDOVERS, {"remarks": "东津路积水待核实", **more})


async def takes(visitor: ClientSession, list_: Any) -> tuple[int, Any]:
    body = {"digest": list_["digest"]}
    return await ask(visitor, "POST", f"{HANDOVERS}/{list_['id']}/take", body)


async def test_both_sign_the_same_list_and_until_then_the_first_shift_is_responsible(
    staff: Staff, town: Town, services: Services, clock: Clock, pool: Pool
) -> None:
    call_id = await town.is_talked(NOW - timedelta(minutes=9), SAID, line="duty")
    await town.moves(call_id, Move.OPEN, NOW, kind="incident", urgency="urgent", level1="城乡建设")
    li = await staff.visitor("li")
    _, raised = await ask(li, "POST", "/api/duty/alerts", {"summary": "桥面积水"})
    status, _ = await leaves(li)
    assert status == 409  # too early
    _, desk = await ask(li, "GET", DESK)
    assert (desk["responsible"], desk["handover_due"]) == (EARLY, None)
    assert desk["next_change"] == {
        "at": CHANGE.isoformat().replace("+00:00", "Z"),
        "outgoing": EARLY,
        "incoming": LATE,
    }
    clock.forward(hours=1, minutes=50)
    li, zhang, boss = [await staff.visitor(one) for one in ("li", "zhang", "boss")]
    assert (await leaves(boss))[0] == 403
    assert (await leaves(zhang))[0] == 403
    status, left = await leaves(li)
    assert (status, left["outgoing"], left["outgoing_for"]) == (200, "li", "2001")
    assert sorted(one["kind"] for one in left["items"]) == ["case", "incident", "log"]
    # What comes after the signature is not on the list, and the list cannot be touched.
    clock.forward(minutes=25)
    await services.duty.look()
    li, wang, zhang = [await staff.visitor(one) for one in ("li", "wang", "zhang")]
    _, desk = await ask(zhang, "GET", DESK)
    assert (desk["on_duty"][:2], desk["responsible"]) == (LATE, EARLY)
    assert desk["handover_missing_since"] is not None
    assert desk["signed"] == left["id"]
    assert await gaps(pool) == ["coverage.gap"]
    with pytest.raises(asyncpg.RaiseError, match="stay as they are"):
        await pool.execute("UPDATE duty_handovers SET items = '[]'")
    for wrong in (li, wang):
        assert (await takes(wrong, left))[0] == 403
    other = {**left, "digest": "0" * 64}
    assert (await takes(zhang, other))[0] == 422
    status, taken = await takes(zhang, left)
    assert (status, taken["incoming"], taken["incoming_for"]) == (200, "zhang", "2003")
    assert taken["items"] == left["items"]
    assert (await takes(zhang, left))[0] == 409
    await services.duty.look()
    assert await gaps(pool) == ["coverage.gap", "coverage.restored"]
    _, desk = await ask(zhang, "GET", DESK)
    assert (desk["responsible"], desk["handover_due"]) == (LATE, None)
    assert desk["handover_missing_since"] is None
    # What was handed over stays provable, whatever becomes of it.
    await ask(li, "POST", f"/api/duty/incidents/{raised['incident_id']}/dismiss", {"reason": "误"})
    _, page = await ask(zhang, "GET", HANDOVERS)
    assert page["handovers"][0]["items"] == left["items"]
    rows = await pool.fetch(
        "SELECT event, actor, body FROM journal WHERE body ? 'handover' ORDER BY id"
    )
    assert [(row["event"], row["actor"]) for row in rows] == [
        ("duty.handed_over", "li"),
        ("duty.relieved", "zhang"),
    ]
    assert json.loads(rows[0]["body"])["digest"] == left["digest"]


async def test_signing_anew_makes_another_list_and_only_the_newest_is_taken_over_once(
    staff: Staff, clock: Clock, pool: Pool
) -> None:
    clock.forward(hours=2)
    li, wang = await staff.visitor("li"), await staff.visitor("wang")
    zhang, zhao = await staff.visitor("zhang"), await staff.visitor("zhao")
    _, first = await leaves(li)
    answers = await asyncio.gather(
        *(ask(wang, "POST", HANDOVERS, {"remarks": "补充"}, key="k") for _ in range(3))
    )
    assert len({told["id"] for _, told in answers}) == 1
    second = answers[0][1]
    assert (await takes(zhang, first))[0] == 409
    answers = await asyncio.gather(*(takes(one, second) for one in (zhang, zhao)))
    assert sorted(status for status, _ in answers) == [200, 409]
    assert await pool.fetchval("SELECT count(*) FROM duty_reliefs") == 1


async def test_a_deputy_signs_for_whoever_is_away_and_never_for_both_sides(
    staff: Staff, clock: Clock, pool: Pool
) -> None:
    boss = await staff.visitor("super")
    for who in ("wang", "zhang"):
        body = {"who": who, "deputy": "zhao", "reason": "病假"}
        assert (await ask(boss, "POST", "/api/absences", body))[0] == 200
    clock.forward(hours=2)
    zhao = await staff.visitor("zhao")
    status, left = await leaves(zhao)  # for Wang, who is away
    assert (status, left["outgoing"], left["outgoing_for"]) == (200, "zhao", "2002")
    status, problem = await takes(zhao, left)  # on duty himself, and for Zhang
    assert (status, problem["type"]) == (403, "forbidden")
    li = await staff.visitor("li")
    _, left = await leaves(li)
    status, taken = await takes(zhao, left)
    assert (status, taken["incoming"]) == (200, "zhao")
    with pytest.raises(asyncpg.CheckViolationError):
        await pool.execute(
            """WITH h AS (INSERT INTO duty_handovers (line, changes_at, signed_at, outgoing,
                          outgoing_for, items, digest, remarks)
                          VALUES ('duty', now(), now(), 'li', '2001', '[]', '', '') RETURNING *)
               INSERT INTO duty_reliefs SELECT id, line, changes_at, outgoing, now(), 'li', '2001'
                 FROM h"""
        )
