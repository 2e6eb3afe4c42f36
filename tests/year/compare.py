"""What the service says of its year beside what was counted anew; every difference is one line."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date, datetime

from hotline import absence_rows, audit
from hotline.database import Connection
from metrics.collect import Snapshot
from routing.calendar import Calendar
from tests.year import days
from tests.year.people import Staff
from tests.year.recount import Recount

HANDLING = (
    *("due", "handled", "on_time", "window_due", "window_handled", "window_on_time"),
    *("open_overdue", "not_yet_due", "not_yet_due_answered", "withdrawn", "undated"),
)
CONNECT = (
    *("offered", "answered", "within_target", "abandoned_long", "registered"),
    *("window_offered", "window_answered", "target_offered", "target_answered"),
)
PASSED_ON = frozenset({"hand_over", "accept", "decline"})


def rates(told: Snapshot, found: Recount, now: datetime) -> list[str]:
    """Every count that is not the same to the last one, and every rate that is not."""
    differences = []
    handling, connect = found.handling(now), found.connect(now)
    for line in told.lines:
        ours, theirs = handling.get(line.name, Counter()), told.handling[line.name]
        differences += _differ(f"{now:%F} {line.name}", asdict(theirs), ours, HANDLING)
        calls, heard = connect.get(line.name, Counter()), told.calls[line.name]
        differences += _differ(f"{now:%F} {line.name}", asdict(heard), calls, CONNECT)
        for name, rate, top, bottom in (
            ("handling", theirs.ratio, ours["window_handled"], ours["window_due"]),
            ("on time", theirs.on_time_ratio, ours["window_on_time"], ours["window_due"]),
            ("connect", heard.connect, calls["window_answered"], calls["window_offered"]),
        ):
            if rate.value != (top / bottom if bottom else None):
                differences.append(f"{now:%F} {line.name}: the {name} rate is {rate.value}")
    if dict(told.cases) != dict(found.states()):
        differences.append(f"{now:%F}: cases by state {told.cases}, counted {found.states()}")
    return differences


def _differ(
    place: str, told: Mapping[str, object], found: Counter[str], names: Iterable[str]
) -> list[str]:
    return [
        f"{place}: {name} is {told[name]}, counted {found[name]}"
        for name in names
        if told[name] != found[name]
    ]


def calendars(calendar: Calendar) -> list[str]:
    """Every day of 2025 and 2026 that the service takes for another than the notices say."""
    every = (date.fromordinal(n) for n in range(days.FIRST.toordinal(), days.LAST.toordinal() + 1))
    return [
        f"{day} is {'a working day' if days.is_working(day) else 'off'}, the service says otherwise"
        for day in every
        if calendar.is_working(day) != days.is_working(day)
    ]


async def journal(conn: Connection, found: Recount) -> list[str]:
    """What the service's own audit finds: the chain, each case against its fold, each text."""
    report = await audit.verify(conn)
    faults = [*found.faults] if report.fault is None else [*found.faults, report.fault]
    if report.cases != len(found.cases):
        faults.append(f"{report.cases} cases, and the journal knows {len(found.cases)}")
    return faults


async def deputies(conn: Connection, staff: Staff, now: datetime) -> list[str]:
    """Everybody away now whose work is not at once that of whoever acts by the plan."""
    staffing = await absence_rows.staffing(conn, now)
    return [
        f"{now:%F}: {name} is away, {staff.acting(name, now)} acts, not {staffing.acting(name)}"
        for name in staff.unit_of
        if staffing.acting(name) != staff.acting(name, now)
        or (staff.absence(name, now) is None) == (name in staffing.away)
    ]


def absences(staff: Staff, found: Recount) -> tuple[list[str], int]:
    """What was done by somebody away, or done for somebody away and not told; and how much was."""
    faults, by_deputies = [], 0
    for one in found.moves:
        if staff.absence(one.actor, one.at) is not None:
            faults.append(f"journal row {one.row}: {one.actor} moved a case while away")
        if one.new_owner != one.owner and staff.absence(one.new_owner, one.at) is not None:
            faults.append(f"journal row {one.row}: a case went to {one.new_owner}, who is away")
        if one.actor not in staff.unit_of or one.move in PASSED_ON:
            continue
        if one.owner in staff.unit_of and staff.absence(one.owner, one.at) is not None:
            by_deputies += 1
            if (one.actor, one.done_for) != (staff.acting(one.owner, one.at), one.owner):
                faults.append(
                    f"journal row {one.row}: {one.owner} was away, {one.actor} acted for"
                    f" {one.done_for}"
                )
    return faults, by_deputies


SUPERVISED = """
    SELECT case_id, trigger, ends_at, opened_at FROM supervisions
     WHERE case_id IS NOT NULL AND (trigger = 'not_signed'
           OR (trigger = 'overdue' AND stage = 'handling'))"""


async def supervision(conn: Connection, found: Recount) -> list[str]:
    """Every limit that ended unkept without its record, and every record without such an end."""
    rows = await conn.fetch(SUPERVISED)
    records = {(row["trigger"], row["case_id"], row["ends_at"]) for row in rows}
    needed = {("overdue", *it) for it in found.late}
    needed |= {("not_signed", *it) for it in found.unsigned}
    return [
        *(f"case {case}: {why} since {at} without record" for why, case, at in needed - records),
        *(f"case {case}: a record, {why} {at}, for nothing" for why, case, at in records - needed),
    ]
