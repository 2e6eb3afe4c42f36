"""The calls that are recorded: what callers, operators and the service do in each.

The exchange of `scenes.plain`: line `mayor` (12345) answers before the queue, plays a notice of two
seconds and rings 1001 for three; line `duty` (8001) is answered by 2001 or 2002. 1002 and 1003
are at no line: calls are given to them.
"""

import asyncio
from collections.abc import Awaitable, Callable

from telephony.control import Ear
from telephony.live import LiveChannel, live_channels
from tests.calls.stage import Desk, Stage, desk, ended
from tests.deploy.sip_calls import (
    INVITED,
    REPLY,
    Caller,
    Telephone,
    alaw,
    scenario,
    send,
    tone,
)

Play = Callable[[Stage], Awaitable[None]]
Processes = dict[str, asyncio.subprocess.Process]
WAITING = Telephone(answers=False)
STAYS = Telephone(talk_seconds=60)
"""Answers and leaves the hanging up to others."""
BUSY = scenario(
    INVITED,
    send(REPLY.format(status="486 Busy Here") + "Content-Length: 0\n\n"),
    '<recv request="ACK"/>',
)


async def answered(stage: Stage) -> None:
    """Notice, queue, operator 1001 answers, the caller hangs up."""
    await stage.call(Caller(number="12345", talk_seconds=5), at_1001=Telephone())


async def operator_hangs_up(stage: Stage) -> None:
    await stage.call(
        Caller(number="12345", hangs_up=False),
        at_1001=Telephone(talk_seconds=2, hangs_up=True),
    )


async def abandoned(stage: Stage) -> None:
    """Waits seven seconds after the notice and hangs up."""
    await stage.call(Caller(number="12345", gives_up_after=9), at_1001=WAITING)


async def abandoned_short(stage: Stage) -> None:
    """Hangs up after two seconds in the queue."""
    await stage.call(Caller(number="12345", gives_up_after=4), at_1001=WAITING)


async def hung_up_in_notice(stage: Stage) -> None:
    await stage.call(Caller(number="12345", gives_up_after=1))


async def unanswered(stage: Stage) -> None:
    """Nobody takes it; the queue gives up."""
    await stage.call(Caller(number="12345", hangs_up=False), at_1001=WAITING)


async def hung_up_after_the_queue(stage: Stage) -> None:
    """Nobody takes it; the caller hangs up while he is told so."""
    await stage.call(Caller(number="12345", gives_up_after=12.5), at_1001=WAITING)


async def second_operator(stage: Stage) -> None:
    """The first telephone rings in vain, the second is answered."""
    await stage.call(Caller(number="8001", talk_seconds=2), at_2001=WAITING, at_2002=Telephone())


async def refused_then_another(stage: Stage) -> None:
    """Whichever of the two is asked first is engaged, the other answers."""
    await stage.call(Caller(number="8001", talk_seconds=2), at_2001=BUSY, at_2002=Telephone())


async def refused_by_all(stage: Stage) -> None:
    """Every telephone is engaged until the queue gives up."""
    telephones = [await stage.seat(seat, BUSY, calls=20) for seat in ("2001", "2002")]
    await stage.dial(Caller(number="8001", refused=480))
    await asyncio.gather(*(ended(telephone) for telephone in telephones))


async def off_the_network_while_ringing(stage: Stage) -> None:
    """A telephone that rings loses the network; the other one is answered."""

    async def pull_the_plug(telephones: Processes) -> None:
        async with desk(stage.asterisk) as hands:
            rings = await hands.until(lambda call: any(leg.seat for leg in call.others))
        seat = rings.others[0].seat
        telephones[seat].kill()

    await stage.play(
        Caller(number="8001", talk_seconds=2),
        {"2001": Telephone(rings_seconds=1.5), "2002": Telephone(rings_seconds=1.5)},
        pull_the_plug,
    )


async def nobody_at_the_telephones(stage: Stage) -> None:
    """No telephone is on the network at all: none ever rings."""
    await stage.dial(Caller(number="8001", refused=480))


async def off_the_network_while_talking(stage: Stage) -> None:
    """The operator's telephone dies in the middle of a talk; the caller hangs up."""

    async def pull_the_plug(telephones: Processes) -> None:
        async with desk(stage.asterisk) as hands:
            await hands.talking("1001")
        await asyncio.sleep(1)
        telephones["1001"].kill()

    await stage.play(Caller(number="12345", talk_seconds=6), {"1001": STAYS}, pull_the_plug)


