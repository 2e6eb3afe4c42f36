"""Two towns that differ in nothing but one thing: in one of them two protected reports were made.

Both have the same people, calls and cases. Where the first has rows of the reports, the second has
lost the same numbers, so that every id that a person sees is the same in both.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from hotline import case_callers, user_rows
from hotline.console.endpoint import Endpoint
from hotline.console.endpoints import ENDPOINTS
from hotline.console.person import Person
from hotline.database import borrowed, pooled, transaction
from hotline.services import Services
from routing import store
from routing.cases import Move, Role
from telephony.calls import Leg
from telephony.sealing import KeyFile
from tests.hotline.console.conftest import NOW, Clock, Site, configured, opened, services_on
from tests.hotline.console.filled import Said, Town
from tests.hotline.console.staff import CITY_LIGHTS, WATER, Staff, hire

ACCUSED, ABOVE = "badlight", "above"
SAID = (Said(leg=Leg.CALLER, start=1.0, text="涪城区临园路的路灯坏了"),)
REPORT = (Said(leg=Leg.CALLER, start=1.0, text="我要举报城管局的领导收红包"),)
CONFIRMED = {"kind": "help", "urgency": "normal", "level1": "城乡建设"}
REPORTER = "13900001111"
PEOPLE: dict[str, tuple[Role, ...]] = {
    "boss": (Role.ADMINISTRATOR,),
    "lights": (Role.UNIT,),
    ACCUSED: (Role.UNIT,),
    "operator": (Role.OPERATOR,),
    "desk": (Role.DISPATCHER,),
    "super": (Role.SUPERVISOR,),
    "chief": (Role.LEADER,),
    "audit": (Role.AUDITOR,),
    "duty": (Role.DUTY_OFFICER,),
    "back": (Role.CALL_BACK,),
    "fallen": (Role.DISCIPLINE,),
    "clean": (Role.DISCIPLINE,),
}
"""`fallen` is of discipline, and one of the accused; `clean` is the one who handles the reports."""
KEPT_OUT = tuple(sorted(set(PEOPLE) - {"clean"}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Twin:
    """One of the two towns."""

    services: Services
    site: Site
    town: Town
    staff: Staff
    clock: Clock


@asynccontextmanager
async def lives(folder: Path, database: str) -> AsyncIterator[Twin]:
    """A console over a database of its own, with everybody hired."""
    folder.mkdir()  # noqa: ASYNC240 - a test's own folder
    clock = Clock()
    async with pooled(database, size=4, keys=KeyFile(folder / "identity.keys")) as pool:
        services = services_on(configured(folder), pool, database, clock)
        site = await opened(services)
        for login, roles in PEOPLE.items():
            await hire(services, login, *roles, extension="1002" if login == "operator" else None)
        yield Twin(
            services=services,
            site=site,
            town=Town(services),
            staff=Staff(services=services, site=site),
            clock=clock,
        )
        services.feed.close()
        await site.close()


async def ordinary(twin: Twin) -> None:
    """What happens in both: a case of the unit, one of another, a message, a draft."""
    town, number = twin.town, "13890115678"
    mine = await town.is_talked(NOW - timedelta(minutes=50), SAID, number=number)
    await town.moves(mine, Move.OPEN, NOW, **CONFIRMED)
    await town.moves(mine, Move.DISPATCH, NOW, unit=CITY_LIGHTS)
    other = await town.is_talked(NOW - timedelta(minutes=45), SAID, operator="1002")
    await town.moves(other, Move.OPEN, NOW, **CONFIRMED)
    await town.moves(other, Move.DISPATCH, NOW, unit=WATER)


async def afterwards(twin: Twin) -> None:
    """What happens in both after the reports: the same citizen calls again, about a lamp."""
    at = NOW - timedelta(minutes=10)
    await twin.town.is_talked(at, SAID, number=REPORTER)


async def reports(twin: Twin) -> tuple[int, int, int]:
    """Two reports, of a call and of a letter; what is done with them follows. Only one twin."""
    town, services = twin.town, twin.services
    call_id = await town.is_talked(
        NOW - timedelta(minutes=30), REPORT, number=REPORTER, operator="1001"
    )
    by_call = await town.case_of(call_id)
    async with transaction(services.pool) as tx:
        drafted = await store.open_draft(
            tx, call_id=None, line="mayor", owner="operator", now=NOW - timedelta(minutes=29)
        )
        await case_callers.note(tx, drafted.case.id, REPORTER, None, by="operator", now=NOW)
    by_letter = drafted.case.id
    operator = await twin.staff.visitor("operator")
    named = {"persons": [ACCUSED, "fallen"], "units": [CITY_LIGHTS], "others": ["李某 科长"]}
    for case_id, against in (
        (by_call, named),
        (by_letter, {"against_office": True, "persons": ["fallen"]}),
    ):
        await post(operator, f"/api/cases/{case_id}/protect", {**against, "reason": "举报干部"})
    clean = await twin.staff.visitor("clean")
    for case_id in (by_call, by_letter):
        await post(clean, f"/api/cases/{case_id}/take-over", {})
    # It goes on as any case does, with words, answers, cards told, a block and a call-out.
    await post(clean, f"/api/cases/{by_call}/open", {**CONFIRMED, "kind": "report"})
    async with clean.get(f"/api/calls/{call_id}") as answer:
        assert answer.status == 200
    for path in (f"/api/cases/{by_call}", f"/api/cases/{by_letter}"):
        async with clean.get(path) as answer:
            assert answer.status == 200
    return call_id, by_call, by_letter


async def post(visitor: ClientSession, path: str, body: dict[str, Any]) -> Any:
    async with visitor.post(path, json=body) as answer:
        assert answer.status == 200, (path, await answer.text(errors="backslashreplace"))
        return await answer.json()


async def same_numbers(one: Twin, other: Twin) -> None:
    """Let the second lose every number that the first gave out meanwhile."""
    async with borrowed(one.services.pool) as conn:
        last = await conn.fetch(
            "SELECT sequencename, last_value FROM pg_sequences"
            " WHERE schemaname = 'public' AND last_value IS NOT NULL"
        )
        calls = await conn.fetchval("SELECT last FROM call_counter")
    async with transaction(other.services.pool) as tx:
        for row in last:
            await tx.execute("SELECT setval($1::text::regclass, $2)", *row)
        await tx.execute("UPDATE call_counter SET last = $1", calls)


def requests(
    endpoint: Endpoint, ids: dict[str, int], number: str, *, filters: bool
) -> Iterator[tuple[str, Any]]:
    """Addresses of an endpoint, each with the body it needs: about the report, and every filter."""
    words = endpoint.path
    for part, word in _PARTS.items():
        words = words.replace(f"{{{part}}}", word)
    path = re.sub(r"\{(\w+)\}", lambda it: str(ids.get(it[1], 77)), words)
    body = _body(endpoint, ids) if endpoint.body else None
    yield path, body
    if not filters:
        return
    for name, values in _filters(endpoint, ids, number):
        for value in values:
            yield f"{path}?{name}={value}", body


_PARTS = {
    "leg": "caller",
    "unit": "urban",
    "operator": "1001",
    "policy": "x",
    "token": "t" * 43,
    "evidence_id": "1",
}


def _body(endpoint: Endpoint, ids: dict[str, int]) -> dict[str, Any]:
    """What the model requires, and every id of a case or call it takes: those of the report."""
    assert endpoint.body is not None
    known: dict[str, Any] = {"units": [CITY_LIGHTS], "helpers": [CITY_LIGHTS], "days": 2, **ids}
    known |= {"unit": CITY_LIGHTS}
    known |= {"line": "mayor", "hours": 2, "targets": ["1001"], "same_as": ids["case_id"]}
    schema = endpoint.body.model_json_schema()
    wanted = [*schema.get("required", []), *(set(schema.get("properties", {})) & set(ids))]
    return {name: known.get(name, "原因说明") for name in wanted}


def _filters(
    endpoint: Endpoint, ids: dict[str, int], number: str
) -> Iterator[tuple[str, list[Any]]]:
    if endpoint.query is None:
        return
    schema = endpoint.query.model_json_schema()
    shapes = schema.get("$defs", {})
    for name, shape in schema.get("properties", {}).items():
        kinds = shape.get("anyOf", [shape])
        kinds = [shapes[it["$ref"].rpartition("/")[2]] if "$ref" in it else it for it in kinds]
        values = [value for it in kinds for value in it.get("enum", ())]
        known: dict[str, list[Any]] = {
            "case_id": [ids["case_id"], ids["letter_id"]],
            "call_id": [ids["call_id"]],
            "number": [number],
            "before": [ids["case_id"] + 1, ids["letter_id"] + 1, ids["call_id"] + 1],
            "limit": [1, 2, 200],
            "unit": [CITY_LIGHTS, WATER],
            "level1": ["城乡建设"],
            "line": ["mayor"],
            "mine": ["true"],
            "live": ["true"],
            "q": ["举报", "1111"],
        }
        yield name, known.get(name) or values or ["1"]


ONLY_HERE = re.compile(r"^(process|python)_|_created(\{| )")
"""What a page of metrics tells of the process that makes it."""


async def told(twin: Twin, visitor: ClientSession, endpoint: Endpoint, path: str, body: Any) -> str:
    """Status, headers that matter and body, with what differs by chance taken out."""
    async with visitor.request(endpoint.method, path, json=body) as answer:
        text = await answer.text(errors="backslashreplace")
        kept = [f"{key}: {value}" for key, value in answer.headers.items() if key in _HEADERS]
    if endpoint.path == "/metrics":
        text = "\n".join(line for line in text.splitlines() if not ONLY_HERE.search(line))
    return f"{answer.status}\n{kept}\n{_by_chance(text, twin)}"


_HEADERS = {"Content-Type", "Content-Range", "Allow", "Retry-After", "ETag", "Content-Disposition"}


def _by_chance(text: str, twin: Twin) -> str:
    """Salted digests, random ids, addresses and folders: of no row's making."""
    text = re.sub(r"[0-9a-f]{64}", "<digest>", text)
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<uuid>", text)
    text = text.replace(str(twin.services.config.data_dir), "<folder>")
    return text.replace(twin.site.url, "<url>/")


NOT_ASKED = frozenset(
    {
        *("/api/feed", "/api/calls/{call_id}/captions"),
        *("/api/session", "/api/session/everywhere/end"),
    }
)
"""The feeds never end (read in test_protected.py and test_captions_api.py), others the session."""
ASKED: tuple[Endpoint, ...] = tuple(it for it in ENDPOINTS if it.path not in NOT_ASKED)


async def both(one: Awaitable[str], other: Awaitable[str]) -> tuple[str, str]:
    first, second = await asyncio.gather(one, other)
    return first, second


async def person(twin: Twin, login: str) -> Person:
    """A user as the door knows one."""
    async with borrowed(twin.services.pool) as conn:
        user = await user_rows.by_login(conn, login)
    assert user is not None
    return Person(name=user.login, roles=user.roles, unit=user.unit, seat=user.extension)
