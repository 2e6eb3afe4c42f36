"""A notice, the port every receiver is reached by, and how a delivery can fail."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from routing.errors import RoutingError

SECONDS_TO_ANSWER = 15.0
"""How long a receiver may take: longer, and the notice is tried again later."""


class DeliveryError(RoutingError):
    """A notice was not delivered; `final` ones are not tried again."""

    def __init__(self, sentence: str, *, final: bool) -> None:
        super().__init__(sentence)
        self.final = final


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What is told. The same `id` is sent at each try, so that a receiver can drop a repetition.

    `to` is a mail address or a telephone number; programs have none. `facts` are the journal's
    own, masked; `subject` and `text` are for people.
    """

    id: str
    at: datetime
    event: str
    to: str
    subject: str
    text: str
    facts: Mapping[str, Any]


class Destination(Protocol):
    """One way out of the house."""

    async def send(self, notice: Notice) -> None:
        """Deliver one notice; raises DeliveryError."""
        ...


def refused(what: str, status: int) -> DeliveryError:
    """What an HTTP status means: a 4xx will be refused again, except "later" and "too many"."""
    passing = {408, 409, 423, 425, 429}
    final = 400 <= status < 500 and status not in passing  # noqa: PLR2004 - RFC 9110, section 15.5
    return DeliveryError(f"{what} answered with the status {status}.", final=final)
