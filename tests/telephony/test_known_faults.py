"""Our client against every fault that was found in another one, by its number."""

from __future__ import annotations

import asyncio
import logging
import time

import pytest

from telephony.buffer import Delivery, Disconnected
from telephony.errors import (
    ActionLost,
    ActionRefused,
    ActionTimeout,
    NotConnected,
    Reason,
    UnsafeAction,
)
from tests.telephony.client import bench
from tests.telephony.exchange import (
    Headers,
    Peer,
    ScriptedExchange,
    error,
    event,
    listing,
    message,
    success,
)


async def test_a1_a_quiet_hour_ends_nothing_and_the_next_event_arrives() -> None:
    async with bench() as b:
        peer = await b.ready()
        for hour in range(720):
            await b.clock.pass_sleep(5.0)
            await peer.received("Ping", hour + 1)
        peer.send(event("Newchannel", Uniqueid="late"))
        await b.listener.until("Newchannel")
        assert len(b.exchange.peers) == 1
        assert b.connection.state.reconnects == {}


async def test_a1c_p5_silence_is_seen_after_two_pings_and_ends_in_a_new_connection() -> None:
    async with bench() as b:
        peer = await b.ready()
        b.exchange.answers["Ping"] = lambda *_: None
        held = asyncio.create_task(b.connection.action("Ping", seconds=3600.0))
        for missed in (1, 2):
            await b.clock.pass_sleep(5.0)
            await peer.received("Ping", missed + 1)
            b.clock.advance(5.0)
        with pytest.raises(ActionLost, match="is not sent again"):
            await held
        await b.after_retry()
        del b.exchange.answers["Ping"]
        await b.ready(2)
        assert b.connection.state.reconnects == {Reason.SILENT: 1}
        assert b.connection.state.pings_missed == 2
        assert len(b.connection._session.inflight) == 0  # type: ignore[union-attr]
        assert "2 pings in a row" in str(b.connection.state.last_error)


async def test_a3_p2_a_consumer_that_raises_loses_nothing_and_kills_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with bench() as b:
        peer = await b.ready()
        await b.listener.until("FullyBooted")
        b.listener.faults = [ValueError("one"), KeyError("two"), RuntimeError("three")]
        with caplog.at_level(logging.ERROR):
            peer.send(b"".join(event("Newchannel", Uniqueid=str(n)) for n in range(5)))
            await b.listener.until(*["Newchannel"] * 5)
        assert b.connection.state.consumer_errors == 3
        assert b.connection.state.connected
        assert len(b.exchange.peers) == 1
        assert len(caplog.records) == 2  # the first and the second; a flood is one fault


async def test_a3_a_coroutine_that_raises_is_no_different() -> None:
    got: list[str] = []
    done = asyncio.Event()

    async def deliver(delivery: Delivery) -> None:
        await asyncio.sleep(0)
        got.append(getattr(delivery, "name", type(delivery).__name__))
        if got[-1] == "Last":
            done.set()
        raise ValueError(got[-1])

    async with bench(deliver=deliver) as b:
        peer = await b.exchange.peer()
        await peer.received("QueueStatus")
        peer.send(event("First") + event("Last"))
        await done.wait()
        assert got == ["Connected", "Snapshot", "FullyBooted", "First", "Last"]
        assert b.connection.state.consumer_errors == 5


async def test_p1_a_letter_cut_in_two_by_the_network_is_whole() -> None:
    async with bench() as b:
        peer = await b.ready()
        whole = event("Newchannel", CallerIDName="Иванов 张伟")
        for byte in whole:
            peer.send(bytes((byte,)))
            await asyncio.sleep(0)
        await b.listener.until("Newchannel")
        assert b.listener.last().keys["CallerIDName"] == "Иванов 张伟"


async def test_p6_an_originate_before_a_drop_is_never_sent_again() -> None:
    async with bench() as b:
        peer = await b.ready()
        calling = asyncio.create_task(
            b.connection.action("Originate", {"Channel": "PJSIP/1001"}, variables={"A": "1"})
        )
        asked = await peer.received("Originate")
        assert asked["Variable"] == "A=1"
        peer.drop()
        with pytest.raises(ActionLost):
            await calling
        await b.after_retry()
        second = await b.ready(2)
        await b.clock.pass_sleep(5.0)
        await second.received("Ping")
        assert second.count("Originate") == 0
        assert asked["ActionID"] not in {each["ActionID"] for each in second.asked}


