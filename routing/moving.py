"""What a legal move makes of a case; pure, and the only place that changes one.

EFFECTS has one small function for each move. The owner changes through `owned_by` alone, and only
the moves of SET_LIMITS set `due_at`.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from routing import guards
from routing.cases import (
    ABOUT,
    Actor,
    Case,
    CaseState,
    Explanation,
    Move,
    MoveData,
    Reached,
    Satisfied,
    Solved,
)
from routing.errors import IllegalMove, MissingFact
from routing.guards import Attempt, speaking_unit
from routing.in_force import InForce
from routing.moves import MOVES, NEW, OVER, Rule, legal_moves

Changes = dict[str, Any]
SET_LIMITS = frozenset(
    {
        *(Move.OPEN, Move.ANSWER_DIRECTLY, Move.EXPLAIN, Move.DISPATCH),
        *(Move.GRANT_EXTENSION, Move.CITE_LAW, Move.REOPEN),
    }
)
"""The moves that promise something, or change what was promised."""
SAID_BY_THE_UNIT = ("truth", "beyond_duty", "publish", "unit_solved")
"""What the unit's reply form says of the matter; it counts as long as the answer does."""


def moved(  # noqa: PLR0917 - which case, which move, by whom, with what, when, by which rules
    case: Case, move: Move, actor: Actor, data: MoveData, now: datetime, limits: InForce
) -> Case:
    """Return the case as it stands after a legal move.

    The limit runs from the first opening: returns and redoing never restart it, reopening on new
    facts does. An answer that is to be redone no longer counts as one.

    Raises:
        IllegalMove: see `check`.
    """
    attempt = Attempt(case=case, actor=actor, data=data, now=now, limits=limits)
    rule = check(move, attempt)
    given = {name: value for name in ABOUT if (value := getattr(data, name)) is not None}
    changes: Changes = {"version": case.version + 1, **given, **EFFECTS[move](attempt)}
    if rule.target is not None:
        changes["state"] = rule.target
    if rule.outcome is not None:
        changes |= {"outcome": rule.outcome, "closed_at": now, "offered_to": None}
    return _dated(replace(case, **changes), move, limits)


def _dated(after: Case, move: Move, limits: InForce) -> Case:
    """The case with its limit, where the move sets one; an added one must be known to be added."""
    if move not in SET_LIMITS:
        return after
    due_at = limits.due_at(after)
    if due_at is None and move in {Move.GRANT_EXTENSION, Move.CITE_LAW}:
        raise IllegalMove(
            f"Case {after.number}: nobody can say when the longer limit would end, for it reaches"
            " past the working-day calendar.",
            case_id=after.id,
        )
    return replace(after, due_at=due_at)


def check(move: Move, attempt: Attempt) -> Rule:
    """Return the table's row for a legal move, or say in one sentence why it is not.

    Raises:
        IllegalMove: the state, the person's roles or something of the case forbids it;
            MissingFact: it lacks what it must carry.
    """
    case, rule = attempt.case, MOVES[move]
    if case.state not in rule.sources:
        legal = ", ".join(legal_moves(case.state)) or "none"
        raise IllegalMove(
            f"Case {case.number} is {case.state}: '{move}' is not possible now"
            f" (possible: {legal}).",
            case_id=case.id,
        )
    if not attempt.actor.roles & rule.roles:
        allowed = ", ".join(sorted(rule.roles))
        raise IllegalMove(
            f"Case {case.number}: '{move}' may be made by {allowed} only.", case_id=case.id
        )
    given = attempt.data.given()
    if strange := given - {*rule.carries, *rule.takes}:
        raise IllegalMove(
            f"Case {case.number}: '{move}' takes no {' and no '.join(sorted(strange))}.",
            case_id=case.id,
        )
    if missing := tuple(name for name in rule.carries if not carried(case, name, given)):
        raise MissingFact(
            f"Case {case.number}: '{move}' needs {' and '.join(missing)}.", missing=missing
        )
    for guard in rule.guards:
        if (against := guard(attempt)) is not None:
            raise IllegalMove(f"Case {case.number}: {against}.", case_id=case.id)
    return rule


def carried(case: Case, name: str, given: frozenset[str]) -> bool:
    """A fact counts as carried when it was given, or says what the case is about already."""
    return name in given or (name in {*ABOUT, "unit"} and getattr(case, name) is not None)


