"""Real calls replayed: every source alone, all together, and in every order that can happen."""

from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telephony.calls import (
    Call,
    CallAnswered,
    CallEnded,
    CallEvent,
    CallMessage,
    CallRinging,
    CallStarted,
    CallTracker,
    Direction,
    Leg,
    Outcome,
    Satisfied,
    Side,
    Solved,
    Survey,
)
from telephony.events import (
    BridgeEntered,
    ChannelEnded,
    ChannelStarted,
    Fact,
    HangupHeard,
    Head,
    LinkedId,
    LinkedIdEnded,
    QueueJoined,
    SnapshotTaken,
    Source,
    System,
    UniqueId,
)
from telephony.ringing import Mark, Marks
from telephony.switchboard import REMEMBERED, STRANGERS
from tests.calls.recorded import NAMES, RULES, SYSTEM, recorded

MAYOR, DUTY = "mayor", "duty"
OUT, INSIDE = Direction.OUTGOING.value, Direction.INTERNAL.value
CITIZEN, OFFICER = "13800001111", "13900002222"
A_SECOND = timedelta(seconds=1)

# What a listener at the telephones knew of each recorded call: line (of a call from here, which
# way it went), outcome, who hung up, operator, seconds of waiting and of talking.
HAPPENED: dict[str, list[tuple[str, Outcome, Side, str | None, float | None, float | None]]] = {
    # What follows the operator (the questions) is no talk.
    "survey_answered": [(MAYOR, Outcome.ANSWERED, Side.OPERATOR, "1001", 0.5, 2.0)],
    "survey_answered_in_part": [(MAYOR, Outcome.ANSWERED, Side.OPERATOR, "1001", 0.5, 2.0)],
    "survey_not_answered": [(MAYOR, Outcome.ANSWERED, Side.OPERATOR, "1001", 0.5, 2.0)],
    "hung_up_in_the_survey": [(MAYOR, Outcome.ANSWERED, Side.OPERATOR, "1001", 0.5, 2.0)],
    # A wait without an answer lasts until the end; who leaves a message waits until the tone.
    "message_left": [(MAYOR, Outcome.VOICEMAIL, Side.SYSTEM, None, 15.6, None)],
    "hung_up_in_the_message": [(MAYOR, Outcome.VOICEMAIL, Side.CALLER, None, 15.6, None)],
    "hung_up_before_the_beep": [(MAYOR, Outcome.UNANSWERED, Side.CALLER, None, 14.6, None)],
    "overflow_to_the_second_group": [(MAYOR, Outcome.ANSWERED, Side.CALLER, "1002", 4.2, 3.3)],
    "overflow_to_the_duty_officer": [(MAYOR, Outcome.ANSWERED, Side.CALLER, "1003", 8.2, 5.3)],
    "duty_taken_by_an_officer": [(DUTY, Outcome.ANSWERED, Side.CALLER, "2002", 1.0, 2.0)],
    "duty_taken_by_the_leader": [(DUTY, Outcome.ANSWERED, Side.CALLER, "2003", 3.5, 2.0)],
    "duty_taken_by_the_next": [(DUTY, Outcome.ANSWERED, Side.CALLER, "2004", 6.5, 2.0)],
    "duty_taken_by_nobody": [(DUTY, Outcome.UNANSWERED, Side.SYSTEM, None, 12.0, None)],
    "hung_up_while_the_leader_rings": [
        (DUTY, Outcome.ABANDONED_SHORT, Side.CALLER, None, 3.5, None)
    ],
    "blocked": [(MAYOR, Outcome.BLOCKED, Side.SYSTEM, None, None, None)],
    "blocked_and_insists": [(MAYOR, Outcome.ANSWERED, Side.CALLER, "1003", 0.5, 5.5)],
    "hung_up_while_blocked": [(MAYOR, Outcome.BLOCKED, Side.CALLER, None, None, None)],
    "dials_again_and_hears_no_notice": [
        (MAYOR, Outcome.ABANDONED_SHORT, Side.CALLER, None, 0.5, None),
        (MAYOR, Outcome.ANSWERED, Side.CALLER, "1001", 0.5, 1.5),
    ],
    "called_out_and_acknowledged": [(INSIDE, Outcome.ANSWERED, Side.SYSTEM, None, None, 2.5)],
    "called_out_and_not_acknowledged": [(INSIDE, Outcome.ANSWERED, Side.SYSTEM, None, None, 18.5)],
    "called_out_and_not_answered": [(INSIDE, Outcome.UNANSWERED, Side.SYSTEM, None, None, None)],
    "called_out_outside": [(OUT, Outcome.ANSWERED, Side.CALLEE, "1001", None, 1.0)],
    "dialled_and_answered": [(OUT, Outcome.ANSWERED, Side.CALLEE, "1001", None, 2.3)],
    "dialled_and_not_answered": [(OUT, Outcome.UNANSWERED, Side.OPERATOR, "1001", None, None)],
    "dialled_and_busy": [(OUT, Outcome.BUSY, Side.CALLEE, "1001", None, None)],
    "dialled_and_not_taken_at_the_desk": [(OUT, Outcome.FAILED, Side.OPERATOR, "1001", None, None)],
    "called_back_through_the_hotline": [(OUT, Outcome.ANSWERED, Side.CALLEE, "1001", None, 1.0)],
    "called_back_in_vain": [(OUT, Outcome.BUSY, Side.CALLEE, "1001", None, None)],
    "colleague_dialled_by_hand": [(INSIDE, Outcome.ANSWERED, Side.OPERATOR, "1001", None, 1.0)],
    "colleague_refuses": [(INSIDE, Outcome.BUSY, Side.CALLEE, "1001", None, None)],
    "police_dialled_by_hand": [(OUT, Outcome.ANSWERED, Side.CALLEE, "1001", None, 1.0)],
    "referred": [(MAYOR, Outcome.ANSWERED, Side.CALLER, "1001", 0.0, 2.3)],
    "referred_to_nobody": [(MAYOR, Outcome.ANSWERED, Side.SYSTEM, "1001", 0.0, 1.0)],
    "referred_after_asking": [(MAYOR, Outcome.ANSWERED, Side.OPERATOR, "1001", 0.0, 2.1)],
    # The caller was gone before the colleague had him: the two spoke in a call of their own.
    "hung_up_while_the_telephone_asks": [
        (MAYOR, Outcome.ANSWERED, Side.CALLER, "1001", 0.0, 0.0),
        (INSIDE, Outcome.ANSWERED, Side.CALLEE, "1001", None, 0.0),
    ],
    "abandoned": [(MAYOR, Outcome.ABANDONED, Side.CALLER, None, 6.5, None)],
    "abandoned_behind_another": [
        (MAYOR, Outcome.ANSWERED, Side.CALLER, "1001", 0.5, 6.0),
        (MAYOR, Outcome.ABANDONED_SHORT, Side.CALLER, None, 2.5, None),
    ],
    "abandoned_short": [(MAYOR, Outcome.ABANDONED_SHORT, Side.CALLER, None, 1.5, None)],
    "answered": [(MAYOR, Outcome.ANSWERED, Side.CALLER, "1001", 0.5, 2.0)],
    "attended_transfer": [(MAYOR, Outcome.ANSWERED, Side.CALLER, "1001", 0.5, 7.0)],
    "blind_transfer": [(MAYOR, Outcome.ANSWERED, Side.CALLER, "1001", 0.5, 5.0)],
    "blind_transfer_comes_back": [(MAYOR, Outcome.ANSWERED, Side.CALLER, "1001", 0.5, 7.0)],
    "caller_lost_while_talking": [(MAYOR, Outcome.ANSWERED, Side.OPERATOR, "1001", 0.5, 3.0)],
    "caller_withholds_his_number": [(MAYOR, Outcome.ANSWERED, Side.CALLER, "1001", 0.5, 1.5)],
    "cancelled_while_ringing": [(DUTY, Outcome.ABANDONED_SHORT, Side.CALLER, None, 1.0, None)],
    "conference": [(MAYOR, Outcome.ANSWERED, Side.CALLER, "1001", 0.5, 6.0)],
    "browser_lost": [(MAYOR, Outcome.ANSWERED, Side.CALLER, "1001", 0.2, 9.0)],
    "browser_reloaded": [(MAYOR, Outcome.ANSWERED, Side.OPERATOR, "1001", 0.2, 2.7)],
    "consultation_ends": [(MAYOR, Outcome.ANSWERED, Side.CALLER, "1001", 0.5, 7.0)],
    "duty_line": [(DUTY, Outcome.ANSWERED, Side.CALLER, "2001", 0.5, 2.0)],
    "hold_and_resume": [(MAYOR, Outcome.ANSWERED, Side.CALLER, "1001", 0.5, 6.0)],
    "hostile_name": [(MAYOR, Outcome.ANSWERED, Side.CALLER, "1001", 0.5, 1.5)],
    "hung_up_after_the_queue": [(MAYOR, Outcome.UNANSWERED, Side.CALLER, None, 10.0, None)],
    "hung_up_at_the_answer": [(DUTY, Outcome.ANSWERED, Side.CALLER, "2001", 0.5, 0.05)],
    "hung_up_in_a_transfer": [(MAYOR, Outcome.ANSWERED, Side.CALLER, "1001", 0.5, 0.5)],
    "hung_up_in_notice": [(MAYOR, Outcome.ABANDONED_SHORT, Side.CALLER, None, None, None)],
    "hung_up_on_hold": [(MAYOR, Outcome.ANSWERED, Side.CALLER, "1001", 0.5, 3.0)],
    "hung_up_while_nobody_rings": [(MAYOR, Outcome.ABANDONED_SHORT, Side.CALLER, None, 2.5, None)],
    "listened_to": [(MAYOR, Outcome.ANSWERED, Side.CALLER, "1001", 0.5, 3.0)],
    "local_kept": [(MAYOR, Outcome.ANSWERED, Side.CALLER, "1002", 0.5, 3.5)],
    "local_optimised": [(MAYOR, Outcome.ANSWERED, Side.CALLER, "1002", 0.5, 3.5)],
    "nobody_at_the_telephones": [(DUTY, Outcome.UNANSWERED, Side.SYSTEM, None, 13.0, None)],
    "off_the_network_while_ringing": [(DUTY, Outcome.ANSWERED, Side.CALLER, "2001", 1.5, 2.0)],
    "off_the_network_while_talking": [(MAYOR, Outcome.ANSWERED, Side.CALLER, "1001", 0.5, 3.0)],
    "operator_calls_operator": [(INSIDE, Outcome.ANSWERED, Side.CALLEE, "1003", None, 1.0)],
    "operator_hangs_up": [(MAYOR, Outcome.ANSWERED, Side.OPERATOR, "1001", 0.5, 2.0)],
    "picked_up_elsewhere": [(MAYOR, Outcome.ANSWERED, Side.CALLER, "1002", 0.5, 4.0)],
    "refused_by_all": [(DUTY, Outcome.UNANSWERED, Side.SYSTEM, None, 13.0, None)],
    "refused_then_another": [(DUTY, Outcome.ANSWERED, Side.CALLER, "2002", 0.5, 2.0)],
    "same_number_twice": [
        (MAYOR, Outcome.ANSWERED, Side.CALLER, "1001", 0.5, 3.0),
        (MAYOR, Outcome.ANSWERED, Side.CALLER, "1001", 3.5, 3.0),
    ],
    "second_operator": [(DUTY, Outcome.ANSWERED, Side.CALLER, "2002", 3.5, 2.0)],
    "two_at_once": [
        (MAYOR, Outcome.ANSWERED, Side.CALLER, "1001", 2.0, 2.5),
        (DUTY, Outcome.ANSWERED, Side.OPERATOR, "2001", 0.5, 2.0),
    ],
    "unanswered": [(MAYOR, Outcome.UNANSWERED, Side.SYSTEM, None, 11.0, None)],
    "waits_for_a_busy_operator": [
        (MAYOR, Outcome.ANSWERED, Side.CALLER, "1001", 0.5, 3.0),
        (MAYOR, Outcome.ANSWERED, Side.CALLER, "1001", 3.5, 3.0),
    ],
}


