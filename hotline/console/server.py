"""The console put together: the endpoint table behind the door, the page, and what guards both."""

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import cache
from http import HTTPStatus
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ValidationError

from hotline.console.browser_phone_api import close_sockets
from hotline.console.counted import DATABASE_ERRORS, Counted, running_version
from hotline.console.desk import DESK, Desk, Request
from hotline.console.door import COOKIE, Door, basic_password, key_in
from hotline.console.endpoint import Endpoint
from hotline.console.endpoints import ENDPOINTS
from hotline.console.open311 import add_open311
from hotline.console.open_pages import add_open_pages
from hotline.console.openapi import document
from hotline.console.pages import add_app, add_pages
from hotline.console.person import SCRAPER, Person
from hotline.console.problems import Fault, ProblemError
from hotline.console.public_pages import add_public_pages
from hotline.console.refused import note_refusal
from hotline.console.sight import services_for
from hotline.openid import Provider
from hotline.services import Services

log = logging.getLogger(__name__)

LARGEST_BODY = 64 * 1024
_HALF = re.compile(r"[\ud800-\udfff]")
_GUARD = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "media-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(self)",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Server": "hotline",
}
Next = Callable[[web.Request], Awaitable[web.StreamResponse]]


def build(services: Services) -> web.Application:
    """The console as an aiohttp application, ready to listen."""
    config = services.config
    secret = config.console_password
    door = Door(
        pool=services.pool,
        password=secret.get_secret_value() if secret else None,
        key=key_in(config.data_dir / "console.key"),
        host=config.http_host,
        sign_in=config.sign_in,
    )
    app = web.Application(middlewares=[_answer_refusals], client_max_size=LARGEST_BODY)
    counted = Counted(services)
    app[DESK] = Desk(
        services=services,
        door=door,
        counted=counted,
        openid=Provider(config.openid) if config.openid else None,
    )
    app.on_response_prepare.append(_guard)
    for endpoint in ENDPOINTS:
        app.router.add_route(endpoint.method, endpoint.route, _serve(endpoint))
    add_pages(app)
    add_app(app)
    add_public_pages(app, config.open_dir)
    add_open_pages(app, config.open_dir)
    add_open311(app, services, door)
    api = _described()

    async def openapi(_: web.Request) -> web.Response:
        return web.Response(text=api, content_type="application/json")

    async def stop_counting(_: web.Application) -> None:
        await counted.close()

    app.router.add_get("/api/openapi.json", openapi)
    app.on_shutdown.append(close_sockets)
    app.on_cleanup.append(stop_counting)
    return app


@cache
def _described() -> str:
    """The API's own description; it takes a third of a second, so a process writes it once."""
    return json.dumps(document(ENDPOINTS, running_version()), ensure_ascii=False)


def _serve(endpoint: Endpoint) -> Next:
    async def serve(http: web.Request) -> web.StreamResponse:
        desk = http.app[DESK]
        person = await _person(desk, endpoint, http)
        asked = Request(
            desk=desk,
            services=services_for(desk.services, person),
            person=person,
            http=http,
            query=_query(endpoint, http),
            body=await _body(endpoint, http),
        )
        try:
            told = await endpoint.handler(asked)
        except ProblemError as error:
            await note_refusal(desk, endpoint, asked, error.problem.type)
            raise
        if isinstance(told, web.StreamResponse):
            return told
        status, answer = told if isinstance(told, tuple) else (HTTPStatus.OK, told)
        return web.Response(
            text=answer.model_dump_json(), status=status, content_type="application/json"
        )

    return serve


async def _person(desk: Desk, endpoint: Endpoint, http: web.Request) -> Person | None:
    """Whoever asks, checked once for every address: signed in, by a role that may, in pace."""
    now = desk.services.clock()
    person = await desk.door.who(http.headers, http.cookies.get(COOKIE), now)
    if person is None and endpoint.path == "/metrics":
        person = await _scraper(desk, http)
    if person is not None and person.user_id is not None:
        desk.door.pace.check(person.name, now)
    if endpoint.is_open:
        return person
    if person is None:
        raise ProblemError(Fault.NOT_SIGNED_IN, "Sign in first.")
    if person.must_change and not endpoint.path.startswith("/api/session"):
        raise ProblemError(Fault.PASSWORD_CHANGE_NEEDED, "Change your password first.")
    if endpoint.roles is not None and not person.roles & endpoint.roles:
        raise ProblemError(
            Fault.NOT_YOUR_ROLE, f"This is for {', '.join(sorted(endpoint.roles))} only."
        )
    return person


