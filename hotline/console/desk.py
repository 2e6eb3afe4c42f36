"""What every handler of the console works with, and what a checked request looks like."""

from dataclasses import dataclass, field
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel

from hotline.console.counted import Counted
from hotline.console.door import Door
from hotline.console.person import Person
from hotline.console.problems import Fault, ProblemError
from hotline.console.sight import Sight, visible_cases
from hotline.openid import Provider
from hotline.services import Services
from routing.cases import Actor

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The console's own parts beside the service's; one for the whole application."""

    services: Services
    door: Door
    counted: Counted
    openid: Provider | None = None
    readers: set[web.StreamResponse] = field(default_factory=set)
    """The feeds that are open now."""
    exports: set[object] = field(default_factory=set)
    """The lists that are being taken away as files now."""
    phone_sockets: dict[str, web.WebSocketResponse] = field(default_factory=dict)
    """The telephones in pages, by seat: the newest page is the telephone."""


DESK: web.AppKey[Desk] = web.AppKey("desk", Desk)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request that passed the door and the models of its endpoint."""

    desk: Desk
    services: Services
    """The service's parts as this person may use them: see `sight.services_for`."""
    person: Person | None
    """None only at endpoints that are open to everybody."""
    http: web.Request
    query: BaseModel | None
    body: BaseModel | None

    def actor(self) -> Actor:
        """Who asks, as the rules of a case see it: the one place where a person becomes an actor.

        Until there are users, whoever comes in is one desk for everything.
        """
        return Actor(name=self.who.name, roles=self.who.roles, unit=self.who.unit)

    @property
    def who(self) -> Person:
        """Whoever asks, where the endpoint is not open to everybody."""
        if self.person is None:
            raise ProblemError(Fault.NOT_SIGNED_IN, "Sign in first.")
        return self.person

    @property
    def sight(self) -> Sight:
        """Which cases this person may see."""
        return visible_cases(self.who)

    @property
    def user_id(self) -> int:
        """The user who asks; before there are users nobody is one."""
        if self.who.user_id is None:
            raise ProblemError(Fault.NOT_POSSIBLE, "Add a user first, and sign in as that user.")
        return self.who.user_id

    @property
    def is_secure(self) -> bool:
        """Whether the browser speaks TLS, to us or to a proxy before us."""
        return self.http.secure or self.http.headers.get("X-Forwarded-Proto") == "https"

    @property
    def address(self) -> str:
        """Where the request comes from; a proxy on this machine says it in X-Forwarded-For."""
        remote = self.http.remote or "?"
        if remote in {"127.0.0.1", "::1"}:
            told = self.http.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
            return told[:64] if told and told.isprintable() else remote
        return remote

    def path_id(self, name: str) -> int:
        """A number of the path, such as the call's; the route lets only digits through."""
        return int(self.http.match_info[name])

    def asked(self, shape: type[M]) -> M:
        """The query or body, as the endpoint's own model."""
        found = self.body if isinstance(self.body, shape) else self.query
        if not isinstance(found, shape):
            raise TypeError(f"this endpoint takes no {shape.__name__}")
        return found
