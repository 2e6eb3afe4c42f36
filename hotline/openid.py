"""OpenID Connect: the way to the city's identity provider and what comes back from it.

The authorization code flow with PKCE, state and nonce. Authlib and joserfc know the protocol: how a
request is written, which claims an ID token must have and what its signature must be. Here is only
the transport, and what we ask beyond the standard: an issuer that names itself as configured, TLS
everywhere but on this machine, signatures by public keys only.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote_plus, urlsplit

import aiohttp
from authlib.common.errors import AuthlibBaseError
from authlib.common.security import generate_token
from authlib.oauth2.rfc6749.parameters import (
    parse_authorization_code_response,
    prepare_grant_uri,
    prepare_token_request,
)
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import get_well_known_url
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from hotline.config_sign_in import OpenId, is_safe
from hotline.errors import OpenIdError

PATIENCE = aiohttp.ClientTimeout(total=10)
KNOWN_FOR = timedelta(hours=1)
LEEWAY = 60
"""Seconds by which the provider's clock may differ from ours."""
LARGEST_ANSWER = 512 * 1024
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""Those with a public key; one by a shared secret could be made by whoever has it, as by us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What a browser is sent with and must bring back: for one sign-in and a few minutes."""

    state: str
    nonce: str
    verifier: str

    @classmethod
    def new(cls) -> "Errand":
        """Fresh random values."""
        return cls(state=generate_token(32), nonce=generate_token(32), verifier=generate_token(64))


class Provider:
    """The identity provider of the configuration; its description is kept for an hour."""

    def __init__(self, table: OpenId) -> None:
        """Nothing is asked before somebody signs in."""
        self._table = table
        self._issuer = str(table.issuer).rstrip("/")
        self._about: tuple[datetime, Mapping[str, Any], KeySet] | None = None

    async def way_in(self, errand: Errand, now: datetime) -> str:
        """The provider's address to which the browser is sent.

        Raises:
            OpenIdError: the provider cannot be reached or describes itself wrongly.
        """
        async with aiohttp.ClientSession(timeout=PATIENCE) as http:
            about, _ = await self._described(http, now)
        return str(
            prepare_grant_uri(
                about["authorization_endpoint"],
                client_id=self._table.client_id,
                response_type="code",
                redirect_uri=str(self._table.redirect_uri),
                scope=self._table.scope,
                state=errand.state,
                nonce=errand.nonce,
                code_challenge=create_s256_code_challenge(errand.verifier),
                code_challenge_method="S256",
            )
        )

    async def claims(self, came_back: str, errand: Errand, now: datetime) -> Mapping[str, Any]:
        """What the provider says of the person whose browser came back to this address.

        Raises:
            OpenIdError: the person was refused, or anything in the answer is not as it must be.
        """
        try:
            answer = parse_authorization_code_response(came_back, errand.state)
        except AuthlibBaseError as error:
            raise OpenIdError(f"The provider did not let the person in ({error.error}).") from error
        async with aiohttp.ClientSession(timeout=PATIENCE) as http:
            about, _ = await self._described(http, now)
            tokens = await self._tokens(http, about, answer["code"], errand.verifier)
            claims = await self._verified(http, tokens, errand.nonce, now)
            if self._table.claim not in claims and "userinfo_endpoint" in about:
                claims |= await self._more(http, about, tokens, claims["sub"])
        return claims

    async def _described(
        self, http: aiohttp.ClientSession, now: datetime, *, anew: bool = False
    ) -> tuple[Mapping[str, Any], KeySet]:
        if self._about is not None and not anew and now - self._about[0] < KNOWN_FOR:
            return self._about[1:]
        about = await _asked(http, "GET", get_well_known_url(self._issuer, external=True))
        if str(about.get("issuer", "")).rstrip("/") != self._issuer:
            raise OpenIdError("The provider names another issuer than the configuration.")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            if not is_safe(str(about.get(name, ""))):
                raise OpenIdError(f"The provider's {name} is missing, or not reached by TLS.")
        keys = await _asked(http, "GET", about["jwks_uri"])
        try:
            found = KeySet.import_key_set(keys)  # type: ignore[arg-type]
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise OpenIdError("The provider's keys cannot be read.") from error
        self._about = (now, about, found)
        return about, found

    async def _tokens(
        self, http: aiohttp.ClientSession, about: Mapping[str, Any], code: str, verifier: str
    ) -> Mapping[str, Any]:
        secret = self._table.client_secret
        body = prepare_token_request(
            "authorization_code",
            redirect_uri=str(self._table.redirect_uri),
            code=code,
            code_verifier=verifier,
            client_id=self._table.client_id,
        )
        headers = {}
        if secret is not None:
            # RFC 6749, 2.3.1: both parts are form-encoded before they are joined.
            parts = (quote_plus(self._table.client_id), quote_plus(secret.get_secret_value()))
            headers["Authorization"] = aiohttp.encode_basic_auth(*parts)
        return await _asked(http, "POST", about["token_endpoint"], body=body, headers=headers)

    async def _verified(
        self, http: aiohttp.ClientSession, tokens: Mapping[str, Any], nonce: str, now: datetime
    ) -> dict[str, Any]:
        text = str(tokens.get("id_token", ""))
        _, keys = await self._described(http, now)
        try:
            token = jwt.decode(text, keys, algorithms=ALGORITHMS)
        except (JoseError, ValueError):
            # The provider may have changed its keys since it was last asked for them.
            _, keys = await self._described(http, now, anew=True)
            token = self._decoded(text, keys)
        options = {
            "iss": {"essential": True, "values": [self._issuer, f"{self._issuer}/"]},
            "aud": {"essential": True, "value": self._table.client_id},
        }
        params = {
            "nonce": nonce,
            "client_id": self._table.client_id,
            "access_token": tokens.get("access_token"),
        }
        claims = CodeIDToken(token.claims, token.header, options, params)
        try:
            claims.validate(now=int(now.timestamp()), leeway=LEEWAY)
        except JoseError as error:
            raise OpenIdError(f"The provider's token is not for this sign-in ({error}).") from error
        return dict(claims)

    @staticmethod
    def _decoded(text: str, keys: KeySet) -> jwt.Token:
        try:
            return jwt.decode(text, keys, algorithms=ALGORITHMS)
        except (JoseError, ValueError) as error:
            raise OpenIdError("The provider's token is not signed by the provider.") from error

    async def _more(
        self,
        http: aiohttp.ClientSession,
        about: Mapping[str, Any],
        tokens: Mapping[str, Any],
        subject: str,
    ) -> Mapping[str, Any]:
        """What the provider tells only when asked for it, about the same person."""
        if not is_safe(str(about["userinfo_endpoint"])):
            raise OpenIdError("The provider's userinfo_endpoint is not reached by TLS.")
        headers = {"Authorization": f"Bearer {tokens.get('access_token', '')}"}
        found = await _asked(http, "GET", about["userinfo_endpoint"], headers=headers)
        if found.get("sub") != subject:
            raise OpenIdError("The provider told of another person than the one who came.")
        return found


async def _asked(
    http: aiohttp.ClientSession,
    method: str,
    url: str,
    *,
    body: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """A JSON object of the provider; neither addresses nor answers are quoted in an error."""
    kind = {"Content-Type": "application/x-www-form-urlencoded"} if body is not None else {}
    try:
        async with http.request(
            method,
            url,
            data=body,
            headers={"Accept": "application/json", **kind, **(headers or {})},
            allow_redirects=False,
        ) as answer:
            text = await answer.content.read(LARGEST_ANSWER)
            status = answer.status
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        where = urlsplit(url).hostname
        raise OpenIdError(
            f"The identity provider at {where} does not answer ({type(error).__name__})."
        ) from error
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if status != 200 or not isinstance(found, dict):  # noqa: PLR2004 - OK
        raise OpenIdError(f"The identity provider refused or answered nonsense (status {status}).")
    return found
