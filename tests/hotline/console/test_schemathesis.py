"""Schemathesis asks every address what its description allows, and what it forbids.

The real console over the real PostgreSQL, asked by people with every role that may. Whatever comes,
it answers as its own description says, refuses what the description forbids, and has no fault.
"""

import asyncio
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.core.failures import FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from hotline import city_rows
from hotline.console.door import COOKIE
from hotline.console.endpoint import Endpoint
from hotline.console.endpoints import ENDPOINTS
from hotline.console.problems import Fault
from hotline.database import transaction
from hotline.services import Services
from hotline.users import ROLES
from routing.cases import Move, Role
from routing.directory import read_city
from telephony.calls import Leg
from tests.hotline.console.conftest import NOW, Clock, Site
from tests.hotline.console.filled import Said, Town
from tests.hotline.console.staff import CITY_LIGHTS, PASSWORD, Staff, hire

ENDLESS = {"feed", "captions"}
"""Operations that never end by themselves: see test_stream.py and test_captions_api.py."""
ENDING = ("sign_in", "sign_out", "sign_out_everywhere", "change_password")
"""Operations after which the session may be over, so each is asked by a user of its own."""
AWAY = {Fault.EXCHANGE_AWAY, Fault.STORE_AWAY}
"""No fault of ours where an address says so: here no exchange is configured."""
EXAMPLES = {GenerationMode.POSITIVE: 6, GenerationMode.NEGATIVE: 3}
SAID = (Said(leg=Leg.CALLER, start=1.0, text="涪城区临园路的路灯坏了"),)
REAL: Mapping[str, Any] = {
    "level1": "城乡建设",
    "area": "涪城区",
    "unit": CITY_LIGHTS,
    "units": [CITY_LIGHTS],
    "helpers": [CITY_LIGHTS],
}
"""Values the city has, put in the place of made-up ones, so that a request comes further in."""
OF_ENDPOINT = {it.name: it for it in ENDPOINTS}
# An archive travels as it is, like any other file.
schemathesis.serializer.alias("application/zip", "application/octet-stream")


