"""The actions of one session that wait for their answers, found by action id and nothing else."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from asterisk.ami.event import Event
from asterisk.ami.response import Response

from telephony.errors import ActionError, ActionRefused

LIST_LIMIT = 100_000
"""Events in one list; more are not believed."""
EXPIRED_KEPT = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The complete answer to a list action."""

    response: Response
    events: tuple[Event, ...]
    announced: int | None
    """How many events the exchange says it sent; None where it does not say."""


@dataclass(slots=True, kw_only=True)
class Pending:
    """One action on its way."""

    action_id: str
    action: str
    listing: bool
    answer: asyncio.Future[Response | Listing]
    response: Response | None = None
    events: list[Event] = field(default_factory=list)


class InFlight:
    """Which answer belongs to which action of one generation; late and stray ones are counted.

    Every session has its own, so no action outlives its connection and none is sent again.
    """

    def __init__(self, prefix: str) -> None:
        self.late = 0
        self._prefix = prefix
        self._last = 0
        self._waiting: dict[str, Pending] = {}
        self._expired: deque[str] = deque(maxlen=EXPIRED_KEPT)

    def __len__(self) -> int:
        return len(self._waiting)

    def start(self, action: str, *, listing: bool) -> Pending:
        """A new place in the book, with an action id never used before."""
        self._last += 1
        pending = Pending(
            action_id=f"{self._prefix}-{self._last}",
            action=action,
            listing=listing,
            answer=asyncio.get_running_loop().create_future(),
        )
        self._waiting[pending.action_id] = pending
        return pending

    def forget(self, pending: Pending) -> None:
        """The action is over; what still comes for it is late."""
        self._waiting.pop(pending.action_id, None)
        if pending.answer.cancel() or pending.answer.cancelled():
            self._expired.append(pending.action_id)

    def fail_all(self, error: Callable[[str], ActionError]) -> None:
        """Give every waiting action its error; `error` gets the action's name."""
        waiting, self._waiting = self._waiting, {}
        for pending in waiting.values():
            if not pending.answer.done():
                pending.answer.set_exception(error(pending.action))

    def take_response(self, response: Response) -> None:
        """An answer came; one that nobody waits for is counted."""
        pending = self._waiting.get(response.keys.get("ActionID", ""))
        if pending is None or pending.answer.done():
            self.late += 1
        elif response.is_error():
            pending.answer.set_exception(_refused(pending.action, response))
        elif not pending.listing:
            pending.answer.set_result(response)
        elif str(response.keys.get("EventList", "")).lower() == "start":
            pending.response = response
        else:
            listing = Listing(response=response, events=(), announced=None)
            pending.answer.set_result(listing)

    def take_event(self, action_id: str, event: Event) -> bool:
        """Whether the event was part of a list, complete or long given up."""
        pending = self._waiting.get(action_id)
        if pending is None:
            late = action_id in self._expired
            self.late += late
            return late
        if not pending.listing or pending.response is None or pending.answer.done():
            return False
        state = str(event.keys.get("EventList", "")).lower()
        if state == "complete" or (not state and event.name.endswith("Complete")):
            pending.answer.set_result(_listing(pending.response, pending.events, event))
        elif state == "cancelled" or len(pending.events) >= LIST_LIMIT:
            sentence = f"The exchange did not finish the list {pending.action}."
            pending.answer.set_exception(ActionError(sentence, action=pending.action))
        else:
            pending.events.append(event)
        return True


def _listing(response: Response, events: list[Event], last: Event) -> Listing:
    announced = str(last.keys.get("ListItems", last.keys.get("Items", "")))
    return Listing(
        response=response,
        events=(*events, last),
        announced=int(announced) if announced.isascii() and announced.isdigit() else None,
    )


def _refused(action: str, response: Response) -> ActionRefused:
    answer = str(response.keys.get("Message", "no reason given"))
    return ActionRefused(
        f"The exchange refused the action {action}: {answer}.", action=action, answer=answer
    )
