"""Open311 as a client that is not ours reads it: published requests, nothing of a person."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from georeport import GeoReport

from hotline.services import Services
from routing.cases import Role
from tests.hotline.console.conftest import Site
from tests.hotline.console.filled import Town
from tests.hotline.console.staff import Staff, hire
from tests.hotline.console.test_absences_api import ask
from tests.hotline.console.test_publications_api import (
    BEGAN,
    CALLER,
    NAME,
    QUESTION,
    REPLY,
    answered,
    words,
)

SPAN = {
    "start_date": (BEGAN - timedelta(days=1)).isoformat(),
    "end_date": (BEGAN + timedelta(days=30)).isoformat(),
}
FIELDS = {
    *("service_request_id", "status", "status_notes", "service_name", "service_code"),
    *("description", "agency_responsible", "service_notice", "requested_datetime"),
    *("updated_datetime", "expected_datetime", "address", "address_id", "zipcode"),
    *("lat", "long", "media_url"),
}
"""What GeoReport v2 says that a request has."""


@pytest.fixture
async def number(site: Site, services: Services, town: Town) -> str:
    """The number of a case whose reply was published; another one was only proposed."""
    await hire(services, "boss", Role.ADMINISTRATOR)
    await hire(services, "desk", Role.DISPATCHER)
    await hire(services, "audit", Role.AUDITOR)
    staff = Staff(services=services, site=site)
    desk, audit = await staff.visitor("desk"), await staff.visitor("audit")
    public, quiet = await answered(town), await answered(town, 1)
    _, one = await ask(desk, "POST", "/api/publications", words(public))
    await ask(audit, "POST", f"/api/publications/{one['id']}/publish", {})
    await ask(desk, "POST", "/api/publications", words(quiet))
    return str(one["number"])


@pytest.mark.parametrize("shape", ["json", "xml"])
async def test_a_foreign_client_reads_services_and_published_requests(
    site: Site, number: str, shape: str
) -> None:
    client = GeoReport(f"{site.url}open311/v2", output_format=shape)

    async def told(method: str, *values: Any, **named: Any) -> Any:
        return await asyncio.to_thread(getattr(client, method), *values, **named)

    services = await told("get_service_list")
    known = {it["service_name"]: it["service_code"] for it in services}
    definition = await told("get_service_definition", known["城乡建设"])
    assert definition["service_code"] == known["城乡建设"]
    found = await told("get_service_requests", **SPAN)
    (request,) = found if isinstance(found, list) else [found]
    assert set(request) == FIELDS
    assert request["service_request_id"] == number
    assert (request["status"], request["service_code"]) == ("closed", known["城乡建设"])
    assert (request["description"], request["status_notes"]) == (QUESTION, REPLY)
    assert (await told("get_service_request", number))["status_notes"] == REPLY
    for word in (CALLER, NAME, "5678"):
        assert word not in str(found).replace(number, "")


async def test_other_codes_states_and_times_find_nothing_and_mistakes_are_told(
    site: Site, number: str
) -> None:
    visitor = site.visitor()
    at = "/open311/v2"
    for query in ({"service_code": "02"}, {"status": "open"}, {}):
        async with visitor.get(f"{at}/requests.json", params=SPAN | query) as answer:
            found = await answer.json()
            assert bool(found) is (query == {}), query
    async with visitor.get(f"{at}/requests.json?service_request_id={number},x") as answer:
        assert [it["service_request_id"] for it in await answer.json()] == [number]
    for path, status in (
        ("requests.json?start_date=yesterday", 400),
        ("requests.json?start_date=0001-01-01T00:00:00Z", 400),
        ("requests.json?start_date=2026-01-01T00:00:00Z&end_date=2026-06-01T00:00:00Z", 400),
        ("requests.json?status=lost", 400),
        ("requests.json?service_code=99", 404),
        ("requests/20200101-000001-0.json", 404),
        ("services/99.json", 404),
    ):
        async with visitor.get(f"{at}/{path}") as answer:
            (error,) = await answer.json()
            assert (answer.status, error["code"]) == (status, status), path
            assert error["description"]
    async with visitor.get(f"{at}/requests.xml?status=lost") as answer:
        assert "<errors><error><code>400</code>" in await answer.text()
    async with visitor.get("/open311/discovery.xml") as answer:
        assert "<type>production</type>" in await answer.text()
