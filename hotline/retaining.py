"""Deletes what was kept long enough, and proves it in the journal's chain.

A recording is first decided upon (its row says `deleted`, nobody plays it), then its sound leaves
the store, then that is noted, and so with the file of a piece of evidence: killed anywhere, the
next run goes on where this one was, and deletes a file that is gone already without a fault.
Everything else is deleted in the very transaction that writes its proof. A proof names the class,
how many, the hash of what they were (never what), the moment before which they were due, and the
version of the periods with its hash.
"""

import asyncio
import hashlib
import json
import logging
import time as clock
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from hotline import journal
from hotline import retention_rows as rows
from hotline.audit import verify
from hotline.database import PASSING, Pool, borrowed, transaction
from hotline.errors import DatabaseUnavailableError, StoreAwayError
from hotline.journal import Event
from hotline.services import Clock
from hotline.sounds import SoundStores
from hotline.store import kept_at
from routing.retention import Kept, Retention

log = logging.getLogger(__name__)

SERVICE = "service"
AT_ONCE = 200
MONTHS = 12
_CITY = ZoneInfo("Asia/Shanghai")


FILES = frozenset({Kept.RECORDINGS, Kept.EVIDENCE})
FRESH = timedelta(days=1)
"""A file of evidence as young as this may be one that is just being brought again: it waits."""
NIGHTLY = time(3, tzinfo=_CITY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """Where the files lie that are deleted with their rows."""

    sounds: SoundStores
    evidence: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one class stands: due now, as old but held, and the moment before which it is due."""

    kind: Kept
    months: int
    before: datetime
    due: int
    held: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """One batch that was deleted."""

    kind: Kept
    count: int
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """Whether everything that was deleted is proven; `fault` is the first thing wrong."""

    deleted: dict[Kept, int]
    proofs: int
    fault: str | None


def months_before(now: datetime, months: int) -> datetime:
    """The same day so many months ago in the city's time, or that month's last day."""
    here = now.astimezone(_CITY)
    year, month = divmod(here.year * MONTHS + here.month - 1 - months, MONTHS)
    for day in range(here.day, here.day - 4, -1):
        try:
            return here.replace(year=year, month=month + 1, day=day)
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")


async def standing(pool: Pool, periods: Retention, now: datetime) -> list[Standing]:
    """What a run would delete now; deletes nothing."""
    found = []
    async with borrowed(pool) as conn:
        for kind, period in periods.classes.items():
            before = months_before(now, period.months)
            counts = [await rows.counted(conn, sort, before) for sort in rows.SORTS[kind]]
            due, held = (sum(one) for one in zip(*counts, strict=True))
            found.append(
                Standing(kind=kind, months=period.months, before=before, due=due, held=held)
            )
    return found


async def run(
    pool: Pool, stores: Stores, periods: Retention, now: datetime
) -> AsyncIterator[Deleted]:
    """Delete everything that is due, a batch at a time."""
    await finish(pool, stores)
    for kind, period in periods.classes.items():
        before = months_before(now, period.months)
        for sort in rows.SORTS[kind]:
            while done := await _batch(pool, periods, kind, sort, before, now):
                if kind in FILES:
                    await finish(pool, stores)
                yield done


async def _batch(  # noqa: PLR0917 - what, of which class, due before when, said when
    pool: Pool, periods: Retention, kind: Kept, sort: rows.Sort, before: datetime, now: datetime
) -> Deleted | None:
    async with transaction(pool) as tx:
        items = await rows.delete(tx, sort, before, AT_ONCE)
        if not items:
            return None
        done = Deleted(kind=kind, count=len(items), hash=hash_of(items))
        await journal.write(
            tx,
            at=now,
            actor=SERVICE,
            event=Event.RETENTION_DELETED,
            body={
                "class": kind,
                "count": done.count,
                "hash": done.hash,
                "before": before.isoformat(),
                "policy": periods.name,
                "fingerprint": periods.fingerprint(),
            },
        )
    return done


def hash_of(items: Sequence[str]) -> str:
    """The hash of what was deleted, whatever the order."""
    return hashlib.sha256("\n".join(sorted(items)).encode()).hexdigest()


async def finish(pool: Pool, stores: Stores) -> None:
    """Delete the sound of every recording and the file of every piece that was decided upon.

    Raises:
        StoreAwayError, OSError: a store is away; the rest waits for the next run.
    """
    await _finish_evidence(pool, stores.evidence)
    while True:
        async with borrowed(pool) as conn:
            left = await rows.pending(conn, AT_ONCE)
        if not left:
            return
        for row in left:
            kept = kept_at(row)
            await asyncio.to_thread(stores.sounds.of(kept.store).delete, kept.key)
            async with transaction(pool) as tx:
                await rows.gone(tx, row["call_id"], row["leg"])


async def _finish_evidence(pool: Pool, folder: Path) -> None:
    async with borrowed(pool) as conn:
        leaving = await rows.leaving(conn)
    for row in leaving:
        if row["wanted"] or await asyncio.to_thread(_is_deleted, folder / row["path"]):
            async with transaction(pool) as tx:
                await rows.left(tx, row["path"])


def _is_deleted(path: Path) -> bool:
    """Delete a file that is not fresh; whether it is gone."""
    try:
        if clock.time() - path.stat().st_mtime < FRESH.total_seconds():
            return False
        path.unlink()
    except FileNotFoundError:
        pass
    return True


def next_night(now: datetime) -> datetime:
    """The next moment of the nightly run after a moment: 3 o'clock in the city."""
    here = now.astimezone(_CITY)
    tonight = datetime.combine(here.date(), NIGHTLY)
    return tonight if here < tonight else tonight + timedelta(days=1)


class RetentionDesk:
    """Deletes each night what is due; a night when the service was away is made up by the next.

    A fault is logged and the next night tries again: nothing is lost by waiting a day.
    """

    def __init__(self, *, pool: Pool, stores: Stores, periods: Retention, clock: Clock) -> None:
        self._pool, self._stores, self._periods, self._clock = pool, stores, periods, clock

    async def run(self) -> None:
        """Every night again; returns only when cancelled."""
        while True:
            now = self._clock()
            await asyncio.sleep((next_night(now) - now).total_seconds())
            await self.look()

    async def look(self) -> int:
        """Delete what is due now; returns how much was deleted."""
        deleted = 0
        try:
            async for done in run(self._pool, self._stores, self._periods, self._clock()):
                deleted += done.count
                log.info("Deleted %d of %s, proof %s.", done.count, done.kind, done.hash)
        except (DatabaseUnavailableError, StoreAwayError, OSError, *PASSING) as error:
            log.warning("Deleting what is due waits for the next night: %s", error)
        return deleted


async def prove(pool: Pool) -> Proven:
    """Verify the chain with its proofs, and that no deletion was left half done."""
    async with borrowed(pool) as conn:
        report = await verify(conn)
        left = await rows.pending(conn, 1) or await rows.leaving(conn)
        found = [json.loads(row["body"]) for row in await rows.proofs(conn)]
    deleted: dict[Kept, int] = {}
    for proof in found:
        kind = Kept(proof["class"])
        deleted[kind] = deleted.get(kind, 0) + int(proof["count"])
    fault = report.fault
    if fault is None and left:
        fault = "A recording or evidence was decided upon and is not deleted yet: run it again."
    return Proven(deleted=deleted, proofs=len(found), fault=fault)
