"""What an address of the API is: what it takes, what it gives, what it may refuse, who serves it.

Each file of addresses (`*_api.py`) ends in its own table, ENDPOINTS; `endpoints.py` joins them. In
a path, `{something_id}` is a number; other parts are named in PARTS.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal

from aiohttp import web
from pydantic import BaseModel

from hotline.console.desk import Request
from hotline.console.problems import Fault
from routing.cases import Role
from telephony.calls import Leg

Handler = Callable[
    [Request], Awaitable[BaseModel | tuple[HTTPStatus, BaseModel] | web.StreamResponse]
]

ID = re.compile(r"[a-z]+_id")
NUMBER = "[0-9]{1,18}"
PARTS: Mapping[str, str] = {
    "operator": "[0-9]{2,8}",
    "token": "[A-Za-z0-9_-]{43}",
    "leg": "|".join(sorted(Leg)),
    "policy": "[a-z0-9][a-z0-9-]{0,63}",
    "unit": "[a-z][a-z0-9-]{0,80}(@[^/?#]{1,400})?",
}
"""The pattern of every part of a path that is no number."""
_PART = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One row of the table; `is_open` ones need no session."""

    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str
    handler: Handler
    answers: type[BaseModel] | None = None
    media: str = "application/json"
    events: Mapping[str, type[BaseModel]] | None = None
    """Of a stream: the data of each of its events, by the event's name."""
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    faults: tuple[Fault, ...] = ()
    headers: tuple[str, ...] = ()
    """Request headers that it understands and nobody needs to send."""
    upload: str | None = None
    """The media type of a body that is no JSON and that its handler reads by itself."""
    upgrades: str | None = None
    """The subprotocol of a web socket, where the address is one."""
    is_open: bool = False
    roles: frozenset[Role] | None = None
    """Who may use it, by any one of these roles; None lets in everybody who is signed in."""
    also: tuple[HTTPStatus, ...] = ()
    """Other statuses that carry the same answer."""

    @property
    def name(self) -> str:
        """The operation's name: that of its handler."""
        return str(getattr(self.handler, "__name__", "unnamed"))

    @property
    def says(self) -> str:
        """What it does: the first line of its handler."""
        return (self.handler.__doc__ or "").strip().partition("\n")[0]

    @property
    def parts(self) -> tuple[str, ...]:
        """The names of the variable parts of its path."""
        return tuple(_PART.findall(self.path))

    @property
    def route(self) -> str:
        """The path with a pattern for each variable part, as the router wants it."""
        return _PART.sub(
            lambda part: f"{{{part[1]}:{NUMBER if ID.fullmatch(part[1]) else PARTS[part[1]]}}}",
            self.path,
        )


def get(path: str, handler: Handler, answers: type[BaseModel] | None, **more: Any) -> Endpoint:
    """An address that only tells."""
    return Endpoint(method="GET", path=path, handler=handler, answers=answers, **more)


def post(
    path: str, handler: Handler, body: type[BaseModel], answers: type[BaseModel], **more: Any
) -> Endpoint:
    """An address that does something."""
    return Endpoint(method="POST", path=path, handler=handler, body=body, answers=answers, **more)
