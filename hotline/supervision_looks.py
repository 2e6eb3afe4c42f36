"""Which cases are to be looked at for supervision, with their past and what they are related to."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import LiteralString

from hotline import phone_assignments
from hotline.database import Connection
from routing import store
from routing.cases import Case
from routing.clock_facts import Phoned
from routing.fold import Row
from routing.supervision_rules import Trigger
from routing.triggers import NEVER_POOLED, Burst, Occasion, Related

Known = frozenset[tuple[Trigger, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A case to be looked at: as it stands, its journal, and the occasions that have a record."""

    case: Case
    changed_in: int
    matter_at: datetime | None
    rows: tuple[tuple[datetime, Row], ...]
    phoned: tuple[Phoned, ...]
    known: Known


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What came of it; `again_at` None means: at its next change, and never if it is over.

    `elsewhere`: what its opening says of another case, or of many (a caller's repeat, a burst).
    """

    look: Look
    occasions: tuple[Occasion, ...]
    again_at: datetime | None
    over: bool
    elsewhere: tuple[tuple[int | Burst, Occasion], ...] = ()


_WAITING: LiteralString = """
    SELECT case_id, changed_in, matter_at FROM supervision_looks
     WHERE look_at < $1 ORDER BY look_at, case_id LIMIT $2"""
_ROWS: LiteralString = """
    SELECT id, case_id, at,
           jsonb_build_object('changes', body -> 'changes', 'move', body -> 'move') AS body
      FROM journal
     WHERE case_id = ANY ($1) AND event LIKE 'case.%' AND body ? 'changes' ORDER BY id"""
_KNOWN: LiteralString = """
    SELECT case_id, trigger, occasion FROM supervisions WHERE case_id = ANY ($1)"""
# Nobody is waited for: a case that is being moved this moment is looked at after the move.
_MOVE_ON: LiteralString = """
    UPDATE supervision_looks l
       SET look_at = coalesce(given.again_at, 'infinity'), matter_at = given.matter_at,
           changed_in = pg_current_xact_id()::text::bigint
      FROM (SELECT free.case_id, given.again_at, given.matter_at
              FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[], $4::timestamptz[])
                       AS given (case_id, changed_in, again_at, matter_at)
              JOIN supervision_looks free USING (case_id, changed_in)
               FOR UPDATE OF free SKIP LOCKED) AS given
     WHERE l.case_id = given.case_id
    RETURNING l.case_id"""
_FORGET: LiteralString = """
    DELETE FROM supervision_looks WHERE case_id = ANY ($1::bigint[]) AND look_at = 'infinity'"""
# A protected case counts for nothing that is told of other cases.
_REPEATS: LiteralString = """
    SELECT b.id AS asked, a.id, a.opened_at, a.closed_at, a.owner,
           CASE WHEN a.given_at IS NOT NULL THEN a.unit END AS unit
      FROM unnest($1::bigint[]) AS asked (id)
      JOIN cases b ON b.id = asked.id
      JOIN case_callers bc ON bc.case_id = b.id
      JOIN case_callers ac ON ac.caller = bc.caller AND ac.case_id < bc.case_id AND ac.by_citizen
       AND ac.at > bc.at - $2::interval
      JOIN cases a ON a.id = ac.case_id
     WHERE a.opened_at IS NOT NULL AND a.kind <> $3 AND a.outcome IS DISTINCT FROM 'withdrawn'
       AND NOT (a.id = ANY (ARRAY(SELECT withheld_cases()))
                OR b.id = ANY (ARRAY(SELECT withheld_cases())))
       AND a.id <> ALL (ARRAY(SELECT hidden_cases('{}')))
       AND (a.level1 = b.level1 OR a.id = b.same_as OR a.same_as = b.same_as)
     ORDER BY b.id, a.id"""
_BURSTS: LiteralString = """
    SELECT b.id, b.level1, b.area, b.drafted_at, array_agg(a.id ORDER BY a.id) AS ids,
           count(DISTINCT coalesce(ac.caller::text, a.caller::text, 'case ' || a.id)) AS callers,
           mode() WITHIN GROUP (ORDER BY a.unit) FILTER (WHERE a.given_at IS NOT NULL) AS unit
      FROM unnest($1::bigint[]) AS asked (id)
      JOIN cases b ON b.id = asked.id
      JOIN cases a ON a.level1 = b.level1 AND a.area = b.area AND a.opened_at IS NOT NULL
       AND a.drafted_at > b.drafted_at - $2::interval AND a.drafted_at <= b.drafted_at
      LEFT JOIN calls ac ON ac.id = a.call_id
     WHERE a.kind <> $4 AND a.outcome IS DISTINCT FROM 'withdrawn'
       AND a.id <> ALL (ARRAY(SELECT withheld_cases()))
       AND a.id <> ALL (ARRAY(SELECT hidden_cases('{}')))
     GROUP BY b.id
    HAVING count(DISTINCT coalesce(ac.caller::text, a.caller::text, 'case ' || a.id)) >= $3
     ORDER BY b.id"""


# Found by their words (bursts.py); those of a category are counted above by the same rule.
_ALIKE: LiteralString = """
    SELECT u.id, u.raised_at, u.area, array_agg(a.id ORDER BY a.id) AS ids,
           count(DISTINCT coalesce(ac.caller::text, a.caller::text, 'case ' || a.id)) AS callers,
           mode() WITHIN GROUP (ORDER BY a.unit) FILTER (WHERE a.given_at IS NOT NULL) AS unit
      FROM bursts u
      JOIN burst_cases b ON b.burst_id = u.id
      JOIN cases a ON a.id = b.case_id
      LEFT JOIN calls ac ON ac.id = a.call_id
     WHERE u.sort = 'alike' AND u.last_at > $1 AND a.kind IS DISTINCT FROM $3
       AND a.id <> ALL (ARRAY(SELECT withheld_cases()))
       AND NOT EXISTS (SELECT FROM supervisions s WHERE s.subject = 'matter/burst/' || u.id)
     GROUP BY u.id
    HAVING count(DISTINCT coalesce(ac.caller::text, a.caller::text, 'case ' || a.id)) >= $2
     ORDER BY u.id"""


async def waiting(conn: Connection, now: datetime, limit: int) -> list[Look]:
    """The cases to be looked at, those changed last first of all.

    The looks are read before the cases, so that a change in between is noticed by `move_on`.
    """
    asked = {row["case_id"]: row for row in await conn.fetch(_WAITING, now, limit)}
    if not asked:
        return []
    ids = list(asked)
    cases = {case.id: case for case in await store.of_ids(conn, ids)}
    rows, known = await _rows(conn, ids), await _known(conn, ids)
    phoned = await phone_assignments.phoned(conn, ids)
    return [
        Look(
            case=cases[case_id],
            changed_in=asked[case_id]["changed_in"],
            matter_at=asked[case_id]["matter_at"],
            rows=tuple(rows[case_id]),
            phoned=tuple(phoned[case_id]),
            known=frozenset(known[case_id]),
        )
        for case_id in ids
        if case_id in cases
    ]


async def _rows(conn: Connection, ids: Sequence[int]) -> Mapping[int, list[tuple[datetime, Row]]]:
    found: defaultdict[int, list[tuple[datetime, Row]]] = defaultdict(list)
    for row in await conn.fetch(_ROWS, ids):
        told = Row(id=row["id"], case_id=row["case_id"], body=json.loads(row["body"]))
        found[row["case_id"]].append((row["at"], told))
    return found


async def _known(conn: Connection, ids: Sequence[int]) -> Mapping[int, set[tuple[Trigger, str]]]:
    found: defaultdict[int, set[tuple[Trigger, str]]] = defaultdict(set)
    for row in await conn.fetch(_KNOWN, ids):
        found[row["case_id"]].add((Trigger(row["trigger"]), row["occasion"]))
    return found


async def move_on(tx: Connection, looked: Sequence[Looked]) -> frozenset[int]:
    """Set when each case is looked at next; returns those that nobody changed meanwhile.

    An ended case that was looked at is looked at no more.
    """
    rows = await tx.fetch(
        _MOVE_ON,
        [one.look.case.id for one in looked],
        [one.look.changed_in for one in looked],
        [one.again_at for one in looked],
        [one.look.case.opened_at for one in looked],
    )
    settled = frozenset(row["case_id"] for row in rows)
    over = [
        one.look.case.id
        for one in looked
        if one.over and one.again_at is None and one.look.case.id in settled
    ]
    if over:
        await tx.execute(_FORGET, over)
    return settled


def newly_opened(looks: Sequence[Look]) -> list[int]:
    """The cases whose caller and matter were not counted since they were opened."""
    return [
        one.case.id
        for one in looks
        if one.case.opened_at is not None
        and one.case.opened_at != one.matter_at
        and one.case.kind is not NEVER_POOLED
    ]


async def related(
    conn: Connection, ids: Sequence[int], within: timedelta
) -> Mapping[int, list[Related]]:
    """The earlier cases of each case's caller about the same matter, oldest first."""
    found: dict[int, list[Related]] = {case_id: [] for case_id in ids}
    for row in await conn.fetch(_REPEATS, ids, within, NEVER_POOLED):
        found[row["asked"]].append(
            Related(
                case_id=row["id"],
                opened_at=row["opened_at"],
                over_at=row["closed_at"],
                unit=row["unit"],
                owner=row["owner"],
            )
        )
    return found


async def bursts(
    conn: Connection, ids: Sequence[int], within: timedelta, callers: int
) -> dict[int, Burst]:
    """What so many callers had in common with some of these cases when each came in."""
    return {
        row["id"]: Burst(
            matter=f"{row['level1']}/{row['area']}",
            at=row["drafted_at"],
            callers=row["callers"],
            case_ids=tuple(row["ids"]),
            unit=row["unit"],
        )
        for row in await conn.fetch(_BURSTS, ids, within, callers, NEVER_POOLED)
    }


async def alike_bursts(conn: Connection, since: datetime, callers: int) -> list[Burst]:
    """Bursts that were found by their words, with so many callers and no record yet."""
    return [
        Burst(
            matter=f"burst/{row['id']}",
            at=row["raised_at"],
            callers=row["callers"],
            case_ids=tuple(row["ids"]),
            unit=row["unit"],
        )
        for row in await conn.fetch(_ALIKE, since, callers, NEVER_POOLED)
    ]
