"""Every address as every role, against a table that is written down here and nowhere else.

A new address fails this test until somebody has decided who may use it.
"""

import pytest

from hotline.console.endpoint import Endpoint
from hotline.console.endpoints import ENDPOINTS
from hotline.services import Services
from routing.cases import Role
from tests.hotline.console.conftest import Site
from tests.hotline.console.staff import Staff, hire, path_to

PEOPLE = tuple(role for role in Role if role is not Role.SYSTEM)
OPEN = "open"
DESK = "operator dispatcher duty_officer supervisor"
CALLERS = f"{DESK} call_back"
OFFICE = f"{CALLERS} auditor leader discipline"
READERS = f"{OFFICE} unit"
ALL = f"{READERS} administrator"
OPENERS = "operator dispatcher duty_officer"
RULERS = "dispatcher duty_officer leader supervisor"
JUDGES = "auditor dispatcher supervisor"
DUTY = "duty_officer leader supervisor"
EXPORTERS = f"{RULERS} auditor discipline"
PROTECTORS = "operator dispatcher discipline"
PROTECTED = f"{OPENERS} discipline"
TELLERS = "dispatcher supervisor administrator"
EXPECTED = {
    "GET /api/session": OPEN,
    "POST /api/session": OPEN,
    "DELETE /api/session": OPEN,
    "GET /api/openid": OPEN,
    "GET /api/openid/back": OPEN,
    "GET /healthz": OPEN,
    "POST /api/progress": OPEN,
    "POST /api/session/everywhere/end": ALL,
    "POST /api/session/password": ALL,
    "GET /api/journal": ALL,
    "GET /api/feed": ALL,
    "GET /api/catalogue": ALL,
    "GET /api/catalogue/moves": ALL,
    "GET /api/absences": ALL,
    "POST /api/absences": ALL,
    "POST /api/absences/{absence_id}/end": ALL,
    "GET /api/deputies": ALL,
    "GET /api/policies": ALL,
    "GET /api/policies/{policy}": ALL,
    "GET /api/policies/{policy}/preview": RULERS,
    "GET /api/calendar": ALL,
    "GET /api/numbers": ALL,
    "GET /api/publications": "dispatcher auditor supervisor leader",
    "POST /api/publications": "dispatcher auditor supervisor leader",
    "POST /api/publications/{publication_id}/publish": "dispatcher auditor supervisor leader",
    "POST /api/publications/{publication_id}/withhold": "dispatcher auditor supervisor leader",
    "POST /api/publications/{publication_id}/withdraw": "dispatcher auditor supervisor leader",
    "GET /api/staffing": DUTY,
    "GET /api/reports": DUTY,
    "GET /api/hot-spots": DUTY,
    "GET /api/reports/file": DUTY,
    "GET /api/exports/cases": f"{EXPORTERS} unit",
    "GET /api/exports/calls": EXPORTERS,
    "GET /api/exports/journal": "supervisor auditor discipline administrator",
    "GET /api/exports/supervision": "supervisor leader discipline auditor",
    "GET /api/exports/roster": DUTY,
    "GET /api/exports/staffing": DUTY,
    "GET /api/exports/sheets": "supervisor leader",
    "GET /api/league": "supervisor leader unit",
    "POST /api/league/freeze": "supervisor leader",
    "GET /api/league/appeals": "supervisor leader unit",
    "POST /api/league/appeals": "unit",
    "POST /api/league/appeals/{appeal_id}/decide": "supervisor leader",
    "GET /api/operator-sheets": "supervisor leader",
    "GET /metrics": ALL,
    "POST /api/alerts": "administrator",
    "GET /api/phone": CALLERS,
    "POST /api/phone": CALLERS,
    "POST /api/phone/back": CALLERS,
    "GET /api/phone/socket": CALLERS,
    "GET /api/tokens": ALL,
    "POST /api/tokens": ALL,
    "DELETE /api/tokens/{token_id}": ALL,
    "GET /api/users": "administrator",
    "POST /api/users": "administrator",
    "GET /api/users/{user_id}": "administrator",
    "POST /api/users/{user_id}/change": "administrator",
    "POST /api/users/{user_id}/deactivate": "administrator",
    "POST /api/users/{user_id}/activate": "administrator",
    "POST /api/users/{user_id}/reset-password": "administrator",
    "POST /api/users/{user_id}/sign-out": "administrator",
    "GET /api/users/{user_id}/tokens": "administrator",
    "POST /api/users/{user_id}/tokens": "administrator",
    "GET /api/calls": OFFICE,
    "GET /api/calls/{call_id}": OFFICE,
    "GET /api/calls/{call_id}/sound/{leg}": OFFICE,
    "GET /api/calls/{call_id}/captions": OFFICE,
    "GET /api/calls/{call_id}/text": OFFICE,
    "GET /api/calls/{call_id}/inspection": f"{DESK} auditor",
    "GET /api/inspections": f"{DESK} auditor",
    "GET /api/inspections/summary": f"{DESK} auditor",
    "GET /api/inspections/form": f"{DESK} auditor",
    "GET /api/inspections/plans": "supervisor auditor",
    "POST /api/inspections/plans": "supervisor",
    "GET /api/inspections/samples": "supervisor auditor",
    "GET /api/calls/{call_id}/inspection/scores": f"{DESK} auditor",
    "POST /api/calls/{call_id}/inspection/scores": "supervisor auditor",
    "POST /api/calls/{call_id}/inspection/appeal": f"{DESK} auditor",
    "GET /api/inspections/appeals": f"{DESK} auditor",
    "POST /api/inspections/appeals/{appeal_id}/decide": "supervisor auditor",
    "GET /api/inspections/results": f"{DESK} auditor",
    "GET /api/inspections/coaching": f"{DESK} auditor",
    "GET /api/inspections/agreement": "supervisor auditor",
    "POST /api/calls/{call_id}/reveal": f"{CALLERS} discipline",
    "GET /api/cases/{case_id}/protection": PROTECTORS,
    "POST /api/cases/{case_id}/protect": PROTECTORS,
    "POST /api/cases/{case_id}/unprotect": "discipline",
    "POST /api/cases/{case_id}/take-over": "discipline",
    "POST /api/cases/{case_id}/recuse": READERS,
    "POST /api/cases/{case_id}/rejoin": "discipline",
    "GET /api/person-requests": f"{DESK} discipline",
    "POST /api/person-requests": f"{DESK} discipline",
    "POST /api/person-requests/{request_id}/give": "supervisor discipline",
    "POST /api/person-requests/{request_id}/correct": "supervisor discipline",
    "POST /api/person-requests/{request_id}/delete": "supervisor discipline",
    "POST /api/person-requests/{request_id}/refuse": "supervisor discipline",
    "POST /api/texts/check": READERS,
    "GET /api/cases/{case_id}/seen": "supervisor discipline",
    "GET /api/units": ALL,
    "GET /api/units/{unit}": ALL,
    "GET /api/catalogue/resolve": ALL,
    "GET /api/city/versions": TELLERS,
    "POST /api/city/versions": "administrator",
    "POST /api/city/check": "administrator",
    "GET /api/cards": ALL,
    "POST /api/cards": "dispatcher supervisor unit",
    "GET /api/cards/{card_id}": ALL,
    "GET /api/cards/{card_id}/versions/{version_id}": ALL,
    "POST /api/cards/{card_id}/versions": "dispatcher supervisor unit",
    "POST /api/cards/{card_id}/retire": "dispatcher supervisor unit",
    "POST /api/cards/{card_id}/feedback": READERS,
    "GET /api/cards/effects": OFFICE,
    "GET /api/transcripts/search": OFFICE,
    "GET /api/dials": OFFICE,
    "GET /api/dials/{dial_id}/captions": OFFICE,
    "POST /api/calls/{call_id}/sound/{leg}/reveal": f"{CALLERS} discipline",
    "POST /api/calls/{call_id}/words/reveal": f"{CALLERS} discipline",
    "GET /api/calls/{call_id}/told": OFFICE,
    "POST /api/calls/{call_id}/told": CALLERS,
    "GET /api/calls/{call_id}/sent": OFFICE,
    "POST /api/calls/{call_id}/send-card": CALLERS,
    "POST /api/calls/{call_id}/send-unit": CALLERS,
    "GET /api/cases/{case_id}/told": READERS,
    "POST /api/cases/{case_id}/told": CALLERS,
    "GET /api/cases": READERS,
    "POST /api/cases": OPENERS,
    "POST /api/cases/{case_id}/caller": OPENERS,
    "POST /api/cases/{case_id}/reveal": f"{CALLERS} discipline",
    "GET /api/cases/{case_id}/sent": OFFICE,
    "POST /api/cases/{case_id}/send-card": CALLERS,
    "POST /api/cases/{case_id}/send-unit": CALLERS,
    "GET /api/cases/work": READERS,
    "GET /api/cases/{case_id}": READERS,
    "POST /api/cases/{case_id}/open": PROTECTED,
    "POST /api/cases/{case_id}/answer-directly": PROTECTED,
    "POST /api/cases/{case_id}/dispatch": OPENERS,
    "POST /api/cases/{case_id}/answer": "unit",
    "POST /api/cases/{case_id}/redo": "auditor supervisor call_back",
    "POST /api/cases/{case_id}/close": "call_back",
    "POST /api/cases/{case_id}/explain": PROTECTED,
    "POST /api/cases/{case_id}/consult": RULERS,
    "POST /api/cases/{case_id}/comment": "unit",
    "POST /api/cases/{case_id}/conclude": RULERS,
    "POST /api/cases/{case_id}/sign": "unit",
    "POST /api/cases/{case_id}/ask-return": "unit",
    "POST /api/cases/{case_id}/accept-return": RULERS,
    "POST /api/cases/{case_id}/refuse-return": RULERS,
    "POST /api/cases/{case_id}/add-helper": "dispatcher supervisor unit",
    "POST /api/cases/{case_id}/helper-feedback": "unit",
    "POST /api/cases/{case_id}/cite-law": JUDGES,
    "POST /api/cases/{case_id}/ask-extension": "unit",
    "POST /api/cases/{case_id}/grant-extension": JUDGES,
    "POST /api/cases/{case_id}/refuse-extension": JUDGES,
    "POST /api/cases/{case_id}/approve": "auditor",
    "POST /api/cases/{case_id}/call-back-tried": "call_back",
    "POST /api/cases/{case_id}/ask-termination": "unit",
    "POST /api/cases/{case_id}/approve-termination": "auditor supervisor",
    "POST /api/cases/{case_id}/refuse-termination": "auditor supervisor",
    "POST /api/cases/{case_id}/raise-level": RULERS,
    "POST /api/cases/{case_id}/rule": "leader supervisor",
    "POST /api/cases/{case_id}/hand-over": READERS,
    "POST /api/cases/{case_id}/accept": READERS,
    "POST /api/cases/{case_id}/decline": READERS,
    "POST /api/cases/{case_id}/reopen": f"{PROTECTED} supervisor call_back",
    "POST /api/cases/{case_id}/evidence": READERS,
    "GET /api/cases/{case_id}/evidence/{evidence_id}": READERS,
    "GET /api/cases/{case_id}/visits": READERS,
    "POST /api/cases/{case_id}/visits": READERS,
    "GET /api/cases/{case_id}/comings": READERS,
    "POST /api/cases/{case_id}/comings": CALLERS,
    "GET /api/comings": READERS,
    "POST /api/comings/{coming_id}/acknowledge": f"{DESK} unit",
    "POST /api/comings/{coming_id}/arrive": f"{DESK} unit",
    "POST /api/comings/{coming_id}/withdraw": CALLERS,
    "GET /api/cases/{case_id}/clocks": READERS,
    "POST /api/cases/{case_id}/join": DESK,
    "POST /api/cases/{case_id}/leave": DESK,
    "GET /api/cases/{case_id}/related": READERS,
    "GET /api/cases/{case_id}/members": READERS,
    "GET /api/bursts": OFFICE,
    "POST /api/bursts/{burst_id}/acknowledge": RULERS,
    "POST /api/cases/{case_id}/withdraw": PROTECTED,
    "GET /api/callbacks": CALLERS,
    "POST /api/callbacks/{call_id}/tried": CALLERS,
    "POST /api/callbacks/{call_id}/done": CALLERS,
    "GET /api/blocks": DESK,
    "POST /api/blocks": DESK,
    "POST /api/blocks/{block_id}/approve": "supervisor duty_officer",
    "POST /api/blocks/{block_id}/lift": "supervisor duty_officer",
    "GET /api/control/calls/{call_id}": CALLERS,
    "POST /api/control/dial": CALLERS,
    "POST /api/control/cases/{case_id}/call-back": CALLERS,
    "POST /api/control/cases/{case_id}/dial": CALLERS,
    "GET /api/cases/{case_id}/relays": READERS,
    "POST /api/cases/{case_id}/relays": "unit",
    "POST /api/control/calls/{call_id}/dial": CALLERS,
    "POST /api/control/calls/{call_id}/hold": CALLERS,
    "POST /api/control/calls/{call_id}/unhold": CALLERS,
    "POST /api/control/calls/{call_id}/transfer": CALLERS,
    "POST /api/control/calls/{call_id}/consult": CALLERS,
    "POST /api/control/calls/{call_id}/complete": CALLERS,
    "POST /api/control/calls/{call_id}/invite": CALLERS,
    "POST /api/control/calls/{call_id}/leave": CALLERS,
    "POST /api/control/calls/{call_id}/pick-up": CALLERS,
    "POST /api/control/calls/{call_id}/hang-up": CALLERS,
    "POST /api/control/calls/{call_id}/attend": "supervisor",
    "GET /api/operators": f"{OFFICE} administrator",
    "POST /api/operators/{operator}/login": DESK,
    "POST /api/operators/{operator}/logout": DESK,
    "POST /api/operators/{operator}/ready": DESK,
    "POST /api/operators/{operator}/pause": DESK,
    "POST /api/operators/{operator}/provisioning": f"{DESK} administrator",
    "GET /phones/{token}": OPEN,
    "GET /api/roster": OFFICE,
    "POST /api/roster": "supervisor",
    "DELETE /api/roster/{shift_id}": "supervisor",
    "POST /api/roster/{shift_id}/change": "supervisor",
    "GET /api/duty/log": DUTY,
    "POST /api/duty/log": "duty_officer leader",
    "GET /api/duty/log/{entry_id}": DUTY,
    "POST /api/duty/log/{entry_id}/versions": "duty_officer leader",
    "POST /api/duty/log/{entry_id}/reveal": DUTY,
    "GET /api/supervision": READERS,
    "POST /api/supervision": "supervisor leader",
    "GET /api/supervision/board": READERS,
    "GET /api/supervision/{supervision_id}": READERS,
    "POST /api/supervision/{supervision_id}/notice": READERS,
    "POST /api/supervision/{supervision_id}/answer": READERS,
    "POST /api/supervision/{supervision_id}/progress": READERS,
    "POST /api/supervision/{supervision_id}/raise": "supervisor leader",
    "POST /api/supervision/{supervision_id}/clear": "supervisor leader",
    "POST /api/supervision/{supervision_id}/evidence": READERS,
    "GET /api/supervision/{supervision_id}/evidence/{evidence_id}": READERS,
    "GET /api/tracked-items": READERS,
    "POST /api/tracked-items": "supervisor leader",
    "GET /api/tracked-items/{tracked_id}": READERS,
    "POST /api/tracked-items/{tracked_id}/sign": READERS,
    "POST /api/tracked-items/{tracked_id}/progress": READERS,
    "POST /api/tracked-items/{tracked_id}/report": READERS,
    "POST /api/tracked-items/{tracked_id}/send-back": "supervisor leader",
    "POST /api/tracked-items/{tracked_id}/accept": "supervisor leader",
    "POST /api/tracked-items/{tracked_id}/end": "supervisor leader",
    "POST /api/tracked-items/{tracked_id}/evidence": READERS,
    "GET /api/tracked-items/{tracked_id}/evidence/{evidence_id}": READERS,
    "POST /api/duty/alerts": CALLERS,
    "GET /api/duty/desk": DUTY,
    "GET /api/duty/instructions": DUTY,
    "POST /api/duty/instructions": DUTY,
    "GET /api/duty/instructions/{instruction_id}": DUTY,
    "POST /api/duty/instructions/{instruction_id}/pass-on": DUTY,
    "POST /api/duty/instructions/{instruction_id}/feedback": DUTY,
    "POST /api/duty/instructions/{instruction_id}/done": DUTY,
    "POST /api/duty/instructions/{instruction_id}/withdraw": DUTY,
    "GET /api/duty/contacts": f"{DESK} leader",
    "POST /api/duty/contacts": DUTY,
    "POST /api/duty/contacts/{contact_id}/replace": DUTY,
    "DELETE /api/duty/contacts/{contact_id}": DUTY,
    "POST /api/duty/contacts/{contact_id}/reveal": "duty_officer leader",
    "GET /api/duty/handovers": DUTY,
    "POST /api/duty/handovers": "duty_officer leader",
    "GET /api/duty/handovers/{handover_id}": DUTY,
    "POST /api/duty/handovers/{handover_id}/take": "duty_officer leader",
    "GET /api/duty/alerts/{incident_id}": CALLERS,
    "GET /api/duty/incidents": DUTY,
    "GET /api/duty/incidents/{incident_id}": DUTY,
    "POST /api/duty/incidents/{incident_id}/reveal": DUTY,
    "POST /api/duty/incidents/{incident_id}/reports/{report_id}/sign": "leader",
    "POST /api/duty/incidents": "duty_officer leader",
    "POST /api/duty/incidents/{incident_id}/acknowledge": "duty_officer leader",
    "POST /api/duty/incidents/{incident_id}/assess": "duty_officer leader",
    "POST /api/duty/incidents/{incident_id}/phoned": "duty_officer leader",
    "POST /api/duty/incidents/{incident_id}/dismiss": "duty_officer leader",
    "POST /api/duty/incidents/{incident_id}/reports": "duty_officer leader",
    "POST /api/duty/incidents/{incident_id}/reports/{report_id}/change": "duty_officer leader",
    "POST /api/duty/incidents/{incident_id}/reports/{report_id}/send": "duty_officer leader",
    "GET /api/faults": ALL,
    "POST /api/faults": "supervisor leader discipline auditor call_back",
    "GET /api/faults/{fault_id}": ALL,
    "POST /api/faults/{fault_id}/statement": ALL,
    "POST /api/faults/{fault_id}/decide": "supervisor leader discipline",
    "POST /api/faults/{fault_id}/appeal": ALL,
    "POST /api/faults/{fault_id}/decide-appeal": "supervisor leader discipline",
    "POST /api/faults/{fault_id}/evidence": ALL,
    "GET /api/faults/{fault_id}/evidence/{evidence_id}": ALL,
    "GET /api/cases/{case_id}/phone-assignments": READERS,
    "POST /api/cases/{case_id}/phone-assignments": OPENERS,
    "POST /api/cases/{case_id}/phone-assignments/feedback": f"{OPENERS} unit",
    "GET /api/meeting-pack": "supervisor leader",
    "GET /api/callouts": OFFICE,
    "POST /api/callouts": DESK,
    "GET /api/notices": f"{OFFICE} administrator",
    "POST /api/notices/{notice_id}/retry": TELLERS,
    "GET /api/notice-addresses": TELLERS,
    "POST /api/notice-addresses": TELLERS,
    "DELETE /api/notice-addresses/{address_id}": TELLERS,
}

