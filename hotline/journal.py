"""The journal: one row for everything that happened, in the transaction that made it happen.

Bodies are what the live feed shows, so whoever writes one masks it first. What people write with a
case's move lies apart (`case_texts`) and can be erased; the row holds its digest, and whoever reads
the row here gets the words too, with the numbers in them masked. A committed row is announced on
the channel `hotline_journal` by its id; ids come in the order of commits.
Write it last in a transaction: from the first row on, other writers wait for the commit.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, LiteralString

import asyncpg

from hotline.masking import mask_text
from routing import text_store

CHANNEL = "hotline_journal"


class Event(StrEnum):
    """Every word the journal knows; console, command line, metrics and tests use these."""

    CALL_STARTED = "call.started"
    CALL_RINGING = "call.ringing"
    CALL_ANSWERED = "call.answered"
    CALL_MESSAGE = "call.message"
    CALL_ENDED = "call.ended"
    RECORDING_STORED = "recording.stored"
    RECORDING_MISSING = "recording.missing"
    RECORDING_DAMAGED = "recording.damaged"
    TRANSCRIPT_READY = "transcript.ready"
    TRANSCRIPT_FAILED = "transcript.failed"
    CALL_INSPECTED = "call.inspected"
    INSPECTION_PLANNED = "inspection.planned"
    INSPECTION_SCORED = "inspection.scored"
    INSPECTION_APPEALED = "inspection.appealed"
    INSPECTION_APPEAL_DECIDED = "inspection.appeal_decided"
    CASE_DRAFTED = "case.drafted"
    CASE_CALLER_NOTED = "case.caller_noted"
    CASE_SUGGESTED = "case.suggested"
    CASE_ESCALATED = "case.escalated"
    CASE_CARRIED_OVER = "case.carried_over"
    CASE_OPENED = "case.opened"
    CASE_EXPLAINED = "case.explained"
    CASE_WITHDRAWN = "case.withdrawn"
    CASE_CONSULTED = "case.consulted"
    CASE_COMMENTED = "case.commented"
    CASE_CONCLUDED = "case.concluded"
    CASE_DISPATCHED = "case.dispatched"
    CASE_SIGNED = "case.signed"
    CASE_SENT_BACK = "case.sent_back"
    """How a return was told before it had to be asked for; only older rows say so."""
    CASE_RETURN_ASKED = "case.return_asked"
    CASE_RETURN_ACCEPTED = "case.return_accepted"
    CASE_RETURN_REFUSED = "case.return_refused"
    CASE_HELPER_ADDED = "case.helper_added"
    CASE_HELPER_FEEDBACK = "case.helper_feedback"
    CASE_EVIDENCE_ADDED = "case.evidence_added"
    CASE_VISITED = "case.visited"
    CASE_LAW_CITED = "case.law_cited"
    CASE_EXTENSION_ASKED = "case.extension_asked"
    CASE_EXTENSION_GRANTED = "case.extension_granted"
    CASE_EXTENSION_REFUSED = "case.extension_refused"
    CASE_ANSWERED = "case.answered"
    CASE_APPROVED = "case.approved"
    CASE_REDO = "case.redo"
    CASE_CALL_BACK_TRIED = "case.call_back_tried"
    CASE_CLOSED = "case.closed"
    CASE_TERMINATION_ASKED = "case.termination_asked"
    CASE_TERMINATION_REFUSED = "case.termination_refused"
    CASE_TERMINATED = "case.terminated"
    CASE_LEVEL_RAISED = "case.level_raised"
    CASE_RULED = "case.ruled"
    CASE_OFFERED = "case.offered"
    CASE_ACCEPTED = "case.accepted"
    CASE_DECLINED = "case.declined"
    CASE_DEPUTISED = "case.deputised"
    CASE_PROTECTED = "case.protected"
    CASE_UNPROTECT_ASKED = "case.unprotect_asked"
    CASE_UNPROTECTED = "case.unprotected"
    CASE_TAKEN_OVER = "case.taken_over"
    CASE_RECUSED = "case.recused"
    CASE_REJOINED = "case.rejoined"
    CASE_ARCHIVED = "case.archived"
    CASE_REOPENED = "case.reopened"
    CASE_PHONE_ASSIGNED = "case.phone_assigned"
    CASE_PHONE_FEEDBACK = "case.phone_feedback"
    CASE_JOINED = "case.joined"
    CASE_LEFT = "case.left"
    CASE_FOLLOWED = "case.followed"
    CASE_GROUPED = "case.grouped"
    """Of a lead: a case joined or left it."""
    CASE_REPEATED = "case.repeated"
    """The same matter was told once more and needs no order of its own."""
    COMING_ASKED = "coming.asked"
    COMING_OVERDUE = "coming.overdue"
    COMING_ACKNOWLEDGED = "coming.acknowledged"
    COMING_ARRIVED = "coming.arrived"
    COMING_WITHDRAWN = "coming.withdrawn"
    CALLBACK_WANTED = "callback.wanted"
    CALLBACK_TRIED = "callback.tried"
    CALLBACK_DONE = "callback.done"
    SURVEY_ANSWERED = "survey.answered"
    BLOCK_ASKED = "caller.block_asked"
    CALLER_BLOCKED = "caller.blocked"
    CALLER_UNBLOCKED = "caller.unblocked"
    CONTROL_DIAL = "control.dial"
    CONTROL_CALL_BACK = "control.call_back"
    CONTROL_HOLD = "control.hold"
    CONTROL_UNHOLD = "control.unhold"
    CONTROL_TRANSFER = "control.transfer"
    CONTROL_CONSULT = "control.consult"
    CONTROL_COMPLETE = "control.complete"
    CONTROL_INVITE = "control.invite"
    CONTROL_LEAVE = "control.leave"
    CONTROL_PICK_UP = "control.pick_up"
    CONTROL_HANG_UP = "control.hang_up"
    CONTROL_LISTEN = "control.listen"
    CONTROL_WHISPER = "control.whisper"
    CONTROL_BARGE = "control.barge"
    CONTROL_FAILED = "control.failed"
    OPERATOR_LOGGED_IN = "operator.logged_in"
    OPERATOR_LOGGED_OUT = "operator.logged_out"
    OPERATOR_READY = "operator.ready"
    OPERATOR_PHONE = "operator.phone"
    OPERATOR_PAUSED = "operator.paused"
    OPERATOR_WRAPUP = "operator.wrapup"
    COVERAGE_GAP = "coverage.gap"
    COVERAGE_RESTORED = "coverage.restored"
    ROSTER_ENTERED = "roster.entered"
    ROSTER_TAKEN_BACK = "roster.taken_back"
    ROSTER_CHANGED = "roster.changed"
    DUTY_LOG_WRITTEN = "duty.log_written"
    DUTY_INCIDENT_RAISED = "duty.incident_raised"
    DUTY_INCIDENT_ACKNOWLEDGED = "duty.incident_acknowledged"
    DUTY_INCIDENT_LEVELLED = "duty.incident_levelled"
    DUTY_INCIDENT_PHONED = "duty.incident_phoned"
    DUTY_INCIDENT_DRAFTED = "duty.incident_drafted"
    DUTY_INCIDENT_SIGNED = "duty.incident_signed"
    DUTY_INCIDENT_SENT = "duty.incident_sent"
    DUTY_INCIDENT_DISMISSED = "duty.incident_dismissed"
    DUTY_TIMER_DUE = "duty.timer_due"
    DUTY_HANDED_OVER = "duty.handed_over"
    DUTY_RELIEVED = "duty.relieved"
    DUTY_INSTRUCTION_GIVEN = "duty.instruction_given"
    DUTY_INSTRUCTION_PASSED_ON = "duty.instruction_passed_on"
    DUTY_INSTRUCTION_FEEDBACK = "duty.instruction_feedback"
    DUTY_INSTRUCTION_DONE = "duty.instruction_done"
    DUTY_INSTRUCTION_WITHDRAWN = "duty.instruction_withdrawn"
    DUTY_CONTACT_ENTERED = "duty.contact_entered"
    DUTY_CONTACT_REMOVED = "duty.contact_removed"
    CALLOUT_STARTED = "callout.started"
    CALLOUT_RINGING = "callout.ringing"
    CALLOUT_ACKNOWLEDGED = "callout.acknowledged"
    CALLOUT_EXHAUSTED = "callout.exhausted"
    REMINDER_DUE = "reminder.due"
    SUPERVISION_OPENED = "supervision.opened"
    SUPERVISION_RAISED = "supervision.raised"
    SUPERVISION_NOTICED = "supervision.noticed"
    SUPERVISION_ANSWERED = "supervision.answered"
    SUPERVISION_PROGRESSED = "supervision.progressed"
    SUPERVISION_EVIDENCE_ADDED = "supervision.evidence_added"
    SUPERVISION_CLEARED = "supervision.cleared"
    TRACKED_GIVEN = "tracked.given"
    TRACKED_SIGNED = "tracked.signed"
    TRACKED_PROGRESSED = "tracked.progressed"
    TRACKED_EVIDENCE_ADDED = "tracked.evidence_added"
    TRACKED_REPORTED = "tracked.reported"
    TRACKED_SENT_BACK = "tracked.sent_back"
    TRACKED_DONE = "tracked.done"
    TRACKED_ENDED = "tracked.ended"
    FAULT_RECORDED = "fault.recorded"
    FAULT_STATED = "fault.stated"
    FAULT_EVIDENCE_ADDED = "fault.evidence_added"
    FAULT_DECIDED = "fault.decided"
    FAULT_APPEALED = "fault.appealed"
    FAULT_APPEAL_DECIDED = "fault.appeal_decided"
    BURST_RAISED = "burst.raised"
    BURST_ACKNOWLEDGED = "burst.acknowledged"
    BURST_ENDED = "burst.ended"
    PERSON_ASKED = "person.asked"
    PERSON_GIVEN = "person.given"
    PERSON_CORRECTED = "person.corrected"
    PERSON_DELETED = "person.deleted"
    PERSON_REFUSED = "person.refused"
    RETENTION_DELETED = "retention.deleted"
    LEAGUE_FROZEN = "league.frozen"
    LEAGUE_APPEALED = "league.appealed"
    LEAGUE_APPEAL_DECIDED = "league.appeal_decided"
    REPORT_TAKEN = "report.taken"
    """Somebody took a report away as a file."""
    EXPORT_TAKEN = "export.taken"
    """Somebody took a list away as a file."""
    PUBLICATION_PROPOSED = "publication.proposed"
    PUBLICATION_RELEASED = "publication.released"
    PUBLICATION_WITHHELD = "publication.withheld"
    PUBLICATION_WITHDRAWN = "publication.withdrawn"
    CITY_LOADED = "city.loaded"
    CARD_PUBLISHED = "card.published"
    CARD_RETIRED = "card.retired"
    CARD_REPORTED = "card.reported"
    CARD_TOLD = "card.told"
    CARD_SENT = "card.sent"
    UNIT_SENT = "unit.sent"
    NOTICE_SENT = "notice.sent"
    NOTICE_DEAD = "notice.dead"
    NOTICE_REVIVED = "notice.revived"
    NOTICE_ADDRESS_ADDED = "notice.address_added"
    NOTICE_ADDRESS_REMOVED = "notice.address_removed"
    ALERT_FIRING = "alert.firing"
    ALERT_OVER = "alert.over"
    PROBE_FAILED = "probe.failed"
    PROBE_RECOVERED = "probe.recovered"
    PHONE_PROVISIONED = "phone.provisioned"

    USER_ADDED = "user.added"
    USER_CHANGED = "user.changed"
    USER_DEACTIVATED = "user.deactivated"
    USER_ACTIVATED = "user.activated"
    USER_SIGNED_IN = "user.signed_in"
    USER_REFUSED = "user.refused"
    USER_SIGNED_OUT = "user.signed_out"
    USER_PASSWORD_CHANGED = "user.password_changed"  # noqa: S105 - a word, no secret
    USER_PASSWORD_RESET = "user.password_reset"  # noqa: S105 - likewise
    TOKEN_MADE = "token.made"  # noqa: S105 - likewise
    TOKEN_REVOKED = "token.revoked"  # noqa: S105 - likewise
    ABSENCE_ENTERED = "absence.entered"
    ABSENCE_ENDED = "absence.ended"
    SEEN_CASE = "seen.case"
    SEEN_CALL = "seen.call"
    SEEN_SOUND = "seen.sound"
    SEEN_EVIDENCE = "seen.evidence"
    SEEN_IDENTITY = "seen.identity"
    SEEN_REFUSED = "seen.refused"
    SEEN_SEARCH = "seen.search"


LOOKS = frozenset(event for event in Event if event.startswith("seen."))
"""Somebody looked: kept like everything else, asked for by itself, and no news for the feed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row of the journal."""

    id: int
    at: datetime
    actor: str
    event: str
    call_id: int | None
    case_id: int | None
    body: dict[str, Any]


_WRITE: LiteralString = """
    INSERT INTO journal (at, actor, event, call_id, case_id, body)
    VALUES ($1, $2, $3, $4, $5, $6) RETURNING id"""
_WRITE_MANY: LiteralString = """
    INSERT INTO journal (at, actor, call_id, event, case_id, body)
    SELECT $1, $2, $3, event, case_id, body
      FROM unnest($4::text[], $5::bigint[], $6::jsonb[])
               WITH ORDINALITY AS told (event, case_id, body, place)
     ORDER BY place"""
_WRITE_FOUND: LiteralString = """
    INSERT INTO journal (at, actor, call_id, case_id, event, body)
    SELECT $1, $2, call_id, case_id, $5, $6
      FROM unnest($3::bigint[], $4::bigint[]) WITH ORDINALITY AS told (call_id, case_id, place)
     ORDER BY place"""
_AFTER: LiteralString = """
    SELECT id, at, actor, event, call_id, case_id, body FROM journal
     WHERE id > $1 ORDER BY id LIMIT $2"""
_ONE: LiteralString = """
    SELECT id, at, actor, event, call_id, case_id, body FROM journal WHERE id = $1"""
_OF_CASE: LiteralString = """
    SELECT id, at, actor, event, call_id, case_id, body FROM journal
     WHERE (case_id = $1 OR call_id = (SELECT call_id FROM cases WHERE id = $1))
       AND NOT starts_with(event, 'seen.')
     ORDER BY id"""


_TURN: LiteralString = "SELECT pg_advisory_xact_lock(hashtextextended('hotline.journal', 0))"


async def take_turn(conn: asyncpg.Connection) -> None:
    """Become the one writer until the commit, before anything else is locked.

    Only for a transaction that takes rows which another writer may need after its own first row.
    """
    await conn.execute(_TURN)


async def write(
    conn: asyncpg.Connection,
    *,
    at: datetime,
    actor: str,
    event: str,
    call_id: int | None = None,
    case_id: int | None = None,
    body: Mapping[str, Any] | None = None,
) -> int:
    """Add one row in the caller's transaction; returns its id. Unknown events are refused."""
    text = json.dumps(body or {}, ensure_ascii=False, default=str)
    return int(await conn.fetchval(_WRITE, at, actor, Event(event), call_id, case_id, text))


