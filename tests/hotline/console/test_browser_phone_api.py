"""The telephone in the page over HTTP: its account for its own seat, its socket for its session."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType, WSServerHandshakeError, web

from deploy.asterisk.config import RELAY_ADDRESS
from hotline.config import Exchange
from hotline.console import browser_phone_api
from hotline.console.browser_phone_api import OVER, TAKEN
from hotline.console.desk import DESK
from hotline.database import Pool
from routing.cases import Role
from tests.hotline.console.conftest import SEATS, Clock, Site, configured, opened, services_on
from tests.hotline.console.staff import Staff, hire

OWN, OTHER = (seat.extension for seat in SEATS[:2])
SOCKET = "/api/phone/socket"
CHOSEN = """
    INSERT INTO operator_states (operator, system, state, lines, since, phone)
    VALUES ($1, 'mianyang-1', 'ready', '{}', now(), 'browser')"""


@dataclass
class Echo:
    """An exchange that says back what it hears; `came` are the addresses it was reached from."""

    port: int = 0
    came: list[str] = field(default_factory=list)
    sockets: list[web.WebSocketResponse] = field(default_factory=list)

    async def take(self, http: web.Request) -> web.WebSocketResponse:
        self.came.append(http.remote or "")
        socket = web.WebSocketResponse(protocols=("sip",))
        await socket.prepare(http)
        self.sockets.append(socket)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await socket.send_str(f"heard {message.data}")
        return socket


@pytest.fixture
async def echo() -> AsyncIterator[Echo]:
    echo, app = Echo(), web.Application()
    app.router.add_get("/ws", echo.take)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    echo.port = runner.addresses[0][1]
    yield echo
    for socket in echo.sockets:
        await socket.close()
    await runner.cleanup()


@pytest.fixture
async def site(
    tmp_path: Path, pool: Pool, database: str, clock: Clock, echo: Echo
) -> AsyncIterator[Site]:
    file = tmp_path / "secrets.json"
    file.write_text(json.dumps({"browsers": {OWN: "of-the-browser", OTHER: "of-another"}}))
    exchange = Exchange(
        system="mianyang-1",
        secret="reader",  # type: ignore[arg-type]
        cel_file=tmp_path / "cel",
        queue_log_file=tmp_path / "queue_log",
        recordings_dir=tmp_path,
        browser_socket=f"ws://127.0.0.1:{echo.port}/ws",
        browser_secrets_file=file,
    )
    config = configured(tmp_path, exchanges=(exchange,))
    running = await opened(services_on(config, pool, database, clock))
    yield running
    await running.close()


async def at_seat(site: Site, seat: str | None) -> ClientSession:
    visitor = site.visitor()
    async with visitor.post("/api/session", json={"seat": seat}) as answer:
        assert answer.status == 200
    return visitor


async def phone(visitor: ClientSession, **headers: str) -> ClientWebSocketResponse:
    return await visitor.ws_connect(SOCKET, protocols=("sip",), headers=headers)


async def test_the_account_is_told_to_its_own_seat_once_it_is_chosen(
    site: Site, pool: Pool
) -> None:
    visitor = await at_seat(site, OWN)
    async with visitor.get("/api/phone") as answer:
        told = await answer.json()
    assert told == {"chosen": "desk", "possible": True, "account": None}
    await pool.execute(CHOSEN, OWN)
    async with visitor.get("/api/phone") as answer:
        assert answer.headers["Cache-Control"] == "no-store"
        told = await answer.json()
    assert told["account"] == {
        "user": f"{OWN}-web",
        "password": "of-the-browser",
        "domain": "127.0.0.1",
        "socket": SOCKET,
    }
    async with (await at_seat(site, OTHER)).get("/api/phone") as answer:
        assert "of-" not in await answer.text()
    async with (await at_seat(site, None)).get("/api/phone") as answer:
        assert not (await answer.json())["possible"]


async def test_the_choice_is_kept_even_while_the_exchange_is_away(site: Site, pool: Pool) -> None:
    visitor = await at_seat(site, OWN)
    async with visitor.post("/api/phone", json={"chosen": "browser"}) as answer:
        assert answer.status == 503
    async with visitor.get("/api/phone") as answer:
        assert (await answer.json())["chosen"] == "browser"
    told = await pool.fetchval("SELECT body FROM journal WHERE event = 'operator.phone'")
    assert json.loads(told)["phone"] == "browser"
    await pool.execute("UPDATE operator_states SET state = 'talking'")
    async with visitor.post("/api/phone", json={"chosen": "desk"}) as answer:
        assert answer.status == 409, "not in a call"


async def test_what_is_said_reaches_the_exchange_from_the_relays_own_address(
    site: Site, echo: Echo
) -> None:
    async with await phone(await at_seat(site, OWN)) as socket:
        assert socket.protocol == "sip"
        await socket.send_str("REGISTER")
        assert await socket.receive_str(timeout=10) == "heard REGISTER"
    assert echo.came == [RELAY_ADDRESS]


async def test_the_newest_page_is_the_telephone(site: Site) -> None:
    visitor = await at_seat(site, OWN)
    async with await phone(visitor) as older, await phone(visitor) as newer:
        assert (await older.receive(timeout=10)).data == TAKEN
        await newer.send_str("x")
        assert await newer.receive_str(timeout=10) == "heard x"
        async with await phone(await at_seat(site, OTHER)) as other:
            await other.send_str("y")
            assert await other.receive_str(timeout=10) == "heard y"
            await newer.send_str("z")
            assert await newer.receive_str(timeout=10) == "heard z"


async def test_no_other_sites_page_opens_it(site: Site, echo: Echo) -> None:
    visitor = await at_seat(site, OWN)
    for headers in ({"Origin": "https://elsewhere.example"}, {"Sec-Fetch-Site": "cross-site"}):
        with pytest.raises(WSServerHandshakeError) as refused:
            await phone(visitor, **headers)
        assert refused.value.status == 403
    assert echo.came == []


async def test_it_is_no_socket_for_anything_else(site: Site, echo: Echo) -> None:
    visitor = await at_seat(site, OWN)
    async with visitor.get(SOCKET) as answer:
        assert answer.status == 422
    with pytest.raises(WSServerHandshakeError):
        await visitor.ws_connect(SOCKET, protocols=("chat",))
    with pytest.raises(WSServerHandshakeError) as refused:
        await phone(await at_seat(site, None))
    assert refused.value.status == 403
    assert echo.came == []


async def test_it_ends_with_the_session(
    site: Site, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browser_phone_api, "BEAT", 0.05)
    services = site.runner.app[DESK].services
    await hire(services, "li", Role.ADMINISTRATOR)
    await hire(services, "wang", Role.OPERATOR, extension=OWN)
    staff = Staff(services=services, site=site)
    visitor = await staff.visitor("wang")
    async with await phone(visitor) as socket:
        await socket.send_str("x")
        assert await socket.receive_str(timeout=10) == "heard x"
        await pool.execute("UPDATE sessions SET ended_at = now()")
        assert (await socket.receive(timeout=10)).data == OVER
    with pytest.raises(WSServerHandshakeError) as refused:
        await phone(visitor)
    assert refused.value.status == 401


async def test_the_page_hears_at_once_that_the_exchange_has_gone(site: Site, echo: Echo) -> None:
    async with await phone(await at_seat(site, OWN)) as socket:
        async with asyncio.timeout(10):
            while not echo.sockets:  # noqa: ASYNC110 - the exchange takes it in its own time
                await asyncio.sleep(0.01)
        await echo.sockets[0].close()
        assert (await socket.receive(timeout=10)).type is WSMsgType.CLOSE
