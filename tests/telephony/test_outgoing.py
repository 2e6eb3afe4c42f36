"""Calls from here where something goes wrong: a process dies, a row is lost, an exchange dies."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from telephony import cel
from telephony.calls import Call, CallEnded, CallTracker, Direction, Outcome, Side
from telephony.events import ChannelStarted, LinkedId, OutsideDialled, UniqueId
from telephony.reconcile import judge, told_by_files
from tests.calls.plays_outside import OUTSIDE
from tests.calls.recorded import NAMES, RULES, SYSTEM, recorded
from tests.telephony.test_recovery import LATER, Exchange, events_of, exchange, now_on

__all__ = ["exchange"]  # a fixture

FROM_HERE = tuple(sorted(OUTSIDE))
MOMENT = timedelta(seconds=0.3)
RIGHT = ("linked_id", "direction", "outcome", "operator", "hangup_by")


def at(line: bytes) -> datetime:
    return cel.time_of(line.split(b'"')[3].decode())


def whole(name: str) -> Call:
    (event,) = events_of(recorded(name).ami)
    assert isinstance(event, CallEnded)
    return event.call


def right(call: Call) -> tuple[object, ...]:
    return (call.key.linked_id, call.direction, call.outcome, call.operator, call.hangup_by)


@pytest.mark.parametrize("part", [0.3, 0.7])
@pytest.mark.parametrize("name", FROM_HERE)
async def test_killed_and_started_again_within_one_call(
    exchange: Exchange, name: str, part: float
) -> None:
    """The files hold the same part; the rest comes live, to a process that remembers nothing."""
    table = recorded(name)
    live, cut = table.ami, int(part * len(table.ami))
    await exchange.live(live[:cut])
    seen = sum(1 for line in table.cel_lines if at(line) <= live[cut].at)
    exchange.write(name, cel=slice(0, seen))
    exchange.start()
    await exchange.recovery.start(LATER)
    over = sum(b'"LINKEDID_END"' in line for line in table.cel_lines[:seen])
    assert len(await exchange.calls()) == over  # it is told when it is over
    await exchange.live(live[cut:])
    exchange.write(name, cel=slice(seen, None))
    await exchange.recovery.check(LATER)
    (call,) = await exchange.calls()
    assert tuple(call[field] for field in RIGHT) == right(whole(name))
    assert call["ended_at"] is not None


@pytest.mark.parametrize("name", ["dialled_and_answered", "called_back_through_the_hotline"])
async def test_an_exchange_that_died_takes_its_calls_with_it(exchange: Exchange, name: str) -> None:
    """Killed by SIGKILL it writes no end of any kind; the next snapshot knows none of them."""
    answered = whole(name).answered_at
    assert answered is not None
    talking = [fact for fact in recorded(name).ami if fact.at <= answered + MOMENT]
    rows = [line for line in recorded(name).cel_lines if at(line) <= answered + MOMENT]
    await exchange.live(talking)
    exchange.write(name, cel=slice(0, len(rows)))
    assert await exchange.calls() == []
    await exchange.recovery.merge(now_on(LATER), LATER)
    (call,) = await exchange.calls()
    assert (call["direction"], call["outcome"], call["hangup_by"]) == (
        "outgoing",
        "answered",
        "system",
    )
    assert call["ended_at"] <= answered + MOMENT
    exchange.start()
    await exchange.recovery.start(LATER)
    await exchange.recovery.merge(now_on(LATER), LATER)
    assert len(await exchange.calls()) == 1


@pytest.mark.parametrize("name", NAMES)
def test_a_row_that_the_files_lost_makes_no_call_of_nothing_and_undoes_none(name: str) -> None:
    """A full disk costs rows anywhere: what was told live stays, and no second call appears."""
    table = recorded(name)
    live = {e.call.key: e.call for e in events_of(table.ami) if isinstance(e, CallEnded)}
    facts = table.queue_log + table.cel
    for lost in range(len(facts)):
        told = told_by_files(facts[:lost] + facts[lost + 1 :], RULES)
        assert told.keys() <= live.keys(), facts[lost]
        for key, events in told.items():
            mended = judge(events, live[key]).repaired
            if live[key].outcome is Outcome.ANSWERED and mended is not None:
                assert mended.outcome is Outcome.ANSWERED, facts[lost]


def test_where_the_dialplan_tells_no_number_the_call_is_known_by_its_way() -> None:
    facts = [f for f in recorded("dialled_and_answered").ami if not isinstance(f, OutsideDialled)]
    tracker = CallTracker(RULES)
    (event,) = [event for fact in facts for event in tracker.observe(fact)]
    assert right(event.call) == right(whole("dialled_and_answered"))
    assert event.call.callee_number is None


def test_a_number_dialled_by_hand_that_leads_nowhere_is_a_call_that_failed() -> None:
    """The telephone it was for is not there: the exchange makes no channel for it."""
    facts = [
        fact
        for fact in recorded("colleague_refuses").ami
        if str(fact.unique_id) == whole("colleague_refuses").key.linked_id
        and not hasattr(fact, "operator_unique_id")
    ]
    tracker = CallTracker(RULES)
    (event,) = [event for fact in facts for event in tracker.observe(fact)]
    call = event.call
    assert (call.direction, call.outcome, call.callee_number) == (
        Direction.INTERNAL,
        Outcome.FAILED,
        "1002",
    )


def test_one_who_listens_or_takes_no_call_is_none() -> None:
    """A telephone that the service rang, and nothing that it called."""
    (start,) = [
        fact
        for fact in recorded("dialled_and_not_taken_at_the_desk").ami
        if isinstance(fact, ChannelStarted)
    ]
    for unique_id, calls in ((start.unique_id, 1), (f"{SYSTEM}-1795665351.7", 0)):
        facts = [
            replace(fact, unique_id=UniqueId(unique_id), linked_id=LinkedId(unique_id))
            for fact in recorded("dialled_and_not_taken_at_the_desk").ami
        ]
        tracker = CallTracker(RULES)
        told = [event for fact in facts for event in tracker.observe(fact)]
        told += tracker.settle(LATER)
        assert len(told) == calls
        assert all(event.call.hangup_by is Side.OPERATOR for event in told)
