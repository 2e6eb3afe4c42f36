"""Cases in PostgreSQL: the only file of routing that knows the database.

Every function runs inside the caller's transaction, so the caller adds its journal row and next
job to the same one. A move is a conditional update on the state that was seen: zero rows mean that
somebody else was first.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, LiteralString, Protocol

from routing.cases import (
    MOVES,
    Actor,
    Case,
    CaseState,
    Kind,
    Move,
    MoveData,
    Suggestion,
    Urgency,
    moved,
)
from routing.errors import CaseConflict, CaseUnknown
from routing.numbers import case_number, parse_number


class Connection(Protocol):
    """The part of an asyncpg connection (plain or from a pool) that is used here."""

    async def fetch(self, query: str, *args: object) -> list[Any]:
        """Return all rows."""
        ...

    async def fetchrow(self, query: str, *args: object) -> Any:
        """Return one row or None."""
        ...

    async def fetchval(self, query: str, *args: object) -> Any:
        """Return one value."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """A draft case; `created` is false when the call already had it."""

    case: Case
    created: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """A case with its suggestion; `changed` is false when it held this very one before."""

    case: Case
    changed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A move that was made: the case before and after, and the journal row's name and facts.

    `body` holds no free text but the words the mover gave (`reply`, `reason`): whoever journals
    them masks them. In full they are kept here, see `texts_of`.
    """

    before: Case
    after: Case
    move: Move
    event: str
    body: dict[str, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """What somebody wrote with a move, word for word; `sort` is `reply` or `reason`."""

    at: datetime
    actor: str
    move: Move
    sort: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which cases a list shows; None means all."""

    states: Sequence[CaseState] | None = None
    kinds: Sequence[Kind] | None = None
    urgencies: Sequence[Urgency] | None = None
    line: str | None = None
    level1: str | None = None
    area: str | None = None
    unit: str | None = None
    owner: str | None = None
    drafted_from: datetime | None = None
    drafted_before: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Cases, newest first; `after` asks for the next page, None when this was the last."""

    cases: tuple[Case, ...]
    after: int | None


NEXT_ID: LiteralString = "SELECT nextval(pg_get_serial_sequence('cases', 'id'))"

DRAFT: LiteralString = """
    INSERT INTO cases (id, number, call_id, line, state, urgency, owner, drafted_at)
    OVERRIDING SYSTEM VALUE VALUES ($1, $2, $3, $4, 'draft', 'normal', $5, $6)
    ON CONFLICT (call_id) DO NOTHING
    RETURNING *"""

BY_ID: LiteralString = "SELECT * FROM cases WHERE id = $1"
BY_IDS: LiteralString = "SELECT * FROM cases WHERE id = ANY ($1)"
BY_NUMBER: LiteralString = "SELECT * FROM cases WHERE number = $1"
BY_CALL: LiteralString = "SELECT * FROM cases WHERE call_id = $1"
SUGGESTION_OF: LiteralString = "SELECT suggestion::text FROM cases WHERE id = $1"

# A person's confirmed values are never overwritten: only a draft takes over what words suggest.
SUGGEST: LiteralString = """
    UPDATE cases SET
        suggestion = $2::jsonb,
        kind = CASE WHEN state = 'draft' THEN $3 ELSE kind END,
        urgency = CASE WHEN state = 'draft' THEN $4 ELSE urgency END,
        level1 = CASE WHEN state = 'draft' THEN $5 ELSE level1 END,
        area = CASE WHEN state = 'draft' THEN $6 ELSE area END,
        unit = CASE WHEN state = 'draft' THEN $7 ELSE unit END
    WHERE id = $1 AND suggestion IS DISTINCT FROM $2::jsonb
    RETURNING *"""

MOVE: LiteralString = """
    UPDATE cases SET
        state = $3, owner = $4, kind = $5, urgency = $6, level1 = $7, area = $8, unit = $9,
        summary = $10, policy = $11, opened_at = $12, dispatched_at = $13, answered_at = $14,
        closed_at = $15
    WHERE id = $1 AND state = $2
    RETURNING *"""

KEEP_TEXTS: LiteralString = """
    INSERT INTO case_texts (case_id, at, actor, move, sort, text)
    SELECT $1, $2, $3, $4, given.sort, given.text
      FROM unnest($5::text[], $6::text[]) AS given (sort, text)"""
TEXTS: LiteralString = """
    SELECT at, actor, move, sort, text FROM case_texts WHERE case_id = $1 ORDER BY id"""

LIST: LiteralString = """
    SELECT *
    FROM cases
    WHERE ($1::text[] IS NULL OR state = ANY ($1))
      AND ($2::text[] IS NULL OR kind = ANY ($2))
      AND ($3::text[] IS NULL OR urgency = ANY ($3))
      AND ($4::text IS NULL OR line = $4)
      AND ($5::text IS NULL OR level1 = $5)
      AND ($6::text IS NULL OR area = $6)
      AND ($7::text IS NULL OR unit = $7)
      AND ($8::text IS NULL OR owner = $8)
      AND ($9::timestamptz IS NULL OR drafted_at >= $9)
      AND ($10::timestamptz IS NULL OR drafted_at < $10)
      AND ($11::bigint IS NULL OR id < $11)
    ORDER BY id DESC
    LIMIT $12"""

CASE_COLUMNS = tuple(field.name for field in fields(Case))
LARGEST_PAGE = 500
EVERYTHING = Filter()


async def open_draft(
    conn: Connection, *, call_id: int | None, line: str, owner: str, now: datetime
) -> Drafted:
    """Give a call its draft case, once; without a call, start a new draft.

    `owner` is the first person asked, who answers for the case until another accepts it.
    """
    if call_id is not None and (row := await conn.fetchrow(BY_CALL, call_id)) is not None:
        return Drafted(case=_case(row), created=False)
    case_id: int = await conn.fetchval(NEXT_ID)
    number = case_number(case_id, now)
    row = await conn.fetchrow(DRAFT, case_id, number, call_id, line, owner, now)
    if row is not None:
        return Drafted(case=_case(row), created=True)
    row = await conn.fetchrow(BY_CALL, call_id)  # another transaction drafted it meanwhile
    return Drafted(case=_case(row), created=False)


async def apply_suggestion(conn: Connection, case_id: int, suggestion: Suggestion) -> Applied:
    """Keep a suggestion with its case; a draft also takes its values over.

    Raises:
        CaseUnknown: there is no such case.
    """
    row = await conn.fetchrow(
        SUGGEST,
        case_id,
        json.dumps(asdict(suggestion), ensure_ascii=False),
        suggestion.kind,
        suggestion.urgency,
        suggestion.level1,
        suggestion.area,
        suggestion.unit,
    )
    if row is not None:
        return Applied(case=_case(row), changed=True)
    return Applied(case=await get(conn, case_id), changed=False)


async def move(  # noqa: PLR0917 - who, what, when: read in this order everywhere
    conn: Connection,
    case_id: int,
    step: Move,
    actor: Actor,
    now: datetime,
    data: MoveData | None = None,
    *,
    expected: CaseState | None = None,
    policy: str | None = None,
) -> Moved:
    """Make one legal move and keep what was written with it, or change nothing.

    Args:
        conn: a connection inside the caller's transaction.
        case_id: the case.
        step: the move.
        actor: who makes it, with the roles held.
        now: the aware moment of the move.
        data: what the move carries.
        expected: the state the person saw on the screen; None takes the present one.
        policy: the policy pack in force (`sichuan-2025/1`), kept when the case opens.

    Raises:
        CaseUnknown: there is no such case.
        CaseConflict: somebody else moved it first.
        IllegalMove: the table forbids it; MissingFact: it lacks what it must carry.
    """
    given = data or MoveData()
    before = await get(conn, case_id)
    if expected is not None and before.state is not expected:
        raise _conflict(before, step)
    after = moved(before, step, actor, given, now, policy=policy)
    row = await conn.fetchrow(
        MOVE,
        case_id,
        before.state,
        after.state,
        after.owner,
        after.kind,
        after.urgency,
        after.level1,
        after.area,
        after.unit,
        after.summary,
        after.policy,
        after.opened_at,
        after.dispatched_at,
        after.answered_at,
        after.closed_at,
    )
    if row is None:
        raise _conflict(await get(conn, case_id), step)
    if written := _written(given):
        names, texts = list(written), list(written.values())
        await conn.fetch(KEEP_TEXTS, case_id, now, actor.name, step.value, names, texts)
    return Moved(
        before=before,
        after=_case(row),
        move=step,
        event=MOVES[step].event,
        body=_body(before, after, step, given),
    )


async def get(conn: Connection, case_id: int) -> Case:
    """Return a case by its id; raises CaseUnknown."""
    row = await conn.fetchrow(BY_ID, case_id)
    if row is None:
        raise CaseUnknown(f"There is no case with the id {case_id}.", case_id=case_id)
    return _case(row)


async def get_by_number(conn: Connection, number: str) -> Case:
    """Return a case by its number as people write it; raises CaseUnknown."""
    written = parse_number(number)
    row = None if written is None else await conn.fetchrow(BY_NUMBER, written)
    if row is None:
        raise CaseUnknown("There is no case with this number: please read it again.")
    return _case(row)


async def of_call(conn: Connection, call_id: int) -> Case | None:
    """Return the case of a call, None when the call has none."""
    row = await conn.fetchrow(BY_CALL, call_id)
    return None if row is None else _case(row)


async def of_ids(conn: Connection, ids: Sequence[int]) -> tuple[Case, ...]:
    """Return the cases of some ids, those there are, in no order."""
    return tuple(_case(row) for row in await conn.fetch(BY_IDS, ids))


async def suggestion_of(conn: Connection, case_id: int) -> dict[str, Any] | None:
    """Return the stored suggestion as plain values, None when the words said nothing yet."""
    text = await conn.fetchval(SUGGESTION_OF, case_id)
    if text is None:
        return None
    stored: dict[str, Any] = json.loads(text)
    return stored


async def texts_of(conn: Connection, case_id: int) -> tuple[Text, ...]:
    """What people wrote with the moves of a case, word for word, oldest first."""
    rows = await conn.fetch(TEXTS, case_id)
    return tuple(Text(**{**row, "move": Move(row["move"])}) for row in rows)


async def page(
    conn: Connection,
    wanted: Filter = EVERYTHING,
    *,
    after: int | None = None,
    limit: int = 50,
) -> Page:
    """Return one page of cases, newest first, from below the id `after`."""
    size = max(1, min(limit, LARGEST_PAGE))
    rows = await conn.fetch(
        LIST,
        _texts(wanted.states),
        _texts(wanted.kinds),
        _texts(wanted.urgencies),
        wanted.line,
        wanted.level1,
        wanted.area,
        wanted.unit,
        wanted.owner,
        wanted.drafted_from,
        wanted.drafted_before,
        after,
        size + 1,
    )
    cases = tuple(_case(row) for row in rows[:size])
    return Page(cases=cases, after=cases[-1].id if len(rows) > size else None)


def _texts(values: Sequence[str] | None) -> list[str] | None:
    return None if values is None else [str(value) for value in values]


def _conflict(present: Case, step: Move) -> CaseConflict:
    return CaseConflict(
        f"Case {present.number} was moved by somebody else and is now {present.state}:"
        f" '{step}' was not made, please look again.",
        case_id=present.id,
    )


def _body(before: Case, after: Case, step: Move, data: MoveData) -> dict[str, str | None]:
    body: dict[str, str | None] = {
        "number": after.number,
        "move": step,
        "from": before.state,
        "to": after.state,
        "kind": after.kind,
        "urgency": after.urgency,
        "level1": after.level1,
        "area": after.area,
        "unit": after.unit or before.unit,
        "owner": after.owner,
    }
    return body | _written(data)


def _written(data: MoveData) -> dict[str, str]:
    """The free text of a move, by its sort."""
    words = {"reply": data.reply, "reason": data.reason}
    return {name: text for name, text in words.items() if text}


def _case(row: Any) -> Case:
    values = {name: row[name] for name in CASE_COLUMNS}
    values["state"] = CaseState(values["state"])
    values["kind"] = None if values["kind"] is None else Kind(values["kind"])
    values["urgency"] = Urgency(values["urgency"] or Urgency.NORMAL)
    return Case(**values)