async def caller_lost_while_talking(stage: Stage) -> None:
    """The caller's telephone dies; the operator hangs up."""
    telephone = await stage.seat("1001", Telephone(talk_seconds=3, hangs_up=True))
    caller = await stage.sipp.start(
        Caller(number="12345", talk_seconds=30).steps(),
        f"127.0.0.1:{stage.asterisk.exchange.sip_port}",
    )
    async with desk(stage.asterisk) as hands:
        await hands.talking("1001")
    await asyncio.sleep(1)
    caller.kill()
    await caller.wait()
    await asyncio.wait_for(telephone.wait(), 20)


async def cancelled_while_ringing(stage: Stage) -> None:
    """On the line that the operator answers: gives up while a telephone rings."""
    caller = Caller(number="8001", gives_up_after=1, answered_early=False)
    await stage.call(caller, at_2001=WAITING, at_2002=WAITING)


async def hung_up_at_the_answer(stage: Stage) -> None:
    """The operator picks up and the caller is gone in the same moment."""
    await stage.call(
        Caller(number="8001", talk_seconds=0.05), at_2001=Telephone(), at_2002=Telephone()
    )


async def hung_up_while_nobody_rings(stage: Stage) -> None:
    """In the queue, with every operator paused."""
    async with desk(stage.asterisk) as hands:
        await _pause(hands, paused=True)
        await stage.dial(Caller(number="12345", gives_up_after=5))
        await _pause(hands, paused=False)


async def _pause(hands: Desk, *, paused: bool) -> None:
    await hands.actor.action(
        "QueuePause", {"Interface": "PJSIP/1001", "Paused": "true" if paused else "false"}
    )


async def two_at_once(stage: Stage) -> None:
    """Two calls to two lines whose stories interleave."""
    first = Caller(number="12345", caller="13800002222", talk_seconds=7)
    second = Caller(number="8001", caller="13800003333", hangs_up=False)
    at_the_desk = Telephone(talk_seconds=2, hangs_up=True)
    async with asyncio.TaskGroup() as calls:
        calls.create_task(stage.call(first, at_1001=Telephone(rings_seconds=2)))
        await asyncio.sleep(2)  # SIPp takes its ports by looking for free ones
        calls.create_task(stage.call(second, at_2001=at_the_desk, at_2002=at_the_desk))


async def duty_line(stage: Stage) -> None:
    """The line that the operator takes off the hook."""
    await stage.call(
        Caller(number="8001", talk_seconds=2), at_2001=Telephone(), at_2002=Telephone()
    )


async def waits_for_a_busy_operator(stage: Stage) -> None:
    """The second caller waits until the operator is through with the first."""
    await _one_after_the_other(stage, "13800002222", "13800003333")


async def same_number_twice(stage: Stage) -> None:
    """Two calls from one number at the same time are two calls."""
    await _one_after_the_other(stage, "13800002222", "13800002222")


async def _one_after_the_other(stage: Stage, first: str, second: str) -> None:
    telephone = await stage.seat("1001", Telephone(), calls=2)
    async with asyncio.TaskGroup() as calls:
        calls.create_task(stage.dial(Caller(number="12345", caller=first, talk_seconds=6)))
        await asyncio.sleep(1)
        calls.create_task(stage.dial(Caller(number="12345", caller=second, talk_seconds=9)))
    await ended(telephone)


async def abandoned_behind_another(stage: Stage) -> None:
    """The second caller gives up while the operator still speaks with the first."""
    telephone = await stage.seat("1001", Telephone())
    first = Caller(number="12345", caller="13800002222", talk_seconds=9)
    second = Caller(number="12345", caller="13800003333", gives_up_after=5)
    async with asyncio.TaskGroup() as calls:
        calls.create_task(stage.dial(first))
        await asyncio.sleep(1)
        calls.create_task(stage.dial(second))
    await ended(telephone)


async def caller_withholds_his_number(stage: Stage) -> None:
    anonymous = Caller(number="12345", caller="anonymous", name='"Anonymous" ', talk_seconds=4.5)
    await stage.call(anonymous, at_1001=Telephone())


