"""Whether each line has somebody to take a call, now and as the roster runs on.

Kind `staff`: no member of the line's queue is reachable and not paused; who talks or wraps up
counts, because he takes the next call. Kind `roster`: within the notice the roster has nobody for
a line that has a roster. Kind `handover`: a shift has changed and nobody has taken over
(duty_handover.py). Each gap is one row, one journal row when it is noticed and one when it is
over, however often it is looked at.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from hotline import journal
from hotline.config import Config
from hotline.database import Connection, Pool, borrowed, transaction
from hotline.journal import Event
from hotline.operator_rows import note_gap, note_restored, open_gaps
from hotline.roster import Role, Shift, gaps, ring_plan
from hotline.roster_rows import lines_with_roster, shifts_between
from telephony.seating import Member

SERVICE = "service"
STAFF, ROSTER, HANDOVER = "staff", "roster", "handover"


async def duty_plans(conn: Connection, config: Config, now: datetime) -> dict[str, dict[str, int]]:
    """Whom each line with a roster rings now, by penalty.

    A line whose roster has nobody at this moment is left out: its queue stays as it is, because
    whoever was on duty last is better than nobody.
    """
    plans = {}
    names = {line.name for line in config.lines}
    for line in await lines_with_roster(conn):
        plan = ring_plan(await shifts_between(conn, line, now, now), now)
        if plan and line in names:
            plans[line] = plan
    return plans


def staffed(config: Config, members: Collection[Collection[Member]]) -> Mapping[str, bool]:
    """Whether each line has somebody, over the exchanges that told; empty where none did."""
    if not members:
        return {}
    by_queue = {member.queue for told in members for member in told if member.is_staffed}
    return {line.name: line.queue_name in by_queue for line in config.lines}


async def follow(
    pool: Pool, config: Config, members: Collection[Collection[Member]], now: datetime
) -> None:
    """Notice gaps that began, come or are over, each once."""
    async with borrowed(pool) as conn:
        known = {(row["line"], row["kind"]): row["starts_at"] for row in await open_gaps(conn)}
        coming = await _coming(conn, config, now)
    told = staffed(config, members)
    for line, is_staffed in told.items():
        begun = None if is_staffed else known.get((line, STAFF), now)
        await settle(pool, line, STAFF, before=known.get((line, STAFF)), begins=begun, now=now)
    for line, (begins, missing) in coming.items():
        before = known.get((line, ROSTER))
        await settle(pool, line, ROSTER, before=before, begins=begins, now=now, more=missing)


async def _coming(
    conn: Connection, config: Config, now: datetime
) -> dict[str, tuple[datetime | None, dict[str, Any]]]:
    """When the roster of each line next lacks somebody within the notice, and whom."""
    until = now + timedelta(hours=config.seats.roster_notice_hours)
    found: dict[str, tuple[datetime | None, dict[str, Any]]] = {}
    names = {line.name for line in config.lines}
    for line in await lines_with_roster(conn):
        if line not in names:
            continue
        shifts: list[Shift] = await shifts_between(conn, line, now, until)
        first = next(iter(gaps(shifts, now, until)), None)
        missing: dict[Role, int] = dict(first.missing) if first else {}
        found[line] = (first.starts_at if first else None, {"missing": missing})
    return found


async def settle(
    pool: Pool,
    line: str,
    kind: str,
    *,
    before: datetime | None,
    begins: datetime | None,
    now: datetime,
    more: Mapping[str, Any] | None = None,
) -> None:
    """Note that a gap began, moved or is over, with its journal row; what stands is left alone."""
    if begins is None and before is None:
        return
    if begins is not None and before is not None and min(begins, now) == min(before, now):
        return  # a gap that has begun keeps the moment it began
    async with transaction(pool) as tx:
        body = {"line": line, "kind": kind, **(more or {})}
        if begins is not None:
            if await note_gap(tx, line, kind, begins, now):
                body["starts_at"] = begins
                await journal.write(tx, at=now, actor=SERVICE, event=Event.COVERAGE_GAP, body=body)
        elif await note_restored(tx, line, kind, now) is not None:
            await journal.write(tx, at=now, actor=SERVICE, event=Event.COVERAGE_RESTORED, body=body)
