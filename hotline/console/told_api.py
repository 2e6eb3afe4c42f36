"""Cards told to callers, and where telling did not help."""

from dataclasses import asdict
from datetime import timedelta

from hotline import cards, told_rows
from hotline.console.card_shapes import (
    EffectQuery,
    Effects,
    EffectView,
    RepeatView,
    Telling,
    ToldCard,
    ToldCards,
)
from hotline.console.cards_api import refusals
from hotline.console.desk import Request
from hotline.console.endpoint import get, post
from hotline.console.problems import Fault
from hotline.console.who import CALLERS, OFFICE, READERS
from hotline.database import Connection, borrowed, transaction
from hotline.store import get_call
from hotline.told_rows import Told
from routing.store import get as get_case


async def tell_on_call(asked: Request) -> ToldCard:
    """Note that a card was told on a call, all its mandatory blocks at once."""
    return await _tell(asked, call_id=asked.path_id("call_id"))


async def tell_in_case(asked: Request) -> ToldCard:
    """Note that a card was told in a case, all its mandatory blocks at once."""
    return await _tell(asked, case_id=asked.path_id("case_id"))


async def _tell(
    asked: Request, *, call_id: int | None = None, case_id: int | None = None
) -> ToldCard:
    given = asked.asked(Telling)
    with refusals():
        async with transaction(asked.services.pool) as tx:
            if case_id is not None:
                await _check_case(asked, tx, case_id)
            told = await cards.tell(
                tx,
                given.card,
                given.version,
                call_id=call_id,
                case_id=case_id,
                blocks=given.blocks,
                by=asked.who.name,
                at=asked.services.clock(),
            )
    return _told(told)


async def told_on_call(asked: Request) -> ToldCards:
    """The cards that were told on a call."""
    with refusals():
        async with borrowed(asked.services.pool) as conn:
            await get_call(conn, asked.path_id("call_id"))
            found = await told_rows.of_call(conn, asked.path_id("call_id"))
    return ToldCards(told=tuple(map(_told, found)))


async def told_in_case(asked: Request) -> ToldCards:
    """The cards that were told in a case and on its call."""
    with refusals():
        async with borrowed(asked.services.pool) as conn:
            await _check_case(asked, conn, asked.path_id("case_id"))
            found = await told_rows.of_case(conn, asked.path_id("case_id"))
    return ToldCards(told=tuple(map(_told, found)))


async def _check_case(asked: Request, conn: Connection, case_id: int) -> None:
    """Raise where the case does not exist, or not for this person."""
    await asked.sight.check(conn, case_id)
    await get_case(conn, case_id)


async def card_effects(asked: Request) -> Effects:
    """How often cards were told, and which callers rang again on the same matter all the same."""
    query, now = asked.asked(EffectQuery), asked.services.clock()
    since, within = now - timedelta(days=query.days), timedelta(days=query.within_days)
    async with borrowed(asked.services.pool) as conn:
        counted = await told_rows.effects(
            conn, since, now, within=within, card_id=query.card, limit=query.limit
        )
        repeats = await told_rows.repeats(
            conn, since, now, within=within, card_id=query.card, limit=query.limit
        )
    return Effects(
        since=since,
        within_days=query.within_days,
        cards=tuple(
            EffectView(card=it.card_id, title=it.title, told=it.told, repeats=it.repeats)
            for it in counted
        ),
        repeats=tuple(
            RepeatView(
                told=_told(it.told),
                again_call_id=it.again_call_id,
                again_at=it.again_at,
                told_again=it.told_again,
            )
            for it in repeats
        ),
    )


def _told(told: Told) -> ToldCard:
    facts = asdict(told)
    return ToldCard(card=facts.pop("card_id"), **facts)


_CALL, _CASE = "/api/calls/{call_id}/told", "/api/cases/{case_id}/told"
_GONE = (Fault.NOT_FOUND,)
_TELLING = (Fault.NOT_FOUND, Fault.MISSING_FACT)
ENDPOINTS = (
    get("/api/cards/effects", card_effects, Effects, query=EffectQuery, roles=OFFICE),
    get(_CALL, told_on_call, ToldCards, faults=_GONE, roles=OFFICE),
    post(_CALL, tell_on_call, Telling, ToldCard, faults=_TELLING, roles=CALLERS),
    get(_CASE, told_in_case, ToldCards, faults=_GONE, roles=READERS),
    post(_CASE, tell_in_case, Telling, ToldCard, faults=_TELLING, roles=CALLERS),
)
