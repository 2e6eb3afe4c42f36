"""Cases in PostgreSQL: the only file of routing that knows the database.

Every function runs inside the caller's transaction, so the caller adds its journal row and next
job to the same one. A move is a conditional update on the state that was seen: zero rows mean that
somebody else was first.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, LiteralString

from routing import group_store, text_store, unit_store
from routing.cases import (
    CASE_FACTS,
    Actor,
    Case,
    CaseState,
    Channel,
    Move,
    MoveData,
    Urgency,
    channel_of,
)
from routing.connection import Connection
from routing.errors import CaseConflict, CaseUnknown, IllegalMove
from routing.fold import read, told
from routing.in_force import InForce
from routing.moves import MOVES
from routing.moving import moved
from routing.numbers import case_number, parse_number
from routing.suggestions import Suggestion


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """A draft case; `created` is false when the call already had it."""

    case: Case
    created: bool

    @property
    def body(self) -> dict[str, Any]:
        """What the journal keeps of a new draft: all of it."""
        case = self.case
        facts = {"number": case.number, "line": case.line, "owner": case.owner}
        return {**facts, "changes": told(None, case)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """A case with its suggestion; `changed` is false when it held this very one before.

    `changes` are the facts a draft took over, as the journal keeps them.
    """

    case: Case
    changed: bool
    changes: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A move that was made: the case before and after, and the journal row's name and facts.

    `body` holds no free text, only the digest of each: the words are kept in text_store.py.
    """

    before: Case
    after: Case
    move: Move
    event: str
    body: dict[str, Any]


NEXT_ID: LiteralString = "SELECT nextval('cases_id_seq')"

DRAFT: LiteralString = """
    INSERT INTO cases (id, number, call_id, line, state, urgency, owner, drafted_at, channel)
    OVERRIDING SYSTEM VALUE VALUES ($1, $2, $3, $4, 'draft', 'normal', $5, $6, $7)
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
        suggestion = $2::jsonb, version = version + 1,
        kind = CASE WHEN state = 'draft' THEN $3 ELSE kind END,
        urgency = CASE WHEN state = 'draft' THEN $4 ELSE urgency END,
        level1 = CASE WHEN state = 'draft' THEN $5 ELSE level1 END,
        area = CASE WHEN state = 'draft' THEN $6 ELSE area END,
        unit = CASE WHEN state = 'draft' THEN $7 ELSE unit END
    WHERE id = $1 AND suggestion IS DISTINCT FROM $2::jsonb
    RETURNING *"""
SUMMARISE: LiteralString = "UPDATE cases SET summary = $2 WHERE id = $1 AND state = 'draft'"
HELD: LiteralString = "SELECT * FROM cases WHERE id = $1 FOR NO KEY UPDATE"

# What the journal says has changed is what is changed here: $3 holds the new values by column.
MOVE: LiteralString = """
    UPDATE cases c SET
        (version, state, owner, kind, urgency, level1, area, unit, helpers, asked, offered_to,
         summary, policy, opened_at, dispatched_at, given_at, signed_at, answered_at, closed_at,
         archived_at, reopened_at, due_at, asked_days, extended_days, statutory, return_ruled,
         level, unit_solved, solved, satisfied, call_back_tries, outcome, explanation, same_as,
         lead, truth, beyond_duty, publish)
      = (SELECT n.version, n.state, n.owner, n.kind, n.urgency, n.level1, n.area, n.unit,
                n.helpers, n.asked, n.offered_to, n.summary, n.policy, n.opened_at,
                n.dispatched_at, n.given_at, n.signed_at, n.answered_at, n.closed_at,
                n.archived_at, n.reopened_at, n.due_at, n.asked_days, n.extended_days,
                n.statutory, n.return_ruled, n.level, n.unit_solved, n.solved, n.satisfied,
                n.call_back_tries, n.outcome, n.explanation, n.same_as, n.lead, n.truth,
                n.beyond_duty, n.publish
           FROM jsonb_populate_record(c, $3::jsonb) n)
     WHERE c.id = $1 AND c.version = $2
    RETURNING *"""

EVIDENCE: LiteralString = """
    SELECT id, sha256 FROM case_evidence WHERE case_id = $1 AND id = ANY ($2::bigint[])
     ORDER BY id"""

FACTS_TOLD = (
    *("helpers", "units", "days", "person", "statutory", "same_as", "explanation", "result"),
    *("solved", "satisfied", "contacted_at", "lead", "truth", "beyond_duty", "publish"),
)
"""What is given with a move and told in its row as it is, beside the facts of the case."""


async def open_draft(
    conn: Connection,
    *,
    call_id: int | None,
    line: str,
    owner: str,
    now: datetime,
    channel: Channel | None = None,
) -> Drafted:
    """Give a call its draft case, once; without a call, start a new draft.

    `owner` is the first person asked, who answers for the case until another accepts it. Without a
    `channel` it is that of a call on the line.
    """
    came_by = channel or channel_of(line)
    if call_id is not None and (row := await conn.fetchrow(BY_CALL, call_id)) is not None:
        return Drafted(case=case_in(row), created=False)
    case_id: int = await conn.fetchval(NEXT_ID)
    number = case_number(case_id, now)
    row = await conn.fetchrow(DRAFT, case_id, number, call_id, line, owner, now, came_by)
    if row is not None:
        return Drafted(case=case_in(row), created=True)
    row = await conn.fetchrow(BY_CALL, call_id)  # another transaction drafted it meanwhile
    return Drafted(case=case_in(row), created=False)


