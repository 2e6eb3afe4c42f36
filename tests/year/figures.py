"""Every fact behind the indicators, counted from the simulator's own log alone.

No word of the service is imported here and no database is asked: lines of JSON go in, numbers come
out. Due times come from days.py, which is written out from the published notices.
"""

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from tests.year import days

TARGET = timedelta(seconds=15)
DAY = timedelta(hours=24)
OPENING = frozenset({"open", "answer_directly", "explain"})
ENDS = {
    "answer_directly": "direct",
    "explain": "explained",
    "withdraw": "withdrawn",
    "close": "handled",
    "approve_termination": "terminated",
}
ANSWERS = frozenset({"answer", "answer_directly", "explain", "approve_termination"})
SIGN_WITHIN = {"emergency": timedelta(minutes=15), "urgent": timedelta(minutes=30)}


@dataclass(frozen=True, slots=True)
class Period:
    """After `since`, up to `until`, of one line and one unit or of all."""

    since: datetime
    until: datetime
    line: str | None = None
    unit: str | None = None

    def __contains__(self, at: datetime | None) -> bool:
        return at is not None and self.since < at <= self.until


@dataclass(frozen=True, slots=True)
class Talk:
    """A call of the log."""

    line: str
    asked: datetime
    answered: datetime | None
    ended: datetime
    outcome: str
    satisfied: str | None
    number: int


@dataclass(frozen=True, slots=True)
class Did:
    """A move of the log."""

    at: datetime
    move: str
    said: dict[str, Any]


@dataclass(slots=True)
class Life:
    """From an acceptance (or a draft that was withdrawn) to the end."""

    line: str
    kind: str = ""
    urgency: str = "normal"
    opened: datetime | None = None
    was_draft: bool = False
    moves: list[Did] = field(default_factory=list)
    unit: str | None = None
    law: str | None = None
    extensions: list[int] = field(default_factory=list)
    asked_days: int = 0
    late: list[datetime] = field(default_factory=list)
    unsigned: list[datetime] = field(default_factory=list)
    _owed: bool = False
    _sign_by: datetime | None = None

    def due(self) -> datetime | None:
        """When it is due now."""
        if self.opened is None or not self.kind:
            return None
        return days.due(
            self.kind, self.urgency, self.opened, law=self.law, extensions=self.extensions
        )

    def passed(self, until: datetime) -> None:
        """Note which limits ended unkept before this moment."""
        due = self.due()
        if self._owed and due is not None and due < until and due not in self.late:
            self.late.append(due)
        sign_by = self._sign_by
        if sign_by is not None and sign_by < until and sign_by not in self.unsigned:
            self.unsigned.append(sign_by)

    def take(self, did: Did) -> None:
        """What somebody did with it."""
        self.passed(did.at)
        said, move = did.said, did.move
        self.moves.append(did)
        self.kind, self.urgency = said.get("kind", self.kind), said.get("urgency", self.urgency)
        if move in OPENING or move == "reopen":
            self._owed = True
        if move in ANSWERS or move in ENDS:
            self._owed = False
        elif move == "redo":
            self._owed = True
        if move in {"dispatch", "refuse_return"}:
            self._sign_by = _sign_by(did.at, self.urgency)
        elif move in {"sign", "ask_return"} or move in ENDS:
            self._sign_by = None
        if move == "dispatch":
            self.unit = said.get("unit", self.unit)
        if move == "cite_law":
            self.law = said["statutory"]
        if move == "ask_extension":
            self.asked_days = said["days"]
        if move == "grant_extension":
            self.extensions.append(self.asked_days)

    def done(self, moves: Iterable[str], until: datetime) -> list[Did]:
        """Those of its moves, up to a moment."""
        wanted = frozenset(moves)
        return [it for it in self.moves if it.move in wanted and it.at <= until]

    def stands_answered(self, moment: datetime) -> bool:
        """Whether its last answer was not sent back, as seen then."""
        given, back = self.done(ANSWERS, moment), self.done({"redo"}, moment)
        return bool(given) and (not back or back[-1].at <= given[-1].at)

    @property
    def end(self) -> Did | None:
        """How it ended."""
        return next((it for it in self.moves if it.move in ENDS), None)


def _sign_by(given: datetime, urgency: str) -> datetime | None:
    within = SIGN_WITHIN.get(urgency)
    return days.after_working_days(given, 1) if within is None else given + within


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)


