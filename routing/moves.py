"""The whole life of a case on one screen: the table of legal moves; pure.

A row says from which states a move is legal and where it leads (None: the state stays), who may
make it, what it must carry and what it may take, what else forbids it, and the journal's word for
it. What a move changes stands in moving.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from routing import guards
from routing.cases import ABOUT, CaseState, Move, Outcome, Role
from routing.guards import Guard


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One row of the table."""

    sources: frozenset[CaseState]
    target: CaseState | None = None
    roles: frozenset[Role]
    carries: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    guards: tuple[Guard, ...] = ()
    event: str
    outcome: Outcome | None = None


def _states(*states: CaseState) -> frozenset[CaseState]:
    return frozenset(states)


def _roles(*roles: Role) -> frozenset[Role]:
    return frozenset(roles)


S, R = CaseState, Role
OVER = _states(S.CLOSED, S.ARCHIVED)
ALL = frozenset(CaseState)
LIVE = ALL - OVER
NEW = _states(S.DRAFT, S.OPEN)
WITH_UNIT = _states(S.HANDLING, S.EXTENSION_ASKED)
LED = LIVE - _states(S.DRAFT, S.CALLING_BACK)
"""States in which others may go with a case: what came of it is not known yet."""
PEOPLE = frozenset(Role) - {R.SYSTEM}
DESK = _roles(R.OPERATOR, R.DISPATCHER, R.DUTY_OFFICER)
RULING = _roles(R.DISPATCHER, R.SUPERVISOR, R.DUTY_OFFICER, R.LEADER)
JUDGES = _roles(R.AUDITOR, R.SUPERVISOR, R.DISPATCHER)
UNIT = _roles(R.UNIT)

