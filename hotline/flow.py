"""The whole pass on one screen: which fact starts which step.

    the exchange tells of a call   -> call_changed         -> calls, a case draft, the next job;
                                                              a message also a callback, a survey
    job collect_recordings         -> recordings_collected -> recordings, transcripts asked for
    job transcribe (each leg)      -> leg_heard, leg_failed -> transcripts; the last asks: route,
                                                              inspect
    job route                      -> words_routed         -> the suggestion on the draft
    job inspect                    -> call_inspected       -> the inspection, advice for a person
    a person                       -> case_begun           -> a case draft without a call
    a person                       -> case_moved           -> the case (protecting.py: who may not)
    job follow                     -> case_moved           -> each member of a lead that is answered
    a person                       -> callback_settled     -> the callback
    a person                       -> jobs_taken_up        -> the queue, failed transcripts

A test call of our own (probe.py) is stored and recorded like any, and nothing else follows from it.
A call from here (dialled by an operator or the service) is stored when it is over, and told once.

Each step is called inside one transaction and writes its result, the next job and its journal
rows, in this order (the journal last, because its writers take turns). Each result is keyed by
nature (system + linked id, call + leg, call + suggestion), so a step repeated after a crash finds
its work done and adds nothing. Time comes in as an argument; what is slow (sound, words) was done
before the transaction began.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hotline import (
    absence_rows,
    absences,
    callbacks,
    dial_orders,
    inspection_rows,
    journal,
    popup,
    protecting,
    repeats,
    store,
    telling,
)
from hotline.callbacks import Callback, Result, Tried
from hotline.database import Connection
from hotline.inspection_rows import Inspected
from hotline.jobs import JobName, Parked, enqueue, retry
from hotline.journal import Event
from hotline.masking import mask_text
from hotline.recordings import Found, Stored
from routing import group_store
from routing import store as cases
from routing.cases import Actor, Case, CaseState, Channel, Move, MoveData, Urgency
from routing.in_force import InForce
from routing.moves import TELLS_MEMBERS
from routing.suggestions import Suggestion
from telephony import store as calls
from telephony.calls import (
    Call,
    CallEnded,
    CallEvent,
    CallKind,
    CallRinging,
    Direction,
    Leg,
    Outcome,
    Recording,
)
from transcription import store as words
from transcription.inspection.form import Form
from transcription.inspection.judged import Inspection
from transcription.transcripts import Transcript

SERVICE = "service"
HEARD = frozenset({Outcome.ANSWERED, Outcome.VOICEMAIL})
"""Outcomes after which somebody said something worth hearing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """A journal row still to be written."""

    event: Event
    body: Mapping[str, Any]
    case_id: int | None = None


async def call_changed(tx: Connection, event: CallEvent) -> int:
    """A call started, rang, was answered or ended; returns its number."""
    return await call_told(tx, (event,))


async def call_told(tx: Connection, events: Sequence[CallEvent]) -> int:
    """Several events of one call at once, as the files tell it; returns its number.

    One commit instead of one for each, so that many missed calls are caught up with. The journal
    comes after all of it: who has its turn must wait for nobody.
    """
    call_id, changes = 0, []
    for event in events:
        call_id, rows = await _changed(tx, event)
        changes.append((event, rows))
    for event, rows in changes:
        await _tell(tx, f"exchange:{event.call.key.system}", event.at, call_id, rows)
    return call_id


