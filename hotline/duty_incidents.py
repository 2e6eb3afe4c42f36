"""What people do with an incident: raise, acknowledge, assess, telephone, report, sign, send.

Each is one step in the caller's transaction: the incident is held, changed where that is legal, and
told in one journal row, from which the clocks are computed (routing/duty_incidents.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hotline import duty_incident_rows as rows
from hotline import duty_log_rows, journal, store
from hotline.database import Connection
from hotline.duty_incident_rows import Incident, Report
from hotline.duty_log_rows import Reporter
from hotline.errors import (
    DutyChangedError,
    DutyForbiddenError,
    DutyIncompleteError,
    DutyUnknownError,
    DutyWrongError,
)
from hotline.journal import Event
from hotline.masking import mask_text
from routing.duty_incidents import (
    FactKind,
    IncidentState,
    IncidentType,
    ReportKind,
    ReportText,
    lacks,
    next_reports,
    title_of,
)
from routing.duty_log import impossible_times
from routing.duty_policy import Level, ReportingPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class By:
    """Who does it and when."""

    name: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What a duty officer says an incident is."""

    name: str
    level: Level
    type: IncidentType


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """What is raised, on which call or case."""

    line: str
    summary: str
    call_id: int | None = None
    case_id: int | None = None
    reporter: Reporter = field(default_factory=Reporter)
    assessment: Assessment | None = None
    """A duty officer's own; without it the incident waits to be acknowledged."""


async def add(tx: Connection, raised: Raised, policy: ReportingPolicy, by: By) -> int | None:
    """The new incident's number, still untold; None where the case has a live one already."""
    told = raised.assessment
    return await rows.add(
        tx,
        line=raised.line,
        name=told.name if told else None,
        state=IncidentState.OPEN if told else IncidentState.RAISED,
        level=told.level if told else None,
        type_=told.type if told else None,
        summary=raised.summary,
        now=by.at,
        by=by.name,
        call_id=raised.call_id,
        case_id=raised.case_id,
        reporter=await duty_log_rows.keep_reporter(tx, raised.reporter),
        policy=policy,
    )


async def tell_raised(tx: Connection, number: int, by: By) -> None:
    """The journal's row of a new incident, and of its level where it has one."""
    incident = await rows.get(tx, number)
    await _tell(tx, incident, FactKind.RAISED, by)
    if incident.level is not None:
        await _tell(tx, incident, FactKind.ACKNOWLEDGED, by)
        more = {"level": incident.level.value, "type": incident.type}
        await _tell(tx, incident, FactKind.LEVELLED, by, more)


async def acknowledge(tx: Connection, number: int, by: By) -> None:
    """Somebody of the duty desk has it now."""
    incident = await rows.held(tx, number)
    if not await rows.acknowledge(tx, number, by.name, by.at):
        who = incident.acknowledged_by or "nobody, because it is over"
        raise DutyChangedError(f"This incident was acknowledged by {who} already.")
    await _tell(tx, incident, FactKind.ACKNOWLEDGED, by)


async def assess(tx: Connection, number: int, told: Assessment, by: By) -> None:
    """Say what it is and how grave; the limits of its level count from now on."""
    incident = await rows.held(tx, number)
    done = await rows.assess(tx, number, told.name, told.level, told.type, by=by.name, now=by.at)
    if not done:
        raise _over(incident)
    if incident.acknowledged_at is None:
        await _tell(tx, incident, FactKind.ACKNOWLEDGED, by)
    more = {"level": told.level.value, "type": told.type.value}
    await _tell(tx, incident, FactKind.LEVELLED, by, more)


async def phoned(tx: Connection, number: int, whom: str, by: By) -> None:
    """It was reported by telephone, which comes before any text."""
    incident = await _live(tx, number)
    await _tell(tx, incident, FactKind.PHONED, by, {"whom": mask_text(whom)})


async def dismiss(tx: Connection, number: int, reason: str, by: By) -> None:
    """It was no incident; impossible once a report has gone."""
    incident = await _live(tx, number)
    if any(one.sent_at for one in await rows.reports(tx, number)):
        raise DutyChangedError("A report of this incident has gone: end it by a final report.")
    await rows.end(tx, number, IncidentState.DISMISSED, by.at, reason)
    await _tell(tx, incident, FactKind.DISMISSED, by)


