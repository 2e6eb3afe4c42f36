"""What is true right now, collected from an exchange that is in the middle of calls."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from telephony.connection import AmiConnection
from telephony.errors import Reason
from telephony.snapshot import Snapshot
from tests.telephony.exchange import (
    Headers,
    Listener,
    ManualClock,
    Peer,
    ScriptedExchange,
    error,
    listing,
    until,
)


def channel(number: int, **more: str) -> tuple[str, ...]:
    headers = {
        "Channel": f"PJSIP/trunk-0000000{number}",
        "Uniqueid": f"mianyang-1-1763870000.{number}",
        "Linkedid": "mianyang-1-1763870000.1",
        "CallerIDName": r"\"张伟\"",
        **more,
    }
    return tuple(f"{key}: {value}" for key, value in headers.items())


def talking_exchange() -> ScriptedExchange:
    """Two channels in one bridge, one caller waiting, one bridge that goes while we ask."""
    exchange = ScriptedExchange()

    def inside(_: Peer, asked: Headers) -> bytes:
        if asked["BridgeUniqueid"] != "b-1":
            return error(asked, "Specified BridgeUniqueid not found")
        items = [("BridgeInfoChannel", *channel(n)) for n in (1, 2)]
        return listing(asked, "BridgeInfoComplete", *items)

    exchange.answers |= {
        "CoreShowChannels": lambda _, asked: listing(
            asked,
            "CoreShowChannelsComplete",
            *[
                ("CoreShowChannel", *channel(n, BridgeId="b-1", Duration="00:00:09"))
                for n in (1, 2)
            ],
        ),
        "Status": lambda _, asked: listing(
            asked, "StatusComplete", ("Status", *channel(1, Seconds="9"))
        ),
        "BridgeList": lambda _, asked: listing(
            asked,
            "BridgeListComplete",
            ("BridgeListItem", "BridgeUniqueid: b-1", "BridgeNumChannels: 2"),
            ("BridgeListItem", "BridgeUniqueid: gone", "BridgeNumChannels: 0"),
        ),
        "BridgeInfo": inside,
        "QueueStatus": lambda _, asked: listing(
            asked,
            "QueueStatusComplete",
            ("QueueParams", "Queue: mayor", "Calls: 1"),
            ("QueueMember", "Queue: mayor", "Name: 1001"),
            ("QueueEntry", "Queue: mayor", "Wait: 7", *channel(3)),
        ),
    }
    return exchange


async def taken(exchange: ScriptedExchange) -> tuple[Snapshot, AmiConnection]:
    async with exchange:
        listener = Listener()
        connection = AmiConnection(
            "127.0.0.1",
            exchange.port,
            "reader",
            "s3cret",
            system="mianyang-1",
            clock=ManualClock(),
        )
        running = asyncio.create_task(connection.run(listener.deliver))
        await listener.until("Snapshot")
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
    (snapshot,) = (item for item in listener.got if isinstance(item, Snapshot))
    return snapshot, connection


async def test_channels_bridges_and_queues_are_told_apart() -> None:
    snapshot, _ = await taken(talking_exchange())
    assert snapshot.system == "mianyang-1"
    assert snapshot.generation == 1
    assert snapshot.taken_at == ManualClock().now()
    assert snapshot.exchange_started == "2026-11-23 08:00:00"
    assert not snapshot.restarted
    assert snapshot.missing == ()
    assert [c.keys["Uniqueid"][-2:] for c in snapshot.channels] == [".1", ".2"]
    assert snapshot.channels[0].keys["BridgeId"] == "b-1"
    assert snapshot.channels[0].keys["CallerIDName"] == '"张伟"'
    assert [s.keys["Seconds"] for s in snapshot.statuses] == ["9"]
    (bridge,) = snapshot.bridges
    assert bridge.bridge_id == "b-1"
    assert bridge.item.keys["BridgeNumChannels"] == "2"
    assert [c.keys["Uniqueid"][-2:] for c in bridge.channels] == [".1", ".2"]
    assert [q.keys["Queue"] for q in snapshot.queues] == ["mayor"]
    assert [m.keys["Name"] for m in snapshot.members] == ["1001"]
    (waits,) = snapshot.waiting
    assert waits.keys["Wait"] == "7"
    assert waits.keys["CallerIDName"] == r"\"张伟\""  # QueueEntry is not escaped by Asterisk


async def test_what_the_exchange_refuses_is_named_and_the_rest_is_whole() -> None:
    exchange = talking_exchange()
    exchange.answers["CoreShowChannels"] = lambda _, asked: error(asked, "Permission denied")
    exchange.answers["CoreStatus"] = lambda _, asked: error(asked, "Permission denied")
    snapshot, connection = await taken(exchange)
    assert snapshot.channels == ()
    assert snapshot.exchange_started is None
    assert len(snapshot.waiting) == 1
    assert snapshot.missing == (
        "The exchange refused the action CoreStatus: Permission denied.",
        "The exchange refused the action CoreShowChannels: Permission denied.",
    )
    assert "CoreShowChannels: Permission denied" in str(connection.state.warning)


@pytest.mark.parametrize("mute", ["CoreStatus", "BridgeInfo", "QueueStatus"])
async def test_an_exchange_that_stops_answering_gives_no_half_snapshot(mute: str) -> None:
    exchange = talking_exchange()
    exchange.answers[mute] = lambda *_: None
    clock, listener = ManualClock(), Listener()
    async with exchange:
        connection = AmiConnection(
            "127.0.0.1", exchange.port, "reader", "s3cret", system="mianyang-1", clock=clock
        )
        running = asyncio.create_task(connection.run(listener.deliver))
        await (await exchange.peer()).received(mute)
        clock.advance(30.0)
        await listener.until("Disconnected")
        assert "Snapshot" not in listener.kinds()
        await until(lambda: connection.state.reconnects == {Reason.SLOW_ANSWER: 1})
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
