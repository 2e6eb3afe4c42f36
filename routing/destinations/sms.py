"""Notices by SMS, through whatever HTTP gateway a city has.

Gateways differ in the form of their request and in how they say yes, so both are data: a template
of the body, and a pattern that an accepting answer matches. In `body` and `url` the places `{to}`,
`{text}`, `{subject}`, `{id}`, `{event}` and every fact of the notice (`{number}`) are filled in,
escaped for where they stand: JSON text, form or address. A gateway that wants its own approved
template takes the template's code in the body, and the facts as its parameters.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import quote

import aiohttp

from routing.destinations.notice import SECONDS_TO_ANSWER, DeliveryError, Notice, refused

_PLACE = re.compile(r"\{([a-z][a-z0-9_]*)\}")
LARGEST_ANSWER = 64 * 1024
REDIRECTS = 300


class Form(StrEnum):
    """How the body is written, and so how what is filled in must be escaped."""

    JSON = "json"
    FORM = "form"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """How one gateway wants to be asked. `accepted` is searched in its answer."""

    url: str
    body: str
    form: Form = Form.JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    accepted: str = ""


class Sms:
    """One SMS gateway."""

    def __init__(self, gateway: Gateway) -> None:
        """Raises ValueError where the pattern or the JSON of the template is wrong."""
        self._gateway = gateway
        self._accepted = re.compile(gateway.accepted)
        if gateway.form is Form.JSON:
            json.loads(_PLACE.sub("", gateway.body))

    async def send(self, notice: Notice) -> None:
        """Hand one message to the gateway; what it does not accept is tried again."""
        gateway, values = self._gateway, _values(notice)
        mime = {
            Form.JSON: "application/json; charset=utf-8",
            Form.FORM: "application/x-www-form-urlencoded",
        }[gateway.form]
        headers = {"content-type": mime, **gateway.headers}
        body = _filled(gateway.body, values, gateway.form)
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(SECONDS_TO_ANSWER)) as http,
                http.post(
                    _filled(gateway.url, values, Form.FORM),
                    data=body.encode(),
                    headers=headers,
                    allow_redirects=False,
                ) as answer,
            ):
                said = (await answer.content.read(LARGEST_ANSWER)).decode(errors="replace")
                if answer.status >= REDIRECTS:
                    raise refused("The SMS gateway", answer.status)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise DeliveryError(
                f"The SMS gateway cannot be reached ({type(error).__name__}).", final=False
            ) from error
        if not self._accepted.search(said):
            # Its words may quote the number: only that it said no is told.
            raise DeliveryError("The SMS gateway did not accept the message.", final=False)


def _values(notice: Notice) -> dict[str, str]:
    facts = {key: "" if value is None else str(value) for key, value in notice.facts.items()}
    return facts | {
        "to": notice.to,
        "text": notice.text,
        "subject": notice.subject,
        "id": notice.id,
        "event": notice.event,
    }


def _filled(template: str, values: Mapping[str, str], form: Form) -> str:
    """The template with its places filled in; what the notice does not say stays empty."""

    def fill(place: re.Match[str]) -> str:
        value = values.get(place[1], "")
        if form is Form.JSON:
            return json.dumps(value, ensure_ascii=False)[1:-1]
        return quote(value, safe="")

    return _PLACE.sub(fill, template)
