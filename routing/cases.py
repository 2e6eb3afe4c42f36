"""The case and its table of legal moves; pure, no clock, no database.

MOVES is the whole life of a case on one screen: from which states a move is legal, where it leads,
who may make it and what it must carry. Stages that come later (signing, call-back, archive) are
more rows and states of the same table, never other code.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, assert_never

from routing.errors import IllegalMove, MissingFact


class CaseState(StrEnum):
    """Where a case stands."""

    DRAFT = "draft"
    OPEN = "open"
    DISPATCHED = "dispatched"
    ANSWERED = "answered"
    CLOSED = "closed"


class Kind(StrEnum):
    """What the caller wants; the limit depends on it."""

    CONSULT = "consult"
    HELP = "help"
    SUGGESTION = "suggestion"
    COMPLAINT = "complaint"
    REPORT = "report"
    FOLLOW_UP = "follow_up"
    INCIDENT = "incident"


class Urgency(StrEnum):
    """How fast somebody must act."""

    NORMAL = "normal"
    URGENT = "urgent"
    EMERGENCY = "emergency"


class Role(StrEnum):
    """What a person may do; one person may hold several. SYSTEM is no person: it moves nothing."""

    OPERATOR = "operator"
    DISPATCHER = "dispatcher"
    UNIT = "unit"
    AUDITOR = "auditor"
    DUTY_OFFICER = "duty_officer"
    SYSTEM = "system"


class Move(StrEnum):
    """A step a person makes with a case."""

    OPEN = "open"
    ANSWER_DIRECTLY = "answer_directly"
    DISPATCH = "dispatch"
    SEND_BACK = "send_back"
    ANSWER = "answer"
    REDO = "redo"
    CLOSE = "close"
    WITHDRAW = "withdraw"


DESK = frozenset({Role.OPERATOR, Role.DISPATCHER, Role.DUTY_OFFICER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One row of the table: where a move starts and ends, who makes it, what it must carry."""

    sources: frozenset[CaseState]
    target: CaseState
    roles: frozenset[Role]
    carries: tuple[str, ...] = ()
    event: str