# Whom each call from here called; nothing is told where its own telephone was not picked up.
CALLED: dict[str, str | None] = {
    "called_out_and_acknowledged": "1004",
    "called_out_and_not_acknowledged": "1004",
    "called_out_and_not_answered": "1004",
    "called_out_outside": OFFICER,
    "dialled_and_answered": CITIZEN,
    "dialled_and_not_answered": CITIZEN,
    "dialled_and_busy": CITIZEN,
    "dialled_and_not_taken_at_the_desk": None,
    "called_back_through_the_hotline": CITIZEN,
    "called_back_in_vain": CITIZEN,
    "colleague_dialled_by_hand": "1002",
    "colleague_refuses": "1002",
    "police_dialled_by_hand": "110",
    "hung_up_while_the_telephone_asks": "1002",
    "operator_calls_operator": "1002",
}


def replay(
    facts: Iterable[Fact | SnapshotTaken], tracker: CallTracker | None = None
) -> list[CallEvent]:
    tracker = tracker or CallTracker(RULES)
    return [event for fact in facts for event in tracker.observe(fact)]


def ended(events: Sequence[CallEvent]) -> list[Call]:
    calls = [event.call for event in events if isinstance(event, CallEnded)]
    return sorted(calls, key=lambda call: call.started_at)


