"""What people do with cards: write, review, retire, doubt and tell them; each once in the journal.

Every function is one step in the caller's transaction. Telling is noted once for each version on
each call: who ticks it twice has told it once.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from hotline import card_rows, journal, store, told_rows
from hotline.card_rows import CardState, CardVersion, Feedback, Verdict
from hotline.database import Connection
from hotline.errors import CardChangedError, CardIncompleteError, CardUnknownError
from hotline.journal import Event
from hotline.masking import mask_text
from hotline.told_rows import Told
from routing.cards import MANDATORY, Block, CardText


async def publish(tx: Connection, key: str, text: CardText, by: str, at: datetime) -> CardVersion:
    """A new card."""
    card = await card_rows.add(tx, key, text, by=by, at=at)
    await _tell(tx, Event.CARD_PUBLISHED, card, by=by, at=at)
    return card


async def change(
    tx: Connection,
    card_id: int,
    seen: int,
    text: CardText,
    *,
    by: str,
    at: datetime,
    reason: str | None = None,
) -> CardVersion:
    """The next version of a card; a card that was reviewed is one with a later review date."""
    card = await card_rows.change(tx, card_id, seen, text, by=by, at=at, reason=reason)
    await _tell(tx, Event.CARD_PUBLISHED, card, by=by, at=at)
    return card


async def retire(
    tx: Connection, card_id: int, seen: int, *, reason: str, by: str, at: datetime
) -> CardVersion:
    """A card is told no longer; its versions stay."""
    now = await card_rows.get(tx, card_id)
    if now.state is CardState.RETIRED:
        raise CardChangedError(f"The card {now.text.title} is retired already.")
    card = await card_rows.change(
        tx, card_id, seen, now.text, state=CardState.RETIRED, by=by, at=at, reason=reason
    )
    await _tell(tx, Event.CARD_RETIRED, card, by=by, at=at)
    return card


async def report(
    tx: Connection,
    card_id: int,
    version: int,
    *,
    verdict: Verdict,
    remark: str,
    by: str,
    at: datetime,
) -> Feedback:
    """Somebody says that a card is wrong or outdated; its owner reads it beside the card."""
    card = await card_rows.one_version(tx, card_id, version)
    given = await card_rows.report(
        tx, card_id, version, verdict=verdict, remark=remark, by=by, at=at
    )
    await _tell(tx, Event.CARD_REPORTED, card, by=by, at=at, more={"verdict": verdict.value})
    return given


async def tell(
    tx: Connection,
    card_id: int,
    version: int,
    *,
    call_id: int | None = None,
    case_id: int | None = None,
    blocks: Sequence[Block],
    by: str,
    at: datetime,
) -> Told:
    """A card was told on a call or in a case, all its mandatory blocks at once.

    Raises:
        CardIncompleteError: a mandatory block was not ticked.
        CardUnknownError: there is no such version, or it is not the one that is told now.
        CallUnknownError: there is no such call. The caller has made sure of the case.
    """
    if missing := tuple(block.value for block in MANDATORY if block not in blocks):
        raise CardIncompleteError(
            f"A card is told all at once; not told yet: {', '.join(missing)}.", missing=missing
        )
    card = await card_rows.one_version(tx, card_id, version)
    if card.state is CardState.RETIRED:
        raise CardUnknownError(f"The card {card.text.title} is retired: it is told no longer.")
    if case_id is not None:
        call_id = await told_rows.call_of_case(tx, case_id)
    if call_id is not None:
        await store.get_call(tx, call_id)
        await store.hold_call(tx, call_id)
    told, new = await told_rows.tell(
        tx, card_id, version, call_id=call_id, case_id=case_id, blocks=blocks, by=by, at=at
    )
    if new:
        await _tell(tx, Event.CARD_TOLD, card, by=by, at=at, call_id=call_id, case_id=case_id)
    return told


async def _tell(
    tx: Connection,
    event: Event,
    card: CardVersion,
    *,
    by: str,
    at: datetime,
    more: Mapping[str, Any] | None = None,
    call_id: int | None = None,
    case_id: int | None = None,
) -> None:
    body = {
        "card": card.card_id,
        "version": card.version,
        "title": mask_text(card.text.title),
        "unit": card.text.unit,
    }
    await journal.write(
        tx,
        at=at,
        actor=by,
        event=event,
        call_id=call_id,
        case_id=case_id,
        body=body | dict(more or {}),
    )
