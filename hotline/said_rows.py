"""Searching what was said, in PostgreSQL: the newest calls first, page after page.

Two ways lead to a page. A word that many calls say is met among the newest calls, at which `WALK`
looks one after the other; a word that few say is found by the index, and `INDEXED` reads all that
say it. A short walk tells how common the words are, and so which way is the shorter one. What
narrows the search lies in the same index. Both find the very same rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

import asyncpg

from hotline.database import Connection
from routing.said import Wanted
from telephony.calls import Leg

WALKED = 1500
"""Legs looked at before it is judged how common the words are."""
_FOR_THESE_VALUES: LiteralString = "SET LOCAL plan_cache_mode = force_custom_plan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowed:
    """Which calls are looked through; None means all. `until` is not included."""

    leg: Leg | None = None
    line: str | None = None
    operator: str | None = None
    level1: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Place:
    """A leg in the order of time; a page goes on after the last one of the page before."""

    at: datetime
    call_id: int
    leg: Leg


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A leg that says all the words; `text` is all that it says, plain."""

    place: Place
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What is shown of a leg that was found."""

    place: Place
    line: str
    operator: str | None
    badge: str | None
    level1: str | None
    case_id: int | None
    case_number: str | None
    stored: bool
    sentences: str


# $1 patterns, $2 by sound, $3 leg, $4 line, $5 operator, $6 level1, $7 since, $8 until,
# $9 to $11 the leg before, $12 the size of the page, $13 how many are walked, or the marks.
_SAYS: LiteralString = """
    CASE WHEN $2::boolean THEN sounds LIKE ALL ($1::text[])
         ELSE (said || E'\\n' || raw) LIKE ALL ($1::text[]) END"""
_NARROWED: LiteralString = """
    AND ($3::text IS NULL OR leg = $3) AND ($4::text IS NULL OR line = $4)
    AND ($5::text IS NULL OR operator = $5) AND ($6::text IS NULL OR level1 = $6)"""
_WITHIN: LiteralString = """
    ($7::timestamptz IS NULL OR at >= $7) AND ($8::timestamptz IS NULL OR at < $8)
    AND ($9::timestamptz IS NULL OR (at, call_id, leg) < ($9, $10::bigint, $11::text))"""
_NEWEST: LiteralString = " ORDER BY at DESC, call_id DESC, leg DESC LIMIT "
_LEGS: LiteralString = "SELECT at, call_id, leg, said || E'\\n' || raw AS text FROM "
_WALKED: LiteralString = "(SELECT * FROM finished_texts WHERE "
WALK: LiteralString = (_LEGS + _WALKED + _WITHIN + _NEWEST + "$13::integer) AS walked WHERE ") + (
    _SAYS + _NARROWED + _NEWEST + "$12"
)
# Found first and put in order then: in the order of time the planner might rather walk everything.
_FOUND: LiteralString = """
    WITH hit AS MATERIALIZED (
        SELECT at, call_id, leg FROM finished_texts WHERE marks @> $13::integer[] AND """
_TAGGED: LiteralString = "tags @> finished_tags($3, $4, $5, $6) AND "
_PAGE: LiteralString = "), page AS (TABLE hit" + _NEWEST + "$12) "
_TEXTS: LiteralString = """
    SELECT p.at, p.call_id, p.leg, f.said || E'\\n' || f.raw AS text
      FROM page p JOIN finished_texts f ON f.call_id = p.call_id AND f.leg = p.leg
     ORDER BY p.at DESC, p.call_id DESC, p.leg DESC"""
_CHECKED: LiteralString = _WITHIN + _NARROWED + " AND " + _SAYS + _PAGE + _TEXTS
INDEXED: LiteralString = _FOUND + _CHECKED
INDEXED_TAGGED: LiteralString = _FOUND + _TAGGED + _CHECKED
# As many as there were when it was last counted; a view of it stands for the table.
_ALL: LiteralString = """
    SELECT coalesce(max(reltuples), 0)::bigint FROM pg_class
     WHERE relname = 'finished_texts' AND relkind = 'r'"""
_SHOWN: LiteralString = """
    SELECT f.at, f.call_id, f.leg, f.line, f.operator, f.level1, f.sentences::text AS sentences,
           c.badge, k.id AS case_id, k.number AS case_number,
           EXISTS (SELECT FROM recordings r WHERE r.call_id = f.call_id AND r.leg = f.leg
                      AND r.state = 'stored') AS stored
      FROM unnest($1::bigint[], $2::text[]) AS wanted (call_id, leg)
      JOIN finished_texts f USING (call_id, leg)
      JOIN calls c ON c.id = f.call_id LEFT JOIN cases k ON k.call_id = f.call_id"""


async def newest(
    conn: Connection, asked: Wanted, within: Narrowed, *, after: Place | None, limit: int
) -> list[Found]:
    """The newest legs that say all the words, at most `limit`."""
    words = asked.sounds if asked.by_sound else asked.words
    given = (
        [f"%{word}%" for word in words],
        asked.by_sound,
        *(within.leg, within.line, within.operator, within.level1, within.since, within.until),
        *((after.at, after.call_id, after.leg) if after else (None, None, None)),
        limit,
    )
    async with conn.transaction(readonly=True):
        await conn.execute(_FOR_THESE_VALUES)
        rows = await conn.fetch(WALK, *given, WALKED)
        if len(rows) < limit and (further := await _further(conn, len(rows), limit)):
            rows = await conn.fetch(WALK, *given, further)
        if len(rows) < limit:
            tagged = any((within.leg, within.line, within.operator, within.level1))
            statement = INDEXED_TAGGED if tagged else INDEXED
            rows = await conn.fetch(statement, *given, list(asked.marks))
    return [Found(place=_place(row), text=row["text"]) for row in rows]


async def _further(conn: Connection, met: int, limit: int) -> int:
    """How far a walk must go to fill a page, were it twice as far; 0 where the index is shorter."""
    if met == 0:
        return 0
    walk = 2 * WALKED * limit // met
    indexed = int(await conn.fetchval(_ALL)) * met // WALKED
    return walk if walk < indexed else 0


async def shown(conn: Connection, places: Sequence[Place]) -> list[Shown]:
    """What is shown of some legs, in the order given."""
    rows = await conn.fetch(_SHOWN, [it.call_id for it in places], [it.leg for it in places])
    by_place = {_place(row): row for row in rows}
    return [
        Shown(
            place=place,
            **{name: row[name] for name in Shown.__dataclass_fields__ if name != "place"},
        )
        for place in places
        if (row := by_place.get(place)) is not None
    ]


def _place(row: asyncpg.Record) -> Place:
    return Place(at=row["at"], call_id=row["call_id"], leg=Leg(row["leg"]))
