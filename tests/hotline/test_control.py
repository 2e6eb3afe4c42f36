"""Call control through the API of the running service, with real softphones on a real exchange."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, LiteralString

import pytest
from aiohttp import ClientSession, CookieJar

from deploy import portable
from deploy.errors import ToolMissing
from hotline.console.control_api import Legs
from hotline.database import connected
from hotline.demo.service import Service
from hotline.demo.settings import free_tcp_port, service_toml
from tests.phones.stage import (
    CITIZEN,
    CITIZEN_HZ,
    COLLEAGUE,
    COLLEAGUE_HZ,
    OPERATOR,
    OPERATOR_HZ,
    POLICE_HZ,
    SUPERVISOR,
    SUPERVISOR_HZ,
    Stage,
    staged,
)

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(240)]
UNIT_NAME, UNIT_PHONE = "市住房和城乡建设委员会", "08160000101"
CONTROL = (
    'control = { supervisors = ["1009"], '
    'outside = ["1XXXXXXXXXX", "2XXXXXX", "0816XXXXXXX"] }\nreconcile_every_seconds = 1.0'
)
ROWS: LiteralString = """
    SELECT actor, event, call_id, case_id, body FROM journal
     WHERE event LIKE 'control.%' ORDER BY id"""
OPEN: LiteralString = "SELECT id FROM calls WHERE answered_at IS NOT NULL AND ended_at IS NULL"
OUTGOING: LiteralString = "SELECT max(id) FROM calls WHERE direction = 'outgoing'"
SECOND: LiteralString = "SELECT id FROM calls WHERE id = 2"
RINGING: LiteralString = "SELECT id FROM calls WHERE ringing_at IS NOT NULL AND ended_at IS NULL"


@dataclass(slots=True, kw_only=True)
class Hall:
    """The stage with the service beside it, and one signed-in browser a seat."""

    stage: Stage
    dsn: str
    url: str
    stack: AsyncExitStack
    service: Service
    seats: dict[str, ClientSession] = field(default_factory=dict)

    async def at(self, seat: str | None) -> ClientSession:
        key = seat or ""
        if key not in self.seats:
            jar = CookieJar(unsafe=True)
            session = await self.stack.enter_async_context(ClientSession(self.url, cookie_jar=jar))
            async with session.post("/api/session", json={"seat": seat}) as answer:
                assert answer.status == 200, await answer.text()
            self.seats[key] = session
        return self.seats[key]

    async def takes_orders(self) -> None:
        """Wait until the service follows the exchange and may give it orders."""
        session = await self.at(OPERATOR)
        async with asyncio.timeout(30):
            while True:
                async with session.get("/healthz") as answer:
                    checks = (await answer.json())["checks"]
                works = {check["name"]: check["works"] for check in checks}
                if works["exchange mianyang-1"] and works["orders mianyang-1"]:
                    return
                await asyncio.sleep(0.1)

    async def order(
        self, seat: str | None, path: str, *, status: int = 200, **body: object
    ) -> dict[str, Any]:
        session = await self.at(seat)
        async with session.post(f"/api/control/{path}", json=body) as answer:
            told = json.loads(await answer.text())
            assert answer.status == status, told
            return dict(told)

    async def one(self, query: LiteralString) -> int:
        """The id that a query finds, once it finds one."""
        async with connected(self.dsn) as conn:
            while True:
                found = await conn.fetchval(query)
                if found is not None:
                    return int(found)

    async def call(self, number: int) -> dict[str, Any]:
        session = await self.at(OPERATOR)
        async with session.get(f"/api/calls/{number}") as answer:
            assert answer.status == 200, await answer.text()
            return dict(await answer.json())

    async def rows(self) -> list[dict[str, Any]]:
        async with connected(self.dsn) as conn:
            found = await conn.fetch(ROWS)
        return [{**dict(row), "body": json.loads(row["body"])} for row in found]


@pytest.fixture
async def hall(tmp_path: Path, database: str) -> AsyncIterator[Hall]:
    async with opened(tmp_path, database) as ready:
        yield ready


@asynccontextmanager
async def opened(tmp_path: Path, database: str, *, extra: str = "") -> AsyncIterator[Hall]:
    """The stage and the service beside it, with more in its configuration."""
    try:
        tool = portable.ensure("asterisk")
    except ToolMissing as missing:
        pytest.skip(str(missing))
    async with AsyncExitStack() as stack:
        stage = await stack.enter_async_context(staged(tmp_path, tool))
        port = free_tcp_port()
        toml = tmp_path / "hotline.toml"
        exchange, secrets = stage.asterisk.exchange, stage.asterisk.secrets
        told = service_toml(
            exchange,
            secrets,
            data_dir=tmp_path / "data",
            http_port=port,
            dsn=database,
            extra=f"{CONTROL}\n{extra}",
        )
        toml.write_text(told, encoding="utf-8")
        url = f"http://127.0.0.1:{port}"
        service = Service(config=toml, url=url, log=tmp_path / "service.log")
        await stack.enter_async_context(service)
        hall = Hall(stage=stage, dsn=database, url=url, stack=stack, service=service)
        await hall.takes_orders()
        yield hall


async def test_an_operator_works_a_call_from_the_console(hall: Hall) -> None:
    stage = hall.stage
    _, at_home, at_desk = await stage.answered_call()
    call = await hall.one(OPEN)
    here = f"calls/{call}"
    await hall.order(OPERATOR, f"{here}/hold")
    await stage.operator.hears(at_desk, no=[CITIZEN_HZ])
    refused = await hall.order(OPERATOR, f"{here}/hold", status=409)
    assert refused["type"] == "not_possible"
    await hall.order(OPERATOR, f"{here}/unhold")
    await stage.operator.hears(at_desk, yes=[CITIZEN_HZ])

    refused = await hall.order(COLLEAGUE, f"{here}/hold", status=403)
    assert refused["type"] == "forbidden"
    await hall.order(None, f"{here}/hang-up", status=403)
    await hall.order(COLLEAGUE, f"{here}/attend", status=403, ear="listen")
    await hall.order(OPERATOR, f"{here}/transfer", status=409, target="0081312345678")
    await hall.order(OPERATOR, "calls/999/hold", status=404)

    await hall.order(SUPERVISOR, f"{here}/attend", ear="whisper")
    attending = await stage.supervisor.answer()
    await stage.operator.hears(at_desk, yes=[SUPERVISOR_HZ, CITIZEN_HZ])
    await stage.citizen.hears(at_home, yes=[OPERATOR_HZ], no=[SUPERVISOR_HZ])
    await stage.supervisor.order("hang_up", call=attending)
    await stage.supervisor.until("gone", call=attending)

    await hall.order(OPERATOR, f"{here}/leave", status=409)
    await hall.order(OPERATOR, f"{here}/invite", target="110")
    police = await stage.outside.until("ringing", called="110")
    await hall.order(OPERATOR, f"{here}/leave", status=409)
    await stage.outside.order("answer", call=police["call"])
    await stage.citizen.hears(at_home, yes=[OPERATOR_HZ, POLICE_HZ])
    async with (await hall.at(OPERATOR)).get(f"/api/control/{here}") as answer:
        legs = Legs.model_validate_json(await answer.text())
    assert [leg.seat for leg in legs.legs if leg.caller] == [""]
    assert OPERATOR in {leg.seat for leg in legs.legs if leg.speaking}
    await hall.order(OPERATOR, f"{here}/leave")
    await stage.operator.until("gone", call=at_desk)
    await stage.citizen.hears(at_home, yes=[POLICE_HZ], no=[OPERATOR_HZ])
    await hall.order(SUPERVISOR, f"{here}/hang-up")
    await stage.citizen.until("gone", call=at_home)
    await stage.outside.until("gone", call=police["call"])

    rows = await hall.rows()
    assert [(row["actor"], row["event"]) for row in rows] == [
        (OPERATOR, "control.hold"),
        (OPERATOR, "control.unhold"),
        (SUPERVISOR, "control.whisper"),
        (OPERATOR, "control.invite"),
        (OPERATOR, "control.leave"),
        (SUPERVISOR, "control.hang_up"),
    ]
    assert {row["call_id"] for row in rows} == {call}
    assert CITIZEN not in json.dumps(rows, default=str)


async def test_calls_change_hands_and_are_picked_up(hall: Hall) -> None:
    stage = hall.stage
    at_home = await stage.citizen.dial("12345")
    first = await stage.operator.until("ringing")
    here = f"calls/{await hall.one(RINGING)}"
    await hall.order(OPERATOR, f"{here}/pick-up", status=409)
    await hall.order(COLLEAGUE, f"{here}/pick-up")
    taken = await stage.colleague.answer()
    await stage.operator.until("gone", call=first["call"])
    await stage.citizen.hears(at_home, yes=[COLLEAGUE_HZ])

    await hall.order(COLLEAGUE, f"{here}/consult", target=OPERATOR)
    asked = await stage.operator.answer()
    await stage.operator.hears(asked, yes=[COLLEAGUE_HZ], no=[CITIZEN_HZ])
    await hall.order(COLLEAGUE, f"{here}/complete")
    await stage.colleague.until("gone", call=taken)
    await stage.operator.hears(asked, yes=[CITIZEN_HZ], no=[COLLEAGUE_HZ])

    await hall.order(OPERATOR, f"{here}/transfer", target=COLLEAGUE)
    again = await stage.colleague.answer()
    await stage.operator.until("gone", call=asked)
    await stage.colleague.hears(again, yes=[CITIZEN_HZ])
    await hall.order(COLLEAGUE, f"{here}/hang-up")
    await stage.citizen.until("gone", call=at_home)
    assert [row["event"] for row in await hall.rows()] == [
        "control.pick_up",
        "control.consult",
        "control.complete",
        "control.transfer",
        "control.hang_up",
    ]


async def test_a_unit_speaks_with_the_citizen_of_a_case_and_never_sees_the_number(
    hall: Hall,
) -> None:
    stage = hall.stage
    _, at_home, at_desk = await stage.answered_call()
    case = await hall.one("SELECT id FROM cases")
    await stage.citizen.order("hang_up", call=at_home)
    await stage.operator.until("gone", call=at_desk)
    await hall.order(OPERATOR, f"cases/{case}/call-back", unit=UNIT_NAME)
    unit = await stage.outside.until("ringing", called=UNIT_PHONE)
    await stage.outside.order("answer", call=unit["call"])
    citizen = await stage.outside.until("ringing", called=CITIZEN)
    await stage.outside.order("answer", call=citizen["call"])
    await stage.outside.until("up", call=citizen["call"])
    await stage.outside.hears(unit["call"], yes=[CITIZEN_HZ])
    await stage.outside.order("hang_up", call=citizen["call"])
    await stage.outside.until("gone", call=unit["call"])
    outgoing = await hall.call(await hall.one(OUTGOING))
    assert (outgoing["callee"], outgoing["outcome"]) == ("138****1111", "answered")
    assert (outgoing["operator"], outgoing["caller"]) == (OPERATOR, "")
    assert (outgoing["about"]["call_id"], outgoing["about"]["case"]["id"]) == (1, case)
    seen = stage.outside.messages(unit["sip_id"])
    assert len(seen) >= 4
    assert not [text for text in seen if CITIZEN in text]
    assert not [text for text in stage.outside.messages(citizen["sip_id"]) if UNIT_PHONE in text]
    (row,) = await hall.rows()
    assert (row["actor"], row["event"], row["case_id"]) == (OPERATOR, "control.call_back", case)
    assert CITIZEN not in json.dumps(row, default=str)

    # Who wrote a letter is reached the same way.
    session = await hall.at(OPERATOR)
    letter = {"channel": "mail", "brought_by": {"number": CITIZEN}}
    async with session.post("/api/cases", json=letter) as answer:
        by_letter = (await answer.json())["id"]
    await hall.order(OPERATOR, f"cases/{by_letter}/call-back", unit=UNIT_NAME)
    unit = await stage.outside.until("ringing", called=UNIT_PHONE)
    await stage.outside.order("answer", call=unit["call"])
    citizen = await stage.outside.until("ringing", called=CITIZEN)
    await stage.outside.order("hang_up", call=unit["call"])
    await stage.outside.until("gone", call=citizen["call"])
    assert not [text for text in stage.outside.messages(unit["sip_id"]) if CITIZEN in text]

    await hall.order(OPERATOR, f"cases/{case}/call-back", unit="没有这个单位", status=409)
    await hall.order(OPERATOR, "cases/999/call-back", unit=UNIT_NAME, status=404)
    await hall.order(OPERATOR, "dial", number="00441234567890", status=409)
    await hall.order(OPERATOR, "dial", number="2233445")
    desk = await stage.operator.answer()
    outside = await stage.outside.until("ringing", called="2233445")
    assert "sip:12345@" in outside["caller"]
    await stage.operator.order("hang_up", call=desk)
    await stage.outside.until("gone", call=outside["call"])


async def test_a_call_from_here_is_kept_once_though_the_service_dies_in_it(hall: Hall) -> None:
    """Who is dialled speaks on and hangs up while nobody listens; the files tell of it."""
    stage = hall.stage
    await hall.order(OPERATOR, "dial", number=CITIZEN)
    desk = await stage.operator.answer()
    there = await stage.outside.answer()
    await hall.service.kill()
    await stage.outside.hears(there, yes=[OPERATOR_HZ])
    await stage.outside.order("hang_up", call=there)
    await stage.operator.until("gone", call=desk)
    await stage.empty()
    await hall.service.start()
    await hall.takes_orders()
    first = await hall.call(await hall.one(OUTGOING))
    assert (first["id"], first["callee"], first["outcome"]) == (1, "138****1111", "answered")
    assert (first["operator"], first["hangup_by"], first["recovered"]) == (OPERATOR, "callee", True)
    assert first["about"]["call_id"] is None  # it was about no earlier call

    await hall.order(OPERATOR, "dial", number=CITIZEN)
    await stage.operator.answer()
    ringing = await stage.outside.until("ringing")
    await stage.outside.order("refuse", call=ringing["call"])
    second = await hall.call(await hall.one(SECOND))
    assert (second["outcome"], second["recovered"], second["wait_seconds"]) == ("busy", False, None)
    assert await hall.one("SELECT count(*) FROM calls") == 2
