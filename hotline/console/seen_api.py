"""Who saw what: every look at a case, a call, its sound or its caller is a row of the journal.

A caller's name and number are told in full only to whoever gives a reason (PIPL, article 51; the
leak of 2026 that nobody could trace, domain facts 0.3). The rows are chained like all others; the
feed leaves them out, and `/api/cases/{case_id}/seen` answers in one query.
"""

from datetime import datetime
from typing import Annotated, Any, LiteralString

from pydantic import Field

from hotline import journal, protection_rows
from hotline.console.desk import Request
from hotline.console.endpoint import get, post
from hotline.console.problems import Fault, ProblemError
from hotline.console.shapes import Asked, Id, Told
from hotline.console.who import CALLERS, DISCIPLINE, INSPECTORS
from hotline.database import Connection, borrowed, transaction
from hotline.journal import Event
from hotline.masking import mask_text
from routing.cases import Role

LONGEST_LIST = 1000
_CALLER: LiteralString = """
    SELECT i.number, i.name, k.id AS case_id
      FROM calls c LEFT JOIN identities i ON i.token = coalesce(c.caller, c.callee)
      LEFT JOIN cases k ON k.call_id = c.id WHERE c.id = $1"""
_CASE_OF: LiteralString = "SELECT id FROM cases WHERE call_id = $1"
_SEEN: LiteralString = """
    SELECT id, at, actor, event, call_id, body ->> 'what' AS what, body ->> 'reason' AS reason
      FROM journal
     WHERE (case_id = $1 OR call_id = (SELECT call_id FROM cases WHERE id = $1))
       AND event = ANY ($2::text[])
     ORDER BY id DESC LIMIT $3"""


class RevealAsked(Asked):
    """Why somebody must know who called."""

    reason: Annotated[str, Field(min_length=4, max_length=500)]


class CallerView(Told):
    """A caller in full, or whom a call from here called; None where the number was withheld."""

    call_id: Id
    number: str | None
    name: str | None


class LookView(Told):
    """One look: who, when, at what, and the reason where one was asked for."""

    id: Id
    at: datetime
    actor: str
    event: str
    call_id: Id | None
    what: str | None
    reason: str | None


class Looks(Told):
    """Who saw a case and its call, newest first, a thousand at most."""

    looks: tuple[LookView, ...]


async def note(
    asked: Request,
    event: Event,
    *,
    call_id: int | None = None,
    case_id: int | None = None,
    what: str | None = None,
) -> None:
    """Write down a look; it is over when this returns, so nobody sees without a row."""
    body = {} if what is None else {"what": what}
    async with transaction(asked.services.pool) as tx:
        if case_id is None and call_id is not None:
            case_id = await tx.fetchval(_CASE_OF, call_id)
        await _write(tx, asked, event, call_id=call_id, case_id=case_id, body=body)


async def _write(
    tx: Connection,
    asked: Request,
    event: Event,
    *,
    call_id: int | None,
    case_id: int | None,
    body: dict[str, Any],
) -> None:
    await journal.write(
        tx,
        at=asked.services.clock(),
        actor=asked.who.name,
        event=event,
        call_id=call_id,
        case_id=case_id,
        body=body,
    )


async def note_reveal(
    tx: Connection,
    asked: Request,
    given: RevealAsked,
    *,
    call_id: int | None,
    case_id: int | None,
    what: str | None = None,
) -> None:
    """Write down that somebody learns who called or wrote, and why; of a report only discipline."""
    whole = Role.DISCIPLINE in asked.who.roles
    if case_id and not whole and await protection_rows.of_case(tx, case_id) is not None:
        raise ProblemError(Fault.FORBIDDEN, "Only discipline learns who made this report.")
    await _write(
        tx,
        asked,
        Event.SEEN_IDENTITY,
        call_id=call_id,
        case_id=case_id,
        body={"reason": mask_text(given.reason)} | ({} if what is None else {"what": what}),
    )


async def reveal_caller(asked: Request) -> CallerView:
    """Tell a caller's name and number in full, for a reason that is kept."""
    call_id, given = asked.path_id("call_id"), asked.asked(RevealAsked)
    async with transaction(asked.services.pool) as tx:
        row = await tx.fetchrow(_CALLER, call_id)
        if row is None:
            raise ProblemError(Fault.NOT_FOUND, f"There is no call {call_id}.")
        await note_reveal(tx, asked, given, call_id=call_id, case_id=row["case_id"])
    return CallerView(call_id=call_id, number=row["number"], name=row["name"])


async def who_saw(asked: Request) -> Looks:
    """Everybody who saw a case, heard its call, learnt who called, or tried to and could not."""
    case_id = asked.path_id("case_id")
    async with borrowed(asked.services.pool) as conn:
        await asked.sight.check(conn, case_id)
        rows = await conn.fetch(_SEEN, case_id, sorted(journal.LOOKS), LONGEST_LIST)
    return Looks(looks=tuple(LookView(**dict(row)) for row in rows))


ENDPOINTS = (
    post(
        "/api/calls/{call_id}/reveal",
        reveal_caller,
        RevealAsked,
        CallerView,
        faults=(Fault.NOT_FOUND, Fault.FORBIDDEN),
        roles=CALLERS | DISCIPLINE,
    ),
    get(
        "/api/cases/{case_id}/seen",
        who_saw,
        Looks,
        faults=(Fault.NOT_FOUND,),
        roles=INSPECTORS,
    ),
)
