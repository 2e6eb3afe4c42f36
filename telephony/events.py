"""The facts about calls that we care about, wherever they come from. Pure.

A fact is one line of an exchange's story about one channel: AMI tells it live, CEL and queue_log
keep it in files, a snapshot says what is true now. The tracker in `calls.py` makes calls of them.
Numbers and names of callers are kept out of every `repr`, so that no log shows them.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType, TypedDict

System = NewType("System", str)
"""The name of an exchange, unique in the city; Asterisk's `systemname`."""
UniqueId = NewType("UniqueId", str)
"""The id of one channel."""
LinkedId = NewType("LinkedId", str)
"""The id of channels that belong together; it may change when calls are joined."""


class Source(StrEnum):
    """Who told a fact. The clocks of AMI and CEL are exact, queue_log counts whole seconds."""

    AMI = "ami"
    CEL = "cel"
    QUEUE_LOG = "queue_log"
    SNAPSHOT = "snapshot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something happened to a channel at a time, by the exchange's clock (aware, UTC)."""

    system: System
    source: Source
    at: datetime
    unique_id: UniqueId
    linked_id: LinkedId | None
    """None where the source does not know it (queue_log)."""
    channel: str
    """The channel's name, `PJSIP/1001-00000002`; empty where the source does not know it."""


class Head(TypedDict):
    """The fields that every fact has, ready for `Kind(**head, ...)`."""

    system: System
    source: Source
    at: datetime
    unique_id: UniqueId
    linked_id: LinkedId | None
    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelStarted(Fact):
    """A channel came to be; for a caller, with the number dialled."""

    number: str = field(repr=False)
    name: str = field(repr=False)
    context: str
    exten: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelEnded(Fact):
    """A channel is gone."""

    cause: int | None
    """Q.850 cause code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HangupHeard(Fact):
    """A channel was hung up; `by` names the channel whose side did it, or is not a channel."""

    by: str
    cause: int | None = None
    """Q.850 cause code, where the source knows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedIdEnded(Fact):
    """No channel with this linked id is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueJoined(Fact):
    """A caller began to wait."""

    queue: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueLeft(Fact):
    """A caller waits no more: connected, given up, or sent on."""

    queue: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueAbandoned(Fact):
    """A caller hung up while waiting."""

    queue: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueGaveUp(Fact):
    """The queue let a waiting caller go: too long, nobody there, or a key pressed."""

    queue: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorCalled(Fact):
    """The telephone of an operator rings for this caller."""

    operator: str
    operator_unique_id: UniqueId
    operator_channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorMissed(Fact):
    """An operator's telephone rang for this caller and was not answered."""

    operator: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorConnected(Fact):
    """The queue gave this caller to an operator."""

    operator: str
    operator_unique_id: UniqueId | None
    """None where the source does not know it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorDone(Fact):
    """The talk between this caller and an operator of a queue is over.

    `reason` is `caller`, `agent` or `transfer`; Asterisk is at times wrong about it, so it is
    a hint only.
    """

    operator: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeEntered(Fact):
    """A channel hears the others of a bridge, or in a holding bridge only music."""

    bridge: str
    holding: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeLeft(Fact):
    """A channel left a bridge."""

    bridge: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingStarted(Fact):
    """A recording of this channel began; file names as the exchange knows them, or empty."""

    caller_file: str
    operator_file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VoicemailReached(Fact):
    """The caller heard the beep after which his message is recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerRefused(Fact):
    """A caller is kept out: he is on the block list, or calls too often at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerInsisted(Fact):
    """A caller who was kept out insists, and is let in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideDialled(Fact):
    """This channel calls a number outside, in the name of an operator (empty: of nobody)."""

    operator: str
    number: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CalloutTaken(Fact):
    """Whom the service called out has picked up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyAnswered(Fact):
    """The caller was asked something after the talk; `key` is empty where he pressed none."""

    question: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BadgeTold(Fact):
    """An operator has picked up, and the caller is told his badge before the two can speak."""

    operator: str
    badge: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotTaken:
    """Every channel that existed at a time. It comes after the facts that it was made of."""

    system: System
    at: datetime
    channels: frozenset[UniqueId]


FACTS: dict[str, type[Fact]] = {
    "channel_started": ChannelStarted,
    "channel_ended": ChannelEnded,
    "hangup_heard": HangupHeard,
    "linked_id_ended": LinkedIdEnded,
    "queue_joined": QueueJoined,
    "queue_left": QueueLeft,
    "queue_abandoned": QueueAbandoned,
    "queue_gave_up": QueueGaveUp,
    "operator_called": OperatorCalled,
    "operator_missed": OperatorMissed,
    "operator_connected": OperatorConnected,
    "operator_done": OperatorDone,
    "bridge_entered": BridgeEntered,
    "bridge_left": BridgeLeft,
    "recording_started": RecordingStarted,
    "voicemail_reached": VoicemailReached,
    "caller_refused": CallerRefused,
    "caller_insisted": CallerInsisted,
    "outside_dialled": OutsideDialled,
    "callout_taken": CalloutTaken,
    "survey_answered": SurveyAnswered,
    "badge_told": BadgeTold,
}
"""Every kind of fact by the name it has in the database."""
