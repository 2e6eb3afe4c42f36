"""Lists of cases in PostgreSQL: newest first, due first, and what somebody searched for.

Every list goes on from the last row that was shown, never by a count of rows to pass over, so a
deep page costs what the first one does. The plan is made for the very values asked for: a rare
state and a common one are found in different ways.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from hotline.database import Connection
from routing.cases import Case, CaseState, Channel, Kind, Urgency
from routing.searching import Sought
from routing.store import case_in

LARGEST_PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which cases a list shows; None means all."""

    state: CaseState | None = None
    kind: Kind | None = None
    urgency: Urgency | None = None
    line: str | None = None
    level1: str | None = None
    area: str | None = None
    unit: str | None = None
    owner: str | None = None
    owners: Sequence[str] | None = None
    """Live cases that one of these names answers for, or is offered."""
    channel: Channel | None = None
    of_unit: str | None = None
    """Only what this unit may see: not the same as the cases it leads, see `cases_of_unit`."""
    since: datetime | None = None
    until: datetime | None = None
    """Begun from `since` on and before `until`."""
    besides: Sequence[int] | None = None
    """All but these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Cases, newest first; `after` asks for the next page, None when this was the last."""

    cases: tuple[Case, ...]
    after: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a work list goes on: after the case due then, with this id; None has no due time."""

    due_at: datetime | None
    id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Live cases, what is due first before all others; None when this was the last page."""

    cases: tuple[Case, ...]
    after: Place | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A whole list at once: what is due first (live cases only), or newest first."""

    due: bool = False
    search: Sought | None = None


EVERYTHING = Filter()
AHEAD = 500
_COUNT: LiteralString = "SELECT count(*) FROM ("
_COUNTED: LiteralString = ") AS counted"
_FOR_THESE_VALUES: LiteralString = "SET LOCAL plan_cache_mode = force_custom_plan"

# $1 to $10 the filter, $11 the size, $12 the case that the page before ended with, $13 the unit
# that looks, $14 to $16 the filter's rest, $17 what is sought, or when that case was due.
_FITS: LiteralString = """
        ($1::text IS NULL OR c.state = $1)
    AND ($2::text IS NULL OR c.kind = $2)
    AND ($3::text IS NULL OR c.urgency = $3)
    AND ($4::text IS NULL OR c.line = $4)
    AND ($5::text IS NULL OR c.level1 = $5)
    AND ($6::text IS NULL OR c.area = $6)
    AND ($7::text IS NULL OR c.unit = $7)
    AND ($8::text IS NULL OR c.owner = $8)
    AND ($9::text[] IS NULL
         OR (c.state NOT IN ('closed', 'archived')
             AND (c.owner = ANY ($9) OR c.offered_to = ANY ($9))))
    AND ($10::text IS NULL OR c.channel = $10)
    AND ($14::timestamptz IS NULL OR c.drafted_at >= $14)
    AND ($15::timestamptz IS NULL OR c.drafted_at < $15)
    AND ($16::bigint[] IS NULL OR c.id <> ALL ($16))"""
# The statement for the house finds nothing for a unit. What a unit may see says `cases_of_unit`
# alone: the two ways in which its cases are come by only follow the order of an index, and each
# case on them is asked for by itself, so that only those shown are read.
_HOUSE: LiteralString = " AND $13::text IS NULL"
_SEEN: LiteralString = """
    AND (SELECT count(*) FROM cases_of_unit($13) AS seen WHERE seen = c.id) > 0"""
_SEEN_OF_MANY: LiteralString = " AND c.id IN (SELECT seen FROM cases_of_unit($13) AS seen)"
_CASES: LiteralString = "SELECT c.* FROM cases c WHERE "
_LEADS: LiteralString = "SELECT c.id FROM cases c WHERE c.unit = $13 AND "
_HELPS: LiteralString = """
    SELECT c.id FROM case_units p JOIN cases c ON c.id = p.case_id
     WHERE p.unit = $13 AND p.ended_at IS NULL AND """
_EITHER: LiteralString = ") UNION ("
_BEGIN: LiteralString = "WITH found AS (("
_THOSE: LiteralString = ")) SELECT c.* FROM cases c JOIN found USING (id)"

# Downwards, in the order of the indexes of migration 0141; everything, in that of the plain id.
_BELOW: LiteralString = " AND ($12::bigint IS NULL OR -c.id > -$12)"
_PARTS_BELOW: LiteralString = "($12::bigint IS NULL OR p.case_id < $12) AND "
_NEWEST: LiteralString = " ORDER BY -c.id LIMIT $11"
_NEWEST_PARTS: LiteralString = " ORDER BY p.case_id DESC LIMIT $11"
_ALL_BELOW: LiteralString = " AND ($12::bigint IS NULL OR c.id < $12)"
_NEWEST_OF_ALL: LiteralString = " ORDER BY c.id DESC LIMIT $11"
LIST: LiteralString = _CASES + _FITS + _BELOW + _HOUSE + _NEWEST
LIST_ALL: LiteralString = _CASES + _FITS + _ALL_BELOW + _HOUSE + _NEWEST_OF_ALL
LIST_OF_UNIT: LiteralString = (
    (_BEGIN + _LEADS + _FITS + _BELOW + _SEEN + _NEWEST)
    + (_EITHER + _HELPS + _PARTS_BELOW + _FITS + _BELOW + _SEEN + _NEWEST_PARTS)
    + (_THOSE + _NEWEST)
)

# In the order of the indexes `cases_work` and `cases_work_of_lead`.
_LIVE: LiteralString = """
    AND c.state NOT IN ('closed', 'archived')
    AND ($12::bigint IS NULL
         OR (coalesce(c.due_at, 'infinity'::timestamptz), c.id)
            > (coalesce($17::timestamptz, 'infinity'::timestamptz), $12))"""
_FIRST: LiteralString = " ORDER BY coalesce(c.due_at, 'infinity'::timestamptz), c.id LIMIT $11"
WORK: LiteralString = _CASES + _FITS + _LIVE + _HOUSE + _FIRST
WORK_OF_UNIT: LiteralString = (
    (_BEGIN + _LEADS + _FITS + _LIVE + _SEEN + _FIRST)
    + (_EITHER + _HELPS + _FITS + _LIVE + _SEEN + _FIRST)
    + (_THOSE + _FIRST)
)

# All that is found is put in order first; then each is looked at in turn until the page is full.
_IN_TURN: LiteralString = "SELECT c.* FROM (SELECT id FROM ("
_OF_FOUND: LiteralString = """) AS hit (id) WHERE $12::bigint IS NULL OR id < $12
     ORDER BY id DESC OFFSET 0) AS found JOIN cases c ON c.id = found.id WHERE """
_END: LiteralString = " ORDER BY found.id DESC LIMIT $11"
_WORDS: LiteralString = """
    SELECT case_id FROM case_words
     WHERE search_grams(plain) @> search_grams(search_plain($17::text))
       AND position(search_plain($17::text) IN plain) > 0"""
_BEGINS: LiteralString = """
    SELECT id FROM cases WHERE number ~>=~ $17::text AND number ~<~ ($17::text || ':')"""
_NUMBER: LiteralString = "SELECT id FROM cases WHERE number = $17::text"
_TAIL: LiteralString = """
    SELECT b.case_id FROM identities i JOIN case_callers b ON b.caller = i.token
     WHERE i.tail = ANY (($17::tails).hashes)"""

# The newest cases by index (here a unit's), each looked at for the words: enough where they are
# common. Where this does not fill the page, they are rare enough for the index of words.
_RECENT: LiteralString = """
    SELECT c.* FROM (SELECT id FROM (
        (SELECT id FROM cases WHERE unit = $13 AND given_at IS NOT NULL
            AND ($12::bigint IS NULL OR id < $12) ORDER BY id DESC LIMIT 2000)
        UNION
        (SELECT case_id FROM case_units WHERE unit = $13 AND ended_at IS NULL
            AND ($12::bigint IS NULL OR case_id < $12) ORDER BY case_id DESC LIMIT 2000))
             AS theirs (id) ORDER BY id DESC LIMIT 2000) AS found
      JOIN case_words w ON w.case_id = found.id
       AND search_grams(w.plain) @> search_grams(search_plain($17::text))
       AND position(search_plain($17::text) IN w.plain) > 0
      JOIN cases c ON c.id = found.id WHERE """
SEARCH_RECENT: LiteralString = _RECENT + _FITS + _SEEN + _END
# The same for the house, whose newest cases are those of all.
_RECENT_OF_ALL: LiteralString = """
    SELECT c.* FROM (SELECT id FROM cases WHERE ($12::bigint IS NULL OR id < $12)
                      ORDER BY id DESC LIMIT 2000) AS found
      JOIN case_words w ON w.case_id = found.id
       AND position(search_plain($17::text) IN w.plain) > 0
      JOIN cases c ON c.id = found.id WHERE """
SEARCH_RECENT_OF_ALL: LiteralString = _RECENT_OF_ALL + _FITS + _HOUSE + _END

Both = tuple[LiteralString, LiteralString]
"""The statement for the house, and the one for a unit."""


def _searching(hits: LiteralString) -> Both:
    found: LiteralString = _IN_TURN + hits + _OF_FOUND + _FITS
    return found + _HOUSE + _END, found + _SEEN_OF_MANY + _END


SEARCH_WORDS, SEARCH_BEGINS = _searching(_WORDS), _searching(_BEGINS)
SEARCH_NUMBER, SEARCH_TAIL = _searching(_NUMBER), _searching(_TAIL)


async def page(
    conn: Connection,
    wanted: Filter = EVERYTHING,
    *,
    after: int | None = None,
    limit: int = 50,
    search: Sought | None = None,
) -> Page:
    """Return one page of cases, newest first, from below the id `after`."""
    statements, text = (_listing(wanted), None) if search is None else _search(search)
    size = _size(limit) + 1
    values = (*_values(wanted, size, after), *(() if text is None else (text,)))
    cases: tuple[Case, ...] = ()
    if statements == SEARCH_WORDS:
        cases = await _fetch(conn, (SEARCH_RECENT_OF_ALL, SEARCH_RECENT), wanted, values)
    if len(cases) <= _size(limit):
        cases = await _fetch(conn, statements, wanted, values)
    shown = cases[: _size(limit)]
    return Page(cases=shown, after=shown[-1].id if len(cases) > len(shown) else None)


async def work(
    conn: Connection, wanted: Filter = EVERYTHING, *, after: Place | None = None, limit: int = 50
) -> Work:
    """Return one page of live cases, what is due first before all others."""
    values = (
        *_values(wanted, _size(limit) + 1, after.id if after else None),
        after.due_at if after else None,
    )
    cases = await _fetch(conn, (WORK, WORK_OF_UNIT), wanted, values)
    shown = cases[: _size(limit)]
    if len(cases) == len(shown):
        return Work(cases=shown, after=None)
    last = shown[-1]
    return Work(cases=shown, after=Place(due_at=last.due_at, id=last.id))


async def counted(conn: Connection, wanted: Filter, most: int, taken: Taken) -> int:
    """How many cases `streamed` would give, up to `most`."""
    statement, values = _taking(wanted, most, taken)
    async with conn.transaction():
        await conn.execute(_FOR_THESE_VALUES)
        return int(await conn.fetchval(_COUNT + statement + _COUNTED, *values))


async def streamed(
    conn: Connection, wanted: Filter, most: int, taken: Taken
) -> AsyncIterator[Case]:
    """Give cases one by one, `most` at the most, however many there are; inside a transaction.

    A cursor of the database holds the place: no more than `AHEAD` rows are in memory.
    """
    statement, values = _taking(wanted, most, taken)
    await conn.execute(_FOR_THESE_VALUES)
    async for row in conn.cursor(statement, *values, prefetch=AHEAD):
        yield case_in(row)


def _taking(wanted: Filter, most: int, taken: Taken) -> tuple[LiteralString, Sequence[object]]:
    values = _values(wanted, most, None)
    unit = wanted.of_unit is not None
    if taken.due:
        return (WORK, WORK_OF_UNIT)[unit], (*values, None)
    if taken.search is None:
        return _listing(wanted)[unit], values
    statements, text = _search(taken.search)
    return statements[unit], (*values, text)


def _listing(wanted: Filter) -> Both:
    """By the index of what is asked for; without any, from the newest case on."""
    indexed = (wanted.state, wanted.level1, wanted.area, wanted.unit, wanted.owner, wanted.owners)
    rare = wanted.urgency not in {None, Urgency.NORMAL}
    return (LIST if rare or any(it is not None for it in indexed) else LIST_ALL), LIST_OF_UNIT


def _search(wanted: Sought) -> tuple[Both, str]:
    if wanted.number is not None:
        return SEARCH_NUMBER, wanted.number
    if wanted.begins is not None:
        return SEARCH_BEGINS, wanted.begins
    if wanted.tail is not None:
        return SEARCH_TAIL, wanted.tail
    return SEARCH_WORDS, wanted.words or ""


def _size(limit: int) -> int:
    return max(1, min(limit, LARGEST_PAGE))


def _values(wanted: Filter, rows: int, after: int | None) -> tuple[object, ...]:
    return (
        wanted.state,
        wanted.kind,
        wanted.urgency,
        wanted.line,
        wanted.level1,
        wanted.area,
        wanted.unit,
        wanted.owner,
        None if wanted.owners is None else list(wanted.owners),
        wanted.channel,
        rows,
        after,
        wanted.of_unit,
        wanted.since,
        wanted.until,
        None if wanted.besides is None else list(wanted.besides),
    )


async def _fetch(
    conn: Connection, statements: Both, wanted: Filter, values: Sequence[object]
) -> tuple[Case, ...]:
    async with conn.transaction():
        await conn.execute(_FOR_THESE_VALUES)
        rows = await conn.fetch(statements[wanted.of_unit is not None], *values)
    return tuple(case_in(row) for row in rows)
