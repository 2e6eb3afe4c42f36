"""Call-outs: people are rung one after another until one acknowledges by key.

    asked for (API)  -> callouts, callout_steps, journal(callout.started)
    the next person  -> his step is `ringing` and in the journal, committed; then he is rung
    the event log    -> acknowledged: over; left or not answered: the next; nobody left: exhausted

Each person's channel id is committed before he is rung. After a crash the exchange's own event log
tells by that id what happened meanwhile, so nobody is rung twice and no acknowledgement is lost.
"""

import asyncio
import copy
import logging
import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import asyncpg

from hotline import callout_rows as rows
from hotline import journal
from hotline.callout_rows import Callout, Ended, Step, StepState
from hotline.config import Config
from hotline.database import PASSING, Connection, Pool, borrowed, transaction
from hotline.errors import ControlImpossibleError, ControlUnavailableError
from hotline.exchange import RunningExchange
from hotline.journal import Event
from hotline.masking import mask_number, mask_text
from hotline.operator_rows import seated_at
from hotline.roster import on_duty
from hotline.roster_rows import shifts_between
from hotline.services import Clock
from telephony.errors import ActionError, ActionRefused, NotConnected, TelephonyError
from telephony.live import live_channels
from telephony.ringing import PREFIX, Mark, Marks, ring
from telephony.seating import Phone

log = logging.getLogger(__name__)

SERVICE = "service"
LONGEST_LIST = 30
_EVERY = 0.3
_TAKES_UP = timedelta(seconds=10)
"""Within it a telephone that was ordered to ring has a channel in the event log."""
_ASKED = timedelta(seconds=70)
"""The dialplan asks for the key and hangs up well within it."""


