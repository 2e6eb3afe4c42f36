"""Handing over: the officer who goes signs the open items, the one who comes signs the same list.

Both signatures are rows that stay; the list is frozen with the first. Until the second the shift
before is responsible, and once the time has passed that is a gap of the line (coverage.py).
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hotline import absence_rows, coverage, journal
from hotline import duty_handover_rows as rows
from hotline.config import Config
from hotline.database import Connection, Pool, borrowed
from hotline.duty_handover_rows import Handover, Item
from hotline.duty_shifts import Change, Standing, signs_as, standing
from hotline.errors import DutyChangedError, DutyForbiddenError, DutyWrongError
from hotline.journal import Event
from hotline.operator_rows import open_gaps
from hotline.roster_rows import shifts_between

LONGEST = timedelta(days=7)
"""No shift is longer, so a roster is read so far back and ahead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Who signs: the login or seat, every name this person answers to now, and when."""

    name: str
    names: frozenset[str]
    at: datetime


async def signer(conn: Connection, name: str, seat: str | None, now: datetime) -> Signer:
    """Whoever asks, with the seats and the absent colleagues that are his to answer for."""
    staffing = await absence_rows.staffing(conn, now)
    person = staffing.person(name)
    own = staffing.stands_for(person, of_the_desk=False) | {person, name}
    # A seat is somebody's own only where no other user has it.
    if seat is not None and staffing.person(seat) in {seat, person}:
        own |= {seat}
    return Signer(name=person, names=own, at=now)


async def stands(conn: Connection, config: Config, line: str, now: datetime) -> Standing:
    """Who is responsible for a line now, and which handover is due or missing."""
    relieved = await rows.relieved(conn, line)
    since = min(relieved or now, now) - LONGEST
    shifts = await shifts_between(conn, line, since, now + LONGEST)
    lead = timedelta(minutes=config.duty.handover_lead_minutes)
    grace = timedelta(minutes=config.duty.handover_grace_minutes)
    return standing(shifts, relieved, now, lead=(now + lead, now - grace))


async def open_now(conn: Connection, line: str, now: datetime) -> list[Item]:
    """What would be handed over at this moment."""
    relieved = await rows.relieved(conn, line)
    return await rows.open_items(conn, line, relieved or now - timedelta(days=1))


async def leave(tx: Connection, config: Config, line: str, who: Signer, remarks: str) -> int:
    """An officer who goes signs what is open; returns the number of the list.

    Raises:
        DutyForbiddenError: it is not his shift that ends.
        DutyChangedError: no handover is due.
    """
    change = await _due(tx, config, line, who.at)
    may = change.outgoing
    found = await stands(tx, config, line, who.at)
    if found.missing_since is not None:
        may |= found.responsible - change.incoming
    signs_for = signs_as(who.names, may)
    if signs_for is None:
        raise DutyForbiddenError("Only an officer whose shift ends, or a deputy, signs this.")
    items = await open_now(tx, line, who.at)
    number = await rows.leave(
        tx,
        line=line,
        changes_at=change.at,
        now=who.at,
        outgoing=who.name,
        outgoing_for=signs_for,
        items=items,
        digest=digest_of(items, remarks),
        remarks=remarks,
    )
    await _tell(tx, Event.DUTY_HANDED_OVER, await rows.get(tx, number), who)
    return number


async def take(tx: Connection, config: Config, number: int, digest: str, who: Signer) -> None:
    """An officer who comes signs the list that the other one left.

    Raises:
        DutyForbiddenError: he is not of the shift that begins, or signed as the one who goes.
        DutyChangedError: the list was signed anew, or the shift was taken over already.
    """
    handover = await rows.get(tx, number)
    await rows.hold(tx, handover.line)
    if handover.incoming or await rows.newest(tx, handover.line, handover.changes_at) != number:
        raise DutyChangedError("This list was taken over, or signed anew: read the newest one.")
    change = await _due(tx, config, handover.line, who.at)
    if change.at != handover.changes_at:
        raise DutyChangedError("The roster has changed since this list was signed: sign it anew.")
    if digest != handover.digest:
        raise DutyWrongError("digest: this is not the digest of the list that was signed.")
    if who.name == handover.outgoing or handover.outgoing_for in who.names:
        raise DutyForbiddenError("A handover has two signatures, of two different people.")
    signs_for = signs_as(who.names, change.incoming)
    if signs_for is None:
        raise DutyForbiddenError("Only an officer whose shift begins, or a deputy, signs this.")
    taken = await rows.take(tx, handover, incoming=who.name, incoming_for=signs_for, now=who.at)
    if not taken:
        raise DutyChangedError("This shift was taken over already.")
    await _tell(tx, Event.DUTY_RELIEVED, handover, who)


async def follow(pool: Pool, config: Config, now: datetime) -> None:
    """Notice a shift that changed without a handover, and that it has one after all, each once."""
    async with borrowed(pool) as conn:
        known = {
            row["line"]: row["starts_at"]
            for row in await open_gaps(conn)
            if row["kind"] == coverage.HANDOVER
        }
        missing = {
            line: (await stands(conn, config, line, now)).missing_since
            for line in await rows.lines(conn)
        }
    for line, begins in missing.items():
        before = known.get(line)
        await coverage.settle(pool, line, coverage.HANDOVER, before=before, begins=begins, now=now)


def digest_of(items: Sequence[Item], remarks: str) -> str:
    """What proves later which list was signed: the SHA-256 of the items and the remarks."""
    told = json.dumps(
        [[rows.as_json(item) for item in items], remarks], sort_keys=True, ensure_ascii=False
    )
    return hashlib.sha256(told.encode()).hexdigest()


async def _due(tx: Connection, config: Config, line: str, now: datetime) -> Change:
    if not await rows.hold(tx, line):
        raise DutyWrongError(f"line: {line} is no duty line.")
    change = (await stands(tx, config, line, now)).due
    if change is None:
        raise DutyChangedError("No handover of this line is due now.")
    return change


async def _tell(tx: Connection, event: Event, handover: Handover, who: Signer) -> None:
    kinds = [item.kind for item in handover.items]
    await journal.write(
        tx,
        at=who.at,
        actor=who.name,
        event=event,
        body={
            "handover": handover.id,
            "line": handover.line,
            "changes_at": handover.changes_at,
            "digest": handover.digest,
            "open": {kind: kinds.count(kind) for kind in sorted(set(kinds))},
        },
    )