async def _changed(tx: Connection, event: CallEvent) -> tuple[int, list[_Row]]:
    call = event.call
    saved = await calls.save(tx, event)
    for recording in _recordings(call):
        await store.expect_recording(
            tx, saved.call_id, recording.leg, recording.path, recording.started_at
        )
    if call.kind is CallKind.PROBE:
        return saved.call_id, await _probed(tx, saved, event)
    if call.direction is not Direction.INCOMING:
        return saved.call_id, await _from_here(tx, saved, event)
    rows = []
    if saved.changed:
        body = telling.call_body(call)
        if isinstance(event, CallRinging):
            body["history"] = await popup.history(tx, saved.call_id)
        rows.append(_Row(event=telling.call_word(event), body=body))
    if call.answered_at is not None or call.outcome is Outcome.VOICEMAIL:
        drafted = await cases.open_draft(
            tx, call_id=saved.call_id, line=call.line, owner=call.operator or SERVICE, now=event.at
        )
        if drafted.created:
            rows.append(_Row(event=Event.CASE_DRAFTED, body=drafted.body, case_id=drafted.case.id))
    if isinstance(event, CallEnded):
        rows += await _after_the_end(tx, saved.call_id, event)
    if isinstance(event, CallEnded) and saved.changed:
        await enqueue(tx, JobName.COLLECT_RECORDINGS, {"call_id": saved.call_id})
    return saved.call_id, rows


async def _probed(tx: Connection, saved: calls.SavedCall, event: CallEvent) -> list[_Row]:
    """A test call of our own: it is recorded like any, and is nobody's matter (probe.py judges)."""
    if isinstance(event, CallEnded) and saved.changed:
        await enqueue(tx, JobName.COLLECT_RECORDINGS, {"call_id": saved.call_id})
    return []


async def _from_here(tx: Connection, saved: calls.SavedCall, event: CallEvent) -> list[_Row]:
    """An operator or the service called somebody: no case, no rate, but a call of the record."""
    ordered = await dial_orders.found_for(tx, saved.call_id, event.call)
    if not (isinstance(event, CallEnded) and saved.changed):
        return []
    if event.call.recordings:
        await enqueue(tx, JobName.COLLECT_RECORDINGS, {"call_id": saved.call_id})
    body = telling.call_body(event.call)
    if ordered is not None:
        body |= {"for_call": ordered.call_id, "for_case": ordered.case_id}
    return [_Row(event=telling.call_word(event), body=body)]


async def _after_the_end(tx: Connection, call_id: int, event: CallEnded) -> list[_Row]:
    """What a call leaves behind: a caller who waits to be called back, and his opinion."""
    call, rows = event.call, []
    if call.outcome is Outcome.VOICEMAIL and await callbacks.want(tx, call_id, call.line, event.at):
        rows.append(
            _Row(event=Event.CALLBACK_WANTED, body={"line": call.line, "reason": "message"})
        )
    if call.survey is not None and await callbacks.keep_survey(tx, call_id, call.survey, event.at):
        body = {"line": call.line, "solved": call.survey.solved, "satisfied": call.survey.satisfied}
        rows.append(_Row(event=Event.SURVEY_ANSWERED, body=body))
    return rows


async def callback_settled(
    tx: Connection, call_id: int, *, result: Tried | Result, actor: str, now: datetime
) -> Callback:
    """A person tried to call back, or is done with it."""
    if isinstance(result, Tried):
        found = await callbacks.tried(tx, call_id, result, actor, now)
        word = Event.CALLBACK_TRIED
    else:
        found = await callbacks.finish(tx, call_id, result, actor, now)
        word = Event.CALLBACK_DONE
    await store.hold_call(tx, call_id)
    body = {"line": found.line, "result": result, "attempts": found.attempts}
    await _tell(tx, actor, now, call_id, [_Row(event=word, body=body, case_id=found.case_id)])
    return found


async def recordings_collected(
    tx: Connection, call_id: int, found: Mapping[Leg, Found], now: datetime
) -> None:
    """What became of each recording of an ended call; words are asked for where they matter."""
    call = await store.lock_call(tx, call_id)
    rows = [
        _Row(event=telling.recording_word(what), body={"leg": leg, **telling.recording_body(what)})
        for leg, what in found.items()
        if await store.settle_recording(tx, call_id, leg, what)
    ]
    if call.kind is CallKind.PROBE:
        return
    if call.outcome in HEARD:
        for leg, what in found.items():
            if (
                isinstance(what, Stored)
                and _is_worth_hearing(leg, call.outcome)
                and await words.request(tx, call_id, leg, what.kept.sha256, at=now)
            ):
                await enqueue(tx, JobName.TRANSCRIBE, {"call_id": call_id, "leg": leg})
        if rows or not await store.has_recordings(tx, call_id):
            await _route_when_through(tx, call_id)
    await _tell(tx, SERVICE, now, call_id, rows)


