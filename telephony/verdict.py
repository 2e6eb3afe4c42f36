"""What a caller's story amounts to: the call, who ended it, and what became of it. Pure."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from telephony.call import (
    Call,
    CallKey,
    Leg,
    Outcome,
    Recording,
    Satisfied,
    Side,
    Solved,
    Survey,
    TrackerRules,
)
from telephony.channels import COARSEST, Channel, Moment
from telephony.events import LinkedId, System

_UNKNOWN = datetime.min.replace(tzinfo=UTC)
_AT_ONCE = timedelta(seconds=0.5)
"""A caller who hangs up in a queue has left it and ended within this time."""


def call_of(
    system: System,
    caller: Channel,
    answer: tuple[Moment, str] | None,
    rules: TrackerRules,
    *,
    over: bool = False,
) -> Call:
    """The call as it is known now; what only a coarse clock told, once it is over."""
    by = hung_up_by(caller) if over else None
    started, queued, rang, answered, message, ended = _in_order(
        caller.started,
        caller.queued,
        caller.party.rang,
        answer[0] if answer else None,
        caller.message,
        caller.ended if over else None,
        coarsest=COARSEST if over else COARSEST - 1,
    )
    outcome = talked = None
    if ended is not None and answered is not None:
        talked = max(answered, talked_until(caller, ended))
    if by is not None:
        outcome = outcome_of(
            caller, answered=answered is not None, by=by, short=rules.short_abandon
        )
    return Call(
        key=CallKey(system=system, linked_id=LinkedId(caller.unique_id)),
        line=caller.line or "",
        caller_number=caller.number or None,
        caller_name=caller.shown_name or None,
        started_at=started or _UNKNOWN,
        queued_at=queued,
        ringing_at=rang,
        answered_at=answered,
        message_at=message,
        talk_ended_at=talked,
        ended_at=ended,
        operator=answer[1] or None if answer and answered else None,
        badge=caller.badge[2] or None if caller.badge and answered else None,
        outcome=outcome,
        hangup_by=by,
        recordings=recordings_of(caller, rules),
        survey=_survey(caller),
        recovered=not (caller.ended_live if over else caller.started_live),
    )


def recordings_of(caller: Channel, rules: TrackerRules) -> tuple[Recording, ...]:
    """The recordings that should exist of a channel."""
    if caller.recording is None:
        return ()
    if caller.recordings is None:
        caller.recordings = tuple(_expected(caller, caller.recording[1], rules))
    return caller.recordings


_SOLVED = {"1": Solved.YES, "2": Solved.NO}
_SATISFIED = {"1": Satisfied.YES, "2": Satisfied.BASICALLY, "3": Satisfied.NO}


def _survey(caller: Channel) -> Survey | None:
    """The keys as the questions mean them; silence is an answer of its own."""
    keys = caller.survey
    if keys is None:
        return None
    return Survey(
        solved=_SOLVED.get(keys.get("solved", ""), Solved.NOT_ANSWERED),
        satisfied=_SATISFIED.get(keys.get("satisfied", ""), Satisfied.NOT_ANSWERED),
    )


def _expected(caller: Channel, at: datetime, rules: TrackerRules) -> Iterator[Recording]:
    files = {Leg.CALLER: caller.caller_file, Leg.OPERATOR: caller.operator_file}
    if not any(files.values()):
        name = rules.recording_name
        files = {leg: name.format(unique_id=caller.unique_id, leg=leg) for leg in Leg}
    for leg, path in files.items():
        if path:
            yield Recording(leg=leg, path=path, started_at=at)


def _in_order(*moments: Moment | None, coarsest: int) -> list[datetime | None]:
    """The times that are exact enough; a coarse one never before an exact one it follows."""
    if all(told is None or not told[0] for told in moments):
        return [told and told[1] for told in moments]
    times: list[datetime | None] = []
    floor = _UNKNOWN
    for told in moments:
        if told is None or told[0] > coarsest:
            times.append(None)
            continue
        at = max(told[1], floor) if told[0] else told[1]
        floor = max(floor, at)
        times.append(at)
    return times


def is_over(caller: Channel) -> bool:
    """Whether everything of the call is known to be over, and its story is whole."""
    party = caller.party
    if party.is_told_by_one_side(caller):
        return False
    if party.is_over:
        return True
    if any(other.ended is None for other in party.callers):
        return caller.ended_live
    return caller.ended_live and not party.others_live()


def talked_until(caller: Channel, ended: datetime) -> datetime:
    """When the last person who spoke with the caller was gone, at the latest at the call's end.

    A person who waits while the caller is on hold is not gone. What comes after the last one, a
    survey or a queue in which nobody takes the call again, is no talk.
    """
    partner = caller.party.last_partner(caller)
    gone = (partner.ended if partner else None, caller.surveyed)
    return min([ended, *(told[1] for told in gone if told)])


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
    if caller.message or (caller.refused and not caller.insisted):
        return Outcome.VOICEMAIL if caller.message else Outcome.BLOCKED
    if caller.gave_up or (caller.left and (by is Side.SYSTEM or _stayed_after_the_queue(caller))):
        return Outcome.UNANSWERED
    if by is Side.SYSTEM:
        return Outcome.FAILED
    waited = caller.ended[1] - caller.queued[1] if caller.queued and caller.ended else timedelta()
    return Outcome.ABANDONED if caller.queued and waited >= short else Outcome.ABANDONED_SHORT


def _stayed_after_the_queue(caller: Channel) -> bool:
    if caller.left is None or caller.ended is None or caller.left[0]:
        return False
    return caller.ended[1] - caller.left[1] > _AT_ONCE
