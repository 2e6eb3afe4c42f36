"""Who sees which case: one place for lists, single cases, search, the journal, the feed, exports.

The hotline's own people see every case, a unit's people those that `cases_of_unit` (in the
database) gives their unit, an administrator none. What nobody may see is answered exactly as what
does not exist.

What a person must not even find (a protected case, a case the person is kept apart from) is not in
that person's world at all: every handler's `asked.services.pool` lends connections on which those
cases and calls are missing (`hotline/sighted.py`). A new list needs nothing but to use that pool.
What is read elsewhere, such as the feed, asks `Sight.shown`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, LiteralString

from hotline import sighted
from hotline.case_rows import Filter
from hotline.console.person import Person
from hotline.console.problems import Fault, ProblemError
from hotline.console.who import ADMINISTRATORS, FAULT_VIEWERS, OFFICE
from hotline.database import Connection
from hotline.journal import Entry
from hotline.services import Services
from routing.cases import Role
from routing.searching import Sought, sought

_SEEN: LiteralString = """
    SELECT id FROM cases AS asked
     WHERE id = ANY ($1::bigint[])
       AND ($3::boolean
            OR (SELECT count(*) FROM cases_of_unit($2) AS seen WHERE seen = asked.id) > 0)
       AND asked.id <> ALL (ARRAY(SELECT hidden_cases($4::jsonb)))"""
_FOUND: LiteralString = """
    SELECT id FROM cases
     WHERE id = ANY ($1::bigint[]) AND id <> ALL (ARRAY(SELECT hidden_cases($2::jsonb)))"""
# Counted for each, so that a look at one case reads its own rows and not all of the unit's.
_THERE: LiteralString = """
    SELECT count(*) FROM (SELECT hidden_cases($1::jsonb) LIMIT 1) AS hidden"""
_CALLS: LiteralString = "SELECT hidden_calls($1::jsonb) AS id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What one person may see.

    `house`: what happens that belongs to no case and no call. `callers`: whose call it was, masked;
    whoever may not see it must not find it out by searching either. `viewer` is the person for whom
    `hidden_cases` hides.
    """

    everything: bool
    unit: str | None
    faults: bool
    """The journal's rows about fault records: who wrote them tells whom they concern."""
    house: bool
    callers: bool
    viewer: str

    def within(self, wanted: Filter) -> Filter:
        """Narrow a list to what may be seen."""
        return wanted if self.everything else replace(wanted, of_unit=self.unit or "")

    def sought(self, typed: str) -> Sought:
        """What somebody who may see so much is looking for."""
        return sought(typed, callers=self.callers)

    async def seen(self, conn: Connection, case_ids: Sequence[int]) -> frozenset[int]:
        """Those of some cases that may be seen."""
        if not case_ids:
            return frozenset()
        rows = await conn.fetch(_SEEN, list(case_ids), self.unit, self.everything, self.viewer)
        return frozenset(row["id"] for row in rows)

    async def found(self, conn: Connection, case_ids: Sequence[int]) -> frozenset[int]:
        """Those of some cases that are not hidden; a unit may know of one that it does not see."""
        rows = await conn.fetch(_FOUND, list(case_ids), self.viewer) if case_ids else ()
        return frozenset(row["id"] for row in rows)

    async def check(self, conn: Connection, case_id: int) -> None:
        """Raise the `ProblemError` of a case that does not exist where it may not be seen."""
        if case_id not in await self.seen(conn, [case_id]):
            raise ProblemError(Fault.NOT_FOUND, f"There is no case with the id {case_id}.")

    async def shown(self, conn: Connection, entries: Sequence[Entry]) -> Sequence[Entry]:
        """Those of some journal rows that may be seen, without what they tell of hidden cases."""
        if not self.faults:
            entries = [it for it in entries if not it.event.startswith("fault.")]
        if self.everything and not await conn.fetchval(_THERE, self.viewer):
            return entries
        named = {it.case_id for it in entries} | {
            case for it in entries for case in named_in(it.body)
        }
        asked = [it for it in named if it is not None]
        seen, found = await self.seen(conn, asked), await self.found(conn, asked)
        calls = {row["id"] for row in await conn.fetch(_CALLS, self.viewer)}
        return [
            replace(it, body=without(it.body, found))
            for it in entries
            if (it.case_id is None or it.case_id in seen)
            and it.call_id not in calls
            and (self.everything or it.case_id in seen or (self.house and it.call_id is None))
        ]


_OTHERS = ("same_as", "lead")


def named_in(body: Mapping[str, Any]) -> list[int]:
    """The other cases that a journal row tells of: those of the caller's history, the same one."""
    history = body.get("history") or {}
    others = (it.get(name) for it in (body, body.get("changes", {})) for name in _OTHERS)
    return [it["id"] for it in history.get("open_cases", ())] + [it for it in others if it]


def without(body: dict[str, Any], seen: frozenset[int]) -> dict[str, Any]:
    """A journal row's body without the cases it tells of that are not among those seen."""
    if all(case in seen for case in named_in(body)):
        return body
    told = {name: value for name, value in body.items() if name not in _OTHERS}
    if "changes" in body:
        told["changes"] = {**body["changes"], **dict.fromkeys(_OTHERS)}
    if "history" in body:
        left = [it for it in body["history"]["open_cases"] if it["id"] in seen]
        gone = len(body["history"]["open_cases"]) - len(left)
        told["history"] = {
            **body["history"],
            "open_cases": left,
            "open": body["history"]["open"] - gone,
            "calls": body["history"]["calls"] - gone,
        }
    return told


def without_reports(person: Person) -> Sight:
    """What a person may take away: what may be seen, and of protected cases none."""
    viewer = sighted.viewer(names=person.names, unit=person.unit, discipline=False)
    return replace(visible_cases(person), viewer=viewer)


def viewer_of(person: Person | None) -> str:
    """A person as `hidden_cases` knows people; who is not signed in is nobody."""
    if person is None:
        return sighted.NOBODY
    return sighted.viewer(
        names=person.names, unit=person.unit, discipline=Role.DISCIPLINE in person.roles
    )


def services_for(services: Services, person: Person | None) -> Services:
    """The service's parts for one person: through them that person's world is read and changed."""
    pool = sighted.sighted(services.pool, viewer_of(person))
    return replace(
        services,
        pool=pool,
        control=services.control.through(pool),
        callouts=services.callouts.through(pool),
    )


def visible_cases(person: Person) -> Sight:
    """What a person may see, by roles and unit."""
    return Sight(
        everything=bool(person.roles & OFFICE),
        unit=person.unit if Role.UNIT in person.roles else None,
        faults=bool(person.roles & FAULT_VIEWERS),
        house=bool(person.roles & (OFFICE | ADMINISTRATORS)),
        callers=bool(person.roles & OFFICE),
        viewer=viewer_of(person),
    )