def _is_worth_hearing(leg: Leg, outcome: Outcome) -> bool:
    """Both sides of a talk; of a message only the caller, the other side being announcements."""
    return outcome is not Outcome.VOICEMAIL or leg is Leg.CALLER


async def leg_heard(
    tx: Connection, call_id: int, heard: Transcript, recording: str, now: datetime
) -> None:
    """The words of one leg, heard in the recording with this SHA-256; the last leg asks: route."""
    await store.lock_call(tx, call_id)
    if await words.finish(tx, call_id, heard, recording, at=now):
        await _route_when_through(tx, call_id)
        row = _Row(event=Event.TRANSCRIPT_READY, body=telling.transcript_body(heard))
        await _tell(tx, SERVICE, now, call_id, [row])


async def leg_failed(
    tx: Connection, call_id: int, leg: Leg, *, recording: str, reason: str, now: datetime
) -> None:
    """One leg cannot be heard, and why; routing goes on with what there is."""
    await store.lock_call(tx, call_id)
    if await words.fail(tx, call_id, leg, recording, reason, at=now):
        await _route_when_through(tx, call_id)
        body = {"leg": leg, "reason": mask_text(reason)}
        await _tell(tx, SERVICE, now, call_id, [_Row(event=Event.TRANSCRIPT_FAILED, body=body)])


async def words_routed(tx: Connection, call_id: int, suggestion: Suggestion, now: datetime) -> None:
    """What the words suggest, put beside the draft for a person to confirm; never more than that.

    An emergency is escalated in the same transaction.
    """
    await store.lock_call(tx, call_id)
    case = await cases.of_call(tx, call_id)
    if case is None:
        return
    applied = await cases.apply_suggestion(tx, case.id, suggestion)
    if not applied.changed:
        return
    body = {"number": case.number, "owner": case.owner, **telling.suggestion_body(suggestion)}
    told = body | {"changes": applied.changes}
    rows = [_Row(event=Event.CASE_SUGGESTED, body=told, case_id=case.id)]
    if suggestion.urgency is Urgency.EMERGENCY:
        rows.append(_Row(event=Event.CASE_ESCALATED, body=body, case_id=case.id))
    await _tell(tx, SERVICE, now, call_id, rows)


async def call_inspected(
    tx: Connection,
    about: Inspected,
    found: Inspection,
    heard: str,
    *,
    form: Form,
    now: datetime,
) -> None:
    """What an inspection found, kept for a person to look at; told without the score."""
    await store.lock_call(tx, about.call_id)
    await inspection_rows.keep_form(tx, form, now)
    if await inspection_rows.put(tx, about, found, heard, form=form, at=now) is None:
        return
    row = _Row(event=Event.CALL_INSPECTED, body={"form": found.form})
    await _tell(tx, SERVICE, now, about.call_id, [row])


async def case_begun(
    tx: Connection, *, channel: Channel, line: str, owner: str, now: datetime
) -> int:
    """A person wrote down a matter that no call brought; returns its case."""
    drafted = await cases.open_draft(
        tx, call_id=None, line=line, owner=owner, now=now, channel=channel
    )
    row = _Row(event=Event.CASE_DRAFTED, body=drafted.body, case_id=drafted.case.id)
    await _tell(tx, owner, now, None, [row])
    return drafted.case.id


