"""Operators log in and out, pause and wrap up; the queues of the exchange follow, and never lead.

    a person (API)            -> a move -> operator_states, journal -> the queues
    a fact of the exchange    -> a move -> operator_states, journal (wrap-up) -> the queues
    every `sync_seconds`      -> QueueStatus -> what was missed, what has drifted, who covers a line

PostgreSQL holds what is wanted. After a restart of either side the comparison puts the queues
right again; who sits at a queue and is unknown to us is taken in as the exchange shows him. Without
an `actor_secret` the service only looks.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import asyncpg

from hotline import coverage, journal
from hotline.badges import write_badges
from hotline.config import Config
from hotline.database import PASSING, Connection, Pool, borrowed, transaction
from hotline.errors import ControlForbiddenError, ControlImpossibleError, ControlUnavailableError
from hotline.exchange import RunningExchange
from hotline.journal import Event
from hotline.operator_rows import Seated, all_seated, hold_seated, put_seated
from hotline.operator_views import Shown, word_of
from hotline.services import Clock
from telephony.agents import Agent, AgentMove, AgentState, moved, told
from telephony.errors import ActionError, AgentRefused, TelephonyError
from telephony.events import Fact
from telephony.seating import Member, Phone, Wanted, give, orders, seated, seen

log = logging.getLogger(__name__)

SERVICE = "service"
_HEARD_AT_MOST = 10_000


class OperatorDesk:
    """Keeps every operator's state, and the queues of every exchange in step with it."""

    def __init__(
        self,
        *,
        config: Config,
        pool: Pool,
        exchanges: Mapping[str, RunningExchange],
        clock: Clock,
    ) -> None:
        """Nothing is asked of any exchange before `run`."""
        self._config, self._pool, self._exchanges, self._clock = config, pool, exchanges, clock
        self._wrapup = timedelta(seconds=config.seats.wrapup_seconds)
        self._people = {operator.extension: operator for operator in config.operators}
        self._badges = {one.system: one.badges_dir for one in config.exchanges}
        self._queues = {line.name: line.queue_name for line in config.lines}
        self._lines = {queue: line for line, queue in self._queues.items()}
        self._heard: asyncio.Queue[tuple[str, Fact]] = asyncio.Queue(_HEARD_AT_MOST)
        self._members: dict[str, tuple[Member, ...]] = {}
        self._odd: dict[tuple[str, str], AgentState] = {}
        """What the last look at an exchange showed otherwise, by system and operator."""
        self._turn = asyncio.Lock()
        for exchange in exchanges.values():
            exchange.listeners.append(self.hear)

    # ---- what people ask ----

    async def shown(self) -> list[Shown]:
        """Every operator of the configuration, and where he stands."""
        async with borrowed(self._pool) as conn:
            rows = await all_seated(conn)
        return [self._shown(operator, rows.get(operator)) for operator in self._people]

    async def log_in(self, operator: str, by: str, lines: Sequence[str] = ()) -> Shown:
        """Take calls of these lines (all of them unless named) from now on."""
        unknown = set(lines) - set(self._queues)
        if unknown:
            raise ControlImpossibleError(f"There is no line {min(unknown)}.")
        return await self._asked(operator, AgentMove.LOG_IN, by, lines=tuple(lines))

    async def log_out(self, operator: str, by: str) -> Shown:
        """Take no more calls; refused during one."""
        return await self._asked(operator, AgentMove.LOG_OUT, by)

    async def ready(self, operator: str, by: str) -> Shown:
        """End a pause or a wrap-up."""
        return await self._asked(operator, AgentMove.READY, by)

    async def pause(self, operator: str, by: str, reason: str) -> Shown:
        """Take no calls for a while; during a call the pause begins after it."""
        return await self._asked(operator, AgentMove.PAUSE, by, reason=reason)

    async def _asked(
        self,
        operator: str,
        move: AgentMove,
        by: str,
        *,
        reason: str | None = None,
        lines: tuple[str, ...] | None = None,
    ) -> Shown:
        if operator not in self._people:
            raise ControlForbiddenError(f"There is no operator {operator}.")
        async with self._turn:
            try:
                after = await self._move(operator, move, by, reason=reason, lines=lines)
            except AgentRefused as error:
                raise ControlImpossibleError(str(error)) from error
            await self._put_right_at(after.system)
        return self._shown(operator, after)

    async def choose(self, operator: str, by: str, phone: Phone) -> Seated:
        """Ring this telephone of his from now on; refused during a call."""
        async with self._turn:
            async with transaction(self._pool) as tx:
                before = await hold_seated(tx, operator) or self._new(operator, None)
                after = replace(before, phone=phone)
                if after == before:
                    return before
                if before.agent.state in {AgentState.RINGING, AgentState.TALKING}:
                    raise ControlImpossibleError(
                        f"Operator {operator} is on a call: change the telephone after it."
                    )
                await put_seated(tx, after)
                await self._tell(tx, Event.OPERATOR_PHONE, after, by)
            await self._put_right_at(after.system)
        return after

    async def _put_right_at(self, system: str) -> None:
        exchange = self._exchanges.get(system)
        if exchange is None or exchange.actor is None:
            raise ControlUnavailableError(
                "It is noted, and no exchange takes orders: configure an actor_secret."
            )
        try:
            await self._put_right(exchange)
        except TelephonyError as error:
            raise ControlUnavailableError(
                f"It is noted and done as soon as the exchange answers. {error}"
            ) from error

    # ---- what the exchange tells ----

    def hear(self, system: str, fact: Fact) -> None:
        """Take note of a fact at once; what does not fit is seen at the next look."""
        if told(fact) is not None and not self._heard.full():
            self._heard.put_nowait((system, fact))

    async def run(self) -> None:
        """Follow facts, end wrap-ups, and look at every exchange; returns only when cancelled."""
        loop = asyncio.get_running_loop()
        look_at = 0.0
        while True:
            try:
                if loop.time() >= look_at:
                    look_at = loop.time() + self._config.seats.sync_seconds
                    await self._look()
                async with asyncio.timeout_at(look_at):
                    system, fact = await self._heard.get()
            except TimeoutError:
                continue
            await self._take(system, fact)

    async def _take(self, system: str, fact: Fact) -> None:
        about = told(fact)
        if about is None or about[0] not in self._people:
            return
        operator, move = about
        try:
            async with self._turn:
                after = await self._move(operator, move, SERVICE, system=system)
                exchange = self._exchanges[system]
                if move is AgentMove.COMPLETED and after.agent.pause and exchange.actor:
                    await self._put_right(exchange)
        except (*PASSING, TelephonyError, asyncpg.PostgresError) as error:
            log.warning("Operator %s: %s is taken in at the next look (%s).", *about, error)

    async def _look(self) -> None:
        for system, exchange in self._exchanges.items():
            if not exchange.connection.state.connected:
                self._members.pop(system, None)
                continue
            try:
                async with self._turn:
                    await self._put_right(exchange, look=True)
            except (*PASSING, TelephonyError, asyncpg.PostgresError) as error:
                log.warning("The operators of %s are looked at again shortly (%s).", system, error)
        try:
            await coverage.follow(
                self._pool, self._config, tuple(self._members.values()), self._clock()
            )
        except (*PASSING, asyncpg.PostgresError) as error:
            log.warning("Who covers the lines is looked at again shortly (%s).", error)

    # ---- the ways ----

    async def _put_right(self, exchange: RunningExchange, *, look: bool = False) -> None:
        """Ask who sits where; with `look` learn from it; then order what is wanted."""
        members = await seated(exchange.connection)
        self._members[exchange.system] = members
        async with borrowed(self._pool) as conn:
            rows = await all_seated(conn)
            duty = await coverage.duty_plans(conn, self._config, self._clock())
        if look:
            rows = await self._learn(exchange.system, rows, members)
        await self._show_badges(exchange.system, self._wanted(exchange.system, rows, duty))
        if exchange.actor is None:
            return
        wanted = self._wanted(exchange.system, rows, duty)
        managed = {one for one, row in rows.items() if row.system == exchange.system}
        on_roster = {self._queues[line] for line in duty}
        for order in orders(wanted, members, managed | self._strangers(members, on_roster)):
            try:
                await give(exchange.actor, order)
            except ActionError as error:
                log.warning("%s did not %s: %s", exchange.system, order.verb, error)

    async def _show_badges(self, system: str, wanted: Sequence[Wanted]) -> None:
        """Let the exchange tell callers the badge of whoever has logged in or is on duty."""
        folder = self._badges.get(system)
        if folder is None:
            return
        seats = {want.operator for want in wanted} & set(self._people)
        badges = {seat: self._people[seat].badge for seat in seats}
        try:
            await asyncio.to_thread(write_badges, folder, badges)
        except OSError as error:
            log.warning("The badges in %s are written again shortly (%s).", folder, error.strerror)

    def _strangers(self, members: Sequence[Member], queues: set[str]) -> set[str]:
        """Members of a roster's queue: the roster says who is rung there."""
        return {one.operator for one in members if one.queue in queues} & set(self._people)

    def _wanted(
        self, system: str, rows: Mapping[str, Seated], duty: Mapping[str, Mapping[str, int]]
    ) -> list[Wanted]:
        wanted = []
        for row in rows.values():
            if row.system != system or not row.agent.is_logged_in:
                continue
            wanted += [
                self._place(line, row)
                for line in row.lines
                if line in self._queues and line not in duty
            ]
        for line, plan in duty.items():
            for operator, penalty in plan.items():
                known = rows.get(operator)
                wanted.append(
                    Wanted(
                        queue=self._queues[line],
                        operator=operator,
                        penalty=penalty,
                        pause=known.agent.pause if known else None,
                        phone=known.phone if known else Phone.DESK,
                    )
                )
        return wanted

    def _place(self, line: str, row: Seated) -> Wanted:
        person = self._people.get(row.agent.operator)
        return Wanted(
            queue=self._queues[line],
            operator=row.agent.operator,
            penalty=person.penalty if person else None,
            pause=row.agent.pause,
            phone=row.phone,
        )

    async def _learn(
        self, system: str, rows: dict[str, Seated], members: Sequence[Member]
    ) -> dict[str, Seated]:
        """Take in whom we do not know, facts that never came, and wrap-ups that are over."""
        learnt = dict(rows)
        for operator in self._people:
            mine = [one for one in members if one.operator == operator]
            row = rows.get(operator)
            if row is None:
                if mine:
                    learnt[operator] = await self._adopt(system, operator, mine)
            elif row.system == system:
                learnt[operator] = await self._agree(row, mine)
        return learnt

    async def _adopt(self, system: str, operator: str, members: Sequence[Member]) -> Seated:
        state, reason = seen(members)
        if state is AgentState.WRAPUP:
            state, reason = AgentState.READY, None
        lines = tuple(self._lines[one.queue] for one in members if one.queue in self._lines)
        agent = Agent(operator=operator, state=state, reason=reason, since=self._clock())
        in_browser = any(one.phone is Phone.BROWSER for one in members if one.is_here)
        phone = Phone.BROWSER if in_browser else Phone.DESK
        row = Seated(agent=agent, system=system, lines=lines, phone=phone)
        async with transaction(self._pool) as tx:
            await put_seated(tx, row)
            if agent.is_logged_in:
                await self._tell(tx, Event.OPERATOR_LOGGED_IN, row, f"exchange:{system}")
        return row

    async def _agree(self, row: Seated, members: Sequence[Member]) -> Seated:
        """Believe the exchange where it says twice that a call came, or that none is left."""
        agent, now = row.agent, self._clock()
        busy = any(one.is_busy for one in members)
        in_call = any(one.in_call for one in members)
        ringing = any(one.is_ringing for one in members)
        if agent.until is not None and agent.until <= now and not busy:
            return await self._move(agent.operator, AgentMove.WRAPPED, SERVICE)
        missed = None
        match agent.state:
            case AgentState.TALKING if not busy:
                missed = AgentMove.COMPLETED
            case AgentState.RINGING if not ringing:
                missed = AgentMove.CONNECTED if in_call else AgentMove.MISSED
            case AgentState.READY | AgentState.WRAPUP | AgentState.PAUSED if in_call:
                missed = AgentMove.CONNECTED
            case _:
                pass
        key = (row.system, agent.operator)
        if missed is None:
            self._odd.pop(key, None)
            return row
        if self._odd.get(key) is not agent.state:
            self._odd[key] = agent.state
            return row
        del self._odd[key]
        return await self._move(agent.operator, missed, SERVICE)

    async def _move(
        self,
        operator: str,
        move: AgentMove,
        by: str,
        *,
        reason: str | None = None,
        lines: tuple[str, ...] | None = None,
        system: str | None = None,
    ) -> Seated:
        """One move in one transaction; `system` is the exchange a fact comes from."""
        now = self._clock()
        async with transaction(self._pool) as tx:
            before = await hold_seated(tx, operator) or self._new(operator, system)
            if system is not None and before.system != system:
                return before  # told by an exchange where he does not sit
            agent = moved(before.agent, move, now, reason=reason, wrapup=self._wrapup)
            after = replace(before, agent=agent)
            if move is AgentMove.LOG_IN:
                after = replace(after, system=self._seat(), lines=lines or tuple(self._queues))
            if after != before:
                await put_seated(tx, after)
                event = word_of(before.agent, agent)
                if event is not None:
                    await self._tell(tx, event, after, by)
        return after

    def _new(self, operator: str, system: str | None) -> Seated:
        agent = Agent(operator=operator, since=self._clock())
        return Seated(agent=agent, system=system or next(iter(self._exchanges), ""), lines=())

    def _seat(self) -> str:
        """The exchange a telephone that logs in belongs to: the first that takes orders now."""
        able = [one for one in self._exchanges.values() if one.actor is not None]
        first = next((one for one in able if one.connection.state.connected), None)
        if first is None and not able:
            raise ControlUnavailableError("No exchange takes orders: configure an actor_secret.")
        return (first or able[0]).system

    async def _tell(self, tx: Connection, event: Event, row: Seated, by: str) -> None:
        agent, person = row.agent, self._people.get(row.agent.operator)
        body = {
            "operator": agent.operator,
            "badge": person.badge if person else "",
            "lines": list(row.lines),
            "state": agent.state,
            "reason": agent.pause,
            "until": agent.until,
            "phone": row.phone,
        }
        await journal.write(tx, at=self._clock(), actor=by, event=event, body=body)

    def _shown(self, operator: str, row: Seated | None) -> Shown:
        members = self._members.get(row.system, ()) if row else ()
        mine = tuple(one for one in members if one.operator == operator)
        return Shown(operator=operator, seated=row, members=mine)
