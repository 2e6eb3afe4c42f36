"""Stored recordings moved from one store to the other: fetched, verified, put, noted, removed.

One after the other, each in that order: killed anywhere, the next run goes on, and what a killed
one left behind in the old store is removed by it. Calls go on meanwhile.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import LiteralString

import asyncpg

from hotline.database import Pool, borrowed, transaction
from hotline.errors import SoundGoneError
from hotline.sounds import Kept, Place, SoundStore, SoundStores, fetch
from hotline.store import kept_at
from telephony.calls import Leg

_BLOCK = 200
_NEXT: LiteralString = """
    SELECT r.call_id, r.leg, r.kept_in, r.path, r.sha256, c.started_at
      FROM recordings r JOIN calls c ON c.id = r.call_id
     WHERE r.state = 'stored' AND (r.call_id, r.leg) > ($1, $2)
     ORDER BY r.call_id, r.leg LIMIT $3"""
_MOVED: LiteralString = """
    UPDATE recordings SET kept_in = $3, path = $4
     WHERE call_id = $1 AND leg = $2 AND state = 'stored' AND kept_in = $5 AND path = $6"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What became of one recording; `reason` says why it stays where it is."""

    call_id: int
    leg: Leg
    moved: bool
    reason: str | None = None


async def move_all(pool: Pool, sounds: SoundStores) -> AsyncIterator[Moved]:
    """Bring every stored recording into the current store; what is there already is not told.

    Raises:
        StoreAwayError, OSError: a store is away or full; what was moved until then stays moved.
    """
    after: tuple[int, str] = (0, "")
    while True:
        async with borrowed(pool) as conn:
            rows = await conn.fetch(_NEXT, *after, _BLOCK)
        if not rows:
            return
        for row in rows:
            if (moved := await _move(pool, sounds, row)) is not None:
                yield moved
        after = rows[-1]["call_id"], rows[-1]["leg"]


async def _move(pool: Pool, sounds: SoundStores, row: asyncpg.Record) -> Moved | None:
    kept, leg, new = kept_at(row), Leg(row["leg"]), sounds.current
    place = Place(call_id=row["call_id"], leg=leg, started_at=row["started_at"])
    if kept.store is new.kind:
        for store in sounds.all:
            if store is not new:
                await asyncio.to_thread(_remove_rest, store, place, kept, new)
        return None
    old = sounds.of(kept.store)
    key = place.key(kept.sha256)
    try:
        await asyncio.to_thread(_carry, sounds, old, kept, key)
    except SoundGoneError as error:
        return Moved(call_id=place.call_id, leg=leg, moved=False, reason=str(error))
    async with transaction(pool) as tx:
        done = await tx.execute(
            _MOVED, place.call_id, leg.value, new.kind, key, kept.store, kept.key
        )
    if done == "UPDATE 1":
        await asyncio.to_thread(old.delete, kept.key)
    return Moved(call_id=place.call_id, leg=leg, moved=True)


def _carry(sounds: SoundStores, old: SoundStore, kept: Kept, key: str) -> None:
    with sounds.in_hand(f"moved-{key.rpartition('/')[2]}") as copy:
        fetch(old, kept.key, kept.sha256, copy)
        sounds.current.put(copy, key, kept.sha256)


def _remove_rest(old: SoundStore, place: Place, kept: Kept, new: SoundStore) -> None:
    """What a run that was killed between noting and removing left in the old store."""
    for key in (place.key(kept.sha256), f"{place.folder}-{place.leg}.wav"):
        rest = old.size(key)
        if rest is not None and rest == new.size(kept.key):
            old.delete(key)
