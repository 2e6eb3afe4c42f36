"""A unit's address or a notice card sent to a caller's telephone, with one key while he speaks.

What was sent, word for word and of which version, is a row of the journal; the message itself goes
the way of every notice (notices.py): sent, tried again, or kept with the undeliverable. It names
nobody: the number is opened when it is sent, and stays sealed until then.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from hotline import card_rows, journal, notice_rows, store
from hotline.card_rows import CardState
from hotline.catalogue import Language, say
from hotline.config import Config
from hotline.database import Connection
from hotline.errors import CardUnknownError, SendingRefusedError
from hotline.jobs import JobName, enqueue
from hotline.journal import Event
from hotline.notice_rows import NoticeState
from routing.cards import CardText
from routing.directory import City, Unit

HOLDER = "caller"
_MOBILE = re.compile(r"(?:\+?86|0086)?(1[3-9][0-9]{9})", re.ASCII)
_CALLER: LiteralString = """
    SELECT c.caller, i.number, k.id AS case_id
      FROM calls c LEFT JOIN identities i ON i.token = c.caller
      LEFT JOIN cases k ON k.call_id = c.id WHERE c.id = $1"""
_SENT: LiteralString = """
    SELECT j.at, j.actor, j.event, j.body ->> 'message' AS message, j.body ->> 'unit' AS unit,
           (j.body ->> 'card')::bigint AS card, (j.body ->> 'version')::integer AS version,
           n.state, n.reason, n.settled_at
      FROM journal j JOIN notices n ON n.journal_id = j.id
     WHERE j.call_id = $1 AND n.caller IS NOT NULL ORDER BY j.id"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A message to the caller of a call: its words, and what became of it.

    `version` is the card's, or for a unit that of the city's data; None where its folder counts.
    """

    at: datetime
    actor: str
    event: str
    message: str
    unit: str
    card: int | None
    version: int | None
    state: NoticeState
    reason: str | None
    settled_at: datetime | None


def gateway(config: Config) -> str:
    """The destination by which callers are reached; raises SendingRefusedError."""
    for one in config.destinations:
        if one.kind == "sms":
            return one.name
    raise SendingRefusedError("No SMS gateway is configured, so nothing can be sent to a caller.")


async def send_card(
    tx: Connection,
    call_id: int,
    card_id: int,
    version: int,
    *,
    by: str,
    now: datetime,
    config: Config,
    city: City,
) -> None:
    """Send a card, as it reads in this version, to the caller of a call.

    Raises:
        CallUnknownError, CardUnknownError: there is none, or it is retired.
        SendingRefusedError: no gateway, or no number that takes messages.
    """
    card = await card_rows.one_version(tx, card_id, version)
    if card.state is CardState.RETIRED:
        raise CardUnknownError(f"The card {card.text.title} is retired: it is told no longer.")
    unit = city.unit(card.text.unit)
    body = {
        "card": card_id,
        "version": version,
        "title": card.text.title,
        "unit": unit.name if unit else card.text.unit,
        "message": of_card(card.text, unit, config.language),
    }
    await _send(tx, call_id, Event.CARD_SENT, body, by=by, now=now, config=config)


async def send_unit(
    tx: Connection,
    call_id: int,
    unit: Unit,
    version: int | None,
    *,
    by: str,
    now: datetime,
    config: Config,
) -> None:
    """Send where a unit is and how to get there to the caller of a call; raises as `send_card`."""
    message = say("sent.unit", config.language, unit=unit)
    body = {"version": version, "unit": unit.name, "message": message}
    await _send(tx, call_id, Event.UNIT_SENT, body, by=by, now=now, config=config)


def of_card(card: CardText, unit: Unit | None, language: Language) -> str:
    """All of a card in one message."""
    return say(
        "sent.card",
        language,
        card=card,
        materials=_numbered(card.materials),
        procedure=_numbered(card.procedure),
        unit=unit.name if unit else "",
        phone=unit.phone if unit else "",
    )


def _numbered(lines: Sequence[str]) -> str:
    return " ".join(f"{n}.{line}" for n, line in enumerate(lines, start=1))


async def _send(
    tx: Connection,
    call_id: int,
    event: Event,
    body: Mapping[str, Any],
    *,
    by: str,
    now: datetime,
    config: Config,
) -> None:
    destination = gateway(config)
    await store.get_call(tx, call_id)
    row = await tx.fetchrow(_CALLER, call_id)
    if row is None or row["number"] is None:
        raise SendingRefusedError("The caller's number was withheld: nothing can be sent to it.")
    if not _MOBILE.fullmatch(row["number"]):
        raise SendingRefusedError("The caller's number is no mobile's, which takes no messages.")
    await store.hold_call(tx, call_id)
    entry = await journal.write(
        tx, at=now, actor=by, event=event, call_id=call_id, case_id=row["case_id"], body=body
    )
    added = await notice_rows.add(
        tx,
        journal_id=entry,
        case_id=row["case_id"],
        destination=destination,
        holder=HOLDER,
        address="",
        at=now,
        caller=row["caller"],
    )
    await enqueue(tx, JobName.NOTIFY, {"notice_id": added, "attempt": 0})


async def number_of(conn: Connection, caller: UUID) -> str:
    """The number a message to a caller goes to, as a gateway takes it; empty where it is gone."""
    number = await notice_rows.number_of(conn, caller)
    found = _MOBILE.fullmatch(number or "")
    return found[1] if found else ""


async def of_call(conn: Connection, call_id: int) -> tuple[Sent, ...]:
    """What was sent to the caller of a call, oldest first."""
    await store.get_call(conn, call_id)
    rows = await conn.fetch(_SENT, call_id)
    return tuple(Sent(**{**dict(row), "state": NoticeState(row["state"])}) for row in rows)
