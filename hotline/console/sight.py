"""Who sees which case: one place for lists, single cases, search, the journal, the feed, exports.

The hotline's own people see every case, a unit's people those that `cases_of_unit` (in the
database) gives their unit, an administrator none. What nobody may see is answered exactly as what
does not exist.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import LiteralString

from hotline.case_rows import Filter
from hotline.console.person import Person
from hotline.console.problems import Fault, ProblemError
from hotline.console.who import ADMINISTRATORS, OFFICE
from hotline.database import Connection
from hotline.journal import Entry
from routing.cases import Role
from routing.searching import Sought, sought

_SEEN: LiteralString = """
    SELECT id FROM unnest($1::bigint[]) AS asked (id)
     WHERE (SELECT count(*) FROM cases_of_unit($2) AS seen WHERE seen = asked.id) > 0"""
# Counted for each, so that a look at one case reads its own rows and not all of the unit's.


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What one person may see.

    `house`: what happens that belongs to no case and no call. `callers`: whose call it was, masked;
    whoever may not see it must not find it out by searching either.
    """

    everything: bool
    unit: str | None
    house: bool
    callers: bool

    def within(self, wanted: Filter) -> Filter:
        """Narrow a list to what may be seen."""
        return wanted if self.everything else replace(wanted, of_unit=self.unit or "")

    def sought(self, typed: str) -> Sought:
        """What somebody who may see so much is looking for."""
        return sought(typed, callers=self.callers)

    async def seen(self, conn: Connection, case_ids: Sequence[int]) -> frozenset[int]:
        """Those of some cases that may be seen."""
        if self.everything or not case_ids:
            return frozenset(case_ids)
        rows = await conn.fetch(_SEEN, list(case_ids), self.unit)
        return frozenset(row["id"] for row in rows)

    async def check(self, conn: Connection, case_id: int) -> None:
        """Raise the `ProblemError` of a case that does not exist where it may not be seen."""
        if case_id not in await self.seen(conn, [case_id]):
            raise ProblemError(Fault.NOT_FOUND, f"There is no case with the id {case_id}.")

    async def shown(self, conn: Connection, entries: Sequence[Entry]) -> Sequence[Entry]:
        """Those of some journal rows that may be seen."""
        if self.everything:
            return entries
        seen = await self.seen(conn, [it.case_id for it in entries if it.case_id is not None])
        return [
            it
            for it in entries
            if it.case_id in seen or (self.house and it.case_id is None and it.call_id is None)
        ]


def visible_cases(person: Person) -> Sight:
    """What a person may see, by roles and unit."""
    return Sight(
        everything=bool(person.roles & OFFICE),
        unit=person.unit if Role.UNIT in person.roles else None,
        house=bool(person.roles & (OFFICE | ADMINISTRATORS)),
        callers=bool(person.roles & OFFICE),
    )
