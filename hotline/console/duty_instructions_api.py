"""Leaders' instructions: taken down, passed on, followed to the evidence that they are done."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

from pydantic import AwareDatetime, BaseModel, Field

from hotline import duty_incident_rows, duty_instructions
from hotline import duty_instruction_rows as rows
from hotline.console import keyed
from hotline.console.desk import Request
from hotline.console.duty_log_api import refusals
from hotline.console.endpoint import Endpoint, Handler, get, post
from hotline.console.problems import Fault, ProblemError
from hotline.console.shapes import Asked, Id, Name, Size, Told, Words
from hotline.console.supervision_api import refusals as supervision_refusals
from hotline.console.who import DUTY
from hotline.database import Connection, borrowed, transaction
from hotline.duty_incidents import By
from hotline.duty_instruction_rows import Given, Instruction
from hotline.duty_instructions import Judge
from hotline.errors import DutyUnknownError
from hotline.masking import mask_text
from routing.duty_instructions import LIVE, InstructionState
from routing.tracked import TrackedState

Work = Callable[[Connection, int, By], Awaitable[None]]


class NewInstruction(Asked):
    """What a leader wants, from which unit, until when."""

    leader: Name
    unit: Name = Field(description="A name of the city's directory.")
    text: Words
    due_at: AwareDatetime
    incident_id: Id | None = None
    case_id: Id | None = None


class PassedOn(Asked):
    """Whom of the unit it was passed on to."""

    to: Name


class FeedbackGiven(Asked):
    """What the unit told."""

    text: Words


class Carried(Asked):
    """By what one sees that it is carried out."""

    evidence: Words


class Withdrawal(Asked):
    """Why it is wanted no longer."""

    reason: Words


class InstructionQuery(Asked):
    """Which instructions; newest first, `before` is the `next` of the page before."""

    state: InstructionState | None = None
    live: bool = False
    unit: Name | None = None
    before: Id | None = None
    limit: Size = 50


class InstructionView(Told):
    """One instruction; telephone numbers in its words are masked."""

    id: Id
    state: InstructionState
    leader: str
    unit: str
    text: str
    due_at: datetime
    overdue: bool
    incident_id: Id | None
    case_id: Id | None
    given_at: datetime
    entered_by: str
    passed_on_at: datetime | None
    passed_on_by: str | None
    passed_on_to: str | None
    ended_at: datetime | None
    ended_by: str | None
    evidence: str | None = Field(description="Or why it was withdrawn.")
    tracked_id: Id | None = Field(description="The supervision's item, from its passing on.")
    tracked_state: TrackedState | None


class Instructions(Told):
    """One page of instructions."""

    instructions: tuple[InstructionView, ...]
    next: int | None


class InstructionFeedback(Told):
    """What the unit told, and when."""

    id: Id
    at: datetime
    by: str
    text: str


class InstructionDetail(InstructionView):
    """One instruction with what its unit told."""

    feedback: tuple[InstructionFeedback, ...]


async def list_instructions(asked: Request) -> Instructions:
    """One page of instructions."""
    query = asked.asked(InstructionQuery)
    async with borrowed(asked.services.pool) as conn:
        found = await rows.listed(
            conn,
            state=query.state,
            live=query.live,
            unit=query.unit,
            before=query.before,
            limit=query.limit + 1,
        )
        shown = await _seen(asked, conn, found[: query.limit])
    following = found[query.limit - 1].id if len(found) > query.limit else None
    now = asked.services.clock()
    views = (InstructionView(**_facts(one, now)) for one in shown)
    return Instructions(instructions=tuple(views), next=following)


async def one_instruction(asked: Request) -> InstructionDetail:
    """One instruction with what its unit told."""
    with refusals():
        async with borrowed(asked.services.pool) as conn:
            return await _detail(asked, conn, asked.path_id("instruction_id"))


async def give_instruction(asked: Request) -> InstructionDetail:
    """Take down a leader's instruction."""
    given = asked.asked(NewInstruction)
    if given.unit not in {unit.name for unit in asked.services.city.units}:
        raise ProblemError(Fault.INVALID, "unit: the city's directory has no such unit.")
    with refusals():
        async with transaction(asked.services.pool) as tx:
            number = await keyed.made_before(asked, tx, given)
            if number is None:
                await _check_about(asked, tx, given)
                told = Given(**given.model_dump())
                number = await duty_instructions.give(tx, told, _by(asked))
                await keyed.made(asked, tx, number)
            return await _detail(asked, tx, number)


async def pass_on_instruction(asked: Request) -> InstructionDetail:
    """Note that an instruction was passed on to its unit."""
    given = asked.asked(PassedOn)
    judge = _judge(asked)
    return await _work(
        asked,
        given,
        lambda tx, number, by: duty_instructions.pass_on(tx, number, given.to, by, judge),
    )


