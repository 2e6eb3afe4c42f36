"""Each call as the telephones saw it beside the call as the service stored it. Pure.

A moment that two clocks saw differently by less than `CLOSE` is the same moment. Where two things
happened so close together that the telephones cannot know which the exchange took first (a caller
who hangs up as the operator picks up), either is right.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from telephony.calls import Outcome, Side
from tests.storm.people import NOTICE_SECONDS
from tests.storm.seen import OperatorLeg, Seen

CLOSE = timedelta(seconds=1)
SHORT = timedelta(seconds=5)
Stored = Mapping[str, Any]
Away = Sequence[tuple[datetime, datetime]]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One call and in what the two differ; nothing means they tell the same."""

    number: str
    expected: str
    stored: str
    differences: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    rows: tuple[Row, ...]
    never_reached: int
    cut_off: int
    """Calls in progress when the exchange went away."""
    lost_at_the_end: int
    """Calls that began within a moment of the exchange's death and that it never wrote down."""

    @property
    def different(self) -> list[Row]:
        return [row for row in self.rows if row.differences]


def compare(
    seen: Mapping[str, Seen], stored: Mapping[str, list[Stored]], *, away: Away, silent: Away
) -> Comparison:
    """Every call of either side, one by one.

    `away`: when there was no exchange. `silent`: when it had no room for recordings.
    """
    rows: list[Row] = []
    never = cut = lost = 0
    for number in sorted({*seen, *stored}):
        ours = stored.get(number, [])
        theirs = seen.get(number)
        if theirs is None:
            rows.append(_row(number, "-", ours, "a call that no telephone placed"))
        elif theirs.started is None:
            never += 1
            # Its messages may have reached an exchange that died before it could answer.
            if len(ours) > 1 or (ours and not _near_an_end(theirs.invited[0], away)):
                rows.append(_row(number, "never reached the exchange", ours, "stored"))
        elif not ours and _near_an_end(theirs.started[1], away):
            lost += 1
        elif len(ours) != 1:
            what = "missing" if not ours else f"stored {len(ours)} times"
            rows.append(_row(number, _expected(theirs, away), ours, what))
        else:
            cut += _cut_at(theirs, away) is not None
            told = (*_differences(theirs, ours[0], away), *_unheard(theirs, ours[0], away, silent))
            rows.append(_row(number, _expected(theirs, away), ours, *told))
    return Comparison(rows=tuple(rows), never_reached=never, cut_off=cut, lost_at_the_end=lost)


def _row(number: str, expected: str, ours: Sequence[Stored], *differences: str) -> Row:
    told = "+".join(str(call["outcome"]) for call in ours) or "-"
    return Row(number=number, expected=expected, stored=told, differences=differences)


def _expected(seen: Seen, away: Away) -> str:
    return "|".join(sorted(_outcomes(seen, _cut_at(seen, away))))


def _near_an_end(at: datetime, away: Away) -> bool:
    return any(began - CLOSE / 2 <= at <= back for began, back in away)


def _cut_at(seen: Seen, away: Away) -> datetime | None:
    """When the exchange went away in the middle of this call."""
    if seen.reached_at is None:
        return None
    for began, _ in away:
        if seen.reached_at <= began and (seen.ended_at is None or seen.ended_at >= began):
            return began
    return None


def _ended(seen: Seen, cut: datetime | None) -> datetime | None:
    return cut if cut is not None else seen.ended_at


def _outcomes(seen: Seen, cut: datetime | None) -> set[str]:
    """What may be said of this call; mostly exactly one thing."""
    end, answer = _ended(seen, cut), seen.answer
    may: set[str] = set()
    if answer is not None and answer.picked_up_at is not None:
        if end is None or answer.picked_up_at < end + CLOSE:
            may.add(Outcome.ANSWERED)
        if end is None or not _surely_talked(answer, end):
            may |= _unanswered(seen, end)
    else:
        may |= _unanswered(seen, end)
    if cut is not None and (answer is None or not _surely_talked(answer, cut)):
        may |= {Outcome.FAILED, Outcome.ABANDONED, Outcome.ABANDONED_SHORT, Outcome.UNANSWERED}
    return {str(outcome) for outcome in may}


def _surely_talked(answer: OperatorLeg, end: datetime) -> bool:
    """Whether the answer came well before the end."""
    return answer.acknowledged_at is not None and answer.acknowledged_at < end - CLOSE / 4


