"""Live captions: who is heard, on which legs, and who is given up first.

    a channel enters or leaves a bridge -> a look at the exchange -> taps started, parted, ended
    a tap's sound -> caption_leg.py -> the board -> readers;  a caller's final -> caption_offers.py

Each look compares what the exchange says now with what is tapped, so a restart, a lost connection
and a tap that dropped need no steps of their own: what is missing is started again. How many calls
fit is measured at the start. When the machine is full, new calls get none; when words come too
late, the youngest call loses its own; recordings and transcripts never depend on any of it.
"""

import asyncio
import logging
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import LiteralString

import asyncpg

from hotline.caption_board import CaptionBoard, CaptionState, Offer, ShedReason, Standing
from hotline.caption_calls import Captioned, contained, talking, talking_from_here
from hotline.caption_leg import Hearing
from hotline.caption_offers import Offers
from hotline.caption_room import AGAIN_AFTER as AGAIN
from hotline.caption_room import Room
from hotline.config import Config
from hotline.database import PASSING, Pool, borrowed
from hotline.errors import CaptionsAwayError, DatabaseUnavailableError
from hotline.exchange import RunningExchange
from hotline.finishing import Vocabularies
from hotline.steps import Suggests
from metrics.collect import CaptionFigures
from telephony import control
from telephony.calls import Leg
from telephony.errors import TapPortTaken, TelephonyError
from telephony.events import BridgeEntered, BridgeLeft, ChannelEnded, Fact, LinkedId
from telephony.live import LiveCall, LiveChannel, live_call, live_channels
from telephony.taps import TapServer
from transcription.captions import Caption
from transcription.errors import SpeechError
from transcription.live import LiveEngine

log = logging.getLogger(__name__)

LOOK_EVERY = 5.0
"""Seconds after which an exchange is looked at even if it told nothing."""
SETTLES = 0.03
"""Seconds in which several facts of one change come; one look serves them all."""
AGAIN_AFTER = 0.7
"""Seconds after a tap ended until the next look: at a hang-up the leg is gone by then."""
ENDS_IN = 0.2
"""Seconds in which the last words of a call that is over are heard."""
WATCH_EVERY = 0.5
RELIEF = 3.0
"""Seconds that giving up one call is given to help before the next is given up."""
TAPS_IN_VAIN = 4
"""Taps of one leg that brought no sound; then the call has no captions."""
# A call from here is stored when it is over; till then its order stands for it, with the key that
# `dial_key` gives it. What was dialled so long ago and is not stored was never a call.
_LIVE: LiteralString = """
    SELECT id, linked_id, line, false AS from_here FROM calls
     WHERE system = $1 AND ended_at IS NULL AND kind = 'citizen' AND direction = 'incoming'
     UNION ALL
    SELECT -d.id, d.channel, '', true FROM dial_orders d
     WHERE d.system = $1 AND d.ordered_at > now() - interval '4 hours'
       AND NOT EXISTS (SELECT FROM calls c WHERE c.system = $1 AND c.linked_id = d.channel)
     ORDER BY from_here, id"""
_TROUBLE = (*PASSING, DatabaseUnavailableError, asyncpg.PostgresError, TelephonyError)


