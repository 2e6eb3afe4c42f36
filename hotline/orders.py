"""What an order about a call is made of, and what a seat may reach at all."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, LiteralString

from hotline import case_callers, store
from hotline.case_callers import Brought
from hotline.config import Config
from hotline.database import Pool, borrowed
from hotline.errors import ControlForbiddenError, ControlImpossibleError
from hotline.exchange import RunningExchange
from hotline.journal import Event
from hotline.masking import mask_number
from hotline.store import StoredCall
from routing.directory import Unit
from telephony.call import DIAL_PREFIX
from telephony.live import LiveCall, LiveChannel

_CALLER: LiteralString = """
    SELECT i.number FROM calls c JOIN identities i ON i.token = coalesce(c.caller, c.callee)
     WHERE c.id = $1"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One order: who gives it, about which call, and what the journal is told of it."""

    event: Event
    seat: str
    call_id: int | None = None
    case_id: int | None = None
    body: Mapping[str, Any] = field(default_factory=dict)
    channel: str = ""
    """The id that a call dialled by this order shall have; empty where none is dialled."""
    number: str = field(default="", repr=False)
    """Whom it calls."""


def about(event: Event, seat: str, call_id: int, target: str) -> Asked:
    """An order that takes a call to somebody else."""
    return Asked(event=event, seat=seat, call_id=call_id, body={"target": mask_number(target)})


def dialling(
    event: Event,
    seat: str,
    number: str,
    body: Mapping[str, Any],
    *,
    call_id: int | None = None,
    case_id: int | None = None,
    by: str = "",
) -> Asked:
    """An order by which a number is called, under an id that nobody can guess.

    `by` is who asks where that is not the seat.
    """
    return Asked(
        event=event,
        seat=by or seat,
        call_id=call_id,
        case_id=case_id,
        body=body,
        channel=f"{DIAL_PREFIX}{seat}-{secrets.token_hex(6)}",
        number=number,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A call in the hands of one person: its row, its exchange and its legs as they are now."""

    stored: StoredCall
    queue: str
    exchange: RunningExchange
    live: LiveCall

    def leg_of(self, seat: str) -> LiveChannel:
        """The leg of the person who asks."""
        leg = self.live.at_seat(seat)
        if leg is None or not leg.is_up:
            raise ControlForbiddenError("Only who is on this call can do this.")
        return leg

    def third_party(self, seat: str) -> LiveChannel | None:
        """Whoever speaks with the caller beside the person who asks."""
        others = [leg for leg in self.live.speaking() if leg.seat != seat and leg.is_up]
        return others[0] if others else None


class Allowed:
    """The seats that may give orders, and the numbers that may be called."""

    def __init__(self, config: Config) -> None:
        self.seats = {operator.extension for operator in config.operators}
        self._outside = [
            re.compile(re.escape(pattern).replace("X", "[0-9]") + r"\Z", re.ASCII)
            for pattern in (*config.control.outside, *config.control.emergency)
        ]

    def check_seat(self, seat: str) -> None:
        """Raise `ControlForbiddenError` for somebody who sits at no telephone of ours."""
        if seat not in self.seats:
            raise ControlForbiddenError("Sign in at a seat first.")

    def check_outside(self, number: str) -> None:
        """Raise `ControlImpossibleError` for an outside number that no pattern allows."""
        if not any(pattern.match(number) for pattern in self._outside):
            raise ControlImpossibleError(
                f"{mask_number(number)} is not among the numbers that may be called."
            )

    def phone_of(self, unit: Unit | None, name: str) -> str:
        """A unit's number as it is dialled; raises `ControlImpossibleError` where it has none."""
        phone = re.sub(r"[- ()]", "", unit.phone if unit else "")
        if not phone:
            raise ControlImpossibleError(f"The directory has no telephone for {name}.")
        self.check_outside(phone)
        return phone

    async def caller_of(self, pool: Pool, call_id: int) -> tuple[StoredCall, str]:
        """A call and its caller's number; raises `ControlImpossibleError` where it was hidden."""
        async with borrowed(pool) as conn:
            stored = await store.get_call(conn, call_id)
            number = await conn.fetchval(_CALLER, call_id)
        if not number:
            raise ControlImpossibleError("The caller of this call hid the number.")
        self.check_outside(number)
        return stored, number

    async def brought(self, pool: Pool, case_id: int) -> tuple[Brought, str]:
        """Who brought a case, with the number; raises `ControlImpossibleError` where none is."""
        async with borrowed(pool) as conn:
            found = await case_callers.of_case(conn, case_id)
        if not found.number:
            raise ControlImpossibleError("No number is known of whoever brought this case.")
        self.check_outside(found.number)
        return found, found.number

    def check_target(self, target: str) -> None:
        """The same for a transfer or an invitation, which may also go to another seat."""
        if target not in self.seats:
            self.check_outside(target)
