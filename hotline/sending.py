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

import asyncpg

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
from routing.errors import CaseUnknown

HOLDER = "caller"
_MOBILE = re.compile(r"(?:\+?86|0086)?(1[3-9][0-9]{9})", re.ASCII)
_CALLER: LiteralString = """
    SELECT c.id AS call_id, c.caller, i.number, k.id AS case_id
      FROM calls c LEFT JOIN identities i ON i.token = c.caller
      LEFT JOIN cases k ON k.call_id = c.id WHERE c.id = $1"""
_WRITER: LiteralString = """
    SELECT k.call_id, i.token AS caller, i.number, k.id AS case_id
      FROM cases k LEFT JOIN calls c ON c.id = k.call_id
      LEFT JOIN identities i ON i.token = coalesce(k.caller, c.caller) WHERE k.id = $1"""
_SENT: LiteralString = """
    SELECT j.at, j.actor, j.event, j.body ->> 'message' AS message, j.body ->> 'unit' AS unit,
           (j.body ->> 'card')::bigint AS card, (j.body ->> 'version')::integer AS version,
           n.state, n.reason, n.settled_at
      FROM journal j JOIN notices n ON n.journal_id = j.id
     WHERE (j.call_id = $1 OR j.case_id = $2) AND n.caller IS NOT NULL ORDER BY j.id"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Whom:
    """Who is written to: the caller of a call, or whoever brought a case; one of the two."""

    call_id: int | None = None
    case_id: int | None = None


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
    whom: Whom,
    card_id: int,
    version: int,
    *,
    by: str,
    now: datetime,
    config: Config,
    city: City,
) -> None:
    """Send a card, as it reads in this version, to a caller or to whoever brought a case.

    Raises:
        CallUnknownError, CaseUnknown, CardUnknownError: there is none, or it is retired.
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
    await _send(tx, whom, Event.CARD_SENT, body, by=by, now=now, config=config)


async def send_unit(
    tx: Connection,
    whom: Whom,
    unit: Unit,
    version: int | None,
    *,
    by: str,
    now: datetime,
    config: Config,
) -> None:
    """Send where a unit is and how to get there; raises as `send_card`."""
    message = say("sent.unit", config.language, unit=unit)
    body = {"version": version, "unit": unit.name, "message": message}
    await _send(tx, whom, Event.UNIT_SENT, body, by=by, now=now, config=config)


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
    whom: Whom,
    event: Event,
    body: Mapping[str, Any],
    *,
    by: str,
    now: datetime,
    config: Config,
) -> None:
    destination = gateway(config)
    row = await _row(tx, whom)
    if row["number"] is None:
        raise SendingRefusedError("No number is known of the caller: nothing can be sent to it.")
    if not _MOBILE.fullmatch(row["number"]):
        raise SendingRefusedError("The caller's number is no mobile's, which takes no messages.")
    if row["call_id"] is not None:
        await store.hold_call(tx, row["call_id"])
    entry = await journal.write(
        tx, at=now, actor=by, event=event, call_id=row["call_id"], case_id=row["case_id"], body=body
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


async def _row(conn: Connection, whom: Whom) -> asyncpg.Record:
    if whom.case_id is not None:
        row = await conn.fetchrow(_WRITER, whom.case_id)
        if row is None:
            raise CaseUnknown(f"There is no case {whom.case_id}.")
        return row
    call_id = whom.call_id or 0
    await store.get_call(conn, call_id)
    (row,) = await conn.fetch(_CALLER, call_id)
    return row


async def number_of(conn: Connection, caller: UUID) -> str:
    """The number a message to a caller goes to, as a gateway takes it; empty where it is gone."""
    number = await notice_rows.number_of(conn, caller)
    found = _MOBILE.fullmatch(number or "")
    return found[1] if found else ""


async def sent(conn: Connection, whom: Whom) -> tuple[Sent, ...]:
    """What was sent to the caller of a call or to whoever brought a case, oldest first."""
    await _row(conn, whom)
    rows = await conn.fetch(_SENT, whom.call_id, whom.case_id)
    return tuple(Sent(**{**dict(row), "state": NoticeState(row["state"])}) for row in rows)