class CaptionDesk:
    """Captions the talks of every exchange that takes orders; `board` is where they are read."""

    def __init__(
        self,
        *,
        config: Config,
        pool: Pool,
        exchanges: Mapping[str, RunningExchange],
        board: CaptionBoard,
        suggests: Suggests,
        vocabulary: Vocabularies,
        engine: LiveEngine,
    ) -> None:
        """Nothing is opened before `run`; `vocabulary` gives the city's names as they are now."""
        self._config, self._pool, self._board = config, pool, board
        self._suggests, self._engine, self._vocabulary = suggests, engine, vocabulary
        self._exchanges = {name: it for name, it in exchanges.items() if it.actor is not None}
        self._taps = TapServer(config.captions.host, config.captions.port)
        self._room = Room(config.captions, engine)
        self._stirred = {name: asyncio.Event() for name in self._exchanges}
        self._calls: dict[int, Captioned] = {}
        self._given_up: dict[int, str] = {}
        """Calls that go on without captions, with their exchange."""
        self._shed = dict.fromkeys(ShedReason, 0)
        self._hearing: set[Hearing] = set()
        """All that is being heard, of calls that were given up a moment ago as well."""
        self._restarts = self._segments = 0
        self._heard_seconds = self._cpu_seconds = 0.0
        self._trouble: str | None = "The captions have not started yet."
        for exchange in self._exchanges.values():
            exchange.listeners.append(self.hear)

    def hear(self, system: str, fact: Fact) -> None:
        """Take note that something changed; what, the exchange is asked."""
        if isinstance(fact, BridgeEntered | BridgeLeft | ChannelEnded):
            self._stirred[system].set()

    async def ping(self) -> None:
        """Raise one sentence unless talks are captioned."""
        if self._config.captions.enabled and self._trouble is not None:
            raise CaptionsAwayError(self._trouble)

    async def run(self) -> None:
        """Caption until cancelled; where captions cannot start, try again from time to time."""
        if not self._config.captions.enabled:
            return
        try:
            await self._taps.start()
        except TapPortTaken as error:
            self._trouble = str(error)
            log.error("%s", error)  # noqa: TRY400 - no surprise
            return
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._keep_room())
                tasks.create_task(self._watch())
                for exchange in self._exchanges.values():
                    tasks.create_task(self._follow(exchange))
        finally:
            for call in list(self._calls.values()):
                self._drop(call)
            await self._taps.close()

    def figures(self) -> CaptionFigures:
        """What the metrics tell of captions now."""
        hearing = self._hearing
        return CaptionFigures(
            calls=len(self._calls),
            legs=len(hearing),
            capacity=self._room.calls or 0,
            lag_seconds=max((one.lag for one in hearing), default=0.0),
            selftest=self._room.cost,
            heard_seconds=self._heard_seconds + sum(one.heard_seconds for one in hearing),
            cpu_seconds=self._cpu_seconds + sum(one.cpu_seconds for one in hearing),
            segments=self._segments,
            shed={str(reason): count for reason, count in self._shed.items()},
            tap_restarts=self._restarts,
            taps_refused=self._taps.refused,
            decoder_deaths=self._engine.deaths,
        )

    # ---- what runs ----

    async def _keep_room(self) -> None:
        """Measure what fits; again and again until the engine can start."""
        while not await self._measured():  # noqa: ASYNC110 - a model that appears rings no bell
            await asyncio.sleep(AGAIN)
        for stirred in self._stirred.values():
            stirred.set()

    async def _measured(self) -> bool:
        try:
            await self._room.measure()
        except SpeechError as error:
            self._trouble = f"Calls go on without captions. {error}"
            log.warning("%s", self._trouble)
            return False
        self._trouble = None
        log.info("Captions: room for %d calls at once.", self._room.calls)
        return True

    async def _follow(self, exchange: RunningExchange) -> None:
        stirred = self._stirred[exchange.system]
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY):
                    await stirred.wait()
            await asyncio.sleep(SETTLES)
            stirred.clear()
            try:
                await self._look(exchange)
            except _TROUBLE as error:
                log.warning("The talks of %s are looked at again (%s).", exchange.system, error)
            except Exception:
                log.exception("The talks of %s are looked at again.", exchange.system)

    async def _look(self, exchange: RunningExchange) -> None:
        """Compare what the exchange says with what is heard, and put it right."""
        if self._room.calls is None and not self._room.failed:
            return  # it is being measured
        async with borrowed(self._pool) as conn:
            rows = await conn.fetch(_LIVE, exchange.system)
        channels = await live_channels(exchange.connection) if rows else ()
        found = {
            row["id"]: (row["line"], row["from_here"], live)
            for row in rows
            if (live := live_call(channels, LinkedId(row["linked_id"]))) is not None
        }
        self._end_others(exchange.system, found.keys())
        for call_id, (line, from_here, live) in found.items():
            legs = talking_from_here(live) if from_here else talking(live)
            await self._attend(exchange, call_id, line, live, legs)

    def _end_others(self, system: str, found: Collection[int]) -> None:
        for call in [it for it in self._calls.values() if it.system == system]:
            if call.id not in found:
                self._over(call)
        for call_id in [it for it, of in self._given_up.items() if of == system]:
            if call_id not in found:
                del self._given_up[call_id]
                self._board.stand(call_id, Standing(state=CaptionState.OVER))

    async def _attend(
        self,
        exchange: RunningExchange,
        call_id: int,
        line: str,
        live: LiveCall,
        legs: Mapping[Leg, LiveChannel],
    ) -> None:
        if call_id in self._given_up:
            return
        call = self._calls.get(call_id)
        if call is None and legs:
            call = self._admit(exchange, call_id, line)
        if call is not None:
            await self._tap(exchange, call, live, legs)

    def _admit(self, exchange: RunningExchange, call_id: int, line: str) -> Captioned | None:
        reason = self._room.refuses(len(self._calls))
        if reason is None and self._worst_lag() > self._config.captions.lag_seconds / 2:
            reason = ShedReason.LAG
        if reason is not None:
            self._give_up(call_id, exchange.system, reason)
            return None
        offers = Offers(
            line,
            suggests=self._suggests,
            pool=self._pool,
            tell=lambda offer: self._offer(call_id, offer),
        )
        call = Captioned(id=call_id, system=exchange.system, offers=offers)
        call.offering = asyncio.create_task(contained(offers.run), name="caption offers")
        self._calls[call_id] = call
        return call

    async def _tap(
        self,
        exchange: RunningExchange,
        call: Captioned,
        live: LiveCall,
        legs: Mapping[Leg, LiveChannel],
    ) -> None:
        """Tap the legs that talk; those that are apart stay tapped and are not heard."""
        call.part(live, legs)
        state = CaptionState.ON if legs else CaptionState.WAITING
        self._board.stand(call.id, Standing(state=state))
        for leg, channel in legs.items():
            if leg not in call.hearing:
                await self._begin(exchange, call, leg, channel)

    async def _begin(
        self, exchange: RunningExchange, call: Captioned, leg: Leg, channel: LiveChannel
    ) -> None:
        if exchange.actor is None or not exchange.actor.state.connected:
            return
        if call.in_vain >= TAPS_IN_VAIN:
            self._abandon(call, ShedReason.EXCHANGE)
            return
        tap, line = self._taps.issue(), call.lines[leg]
        try:
            await control.tap(exchange.actor, channel, self._taps.address, tap.id)
        except TelephonyError as error:
            self._taps.withdraw(tap)
            call.in_vain += 1
            log.warning("A leg could not be tapped. %s", error)
            return
        self._restarts += line.channel == channel.unique_id
        line.channel = channel.unique_id
        hearing = Hearing(
            line,
            tap,
            open_leg=self._engine.open,
            vocabulary=self._vocabulary,
            tell=lambda caption: self._say(call, caption),
        )
        call.hearing[leg] = hearing
        task = asyncio.create_task(
            contained(lambda: self._hear(call, leg, hearing)), name="captions"
        )
        call.tasks.add(task)
        task.add_done_callback(call.tasks.discard)

    async def _hear(self, call: Captioned, leg: Leg, hearing: Hearing) -> None:
        self._hearing.add(hearing)
        try:
            await hearing.run()
        except SpeechError as error:
            log.warning("A call goes on without captions. %s", error)
            self._abandon(call, ShedReason.ENGINE)
            return
        finally:
            self._hearing.discard(hearing)
            self._heard_seconds += hearing.heard_seconds
            self._cpu_seconds += hearing.cpu_seconds
            if call.hearing.get(leg) is hearing:
                del call.hearing[leg]
        call.in_vain = 0 if hearing.tap.came else call.in_vain + 1
        asyncio.get_running_loop().call_later(AGAIN_AFTER, self._stirred[call.system].set)

    async def _watch(self) -> None:
        """Give up the youngest call while words come too late, one at a time."""
        while True:
            await asyncio.sleep(WATCH_EVERY)
            if (worst := self._worst_lag()) > self._config.captions.lag_seconds:
                youngest = next(reversed(self._calls.values()))
                log.warning("Captions come %.1f s late: the youngest call loses its own.", worst)
                self._abandon(youngest, ShedReason.LAG)
                await asyncio.sleep(RELIEF)

    # ---- small steps ----

    def _worst_lag(self) -> float:
        return max((call.lag for call in self._calls.values()), default=0.0)

    def _say(self, call: Captioned, caption: Caption) -> None:
        if call.id not in self._calls:
            return
        self._segments += caption.is_final
        self._board.say(call.id, caption)
        if call.id > 0:  # whom we called has a case already, or wants none
            call.offers.hear(caption)

    def _offer(self, call_id: int, offer: Offer) -> None:
        if call_id in self._calls:
            self._board.offer(call_id, offer)

    def _abandon(self, call: Captioned, reason: ShedReason) -> None:
        """Give up the captions of a call that has some."""
        if call.id in self._calls:
            self._drop(call)
            self._give_up(call.id, call.system, reason)

    def _give_up(self, call_id: int, system: str, reason: ShedReason) -> None:
        self._given_up[call_id] = system
        self._shed[reason] += 1
        self._board.stand(call_id, Standing(state=CaptionState.SHED, reason=reason))

    def _over(self, call: Captioned) -> None:
        """The caller is gone: what is in hand is finished, and then it is over."""
        call.hang_up()
        if call.tasks:
            asyncio.get_running_loop().call_later(ENDS_IN, self._stirred[call.system].set)
            return
        self._drop(call)
        self._board.stand(call.id, Standing(state=CaptionState.OVER))

    def _drop(self, call: Captioned) -> None:
        self._calls.pop(call.id, None)
        call.end()
