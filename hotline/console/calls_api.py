"""Calls and their words, as the console shows them; reading only. Their sound: spoken_api.py."""

import json
from collections.abc import Mapping
from typing import Any, LiteralString

import asyncpg

from hotline.console.desk import Request
from hotline.console.endpoint import get
from hotline.console.problems import Fault, ProblemError
from hotline.console.seen_api import note
from hotline.console.shapes import (
    CallAbout,
    CallDetail,
    CallQuery,
    Calls,
    CallView,
    CaseRef,
    RecordingView,
    TranscriptView,
)
from hotline.console.spoken_api import muted_seconds, turn_view
from hotline.console.who import OFFICE
from hotline.database import borrowed
from hotline.journal import Event
from hotline.masking import mask_name, mask_number
from routing.cases import Urgency
from telephony.calls import Leg
from transcription import store as words

CALLS: LiteralString = """
    SELECT c.*, i.number AS caller_number, i.name AS caller_name,
           o.number AS callee_number,
           coalesce(d.channel, s.channel) IS NOT NULL AS ordered, s.callout_id,
           d.call_id AS about_call_id, f.id AS about_id, f.number AS about_number,
           f.state AS about_state, f.urgency AS about_urgency,
           EXISTS (SELECT FROM callbacks b WHERE b.call_id = d.call_id) AS about_callback,
           k.id AS case_id, k.number AS case_number, k.state AS case_state,
           k.urgency AS case_urgency,
           (SELECT coalesce(jsonb_object_agg(leg, state), '{}')
              FROM recordings r WHERE r.call_id = c.id) AS recordings,
           (SELECT coalesce(jsonb_object_agg(leg, state), '{}')
              FROM transcripts t WHERE t.call_id = c.id) AS transcripts
      FROM calls c
      LEFT JOIN identities i ON i.token = c.caller
      LEFT JOIN cases k ON k.call_id = c.id
      LEFT JOIN identities o ON o.token = c.callee
      LEFT JOIN dial_orders d ON d.system = c.system AND d.channel = c.linked_id
      LEFT JOIN callout_steps s ON s.channel = c.linked_id
      LEFT JOIN callouts u ON u.id = s.callout_id AND u.system = c.system
      LEFT JOIN cases f ON f.id = coalesce(
           d.case_id, u.case_id, (SELECT e.id FROM cases e WHERE e.call_id = d.call_id))"""
_LIST: LiteralString = (
    CALLS
    + """
     WHERE ($1::text IS NULL OR c.line = $1)
       AND ($2::text IS NULL OR c.outcome = $2)
       AND (NOT $3::boolean OR c.ended_at IS NULL)
       AND ($4::bigint IS NULL OR c.id < $4)
       AND c.kind = $6
       AND ($7::text IS NULL OR c.direction = $7)
     ORDER BY c.id DESC LIMIT $5"""
)
_ONE: LiteralString = CALLS + " WHERE c.id = $1"
_SOUND: LiteralString = """
    SELECT leg, state, seconds, started_at, reason FROM recordings
     WHERE call_id = $1 ORDER BY leg"""
_WORDS: LiteralString = """
    SELECT leg, state, engine, model, confidence, audio_seconds, reason, requested_at, done_at
      FROM transcripts WHERE call_id = $1 ORDER BY leg"""


async def list_calls(asked: Request) -> Calls:
    """One page of calls, newest first."""
    query = asked.asked(CallQuery)
    async with borrowed(asked.services.pool) as conn:
        rows = await conn.fetch(
            _LIST,
            query.line,
            query.outcome,
            query.live,
            query.before,
            query.limit + 1,
            query.kind,
            query.direction,
        )
    shown = rows[: query.limit]
    more = shown[-1]["id"] if len(rows) > query.limit else None
    return Calls(
        calls=tuple(CallView(**view(row), ringing=_ringing(asked, row)) for row in shown), next=more
    )


