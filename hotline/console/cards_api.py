"""Cards: found while typing, read, changed by versions, doubted."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from typing import Any

from hotline import card_rows, cards
from hotline.card_rows import CardVersion, Feedback, Found
from hotline.console.card_shapes import (
    CardDetail,
    CardQuery,
    Cards,
    CardSummary,
    CardVersionView,
    Doubt,
    FeedbackView,
    NewCard,
    NewVersion,
    Retirement,
)
from hotline.console.desk import Request
from hotline.console.endpoint import get, post
from hotline.console.problems import Fault, ProblemError
from hotline.console.who import CARD_WRITERS, READ_BY_ALL, READERS
from hotline.database import Connection, borrowed, transaction
from hotline.errors import (
    CallUnknownError,
    CardChangedError,
    CardIncompleteError,
    CardUnknownError,
)
from routing.cards import MANDATORY, CardText, stale
from routing.cases import Role
from routing.errors import CaseUnknown
from routing.numbers import SHANGHAI
from routing.rules import LEVEL1


@contextmanager
def refusals() -> Iterator[None]:
    """Our errors as the API's refusals."""
    try:
        yield
    except (CardUnknownError, CallUnknownError, CaseUnknown) as error:
        raise ProblemError(Fault.NOT_FOUND, str(error)) from error
    except CardChangedError as error:
        raise ProblemError(Fault.CONFLICT, str(error)) from error
    except CardIncompleteError as error:
        raise ProblemError(Fault.MISSING_FACT, str(error), missing=error.missing) from error


def today(asked: Request) -> date:
    """The day it is here."""
    return asked.services.clock().astimezone(SHANGHAI).date()


async def list_cards(asked: Request) -> Cards:
    """Cards that fit what was typed so far, best first."""
    query = asked.asked(CardQuery)
    async with borrowed(asked.services.pool) as conn:
        found = await card_rows.search(
            conn,
            typed=query.q,
            state=query.state,
            unit=query.unit,
            category=query.category,
            stale_on=today(asked) if query.stale else None,
            reported=query.reported,
            limit=query.limit,
        )
    return Cards(cards=tuple(_summary(asked, one) for one in found))


async def one_card(asked: Request) -> CardDetail:
    """A card as it is told now, with its versions and what people said of it."""
    with refusals():
        async with borrowed(asked.services.pool) as conn:
            return await _detail(asked, conn, await card_rows.get(conn, asked.path_id("card_id")))


async def one_card_version(asked: Request) -> CardDetail:
    """A card as it was told in one version."""
    card_id, number = asked.path_id("card_id"), asked.path_id("version_id")
    with refusals():
        async with borrowed(asked.services.pool) as conn:
            return await _detail(asked, conn, await card_rows.one_version(conn, card_id, number))


async def add_card(asked: Request) -> CardDetail:
    """Publish a new card."""
    given = asked.asked(NewCard)
    _check_text(asked, given.text)
    with refusals():
        async with transaction(asked.services.pool) as tx:
            card = await cards.publish(
                tx, given.key, given.text, asked.who.name, asked.services.clock()
            )
            return await _detail(asked, tx, card)


async def change_card(asked: Request) -> CardDetail:
    """Publish the next version of a card; a review is a version with a later review date."""
    given, card_id = asked.asked(NewVersion), asked.path_id("card_id")
    _check_text(asked, given.text)
    with refusals():
        async with transaction(asked.services.pool) as tx:
            _check_writer(asked, (await card_rows.get(tx, card_id)).text.unit)
            card = await cards.change(
                tx,
                card_id,
                given.seen,
                given.text,
                by=asked.who.name,
                at=asked.services.clock(),
                reason=given.reason,
            )
            return await _detail(asked, tx, card)


async def retire_card(asked: Request) -> CardDetail:
    """Have a card told no longer; its versions stay."""
    given, card_id = asked.asked(Retirement), asked.path_id("card_id")
    with refusals():
        async with transaction(asked.services.pool) as tx:
            _check_writer(asked, (await card_rows.get(tx, card_id)).text.unit)
            card = await cards.retire(
                tx,
                card_id,
                given.seen,
                reason=given.reason,
                by=asked.who.name,
                at=asked.services.clock(),
            )
            return await _detail(asked, tx, card)


