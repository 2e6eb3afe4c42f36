"""Call control on the real exchange with real softphones: what CEL says and what is heard."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext

import pytest
import pytest_asyncio

from deploy import portable
from deploy.errors import ToolMissing
from telephony.control import Ear, tap
from telephony.errors import ActionRefused, ControlRefused
from telephony.live import LiveCall
from telephony.taps import Tap, TapServer
from tests.phones.sounds import parts_with, written_so_far
from tests.phones.stage import (
    CITIZEN,
    CITIZEN_HZ,
    COLLEAGUE,
    COLLEAGUE_HZ,
    HOTLINE,
    OPERATOR,
    OPERATOR_HZ,
    POLICE_HZ,
    SUPERVISOR,
    SUPERVISOR_HZ,
    UNIT,
    UNIT_HZ,
    Stage,
    staged,
)

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.timeout(180),
    pytest.mark.asyncio(loop_scope="module"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    try:
        tool = portable.ensure("asterisk")
    except ToolMissing as missing:
        pytest.skip(str(missing))
    async with staged(tmp_path_factory.mktemp("control"), tool) as ready:
        yield ready


@pytest_asyncio.fixture(loop_scope="module")
async def stage(running: Stage) -> Stage:
    await running.begin()
    return running


async def test_on_hold_nobody_hears_the_other_and_both_come_back(stage: Stage) -> None:
    call, at_home, at_desk = await stage.answered_call()
    await stage.citizen.hears(at_home, yes=[OPERATOR_HZ])
    await stage.operator.hears(at_desk, yes=[CITIZEN_HZ])
    operator = call.at_seat(OPERATOR)
    assert operator is not None
    await stage.control.hold(call.caller, operator, "mayor")
    await stage.operator.hears(at_desk, no=[CITIZEN_HZ])
    await stage.citizen.hears(at_home, no=[OPERATOR_HZ])
    held = await stage.live(speaking=[])
    assert held.is_on_hold
    again = held.at_seat(OPERATOR)
    assert again is not None
    await stage.control.resume(held.caller, again, "mayor")
    await stage.citizen.hears(at_home, yes=[OPERATOR_HZ])
    await stage.operator.hears(at_desk, yes=[CITIZEN_HZ])
    await stage.operator.order("hang_up", call=at_desk)
    await stage.citizen.until("gone", call=at_home)
    await stage.empty()
    ids = {row["linkedid"] for row in stage.cel("CHAN_START")}
    assert ids == {call.caller.unique_id}


async def test_a_citizen_on_hold_whose_operator_is_gone_waits_in_the_line_again(
    stage: Stage,
) -> None:
    call, at_home, at_desk = await stage.answered_call()
    operator = call.at_seat(OPERATOR)
    assert operator is not None
    await stage.control.hold(call.caller, operator, "mayor")
    await stage.operator.hears(at_desk, no=[CITIZEN_HZ])
    await stage.operator.order("hang_up", call=at_desk)
    again = await stage.operator.answer()
    await stage.operator.hears(again, yes=[CITIZEN_HZ])
    await stage.citizen.order("hang_up", call=at_home)
    await stage.operator.until("gone", call=again)


async def test_a_citizen_who_hangs_up_on_hold_sets_the_operator_free(stage: Stage) -> None:
    call, at_home, at_desk = await stage.answered_call()
    operator = call.at_seat(OPERATOR)
    assert operator is not None
    await stage.control.hold(call.caller, operator, "mayor")
    await stage.citizen.hears(at_home, no=[OPERATOR_HZ])
    await stage.citizen.order("hang_up", call=at_home)
    await stage.operator.until("gone", call=at_desk)
    await stage.empty()


@asynccontextmanager
async def tapped(stage: Stage, call: LiveCall) -> AsyncIterator[Tap]:
    """The caller's leg goes to the captions too, which listen where the recorder does."""
    server = TapServer("127.0.0.1")
    await server.start()
    try:
        heard = server.issue()
        await tap(stage.actor, call.caller, server.address, heard.id)
        await stage.until(lambda: heard.came is not None)
        yield heard
    finally:
        await server.close()


