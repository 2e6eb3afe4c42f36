"""Recordings that nobody expects, and expected ones that nobody has: found, and put right.

    the files tell of a recording, no row does   -> expected, and collected
    a file at the exchange, its call is stored   -> attached to it, and collected
    a file that came after it was given up       -> expected again, and collected
    a stored one that is still at the exchange   -> taken out of there
    the same, and the store has lost it          -> expected again, and collected
    a stored one that is not in the store        -> told
    a second file of a leg, a file of no call    -> told; it stays where it is

Runs from time to time and in `hotline reconcile`; the second time finds only what is only told.
A file of which no call is known holds a person's voice: it is never deleted here. Whose file it is
says `owners.py`.
"""

import asyncio
import json
import logging
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import LiteralString

import asyncpg

from hotline import store
from hotline.database import Connection, Pool, borrowed, transaction
from hotline.errors import SoundGoneError, StoreAwayError
from hotline.jobs import JobName, enqueue
from hotline.masking import mask_text
from hotline.owners import Owner, owner_of
from hotline.sounds import Kept, SoundStores
from telephony.calls import CallKey, CallKind, Leg
from telephony.events import LinkedId, System
from telephony.reconcile import Difference, DifferenceKind
from telephony.store import record_difference

log = logging.getLogger(__name__)

QUIET = timedelta(minutes=2)
"""A file that nobody has written to for so long belongs to no call in progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lying:
    """A recording in the exchange's spool, and when it was last written to."""

    name: str
    written_at: datetime


def lying_in(spool: Path, now: datetime) -> list[Lying]:
    """The finished recordings in a spool, by name; blocks, raises `OSError`."""
    found = []
    for path in sorted(spool.glob("*.wav")):
        written = _written(path, now)
        if now - written >= QUIET:
            found.append(Lying(name=path.name, written_at=written))
    return found


def _written(path: Path, now: datetime) -> datetime:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except FileNotFoundError:  # collected meanwhile
        return now


async def sweep(
    pool: Pool,
    *,
    system: System,
    spool: Path,
    sounds: SoundStores,
    since: datetime,
    now: datetime,
) -> list[Difference]:
    """Compare what the exchange recorded with what is stored; what could be put right is."""
    lying = await asyncio.to_thread(lying_in, spool, now)
    found = await _never_expected(pool, system, since)
    for one in lying:
        found += await _account_for(pool, system, sounds, one)
    try:
        found += await _not_in_the_store(pool, system, sounds, since)
    except (StoreAwayError, OSError) as error:
        log.warning("The store was not looked through: %s", error)
    async with transaction(pool) as tx:
        for difference in found:
            await record_difference(
                tx,
                difference.key,
                difference.kind,
                difference.detail,
                repaired=difference.repaired,
                at=now,
            )
    return found


_NEVER_EXPECTED: LiteralString = """
    SELECT c.id, c.linked_id, min(f.at) AS at,
           (array_agg(f.body ORDER BY f.at))[1] AS body
      FROM calls c
      JOIN exchange_facts f ON f.system = c.system AND f.unique_id = c.linked_id
                           AND f.kind = 'recording_started'
     WHERE c.system = $1 AND c.ended_at >= $2 AND c.kind = 'citizen'
       AND NOT EXISTS (SELECT FROM recordings r WHERE r.call_id = c.id)
     GROUP BY c.id, c.linked_id"""


async def _never_expected(pool: Pool, system: System, since: datetime) -> list[Difference]:
    """Calls whose recording the files tell of, while no row expects one."""
    async with borrowed(pool) as conn:
        rows = await conn.fetch(_NEVER_EXPECTED, system, since)
    found = []
    for row in rows:
        body = json.loads(row["body"])
        files = {Leg.CALLER: body["caller_file"], Leg.OPERATOR: body["operator_file"]}
        async with transaction(pool) as tx:
            for leg, name in files.items():
                if name:
                    await store.expect_recording(tx, row["id"], leg, name, row["at"])
            await _collect(tx, row["id"])
        found.append(_difference(system, row["linked_id"], "never expected", "made", repaired=True))
    return found


_ROW: LiteralString = """
    SELECT c.id, c.kind, c.linked_id, c.ended_at, c.queued_at, c.started_at,
           r.state, r.source_path, r.kept_in, r.path, r.sha256
      FROM calls c LEFT JOIN recordings r ON r.call_id = c.id AND r.leg = $2
     WHERE c.id = $1"""
