"""Reminders in PostgreSQL: which cases are to be looked at, what was sent already."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

import asyncpg

from hotline import phone_assignments
from hotline.database import Connection
from routing import store
from routing.cases import Case, CaseState
from routing.clock_facts import Moved, Phoned
from routing.limits import Stage
from routing.reminding import Mark, Reminder


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A case whose clocks are to be computed, as it stands, with what its journal says."""

    case: Case
    changed_in: int
    moves: tuple[Moved, ...]
    phoned: tuple[Phoned, ...]
    sent: frozenset[Mark]


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What came of it: the reminders to send now, and when to look again (None: at a change)."""

    look: Look
    due: tuple[Reminder, ...]
    again_at: datetime | None


_WAITING: LiteralString = """
    SELECT case_id, changed_in FROM reminder_looks
     WHERE look_at <= $1 ORDER BY look_at, case_id LIMIT $2"""
_MOVES: LiteralString = """
    SELECT case_id, at, body ->> 'to' AS "to" FROM journal
     WHERE case_id = ANY ($1) AND event LIKE 'case.%' AND body ->> 'to' = ANY ($2)
     ORDER BY id"""
_SENT: LiteralString = """
    SELECT case_id, stage, starts_at, ends_at, share FROM reminders_sent
     WHERE case_id = ANY ($1)"""
# Nobody is waited for: a case that is being moved this moment is looked at after the move.
_MOVE_ON: LiteralString = """
    UPDATE reminder_looks l
       SET look_at = coalesce(given.again_at, 'infinity'),
           changed_in = pg_current_xact_id()::text::bigint
      FROM (SELECT free.case_id, given.again_at
              FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[])
                       AS given (case_id, changed_in, again_at)
              JOIN reminder_looks free USING (case_id, changed_in)
               FOR UPDATE OF free SKIP LOCKED) AS given
     WHERE l.case_id = given.case_id
    RETURNING l.case_id"""
_REMEMBER: LiteralString = """
    INSERT INTO reminders_sent (case_id, stage, starts_at, ends_at, share, reached_at, sent_at)
    SELECT *, $7 FROM unnest($1::bigint[], $2::text[], $3::timestamptz[], $4::timestamptz[],
                             $5::smallint[], $6::timestamptz[])
    ON CONFLICT DO NOTHING RETURNING case_id, stage, starts_at, ends_at, share"""


async def waiting(conn: Connection, now: datetime, limit: int) -> list[Look]:
    """The cases to be looked at, those changed last first of all.

    The looks are read before the cases, so that a change in between is noticed by `move_on`.
    """
    versions = {
        int(row["case_id"]): int(row["changed_in"])
        for row in await conn.fetch(_WAITING, now, limit)
    }
    if not versions:
        return []
    ids = list(versions)
    cases = {case.id: case for case in await store.of_ids(conn, ids)}
    moves, sent = await moves_of(conn, ids), await _sent(conn, ids)
    phoned = await phone_assignments.phoned(conn, ids)
    return [
        Look(
            case=cases[case_id],
            changed_in=versions[case_id],
            moves=tuple(moves[case_id]),
            phoned=tuple(phoned[case_id]),
            sent=frozenset(sent[case_id]),
        )
        for case_id in ids
        if case_id in cases
    ]


async def moves_of(conn: Connection, ids: Sequence[int]) -> Mapping[int, list[Moved]]:
    """What the journal says of each case: every move and the state it led to, oldest first."""
    found: defaultdict[int, list[Moved]] = defaultdict(list)
    for row in await conn.fetch(_MOVES, ids, list(CaseState)):
        found[row["case_id"]].append(Moved(at=row["at"], to=row["to"]))
    return found


async def _sent(conn: Connection, ids: Sequence[int]) -> Mapping[int, list[Mark]]:
    found: defaultdict[int, list[Mark]] = defaultdict(list)
    for row in await conn.fetch(_SENT, ids):
        found[row["case_id"]].append(_mark(row))
    return found


def _mark(row: asyncpg.Record) -> Mark:
    return Mark(
        stage=Stage(row["stage"]),
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        share=row["share"],
    )


async def move_on(tx: Connection, looked: Sequence[Looked]) -> frozenset[int]:
    """Set when each case is looked at next; returns those that nobody changed meanwhile."""
    rows = await tx.fetch(
        _MOVE_ON,
        [one.look.case.id for one in looked],
        [one.look.changed_in for one in looked],
        [one.again_at for one in looked],
    )
    return frozenset(row["case_id"] for row in rows)


async def remember(
    tx: Connection, reminders: Sequence[tuple[int, Reminder]], now: datetime
) -> frozenset[tuple[int, Mark]]:
    """Note reminders of cases as sent; returns those that were not sent before."""
    marks = [reminder.mark for _, reminder in reminders]
    rows = await tx.fetch(
        _REMEMBER,
        [case_id for case_id, _ in reminders],
        [mark.stage.value for mark in marks],
        [mark.starts_at for mark in marks],
        [mark.ends_at for mark in marks],
        [mark.share for mark in marks],
        [reminder.at for _, reminder in reminders],
        now,
    )
    return frozenset((row["case_id"], _mark(row)) for row in rows)
