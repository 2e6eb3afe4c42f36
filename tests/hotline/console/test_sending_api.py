"""A unit's address and a notice card by text message to a caller, with the log of the version."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from hotline import city_rows
from hotline.console.keyed import KEY
from hotline.database import Pool, transaction
from hotline.notices import NoticeDesk
from hotline.services import Services
from routing.directory import read_city
from telephony.calls import Leg
from tests.hotline.console.conftest import NOW, Clock, configured, opened, services_on
from tests.hotline.console.filled import Said, Town
from tests.hotline.console.test_cases_api import ask
from tests.hotline.test_notices import settled, until, working
from tests.routing.destinations.receivers import Program, program

SAID = (Said(leg=Leg.CALLER, start=5.0, text="请问临时用水到哪里办"),)
NUMBER = "13890115678"


@pytest.fixture
async def receiver() -> AsyncIterator[Program]:
    async with program() as told:
        yield told


@pytest.fixture
def services(
    tmp_path: Path, pool: Pool, database: str, clock: Clock, receiver: Program
) -> Services:
    sms = {
        "kind": "sms",
        "name": "sms",
        "url": receiver.url,
        "body": '{"mobile": "{to}", "content": "{text}"}',
    }
    return services_on(configured(tmp_path, destinations=[sms]), pool, database, clock)


async def a_call(town: Town, **more: Any) -> int:
    return await town.is_talked(NOW - timedelta(minutes=9), SAID, **more)


@pytest.fixture(autouse=True)
async def loaded(services: Services) -> None:
    async with transaction(services.pool) as tx:
        await city_rows.load(tx, read_city(services.config.city_dir), by="admin", at=NOW)
    await services.city_desk.refresh()


@pytest.fixture
def desk(services: Services, clock: Clock) -> NoticeDesk:
    return NoticeDesk(config=services.config, pool=services.pool, feed=services.feed, clock=clock)


async def test_a_units_address_and_a_card_reach_the_callers_telephone(
    town: Town, visitor: ClientSession, receiver: Program, database: str, desk: NoticeDesk
) -> None:
    call_id = await a_call(town, number=NUMBER)
    status, found = await ask(visitor, "POST", f"/api/calls/{call_id}/send-unit", {"unit": "water"})
    assert status == 200, found
    _, card = await ask(visitor, "GET", "/api/cards/1")
    given = {"card": 1, "version": card["version"]}
    status, found = await ask(visitor, "POST", f"/api/calls/{call_id}/send-card", given)
    assert status == 200, found
    async with working(database, desk):
        await until(town.services.pool, lambda rows: len(rows) == 2 and settled(rows))
    heard = [json.loads(one.body) for one in receiver.heard]
    first, second = sorted(heard, key=lambda it: "所需材料" in it["content"])
    assert first["mobile"] == second["mobile"] == NUMBER
    _, unit = await ask(visitor, "GET", "/api/units/water")
    for fact in ("name", "address", "route", "hours", "phone"):
        assert unit[fact] in first["content"]
    for block in (*card["materials"], *card["procedure"], card["limit"], card["transport"]):
        assert block in second["content"]
    _, found = await ask(visitor, "GET", f"/api/calls/{call_id}/sent")
    assert [(it["event"], it["card"], it["version"], it["state"]) for it in found["sent"]] == [
        ("unit.sent", None, 1, "sent"),
        ("card.sent", 1, card["version"], "sent"),
    ]
    assert found["sent"][1]["message"] == second["content"]
    # Nowhere but at the gateway does the number stand in full.
    kept = await town.services.pool.fetch("SELECT to_jsonb(n)::text AS row FROM notices n")
    told = await town.services.pool.fetch("SELECT body AS row FROM journal")
    assert NUMBER not in "".join(row["row"] for row in (*kept, *told))


async def test_a_message_that_is_refused_lies_with_the_undeliverable(
    town: Town, visitor: ClientSession, receiver: Program, database: str, desk: NoticeDesk
) -> None:
    call_id, receiver.status = await a_call(town, number=NUMBER), 400
    await ask(visitor, "POST", f"/api/calls/{call_id}/send-unit", {"unit": "water"})
    async with working(database, desk):
        await until(town.services.pool, settled)
    _, found = await ask(visitor, "GET", f"/api/calls/{call_id}/sent")
    assert found["sent"][0]["state"] == "dead"
    assert "400" in found["sent"][0]["reason"]
    _, notices = await ask(visitor, "GET", "/api/notices?state=dead")
    assert [it["holder"] for it in notices["notices"]] == ["caller"]


async def test_one_request_sends_one_message(
    services: Services, town: Town, visitor: ClientSession
) -> None:
    call_id = await a_call(town, number=NUMBER)
    for _ in range(2):
        async with visitor.post(
            f"/api/calls/{call_id}/send-unit", json={"unit": "water"}, headers={KEY: "once"}
        ) as answer:
            assert answer.status == 200
    assert await services.pool.fetchval("SELECT count(*) FROM notices") == 1


async def test_what_cannot_be_sent_is_told_in_one_sentence(
    town: Town, visitor: ClientSession
) -> None:
    landline = await a_call(town, number="08162223344")
    path = f"/api/calls/{landline}/send-unit"
    status, problem = await ask(visitor, "POST", path, {"unit": "water"})
    assert (status, problem["type"]) == (409, "not_possible")
    assert "mobile" in problem["detail"]
    assert (await ask(visitor, "POST", path, {"unit": "nobody"}))[0] == 422
    unknown = {"card": 99, "version": 1}
    assert (await ask(visitor, "POST", f"/api/calls/{landline}/send-card", unknown))[0] == 404
    assert (await ask(visitor, "GET", "/api/calls/999/sent"))[0] == 404


async def test_without_a_gateway_nothing_is_sent_and_nothing_kept(
    tmp_path: Path, pool: Pool, database: str, clock: Clock
) -> None:
    without = services_on(configured(tmp_path), pool, database, clock)
    site = await opened(without)
    call_id = await a_call(Town(without), number=NUMBER)
    status, problem = await ask(
        site.visitor(), "POST", f"/api/calls/{call_id}/send-unit", {"unit": "water"}
    )
    assert (status, "SMS gateway" in problem["detail"]) == (409, True)
    assert await pool.fetchval("SELECT count(*) FROM notices") == 0
    without.feed.close()
    await site.close()
