"""An operator as others see him: on the console, and in the journal's words."""

from dataclasses import dataclass

from hotline.journal import Event
from hotline.operator_rows import Seated
from telephony.agents import Agent, AgentState
from telephony.seating import Member, Phone

_PAUSING = frozenset({AgentState.WRAPUP, AgentState.PAUSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An operator as the console shows him."""

    operator: str
    seated: Seated | None
    members: tuple[Member, ...]
    """His places at the queues when the exchange was last asked."""

    @property
    def is_reachable(self) -> bool:
        """Whether the telephone he chose was there."""
        phone = self.seated.phone if self.seated else Phone.DESK
        return any(one.is_reachable for one in self.members if one.phone is phone)


def word_of(before: Agent, after: Agent) -> Event | None:
    """What the journal says of a change; calls have rows of their own."""
    if before.is_logged_in != after.is_logged_in:
        return Event.OPERATOR_LOGGED_IN if after.is_logged_in else Event.OPERATOR_LOGGED_OUT
    if after.state is AgentState.WRAPUP and before.state is not AgentState.WRAPUP:
        return Event.OPERATOR_WRAPUP
    if after.state is AgentState.PAUSED and before.pause != after.pause:
        return Event.OPERATOR_PAUSED
    if after.state is AgentState.READY and before.state in _PAUSING:
        return Event.OPERATOR_READY
    return None
