"""How a matter stands, for whoever reported it: by the case's number and the telephone's end.

Nobody signs in, so the answer holds what the caller was promised and nothing of what was written:
the state, the promised date, whether it was kept, and a reply that was published. A case that is
protected is not found. Wrong pairs make the next try wait longer, for the address and for the
case's number, so that nobody can try all ten thousand endings.
"""

from datetime import datetime
from typing import Annotated, LiteralString

from pydantic import Field, StringConstraints

from hotline.console.desk import Request
from hotline.console.endpoint import post
from hotline.console.problems import Fault, ProblemError
from hotline.console.shapes import Asked, Told
from hotline.database import borrowed
from routing.cases import CaseState

_PROGRESS: LiteralString = """
    SELECT k.number, k.state, k.opened_at, k.due_at, k.answered_at, k.closed_at,
           CASE WHEN k.given_at IS NOT NULL THEN k.unit END AS unit,
           (SELECT p.reply FROM publications p
             WHERE p.case_id = k.id AND p.state = 'published') AS reply
      FROM cases k JOIN calls called ON called.id = k.call_id
      JOIN identities i ON i.token = called.caller
     WHERE k.number = $1 AND i.tail = ANY (($2::tails).hashes) AND k.opened_at IS NOT NULL
       AND k.id <> ALL (ARRAY(SELECT hidden_cases('{}')))"""


class ProgressAsked(Asked):
    """The case's number as it was told to the caller, and the telephone's last four digits."""

    number: Annotated[str, StringConstraints(pattern=r"^[0-9-]{8,40}$")]
    tail: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}$")]


class Progress(Told):
    """How a matter stands."""

    number: str
    state: CaseState
    accepted_at: datetime
    promised_at: datetime | None = Field(description="By when an answer was promised.")
    answered_at: datetime | None
    closed_at: datetime | None
    unit: str | None = Field(description="The unit that has it.")
    reply: str | None = Field(description="The reply, where it was published.")


async def ask_progress(asked: Request) -> Progress:
    """How a matter stands, by the case's number and the last four digits of the caller's number."""
    return await progress_of(asked, asked.asked(ProgressAsked))


async def progress_of(asked: Request, given: ProgressAsked) -> Progress:
    """The same, of what a program or a form gave; both count wrong pairs together."""
    now = asked.services.clock()
    tries = asked.desk.door.asking
    for key in (asked.address, given.number):
        tries.check(key, now)
    async with borrowed(asked.services.pool) as conn:
        row = await conn.fetchrow(_PROGRESS, given.number, given.tail)
    if row is None:
        for key in (asked.address, given.number):
            tries.failed(key, now)
        raise ProblemError(Fault.NOT_FOUND, "No case has this number and this telephone.")
    told = dict(row)
    accepted, promised = told.pop("opened_at"), told.pop("due_at")
    return Progress(
        **told | {"state": CaseState(told["state"])}, accepted_at=accepted, promised_at=promised
    )


ENDPOINTS = (
    post(
        "/api/progress",
        ask_progress,
        ProgressAsked,
        Progress,
        is_open=True,
        faults=(Fault.NOT_FOUND, Fault.TOO_MANY_ATTEMPTS),
    ),
)
