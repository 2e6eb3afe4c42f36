"""Incidents and their reports in PostgreSQL; every change is conditional on what it starts from."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

import asyncpg

from hotline.database import Connection
from hotline.duty_log_rows import Reporter
from hotline.errors import DutyUnknownError
from routing.duty_incidents import (
    Fact,
    FactKind,
    IncidentState,
    IncidentType,
    ReportKind,
    ReportText,
)
from routing.duty_policy import Level, ReportingPolicy

EVENTS = "duty.incident_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One incident as it stands."""

    id: int
    line: str
    name: str | None
    state: IncidentState
    level: Level | None
    type: IncidentType | None
    summary: str
    raised_at: datetime
    raised_by: str
    call_id: int | None
    case_id: int | None
    policy: ReportingPolicy
    callout_id: int | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    ended_at: datetime | None
    reason: str | None
    reporter: Reporter

    @property
    def is_live(self) -> bool:
        """Whether somebody must still do something."""
        return self.state in {IncidentState.RAISED, IncidentState.OPEN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One report of an incident; its text is fixed from its signature on."""

    incident_id: int
    number: int
    kind: ReportKind
    title: str
    text: ReportText
    edition: int
    drafted_at: datetime
    drafted_by: str
    signed_at: datetime | None
    signed_by: str | None
    sent_at: datetime | None
    sent_by: str | None
    sent_to: str | None


# Who reported by telephone is the call's own caller, unless somebody else was named.
_INCIDENT: LiteralString = """
    SELECT d.id, d.line, d.name, d.state, d.level, d.type, d.summary, d.raised_at, d.raised_by,
           d.call_id, d.case_id, d.policy, d.callout_id, d.acknowledged_at, d.acknowledged_by,
           d.ended_at, d.reason, d.reporter IS NULL AS by_caller, r.unit AS r_unit,
           r.name AS r_name, r.post AS r_post, r.phone AS r_phone, i.name AS c_name,
           i.number AS c_phone
      FROM duty_incidents d
      LEFT JOIN duty_reporters r ON r.id = d.reporter
      LEFT JOIN calls c ON c.id = d.call_id
      LEFT JOIN identities i ON i.token = c.caller"""
_ONE: LiteralString = _INCIDENT + " WHERE d.id = $1"
_LIST: LiteralString = (
    _INCIDENT
    + """
     WHERE ($1::text IS NULL OR d.state = $1) AND (NOT $2 OR d.state IN ('raised', 'open'))
       AND ($3::bigint IS NULL OR d.id < $3) ORDER BY d.id DESC LIMIT $4"""
)
_LIVE_OF_CASE: LiteralString = """
    SELECT id FROM duty_incidents WHERE case_id = $1 AND state IN ('raised', 'open')"""
_ADD: LiteralString = """
    INSERT INTO duty_incidents (line, name, state, level, type, summary, raised_at, raised_by,
                                call_id, case_id, reporter, policy, acknowledged_at,
                                acknowledged_by)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
    ON CONFLICT (case_id) WHERE case_id IS NOT NULL AND state IN ('raised', 'open') DO NOTHING
    RETURNING id"""
_CALLOUT: LiteralString = "UPDATE duty_incidents SET callout_id = $2 WHERE id = $1"
_ACKNOWLEDGE: LiteralString = """
    UPDATE duty_incidents SET acknowledged_at = $2, acknowledged_by = $3
     WHERE id = $1 AND acknowledged_at IS NULL AND state = 'raised' RETURNING id"""
_ASSESS: LiteralString = """
    UPDATE duty_incidents SET state = 'open', name = $2, level = $3, type = $4,
           acknowledged_at = coalesce(acknowledged_at, $5),
           acknowledged_by = coalesce(acknowledged_by, $6)
     WHERE id = $1 AND state IN ('raised', 'open') RETURNING id"""
_END: LiteralString = """
    UPDATE duty_incidents SET state = $2, ended_at = $3, reason = $4
     WHERE id = $1 AND state IN ('raised', 'open') RETURNING id"""
# One transaction at a time works on an incident, so that its facts have one order.
_HOLD: LiteralString = "SELECT id FROM duty_incidents WHERE id = $1 FOR UPDATE"
_FACTS: LiteralString = """
    SELECT (body ->> 'incident')::bigint AS incident, event, at, body ->> 'level' AS level,
           body ->> 'kind' AS kind
      FROM journal
     WHERE event LIKE 'duty.incident%' AND (body ->> 'incident')::bigint = ANY ($1) ORDER BY id"""
_REPORTS: LiteralString = """
    SELECT incident_id, number, kind, title, content, edition, drafted_at, drafted_by, signed_at,
           signed_by, sent_at, sent_by, sent_to
      FROM duty_reports WHERE incident_id = $1 ORDER BY number"""
_DRAFT: LiteralString = """
    INSERT INTO duty_reports (incident_id, number, kind, title, content, drafted_at, drafted_by)
    VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING number"""
_REDRAFT: LiteralString = """
    UPDATE duty_reports SET content = $4, drafted_at = $5, drafted_by = $6, edition = edition + 1
     WHERE incident_id = $1 AND number = $2 AND edition = $3 AND signed_at IS NULL
    RETURNING number"""
_SIGN: LiteralString = """
    UPDATE duty_reports SET signed_at = $4, signed_by = $5
     WHERE incident_id = $1 AND number = $2 AND edition = $3 AND signed_at IS NULL
    RETURNING number"""
_SEND: LiteralString = """
    UPDATE duty_reports SET sent_at = $3, sent_by = $4, sent_to = $5
     WHERE incident_id = $1 AND number = $2 AND signed_at IS NOT NULL AND sent_at IS NULL
    RETURNING number"""


async def add(
    tx: Connection,
    *,
    line: str,
    name: str | None,
    state: IncidentState,
    level: Level | None,
    type_: IncidentType | None,
    summary: str,
    now: datetime,
    by: str,
    call_id: int | None,
    case_id: int | None,
    reporter: int | None,
    policy: ReportingPolicy,
) -> int | None:
    """A new incident's number; None where its case has a live one already."""
    seen = state is IncidentState.OPEN
    number: int | None = await tx.fetchval(
        _ADD,
        line,
        name,
        state.value,
        level and level.value,
        type_ and type_.value,
        summary,
        now,
        by,
        call_id,
        case_id,
        reporter,
        policy.model_dump_json(),
        now if seen else None,
        by if seen else None,
    )
    return number


async def live_of_case(conn: Connection, case_id: int) -> int | None:
    """The case's incident that is not over yet."""
    number: int | None = await conn.fetchval(_LIVE_OF_CASE, case_id)
    return number


async def set_callout(tx: Connection, number: int, callout: int) -> None:
    """Which call-out rings the people on duty for it."""
    await tx.execute(_CALLOUT, number, callout)


async def acknowledge(tx: Connection, number: int, by: str, now: datetime) -> bool:
    """Somebody of the duty desk has it; False where somebody had it before."""
    return await tx.fetchval(_ACKNOWLEDGE, number, now, by) is not None


async def assess(
    tx: Connection,
    number: int,
    name: str,
    level: Level,
    type_: IncidentType,
    *,
    by: str,
    now: datetime,
) -> bool:
    """What it is and how grave; False where it is over."""
    row = await tx.fetchval(_ASSESS, number, name, level.value, type_.value, now, by)
    return row is not None


async def end(
    tx: Connection, number: int, state: IncidentState, now: datetime, reason: str | None = None
) -> bool:
    """It is over; False where it was before."""
    return await tx.fetchval(_END, number, state.value, now, reason) is not None


async def held(tx: Connection, number: int) -> Incident:
    """One incident, held until the transaction ends; raises `DutyUnknownError`."""
    await tx.fetchval(_HOLD, number)
    return await get(tx, number)


async def get(conn: Connection, number: int) -> Incident:
    """One incident; raises `DutyUnknownError`."""
    row = await conn.fetchrow(_ONE, number)
    if row is None:
        raise DutyUnknownError(f"There is no incident {number}.")
    return _incident(row)


async def listed(
    conn: Connection,
    *,
    state: IncidentState | None = None,
    live: bool = False,
    before: int | None = None,
    limit: int,
) -> list[Incident]:
    """Incidents, newest first; `live` ones are those that are not over."""
    return [_incident(row) for row in await conn.fetch(_LIST, state, live, before, limit)]


async def facts_of(conn: Connection, numbers: Sequence[int]) -> Mapping[int, list[Fact]]:
    """What the journal says of each incident, oldest first."""
    found: defaultdict[int, list[Fact]] = defaultdict(list)
    for row in await conn.fetch(_FACTS, list(numbers)):
        found[row["incident"]].append(
            Fact(
                kind=FactKind(row["event"].removeprefix(EVENTS)),
                at=row["at"],
                level=Level(row["level"]) if row["level"] else None,
                report=ReportKind(row["kind"]) if row["kind"] else None,
            )
        )
    return found


async def reports(conn: Connection, number: int) -> list[Report]:
    """The reports of an incident, in order."""
    return [_report(row) for row in await conn.fetch(_REPORTS, number)]


async def draft(tx: Connection, report: Report) -> bool:
    """A new report; False where another one is on its way."""
    row = await tx.fetchval(
        _DRAFT,
        report.incident_id,
        report.number,
        report.kind.value,
        report.title,
        report.text.model_dump_json(),
        report.drafted_at,
        report.drafted_by,
    )
    return row is not None


async def redraft(
    tx: Connection, at: tuple[int, int], seen: int, text: ReportText, *, by: str, now: datetime
) -> bool:
    """Another text for a report that is not signed; False where it is, or was changed."""
    row = await tx.fetchval(_REDRAFT, *at, seen, text.model_dump_json(), now, by)
    return row is not None


async def sign(tx: Connection, at: tuple[int, int], seen: int, by: str, now: datetime) -> bool:
    """A leader signs the edition that was read; False where there is another one by now."""
    return await tx.fetchval(_SIGN, *at, seen, now, by) is not None


async def send(tx: Connection, at: tuple[int, int], to: str, *, by: str, now: datetime) -> bool:
    """A signed report went; False where it went before, or is not signed."""
    return await tx.fetchval(_SEND, *at, now, by, to) is not None


def _incident(row: asyncpg.Record) -> Incident:
    told: dict[str, Any] = dict(row)
    caller, named = {}, {}
    for key in ("name", "phone"):
        caller[key] = told.pop(f"c_{key}")
    for key in ("unit", "name", "post", "phone"):
        named[key] = told.pop(f"r_{key}")
    reporter = Reporter(**(caller if told.pop("by_caller") else named))
    return Incident(
        **{
            **told,
            "state": IncidentState(told["state"]),
            "level": Level(told["level"]) if told["level"] else None,
            "type": IncidentType(told["type"]) if told["type"] else None,
            "policy": ReportingPolicy.model_validate_json(told["policy"]),
            "reporter": reporter,
        }
    )


def _report(row: asyncpg.Record) -> Report:
    told = dict(row)
    text = ReportText.model_validate_json(told.pop("content"))
    return Report(**{**told, "kind": ReportKind(told["kind"]), "text": text})
