"""Test calls: from time to time the service calls each line itself and sees whether it answers.

    every `interval_seconds`  -> a call through the line's own dialplan, notice, queue, recording
    what the record holds     -> how far it got -> probes, journal (probe.failed, probe.recovered)

The verdict is read from our own record, so a passing test call also shows that the exchange is
followed, its calls are stored and its recordings come in. A line in which a citizen waits is left
alone: the citizen comes first, and his wait is watched by itself. After a failure it is tried
again sooner. Its recordings go when it is judged.
"""

import asyncio
import logging
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg

from hotline import journal, recordings, store
from hotline import probe_rows as rows
from hotline.config import Config, Line
from hotline.database import PASSING, Pool, borrowed, transaction
from hotline.errors import LineSilentError, StoreAwayError
from hotline.exchange import RunningExchange
from hotline.journal import Event
from hotline.services import Clock
from hotline.sounds import KeptIn, SoundStores
from telephony.errors import ActionError, ActionRefused, NotConnected, TelephonyError
from telephony.probing import Seen, Stage, Verdict, caller_id, judge, place

log = logging.getLogger(__name__)

SERVICE = "service"
AGAIN_SECONDS = 30.0
"""After a failure, and after a line was busy with citizens, the next one comes so soon."""
_EVERY = 0.25
_STALE = timedelta(hours=1)
_LONGEST_REASON = 300


class ProbeDesk:
    """Calls every line of every exchange in turn; one call at a time at each exchange."""

    def __init__(
        self,
        *,
        config: Config,
        pool: Pool,
        exchanges: Mapping[str, RunningExchange],
        sounds: SoundStores,
        clock: Clock,
    ) -> None:
        """Nothing is called before `run`."""
        self._pool, self._exchanges, self._sounds, self._clock = pool, exchanges, sounds, clock
        self._settings = config.probe
        self._spools = {one.system: one.recordings_dir for one in config.exchanges}
        named = set(self._settings.lines)
        self._lines = [line for line in config.lines if not named or line.name in named]

    async def run(self) -> None:
        """Call the lines for as long as this runs; returns at once where it is switched off."""
        if not self._settings.interval_seconds:
            return
        async with asyncio.TaskGroup() as tasks:
            for exchange in self._exchanges.values():
                tasks.create_task(self._call_for_ever(exchange))

    async def ping(self) -> None:
        """Raise one sentence where the newest test call into some line failed."""
        if not self._settings.interval_seconds:
            return
        async with borrowed(self._pool) as conn:
            found = await rows.newest(conn)
        for line in self._lines:
            for system in self._exchanges:
                last = found.get((system, line.name))
                if last is not None and not last.ok:
                    raise LineSilentError(
                        f"The test call into {line.name} at {system} failed "
                        f"(it got as far as: {last.stage}). {last.reason}"
                    )

    async def _call_for_ever(self, exchange: RunningExchange) -> None:
        interval = self._settings.interval_seconds
        loop = asyncio.get_running_loop()
        soon = min(interval, AGAIN_SECONDS)
        due = {line.name: loop.time() + soon for line in self._lines}
        while due:
            name = min(due, key=lambda one: due[one])
            await asyncio.sleep(max(0.0, due[name] - loop.time()))
            line = next(line for line in self._lines if line.name == name)
            try:
                ok = await self.call(exchange, line)
            except (*PASSING, StoreAwayError, TelephonyError, asyncpg.PostgresError) as error:
                log.warning("The test call into %s is made again shortly (%s).", name, error)
                ok = None
            due[name] = loop.time() + (interval if ok else soon)

    async def call(self, exchange: RunningExchange, line: Line) -> bool | None:
        """Call one line and write down how far it got; None where a citizen waits in it."""
        async with borrowed(self._pool) as conn:
            await self._clear(conn, exchange.system)
            if await rows.somebody_waits(conn, exchange.system, line.name):
                return None
        caller = caller_id(secrets.token_hex(8))
        began = self._clock()
        call_id, verdict = await self._place(exchange, line, caller)
        await self._tell(exchange.system, line.name, verdict, call_id=call_id, at=began)
        return verdict.ok

    async def _place(
        self, exchange: RunningExchange, line: Line, caller: str
    ) -> tuple[int | None, Verdict]:
        if exchange.actor is None:
            return None, _unplaced(f"The exchange {exchange.system} takes no orders.")
        seconds = self._settings.timeout_seconds
        try:
            await place(exchange.actor, caller, line.number, seconds=int(seconds))
        except (NotConnected, ActionRefused) as error:
            return None, _unplaced(f"The exchange did not place the call: {error}")
        except ActionError as error:
            log.warning("The record tells whether the test call was placed (%s).", error)
        call_id, seen = await self._follow(exchange.system, caller, seconds)
        return call_id, judge(seen)

    async def _follow(
        self, system: str, caller: str, seconds: float
    ) -> tuple[int | None, Seen | None]:
        """What the record holds of the call once it is settled, or when the time is up."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while True:
            async with borrowed(self._pool) as conn:
                call_id, seen = await rows.look(conn, system, caller)
            if loop.time() >= until or (seen is not None and seen.is_settled):
                return call_id, seen
            await asyncio.sleep(_EVERY)

    async def _tell(
        self, system: str, line: str, verdict: Verdict, *, call_id: int | None, at: datetime
    ) -> None:
        """The result, and a journal row where it is another than the last."""
        async with transaction(self._pool) as tx:
            if call_id is not None:
                await store.hold_call(tx, call_id)
            before = await rows.was_ok(tx, system, line)
            await rows.keep(tx, system, line, verdict, call_id=call_id, at=at)
            if before in (verdict.ok, None) and (before is not None or verdict.ok):
                return
            event = Event.PROBE_RECOVERED if verdict.ok else Event.PROBE_FAILED
            body = {
                "system": system,
                "line": line,
                "stage": verdict.stage,
                "reason": verdict.reason,
                "seconds": verdict.seconds and round(verdict.seconds, 1),
            }
            await journal.write(
                tx, at=self._clock(), actor=SERVICE, event=event, call_id=call_id, body=body
            )

    async def _clear(self, conn: asyncpg.Connection, system: str) -> None:
        """Remove what earlier test calls recorded; the file first, so that a crash forgets none."""
        spool = self._spools[system]
        for one in await rows.left_behind(conn, system):
            await asyncio.to_thread(self._remove, spool, one)
            await rows.forget(conn, one)
        await asyncio.to_thread(_sweep, spool, self._clock())

    def _remove(self, spool: Path, one: rows.Left) -> None:
        recordings.remove_source(recordings.source_path(spool, one.source_path))
        if one.kept_in is not None and one.path is not None:
            self._sounds.of(KeptIn(one.kept_in)).delete(one.path)


def _sweep(spool: Path, now: datetime) -> None:
    """Files of test calls that came when nobody waited for them any more."""
    for path in spool.glob("probe-*.wav"):
        written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        if now - written > _STALE:
            recordings.remove_source(path)


def _unplaced(reason: str) -> Verdict:
    return Verdict(stage=Stage.NONE, reason=reason[:_LONGEST_REASON], seconds=None)
