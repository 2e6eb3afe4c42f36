"""baresip, another make of softphone: signs on, takes a call, goes through each action."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from deploy import portable
from deploy.asterisk.ports import free_port
from deploy.errors import ToolMissing
from telephony.control import Ear
from telephony.live import LiveChannel
from tests.deploy.sip_calls import Caller, Sipp, alaw, tone
from tests.phones.baresip import baresip
from tests.phones.provisioned import by_microsip, telephone_at
from tests.phones.sounds import HEARD, RATE, loudness, parts_with, written_so_far
from tests.phones.stage import (
    CITIZEN_HZ,
    COLLEAGUE,
    COLLEAGUE_HZ,
    HOTLINE,
    OPERATOR,
    POLICE_HZ,
    SPARE,
    SUPERVISOR,
    SUPERVISOR_HZ,
    Stage,
    staged,
)

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(180)]
SPARE_HZ = 1150


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    try:
        tool = portable.ensure("asterisk")
    except ToolMissing as missing:
        pytest.skip(str(missing))
    async with staged(tmp_path, tool) as ready:
        yield ready


@pytest.fixture
def sipp(tmp_path: Path) -> Sipp:
    try:
        return Sipp(portable.ensure("sipp"), tmp_path / "sipp")
    except ToolMissing as missing:
        pytest.skip(str(missing))


def at_home(stage: Stage) -> list[int]:
    """What the citizen has heard, as far as Asterisk has written it."""
    return written_so_far(min(stage.asterisk.exchange.recordings_dir.glob("*-operator.wav")))


async def leg(stage: Stage, *others: str) -> tuple[LiveChannel, LiveChannel]:
    """The caller and baresip's leg, once they and the others speak with each other."""
    call = await stage.live(speaking=[SPARE, *others])
    mine = call.at_seat(SPARE)
    assert mine is not None
    return call.caller, mine


async def is_attended(stage: Stage) -> None:
    """Listened to, then whispered to: the citizen hears nothing of either."""
    _, mine = await leg(stage)
    for ear in (Ear.LISTEN, Ear.WHISPER):
        await stage.control.attend(SUPERVISOR, mine, ear)
        attending = await stage.supervisor.answer()
        await stage.supervisor.hears(attending, yes=[CITIZEN_HZ, SPARE_HZ])
        assert parts_with(at_home(stage), SUPERVISOR_HZ) == 0, ear
        await stage.supervisor.order("hang_up", call=attending)
        await stage.supervisor.until("gone", call=attending)


async def comes_back(stage: Stage) -> None:
    held = await stage.live(speaking=[])
    waiting = held.at_seat(SPARE)
    assert held.is_on_hold
    assert waiting is not None
    await stage.control.resume(held.caller, waiting, "mayor")


async def holds_and_comes_back(stage: Stage) -> None:
    caller, mine = await leg(stage)
    await stage.control.hold(caller, mine, "mayor")
    await stage.until(lambda: len(stage.cel("BRIDGE_EXIT")) >= 2)
    await comes_back(stage)


async def asks_a_colleague(stage: Stage) -> None:
    caller, mine = await leg(stage)
    await stage.control.consult(caller, mine, COLLEAGUE, "mayor")
    asked = await stage.colleague.answer()
    await stage.colleague.hears(asked, yes=[SPARE_HZ], no=[CITIZEN_HZ])
    await stage.colleague.order("hang_up", call=asked)
    await stage.colleague.until("gone", call=asked)
    await comes_back(stage)


async def is_joined_by_the_police(stage: Stage) -> None:
    caller, _ = await leg(stage)
    await stage.control.invite(caller, SPARE, "110", inside=False)
    police = await stage.outside.answer()
    await leg(stage, "110")
    await stage.outside.hears(police, yes=[CITIZEN_HZ, SPARE_HZ])
    await stage.outside.order("hang_up", call=police)
    await stage.outside.until("gone", call=police)
    async with asyncio.timeout(10):
        while len((await stage.live(speaking=[SPARE])).speaking()) > 1:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await stage.until(lambda: is_alone_with(at_home(stage)))