class Figures:
    """The log, read; every line of it once."""

    def __init__(self) -> None:
        self.talks: list[Talk] = []
        self.lives: list[Life] = []
        self._latest: dict[int, Life] = {}
        self._of_call: dict[int, list[Life]] = {}

    def read(self, lines: Iterable[str]) -> None:
        """Take in lines of the log, each case's own in their order."""
        for line in lines:
            told = json.loads(line)
            if "call" in told:
                self._called(told)
            else:
                self._moved(told)

    def _called(self, told: dict[str, Any]) -> None:
        asked, ended = _moment(told["asked"]), _moment(told["ended"])
        assert asked is not None
        assert ended is not None
        self.talks.append(
            Talk(
                *(told["line"], asked, _moment(told["answered"]), ended),
                *(told["outcome"], told["satisfied"], told["number"]),
            )
        )

    def _moved(self, told: dict[str, Any]) -> None:
        at = _moment(told["at"])
        assert at is not None
        case, move = told["case"], told["move"]
        if case not in self._latest or move == "reopen":
            before = self._latest.get(case)
            kind, urgency = (before.kind, before.urgency) if before else ("", "normal")
            life = Life(told["line"], kind, urgency)
            self._of_call.setdefault(told["number"], []).append(life)
            self._latest[case] = life
            self.lives.append(life)
            if move in OPENING or move == "reopen":
                life.opened = at
        self._latest[case].take(Did(at, move, told))

    def facts(self, period: Period) -> dict[str, float | int]:
        """Every fact that can be known from the log."""
        for life in self.lives:
            life.passed(period.until)
        return {
            **self._of_calls(period),
            **self._of_surveys(period),
            **self._of_due(period),
            **self._of_accepted(period),
            **self._of_dispatched(period),
            **self._of_ended(period),
        }

    def _talks(self, period: Period) -> Iterator[Talk]:
        if period.unit is None:
            yield from (it for it in self.talks if period.line in {None, it.line})

    def _lives(self, period: Period) -> Iterator[Life]:
        yield from (it for it in self.lives if period.line in {None, it.line})

    def _of_calls(self, period: Period) -> dict[str, float | int]:
        until, found = period.until, dict.fromkeys(CALLS, 0)
        waited = talked = Fraction()
        for talk in self._talks(period):
            if talk.asked not in period:
                continue
            over = talk.ended <= until
            answered = talk.answered is not None and talk.answered <= until
            in_time = answered and _since(talk.answered, talk.asked) <= TARGET
            waiting, early = not over and not answered, until - talk.asked <= TARGET
            short = over and talk.outcome == "abandoned_short"
            long = over and talk.outcome == "abandoned"
            marks = {
                "asked": not waiting,
                "asked_not_short": not waiting and not short,
                "asked_due": not (waiting and early),
                "answered": answered,
                "answered_in_time": in_time,
                "abandoned_short": short,
                "abandoned_long": long,
                "abandoned_late": (short or long) and talk.ended - talk.asked > TARGET,
                "waiting": waiting,
                "waiting_early": waiting and early,
                "talked": answered and over,
                "registered": answered and self._is_registered(talk.number, until),
            }
            for name, true in marks.items():
                found[name] += bool(true)
            if answered:
                waited += _exact(_since(talk.answered, talk.asked))
            if answered and over:
                talked += _exact(_since(talk.ended, talk.answered))
        return {**found, "wait_seconds": float(waited), "talk_seconds": float(talked)}

    def _is_registered(self, number: int, until: datetime) -> bool:
        """Whether somebody wrote down what became of a call."""
        return any(
            (life.opened is not None and life.opened <= until) or life.done(ENDS, until)
            for life in self._of_call.get(number, ())
        )

    def _of_surveys(self, period: Period) -> dict[str, float | int]:
        said = [it.satisfied for it in self._talks(period) if it.satisfied and it.ended in period]
        return {
            "survey_satisfied": said.count("yes"),
            "survey_basically": said.count("basically"),
            "survey_dissatisfied": said.count("no"),
            "survey_silent": said.count("not_answered"),
        }

    def _of_due(self, period: Period) -> dict[str, float | int]:
        found = dict.fromkeys(DUE, 0)
        for life in self._lives(period):
            if life.opened is None or (period.unit is not None and life.unit != period.unit):
                continue
            due = life.due()
            if due is None:
                found["undated"] += life.opened in period
            if due is None or due not in period:
                continue
            handled, on_time = life.stands_answered(period.until), life.stands_answered(due)
            extended = bool(life.done({"grant_extension"}, period.until))
            withdrawn = bool(life.done({"withdraw"}, period.until))
            marks = {
                "due": True,
                "handled": handled,
                "on_time": on_time,
                "on_time_unextended": on_time and not extended,
                "extended_due": extended,
                "withdrawn_due": withdrawn,
                "overdue": not handled and not withdrawn,
            }
            for name, true in marks.items():
                found[name] += true
        return dict(found)

    def _of_accepted(self, period: Period) -> dict[str, float | int]:
        accepted = [it for it in self._lives(period) if it.opened in period and period.unit is None]
        direct = [
            it
            for it in accepted
            if it.done({"answer_directly", "explain"}, period.until)
            and not it.done({"dispatch"}, period.until)
        ]
        return {"accepted": len(accepted), "direct": len(direct)}

    def _of_dispatched(self, period: Period) -> dict[str, float | int]:
        found, until = dict.fromkeys(DISPATCHED, 0), period.until
        for life in self._lives(period):
            sent = [it for it in life.moves if it.move == "dispatch"]
            if not sent or sent[0].at not in period:
                continue
            if period.unit is not None and sent[0].said.get("unit") != period.unit:
                continue
            at = sent[0].at
            contacts = [
                moment
                for it in life.done({"answer"}, until)
                if (moment := _moment(it.said["contacted"])) is not None
            ]
            late_to_sign = any(at < it < until for it in life.unsigned)
            found["dispatched"] += 1
            found["dispatched_ended"] += life.end is not None and life.end.at <= until
            found["signed_late"] += late_to_sign
            found["signed_in_time"] += not late_to_sign
            found["contacted"] += bool(contacts) and min(contacts) <= at + DAY
            found["right_first"] += len(life.done({"dispatch"}, until)) == 1 and not life.done(
                {"accept_return"}, until
            )
            found["return_asked"] += len(life.done({"ask_return"}, until))
            found["return_refused"] += len(life.done({"refuse_return"}, until))
            found["extended"] += bool(life.done({"grant_extension"}, until))
            found["late"] += any(at < it < until for it in life.late)
        return dict(found)

    def _of_ended(self, period: Period) -> dict[str, float | int]:
        found, taken = dict.fromkeys(ENDED, 0), list[Fraction]()
        for life in self._lives(period):
            end = life.end
            if end is None or end.at not in period:
                continue
            if period.unit is not None and life.unit != period.unit:
                continue
            how = ENDS[end.move]
            if how in {"withdrawn", "terminated"}:
                found[how] += 1
            if how != "handled":
                continue
            result, said = end.said.get("result"), end.said
            reached = result == "reached"
            answers = [it for it in life.moves if it.move == "answer"]
            assert life.opened is not None
            taken.append(_exact(answers[-1].at - life.opened))
            found["handled_ended"] += 1
            found["called_back"] += result is not None
            found["reached"] += reached
            found["not_reached"] += not reached
            found["redone"] += any(it.move == "redo" for it in life.moves)
            found["solved"] += reached and said.get("solved") == "yes"
            found["unsolved"] += reached and said.get("solved") == "no"
            found["solved_silent"] += reached and said.get("solved") in SILENT
            for word in ("satisfied", "basically", "dissatisfied"):
                found[word] += reached and said.get("satisfied") == word
            found["satisfied_silent"] += reached and said.get("satisfied") in SILENT
        return {
            **found,
            "handling_seconds": float(sum(taken, Fraction())),
            "handling_seconds_median": _quantile(taken, 0.5),
            "handling_seconds_p90": _quantile(taken, 0.9),
        }