async def write_many(
    conn: asyncpg.Connection,
    *,
    at: datetime,
    actor: str,
    call_id: int | None = None,
    rows: Sequence[tuple[str, int | None, Mapping[str, Any]]],
) -> None:
    """Add what happened at one moment, in this order, at one go: event, case and body of each."""
    if rows:
        await conn.fetch(
            _WRITE_MANY,
            at,
            actor,
            call_id,
            [Event(event) for event, _, _ in rows],
            [case_id for _, case_id, _ in rows],
            [json.dumps(body, ensure_ascii=False, default=str) for _, _, body in rows],
        )


async def write_found(
    conn: asyncpg.Connection,
    *,
    at: datetime,
    actor: str,
    calls: Mapping[int, int | None],
    body: Mapping[str, Any],
) -> None:
    """Add that calls, each with its case, were shown to somebody who searched."""
    await conn.fetch(
        _WRITE_FOUND,
        at,
        actor,
        list(calls),
        list(calls.values()),
        Event.SEEN_CALL,
        json.dumps(body, ensure_ascii=False),
    )


async def after(conn: asyncpg.Connection, last: int, limit: int = 500) -> list[Entry]:
    """The rows that follow `last`, oldest first: what a reader that saw `last` has missed."""
    return await entries(conn, await conn.fetch(_AFTER, last, limit))