async def summarise(conn: Connection, case_id: int, summary: str) -> None:
    """Put down what a new draft is about, in the reporter's words; `text_store` keeps them."""
    await conn.fetch(SUMMARISE, case_id, summary)


async def apply_suggestion(conn: Connection, case_id: int, suggestion: Suggestion) -> Applied:
    """Keep a suggestion with its case; a draft also takes its values over.

    Raises:
        CaseUnknown: there is no such case.
    """
    held = await conn.fetchrow(HELD, case_id)
    row = held and await conn.fetchrow(
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
        case = case_in(row)
        return Applied(case=case, changed=True, changes=told(case_in(held), case))
    return Applied(case=await get(conn, case_id), changed=False, changes={})


async def move(  # noqa: PLR0917 - who, what, when: read in this order everywhere
    conn: Connection,
    case_id: int,
    step: Move,
    actor: Actor,
    now: datetime,
    data: MoveData | None = None,
    *,
    limits: InForce,
    expected: CaseState | None = None,
    version: int | None = None,
) -> Moved:
    """Make one legal move and keep what was written with it, or change nothing.

    Args:
        conn: a connection inside the caller's transaction.
        case_id: the case.
        step: the move.
        actor: who makes it, with the roles held.
        now: the aware moment of the move.
        data: what the move carries.
        limits: the rules in force.
        expected: the state the person saw on the screen; None takes the present one.
        version: the version the person saw; None takes the present one.

    Raises:
        CaseUnknown: there is no such case.
        CaseConflict: somebody else changed it first.
        IllegalMove: the table forbids it; MissingFact: it lacks what it must carry.
    """
    given = data or MoveData()
    before = await get(conn, case_id)
    if expected not in {None, before.state} or version not in {None, before.version}:
        raise _conflict(before, step)
    after = moved(before, step, actor, given, now, limits)
    if given.same_as is not None:
        await get(conn, given.same_as)
    await group_store.check(conn, before, step, given)
    evidence = await _evidence(conn, before, given.evidence or ())
    changes = told(before, after)
    columns = {**changes, "summary": after.summary}
    row = await conn.fetchrow(MOVE, case_id, before.version, json.dumps(columns))
    if row is None:
        raise _conflict(await get(conn, case_id), step)
    texts = await text_store.keep(
        conn, case_id, move=step, actor=actor, now=now, texts=given.texts()
    )
    await unit_store.take_part(conn, case_id, step, actor, now, given)
    body = _body(before, after, step, given) | {"changes": changes, "texts": texts}
    return Moved(
        before=before,
        after=case_in(row),
        move=step,
        event=MOVES[step].event,
        body=body | ({"evidence": evidence} if evidence else {}),
    )


async def _evidence(conn: Connection, case: Case, ids: Sequence[int]) -> list[dict[str, Any]]:
    """The content of each piece that a move refers to, so that the journal proves it."""
    rows = await conn.fetch(EVIDENCE, case.id, list(ids)) if ids else []
    if missing := set(ids) - {row["id"] for row in rows}:
        raise IllegalMove(
            f"Case {case.number} has no evidence with the id {min(missing)}.", case_id=case.id
        )
    return [dict(row) for row in rows]


async def get(conn: Connection, case_id: int) -> Case:
    """Return a case by its id; raises CaseUnknown."""
    row = await conn.fetchrow(BY_ID, case_id)
    if row is None:
        raise CaseUnknown(f"There is no case with the id {case_id}.", case_id=case_id)
    return case_in(row)


async def get_by_number(conn: Connection, number: str) -> Case:
    """Return a case by its number as people write it; raises CaseUnknown."""
    written = parse_number(number)
    row = None if written is None else await conn.fetchrow(BY_NUMBER, written)
    if row is None:
        raise CaseUnknown("There is no case with this number: please read it again.")
    return case_in(row)


async def of_call(conn: Connection, call_id: int) -> Case | None:
    """Return the case of a call, None when the call has none."""
    row = await conn.fetchrow(BY_CALL, call_id)
    return None if row is None else case_in(row)


async def of_ids(conn: Connection, ids: Sequence[int]) -> tuple[Case, ...]:
    """Return the cases of some ids, those there are, in no order."""
    return tuple(case_in(row) for row in await conn.fetch(BY_IDS, ids))


async def suggestion_of(conn: Connection, case_id: int) -> dict[str, Any] | None:
    """Return the stored suggestion as plain values, None when the words said nothing yet."""
    text = await conn.fetchval(SUGGESTION_OF, case_id)
    if text is None:
        return None
    stored: dict[str, Any] = json.loads(text)
    return stored


def _conflict(present: Case, step: Move) -> CaseConflict:
    return CaseConflict(
        f"Case {present.number} was changed by somebody else and is now {present.state}:"
        f" '{step}' was not made, please look again.",
        case_id=present.id,
    )


def _body(before: Case, after: Case, step: Move, data: MoveData) -> dict[str, Any]:
    body: dict[str, Any] = {
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
    given = {name: getattr(data, name) for name in FACTS_TOLD}
    body |= {name: value for name, value in given.items() if value is not None}
    if after.outcome is not None and before.outcome is None:
        ending = ("outcome", "policy", "opened_at", "due_at", "line")
        body |= {name: getattr(after, name) for name in ending}
    return body


def case_in(row: Any) -> Case:
    """The case in a row that has all columns of `cases`."""
    values = {name: read(name, row[name]) for name in CASE_FACTS}
    values["urgency"] = values["urgency"] or Urgency.NORMAL
    return Case(**values)
