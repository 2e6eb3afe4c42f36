"""Who may come in, tried from outside over HTTP."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import ClientSession, encode_basic_auth
from pydantic import SecretStr

from hotline.config_sign_in import SignIn
from hotline.console.attempts import KNOWN, Attempts
from hotline.console.door import COOKIE, Door, key_in
from hotline.console.endpoints import ENDPOINTS
from hotline.console.problems import ProblemError
from hotline.database import Pool, transaction
from hotline.users import Way
from tests.hotline.console.conftest import NOW, Clock, Site, configured, opened, services_on
from tests.hotline.console.staff import path_to

PASSWORD = "一个很长的口令"
ONCE = "/phones/{token}"
"""A telephone's settings, by an address that works once."""
OPENID = {"/api/openid", "/api/openid/back"}
OPEN = {"/api/session", "/healthz"}


@pytest.fixture
async def locked(tmp_path: Path, pool: Pool, database: str, clock: Clock) -> AsyncIterator[Site]:
    config = configured(tmp_path, console_password=SecretStr(PASSWORD))
    site = await opened(services_on(config, pool, database, clock))
    yield site
    await site.close()


async def sign_in(visitor: ClientSession, password: str = PASSWORD, **more: str) -> int:
    async with visitor.post("/api/session", json={"password": password, **more}) as answer:
        return answer.status


def from_afar(site: Site) -> ClientSession:
    """A visitor that comes through a proxy, so that being on this machine counts for nothing."""
    visitor = site.visitor()
    visitor.headers["X-Forwarded-For"] = "203.0.113.9"
    return visitor


async def test_without_the_password_every_address_is_closed(locked: Site) -> None:
    visitor = from_afar(locked)
    for endpoint in ENDPOINTS:
        path = path_to(endpoint, "1001")
        body: dict[str, str] | None = {} if endpoint.body else None
        async with visitor.request(endpoint.method, path, json=body) as answer:
            if endpoint.path == ONCE or endpoint.path in OPENID:
                assert answer.status == 404, path  # no such token, no provider configured
            elif endpoint.path == "/api/progress":
                assert answer.status == 422, path  # for the public, which names its case
            elif endpoint.path in OPEN:
                assert answer.status in {200, 401}, path
            else:
                assert answer.status == 401, path
                assert (await answer.json())["type"] == "not_signed_in"


async def test_the_password_opens_a_session_that_hides_from_scripts(locked: Site) -> None:
    visitor = locked.visitor()
    async with visitor.post("/api/session", json={"password": PASSWORD, "seat": "1001"}) as answer:
        session = await answer.json()
        cookie = answer.headers["Set-Cookie"]
    assert (session["signed_in"], session["seat"]) == (True, "1001")
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Secure" not in cookie  # plain http on this machine
    async with visitor.get("/api/calls") as answer:
        assert answer.status == 200
    visitor.headers["X-Forwarded-Proto"] = "https"
    async with visitor.post("/api/session", json={"password": PASSWORD}) as answer:
        assert "Secure" in answer.headers["Set-Cookie"]


@pytest.mark.parametrize("password", ["", "wrong", PASSWORD + " ", "\ud800", "x" * 1000])
async def test_a_wrong_password_opens_nothing(locked: Site, password: str) -> None:
    visitor = locked.visitor()
    assert await sign_in(visitor, password) in {401, 422}
    async with visitor.get("/api/calls") as answer:
        assert answer.status == 401


async def test_guessing_gets_slower_and_slower(locked: Site, clock: Clock) -> None:
    visitor = locked.visitor()
    statuses = [await sign_in(visitor, f"guess {number}") for number in range(6)]
    assert statuses == [401] * 5 + [429]
    assert await sign_in(visitor) == 429  # the right one must wait, too
    clock.forward(seconds=2)
    assert await sign_in(visitor) == 200
    assert await sign_in(visitor) == 200


def test_waits_double_up_to_a_quarter_of_an_hour_and_are_forgotten() -> None:
    attempts, now, waits = Attempts(), NOW, []
    for _ in range(16):
        attempts.failed("203.0.113.9", now)
        try:
            attempts.check("203.0.113.9", now)
        except ProblemError as error:
            waits.append(error.problem.retry_after or 0)
            now += timedelta(seconds=waits[-1])
    assert waits == [2, 3, 5, 9, 17, 33, 65, 129, 257, 513, 901]
    attempts.check("203.0.113.10", now)  # others are not held up
    attempts.failed("203.0.113.9", now + timedelta(minutes=20))
    attempts.check("203.0.113.9", now + timedelta(minutes=20))


def test_many_addresses_together_are_slowed_and_their_memory_is_bounded() -> None:
    attempts = Attempts()
    for number in range(KNOWN + 50):
        attempts.failed(f"198.51.{number // 256}.{number % 256}", NOW)
    assert len(attempts._seen) == KNOWN
    with pytest.raises(ProblemError):
        attempts.check("203.0.113.77", NOW)


