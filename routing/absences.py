"""Who acts for somebody away: the deputy, the deputy's deputy, the head, else the desk; pure.

A clock never waits for a person and no case is nobody's: whoever is away at a moment has exactly
one who acts, found by following the notices of absence. Where they lead in a circle, or end with
somebody who named no deputy, the head of that person's unit acts; where that one is away, too, the
dispatchers' desk.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

DESK = "@desk"
"""What acts where no person does: every dispatcher may. No login can look like this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """One notice: who is away from when until when (None: until further notice), and the deputy."""

    id: int
    who: str
    deputy: str | None
    reason: str
    since: datetime
    until: datetime | None
    entered_at: datetime
    entered_by: str
    ended_at: datetime | None = None

    def covers(self, at: datetime) -> bool:
        """Whether the person is away at that moment."""
        over = min((it for it in (self.until, self.ended_at) if it is not None), default=None)
        return self.since <= at and (over is None or at < over)


@dataclass(frozen=True, slots=True, kw_only=True)
class Staffing:
    """Who is away at one moment.

    `away` has each absent person's deputy, `heads` who leads that person's unit in the order in
    which they are asked, `seats` whose own seat an extension is (a case may be owned by a seat).
    """

    away: Mapping[str, str | None] = field(default_factory=dict)
    heads: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    seats: Mapping[str, str] = field(default_factory=dict)

    def person(self, name: str) -> str:
        """The person behind a seat; any other name as it is."""
        return self.seats.get(name, name)

    def acting(self, name: str) -> str:
        """Who acts under this name now: the person, who stands in, or `DESK`; never one away."""
        person, asked = self.person(name), set[str]()
        while person in self.away:
            asked.add(person)
            deputy = self.away[person]
            if deputy is None or deputy in asked:
                heads = self.heads.get(person, ())
                deputy = next((one for one in heads if one not in asked), None)
            if deputy is None:
                return DESK
            person = deputy
        return person

    def reached(self, name: str) -> str:
        """Under which name a word to this one is looked up in the address book."""
        acting = self.acting(name)
        return name if acting == self.person(name) else acting

    def stands_for(self, name: str, *, of_the_desk: bool) -> frozenset[str]:
        """Every other name under which this person acts now: the own seat, and people away."""
        me = self.person(name)
        mine = {me, DESK} if of_the_desk else {me}
        people = {one for one in self.away if self.acting(one) in mine}
        seats = {seat for seat, one in self.seats.items() if one in people or one == me}
        return frozenset(people | seats) - {name}
