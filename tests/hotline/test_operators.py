"""Operators at a real exchange: the queues follow them through calls and every restart."""

import asyncio
import socket
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from deploy.asterisk.ports import free_port
from deploy.asterisk.process import Asterisk
from hotline.config import Operator, Seats
from hotline.database import Pool, transaction
from hotline.errors import ControlForbiddenError, ControlImpossibleError
from hotline.roster import Role, Shift
from hotline.roster_rows import enter, lines_with_roster, take_back
from hotline.services import utc_now
from telephony.connection import AmiConnection
from telephony.seating import seated
from tests.deploy.sip_calls import Caller, Sipp, Telephone
from tests.hotline.seats import config_of, exchange_at, opened, tool

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(120)]


@pytest.fixture
async def sipp(tmp_path: Path) -> AsyncIterator[Sipp]:
    runner = Sipp(tool("sipp"), tmp_path / "sipp")
    yield runner
    await runner.close()


@pytest.fixture
def port() -> int:
    return free_port(socket.SOCK_DGRAM)


@pytest.fixture
async def asterisk(tmp_path: Path, port: int) -> AsyncIterator[Asterisk]:
    async with Asterisk(exchange_at(tmp_path / "exchange", port), tool("asterisk")) as running:
        yield running


async def test_log_in_pause_and_log_out_reach_both_queues(asterisk: Asterisk, pool: Pool) -> None:
    async with opened(pool, config_of(asterisk)) as office:
        desk = office.desk
        shown = await desk.log_in("1001", "1001")
        assert shown.seated is not None
        assert shown.seated.lines == ("mayor", "duty")
        for queue in ("mayor", "duty"):
            assert (await office.members(queue))["1001"].pause is None
        await desk.pause("1001", "1001", "meal")
        assert (await office.members("duty"))["1001"].pause == "meal"
        await desk.ready("1001", "1001")
        assert (await office.members("mayor"))["1001"].pause is None
        await desk.log_out("1001", "1009")
        assert await office.members("mayor") == await office.members("duty") == {}
        assert await office.journal("operator.%") == [
            *("operator.logged_in", "operator.paused", "operator.ready", "operator.logged_out")
        ]
        with pytest.raises(ControlImpossibleError, match="is not logged in"):
            await desk.pause("1001", "1001", "meal")
        with pytest.raises(ControlForbiddenError, match="There is no operator 9999"):
            await desk.log_in("9999", "1001")


async def test_the_exchange_is_told_the_badge_of_who_has_logged_in(
    asterisk: Asterisk, pool: Pool
) -> None:
    folder = asterisk.exchange.badges_dir
    plain = config_of(asterisk)
    described = plain.exchanges[0].model_copy(update={"badges_dir": folder})
    people = (Operator(extension="1001", badge="8001"),)
    config = config_of(asterisk, exchanges=(described,), operators=people)
    async with opened(pool, config) as office:
        await office.desk.log_in("1001", "1001")
        assert [(file.name, file.read_text()) for file in folder.iterdir()] == [("1001", "8001")]
        await office.desk.log_out("1001", "1001")
        assert list(folder.iterdir()) == []


async def seated_alone(asterisk: Asterisk) -> set[str]:
    """Who sits at the mayor's line while nothing of the service is there."""
    exchange, secrets = asterisk.exchange, asterisk.secrets
    link = AmiConnection(
        "127.0.0.1", exchange.ami_port, "reader", secrets.reader, system=exchange.system
    )
    following = asyncio.create_task(link.run(lambda _: None))
    try:
        async with asyncio.timeout(30):
            while not link.state.connected:  # noqa: ASYNC110 - a turn of the loop
                await asyncio.sleep(0.02)
        return {one.operator for one in await seated(link) if one.queue == "mayor"}
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def test_state_is_kept_when_either_side_starts_again(asterisk: Asterisk, pool: Pool) -> None:
    config = config_of(asterisk)
    async with opened(pool, config) as office:
        await office.desk.log_in("1001", "1001", ("mayor",))
        await office.desk.log_in("1002", "1002")
        await office.desk.pause("1002", "1002", "training")
    await asterisk.stop()
    await asterisk.start()
    assert await seated_alone(asterisk) == {"1001", "1002"}  # the exchange by itself
    async with opened(pool, config) as office:

        async def both() -> bool:
            members = await office.members("mayor")
            return set(members) == {"1001", "1002"} and members["1002"].pause == "training"

        await office.until(both)
        assert set(await office.members("duty")) == {"1002"}
        # And once more, the exchange alone: the service is connected and puts it right.
        await asterisk.kill()
        await asterisk.start()

        async def again() -> bool:
            return office.running.connection.state.connected and await both()

        async with asyncio.timeout(60):
            while True:
                try:
                    await office.until(again)
                    break
                except Exception:  # noqa: BLE001, S110 - the connection is between two lives
                    pass
    assert await office.journal("operator.%") == [
        *("operator.logged_in", "operator.logged_in", "operator.paused")
    ]