async def case_moved(
    tx: Connection,
    case_id: int,
    *,
    move: Move,
    actor: Actor,
    now: datetime,
    data: MoveData,
    limits: InForce,
    expected: CaseState | None = None,
    version: int | None = None,
) -> cases.Moved:
    """Somebody moved a case; an illegal move raises one sentence and changes nothing.

    Whoever stands in for a person who is away may do what is that person's, and the row says so.
    """
    staffing = await absence_rows.staffing(tx, now)
    actor, given = absences.acting_for(staffing, actor), absences.redirected(staffing, data)
    actor = await protecting.acting(tx, case_id, actor)
    await protecting.check(tx, case_id, move, actor, given)
    moved = await cases.move(
        tx, case_id, move, actor, now, given, limits=limits, expected=expected, version=version
    )
    if moved.after.call_id is not None:
        await store.hold_call(tx, moved.after.call_id)
    absent = absences.done_for(staffing, moved.before, move, actor, data)
    body = moved.body if absent is None else {**moved.body, "for": absent}
    rows = [_Row(event=Event(moved.event), body=body, case_id=case_id)]
    if move in TELLS_MEMBERS and await group_store.has_members(tx, case_id):
        await enqueue(tx, JobName.FOLLOW, {"lead": case_id})
    await _tell(tx, actor.name, now, moved.after.call_id, rows)
    if moved.after.same_as is not None and moved.before.same_as != moved.after.same_as:
        await _repeated(tx, moved.after, moved.after.same_as, actor, now)
    lead = moved.after.lead or moved.before.lead
    if lead is not None and move in {Move.JOIN, Move.LEAVE}:
        await _grouped(tx, lead, actor, now)
    return moved


async def _grouped(tx: Connection, lead_id: int, actor: Actor, now: datetime) -> None:
    """The lead tells how many cases go with it now; which ones stays with each of them."""
    lead = await cases.get(tx, lead_id)
    members = await repeats.members(tx, lead_id)
    body = {"number": lead.number, "unit": lead.unit, "owner": lead.owner, "members": members}
    row = _Row(event=Event.CASE_GROUPED, body=body, case_id=lead_id)
    await _tell(tx, actor.name, now, lead.call_id, [row])


async def _repeated(
    tx: Connection, repeat: Case, first_id: int, actor: Actor, now: datetime
) -> None:
    """The case that a repeat was linked to counts it; what was said stays with the repeat."""
    first = await cases.get(tx, first_id)
    told = await repeats.times(tx, first_id)
    body = {
        "number": first.number,
        "unit": first.unit,
        "owner": first.owner,
        "repeats": told.all,
        "by_the_caller": told.by_the_caller,
    }
    row = _Row(event=Event.CASE_REPEATED, body=body, case_id=first_id)
    await _tell(tx, actor.name, now, repeat.call_id, [row])


async def jobs_taken_up(tx: Connection, ids: Sequence[int] | None) -> list[Parked]:
    """A person had parked jobs (None: all) tried again; a leg given up waits for its words anew."""
    taken_up = await retry(tx, ids)
    for job in taken_up:
        if job.name == JobName.TRANSCRIBE:
            await words.reopen(tx, int(job.payload["call_id"]), Leg(job.payload["leg"]))
    return taken_up


def _recordings(call: Call) -> tuple[Recording, ...]:
    """What should lie in the spool; every answered call is recorded, even if no fact says so."""
    from_here = call.direction is not Direction.INCOMING
    if call.recordings or call.ended_at is None or call.answered_at is None or from_here:
        return call.recordings
    began = call.queued_at or call.started_at
    return tuple(
        Recording(leg=leg, path=f"{call.key.linked_id}-{leg}.wav", started_at=began) for leg in Leg
    )


async def _route_when_through(tx: Connection, call_id: int) -> None:
    """Both legs are through (heard, failed, or without sound): route the words, and inspect."""
    if not await store.is_through(tx, call_id):
        return
    await enqueue(tx, JobName.ROUTE, {"call_id": call_id})
    if await inspection_rows.call(tx, call_id) is not None:
        await enqueue(tx, JobName.INSPECT, {"call_id": call_id})


async def _tell(
    tx: Connection, actor: str, at: datetime, call_id: int | None, rows: Sequence[_Row]
) -> None:
    await journal.write_many(
        tx,
        at=at,
        actor=actor,
        call_id=call_id,
        rows=[(row.event, row.case_id, row.body) for row in rows],
    )
