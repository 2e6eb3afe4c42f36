"""How many seats the coming hours need, and what each operator did."""

from dataclasses import asdict
from datetime import date
from math import isfinite
from typing import Annotated

from pydantic import AwareDatetime, Field

from hotline import staffing, staffing_rows
from hotline.console.desk import Request
from hotline.console.endpoint import get
from hotline.console.problems import Fault, ProblemError
from hotline.console.shapes import Asked, Name, Told
from hotline.console.who import DUTY, OVERSEERS
from hotline.database import borrowed
from metrics.erlang import Service
from metrics.errors import NoSuchStaffing
from metrics.forecast import HourForecast, Plan
from routing.errors import CalendarEnds


class StaffingQuery(Asked):
    """For how many coming days, from how many past weeks, and what is promised to callers."""

    days: Annotated[int, Field(ge=1, le=staffing.MOST_DAYS)] = 7
    weeks: Annotated[int, Field(ge=1, le=staffing.MOST_WEEKS)] = 6
    line: Name | None = None
    seconds: Annotated[float, Field(ge=0, le=3600)] = 15
    share: Annotated[float, Field(ge=0.01, le=0.999)] = 0.95
    patience: Annotated[float, Field(ge=1, le=86400)] | None = None


class ServiceView(Told):
    """What callers meet behind so many seats."""

    seats: int
    waits: float = Field(description="The share that has to wait.")
    in_time: float = Field(description="Answered within the promised seconds, of all who came.")
    mean_wait: float | None = Field(description="Seconds, of all who came.")
    lost: float = Field(description="The share that hangs up; Erlang C has none.")
    occupancy: float


class HourView(Told):
    """An hour of a coming day."""

    day: date
    hour: int
    days: int = Field(description="Past days that it is told from.")
    calls: float = Field(description="Expected.")
    most: int = Field(description="The most that one of those days brought.")
    needed: ServiceView = Field(description="By Erlang C, for the expected calls.")
    at_most: ServiceView = Field(description="By Erlang C, for the most.")
    with_patience: ServiceView | None = Field(description="By Erlang A, for the expected calls.")


class StaffingView(Told):
    """The coming days by the hour."""

    handling_seconds: float = Field(description="Talk and wrap-up of a call on average.")
    hours: tuple[HourView, ...]
    untold: tuple[date, ...] = Field(description="Days that no past day is like: no forecast.")
    missed: float | None = Field(
        description="How far the same method was from the last past week: the hours' differences"
        " over that week's calls."
    )


class SheetsQuery(Asked):
    """Of what time: after `since`, up to `until`."""

    since: AwareDatetime
    until: AwareDatetime
    line: Name | None = None


class SheetView(Told):
    """What an operator did: counts, no judgement and no rank."""

    operator: str = Field(description="The badge that callers hear.")
    answered: int
    talk_seconds: float
    registered: int = Field(description="Of these calls, those with a case a person confirmed.")
    satisfied: int
    surveyed: int
    silent: int = Field(description="Callers who did not say; never taken for satisfied.")


class Sheets(Told):
    """The operators of a time, by badge."""

    sheets: tuple[SheetView, ...]


async def staffing_forecast(asked: Request) -> StaffingView:
    """The calls that coming hours will bring, and the seats that answer them as promised."""
    wanted = asked.asked(StaffingQuery)
    services = asked.services
    plan = Plan(
        target=wanted.seconds,
        share=wanted.share,
        wrapup=services.config.seats.wrapup_seconds,
        patience=wanted.patience,
    )
    try:
        async with borrowed(services.pool) as conn:
            found = await staffing.coming_days(
                conn,
                plan,
                services.calendar,
                now=services.clock(),
                days=wanted.days,
                weeks=wanted.weeks,
                line=wanted.line,
            )
    except (CalendarEnds, NoSuchStaffing) as error:
        raise ProblemError(Fault.NOT_POSSIBLE, str(error)) from error
    return StaffingView(
        handling_seconds=found.handling_seconds,
        hours=tuple(map(_hour, found.hours)),
        untold=found.untold,
        missed=found.missed,
    )


def _hour(one: HourForecast) -> HourView:
    return HourView(
        day=one.day,
        hour=one.hour,
        days=one.days,
        calls=one.calls,
        most=one.most,
        needed=_service(one.needed),
        at_most=_service(one.at_most),
        with_patience=None if one.with_patience is None else _service(one.with_patience),
    )


def _service(one: Service) -> ServiceView:
    told = asdict(one)
    return ServiceView(**told | {"mean_wait": one.mean_wait if isfinite(one.mean_wait) else None})


async def operator_sheets(asked: Request) -> Sheets:
    """What each operator did in a time: calls, talk, cases, and what callers said of the call."""
    wanted = asked.asked(SheetsQuery)
    async with borrowed(asked.services.pool) as conn:
        found = await staffing_rows.sheets(conn, wanted.since, wanted.until, wanted.line)
    return Sheets(sheets=tuple(SheetView(**asdict(one)) for one in found))


ENDPOINTS = (
    get(
        "/api/staffing",
        staffing_forecast,
        StaffingView,
        query=StaffingQuery,
        roles=DUTY,
        faults=(Fault.NOT_POSSIBLE,),
    ),
    get("/api/operator-sheets", operator_sheets, Sheets, query=SheetsQuery, roles=OVERSEERS),
)