async def test_p8_a_list_over_a_slow_line_is_complete_or_not_there() -> None:
    async with bench() as b:
        peer = await b.ready()
        b.exchange.answers["QueueSummary"] = lambda *_: None
        asking = asyncio.create_task(b.connection.list_action("QueueSummary"))
        asked = await peer.received("QueueSummary")
        items = [("QueueSummary", f"Queue: q{n}", "Message: Added to queue") for n in range(30)]
        for piece in listing(asked, "QueueSummaryComplete", *items).split(b"\r\n"):
            peer.send(piece + b"\r\n")
            await asyncio.sleep(0)
        listed = await asking
        assert len(listed.events) == 31
        assert listed.announced == 30
        assert listed.events[-1].name == "QueueSummaryComplete"


async def test_p8_an_answer_that_reads_like_a_list_is_one_answer() -> None:
    async with bench() as b:
        await b.ready()
        said = {
            "QueueAdd": "Added interface to queue",
            "Originate": "Originate successfully queued",
        }

        def answer(_: Peer, asked: Headers) -> bytes:
            return success(asked, f"Message: {said[asked['Action']]}")

        for name, sentence in said.items():
            b.exchange.answers[name] = answer
            response = await b.connection.action(name, {"Queue": "mayor"})
            assert response.keys["Message"] == sentence


async def test_p8_a_list_that_never_ends_is_an_error_and_its_rest_reaches_nobody() -> None:
    async with bench() as b:
        peer = await b.ready()
        b.exchange.answers["QueueSummary"] = lambda *_: None
        asking = asyncio.create_task(b.connection.list_action("QueueSummary", seconds=30.0))
        asked = await peer.received("QueueSummary")
        whole = listing(asked, "QueueSummaryComplete", ("QueueSummary", "Queue: mayor"))
        start, rest = whole.split(b"\r\n\r\n", 1)
        peer.send(start + b"\r\n\r\n" + event("Marker"))
        await b.listener.until("Marker")
        b.clock.advance(30.0)
        with pytest.raises(ActionTimeout, match="within 30 s"):
            await asking
        peer.send(rest + event("After"))
        await b.listener.until("After")
        assert "QueueSummary" not in b.listener.kinds()
        assert b.connection.state.late_answers == 2


async def test_y2_a_line_without_a_colon_ends_nothing() -> None:
    async with bench() as b:
        peer = await b.ready()
        peer.send(message("Event: Odd", "no colon here", "Key:val") + b"rubbish\r\n\r\n")
        peer.send(event("After"))
        await b.listener.until("After")
        assert b.listener.events()[-2].keys == {"Key": "val"}
        assert b.connection.state.wire.unreadable_lines == 1
        assert b.connection.state.wire.unknown == 1


async def test_y4_a_night_without_the_exchange_needs_no_stack() -> None:
    exchange = ScriptedExchange()
    async with bench(exchange) as b:
        await b.ready()
        await exchange.stop()
        await b.listener.until("Disconnected")
        b.clock.chance = 0.5
        for _ in range(1_500):
            await b.clock.asleep()
            b.clock.advance(30.0)
        await b.clock.asleep()
        assert b.connection.state.reconnects[Reason.UNREACHABLE] == 1_500
        assert max(b.clock.slept) == 22.5  # 30 s at most, half of it to all of it by luck
        await exchange.start()
        b.clock.advance(30.0)
        await b.listener.until("Snapshot", "Snapshot")
        assert b.connection.state.connected


async def test_c1_the_end_of_the_stream_costs_no_cpu_and_is_followed_by_a_new_one() -> None:
    async with bench() as b:
        (await b.ready()).hang_up()
        await b.listener.until("Disconnected")
        gone = b.listener.got[-1]
        assert isinstance(gone, Disconnected)
        assert gone.reason is Reason.CLOSED
        await b.clock.asleep(0.25)
        before = time.process_time()
        turns = 0
        while turns < 1_000:  # a thousand turns of the loop with nobody to run
            await asyncio.sleep(0)
            turns += 1
        assert not b.connection.state.connected
        assert time.process_time() - before < 1.0
        await b.after_retry()
        await b.ready(2)
        assert b.listener.kinds().count("Connected") == 2


