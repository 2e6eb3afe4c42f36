"""Leaders' instructions as steps: given, passed on, answered, done; and their reminders.

The journal tells who did what with which instruction and until when, not what it says.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hotline import duty_instruction_rows as rows
from hotline import duty_reminder_rows as reminders
from hotline import journal
from hotline.database import Connection, Pool, borrowed, transaction
from hotline.duty_incidents import By
from hotline.duty_instruction_rows import Given, Instruction
from hotline.duty_reminder_rows import ALARM, Mark
from hotline.errors import DutyChangedError, DutyWrongError
from hotline.journal import Event
from routing.duty_instructions import FROM, InstructionMove, InstructionState, shares_reached

SERVICE = "service"
KIND = "instruction"
AT_ONCE = 10_000


async def give(tx: Connection, given: Given, by: By) -> int:
    """A leader's instruction came to the desk; returns its number."""
    if given.due_at <= by.at:
        raise DutyWrongError("due_at: this date has passed.")
    number = await rows.add(tx, given, by.name, by.at)
    await _tell(tx, Event.DUTY_INSTRUCTION_GIVEN, await rows.get(tx, number), by)
    return number


async def pass_on(tx: Connection, number: int, to: str, by: By) -> None:
    """It was passed on to somebody of its unit."""
    before = await _legal(tx, number, InstructionMove.PASS_ON)
    await rows.pass_on(tx, number, to, by=by.name, now=by.at)
    await _tell(tx, Event.DUTY_INSTRUCTION_PASSED_ON, before, by)


async def feed_back(tx: Connection, number: int, text: str, by: By) -> None:
    """The unit told how it stands."""
    before = await _legal(tx, number, InstructionMove.FEEDBACK)
    await rows.say(tx, number, text, by=by.name, now=by.at)
    await _tell(tx, Event.DUTY_INSTRUCTION_FEEDBACK, before, by)


async def finish(tx: Connection, number: int, evidence: str, by: By) -> None:
    """It is carried out, and by what one sees it."""
    before = await _legal(tx, number, InstructionMove.DONE)
    done = InstructionState.DONE
    await rows.end(tx, number, done, by=by.name, now=by.at, told=evidence)
    await _tell(tx, Event.DUTY_INSTRUCTION_DONE, before, by)


async def withdraw(tx: Connection, number: int, reason: str, by: By) -> None:
    """It is wanted no longer, with the reason."""
    before = await _legal(tx, number, InstructionMove.WITHDRAW)
    gone = InstructionState.WITHDRAWN
    await rows.end(tx, number, gone, by=by.name, now=by.at, told=reason)
    await _tell(tx, Event.DUTY_INSTRUCTION_WITHDRAWN, before, by)


async def follow(pool: Pool, now: datetime) -> None:
    """Remind of instructions once at each share of their time; an alarm stands until the end."""
    async with borrowed(pool) as conn:
        live = await rows.listed(conn, live=True, limit=AT_ONCE)
        sent = await reminders.sent(conn, [KIND], [one.id for one in live])
        standing = await reminders.alarms(conn, [KIND])
    for one in live:
        for mark in _marks(one, now):
            if mark not in sent:
                await _remind(pool, one, mark, now)
    overdue = {mark for one in live for mark in _marks(one, now) if mark.share == ALARM}
    for mark in standing:
        if mark not in overdue:
            async with transaction(pool) as tx:
                await reminders.over(tx, mark, now)


def _marks(one: Instruction, now: datetime) -> list[Mark]:
    return [
        Mark(kind=KIND, subject=one.id, ends_at=one.due_at, share=share)
        for share in shares_reached(one.given_at, one.due_at, now)
    ]


async def _remind(pool: Pool, one: Instruction, mark: Mark, now: datetime) -> None:
    async with transaction(pool) as tx:
        if await reminders.remember(tx, mark, now):
            more = {"timer": KIND, "share": mark.share}
            by = By(name=SERVICE, at=now)
            await _tell(tx, Event.DUTY_TIMER_DUE, one, by, more)


async def _legal(tx: Connection, number: int, move: InstructionMove) -> Instruction:
    before = await rows.held(tx, number)
    if before.state not in FROM[move]:
        raise DutyChangedError(
            f"This instruction is {before.state.value.replace('_', ' ')}: {_WANTED[move]}."
        )
    return before


_WANTED = {
    InstructionMove.PASS_ON: "it is passed on once",
    InstructionMove.FEEDBACK: "feedback comes between passing on and the end",
    InstructionMove.DONE: "what was passed on can be done, once",
    InstructionMove.WITHDRAW: "it is over",
}


async def _tell(
    tx: Connection,
    event: Event,
    one: Instruction,
    by: By,
    more: Mapping[str, Any] | None = None,
) -> None:
    body = {"instruction": one.id, "unit": one.unit, "due_at": one.due_at, **(more or {})}
    await journal.write(tx, at=by.at, actor=by.name, event=event, case_id=one.case_id, body=body)
