"""Signing in by an identity provider: a real one in a process of its own, seen through a proxy.

The proxy notes what the service asks of the provider, and can change what the provider answers.
"""

import base64
import hashlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from aiohttp import ClientSession, web
from joserfc.jwk import RSAKey
from pydantic import SecretStr, ValidationError

from hotline.config_sign_in import OpenId
from hotline.database import Pool
from hotline.services import Services, utc_now
from hotline.users import User
from routing.cases import Role
from tests.hotline.city import free_port
from tests.hotline.console.conftest import Clock, Site, configured, opened, services_on
from tests.hotline.console.staff import hire

PEOPLE: dict[str, dict[str, Any]] = {
    "s-1": {"preferred_username": "li.na", "name": "李娜", "groups": ["operators"]},
    "s-2": {"preferred_username": "Wang", "groups": ["none-of-ours"]},
    "s-3": {"email": "zhao@example.cn", "email_verified": False, "groups": []},
    "s-4": {"email": "zhao", "email_verified": True},
}
Change = Callable[[str, bytes], bytes]


@dataclass(slots=True)
class Seen:
    """The provider as the service reaches it, and what it was asked for tokens with."""

    url: str = ""
    asked: list[dict[str, str]] = field(default_factory=list)
    change: Change = lambda _, body: body