class Asker:
    """Asks one running console, as the person an address is for."""

    def __init__(
        self, site: Site, cookies: Mapping[str, str], ids: Mapping[str, list[Any]], clock: Clock
    ) -> None:
        # Who asks is ours to say: made-up credentials would only show the door.
        config = schemathesis.Config.from_dict({"generation": {"with-security-parameters": False}})
        self.schema = schemathesis.openapi.from_url(f"{site.url}api/openapi.json", config=config)
        self._site, self._cookies, self._ids, self._clock = site, cookies, ids, clock
        self._session = requests.Session()
        self.wrong: list[str] = []
        self.asked = 0
        self.statuses: dict[str, set[int]] = {}

    def ask_all(self) -> None:
        operations: Any = self.schema.get_all_operations()
        for found in operations:
            operation = found.ok()
            endpoint = OF_ENDPOINT[operation.definition.raw["operationId"]]
            if endpoint.name not in ENDLESS:
                for mode in EXAMPLES:
                    self._ask(operation, endpoint, mode)

    def _ask(self, operation: Any, endpoint: Endpoint, mode: GenerationMode) -> None:
        real = {name: self._ids[name] for name in endpoint.parts if name in self._ids}

        @seed(4)
        @settings(
            max_examples=EXAMPLES[mode],
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(data=st.data())
        def asks(data: Any) -> None:
            parts = {name: data.draw(st.sampled_from(values)) for name, values in real.items()}
            ways = operation.as_strategy(generation_mode=mode, path_parameters=parts or None)
            case = data.draw(ways)
            if isinstance(case.body, dict) and mode is GenerationMode.POSITIVE:
                case.body.update({key: REAL[key] for key in REAL.keys() & case.body.keys()})
            self._send(case, endpoint, mode)

        try:
            asks()
        except Unsatisfiable:  # there is nothing to get wrong at this address
            assert mode is GenerationMode.NEGATIVE

    def _send(self, case: Any, endpoint: Endpoint, mode: GenerationMode) -> None:
        self._clock.forward(seconds=1)
        self.asked += 1
        case.headers = {"Cookie": self._cookies[_who(endpoint)], **(case.headers or {})}
        answer = case.call(session=self._session, timeout=20, allow_redirects=False)
        self.statuses.setdefault(endpoint.name, set()).add(answer.status_code)
        if answer.status_code >= 500 and not _is_away(endpoint, answer):
            self._fails(endpoint, case, f"{answer.status_code} {answer.text[:200]}")
        checks = [status_code_conformance, content_type_conformance, response_schema_conformance]
        blank = any(not it for _, it in parse_qsl(urlsplit(answer.request.url).query, True))
        if mode is GenerationMode.NEGATIVE and not blank and not _is_away(endpoint, answer):
            checks.append(negative_data_rejection)
        for check in checks:
            try:
                case.validate_response(answer, checks=[check])
            except FailureGroup as error:
                self._fails(endpoint, case, str(error).partition("Reproduce with")[0])

    def _fails(self, endpoint: Endpoint, case: Any, why: str) -> None:
        self.wrong.append(
            f"{endpoint.method} {endpoint.path}: {why}\n"
            f"  {case.path_parameters} {case.query} {str(case.body)[:300]}"
        )


def _who(endpoint: Endpoint) -> str:
    if endpoint.name in ENDING:
        return endpoint.name.replace("_", "-")
    return "unit" if endpoint.roles == frozenset({Role.UNIT}) else "all"


def _is_away(endpoint: Endpoint, answer: Any) -> bool:
    if answer.status_code != 503:
        return False
    return Fault(answer.json()["type"]) in AWAY & set(endpoint.faults)


@pytest.mark.timeout(300)
async def test_no_address_has_a_fault_or_answers_otherwise_than_described(
    site: Site, services: Services, town: Town, clock: Clock
) -> None:
    staff = Staff(services=services, site=site)
    await hire(services, "all", *(ROLES - {Role.UNIT}), extension="1001")
    await hire(services, "unit", Role.UNIT, unit=CITY_LIGHTS)
    for name in ENDING:
        await hire(services, name.replace("_", "-"), Role.OPERATOR)
    victim = await hire(services, "victim", Role.OPERATOR)
    async with transaction(services.pool) as tx:
        await city_rows.load(tx, read_city(services.config.city_dir), by="test", at=NOW)
    calls = [
        await town.is_talked(NOW - timedelta(minutes=19 - n), SAID, number=f"138901156{n:02d}")
        for n in range(12)
    ]
    await town.is_talked(NOW - timedelta(minutes=3), SAID, line="duty")
    for call in calls[3:]:
        await town.moves(call, Move.OPEN, NOW, kind="help", urgency="normal", level1="城乡建设")
    for call in calls[6:]:
        await town.moves(call, Move.DISPATCH, NOW, unit=CITY_LIGHTS)
    for call in calls[9:]:
        await town.moves(call, Move.SIGN, NOW)
    ids: dict[str, list[Any]] = {
        "call_id": calls,
        "case_id": [await town.case_of(call) for call in calls],
        "user_id": [victim.id, 7_777],
        "card_id": [1, 2],
        "version_id": [1, 2],
        "leg": ["caller", "operator"],
        "operator": ["1001", "77"],
        "unit": ["urban", "nobody"],
        "policy": ["sichuan-2025", "no-such"],
        "absence_id": [1],
        "entry_id": [1, 2],
        "supervision_id": [1, 2],
        "tracked_id": [1, 2],
        "fault_id": [1, 2],
        "evidence_id": [1],
        "incident_id": [1, 2, 3],
        "report_id": [1, 2],
        "handover_id": [1, 2],
        "instruction_id": [1, 2],
        "contact_id": [1, 2],
    }
    cookies = {
        login: f"{COOKIE}={await staff.cookie(login)}"
        for login in ("all", "unit", *(name.replace("_", "-") for name in ENDING))
    }
    asker = await asyncio.to_thread(Asker, site, cookies, ids, clock)
    await asyncio.to_thread(asker.ask_all)
    assert not asker.wrong, "\n".join(asker.wrong)
    silent = {name for name in OF_ENDPOINT if name not in asker.statuses} - ENDLESS
    assert not silent


@pytest.mark.parametrize("text", ["\0", "a\ud800"])
async def test_a_text_that_cannot_be_kept_is_refused_in_one_sentence(
    site: Site, services: Services, town: Town, text: str
) -> None:
    await hire(services, "all", *(ROLES - {Role.UNIT}))
    visitor = await Staff(services=services, site=site).visitor("all")
    call = await town.is_talked(NOW - timedelta(minutes=9), SAID)
    body = json.dumps({"reason": [{"it": text}]})
    for data in (json.dumps({"reason": f"因为{text}"}), body):
        async with visitor.post(
            f"/api/calls/{call}/reveal", data=data, headers={"Content-Type": "application/json"}
        ) as answer:
            assert answer.status == 422
            assert "cannot be kept" in (await answer.json())["detail"]


async def test_headers_that_are_no_text_are_not_kept_either(
    site: Site, services: Services, town: Town
) -> None:
    await hire(services, "all", *(ROLES - {Role.UNIT}), password=PASSWORD)
    cookie = await Staff(services=services, site=site).cookie("all")
    case = await town.case_of(await town.is_talked(NOW - timedelta(minutes=9), SAID))

    def asked() -> tuple[int, int]:
        move = requests.post(
            f"{site.url}api/cases/{case}/withdraw",
            json={"reason": "重复"},
            headers={"Cookie": f"{COOKIE}={cookie}", "Idempotency-Key": b"\xff"},
            timeout=20,
        )
        sign_in = requests.post(
            f"{site.url}api/session",
            json={"login": "all", "password": PASSWORD},
            headers={"X-Forwarded-For": b"\xff"},
            timeout=20,
        )
        return move.status_code, sign_in.status_code

    assert await asyncio.to_thread(asked) == (422, 200)
