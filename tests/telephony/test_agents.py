"""The state of an operator: every move of the table, and the comparison with the queues."""

from datetime import UTC, datetime, timedelta

import pytest
from asterisk.ami.event import Event
from hypothesis import given
from hypothesis import strategies as st

from telephony.agents import MOVES, Agent, AgentMove, AgentState, moved
from telephony.errors import AgentRefused
from telephony.seating import (
    LOGGED_OUT_REASON,
    Member,
    Order,
    Phone,
    Verb,
    Wanted,
    channel_to,
    member_of,
    orders,
    seen,
)
from telephony.text import operator_at, operator_of

NOW = datetime(2026, 11, 23, 2, 30, tzinfo=UTC)
WRAPUP = timedelta(seconds=15)
FACTS = (AgentMove.CALLED, AgentMove.MISSED, AgentMove.CONNECTED, AgentMove.COMPLETED)


def agent(state: AgentState, reason: str | None = None) -> Agent:
    until = NOW + WRAPUP if state is AgentState.WRAPUP else None
    return Agent(operator="1001", state=state, reason=reason, since=NOW, until=until)


def test_no_fact_of_the_exchange_is_ever_refused() -> None:
    assert all((state, fact) in MOVES for state in AgentState for fact in FACTS)


def test_a_day_at_the_desk() -> None:
    one = agent(AgentState.LOGGED_OUT)
    seen_states = []
    for move in (
        *(AgentMove.LOG_IN, AgentMove.CALLED, AgentMove.MISSED, AgentMove.CALLED),
        *(AgentMove.CONNECTED, AgentMove.COMPLETED, AgentMove.WRAPPED, AgentMove.LOG_OUT),
    ):
        one = moved(one, move, NOW, wrapup=WRAPUP)
        seen_states.append(str(one.state))
    assert seen_states == [
        *("ready", "ringing", "ready", "ringing", "talking", "wrapup", "ready", "logged_out")
    ]


def test_the_wrap_up_has_an_end_and_none_follows_where_it_is_zero() -> None:
    talking = agent(AgentState.TALKING)
    wrapping = moved(talking, AgentMove.COMPLETED, NOW, wrapup=WRAPUP)
    assert (wrapping.until, wrapping.pause) == (NOW + WRAPUP, "wrapup")
    assert moved(talking, AgentMove.COMPLETED, NOW).state is AgentState.READY


def test_a_pause_asked_for_during_a_call_comes_after_its_wrap_up() -> None:
    talking = moved(agent(AgentState.TALKING), AgentMove.PAUSE, NOW, reason="meal")
    assert (talking.state, talking.pause) == (AgentState.TALKING, None)
    wrapping = moved(talking, AgentMove.COMPLETED, NOW, wrapup=WRAPUP)
    assert wrapping.state is AgentState.WRAPUP
    after = moved(wrapping, AgentMove.WRAPPED, NOW)
    assert (after.state, after.pause) == (AgentState.PAUSED, "meal")
    assert moved(talking, AgentMove.COMPLETED, NOW).pause == "meal"


def test_nobody_logs_out_of_a_call() -> None:
    with pytest.raises(AgentRefused, match="Operator 1001 is on a call: finish it first"):
        moved(agent(AgentState.TALKING), AgentMove.LOG_OUT, NOW)
    with pytest.raises(AgentRefused, match="is not logged in"):
        moved(agent(AgentState.LOGGED_OUT), AgentMove.PAUSE, NOW, reason="meal")


@given(st.lists(st.sampled_from(list(AgentMove))))
def test_whatever_comes_a_wrap_up_has_an_end_and_a_pause_a_reason(moves: list[AgentMove]) -> None:
    one = agent(AgentState.LOGGED_OUT)
    for move in moves:
        try:
            one = moved(one, move, NOW, reason="meal", wrapup=WRAPUP)
        except AgentRefused:
            continue
        assert (one.state is AgentState.WRAPUP) == (one.until is not None)
        assert one.state is not AgentState.PAUSED or one.reason == "meal"


def member(**more: object) -> Member:
    given_ = {"Queue": "mayor", "Location": "PJSIP/1001", "Status": "1", "Membership": "dynamic"}
    return member_of(Event("QueueMember", {**given_, **more}))


