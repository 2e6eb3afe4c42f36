"""Call control for people: who may do what with which call, done, and in the journal.

Each order finds the call's legs by asking the exchange at that moment, checks who asks, writes
`control.<action>` into the journal and only then acts, so no use is without its row; where the
exchange refuses, `control.failed` follows it. Numbers of citizens are looked up here and go to the
exchange only: no answer, no journal row and no log bears one.
"""

import asyncio
import copy
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakValueDictionary

from hotline import dial_orders, journal, store
from hotline.config import Config
from hotline.database import Pool, borrowed, transaction
from hotline.errors import ControlForbiddenError, ControlImpossibleError, ControlUnavailableError
from hotline.exchange import RunningExchange
from hotline.journal import Event
from hotline.masking import mask_number
from hotline.operator_rows import in_browsers
from hotline.orders import Allowed, Asked, Held, about, dialling
from hotline.services import Clock
from hotline.store import StoredCall
from routing.directory import City
from telephony.control import CONSULT, CallControl, Ear
from telephony.errors import ActionError, TelephonyError
from telephony.events import LinkedId
from telephony.live import LiveCall, LiveChannel, live_call, live_channels

log = logging.getLogger(__name__)

JOIN_SECONDS = 5.0
_LOOK_SECONDS = 0.1
Order = Callable[[CallControl], Awaitable[None]]
Way = Callable[[CallControl, str, str], Awaitable[None]]


