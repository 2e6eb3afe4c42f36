"""Replies that are published: proposed by one person, released by another, taken back by anybody.

Each step scans the words again and leaves a row of the journal. A case that is protected, or that
somebody is kept apart from, is never published, and leaves the public page the day it becomes so.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import LiteralString

from hotline import journal
from hotline.database import Connection
from hotline.errors import PublicationRefusedError
from hotline.journal import Event
from routing.disclosing import Withheld, article_of, leaks


class PublicationState(StrEnum):
    """How a publication stands."""

    PROPOSED = "proposed"
    PUBLISHED = "published"
    WITHHELD = "withheld"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A question and its reply as the public reads them."""

    id: int
    case_id: int
    number: str
    question: str
    reply: str
    state: PublicationState
    withheld: Withheld | None
    proposed_at: datetime
    proposed_by: str
    decided_at: datetime | None
    decided_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicReply:
    """One item of the public page."""

    number: str
    question: str
    reply: str
    unit: str | None
    level1: str | None
    published_at: datetime


_CASE: LiteralString = """
    SELECT c.state IN ('closed', 'archived') AND c.outcome IN ('handled', 'direct') AS is_over,
           c.publish IS DISTINCT FROM false AS may, i.number, i.name,
           c.id = ANY (ARRAY(SELECT withheld_cases())) AS hidden
      FROM cases c LEFT JOIN calls k ON k.id = c.call_id
      LEFT JOIN identities i ON i.token = k.caller
     WHERE c.id = $1"""
_PROPOSE: LiteralString = """
    INSERT INTO publications (case_id, question, reply, proposed_at, proposed_by)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (case_id) WHERE state <> 'withdrawn' DO NOTHING RETURNING id"""
_ONE: LiteralString = """
    SELECT p.id, p.case_id, c.number, p.question, p.reply, p.state, p.withheld, p.proposed_at,
           p.proposed_by, p.decided_at, p.decided_by
      FROM publications p JOIN cases c ON c.id = p.case_id WHERE p.id = $1"""
_LIST: LiteralString = """
    SELECT p.id, p.case_id, c.number, p.question, p.reply, p.state, p.withheld, p.proposed_at,
           p.proposed_by, p.decided_at, p.decided_by
      FROM publications p JOIN cases c ON c.id = p.case_id
     WHERE ($1::text IS NULL OR p.state = $1) AND ($2::bigint IS NULL OR p.id < $2)
     ORDER BY p.id DESC LIMIT $3"""
_DECIDE: LiteralString = """
    UPDATE publications SET state = $2, withheld = $3, decided_at = $4, decided_by = $5
     WHERE id = $1 AND state = $6 AND ($2 = 'withdrawn' OR proposed_by <> $5) RETURNING case_id"""
_PUBLIC: LiteralString = """
    SELECT c.number, p.question, p.reply, c.unit, c.level1, p.decided_at AS published_at
      FROM publications p JOIN cases c ON c.id = p.case_id
     WHERE p.state = 'published' AND p.decided_at > $1 AND p.decided_at <= $2
       AND c.id <> ALL (ARRAY(SELECT withheld_cases()))
     ORDER BY p.decided_at, p.id"""
_KEPT_BACK: LiteralString = """
    SELECT coalesce(p.withheld, 'by_unit') AS reason,
           (SELECT t.text FROM case_texts t
             WHERE t.case_id = c.id AND t.sort = 'withheld_reason' ORDER BY t.id DESC LIMIT 1)
               AS words
      FROM cases c LEFT JOIN publications p ON p.case_id = c.id AND p.state = 'withheld'
     WHERE c.closed_at > $1 AND c.closed_at <= $2 AND (p.id IS NOT NULL OR c.publish = false)
       AND c.id <> ALL (ARRAY(SELECT withheld_cases()))"""


async def propose(
    tx: Connection,
    case_id: int,
    *,
    question: str,
    reply: str,
    by: str,
    now: datetime,
    allowed: Iterable[str],
) -> int:
    """Put words before a second person.

    Raises:
        PublicationRefusedError: the case may not be published, or the words are personal.
    """
    await journal.take_turn(tx)
    await _check(tx, case_id, f"{question}\n{reply}", allowed)
    found = await tx.fetchval(_PROPOSE, case_id, question, reply, now, by)
    if found is None:
        raise PublicationRefusedError("This case has a publication: take it back first.")
    await _tell(tx, Event.PUBLICATION_PROPOSED, case_id, by, now, int(found))
    return int(found)


