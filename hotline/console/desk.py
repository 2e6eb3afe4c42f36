"""What every handler of the console works with, and what a checked request looks like."""

from dataclasses import dataclass, field
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel

from hotline.console.counted import Counted
from hotline.console.door import Door, Person
from hotline.services import Services
from routing.cases import Actor, Role

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The console's own parts beside the service's; one for the whole application."""

    services: Services
    door: Door
    counted: Counted
    readers: set[web.StreamResponse] = field(default_factory=set)
    """The feeds that are open now."""


DESK: web.AppKey[Desk] = web.AppKey("desk", Desk)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request that passed the door and the models of its endpoint."""

    desk: Desk
    person: Person | None
    """None only at endpoints that are open to everybody."""
    http: web.Request
    query: BaseModel | None
    body: BaseModel | None

    @property
    def services(self) -> Services:
        """The service's parts."""
        return self.desk.services

    def actor(self) -> Actor:
        """Who asks, as the rules of a case see it: the one place where a person becomes an actor.

        Until people have roles of their own, whoever is signed in is one desk for everything.
        """
        name = self.person.name if self.person else "console"
        return Actor(name=name, roles=frozenset(Role) - {Role.SYSTEM})

    def path_id(self, name: str) -> int:
        """A number of the path, such as the call's; the route lets only digits through."""
        return int(self.http.match_info[name])

    def asked(self, shape: type[M]) -> M:
        """The query or body, as the endpoint's own model."""
        found = self.body if isinstance(self.body, shape) else self.query
        if not isinstance(found, shape):
            raise TypeError(f"this endpoint takes no {shape.__name__}")
        return found