async def draft(tx: Connection, number: int, kind: ReportKind, text: ReportText, by: By) -> Report:
    """Write the next report; only the kind that comes next can be."""
    incident = await _live(tx, number)
    if incident.name is None:
        raise DutyIncompleteError(
            "Say first what the incident is and how grave.", missing=("name", "level", "type")
        )
    _check_times(text, by.at)
    before = await rows.reports(tx, number)
    if before and before[-1].sent_at is None:
        raise DutyChangedError(f"{before[-1].title} has not gone yet.")
    legal = next_reports([one.kind for one in before])
    if kind not in legal:
        raise DutyWrongError(f"kind: what can come now is {' or '.join(sorted(legal))}.")
    sequence = sum(one.kind is ReportKind.FOLLOW_UP for one in before) + 1
    report = Report(
        incident_id=number,
        number=len(before) + 1,
        kind=kind,
        title=title_of(incident.name, kind, sequence),
        text=text,
        edition=1,
        drafted_at=by.at,
        drafted_by=by.name,
        signed_at=None,
        signed_by=None,
        sent_at=None,
        sent_by=None,
        sent_to=None,
    )
    if not await rows.draft(tx, report):
        raise DutyChangedError("Somebody else has begun this report at the same moment.")
    await _tell_report(tx, incident, FactKind.DRAFTED, report, by)
    return report


async def redraft(
    tx: Connection, number: int, report: int, seen: int, text: ReportText, *, by: By
) -> None:
    """Write an unsigned report anew, by somebody who has read edition `seen`."""
    incident, before = await _report(tx, number, report)
    _check_times(text, by.at)
    if not await rows.redraft(tx, (number, report), seen, text, by=by.name, now=by.at):
        raise _moved(before)
    await _tell_report(tx, incident, FactKind.DRAFTED, before, by)


async def sign(tx: Connection, number: int, report: int, seen: int, by: By) -> None:
    """A leader signs the edition that was read; from now on its text is fixed."""
    incident, before = await _report(tx, number, report)
    if missing := lacks(before.text):
        raise DutyIncompleteError(f"{before.title} lacks {', '.join(missing)}.", missing=missing)
    if not await rows.sign(tx, (number, report), seen, by.name, by.at):
        raise _moved(before)
    await _tell_report(tx, incident, FactKind.SIGNED, before, by)


async def send(tx: Connection, number: int, report: int, to: str, by: By) -> None:
    """A signed report has gone; the final one closes the incident."""
    incident, before = await _report(tx, number, report)
    if before.signed_at is None:
        raise DutyForbiddenError(f"{before.title} is not signed: a leader signs before it goes.")
    facts = (await rows.facts_of(tx, [number])).get(number, [])
    if not any(fact.kind is FactKind.PHONED for fact in facts):
        raise DutyIncompleteError(
            "The telephone comes first: note whom it was reported to by telephone.",
            missing=("phoned",),
        )
    if not await rows.send(tx, (number, report), to, by=by.name, now=by.at):
        raise _moved(before)
    if before.kind is ReportKind.FINAL:
        await rows.end(tx, number, IncidentState.CLOSED, by.at)
    await _tell_report(tx, incident, FactKind.SENT, before, by)


async def _live(tx: Connection, number: int) -> Incident:
    incident = await rows.held(tx, number)
    if not incident.is_live:
        raise _over(incident)
    return incident


async def _report(tx: Connection, number: int, report: int) -> tuple[Incident, Report]:
    incident = await _live(tx, number)
    found = [one for one in await rows.reports(tx, number) if one.number == report]
    if not found:
        raise DutyUnknownError(f"The incident {number} has no report {report}.")
    return incident, found[0]


def _over(incident: Incident) -> DutyChangedError:
    return DutyChangedError(f"This incident is {incident.state.value} already.")


def _moved(report: Report) -> DutyChangedError:
    stands = "went" if report.sent_at else "was signed" if report.signed_at else "was changed"
    return DutyChangedError(f"{report.title} {stands} meanwhile: read it again.")


def _check_times(text: ReportText, now: datetime) -> None:
    if wrong := impossible_times(text, now):
        raise DutyWrongError(f"{wrong[0]}: this time is still to come.")


async def _tell_report(
    tx: Connection, incident: Incident, kind: FactKind, report: Report, by: By
) -> None:
    more = {"report": report.number, "kind": report.kind.value}
    await _tell(tx, incident, kind, by, more)


async def _tell(
    tx: Connection,
    incident: Incident,
    kind: FactKind,
    by: By,
    more: Mapping[str, Any] | None = None,
) -> None:
    if incident.call_id is not None:
        await store.hold_call(tx, incident.call_id)
    await journal.write(
        tx,
        at=by.at,
        actor=by.name,
        event=Event(f"{rows.EVENTS}{kind}"),
        call_id=incident.call_id,
        case_id=incident.case_id,
        body={"incident": incident.id, "line": incident.line, **(more or {})},
    )