async def report_card(asked: Request) -> FeedbackView:
    """Say that a version of a card is wrong or outdated."""
    given = asked.asked(Doubt)
    with refusals():
        async with transaction(asked.services.pool) as tx:
            said = await cards.report(
                tx,
                asked.path_id("card_id"),
                given.version,
                verdict=given.verdict,
                remark=given.remark,
                by=asked.who.name,
                at=asked.services.clock(),
            )
            newest = await card_rows.get(tx, said.card_id)
    return _feedback(said, newest.version)


def _check_writer(asked: Request, owner: str) -> None:
    """A unit's handler writes the cards of that unit, whoever else writes cards writes all."""
    if asked.who.roles & (CARD_WRITERS - {Role.UNIT}):
        return
    unit = asked.services.city.unit(owner)
    if unit is None or unit.name != asked.who.unit:
        raise ProblemError(Fault.FORBIDDEN, "A unit writes its own cards only.")


def _check_text(asked: Request, text: CardText) -> None:
    """What a card names must be there, and its owner must be the writer's."""
    if asked.services.city.unit(text.unit) is None:
        raise ProblemError(Fault.INVALID, "unit: the city's directory has no such unit.")
    if text.category.partition("/")[0] not in LEVEL1:
        raise ProblemError(Fault.INVALID, "category: it begins with no level-1 category.")
    _check_writer(asked, text.unit)


def _summary(asked: Request, found: Found) -> CardSummary:
    return CardSummary(**_facts(asked, found.card), reported=found.reported)


def _facts(asked: Request, card: CardVersion) -> dict[str, Any]:
    unit = asked.services.city.unit(card.text.unit)
    return {
        "id": card.card_id,
        "key": card.key,
        "version": card.version,
        "state": card.state,
        "title": card.text.title,
        "unit": card.text.unit,
        "unit_name": unit.name if unit else card.text.unit,
        "category": card.text.category,
        "review": card.text.review,
        "stale": stale(card.text, today(asked)),
        "sample": card.text.sample,
    }


async def _detail(asked: Request, conn: Connection, card: CardVersion) -> CardDetail:
    versions = await card_rows.versions(conn, card.card_id)
    said = await card_rows.feedback(conn, card.card_id)
    text = card.text
    return CardDetail(
        **_facts(asked, card),
        reported=sum(one.version == card.version for one in said),
        materials=text.materials,
        procedure=text.procedure,
        limit=text.limit,
        address=text.address,
        transport=text.transport,
        hours=text.hours,
        basis=text.basis,
        keywords=text.keywords,
        mandatory=MANDATORY,
        versions=_history(versions),
        feedback=tuple(_feedback(one, versions[0].version) for one in said),
    )


def _history(versions: Sequence[CardVersion]) -> tuple[CardVersionView, ...]:
    return tuple(
        CardVersionView(version=it.version, state=it.state, at=it.at, by=it.by, reason=it.reason)
        for it in versions
    )


def _feedback(one: Feedback, newest: int) -> FeedbackView:
    facts = {name: value for name, value in asdict(one).items() if name != "card_id"}
    return FeedbackView(**facts, answered=one.version < newest)


_CARD = "/api/cards/{card_id}"
_GONE = (Fault.NOT_FOUND,)
_WRITING = (Fault.NOT_FOUND, Fault.CONFLICT, Fault.FORBIDDEN)
ENDPOINTS = (
    get("/api/cards", list_cards, Cards, query=CardQuery, roles=READ_BY_ALL),
    post("/api/cards", add_card, NewCard, CardDetail, faults=_WRITING, roles=CARD_WRITERS),
    get(_CARD, one_card, CardDetail, faults=_GONE, roles=READ_BY_ALL),
    get(
        _CARD + "/versions/{version_id}",
        one_card_version,
        CardDetail,
        faults=_GONE,
        roles=READ_BY_ALL,
    ),
    post(
        _CARD + "/versions",
        change_card,
        NewVersion,
        CardDetail,
        faults=_WRITING,
        roles=CARD_WRITERS,
    ),
    post(
        _CARD + "/retire", retire_card, Retirement, CardDetail, faults=_WRITING, roles=CARD_WRITERS
    ),
    post(_CARD + "/feedback", report_card, Doubt, FeedbackView, faults=_GONE, roles=READERS),
)