MOVES: Mapping[Move, Rule] = {
    Move.OPEN: Rule(
        sources=_states(S.DRAFT),
        target=S.OPEN,
        roles=DESK,
        carries=("kind", "urgency", "level1"),
        takes=("area", "unit", "summary"),
        event="case.opened",
    ),
    Move.ANSWER_DIRECTLY: Rule(
        sources=NEW,
        target=S.CLOSED,
        roles=DESK,
        carries=("kind", "level1", "reply"),
        takes=("urgency", "area", "unit", "summary", "public_reply"),
        event="case.closed",
        outcome=Outcome.DIRECT,
    ),
    Move.EXPLAIN: Rule(
        sources=NEW,
        target=S.CLOSED,
        roles=DESK,
        carries=("explanation", "reason", "channel"),
        takes=(*ABOUT, "unit", "same_as"),
        guards=(guards.told_where_to_go,),
        event="case.explained",
        outcome=Outcome.EXPLAINED,
    ),
    Move.WITHDRAW: Rule(
        sources=NEW,
        target=S.CLOSED,
        roles=DESK,
        carries=("reason",),
        event="case.withdrawn",
        outcome=Outcome.WITHDRAWN,
    ),
    Move.CONSULT: Rule(
        sources=_states(S.OPEN),
        target=S.CONSULTING,
        roles=RULING,
        carries=("units", "reason"),
        guards=(guards.goes_alone, guards.new_units),
        event="case.consulted",
    ),
    Move.COMMENT: Rule(
        sources=_states(S.CONSULTING),
        roles=UNIT,
        carries=("comment",),
        takes=("unit",),
        guards=(guards.by_an_asked_unit,),
        event="case.commented",
    ),
    Move.CONCLUDE: Rule(
        sources=_states(S.CONSULTING),
        target=S.OPEN,
        roles=RULING,
        carries=("ruling",),
        event="case.concluded",
    ),
    Move.DISPATCH: Rule(
        sources=_states(S.OPEN),
        target=S.DISPATCHED,
        roles=DESK,
        carries=("kind", "level1", "unit"),
        takes=("urgency", "area", "summary", "helpers", "reason"),
        guards=(guards.goes_alone, guards.new_helpers),
        event="case.dispatched",
    ),
    Move.SIGN: Rule(
        sources=_states(S.DISPATCHED),
        target=S.HANDLING,
        roles=UNIT,
        guards=(guards.by_the_unit,),
        event="case.signed",
    ),
    Move.ASK_RETURN: Rule(
        sources=_states(S.DISPATCHED, S.HANDLING),
        target=S.RETURN_ASKED,
        roles=UNIT,
        carries=("reason", "basis"),
        guards=(guards.by_the_unit, guards.never_returned_again, guards.return_in_time),
        event="case.return_asked",
    ),
    Move.ACCEPT_RETURN: Rule(
        sources=_states(S.RETURN_ASKED),
        target=S.OPEN,
        roles=RULING,
        takes=("reason",),
        guards=(guards.apart_from_the_unit, guards.never_returned_again),
        event="case.return_accepted",
    ),
    Move.REFUSE_RETURN: Rule(
        sources=_states(S.RETURN_ASKED),
        target=S.DISPATCHED,
        roles=RULING,
        carries=("ruling",),
        guards=(guards.apart_from_the_unit,),
        event="case.return_refused",
    ),
    Move.ADD_HELPER: Rule(
        sources=_states(S.HANDLING),
        roles=_roles(R.DISPATCHER, R.SUPERVISOR, R.UNIT),
        carries=("helpers",),
        takes=("reason",),
        guards=(guards.by_the_lead_or_overseer, guards.new_helpers),
        event="case.helper_added",
    ),
    Move.HELPER_FEEDBACK: Rule(
        sources=_states(S.HANDLING),
        roles=UNIT,
        carries=("feedback",),
        takes=("unit", "evidence"),
        guards=(guards.by_a_helper,),
        event="case.helper_feedback",
    ),
    Move.CITE_LAW: Rule(
        sources=_states(S.DISPATCHED, S.HANDLING, S.EXTENSION_ASKED),
        roles=JUDGES,
        carries=("statutory", "reason"),
        guards=(guards.apart_from_the_unit, guards.law_is_longer),
        event="case.law_cited",
    ),
    Move.ASK_EXTENSION: Rule(
        sources=_states(S.HANDLING),
        target=S.EXTENSION_ASKED,
        roles=UNIT,
        carries=("reason", "days"),
        guards=(guards.by_the_unit, guards.extension_possible),
        event="case.extension_asked",
    ),
    Move.GRANT_EXTENSION: Rule(
        sources=_states(S.EXTENSION_ASKED),
        target=S.HANDLING,
        roles=JUDGES,
        carries=("told",),
        takes=("days", "reason"),
        guards=(guards.apart_from_the_unit, guards.no_more_than_asked),
        event="case.extension_granted",
    ),
    Move.REFUSE_EXTENSION: Rule(
        sources=_states(S.EXTENSION_ASKED),
        target=S.HANDLING,
        roles=JUDGES,
        carries=("reason",),
        guards=(guards.apart_from_the_unit,),
        event="case.extension_refused",
    ),
    Move.ANSWER: Rule(
        sources=WITH_UNIT,
        target=S.ANSWERED,
        roles=UNIT,
        carries=("reply", "public_reply", "truth", "solved", "publish"),
        takes=(
            *("unsolved_reason", "contacted_at", "not_contacted", "evidence"),
            *("beyond_duty", "beyond_duty_reason", "withheld_reason"),
        ),
        guards=(
            *(guards.by_the_unit, guards.says_what_came_of_it, guards.gives_its_reasons),
            guards.names_nobody,
        ),
        event="case.answered",
    ),
    Move.APPROVE: Rule(
        sources=_states(S.ANSWERED),
        target=S.CALLING_BACK,
        roles=_roles(R.AUDITOR),
        takes=("reason",),
        guards=(guards.apart_from_the_unit,),
        event="case.approved",
    ),
    Move.REDO: Rule(
        sources=_states(S.ANSWERED, S.CALLING_BACK),
        target=S.HANDLING,
        roles=_roles(R.AUDITOR, R.CALL_BACK, R.SUPERVISOR),
        carries=("reason",),
        guards=(guards.apart_from_the_unit, guards.has_a_unit),
        event="case.redo",
    ),
    Move.CALL_BACK_TRIED: Rule(
        sources=_states(S.CALLING_BACK),
        roles=_roles(R.CALL_BACK),
        carries=("result",),
        takes=("reason",),
        guards=(guards.apart_from_the_unit, guards.was_not_reached),
        event="case.call_back_tried",
    ),
    Move.CLOSE: Rule(
        sources=_states(S.CALLING_BACK),
        target=S.CLOSED,
        roles=_roles(R.CALL_BACK),
        carries=("result",),
        takes=("solved", "satisfied", "reason"),
        guards=(guards.apart_from_the_unit, guards.called_back),
        event="case.closed",
        outcome=Outcome.HANDLED,
    ),
    Move.ASK_TERMINATION: Rule(
        sources=_states(S.HANDLING),
        target=S.TERMINATION_ASKED,
        roles=UNIT,
        carries=("reason",),
        takes=("basis", "evidence"),
        guards=(guards.by_the_unit,),
        event="case.termination_asked",
    ),
    Move.APPROVE_TERMINATION: Rule(
        sources=_states(S.TERMINATION_ASKED),
        target=S.CLOSED,
        roles=_roles(R.AUDITOR, R.SUPERVISOR),
        carries=("told",),
        takes=("reason",),
        guards=(guards.apart_from_the_unit,),
        event="case.terminated",
        outcome=Outcome.TERMINATED,
    ),
    Move.REFUSE_TERMINATION: Rule(
        sources=_states(S.TERMINATION_ASKED),
        target=S.HANDLING,
        roles=_roles(R.AUDITOR, R.SUPERVISOR),
        carries=("reason",),
        guards=(guards.apart_from_the_unit,),
        event="case.termination_refused",
    ),
    Move.RAISE_LEVEL: Rule(
        sources=LIVE,
        roles=RULING,
        carries=("reason",),
        guards=(guards.below_the_highest,),
        event="case.level_raised",
    ),
    Move.RULE: Rule(
        sources=LIVE,
        roles=_roles(R.SUPERVISOR, R.LEADER),
        carries=("ruling",),
        guards=(guards.at_a_level,),
        event="case.ruled",
    ),
    Move.HAND_OVER: Rule(
        sources=LIVE,
        roles=PEOPLE,
        carries=("person",),
        takes=("reason",),
        guards=(guards.by_the_owner_or_overseer,),
        event="case.offered",
    ),
    Move.ACCEPT: Rule(
        sources=LIVE,
        roles=PEOPLE,
        guards=(guards.by_whom_it_was_offered_to,),
        event="case.accepted",
    ),
    Move.DECLINE: Rule(
        sources=LIVE,
        roles=PEOPLE,
        takes=("reason",),
        guards=(guards.offered,),
        event="case.declined",
    ),
    Move.DEPUTISE: Rule(
        sources=LIVE,
        roles=_roles(R.SYSTEM),
        carries=("person", "reason"),
        event="case.deputised",
    ),
    Move.PROTECT: Rule(
        sources=ALL,
        roles=_roles(R.SYSTEM),
        carries=("person", "reason"),
        event="case.protected",
    ),
    Move.TAKE_OVER: Rule(
        sources=ALL,
        roles=_roles(R.SYSTEM),
        carries=("person",),
        event="case.taken_over",
    ),
    Move.RECUSE: Rule(
        sources=LIVE,
        roles=_roles(R.SYSTEM),
        carries=("person", "reason"),
        takes=("units",),
        event="case.recused",
    ),
    Move.ARCHIVE: Rule(
        sources=_states(S.CLOSED),
        target=S.ARCHIVED,
        roles=_roles(R.SYSTEM),
        event="case.archived",
    ),
    Move.REOPEN: Rule(
        sources=OVER,
        target=S.OPEN,
        roles=DESK | _roles(R.CALL_BACK, R.SUPERVISOR),
        carries=("reason",),
        event="case.reopened",
    ),
    Move.JOIN: Rule(
        sources=_states(S.OPEN, S.DISPATCHED, S.HANDLING),
        roles=DESK | _roles(R.SUPERVISOR),
        carries=("lead",),
        takes=("reason",),
        guards=(guards.may_join,),
        event="case.joined",
    ),
    Move.LEAVE: Rule(
        sources=LED,
        roles=DESK | _roles(R.SUPERVISOR),
        carries=("reason",),
        guards=(guards.goes_with_another,),
        event="case.left",
    ),
    Move.FOLLOW: Rule(
        sources=LED,
        target=S.CALLING_BACK,
        roles=_roles(R.SYSTEM),
        carries=("public_reply",),
        takes=("unit",),
        guards=(guards.goes_with_another,),
        event="case.followed",
    ),
}
TELLS_MEMBERS = frozenset(
    {Move.APPROVE, Move.ANSWER_DIRECTLY, Move.EXPLAIN, Move.APPROVE_TERMINATION}
)
"""Moves of a lead after which the callers of its members are to be told."""
TO_THE_DESK = frozenset({Move.PROTECT, Move.RECUSE})
"""The moves that take a case from its unit: where one has it, the case is open again."""
ENDINGS = tuple(sorted({rule.event for rule in MOVES.values() if rule.outcome is not None}))
"""The journal's words for a case's end."""


def legal_moves(state: CaseState) -> tuple[Move, ...]:
    """The moves the table allows from a state, in the table's order."""
    return tuple(move for move, rule in MOVES.items() if state in rule.sources)


def is_over(state: CaseState) -> bool:
    """Whether nothing more is expected of anybody."""
    return state in OVER
