"""Notices to another program: a signed POST, as the Standard Webhooks specification 1.0.0 has it.

Headers `webhook-id`, `webhook-timestamp` (seconds since 1970) and `webhook-signature`: `v1,` and
the base64 of HMAC-SHA256 over `id.timestamp.body` with the secret. A receiver checks the
signature, refuses old timestamps and drops an id that it knows.
"""

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Callable

import aiohttp

from routing.destinations.notice import SECONDS_TO_ANSWER, DeliveryError, Notice, refused

PREFIX = "whsec_"
SHORTEST_SECRET = 24
REDIRECTS = 300


def key_of(secret: str) -> bytes:
    """The key in a secret as the specification writes it: `whsec_` and base64 of 24 bytes or more.

    Raises:
        ValueError: it is not.
    """
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError(f"a webhook secret is {PREFIX} and base64") from error
    if len(key) < SHORTEST_SECRET:
        raise ValueError(f"a webhook secret has at least {SHORTEST_SECRET} bytes")
    return key


class Webhook:
    """One address of one program."""

    def __init__(self, *, url: str, secret: str, clock: Callable[[], float] = time.time) -> None:
        """`clock` gives seconds since 1970; `secret` as `key_of` takes it."""
        self._url = url
        self._key = key_of(secret)
        self._clock = clock

    async def send(self, notice: Notice) -> None:
        """POST the notice; any 2xx is a receipt. A redirect is not followed."""
        body = json.dumps(
            {
                "type": notice.event,
                "timestamp": notice.at.isoformat(),
                "data": {"subject": notice.subject, "text": notice.text, **notice.facts},
            },
            ensure_ascii=False,
            default=str,
        ).encode()
        stamp = str(int(self._clock()))
        headers = {
            "content-type": "application/json",
            "webhook-id": notice.id,
            "webhook-timestamp": stamp,
            "webhook-signature": self._signature(notice.id, stamp, body),
        }
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(SECONDS_TO_ANSWER)) as http,
                http.post(self._url, data=body, headers=headers, allow_redirects=False) as answer,
            ):
                if answer.status >= REDIRECTS:
                    raise refused("The webhook's receiver", answer.status)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise DeliveryError(
                f"The webhook's receiver cannot be reached ({type(error).__name__}).", final=False
            ) from error

    def _signature(self, notice_id: str, stamp: str, body: bytes) -> str:
        signed = hmac.digest(self._key, f"{notice_id}.{stamp}.".encode() + body, hashlib.sha256)
        return f"v1,{base64.b64encode(signed).decode()}"