class ControlDesk:
    """Takes the orders of people for every exchange; two orders about one call take turns."""

    def __init__(
        self,
        *,
        config: Config,
        pool: Pool,
        exchanges: Mapping[str, RunningExchange],
        city: Callable[[], City],
        clock: Clock,
    ) -> None:
        """`city` gives the city as it is now, with the telephones of its units."""
        self._config, self._pool, self._exchanges = config, pool, exchanges
        self._city = city
        self._clock = clock
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        self._allowed = Allowed(config)

    def through(self, pool: Pool) -> "ControlDesk":
        """The same desk, for somebody who may find only what this pool shows."""
        desk = copy.copy(self)
        desk._pool = pool  # noqa: SLF001 - its own copy
        return desk

    # ---- calls that begin here ----

    async def dial(self, seat: str, number: str) -> None:
        """Ring the operator's telephone, then the outside number."""
        self._allowed.check_seat(seat)
        self._allowed.check_outside(number)
        asked = dialling(Event.CONTROL_DIAL, seat, number, {"target": mask_number(number)})
        await self._do(
            asked,
            self._first(),
            lambda control: control.dial(seat, number, order=asked.channel),
        )

    async def dial_caller(self, seat: str, call_id: int) -> None:
        """Ring the operator's telephone, then whoever made this call; his number is not shown."""
        self._allowed.check_seat(seat)
        stored, number = await self._allowed.caller_of(self._pool, call_id)
        asked = dialling(
            Event.CONTROL_DIAL, seat, number, {"target": mask_number(number)}, call_id=call_id
        )
        await self._do(
            asked,
            self._exchange(stored.system),
            lambda control: control.dial(seat, number, order=asked.channel),
        )

    async def dial_case(self, seat: str, case_id: int) -> None:
        """The same for whoever brought a case, by a call or otherwise."""
        self._allowed.check_seat(seat)
        await self._for_case(
            Event.CONTROL_DIAL, seat, case_id, {}, lambda it, to, key: it.dial(seat, to, order=key)
        )

    async def call_back(self, seat: str, case_id: int, unit: str, *, by: str = "") -> None:
        """Ring the unit, then the citizen of the case: both see the hotline, neither the other.

        `by` names somebody of the unit, who has no seat: the exchange counts by `seat` then.
        """
        if not by:
            self._allowed.check_seat(seat)
        phone = self._allowed.phone_of(self._city().unit(unit), unit)
        await self._for_case(
            Event.CONTROL_CALL_BACK,
            seat,
            case_id,
            {"unit": unit},
            lambda it, to, key: it.relay(seat, phone, to, order=key),
            by=by,
        )

    async def _for_case(
        self, event: Event, seat: str, case_id: int, body: dict[str, Any], way: Way, *, by: str = ""
    ) -> None:
        """Call whoever brought a case in one way."""
        found, number = await self._allowed.brought(self._pool, case_id)
        asked = dialling(event, seat, number, body, call_id=found.call_id, case_id=case_id, by=by)
        exchange = self._exchange(found.system) if found.system else self._first()
        await self._do(asked, exchange, lambda control: way(control, number, asked.channel))

    # ---- calls that are here ----

    async def hold(self, seat: str, call_id: int) -> None:
        """The citizen waits; the operator is alone on the telephone."""
        async with self._held(call_id) as held:
            mine = held.leg_of(seat)
            if held.live.is_on_hold:
                raise ControlImpossibleError("The caller is on hold already.")
            await self._do(
                Asked(event=Event.CONTROL_HOLD, seat=seat, call_id=call_id),
                held.exchange,
                lambda control: control.hold(held.live.caller, mine, held.queue),
            )

    async def unhold(self, seat: str, call_id: int) -> None:
        """Operator and citizen speak again; a consultation ends with it."""
        async with self._held(call_id) as held:
            mine = held.leg_of(seat)
            if not held.live.is_on_hold:
                raise ControlImpossibleError("The caller is not on hold.")
            await self._do(
                Asked(event=Event.CONTROL_UNHOLD, seat=seat, call_id=call_id),
                held.exchange,
                lambda control: control.resume(held.live.caller, mine, held.queue),
            )

    async def transfer(self, seat: str, call_id: int, target: str) -> None:
        """Give the citizen to another number at once."""
        self._allowed.check_target(target)
        async with self._held(call_id) as held:
            mine = held.leg_of(seat)
            if not held.live.caller.bridge:
                raise ControlImpossibleError("Take the caller off hold first.")
            if held.third_party(seat):
                raise ControlImpossibleError("A third party is on this call: leave it instead.")
            await self._do(
                about(Event.CONTROL_TRANSFER, seat, call_id, target),
                held.exchange,
                lambda control: control.transfer(held.live.caller, mine, target, held.queue),
            )

    async def consult(self, seat: str, call_id: int, target: str) -> None:
        """The citizen waits while the operator speaks with another number."""
        self._allowed.check_target(target)
        async with self._held(call_id) as held:
            mine = held.leg_of(seat)
            if held.third_party(seat) or mine.place[0] == CONSULT:
                raise ControlImpossibleError("There is a third party on this call already.")
            await self._do(
                about(Event.CONTROL_CONSULT, seat, call_id, target),
                held.exchange,
                lambda control: control.consult(held.live.caller, mine, target, held.queue),
            )

    async def complete(self, seat: str, call_id: int) -> None:
        """The citizen is given to whom the operator has asked; then the operator is free."""
        async with self._held(call_id) as held:
            mine = held.leg_of(seat)
            other = next(
                (
                    leg
                    for leg in held.live.others
                    if mine.bridge and leg.bridge == mine.bridge and leg is not mine
                ),
                None,
            )
            if other is None or not held.live.is_on_hold:
                raise ControlImpossibleError("Nobody has been asked to take this call yet.")

            async def give(control: CallControl) -> None:
                await control.resume(held.live.caller, other, held.queue)
                live = await self._together(held, other)
                if mine.unique_id in {leg.unique_id for leg in live.others}:
                    await control.hang_up(mine)

            body = {"target": mask_number(other.seat)}
            asked = Asked(event=Event.CONTROL_COMPLETE, seat=seat, call_id=call_id, body=body)
            await self._do(asked, held.exchange, give)

    async def invite(self, seat: str, call_id: int, target: str) -> None:
        """Ring a third party, who joins the two when the telephone is picked up."""
        self._allowed.check_target(target)
        async with self._held(call_id) as held:
            held.leg_of(seat)
            if not held.live.caller.bridge:
                raise ControlImpossibleError("Take the caller off hold first.")
            inside = target in self._allowed.seats
            await self._do(
                about(Event.CONTROL_INVITE, seat, call_id, target),
                held.exchange,
                lambda control: control.invite(held.live.caller, seat, target, inside=inside),
            )

    async def leave(self, seat: str, call_id: int) -> None:
        """The operator goes, once citizen and third party speak with each other."""
        async with self._held(call_id) as held:
            mine = held.leg_of(seat)
            if mine not in held.live.speaking() or held.third_party(seat) is None:
                raise ControlImpossibleError(
                    "Stay on the line: nobody else speaks with the caller yet."
                )
            await self._do(
                Asked(event=Event.CONTROL_LEAVE, seat=seat, call_id=call_id),
                held.exchange,
                lambda control: control.hang_up(mine),
            )

    async def pick_up(self, seat: str, call_id: int) -> None:
        """Take a call that rings at another seat."""
        self._allowed.check_seat(seat)
        async with self._held(call_id) as held:
            ringing = next(
                (
                    leg
                    for leg in held.live.others
                    if leg.seat in self._allowed.seats - {seat} and leg.state == "Ringing"
                ),
                None,
            )
            if ringing is None:
                raise ControlImpossibleError("This call rings at no other seat now.")
            await self._do(
                about(Event.CONTROL_PICK_UP, seat, call_id, ringing.seat),
                held.exchange,
                lambda control: control.pick_up(seat, ringing),
            )

    async def hang_up(self, seat: str, call_id: int) -> None:
        """End the call; whoever is on it may, and a supervisor."""
        async with self._held(call_id) as held:
            if seat not in self._config.control.supervisors:
                held.leg_of(seat)
            await self._do(
                Asked(event=Event.CONTROL_HANG_UP, seat=seat, call_id=call_id),
                held.exchange,
                lambda control: control.hang_up(held.live.caller),
            )

    async def attend(self, seat: str, call_id: int, ear: Ear) -> None:
        """A supervisor hears the call, speaks to the operator, or to both."""
        self._allowed.check_seat(seat)
        if seat not in self._config.control.supervisors:
            raise ControlForbiddenError("Only a supervisor may listen to the calls of others.")
        async with self._held(call_id) as held:
            operator = next(
                (leg for leg in held.live.speaking() if leg.seat in self._allowed.seats - {seat}),
                None,
            )
            if operator is None:
                raise ControlImpossibleError("No operator speaks on this call now.")
            event = {
                Ear.LISTEN: Event.CONTROL_LISTEN,
                Ear.WHISPER: Event.CONTROL_WHISPER,
                Ear.BARGE: Event.CONTROL_BARGE,
            }[ear]
            await self._do(
                about(event, seat, call_id, operator.seat),
                held.exchange,
                lambda control: control.attend(seat, operator, ear),
            )

    async def legs(self, call_id: int) -> LiveCall:
        """Who is on a call now."""
        async with self._held(call_id) as held:
            return held.live

    # ---- the ways ----

    @asynccontextmanager
    async def _held(self, call_id: int) -> AsyncIterator[Held]:
        """The call with its legs as they are now; its other orders wait meanwhile."""
        turn = self._turns.setdefault(call_id, asyncio.Lock())
        async with turn:
            async with borrowed(self._pool) as conn:
                stored = await store.get_call(conn, call_id)
            exchange = self._exchange(stored.system)
            queues = {line.name: line.queue_name for line in self._config.lines}
            yield Held(
                stored=stored,
                queue=queues.get(stored.line, stored.line),
                exchange=exchange,
                live=await self._live(exchange, stored),
            )

    async def _live(self, exchange: RunningExchange, stored: StoredCall) -> LiveCall:
        try:
            channels = await live_channels(exchange.connection)
        except ActionError as error:
            raise ControlUnavailableError(f"The exchange does not answer. {error}") from error
        live = live_call(channels, LinkedId(stored.linked_id))
        if live is None:
            raise ControlImpossibleError("This call is over.")
        return live

    async def _together(self, held: Held, other: LiveChannel) -> LiveCall:
        """Wait until the exchange says that caller and other are in one bridge."""
        try:
            async with asyncio.timeout(JOIN_SECONDS):
                while True:
                    live = await self._live(held.exchange, held.stored)
                    if other.unique_id in {leg.unique_id for leg in live.speaking()}:
                        return live
                    await asyncio.sleep(_LOOK_SECONDS)
        except TimeoutError as error:
            raise ControlImpossibleError(
                "The two were not brought together; stay on the line."
            ) from error

    async def _do(self, asked: Asked, exchange: RunningExchange, order: Order) -> None:
        """Write the order down, then give it; a refusal is written down as well."""
        if exchange.actor is None:
            raise ControlUnavailableError(
                f"The exchange {exchange.system} takes no orders: configure its actor_secret."
            )
        await self._write(asked, asked.event, asked.body, system=exchange.system)
        async with borrowed(self._pool) as conn:
            browsers = await in_browsers(conn)
        try:
            await order(CallControl(exchange.actor, number=self._number(), browsers=browsers))
        except (TelephonyError, ControlImpossibleError) as error:
            reason = str(error)
            await self._write(
                asked, Event.CONTROL_FAILED, {"action": asked.event, "reason": reason}
            )
            log.warning("%s by %s failed: %s", asked.event, asked.seat, reason)
            if isinstance(error, TelephonyError):
                raise ControlUnavailableError(f"The exchange did not do it. {error}") from error
            raise

    async def _write(
        self, asked: Asked, event: Event, body: Mapping[str, Any], *, system: str | None = None
    ) -> None:
        """A journal row; with the system also what is going to be dialled there."""
        async with transaction(self._pool) as tx:
            if asked.channel and system is not None:
                await dial_orders.record(
                    tx,
                    channel=asked.channel,
                    system=system,
                    number=asked.number,
                    by=asked.seat,
                    at=self._clock(),
                    call_id=asked.call_id,
                    case_id=asked.case_id,
                )
            if asked.call_id is not None:
                await store.hold_call(tx, asked.call_id)
            await journal.write(
                tx,
                at=self._clock(),
                actor=asked.seat,
                event=event,
                call_id=asked.call_id,
                case_id=asked.case_id,
                body=body,
            )

    def _number(self) -> str:
        lines = self._config.lines
        return self._config.control.number or (lines[0].number if lines else "")

    def _first(self) -> RunningExchange:
        able = [one for one in self._exchanges.values() if one.actor is not None]
        if not able:
            raise ControlUnavailableError("No exchange takes orders: configure an actor_secret.")
        return next((one for one in able if one.connection.state.connected), able[0])

    def _exchange(self, system: str) -> RunningExchange:
        exchange = self._exchanges.get(system)
        if exchange is None:
            raise ControlUnavailableError(f"The exchange {system} is not configured any more.")
        return exchange