ENDS_THE_SESSION = {"POST /api/session", "DELETE /api/session", "POST /api/session/everywhere/end"}


def login(role: Role) -> str:
    return f"the-{role.replace('_', '-')}"


def name(endpoint: Endpoint) -> str:
    return f"{endpoint.method} {endpoint.path}"


def test_somebody_has_decided_on_every_address() -> None:
    assert {name(one) for one in ENDPOINTS} == set(EXPECTED)


@pytest.fixture
async def staff(site: Site, services: Services) -> Staff:
    await hire(services, "first", Role.ADMINISTRATOR)
    for role in PEOPLE:
        await hire(services, login(role), role)
    return Staff(services=services, site=site)


@pytest.mark.timeout(300)
async def test_every_role_at_every_address(staff: Staff) -> None:
    wrong = []
    visitors = {role: await staff.visitor(login(role)) for role in PEOPLE}
    for endpoint in ENDPOINTS:
        allowed = EXPECTED[name(endpoint)]
        path = path_to(endpoint)
        for role in PEOPLE:
            async with visitors[role].request(
                endpoint.method, path, json={} if endpoint.body else None
            ) as answer:
                said = ""
                if answer.status in {401, 403}:
                    said = (await answer.json())["type"]
                refused = said in {"not_your_role", "not_signed_in"}
            expected = allowed != OPEN and role not in allowed.split()
            if refused is not expected:
                wrong.append(f"{name(endpoint)} as {role}: {answer.status} {said}")
            if name(endpoint) in ENDS_THE_SESSION:
                visitors[role] = await staff.visitor(login(role))
    assert not wrong


@pytest.mark.usefixtures("staff")
async def test_nobody_without_a_session_comes_past_an_open_address(site: Site) -> None:
    for endpoint in ENDPOINTS:
        path = path_to(endpoint)
        async with site.visitor().request(
            endpoint.method,
            path,
            json={} if endpoint.body else None,
            headers={"X-Forwarded-For": "203.0.113.9"},
        ) as answer:
            if EXPECTED[name(endpoint)] != OPEN:
                assert answer.status == 401, name(endpoint)
                assert (await answer.json())["type"] == "not_signed_in"
