"""Leaders' instructions as steps: given, passed on, answered, done; and their reminders.

Until it is passed on the desk is reminded of it. Passing it on gives its unit a tracked item of the
supervision, whose clocks count from then on; the end of one is the end of the other.

The journal tells who did what with which instruction and until when, not what it says.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hotline import duty_instruction_rows as rows
from hotline import duty_reminder_rows as reminders
from hotline import journal, tracking
from hotline.database import Connection, Pool, borrowed, transaction
from hotline.duty_incidents import By
from hotline.duty_instruction_rows import Given, Instruction
from hotline.duty_reminder_rows import ALARM, Mark
from hotline.errors import DutyChangedError, DutyWrongError
from hotline.journal import Event
from hotline.masking import mask_text
from routing import tracked
from routing.cases import Actor, Urgency
from routing.duty_instructions import FROM, InstructionMove, InstructionState, shares_reached
from routing.in_force import InForce
from routing.supervision import ItemType

SERVICE = "service"
KIND = "instruction"
AT_ONCE = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Whoever passes on and ends, as the supervision sees it, and the rules it goes by."""

    actor: Actor
    limits: InForce


async def give(tx: Connection, given: Given, by: By) -> int:
    """A leader's instruction came to the desk; returns its number."""
    if given.due_at <= by.at:
        raise DutyWrongError("due_at: this date has passed.")
    if given.due_at > by.at + tracking.FURTHEST:  # its unit could never be given it
        raise DutyWrongError("due_at: within ten years; is the date right?")
    number = await rows.add(tx, given, by.name, by.at)
    await _tell(tx, Event.DUTY_INSTRUCTION_GIVEN, await rows.get(tx, number), by)
    return number


async def pass_on(tx: Connection, number: int, to: str, by: By, judge: Judge) -> None:
    """It was passed on to somebody of its unit, which has it as a tracked item from now on."""
    before = await _legal(tx, number, InstructionMove.PASS_ON)
    item = None
    if before.due_at > by.at:
        facts = {
            "type": ItemType.LEADER,
            "title": mask_text(before.text),
            "source": before.leader,
            "unit": before.unit,
            "person": None,
            "urgency": Urgency.NORMAL,
            "due_at": before.due_at,
            "case_id": before.case_id,
        }
        item = (await tracking.given(tx, facts, judge.actor, by.at, judge.limits)).id
    await rows.pass_on(tx, number, to, by=by.name, now=by.at, tracked=item)
    await _tell(tx, Event.DUTY_INSTRUCTION_PASSED_ON, before, by, {"tracked": item})


async def feed_back(tx: Connection, number: int, text: str, by: By) -> None:
    """The unit told how it stands."""
    before = await _legal(tx, number, InstructionMove.FEEDBACK)
    await rows.say(tx, number, text, by=by.name, now=by.at)
    await _tell(tx, Event.DUTY_INSTRUCTION_FEEDBACK, before, by)


async def finish(tx: Connection, number: int, evidence: str, by: By, judge: Judge) -> None:
    """It is carried out, and by what one sees it."""
    before = await _legal(tx, number, InstructionMove.DONE)
    await _end_item(tx, before, evidence, by, judge)
    done = InstructionState.DONE
    await rows.end(tx, number, done, by=by.name, now=by.at, told=evidence)
    await _tell(tx, Event.DUTY_INSTRUCTION_DONE, before, by)


async def withdraw(tx: Connection, number: int, reason: str, by: By, judge: Judge) -> None:
    """It is wanted no longer, with the reason."""
    before = await _legal(tx, number, InstructionMove.WITHDRAW)
    await _end_item(tx, before, reason, by, judge)
    gone = InstructionState.WITHDRAWN
    await rows.end(tx, number, gone, by=by.name, now=by.at, told=reason)
    await _tell(tx, Event.DUTY_INSTRUCTION_WITHDRAWN, before, by)


async def _end_item(tx: Connection, before: Instruction, reason: str, by: By, judge: Judge) -> None:
    """End the tracked item where the supervision has not settled it already."""
    if before.tracked_id is None or before.tracked_state in tracked.OVER:
        return
    await tracking.stepped(
        tx,
        await tracking.found(tx, before.tracked_id),
        lambda item: tracked.ended(item, judge.actor, by.at),
        Event.TRACKED_ENDED,
        judge.actor,
        by.at,
        judge.limits,
        texts={"reason": reason},
    )


async def follow(pool: Pool, now: datetime) -> None:
    """Remind once at each share of the time of what nobody has passed on yet; 100 % is an alarm."""
    async with borrowed(pool) as conn:
        found = await rows.listed(conn, live=True, limit=AT_ONCE)
        live = [one for one in found if one.tracked_id is None]
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