@pytest.mark.parametrize("heard_by", ["recorder", "captions too"])
async def test_a_blind_transfer_gives_the_citizen_to_a_colleague(
    stage: Stage, heard_by: str
) -> None:
    call, at_home, at_desk = await stage.answered_call()
    operator = call.at_seat(OPERATOR)
    assert operator is not None
    async with tapped(stage, call) if heard_by != "recorder" else nullcontext():
        await stage.control.transfer(call.caller, operator, COLLEAGUE, "mayor")
        await stage.operator.until("gone", call=at_desk)
        taken = await stage.colleague.answer()
        await stage.colleague.hears(taken, yes=[CITIZEN_HZ])
        await stage.citizen.hears(at_home, yes=[COLLEAGUE_HZ], no=[OPERATOR_HZ])
        file = stage.asterisk.exchange.recordings_dir / f"{call.caller.linked_id}-operator.wav"
        await stage.until(lambda: parts_with(written_so_far(file), COLLEAGUE_HZ) >= 1)
    assert [row["channame"] for row in stage.cel("BLINDTRANSFER")] == [operator.name]
    assert stage.together(call.caller.name, f"PJSIP/{COLLEAGUE}-")
    await stage.colleague.order("hang_up", call=taken)
    await stage.citizen.until("gone", call=at_home)


async def test_a_transfer_nobody_takes_comes_back_to_the_operator(stage: Stage) -> None:
    call, at_home, at_desk = await stage.answered_call()
    operator = call.at_seat(OPERATOR)
    assert operator is not None
    await stage.control.transfer(call.caller, operator, COLLEAGUE, "mayor")
    await stage.operator.until("gone", call=at_desk)
    ringing = await stage.colleague.until("ringing")
    await stage.colleague.order("refuse", call=ringing["call"])
    again = await stage.operator.answer()
    await stage.operator.hears(again, yes=[CITIZEN_HZ])
    await stage.citizen.order("hang_up", call=at_home)
    await stage.operator.until("gone", call=again)


@pytest.mark.parametrize(("target", "seat"), [(COLLEAGUE, COLLEAGUE), (UNIT, "outbound")])
async def test_an_operator_asks_first_and_then_gives_the_call(
    stage: Stage, target: str, seat: str
) -> None:
    outside = target == UNIT
    other, hertz = (stage.outside, UNIT_HZ) if outside else (stage.colleague, COLLEAGUE_HZ)
    call, at_home, at_desk = await stage.answered_call()
    operator = call.at_seat(OPERATOR)
    assert operator is not None
    await stage.control.consult(call.caller, operator, target, "mayor")
    asked = await other.answer()
    await other.hears(asked, yes=[OPERATOR_HZ], no=[CITIZEN_HZ])
    await stage.operator.hears(at_desk, yes=[hertz], no=[CITIZEN_HZ])
    held = await stage.live(speaking=[])
    assert held.is_on_hold
    with_ = held.at_seat(seat)
    assert with_ is not None
    await stage.control.resume(held.caller, with_, "mayor")
    joined = await stage.live(speaking=[seat])
    leaving = joined.at_seat(OPERATOR)
    if leaving is not None:
        await stage.control.hang_up(leaving)
    await stage.operator.until("gone", call=at_desk)
    await other.hears(asked, yes=[CITIZEN_HZ], no=[OPERATOR_HZ])
    await stage.citizen.hears(at_home, yes=[hertz], no=[OPERATOR_HZ])
    file = stage.asterisk.exchange.recordings_dir / f"{call.caller.linked_id}-operator.wav"
    await stage.until(lambda: parts_with(written_so_far(file), hertz) >= 1)
    assert stage.together(call.caller.name, f"PJSIP/{seat}-")
    await stage.citizen.order("hang_up", call=at_home)
    await other.until("gone", call=asked)
    await stage.empty()


async def test_the_police_join_and_stay_when_the_operator_leaves(stage: Stage) -> None:
    call, at_home, at_desk = await stage.answered_call()
    await stage.control.invite(call.caller, OPERATOR, "110", inside=False)
    ringing = await stage.outside.until("ringing")
    assert (ringing["called"], HOTLINE in ringing["caller"]) == ("110", True)
    await stage.citizen.hears(at_home, yes=[OPERATOR_HZ], no=[POLICE_HZ])
    await stage.outside.order("answer", call=ringing["call"])
    await stage.outside.until("up", call=ringing["call"])
    await stage.outside.hears(ringing["call"], yes=[CITIZEN_HZ, OPERATOR_HZ])
    await stage.citizen.hears(at_home, yes=[OPERATOR_HZ, POLICE_HZ])
    await stage.operator.hears(at_desk, yes=[CITIZEN_HZ, POLICE_HZ])
    three = await stage.live(speaking=[OPERATOR, "110"])
    leaving = three.at_seat(OPERATOR)
    assert leaving is not None
    await stage.control.hang_up(leaving)
    await stage.operator.until("gone", call=at_desk)
    await stage.citizen.hears(at_home, yes=[POLICE_HZ], no=[OPERATOR_HZ])
    await stage.outside.hears(ringing["call"], yes=[CITIZEN_HZ], no=[OPERATOR_HZ])
    assert stage.together(call.caller.name, operator_channel(call), "Local/110@outbound")
    assert stage.endings("PJSIP/trunk-") == []
    await stage.citizen.order("hang_up", call=at_home)
    await stage.outside.until("gone", call=ringing["call"])
    await stage.empty()


