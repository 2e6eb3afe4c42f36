"""The telephone in the page: its choice, its account, and its socket, relayed to the exchange.

The socket is this service's own address, so that the page reaches nothing else, by the same TLS,
and only for whoever is signed in at a seat; it ends when the session does. Nothing of what passes
is read or kept.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from aiohttp import WSCloseCode, WSMsgType, web
from pydantic import Field

from deploy.asterisk.config import RELAY_ADDRESS
from hotline.browser_phones import Account
from hotline.console.control_api import Nothing, refusals
from hotline.console.desk import DESK, Request
from hotline.console.door import COOKIE, QUIET
from hotline.console.endpoint import get, post
from hotline.console.problems import Fault, ProblemError
from hotline.console.shapes import Asked, Told
from hotline.console.who import CALLERS
from hotline.errors import PhoneUnknownError
from telephony.seating import Phone

log = logging.getLogger(__name__)

SIP: Final = "sip"
LARGEST_MESSAGE: Final = 64 * 1024
BEAT: Final = 15.0
"""Seconds between two looks whether the session goes on and the browser is there."""
TAKEN: Final = 4001
"""Close code: another page is this seat's telephone now; do not come back."""
OVER: Final = 4003
"""Close code: the session has ended."""


class Choice(Asked):
    """Which telephone the lines shall ring."""

    chosen: Phone


class AccountView(Told):
    """What the page's telephone registers with; told to its own seat alone."""

    user: str
    password: str
    domain: str
    socket: str


class PhoneChoice(Told):
    """Which telephone rings for this seat, and the one in the page where that is it."""

    chosen: Phone
    possible: bool = Field(description="Whether the exchange of this seat takes browsers.")
    account: AccountView | None


class Given(Told):
    """How many calls come back to this page."""

    calls: int


async def read_phone(asked: Request) -> PhoneChoice:
    """Which telephone rings for one's own seat; with its account where it is the page's."""
    if asked.who.seat is None:
        return PhoneChoice(chosen=Phone.DESK, possible=False, account=None)
    return await _choice(asked, asked.who.seat)


async def choose_phone(asked: Request) -> PhoneChoice:
    """Ring the telephone on the desk, or the one in the page, from now on."""
    seat = _seat(asked)
    with refusals():
        await asked.services.browsers.choose(seat, asked.asked(Choice).chosen)
    return await _choice(asked, seat)


async def take_back(asked: Request) -> Given:
    """The page was loaded anew in a call: the citizen is brought back to it."""
    with refusals():
        return Given(calls=await asked.services.browsers.let_go(_seat(asked)))


async def phone_socket(asked: Request) -> web.StreamResponse:
    """Carry SIP between the page and the exchange its telephone is at, by web socket."""
    seat = _seat(asked)
    # A web socket is a GET, so another site's page is not kept out by the door: see check_origin.
    asked.desk.door.check_origin("POST", asked.http.headers)
    near = web.WebSocketResponse(
        protocols=(SIP,), heartbeat=BEAT, timeout=2.0, max_msg_size=LARGEST_MESSAGE
    )
    if not near.can_prepare(asked.http) or SIP not in _offered(asked.http):
        raise ProblemError(Fault.INVALID, "Open a web socket here with the subprotocol sip.")
    account = await _account(asked, seat)
    if account is None:
        raise ProblemError(Fault.NOT_POSSIBLE, "The exchange of this seat takes no browsers.")
    async with _exchange(account) as far:
        await near.prepare(asked.http)
        sockets = asked.desk.phone_sockets
        before, sockets[seat] = sockets.get(seat), near
        try:
            async with asyncio.TaskGroup() as tasks:
                if before is not None:
                    tasks.create_task(_close(before, TAKEN))
                await _carry(near, far, asked, seat)
        finally:
            if sockets.get(seat) is near:
                del sockets[seat]
    return near


async def close_sockets(app: web.Application) -> None:
    """The service stops: pages come back by themselves, and no call ends by it."""
    closing = [_close(one, WSCloseCode.GOING_AWAY) for one in app[DESK].phone_sockets.values()]
    await asyncio.gather(*closing)


