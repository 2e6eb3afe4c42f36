"""What a call is: values that everything else is told of. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias

from telephony.events import LinkedId, System


class Leg(StrEnum):
    """Whose voice a recording holds."""

    CALLER = "caller"
    OPERATOR = "operator"


class CallKind(StrEnum):
    """Whose call it is: a citizen's, or a test call of the service itself."""

    CITIZEN = "citizen"
    PROBE = "probe"


class Direction(StrEnum):
    """Who called whom."""

    INCOMING = "incoming"
    """Somebody outside called one of our lines."""
    OUTGOING = "outgoing"
    """A telephone of ours, or the service, called somebody outside."""
    INTERNAL = "internal"
    """One of our telephones was called by another, or by the service."""


DIAL_PREFIX = "dial-"
CALLOUT_PREFIX = "callout-"
"""The ids of channels that the service had dial: for a person, and to call somebody out."""
TAP_PREFIX = "caption-"
"""The ids of channels that carry one leg's sound to the captions: part of no call."""
PROBE_PREFIX = "probe-"
"""The ids of test calls begin with it; no other channel's does, and nobody else gives ids."""


class Side(StrEnum):
    """Who ended a call."""

    CALLER = "caller"
    OPERATOR = "operator"
    CALLEE = "callee"
    """Whoever was called from here."""
    SYSTEM = "system"


class Outcome(StrEnum):
    """What became of a call. A call has exactly one, once it has ended."""

    ANSWERED = "answered"
    ABANDONED_SHORT = "abandoned_short"
    """Hung up during the notice, or after less than the shortest wait that counts."""
    ABANDONED = "abandoned"
    """Hung up while waiting."""
    UNANSWERED = "unanswered"
    """The queue gave up: nobody took the call. Of a call from here: nobody answered it."""
    VOICEMAIL = "voicemail"
    BLOCKED = "blocked"
    """Kept out: on the block list and not insisting, or too many calls at once from one number."""
    BUSY = "busy"
    """Whoever was called from here was engaged, or refused."""
    FAILED = "failed"
    """The exchange ended it before anybody could answer."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class CallKey:
    """The natural key of a call.

    `linked_id` is the linked id under which the call came in, which is the unique id of the
    caller's channel; it stays the key when Asterisk later joins calls under another one.
    """

    system: System
    linked_id: LinkedId


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A recording that should exist."""

    leg: Leg
    path: str
    """As the exchange named it: absolute, or in its folder of recordings."""
    started_at: datetime


class Solved(StrEnum):
    """What the caller said by key: was his matter solved?"""

    YES = "yes"
    NO = "no"
    NOT_ANSWERED = "not_answered"


class Satisfied(StrEnum):
    """What the caller said by key: was he satisfied with the service?"""

    YES = "yes"
    BASICALLY = "basically"
    NO = "no"
    NOT_ANSWERED = "not_answered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What the caller answered after the talk. Who was never asked has none."""

    solved: Solved
    satisfied: Satisfied


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call as far as it is known; aware UTC times by the exchange's clock.

    Of a call from here `operator` is the telephone that called, `ringing_at` when the other one
    began to ring, and it has no line, no caller and no wait.
    """

    key: CallKey
    line: str
    caller_number: str | None = field(repr=False)
    caller_name: str | None = field(repr=False)
    direction: Direction = Direction.INCOMING
    callee_number: str | None = field(default=None, repr=False)
    """Whom a call from here called."""
    started_at: datetime
    queued_at: datetime | None = None
    ringing_at: datetime | None = None
    answered_at: datetime | None = None
    message_at: datetime | None = None
    """When the caller heard the tone after which his message is recorded; then he waits no more."""
    talk_ended_at: datetime | None = None
    """When the last person who spoke with the caller was gone; None while talking, or never."""
    ended_at: datetime | None = None
    operator: str | None = None
    badge: str | None = None
    """What the caller was told of who answered; None where nothing was told."""
    outcome: Outcome | None = None
    hangup_by: Side | None = None
    recordings: tuple[Recording, ...] = ()
    survey: Survey | None = None
    recovered: bool = False
    """Learnt from the exchange's files or a snapshot, because nobody listened at the time."""

    @property
    def kind(self) -> CallKind:
        """Whether a citizen called, told by the id of the channel alone."""
        is_probe = self.key.linked_id.startswith(PROBE_PREFIX)
        return CallKind.PROBE if is_probe else CallKind.CITIZEN

    @property
    def wait(self) -> timedelta | None:
        """From the queue to the answer, the message or the end; None while waiting, or unqueued."""
        until = self.answered_at or self.message_at or self.ended_at
        if self.queued_at is None or until is None:
            return None
        return max(until - self.queued_at, timedelta())

    @property
    def talk(self) -> timedelta | None:
        """From the answer until the last person was gone; None while talking or if not answered.

        Being on hold is part of it; the wait before it and the survey after it are not.
        """
        until = self.talk_ended_at or self.ended_at
        if self.answered_at is None or until is None:
            return None
        return max(until - self.answered_at, timedelta())


@dataclass(frozen=True, slots=True, kw_only=True)
class CallStarted:
    """A caller reached one of our lines."""

    call: Call
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRinging:
    """An operator's telephone rings for the call; told once, for the first."""

    call: Call
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CallAnswered:
    """Caller and operator can speak; told once, for the first operator."""

    call: Call
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CallMessage:
    """The caller heard the tone: he leaves a message and waits no more."""

    call: Call
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnded:
    """The call is over and has its outcome."""

    call: Call
    at: datetime


CallEvent: TypeAlias = CallStarted | CallRinging | CallAnswered | CallMessage | CallEnded


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackerRules:
    """What the tracker must know of the city's exchange."""

    line_by_number: Mapping[str, str]
    """The line by the number dialled."""
    line_by_queue: Mapping[str, str]
    inbound_contexts: frozenset[str] = frozenset({"from-trunk"})
    """The dialplan contexts in which calls come in from outside."""
    operator_contexts: frozenset[str] = frozenset({"from-operator"})
    """The dialplan contexts in which operators' telephones dial."""
    outbound_endpoints: frozenset[str] = frozenset({"outbound"})
    """The endpoints through which calls leave."""
    short_abandon: timedelta = timedelta(seconds=5)
    """A caller who waited less and hung up did not really wait."""
    recording_name: str = "{unique_id}-{leg}.wav"
    """How the dialplan names recordings, for when no fact tells the name."""