async def test_a_call_goes_on_to_a_colleague_after_the_police_have_left_it(stage: Stage) -> None:
    call, at_home, at_desk = await stage.answered_call()
    operator = call.at_seat(OPERATOR)
    assert operator is not None
    await stage.control.invite(call.caller, OPERATOR, "110", inside=False)
    police = await stage.outside.answer()
    await stage.citizen.hears(at_home, yes=[OPERATOR_HZ, POLICE_HZ])
    await stage.outside.order("hang_up", call=police)
    await stage.outside.until("gone", call=police)
    async with asyncio.timeout(10):
        while len((await stage.live()).speaking()) > 1:  # noqa: ASYNC110 - asked each time
            await asyncio.sleep(0.05)
    await stage.citizen.hears(at_home, yes=[OPERATOR_HZ], no=[POLICE_HZ])
    await stage.control.transfer(call.caller, operator, COLLEAGUE, "mayor")
    taken = await stage.colleague.answer()
    await stage.operator.until("gone", call=at_desk)
    await stage.colleague.hears(taken, yes=[CITIZEN_HZ])
    await stage.citizen.hears(at_home, yes=[COLLEAGUE_HZ])
    await stage.colleague.order("hang_up", call=taken)
    await stage.citizen.until("gone", call=at_home)


async def test_a_colleague_picks_up_what_rings_elsewhere(stage: Stage) -> None:
    at_home = await stage.citizen.dial(HOTLINE)
    await stage.operator.until("ringing")
    call = await stage.live(speaking=[])
    ringing = call.at_seat(OPERATOR)
    assert ringing is not None
    assert not ringing.is_up
    await stage.control.pick_up(COLLEAGUE, ringing)
    taken = await stage.colleague.answer()
    await stage.operator.until("gone")
    await stage.colleague.hears(taken, yes=[CITIZEN_HZ])
    assert [row["eventtype"] for row in stage.cel("PICKUP")] == ["PICKUP"]
    assert stage.together("PJSIP/trunk-", f"PJSIP/{COLLEAGUE}-")
    await stage.colleague.order("hang_up", call=taken)
    await stage.citizen.until("gone", call=at_home)


@pytest.mark.parametrize("ear", list(Ear))
async def test_a_supervisor_is_heard_by_whom_he_may_be_heard(stage: Stage, ear: Ear) -> None:
    call, at_home, at_desk = await stage.answered_call()
    operator = call.at_seat(OPERATOR)
    assert operator is not None
    await stage.control.attend(SUPERVISOR, operator, ear)
    listening = await stage.supervisor.answer()
    await stage.supervisor.hears(listening, yes=[CITIZEN_HZ, OPERATOR_HZ])
    at_operator = [SUPERVISOR_HZ] if ear is not Ear.LISTEN else []
    at_citizen = [SUPERVISOR_HZ] if ear is Ear.BARGE else []
    await stage.operator.hears(
        at_desk,
        yes=[CITIZEN_HZ, *at_operator],
        no=[] if at_operator else [SUPERVISOR_HZ],
    )
    await stage.citizen.hears(
        at_home,
        yes=[OPERATOR_HZ, *at_citizen],
        no=[] if at_citizen else [SUPERVISOR_HZ],
    )
    await stage.citizen.order("hang_up", call=at_home)
    await stage.supervisor.until("gone", call=listening)
    await stage.empty()


async def test_hanging_up_from_the_seat_ends_the_call_for_both(stage: Stage) -> None:
    call, at_home, at_desk = await stage.answered_call()
    await stage.control.hang_up(call.caller)
    await stage.citizen.until("gone", call=at_home)
    await stage.operator.until("gone", call=at_desk)
    await stage.empty()
    assert len(stage.cel("LINKEDID_END")) == 1


