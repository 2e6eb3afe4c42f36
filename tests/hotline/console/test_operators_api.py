"""Operators, the roster and call-outs by the API: who may do what, and what is refused."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import ClientSession

from hotline.config import Control
from hotline.database import Pool
from hotline.services import Services
from tests.hotline.console.conftest import NOW, Clock, configured, services_on

SUPERVISOR, OPERATOR = "1002", "1001"


@pytest.fixture
def services(tmp_path: Path, pool: Pool, database: str, clock: Clock) -> Services:
    config = configured(tmp_path, control=Control(supervisors=(SUPERVISOR,)))
    return services_on(config, pool, database, clock)


async def seated(visitor: ClientSession, seat: str) -> None:
    assert (await visitor.post("/api/session", json={"seat": seat})).status == 200


def shift(role: str, operator: str, hours: float = 24) -> dict[str, str]:
    return {
        "role": role,
        "operator": operator,
        "starts_at": NOW.isoformat(),
        "ends_at": (NOW + timedelta(hours=hours)).isoformat(),
    }


async def test_everybody_is_listed_and_nobody_is_there_before_logging_in(
    visitor: ClientSession,
) -> None:
    await seated(visitor, OPERATOR)
    told = await (await visitor.get("/api/operators")).json()
    assert [(one["operator"], one["state"]) for one in told["operators"]] == [
        ("1001", "logged_out"),
        ("1002", "logged_out"),
    ]
    assert told["gaps"] == []


async def test_only_a_supervisor_moves_others_and_reasons_have_a_shape(
    visitor: ClientSession,
) -> None:
    await seated(visitor, OPERATOR)
    refused = await visitor.post(f"/api/operators/{SUPERVISOR}/logout", json={})
    assert refused.status == 403
    odd = await visitor.post(f"/api/operators/{OPERATOR}/pause", json={"reason": "x\r\nAction: y"})
    assert odd.status == 422
    early = await visitor.post(f"/api/operators/{OPERATOR}/pause", json={"reason": "meal"})
    assert early.status == 409
    assert "is not logged in" in (await early.json())["detail"]
    away = await visitor.post(f"/api/operators/{OPERATOR}/login", json={})
    assert away.status == 503
    assert "actor_secret" in (await away.json())["detail"]


async def test_a_supervisor_keeps_the_roster_and_its_gaps_are_shown(
    visitor: ClientSession, pool: Pool
) -> None:
    await seated(visitor, OPERATOR)
    assert (await visitor.post("/api/roster", json=shift("officer", "1001"))).status == 403
    await seated(visitor, SUPERVISOR)
    entered = await visitor.post("/api/roster", json=shift("officer", "1001"))
    assert entered.status == 200
    number = (await entered.json())["id"]
    assert (await visitor.post("/api/roster", json=shift("officer", "1001"))).status == 409
    for wrong in (
        shift("officer", "9999"),
        shift("officer", "1001", hours=-1),
        shift("officer", "1001", hours=24 * 8),
        {**shift("officer", "1001"), "line": "none"},
    ):
        assert (await visitor.post("/api/roster", json=wrong)).status == 422
    roster = await (await visitor.get("/api/roster")).json()
    assert roster["now"] == ["1001"]
    assert roster["gaps"][0]["missing"] == {"officer": 1, "leader": 1, "next": 1}
    assert roster["gaps"][1]["missing"] == {"officer": 2, "leader": 1, "next": 1}
    assert (await visitor.delete(f"/api/roster/{number}")).status == 200
    assert (await visitor.delete(f"/api/roster/{number}")).status == 404
    told = await pool.fetch("SELECT event, actor FROM journal ORDER BY id")
    assert [tuple(row) for row in told] == [
        ("roster.entered", SUPERVISOR),
        ("roster.taken_back", SUPERVISOR),
    ]


async def test_a_shift_is_changed_by_one_row_and_what_is_wrong_is_said_in_a_sentence(
    visitor: ClientSession, pool: Pool
) -> None:
    await seated(visitor, SUPERVISOR)
    first = await (await visitor.post("/api/roster", json=shift("officer", "1001"))).json()
    path = f"/api/roster/{first['id']}/change"
    changed = await visitor.post(path, json=shift("officer", "1002", hours=8))
    assert changed.status == 200
    assert (await visitor.post(path, json=shift("officer", "1002"))).status == 404
    await visitor.post("/api/roster", json=shift("leader", "1002", hours=4))
    roster = await (await visitor.get("/api/roster")).json()
    assert (roster["now"], roster["next"]) == (["1002"], ["1002"])
    assert roster["next_at"] == (NOW + timedelta(hours=4)).isoformat().replace("+00:00", "Z")
    assert [one["sentence"] for one in roster["overlaps"]] == [
        "1002 在duty线路 11-23 10:30 至 11-23 14:30 重复排班（值班员、带班领导）。"
    ]
    assert roster["gaps"][0]["sentence"] == (
        "duty线路 11-23 10:30 至 11-23 14:30 缺值班员1人、接续人员1人。"
    )
    row = await pool.fetchrow("SELECT event, body FROM journal ORDER BY id OFFSET 1 LIMIT 1")
    assert row is not None
    assert row["event"] == "roster.changed"
    assert json.loads(row["body"])["before"]["operator"] == "1001"


async def test_a_call_out_needs_a_seat_an_exchange_and_a_line(visitor: ClientSession) -> None:
    asked = {"reason": "洪水", "targets": ["1002"]}
    await visitor.post("/api/session", json={})
    assert (await visitor.post("/api/callouts", json=asked)).status == 403
    await seated(visitor, OPERATOR)
    assert (await visitor.post("/api/callouts", json=asked)).status == 503
    wrong = await visitor.post("/api/callouts", json={**asked, "line": "none"})
    assert wrong.status == 422
    assert (await (await visitor.get("/api/callouts")).json()) == {"callouts": []}
