"""Real SIP calls through the real exchange: what it records and what it writes down."""

import asyncio
import csv
import socket
import time
import wave
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import pytest

from deploy.asterisk.config import Exchange, Operator
from deploy.asterisk.ports import free_port
from deploy.asterisk.process import Asterisk
from deploy.portable import Tool
from tests.deploy.conftest import MakeExchange
from tests.deploy.sip_calls import (
    RATE,
    Caller,
    Sipp,
    Telephone,
    alaw,
    power,
    registration,
    samples,
    tone,
)

pytestmark = pytest.mark.acceptance

Answer = Literal["before_queue", "by_operator"]
MODES = pytest.mark.parametrize("answer", ["before_queue", "by_operator"])
CALLER_HERTZ, OPERATOR_HERTZ, RING_HERTZ = 440, 1000, 450
COLUMNS = (
    *("eventtype", "eventtime", "cid_name", "cid_num", "exten", "context", "channame"),
    *("appname", "appdata", "uniqueid", "linkedid", "peer", "extra"),
)


def cel_rows(exchange: Exchange) -> list[dict[str, str]]:
    with exchange.cel_file.open(newline="", encoding="utf-8") as file:
        return [dict(zip(COLUMNS, row, strict=True)) for row in csv.reader(file)]


def queue_events(exchange: Exchange) -> list[str]:
    lines = exchange.queue_log_file.read_text().splitlines()
    return [line.split("|")[4] for line in lines if "|mayor|" in line]


def event_types(exchange: Exchange) -> list[str]:
    return [row["eventtype"] for row in cel_rows(exchange)]


async def ended(exchange: Exchange, calls: int = 1) -> None:
    """Wait until the exchange has written the end of every call."""
    async with asyncio.timeout(15):
        while event_types(exchange).count("LINKEDID_END") < calls:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def closed(path: Path) -> list[int]:
    """Return the samples of a recording once Asterisk has written its header."""
    async with asyncio.timeout(10):
        while True:
            try:
                return samples(path)
            except (OSError, EOFError, wave.Error):
                await asyncio.sleep(0.05)


