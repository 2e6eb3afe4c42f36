"""The pack for a meeting of the leading group: issues, what is overdue, disputes, open decisions.

Its decisions become tracked items of the type `decision`, each with owner, date and result.
"""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field

from hotline import meeting_rows, supervision_lists
from hotline.console.desk import Request
from hotline.console.endpoint import get
from hotline.console.shapes import Asked, Told
from hotline.console.supervision_api import own_unit
from hotline.console.supervision_shapes import BoardLine, TrackedView
from hotline.console.tracked_api import view
from hotline.console.who import OVERSEERS
from hotline.database import borrowed
from hotline.supervision_lists import WantedItems
from routing.supervision import ItemType


class MeetingQuery(Asked):
    """Of how many days until now."""

    days: Annotated[int, Field(ge=1, le=366)] = 30


class IssueView(Told):
    """A category, most cases first; `before`: the same number of days before."""

    level1: str
    cases: int
    before: int
    still_open: int


class OverdueView(Told):
    """A case past its main limit without an answer."""

    case_id: int
    number: str
    level1: str | None
    unit: str | None
    due_at: datetime


class DisputeView(Told):
    """A live case about whose unit is argued: returned again and again, or raised."""

    case_id: int
    number: str
    unit: str | None
    state: str
    level: int
    ruled: bool
    returns: int


class MeetingPack(Told):
    """What the leading group has before it."""

    since: datetime
    until: datetime
    issues: tuple[IssueView, ...]
    overdue: tuple[OverdueView, ...]
    disputes: tuple[DisputeView, ...]
    supervision: tuple[BoardLine, ...]
    decisions: tuple[TrackedView, ...] = Field(description="Of earlier meetings, still to be done.")


async def meeting_pack(asked: Request) -> MeetingPack:
    """Top issues, what is overdue, disputes and earlier decisions that are not done."""
    now = asked.services.clock()
    since = now - timedelta(days=asked.asked(MeetingQuery).days)
    wanted = WantedItems(type=ItemType.DECISION, live=True, of_unit=own_unit(asked))
    async with borrowed(asked.services.pool) as conn:
        issues = await meeting_rows.issues(conn, since, now)
        overdue = await meeting_rows.overdue(conn, now)
        disputes = await meeting_rows.disputes(conn)
        board = await supervision_lists.board(conn, now, own_unit(asked))
        decisions = await supervision_lists.items(conn, wanted, before=None, limit=200)
    return MeetingPack(
        since=since,
        until=now,
        issues=tuple(IssueView(**asdict(one)) for one in issues),
        overdue=tuple(OverdueView(**asdict(one)) for one in overdue),
        disputes=tuple(DisputeView(**asdict(one)) for one in disputes),
        supervision=tuple(BoardLine(**asdict(one)) for one in board),
        decisions=tuple(view(asked, one) for one in decisions),
    )


ENDPOINTS = (
    get("/api/meeting-pack", meeting_pack, MeetingPack, query=MeetingQuery, roles=OVERSEERS),
)
