"""No path leads from the trunk to an outside call: everything that can be dialled is dialled."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from deploy import portable
from deploy.errors import ToolMissing
from tests.phones.softphones import Softphone
from tests.phones.stage import CITIZEN_HZ, HOTLINE, OPERATOR_HZ, UNIT, Stage, staged

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.timeout(180),
    pytest.mark.asyncio(loop_scope="module"),
]
#: What people who steal calls try, beside everything our own dialplan knows.
TRIED = (
    *("0081312345678", "013800001111", "913800001111", "900441234567", "+441234567890"),
    *("00", "0", "9", "*", "#", "*98", "i", "t", "h", "fax", "e", "o", "a", "T"),
    *("12345%26110", "12345%40outbound", "110%40outbound", "12345,1", "%24%7BEXTEN%7D"),
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    try:
        tool = portable.ensure("asterisk")
    except ToolMissing as missing:
        pytest.skip(str(missing))
    async with staged(tmp_path_factory.mktemp("way-out"), tool) as ready:
        yield ready


@pytest_asyncio.fixture(loop_scope="module")
async def stage(running: Stage) -> Stage:
    await running.begin()
    return running


def known(stage: Stage) -> set[str]:
    """Every extension of every context of the rendered dialplan, a digit for each X."""
    etc = stage.asterisk.exchange.etc
    text = "\n".join(file.read_text() for file in sorted(etc.glob("extensions*.conf")))
    found = re.findall(r"^exten => ([^,]+),", text, re.MULTILINE)
    assert len(found) > 10
    return {one.removeprefix("_").replace("X", "5") for one in found}


async def refused(phone: Softphone, number: str) -> int:
    call = await phone.dial(number)
    # The library gives a call's sockets back half a second later and has 64 of them.
    await asyncio.sleep(0.05)
    return int((await phone.until("gone", call=call))["status"])


async def test_every_number_but_the_lines_is_unknown_to_a_caller(stage: Stage) -> None:
    numbers = (known(stage) | set(TRIED)) - {HOTLINE}
    assert {"110", "1001", "1002", "hold", "resume", "s", "2555555"} <= numbers
    answers = {number: await refused(stage.citizen, number) for number in sorted(numbers)}
    assert {number: status for number, status in answers.items() if status < 400} == {}
    assert stage.cel("CHAN_START") == []
    assert not stage.outside.has("ringing")


async def test_a_caller_cannot_refer_himself_out(stage: Stage) -> None:
    _, at_home, at_desk = await stage.answered_call()
    for number in ("110", UNIT, "1002"):
        await stage.citizen.order("refer", call=at_home, to=number)
    await stage.citizen.hears(at_home, yes=[OPERATOR_HZ])
    await stage.operator.hears(at_desk, yes=[CITIZEN_HZ])
    started = [row["channame"].partition("-")[0] for row in stage.cel("CHAN_START")]
    assert sorted(started) == ["PJSIP/1001", "PJSIP/trunk"]
    assert stage.cel("BLINDTRANSFER", "ATTENDEDTRANSFER") == []
    assert not stage.outside.has("ringing")
    await stage.citizen.order("hang_up", call=at_home)
    await stage.empty()


async def test_an_operators_telephone_reaches_help_and_nothing_else_outside(stage: Stage) -> None:
    for number in ("13800001111", UNIT, "0081312345678", "hold", "s"):
        assert await refused(stage.operator, number) >= 400, number
    call = await stage.operator.dial("110")
    ringing = await stage.outside.until("ringing", called="110")
    assert f"sip:{HOTLINE}@" in ringing["caller"]
    await stage.operator.order("hang_up", call=call)
    await stage.outside.until("gone", call=ringing["call"])