async def hostile_name(stage: Stage) -> None:
    """A display name that looks like rows, headers and markup."""
    name = '"张伟 Event: Hangup, \'); DROP TABLE calls;-- <b>" '
    await stage.call(Caller(number="12345", name=name, talk_seconds=4.5), at_1001=Telephone())


async def operator_calls_operator(stage: Stage) -> None:
    """A call inside the house is no call of a line."""
    telephone = await stage.seat("1002", Telephone(talk_seconds=1, hangs_up=True))
    other = await stage.seat("1003", STAYS)
    async with desk(stage.asterisk) as hands:
        await hands.actor.action(
            "Originate",
            {
                "Channel": "PJSIP/1003",
                "Context": "from-operator",
                "Exten": "1002",
                "Priority": "1",
                "Async": "true",
            },
        )
        await asyncio.wait_for(telephone.wait(), 20)
    await ended(other)


# ---- what is done with a call that is there ----


async def hold_and_resume(stage: Stage) -> None:
    async def hold(_: Processes) -> None:
        async with desk(stage.asterisk) as hands:
            live, mine = await hands.talking("1001")
            await hands.control.hold(live.caller, mine, "mayor")
            live = await hands.until(lambda call: call.is_on_hold)
            await asyncio.sleep(1)
            await hands.control.resume(live.caller, mine, "mayor")
            await hands.talking("1001")

    await stage.play(Caller(number="12345", talk_seconds=9), {"1001": STAYS}, hold)


async def hung_up_on_hold(stage: Stage) -> None:
    """The caller hangs up while he waits for the operator to come back."""

    async def hold(_: Processes) -> None:
        async with desk(stage.asterisk) as hands:
            live, mine = await hands.talking("1001")
            await hands.control.hold(live.caller, mine, "mayor")

    await stage.play(Caller(number="12345", talk_seconds=6), {"1001": STAYS}, hold)


async def blind_transfer(stage: Stage) -> None:
    """The operator gives the caller to another, who answers; the caller hangs up."""
    await _transferred(
        stage, {"1001": STAYS, "1002": STAYS}, Caller(number="12345", talk_seconds=8)
    )


async def blind_transfer_comes_back(stage: Stage) -> None:
    """The target is engaged: the caller comes back to who gave him away."""
    telephone = await stage.seat("1001", STAYS, calls=2)
    refusing = await stage.seat("1002", BUSY)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(stage.dial(Caller(number="12345", talk_seconds=10)))
        tasks.create_task(_transfer(stage))
    await asyncio.gather(ended(telephone), ended(refusing))


async def hung_up_in_a_transfer(stage: Stage) -> None:
    """The caller hangs up while the target's telephone rings."""
    await _transferred(
        stage, {"1001": STAYS, "1002": WAITING}, Caller(number="12345", talk_seconds=6)
    )


async def _transferred(stage: Stage, seats: dict[str, Telephone | str], caller: Caller) -> None:
    await stage.play(caller, seats, lambda _: _transfer(stage))


async def _transfer(stage: Stage) -> None:
    async with desk(stage.asterisk) as hands:
        live, mine = await hands.talking("1001")
        await asyncio.sleep(0.5)
        await hands.control.transfer(live.caller, mine, "1002", "mayor")


async def attended_transfer(stage: Stage) -> None:
    """The operator asks another first, then gives him the caller."""

    async def consult(_: Processes) -> None:
        async with desk(stage.asterisk) as hands:
            await _consult(hands)
            live = await hands.until(lambda call: call.is_on_hold)
            target = next(c for c in await _all(hands) if c.seat == "1002" and c.is_up)
            mine = next(c for c in await _all(hands) if c.seat == "1001")
            await asyncio.sleep(0.5)
            await hands.control.resume(live.caller, target, "mayor")
            await hands.talking("1002")
            if any(channel.unique_id == mine.unique_id for channel in await _all(hands)):
                await hands.control.hang_up(mine)

    await stage.play(
        Caller(number="12345", talk_seconds=10), {"1001": STAYS, "1002": STAYS}, consult
    )


