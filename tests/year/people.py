"""Who works in the simulated city, who is away when, and who then acts: the plan, not the service.

Every handler is away two or three times a year for days or weeks, most of them with a deputy, who
may be away in turn; where nobody was named, or the deputies lead in a circle, the head of the unit
acts. Heads and the hotline's own people stay.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from routing.cases import Actor, Role

UNITS = (
    *("市公安局交警支队", "市城市管理行政执法局", "市住房和城乡建设委员会", "市水务集团"),
    *("市人力资源和社会保障局", "市教育和体育局", "市市场监督管理局", "市生态环境局"),
    *("市交通运输局", "市民政局", "市卫生健康委员会", "国网供电公司"),
    *("涪城区人民政府", "游仙区人民政府", "安州区人民政府", "江油市人民政府"),
)
SEATS = tuple(f"10{n:02d}" for n in range(1, 9))
OFFICE: Mapping[str, Role] = {
    **{f"agent{seat}": Role.OPERATOR for seat in SEATS},
    **{f"dispatch{n}": Role.DISPATCHER for n in range(3)},
    **{f"audit{n}": Role.AUDITOR for n in range(2)},
    **{f"callback{n}": Role.CALL_BACK for n in range(3)},
    "super0": Role.SUPERVISOR,
    "leader0": Role.LEADER,
}
HANDLERS = 3
BEGAN = datetime(2025, 12, 31, 16, 0, tzinfo=UTC)
ENDED = datetime(2026, 12, 31, 16, 0, tzinfo=UTC)
"""The year 2026 as the city lives it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Away:
    """One absence."""

    who: str
    deputy: str | None
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """Everybody, and every absence of the year."""

    unit_of: Mapping[str, str]
    absences: Sequence[Away]
    by_person: Mapping[str, Sequence[Away]]

    def handlers(self, unit: str) -> list[str]:
        """Who signs and answers for a unit."""
        n = UNITS.index(unit)
        return [f"unit{n}.{k}" for k in range(HANDLERS)]

    def absence(self, name: str, at: datetime) -> Away | None:
        """The absence of this person at that moment."""
        return next(
            (one for one in self.by_person.get(name, ()) if one.since <= at < one.until), None
        )

    def acting(self, name: str, at: datetime) -> str:
        """Who does this person's work at that moment."""
        asked, person = [name], name
        while (away := self.absence(person, at)) is not None:
            person = away.deputy or ""
            if not person or person in asked:
                return f"unit{UNITS.index(self.unit_of[name])}.head"
            asked.append(person)
        return person

    def actor(self, name: str) -> Actor:
        """A person as the service knows him or her after signing in."""
        if name in OFFICE:
            return Actor(name=name, roles=frozenset({OFFICE[name]}))
        return Actor(name=name, roles=frozenset({Role.UNIT}), unit=self.unit_of[name])


def staff(rng: Random) -> Staff:
    """A city's people with a year's absences."""
    unit_of = {
        f"unit{n}.{who}": unit
        for n, unit in enumerate(UNITS)
        for who in ("head", *map(str, range(HANDLERS)))
    }
    absences = [
        one
        for name, unit in unit_of.items()
        if not name.endswith("head")
        for one in _of_one(rng, name, [it for it, its in unit_of.items() if its == unit])
    ]
    by_person: dict[str, list[Away]] = {}
    for one in absences:
        by_person.setdefault(one.who, []).append(one)
    return Staff(unit_of=unit_of, absences=sorted(absences, key=_since), by_person=by_person)


def _since(one: Away) -> datetime:
    return one.since


def _of_one(rng: Random, name: str, colleagues: list[str]) -> list[Away]:
    found, at = [], BEGAN + timedelta(hours=rng.randrange(24 * 5, 24 * 90))
    others = [it for it in colleagues if it != name]
    while at < ENDED:
        until = at + timedelta(hours=rng.randrange(12, 24 * 18))
        deputy = rng.choice(others) if rng.random() < 0.85 else None
        found.append(Away(who=name, deputy=deputy, since=at, until=until))
        at = until + timedelta(hours=rng.randrange(24 * 30, 24 * 150))
    return found