async def _scraper(desk: Desk, http: web.Request) -> Person | None:
    """Prometheus on this machine needs no password; elsewhere it sends it by basic_auth."""
    if http.remote in {"127.0.0.1", "::1"} and "X-Forwarded-For" not in http.headers:
        return SCRAPER
    password = basic_password(http.headers)
    if password is None:
        return None
    now, address = desk.services.clock(), http.remote or "?"
    desk.door.attempts.check(address, now)
    if await asyncio.to_thread(desk.door.is_password, password):
        return SCRAPER
    desk.door.attempts.failed(address, now)
    return None


def _query(endpoint: Endpoint, http: web.Request) -> BaseModel | None:
    if endpoint.query is None:
        return None
    given = {name: value for name, value in http.query.items() if value}
    return _checked(endpoint.query, given)


async def _body(endpoint: Endpoint, http: web.Request) -> BaseModel | None:
    if endpoint.body is None:
        return None
    # Another site's page can only send this content type after asking us, and we never allow it.
    if http.content_type != "application/json":
        raise ProblemError(Fault.NOT_JSON, "Send JSON with Content-Type: application/json.")
    try:
        given = json.loads(await http.read() or b"{}")
    except (ValueError, RecursionError) as error:
        raise ProblemError(Fault.INVALID, "The body is not valid JSON.") from error
    return _checked(endpoint.body, given)


def _checked(model: type[BaseModel], given: Any) -> BaseModel:
    if not _can_be_kept(given):
        raise ProblemError(Fault.INVALID, "A text holds a character that cannot be kept.")
    try:
        return model.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        said = first["msg"][:1].lower() + first["msg"][1:]
        raise ProblemError(Fault.INVALID, f"{where}: {said}.") from error


def _can_be_kept(given: Any) -> bool:
    """Whether PostgreSQL can hold every text: it has no room for NUL and for half a surrogate."""
    match given:
        case str():
            return "\0" not in given and not _HALF.search(given)
        case dict():
            return all(_can_be_kept(it) for pair in given.items() for it in pair)
        case list():
            return all(_can_be_kept(it) for it in given)
        case _:
            return True


@web.middleware
async def _answer_refusals(request: web.Request, handler: Next) -> web.StreamResponse:
    """Check where the request comes from; turn whatever went wrong into one problem."""
    door = request.app[DESK].door
    try:
        with suppress(*DATABASE_ERRORS):  # unknown counts as none, which is the stricter
            await door.look()
        door.check_origin(request.method, request.headers)
        return await handler(request)
    except web.HTTPMethodNotAllowed as error:
        refusal = _refusal(ProblemError(Fault.METHOD, "This address does not do that."))
        refusal.headers["Allow"] = ", ".join(sorted(error.allowed_methods))
        return refusal
    except Exception as error:
        refused = _as_problem(error)
        if refused is None:
            raise
        if refused.problem.type is Fault.BROKEN:
            # The query and body may be personal: the route is enough to find the fault.
            log.exception("A request to %s failed.", request.match_info.route.resource)
        return _refusal(refused)


def _as_problem(error: Exception) -> ProblemError | None:
    """What the asker is told; None for the library's own answers, such as a redirect."""
    match error:
        case ProblemError():
            return error
        case web.HTTPRequestEntityTooLarge():
            return ProblemError(Fault.TOO_LARGE, "The request is larger than 64 KiB.")
        case web.HTTPNotFound():
            return ProblemError(Fault.NOT_FOUND, "There is nothing at this address.")
        case web.HTTPException():
            return None
        case _ if isinstance(error, DATABASE_ERRORS):
            return ProblemError(Fault.DATABASE_DOWN, "The database does not answer.")
        case _:
            return ProblemError(Fault.BROKEN, "This went wrong here; it is in the log.")


def _refusal(error: ProblemError) -> web.Response:
    problem = error.problem
    response = web.Response(
        text=problem.model_dump_json(),
        status=problem.status,
        content_type="application/problem+json",
    )
    if problem.retry_after is not None:
        response.headers["Retry-After"] = str(problem.retry_after)
    return response


async def _guard(http: web.Request, response: web.StreamResponse) -> None:
    for name, value in _GUARD.items():
        # A report's page loads nothing at all, and brings a policy of its own that says so.
        if name != "Content-Security-Policy" or name not in response.headers:
            response.headers[name] = value
    if http.path.startswith(("/api", "/healthz", "/metrics")):
        response.headers.setdefault("Cache-Control", "no-store")
