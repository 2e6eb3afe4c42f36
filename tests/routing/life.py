"""A case that lives in the tests: the shipped rules, who makes each move, and what it carries."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from routing.calendar import load_calendar
from routing.cases import (
    Actor,
    Case,
    CaseState,
    Explanation,
    Kind,
    Move,
    MoveData,
    Reached,
    Role,
    Satisfied,
    Solved,
    Truth,
    Urgency,
)
from routing.in_force import InForce
from routing.moves import MOVES
from routing.moving import moved
from routing.policy import load_policies, newest

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
POLICIES = load_policies(DEPLOY / "policies")
LIMITS = InForce(
    policies=POLICIES,
    policy=newest(POLICIES, "sichuan-2025"),
    calendar=load_calendar(DEPLOY / "calendars"),
)
NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
UNIT = "市住房和城乡建设委员会"
OTHER = "市水务集团"
ANYBODY = Actor(name="1001", roles=frozenset(Role) - {Role.SYSTEM})
SYSTEM = Actor(name="service", roles=frozenset({Role.SYSTEM}))
GIVEN = {
    "kind": Kind.COMPLAINT,
    "level1": "城乡建设",
    "unit": UNIT,
    "reply": "已修好，请拨打0816-2345678",
    "public_reply": "已修好",
    "reason": "不属本单位职责",
    "basis": "三定规定第二条",
    "ruling": "由该单位办理",
    "comment": "建议由市级承办",
    "feedback": "已配合",
    "channel": "请向人民法院起诉",
    "told": "已电话告知来电人",
    "units": (OTHER,),
    "helpers": (OTHER,),
    "days": 3,
    "explanation": Explanation.OTHER_CHANNEL,
    "truth": Truth.YES,
    "publish": True,
    "solved": Solved.YES,
    "result": Reached.REACHED,
    "person": "1002",
    "lead": 99,
    "statutory": "petition",
}


def data_of(move: Move, now: datetime = NOON, **more: object) -> MoveData:
    """Everything a move must carry, as a complete person gives it."""
    given: dict[str, object] = {name: GIVEN[name] for name in MOVES[move].carries if name in GIVEN}
    match move:
        case Move.COMMENT | Move.HELPER_FEEDBACK:
            given["unit"] = OTHER
        case Move.ANSWER:
            given["contacted_at"] = now
        case Move.CALL_BACK_TRIED:
            given["result"] = Reached.NOT_REACHED
        case Move.CLOSE:
            given |= {"solved": Solved.YES, "satisfied": Satisfied.SATISFIED}
        case _:
            pass
    return MoveData(**(given | more))  # type: ignore[arg-type]


def maker_of(move: Move, case: Case) -> Actor:
    """Somebody who may make a move: the system, whom a case was offered to, else one desk."""
    if MOVES[move].roles == {Role.SYSTEM}:
        return SYSTEM
    if move in {Move.ACCEPT, Move.DECLINE} and case.offered_to is not None:
        return Actor(name=case.offered_to, roles=ANYBODY.roles)
    return ANYBODY


def draft() -> Case:
    """A draft as a call leaves it."""
    return Case(
        id=1,
        number="20261123-000001-0",
        call_id=7,
        line="mayor",
        state=CaseState.DRAFT,
        owner="1001",
        drafted_at=NOON,
        urgency=Urgency.NORMAL,
    )


def walked(moves: Iterable[Move], case: Case | None = None) -> Case:
    """The case after some moves, a minute apart."""
    case = case or draft()
    for step, move in enumerate(moves, start=1):
        now = NOON + timedelta(minutes=step)
        case = moved(case, move, maker_of(move, case), data_of(move, now), now, LIMITS)
    return case


TO_UNIT = (Move.OPEN, Move.DISPATCH, Move.SIGN)
TO_AUDIT = (*TO_UNIT, Move.ANSWER)
TO_STATE: dict[CaseState, tuple[Move, ...]] = {
    CaseState.DRAFT: (),
    CaseState.OPEN: (Move.OPEN,),
    CaseState.CONSULTING: (Move.OPEN, Move.CONSULT),
    CaseState.DISPATCHED: (Move.OPEN, Move.DISPATCH),
    CaseState.RETURN_ASKED: (Move.OPEN, Move.DISPATCH, Move.ASK_RETURN),
    CaseState.HANDLING: TO_UNIT,
    CaseState.EXTENSION_ASKED: (*TO_UNIT, Move.ASK_EXTENSION),
    CaseState.TERMINATION_ASKED: (*TO_UNIT, Move.ASK_TERMINATION),
    CaseState.ANSWERED: TO_AUDIT,
    CaseState.CALLING_BACK: (*TO_AUDIT, Move.APPROVE),
    CaseState.CLOSED: (*TO_AUDIT, Move.APPROVE, Move.CLOSE),
    CaseState.ARCHIVED: (Move.ANSWER_DIRECTLY, Move.ARCHIVE),
}