async def publish(
    tx: Connection, publication_id: int, *, by: str, now: datetime, allowed: Iterable[str]
) -> None:
    """Release it; whoever proposed it cannot.

    Raises:
        PublicationRefusedError: it is not there, not proposed, or by the same person.
    """
    await journal.take_turn(tx)
    one = await get(tx, publication_id)
    await _check(tx, one.case_id, f"{one.question}\n{one.reply}", allowed)
    await _decide(tx, one, PublicationState.PUBLISHED, None, by, now)
    await _tell(tx, Event.PUBLICATION_RELEASED, one.case_id, by, now, one.id)


async def withhold(
    tx: Connection, publication_id: int, *, reason: Withheld, by: str, now: datetime
) -> None:
    """Keep it back by an article of the law; it is counted under that article."""
    await journal.take_turn(tx)
    one = await get(tx, publication_id)
    await _decide(tx, one, PublicationState.WITHHELD, reason, by, now)
    await _tell(tx, Event.PUBLICATION_WITHHELD, one.case_id, by, now, one.id)


async def withdraw(tx: Connection, publication_id: int, *, by: str, now: datetime) -> None:
    """Take back what was published; the next disclosure is without it."""
    await journal.take_turn(tx)
    one = await get(tx, publication_id)
    await _decide(tx, one, PublicationState.WITHDRAWN, None, by, now)
    await _tell(tx, Event.PUBLICATION_WITHDRAWN, one.case_id, by, now, one.id)


async def get(conn: Connection, publication_id: int) -> Publication:
    """One of them.

    Raises:
        PublicationRefusedError: there is none.
    """
    row = await conn.fetchrow(_ONE, publication_id)
    if row is None:
        raise PublicationRefusedError(f"There is no publication with the id {publication_id}.")
    return _publication(dict(row))


async def listed(
    conn: Connection, state: PublicationState | None, before: int | None, limit: int
) -> Sequence[Publication]:
    """Newest first."""
    rows = await conn.fetch(_LIST, state, before, limit)
    return [_publication(dict(row)) for row in rows]


async def public(conn: Connection, since: datetime, until: datetime) -> Sequence[PublicReply]:
    """What was released in a time and still is."""
    return [PublicReply(**dict(row)) for row in await conn.fetch(_PUBLIC, since, until)]


async def kept_back(conn: Connection, since: datetime, until: datetime) -> dict[Withheld, int]:
    """How many replies of cases closed in a time are kept back, by article."""
    found = dict.fromkeys(Withheld, 0)
    for row in await conn.fetch(_KEPT_BACK, since, until):
        by_unit = row["reason"] == "by_unit"
        found[article_of(row["words"]) if by_unit else Withheld(row["reason"])] += 1
    return found


async def _check(tx: Connection, case_id: int, words: str, allowed: Iterable[str]) -> None:
    row = await tx.fetchrow(_CASE, case_id)
    if row is None or row["hidden"] or not row["is_over"]:
        raise PublicationRefusedError("Only a case that has ended with an answer is published.")
    if not row["may"]:
        raise PublicationRefusedError("The unit says that the law keeps this reply back.")
    known = [word for word in (row["number"], row["name"]) if word]
    if found := leaks(words, known=known, allowed=allowed):
        told = ", ".join(f"{it.sort} {it.start}-{it.end}" for it in found)
        raise PublicationRefusedError(f"The words hold something personal: {told}.")


async def _decide(  # noqa: PLR0917 - of which one what, why, by whom, when
    tx: Connection,
    one: Publication,
    state: PublicationState,
    reason: Withheld | None,
    by: str,
    now: datetime,
) -> None:
    expected = (
        PublicationState.PUBLISHED
        if state is PublicationState.WITHDRAWN
        else PublicationState.PROPOSED
    )
    if await tx.fetchval(_DECIDE, one.id, state, reason, now, by, expected) is None:
        raise PublicationRefusedError(
            f"It is not {expected} any more, or you proposed it yourself: another person decides."
        )


async def _tell(  # noqa: PLR0917 - what, of which case, by whom, when
    tx: Connection, event: Event, case_id: int, by: str, now: datetime, publication_id: int
) -> None:
    body = {"publication": publication_id}
    await journal.write(tx, at=now, actor=by, event=event, case_id=case_id, body=body)


def _publication(row: dict[str, object]) -> Publication:
    state, reason = PublicationState(str(row.pop("state"))), row.pop("withheld")
    withheld = None if reason is None else Withheld(str(reason))
    return Publication(**row, state=state, withheld=withheld)  # type: ignore[arg-type]
