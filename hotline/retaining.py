"""Deletes what was kept long enough, and proves it in the journal's chain.

A recording is first decided upon (its row says `deleted`, nobody plays it), then its sound leaves
the store, then that is noted: killed anywhere, the next run goes on where this one was, and
deletes a sound that is gone already without a fault. Everything else is deleted in the very
transaction that writes its proof. A proof names the class, how many, the hash of what they were
(never what), the moment before which they were due, and the version of the periods with its hash.
"""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from hotline import journal
from hotline import retention_rows as rows
from hotline.audit import verify
from hotline.database import Pool, borrowed, transaction
from hotline.journal import Event
from hotline.sounds import SoundStores
from hotline.store import kept_at
from routing.retention import Kept, Retention

SERVICE = "service"
AT_ONCE = 200
MONTHS = 12
_CITY = ZoneInfo("Asia/Shanghai")


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
            due, held = await rows.counted(conn, rows.SORTS[kind], before)
            found.append(
                Standing(kind=kind, months=period.months, before=before, due=due, held=held)
            )
    return found


async def run(
    pool: Pool, sounds: SoundStores, periods: Retention, now: datetime
) -> AsyncIterator[Deleted]:
    """Delete everything that is due, a batch at a time."""
    await finish(pool, sounds)
    for kind, period in periods.classes.items():
        before = months_before(now, period.months)
        while True:
            done = await _batch(pool, periods, kind, before, now)
            if done is None:
                break
            if kind is Kept.RECORDINGS:
                await finish(pool, sounds)
            yield done


async def _batch(
    pool: Pool, periods: Retention, kind: Kept, before: datetime, now: datetime
) -> Deleted | None:
    async with transaction(pool) as tx:
        items = await rows.delete(tx, rows.SORTS[kind], before, AT_ONCE)
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


async def finish(pool: Pool, sounds: SoundStores) -> None:
    """Delete the sound of every recording that was decided upon.

    Raises:
        StoreAwayError, OSError: a store is away; the rest waits for the next run.
    """
    while True:
        async with borrowed(pool) as conn:
            left = await rows.pending(conn, AT_ONCE)
        if not left:
            return
        for row in left:
            kept = kept_at(row)
            await asyncio.to_thread(sounds.of(kept.store).delete, kept.key)
            async with transaction(pool) as tx:
                await rows.gone(tx, row["call_id"], row["leg"])


async def prove(pool: Pool) -> Proven:
    """Verify the chain with its proofs, and that no deletion was left half done."""
    async with borrowed(pool) as conn:
        report = await verify(conn)
        left = await rows.pending(conn, 1)
        found = [json.loads(row["body"]) for row in await rows.proofs(conn)]
    deleted: dict[Kept, int] = {}
    for proof in found:
        kind = Kept(proof["class"])
        deleted[kind] = deleted.get(kind, 0) + int(proof["count"])
    fault = report.fault
    if fault is None and left:
        fault = "A recording was decided upon and its sound is not deleted yet: run it again."
    return Proven(deleted=deleted, proofs=len(found), fault=fault)
