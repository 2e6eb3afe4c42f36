"""Who sits at which queue: what the exchange says, what is wanted, and the orders between; pure.

`orders` compares the two and says the fewest steps that make them agree, so it may be asked again
after any restart. A member that stands in the exchange's own configuration cannot be removed;
he is paused with the reason `logged_out` instead, which `seen` reads as not being there.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol

from telephony.agents import WRAPUP_REASON, AgentState
from telephony.control import Actor
from telephony.probing import MEMBER
from telephony.snapshot import Asker
from telephony.text import BROWSER, clean, operator_at

LOGGED_OUT_REASON = "logged_out"
_REACHABLE = frozenset({"0", "1", "2", "3", "6", "7", "8"})
_RINGING = frozenset({"6", "7"})
_BUSY = frozenset({"2", "3", "7", "8"})


class Phone(StrEnum):
    """Which telephone of an operator's: the one on his desk, or the one in his browser."""

    DESK = "desk"
    BROWSER = "browser"


def channel_to(operator: str, phone: Phone) -> str:
    """What is rung: `PJSIP/1001`, or `PJSIP/1001-web`."""
    return f"PJSIP/{operator}{BROWSER if phone is Phone.BROWSER else ''}"


class Told(Protocol):
    """What we use of `asterisk.ami.Event`."""

    name: str
    keys: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One member of one queue as the exchange tells it."""

    queue: str
    operator: str
    interface: str
    penalty: int
    pause: str | None
    """The reason of the pause ("" where none was given); None where he is not paused."""
    status: str
    """The device's state as Asterisk numbers it (devicestate.h): 1 idle, 2 in use, 6 ringing..."""
    in_call: bool
    is_fixed: bool
    """Whether the exchange's own configuration names him."""
    last_call: datetime | None

    @property
    def phone(self) -> Phone:
        """Which of his telephones it is."""
        return Phone.BROWSER if self.interface.endswith(BROWSER) else Phone.DESK

    @property
    def is_reachable(self) -> bool:
        """Whether his telephone is there."""
        return self.status in _REACHABLE

    @property
    def is_ringing(self) -> bool:
        """Whether his telephone rings."""
        return self.status in _RINGING

    @property
    def is_busy(self) -> bool:
        """Whether his telephone is in use, for this queue or for anything else."""
        return self.in_call or self.status in _BUSY

    @property
    def is_here(self) -> bool:
        """Whether he takes part in the queue at all."""
        return self.pause != LOGGED_OUT_REASON

    @property
    def is_staffed(self) -> bool:
        """Whether somebody sits here who takes calls: now, or when this one is through."""
        return self.is_reachable and self.pause in (None, WRAPUP_REASON)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A member as he shall be; `penalty` None leaves it as it is."""

    queue: str
    operator: str
    penalty: int | None = None
    pause: str | None = None
    phone: Phone = Phone.DESK


class Verb(StrEnum):
    """What can be ordered of a queue."""

    ADD = "add"
    REMOVE = "remove"
    PAUSE = "pause"
    UNPAUSE = "unpause"
    PENALTY = "penalty"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One step towards what is wanted."""

    verb: Verb
    queue: str
    operator: str
    penalty: int = 0
    reason: str = ""
    phone: Phone = Phone.DESK


def orders(
    wanted: Iterable[Wanted], members: Iterable[Member], managed: Collection[str]
) -> tuple[Order, ...]:
    """The steps that bring the queues to what is wanted.

    `managed` are the operators whose membership is ours to end; others are left alone. Of an
    operator's two telephones the one that is not wanted goes as somebody who has logged out does.
    """
    here = {(member.queue, member.operator, member.phone): member for member in members}
    steps: list[Order] = []
    named = set()
    for want in wanted:
        key = (want.queue, want.operator, want.phone)
        named.add(key)
        steps += _for_one(want, here.get(key))
    for key, member in here.items():
        if key in named or member.operator not in managed:
            continue
        queue, operator, phone = key
        leaving = Order(verb=Verb.REMOVE, queue=queue, operator=operator, phone=phone)
        if not member.is_fixed:
            steps.append(leaving)
        elif member.is_here:
            steps.append(replace(leaving, verb=Verb.PAUSE, reason=LOGGED_OUT_REASON))
    return tuple(steps)