def is_alone_with(heard: Sequence[int]) -> bool:
    """Whether the citizen's last quarter of a second is baresip and nobody else."""
    last = heard[-(RATE // 4) :]
    return loudness(last, SPARE_HZ) > HEARD > loudness(last, POLICE_HZ)


async def gives_the_call_away(stage: Stage) -> None:
    caller, mine = await leg(stage)
    await stage.control.transfer(caller, mine, COLLEAGUE, "mayor")
    taken = await stage.colleague.answer()
    await stage.colleague.hears(taken, yes=[CITIZEN_HZ], no=[SPARE_HZ])
    await stage.until(lambda: parts_with(at_home(stage), COLLEAGUE_HZ) >= 1)
    await stage.colleague.order("hang_up", call=taken)


async def calls_out(stage: Stage) -> None:
    await stage.control.dial(SPARE, "13900002222")
    ringing = await stage.outside.until("ringing", called="13900002222")
    await stage.outside.order("answer", call=ringing["call"])
    await stage.outside.hears(ringing["call"], yes=[SPARE_HZ])
    await stage.outside.order("hang_up", call=ringing["call"])


async def picks_up_and_hands_over(stage: Stage) -> None:
    """Rings at another seat: picked up, joined, given to a colleague who was asked, and ended."""
    call = await stage.citizen.dial(HOTLINE)
    await stage.operator.until("ringing")
    ringing = (await stage.live(speaking=[])).at_seat(OPERATOR)
    assert ringing is not None
    await stage.control.pick_up(SPARE, ringing)
    await stage.operator.until("gone")
    await stage.citizen.hears(call, yes=[SPARE_HZ])
    caller, mine = await leg(stage)
    await stage.control.attend(SUPERVISOR, mine, Ear.BARGE)
    joining = await stage.supervisor.answer()
    await stage.citizen.hears(call, yes=[SPARE_HZ, SUPERVISOR_HZ])
    await stage.supervisor.order("hang_up", call=joining)
    await stage.supervisor.until("gone", call=joining)
    await stage.control.consult(caller, mine, COLLEAGUE, "mayor")
    asked = await stage.colleague.answer()
    await stage.colleague.hears(asked, yes=[SPARE_HZ], no=[CITIZEN_HZ])
    held = await stage.live(speaking=[])
    with_ = held.at_seat(COLLEAGUE)
    assert with_ is not None
    await stage.control.resume(held.caller, with_, "mayor")
    joined = await stage.live(speaking=[COLLEAGUE])
    leaving = joined.at_seat(SPARE)
    if leaving is not None:
        await stage.control.hang_up(leaving)
    await stage.citizen.hears(call, yes=[COLLEAGUE_HZ], no=[SPARE_HZ])
    await stage.control.hang_up(joined.caller)
    await stage.citizen.until("gone", call=call)
    await stage.colleague.until("gone", call=asked)


async def test_baresip_takes_a_call_and_goes_through_each_action(
    stage: Stage, sipp: Sipp, tmp_path: Path
) -> None:
    told = telephone_at(stage.asterisk.exchange, SPARE)
    account = by_microsip(told, tmp_path / "microsip.ini")
    async with baresip(
        tmp_path / "baresip",
        user=account.user,
        secret=account.secret,
        server=account.server,
        address="127.0.0.4",
        port=free_port(socket.SOCK_DGRAM),
        hertz=SPARE_HZ,
    ) as phone:
        add = {"Queue": "mayor", "Interface": f"PJSIP/{SPARE}", "MemberName": SPARE}
        await stage.actor.action("QueueAdd", add)
        pause = {"Interface": f"PJSIP/{OPERATOR}", "Paused": "true", "Reason": "lunch"}
        await stage.actor.action("QueuePause", pause)
        sound = tmp_path / "citizen.al"
        sound.write_bytes(alaw(tone(CITIZEN_HZ, 120)))
        citizen = Caller(number=HOTLINE, sound=sound, hangs_up=False)
        calling = asyncio.create_task(sipp.call(citizen, stage.asterisk.exchange.sip_port))
        await is_attended(stage)
        await holds_and_comes_back(stage)
        await asks_a_colleague(stage)
        await is_joined_by_the_police(stage)
        await gives_the_call_away(stage)
        assert await calling == 0
        await calls_out(stage)
        await stage.empty()
        for seat, paused in ((OPERATOR, "false"), (SPARE, "true")):
            turn = {"Interface": f"PJSIP/{seat}", "Paused": paused, "Reason": "turn"}
            await stage.actor.action("QueuePause", turn)
        await picks_up_and_hands_over(stage)
        await stage.empty()
    heard = phone.heard()
    for hertz in (CITIZEN_HZ, SUPERVISOR_HZ, COLLEAGUE_HZ, POLICE_HZ):
        assert parts_with(heard, hertz) >= 1, hertz
    citizen_heard = at_home(stage)
    for hertz in (SPARE_HZ, POLICE_HZ, COLLEAGUE_HZ):
        assert parts_with(citizen_heard, hertz) >= 1, hertz
    transferrers = [row["channame"].partition("-")[0] for row in stage.cel("BLINDTRANSFER")]
    assert transferrers == [f"PJSIP/{SPARE}"]