def _unanswered(seen: Seen, end: datetime | None) -> set[Outcome]:
    if not seen.ended_by_caller:
        return {Outcome.UNANSWERED}
    if end is None or seen.reached_at is None:
        return {Outcome.ABANDONED, Outcome.ABANDONED_SHORT}
    waited = end - seen.reached_at - timedelta(seconds=NOTICE_SECONDS)
    if waited < SHORT - 1.5 * CLOSE:
        return {Outcome.ABANDONED_SHORT}
    if waited > SHORT + 1.5 * CLOSE:
        return {Outcome.ABANDONED}
    return {Outcome.ABANDONED, Outcome.ABANDONED_SHORT}


def _differences(seen: Seen, call: Stored, away: Away) -> Iterator[str]:
    cut = _cut_at(seen, away)
    if call["ended_at"] is None:
        yield "still going on"
        return
    line = {"12345": "mayor", "2222345": "duty"}[seen.dialled]
    if call["line"] != line:
        yield f"line {call['line']} instead of {line}"
    if call["outcome"] not in _outcomes(seen, cut):
        yield f"outcome {call['outcome']} instead of {_expected(seen, away)}"
    started = seen.started
    if started and not started[0] - CLOSE <= call["started_at"] <= started[1] + CLOSE:
        yield f"started {_apart(call['started_at'], started[1])}"
    yield from _end_differs(seen, call, cut)
    if call["outcome"] == Outcome.ANSWERED:
        yield from _answer_differs(seen, call)


def _end_differs(seen: Seen, call: Stored, cut: datetime | None) -> Iterator[str]:
    if cut is not None:
        # The exchange did not live to see the end: no later than that, and no earlier than known.
        if not call["started_at"] <= call["ended_at"] <= cut + 2 * CLOSE:
            yield f"ended {_apart(call['ended_at'], cut)} (cut off)"
        return
    if seen.ended_at is None:
        yield "ended, and the telephones saw no end"
        return
    if abs(call["ended_at"] - seen.ended_at) > CLOSE:
        yield f"ended {_apart(call['ended_at'], seen.ended_at)}"
    by = _hung_up_by(seen)
    if call["hangup_by"] not in by:
        yield f"hung up by {call['hangup_by']} instead of {'|'.join(sorted(by))}"


def _hung_up_by(seen: Seen) -> set[str]:
    answer = seen.answer
    operator = answer is not None and answer.hung_up_first and answer.hung_up_at is not None
    both = seen.ended_by_caller and operator
    if both and answer and _close(answer.hung_up_at, seen.ended_at):
        return {Side.CALLER, Side.OPERATOR}
    if seen.ended_by_caller:
        return {Side.CALLER}
    return {Side.OPERATOR} if operator else {Side.SYSTEM}


def _answer_differs(seen: Seen, call: Stored) -> Iterator[str]:
    answer = seen.answer
    if answer is None or answer.picked_up_at is None:
        return  # the outcome differs, which was said
    talked = {leg.operator for leg in seen.operators if leg.acknowledged_at}
    if call["operator"] not in talked:
        yield f"operator {call['operator']} instead of {'|'.join(sorted(talked))}"
    if call["answered_at"] is None or abs(call["answered_at"] - answer.picked_up_at) > CLOSE:
        yield f"answered {_apart(call['answered_at'], answer.picked_up_at)}"
    rang = [leg.rang_at for leg in seen.operators if leg.rang_at]
    if call["ringing_at"] is not None and rang and not _close(call["ringing_at"], min(rang)):
        yield f"ringing {_apart(call['ringing_at'], min(rang))}"
    if call["cases"] != 1:
        yield f"{call['cases']} cases"
    for event in ("call.started", "call.answered", "call.ended"):
        told = call["journal"].count(event)
        # What is put right afterwards is told again, as a second end of the same call.
        if told != 1:
            yield f"{event} told {told} times"


def _unheard(seen: Seen, call: Stored, away: Away, silent: Away) -> Iterator[str]:
    """An answered call has both recordings, unless the exchange died or had no room for them."""
    if call["outcome"] != Outcome.ANSWERED or _cut_at(seen, away) is not None:
        return
    if call["recordings"] == ["stored", "stored"]:
        return
    # Nothing is written while there is no room; after that Asterisk does not begin again.
    begun, ended = call["started_at"], call["ended_at"]
    if not any(began <= ended and begun <= ended_ for began, ended_ in silent):
        yield f"recordings {'+'.join(call['recordings']) or 'none'}"


def _close(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and other is not None and abs(one - other) <= CLOSE


def _apart(ours: datetime | None, theirs: datetime) -> str:
    return "never" if ours is None else f"{(ours - theirs).total_seconds():+.2f} s"