def facts_of(name: str, sources: str) -> list[Fact]:
    call = recorded(name)
    told = {"ami": call.ami, "cel": call.cel, "queue_log": call.queue_log}
    return [fact for source in sources.split("+") for fact in told[source]]


def test_every_table_says_what_happened() -> None:
    assert set(NAMES) == set(HAPPENED)


@pytest.mark.parametrize("sources", ["ami", "cel", "queue_log+cel", "ami+queue_log+cel"])
@pytest.mark.parametrize("name", sorted(HAPPENED))
def test_each_source_tells_what_happened(name: str, sources: str) -> None:
    calls = ended(replay(facts_of(name, sources)))
    assert len(calls) == len(HAPPENED[name])
    for call, (line, outcome, by, operator, wait, talk) in zip(calls, HAPPENED[name], strict=True):
        from_here = call.direction is not Direction.INCOMING
        way = call.direction.value if from_here else call.line
        assert (way, call.outcome, call.hangup_by, call.operator) == (
            line,
            outcome,
            by,
            operator,
        )
        assert _seconds(call.wait) == pytest.approx(wait, abs=0.2)
        assert _seconds(call.talk) == pytest.approx(talk, abs=0.2)
        if from_here:
            assert (call.line, call.caller_number) == ("", None)
            assert call.callee_number == CALLED[name]
        elif name == "caller_withholds_his_number":
            assert call.caller_number is None
        else:
            assert str(call.caller_number).startswith("1380000")
        assert call.recovered is (not sources.startswith("ami"))