def notice(path: Path, seconds: float) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(b"".join(s.to_bytes(2, "little", signed=True) for s in tone(700, seconds)))
    return path


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What every call needs: an exchange described, the programs, a folder for sound."""

    make: MakeExchange
    asterisk: Tool
    sipp: Sipp
    folder: Path


@pytest.fixture
def stage(make_exchange: MakeExchange, asterisk_tool: Tool, sipp: Sipp, tmp_path: Path) -> Stage:
    return Stage(make=make_exchange, asterisk=asterisk_tool, sipp=sipp, folder=tmp_path)


@dataclass(frozen=True, kw_only=True)
class Legs:
    caller: list[int]
    operator: list[int]

    @classmethod
    async def read(cls, exchange: Exchange) -> "Legs":
        start = next(row for row in cel_rows(exchange) if row["appname"] == "MixMonitor")
        folder, name = exchange.recordings_dir, start["uniqueid"]
        return cls(
            caller=await closed(folder / f"{name}-caller.wav"),
            operator=await closed(folder / f"{name}-operator.wav"),
        )


def time_of(exchange: Exchange, eventtype: str, channel: str, app: str = "") -> float:
    for row in cel_rows(exchange):
        same = row["eventtype"] == eventtype and row["channame"].startswith(channel)
        if same and app in ("", row["appname"]):
            return float(row["eventtime"])
    raise AssertionError(f"no {eventtype} of {channel} {app}")


@MODES
async def test_an_answered_call_leaves_its_story_and_both_voices(
    answer: Answer, stage: Stage
) -> None:
    (stage.folder / "caller.al").write_bytes(alaw(tone(CALLER_HERTZ, 6)))
    (stage.folder / "operator.al").write_bytes(alaw(tone(OPERATOR_HERTZ, 6)))
    port = free_port(socket.SOCK_DGRAM)
    exchange = stage.make(contact_port=port, answer=answer)
    async with Asterisk(exchange, stage.asterisk):
        telephone = await stage.sipp.operator(
            Telephone(sound=stage.folder / "operator.al", rings_seconds=1.0), port
        )
        caller = Caller(number="12345", sound=stage.folder / "caller.al", talk_seconds=4)
        began = time.time()
        assert await stage.sipp.call(caller, exchange.sip_port) == 0
        took = time.time() - began
        assert await telephone.wait() == 0
        await ended(exchange)

    assert queue_events(exchange) == ["ENTERQUEUE", "CONNECT", "COMPLETECALLER"]
    rows = cel_rows(exchange)
    mine = [row for row in rows if row["context"] == "from-trunk"]
    assert {row["exten"] for row in mine} == {"12345"}
    assert {row["linkedid"] for row in rows} == {mine[0]["uniqueid"]}
    assert mine[0]["uniqueid"].startswith("mianyang-1-")
    assert abs(float(mine[0]["eventtime"]) - began) < 1
    kinds = [row["eventtype"] for row in mine]
    assert kinds[0] == "CHAN_START"
    assert {"ANSWER", "BRIDGE_ENTER", "BRIDGE_EXIT", "HANGUP", "CHAN_END"} <= set(kinds)
    assert rows[-1]["eventtype"] == "LINKEDID_END"  # on whichever channel ended last

    legs = await Legs.read(exchange)
    recorded = time_of(exchange, "HANGUP", "PJSIP/trunk") - time_of(
        exchange, "APP_START", "PJSIP/trunk", "MixMonitor"
    )
    assert recorded <= took
    for leg in (legs.caller, legs.operator):
        assert abs(len(leg) / RATE - recorded) < 0.5
    bridged = time_of(exchange, "BRIDGE_ENTER", "PJSIP/trunk") - time_of(
        exchange, "APP_START", "PJSIP/trunk", "MixMonitor"
    )
    talk = slice(int((bridged + 0.3) * RATE), int((recorded - 0.5) * RATE))
    before = slice(int(0.2 * RATE), int((bridged - 0.2) * RATE))
    for leg, own, other in (
        (legs.caller[talk], CALLER_HERTZ, OPERATOR_HERTZ),
        (legs.operator[talk], OPERATOR_HERTZ, CALLER_HERTZ),
    ):
        # 40 dB apart: the other voice is at most a hundredth as loud.
        assert power(leg, own) > 3000**2
        assert power(leg, own) > 10_000 * power(leg, other)
    assert power(legs.operator[before], OPERATOR_HERTZ) < 100**2
    assert power(legs.operator[before], RING_HERTZ) > 300**2  # what the waiting caller heard


def onsets(leg: list[int]) -> list[float]:
    """Return when each beep of the operator begins, to 5 ms.

    A late packet may cut a beep in two; beeps lie 0.5 s apart, its parts do not.
    """
    window, sounding = 80, False
    found: list[float] = []
    for at in range(0, len(leg) - window, window // 2):
        loud = power(leg[at : at + window], OPERATOR_HERTZ)
        if loud > 800**2 and not sounding:
            sounding = True
            if not found or at / RATE - found[-1] > 0.3:
                found.append(at / RATE)
        elif loud < 200**2:
            sounding = False
    return found


@MODES
@pytest.mark.parametrize("with_notice", [False, True])
async def test_both_legs_keep_one_clock(
    answer: Answer,
    with_notice: bool,  # noqa: FBT001
    stage: Stage,
) -> None:
    beeps: list[int] = []
    gaps = (0.3, 0.5, 0.9, 0.4)
    for gap in gaps:
        beeps += [0] * int(RATE * gap) + tone(OPERATOR_HERTZ, 0.1)
    (stage.folder / "beeps.al").write_bytes(alaw(beeps + [0] * 3 * RATE))
    port = free_port(socket.SOCK_DGRAM)
    words = {"notice": notice(stage.folder / "notice.wav", 1.0)} if with_notice else {}
    exchange = stage.make(contact_port=port, answer=answer, **words)
    async with Asterisk(exchange, stage.asterisk):
        telephone = await stage.sipp.operator(
            Telephone(sound=stage.folder / "beeps.al", rings_seconds=1.5), port
        )
        # The caller sends back whatever it hears, so the same beep is in both legs.
        seconds = 6.5 if answer == "before_queue" else 4.0
        caller = Caller(number="12345", talk_seconds=seconds)
        assert await stage.sipp.call(caller, exchange.sip_port, "-rtp_echo") == 0
        assert await telephone.wait() == 0
        await ended(exchange)

    legs = await Legs.read(exchange)
    spoken, heard = onsets(legs.operator), onsets(legs.caller)
    assert len(spoken) == len(heard) == len(gaps)
    for said, echoed in zip(spoken, heard, strict=True):
        # 20 ms on an idle machine: the way to the caller and back. Without one clock it would
        # be the 1.5 s of ringing, in which the caller sends nothing.
        assert abs(echoed - said) < 0.5
    answered = time_of(exchange, "BRIDGE_ENTER", "PJSIP/trunk") - time_of(
        exchange, "APP_START", "PJSIP/trunk", "MixMonitor"
    )
    assert abs(spoken[0] - answered - gaps[0]) < 0.5  # the files begin with MixMonitor
    told = time_of(exchange, "APP_START", "PJSIP/trunk", "MixMonitor") - time_of(
        exchange, "CHAN_START", "PJSIP/trunk"
    )
    assert (told > 0.95) == with_notice  # the notice was played whole, before the recording


@MODES
async def test_a_caller_who_gives_up_is_an_abandoned_call(answer: Answer, stage: Stage) -> None:
    port = free_port(socket.SOCK_DGRAM)
    exchange = stage.make(contact_port=port, answer=answer, ring_seconds=10, max_wait_seconds=20)
    async with Asterisk(exchange, stage.asterisk):
        telephone = await stage.sipp.operator(Telephone(answers=False), port)
        caller = Caller(number="12345", gives_up_after=2.0, answered_early=answer == "before_queue")
        assert await stage.sipp.call(caller, exchange.sip_port) == 0
        assert await telephone.wait() == 0
        await ended(exchange)
    story = queue_events(exchange)
    assert story[0] == "ENTERQUEUE"
    assert story[-1] == "ABANDON"
    assert "UNANSWERED" not in event_types(exchange)


@MODES
async def test_a_call_nobody_takes_is_marked_unanswered(answer: Answer, stage: Stage) -> None:
    port = free_port(socket.SOCK_DGRAM)
    exchange = stage.make(contact_port=port, answer=answer, ring_seconds=2, max_wait_seconds=2)
    async with Asterisk(exchange, stage.asterisk):
        telephone = await stage.sipp.operator(Telephone(answers=False), port)
        early = answer == "before_queue"
        caller = Caller(number="12345", hangs_up=False, refused=None if early else 480)
        assert await stage.sipp.call(caller, exchange.sip_port) == 0
        assert await telephone.wait() == 0
        await ended(exchange)
    assert queue_events(exchange) == ["ENTERQUEUE", "RINGNOANSWER", "EXITWITHTIMEOUT"]
    marks = [row for row in cel_rows(exchange) if row["eventtype"] == "UNANSWERED"]
    assert [row["extra"] for row in marks] == ['{"extra":"TIMEOUT"}']
    assert "BRIDGE_ENTER" not in event_types(exchange)


async def test_a_caller_who_leaves_during_the_notice_never_reaches_the_queue(stage: Stage) -> None:
    exchange = stage.make(notice=notice(stage.folder / "notice.wav", 5.0))
    async with Asterisk(exchange, stage.asterisk):
        assert (
            await stage.sipp.call(Caller(number="12345", talk_seconds=1.5), exchange.sip_port) == 0
        )
        await ended(exchange)
    assert queue_events(exchange) == []
    apps = {row["appname"] for row in cel_rows(exchange)}
    assert apps.isdisjoint({"Queue", "MixMonitor"})
    assert list(exchange.recordings_dir.iterdir()) == []


async def test_from_the_trunk_nothing_but_the_lines_can_be_dialled(stage: Stage) -> None:
    exchange = stage.make()
    async with Asterisk(exchange, stage.asterisk):
        for number in ("1001", "110", "013800001111", "s", "h", "mayor"):
            caller = Caller(number=number, refused=404)
            assert await stage.sipp.call(caller, exchange.sip_port) == 0, number
    assert cel_rows(exchange) == []


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ('"../../../etc/passwd $(touch here) `id`" ', "13800001111"),
        ('"a,b;c|d\\"e ${SHELL(id)}" ', "%2E%2E%2F..%2Fx"),
        ('"李\u2028CallerIDNum: 110\u0085Channel: PJSIP/1001" ', "1%0D%0AX"),
    ],
)
async def test_a_hostile_caller_id_names_no_file_and_breaks_no_row(
    name: str, number: str, stage: Stage
) -> None:
    port = free_port(socket.SOCK_DGRAM)
    exchange = stage.make(contact_port=port)
    async with Asterisk(exchange, stage.asterisk):
        telephone = await stage.sipp.operator(Telephone(), port)
        caller = Caller(number="12345", caller=number, name=name, talk_seconds=1.5)
        assert await stage.sipp.call(caller, exchange.sip_port) == 0
        assert await telephone.wait() == 0
        await ended(exchange)
    rows = cel_rows(exchange)  # every row has its columns, or zip(strict) would have raised
    unique = rows[0]["uniqueid"]
    names = {path.name for path in exchange.recordings_dir.iterdir()}
    assert names == {f"{unique}-caller.wav", f"{unique}-operator.wav"}
    assert "ABANDON" not in queue_events(exchange)
    everywhere = {path.name for path in exchange.run_dir.rglob("*")}
    assert everywhere.isdisjoint({"here", "passwd", "x"})


async def test_two_calls_at_once_have_two_stories(stage: Stage) -> None:
    port = free_port(socket.SOCK_DGRAM)
    exchange = stage.make(contact_port=port, ring_seconds=10, max_wait_seconds=20)
    async with Asterisk(exchange, stage.asterisk):
        telephone = await stage.sipp.operator(Telephone(rings_seconds=0.3), port)
        talking = Caller(number="12345", caller="13800000001", talk_seconds=5)
        first = asyncio.create_task(stage.sipp.call(talking, exchange.sip_port))
        async with asyncio.timeout(10):
            while "CONNECT" not in queue_events(exchange):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        waiting = Caller(number="12345", caller="13800000002", talk_seconds=2)
        assert await stage.sipp.call(waiting, exchange.sip_port) == 0
        assert await first == 0
        assert await telephone.wait() == 0
        await ended(exchange, calls=2)
    linked = {row["linkedid"] for row in cel_rows(exchange)}
    assert len(linked) == 2
    # One operator, ringinuse=no: the second caller waits and gives up.
    assert queue_events(exchange).count("ENTERQUEUE") == 2
    assert queue_events(exchange).count("CONNECT") == 1
    assert queue_events(exchange).count("ABANDON") == 1


async def test_a_telephone_signs_on_with_its_secret_and_takes_a_call(stage: Stage) -> None:
    described = stage.make(ring_seconds=10, max_wait_seconds=30)
    exchange = replace(described, operators=(Operator(extension="1001"),))
    # From the trunk's own address it would be the trunk; a telephone has another one.
    address, port = "127.0.0.2", free_port(socket.SOCK_DGRAM, "127.0.0.2")
    async with Asterisk(exchange, stage.asterisk) as asterisk:
        registrar = f"127.0.0.1:{exchange.sip_port}"
        right = asterisk.secrets.operators["1001"]
        for secret, answer in (("a-wrong-secret", 401), (right, 200)):
            steps = registration("1001", secret, f"{address}:{port}", last=answer)
            process = await stage.sipp.start(steps, registrar, address=address, port=port)
            assert await process.wait() == 0, answer
        # -aa: it also answers the OPTIONS by which Asterisk looks whether it is there.
        steps = Telephone().steps()
        telephone = await stage.sipp.start(steps, "-aa", address=address, port=port, calls=9)
        caller = Caller(number="12345", talk_seconds=9)
        call = asyncio.create_task(stage.sipp.call(caller, exchange.sip_port))
        async with asyncio.timeout(20):
            while "CONNECT" not in queue_events(exchange):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert await call == 0
        await ended(exchange)
        telephone.kill()
        await telephone.wait()
    assert queue_events(exchange) == ["ENTERQUEUE", "CONNECT", "COMPLETECALLER"]


async def test_stopping_in_the_middle_of_a_call_still_ends_its_story(stage: Stage) -> None:
    port = free_port(socket.SOCK_DGRAM)
    exchange = stage.make(contact_port=port)
    async with Asterisk(exchange, stage.asterisk):
        telephone = await stage.sipp.operator(Telephone(rings_seconds=0.2), port)
        talking = Caller(number="12345", hangs_up=False)
        call = asyncio.create_task(stage.sipp.call(talking, exchange.sip_port))
        async with asyncio.timeout(10):
            while "CONNECT" not in queue_events(exchange):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    assert await call == 0  # both sides were told by BYE
    assert await telephone.wait() == 0
    assert event_types(exchange)[-1] == "LINKEDID_END"