def possible(case: Case, actor: Actor, now: datetime, limits: InForce) -> tuple[Move, ...]:
    """The moves this person can make with the case now, whatever they still have to carry."""
    attempt = Attempt(case=case, actor=actor, data=MoveData(), now=now, limits=limits)
    return tuple(
        move
        for move in legal_moves(case.state)
        if actor.roles & (rule := MOVES[move]).roles
        and not any(guard(attempt) for guard in rule.guards if guard in guards.OF_THE_PERSON)
    )


def owned_by(name: str) -> Changes:
    """Somebody answers for the case from now on: there is no other way to become its owner."""
    return {"owner": name, "offered_to": None}


def _unit(attempt: Attempt) -> Changes:
    return {} if attempt.data.unit is None else {"unit": attempt.data.unit}


def _opened(attempt: Attempt) -> Changes:
    policy = attempt.limits.policy.name
    return {"opened_at": attempt.now, "policy": policy, **_unit(attempt)}


def _open(attempt: Attempt) -> Changes:
    return _opened(attempt) | owned_by(attempt.actor.name)


def _answer_directly(attempt: Attempt) -> Changes:
    opened = _opened(attempt) if attempt.case.opened_at is None else _unit(attempt)
    return opened | {"answered_at": attempt.now}


def _explain(attempt: Attempt) -> Changes:
    data = attempt.data
    changes = _answer_directly(attempt) | {
        "explanation": data.explanation,
        "same_as": data.same_as,
    }
    # What is secret is explained and not written down.
    return changes | ({"summary": None} if data.explanation is Explanation.SECRET else {})


def _consult(attempt: Attempt) -> Changes:
    return {"asked": attempt.data.units}


def _comment(attempt: Attempt) -> Changes:
    unit = speaking_unit(attempt)
    return {"asked": tuple(it for it in attempt.case.asked if it != unit)}


def _dispatch(attempt: Attempt) -> Changes:
    return {
        **_unit(attempt),
        "helpers": attempt.data.helpers or (),
        "dispatched_at": attempt.case.dispatched_at or attempt.now,
        "given_at": attempt.now,
        "signed_at": None,
    }


def _sign(attempt: Attempt) -> Changes:
    return {"signed_at": attempt.now, **owned_by(attempt.actor.name)}


def _accept_return(attempt: Attempt) -> Changes:
    desk = owned_by(attempt.actor.name)
    return {"unit": None, "helpers": (), "given_at": None, "signed_at": None, **desk}


def _refuse_return(attempt: Attempt) -> Changes:
    desk = owned_by(attempt.actor.name)
    return {"return_ruled": True, "given_at": attempt.now, "signed_at": None, **desk}


def _add_helper(attempt: Attempt) -> Changes:
    return {"helpers": (*attempt.case.helpers, *(attempt.data.helpers or ()))}


def _grant_extension(attempt: Attempt) -> Changes:
    days = attempt.data.days or attempt.case.asked_days
    return {"asked_days": None, "extended_days": (*attempt.case.extended_days, days)}


def _answer(attempt: Attempt) -> Changes:
    data = attempt.data
    form = {"truth": data.truth, "beyond_duty": data.beyond_duty is True, "publish": data.publish}
    said = {"unit_solved": data.solved, **form}
    return {"answered_at": attempt.now, "asked_days": None, **said}


def _redo(_: Attempt) -> Changes:
    gone = dict.fromkeys(("answered_at", *SAID_BY_THE_UNIT, "lead"))
    return {**gone, "call_back_tries": 0}


def _follow(attempt: Attempt) -> Changes:
    """What the lead's unit did counts for this case, too; it may be told to do it again."""
    case, unit, now = attempt.case, attempt.data.unit, attempt.now
    given = {} if unit is None else {"unit": unit, "given_at": now, "signed_at": now}
    dispatched = case.dispatched_at or (None if unit is None else now)
    over = {"answered_at": now, "asked_days": None, "asked": (), "offered_to": None}
    return {**given, **over, "dispatched_at": dispatched}


def _close(attempt: Attempt) -> Changes:
    if attempt.data.result is not Reached.REACHED:
        return {"solved": Solved.NOT_ANSWERED, "satisfied": Satisfied.NOT_ANSWERED}
    return {"solved": attempt.data.solved, "satisfied": attempt.data.satisfied}