async def test_click_to_dial_rings_the_operator_first_and_shows_the_hotline(stage: Stage) -> None:
    await stage.control.dial(OPERATOR, CITIZEN)
    ringing = await stage.operator.until("ringing")
    assert not stage.outside.has("ringing")
    await stage.operator.order("answer", call=ringing["call"])
    outside = await stage.outside.until("ringing")
    assert outside["called"] == CITIZEN
    assert f"sip:{HOTLINE}@" in outside["caller"]
    await stage.outside.order("answer", call=outside["call"])
    await stage.outside.until("up")
    await stage.operator.hears(ringing["call"], yes=[CITIZEN_HZ])
    await stage.outside.hears(outside["call"], yes=[OPERATOR_HZ])
    await stage.operator.order("hang_up", call=ringing["call"])
    await stage.outside.until("gone")
    await stage.empty()


async def test_a_relayed_call_shows_neither_side_the_others_number(stage: Stage) -> None:
    await stage.control.relay(OPERATOR, UNIT, CITIZEN)
    unit = await stage.outside.until("ringing", called=UNIT)
    await stage.outside.order("answer", call=unit["call"])
    citizen = await stage.outside.until("ringing", called=CITIZEN)
    await stage.outside.order("answer", call=citizen["call"])
    await stage.outside.until("up", call=citizen["call"])
    await stage.outside.hears(unit["call"], yes=[CITIZEN_HZ])
    await stage.outside.hears(citizen["call"], yes=[UNIT_HZ])
    await stage.outside.order("hang_up", call=unit["call"])
    await stage.outside.until("gone", call=citizen["call"])
    to_unit = stage.outside.messages(unit["sip_id"])
    to_citizen = stage.outside.messages(citizen["sip_id"])
    assert len(to_unit) >= 4
    assert len(to_citizen) >= 4
    assert not [text for text in to_unit if CITIZEN in text]
    assert not [text for text in to_citizen if UNIT in text]
    assert all(f"sip:{HOTLINE}@" in text for text in (to_unit[0], to_citizen[0]))


async def test_outside_calls_have_a_list_and_a_limit(stage: Stage) -> None:
    for number in ("0081312345678", "21234567", "999"):
        with pytest.raises(ActionRefused):
            await stage.control.dial(OPERATOR, number)
    await stage.control.relay(OPERATOR, UNIT, CITIZEN)
    unit = await stage.outside.until("ringing", called=UNIT)
    await stage.outside.order("answer", call=unit["call"])
    citizen = await stage.outside.until("ringing", called=CITIZEN)
    await stage.control.dial(OPERATOR, CITIZEN)
    third = await stage.operator.until("ringing")
    await stage.operator.order("answer", call=third["call"])
    await stage.operator.until("gone", call=third["call"])
    assert [row["extra"] for row in stage.cel("OUTSIDE_REFUSED")] == ['{"extra":"1001"}']
    await stage.outside.order("refuse", call=citizen["call"])
    await stage.outside.until("gone", call=unit["call"])
    assert not stage.outside.has("ringing")


async def test_who_was_asked_may_decline_and_the_operator_has_the_citizen_back(
    stage: Stage,
) -> None:
    call, at_home, at_desk = await stage.answered_call()
    operator = call.at_seat(OPERATOR)
    assert operator is not None
    await stage.control.consult(call.caller, operator, COLLEAGUE, "mayor")
    asked = await stage.colleague.answer()
    await stage.operator.hears(at_desk, yes=[COLLEAGUE_HZ])
    await stage.colleague.order("hang_up", call=asked)
    await stage.operator.hears(at_desk, no=[COLLEAGUE_HZ])
    held = await stage.live(speaking=[])
    again = held.at_seat(OPERATOR)
    assert again is not None
    await stage.control.resume(held.caller, again, "mayor")
    await stage.operator.hears(at_desk, yes=[CITIZEN_HZ])
    await stage.citizen.order("hang_up", call=at_home)
    await stage.operator.until("gone", call=at_desk)


async def test_nothing_a_dialplan_could_misread_is_sent(stage: Stage) -> None:
    for number in ("110&PJSIP/outbound", "110,120", "${EXTEN}", "110\n", "", "1" * 21):
        with pytest.raises(ControlRefused):
            await stage.control.dial(OPERATOR, number)
    with pytest.raises(ControlRefused):
        await stage.control.dial("1001/n", CITIZEN)
    assert await stage.channels() == ()


def operator_channel(call: LiveCall) -> str:
    operator = call.at_seat(OPERATOR)
    assert operator is not None
    return operator.name
