"""Bursts: many cases of one sort in one area at once, shown and acknowledged."""

from dataclasses import asdict
from datetime import datetime

from pydantic import Field

from hotline import burst_rows, bursts
from hotline.burst_rows import Burst
from hotline.console.desk import Request
from hotline.console.endpoint import get, post
from hotline.console.problems import Fault, ProblemError
from hotline.console.shapes import Asked, Id, Size, Told
from hotline.console.who import ACKNOWLEDGERS, OFFICE
from hotline.database import Connection, borrowed, transaction
from hotline.errors import BurstAcknowledgedError, BurstUnknownError
from routing.bursts import BurstSort


class BurstQuery(Asked):
    """Which bursts; newest first, `before` is the `next` of the page before."""

    live: bool = Field(
        default=True, description="Only those that go on or that nobody acknowledged."
    )
    before: Id | None = None
    limit: Size = 50


class BurstView(Told):
    """One burst with those of its cases that may be seen."""

    id: Id
    sort: BurstSort = Field(description="What its cases have in common: their words, or category.")
    area: str | None
    level1: str | None
    raised_at: datetime
    hours: float = Field(description="The stretch of time within which there were too many.")
    usual: float = Field(description="How many such cases so long a time usually has.")
    last_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    ended_at: datetime | None
    cases: tuple[Id, ...]


class Bursts(Told):
    """A page of bursts."""

    bursts: tuple[BurstView, ...]
    next: Id | None


class Acknowledgement(Asked):
    """Nothing needs to be said."""


async def list_bursts(asked: Request) -> Bursts:
    """Bursts, newest first; without further wish those that still need somebody."""
    query = asked.asked(BurstQuery)
    async with borrowed(asked.services.pool) as conn:
        found = await burst_rows.listed(
            conn, live=query.live, before=query.before, limit=query.limit + 1
        )
        page = found[: query.limit]
        views = await _views(asked, conn, page)
    return Bursts(bursts=views, next=page[-1].id if len(found) > query.limit else None)


async def acknowledge_burst(asked: Request) -> BurstView:
    """Say that you have seen a burst and see to it; one person does."""
    try:
        async with transaction(asked.services.pool) as tx:
            burst = await bursts.acknowledge(
                tx, asked.path_id("burst_id"), by=asked.who.name, now=asked.services.clock()
            )
    except BurstUnknownError as error:
        raise ProblemError(Fault.NOT_FOUND, str(error)) from error
    except BurstAcknowledgedError as error:
        raise ProblemError(Fault.CONFLICT, str(error)) from error
    async with borrowed(asked.services.pool) as conn:
        (view,) = await _views(asked, conn, [burst])
    return view


async def _views(asked: Request, conn: Connection, found: list[Burst]) -> tuple[BurstView, ...]:
    cases = await burst_rows.cases_of(conn, [one.id for one in found])
    seen = await asked.sight.seen(conn, sorted({it for ids in cases.values() for it in ids}))
    return tuple(
        BurstView.model_validate(
            {
                **asdict(one),
                "hours": one.stretch.total_seconds() / 3600,
                "cases": tuple(it for it in cases[one.id] if it in seen),
            },
            extra="ignore",
        )
        for one in found
    )


ENDPOINTS = (
    get("/api/bursts", list_bursts, Bursts, query=BurstQuery, roles=OFFICE),
    post(
        "/api/bursts/{burst_id}/acknowledge",
        acknowledge_burst,
        Acknowledgement,
        BurstView,
        faults=(Fault.NOT_FOUND, Fault.CONFLICT),
        roles=ACKNOWLEDGERS,
    ),
)
