"""The moves of a case as addresses: one for each row of the table that a person can make.

A request with the header Idempotency-Key is done once in 24 hours, however often it comes.
"""

from collections.abc import Mapping
from typing import Any

from hotline import flow, once
from hotline.console.case_shapes import CaseDetail, Step, step_of
from hotline.console.cases_api import detail
from hotline.console.desk import Request
from hotline.console.endpoint import Endpoint, Handler, post
from hotline.console.keyed import KEY, key_of
from hotline.console.problems import Fault, ProblemError
from hotline.console.who import DISCIPLINE, READERS
from hotline.database import Connection, borrowed, transaction
from hotline.errors import KeyReusedError
from routing.cases import Actor, Move, MoveData, Role
from routing.errors import CaseConflict, CaseUnknown, IllegalMove, MissingFact
from routing.moves import MOVES
from routing.rules import LEVEL1

SAYS: Mapping[Move, str] = {
    Move.OPEN: "Confirm a draft: what it is about is a person's word, and its limit begins.",
    Move.ANSWER_DIRECTLY: "Answer at once, without any unit.",
    Move.EXPLAIN: "Tell why this is no work order and where to go instead.",
    Move.WITHDRAW: "End a case that is none, with a reason.",
    Move.CONSULT: "Ask several units for their comment before the dispatch.",
    Move.COMMENT: "An asked unit comments, once.",
    Move.CONCLUDE: "End the consultation with a ruling.",
    Move.DISPATCH: "Give the case to exactly one lead unit, with units that help it.",
    Move.SIGN: "The unit signs for the case; who signs answers for it from now on.",
    Move.ASK_RETURN: "The unit asks to give the case back, with its reason and legal basis.",
    Move.ACCEPT_RETURN: "The return is accepted: the case is the desk's again.",
    Move.REFUSE_RETURN: "The return is refused, which is binding for ever.",
    Move.ADD_HELPER: "Add units that help the lead.",
    Move.HELPER_FEEDBACK: "A helping unit tells the lead what it did.",
    Move.CITE_LAW: "Cite a law's longer limit.",
    Move.ASK_EXTENSION: "The unit asks for more working days, before the limit ends.",
    Move.GRANT_EXTENSION: "Grant the extension and tell the caller; the limit moves.",
    Move.REFUSE_EXTENSION: "Refuse the extension; the limit stays.",
    Move.ANSWER: "Record the unit's answer, with the public one beside it.",
    Move.APPROVE: "The audit accepts the answer; the caller is called back next.",
    Move.REDO: "The answer does not do: the unit starts again.",
    Move.CALL_BACK_TRIED: "The caller was called back and not reached.",
    Move.CLOSE: "Close the case with what the caller said.",
    Move.ASK_TERMINATION: "The unit asks to end the case unsolved, with its reason.",
    Move.APPROVE_TERMINATION: "End the case unsolved; the caller was told why.",
    Move.REFUSE_TERMINATION: "The unit has to go on.",
    Move.RAISE_LEVEL: "Raise the case to the city's office, then to its standing meeting.",
    Move.RULE: "A raised level rules, and its ruling is binding.",
    Move.HAND_OVER: "Offer the case to somebody else; until it is accepted nothing changes.",
    Move.ACCEPT: "Take over a case that was offered to you.",
    Move.DECLINE: "Say no to an offered case, or take the offer back.",
    Move.REOPEN: "Open a closed case again on new facts.",
    Move.JOIN: "Let the case go with another of the same matter; its caller is told the result.",
    Move.LEAVE: "Take a case out of a group; it goes on by itself.",
}
"""What a person's moves do; the others are the service's own."""


def _handler(move: Move) -> Handler:
    async def make(asked: Request) -> CaseDetail:
        return await _move(asked, move)

    make.__name__ = f"{move}_case"
    make.__doc__ = SAYS[move]
    return make


async def _move(asked: Request, move: Move) -> CaseDetail:
    """Make a move and return the case as it stands after it."""
    case_id, step, actor = asked.path_id("case_id"), asked.asked(Step), asked.actor()
    given = step.model_dump(exclude={"expected", "version"})
    _check_known(asked, given)
    key = key_of(asked)
    try:
        async with transaction(asked.services.pool) as tx:
            for seen in (case_id, given.get("same_as"), given.get("lead")):
                if seen is not None:
                    await asked.sight.check(tx, seen)
            if key is None or await _is_first(tx, asked, actor, key, step):
                moved = await flow.case_moved(
                    tx,
                    case_id,
                    move=move,
                    actor=actor,
                    now=asked.services.clock(),
                    data=MoveData(**given),
                    limits=asked.services.limits,
                    expected=step.expected,
                    version=step.version,
                )
                if key is not None:
                    led_to = f"case {case_id} version {moved.after.version}"
                    await once.answered(tx, actor.name, key, led_to)
    except (CaseUnknown, CaseConflict, IllegalMove, KeyReusedError) as error:
        raise _problem(error) from error
    # Whoever has just given a case away may see it this once more.
    async with borrowed(asked.services.pool) as conn:
        return await detail(asked, conn, case_id)


async def _is_first(tx: Connection, asked: Request, actor: Actor, key: str, step: Step) -> bool:
    request = once.request_of(asked.http.path, step.model_dump(exclude_none=True))
    return await once.is_first(tx, actor.name, key, request, asked.services.clock())


def _problem(error: Exception) -> ProblemError:
    match error:
        case CaseUnknown():
            return ProblemError(Fault.NOT_FOUND, str(error))
        case MissingFact():
            return ProblemError(Fault.MISSING_FACT, str(error), missing=error.missing)
        case IllegalMove():
            return ProblemError(Fault.ILLEGAL_MOVE, str(error))
        case _:
            return ProblemError(Fault.CONFLICT, str(error))


def _check_known(asked: Request, given: Mapping[str, Any]) -> None:
    """Refuse a category, area or unit that the city does not have."""
    city = asked.services.city
    units = frozenset(unit.name for unit in city.units)
    known: Mapping[str, frozenset[str]] = {
        "level1": frozenset(LEVEL1),
        "area": frozenset(area.name for area in city.areas),
        **dict.fromkeys(("unit", "units", "helpers"), units),
    }
    for name, values in known.items():
        value = given.get(name) or ()
        wanted = {value} if isinstance(value, str) else set(value)
        if wanted - values:
            raise ProblemError(Fault.INVALID, f"{name}: the city's directory has no such value.")


_OF_PROTECTED = frozenset(
    {Move.OPEN, Move.ANSWER_DIRECTLY, Move.EXPLAIN, Move.WITHDRAW, Move.REOPEN}
)
"""What discipline does in place of the desk, in protected cases only (hotline/protecting.py)."""


def _roles(move: Move) -> frozenset[Role]:
    roles = MOVES[move].roles & READERS
    return roles | DISCIPLINE if move in _OF_PROTECTED else roles


def _endpoint(move: Move) -> Endpoint:
    return post(
        f"/api/cases/{{case_id}}/{move.replace('_', '-')}",
        _handler(move),
        step_of(move),
        CaseDetail,
        faults=(Fault.NOT_FOUND, Fault.CONFLICT, Fault.ILLEGAL_MOVE, Fault.MISSING_FACT),
        headers=(KEY,),
        roles=_roles(move),
    )


ENDPOINTS = tuple(_endpoint(move) for move, rule in MOVES.items() if rule.roles != {Role.SYSTEM})
