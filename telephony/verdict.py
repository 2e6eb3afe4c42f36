"""What a caller's story amounts to once it is over: who ended it, and what became of it. Pure."""

from datetime import timedelta
from enum import StrEnum

from telephony.channels import Channel


class Side(StrEnum):
    """Who ended a call."""

    CALLER = "caller"
    OPERATOR = "operator"
    SYSTEM = "system"


class Outcome(StrEnum):
    """What became of a call. A call has exactly one, once it has ended."""

    ANSWERED = "answered"
    ABANDONED_SHORT = "abandoned_short"
    """Hung up during the notice, or after less than the shortest wait that counts."""
    ABANDONED = "abandoned"
    """Hung up while waiting."""
    UNANSWERED = "unanswered"
    """The queue gave up: nobody took the call."""
    VOICEMAIL = "voicemail"
    FAILED = "failed"
    """The exchange ended it before anybody could answer."""


_AT_ONCE = timedelta(seconds=0.5)
"""A caller who hangs up in a queue has left it and ended within this time."""


def hung_up_by(caller: Channel) -> Side:
    """Which side ended the call.

    By what the exchange heard from the telephones; by the queue's own reason only if nothing was
    heard, because the queue names the caller at times when the operator ended a consultation.
    """
    party = caller.party
    mine = party.hung_up(caller)
    partner = party.last_partner(caller)
    theirs = party.hung_up(partner) if partner else None
    if mine and (theirs is None or mine[1] <= theirs[1]):
        return Side.CALLER
    if theirs:
        return Side.OPERATOR
    return {"caller": Side.CALLER, "agent": Side.OPERATOR}.get(caller.done, Side.SYSTEM)


def outcome_of(caller: Channel, *, answered: bool, by: Side, short: timedelta) -> Outcome:
    """What became of a call that has ended.

    A queue that gives up also tells of an abandoned call (measured on Asterisk 22), so that
    event proves nothing: what counts is the dialplan's mark, queue_log, or a caller who was
    still there after the queue.
    """
    if answered:
        return Outcome.ANSWERED
    if caller.voicemail:
        return Outcome.VOICEMAIL
    if caller.gave_up or (caller.left and (by is Side.SYSTEM or _stayed_after_the_queue(caller))):
        return Outcome.UNANSWERED
    if by is Side.SYSTEM:
        return Outcome.FAILED
    if caller.queued and caller.ended and caller.ended[1] - caller.queued[1] >= short:
        return Outcome.ABANDONED
    return Outcome.ABANDONED_SHORT


def _stayed_after_the_queue(caller: Channel) -> bool:
    if caller.left is None or caller.ended is None or caller.left[0]:
        return False
    return caller.ended[1] - caller.left[1] > _AT_ONCE