async def get(conn: asyncpg.Connection, entry_id: int) -> Entry | None:
    """One row."""
    return next(iter(await entries(conn, await conn.fetch(_ONE, entry_id))), None)


async def of_case(conn: asyncpg.Connection, case_id: int) -> list[Entry]:
    """Everything that happened to a case and to its call, oldest first."""
    return await entries(conn, await conn.fetch(_OF_CASE, case_id))


async def entries(conn: asyncpg.Connection, rows: Sequence[asyncpg.Record]) -> list[Entry]:
    """The entries in rows that have all columns of the journal, with what people wrote."""
    bodies = [json.loads(row["body"]) for row in rows]
    digests = [it for body in bodies for it in body.get("texts", {}).values()]
    words = await text_store.by_digest(conn, digests)
    return [
        Entry(**{**dict(row), "body": _readable(body, words)})
        for row, body in zip(rows, bodies, strict=True)
    ]


def _readable(body: dict[str, Any], words: Mapping[str, str]) -> dict[str, Any]:
    """A body without what only serves to build the case again, and with the words, masked."""
    said = {
        sort: mask_text(words[digest])
        for sort, digest in body.get("texts", {}).items()
        if digest in words
    }
    return {name: value for name, value in body.items() if name not in _FOR_THE_FOLD} | said


_FOR_THE_FOLD = frozenset({"changes", "texts", "kept"})
