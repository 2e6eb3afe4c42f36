"""Incidents: raised from a seat with one key, acknowledged, assessed, reported upwards in time.

What was raised about a case that somebody may not see does not exist for that person.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from hotline import duty_incident_rows as rows
from hotline import duty_incidents, journal
from hotline.console import keyed
from hotline.console.desk import Request
from hotline.console.duty_incident_shapes import (
    Alert,
    AlertView,
    ClockView,
    Dismissal,
    IncidentDetail,
    IncidentQuery,
    Incidents,
    IncidentView,
    Judgement,
    NewIncident,
    NewReport,
    Phoned,
    Redrafted,
    ReportView,
    Sending,
    Signature,
)
from hotline.console.duty_log_api import ReporterInFull, masked_text, refusals, reporter_view
from hotline.console.endpoint import Endpoint, Handler, get, post
from hotline.console.operators_api import Nothing
from hotline.console.problems import Fault, ProblemError
from hotline.console.seen_api import RevealAsked
from hotline.console.who import CALLERS, DUTY, DUTY_WRITERS, LEADERS
from hotline.database import Connection, borrowed, transaction
from hotline.duty_incident_rows import Incident, Report
from hotline.duty_incidents import Assessment, By, Raised
from hotline.errors import DutyUnknownError
from hotline.journal import Event
from hotline.masking import mask_text
from routing.duty_incidents import (
    REPORT_PARTS,
    Fact,
    IncidentClock,
    ReportText,
    Timer,
    clocks_of,
    next_reports,
)

Work = Callable[[Connection, int, By], Awaitable[object]]


async def raise_alert(asked: Request) -> AlertView:
    """Raise an alarm at the duty desk; those on duty are rung until somebody acknowledges."""
    given, seat = asked.asked(Alert), asked.who.seat
    with refusals():
        async with transaction(asked.services.pool) as tx:
            number = await keyed.made_before(asked, tx, given)
            if number is None:
                await _check_about(asked, tx, given)
                raised = Raised(**given.model_dump())
                number = await asked.services.duty.raise_alarm(tx, raised, _by(asked), seat)
                await keyed.made(asked, tx, number)
        asked.services.duty.wake()
        async with borrowed(asked.services.pool) as conn:
            return await _alert(asked, conn, number)


async def one_alert(asked: Request) -> AlertView:
    """Whether somebody of the duty desk has an alarm."""
    with refusals():
        async with borrowed(asked.services.pool) as conn:
            await _check(asked, conn, asked.path_id("incident_id"))
            return await _alert(asked, conn, asked.path_id("incident_id"))


async def list_incidents(asked: Request) -> Incidents:
    """One page of incidents."""
    query = asked.asked(IncidentQuery)
    async with borrowed(asked.services.pool) as conn:
        found = await rows.listed(
            conn,
            state=query.state,
            live=query.live,
            before=query.before,
            limit=query.limit + 1,
        )
        shown = await _seen(asked, conn, found[: query.limit])
        facts = await rows.facts_of(conn, [one.id for one in shown])
    following = found[query.limit - 1].id if len(found) > query.limit else None
    now = asked.services.clock()
    views = (IncidentView(**_facts(one, facts.get(one.id, ()), now)) for one in shown)
    return Incidents(incidents=tuple(views), next=following)


async def one_incident(asked: Request) -> IncidentDetail:
    """One incident with its reports and clocks."""
    with refusals():
        async with borrowed(asked.services.pool) as conn:
            return await _detail(asked, conn, asked.path_id("incident_id"))


async def open_incident(asked: Request) -> IncidentDetail:
    """Open an incident at the duty desk itself, assessed already."""
    given = asked.asked(NewIncident)
    told = given.model_dump(include={"line", "summary", "call_id", "case_id"})
    raised = Raised(
        **told,
        reporter=given.reporter.reporter(),
        assessment=Assessment(name=given.name, level=given.level, type=given.type),
    )
    with refusals():
        async with transaction(asked.services.pool) as tx:
            number = await keyed.made_before(asked, tx, given)
            if number is None:
                await _check_about(asked, tx, given)
                number = await duty_incidents.add(
                    tx, raised, asked.services.duty.policy, _by(asked)
                )
                if number is None:
                    raise ProblemError(
                        Fault.CONFLICT, "This case has an incident that is not over: go on there."
                    )
                await duty_incidents.tell_raised(tx, number, _by(asked))
                await keyed.made(asked, tx, number)
            return await _detail(asked, tx, number)


async def acknowledge_incident(asked: Request) -> IncidentDetail:
    """Acknowledge an alarm at the desk: nobody else is rung."""
    return await _work(asked, asked.asked(Nothing), asked.services.duty.acknowledge)


async def assess_incident(asked: Request) -> IncidentDetail:
    """Say what an incident is and how grave; the limits of its level count from then on."""
    given = asked.asked(Judgement)
    told = Assessment(name=given.name, level=given.level, type=given.type)
    return await _work(
        asked, given, lambda tx, number, by: duty_incidents.assess(tx, number, told, by)
    )


async def note_phoned(asked: Request) -> IncidentDetail:
    """Note that an incident was reported by telephone, and to whom."""
    given = asked.asked(Phoned)
    return await _work(
        asked, given, lambda tx, number, by: duty_incidents.phoned(tx, number, given.whom, by)
    )


async def dismiss_incident(asked: Request) -> IncidentDetail:
    """End what was no incident, with the reason."""
    given = asked.asked(Dismissal)
    return await _work(
        asked, given, lambda tx, number, by: duty_incidents.dismiss(tx, number, given.reason, by)
    )


async def draft_report(asked: Request) -> IncidentDetail:
    """Write the next report: the first, a follow-up or the final one."""
    given = asked.asked(NewReport)
    return await _work(
        asked,
        given,
        lambda tx, number, by: duty_incidents.draft(tx, number, given.kind, given.text, by),
    )


async def redraft_report(asked: Request) -> IncidentDetail:
    """Write a report anew that nobody has signed."""
    given, report = asked.asked(Redrafted), asked.path_id("report_id")
    return await _work(
        asked,
        given,
        lambda tx, number, by: duty_incidents.redraft(
            tx, number, report, given.seen, given.text, by=by
        ),
    )


async def sign_report(asked: Request) -> IncidentDetail:
    """Sign a report as a leader; from then on its text is fixed."""
    given, report = asked.asked(Signature), asked.path_id("report_id")
    return await _work(
        asked,
        given,
        lambda tx, number, by: duty_incidents.sign(tx, number, report, given.seen, by),
    )


async def send_report(asked: Request) -> IncidentDetail:
    """Note that a signed report has gone; the final one closes the incident."""
    given, report = asked.asked(Sending), asked.path_id("report_id")
    return await _work(
        asked, given, lambda tx, number, by: duty_incidents.send(tx, number, report, given.to, by)
    )


async def reveal_incident_reporter(asked: Request) -> ReporterInFull:
    """Tell who reported an incident in full, for a reason that is kept."""
    given, number = asked.asked(RevealAsked), asked.path_id("incident_id")
    with refusals():
        async with transaction(asked.services.pool) as tx:
            incident = await _check(asked, tx, number)
            await journal.write(
                tx,
                at=asked.services.clock(),
                actor=asked.who.name,
                event=Event.SEEN_IDENTITY,
                call_id=incident.call_id,
                case_id=incident.case_id,
                body={"what": f"incident {number}", "reason": mask_text(given.reason)},
            )
    told = incident.reporter
    return ReporterInFull(unit=told.unit, name=told.name, post=told.post, phone=told.phone)


async def _work(asked: Request, given: BaseModel, work: Work) -> IncidentDetail:
    """Do one thing with the incident of the path, once for each key, and tell how it stands."""
    number = asked.path_id("incident_id")
    with refusals():
        async with transaction(asked.services.pool) as tx:
            await _check(asked, tx, number)
            if await keyed.made_before(asked, tx, given) is None:
                await work(tx, number, _by(asked))
                await keyed.made(asked, tx, number)
            return await _detail(asked, tx, number)


def _by(asked: Request) -> By:
    return By(name=asked.who.name, at=asked.services.clock())


async def _check_about(asked: Request, tx: Connection, given: Alert | NewIncident) -> None:
    """What an alarm is about must be there, and its case be one that the asker may see."""
    if given.line not in {line.name for line in asked.services.config.lines}:
        raise ProblemError(Fault.INVALID, "line: the configuration has no such line.")
    for name, number in (("calls", given.call_id), ("cases", given.case_id)):
        if number is not None and not await tx.fetchval(_THERE[name], number):
            raise ProblemError(Fault.NOT_FOUND, f"There is no {name[:-1]} {number}.")
    if given.case_id is not None:
        await asked.sight.check(tx, given.case_id)


_THERE: Mapping[str, Any] = {
    "calls": "SELECT EXISTS (SELECT FROM calls WHERE id = $1)",
    "cases": "SELECT EXISTS (SELECT FROM cases WHERE id = $1)",
}


async def _check(asked: Request, conn: Connection, number: int) -> Incident:
    incident = await rows.get(conn, number)
    if not await _seen(asked, conn, [incident]):
        raise DutyUnknownError(f"There is no incident {number}.")
    return incident


async def _seen(asked: Request, conn: Connection, found: Sequence[Incident]) -> Sequence[Incident]:
    ids = [one.case_id for one in found if one.case_id is not None]
    seen = await asked.sight.seen(conn, ids)
    return [one for one in found if one.case_id is None or one.case_id in seen]


async def _alert(asked: Request, conn: Connection, number: int) -> AlertView:
    incident = await rows.get(conn, number)
    facts = (await rows.facts_of(conn, [number])).get(number, [])
    clocks = clocks_of(facts, incident.policy)
    clock = next(one for one in clocks if one.timer is Timer.ACKNOWLEDGE)
    return AlertView(
        incident_id=number,
        state=incident.state,
        raised_at=incident.raised_at,
        acknowledge_by=clock.ends_at,
        acknowledged_at=incident.acknowledged_at,
        acknowledged_by=incident.acknowledged_by,
        overdue=clock.is_overdue(asked.services.clock()),
        callout_id=incident.callout_id,
    )


async def _detail(asked: Request, conn: Connection, number: int) -> IncidentDetail:
    incident = await _check(asked, conn, number)
    facts = (await rows.facts_of(conn, [number])).get(number, [])
    reports = await rows.reports(conn, number)
    now = asked.services.clock()
    legal = next_reports([one.kind for one in reports]) if incident.is_live else frozenset()
    return IncidentDetail(
        **_facts(incident, facts, now),
        policy=incident.policy.name,
        reason=incident.reason and mask_text(incident.reason),
        reporter=reporter_view(incident.reporter),
        callout_id=incident.callout_id,
        clocks=tuple(_clock(one, now) for one in clocks_of(facts, incident.policy)),
        reports=tuple(_report(one) for one in reports),
        next_reports=tuple(sorted(legal)),
    )


def _facts(incident: Incident, facts: Sequence[Fact], now: datetime) -> dict[str, Any]:
    clocks = clocks_of(facts, incident.policy)
    late = [one.timer for one in clocks if incident.is_live and one.is_overdue(now)]
    kept = {name: getattr(incident, name) for name in _SHOWN}
    return {**kept, "summary": mask_text(incident.summary), "overdue": tuple(late)}


_SHOWN = tuple(set(IncidentView.model_fields) - {"summary", "overdue"})


def _clock(clock: IncidentClock, now: datetime) -> ClockView:
    return ClockView(
        timer=clock.timer,
        starts_at=clock.starts_at,
        ends_at=clock.ends_at,
        stopped_at=clock.stopped_at,
        overdue=clock.is_overdue(now),
        basis=clock.basis,
    )


def _report(report: Report) -> ReportView:
    facts = {name: getattr(report, name) for name in ReportView.model_fields if name != "text"}
    words = {part: mask_text(getattr(report.text, part)) for part in REPORT_PARTS}
    text = masked_text(report.text).model_copy(update=words)
    assert isinstance(text, ReportText)  # noqa: S101 - a copy of what came in
    return ReportView(**facts, text=text)


_INCIDENT = "/api/duty/incidents/{incident_id}"
_REPORT = _INCIDENT + "/reports/{report_id}"
_FAULTS = (Fault.NOT_FOUND, Fault.CONFLICT, Fault.MISSING_FACT, Fault.FORBIDDEN, Fault.INVALID)


def _does(path: str, handler: Handler, body: type[BaseModel], **more: Any) -> Endpoint:
    given: dict[str, Any] = {"faults": _FAULTS, "headers": (keyed.KEY,), "roles": DUTY_WRITERS}
    return post(path, handler, body, IncidentDetail, **(given | more))


ENDPOINTS = (
    post(
        "/api/duty/alerts",
        raise_alert,
        Alert,
        AlertView,
        faults=_FAULTS,
        headers=(keyed.KEY,),
        roles=CALLERS,
    ),
    get(
        "/api/duty/alerts/{incident_id}",
        one_alert,
        AlertView,
        faults=(Fault.NOT_FOUND,),
        roles=CALLERS,
    ),
    get("/api/duty/incidents", list_incidents, Incidents, query=IncidentQuery, roles=DUTY),
    _does("/api/duty/incidents", open_incident, NewIncident),
    get(_INCIDENT, one_incident, IncidentDetail, faults=(Fault.NOT_FOUND,), roles=DUTY),
    _does(_INCIDENT + "/acknowledge", acknowledge_incident, Nothing),
    _does(_INCIDENT + "/assess", assess_incident, Judgement),
    _does(_INCIDENT + "/phoned", note_phoned, Phoned),
    _does(_INCIDENT + "/dismiss", dismiss_incident, Dismissal),
    _does(_INCIDENT + "/reports", draft_report, NewReport),
    _does(_REPORT + "/change", redraft_report, Redrafted),
    _does(_REPORT + "/sign", sign_report, Signature, roles=LEADERS),
    _does(_REPORT + "/send", send_report, Sending),
    post(
        _INCIDENT + "/reveal",
        reveal_incident_reporter,
        RevealAsked,
        ReporterInFull,
        faults=(Fault.NOT_FOUND,),
        roles=DUTY,
    ),
)
