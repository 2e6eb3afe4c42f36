"""Signing in by the city's identity provider: the way there, and the way back.

What the browser must bring back lies in a signed cookie for ten minutes. It is `Lax`, because it
comes back through a link of another site; it opens nothing by itself.
"""

import hmac
import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from aiohttp import web
from pydantic import BaseModel

from hotline import accounts, user_rows
from hotline.config_sign_in import OpenId
from hotline.console.desk import Request
from hotline.console.door import signed
from hotline.console.endpoint import get
from hotline.console.people_api import session_begun, set_cookie
from hotline.console.problems import Fault, ProblemError
from hotline.database import transaction
from hotline.errors import HotlineError, OpenIdError
from hotline.openid import Errand, Provider
from hotline.users import LOGIN_FORM, User, UserFacts, Way
from routing.cases import Role

log = logging.getLogger(__name__)

COOKIE = "hotline_openid"
PATH = "/api/openid"
LASTS = timedelta(minutes=10)
MADE_BY = "openid"


class WayBack(BaseModel):
    """What the provider's answer may hold; providers add words of their own."""

    code: str = ""
    state: str = ""
    error: str = ""


async def openid_way_in(asked: Request) -> web.Response:
    """Send the browser to the identity provider."""
    provider, now = _provider(asked), asked.services.clock()
    asked.desk.door.attempts.check(asked.address, now)
    errand = Errand.new()
    try:
        url = await provider.way_in(errand, now)
    except OpenIdError as error:
        log.warning("Nobody can sign in by OpenID Connect: %s", error)
        return _to_the_page(refused=True)
    response = web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": url})
    _keep(asked, response, _sealed(asked, errand, now + LASTS))
    return response


async def openid_way_back(asked: Request) -> web.StreamResponse:
    """Begin a session for whom the identity provider vouches."""
    provider, now, door = _provider(asked), asked.services.clock(), asked.desk.door
    door.attempts.check(asked.address, now)
    try:
        errand = _opened(asked, now)
        claims = await provider.claims(str(asked.http.rel_url), errand, now)
        user = await _user(asked, claims, now)
    except HotlineError as error:
        door.attempts.failed(asked.address, now)
        log.warning("A sign-in by OpenID Connect was refused: %s", error)
        response = _to_the_page(refused=True)
    else:
        cookie, _ = await session_begun(asked, user, None, Way.OPENID)
        response = _to_the_page(refused=False)
        set_cookie(asked, response, cookie)
    response.del_cookie(COOKIE, path=PATH, httponly=True, samesite="Lax")
    return response


def _provider(asked: Request) -> Provider:
    if asked.desk.openid is None:
        raise ProblemError(Fault.NOT_FOUND, "The configuration names no identity provider.")
    return asked.desk.openid


def _to_the_page(*, refused: bool) -> web.Response:
    target = "/?problem=sign_in_refused" if refused else "/"
    return web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": target})


# ---- who it is ----


async def _user(asked: Request, claims: Mapping[str, Any], now: datetime) -> User:
    """The user of that name; where the configuration maps groups to roles, made or kept in step."""
    table = asked.services.config.openid
    if table is None:
        raise OpenIdError("The configuration names no identity provider.")
    login = _login(table, claims)
    async with transaction(asked.services.pool) as tx:
        user = await user_rows.by_login(tx, login)
        roles = _roles(table, claims)
        if user is None and roles:
            facts = UserFacts(name=str(claims.get("name") or login)[:200], roles=roles)
            user = await accounts.add(tx, login, facts, password=None, by=MADE_BY, now=now)
        elif user is not None and user.added_by == MADE_BY and table.roles and roles != user.roles:
            if not roles:
                raise OpenIdError(f"The provider gives {login} no group with a role any more.")
            facts = UserFacts(
                name=user.name,
                roles=roles,
                unit=None,
                extension=user.extension,
                is_head=user.is_head,
            )
            user = await accounts.change(tx, user.id, facts, by=MADE_BY, now=now)
    if user is None:
        raise OpenIdError("The provider vouches for somebody who is no user here.")
    if not user.active:
        raise OpenIdError(f"The provider vouches for {login}, who was deactivated here.")
    return user


def _login(table: OpenId, claims: Mapping[str, Any]) -> str:
    if table.claim == "email" and claims.get("email_verified") is not True:
        raise OpenIdError("The provider has not verified the address the person is known by.")
    login = str(claims.get(table.claim) or "").strip().lower()
    if not LOGIN_FORM.fullmatch(login):
        raise OpenIdError(f"The provider's claim {table.claim} names no login of ours.")
    return login


def _roles(table: OpenId, claims: Mapping[str, Any]) -> frozenset[Role]:
    groups = claims.get(table.groups_claim)
    named = groups if isinstance(groups, list) else [groups]
    return frozenset(table.roles[str(one)] for one in named if str(one) in table.roles)


# ---- what the browser keeps meanwhile ----


def _keep(asked: Request, response: web.Response, text: str) -> None:
    response.set_cookie(
        COOKIE,
        text,
        max_age=int(LASTS.total_seconds()),
        httponly=True,
        samesite="Lax",
        secure=asked.is_secure,
        path=PATH,
    )


def _sealed(asked: Request, errand: Errand, until: datetime) -> str:
    expires = int(until.timestamp())
    payload = f"{expires}.{errand.state}.{errand.nonce}.{errand.verifier}"
    return f"{payload}.{signed(payload, asked.desk.door.signing_key('openid')).decode()}"


def _opened(asked: Request, now: datetime) -> Errand:
    payload, _, mac = asked.http.cookies.get(COOKIE, "").rpartition(".")
    key = asked.desk.door.signing_key("openid")
    if not hmac.compare_digest(mac.encode(errors="replace"), signed(payload, key)):
        raise OpenIdError("Somebody came back who was not sent from here.")
    expires, state, nonce, verifier = payload.split(".")
    if datetime.fromtimestamp(int(expires), UTC) <= now:
        raise OpenIdError("Somebody came back too late.")
    return Errand(state=state, nonce=nonce, verifier=verifier)


ENDPOINTS = (
    get(
        PATH,
        openid_way_in,
        None,
        media="text/html",
        faults=(Fault.NOT_FOUND, Fault.TOO_MANY_ATTEMPTS),
        is_open=True,
        also=(HTTPStatus.SEE_OTHER,),
    ),
    get(
        f"{PATH}/back",
        openid_way_back,
        None,
        media="text/html",
        query=WayBack,
        faults=(Fault.NOT_FOUND, Fault.TOO_MANY_ATTEMPTS),
        is_open=True,
        also=(HTTPStatus.SEE_OTHER,),
    ),
)