@pytest.fixture(scope="module")
def provider() -> Iterator[int]:
    port = free_port()
    people = [
        word
        for sub, claims in PEOPLE.items()
        for word in ("--user-claims", json.dumps({"sub": sub, **claims}))
    ]
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port)]
    with subprocess.Popen(  # noqa: S603 - installed with the tests
        [*command, "--require-nonce", "true", *people],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            _wait_for(port)
            yield port
        finally:
            process.terminate()


def _wait_for(port: int) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < until, "the provider does not start"
            time.sleep(0.1)  # its port is the only sign it gives
        else:
            return


@pytest.fixture
async def seen(provider: int) -> AsyncIterator[Seen]:
    """A proxy before the provider, which takes it for its own address."""
    found = Seen()

    async def pass_on(request: web.Request) -> web.Response:
        body = await request.read()
        if request.path == "/oauth2/token":
            found.asked.append(dict(parse_qsl(body.decode())))
        headers = {
            name: value
            for name, value in request.headers.items()
            if name in {"Host", "Content-Type", "Authorization"}
        }
        async with (
            ClientSession() as http,
            http.request(
                request.method,
                f"http://127.0.0.1:{provider}{request.rel_url}",
                data=body,
                headers=headers,
                allow_redirects=False,
            ) as answer,
        ):
            told = found.change(request.path, await answer.read())
            kept = {name: value for name, value in answer.headers.items() if name == "Location"}
            return web.Response(
                body=told, status=answer.status, headers=kept, content_type=answer.content_type
            )

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", pass_on)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield found
    await runner.cleanup()


@pytest.fixture
def clock() -> Clock:
    return Clock(at=utc_now())  # the provider has a clock of its own


@dataclass(slots=True)
class City:
    """A console whose configuration names the provider."""

    site: Site
    services: Services

    async def user(self, login: str) -> dict[str, Any] | None:
        row = await self.services.pool.fetchrow("SELECT * FROM users WHERE login = $1", login)
        return dict(row) if row else None


Open = Callable[..., AbstractAsyncContextManager[City]]


@pytest.fixture
def console(tmp_path: Path, pool: Pool, database: str, clock: Clock, seen: Seen) -> Open:
    """Opens a console with more in its table `openid`."""

    @asynccontextmanager
    async def configured_with(**more: Any) -> AsyncIterator[City]:
        port = free_port()
        table = OpenId.model_validate(
            {
                "issuer": seen.url,
                "client_id": "hotline",
                "client_secret": SecretStr("made-up"),
                "redirect_uri": f"http://127.0.0.1:{port}/api/openid/back",
                **more,
            }
        )
        services = services_on(configured(tmp_path, openid=table), pool, database, clock)
        await hire(services, "boss", Role.ADMINISTRATOR)
        site = await opened(services, port)
        try:
            yield City(site=site, services=services)
        finally:
            await site.close()

    return configured_with


@pytest.fixture
async def city(console: Open) -> AsyncIterator[City]:
    async with console() as found:
        yield found


async def goes(visitor: ClientSession) -> str:
    async with visitor.get("/api/openid", allow_redirects=False) as answer:
        assert answer.status == 303
        return answer.headers["Location"]


async def agrees(way: str, sub: str) -> str:
    """The person tells the provider who it is; the address the browser is sent back to."""
    async with (
        ClientSession() as http,
        http.post(way, data={"sub": sub}, allow_redirects=False) as answer,
    ):
        assert answer.status == 302, await answer.text()
        return answer.headers["Location"]


async def comes_back(visitor: ClientSession, url: str) -> str:
    parts = urlsplit(url)
    async with visitor.get(f"{parts.path}?{parts.query}", allow_redirects=False) as answer:
        assert answer.status == 303
        return answer.headers["Location"]


async def session_of(visitor: ClientSession) -> dict[str, Any]:
    async with visitor.get("/api/session") as answer:
        found: dict[str, Any] = await answer.json()
    return found


async def signs_in(city: City, sub: str) -> tuple[str, dict[str, Any]]:
    visitor = city.site.visitor()
    place = await comes_back(visitor, await agrees(await goes(visitor), sub))
    return place, await session_of(visitor)


OTHER_KEYS = json.dumps({"keys": [RSAKey.generate_key(2048).as_dict(private=False)]}).encode()
REFUSED = "/?problem=sign_in_refused"


async def test_a_user_comes_in_by_the_providers_word(city: City, seen: Seen) -> None:
    await hire(city.services, "li.na", Role.OPERATOR, extension="1001")
    visitor = city.site.visitor()
    way = await goes(visitor)
    asked = parse_qs(urlsplit(way).query)
    assert asked["response_type"] == ["code"]
    assert asked["code_challenge_method"] == ["S256"]
    assert await comes_back(visitor, await agrees(way, "s-1")) == "/"
    session = await session_of(visitor)
    assert (session["signed_in"], session["roles"], session["seat"]) == (True, ["operator"], "1001")
    assert session["user"]["login"] == "li.na"
    # PKCE: what the token was asked with is what the way in was sealed with.
    (told,) = seen.asked
    made = hashlib.sha256(told["code_verifier"].encode()).digest()
    assert base64.urlsafe_b64encode(made).decode().rstrip("=") == asked["code_challenge"][0]
    row = await city.services.pool.fetchrow(
        "SELECT body FROM journal WHERE event = 'user.signed_in'"
    )
    assert row is not None
    assert json.loads(row["body"])["way"] == "openid"


async def test_nobody_is_made_where_no_roles_are_mapped(city: City) -> None:
    place, session = await signs_in(city, "s-1")
    assert (place, session["signed_in"]) == (REFUSED, False)
    assert await city.user("li.na") is None


async def test_a_deactivated_user_stays_out(city: City) -> None:
    user: User = await hire(city.services, "li.na", Role.OPERATOR)
    await city.services.pool.execute("UPDATE users SET active = false WHERE id = $1", user.id)
    assert (await signs_in(city, "s-1"))[0] == REFUSED


async def test_a_forced_change_of_password_does_not_hold_up_who_needs_none(city: City) -> None:
    user = await hire(city.services, "wang", Role.OPERATOR)
    await city.services.pool.execute("UPDATE users SET must_change = true WHERE id = $1", user.id)
    place, session = await signs_in(city, "s-2")
    assert (place, session["must_change"]) == ("/", False)


async def test_roles_follow_the_groups_of_whoever_came_by_them(console: Open, seen: Seen) -> None:
    mapped = {"operators": "operator", "auditors": "auditor"}
    async with console(roles=mapped) as city:
        place, session = await signs_in(city, "s-1")
        assert (place, session["roles"]) == ("/", ["operator"])
        made = await city.user("li.na")
        assert made is not None
        assert (made["added_by"], made["password"]) == ("openid", None)
        place, session = await signs_in(city, "s-2")  # no group with a role
        assert (place, session["signed_in"]) == (REFUSED, False)
        await _groups(seen, "s-1", ["auditors"])
        assert (await signs_in(city, "s-1"))[1]["roles"] == ["auditor"]
        await _groups(seen, "s-1", [])
        assert (await signs_in(city, "s-1"))[0] == REFUSED
        await _groups(seen, "s-1", ["operators"])
        await hire(city.services, "wang", Role.LEADER)  # whom an administrator added keeps roles
        await _groups(seen, "s-2", ["operators"])
        assert (await signs_in(city, "s-2"))[1]["roles"] == ["leader"]
        await _groups(seen, "s-2", ["none-of-ours"])


async def _groups(seen: Seen, sub: str, groups: list[str]) -> None:
    async with (
        ClientSession() as http,
        http.put(f"{seen.url}/users/{sub}", json={**PEOPLE[sub], "groups": groups}) as answer,
    ):
        assert answer.status == 204


@pytest.mark.parametrize(("sub", "place"), [("s-3", REFUSED), ("s-4", "/")])
async def test_an_address_counts_only_when_the_provider_has_verified_it(
    console: Open, sub: str, place: str
) -> None:
    wish = {"claim": "email", "scope": "openid email"}
    async with console(**wish) as city:
        await hire(city.services, "zhao", Role.OPERATOR)
        assert (await signs_in(city, sub))[0] == place


async def test_whoever_says_no_or_brings_another_state_or_comes_late_stays_out(
    city: City, clock: Clock
) -> None:
    await hire(city.services, "li.na", Role.OPERATOR)
    visitor = city.site.visitor()
    back = await agrees(await goes(visitor), "s-1")
    stranger = city.site.visitor()  # the link was sent to somebody else's browser
    assert await comes_back(stranger, back) == REFUSED
    parts = urlsplit(back)
    query = dict(parse_qsl(parts.query))
    for change in ({"state": "another"}, {"code": "guessed"}, {"code": ""}, {"state": ""}):
        await goes(visitor)
        changed = f"{parts.path}?{urlencode(query | change)}"
        assert await comes_back(visitor, changed) == REFUSED, change
    clock.forward(minutes=15)  # the waits after wrong tries are over
    back = await agrees(await goes(visitor), "s-1")
    clock.forward(minutes=10)
    assert await comes_back(visitor, back) == REFUSED
    async with ClientSession() as http:
        way = await goes(visitor)
        async with http.post(way, data={"action": "deny"}, allow_redirects=False) as answer:
            denied = answer.headers["Location"]
    assert await comes_back(visitor, denied) == REFUSED
    assert (await session_of(visitor))["signed_in"] is False


async def test_one_answer_of_the_provider_opens_one_session(city: City) -> None:
    await hire(city.services, "li.na", Role.OPERATOR)
    visitor = city.site.visitor()
    back = await agrees(await goes(visitor), "s-1")
    assert await comes_back(visitor, back) == "/"
    assert await comes_back(visitor, back) == REFUSED


def _tampered(**claims: Any) -> Change:
    """The token with other claims and the old signature."""

    def change(path: str, body: bytes) -> bytes:
        if path != "/oauth2/token":
            return body
        told = json.loads(body)
        head, payload, signature = told["id_token"].split(".")
        padded = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
        text = json.dumps(json.loads(padded) | claims).encode()
        payload = base64.urlsafe_b64encode(text).decode().rstrip("=")
        return json.dumps(told | {"id_token": f"{head}.{payload}.{signature}"}).encode()

    return change


def _unsigned(path: str, body: bytes) -> bytes:
    if path != "/oauth2/token":
        return body
    told = json.loads(body)
    head = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    return json.dumps(told | {"id_token": f"{head}.{told['id_token'].split('.')[1]}."}).encode()


def _issuer(path: str, body: bytes) -> bytes:
    if path != "/.well-known/openid-configuration":
        return body
    return json.dumps(json.loads(body) | {"issuer": "https://evil.example"}).encode()


def _plain(path: str, body: bytes) -> bytes:
    if path != "/.well-known/openid-configuration":
        return body
    return json.dumps(json.loads(body) | {"token_endpoint": "http://evil.example/"}).encode()


@pytest.mark.parametrize(
    "change",
    [
        _tampered(preferred_username="boss"),
        _tampered(exp=4_000_000_000),
        _unsigned,
        lambda path, body: b"{}" if path == "/oauth2/token" else body,
        lambda path, body: b"no JSON" if path == "/oauth2/token" else body,
        lambda path, body: OTHER_KEYS if path == "/jwks" else body,
    ],
)
async def test_a_token_that_the_provider_did_not_sign_opens_nothing(
    city: City, seen: Seen, change: Change
) -> None:
    await hire(city.services, "li.na", Role.OPERATOR)
    seen.change = change
    place, session = await signs_in(city, "s-1")
    assert (place, session["signed_in"]) == (REFUSED, False)


@pytest.mark.parametrize(
    "change",
    [
        _issuer,
        _plain,
        lambda _path, _body: b"[]",
        lambda path, body: b'{"keys": []}' if path == "/jwks" else body,
    ],
)
async def test_nobody_is_sent_to_a_provider_that_describes_itself_wrongly(
    city: City, seen: Seen, change: Change
) -> None:
    seen.change = change
    assert await goes(city.site.visitor()) == REFUSED


async def test_a_token_of_another_sign_in_opens_nothing(city: City, seen: Seen) -> None:
    """Its signature is good, its nonce is not: it was made for somebody else's browser."""
    await hire(city.services, "li.na", Role.OPERATOR)
    kept: list[bytes] = []

    def change(path: str, body: bytes) -> bytes:
        if path == "/oauth2/token":
            kept.append(body)
            return kept[0]
        return body

    seen.change = change
    assert (await signs_in(city, "s-1"))[0] == "/"
    assert (await signs_in(city, "s-1"))[0] == REFUSED


async def test_a_token_that_has_run_out_opens_nothing(city: City, clock: Clock) -> None:
    await hire(city.services, "li.na", Role.OPERATOR)
    clock.forward(hours=2)  # the provider's tokens are good for one
    assert (await signs_in(city, "s-1"))[0] == REFUSED


@pytest.mark.parametrize(("sub", "place"), [("s-1", "/"), ("s-2", REFUSED)])
async def test_what_only_userinfo_tells_is_asked_for_and_must_be_of_the_same_person(
    console: Open, seen: Seen, sub: str, place: str
) -> None:
    def change(path: str, body: bytes) -> bytes:
        if path != "/userinfo":
            return body
        return json.dumps({"sub": sub, "staff_number": "li.na"}).encode()

    seen.change = change
    async with console(claim="staff_number") as city:
        await hire(city.services, "li.na", Role.OPERATOR)
        assert (await signs_in(city, "s-1"))[0] == place


def test_an_issuer_without_tls_is_refused_unless_it_is_this_machine() -> None:
    for issuer, good in (
        ("https://login.example", True),
        ("http://127.0.0.1:9400", True),
        ("http://login.example", False),
        ("http://127.0.0.1.evil.example", False),
    ):
        given = {"issuer": issuer, "client_id": "x", "redirect_uri": "https://here.example/"}
        if good:
            OpenId.model_validate(given)
        else:
            with pytest.raises(ValidationError):
                OpenId.model_validate(given)
    with pytest.raises(ValidationError):
        OpenId.model_validate(
            {
                "issuer": "https://login.example",
                "client_id": "x",
                "redirect_uri": "https://here.example/",
                "roles": {"units": "unit"},
            }
        )


async def test_without_a_provider_there_is_no_such_way(visitor: ClientSession) -> None:
    for path in ("/api/openid", "/api/openid/back?code=1&state=2"):
        async with visitor.get(path) as answer:
            assert answer.status == 404
