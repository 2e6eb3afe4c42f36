"""Our client on the real Asterisk, with real calls: what the scripted exchange only imitates."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy import portable
from deploy.asterisk.config import Exchange, Line, Operator
from deploy.asterisk.ports import free_port, free_ports
from deploy.asterisk.process import Asterisk
from deploy.errors import ToolMissing
from telephony.buffer import Disconnected
from telephony.connection import AmiConnection
from telephony.errors import ActionRefused, Reason
from telephony.snapshot import Snapshot
from telephony.timing import Timing
from tests.deploy.sip_calls import Caller, Sipp, Telephone
from tests.telephony.exchange import Listener

pytestmark = pytest.mark.acceptance

HOSTILE = 'Пётр \\"Кв\\" \u2028CallerIDNum: 01\u2028Channel: PJSIP/a9-ffffffff'
"""As a SIP display name between quotes; the backslashes are SIP's own."""
PHONE = "13800002222"


@dataclass(slots=True, kw_only=True)
class Scene:
    asterisk: Asterisk
    connection: AmiConnection
    listener: Listener
    sipp: Sipp
    telephone_port: int

    @property
    def sip_port(self) -> int:
        return self.asterisk.exchange.sip_port


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    """One exchange with one line and one operator, and our client on it."""
    try:
        asterisk_tool, sipp_tool = portable.ensure("asterisk"), portable.ensure("sipp")
    except ToolMissing as missing:
        pytest.skip(str(missing))
    ports, telephone_port = free_ports(), free_port()
    contact = f"sip:1001@127.0.0.1:{telephone_port}"
    exchange = Exchange(
        system="mianyang-1",
        run_dir=tmp_path / "exchange",
        sip_port=ports.sip,
        ami_port=ports.ami,
        rtp_ports=ports.rtp,
        lines=(Line(name="mayor", number="12345", operators=("1001",), max_wait_seconds=20),),
        operators=(Operator(extension="1001", badge="8001", contact=contact),),
    )
    async with Asterisk(exchange, asterisk_tool) as asterisk, connected(asterisk) as (c, listener):
        yield Scene(
            asterisk=asterisk,
            connection=c,
            listener=listener,
            sipp=Sipp(sipp_tool, tmp_path / "sipp"),
            telephone_port=telephone_port,
        )


@asynccontextmanager
async def connected(asterisk: Asterisk) -> AsyncIterator[tuple[AmiConnection, Listener]]:
    listener = Listener()
    connection = AmiConnection(
        "127.0.0.1",
        asterisk.exchange.ami_port,
        "reader",
        asterisk.secrets.reader,
        system="mianyang-1",
        timing=Timing(first_retry=0.1, longest_retry=0.5),
    )
    running = asyncio.create_task(connection.run(listener.deliver))
    try:
        await listener.until("Snapshot")
        yield connection, listener
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def test_a_hostile_name_waits_in_the_queue_and_is_the_same_in_events_and_snapshot(
    scene: Scene,
) -> None:
    ringing = await scene.sipp.operator(Telephone(answers=False), scene.telephone_port)
    caller = Caller(number="12345", caller=PHONE, name=f'"{HOSTILE}" ', gives_up_after=3.0)
    calling = asyncio.create_task(scene.sipp.call(caller, scene.sip_port))
    await scene.listener.until("QueueCallerJoin", "AgentCalled")
    async with connected(scene.asterisk) as (second, later):  # as if the service began now
        snapshot = later.got[1]
        assert second.state.warning is None
    assert await calling == 0
    await scene.listener.until("QueueCallerAbandon", "Hangup", "Hangup")
    assert await ringing.wait() == 0

    born = next(e for e in scene.listener.events() if e.name == "Newchannel")
    name = born.keys["CallerIDName"]
    assert "\u2028CallerIDNum: 01" in name
    assert "Пётр" in name
    for event in scene.listener.events():
        if event.keys.get("Uniqueid") == born.keys["Uniqueid"]:
            assert event.keys["CallerIDNum"] == PHONE
            assert event.keys["Channel"] == born.keys["Channel"]
            assert event.keys["CallerIDName"] in {name, "<unknown>"}
    assert isinstance(snapshot, Snapshot)
    assert snapshot.missing == ()
    assert not snapshot.restarted
    assert {c.keys["Uniqueid"] for c in snapshot.channels} >= {born.keys["Uniqueid"]}
    for told in (*snapshot.waiting, *snapshot.channels, *snapshot.statuses):
        if told.keys["Channel"] == born.keys["Channel"]:
            assert told.keys["CallerIDNum"] == PHONE
            assert told.keys["CallerIDName"] == name, told.name
    (waits,) = snapshot.waiting
    assert waits.keys["Uniqueid"] == born.keys["Uniqueid"]
    assert [q.keys["Queue"] for q in snapshot.queues] == ["mayor"]
    assert [m.keys["Name"] for m in snapshot.members] == ["1001"]

    wire = scene.connection.state.wire
    assert (wire.repeats, wire.oversize, wire.unknown, wire.unreadable_lines) == (0, 0, 0, 0)
    lag = scene.connection.state.lag
    assert sum(lag.counts) > 0
    assert lag.longest < 5.0


async def test_who_talks_to_whom_is_in_the_bridges_of_a_snapshot(scene: Scene) -> None:
    await scene.sipp.operator(Telephone(rings_seconds=0.2), scene.telephone_port)
    caller = Caller(number="12345", caller=PHONE, name='"张伟" ', talk_seconds=3.0)
    calling = asyncio.create_task(scene.sipp.call(caller, scene.sip_port))
    await scene.listener.until("AgentConnect", "BridgeEnter", "BridgeEnter")
    async with connected(scene.asterisk) as (_, later):
        snapshot = later.got[1]
    assert await calling == 0
    await scene.listener.until("AgentComplete")
    assert isinstance(snapshot, Snapshot)
    (bridge,) = [b for b in snapshot.bridges if b.channels]
    inside = {c.keys["Channel"].split("-")[0] for c in bridge.channels}
    assert inside == {"PJSIP/trunk", "PJSIP/1001"}
    assert {c.keys["Linkedid"] for c in bridge.channels} == {snapshot.channels[0].keys["Linkedid"]}
    assert {c.keys["BridgeId"] for c in snapshot.channels} == {bridge.bridge_id}
    assert snapshot.waiting == ()


async def test_a_killed_exchange_comes_back_as_a_restarted_one(scene: Scene) -> None:
    await scene.asterisk.kill()
    await scene.listener.until("Disconnected")
    await asyncio.sleep(
        1.0 - asyncio.get_running_loop().time() % 1.0
    )  # its start is told in seconds
    await scene.asterisk.start()
    await scene.listener.until("Snapshot", "Snapshot")
    first, second = (s for s in scene.listener.got if isinstance(s, Snapshot))
    assert (first.restarted, second.restarted) == (False, True)
    gone = next(item for item in scene.listener.got if isinstance(item, Disconnected))
    assert gone.reason in {Reason.CLOSED, Reason.BROKEN}


async def test_the_reader_may_ask_and_may_not_command(scene: Scene) -> None:
    listed = await scene.connection.list_action("QueueSummary")
    assert listed.announced == len(listed.events) - 1
    with pytest.raises(ActionRefused, match="Permission denied"):
        await scene.connection.action("Command", {"Command": "core stop now"})
    await scene.asterisk.stop()
    await scene.listener.until("Disconnected")
    gone = next(item for item in scene.listener.got if isinstance(item, Disconnected))
    assert gone.reason is Reason.SHUTDOWN
