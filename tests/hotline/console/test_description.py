"""The API's description: it says what the server does, no more and no less."""

import json
from datetime import timedelta
from typing import Any

from aiohttp import ClientSession
from pydantic import TypeAdapter

from hotline import city_rows, duty_handover_rows
from hotline.console.endpoints import ENDPOINTS
from hotline.console.problems import STATUS, Fault
from hotline.database import transaction
from hotline.inspecting import InspectionDesk
from hotline.services import Services
from hotline.users import ROLES
from routing.cases import Role
from routing.directory import read_city
from telephony.calls import Leg
from tests.hotline.console.conftest import NOW, Site
from tests.hotline.console.filled import Said, Town
from tests.hotline.console.staff import WATER, Staff, hire
from tests.transcription.inspected import form

TRACKED = {
    "type": "leader",
    "title": "路灯改造",
    "source": "市长批示",
    "due_at": (NOW + timedelta(days=9)).isoformat(),
}
FAULT = {"fact": "late", "person": "an", "happened_at": NOW.isoformat(), "account": "逾期"}
SAID = (Said(leg=Leg.CALLER, start=1.0, text="涪城区临园路的路灯坏了"),)


async def described(visitor: ClientSession) -> dict[str, Any]:
    async with visitor.get("/api/openapi.json") as answer:
        found: dict[str, Any] = await answer.json()
    return found


def at(document: dict[str, Any], ref: str) -> Any:
    place: Any = document
    for part in ref.removeprefix("#/").split("/"):
        place = place[part]
    return place


def refs(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*(refs(it) for it in value.values()))
    if isinstance(value, list):
        return set().union(*(refs(it) for it in value))
    return set()


async def test_every_address_of_the_api_is_described_and_every_description_is_served(
    site: Site, visitor: ClientSession
) -> None:
    document = await described(visitor)
    told = {
        (method.upper(), path) for path, methods in document["paths"].items() for method in methods
    }
    assert told == {(it.method, it.path) for it in ENDPOINTS}
    served = {
        (route.method, route.resource.canonical)
        for route in site.runner.app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    of_pages = ("/web/", "/open", "/app", "/favicon.ico")
    pages = {path for _, path in served if path == "/" or path.startswith(of_pages)}
    extra = {(method, path) for method, path in served - told if path not in pages}
    assert extra == {("GET", "/api/openapi.json"), ("GET", "/api/docs")}


async def test_names_are_unique_and_every_reference_leads_somewhere(
    visitor: ClientSession,
) -> None:
    document = await described(visitor)
    operations = [it for methods in document["paths"].values() for it in methods.values()]
    names = [it["operationId"] for it in operations]
    assert len(set(names)) == len(names)
    assert all(it["summary"] for it in operations)
    for ref in refs(document):
        assert at(document, ref), ref
    assert document["openapi"] == "3.1.0"


QUERIES = {
    "/api/transcripts/search": {"words": "路灯"},
    "/api/catalogue/resolve": {"level1": "政法"},
    "/api/reports": {"kind": "monthly", "day": "2026-10-01"},
    "/api/league": {"month": "2026-10-01"},
    "/api/league/appeals": {"month": "2026-10-01"},
    "/api/hot-spots": {"first": "2026-11-01", "last": "2026-11-30"},
    "/api/operator-sheets": {"since": "2026-11-01T00:00:00Z", "until": "2026-12-01T00:00:00Z"},
}
"""What addresses want to know that tell nothing without it."""


async def test_every_answer_fits_its_description(
    site: Site, town: Town, services: Services
) -> None:
    """What is served is read back with the model that the description was made from."""
    user = await hire(services, "all", *(ROLES - {Role.UNIT}))
    visitor = await Staff(services=services, site=site).visitor("all")
    async with transaction(services.pool) as tx:
        await city_rows.load(tx, read_city(services.config.city_dir), by="test", at=NOW)
    call_id = await town.is_talked(NOW - timedelta(minutes=5), SAID)
    await InspectionDesk(pool=services.pool, form=form, badges={}, clock=services.clock).inspect(
        {"call_id": call_id}
    )
    case_id = await town.case_of(call_id)
    await town.is_talked(NOW - timedelta(minutes=3), SAID, line="duty")
    for path, body in (
        ("/api/supervision", {"case_id": case_id, "reason": "x"}),
        ("/api/tracked-items", TRACKED),
        ("/api/faults", FAULT),
    ):
        async with visitor.post(path, json=body) as answer:
            assert answer.status == 200, await answer.text()
    async with visitor.post("/api/league/freeze", json={"month": "2026-10-01"}) as answer:
        assert answer.status == 200, await answer.text()
    async with visitor.post("/api/duty/alerts", json={"summary": "桥面积水"}) as answer:
        incident = await answer.json()
    wanted = {"leader": "张副市长", "unit": WATER, "text": "排查", "due_at": "2027-01-01T00:00:00Z"}
    async with visitor.post("/api/duty/instructions", json=wanted) as answer:
        instruction = await answer.json()
    async with transaction(services.pool) as tx:
        handover = await duty_handover_rows.leave(
            tx,
            line="duty",
            changes_at=NOW,
            now=NOW,
            outgoing="li",
            outgoing_for="2001",
            items=await duty_handover_rows.open_items(tx, "duty", NOW),
            digest="0" * 64,
            remarks="",
        )
    for endpoint in ENDPOINTS:
        if endpoint.method != "GET" or endpoint.answers is None:
            continue
        if (
            Fault.EXCHANGE_AWAY in endpoint.faults
        ):  # asked on a real one: tests/hotline/test_control.py
            continue
        path = endpoint.path.format(
            call_id=call_id,
            case_id=case_id,
            user_id=user.id,
            leg="caller",
            policy="sichuan-2025",
            unit="water",
            card_id=1,
            entry_id=1,
            incident_id=incident["incident_id"],
            instruction_id=instruction["id"],
            handover_id=handover,
            version_id=1,
            supervision_id=1,
            tracked_id=1,
            fault_id=1,
        )
        async with visitor.get(path, params=QUERIES.get(path, {})) as answer:
            assert answer.status == 200, path
            text = await answer.text()
        TypeAdapter(endpoint.answers).validate_json(text)
        schema = (await described(visitor))["components"]["schemas"][endpoint.answers.__name__]
        assert set(json.loads(text)) == set(schema["properties"]), path


def test_every_fault_has_a_status() -> None:
    assert set(STATUS) == set(Fault)
    assert all(status.value >= 400 for status in STATUS.values())