def _seconds(length: timedelta | None) -> float | None:
    return None if length is None else length.total_seconds()


SURVEYS = {
    "survey_answered": Survey(solved=Solved.YES, satisfied=Satisfied.NO),
    "survey_answered_in_part": Survey(solved=Solved.NO, satisfied=Satisfied.NOT_ANSWERED),
    "survey_not_answered": Survey(solved=Solved.NOT_ANSWERED, satisfied=Satisfied.NOT_ANSWERED),
    "hung_up_in_the_survey": Survey(solved=Solved.YES, satisfied=Satisfied.NOT_ANSWERED),
}


@pytest.mark.parametrize("sources", ["ami", "cel", "ami+queue_log+cel"])
@pytest.mark.parametrize("name", sorted(HAPPENED))
def test_each_source_tells_what_was_pressed_after_the_talk(name: str, sources: str) -> None:
    calls = ended(replay(facts_of(name, sources)))
    assert [call.survey for call in calls] == [SURVEYS.get(name)] * len(calls)
    for call in calls:
        if name in SURVEYS:
            assert call.ended_at is not None
            assert call.talk_ended_at is not None
            assert call.ended_at - call.talk_ended_at > 1.5 * A_SECOND


@pytest.mark.parametrize(
    ("name", "marks"),
    [
        ("called_out_and_acknowledged", set(Mark)),
        ("called_out_and_not_acknowledged", set(Mark) - {Mark.ACKNOWLEDGED}),
        ("called_out_and_not_answered", {Mark.RUNG, Mark.OVER}),
    ],
)
def test_the_event_log_tells_what_became_of_a_call_out(
    name: str, marks: set[Mark], tmp_path: Path
) -> None:
    log = tmp_path / "calls.csv"
    log.write_bytes(b"".join(line + b"\n" for line in recorded(name).cel_lines))
    with closing(Marks(log)) as read:
        assert list(read.look().values()) == [frozenset(marks)]


def test_events_come_in_the_order_of_a_call() -> None:
    kinds = [type(event) for event in replay(facts_of("answered", "ami"))]
    assert kinds == [CallStarted, CallRinging, CallAnswered, CallEnded]


@pytest.mark.parametrize("source", ["ami", "cel"])
def test_who_leaves_a_message_waits_no_longer_while_he_speaks(source: str) -> None:
    events = replay(facts_of("message_left", source))
    kinds = [type(event) for event in events]
    assert kinds == [CallStarted, CallRinging, CallMessage, CallEnded]
    told = events[2].call
    assert (told.message_at, told.ended_at) == (events[2].at, None)
    assert told.wait == events[3].call.wait
    tracker = CallTracker(RULES)
    tracker.resume(told)  # a new process in the middle of the message
    (end,) = replay(facts_of("message_left", source)[-4:], tracker)
    assert end.call.outcome is Outcome.VOICEMAIL
    assert end.call.wait == told.wait


def test_recordings_are_expected_under_the_names_the_exchange_gave() -> None:
    for source in ("ami", "cel"):
        (call,) = ended(replay(facts_of("answered", source)))
        unique_id = call.key.linked_id
        names = {recording.leg: recording.path for recording in call.recordings}
        assert names == {
            Leg.CALLER: f"{unique_id}-caller.wav",
            Leg.OPERATOR: f"{unique_id}-operator.wav",
        }
        assert call.queued_at is not None
        assert abs(call.recordings[0].started_at - call.queued_at) < A_SECOND


