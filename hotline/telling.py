"""What the journal, and so the feed, may show of each fact: masked, short, ready for JSON. Pure."""

from typing import Any, assert_never

from hotline.journal import Event
from hotline.masking import mask_name, mask_number
from hotline.recordings import Damaged, Found, Missing, Stored
from routing.suggestions import Suggestion
from telephony.calls import (
    Call,
    CallAnswered,
    CallEnded,
    CallEvent,
    CallMessage,
    CallRinging,
    CallStarted,
    Direction,
)
from transcription.transcripts import Transcript


def call_word(event: CallEvent) -> Event:
    """The journal's word for what happened to a call."""
    match event:
        case CallStarted():
            return Event.CALL_STARTED
        case CallRinging():
            return Event.CALL_RINGING
        case CallAnswered():
            return Event.CALL_ANSWERED
        case CallMessage():
            return Event.CALL_MESSAGE
        case CallEnded():
            return Event.CALL_ENDED
        case _:
            assert_never(event)


def call_body(call: Call) -> dict[str, Any]:
    """What the feed may show of a call: the caller masked, times in seconds."""
    from_here = call.direction is not Direction.INCOMING
    return {
        "direction": call.direction,
        **({"callee": mask_number(call.callee_number)} if from_here else {}),
        "system": call.key.system,
        "line": call.line,
        "caller": mask_number(call.caller_number),
        "name": mask_name(call.caller_name),
        "operator": call.operator,
        "badge": call.badge,
        "outcome": call.outcome,
        "hangup_by": call.hangup_by,
        "wait": call.wait and round(call.wait.total_seconds(), 1),
        "talk": call.talk and round(call.talk.total_seconds(), 1),
        "recovered": call.recovered,
    }


def recording_word(found: Found) -> Event:
    """The journal's word for what became of a recording."""
    match found:
        case Stored():
            return Event.RECORDING_STORED
        case Missing():
            return Event.RECORDING_MISSING
        case Damaged():
            return Event.RECORDING_DAMAGED
        case _:
            assert_never(found)


def recording_body(found: Found) -> dict[str, Any]:
    """Its length, or why there is none."""
    match found:
        case Stored():
            return {"seconds": round(found.seconds, 1), "note": found.note}
        case Missing() | Damaged():
            return {"reason": found.reason}
        case _:
            assert_never(found)


def suggestion_body(suggestion: Suggestion) -> dict[str, Any]:
    """What was suggested, without the words it was heard in."""
    return {
        "level1": suggestion.level1,
        "confidence": suggestion.confidence,
        "kind": suggestion.kind,
        "urgency": suggestion.urgency,
        "area": suggestion.area,
        "unit": suggestion.unit,
    }


def transcript_body(heard: Transcript) -> dict[str, Any]:
    """How much was heard; the words themselves stay out of the feed."""
    return {
        "leg": heard.leg,
        "seconds": round(heard.audio_seconds, 1),
        "words": len(heard.words),
        "confidence": heard.mean_confidence and round(heard.mean_confidence, 3),
    }
