"""The life of a connection: greeted, logged in, asked what is true, followed, lost, found again."""

from __future__ import annotations

import asyncio
import os
import re
from contextlib import suppress
from datetime import timedelta

import pytest
from asterisk.ami.event import EventListener

from telephony.buffer import Connected, Delivery
from telephony.connection import AmiConnection
from telephony.errors import ActionError, ActionLost, Reason
from telephony.health import Phase
from telephony.snapshot import Snapshot
from telephony.timing import Timing
from tests.telephony.client import bench
from tests.telephony.exchange import (
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


async def test_rules_that_cannot_read_an_event_let_it_through() -> None:
    rules = EventListener(ChanVariable=re.compile("a"))
    async with bench(listener=rules) as b:
        peer = await b.ready()
        peer.send(message("Event: Newchannel", "ChanVariable: a=1", "ChanVariable: b=2"))
        peer.send(message("Event: Hangup", "ChanVariable: b=2") + event("After"))
        await b.listener.until("After")
        assert b.listener.kinds()[-2:] == ["Newchannel", "After"]
        assert b.connection.state.consumer_errors == 1
        assert b.connection.state.filtered == 1


async def test_a_list_the_exchange_breaks_off_is_an_error() -> None:
    async with bench() as b:
        peer = await b.ready()
        b.exchange.answers["QueueSummary"] = lambda *_: None
        asking = asyncio.create_task(b.connection.list_action("QueueSummary"))
        asked = await peer.received("QueueSummary")
        number = asked["ActionID"]
        peer.send(success(asked, "EventList: start"))
        peer.send(event("QueueSummaryComplete", ActionID=number, EventList="cancelled"))
        with pytest.raises(ActionError, match="did not finish the list QueueSummary"):
            await asking
        b.exchange.answers["QueueSummary"] = lambda _, asked: success(asked)
        assert (await b.connection.list_action("QueueSummary")).events == ()


async def test_an_exchange_that_refuses_a_challenge_is_told_as_refusing_us() -> None:
    exchange = ScriptedExchange()
    exchange.answers["Challenge"] = lambda _, asked: error(asked, "Must specify AuthType")
    async with bench(exchange) as b:
        await b.clock.asleep(60.0)
        assert b.connection.state.reconnects == {Reason.BAD_CREDENTIALS: 1}
        assert "Must specify AuthType" in str(b.connection.state.last_error)


async def test_a_secret_that_cannot_be_sent_is_a_sentence_without_the_secret() -> None:
    async with bench(secret="s3c\nret", auth="plain") as b:
        await b.clock.asleep(0.25)
        assert b.connection.state.reconnects == {Reason.BROKEN: 1}
        assert "header Secret of the action 'Login' carries the character U+000A" in str(
            b.connection.state.last_error
        )
        assert "s3c" not in str(b.connection.state.last_error)
