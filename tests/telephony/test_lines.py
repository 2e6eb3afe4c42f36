"""Messages and opinions, told by events and by files, in any order."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from telephony import cel
from telephony.calls import (
    CallEnded,
    CallTracker,
    Outcome,
    Satisfied,
    Solved,
    Survey,
    TrackerRules,
)
from telephony.events import (
    CallerInsisted,
    CallerRefused,
    CalloutTaken,
    Fact,
    OutsideDialled,
    SurveyAnswered,
    System,
    VoicemailReached,
)
from telephony.translation import translate

SYSTEM = System("mianyang-1")
RULES = TrackerRules(line_by_number={"12345": "mayor"}, line_by_queue={"mayor": "mayor"})
BEGAN = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
CALLER, SEAT = "mianyang-1-1795395600.1", "mianyang-1-1795395600.2"


def row(kind: str, second: float, *, seat: bool = False, extra: str = "", app: str = "") -> bytes:
    at = (BEGAN + timedelta(seconds=second)).timestamp()
    channel = "PJSIP/1001-00000002" if seat else "PJSIP/trunk-00000001"
    context = "from-operator" if seat else "from-trunk"
    fields = (
        *(kind, f"{at:.6f}", "", "13800001111", "12345", context, channel, app, "mayor,rc"),
        *(SEAT if seat else CALLER, CALLER, "", extra),
    )
    return ",".join('"' + field.replace('"', '""') + '"' for field in fields).encode()


def said(text: str) -> str:
    return '{"extra":"' + text + '"}'


BRIDGE = '{"bridge_id":"b1","bridge_technology":"simple_bridge"}'
ENDS = [row("CHAN_END", 40), row("LINKEDID_END", 40)]
TALKED = [
    row("CHAN_START", 0),
    row("APP_START", 1, app="Queue"),
    row("CHAN_START", 2, seat=True),
    row("BRIDGE_ENTER", 5, seat=True, extra=BRIDGE),
    row("BRIDGE_ENTER", 5, extra=BRIDGE),
    row("HANGUP", 20, seat=True, extra='{"hangupsource":"PJSIP/1001-00000002"}'),
    row("CHAN_END", 20, seat=True),
    row("APP_END", 20, app="Queue"),
]
GAVE_UP = [
    row("CHAN_START", 0),
    row("APP_START", 1, app="Queue"),
    row("APP_END", 20, app="Queue"),
    row("UNANSWERED", 20, extra=said("TIMEOUT")),
]


def ended(rows: list[bytes]) -> CallEnded:
    tracker = CallTracker(RULES)
    facts = [fact for one in rows if (fact := cel.parse(one, SYSTEM))]
    events = [event for fact in facts for event in tracker.observe(fact)]
    (last,) = [event for event in events if isinstance(event, CallEnded)]
    return last


@pytest.mark.parametrize(
    ("answers", "survey"),
    [
        ((), None),
        (("asked=",), (Solved.NOT_ANSWERED, Satisfied.NOT_ANSWERED)),
        (("asked=", "solved=1"), (Solved.YES, Satisfied.NOT_ANSWERED)),
        (("asked=", "solved=2", "satisfied=2"), (Solved.NO, Satisfied.BASICALLY)),
        (("asked=", "solved=", "satisfied=3"), (Solved.NOT_ANSWERED, Satisfied.NO)),
        (("asked=", "solved=9", "other=1"), (Solved.NOT_ANSWERED, Satisfied.NOT_ANSWERED)),
    ],
)
def test_silence_is_an_answer_of_its_own_in_any_order(
    answers: tuple[str, ...], survey: tuple[Solved, Satisfied] | None
) -> None:
    told = [row("SURVEY", 21 + n, extra=said(text)) for n, text in enumerate(answers)]
    for order in permutations(told):
        call = ended([*TALKED, *order, *order, *ENDS]).call
        wanted = Survey(solved=survey[0], satisfied=survey[1]) if survey else None
        assert call.survey == wanted
        assert (call.outcome, call.hangup_by) == (Outcome.ANSWERED, "operator")


def test_the_talk_ends_with_the_operator_and_not_with_the_survey() -> None:
    call = ended([*TALKED, row("SURVEY", 21, extra=said("asked=")), *ENDS]).call
    assert (call.talk, call.ended_at) == (timedelta(seconds=15), BEGAN + timedelta(seconds=40))


def test_the_talk_ends_with_the_survey_where_the_operators_end_is_unknown() -> None:
    torn = [one for one in TALKED if b"CHAN_END" not in one]
    call = ended([*torn, row("SURVEY", 21, extra=said("asked=")), *ENDS]).call
    assert call.talk == timedelta(seconds=16)


def test_a_caller_whom_his_operator_left_on_hold_talks_no_longer() -> None:
    left = '{"bridge_id":"b1"}'
    held = [row("BRIDGE_EXIT", 10, extra=left), row("BRIDGE_EXIT", 10, seat=True, extra=left)]
    for order in ([*TALKED[:5], *held, *TALKED[5:]], [*held, *TALKED]):
        call = ended([*order, *ENDS]).call
        assert call.talk == timedelta(seconds=15)  # on hold until 20, then alone until 40


def test_who_heard_the_beep_left_a_message_and_who_did_not_was_not_answered() -> None:
    beep = row("MESSAGE", 30, extra=said("mayor"))
    assert ended([*GAVE_UP, beep, *ENDS]).call.outcome is Outcome.VOICEMAIL
    assert ended([*GAVE_UP, *ENDS]).call.outcome is Outcome.UNANSWERED


class Told:
    name = "UserEvent"

    def __init__(self, **keys: str) -> None:
        self.keys: Mapping[str, str] = {
            "Uniqueid": CALLER,
            "Linkedid": CALLER,
            "Channel": "PJSIP/trunk-1",
            **keys,
        }


@pytest.mark.parametrize(
    ("keys", "kind"),
    [
        ({"UserEvent": "HotlineMessage", "Line": "mayor"}, VoicemailReached),
        ({"UserEvent": "HotlineSurvey", "Question": "solved", "Key": "1"}, SurveyAnswered),
        ({"UserEvent": "HotlineSurvey", "Question": "asked", "Key": ""}, SurveyAnswered),
        ({"UserEvent": "HotlineRefused", "Reason": "crowd"}, CallerRefused),
        ({"UserEvent": "HotlineInsisted"}, CallerInsisted),
        ({"UserEvent": "HotlineOutside", "Operator": "1001", "Number": "110"}, OutsideDialled),
        ({"UserEvent": "HotlineCalloutTaken"}, CalloutTaken),
        ({"UserEvent": "HotlineUnheardOf"}, None),
        ({"UserEvent": ""}, None),
    ],
)
def test_the_exchanges_events_tell_the_same(keys: dict[str, str], kind: type[Fact] | None) -> None:
    fact = translate(Told(**keys), system=SYSTEM, received_at=BEGAN)
    assert (fact and type(fact)) == kind
    if isinstance(fact, SurveyAnswered):
        assert (fact.question, fact.key) == (keys["Question"], keys["Key"])