async def consultation_ends(stage: Stage) -> None:
    """The operator asks another and comes back to the caller."""

    async def consult(_: Processes) -> None:
        async with desk(stage.asterisk) as hands:
            mine = await _consult(hands)
            live = await hands.until(lambda call: call.is_on_hold)
            await asyncio.sleep(0.5)
            await hands.control.resume(live.caller, mine, "mayor")
            await hands.talking("1001")

    await stage.play(
        Caller(number="12345", talk_seconds=10), {"1001": STAYS, "1002": STAYS}, consult
    )


async def _all(hands: Desk) -> tuple[LiveChannel, ...]:
    return await live_channels(hands.reader)


async def _consult(hands: Desk) -> LiveChannel:
    live, mine = await hands.talking("1001")
    await hands.control.consult(live.caller, mine, "1002", "mayor")
    async with asyncio.timeout(10):
        while not any(c.seat == "1002" and c.bridge for c in await _all(hands)):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return mine


async def conference(stage: Stage) -> None:
    """A third party joins; then the operator leaves the two alone."""

    async def invite(_: Processes) -> None:
        async with desk(stage.asterisk) as hands:
            live, mine = await hands.talking("1001")
            await hands.control.invite(live.caller, "1001", "1002", inside=True)
            await hands.talking("1002")
            await asyncio.sleep(1)
            await hands.control.hang_up(mine)

    await stage.play(Caller(number="12345", talk_seconds=9), {"1001": STAYS, "1002": STAYS}, invite)


async def picked_up_elsewhere(stage: Stage) -> None:
    """It rings at one telephone, another takes it."""

    async def pick_up(_: Processes) -> None:
        async with desk(stage.asterisk) as hands:
            ringing = await hands.ringing("1001")
            await hands.control.pick_up("1002", ringing)

    await stage.play(
        Caller(number="12345", talk_seconds=7), {"1001": WAITING, "1002": STAYS}, pick_up
    )


async def listened_to(stage: Stage) -> None:
    """A supervisor hears the call and is no part of it."""

    async def attend(_: Processes) -> None:
        async with desk(stage.asterisk) as hands:
            mine = (await hands.talking("1001"))[1]
            await hands.control.attend("1003", mine, Ear.LISTEN)

    await stage.play(Caller(number="12345", talk_seconds=6), {"1001": STAYS, "1003": STAYS}, attend)


async def local_optimised(stage: Stage) -> None:
    """The queue reaches the operator by a Local channel that takes itself out of the way."""
    await _by_local(stage, "Local/1002@from-operator")


async def local_kept(stage: Stage) -> None:
    """The same, with a Local channel that stays."""
    await _by_local(stage, "Local/1002@from-operator/n")


async def _by_local(stage: Stage, interface: str) -> None:
    async with desk(stage.asterisk) as hands:
        await _pause(hands, paused=True)
        await hands.actor.action(
            "QueueAdd", {"Queue": "mayor", "Interface": interface, "MemberName": "1002"}
        )
        # A Local channel looks for a way round only when sound goes through it.
        sound = stage.sipp.folder / "sound.al"
        sound.write_bytes(alaw(tone(440, 10)))
        caller = Caller(number="12345", talk_seconds=6, sound=sound)
        await stage.call(caller, at_1002=Telephone(talk_seconds=60, sound=sound))
        await hands.actor.action("QueueRemove", {"Queue": "mayor", "Interface": interface})
        await _pause(hands, paused=False)


ALL: tuple[Play, ...] = (
    *(answered, operator_hangs_up, abandoned, abandoned_short, hung_up_in_notice, unanswered),
    *(hung_up_after_the_queue, second_operator, refused_then_another, refused_by_all),
    *(nobody_at_the_telephones, cancelled_while_ringing, hung_up_at_the_answer),
    *(hung_up_while_nobody_rings, two_at_once, duty_line, waits_for_a_busy_operator),
    *(same_number_twice, abandoned_behind_another, caller_withholds_his_number, hostile_name),
    *(operator_calls_operator, hold_and_resume, hung_up_on_hold, blind_transfer),
    *(blind_transfer_comes_back, hung_up_in_a_transfer),
    *(attended_transfer, consultation_ends, conference, picked_up_elsewhere, listened_to),
    *(local_optimised, local_kept),
    # The exchange still looks for the lost telephones for half a minute: these come last.
    *(caller_lost_while_talking, off_the_network_while_talking, off_the_network_while_ringing),
)
PLAYS: dict[str, Play] = {play.__name__: play for play in ALL}