SILENT = (None, "not_answered")
CALLS = (
    *("asked", "asked_not_short", "asked_due", "answered", "answered_in_time"),
    *("abandoned_short", "abandoned_long", "abandoned_late", "waiting", "waiting_early"),
    *("left_before_queue", "blocked", "talked", "registered"),
)
DUE = (
    *("due", "handled", "on_time", "on_time_unextended", "extended_due", "withdrawn_due"),
    *("overdue", "undated"),
)
DISPATCHED = (
    *("dispatched", "dispatched_ended", "signed_late", "signed_in_time", "contacted"),
    *("right_first", "return_asked", "return_refused", "extended", "late"),
)
ENDED = (
    *("withdrawn", "terminated", "handled_ended", "called_back", "reached", "not_reached"),
    *("redone", "solved", "unsolved", "solved_silent", "satisfied", "basically"),
    *("dissatisfied", "satisfied_silent"),
)


def _since(later: datetime | None, earlier: datetime | None) -> timedelta:
    assert later is not None
    assert earlier is not None
    return later - earlier


def _exact(span: timedelta) -> Fraction:
    return Fraction(span // timedelta(microseconds=1), 10**6)


def _quantile(taken: list[Fraction], share: float) -> float:
    """The smallest of them that is not below so large a share of all."""
    return float(sorted(taken)[max(0, math.ceil(share * len(taken)) - 1)]) if taken else 0.0