async def test_the_service_enforces_the_wrap_up_after_a_call(
    asterisk: Asterisk, pool: Pool, sipp: Sipp, port: int
) -> None:
    async with opened(pool, config_of(asterisk)) as office:
        await office.desk.log_in("1001", "1001")
        await sipp.operator(Telephone(rings_seconds=0.3), port)
        caller = Caller(number="12345", talk_seconds=2.0)
        calling = asyncio.create_task(sipp.call(caller, asterisk.exchange.sip_port))

        async def talking() -> bool:
            return await office.state("1001") == "talking"

        await office.until(talking)
        with pytest.raises(ControlImpossibleError, match="is on a call: finish it first"):
            await office.desk.log_out("1001", "1001")

        async def wrapping() -> bool:
            member = (await office.members("mayor"))["1001"]
            return member.pause == "wrapup" and await office.state("1001") == "wrapup"

        await office.until(wrapping)
        assert (await office.members("duty"))["1001"].pause == "wrapup"

        async def free_again() -> bool:
            member = (await office.members("mayor"))["1001"]
            return member.pause is None and await office.state("1001") == "ready"

        await office.until(free_again)
        assert await calling == 0
        lasted = await pool.fetchval(
            """SELECT (SELECT at FROM journal WHERE event = 'operator.ready')
                    - (SELECT at FROM journal WHERE event = 'operator.wrapup')"""
        )
        assert lasted >= timedelta(seconds=1.5)


async def test_a_wrap_up_ends_although_the_service_was_killed_in_it(
    asterisk: Asterisk, pool: Pool, sipp: Sipp, port: int
) -> None:
    config = config_of(asterisk, seats=Seats(wrapup_seconds=3, sync_seconds=0.2))
    async with opened(pool, config) as office:
        await office.desk.log_in("1001", "1001")
        await sipp.operator(Telephone(rings_seconds=0.1), port)
        calling = asyncio.create_task(
            sipp.call(Caller(number="12345", talk_seconds=2.0), asterisk.exchange.sip_port)
        )

        async def wrapping() -> bool:
            return (await office.members("mayor"))["1001"].pause == "wrapup"

        await office.until(wrapping)
        await calling
    async with opened(pool, config) as office:

        async def free_again() -> bool:
            return (await office.members("mayor"))["1001"].pause is None

        await office.until(free_again)
        assert await office.state("1001") == "ready"


async def test_a_fixed_member_is_taken_in_as_he_sits_and_can_log_out(
    tmp_path: Path, port: int, pool: Pool
) -> None:
    exchange = exchange_at(tmp_path / "exchange", port, fixed=("1001",))
    async with (
        Asterisk(exchange, tool("asterisk")) as asterisk,
        opened(pool, config_of(asterisk)) as office,
    ):

        async def taken_in() -> bool:
            return await office.state("1001") == "ready"

        await office.until(taken_in)
        assert set(await office.members("mayor")) == {"1001"}
        assert await office.members("duty") == {}
        await office.desk.log_out("1001", "1001")
        assert await office.members("mayor") == {}
        await office.desk.log_in("1001", "1001")
        assert set(await office.members("mayor")) == {"1001"}


async def test_a_line_without_anybody_is_said_once_and_taken_back(
    asterisk: Asterisk, pool: Pool
) -> None:
    async with opened(pool, config_of(asterisk)) as office:

        async def said(gaps: int, restored: int) -> bool:
            told = await office.journal("coverage.%")
            return (told.count("coverage.gap"), told.count("coverage.restored")) == (gaps, restored)

        await office.until(lambda: said(2, 0))
        await office.desk.log_in("1001", "1001")
        await office.until(lambda: said(2, 2))
        await office.desk.pause("1001", "1001", "meal")
        await office.until(lambda: said(4, 2))
        open_now = await pool.fetch(
            "SELECT line FROM coverage_gaps WHERE restored_at IS NULL ORDER BY line"
        )
        assert [row["line"] for row in open_now] == ["duty", "mayor"]


async def test_the_duty_queue_follows_the_roster(asterisk: Asterisk, pool: Pool) -> None:
    now = utc_now()
    parts = [
        (Role.OFFICER, "2001"),
        (Role.OFFICER, "2002"),
        (Role.LEADER, "2003"),
        (Role.NEXT, "2004"),
    ]
    async with opened(pool, config_of(asterisk)) as office:
        await office.desk.log_in("1001", "1001")
        numbers = []
        async with transaction(pool) as tx:
            for role, operator in parts:
                shift = Shift(
                    line="duty",
                    role=role,
                    operator=operator,
                    starts_at=now - timedelta(hours=1),
                    ends_at=now + timedelta(hours=24),
                )
                numbers.append(await enter(tx, shift, "1009", now))
                assert await enter(tx, shift, "1009", now) is None

        async def rung(plan: dict[str, int]) -> bool:
            members = await office.members("duty")
            return {one: members[one].penalty for one in members} == plan

        await office.until(lambda: rung({"2001": 0, "2002": 0, "2003": 10, "2004": 20}))
        assert set(await office.members("mayor")) == {"1001"}
        assert "roster" not in [
            row["kind"] for row in await pool.fetch("SELECT kind FROM coverage_gaps")
        ]
        assert numbers[1] is not None
        async with transaction(pool) as tx:
            assert await take_back(tx, numbers[1], "1009", now) is not None
            assert await take_back(tx, numbers[1], "1009", now) is None
        await office.until(lambda: rung({"2001": 0, "2003": 10, "2004": 20}))
        coming = """SELECT body->'missing'->>'officer' FROM journal
                     WHERE event = 'coverage.gap' AND body->>'kind' = 'roster'"""

        async def warned() -> bool:
            return bool(await pool.fetchval(coming) == "1")

        await office.until(warned)
        async with transaction(pool) as tx:
            assert await lines_with_roster(tx) == ["duty"]
