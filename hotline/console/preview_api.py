"""What another pack of limits would do to the open cases, before anybody puts it in force."""

import asyncio
from datetime import datetime
from typing import Annotated

from pydantic import Field

from hotline import case_rows
from hotline.case_rows import Filter
from hotline.console.desk import Request
from hotline.console.endpoint import get
from hotline.console.policies_api import pack_of
from hotline.console.problems import Fault
from hotline.console.shapes import Asked, Size, Told
from hotline.console.who import ACKNOWLEDGERS
from hotline.database import borrowed
from routing.cases import Case
from routing.clock_facts import facts_of
from routing.preview import Preview, preview

AT_ONCE = 500


class PreviewQuery(Asked):
    """Which version, without it the newest; how many of the cases that would move are listed."""

    version: Annotated[int, Field(ge=1, le=999_999)] | None = None
    limit: Size = 50


class ShiftView(Told):
    """A case whose main limit would end at another moment."""

    case_id: int
    number: str
    unit: str | None
    policy: str | None
    due_at: datetime = Field(description="As promised by the case's own pack, computed anew.")
    would_be_due_at: datetime
    now_overdue: bool = Field(description="In time today, and then no longer.")
    no_longer_overdue: bool


class PreviewView(Told):
    """How many limits would end earlier, later, as before, and which cases are hit hardest first.

    No open case is changed by a new pack: each keeps the one it was opened under.
    """

    policy: str
    cases: int = Field(description="Open ones whose limit runs.")
    earlier: int
    later: int
    same: int
    undated: int = Field(description="Past the calendar's end, or nothing was promised yet.")
    now_overdue: int
    no_longer_overdue: int
    moved: tuple[ShiftView, ...]


async def preview_policy(asked: Request) -> PreviewView:
    """Compare the limits of all open cases under their own packs with those under this one."""
    query = asked.asked(PreviewQuery)
    pack = pack_of(asked, query.version)
    limits, now = asked.services.limits, asked.services.clock()

    def compared(page: tuple[Case, ...]) -> Preview:
        facts = [(case.id, facts_of(case, ()), limits.of(case)) for case in page]
        return preview(facts, pack, limits.calendar, now)

    found, cases, after = Preview(), dict[int, Case](), None
    async with borrowed(asked.services.pool) as conn:
        while True:
            page = await case_rows.work(
                conn, asked.sight.within(Filter()), after=after, limit=AT_ONCE
            )
            part = await asyncio.to_thread(compared, page.cases)
            moved = {shift.case_id for shift in part.moved}
            cases |= {case.id: case for case in page.cases if case.id in moved}
            found.add(part)
            after = page.after
            if after is None:
                return _view(pack.name, found, cases, query.limit)


def _view(name: str, found: Preview, cases: dict[int, Case], limit: int) -> PreviewView:
    # Whoever would be overdue comes first, then the limits that shrink most.
    worst = sorted(found.moved, key=lambda it: (not it.now_overdue, it.then - it.before))
    return PreviewView(
        policy=name,
        cases=found.cases,
        earlier=found.earlier,
        later=found.later,
        same=found.same,
        undated=found.undated,
        now_overdue=len(found.now_overdue),
        no_longer_overdue=len(found.no_longer_overdue),
        moved=tuple(
            ShiftView(
                case_id=one.case_id,
                number=cases[one.case_id].number,
                unit=cases[one.case_id].unit,
                policy=cases[one.case_id].policy,
                due_at=one.before,
                would_be_due_at=one.then,
                now_overdue=one.now_overdue,
                no_longer_overdue=one.no_longer_overdue,
            )
            for one in worst[:limit]
        ),
    )


ENDPOINTS = (
    get(
        "/api/policies/{policy}/preview",
        preview_policy,
        PreviewView,
        query=PreviewQuery,
        faults=(Fault.NOT_FOUND,),
        roles=ACKNOWLEDGERS,
    ),
)