class CalloutDesk:
    """Runs every call-out of every exchange; several at once, each one person at a time."""

    def __init__(
        self,
        *,
        config: Config,
        pool: Pool,
        exchanges: Mapping[str, RunningExchange],
        clock: Clock,
    ) -> None:
        """Nothing is rung before `run`."""
        self._config, self._pool, self._exchanges, self._clock = config, pool, exchanges, clock
        self._seats = {operator.extension for operator in config.operators}
        self._outside = [
            re.compile(re.escape(pattern).replace("X", "[0-9]") + r"\Z", re.ASCII)
            for pattern in config.control.outside
        ]
        self._ring_for = timedelta(seconds=config.seats.callout_ring_seconds)
        self._marks = {one.system: Marks(one.cel_file) for one in config.exchanges}
        self._given: set[str] = set()
        """Channel ids this process has given to an exchange."""
        self._asked = asyncio.Event()

    def through(self, pool: Pool) -> "CalloutDesk":
        """The same desk, for somebody who may find only what this pool shows."""
        desk = copy.copy(self)
        desk._pool = pool  # noqa: SLF001 - its own copy
        return desk

    async def start(
        self, by: str, line: str, reason: str, *, case_id: int | None, targets: Sequence[str]
    ) -> int:
        """Begin a call-out; without targets those on duty are rung, in the roster's order."""
        async with transaction(self._pool) as tx:
            number = await self.begin(
                tx, by, line, reason, case_id=case_id, targets=targets, journalled=by
            )
        self.wake()
        return number

    def wake(self) -> None:
        """Look at once for what is to be rung."""
        self._asked.set()

    async def begin(
        self,
        tx: Connection,
        seat: str,
        line: str,
        reason: str,
        *,
        case_id: int | None,
        targets: Sequence[str] = (),
        journalled: str,
    ) -> int:
        """Begin a call-out in the caller's transaction; `wake` when it is committed.

        `seat` is in whose name outside numbers are rung, `journalled` who asked for it.

        Raises:
            ControlImpossibleError: nobody is on duty, or a number may not be called.
            ControlUnavailableError: no exchange takes orders.
        """
        now = self._clock()
        exchange = self._able()
        people = list(dict.fromkeys(targets)) or await self._on_duty(tx, line, now)
        for target in people:
            self._check(target)
        if case_id is not None and not await tx.fetchval(
            "SELECT EXISTS (SELECT FROM cases WHERE id = $1)", case_id
        ):
            raise ControlImpossibleError("There is no such case.")
        number = await rows.start(
            tx,
            system=exchange.system,
            line=line,
            reason=reason,
            case_id=case_id,
            by=seat,
            now=now,
        )
        for position, target in enumerate(people, 1):
            channel = f"{PREFIX}{number}-{position}-{secrets.token_hex(6)}"
            await rows.list_person(tx, number, position, target, channel)
        await journal.write(
            tx,
            at=now,
            actor=journalled,
            event=Event.CALLOUT_STARTED,
            case_id=case_id,
            body={
                "callout": number,
                "line": line,
                "reason": mask_text(reason),
                "people": len(people),
            },
        )
        return number

    async def newest(self, limit: int) -> list[Callout]:
        """The last call-outs with everybody on their lists."""
        async with borrowed(self._pool) as conn:
            return await rows.newest(conn, limit)

    async def run(self) -> None:
        """Go on with every call-out that is not over; returns only when cancelled."""
        try:
            while True:
                self._asked.clear()
                some = False
                try:
                    some = await self._go_on()
                except (*PASSING, TelephonyError, asyncpg.PostgresError) as error:
                    log.warning("The call-outs go on shortly (%s).", error)
                    some = True
                if some:
                    await asyncio.sleep(_EVERY)
                else:
                    await self._asked.wait()
        finally:
            for marks in self._marks.values():
                marks.close()

    async def _go_on(self) -> bool:
        async with borrowed(self._pool) as conn:
            going = await rows.running(conn)
        told = {
            system: await asyncio.to_thread(self._marks[system].look)
            for system in {one.system for one in going}
            if system in self._marks
        }
        for callout in going:
            if callout.system in told:
                await self._one(callout, told[callout.system])
        return bool(going)

    async def _one(self, callout: Callout, told: Mapping[str, frozenset[Mark]]) -> None:
        ringing = next((one for one in callout.steps if one.state is StepState.RINGING), None)
        if ringing is not None:
            await self._follow(callout, ringing, told.get(ringing.channel, frozenset()))
            return
        waiting = next((one for one in callout.steps if one.state is StepState.WAITING), None)
        if waiting is None:
            await self._over(callout, Ended.EXHAUSTED)
            return
        now = self._clock()
        async with transaction(self._pool) as tx:
            if not await rows.begin_step(tx, callout.id, waiting.position, now):
                return
            await self._tell(tx, callout, Event.CALLOUT_RINGING, waiting, now)
        await self._ring(callout, waiting)

    async def _follow(self, callout: Callout, step: Step, told: frozenset[Mark]) -> None:
        """What became of the person who is rung; the event log has the last word."""
        age = self._clock() - (step.rung_at or callout.started_at)
        if Mark.ACKNOWLEDGED in told:
            await self._settle(callout, step, StepState.ACKNOWLEDGED)
        elif Mark.OVER in told:
            picked_up = "It was answered and not acknowledged." if Mark.PICKED_UP in told else None
            await self._settle(callout, step, StepState.UNANSWERED, picked_up)
        elif Mark.RUNG not in told:
            if step.channel not in self._given:
                await self._ring(callout, step)  # a process before this one was killed before it
            elif age > _TAKES_UP + self._ring_for:
                await self._settle(
                    callout, step, StepState.FAILED, "The exchange did not ring this telephone."
                )
        elif age > self._ring_for + _ASKED and not await self._is_live(callout, step):
            # The exchange was killed while it rang: it has written no end.
            await self._settle(callout, step, StepState.UNANSWERED, "The exchange was restarted.")

    async def _ring(self, callout: Callout, step: Step) -> None:
        exchange = self._exchanges.get(callout.system)
        if exchange is None or exchange.actor is None:
            await self._settle(
                callout, step, StepState.FAILED, f"The exchange {callout.system} takes no orders."
            )
            return
        phone = await self._telephone(step.target)
        self._given.add(step.channel)
        try:
            await ring(
                exchange.actor,
                step.channel,
                step.target,
                inside=step.target in self._seats,
                shown=self._number(),
                seat=callout.asked_by,
                seconds=int(self._ring_for.total_seconds()),
                phone=phone,
            )
        except NotConnected:
            self._given.discard(step.channel)  # nothing was sent: it is tried again
        except ActionRefused as error:
            await self._settle(callout, step, StepState.FAILED, str(error))
        except ActionError as error:
            log.warning("Call-out %d: the files tell whether it rings (%s).", callout.id, error)

    async def _telephone(self, seat: str) -> Phone:
        async with borrowed(self._pool) as conn:
            seated = await seated_at(conn, seat)
        return seated.phone if seated else Phone.DESK

    async def _is_live(self, callout: Callout, step: Step) -> bool:
        exchange = self._exchanges[callout.system]
        there = await live_channels(exchange.connection)
        return step.channel in {channel.unique_id for channel in there}

    async def _settle(
        self, callout: Callout, step: Step, state: StepState, detail: str | None = None
    ) -> None:
        now = self._clock()
        async with transaction(self._pool) as tx:
            settled = await rows.end_step(
                tx, callout.id, step.position, state, now=now, detail=detail
            )
            if not settled or state is not StepState.ACKNOWLEDGED:
                return
            if await rows.end(tx, callout.id, Ended.ACKNOWLEDGED, now):
                await self._tell(tx, callout, Event.CALLOUT_ACKNOWLEDGED, step, now)

    async def _over(self, callout: Callout, how: Ended) -> None:
        now = self._clock()
        async with transaction(self._pool) as tx:
            if await rows.end(tx, callout.id, how, now):
                await self._tell(tx, callout, Event.CALLOUT_EXHAUSTED, None, now)

    async def _tell(
        self, tx: Connection, callout: Callout, event: Event, step: Step | None, now: datetime
    ) -> None:
        who = {"position": step.position, "target": mask_number(step.target)} if step else {}
        body = {"callout": callout.id, "line": callout.line, "people": len(callout.steps), **who}
        await journal.write(
            tx, at=now, actor=SERVICE, event=event, case_id=callout.case_id, body=body
        )

    async def _on_duty(self, conn: Connection, line: str, now: datetime) -> list[str]:
        shifts = await shifts_between(conn, line, now, now)
        people = list(dict.fromkeys(shift.operator for shift in on_duty(shifts, now)))
        if not people:
            raise ControlImpossibleError(
                f"Nobody is on duty for {line} now: name whom to ring, or complete the roster."
            )
        return people

    def _check(self, target: str) -> None:
        if target not in self._seats and not any(one.match(target) for one in self._outside):
            raise ControlImpossibleError(
                f"{mask_number(target)} is not among the numbers that may be called."
            )

    def _able(self) -> RunningExchange:
        able = [one for one in self._exchanges.values() if one.actor is not None]
        if not able:
            raise ControlUnavailableError("No exchange takes orders: configure an actor_secret.")
        return next((one for one in able if one.connection.state.connected), able[0])

    def _number(self) -> str:
        lines = self._config.lines
        return self._config.control.number or (lines[0].number if lines else "")
