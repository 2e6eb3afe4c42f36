"""Bursts as steps: a case that comes is weighed, a burst raised once, and ended when it is over.

`noticed` runs in the transaction in which a case's words are read (likeness.py), by the one who
reads: so a crash repeats both or neither, and no burst is raised twice.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from hotline import burst_rows as rows
from hotline import journal
from hotline.burst_rows import Burst, Place
from hotline.database import Connection
from hotline.errors import BurstAcknowledgedError
from hotline.journal import Event
from hotline.likeness_rows import Near
from routing.bursts import ALIKE_ENOUGH, LOOK_BACK, BurstSort, unusual

SERVICE = "service"


async def noticed(
    tx: Connection, case_id: int, near: Sequence[Near], now: datetime
) -> Burst | None:
    """Weigh a case against what was usual; returns the burst that this raised, to be told."""
    alike = [one.case_id for one in near if one.score >= ALIKE_ENOUGH]
    found = await rows.places(tx, [case_id, *alike])
    place = found.pop(case_id, None)
    if place is None or place.burst is not None:
        return None
    beside = [one for one in found.values() if _one_area(one, place) and one.at <= place.at]
    raised = await _weighed(tx, BurstSort.ALIKE, place, beside, now)
    if raised is not None or await _is_of_one(tx, case_id) or None in {place.area, place.level1}:
        return raised
    return await _of_category(tx, place, now)


def _one_area(one: Place, other: Place) -> bool:
    """Two areas that are known must be the same one."""
    return None in {one.area, other.area} or one.area == other.area


async def _is_of_one(tx: Connection, case_id: int) -> bool:
    place = (await rows.places(tx, [case_id])).get(case_id)
    return place is not None and place.burst is not None


async def _of_category(tx: Connection, place: Place, now: datetime) -> Burst | None:
    area, level1 = str(place.area), str(place.level1)
    going_on = await rows.open_category(tx, area, level1)
    if going_on is not None:
        await rows.joined(tx, going_on, place)
        return None
    beside = await rows.of_category(tx, area, level1, place.at - LOOK_BACK, place.at)
    others = [one for one in beside if one.case_id != place.case_id and one.burst is None]
    return await _weighed(tx, BurstSort.CATEGORY, place, others, now)


async def _weighed(
    tx: Connection, sort: BurstSort, place: Place, beside: Sequence[Place], now: datetime
) -> Burst | None:
    """Join the burst that goes on, or raise one where these are many."""
    going_on = [one.burst for one in beside if one.burst is not None and one.burst_open]
    if going_on:
        await rows.joined(tx, max(going_on, key=going_on.count), place)
        return None
    found = unusual(sort, [place.at, *(one.at for one in beside)], place.at)
    if found is None:
        return None
    begins = place.at - found.stretch.length
    members = [one for one in beside if one.at > begins and one.burst is None]
    ordered = [*sorted(members, key=lambda one: (one.at, one.case_id)), place]
    if len(ordered) < found.stretch.least:
        return None
    return await rows.raised(tx, sort, ordered, found, now)


async def told(
    tx: Connection, burst: Burst, now: datetime, event: Event = Event.BURST_RAISED
) -> None:
    """The journal's row of what became of a burst; written last in a transaction."""
    await journal.write(tx, at=now, actor=SERVICE, event=event, body=_body(burst))


async def acknowledge(tx: Connection, burst_id: int, *, by: str, now: datetime) -> Burst:
    """A person has seen a burst.

    Raises:
        BurstUnknownError: there is no such burst.
        BurstAcknowledgedError: somebody acknowledged it before.
    """
    burst = await rows.acknowledged(tx, burst_id, by, now)
    if burst is None:
        before = await rows.get(tx, burst_id)
        raise BurstAcknowledgedError(
            f"{before.acknowledged_by} has acknowledged this burst already."
        )
    await journal.write(tx, at=now, actor=by, event=Event.BURST_ACKNOWLEDGED, body=_body(burst))
    return burst


def _body(burst: Burst) -> dict[str, Any]:
    return {
        "burst": burst.id,
        "sort": burst.sort,
        "area": burst.area,
        "level1": burst.level1,
        "cases": burst.raised_with,
        "usual": round(burst.usual, 2),
        "hours": round(burst.stretch.total_seconds() / 3600),
        "raised_at": burst.raised_at,
    }