async def test_c2_the_first_event_after_a_pause_is_not_late() -> None:
    async with bench() as b:
        peer = await b.ready()
        await b.clock.asleep(5.0)
        stamp = f"{b.clock.now().timestamp():.6f}"
        peer.send(event("Newchannel", Timestamp=stamp))
        await b.listener.until("Newchannel")  # no time passes on the clock meanwhile
        assert b.connection.state.lag.last == 0.0


async def test_c3_s1_unknown_headers_and_channel_variables_lose_no_message() -> None:
    async with bench() as b:
        peer = await b.ready()
        peer.send(
            message(
                "Event: Newchannel",
                "Timestamp: 1763870000.5",
                "NeverHeardOf: x",
                "ChanVariable: a=1",
                "ChanVariable: b",
            )
            * 20
        )
        await b.listener.until(*["Newchannel"] * 20)
        assert b.listener.last().keys["ChanVariable"] == ["a=1", "b"]
        assert b.connection.state.wire.repeats == 0


async def test_w1_events_of_one_read_keep_their_order() -> None:
    async with bench() as b:
        peer = await b.ready()
        peer.send(b"".join(event("Newstate", Uniqueid=str(n)) for n in range(500)))
        await b.listener.until(*["Newstate"] * 500)
        came = [item.keys["Uniqueid"] for item in b.listener.events()[1:]]
        assert came == [str(n) for n in range(500)]


async def test_an_originates_own_event_still_reaches_the_consumer() -> None:
    async with bench() as b:
        peer = await b.ready()
        b.exchange.answers["Originate"] = lambda _, asked: success(asked)
        answer = await b.connection.action("Originate", {"Channel": "PJSIP/1001"})
        peer.send(event("OriginateResponse", ActionID=answer.keys["ActionID"], Response="Failure"))
        await b.listener.until("OriginateResponse")
        assert b.listener.last().keys["Response"] == "Failure"


async def test_actions_answered_refused_late_and_without_a_connection() -> None:
    async with bench() as b:
        with pytest.raises(NotConnected, match="was not sent"):
            await b.connection.action("QueuePause")
        peer = await b.ready()
        b.exchange.answers["QueuePause"] = lambda _, asked: error(asked, "Interface not found")
        with pytest.raises(ActionRefused, match="refused the action QueuePause") as refused:
            await b.connection.action("QueuePause", {"Interface": "PJSIP/1001"})
        assert refused.value.answer == "Interface not found"
        b.exchange.answers["QueuePause"] = lambda *_: None
        waiting = asyncio.create_task(b.connection.action("QueuePause", seconds=3.0))
        asked = await peer.received("QueuePause", 2)
        b.clock.advance(3.0)
        with pytest.raises(ActionTimeout) as late:
            await waiting
        assert late.value.seconds == 3.0
        peer.send(success(asked) + event("After"))
        await b.listener.until("After")
        assert b.connection.state.late_answers == 1
        assert b.connection.state.connected


async def test_answers_find_their_actions_in_any_order() -> None:
    async with bench() as b:
        peer = await b.ready()
        b.exchange.answers["Getvar"] = lambda *_: None
        asking = [
            asyncio.create_task(b.connection.action("Getvar", {"Variable": f"V{n}"}))
            for n in range(20)
        ]
        await peer.received("Getvar", 20)
        questions = [asked for asked in peer.asked if asked["Action"] == "Getvar"]
        for asked in reversed(questions):
            peer.send(success(asked, f"Value: of {asked['Variable']}"))
        answers = await asyncio.gather(*asking)
        assert [a.keys["Value"] for a in answers] == [f"of V{n}" for n in range(20)]


async def test_a_hostile_action_is_refused_and_nothing_of_it_is_sent() -> None:
    async with bench() as b:
        peer = await b.ready()
        with pytest.raises(UnsafeAction):
            await b.connection.action("Originate", {"Channel": "x\r\nApplication: System"})
        await b.connection.action("Ping")
        assert peer.count("Originate") == 0


async def test_command_output_comes_as_lines() -> None:
    async with bench() as b:
        await b.ready()
        b.exchange.answers["Command"] = lambda _, asked: success(
            asked, "Output: one", "Output: ", "Output: a: b"
        )
        answer = await b.connection.action("Command", {"Command": "core show version"})
        assert answer.keys["Output"] == ["one", "", "a: b"]
