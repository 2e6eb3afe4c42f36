"""How each kind of fact continues the story of its channel. Pure.

Every rule here gives the same story whatever the order of the facts, and changes nothing when
a fact comes again. What a fact means for other channels is the tracker's business.
"""

from collections.abc import Callable
from typing import Any

from telephony.channels import Channel, best, moment
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
    LinkedIdEnded,
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
    VoicemailReached,
)

_MOST_HANGUPS = 256
QUESTIONS = frozenset({"solved", "satisfied"})


def _started(channel: Channel, fact: ChannelStarted) -> None:
    told = moment(fact)
    if channel.started is None or told < channel.started:
        # An exact telling knows the number dialled; a snapshot only where the caller is now.
        if channel.started is None or channel.started[0] > told[0]:
            channel.context, channel.exten = fact.context, fact.exten
        channel.started = told
    channel.number = channel.number or fact.number
    channel.shown_name = channel.shown_name or fact.name
    if fact.source is Source.AMI:
        channel.started_live = True


def _ended(channel: Channel, fact: ChannelEnded) -> None:
    channel.ended = best(channel.ended, moment(fact))
    channel.cause = channel.cause or fact.cause
    if fact.source is Source.AMI:
        channel.ended_live = True


def _hangup_heard(channel: Channel, fact: HangupHeard) -> None:
    channel.cause = channel.cause or fact.cause
    hangups = channel.party.hangups
    if fact.by in hangups or len(hangups) < _MOST_HANGUPS:
        hangups[fact.by] = best(hangups.get(fact.by), moment(fact))


def _linked_id_ended(channel: Channel, fact: LinkedIdEnded) -> None:
    if fact.linked_id is not None:
        known = channel.party.ended_ids.get(fact.linked_id)
        channel.party.ended_ids[fact.linked_id] = min(known or fact.at, fact.at)


def _queue_joined(channel: Channel, fact: QueueJoined) -> None:
    told = moment(fact)
    if channel.queued is None or told <= channel.queued:
        channel.queue = fact.queue
    channel.queued = best(channel.queued, told)


def _queue_left(channel: Channel, fact: QueueLeft | QueueAbandoned) -> None:
    channel.left = best(channel.left, moment(fact))


def _queue_gave_up(channel: Channel, fact: QueueGaveUp) -> None:
    channel.gave_up = True
    channel.left = best(channel.left, moment(fact))


def _operator_connected(channel: Channel, fact: OperatorConnected) -> None:
    told = (moment(fact), fact.operator)
    if channel.connected is None or told < channel.connected:
        channel.connected = told
        channel.connected_to = fact.operator_unique_id or channel.connected_to


def _operator_done(channel: Channel, fact: OperatorDone) -> None:
    channel.done = fact.reason


def _bridge_entered(channel: Channel, fact: BridgeEntered) -> None:
    if not fact.holding:
        stay = channel.party.stay(channel, fact.bridge)
        stay.entered = best(stay.entered, moment(fact))


def _bridge_left(channel: Channel, fact: BridgeLeft) -> None:
    """The last time counts, if it went in and out."""
    stay = channel.party.stay(channel, fact.bridge)
    if stay.left is None or stay.left[1] < fact.at:
        stay.left = moment(fact)


def _recording_started(channel: Channel, fact: RecordingStarted) -> None:
    channel.recording = best(channel.recording, moment(fact))
    channel.caller_file = channel.caller_file or fact.caller_file
    channel.operator_file = channel.operator_file or fact.operator_file
    channel.recordings = None


def _voicemail_reached(channel: Channel, fact: VoicemailReached) -> None:
    channel.message = best(channel.message, moment(fact))


def _refused(channel: Channel, _: CallerRefused) -> None:
    channel.refused = True


def _insisted(channel: Channel, _: CallerInsisted) -> None:
    channel.insisted = True


def _outside_dialled(channel: Channel, fact: OutsideDialled) -> None:
    """The last number counts, and of its tellings the earliest."""
    told, known = (moment(fact), fact.operator, fact.number), channel.callee
    again = known is not None and known[1:] == told[1:]
    if known is None or (told < known if again else told[0][1] > known[0][1]):
        channel.callee = told


def _callout_taken(channel: Channel, fact: CalloutTaken) -> None:
    channel.taken = best(channel.taken, moment(fact))


def _survey_answered(channel: Channel, fact: SurveyAnswered) -> None:
    """A key wins over none, so that the order does not matter; of two keys the lower one."""
    channel.surveyed = best(channel.surveyed, moment(fact))
    keys = channel.survey = channel.survey or {}
    if fact.question in QUESTIONS:
        keys[fact.question] = min(filter(None, (keys.get(fact.question), fact.key)), default="")


def _badge_told(channel: Channel, fact: BadgeTold) -> None:
    """The first operator's counts, as the first answer does."""
    told = (moment(fact), fact.operator, fact.badge)
    if channel.badge is None or told < channel.badge:
        channel.badge = told


def _no_more_than_that(_: Channel, __: Fact) -> None:
    """That the channel exists was all."""


CONTINUE: dict[type[Fact], Callable[[Channel, Any], None]] = {
    ChannelStarted: _started,
    ChannelEnded: _ended,
    HangupHeard: _hangup_heard,
    LinkedIdEnded: _linked_id_ended,
    QueueJoined: _queue_joined,
    QueueLeft: _queue_left,
    QueueAbandoned: _queue_left,
    QueueGaveUp: _queue_gave_up,
    OperatorCalled: _no_more_than_that,
    OperatorMissed: _no_more_than_that,
    OperatorConnected: _operator_connected,
    OperatorDone: _operator_done,
    BridgeEntered: _bridge_entered,
    BridgeLeft: _bridge_left,
    RecordingStarted: _recording_started,
    VoicemailReached: _voicemail_reached,
    CallerRefused: _refused,
    CallerInsisted: _insisted,
    OutsideDialled: _outside_dialled,
    CalloutTaken: _callout_taken,
    SurveyAnswered: _survey_answered,
    BadgeTold: _badge_told,
}
"""What to do with a fact, by its kind."""
