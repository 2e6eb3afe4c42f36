"""AMI events become facts: one look-up by name, and None at once for what tells nothing. Pure.

Enters: an event as `ami.py` reads it: a `name`, and `keys` in which every header that says who or
what it is about is one text. Leaves: a `Fact` or None. A header that is missing or odd makes
a poorer fact, never an exception.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Protocol

from telephony.call import TAP_PREFIX
from telephony.events import (
    BadgeTold,
    BridgeEntered,
    BridgeLeft,
    CallerInsisted,
    CallerRefused,
    CalloutTaken,
    ChannelEnded,
    ChannelStarted,
    Fact,
    HangupHeard,
    Head,
    LinkedId,
    OperatorCalled,
    OperatorConnected,
    OperatorDone,
    OperatorMissed,
    OutsideDialled,
    QueueAbandoned,
    QueueGaveUp,
    QueueJoined,
    QueueLeft,
    RecordingStarted,
    Source,
    SurveyAnswered,
    System,
    UniqueId,
    VoicemailReached,
)
from telephony.text import channel_of, clean, name_of, number_of, operator_at, operator_of

Keys = Mapping[str, str]


class Event(Protocol):
    """What we use of `asterisk.ami.Event`."""

    name: str
    keys: Keys


def translate(event: Event, *, system: System, received_at: datetime) -> Fact | None:
    """The fact this event tells, or None; its time is the exchange's, else `received_at`."""
    rule = _RULES.get(event.name)
    if rule is None:
        return None
    keys = event.keys
    unique_id = keys.get("Uniqueid")
    if not unique_id or unique_id.startswith(TAP_PREFIX):
        return None
    head: Head = {
        "system": system,
        "source": Source.AMI,
        "at": _time(keys, received_at),
        "unique_id": UniqueId(unique_id),
        "linked_id": LinkedId(keys.get("Linkedid") or unique_id),
        "channel": channel_of(keys.get("Channel", "")),
    }
    return rule(head, keys)


_WHOLE = re.compile(r"[0-9]{1,9}")


def _time(keys: Keys, received_at: datetime) -> datetime:
    """The header `Timestamp`, written when the manager has `timestampevents=yes`."""
    try:
        return datetime.fromtimestamp(float(keys["Timestamp"]), UTC)
    except (KeyError, ValueError, OverflowError, OSError):
        return received_at


def whole_number(text: str | None) -> int | None:
    """A whole number of an event, or None."""
    return int(text) if text and _WHOLE.fullmatch(text) else None


def _channel_started(head: Head, keys: Keys) -> Fact:
    return ChannelStarted(
        **head,
        number=number_of(keys.get("CallerIDNum", "")),
        name=name_of(keys.get("CallerIDName", "")),
        context=clean(keys.get("Context", "")),
        exten=clean(keys.get("Exten", "")),
    )


def _channel_ended(head: Head, keys: Keys) -> Fact:
    return ChannelEnded(**head, cause=whole_number(keys.get("Cause")))


def _hangup_heard(head: Head, _: Keys) -> Fact:
    return HangupHeard(**head, by=head["channel"])


def _queue_joined(head: Head, keys: Keys) -> Fact:
    return QueueJoined(**head, queue=clean(keys.get("Queue", "")))


def _queue_left(head: Head, keys: Keys) -> Fact:
    return QueueLeft(**head, queue=clean(keys.get("Queue", "")))


def _queue_abandoned(head: Head, keys: Keys) -> Fact:
    return QueueAbandoned(**head, queue=clean(keys.get("Queue", "")))


def _operator_called(head: Head, keys: Keys) -> Fact | None:
    called = keys.get("DestUniqueid")
    if not called:
        return None
    channel = channel_of(keys.get("DestChannel", ""))
    return OperatorCalled(
        **head,
        operator=operator_of(channel),
        operator_unique_id=UniqueId(called),
        operator_channel=channel,
    )


def _operator_connected(head: Head, keys: Keys) -> Fact:
    called = keys.get("DestUniqueid")
    return OperatorConnected(
        **head, operator=_member(keys), operator_unique_id=UniqueId(called) if called else None
    )


def _operator_missed(head: Head, keys: Keys) -> Fact:
    return OperatorMissed(**head, operator=_member(keys))


def _operator_done(head: Head, keys: Keys) -> Fact:
    return OperatorDone(**head, operator=_member(keys), reason=clean(keys.get("Reason", "")))


def _member(keys: Keys) -> str:
    return operator_at(keys.get("Interface") or keys.get("MemberName", ""))


def _bridge_entered(head: Head, keys: Keys) -> Fact | None:
    bridge = keys.get("BridgeUniqueid")
    if not bridge:
        return None
    return BridgeEntered(
        **head, bridge=bridge, holding=keys.get("BridgeTechnology") == "holding_bridge"
    )


def _bridge_left(head: Head, keys: Keys) -> Fact | None:
    bridge = keys.get("BridgeUniqueid")
    return BridgeLeft(**head, bridge=bridge) if bridge else None


def _recording(head: Head, _: Keys) -> Fact:
    """AMI does not tell the names of the files; CEL does."""
    return RecordingStarted(**head, caller_file="", operator_file="")


def _user_event(head: Head, keys: Keys) -> Fact | None:
    """The marks our dialplan sets: the queue came back, the beep, a question answered."""
    mark = _MARKS.get(str(keys.get("UserEvent", "")))  # a header told twice is a list: none of ours
    return mark(head, keys) if mark else None


def _outside_dialled(head: Head, keys: Keys) -> Fact:
    number = number_of(_said(keys, "Number"))
    return OutsideDialled(**head, operator=_said(keys, "Operator"), number=number)


def _survey(head: Head, keys: Keys) -> Fact:
    return SurveyAnswered(**head, question=_said(keys, "Question"), key=_said(keys, "Key").strip())


def _badge(head: Head, keys: Keys) -> Fact:
    return BadgeTold(**head, operator=_said(keys, "Operator"), badge=_said(keys, "Badge").strip())


def _said(keys: Keys, header: str) -> str:
    return clean(str(keys.get(header, "")))


_MARKS: dict[str, Callable[[Head, Keys], Fact]] = {
    "HotlineUnanswered": lambda head, keys: QueueGaveUp(
        **head, queue="", reason=_said(keys, "Status")
    ),
    "HotlineMessage": lambda head, _: VoicemailReached(**head),
    "HotlineRefused": lambda head, _: CallerRefused(**head),
    "HotlineInsisted": lambda head, _: CallerInsisted(**head),
    "HotlineOutside": _outside_dialled,
    "HotlineCalloutTaken": lambda head, _: CalloutTaken(**head),
    "HotlineSurvey": _survey,
    "HotlineBadge": _badge,
}
_RULES: dict[str, Callable[[Head, Keys], Fact | None]] = {
    "Newchannel": _channel_started,
    "Hangup": _channel_ended,
    "HangupRequest": _hangup_heard,
    "QueueCallerJoin": _queue_joined,
    "QueueCallerLeave": _queue_left,
    "QueueCallerAbandon": _queue_abandoned,
    "AgentCalled": _operator_called,
    "DialBegin": _operator_called,
    "AgentConnect": _operator_connected,
    "AgentRingNoAnswer": _operator_missed,
    "AgentComplete": _operator_done,
    "BridgeEnter": _bridge_entered,
    "BridgeLeave": _bridge_left,
    "MixMonitorStart": _recording,
    "UserEvent": _user_event,
}
EVENTS = frozenset(_RULES)
"""The names of the events that can tell a fact: what an event filter must let through."""
