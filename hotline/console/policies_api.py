"""The packs of limits as people read them: each figure with its basis and how sure it is."""

from datetime import date, time
from typing import Annotated

from pydantic import Field, WithJsonSchema

from hotline.console.desk import Request
from hotline.console.endpoint import get
from hotline.console.problems import Fault, ProblemError
from hotline.console.shapes import Asked, Told
from routing.cases import Channel, Kind, Urgency
from routing.errors import DataFault
from routing.limits import Limit, Origin, Pausing, Stage, Starts, Unit, Verified
from routing.policy import Policy, newest

LocalTime = Annotated[
    time, WithJsonSchema({"type": "string", "pattern": "^[0-2][0-9]:[0-5][0-9]:[0-5][0-9]$"})
]
"""A time of the day in Shanghai; JSON Schema's own `time` always names a zone."""


class PolicyView(Told):
    """A pack in the list."""

    name: str
    policy: str
    version: int
    title: str
    source: str
    in_force: bool = Field(description="Cases opened now follow it.")


class Policies(Told):
    """Every pack the service knows: old cases keep theirs."""

    policies: tuple[PolicyView, ...]


class SourcedView(Told):
    """A length of time with the rule it comes from."""

    amount: int
    unit: Unit
    basis: str
    origin: Origin
    verified: Verified | None


class PackLimit(SourcedView):
    """One limit; null in a list of cases means all of them."""

    kinds: tuple[Kind, ...] | None
    urgencies: tuple[Urgency, ...] | None
    lines: tuple[str, ...] | None
    level1: tuple[str, ...] | None
    channels: tuple[Channel, ...] | None
    starts: Starts


class StageView(Told):
    """The limits of one stage; the first that fits a case counts."""

    stage: Stage
    limits: tuple[PackLimit, ...]


class ExtensionView(SourcedView):
    """How often a main limit may be extended, and by how much at once."""

    max_count: int
    before_expiry: bool
    approval: bool
    tell_caller: bool


class StatutoryView(SourcedView):
    """A longer limit of another law, which counts when a person cites it."""

    id: str


class QuietView(Told):
    """When reminders of ordinary cases wait, in local time."""

    begins: LocalTime
    ends: LocalTime
    basis: str
    origin: Origin


class PolicyDetail(PolicyView):
    """A whole pack."""

    day_begins: LocalTime | None
    day_ends: LocalTime
    day_ends_basis: str
    limits: tuple[PackLimit, ...]
    stages: tuple[StageView, ...]
    stages_without_limit: tuple[Stage, ...] = Field(
        description="Stages this pack is silent about: nothing is made up for them."
    )
    extension: ExtensionView | None
    statutory: tuple[StatutoryView, ...]
    pausing: Pausing
    quiet_hours: QuietView | None
    archive: SourcedView = Field(description="From the closing of a case to the archive.")


class PolicyQuery(Asked):
    """Which version; without it the newest."""

    version: Annotated[int, Field(ge=1, le=999_999)] | None = None


class CalendarView(Told):
    """The days the working-day calendar covers, and what is no plain weekday or weekend in it."""

    first: date
    last: date
    days_off: tuple[date, ...]
    make_up_working_days: tuple[date, ...]


async def list_policies(asked: Request) -> Policies:
    """Every pack of limits the service knows."""
    packs = asked.services.policies
    return Policies(policies=tuple(_view(asked, packs[name]) for name in sorted(packs)))


async def one_policy(asked: Request) -> PolicyDetail:
    """A whole pack: the newest version, or the one asked for."""
    pack = pack_of(asked, asked.asked(PolicyQuery).version)
    told = pack.model_dump(exclude={"stages"})
    return PolicyDetail(
        **_view(asked, pack).model_dump(),
        **{key: told[key] for key in PolicyDetail.model_fields if key in told.keys() - _IN_LIST},
        stages=tuple(
            StageView(stage=stage, limits=tuple(_limit(one) for one in limits))
            for stage, limits in pack.stages.items()
        ),
        stages_without_limit=tuple(
            stage for stage in Stage if stage is not Stage.HANDLING and stage not in pack.stages
        ),
    )


def pack_of(asked: Request, version: int | None) -> Policy:
    """The pack that the path names: its newest version, or this one."""
    short = asked.http.match_info["policy"]
    name = short if version is None else f"{short}/{version}"
    try:
        return newest(dict(asked.services.policies), name)
    except DataFault as error:
        raise ProblemError(Fault.NOT_FOUND, str(error)) from error


async def working_days(asked: Request) -> CalendarView:
    """The calendar limits are counted by."""
    calendar = asked.services.calendar
    return CalendarView(
        first=calendar.first,
        last=calendar.last,
        days_off=tuple(sorted(calendar.days_off)),
        make_up_working_days=tuple(sorted(calendar.make_up)),
    )


_IN_LIST = frozenset(PolicyView.model_fields)


def _view(asked: Request, pack: Policy) -> PolicyView:
    return PolicyView(
        name=pack.name,
        policy=pack.policy,
        version=pack.version,
        title=pack.title,
        source=pack.source,
        in_force=pack.name == asked.services.policy.name,
    )


def _limit(limit: Limit) -> PackLimit:
    return PackLimit.model_validate(limit.model_dump())


ENDPOINTS = (
    get("/api/policies", list_policies, Policies),
    get(
        "/api/policies/{policy}",
        one_policy,
        PolicyDetail,
        query=PolicyQuery,
        faults=(Fault.NOT_FOUND,),
    ),
    get("/api/calendar", working_days, CalendarView),
)
