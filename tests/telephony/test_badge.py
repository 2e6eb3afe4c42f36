"""The badge of who picked up: told to the caller alone, before the talk, and part of the call."""

import wave
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
import pytest_asyncio

from deploy import portable
from deploy.asterisk.config import Exchange
from deploy.asterisk.line_plan import BADGE_SOUNDS
from deploy.errors import ExchangeInvalid, ToolMissing
from hotline.badges import write_badges
from telephony import cel
from telephony.calls import Call, CallEnded, CallTracker, Outcome, Side
from telephony.events import System
from tests.calls.recorded import RULES
from tests.deploy.sip_calls import tone
from tests.phones.softphones import HEARD, SILENT
from tests.phones.sounds import RATE, loudness
from tests.phones.stage import CITIZEN_HZ, HOTLINE, OPERATOR, OPERATOR_HZ, Stage, staged

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.timeout(120),
    pytest.mark.asyncio(loop_scope="module"),
]
BADGE = "8020"
HERTZ = {name: 1450 + 60 * n for n, name in enumerate(BADGE_SOUNDS)}
"""Each word of the announcement is a tone here, so that it is known by its frequency."""
WORD_SECONDS = 0.5
SAID = ["badge-before", *(f"digits/{digit}" for digit in BADGE), "badge-after"]
TAKES = timedelta(seconds=WORD_SECONDS * len(SAID))


def telling(exchange: Exchange) -> Exchange:
    folder = exchange.run_dir.parent / "spoken"
    for name, hertz in HERTZ.items():
        path = folder / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            samples = tone(hertz, WORD_SECONDS)
            file.writeframes(b"".join(one.to_bytes(2, "little", signed=True) for one in samples))
    (line,) = exchange.lines
    return replace(exchange, lines=(replace(line, tells_badge=True),), sounds=folder)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    try:
        tool = portable.ensure("asterisk")
    except ToolMissing as missing:
        pytest.skip(str(missing))
    async with staged(tmp_path_factory.mktemp("badge"), tool, telling) as ready:
        yield ready


@pytest_asyncio.fixture(loop_scope="module")
async def stage(running: Stage) -> Stage:
    await running.begin()
    write_badges(running.asterisk.exchange.badges_dir, {OPERATOR: BADGE})
    return running


def words(samples: list[int]) -> list[str]:
    """The words of the announcement in the order in which they were heard."""
    part = RATE // 10
    heard: list[str] = []
    for start in range(0, len(samples) - part, part):
        loud = {name: loudness(samples[start : start + part], hz) for name, hz in HERTZ.items()}
        best = max(loud, key=lambda name: loud[name])
        if loud[best] > 10 * HEARD and (not heard or heard[-1] != best):
            heard.append(best)
    return heard


def told_by_files(stage: Stage) -> Call:
    exchange = stage.asterisk.exchange
    tracker = CallTracker(RULES)
    rows = exchange.cel_file.read_bytes().splitlines()
    facts = [fact for row in rows if (fact := cel.parse(row, System(exchange.system)))]
    events = [event for fact in facts for event in tracker.observe(fact)]
    return [event.call for event in events if isinstance(event, CallEnded)][-1]


def moment(stage: Stage, kind: str, channel: str) -> float:
    rows = [row for row in stage.cel(kind) if row["channame"].startswith(channel)]
    return float(rows[0]["eventtime"])


async def test_the_caller_alone_hears_the_badge_before_the_talk(stage: Stage) -> None:
    at_home = await stage.citizen.dial(HOTLINE)
    at_desk = await stage.operator.answer()
    await stage.citizen.hears(at_home, yes=[OPERATOR_HZ])
    await stage.operator.hears(at_desk, yes=[CITIZEN_HZ])
    heard = stage.citizen.samples(at_home)
    assert words(heard) == SAID
    at_operator = stage.operator.samples(at_desk)
    assert not any(loudness(at_operator, hertz) > SILENT for hertz in HERTZ.values())
    await stage.citizen.order("hang_up", call=at_home)
    await stage.empty()
    picked_up = moment(stage, "ANSWER", f"PJSIP/{OPERATOR}-")
    spoke = moment(stage, "BRIDGE_ENTER", f"PJSIP/{OPERATOR}-")
    assert spoke - picked_up >= TAKES.total_seconds() - 0.2
    call = told_by_files(stage)
    assert (call.operator, call.badge, call.outcome) == (OPERATOR, BADGE, Outcome.ANSWERED)
    assert call.answered_at is not None
    assert abs(call.answered_at.timestamp() - picked_up) < 0.2


async def test_who_hangs_up_while_it_is_told_was_answered(stage: Stage) -> None:
    at_home = await stage.citizen.dial(HOTLINE)
    await stage.operator.answer()
    await stage.until(lambda: bool(stage.cel("BADGE")))
    await stage.citizen.order("hang_up", call=at_home)
    await stage.empty()
    call = told_by_files(stage)
    assert (call.operator, call.badge) == (OPERATOR, BADGE)
    assert (call.outcome, call.hangup_by) == (Outcome.ANSWERED, Side.CALLER)


async def test_an_operator_who_hangs_up_while_it_is_told_leaves_nobody_hanging(
    stage: Stage,
) -> None:
    await stage.citizen.dial(HOTLINE)
    at_desk = await stage.operator.answer()
    await stage.until(lambda: bool(stage.cel("BADGE")))
    await stage.operator.order("hang_up", call=at_desk)
    await stage.empty()
    call = told_by_files(stage)
    assert (call.outcome, call.hangup_by) == (Outcome.ANSWERED, Side.OPERATOR)


async def test_where_nobody_has_logged_in_nothing_is_told(stage: Stage) -> None:
    write_badges(stage.asterisk.exchange.badges_dir, {})
    at_home = await stage.citizen.dial(HOTLINE)
    await stage.operator.answer()
    await stage.citizen.hears(at_home, yes=[OPERATOR_HZ])
    assert words(stage.citizen.samples(at_home)) == []
    await stage.citizen.order("hang_up", call=at_home)
    await stage.empty()
    assert told_by_files(stage).badge is None


async def test_a_line_that_rings_together_tells_no_badge(stage: Stage) -> None:
    (line,) = stage.asterisk.exchange.lines
    with pytest.raises(ExchangeInvalid, match="rings together and tells a badge"):
        replace(line, rings="together")