def test_a_queue_that_gives_up_tells_of_an_abandoned_call_and_is_not_believed() -> None:
    table = recorded("unanswered")
    assert b"Event: QueueCallerAbandon" in table.ami_bytes
    (call,) = ended(replay(table.ami))
    assert call.outcome is Outcome.UNANSWERED


def test_the_numbers_of_callers_are_in_no_repr() -> None:
    facts = facts_of("answered", "ami+cel")
    events = replay(facts)
    assert ended(events)[0].caller_number == "13800001111"
    assert "13800001111" not in f"{facts!r}{events!r}"


# ---- any order ----


def streams(facts: Sequence[Fact]) -> list[list[Fact]]:
    """Facts that keep their order: those of one channel from one source."""
    kept: dict[tuple[Source, str], list[Fact]] = {}
    for fact in facts:
        kept.setdefault((fact.source, fact.unique_id), []).append(fact)
    return list(kept.values())


def shuffled(facts: Sequence[Fact], random: Random, *, again: float) -> list[Fact]:
    """One order that can happen: streams interleaved, a part of what came already coming again.

    CEL writes the end of a linked id after everything else it tells of it, so this stays last.
    AMI is one connection: what it tells of different channels changes places, but no further.
    """
    ends: list[Fact] = [fact for fact in facts if isinstance(fact, LinkedIdEnded)]
    waiting = streams([fact for fact in facts if not isinstance(fact, LinkedIdEnded)])
    unheard = {id(fact) for fact in facts if fact.source is Source.CEL} - {id(e) for e in ends}
    order: list[Fact] = []
    while waiting or ends:
        next_ones = [*_tellable(waiting), *([ends] if ends and not unheard else [])]
        stream: list[Fact] = random.choice(next_ones)
        fact = stream.pop(0)
        unheard.discard(id(fact))
        order.append(fact)
        waiting = [left for left in waiting if left]
        while random.random() < again:
            order.append(random.choice(order))
    return order


def _tellable(waiting: list[list[Fact]]) -> list[list[Fact]]:
    first = min((s[0].at for s in waiting if s[0].source is Source.AMI), default=None)
    return [
        s
        for s in waiting
        if s[0].source is not Source.AMI or (first and s[0].at - first < A_SECOND)
    ]


def meaning(call: Call) -> tuple[object, ...]:
    return (
        *(call.key, call.line, call.outcome, call.hangup_by, call.operator, call.caller_number),
        *(call.direction, call.callee_number),
        *(recording.path for recording in call.recordings),
    )


def assert_same_time(one: datetime | None, other: datetime | None) -> None:
    assert (one is None) == (other is None)
    if one is not None and other is not None:
        assert abs(one - other) <= A_SECOND


@pytest.mark.parametrize("sources", ["ami", "cel", "ami+cel", "queue_log+cel", "ami+queue_log+cel"])
@given(random=st.randoms(use_true_random=False), again=st.sampled_from([0.0, 0.2, 0.5]))
@settings(deadline=None, max_examples=60)
def test_any_interleaving_ends_every_call_once_with_the_same_result(
    sources: str, random: Random, again: float
) -> None:
    name = random.choice(sorted(HAPPENED))
    facts = facts_of(name, sources)
    expected = ended(replay(facts))
    events = replay(shuffled(facts, random, again=again))
    found = ended(events)
    assert [meaning(call) for call in found] == [meaning(call) for call in expected]
    for call, same in zip(found, expected, strict=True):
        moments = ["started_at", "queued_at", "answered_at", "ended_at"]
        # Live, the call ends with what is known; a third channel told of only after it all is
        # one that the files put right.
        moments += ["talk_ended_at"] if "cel" in sources else []
        for moment in moments:
            assert_same_time(getattr(call, moment), getattr(same, moment))
    assert_told_once(events)


@pytest.mark.parametrize("name", sorted(HAPPENED))
def test_two_exchanges_with_the_same_unique_ids_stay_apart(name: str) -> None:
    """Without a `systemname` two exchanges count alike; a call's key names its exchange too."""
    here = facts_of(name, "ami+queue_log+cel")
    there = [replace(fact, system=System("other-1")) for fact in here]
    tracker = CallTracker(RULES)
    both = ended(replay([f for pair in zip(here, there, strict=True) for f in pair], tracker))
    assert tracker.open_calls() == []
    for system in (SYSTEM, System("other-1")):
        calls = [call for call in both if call.key.system == system]
        assert [meaning(call)[1:] for call in calls] == [
            meaning(call)[1:] for call in ended(replay(here))
        ]


