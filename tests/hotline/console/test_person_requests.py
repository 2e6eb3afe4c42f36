"""People ask to see, correct and delete what is kept of them; no name or number lies in clear."""

import json
import logging
from typing import Any

import pytest
from aiohttp import ClientSession

from hotline.audit import verify
from hotline.database import borrowed
from hotline.services import Services
from routing.cases import Move
from tests.hotline.console import twins
from tests.hotline.console.conftest import NOW, Site
from tests.hotline.console.filled import Town
from tests.hotline.console.staff import Staff, hire
from tests.hotline.console.twins import CONFIRMED, SAID, post

NUMBER, NAME = "13977776666", "欧阳小明"
PLANTED = (NUMBER, NAME, "赵四海", "钱五湖", "13866665555", "lamp@example.org", "孙六合")


@pytest.fixture
async def staff(site: Site, services: Services) -> Staff:
    for login, roles in twins.PEOPLE.items():
        await hire(services, login, *roles, extension="1002" if login == "operator" else None)
    return Staff(services=services, site=site)


async def entered(visitor: ClientSession, kind: str, **by: Any) -> str:
    asked = {"kind": kind, "applicant": "孙六合", "verified": "回拨本人号码核对", **by}
    found = await post(visitor, "/api/person-requests", asked)
    assert found["due_at"].startswith("2026-12-14")  # 15 working days after 23 November
    assert found["applicant"] == "孙**"
    return f"/api/person-requests/{found['id']}"


async def test_a_person_is_given_the_own_data_and_may_have_it_corrected_and_deleted(
    staff: Staff, town: Town, services: Services, pool: Any
) -> None:
    call_id = await town.is_talked(NOW, SAID, number=NUMBER, name=NAME)
    report = await town.is_talked(NOW, twins.REPORT, number="13900009999", operator="1002")
    desk, chief = await staff.visitor("desk"), await staff.visitor("super")
    path = await entered(desk, "see", number=NUMBER)
    given = await post(chief, f"{path}/give", {})
    assert (given["number"], given["name"]) == (NUMBER, NAME)
    assert [it["id"] for it in given["calls"]] == [call_id]
    assert "路灯" in given["calls"][0]["words"]
    assert len(given["cases"]) == 1
    # What somebody wrote is his as well.
    letter = {"channel": "mail", "brought_by": {"number": NUMBER}}
    written = await post(desk, "/api/cases", letter)
    path = await entered(desk, "see", number=NUMBER)
    given = await post(chief, f"{path}/give", {})
    assert [it["id"] for it in given["cases"]][1:] == [written["id"]]
    # Nothing known is an answer as well; a request is settled once.
    nobody = await entered(desk, "see", number="13300000000")
    assert (await post(chief, f"{nobody}/give", {}))["calls"] == []
    async with chief.post(f"{path}/refuse", json={"legal_reason": "第四十五条"}) as answer:
        assert answer.status == 409
    path = await entered(desk, "correct", call_id=call_id)
    await post(chief, f"{path}/correct", {"name": "欧阳晓明"})
    assert await pool.fetchval("SELECT name FROM identities WHERE name IS NOT NULL") == "欧阳晓明"
    path = await entered(desk, "delete", call_id=call_id)
    async with chief.post(f"{path}/delete", json={}) as answer:
        assert answer.status == 409  # the case is open
    await town.moves(call_id, Move.ANSWER_DIRECTLY, NOW, **CONFIRMED, reply="已修好")
    async with chief.post(f"{path}/delete", json={}) as answer:
        assert answer.status == 409  # what was written is open
    await post(desk, f"/api/cases/{written['id']}/withdraw", {"reason": "来信人撤回"})
    assert (await post(chief, f"{path}/delete", {}))["outcome"] == "deleted"
    assert not list(services.config.store_dir.rglob(f"{call_id:08d}/*.wav"))
    assert await pool.fetchval("SELECT count(*) FROM identities WHERE number IS NULL") == 1
    events = "SELECT event, body::text FROM journal WHERE event LIKE 'person.%' ORDER BY id"
    rows = await pool.fetch(events)
    assert [row["event"] for row in rows].count("person.asked") == 5
    assert {"person.given", "person.corrected", "person.deleted"} <= {it["event"] for it in rows}
    corrected = next(json.loads(it[1]) for it in rows if it["event"] == "person.corrected")
    assert len(corrected["old"]) == 64
    assert not [it for it in rows if NAME in it[1] or NUMBER in it[1]]
    # Of a protected report nobody but discipline can give, delete or even tell that it is there.
    operator = await staff.visitor("operator")
    case_id = await town.case_of(report)
    await post(
        operator, f"/api/cases/{case_id}/protect", {"others": ["某局长"], "reason": "举报局长"}
    )
    path = await entered(desk, "delete", number="13900009999")
    assert (await post(chief, f"{path}/delete", {}))["outcome"] == "deleted"
    assert len(list(services.config.store_dir.rglob(f"{report:08d}/*.wav"))) == 2
    assert await pool.fetchval("SELECT count(*) FROM identities WHERE number IS NULL") == 1
    clean = await staff.visitor("clean")
    path = await entered(clean, "see", number="13900009999")
    assert [it["id"] for it in (await post(clean, f"{path}/give", {}))["calls"]] == [report]
    async with borrowed(pool) as conn:
        assert (await verify(conn)).fault is None


async def test_no_name_and_no_number_lies_in_clear_in_any_table_metric_or_log(
    staff: Staff, town: Town, pool: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    call_id = await town.is_talked(NOW, SAID, number=NUMBER, name=NAME)
    case_id = await town.case_of(call_id)
    desk, duty = await staff.visitor("desk"), await staff.visitor("duty")
    await entered(desk, "see", number=NUMBER)
    for channel, address in (("sms", "13866665555"), ("mail", "lamp@example.org")):
        book = {"holder": "dispatcher", "channel": channel, "address": address}
        await post(desk, "/api/notice-addresses", book)
    reason = f"来电 {NUMBER} 反映"
    await post(desk, "/api/blocks", {"call_id": call_id, "reason": reason, "hours": 2})
    await post(desk, f"/api/calls/{call_id}/reveal", {"reason": reason})
    await post(desk, f"/api/cases/{case_id}/recuse", {"persons": ["super"], "reason": reason})
    named = {"others": ["赵四海 副局长", "钱五湖"], "reason": "举报副局长"}
    await post(desk, f"/api/cases/{case_id}/protect", named)
    async with duty.get("/metrics") as answer:
        page = await answer.text()
    tables = await pool.fetch(
        "SELECT relname FROM pg_class WHERE relkind = 'r'"
        " AND relnamespace = current_schema()::regnamespace"
    )
    kept = [page, *(record.getMessage() for record in caplog.records)]
    for (name,) in tables:
        kept += [row[0] for row in await pool.fetch(f"SELECT to_jsonb(t)::text FROM {name} t")]  # noqa: S608
    assert len(tables) > 60
    assert len(kept) > 100
    for planted in PLANTED:
        assert not [it[:300] for it in kept if planted in it], planted
    # They are all there, sealed: whoever has the keys reads them.
    assert await pool.fetchval("SELECT said FROM accused_others ORDER BY id") == "赵四海 副局长"
    assert await pool.fetchval("SELECT address FROM notice_addresses ORDER BY id") == "13866665555"
