"""What the public reads of cases: proposed by one person, released by another, or kept back."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from pydantic import Field

from hotline import publications
from hotline.console.desk import Request
from hotline.console.endpoint import get, post
from hotline.console.problems import Fault, ProblemError
from hotline.console.shapes import Asked, Id, Size, Told, Words
from hotline.console.who import PUBLISHERS
from hotline.database import borrowed, transaction
from hotline.errors import PublicationRefusedError
from hotline.publications import Publication, PublicationState
from routing.disclosing import Withheld


class PublicationQuery(Asked):
    """Which ones; newest first, `before` is the `next` of the page before."""

    state: PublicationState | None = None
    before: Id | None = None
    limit: Size = 50


class PublicationAsked(Asked):
    """A question and its reply in words that anybody may read."""

    case_id: Id
    question: Annotated[Words, Field(max_length=500)]
    reply: Words


class Release(Asked):
    """Nothing more is needed than another person."""


class KeepBack(Asked):
    """By which article it is kept back."""

    reason: Withheld


class PublicationView(Told):
    """A question and a reply as the public reads them, and who answers for it."""

    id: Id
    case_id: Id
    number: str = Field(description="The case's number.")
    question: str
    reply: str
    state: PublicationState
    withheld: Withheld | None
    proposed_at: datetime
    proposed_by: str
    decided_at: datetime | None
    decided_by: str | None


class Publications(Told):
    """One page of them."""

    publications: tuple[PublicationView, ...]
    next: int | None


async def list_publications(asked: Request) -> Publications:
    """What was proposed, published, kept back and taken back."""
    query = asked.asked(PublicationQuery)
    async with borrowed(asked.services.pool) as conn:
        found = await publications.listed(conn, query.state, query.before, query.limit + 1)
    shown = tuple(map(_view, found[: query.limit]))
    return Publications(publications=shown, next=shown[-1].id if len(found) > query.limit else None)


async def propose_publication(asked: Request) -> PublicationView:
    """Put a reply before a second person; words that hold something personal are refused."""
    given = asked.asked(PublicationAsked)
    with _refusals():
        async with transaction(asked.services.pool) as tx:
            await asked.sight.check(tx, given.case_id)
            made = await publications.propose(
                tx,
                given.case_id,
                question=given.question,
                reply=given.reply,
                by=asked.who.name,
                now=asked.services.clock(),
                allowed=_of_units(asked),
            )
            return _view(await publications.get(tx, made))


async def release_publication(asked: Request) -> PublicationView:
    """Publish what another person proposed."""
    with _refusals():
        async with transaction(asked.services.pool) as tx:
            one = asked.path_id("publication_id")
            by, now = asked.who.name, asked.services.clock()
            await publications.publish(tx, one, by=by, now=now, allowed=_of_units(asked))
            return _view(await publications.get(tx, one))


async def keep_back_publication(asked: Request) -> PublicationView:
    """Keep a reply back by an article of the law; it is counted under that article."""
    reason = asked.asked(KeepBack).reason
    with _refusals():
        async with transaction(asked.services.pool) as tx:
            one = asked.path_id("publication_id")
            by, now = asked.who.name, asked.services.clock()
            await publications.withhold(tx, one, reason=reason, by=by, now=now)
            return _view(await publications.get(tx, one))


async def take_back_publication(asked: Request) -> PublicationView:
    """Take back what was published."""
    with _refusals():
        async with transaction(asked.services.pool) as tx:
            one = asked.path_id("publication_id")
            by, now = asked.who.name, asked.services.clock()
            await publications.withdraw(tx, one, by=by, now=now)
            return _view(await publications.get(tx, one))


def _of_units(asked: Request) -> list[str]:
    """The telephones that the city publishes itself."""
    return [unit.phone for unit in asked.services.city.units]


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except PublicationRefusedError as error:
        raise ProblemError(Fault.CONFLICT, str(error)) from error


def _view(one: Publication) -> PublicationView:
    return PublicationView(**asdict(one))


_ONE = "/api/publications/{publication_id}"
_FAULTS = (Fault.NOT_FOUND, Fault.CONFLICT)
ENDPOINTS = (
    get(
        "/api/publications",
        list_publications,
        Publications,
        query=PublicationQuery,
        roles=PUBLISHERS,
    ),
    post(
        "/api/publications",
        propose_publication,
        PublicationAsked,
        PublicationView,
        roles=PUBLISHERS,
        faults=_FAULTS,
    ),
    *(
        post(f"{_ONE}/{deed}", handler, body, PublicationView, roles=PUBLISHERS, faults=_FAULTS)
        for deed, handler, body in (
            ("publish", release_publication, Release),
            ("withhold", keep_back_publication, KeepBack),
            ("withdraw", take_back_publication, Release),
        )
    ),
)
