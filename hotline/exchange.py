"""One exchange in the running service: followed live, and held against its own files.

    Connected -> Snapshot -> events     from the AMI connection, in order, one after the other
    Recovery                            at the start, after every login, and on a timer
    CallTracker                         facts from both in, call events out
    flow.call_changed                   one transaction for each call event

All of it takes turns on one lock, so a call's events are stored in the order in which they were
told. While the database is away the turn is kept: AMI events wait in the connection's buffer, and
what overflows it is read from the files afterwards.
"""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta

import asyncpg
from asterisk.ami.event import Event
from pydantic import SecretStr

from hotline import config as settings
from hotline import flow
from hotline.config import Config
from hotline.database import PASSING, Connection, Pool, transaction
from hotline.errors import ExchangeAwayError
from hotline.keeping import sounds_of
from hotline.services import Clock
from hotline.spool import sweep
from telephony.buffer import Connected, Delivery, Disconnected
from telephony.calls import CallEvent, CallKey, CallTracker, TrackerRules
from telephony.connection import AmiConnection
from telephony.events import Fact, LinkedId, System
from telephony.recovery import LOOK_BACK, ExchangeFiles, Recovery
from telephony.snapshot import Snapshot
from telephony.timing import Timing
from telephony.translation import EVENTS, translate

log = logging.getLogger(__name__)

_LONGEST_PAUSE = 5.0
_LOOK_SECONDS = 0.02


