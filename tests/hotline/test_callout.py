"""Call-outs on a real exchange: one after the other, by key, through a kill of the service."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from deploy.asterisk.ports import free_port
from deploy.asterisk.process import Asterisk
from hotline.callout import CalloutDesk
from hotline.callout_rows import StepState
from hotline.casework import SHIPPED_REPORTING
from hotline.config import Config, Seats
from hotline.database import Pool, transaction
from hotline.duty import DutyDesk
from hotline.duty_incidents import By, Raised
from hotline.errors import ControlImpossibleError
from hotline.roster import Role, Shift
from hotline.roster_rows import enter
from hotline.services import utc_now
from routing.duty_policy import read_reporting_policy
from tests.deploy.sip_calls import Sipp, Telephone
from tests.deploy.sip_keys import presses_one
from tests.hotline.seats import Office, config_of, exchange_at, opened, tool

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(150)]


@pytest.fixture
async def sipp(tmp_path: Path) -> AsyncIterator[Sipp]:
    runner = Sipp(tool("sipp"), tmp_path / "sipp")
    yield runner
    await runner.close()


PEOPLE = ("2001", "2002", "2003")


@pytest.fixture
def places() -> dict[str, int]:
    found: dict[str, int] = {}
    while len(set(found.values())) < len(PEOPLE):
        found = {seat: free_port(socket.SOCK_DGRAM) for seat in PEOPLE}
    return found


@pytest.fixture
async def asterisk(tmp_path: Path, places: dict[str, int]) -> AsyncIterator[Asterisk]:
    exchange = exchange_at(tmp_path / "exchange", 9, elsewhere=places)
    async with Asterisk(exchange, tool("asterisk")) as running:
        yield running


def configured(asterisk: Asterisk) -> Config:
    return config_of(asterisk, seats=Seats(sync_seconds=60, callout_ring_seconds=5))


@asynccontextmanager
async def calling_out(office: Office) -> AsyncIterator[CalloutDesk]:
    desk = CalloutDesk(
        config=office.config,
        pool=office.pool,
        exchanges={office.running.system: office.running},
        clock=utc_now,
    )
    task = asyncio.create_task(desk.run())
    try:
        yield desk
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def ended(office: Office, state: str) -> None:
    async def is_so() -> bool:
        return bool(await office.pool.fetchval("SELECT state FROM callouts") == state)

    async with asyncio.timeout(60):
        while not await is_so():  # noqa: ASYNC110 - each look is a round trip
            await asyncio.sleep(0.05)


async def steps(pool: Pool) -> list[str]:
    rows = await pool.fetch("SELECT state FROM callout_steps ORDER BY callout_id, position")
    return [row["state"] for row in rows]


async def test_people_are_rung_one_after_another_until_one_presses_the_key(
    asterisk: Asterisk, pool: Pool, sipp: Sipp, places: dict[str, int]
) -> None:
    await sipp.operator(Telephone(answers=False), places["2001"])
    await sipp.listen(presses_one(1.5), places["2002"])
    async with opened(pool, configured(asterisk)) as office, calling_out(office) as desk:
        with pytest.raises(ControlImpossibleError, match="Nobody is on duty for duty now"):
            await desk.start("1001", "duty", "洪水", case_id=None, targets=())
        with pytest.raises(ControlImpossibleError, match=r"138\*\*\*\*1111 is not among"):
            await desk.start("1001", "duty", "洪水", case_id=None, targets=("13800001111",))
        await desk.start("1001", "duty", "洪水", case_id=None, targets=PEOPLE)
        await ended(office, "acknowledged")
        assert await steps(pool) == ["unanswered", "acknowledged", "waiting"]
        assert await office.journal("callout.%") == [
            *("callout.started", "callout.ringing", "callout.ringing", "callout.acknowledged")
        ]
        first, second = await pool.fetch(
            "SELECT rung_at, ended_at FROM callout_steps WHERE state <> 'waiting' ORDER BY position"
        )
        assert first["ended_at"] <= second["rung_at"]


async def test_a_list_that_is_through_is_exhausted_and_said(
    asterisk: Asterisk, pool: Pool, sipp: Sipp, places: dict[str, int]
) -> None:
    await sipp.operator(Telephone(answers=False), places["2001"])
    async with opened(pool, configured(asterisk)) as office, calling_out(office) as desk:
        await desk.start("1001", "duty", "洪水", case_id=None, targets=("2001",))
        await ended(office, "exhausted")
        assert await steps(pool) == [StepState.UNANSWERED]
        assert (await office.journal("callout.%"))[-1] == "callout.exhausted"


async def test_a_key_pressed_while_the_service_was_dead_counts_and_nobody_is_rung_twice(
    asterisk: Asterisk, pool: Pool, sipp: Sipp, places: dict[str, int]
) -> None:
    await sipp.listen(presses_one(3.0), places["2001"])
    config = configured(asterisk)
    async with opened(pool, config) as office, calling_out(office) as desk:
        await desk.start("1001", "duty", "洪水", case_id=None, targets=PEOPLE)

        async def rings() -> bool:
            return "callout-" in asterisk.exchange.cel_file.read_text()

        await office.until(rings)
    # Nobody of ours is there now; the person presses the key.
    async with asyncio.timeout(30):
        while "CALLOUT_ACK" not in asterisk.exchange.cel_file.read_text():  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    async with opened(pool, config) as office, calling_out(office):
        await ended(office, "acknowledged")
        assert await steps(pool) == ["acknowledged", "waiting", "waiting"]
    rung = [
        line
        for line in asterisk.exchange.cel_file.read_text().splitlines()
        if line.startswith('"CHAN_START"') and "callout-" in line
    ]
    assert len(rung) == 1


async def test_a_step_committed_by_a_process_that_died_before_it_rang_is_rung_once(
    asterisk: Asterisk, pool: Pool, sipp: Sipp, places: dict[str, int]
) -> None:
    await sipp.listen(presses_one(1.0), places["2001"])
    await pool.execute(
        """INSERT INTO callouts (system, line, reason, asked_by, started_at)
           VALUES ('mianyang-1', 'duty', '洪水', '1001', now())"""
    )
    await pool.execute(
        """INSERT INTO callout_steps (callout_id, position, target, channel, state, rung_at)
           SELECT id, 1, '2001', 'callout-1-1-abcdef', 'ringing', now() FROM callouts"""
    )
    async with opened(pool, configured(asterisk)) as office, calling_out(office):
        await ended(office, "acknowledged")
    assert asterisk.exchange.cel_file.read_text().count('"CHAN_START"') == 1


async def test_two_call_outs_never_ring_one_person_at_the_same_time(
    asterisk: Asterisk, pool: Pool, sipp: Sipp, places: dict[str, int]
) -> None:
    await sipp.listen(Telephone(answers=False).steps(), places["2001"], calls=2)
    async with opened(pool, configured(asterisk)) as office, calling_out(office) as desk:
        for reason in ("洪水", "山火"):
            await desk.start("1001", "duty", reason, case_id=None, targets=("2001",))

        async def over() -> bool:
            left = await pool.fetchval("SELECT count(*) FROM callouts WHERE state = 'running'")
            return bool(left == 0)

        await office.until(over)
        first, second = await pool.fetch(
            "SELECT rung_at, ended_at FROM callout_steps ORDER BY rung_at"
        )
        assert first["ended_at"] <= second["rung_at"]


async def test_an_alarm_rings_those_on_duty_until_one_presses_the_key_and_is_acknowledged(
    asterisk: Asterisk, pool: Pool, sipp: Sipp, places: dict[str, int]
) -> None:
    """The drill: from the agent's key to an acknowledgement, over a leader who does not answer."""
    await sipp.operator(Telephone(answers=False), places["2001"])
    await sipp.listen(presses_one(1.5), places["2002"])
    async with opened(pool, configured(asterisk)) as office, calling_out(office) as desk:
        duty = DutyDesk(
            config=office.config,
            pool=pool,
            callouts=desk,
            policy=read_reporting_policy(SHIPPED_REPORTING),
            clock=utc_now,
        )
        raised = Raised(line="duty", summary="桥面积水")
        by = By(name="agent", at=utc_now())
        async with transaction(pool) as tx:
            number = await duty.raise_alarm(tx, raised, by, "1001")
        assert await pool.fetchval("SELECT callout_id FROM duty_incidents") is None
        for role, seat in ((Role.OFFICER, "2001"), (Role.LEADER, "2002")):
            day = timedelta(days=1)
            shift = Shift(
                line="duty",
                role=role,
                operator=seat,
                starts_at=utc_now() - day,
                ends_at=utc_now() + day,
            )
            await enter(pool, shift, "test", utc_now())  # type: ignore[arg-type]
        await duty.look()  # nobody was on duty before: now they are rung
        await ended(office, "acknowledged")
        for _ in range(2):
            await duty.look()
        row = await pool.fetchrow(
            "SELECT acknowledged_by FROM duty_incidents WHERE id = $1", number
        )
        assert row is not None
        assert row["acknowledged_by"] == "2002"
        assert await office.journal("duty.%") == [
            *("duty.incident_raised", "duty.incident_acknowledged")
        ]
        assert await pool.fetchval("SELECT count(*) FROM callouts") == 1
