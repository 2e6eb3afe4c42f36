"""Our client against a scripted exchange: every fault found in other clients, by its number."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from asterisk.ami.event import EventListener

from telephony.buffer import Connected, Deliver, Delivery, Disconnected
from telephony.connection import AmiConnection
from telephony.errors import (
    ActionLost,
    ActionRefused,
    ActionTimeout,
    NotConnected,
    Reason,
    UnsafeAction,
)
from telephony.health import Phase
from telephony.snapshot import Snapshot
from telephony.timing import Timing
from tests.telephony.exchange import (
    Headers,
    Listener,
    ManualClock,
    Peer,
    ScriptedExchange,
    error,
    event,
    listing,
    message,
    success,
    until,
)


@dataclass(slots=True, kw_only=True)
class Bench:
    """An exchange, a client that is connected to it, its consumer and its clock."""

    exchange: ScriptedExchange
    connection: AmiConnection
    listener: Listener
    clock: ManualClock

    async def ready(self, generation: int = 1) -> Peer:
        await self.listener.until(*["Snapshot"] * generation)
        return await self.exchange.peer(generation)

    async def after_retry(self, seconds: float = 0.25) -> None:
        await self.clock.pass_sleep(seconds)


@asynccontextmanager
async def bench(
    exchange: ScriptedExchange | None = None, deliver: Deliver | None = None, **options: Any
) -> AsyncIterator[Bench]:
    clock, listener = ManualClock(), Listener()
    async with exchange or ScriptedExchange() as there:
        connection = AmiConnection(
            "127.0.0.1",
            there.port,
            "reader",
            options.pop("secret", "s3cret"),
            system="mianyang-1",
            clock=clock,
            **options,
        )
        running = asyncio.create_task(connection.run(deliver or listener.deliver))
        try:
            yield Bench(exchange=there, connection=connection, listener=listener, clock=clock)
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


async def test_connected_then_snapshot_then_events_in_order() -> None:
    async with bench() as b:
        peer = await b.ready()
        peer.send(event("Newchannel", Uniqueid="1") + event("Hangup", Uniqueid="1"))
        await b.listener.until("Hangup")
        assert b.listener.kinds() == [
            "Connected",
            "Snapshot",
            "FullyBooted",
            "Newchannel",
            "Hangup",
        ]
        first, snapshot = b.listener.got[:2]
        assert isinstance(first, Connected)
        assert first.generation == 1
        assert isinstance(snapshot, Snapshot)
        assert snapshot.missing == ()
        state = b.connection.state
        assert state.phase is Phase.READY
        assert state.connected
        assert state.since == b.clock.now()
        assert state.asterisk_ami == "11.0.0"
        assert state.events == {"FullyBooted": 1, "Newchannel": 1, "Hangup": 1}
        assert state.warning is None


async def test_the_secret_never_goes_over_the_wire_nor_into_a_repr() -> None:
    async with bench() as b:
        peer = await b.ready()
        assert all("s3cret" not in str(asked) for asked in peer.asked)
        assert "s3cret" not in repr(b.connection._exchange)


async def test_plain_login_for_who_asks_for_it() -> None:
    async with bench(auth="plain") as b:
        peer = await b.ready()
        assert peer.count("Challenge") == 0
        assert (await peer.received("Login"))["Secret"] == "s3cret"


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


async def test_one_missed_ping_is_forgiven() -> None:
    async with bench() as b:
        peer = await b.ready()
        answer = b.exchange.answers["Ping"]
        for number in range(1, 7):
            if number % 2:
                b.exchange.answers["Ping"] = lambda *_: None
            else:
                b.exchange.answers["Ping"] = answer
            await b.clock.pass_sleep(5.0)
            await peer.received("Ping", number)
            if number % 2:
                b.clock.advance(5.0)
        await b.clock.asleep(5.0)
        assert b.connection.state.connected
        assert b.connection.state.pings_missed == 3
        assert b.connection.state.late_answers == 0


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


async def test_an_originates_own_event_still_reaches_the_consumer() -> None:
    async with bench() as b:
        peer = await b.ready()
        b.exchange.answers["Originate"] = lambda _, asked: success(asked)
        answer = await b.connection.action("Originate", {"Channel": "PJSIP/1001"})
        peer.send(event("OriginateResponse", ActionID=answer.keys["ActionID"], Response="Failure"))
        await b.listener.until("OriginateResponse")
        assert b.listener.last().keys["Response"] == "Failure"


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


async def test_retries_grow_with_luck_and_start_anew_after_a_stable_while() -> None:
    exchange = ScriptedExchange(banner=b"SSH-2.0-OpenSSH_9.2\r\n")
    async with bench(exchange) as b:
        for pause in (0.25, 0.5, 1.0, 2.0):
            await b.clock.pass_sleep(pause)
        assert b.connection.state.reconnects == {Reason.NOT_AN_EXCHANGE: 4}
        assert "is not an exchange's manager interface" in str(b.connection.state.last_error)
        exchange.banner = b"Asterisk Call Manager/11.0.0\r\n"
        await b.listener.until("Snapshot")
        for _ in range(6):
            await b.clock.pass_sleep(5.0)
            await exchange.peers[-1].received("Ping")
        exchange.peers[-1].drop()
        await b.clock.asleep(0.25)


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


async def test_lag_is_measured_from_the_exchanges_own_timestamp() -> None:
    async with bench() as b:
        peer = await b.ready()
        now = b.clock.now().timestamp()
        for number, stamp in enumerate((now - 0.02, now - 40, now + 5, "nan", "rubbish"), 1):
            younger = event("Newchannel", Timestamp=str(now))
            peer.send(event("Newchannel", Timestamp=str(stamp)) + younger)
            await b.listener.until(*["Newchannel"] * 2 * number)
        lag = b.connection.state.lag
        assert lag.counts[2] == 1
        assert lag.counts[-1] == 1
        assert lag.counts[0] == 2
        assert lag.longest == pytest.approx(40)
        assert lag.total == pytest.approx(40.02)


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


async def test_a_wrong_secret_is_its_own_state_and_is_tried_again_slowly() -> None:
    async with bench(secret="wrong") as b:
        await b.clock.asleep(60.0)
        state = b.connection.state
        assert state.phase is Phase.REFUSED
        assert state.reconnects == {Reason.BAD_CREDENTIALS: 1}
        assert state.retry_at == b.clock.now() + timedelta(seconds=60)
        assert "does not accept the user 'reader'" in str(state.last_error)
        assert "wrong" not in str(state.last_error)
        assert b.listener.got == []
        b.exchange.secret = "wrong"  # somebody mends the exchange's side
        b.clock.advance(60.0)
        await b.ready(1)
        assert b.connection.state.connected


async def test_an_exchange_that_never_answers_the_login_is_left() -> None:
    exchange = ScriptedExchange()
    exchange.answers["Login"] = lambda *_: None
    async with bench(exchange) as b:
        peer = await exchange.peer()
        await peer.received("Login")
        b.clock.advance(10.0)
        await b.clock.asleep(0.25)
        assert b.connection.state.reconnects == {Reason.SLOW_ANSWER: 1}


async def test_half_a_greeting_is_not_waited_for_for_ever() -> None:
    exchange = ScriptedExchange(banner=b"Asterisk Call Man")
    async with bench(exchange) as b:
        await exchange.peer()
        await until(lambda: b.connection.state.phase is Phase.LOGGING_IN)
        await b.clock.limited(10.0)
        b.clock.advance(10.0)
        await b.clock.asleep(0.25)
        assert b.connection.state.reconnects == {Reason.NOT_AN_EXCHANGE: 1}


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


async def test_events_during_the_snapshot_come_after_it() -> None:
    exchange = ScriptedExchange()

    def slow(peer: Peer, asked: dict[str, str]) -> bytes:
        peer.send(event("Newchannel", Uniqueid="meanwhile"))
        return listing(asked, "StatusComplete")

    exchange.answers["Status"] = slow
    async with bench(exchange) as b:
        await b.listener.until("Newchannel")
        assert b.listener.kinds() == ["Connected", "Snapshot", "FullyBooted", "Newchannel"]


async def test_a_cut_within_the_snapshot_loses_no_event_and_starts_anew() -> None:
    exchange = ScriptedExchange()

    def cut(peer: Peer, _: dict[str, str]) -> None:
        peer.send(event("Newchannel", Uniqueid="seen"))
        peer.hang_up()

    exchange.answers["Status"] = cut
    async with bench(exchange) as b:
        await b.listener.until("Disconnected")
        assert b.listener.kinds() == ["Connected", "FullyBooted", "Newchannel", "Disconnected"]
        exchange.answers["Status"] = lambda _, asked: listing(asked, "StatusComplete")
        await b.after_retry()
        await b.listener.until("Snapshot")
        assert b.connection.state.generation == 2


async def test_without_fully_booted_we_go_on_say_so_and_look_again_when_it_comes() -> None:
    exchange = ScriptedExchange()
    exchange.says_booted = False
    async with bench(exchange) as b:
        peer = await exchange.peer()
        await b.clock.limited(2.0)
        b.clock.advance(2.0)
        await b.ready()
        assert "read=system" in str(b.connection.state.warning)
        peer.send(event("FullyBooted"))
        await b.listener.until("Snapshot", "Snapshot", "FullyBooted")
        assert b.listener.kinds() == ["Connected", "Snapshot", "FullyBooted", "Snapshot"]
        assert b.connection.state.warning is None


async def test_a_restart_of_the_exchange_is_told_from_a_cut_line() -> None:
    async with bench() as b:
        (await b.ready()).drop()
        await b.after_retry()
        peer = await b.ready(2)
        peer.send(event("Shutdown", Shutdown="Cleanly", Restart="True"))
        peer.hang_up()
        b.exchange.started = "2026-11-23 09:30:00"
        await b.clock.pass_sleep(0.5)
        await b.ready(3)
        snapshots = [item for item in b.listener.got if isinstance(item, Snapshot)]
        assert [s.restarted for s in snapshots] == [False, False, True]
        assert snapshots[-1].exchange_started == "2026-11-23 09:30:00"
        assert b.connection.state.reconnects[Reason.SHUTDOWN] == 1


async def test_a_consumer_that_falls_behind_gets_a_fresh_snapshot_not_a_gap() -> None:
    gate = asyncio.Event()
    listener = Listener()

    async def deliver(delivery: Delivery) -> None:
        listener.deliver(delivery)
        if getattr(delivery, "name", "") == "Newstate":
            await gate.wait()

    async with bench(deliver=deliver, buffer=100) as b:
        await listener.until("Snapshot", "FullyBooted")
        peer = await b.exchange.peer()
        peer.send(b"".join(event("Newstate", Uniqueid=str(n)) for n in range(150)))
        await until(lambda: b.connection.state.phase is Phase.DRAINING)
        state = b.connection.state
        assert state.buffer <= 101  # with the word that the connection is over
        assert state.dropped > 0
        assert state.reconnects == {Reason.OVERFLOW: 1}
        gate.set()
        await b.after_retry()
        await listener.until("Snapshot", "Snapshot")
        kinds = listener.kinds()
        assert kinds.count("Newstate") + b.connection.state.dropped == 150
        assert kinds[kinds.index("Disconnected") - 1] == "Newstate"
        assert b.connection.state.connected


async def test_unwanted_events_are_counted_and_not_delivered() -> None:
    rules = EventListener(black_list=["VarSet", "Newexten"], Context="from-trunk")
    async with bench(listener=rules) as b:
        peer = await b.ready()
        peer.send(event("VarSet") + event("Newchannel", Context="elsewhere"))
        peer.send(event("Newchannel", Context="from-trunk") + event("Hangup"))
        await b.listener.until("Hangup")
        assert b.listener.kinds()[2:] == ["FullyBooted", "Newchannel", "Hangup"]
        assert b.connection.state.filtered == 2
        assert b.connection.state.events["VarSet"] == 1


async def test_events_nobody_asked_for_are_counted_unread_but_answers_are_read() -> None:
    async with bench(only={"Newchannel"}) as b:
        peer = await b.ready()
        b.exchange.answers["DeviceStateList"] = lambda _, asked: listing(
            asked, "DeviceStateListComplete", ("DeviceStateChange", "Device: PJSIP/1001")
        )
        listed = await b.connection.list_action("DeviceStateList")
        assert listed.events[0].keys["Device"] == "PJSIP/1001"
        peer.send(event("DeviceStateChange", Device="x") + event("VarSet") + event("Newchannel"))
        await b.listener.until("Newchannel")
        assert b.listener.kinds() == ["Connected", "Snapshot", "FullyBooted", "Newchannel"]
        state = b.connection.state
        assert state.filtered == 2
        assert state.events["DeviceStateChange"] == 1
        assert state.events["VarSet"] == 1


async def test_the_names_counted_are_bounded() -> None:
    async with bench() as b:
        peer = await b.ready()
        peer.send(b"".join(event(f"Made-up-{n}") for n in range(400)) + event("After"))
        await b.listener.until("After")
        assert len(b.connection.state.events) == 257
        assert sum(b.connection.state.events.values()) == 402


async def test_stopping_says_goodbye_and_fails_what_waits() -> None:
    async with bench() as b:
        peer = await b.ready()
        b.exchange.answers["Originate"] = lambda *_: None
        waiting = asyncio.create_task(b.connection.action("Originate", {"Channel": "PJSIP/1"}))
        await peer.received("Originate")
        connection = b.connection
    with pytest.raises(ActionLost):
        await waiting
    assert peer.asked[-1]["Action"] == "Logoff"
    assert connection.state.phase is Phase.STOPPED
    assert not connection.state.connected


async def test_nobody_there_is_one_sentence() -> None:
    exchange = ScriptedExchange()
    async with exchange:
        pass
    connection = AmiConnection(
        "127.0.0.1", exchange.port, "reader", "x", system="mianyang-1", clock=(c := ManualClock())
    )
    running = asyncio.create_task(connection.run(lambda _: None))
    await c.asleep(0.25)
    assert connection.state.last_error == (
        f"The exchange mianyang-1 at 127.0.0.1:{exchange.port} cannot be reached "
        f"(Connect call failed ('127.0.0.1', {exchange.port}))."
    ) or os.strerror(111) in str(connection.state.last_error)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


def test_retry_is_bounded_for_any_number_of_failures() -> None:
    timing = Timing()
    waits = [timing.retry_after(n, 0.999) for n in range(2_000)]
    assert max(waits) <= 30.0
    assert waits[0] < 0.5
