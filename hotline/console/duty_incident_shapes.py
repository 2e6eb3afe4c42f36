"""The models of incidents in the API."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from hotline.console.duty_log_api import ReporterGiven, ReporterView
from hotline.console.shapes import Asked, Id, Name, Size, Told, Words
from routing.duty_incidents import (
    IncidentState,
    IncidentType,
    ReportKind,
    ReportText,
    Timer,
)
from routing.duty_policy import Level

IncidentName = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=2, max_length=100)
]
Edition = Annotated[int, Field(ge=1, le=2**31 - 1)]


class Alert(Asked):
    """What is raised at the duty desk from a seat, with one key."""

    summary: Words
    line: Name = "duty"
    call_id: Id | None = None
    case_id: Id | None = None


class AlertView(Told):
    """An alarm as whoever raised it sees it: who has it, and until when somebody must."""

    incident_id: Id
    state: IncidentState
    raised_at: datetime
    acknowledge_by: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    overdue: bool
    callout_id: Id | None = Field(description="Null while nobody can be rung.")


class Judgement(Asked):
    """What an incident is and how grave."""

    name: IncidentName
    level: Level
    type: IncidentType


class NewIncident(Judgement):
    """An incident that the duty desk opens itself."""

    line: Name = "duty"
    summary: Words
    call_id: Id | None = None
    case_id: Id | None = None
    reporter: ReporterGiven = ReporterGiven()


class Phoned(Asked):
    """Whom it was reported to by telephone."""

    whom: Name


class Dismissal(Asked):
    """Why it is no incident."""

    reason: Words


class NewReport(Asked):
    """The next report."""

    kind: ReportKind
    text: ReportText


class Redrafted(Asked):
    """Another text for a report that is not signed; `seen` is the edition it was read in."""

    seen: Edition
    text: ReportText


class Signature(Asked):
    """A leader signs the edition that was read."""

    seen: Edition


class Sending(Asked):
    """Whom a signed report went to, and by which way."""

    to: Name


class IncidentQuery(Asked):
    """Which incidents; newest first, `before` is the `next` of the page before."""

    state: IncidentState | None = None
    live: bool = False
    before: Id | None = None
    limit: Size = 50


class ClockView(Told):
    """One limit, with its legal basis."""

    timer: Timer
    starts_at: datetime
    ends_at: datetime
    stopped_at: datetime | None
    overdue: bool
    basis: str


class IncidentView(Told):
    """One incident in a list."""

    id: Id
    line: str
    name: str | None
    state: IncidentState
    level: Level | None
    type: IncidentType | None
    summary: str = Field(description="Telephone numbers in it are masked.")
    raised_at: datetime
    raised_by: str
    call_id: Id | None
    case_id: Id | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    ended_at: datetime | None
    overdue: tuple[Timer, ...] = Field(description="What should have been done by now.")


class Incidents(Told):
    """One page of incidents."""

    incidents: tuple[IncidentView, ...]
    next: int | None


class ReportView(Told):
    """One report; its text is fixed from its signature on."""

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


class IncidentDetail(IncidentView):
    """One incident with its reports and clocks."""

    policy: str
    reason: str | None
    reporter: ReporterView
    callout_id: Id | None
    clocks: tuple[ClockView, ...]
    reports: tuple[ReportView, ...]
    next_reports: tuple[ReportKind, ...]
