"""The state of an operator at the telephones, and every move that is legal; pure.

Enters: what a person asks (log in, pause) and what the exchange tells (rung, connected, done).
Leaves: the next state, or one sentence why not. Facts are never refused: the exchange has the last
word on what happened, so each state knows where each fact leads.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from telephony.errors import AgentRefused
from telephony.events import Fact, OperatorCalled, OperatorConnected, OperatorDone, OperatorMissed

WRAPUP_REASON = "wrapup"


class AgentState(StrEnum):
    """Where an operator stands."""

    LOGGED_OUT = "logged_out"
    READY = "ready"
    RINGING = "ringing"
    TALKING = "talking"
    WRAPUP = "wrapup"
    PAUSED = "paused"


class AgentMove(StrEnum):
    """What a person asks for, what the exchange tells, and the end of a wrap-up."""

    LOG_IN = "log_in"
    LOG_OUT = "log_out"
    READY = "ready"
    PAUSE = "pause"
    CALLED = "called"
    MISSED = "missed"
    CONNECTED = "connected"
    COMPLETED = "completed"
    WRAPPED = "wrapped"


_S, _M = AgentState, AgentMove
MOVES: Mapping[tuple[AgentState, AgentMove], AgentState] = {
    (_S.LOGGED_OUT, _M.LOG_IN): _S.READY,
    (_S.LOGGED_OUT, _M.LOG_OUT): _S.LOGGED_OUT,
    # Whom the roster puts on duty is rung without having logged in.
    **{
        (_S.LOGGED_OUT, told): _S.LOGGED_OUT
        for told in (_M.CALLED, _M.MISSED, _M.CONNECTED, _M.COMPLETED)
    },
    (_S.READY, _M.LOG_IN): _S.READY,
    (_S.READY, _M.LOG_OUT): _S.LOGGED_OUT,
    (_S.READY, _M.READY): _S.READY,
    (_S.READY, _M.PAUSE): _S.PAUSED,
    (_S.READY, _M.CALLED): _S.RINGING,
    (_S.READY, _M.MISSED): _S.READY,
    (_S.READY, _M.CONNECTED): _S.TALKING,
    (_S.READY, _M.COMPLETED): _S.WRAPUP,
    (_S.RINGING, _M.LOG_IN): _S.RINGING,
    (_S.RINGING, _M.LOG_OUT): _S.LOGGED_OUT,
    (_S.RINGING, _M.READY): _S.RINGING,
    (_S.RINGING, _M.PAUSE): _S.PAUSED,
    (_S.RINGING, _M.CALLED): _S.RINGING,
    (_S.RINGING, _M.MISSED): _S.READY,
    (_S.RINGING, _M.CONNECTED): _S.TALKING,
    (_S.RINGING, _M.COMPLETED): _S.WRAPUP,
    # During a talk a pause is noted for afterwards; logging out has to wait for its end.
    (_S.TALKING, _M.LOG_IN): _S.TALKING,
    (_S.TALKING, _M.READY): _S.TALKING,
    (_S.TALKING, _M.PAUSE): _S.TALKING,
    (_S.TALKING, _M.CALLED): _S.TALKING,
    (_S.TALKING, _M.MISSED): _S.TALKING,
    (_S.TALKING, _M.CONNECTED): _S.TALKING,
    (_S.TALKING, _M.COMPLETED): _S.WRAPUP,
    (_S.WRAPUP, _M.LOG_IN): _S.WRAPUP,
    (_S.WRAPUP, _M.LOG_OUT): _S.LOGGED_OUT,
    (_S.WRAPUP, _M.READY): _S.READY,
    (_S.WRAPUP, _M.PAUSE): _S.PAUSED,
    (_S.WRAPUP, _M.CALLED): _S.RINGING,  # rung before the exchange had heard of the wrap-up
    (_S.WRAPUP, _M.MISSED): _S.WRAPUP,
    (_S.WRAPUP, _M.CONNECTED): _S.TALKING,
    (_S.WRAPUP, _M.COMPLETED): _S.WRAPUP,
    (_S.WRAPUP, _M.WRAPPED): _S.READY,
    (_S.PAUSED, _M.LOG_IN): _S.PAUSED,
    (_S.PAUSED, _M.LOG_OUT): _S.LOGGED_OUT,
    (_S.PAUSED, _M.READY): _S.READY,
    (_S.PAUSED, _M.PAUSE): _S.PAUSED,
    (_S.PAUSED, _M.CALLED): _S.PAUSED,
    (_S.PAUSED, _M.MISSED): _S.PAUSED,
    (_S.PAUSED, _M.CONNECTED): _S.TALKING,
    (_S.PAUSED, _M.COMPLETED): _S.PAUSED,
}
"""Every legal move; what is missing here is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """One operator now. `reason` says why he is paused, or why he will be after this call."""

    operator: str
    state: AgentState = AgentState.LOGGED_OUT
    reason: str | None = None
    since: datetime
    until: datetime | None = None
    """When the wrap-up ends."""

    @property
    def is_logged_in(self) -> bool:
        """Whether his queues shall know him."""
        return self.state is not AgentState.LOGGED_OUT

    @property
    def pause(self) -> str | None:
        """The reason under which the exchange must not ring him; None where it may."""
        match self.state:
            case AgentState.PAUSED:
                return self.reason
            case AgentState.WRAPUP:
                return WRAPUP_REASON
            case _:
                return None


def moved(
    agent: Agent,
    move: AgentMove,
    at: datetime,
    *,
    reason: str | None = None,
    wrapup: timedelta = timedelta(0),
) -> Agent:
    """The operator after a move; the same object where nothing changes.

    `reason` belongs to a pause, `wrapup` to the end of a call (0 leaves the wrap-up out).

    Raises:
        AgentRefused: a person asked for what cannot be done now.
    """
    state = MOVES.get((agent.state, move))
    if state is None:
        raise AgentRefused(_why_not(agent, move))
    kept = agent.reason
    if move is AgentMove.PAUSE:
        kept = reason
    elif move in {AgentMove.READY, AgentMove.LOG_OUT}:
        kept = None
    until = None
    if state is AgentState.WRAPUP:
        until = at + wrapup if move is AgentMove.COMPLETED else agent.until
    if (state is AgentState.WRAPUP and not wrapup and move is AgentMove.COMPLETED) or (
        move is AgentMove.WRAPPED
    ):
        state, until = (AgentState.PAUSED if kept else AgentState.READY), None
    if (state, kept, until) == (agent.state, agent.reason, agent.until):
        return agent
    since = agent.since if state is agent.state else at
    return replace(agent, state=state, reason=kept, since=since, until=until)


def told(fact: Fact) -> tuple[str, AgentMove] | None:
    """Whom a fact of the exchange moves, and how; None where it is about no operator."""
    match fact:
        case OperatorCalled():
            return fact.operator, AgentMove.CALLED
        case OperatorMissed():
            return fact.operator, AgentMove.MISSED
        case OperatorConnected():
            return fact.operator, AgentMove.CONNECTED
        case OperatorDone():
            return fact.operator, AgentMove.COMPLETED
        case _:
            return None


def _why_not(agent: Agent, move: AgentMove) -> str:
    if agent.state is AgentState.TALKING:
        return f"Operator {agent.operator} is on a call: finish it first."
    if agent.state is AgentState.LOGGED_OUT:
        return f"Operator {agent.operator} is not logged in."
    return f"Operator {agent.operator} is {agent.state}: {move} is not possible."