_AGAIN: LiteralString = """
    UPDATE recordings SET state = 'expected', reason = NULL, source_path = $3
     WHERE call_id = $1 AND leg = $2 AND state = $4"""


async def _account_for(
    pool: Pool, system: System, sounds: SoundStores, one: Lying
) -> list[Difference]:
    """What a file in the spool is about: mostly a call that has yet to be collected."""
    async with borrowed(pool) as conn:
        owner = await owner_of(conn, system, one.name, one.written_at)
        row = await conn.fetchrow(_ROW, owner.call_id, owner.leg.value) if owner else None
    if owner is None or row is None:
        name = mask_text(one.name.removesuffix(".wav"))
        return [_difference(system, name, "no call", mask_text(one.name), repaired=False)]
    was = row["state"]
    if row["ended_at"] is None or was in ("expected", "damaged"):
        return []
    if row["kind"] == CallKind.PROBE:
        return []  # what a test call left behind goes with the next one
    if was == "stored" and Path(row["source_path"]).name != one.name:
        told = "a second file of this side"
        return [_difference(system, row["linked_id"], told, mask_text(one.name), repaired=False)]
    told = {None: "orphan", "missing": "given up", "stored": "left behind"}[was]
    if was == "stored" and not await _is_kept(sounds, store.kept_at(row)):
        told = "lost by the store"
    await _expect(pool, owner, one, row, again=told in ("given up", "lost by the store"))
    return [_difference(system, row["linked_id"], told, owner.leg, repaired=True)]


async def _expect(
    pool: Pool, owner: Owner, one: Lying, row: asyncpg.Record, *, again: bool
) -> None:
    async with transaction(pool) as tx:
        if row["state"] is None:
            began = row["queued_at"] or row["started_at"]
            await store.expect_recording(tx, owner.call_id, owner.leg, one.name, began)
        elif again:
            await tx.execute(_AGAIN, owner.call_id, owner.leg.value, one.name, row["state"])
        await _collect(tx, owner.call_id)


async def _is_kept(sounds: SoundStores, kept: Kept) -> bool:
    """Whether the store has it; a store that cannot say is believed to."""
    try:
        return await asyncio.to_thread(sounds.of(kept.store).size, kept.key) is not None
    except SoundGoneError:
        return False
    except (StoreAwayError, OSError):
        return True


_STORED: LiteralString = """
    SELECT c.linked_id, r.call_id, r.leg, r.kept_in, r.path, r.sha256
      FROM recordings r JOIN calls c ON c.id = r.call_id
     WHERE c.system = $1 AND c.ended_at >= $2 AND r.state = 'stored'"""
_DAY = len("2026/11/23")


async def _not_in_the_store(
    pool: Pool, system: System, sounds: SoundStores, since: datetime
) -> list[Difference]:
    async with borrowed(pool) as conn:
        before = {
            row["leg"] + row["linked_id"]: row for row in await conn.fetch(_STORED, system, since)
        }
        gone = await asyncio.to_thread(_absent, sounds, before)
        # Moved to another store meanwhile: then its row says so now.
        now = {
            row["leg"] + row["linked_id"]: row for row in await conn.fetch(_STORED, system, since)
        }
    return [
        _difference(system, row["linked_id"], "gone from the store", row["leg"], repaired=False)
        for name, row in before.items()
        if name in gone
        and name in now
        and now[name]["path"] == row["path"]
        and now[name]["kept_in"] == row["kept_in"]
    ]


def _absent(sounds: SoundStores, rows: dict[str, asyncpg.Record]) -> set[str]:
    """Which of these recordings their stores do not have; a day is asked for at once."""
    days: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for name, row in rows.items():
        days[row["kept_in"], row["path"][:_DAY]].append(name)
    gone = set()
    for (_, day), names in days.items():
        held = sounds.of(store.kept_at(rows[names[0]]).store)
        keys = set(held.find(day)) if day[:1].isdigit() else set()
        gone |= {
            name
            for name in names
            if rows[name]["path"] not in keys and held.size(rows[name]["path"]) is None
        }
    return gone


async def _collect(tx: Connection, call_id: int) -> None:
    await enqueue(tx, JobName.COLLECT_RECORDINGS, {"call_id": call_id})


def _difference(
    system: System, linked_id: str, stored: str, files: str, *, repaired: bool
) -> Difference:
    return Difference(
        key=CallKey(system=system, linked_id=LinkedId(linked_id)),
        kind=DifferenceKind.RECORDING,
        detail={"stored": stored, "files": str(files)},
        repaired=repaired,
    )
