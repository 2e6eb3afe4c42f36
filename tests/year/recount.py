"""Everything the service says of a year, counted anew from the bare journal.

It reads the table `journal` and nothing else, and imports nothing of the service: the chain's
hashes, who owned which case when, the handling and connect rates, the due times and which limits
ended without being kept are worked out here a second time, from the rows alone.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from tests.year import days

READ = """
    SELECT id, at, actor, event, call_id, case_id, body::text AS body, prev, hash
      FROM journal WHERE id > $1 ORDER BY id"""
WAITING = frozenset({"open", "consulting", "dispatched", "return_asked", "handling"}) | {
    "extension_asked",
    "termination_asked",
}
"""States in which the answer is still owed."""
ENDED_ANSWERED = frozenset({"direct", "explained", "terminated"})
MONTH, DAY, TARGET = timedelta(days=30), timedelta(hours=24), 15.0


@dataclass(slots=True)
class Life:
    """One life of a case: from its acceptance to its end."""

    line: str
    opened_at: datetime
    kind: str = ""
    urgency: str = "normal"
    due: datetime | None = None
    law: str | None = None
    extensions: list[int] = field(default_factory=list)
    answers: list[datetime] = field(default_factory=list)
    returns: list[datetime] = field(default_factory=list)
    withdrawn: bool = False

    def stands_answered(self, moment: datetime) -> bool:
        given = [at for at in self.answers if at <= moment]
        return bool(given) and not any(given[-1] < at <= moment for at in self.returns)

    def marks(self, now: datetime) -> Iterator[str]:
        """The counts of the handling rate that this life belongs to."""
        if self.withdrawn:
            yield "withdrawn"
        if self.due is None:
            yield "undated"
        elif self.due > now:
            yield "not_yet_due"
            if self.stands_answered(now):
                yield "not_yet_due_answered"
        else:
            yield from self._due_marks(self.due, now)

    def _due_marks(self, due: datetime, now: datetime) -> Iterator[str]:
        answered, recent = self.stands_answered(now), now - due < MONTH
        marks = {
            "due": True,
            "handled": bool(self.answers),
            "on_time": self.stands_answered(due),
            "open_overdue": not answered and not self.withdrawn,
            "window_due": recent,
            "window_handled": recent and answered,
            "window_on_time": recent and self.stands_answered(due),
        }
        yield from (name for name, true in marks.items() if true)


@dataclass(frozen=True, slots=True)
class Move:
    """A row that moved a case: who, when, whose case it was then, and for whom it was done."""

    row: int
    case: int
    at: datetime
    actor: str
    move: str
    owner: str
    new_owner: str
    done_for: str | None


@dataclass(frozen=True, slots=True)
class Talk:
    """A call that ended."""

    line: str
    asked_at: datetime
    outcome: str
    waited: float


class Recount:
    """The journal read once, row after row; what was read stays, so a later count reads on."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.cases: dict[int, dict[str, Any]] = {}
        self.lives: list[Life] = []
        self.moves: list[Move] = []
        self.talks: dict[int, Talk] = {}
        self.late: set[tuple[int, datetime]] = set()
        """Cases whose answer was still owed when their limit ended, with that end."""
        self.unsigned: set[tuple[int, datetime]] = set()
        self.events: Counter[str] = Counter()
        self._life: dict[int, Life] = {}
        self._signing: dict[int, datetime | None] = {}
        self._last, self._hash = 0, bytes(32)

    async def read(self, conn: asyncpg.Connection) -> None:
        """Take in what was written since."""
        async with conn.transaction(readonly=True):
            async for row in conn.cursor(READ, self._last, prefetch=5000):
                self._chain(row)
                self._take(row)

    def _chain(self, row: asyncpg.Record) -> None:
        at = row["at"].astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
        parts = (row["id"], at, row["actor"], row["event"], row["call_id"], row["case_id"])
        told = "".join(_part(None if it is None else str(it)) for it in (*parts, row["body"]))
        if row["prev"] != self._hash:
            self.faults.append(f"journal row {row['id']} does not follow the row before it")
        self._hash = hashlib.sha256(row["prev"] + told.encode()).digest()
        if row["hash"] != self._hash:
            self.faults.append(f"journal row {row['id']} was changed after it was written")
        self._last = row["id"]

    def _take(self, row: asyncpg.Record) -> None:
        self.events[row["event"]] += 1
        body = json.loads(row["body"])
        if row["event"] == "call.ended":
            whole = timedelta(seconds=(body["wait"] or 0) + (body["talk"] or 0))
            self.talks[row["call_id"]] = Talk(
                body["line"], row["at"] - whole, body["outcome"], body["wait"] or 0
            )
        if "changes" in body:
            self._case_changed(row, body)

    def _case_changed(self, row: asyncpg.Record, body: Mapping[str, Any]) -> None:
        case, at, changes = row["case_id"], row["at"], body["changes"]
        facts = self.cases.setdefault(case, {"call": row["call_id"]})
        owner = facts.get("owner") or ""
        self.passed(case, at)
        facts.update(changes)
        if not facts.get("owner"):
            self.faults.append(f"case {case} has no owner after journal row {row['id']}")
        if changes.get("opened_at"):
            life = Life(facts["line"], datetime.fromisoformat(changes["opened_at"]))
            self._life[case] = life
            self.lives.append(life)
        if (now_on := self._life.get(case)) is not None:
            _live_on(now_on, row["event"], at, changes, facts)
        if "move" in body:
            self.moves.append(
                Move(
                    *(row["id"], case, at, row["actor"], body["move"]),
                    *(owner, facts["owner"], body.get("for")),
                )
            )
        if changes.get("state") == "dispatched":
            self._signing[case] = _sign_by(at, facts.get("urgency") or "normal")
        elif "state" in changes:
            self._signing.pop(case, None)

    def passed(self, case: int, until: datetime) -> None:
        """Note which limits of a case have ended before this moment."""
        facts = self.cases[case]
        due = facts.get("due_at") and datetime.fromisoformat(facts["due_at"])
        if due and facts.get("opened_at") and facts["state"] in WAITING and due < until:
            self.late.add((case, due))
        sign_by = self._signing.get(case)
        if sign_by is not None and sign_by < until:
            self.unsigned.add((case, sign_by))

    def all_passed(self, now: datetime) -> None:
        """Note it of every case, at the end of what was read."""
        for case in self.cases:
            self.passed(case, now)

    def handling(self, now: datetime) -> dict[str, Counter[str]]:
        """The counts of the handling rate by line."""
        found: dict[str, Counter[str]] = {}
        for life in self.lives:
            found.setdefault(life.line, Counter()).update(life.marks(now))
        return found

    def states(self) -> Counter[tuple[str, str]]:
        """How many cases of each line are in each state."""
        return Counter((facts["line"], facts["state"]) for facts in self.cases.values())

    def connect(self, now: datetime) -> dict[str, Counter[str]]:
        """The counts of the connect rate and of the answers within 15 seconds, by line."""
        registered = {
            facts["call"]
            for facts in self.cases.values()
            if facts.get("opened_at") or facts.get("outcome")
        }
        found: dict[str, Counter[str]] = {}
        for call, talk in self.talks.items():
            mine = found.setdefault(talk.line, Counter())
            answered = talk.outcome == "answered"
            marks = {
                "offered": True,
                "answered": answered,
                "within_target": answered and talk.waited <= TARGET,
                "abandoned_long": talk.outcome == "abandoned",
                "registered": answered and call in registered,
            }
            if now - talk.asked_at < DAY:
                marks |= {
                    "window_offered": True,
                    "window_answered": answered,
                    "target_offered": True,
                    "target_answered": answered and talk.waited <= TARGET,
                }
            mine.update(name for name, true in marks.items() if true)
        return found

    def wrongly_dated(self) -> list[str]:
        """Every life whose due time is another than the published calendars make it."""
        return [
            f"a {life.urgency} {life.kind} of {life.opened_at} is due {life.due}, not {right}"
            for life in self.lives
            if life.kind
            and life.due
            != (
                right := days.due(
                    life.kind,
                    life.urgency,
                    life.opened_at,
                    law=life.law,
                    extensions=life.extensions,
                )
            )
        ]


def _live_on(
    life: Life, event: str, at: datetime, changes: Mapping[str, Any], facts: Mapping[str, Any]
) -> None:
    life.kind, life.urgency = facts.get("kind") or "", facts.get("urgency") or "normal"
    life.due = facts.get("due_at") and datetime.fromisoformat(facts["due_at"])
    life.law, life.extensions = facts.get("statutory"), list(facts.get("extended_days") or [])
    if event == "case.answered":
        life.answers.append(at)
    elif event == "case.redo":
        life.returns.append(at)
    if changes.get("outcome") == "withdrawn":
        life.withdrawn = True
    elif changes.get("outcome") in ENDED_ANSWERED:
        life.answers.append(at)


def _sign_by(given: datetime, urgency: str) -> datetime | None:
    minutes = {"emergency": 15, "urgent": 30}.get(urgency)
    if minutes is not None:
        return given + timedelta(minutes=minutes)
    return days.after_working_days(given, 1)


def _part(value: str | None) -> str:
    return "-," if value is None else f"{len(value.encode())}:{value},"