def _reopen(attempt: Attempt) -> Changes:
    """A new life with a promise of its own; a ruling and a level stay what they are."""
    gone = dict.fromkeys(
        (
            *("dispatched_at", "given_at", "signed_at", "answered_at", "closed_at", "archived_at"),
            *("unit", "statutory", *SAID_BY_THE_UNIT, "solved", "satisfied", "outcome"),
            *("explanation", "same_as", "asked_days", "lead"),
        )
    )
    fresh = {"helpers": (), "asked": (), "extended_days": (), "call_back_tries": 0}
    begun = {"reopened_at": attempt.now, "opened_at": attempt.now}
    policy = {"policy": attempt.limits.policy.name}
    return {**gone, **fresh, **begun, **policy, **owned_by(attempt.actor.name)}


def _taken_from_units(case: Case) -> Changes:
    """The desk has the case again, whatever a unit was doing with it."""
    facts = ("unit", "given_at", "signed_at", "answered_at", "asked_days", "lead")
    gone = dict.fromkeys((*facts, *SAID_BY_THE_UNIT))
    state = {} if case.state in OVER | NEW else {"state": CaseState.OPEN}
    return {**gone, "helpers": (), "asked": (), **state}


def _protect(attempt: Attempt) -> Changes:
    case = attempt.case
    kept = {} if case.state in OVER else _taken_from_units(case)
    return kept | owned_by(attempt.data.person or case.owner)


def _recuse(attempt: Attempt) -> Changes:
    """Nothing of the case is a recused unit's any more; somebody answers for it all the while."""
    case, gone = attempt.case, attempt.data.units or ()
    owned = owned_by(attempt.data.person or case.owner)
    if case.unit in gone:
        return _taken_from_units(case) | owned
    left = {
        "helpers": tuple(it for it in case.helpers if it not in gone),
        "asked": tuple(it for it in case.asked if it not in gone),
    }
    return left | owned


def _nothing(_: Attempt) -> Changes:
    return {}


EFFECTS: Mapping[Move, Callable[[Attempt], Changes]] = {
    Move.OPEN: _open,
    Move.ANSWER_DIRECTLY: _answer_directly,
    Move.EXPLAIN: _explain,
    Move.WITHDRAW: _nothing,
    Move.CONSULT: _consult,
    Move.COMMENT: _comment,
    Move.CONCLUDE: lambda _: {"asked": ()},
    Move.DISPATCH: _dispatch,
    Move.SIGN: _sign,
    Move.ASK_RETURN: _nothing,
    Move.ACCEPT_RETURN: _accept_return,
    Move.REFUSE_RETURN: _refuse_return,
    Move.ADD_HELPER: _add_helper,
    Move.HELPER_FEEDBACK: _nothing,
    Move.CITE_LAW: lambda attempt: {"statutory": attempt.data.statutory},
    Move.ASK_EXTENSION: lambda attempt: {"asked_days": attempt.data.days},
    Move.GRANT_EXTENSION: _grant_extension,
    Move.REFUSE_EXTENSION: lambda _: {"asked_days": None},
    Move.ANSWER: _answer,
    Move.APPROVE: _nothing,
    Move.REDO: _redo,
    Move.CALL_BACK_TRIED: lambda it: {"call_back_tries": it.case.call_back_tries + 1},
    Move.CLOSE: _close,
    Move.ASK_TERMINATION: _nothing,
    Move.APPROVE_TERMINATION: _nothing,
    Move.REFUSE_TERMINATION: _nothing,
    Move.RAISE_LEVEL: lambda attempt: {"level": attempt.case.level + 1},
    Move.RULE: lambda _: {"return_ruled": True},
    Move.HAND_OVER: lambda attempt: {"offered_to": attempt.data.person},
    Move.ACCEPT: lambda attempt: owned_by(attempt.actor.name),
    Move.DECLINE: lambda _: {"offered_to": None},
    Move.DEPUTISE: lambda attempt: owned_by(attempt.data.person or attempt.case.owner),
    Move.PROTECT: _protect,
    Move.TAKE_OVER: lambda attempt: owned_by(attempt.data.person or attempt.case.owner),
    Move.RECUSE: _recuse,
    Move.ARCHIVE: lambda attempt: {"archived_at": attempt.now},
    Move.REOPEN: _reopen,
    Move.JOIN: lambda attempt: {"lead": attempt.data.lead},
    Move.LEAVE: lambda _: {"lead": None},
    Move.FOLLOW: _follow,
}