async def one_call(asked: Request) -> CallDetail:
    """One call with its recordings, the state of its words, and the dialogue."""
    call_id = asked.path_id("call_id")
    async with (
        borrowed(asked.services.pool) as conn,
        conn.transaction(isolation="repeatable_read", readonly=True),
    ):
        row = await conn.fetchrow(_ONE, call_id)
        if row is None:
            raise ProblemError(Fault.NOT_FOUND, f"There is no call {call_id}.")
        sound = await conn.fetch(_SOUND, call_id)
        legs = await conn.fetch(_WORDS, call_id)
        said = await words.said_turns(conn, call_id)
        silent = await muted_seconds(conn, call_id)
    await note(asked, Event.SEEN_CALL, call_id=call_id)
    return CallDetail(
        **view(row),
        ringing=_ringing(asked, row),
        sound=tuple(_recording(call_id, it, silent) for it in sound),
        words=tuple(TranscriptView(**dict(it)) for it in legs),
        dialogue=tuple(turn_view(one) for one in said),
    )


def _recording(call_id: int, row: asyncpg.Record, silent: Mapping[Leg, float]) -> RecordingView:
    stored = row["state"] == "stored"
    url = f"/api/calls/{call_id}/sound/{row['leg']}" if stored else None
    muted = silent.get(Leg(row["leg"])) if stored else None
    return RecordingView(**dict(row), url=url, muted_seconds=muted)


def _ringing(asked: Request, row: asyncpg.Record) -> tuple[str, ...]:
    """Only what waits can ring; what the exchange told of it is in memory."""
    if row["ended_at"] is not None or row["answered_at"] is not None:
        return ()
    exchange = asked.services.exchanges.get(row["system"])
    return exchange.rings_at(row["linked_id"]) if exchange else ()


def view(row: asyncpg.Record) -> dict[str, Any]:
    """A row as the fields of a CallView, but for the seats it rings at."""
    return {
        "id": row["id"],
        "kind": row["kind"],
        "direction": row["direction"],
        "system": row["system"],
        "line": row["line"],
        "caller": mask_number(row["caller_number"]),
        "callee": mask_number(row["callee_number"]),
        "name": mask_name(row["caller_name"]),
        "started_at": row["started_at"],
        "queued_at": row["queued_at"],
        "ringing_at": row["ringing_at"],
        "answered_at": row["answered_at"],
        "message_at": row["message_at"],
        "ended_at": row["ended_at"],
        "operator": row["operator"],
        "badge": row["badge"],
        "outcome": row["outcome"],
        "hangup_by": row["hangup_by"],
        "recovered": row["recovered"],
        "wait_seconds": _seconds(
            row["queued_at"], row["answered_at"] or row["message_at"] or row["ended_at"]
        ),
        "talk_seconds": _seconds(row["answered_at"], row["talk_ended_at"] or row["ended_at"]),
        "recordings": json.loads(row["recordings"]),
        "transcripts": json.loads(row["transcripts"]),
        "case": _case(row),
        "about": _about(row),
    }


def _seconds(begin: Any, end: Any) -> float | None:
    if begin is None or end is None:
        return None
    return max(0.0, float((end - begin).total_seconds()))


def _case(row: asyncpg.Record) -> CaseRef | None:
    if row["case_id"] is None:
        return None
    return CaseRef(
        id=row["case_id"],
        number=row["case_number"],
        state=row["case_state"],
        urgency=row["case_urgency"] or Urgency.NORMAL,
    )


def _about(row: asyncpg.Record) -> CallAbout | None:
    if not row["ordered"]:
        return None
    case = row["about_id"] and CaseRef(
        id=row["about_id"],
        number=row["about_number"],
        state=row["about_state"],
        urgency=row["about_urgency"] or Urgency.NORMAL,
    )
    return CallAbout(
        call_id=row["about_call_id"],
        case=case,
        callback=row["about_callback"],
        callout_id=row["callout_id"],
    )


ENDPOINTS = (
    get("/api/calls", list_calls, Calls, query=CallQuery, roles=OFFICE),
    get("/api/calls/{call_id}", one_call, CallDetail, faults=(Fault.NOT_FOUND,), roles=OFFICE),
)
