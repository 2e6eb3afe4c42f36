"""The calls on two lines with everything on: messages, opinions, groups, the block list, call-outs.

The exchange of `scenes.in_full`: line `mayor` (12345) rings 1001, after three seconds 1002, after
six the duty officer 1003, and takes a message at fourteen; line `duty` (8001) rings the officers
2001 and 2002 together, then the leader 2003 with them, then 2004. What is spoken takes a second
each, the notice two.
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from telephony.ringing import PREFIX, ring
from tests.calls.scenes import DUTY_OFFICER
from tests.calls.stage import Stage, desk, ended
from tests.deploy.sip_calls import RATE, Caller, Telephone, alaw, tone
from tests.deploy.sip_keys import Presser, presses_one

Play = Callable[[Stage], Awaitable[None]]
MAYOR, DUTY, CALLER = "12345", "8001", "13800001111"
WAITING = Telephone(answers=False)
HANGS_UP = Telephone(talk_seconds=2, hangs_up=True)
NOBODY_AT_MAYOR = {"1001": WAITING, "1002": WAITING, DUTY_OFFICER: WAITING}


async def _ring(stage: Stage, caller: str, telephones: Mapping[str, Telephone | str]) -> None:
    """One call; the telephones may ring as often as they like."""
    seats = [await stage.seat(name, one, calls=20) for name, one in telephones.items()]
    await stage.dial(caller)
    await asyncio.gather(*(ended(seat) for seat in seats))


# ---- a message ----


def _speech(stage: Stage, seconds: float) -> Path:
    sound = stage.sipp.folder / "speech.al"
    sound.write_bytes(alaw([*tone(440, seconds), *([0] * RATE * 30)]))
    return sound


async def message_left(stage: Stage) -> None:
    """Nobody takes it; the caller speaks after the beep, and is thanked when he is silent."""
    await _ring(stage, Presser(sound=_speech(stage, 22)).steps(), NOBODY_AT_MAYOR)


async def hung_up_in_the_message(stage: Stage) -> None:
    """He hangs up while he speaks: what he has said is his message."""
    caller = Presser(sound=_speech(stage, 40), hangs_up_after=24.0)
    await _ring(stage, caller.steps(), NOBODY_AT_MAYOR)


async def hung_up_before_the_beep(stage: Stage) -> None:
    """He is told to speak after the tone and hangs up before it."""
    caller = Presser(sound=_speech(stage, 40), hangs_up_after=16.6)
    await _ring(stage, caller.steps(), NOBODY_AT_MAYOR)


# ---- the two questions ----


async def survey_answered(stage: Stage) -> None:
    """The operator hangs up; solved, and not satisfied."""
    await _ask(stage, Presser(keys=((6.4, "1"), (1.2, "3"))))


async def survey_answered_in_part(stage: Stage) -> None:
    await _ask(stage, Presser(keys=((6.4, "2"),)))


async def survey_not_answered(stage: Stage) -> None:
    await _ask(stage, Presser())


async def hung_up_in_the_survey(stage: Stage) -> None:
    """At the second question, with the first one answered."""
    await _ask(stage, Presser(keys=((6.4, "1"),), hangs_up_after=0.5))


async def _ask(stage: Stage, caller: Presser) -> None:
    await stage.play(caller.steps(), {"1001": HANGS_UP})


# ---- who is rung ----


async def overflow_to_the_second_group(stage: Stage) -> None:
    caller = Caller(number=MAYOR, talk_seconds=10)
    await _ring(stage, caller.steps(), {"1001": WAITING, "1002": Telephone(rings_seconds=0.2)})


async def overflow_to_the_duty_officer(stage: Stage) -> None:
    caller = Caller(number=MAYOR, talk_seconds=16)
    telephones = {**NOBODY_AT_MAYOR, DUTY_OFFICER: Telephone(rings_seconds=0.2)}
    await _ring(stage, caller.steps(), telephones)


async def duty_taken_by_an_officer(stage: Stage) -> None:
    """Both ring at once; the first who picks up has it."""
    await _on_duty(stage, {"2001": WAITING, "2002": Telephone(rings_seconds=1)})


async def duty_taken_by_the_leader(stage: Stage) -> None:
    telephones = {"2001": WAITING, "2002": WAITING, "2003": Telephone(rings_seconds=0.5)}
    await _on_duty(stage, telephones)


async def duty_taken_by_the_next(stage: Stage) -> None:
    telephones = {"2001": WAITING, "2002": WAITING, "2003": WAITING}
    await _on_duty(stage, {**telephones, "2004": Telephone(rings_seconds=0.5)})


async def duty_taken_by_nobody(stage: Stage) -> None:
    caller = Caller(number=DUTY, refused=480)
    await _ring(stage, caller.steps(), dict.fromkeys(("2001", "2002", "2003", "2004"), WAITING))


async def hung_up_while_the_leader_rings(stage: Stage) -> None:
    caller = Caller(number=DUTY, gives_up_after=3.5, answered_early=False)
    await _ring(stage, caller.steps(), dict.fromkeys(("2001", "2002", "2003"), WAITING))


async def _on_duty(stage: Stage, telephones: Mapping[str, Telephone | str]) -> None:
    await _ring(stage, Caller(number=DUTY, talk_seconds=2).steps(), telephones)


# ---- who is kept out, who is spared the notice ----


async def blocked(stage: Stage) -> None:
    """He is told why, presses nothing and is cut off."""
    _block(stage)
    await stage.dial(Presser().steps())


async def blocked_and_insists(stage: Stage) -> None:
    """He presses 1 and is put through to the duty officer alone."""
    _block(stage)
    caller = Presser(keys=((1.5, "1"),), hangs_up_after=6.0)
    await _ring(stage, caller.steps(), {"1001": WAITING, DUTY_OFFICER: Telephone()})


async def hung_up_while_blocked(stage: Stage) -> None:
    """He hangs up while he is told that he is kept out."""
    _block(stage)
    await stage.dial(Presser(hangs_up_after=0.7).steps())


def _block(stage: Stage) -> None:
    """What the service does: an empty file whose time is the end of the block."""
    path = stage.asterisk.exchange.blocked_dir / CALLER
    path.touch()
    os.utime(path, (time.time() + 600,) * 2)


async def dials_again_and_hears_no_notice(stage: Stage) -> None:
    """Cut off while he waits, he dials again within a minute and waits at once."""
    await _ring(stage, Caller(number=MAYOR, gives_up_after=3).steps(), {"1001": WAITING})
    await stage.play(Caller(number=MAYOR, talk_seconds=2.5), {"1001": Telephone()})


# ---- call-outs ----


async def called_out_and_acknowledged(stage: Stage) -> None:
    """The service rings 1004, who picks up and presses 1."""
    await _call_out(stage, "acknowledged", presses_one(1.5))


async def called_out_and_not_acknowledged(stage: Stage) -> None:
    """He picks up, is asked three times and presses nothing."""
    await _call_out(stage, "heard", Telephone(talk_seconds=60).steps())


async def called_out_and_not_answered(stage: Stage) -> None:
    await _call_out(stage, "unanswered", WAITING.steps())


async def _call_out(stage: Stage, name: str, telephone: str) -> None:
    seat = await stage.seat("1004", telephone)
    async with desk(stage.asterisk) as hands:
        await ring(
            hands.actor,
            f"{PREFIX}1-1-{name}",
            "1004",
            inside=True,
            shown=MAYOR,
            seat="1001",
            seconds=4,
        )
        await asyncio.wait_for(seat.wait(), 40)


ALL: tuple[Play, ...] = (
    *(message_left, hung_up_in_the_message, hung_up_before_the_beep),
    *(survey_answered, survey_answered_in_part, survey_not_answered, hung_up_in_the_survey),
    *(overflow_to_the_second_group, overflow_to_the_duty_officer),
    *(duty_taken_by_an_officer, duty_taken_by_the_leader, duty_taken_by_the_next),
    *(duty_taken_by_nobody, hung_up_while_the_leader_rings),
    *(blocked, blocked_and_insists, hung_up_while_blocked, dials_again_and_hears_no_notice),
    *(called_out_and_acknowledged, called_out_and_not_acknowledged, called_out_and_not_answered),
)
IN_FULL: dict[str, Play] = {play.__name__: play for play in ALL}
