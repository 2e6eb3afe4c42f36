"""Faults in the middle of calls: the cable to the exchange cut, the service killed."""

import asyncio
from datetime import timedelta

import pytest

from deploy.demo.phones import PlacedCall, first
from tests.acceptance.stage import LOOK_SECONDS, NOBODY, PICKED_UP, Stage
from tests.acceptance.test_calls import check_times

pytestmark = [pytest.mark.acceptance, pytest.mark.asyncio(loop_scope="session")]


async def answered(stage: Stage, number: str) -> None:
    """Return when the service has stored that this call was answered."""
    await stage.stored(number, until="c.answered_at IS NOT NULL")


async def picked_up(stage: Stage, number: str) -> None:
    """Return when an operator's telephone has picked this call up, whoever else knows."""
    async with asyncio.timeout(20):
        while first(stage.operator_leg(number), "ACK") is None:  # noqa: ASYNC110 - a file is read
            await asyncio.sleep(LOOK_SECONDS)


async def check_answered_once(stage: Stage, placed: PlacedCall) -> None:
    stored = await stage.recorded(placed.caller.caller)
    assert stored.call["outcome"] == "answered"
    assert stored.cases == 1
    for event in ("call.started", "call.answered", "call.ended"):
        assert stored.journal.count(event) == 1, (event, stored.journal)
    check_times(stage, placed, stored, answered=True, live=False)
    await stage.differences(stored.call["linked_id"])  # the files have been held against it ...
    assert await stage.count(placed.caller.caller) == 1  # ... and it is still one call


async def test_calls_survive_a_cut_of_the_managers_connection(stage: Stage) -> None:
    before = stage.caller("mayor", PICKED_UP, talks=4.0)
    during = stage.caller("mayor", PICKED_UP, talks=12.0)
    gone = stage.caller("duty", NOBODY, talks=9.0)
    async with asyncio.TaskGroup() as group:
        first_call = group.create_task(stage.dial(before))
        await answered(stage, before.caller)
        stage.cable.cut()
        second_call = group.create_task(stage.dial(during))
        third_call = group.create_task(stage.dial(gone))
        await first_call
        await picked_up(stage, during.caller)
        await stage.cable.mend()
    await check_answered_once(stage, first_call.result())
    await check_answered_once(stage, second_call.result())
    lost = await stage.stored(gone.caller)
    assert lost.call["outcome"] == "abandoned"
    check_times(stage, third_call.result(), lost, answered=False, live=False)


async def test_calls_survive_the_death_of_the_service(stage: Stage) -> None:
    before = stage.caller("mayor", PICKED_UP, talks=4.0)
    during = stage.caller("mayor", PICKED_UP, talks=3.0)
    across = stage.caller("duty", PICKED_UP, talks=20.0)
    async with asyncio.TaskGroup() as group:
        first_call = group.create_task(stage.dial(before))
        await answered(stage, before.caller)
        await stage.service.kill()
        second_call = group.create_task(stage.dial(during))
        third_call = group.create_task(stage.dial(across))
        await first_call
        await second_call
        await picked_up(stage, across.caller)
        await stage.service.start()
    for call in (first_call, second_call, third_call):
        await check_answered_once(stage, call.result())
    missed = await stage.stored(during.caller)
    assert missed.call["recovered"]
    assert missed.call["ended_at"] - missed.call["answered_at"] < timedelta(seconds=5)
