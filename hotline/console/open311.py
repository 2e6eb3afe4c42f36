"""Open311 GeoReport v2: services, and the requests whose replies were published.

Source: the GeoReport v2 specification (wiki.open311.org), fields as in domain facts 3.1. A request
is a published reply and nothing else: its words passed two people and a scan, and nobody's name,
number or address is within reach of these statements. JSON and XML say the same. A program with an
API token brings new ones (open311_intake.py); a reply to them is read here once it is published.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, LiteralString

from aiohttp import web

from hotline.console.door import Door
from hotline.console.georeport import CODES, Wrong, answer, refused
from hotline.console.open311_intake import Intake
from hotline.console.sight import services_for
from hotline.database import borrowed
from hotline.services import Services
from routing.numbers import SHANGHAI

SPAN = timedelta(days=90)
MOST = 1000
Rows = Sequence[Mapping[str, Any]]
_STATES = ("open", "closed")
_REQUESTS: LiteralString = """
    SELECT c.number, c.state, c.level1, c.unit, c.opened_at, c.due_at, p.decided_at, p.question,
           p.reply
      FROM publications p JOIN cases c ON c.id = p.case_id
     WHERE p.state = 'published' AND c.opened_at IS NOT NULL
       AND ($1::text[] IS NULL OR c.number = ANY ($1))
       AND ($2::text[] IS NULL OR c.level1 = ANY ($2))
       AND ($3::timestamptz IS NULL OR c.opened_at >= $3)
       AND ($4::timestamptz IS NULL OR c.opened_at <= $4)
       AND ($5::text[] IS NULL
            OR CASE WHEN c.state IN ('closed', 'archived') THEN 'closed' ELSE 'open' END
               = ANY ($5))
       AND c.id <> ALL (ARRAY(SELECT withheld_cases()))
     ORDER BY c.opened_at DESC, c.id DESC LIMIT $6"""


def add_open311(app: web.Application, services: Services, door: Door) -> None:
    """Serve `/open311/v2/...` to everybody; new requests are taken from whom the door knows."""
    readers = Readers(services)
    for path, handler in (
        ("discovery", readers.discovery),
        ("v2/services", readers.services),
        ("v2/services/{code:[^/]+}", readers.definition),
        ("v2/requests", readers.requests),
        ("v2/requests/{number:[^/]+}", readers.one),
    ):
        for shape in ("json", "xml"):
            app.router.add_get(f"/open311/{path}.{shape}", handler)
    intake = Intake(services, door)
    for shape in ("json", "xml"):
        app.router.add_post(f"/open311/v2/requests.{shape}", intake.bring)


class Readers:
    """The handlers; each reads as somebody who is not signed in."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def discovery(self, http: web.Request) -> web.Response:
        """Where the service is and what it speaks."""
        endpoint = {
            "specification": "http://wiki.open311.org/GeoReport_v2",
            "url": f"{http.url.origin()}/open311/v2",
            "changeset": "2026-11-26T00:00:00+08:00",
            "type": "production",
            "formats": ["text/xml", "application/json"],
        }
        told = {"changeset": endpoint["changeset"], "contact": "12345", "endpoints": [endpoint]}
        return answer(http, "discovery", "", told)

    async def services(self, http: web.Request) -> web.Response:
        """The categories a matter can have."""
        return answer(http, "services", "service", [_service(code) for code in CODES])

    async def definition(self, http: web.Request) -> web.Response:
        """What more a category asks for: nothing."""
        code = http.match_info["code"]
        if code not in CODES:
            return refused(http, Wrong(HTTPStatus.NOT_FOUND, "service_code was not found"))
        return answer(
            http, "service_definition", "attribute", {"service_code": code, "attributes": []}
        )

    async def requests(self, http: web.Request) -> web.Response:
        """Published requests of at most ninety days, newest first."""
        try:
            rows = await self._found(_wanted(http.query, self._services.clock()))
        except Wrong as wrong:
            return refused(http, wrong)
        return answer(http, "service_requests", "request", [_request(row) for row in rows])

    async def one(self, http: web.Request) -> web.Response:
        """One published request."""
        rows = await self._found(([http.match_info["number"]], None, None, None, None))
        if not rows:
            wrong = Wrong(HTTPStatus.NOT_FOUND, "service_request_id was not found")
            return refused(http, wrong)
        return answer(http, "service_requests", "request", [_request(row) for row in rows])

    async def _found(self, wanted: tuple[Any, ...]) -> Rows:
        async with borrowed(services_for(self._services, None).pool) as conn:
            return [dict(row) for row in await conn.fetch(_REQUESTS, *wanted, MOST)]


def _wanted(query: Mapping[str, str], now: datetime) -> tuple[Any, ...]:
    """The values of the statement; a named request overrides everything else."""
    if named := _several(query, "service_request_id"):
        return named, None, None, None, None
    codes, states = _several(query, "service_code"), _several(query, "status")
    if codes and not set(codes) <= set(CODES):
        raise Wrong(HTTPStatus.NOT_FOUND, "service_code was not found")
    if states and not set(states) <= set(_STATES):
        raise Wrong(HTTPStatus.BAD_REQUEST, "status is open or closed")
    end = _moment(query, "end_date")
    start = _moment(query, "start_date")
    start = start or (end or now) - SPAN
    end = end or start + SPAN
    if not timedelta(0) <= end - start <= SPAN:
        raise Wrong(HTTPStatus.BAD_REQUEST, "start_date and end_date span at most 90 days")
    names = [CODES[code] for code in codes] if codes else None
    return None, names, start, end, states


def _several(query: Mapping[str, str], name: str) -> list[str] | None:
    found = [part.strip() for part in query.get(name, "").split(",") if part.strip()]
    if any("\0" in part for part in found):
        raise Wrong(HTTPStatus.BAD_REQUEST, f"{name} holds a character that cannot be")
    return found or None


def _moment(query: Mapping[str, str], name: str) -> datetime | None:
    if not (given := query.get(name)):
        return None
    try:
        at = datetime.fromisoformat(given.replace(" ", "+"))
        at = at.replace(tzinfo=SHANGHAI) if at.tzinfo is None else at
        at - SPAN, at + SPAN
    except (ValueError, OverflowError):
        raise Wrong(HTTPStatus.BAD_REQUEST, f"{name} is no W3C date and time") from None
    return at


def _service(code: str) -> dict[str, Any]:
    return {
        "service_code": code,
        "service_name": CODES[code],
        "description": CODES[code],
        "metadata": False,
        "type": "realtime",
        "keywords": "",
        "group": "12345",
    }


def _request(row: Mapping[str, Any]) -> dict[str, Any]:
    """A request as the specification has it; where it was is never told."""
    codes = {name: code for code, name in CODES.items()}
    return {
        "service_request_id": row["number"],
        "status": "closed" if row["state"] in {"closed", "archived"} else "open",
        "status_notes": row["reply"],
        "service_name": row["level1"],
        "service_code": codes.get(row["level1"]),
        "description": row["question"],
        "agency_responsible": row["unit"],
        "service_notice": None,
        "requested_datetime": _told(row["opened_at"]),
        "updated_datetime": _told(row["decided_at"]),
        "expected_datetime": _told(row["due_at"]),
        "address": None,
        "address_id": None,
        "zipcode": None,
        "lat": None,
        "long": None,
        "media_url": None,
    }


def _told(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(SHANGHAI).isoformat(timespec="seconds")