async def _close(socket: web.WebSocketResponse, code: int) -> None:
    with suppress(ConnectionError):
        await socket.close(code=code)


@asynccontextmanager
async def _exchange(account: Account) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    # From an address of its own, by which the exchange tells browsers from a trunk on this machine.
    near = urlsplit(account.socket).scheme == "ws"
    connector = aiohttp.TCPConnector(local_addr=(RELAY_ADDRESS, 0) if near else None)
    timeout = aiohttp.ClientTimeout(sock_connect=5)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        try:
            far = await session.ws_connect(
                account.socket, protocols=(SIP,), max_msg_size=LARGEST_MESSAGE
            )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ProblemError(
                Fault.EXCHANGE_AWAY, f"The exchange {account.system} takes no telephone now."
            ) from error
        async with far:
            yield far


async def _carry(
    near: web.WebSocketResponse,
    far: aiohttp.ClientWebSocketResponse,
    asked: Request,
    seat: str,
) -> None:
    """Until one of the two goes, or the session ends."""
    ways = [
        asyncio.create_task(_one_way(near, far)),
        asyncio.create_task(_one_way(far, near)),
        asyncio.create_task(_session(asked, seat)),
    ]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        is_over = ways[-1].done()
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
    await _close(near, OVER if is_over else WSCloseCode.GOING_AWAY)


async def _one_way(
    source: web.WebSocketResponse | aiohttp.ClientWebSocketResponse,
    sink: web.WebSocketResponse | aiohttp.ClientWebSocketResponse,
) -> None:
    with suppress(ConnectionError, aiohttp.ClientError):
        async for message in source:
            if message.type is WSMsgType.TEXT:
                await sink.send_str(message.data)
            elif message.type is WSMsgType.BINARY:
                await sink.send_bytes(message.data)


async def _session(asked: Request, seat: str) -> None:
    """Returns when the person may not go on; the telephone alone keeps no session open."""
    headers = {**asked.http.headers, QUIET: "1"}
    while True:
        await asyncio.sleep(BEAT)
        found = await asked.desk.door.who(
            headers, asked.http.cookies.get(COOKIE), asked.services.clock()
        )
        if found is None or found.seat != seat or not found.roles & CALLERS:
            return


async def _choice(asked: Request, seat: str) -> PhoneChoice:
    account = await _account(asked, seat)
    chosen = await asked.services.browsers.chosen(seat)
    shown = None
    if account is not None and chosen is Phone.BROWSER:
        shown = AccountView(
            user=account.user,
            password=account.password,
            domain=account.domain,
            socket="/api/phone/socket",
        )
    return PhoneChoice(chosen=chosen, possible=account is not None, account=shown)


async def _account(asked: Request, seat: str) -> Account | None:
    try:
        return await asked.services.browsers.account(seat)
    except PhoneUnknownError as error:
        raise ProblemError(Fault.NOT_POSSIBLE, str(error)) from error


def _seat(asked: Request) -> str:
    if asked.who.seat is None:
        raise ProblemError(Fault.FORBIDDEN, "Sign in at a seat first.")
    return asked.who.seat


def _offered(http: web.Request) -> set[str]:
    return {one.strip() for one in http.headers.get("Sec-WebSocket-Protocol", "").split(",")}


FAULTS = (Fault.FORBIDDEN, Fault.NOT_POSSIBLE, Fault.EXCHANGE_AWAY)
ENDPOINTS = (
    get("/api/phone", read_phone, PhoneChoice, faults=FAULTS[1:2], roles=CALLERS),
    post("/api/phone", choose_phone, Choice, PhoneChoice, faults=FAULTS, roles=CALLERS),
    post("/api/phone/back", take_back, Nothing, Given, faults=FAULTS, roles=CALLERS),
    get(
        "/api/phone/socket",
        phone_socket,
        None,
        upgrades=SIP,
        faults=(*FAULTS, Fault.INVALID, Fault.FOREIGN_REQUEST),
        roles=CALLERS,
    ),
)