def _for_one(want: Wanted, member: Member | None) -> list[Order]:
    reason = want.pause or ""
    coming = Order(
        verb=Verb.ADD, queue=want.queue, operator=want.operator, reason=reason, phone=want.phone
    )
    if member is None:
        return [replace(coming, penalty=want.penalty or 0)]
    steps = []
    if want.penalty is not None and want.penalty != member.penalty:
        steps.append(replace(coming, verb=Verb.PENALTY, penalty=want.penalty, reason=""))
    if want.pause != member.pause:
        verb = Verb.UNPAUSE if want.pause is None else Verb.PAUSE
        steps.append(replace(coming, verb=verb))
    return steps


def seen(members: Collection[Member]) -> tuple[AgentState, str | None]:
    """The state of one operator as his queues show it, and why he is paused."""
    here = [member for member in members if member.is_here]
    if not here:
        return AgentState.LOGGED_OUT, None
    if any(member.in_call for member in here):
        return AgentState.TALKING, None
    reasons = [member.pause for member in here if member.pause is not None]
    if reasons and len(reasons) == len(here):
        if WRAPUP_REASON in reasons:
            return AgentState.WRAPUP, None
        return AgentState.PAUSED, reasons[0] or "paused"
    if any(member.is_ringing for member in here):
        return AgentState.RINGING, None
    return AgentState.READY, None


async def seated(asker: Asker) -> tuple[Member, ...]:
    """Every person at every queue as the exchange tells it now; who answers test calls is none.

    Raises:
        ActionError: the exchange did not tell.
    """
    listing = await asker.list_action("QueueStatus")
    members = (member_of(event) for event in listing.events if event.name == "QueueMember")
    return tuple(member for member in members if member.interface != MEMBER)


def member_of(event: Told) -> Member:
    """The member a QueueMember event tells of; odd values make a poorer one, never an error."""
    keys = event.keys
    last = _number(keys.get("LastCall"))
    return Member(
        queue=clean(keys.get("Queue", "")),
        operator=operator_at(keys.get("StateInterface") or keys.get("Location", "")),
        interface=clean(keys.get("Location") or keys.get("StateInterface", "")),
        penalty=_number(keys.get("Penalty")),
        pause=clean(keys.get("PausedReason", "")) if keys.get("Paused") == "1" else None,
        status=keys.get("Status", ""),
        in_call=keys.get("InCall") == "1",
        is_fixed=keys.get("Membership") == "static",
        last_call=datetime.fromtimestamp(last, UTC) if last else None,
    )


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 12 else 0  # noqa: PLR2004


async def give(actor: Actor, order: Order) -> None:
    """Let the exchange do one step.

    Raises:
        ActionError: it did not; the next comparison says what is still to be done.
    """
    interface = channel_to(order.operator, order.phone)
    there = {"Queue": order.queue, "Interface": interface}
    match order.verb:
        case Verb.ADD:
            pause = {"Paused": "true", "Reason": order.reason} if order.reason else {}
            named = {"MemberName": order.operator, "StateInterface": interface}
            headers = {**there, "Penalty": str(order.penalty), **named, **pause}
            await actor.action("QueueAdd", headers)
        case Verb.REMOVE:
            await actor.action("QueueRemove", there)
        case Verb.PAUSE:
            await actor.action("QueuePause", {**there, "Paused": "true", "Reason": order.reason})
        case Verb.UNPAUSE:
            await actor.action("QueuePause", {**there, "Paused": "false"})
        case Verb.PENALTY:
            await actor.action("QueuePenalty", {**there, "Penalty": str(order.penalty)})
