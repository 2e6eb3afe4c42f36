"""Nothing depends on memory surviving: what was missed is read from the exchange's own files.

    start     the calls left open, and the unfinished facts of the files, into the tracker
    merge     after every login: files, then the snapshot; calls that are gone are closed
    check     from time to time: what ended in the files is compared with what is stored

Whatever comes out is handed to `tell`, the same function that takes live events: each call event
in a transaction of its own, saved once however often it is told.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from telephony import cel, fact_store, queue_log, store
from telephony.calls import CallEvent, CallKey, CallTracker, TrackerRules
from telephony.events import Fact, SnapshotTaken, Source, System
from telephony.fact_store import Ended
from telephony.reconcile import Difference, DifferenceKind, Verdict, judge, told_by_files
from telephony.rows import Chunk, Parser, Position, Reading, read_rows
from telephony.snapshot import Snapshot
from telephony.snapshot_facts import facts_in
from telephony.tail import every_file, read_file, read_new

log = logging.getLogger(__name__)

Tell = Callable[[CallEvent], Awaitable[None]]
TellCall = Callable[[Sequence[CallEvent]], Awaitable[None]]
"""Takes all that is told of one call, so that it can be stored with one commit."""
Transaction = Callable[[], AbstractAsyncContextManager[store.Connection]]
"""Opens a transaction on a connection of a pool."""

GRACE = timedelta(seconds=3)
"""How long after its end in the files a call is left to the live events."""
MARGIN = timedelta(hours=1)
"""So long before a call's end its beginning is looked for when the files are read again."""
_TRIES = 3
_AT_ONCE = 25
"""So many judged calls are passed with one commit."""
LOOK_BACK = timedelta(days=2)
"""Unfinished facts older than this belong to channels whose end was never written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeFiles:
    """The files the exchange writes."""

    cel: Path
    queue_log: Path


@dataclass(slots=True, kw_only=True)
class RecoveryCounts:
    """What was met since the service started; each number only grows."""

    rows: int = 0
    facts: int = 0
    bad_rows: int = 0
    files_lost: int = 0
    differences: Counter[DifferenceKind] = field(default_factory=Counter)
    checked_at: datetime | None = None
    """When the last check went through."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """What came of comparing everything that ended in a time."""

    compared: int
    differences: tuple[Difference, ...]


class Recovery:
    """One exchange's files, read into the database and held against the calls."""

    def __init__(
        self,
        *,
        system: System,
        files: ExchangeFiles,
        rules: TrackerRules,
        tracker: CallTracker,
        transaction: Transaction,
        tell: Tell,
        tell_call: TellCall | None = None,
    ) -> None:
        """`tell_call` takes what catches up with a missed call; without it events go alone."""
        self.counts = RecoveryCounts()
        self._system = system
        self._sources: tuple[tuple[Source, Path, Parser], ...] = (
            # queue_log first: what it tells of a call is there when CEL ends the call.
            (Source.QUEUE_LOG, files.queue_log, queue_log.parse),
            (Source.CEL, files.cel, cel.parse),
        )
        self._rules = rules
        self._tracker = tracker
        self._transaction = transaction
        self._tell = tell
        self._tell_call = tell_call or self._one_by_one
        self._turn = asyncio.Lock()

    async def start(self, now: datetime) -> None:
        """Once, before the connection: go on where the last process stopped."""
        async with self._turn:
            await self._read(now)
            await self._judge_all(now, now)
            async with self._transaction() as tx:
                left_open = await store.open_calls(tx, self._system)
            for stored in left_open:
                self._tracker.resume(stored.call)
            await self._observe_unfinished(now)

    async def merge(self, snapshot: Snapshot, now: datetime) -> None:
        """After every login, before the events that follow the snapshot."""
        async with self._turn:
            await self._read(now)
            await self._judge_all(now, now)
            await self._observe_unfinished(now)
            await self._observe(facts_in(snapshot))

    async def check(self, now: datetime) -> list[Difference]:
        """Compare what ended in the files, repair what differs, and say what differed."""
        async with self._turn:
            await self._read(now)
            found = await self._judge_all(now, now - GRACE)
            for event in self._tracker.settle(now):
                await self._tell(event)
            self.counts.checked_at = now
            return found

    async def reconcile(self, since: datetime, now: datetime) -> Reconciled:
        """Read every file that is left from the start, and compare all that ended since then.

        For whoever does not want to trust what was done before: rotated files are read again,
        calls judged before are judged again. What is stored already is not stored twice.
        """
        async with self._turn:
            await self._read(now)
            for source, path, parse in self._sources:
                await self._read_again(source, path, parse, since)
            found = await self._judge_all(now, now - GRACE)
            async with self._transaction() as tx:
                ended = await fact_store.ended_since(
                    tx, self._system, since=since, until=now - GRACE
                )
            for one in ended:
                found += await self._judge_and_note(one, now)
            for event in self._tracker.settle(now):
                await self._tell(event)
            return Reconciled(compared=len(ended), differences=tuple(found))

    async def forget(self, before: datetime) -> int:
        """Delete facts older than that which have done their service; how many went."""
        gone = 0
        while True:
            async with self._transaction() as tx:
                some = await fact_store.forget_facts(tx, self._system, before=before)
            gone += some
            if not some:
                return gone

    async def _read_again(self, source: Source, path: Path, parse: Parser, since: datetime) -> None:
        for file, mark in await asyncio.to_thread(every_file, path):
            position = Position(file=mark, offset=0)
            while True:
                chunk = await asyncio.to_thread(read_file, file, position)
                reading = read_rows(chunk, parse, system=self._system)
                facts = [placed for placed in reading.facts if placed.fact.at >= since - MARGIN]
                async with self._transaction() as tx:
                    await fact_store.add_facts(tx, self._system, source, facts)
                if not chunk.more or chunk.position in (None, position):
                    break
                position = chunk.position

    async def _read(self, now: datetime) -> None:
        for source, path, parse in self._sources:
            while await self._read_chunk(source, path, parse, now):
                pass

    async def _read_chunk(self, source: Source, path: Path, parse: Parser, now: datetime) -> bool:
        """Read once; whether there may be more."""
        async with self._transaction() as tx:
            since = await fact_store.position(tx, self._system, source)
        chunk = await asyncio.to_thread(read_new, path, since)
        if chunk.position is None or chunk.position == since:
            return chunk.more
        reading = read_rows(chunk, parse, system=self._system)
        async with self._transaction() as tx:
            stored = await fact_store.append_facts(
                tx, self._system, source, reading.facts, chunk.position, since=since, at=now
            )
        if stored:
            self._count(reading, chunk)
        return chunk.more or not stored

    def _count(self, reading: Reading, chunk: Chunk) -> None:
        self.counts.rows += reading.rows
        self.counts.facts += len(reading.facts)
        self.counts.bad_rows += reading.bad
        self.counts.files_lost += chunk.lost
        if reading.bad:
            log.warning("%d rows of the exchange's files could not be read.", reading.bad)
        if chunk.lost:
            log.error("A file of the exchange was gone or cut before it was read to its end.")

    async def _observe_unfinished(self, now: datetime) -> None:
        async with self._transaction() as tx:
            facts = await fact_store.unfinished_facts(tx, self._system, since=now - LOOK_BACK)
        await self._observe(facts)

    async def _observe(self, facts: Iterable[Fact | SnapshotTaken]) -> None:
        for fact in facts:
            for event in self._tracker.observe(fact):
                await self._tell(event)

    async def _judge_all(self, now: datetime, until: datetime) -> list[Difference]:
        found: list[Difference] = []
        while True:
            async with self._transaction() as tx:
                ended = await fact_store.ended_unjudged(
                    tx, self._system, until=until, most=_AT_ONCE
                )
            if not ended:
                return found
            for one in ended:
                found += await self._judge_and_note(one, now)
            # Killed before this, the last few are judged again and found to be right.
            async with self._transaction() as tx:
                await fact_store.judged(tx, self._system, ended[-1], at=now)

    async def _judge_and_note(self, ended: Ended, now: datetime) -> list[Difference]:
        """One that cannot be judged is noted and passed, so that it does not block the others.

        Where the database is away the note fails as well, and nothing has been passed.
        """
        found = await self._judge_in_earnest(ended, now)
        if found is None:
            found = [
                Difference(
                    key=CallKey(system=self._system, linked_id=ended.linked_id),
                    kind=DifferenceKind.UNJUDGED,
                    detail={},
                    repaired=False,
                )
            ]
            async with self._transaction() as tx:
                await self._note(tx, found, now)
        self.counts.differences.update(difference.kind for difference in found)
        return found

    async def _judge_in_earnest(self, ended: Ended, now: datetime) -> list[Difference] | None:
        for _ in range(_TRIES):
            try:
                return await self._judge(ended, now)
            except Exception as error:  # noqa: BLE001 - whatever it is, it must not stop the others
                # Its text may quote a row, and with it a number: only its kind is told.
                log.error("A call could not be compared with the files: %s.", type(error).__name__)  # noqa: TRY400
        return None

    async def _judge(self, ended: Ended, now: datetime) -> list[Difference]:
        """Nothing is written where nothing differs, and little else: commits take time."""
        verdicts: list[tuple[store.StoredCall | None, Verdict]] = []
        async with self._transaction() as tx:
            facts = await fact_store.facts_of(tx, self._system, ended.linked_id)
            for key, told in told_by_files(facts, self._rules).items():
                stored = await store.find(tx, key)
                verdict = judge(told, stored.call if stored else None)
                verdicts.append((stored, verdict))
                if verdict.repaired is None:
                    await self._note(tx, verdict.differences, now)
        for stored, verdict in verdicts:
            if verdict.events:
                await self._tell_call(verdict.events)
            # After the telling: killed in between, the next check finds and tells it again.
            if stored is not None and verdict.repaired is not None:
                async with self._transaction() as tx:
                    await self._note(tx, verdict.differences, now)
                    await store.repair(tx, stored.call_id, verdict.repaired)
        found = [difference for _, verdict in verdicts for difference in verdict.differences]
        if any(one.kind in (DifferenceKind.MISSING, DifferenceKind.OPEN) for one in found):
            await self._observe(facts)  # so that the tracker holds it for ended, too
        return found

    async def _one_by_one(self, events: Sequence[CallEvent]) -> None:
        for event in events:
            await self._tell(event)

    async def _note(
        self, tx: store.Connection, differences: Iterable[Difference], now: datetime
    ) -> None:
        for one in differences:
            await store.record_difference(
                tx, one.key, one.kind, one.detail, repaired=one.repaired, at=now
            )
