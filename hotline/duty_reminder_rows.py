"""What was reminded of at the duty desk, and which alarms stand, in PostgreSQL."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from hotline.database import Connection

ALARM = 100
"""The share at which a reminder is an alarm, until somebody has done what was due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One reminder: of which timer of what, and at which per cent of it; its natural key."""

    kind: str
    subject: int
    ends_at: datetime
    share: int


_SENT: LiteralString = """
    SELECT kind, subject, ends_at, share FROM duty_reminders
     WHERE kind = ANY ($1) AND subject = ANY ($2)"""
_REMEMBER: LiteralString = """
    INSERT INTO duty_reminders (kind, subject, ends_at, share, at) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT DO NOTHING RETURNING share"""
_ALARMS: LiteralString = """
    SELECT kind, subject, ends_at, share FROM duty_reminders
     WHERE share = 100 AND over_at IS NULL AND kind = ANY ($1)"""
_OVER: LiteralString = """
    UPDATE duty_reminders SET over_at = $5
     WHERE kind = $1 AND subject = $2 AND ends_at = $3 AND share = $4 AND over_at IS NULL"""


async def sent(
    conn: Connection, kinds: Collection[str], subjects: Sequence[int]
) -> frozenset[Mark]:
    """The reminders of these that went already."""
    rows = await conn.fetch(_SENT, list(kinds), list(subjects))
    return frozenset(Mark(**dict(row)) for row in rows)


async def remember(tx: Connection, mark: Mark, now: datetime) -> bool:
    """Note a reminder as sent; False where it was before."""
    row = await tx.fetchval(_REMEMBER, mark.kind, mark.subject, mark.ends_at, mark.share, now)
    return row is not None


async def alarms(conn: Connection, kinds: Collection[str]) -> list[Mark]:
    """The alarms of these kinds that stand."""
    return [Mark(**dict(row)) for row in await conn.fetch(_ALARMS, list(kinds))]


async def over(tx: Connection, mark: Mark, now: datetime) -> None:
    """What was due is done, or is due no more."""
    await tx.execute(_OVER, mark.kind, mark.subject, mark.ends_at, mark.share, now)
