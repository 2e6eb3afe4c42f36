"""Recordings that nobody expects, and expected ones that nobody has: found, and put right.

    the files tell of a recording, no row does   -> expected, and collected
    a file at the exchange, its call is stored   -> attached to it, and collected
    a file that came after it was given up       -> expected again, and collected
    a stored one that is still at the exchange   -> taken out of there
    a stored one that is not in the store        -> told
    a file of no call                            -> told; it stays where it is

Runs from time to time and in `hotline reconcile`; the second time finds only what is only told.
A file of which no call is known holds a person's voice: it is never deleted here.
"""

import asyncio
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import LiteralString

from hotline import store
from hotline.database import Connection, Pool, borrowed, transaction
from hotline.jobs import JobName, enqueue
from telephony.calls import CallKey, Leg
from telephony.events import LinkedId, System
from telephony.reconcile import Difference, DifferenceKind
from telephony.store import record_difference

QUIET = timedelta(minutes=2)
"""A file that nobody has written to for so long belongs to no call in progress."""
_NAME = re.compile(r"(?P<channel>[\w.-]{1,150})-(?P<leg>caller|operator)\.wav", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lying:
    """A recording in the exchange's spool."""

    name: str
    channel: LinkedId
    leg: Leg


def lying_in(spool: Path, now: datetime) -> list[Lying]:
    """The finished recordings in a spool, by name; blocks, raises `OSError`."""
    found = []
    for path in sorted(spool.iterdir()):
        match = _NAME.fullmatch(path.name)
        if match is None or now - _written(path, now) < QUIET:
            continue
        found.append(
            Lying(name=path.name, channel=LinkedId(match["channel"]), leg=Leg(match["leg"]))
        )
    return found


def _written(path: Path, now: datetime) -> datetime:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except FileNotFoundError:  # collected meanwhile
        return now


async def sweep(
    pool: Pool, *, system: System, spool: Path, since: datetime, now: datetime
) -> list[Difference]:
    """Compare what the exchange recorded with what is stored; what could be put right is."""
    lying = await asyncio.to_thread(lying_in, spool, now)
    found = await _never_expected(pool, system, since)
    for one in lying:
        found += await _account_for(pool, system, one)
    found += await _not_in_the_store(pool, system, since)
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
     WHERE c.system = $1 AND c.ended_at >= $2
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
    SELECT c.id, c.ended_at, c.queued_at, c.started_at, r.state
      FROM calls c LEFT JOIN recordings r ON r.call_id = c.id AND r.leg = $3
     WHERE c.system = $1 AND c.linked_id = $2"""
_AGAIN: LiteralString = """
    UPDATE recordings SET state = 'expected', reason = NULL
     WHERE call_id = $1 AND leg = $2 AND state = 'missing'"""


async def _account_for(pool: Pool, system: System, one: Lying) -> list[Difference]:
    """What a file in the spool is about: mostly a call that has yet to be collected."""
    async with transaction(pool) as tx:
        row = await tx.fetchrow(_ROW, system, one.channel, one.leg.value)
        if row is None:
            return [_difference(system, one.channel, "no call", one.leg, repaired=False)]
        if row["ended_at"] is None or row["state"] in ("expected", "damaged"):
            return []
        was = row["state"]
        if was is None:
            began = row["queued_at"] or row["started_at"]
            await store.expect_recording(tx, row["id"], one.leg, one.name, began)
        elif was == "missing":
            await tx.execute(_AGAIN, row["id"], one.leg.value)
        await _collect(tx, row["id"])
    told = {None: "orphan", "missing": "given up", "stored": "left behind"}[was]
    return [_difference(system, one.channel, told, one.leg, repaired=True)]


_STORED: LiteralString = """
    SELECT c.linked_id, r.leg, r.path FROM recordings r JOIN calls c ON c.id = r.call_id
     WHERE c.system = $1 AND c.ended_at >= $2 AND r.state = 'stored'"""


async def _not_in_the_store(pool: Pool, system: System, since: datetime) -> list[Difference]:
    async with borrowed(pool) as conn:
        rows = await conn.fetch(_STORED, system, since)
    there = await asyncio.to_thread(_present, [row["path"] for row in rows])
    return [
        _difference(system, row["linked_id"], "gone from the store", row["leg"], repaired=False)
        for row, present in zip(rows, there, strict=True)
        if not present
    ]


def _present(paths: Sequence[str]) -> list[bool]:
    return [Path(path).is_file() for path in paths]


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