async def add_instruction_feedback(asked: Request) -> InstructionDetail:
    """Note what the unit told."""
    given = asked.asked(FeedbackGiven)
    return await _work(
        asked,
        given,
        lambda tx, number, by: duty_instructions.feed_back(tx, number, given.text, by),
    )


async def finish_instruction(asked: Request) -> InstructionDetail:
    """Note that an instruction is carried out, with the evidence."""
    given = asked.asked(Carried)
    judge = _judge(asked)
    return await _work(
        asked,
        given,
        lambda tx, number, by: duty_instructions.finish(tx, number, given.evidence, by, judge),
    )


async def withdraw_instruction(asked: Request) -> InstructionDetail:
    """Note that an instruction is wanted no longer."""
    given = asked.asked(Withdrawal)
    judge = _judge(asked)
    return await _work(
        asked,
        given,
        lambda tx, number, by: duty_instructions.withdraw(tx, number, given.reason, by, judge),
    )


async def _work(asked: Request, given: BaseModel, work: Work) -> InstructionDetail:
    number = asked.path_id("instruction_id")
    with refusals(), supervision_refusals():
        async with transaction(asked.services.pool) as tx:
            await _check(asked, tx, number)
            if await keyed.made_before(asked, tx, given) is None:
                await work(tx, number, _by(asked))
                await keyed.made(asked, tx, number)
            return await _detail(asked, tx, number)


def _judge(asked: Request) -> Judge:
    return Judge(actor=asked.actor(), limits=asked.services.limits)


def _by(asked: Request) -> By:
    return By(name=asked.who.name, at=asked.services.clock())


async def _check_about(asked: Request, tx: Connection, given: NewInstruction) -> None:
    case_id = given.case_id
    if given.incident_id is not None:
        about = (await duty_incident_rows.get(tx, given.incident_id)).case_id
        case_id = case_id or about
    if case_id is None:
        return
    if not await tx.fetchval("SELECT EXISTS (SELECT FROM cases WHERE id = $1)", case_id):
        raise ProblemError(Fault.NOT_FOUND, f"There is no case with the id {case_id}.")
    await asked.sight.check(tx, case_id)


async def _check(asked: Request, conn: Connection, number: int) -> Instruction:
    found = await rows.get(conn, number)
    if not await _seen(asked, conn, [found]):
        raise DutyUnknownError(f"There is no instruction {number}.")
    return found


async def _seen(
    asked: Request, conn: Connection, found: Sequence[Instruction]
) -> Sequence[Instruction]:
    ids = [one.case_id for one in found if one.case_id is not None]
    seen = await asked.sight.seen(conn, ids)
    return [one for one in found if one.case_id is None or one.case_id in seen]


async def _detail(asked: Request, conn: Connection, number: int) -> InstructionDetail:
    found = await _check(asked, conn, number)
    said = await rows.said(conn, number)
    return InstructionDetail(
        **_facts(found, asked.services.clock()),
        feedback=tuple(
            InstructionFeedback(id=one.id, at=one.at, by=one.by, text=mask_text(one.text))
            for one in said
        ),
    )


def _facts(one: Instruction, now: datetime) -> dict[str, Any]:
    kept = {name: getattr(one, name) for name in InstructionView.model_fields if name in _KEPT}
    return {
        **kept,
        "text": mask_text(one.text),
        "evidence": one.evidence and mask_text(one.evidence),
        "overdue": one.state in LIVE and one.due_at <= now,
    }


_KEPT = frozenset(Instruction.__dataclass_fields__) - {"text", "evidence"}
_FAULTS = (Fault.NOT_FOUND, Fault.CONFLICT, Fault.NOT_POSSIBLE)
_PATH = "/api/duty/instructions"
_ONE = _PATH + "/{instruction_id}"


def _does(path: str, handler: Handler, body: type[BaseModel]) -> Endpoint:
    return post(
        path,
        handler,
        body,
        InstructionDetail,
        faults=_FAULTS,
        headers=(keyed.KEY,),
        roles=DUTY,
    )


ENDPOINTS = (
    get(_PATH, list_instructions, Instructions, query=InstructionQuery, roles=DUTY),
    _does(_PATH, give_instruction, NewInstruction),
    get(_ONE, one_instruction, InstructionDetail, faults=(Fault.NOT_FOUND,), roles=DUTY),
    _does(_ONE + "/pass-on", pass_on_instruction, PassedOn),
    _does(_ONE + "/feedback", add_instruction_feedback, FeedbackGiven),
    _does(_ONE + "/done", finish_instruction, Carried),
    _does(_ONE + "/withdraw", withdraw_instruction, Withdrawal),
)