MOVES: Mapping[Move, Rule] = {
    Move.OPEN: Rule(
        sources=frozenset({CaseState.DRAFT}),
        target=CaseState.OPEN,
        roles=DESK,
        carries=("kind", "urgency", "level1"),
        event="case.opened",
    ),
    Move.ANSWER_DIRECTLY: Rule(
        sources=frozenset({CaseState.DRAFT, CaseState.OPEN}),
        target=CaseState.CLOSED,
        roles=DESK,
        carries=("kind", "level1", "reply"),
        event="case.closed",
    ),
    Move.DISPATCH: Rule(
        sources=frozenset({CaseState.OPEN}),
        target=CaseState.DISPATCHED,
        roles=DESK,
        carries=("unit",),
        event="case.dispatched",
    ),
    Move.SEND_BACK: Rule(
        sources=frozenset({CaseState.DISPATCHED}),
        target=CaseState.OPEN,
        roles=frozenset({Role.UNIT, Role.DISPATCHER}),
        carries=("reason",),
        event="case.sent_back",
    ),
    Move.ANSWER: Rule(
        sources=frozenset({CaseState.DISPATCHED}),
        target=CaseState.ANSWERED,
        roles=frozenset({Role.UNIT, Role.DISPATCHER, Role.DUTY_OFFICER}),
        carries=("reply",),
        event="case.answered",
    ),
    Move.REDO: Rule(
        sources=frozenset({CaseState.ANSWERED}),
        target=CaseState.DISPATCHED,
        roles=frozenset({Role.AUDITOR, Role.DISPATCHER}),
        carries=("reason",),
        event="case.redo",
    ),
    Move.CLOSE: Rule(
        sources=frozenset({CaseState.ANSWERED}),
        target=CaseState.CLOSED,
        roles=frozenset({Role.AUDITOR, Role.OPERATOR, Role.DISPATCHER, Role.DUTY_OFFICER}),
        event="case.closed",
    ),
    Move.WITHDRAW: Rule(
        sources=frozenset({CaseState.DRAFT, CaseState.OPEN, CaseState.DISPATCHED}),
        target=CaseState.CLOSED,
        roles=DESK,
        carries=("reason",),
        event="case.withdrawn",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who makes a move: an extension or account name, and the roles it holds."""

    name: str
    roles: frozenset[Role]


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveData:
    """What a person gives with a move; None leaves the case's own value as it is."""

    kind: Kind | None = None
    urgency: Urgency | None = None
    level1: str | None = None
    area: str | None = None
    unit: str | None = None
    owner: str | None = None
    summary: str | None = None
    reply: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One matter of one caller, from the first word to its end.

    `kind`, `level1`, `area` and `unit` of a draft are what the words suggest; from `open` on they
    are what a person confirmed. `owner` is who answers for the case now: there always is one.
    """

    id: int
    number: str
    call_id: int | None
    line: str
    state: CaseState
    owner: str
    drafted_at: datetime
    kind: Kind | None = None
    urgency: Urgency = Urgency.NORMAL
    level1: str | None = None
    area: str | None = None
    unit: str | None = None
    summary: str | None = None
    policy: str | None = None
    opened_at: datetime | None = None
    dispatched_at: datetime | None = None
    answered_at: datetime | None = None
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why something is suggested: the very words, where they stand and what they speak for.

    `start` and `end` count characters in the message, or in the turn numbered `turn`; `at` is the
    turn's start in seconds of the recording. `by` is how it was found: `word`, `pair`, `sound`,
    `name`, `duty` or `model`.
    """

    sort: str
    value: str
    by: str
    text: str
    weight: float
    start: int | None = None
    end: int | None = None
    turn: int | None = None
    at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """Another category that is possible, with its confidence."""

    level1: str
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """What the words of a call or message suggest; a person confirms or corrects it.

    `confidence` is the probability that `level1` is right, as far as rules and model can tell.
    """

    level1: str | None
    confidence: float
    kind: Kind
    urgency: Urgency
    area: str | None = None
    unit: str | None = None
    reasons: tuple[Reason, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    rules_version: str
    model_version: str | None = None


def moved(
    case: Case,
    move: Move,
    actor: Actor,
    data: MoveData,
    now: datetime,
    *,
    policy: str | None = None,
) -> Case:
    """Return the case as it stands after a legal move.

    The limit runs from the first opening: sending back and redoing never restart it. An answer
    that is to be redone no longer counts as one. Who opens a case answers for it from then on.

    Raises:
        IllegalMove: see `check`.
    """
    rule = check(case, move, actor, data)
    changes: dict[str, Any] = {"state": rule.target}
    changes |= {name: value for name in CASE_FACTS if (value := getattr(data, name)) is not None}
    match move:
        case Move.OPEN:
            changes |= {"owner": data.owner or actor.name, "opened_at": now}
            changes["policy"] = policy or case.policy
        case Move.ANSWER_DIRECTLY:
            changes |= {"opened_at": case.opened_at or now, "answered_at": now, "closed_at": now}
            changes["policy"] = case.policy or policy
        case Move.DISPATCH:
            changes["dispatched_at"] = now
        case Move.SEND_BACK:
            changes |= {"unit": None, "dispatched_at": None}
        case Move.ANSWER:
            changes["answered_at"] = now
        case Move.REDO:
            changes["answered_at"] = None
        case Move.CLOSE | Move.WITHDRAW:
            changes["closed_at"] = now
        case _:
            assert_never(move)
    return replace(case, **changes)


def check(case: Case, move: Move, actor: Actor, data: MoveData) -> Rule:
    """Return the table's row for a legal move, or say in one sentence why it is not.

    Raises:
        IllegalMove: the state, the person's roles or the move's content forbids it.
    """
    rule = MOVES[move]
    if case.state not in rule.sources:
        legal = ", ".join(legal_moves(case.state)) or "none"
        raise IllegalMove(
            f"Case {case.number} is {case.state}: '{move}' is not possible now"
            f" (possible: {legal}).",
            case_id=case.id,
        )
    if not actor.roles & rule.roles:
        allowed = ", ".join(sorted(rule.roles))
        raise IllegalMove(
            f"Case {case.number}: '{move}' may be made by {allowed} only.", case_id=case.id
        )
    missing = tuple(name for name in rule.carries if not carried(case, data, name))
    if missing:
        raise MissingFact(
            f"Case {case.number}: '{move}' needs {' and '.join(missing)}.", missing=missing
        )
    return rule


def carried(case: Case, data: MoveData, name: str) -> bool:
    """A fact counts as carried when the person gave it, or the case already holds it."""
    given: object = getattr(data, name)
    if given is None and name in CASE_FACTS:
        given = getattr(case, name)
    return bool(given.strip()) if isinstance(given, str) else given is not None


CASE_FACTS = frozenset(f.name for f in fields(MoveData)) & frozenset(f.name for f in fields(Case))


def legal_moves(state: CaseState) -> tuple[Move, ...]:
    """The moves the table allows from a state, in the table's order."""
    return tuple(move for move, rule in MOVES.items() if state in rule.sources)


def is_over(state: CaseState) -> bool:
    """Whether nothing more is expected of anybody."""
    match state:
        case CaseState.CLOSED:
            return True
        case CaseState.DRAFT | CaseState.OPEN | CaseState.DISPATCHED | CaseState.ANSWERED:
            return False
        case _:
            assert_never(state)
