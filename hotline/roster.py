"""The duty roster: who is on duty when, in which order they are rung, and where nobody is; pure.

A line on the roster is rung as the founding rule of the duty line says: the two officers on duty
together, then the leader on duty, then the next person. Times are aware; an end is exclusive.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import combinations, pairwise


class Role(StrEnum):
    """The part of a person on duty."""

    OFFICER = "officer"
    LEADER = "leader"
    NEXT = "next"


NEEDED: Mapping[Role, int] = {Role.OFFICER: 2, Role.LEADER: 1, Role.NEXT: 1}
"""How many of each a line needs at every moment."""
PENALTY: Mapping[Role, int] = {Role.OFFICER: 0, Role.LEADER: 10, Role.NEXT: 20}
"""The queue rings lower penalties first; the line's queue rules raise the bound as time passes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """One person on duty for a time."""

    line: str
    role: Role
    operator: str
    starts_at: datetime
    ends_at: datetime

    def covers(self, at: datetime) -> bool:
        """Whether the person is on duty at that moment."""
        return self.starts_at <= at < self.ends_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A time in which people are missing, and how many of which role."""

    starts_at: datetime
    ends_at: datetime
    missing: tuple[tuple[Role, int], ...]

    @property
    def is_empty(self) -> bool:
        """Whether nobody at all is on duty."""
        return dict(self.missing) == dict(NEEDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """A time for which one person stands on the roster twice, and as what."""

    operator: str
    roles: tuple[Role, Role]
    starts_at: datetime
    ends_at: datetime


def on_duty(shifts: Iterable[Shift], at: datetime) -> tuple[Shift, ...]:
    """Who is on duty at that moment, in the order of the ring plan."""
    order = list(Role)
    now = [shift for shift in shifts if shift.covers(at)]
    return tuple(sorted(now, key=lambda shift: (order.index(shift.role), shift.operator)))


def ring_plan(shifts: Iterable[Shift], at: datetime) -> dict[str, int]:
    """The penalty of each person on duty; who has two roles is rung in the earlier one."""
    plan: dict[str, int] = {}
    for shift in on_duty(shifts, at):
        plan.setdefault(shift.operator, PENALTY[shift.role])
    return plan


def next_change(shifts: Collection[Shift], at: datetime) -> datetime | None:
    """When somebody next comes or goes after that moment; None where the roster ends before it.

    Somebody whose shift goes on into his next one in the same role has neither come nor gone.
    """
    now = _places(shifts, at)
    edges = {edge for shift in shifts for edge in (shift.starts_at, shift.ends_at) if edge > at}
    return next((edge for edge in sorted(edges) if _places(shifts, edge) != now), None)


def overlaps(shifts: Collection[Shift]) -> tuple[Overlap, ...]:
    """Every time for which somebody stands on the roster twice, the earliest first."""
    found = []
    for first, second in combinations(sorted(shifts, key=_when), 2):
        starts = max(first.starts_at, second.starts_at)
        ends = min(first.ends_at, second.ends_at)
        if first.operator == second.operator and starts < ends:
            one, other = sorted((first.role, second.role), key=list(Role).index)
            found.append(
                Overlap(operator=first.operator, roles=(one, other), starts_at=starts, ends_at=ends)
            )
    return tuple(sorted(found, key=lambda one: (one.starts_at, one.operator)))


def _when(shift: Shift) -> tuple[datetime, datetime, str]:
    return shift.starts_at, shift.ends_at, shift.role.value


def _places(shifts: Iterable[Shift], at: datetime) -> frozenset[tuple[Role, str]]:
    return frozenset((shift.role, shift.operator) for shift in shifts if shift.covers(at))


def gaps(shifts: Collection[Shift], since: datetime, until: datetime) -> tuple[Gap, ...]:
    """Every time between the two in which somebody is missing, with neighbours joined.

    One person counts once for a role, and one person cannot fill two places of it.
    """
    edges = {since, until}
    for shift in shifts:
        edges.update(at for at in (shift.starts_at, shift.ends_at) if since < at < until)
    moments = sorted(edges)
    found: list[Gap] = []
    for start, end in pairwise(moments):
        missing = _missing(shifts, start)
        if not missing:
            continue
        if found and found[-1].ends_at == start and found[-1].missing == missing:
            start = found.pop().starts_at  # noqa: PLW2901 - the gap goes on
        found.append(Gap(starts_at=start, ends_at=end, missing=missing))
    return tuple(found)


def _missing(shifts: Iterable[Shift], at: datetime) -> tuple[tuple[Role, int], ...]:
    there: dict[Role, set[str]] = {role: set() for role in Role}
    for shift in shifts:
        if shift.covers(at):
            there[shift.role].add(shift.operator)
    short = ((role, NEEDED[role] - len(people)) for role, people in there.items())
    return tuple((role, count) for role, count in short if count > 0)