@pytest.mark.parametrize("step", [timedelta(hours=-1), timedelta(seconds=-3), timedelta(hours=2)])
@pytest.mark.parametrize("sources", ["ami", "queue_log+cel", "ami+queue_log+cel"])
@pytest.mark.parametrize("name", sorted(HAPPENED))
def test_a_step_of_the_exchanges_clock_loses_and_doubles_no_call(
    name: str, sources: str, step: timedelta
) -> None:
    facts = facts_of(name, sources)
    middle = sorted(fact.at for fact in facts)[len(facts) // 2]
    stepped = [replace(f, at=f.at + step) if f.at >= middle else f for f in facts]
    tracker = CallTracker(RULES)
    events = replay(stepped, tracker)
    events += tracker.settle(max(fact.at for fact in stepped) + timedelta(hours=3))
    assert_told_once(events)
    assert tracker.open_calls() == []
    assert len(ended(events)) == len(HAPPENED[name])
    for call in ended(events):
        assert call.outcome is not None


def assert_told_once(events: Sequence[CallEvent]) -> None:
    told: dict[object, list[type]] = {}
    for event in events:
        told.setdefault(event.call.key, []).append(type(event))
    from_here = {e.call.key for e in events if e.call.direction is not Direction.INCOMING}
    for key, kinds in told.items():
        assert kinds[0] is (CallEnded if key in from_here else CallStarted)
        assert len(kinds) == len(set(kinds))
        assert CallEnded not in kinds[:-1]


@given(random=st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=100)
def test_even_an_impossible_order_tells_nothing_twice(random: Random) -> None:
    facts = [
        f for name in ("two_at_once", "unanswered") for f in facts_of(name, "ami+queue_log+cel")
    ]
    random.shuffle(facts)
    tracker = CallTracker(RULES)
    events = replay(facts, tracker)
    events += tracker.settle(facts[0].at + timedelta(hours=1))
    assert_told_once(events)
    assert len(ended(events)) == 3
    assert tracker.open_calls() == []


def test_late_facts_do_not_open_an_ended_call() -> None:
    tracker = CallTracker(RULES)
    assert len(ended(replay(facts_of("answered", "ami"), tracker))) == 1
    assert replay(facts_of("answered", "ami+cel+queue_log"), tracker) == []
    assert tracker.open_calls() == []


@given(
    cut=st.floats(0, 1),
    name=st.sampled_from(sorted(HAPPENED)),
)
@settings(deadline=None, max_examples=60)
def test_a_gap_in_the_live_events_is_filled_by_the_files(cut: float, name: str) -> None:
    live = facts_of(name, "ami")
    tracker = CallTracker(RULES)
    events = replay(live[: int(cut * len(live))], tracker)
    events += replay(facts_of(name, "queue_log+cel"), tracker)
    assert_told_once(events)
    expected = ended(replay(live))
    assert [meaning(call) for call in ended(events)] == [meaning(call) for call in expected]


# ---- what the recordings do not hold ----

NINE = datetime(2026, 11, 23, 1, tzinfo=UTC)


def head(channel: str, second: float, linked: str = "c", source: Source = Source.AMI) -> Head:
    names = {"c": "PJSIP/trunk-00000001", "o": "PJSIP/1001-00000002", "p": "PJSIP/1002-00000003"}
    return {
        "system": SYSTEM,
        "source": source,
        "at": NINE + timedelta(seconds=second),
        "unique_id": UniqueId(channel),
        "linked_id": LinkedId(linked),
        "channel": names.get(channel, f"PJSIP/trunk-{channel}"),
    }


def incoming(channel: str = "c", second: float = 0, exten: str = "12345") -> ChannelStarted:
    return ChannelStarted(
        **head(channel, second, channel),
        number="13800001111",
        name="",
        context="from-trunk",
        exten=exten,
    )


def outgoing(channel: str, second: float, linked: str = "c") -> ChannelStarted:
    return ChannelStarted(
        **head(channel, second, linked), number="", name="", context="from-operator", exten="s"
    )


def bridged(bridge: str, second: float, *channels: str, linked: str = "c") -> list[Fact]:
    return [
        BridgeEntered(**head(channel, second + n / 1000, linked), bridge=bridge, holding=False)
        for n, channel in enumerate(channels)
    ]


def gone(channel: str, second: float, linked: str = "c") -> ChannelEnded:
    return ChannelEnded(**head(channel, second, linked), cause=16)


def test_a_holding_bridge_is_no_answer() -> None:
    held = [
        replace(fact, holding=True)
        for fact in bridged("b", 2, "c", "o")
        if isinstance(fact, BridgeEntered)
    ]
    facts = [incoming(), QueueJoined(**head("c", 1), queue="mayor"), outgoing("o", 1), *held]
    facts += [HangupHeard(**head("c", 9), by="PJSIP/trunk-00000001"), gone("o", 9), gone("c", 9)]
    (call,) = ended(replay(facts))
    assert call.outcome is Outcome.ABANDONED


def test_after_a_transfer_the_first_operator_answered_and_the_last_side_ended() -> None:
    facts = [
        *(incoming(), QueueJoined(**head("c", 1), queue="mayor"), outgoing("o", 1)),
        *bridged("b", 3, "o", "c"),
        *(HangupHeard(**head("o", 8), by="PJSIP/1001-00000002"), gone("o", 8)),
        outgoing("p", 8),
        *bridged("d", 10, "p", "c"),
        HangupHeard(**head("c", 20), by="PJSIP/trunk-00000001"),
        *(gone("p", 20), gone("c", 20)),
    ]
    (call,) = ended(replay(facts))
    assert (call.operator, call.hangup_by) == ("1001", Side.CALLER)
    assert call.talk == timedelta(seconds=16.999)


def test_joined_linked_ids_are_one_party_and_two_callers_two_calls() -> None:
    facts = [
        *(incoming("c"), incoming("d", 1), outgoing("o", 2)),
        *bridged("b", 3, "c", "o"),
        *bridged("b", 5, "d", linked="c"),  # a conference: the other call's id becomes ours
        *(gone("d", 8), gone("o", 9), gone("c", 9)),
    ]
    events = replay(facts)
    assert_told_once(events)
    first, second = ended(events)
    assert (first.key.linked_id, second.key.linked_id) == ("c", "d")
    assert (first.operator, second.operator) == ("1001", "1001")
    assert second.ended_at == NINE + timedelta(seconds=8)


def test_a_call_on_an_unknown_number_or_from_inside_is_not_ours() -> None:
    inside = [
        outgoing("o", 0, "o"),
        QueueJoined(**head("o", 1, "o"), queue="mayor"),
        gone("o", 9, "o"),
    ]
    assert replay([incoming(exten="999"), gone("c", 5), *inside]) == []


def test_a_call_whose_beginning_was_never_told_is_found_by_its_queue() -> None:
    joined = QueueJoined(**head("c", 3), queue="duty")
    assert replay([joined]) == []
    (call,) = ended(replay([joined, gone("c", 20)]))
    assert (call.line, call.started_at) == ("duty", joined.at)


def test_a_caller_bridged_with_nobody_waits_for_the_missing_page() -> None:
    tracker = CallTracker(RULES)
    facts = [incoming(), *bridged("b", 3, "c"), gone("c", 9)]
    assert ended(replay(facts, tracker)) == []
    late = [outgoing("o", 2), *bridged("b", 3, "o"), gone("o", 9)]
    (call,) = ended(replay(late, tracker))
    assert (call.outcome, call.operator) == (Outcome.ANSWERED, "1001")


def test_files_alone_end_a_call_only_by_the_end_of_its_linked_id() -> None:
    tracker = CallTracker(RULES)
    facts = facts_of("unanswered", "cel")
    assert ended(replay([f for f in facts if not isinstance(f, LinkedIdEnded)], tracker)) == []
    assert len(ended(replay(facts[-1:], tracker))) == 1


def test_the_missing_page_is_not_waited_for_longer_than_five_seconds() -> None:
    tracker = CallTracker(RULES)
    replay([incoming(), *bridged("b", 3, "c"), gone("c", 9)], tracker)
    assert tracker.settle(NINE + timedelta(seconds=13)) == []
    assert len(ended(tracker.settle(NINE + timedelta(seconds=14)))) == 1
    assert tracker.open_calls() == []


def test_a_call_that_is_not_in_the_snapshot_is_closed_and_one_that_is_goes_on() -> None:
    tracker = CallTracker(RULES)
    waiting = [incoming("d", 1), QueueJoined(**head("d", 2, "d"), queue="mayor")]
    replay([incoming("c"), outgoing("o", 1), *bridged("b", 3, "c", "o"), *waiting], tracker)
    later = NINE + timedelta(minutes=5)
    snapshot = SnapshotTaken(system=SYSTEM, at=later, channels=frozenset({UniqueId("d")}))
    (call,) = ended(tracker.observe(snapshot))
    assert (call.key.linked_id, call.outcome, call.hangup_by) == (
        "c",
        Outcome.ANSWERED,
        Side.SYSTEM,
    )
    assert call.recovered
    assert call.ended_at == NINE + timedelta(seconds=3.001)
    assert [call.key.linked_id for call in tracker.open_calls()] == ["d"]


def test_a_call_younger_than_the_snapshot_is_left_alone() -> None:
    """The files are read after the snapshot was taken; live events of it would follow it."""
    tracker = CallTracker(RULES)
    replay([replace(incoming("c"), source=Source.CEL)], tracker)
    young = SnapshotTaken(system=SYSTEM, at=NINE + A_SECOND, channels=frozenset())
    assert tracker.observe(young) == []
    assert len(tracker.open_calls()) == 1
    assert len(ended(tracker.observe(replace(young, at=NINE + 3 * A_SECOND)))) == 1


def test_a_call_told_live_before_the_snapshot_is_over_however_young() -> None:
    tracker = CallTracker(RULES)
    replay([incoming("c")], tracker)
    restarted = SnapshotTaken(system=SYSTEM, at=NINE + A_SECOND, channels=frozenset())
    assert len(ended(tracker.observe(restarted))) == 1


def test_a_waiting_call_that_died_with_the_exchange_failed() -> None:
    tracker = CallTracker(RULES)
    replay([incoming("c"), QueueJoined(**head("c", 1), queue="mayor")], tracker)
    dead = SnapshotTaken(system=SYSTEM, at=NINE + timedelta(minutes=1), channels=frozenset())
    (call,) = ended(tracker.observe(dead))
    assert call.outcome is Outcome.FAILED


def test_two_exchanges_with_the_same_ids_do_not_mix() -> None:
    other = System("mianyang-2")
    facts: list[Fact] = [incoming("c"), gone("c", 5)]
    both = [facts[0], replace(facts[0], system=other), facts[1], replace(facts[1], system=other)]
    calls = ended(replay(both))
    assert {call.key.system for call in calls} == {SYSTEM, other}


def test_a_resumed_call_tells_only_what_is_new() -> None:
    before = CallTracker(RULES)
    first = facts_of("answered", "ami")
    talking = next(n for n, fact in enumerate(first) if isinstance(fact, HangupHeard))
    replay(first[:talking], before)
    (call,) = before.open_calls()
    after = CallTracker(RULES)
    after.resume(call)
    assert after.open_calls() == [replace(call, recordings=())]
    events = replay(facts_of("answered", "cel"), after)
    assert [type(event) for event in events] == [CallEnded]
    assert ended(events)[0].answered_at == call.answered_at
    assert meaning(ended(events)[0]) == meaning(ended(replay(first))[0])


# ---- memory ----


def test_what_is_remembered_of_ended_calls_is_bounded() -> None:
    tracker = CallTracker(RULES)
    for n in range(REMEMBERED // 2 + 500):
        replay([incoming(f"c{n}"), gone(f"c{n}", 1, f"c{n}")], tracker)
    board = tracker._exchanges[SYSTEM]
    assert len(board._gone) <= REMEMBERED
    assert (board.channels, board._linked, board._strangers) == ({}, {}, {})


def test_parties_without_a_call_of_ours_are_bounded() -> None:
    tracker = CallTracker(RULES)
    for n in range(STRANGERS + 500):
        tracker.observe(outgoing(f"o{n}", n, f"o{n}"))
    board = tracker._exchanges[SYSTEM]
    assert len(board._strangers) == len(board.channels) == len(board._linked) == STRANGERS


def test_one_call_with_endless_bridges_and_hangups_stays_small() -> None:
    tracker = CallTracker(RULES)
    tracker.observe(incoming())
    for n in range(2_000):
        replay(bridged(f"b{n}", n, "c"), tracker)
        tracker.observe(HangupHeard(**head("c", n), by=f"PJSIP/{n}"))
    (caller,) = tracker._open
    assert len(caller.party.bridges) <= 64
    assert len(caller.party.hangups) <= 256


def rings(name: str) -> list[tuple[tuple[str, ...], ...]]:
    """At which seats each of a table's calls rang, one entry a change."""
    tracker = CallTracker(RULES)
    seen: list[tuple[tuple[str, ...], ...]] = [()]
    for fact in recorded(name).ami:
        tracker.observe(fact)
        now = tuple(tracker.ringing().values())
        seen += [now] if now != seen[-1] else []
    return seen


@pytest.mark.parametrize(
    ("name", "seats"),
    [
        ("answered", [(), (("1001",),), ()]),
        ("unanswered", [(), (("1001",),), (), (("1001",),), ()]),
        ("overflow_to_the_second_group", [(), (("1001",),), (), (("1002",),), ()]),
        ("two_at_once", [(), (("2001",),), (("1001",), ("2001",)), (("1001",),), ()]),
    ],
)
def test_a_call_rings_at_the_seats_that_the_queue_calls_until_it_is_answered(
    name: str, seats: list[tuple[tuple[str, ...], ...]]
) -> None:
    assert rings(name) == seats


def test_several_seats_ring_for_one_call() -> None:
    assert (("2001", "2002"),) in rings("duty_taken_by_the_next")
