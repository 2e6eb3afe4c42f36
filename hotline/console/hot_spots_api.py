"""Hot spots of a time: when in the week matters came, and which of them where."""

from dataclasses import asdict
from datetime import date, datetime, time, timedelta
from typing import Annotated

from pydantic import Field

from hotline import hot_spot_rows
from hotline.console.desk import Request
from hotline.console.endpoint import get
from hotline.console.problems import Fault, ProblemError
from hotline.console.shapes import Asked, Name, Told
from hotline.console.who import DUTY
from hotline.database import borrowed
from routing.numbers import SHANGHAI

_MOST_DAYS = 366


class HotSpotsQuery(Asked):
    """Whole days of the city, both included; at most a year."""

    first: date
    last: date
    line: Name | None = None


class HotHourView(Told):
    """What an hour of a weekday brought, all weeks of the time together."""

    weekday: Annotated[int, Field(ge=1, le=7, description="Monday is 1.")]
    hour: Annotated[int, Field(ge=0, le=23)]
    cases: int


class HotPlaceView(Told):
    """How many cases of a category an area had."""

    level1: str
    area: str
    cases: int


class HotSpots(Told):
    """Cases opened in the time; hours and places that had none are left out."""

    hours: tuple[HotHourView, ...]
    places: tuple[HotPlaceView, ...]


async def hot_spots(asked: Request) -> HotSpots:
    """When in the week cases were opened, and how many of which category in which area."""
    wanted = asked.asked(HotSpotsQuery)
    if not timedelta(0) <= wanted.last - wanted.first < timedelta(days=_MOST_DAYS):
        raise ProblemError(Fault.INVALID, "last: from the first day on, and within a year of it.")
    since = datetime.combine(wanted.first, time(), SHANGHAI)
    until = datetime.combine(wanted.last, time(), SHANGHAI) + timedelta(days=1)
    async with borrowed(asked.services.pool) as conn:
        hours = await hot_spot_rows.hours(conn, since, until, wanted.line)
        places = await hot_spot_rows.places(conn, since, until, wanted.line)
    return HotSpots(
        hours=tuple(HotHourView(**asdict(one)) for one in hours),
        places=tuple(HotPlaceView(**asdict(one)) for one in places),
    )


ENDPOINTS = (
    get(
        "/api/hot-spots",
        hot_spots,
        HotSpots,
        query=HotSpotsQuery,
        roles=DUTY,
    ),
)