def test_a_member_is_read_and_odd_values_do_no_harm() -> None:
    read = member(Penalty="10", Paused="1", PausedReason="meal", InCall="1", LastCall="1795410371")
    assert (read.operator, read.penalty, read.pause, read.in_call) == ("1001", 10, "meal", True)
    assert read.last_call == datetime.fromtimestamp(1795410371, UTC)
    odd = member(Penalty="x", Paused="y", LastCall="99999999999999", Status="")
    assert (odd.penalty, odd.pause, odd.last_call, odd.is_reachable) == (0, None, None, False)


@pytest.mark.parametrize(
    ("told", "state", "reason"),
    [
        ({}, AgentState.READY, None),
        ({"Status": "6"}, AgentState.RINGING, None),
        ({"Status": "2", "InCall": "1"}, AgentState.TALKING, None),
        ({"Paused": "1", "PausedReason": "wrapup"}, AgentState.WRAPUP, None),
        ({"Paused": "1", "PausedReason": "meal"}, AgentState.PAUSED, "meal"),
        ({"Paused": "1"}, AgentState.PAUSED, "paused"),
        ({"Paused": "1", "PausedReason": LOGGED_OUT_REASON}, AgentState.LOGGED_OUT, None),
    ],
)
def test_the_queues_show_where_somebody_stands(
    told: dict[str, str], state: AgentState, reason: str | None
) -> None:
    assert seen([member(**told)]) == (state, reason)
    assert seen([]) == (AgentState.LOGGED_OUT, None)


def test_orders_are_the_fewest_steps() -> None:
    wanted = Wanted(queue="mayor", operator="1001", penalty=10, pause="meal")
    assert orders([wanted], [], {"1001"}) == (
        Order(verb=Verb.ADD, queue="mayor", operator="1001", penalty=10, reason="meal"),
    )
    assert [one.verb for one in orders([wanted], [member()], {"1001"})] == [
        Verb.PENALTY,
        Verb.PAUSE,
    ]
    right = member(Penalty="10", Paused="1", PausedReason="meal")
    assert orders([wanted], [right], {"1001"}) == ()
    unpaused = Wanted(queue="mayor", operator="1001")
    assert [one.verb for one in orders([unpaused], [right], {"1001"})] == [Verb.UNPAUSE]


def test_who_is_wanted_no_more_is_removed_or_where_he_is_fixed_paused() -> None:
    assert [one.verb for one in orders([], [member()], {"1001"})] == [Verb.REMOVE]
    fixed = member(Membership="static")
    (step,) = orders([], [fixed], {"1001"})
    assert (step.verb, step.reason) == (Verb.PAUSE, LOGGED_OUT_REASON)
    gone = member(Membership="static", Paused="1", PausedReason=LOGGED_OUT_REASON)
    assert orders([], [gone], {"1001"}) == ()
    assert orders([], [fixed], {"1002"}) == ()  # a stranger is left alone


def test_of_two_telephones_only_the_chosen_one_is_a_member() -> None:
    desk = member(Membership="static")
    browser = member(Location="PJSIP/1001-web", StateInterface="PJSIP/1001-web")
    assert (browser.operator, browser.phone, desk.phone) == ("1001", Phone.BROWSER, Phone.DESK)
    wanted = Wanted(queue="mayor", operator="1001", phone=Phone.BROWSER)
    taken = orders([wanted], [desk], {"1001"})
    assert [(one.verb, one.phone, one.reason) for one in taken] == [
        (Verb.ADD, Phone.BROWSER, ""),
        (Verb.PAUSE, Phone.DESK, LOGGED_OUT_REASON),
    ]
    away = member(Membership="static", Paused="1", PausedReason=LOGGED_OUT_REASON)
    assert orders([wanted], [away, browser], {"1001"}) == ()
    back = orders([Wanted(queue="mayor", operator="1001")], [away, browser], {"1001"})
    assert [(one.verb, one.phone) for one in back] == [
        (Verb.UNPAUSE, Phone.DESK),
        (Verb.REMOVE, Phone.BROWSER),
    ]


def test_both_telephones_are_the_same_operators() -> None:
    assert operator_of("PJSIP/1001-web-0000002a") == "1001"
    assert operator_of("PJSIP/1001-0000002a") == "1001"
    assert operator_at("PJSIP/1001-web") == "1001"
    assert channel_to("1001", Phone.BROWSER) == "PJSIP/1001-web"