async def test_a_session_ends_by_time_by_leaving_and_by_a_new_password(
    locked: Site, clock: Clock, tmp_path: Path, pool: Pool
) -> None:
    visitor = locked.visitor()
    await sign_in(visitor)
    (cookie,) = (it.value for it in visitor.cookie_jar if it.key == COOKIE)
    thief = locked.visitor()
    thief.headers["Cookie"] = f"{COOKIE}={cookie}"
    async with thief.get("/api/calls") as answer:
        assert answer.status == 200
    key = key_in(tmp_path / "console.key")
    for password, known in ((PASSWORD, True), ("another", False)):
        door = Door(pool=pool, password=password, key=key, host="x", sign_in=SignIn())
        assert (await door.who({}, cookie, clock()) is not None) is known
    async with visitor.delete("/api/session") as answer:
        assert (await answer.json())["signed_in"] is False
    async with thief.get("/api/calls") as answer:
        assert answer.status == 401
    await sign_in(visitor)
    clock.forward(hours=12)
    async with visitor.get("/api/calls") as answer:
        assert answer.status == 401


@pytest.mark.parametrize(
    "change",
    [
        lambda cookie: cookie[:-1] + ("A" if cookie[-1] != "A" else "B"),
        lambda cookie: cookie.replace("2.c.1", "2.c.2"),
        lambda cookie: cookie.replace("2.c.", "2.u.", 1),
        lambda cookie: cookie.replace("2.c.", "2.x.", 1),
        lambda _: "2.c.1.x.",
        lambda _: "2.c.99999999999999999999.x.y",
        lambda _: "",
        lambda _: "....",
        lambda _: "\udcff" * 5,
    ],
)
async def test_a_cookie_that_was_changed_is_nobody(change: object, pool: Pool) -> None:
    door = Door(pool=pool, password=PASSWORD, key=b"k" * 32, host="x", sign_in=SignIn())
    async with transaction(pool) as tx:
        cookie, _ = await door.begin(
            tx, None, seat="1001", way=Way.CONSOLE, address="here", now=NOW
        )
        await door.begin(tx, None, seat="1002", way=Way.CONSOLE, address="here", now=NOW)
    assert await door.who({}, cookie, NOW) is not None
    assert callable(change)
    assert await door.who({}, change(cookie), NOW) is None


def test_the_key_outlives_a_restart_and_is_nobody_elses(tmp_path: Path) -> None:
    file = tmp_path / "new" / "console.key"
    key = key_in(file)
    assert (key_in(file), len(key)) == (key, 32)
    assert file.stat().st_mode & 0o777 == 0o600
    file.write_bytes(key[:10])  # cut short by a crash
    assert len(key_in(file)) == 32


FOREIGN = (
    {"Origin": "https://evil.example"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "null"},
)


@pytest.mark.parametrize("headers", FOREIGN)
async def test_another_sites_page_cannot_act_here(locked: Site, headers: dict[str, str]) -> None:
    visitor = locked.visitor()
    await sign_in(visitor)
    async with visitor.post("/api/cases/1/open", json={}, headers=headers) as answer:
        assert answer.status == 403
        assert (await answer.json())["type"] == "foreign_request"
    async with visitor.delete("/api/session", headers=headers) as answer:
        assert answer.status == 403


async def test_our_own_page_can(locked: Site) -> None:
    visitor = locked.visitor()
    await sign_in(visitor)
    ours = {"Origin": locked.url.rstrip("/"), "Sec-Fetch-Site": "same-origin"}
    async with visitor.post("/api/cases/1/open", json={}, headers=ours) as answer:
        assert answer.status == 404  # it came through to the case that does not exist


async def test_without_a_password_only_this_machine_is_served(site: Site) -> None:
    visitor = site.visitor()
    port = site.runner.addresses[0][1]
    for host, status in (
        (f"127.0.0.1:{port}", 200),
        (f"localhost:{port}", 200),
        (f"[::1]:{port}", 200),
        ("evil.example", 421),
        (f"127.0.0.1.evil.example:{port}", 421),
        ("", 421),
    ):
        async with visitor.get("/api/calls", headers={"Host": host}) as answer:
            assert answer.status == status, host
    for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):
        async with visitor.get("/api/calls", headers={name: "203.0.113.9"}) as answer:
            assert answer.status == 421, name


def basic(password: str) -> dict[str, str]:
    return {"Authorization": encode_basic_auth("prometheus", password, encoding="utf-8")}


async def test_prometheus_comes_in_from_here_or_with_the_password(locked: Site) -> None:
    async with locked.visitor().get("/metrics") as answer:
        assert answer.status == 200
    afar = from_afar(locked)
    async with afar.get("/metrics") as answer:
        assert answer.status == 401
    for password, status in (("wrong", 401), (PASSWORD, 200)):
        async with afar.get("/metrics", headers=basic(password)) as answer:
            assert answer.status == status
    async with afar.get("/metrics", headers={"Authorization": "Basic !!!"}) as answer:
        assert answer.status == 401
    async with afar.get("/api/calls", headers=basic(PASSWORD)) as answer:
        assert answer.status == 401


async def test_every_answer_carries_the_guard(locked: Site) -> None:
    visitor = locked.visitor()
    for path in ("/", "/web/docs.js", "/api/calls", "/nothing", "/healthz"):
        async with visitor.get(path) as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert "unsafe" not in policy
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert answer.headers["Server"] == "hotline"
    async with visitor.get("/api/session") as answer:
        assert answer.headers["Cache-Control"] == "no-store"
        assert (await answer.json())["seats"] == []


async def test_a_seat_that_is_not_configured_is_refused(locked: Site) -> None:
    assert await sign_in(locked.visitor(), seat="9999") == 422
    assert await sign_in(locked.visitor(), password="wrong", seat="9999") == 401