class RunningExchange:
    """Follows one exchange for as long as `run` runs; `connection.state` tells how it goes."""

    def __init__(
        self, exchange: settings.Exchange, *, config: Config, pool: Pool, clock: Clock
    ) -> None:
        """Nothing is opened before `run`."""
        self.system = System(exchange.system)
        self.connection = connection_to(exchange)
        self.actor = actor_to(exchange)
        """Takes orders; None where no actor_secret is configured."""
        self._pool = pool
        self._clock = clock
        self._every = config.reconcile_every_seconds
        self._sweep_every = config.sweep_every_seconds
        self._facts_kept = timedelta(days=config.facts_kept_days)
        self._spool = exchange.recordings_dir
        self._sounds = sounds_of(config)
        rules = rules_of(config)
        self.tracker = CallTracker(rules)
        """The calls as far as they are known now."""
        self.recovery = Recovery(
            system=self.system,
            files=ExchangeFiles(cel=exchange.cel_file, queue_log=exchange.queue_log_file),
            rules=rules,
            tracker=self.tracker,
            transaction=self._transaction,
            tell=self._tell,
            tell_call=self._tell_call,
        )
        self._turn = asyncio.Lock()
        self._draining = False
        self._files_trouble: str | None = None
        self.listeners: list[Callable[[str, Fact], None]] = []
        """They hear every live fact beside the tracker, and must return at once."""

    def _transaction(self) -> AbstractAsyncContextManager[Connection]:
        return transaction(self._pool)

    def rings_at(self, linked_id: str) -> tuple[str, ...]:
        """The seats whose telephones ring for a call of this exchange now."""
        key = CallKey(system=System(self.system), linked_id=LinkedId(linked_id))
        return self.tracker.ringing().get(key, ())

    async def run(self) -> None:
        """Go on where the last process stopped, then follow; returns only when cancelled."""
        await self._keep_trying(self._start)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.connection.run(self._deliver))
            if self.actor is not None:
                tasks.create_task(self.actor.run(_ignore))
            tasks.create_task(self._check_for_ever())
            tasks.create_task(self._sweep_for_ever())

    async def drain(self) -> None:
        """Finish the turn in hand and begin no other: what follows is in the exchange's files."""
        async with self._turn:
            self._draining = True

    async def ping(self) -> None:
        """Raise one sentence unless the exchange is followed live and its files are read."""
        state = self.connection.state
        if not state.connected:
            why = state.last_error or f"It is {state.phase}."
            raise ExchangeAwayError(f"The exchange {self.system} is not followed live. {why}")
        if self._files_trouble is not None:
            raise ExchangeAwayError(self._files_trouble)

    async def ping_orders(self) -> None:
        """Raise one sentence where orders are configured and the exchange takes none."""
        if self.actor is not None and not self.actor.state.connected:
            why = self.actor.state.last_error or f"It is {self.actor.state.phase}."
            raise ExchangeAwayError(f"The exchange {self.system} takes no orders. {why}")

    async def _start(self) -> None:
        async with self._turn:
            await self.recovery.start(self._clock())

    async def _deliver(self, delivery: Delivery) -> None:
        async with self._turn:
            if self._draining:
                return
            match delivery:
                case Snapshot():
                    await self._keep_trying(lambda: self._merge(delivery))
                case Event():
                    await self._observe(delivery)
                case Connected() | Disconnected():
                    log.info("%s", delivery)

    async def _merge(self, snapshot: Snapshot) -> None:
        await self.recovery.merge(snapshot, self._clock())

    async def _observe(self, event: Event) -> None:
        fact = translate(event, system=self.system, received_at=self._clock())
        if fact is not None:
            for listener in self.listeners:
                listener(self.system, fact)
            for told in self.tracker.observe(fact):
                await self._tell(told)

    async def _check_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            async with self._turn:
                if not self._draining:
                    await self._check()

    async def _sweep_for_ever(self) -> None:
        """From time to time: recordings nobody expects, and facts that have done their service."""
        while True:
            await asyncio.sleep(self._sweep_every)
            now = self._clock()
            try:
                found = await sweep(
                    self._pool,
                    system=self.system,
                    spool=self._spool,
                    sounds=self._sounds,
                    since=now - LOOK_BACK,
                    now=now,
                )
                await self.recovery.forget(now - self._facts_kept)
            except PASSING as error:
                log.warning(
                    "The recordings of %s were not looked through (%s).", self.system, error
                )
                continue
            for one in found:
                log.warning("A recording of %s: %s.", one.key.linked_id, one.detail["stored"])

    async def _check(self) -> None:
        try:
            for found in await self.recovery.check(self._clock()):
                log.warning(
                    "The files of %s told %s otherwise (%s): %s.",
                    self.system,
                    found.key.linked_id,
                    found.kind,
                    "put right" if found.repaired else "left for a person",
                )
            self._files_trouble = None
        except PASSING as error:
            self._files_trouble = (
                f"The files of {self.system} were not read ({error}): they are read again shortly."
            )
            log.warning("%s", self._files_trouble)

    async def _tell(self, event: CallEvent) -> None:
        await self._tell_call((event,))

    async def _tell_call(self, events: Sequence[CallEvent]) -> None:
        """Store events of one call; a database away is waited for, a fault is told and left.

        What a fault leaves out is found again by the next check, because the files have it.
        """

        async def store() -> None:
            async with self._transaction() as tx:
                await flow.call_told(tx, events)

        try:
            await self._keep_trying(store)
        except asyncpg.PostgresError:
            log.exception("The call %s could not be stored.", events[0].call.key.linked_id)

    async def _keep_trying(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do it until the database lets it happen; each piece of work may be done twice."""
        pause = 0.2
        while True:
            try:
                await work()
            except PASSING as error:
                log.warning("%s waits for the database or its files (%s).", self.system, error)
                await asyncio.sleep(pause)
                pause = min(_LONGEST_PAUSE, 2 * pause)
            else:
                return


def rules_of(config: Config) -> TrackerRules:
    """What the tracker must know of the city's lines."""
    return TrackerRules(
        line_by_number={line.number: line.name for line in config.lines},
        line_by_queue={line.queue_name: line.name for line in config.lines},
        short_abandon=timedelta(seconds=config.short_abandon_seconds),
    )


def connection_to(exchange: settings.Exchange) -> AmiConnection:
    """A connection to the exchange's manager interface; nothing is opened yet."""
    return _connection(exchange, exchange.username, exchange.secret)


def actor_to(exchange: settings.Exchange) -> AmiConnection | None:
    """The connection that gives orders, as a user who hears nothing; None without its secret."""
    if exchange.actor_secret is None:
        return None
    # It may read nothing, so no FullyBooted ever comes to it: it is not waited for.
    timing = Timing(boot=0.0)
    return _connection(exchange, exchange.actor_username, exchange.actor_secret, timing)


def _ignore(_: Delivery) -> None:
    """What a user without a read class is told of its own connection."""


def _connection(
    exchange: settings.Exchange, username: str, secret: SecretStr, timing: Timing | None = None
) -> AmiConnection:
    context = None
    if exchange.tls:
        context = ssl.create_default_context(
            cafile=str(exchange.tls_ca) if exchange.tls_ca else None
        )
    return AmiConnection(
        exchange.host,
        exchange.port,
        username,
        secret.get_secret_value(),
        system=exchange.system,
        ssl=context,
        timing=timing,
        only=EVENTS,
    )


async def log_in_once(exchange: settings.Exchange, *, patience: float = 10.0) -> None:
    """Log in, see the exchange's first snapshot, and leave; raises one sentence if it fails."""
    arrived = asyncio.Event()
    connection = connection_to(exchange)

    def look(delivery: Delivery) -> None:
        if isinstance(delivery, Snapshot):
            arrived.set()

    async def settled() -> None:
        # The connection's state rings no bell; `hotline check` looks fifty times a second.
        while not arrived.is_set() and connection.state.last_error is None:  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_SECONDS)

    following = asyncio.create_task(connection.run(look))
    try:
        async with asyncio.timeout(patience):
            await settled()
    except TimeoutError:
        pass
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
    if not arrived.is_set():
        why = connection.state.last_error or f"There is no answer within {patience:.0f} s."
        raise ExchangeAwayError(f"The exchange {exchange.system} does not let us in. {why}")
