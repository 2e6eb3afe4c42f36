"""Open311 GeoReport v2, for bringing a request: a report in writing becomes a draft like any other.

The `api_key` is an API token of a user who may begin cases. Whoever reported it stays sealed behind
the token of his telephone (case_callers.py) and is never told again; without a telephone nothing of
him is kept. The same report by the same program within a day is one case, with or without an
Idempotency-Key. Source: the specification's "POST Service Request".
"""

import asyncio
import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus

from aiohttp import web

from hotline import case_callers, once, reporting
from hotline.console.attempts import Pace
from hotline.console.door import Door
from hotline.console.georeport import CODES, Wrong, answer, refused
from hotline.console.keyed import KEY, LONGEST_KEY
from hotline.console.person import Person
from hotline.console.problems import ProblemError
from hotline.console.sight import services_for
from hotline.console.who import OPENERS
from hotline.database import transaction
from hotline.errors import KeyReusedError
from hotline.services import Services
from routing import store
from routing.cases import Channel

PER_MINUTE = 60
"""Reports one program may bring; who was quiet may bring so many at once."""
LONGEST = 4000
"""Characters of a text, as the specification has it."""
LONGEST_NAME = 60
NOTICE = "已登记，由工作人员核实后受理。 / Registered; a person will confirm it."
_PHONE = re.compile(r"\+?[0-9]{3,20}\Z", re.ASCII)
_NOT_A_NUMBER = re.compile(r"[ \-()]")
_FIELDS = (
    *("service_code", "description", "address_string", "address_id", "lat", "long"),
    *("first_name", "last_name", "phone", "media_url"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What somebody reported; `number` and `name` are his and go to the sealed store alone."""

    level1: str
    description: str
    place: str
    media_url: str | None
    number: str | None
    name: str | None

    @property
    def said(self) -> dict[str, str]:
        """The words that are kept with the case, by their sort."""
        seen = f"\n图片 {self.media_url}" if self.media_url else ""
        return {"summary": f"{self.description}{seen}", "place": self.place}


class Intake:
    """Takes reports from programs that the door knows."""

    def __init__(self, services: Services, door: Door) -> None:
        self._services = services
        self._door = door
        self._pace = Pace(PER_MINUTE)

    async def bring(self, http: web.Request) -> web.Response:
        """Make a case of a report; the answer is its number."""
        try:
            given = await _given(http)
            person = await self._program(http, given)
            number = await self._kept(person, _report(given), _key(http, given))
        except Wrong as wrong:
            return refused(http, wrong)
        except ProblemError as error:  # too many tries, or too many reports
            problem = error.problem
            return refused(http, Wrong(HTTPStatus(problem.status), problem.detail))
        told = {
            "service_request_id": number,
            "service_notice": NOTICE,
            "account_id": None,
        }
        return answer(http, "service_requests", "request", [told])

    async def _program(self, http: web.Request, given: Mapping[str, str]) -> Person:
        now, address = self._services.clock(), http.remote or "?"
        key = given.get("api_key") or http.query.get("api_key", "")
        if not key:
            raise Wrong(HTTPStatus.BAD_REQUEST, "api_key was not provided")
        self._door.asking.check(address, now)
        person = await self._door.who({"Authorization": f"Bearer {key}"}, None, now)
        if person is None or not person.roles & OPENERS:
            self._door.asking.failed(address, now)
            raise Wrong(HTTPStatus.FORBIDDEN, "api_key is invalid")
        self._door.pace.check(person.name, now)
        self._pace.check(person.name, now)
        return person

    async def _kept(self, person: Person, report: Report, key: tuple[str, str]) -> str:
        services, now = services_for(self._services, person), self._services.clock()
        line = services.config.lines[0].name
        suggestion = await asyncio.to_thread(
            services.city_desk.suggest, f"{report.description} {report.place}", line
        )
        advice = replace(suggestion, level1=report.level1, confidence=1.0)
        async with transaction(services.pool) as tx:
            try:
                first = await once.is_first(tx, person.name, *key, now)
            except KeyReusedError as error:
                raise Wrong(HTTPStatus.BAD_REQUEST, str(error)) from error
            if not first:
                return await once.answer_to(tx, person.name, key[0])
            case_id = await reporting.reported(
                tx,
                channel=Channel.PLATFORM,
                line=line,
                owner=person.name,
                said=report.said,
                suggestion=advice,
                now=now,
            )
            if report.number is not None:
                await case_callers.note(
                    tx, case_id, report.number, report.name, by=person.name, now=now
                )
            number = (await store.get(tx, case_id)).number
            await once.answered(tx, person.name, key[0], number)
        return number


async def _given(http: web.Request) -> dict[str, str]:
    """The form's fields, each once and as text."""
    try:
        form = await http.post()
    except (ValueError, UnicodeError) as error:
        raise Wrong(HTTPStatus.BAD_REQUEST, "the body is no form") from error
    given = {name: value.strip() for name, value in form.items() if isinstance(value, str)}
    for name, value in given.items():
        if "\0" in value or any("\ud800" <= char <= "\udfff" for char in value):
            raise Wrong(HTTPStatus.BAD_REQUEST, f"{name[:40]} holds a character that cannot be")
        if len(value) > LONGEST:
            raise Wrong(HTTPStatus.BAD_REQUEST, f"{name[:40]} has more than {LONGEST} characters")
    return given


def _report(given: Mapping[str, str]) -> Report:
    code = given.get("service_code")
    if not code:
        raise Wrong(HTTPStatus.BAD_REQUEST, "service_code was not provided")
    if code not in CODES:
        raise Wrong(HTTPStatus.NOT_FOUND, "service_code was not found")
    description = given.get("description")
    if not description:
        raise Wrong(HTTPStatus.BAD_REQUEST, "description was not provided")
    name = f"{given.get('last_name', '')}{given.get('first_name', '')}"
    if len(name) > LONGEST_NAME:
        raise Wrong(HTTPStatus.BAD_REQUEST, f"the name has more than {LONGEST_NAME} characters")
    return Report(
        level1=CODES[code],
        description=description,
        place=_place(given),
        media_url=_link(given.get("media_url")),
        number=_number(given.get("phone")),
        name=name or None,
    )


def _place(given: Mapping[str, str]) -> str:
    """Where it is: an address, an address id or both coordinates, as the specification asks."""
    found = [given[name] for name in ("address_string", "address_id") if given.get(name)]
    lat, long = given.get("lat"), given.get("long")
    if lat or long:
        found.append(f"{_degrees('lat', lat, 90):.6f}, {_degrees('long', long, 180):.6f}")
    if not found:
        raise Wrong(HTTPStatus.BAD_REQUEST, "lat and long, address_string or address_id is needed")
    return "；".join(found)


def _degrees(name: str, text: str | None, most: int) -> float:
    try:
        value = float(text or "")
    except ValueError:
        value = math.nan
    if not -most <= value <= most:
        raise Wrong(HTTPStatus.BAD_REQUEST, f"{name} is no number of degrees up to {most}")
    return value


def _number(text: str | None) -> str | None:
    number = _NOT_A_NUMBER.sub("", text or "")
    if number and not _PHONE.match(number):
        raise Wrong(HTTPStatus.BAD_REQUEST, "phone is no telephone number of 3 to 20 digits")
    return number or None


def _link(text: str | None) -> str | None:
    if text and not re.match(r"https?://[^\s<>\"]{3,500}\Z", text):
        raise Wrong(HTTPStatus.BAD_REQUEST, "media_url is no address of the web")
    return text or None


def _key(http: web.Request, given: Mapping[str, str]) -> tuple[str, str]:
    """Under which key the report is remembered, and as what: its own words where none was sent."""
    named = {name: given[name] for name in _FIELDS if given.get(name)}
    digest = hashlib.sha256(json.dumps(named, sort_keys=True).encode()).hexdigest()
    request = once.request_of("/open311/v2/requests", named)
    key = http.headers.get(KEY)
    if key is not None and not (0 < len(key) <= LONGEST_KEY and key.isprintable()):
        raise Wrong(HTTPStatus.BAD_REQUEST, f"{KEY} has 1 to {LONGEST_KEY} printable characters")
    return key or f"open311 {digest}", request
