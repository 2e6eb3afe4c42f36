"""What a test call proves, by what the record holds of it; and that only its id makes it one."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from telephony.calls import CallKey, CallKind, CallStarted, CallTracker, TrackerRules
from telephony.errors import ControlRefused
from telephony.events import ChannelStarted, LinkedId, Source, System, UniqueId
from telephony.probing import Seen, Sound, Stage, caller_id, judge, place
from tests.hotline.story import call

T0 = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
RULES = TrackerRules(line_by_number={"12345": "mayor"}, line_by_queue={"mayor": "mayor"})
STORED = tuple(Sound(leg=leg, state="stored", seconds=3.9, reason=None) for leg in ("a", "b"))


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


WHOLE = Seen(started_at=T0, queued_at=at(7), answered_at=at(7.2), ended_at=at(11.2), sounds=STORED)


def test_a_whole_test_call_shows_that_the_line_answers() -> None:
    found = judge(WHOLE)
    assert (found.ok, found.stage, found.seconds) == (True, Stage.RECORDED, 7.2)


@pytest.mark.parametrize(
    ("seen", "stage", "told"),
    [
        (None, Stage.NONE, "leads nowhere"),
        (replace(WHOLE, queued_at=None, answered_at=None), Stage.ENTERED, "never reached"),
        (replace(WHOLE, answered_at=None), Stage.QUEUED, "nobody took it"),
        (replace(WHOLE, ended_at=None), Stage.ANSWERED, "did not end"),
        (replace(WHOLE, sounds=()), Stage.ANSWERED, "nothing was recorded"),
        *(
            (replace(WHOLE, sounds=(STORED[0], sound)), Stage.ANSWERED, told)
            for sound, told in (
                (replace(STORED[1], state="expected", seconds=None), "has not come"),
                (replace(STORED[1], state="missing", seconds=None, reason="Gone."), "is missing"),
                (replace(STORED[1], seconds=0.1), "holds only 0.1 s"),
            )
        ),
    ],
)
def test_the_first_thing_missing_is_the_one_told(
    seen: Seen | None, stage: Stage, told: str
) -> None:
    found = judge(seen)
    assert (found.ok, found.stage) == (False, stage)
    assert told in str(found.reason)


def test_a_settled_call_is_over_and_its_recordings_are_decided() -> None:
    assert WHOLE.is_settled
    assert not replace(WHOLE, ended_at=None).is_settled
    waiting = replace(STORED[0], state="expected", seconds=None)
    assert not replace(WHOLE, sounds=(STORED[0], waiting)).is_settled


def test_a_test_call_is_known_by_its_id_alone() -> None:
    key = CallKey(system=System("m"), linked_id=LinkedId(caller_id("ab12")))
    assert call(key=key).kind is CallKind.PROBE
    assert call(caller_name="probe-1", caller_number="probe-1").kind is CallKind.CITIZEN


def test_of_the_two_halves_only_the_one_in_the_line_is_a_call() -> None:
    tracker = CallTracker(RULES)
    told = [
        event
        for half, unique_id in (("1", "probe-ear-ab"), ("2", "probe-ab"))
        for event in tracker.observe(
            ChannelStarted(
                system=System("m"),
                source=Source.AMI,
                at=T0,
                unique_id=UniqueId(unique_id),
                linked_id=LinkedId("probe-ear-ab"),
                channel=f"Local/12345@from-trunk-00000001;{half}",
                number="",
                name="",
                context="from-trunk",
                exten="12345",
            )
        )
    ]
    assert [type(event) for event in told] == [CallStarted]
    assert told[0].call.key.linked_id == "probe-ab"


async def test_nothing_a_dialplan_could_misread_is_placed() -> None:
    class Nobody:
        async def action(self, *_: object, **__: object) -> None:
            raise AssertionError("something was sent")

    for caller, number in (("x", "12345"), ("probe-a b", "12345"), ("probe-a", "1,2"), ("", "")):
        with pytest.raises(ControlRefused):
            await place(Nobody(), caller, number, seconds=5)
