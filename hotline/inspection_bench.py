"""How surely a planted fault is found in heard calls: `hotline bench inspection`.

The folder is one of scripted calls as `hotline bench speech` takes it, whose turns also tell when
they begin and end (seconds). Every leg is heard by the engine in use. Then, one at a time, a fault
is planted in what was heard of a call, and the call is inspected by the form in force:

- `greeting`, `closing`: what was heard of the operator's first or last turn is taken away;
- `silence`: both sides are silent for some seconds more than the form allows;
- `interruption`, `overlap`: the operator's turns after the first begin before the caller has ended,
  in calls with so many turns that it is more than the form allows;
- the forbidden phrases of an item: one of them stands between two turns, heard surely.

A fault counts as found where its item loses points that it did not lose in the call as it was. What
else loses points by it is a false alarm, except items that the same words belong to (`WITH`).
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from hotline.speech_bench import BenchFolderError, read_calls
from telephony.calls import Leg
from transcription.inspection.form import Form, Interruptions, Never, Overlap, Silence
from transcription.inspection.inspecting import inspect
from transcription.inspection.judged import Verdict
from transcription.inspection.talk import Talk
from transcription.transcriber import Transcriber
from transcription.transcripts import Transcript, Word, transcript

BREAKS_IN = 4.0
"""Seconds before the caller's end at which a planted operator begins to speak."""
WITH: Mapping[str, frozenset[str]] = {
    "greeting": frozenset({"duty_greeting", "badge"}),
    "interruption": frozenset({"overlap"}),
    "overlap": frozenset({"interruption"}),
}
EXACT = {"wanted": 1.01, "forbidden": 1.01}


class _Turn(TypedDict):
    who: str
    start: float
    end: float


class _Call(TypedDict):
    line: str
    turns: list[_Turn]


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """A scripted call as it was heard, and when its turns were spoken."""

    name: str
    talk: Talk
    turns: Sequence[tuple[Leg, float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Of one fault: how often it was planted, found, not judged, and found beside another one."""

    planted: int = 0
    found: int = 0
    not_judged: int = 0
    false: int = 0

    @property
    def recall(self) -> float | None:
        """Of those that could be judged."""
        judged = self.planted - self.not_judged
        return self.found / judged if judged else None

    @property
    def precision(self) -> float | None:
        """Of all that this item found."""
        return self.found / (self.found + self.false) if self.found + self.false else None


async def hear(folder: Path, engine: Transcriber) -> list[Called]:
    """Every call of the folder as the engine hears it.

    Raises:
        BenchFolderError: the folder has no `calls.json` with timed turns.
    """
    calls = read_calls(folder, TypeAdapter(dict[str, _Call]))
    return [await _heard(folder, name, call, engine) for name, call in calls.items()]


async def _heard(folder: Path, name: str, call: _Call, engine: Transcriber) -> Called:
    legs = {leg: await engine.transcribe(folder / f"{name}-{leg}.wav", leg) for leg in Leg}
    return Called(
        name=name,
        talk=Talk(
            line=call["line"],
            caller=legs[Leg.CALLER],
            operator=legs[Leg.OPERATOR],
            answered=0.0,
        ),
        turns=[(Leg(turn["who"]), turn["start"], turn["end"]) for turn in call["turns"]],
    )


def report(calls: Sequence[Called], form: Form) -> dict[str, dict[str, Any]]:
    """Per item what was planted and found, by sound as the form says, and exactly as written."""
    exact = form.model_copy(update={"sound": form.sound.model_copy(update=EXACT)})
    return {
        name: {
            item: {
                "planted": one.planted,
                "found": one.found,
                "not_judged": one.not_judged,
                "false": one.false,
                "recall": one.recall,
                "precision": one.precision,
            }
            for item, one in tallies(calls, by).items()
        }
        for name, by in (("by_sound", form), ("as_written", exact))
    }


def tallies(calls: Sequence[Called], form: Form) -> dict[str, Tally]:
    """Every fault planted in every call where it can be, and what the form finds."""
    planted, found, not_judged, false = (
        Counter[str](),
        Counter[str](),
        Counter[str](),
        Counter[str](),
    )
    for call in calls:
        before = lost_in(call.talk, form)
        for item, talk in faults(call, form):
            planted[item] += 1
            after = lost_in(talk, form)
            new = {key for key, verdict in after.items() if verdict is Verdict.LOST} - {
                key for key, verdict in before.items() if verdict is Verdict.LOST
            }
            found[item] += item in new
            not_judged[item] += after.get(item) is Verdict.NOT_JUDGED
            false.update(new - {item} - WITH.get(item, frozenset()))
    return {
        item: Tally(
            planted=planted[item],
            found=found[item],
            not_judged=not_judged[item],
            false=false[item],
        )
        for item in sorted(planted.keys() | false.keys())
    }


def lost_in(talk: Talk, form: Form) -> dict[str, Verdict]:
    """Each item's verdict on a talk."""
    return {one.key: one.verdict for one in inspect(talk, form).items}


def faults(call: Called, form: Form) -> Iterator[tuple[str, Talk]]:
    """The call with one fault each; what a call already lacks cannot be planted in it."""
    before = lost_in(call.talk, form)
    for item in form.items:
        if before.get(item.key) is not Verdict.KEPT:
            continue
        match item:
            case Never():
                for phrase in item.phrases:
                    yield item.key, _saying(call, phrase)
            case Silence():
                yield item.key, _silent(call, item.longest + 5.0)
            case Interruptions() if len(_overlaps(call)) > item.allowed:
                yield item.key, _breaking_in(call)
            case Overlap() if sum(_overlaps(call)) / call.turns[-1][2] > item.share:
                yield item.key, _breaking_in(call)
            case _ if item.key in PLANTED:
                yield item.key, PLANTED[item.key](call)


def _side(call: Called, leg: Leg) -> Transcript:
    heard = call.talk.operator if leg is Leg.OPERATOR else call.talk.caller
    if heard is None:
        raise BenchFolderError(f"{call.name}: both legs must be heard.")
    return heard


def _leg(old: Transcript, words: Sequence[Word], seconds: float) -> Transcript:
    return transcript(
        leg=old.leg, engine=old.engine, model=old.model, words=words, audio_seconds=seconds
    )


def _operator(call: Called, change: Callable[[list[Word]], list[Word]]) -> Talk:
    old = _side(call, Leg.OPERATOR)
    words = sorted(change(list(old.words)), key=lambda word: word.start)
    return replace(call.talk, operator=_leg(old, words, old.audio_seconds))


def _ours(call: Called) -> list[tuple[float, float]]:
    return [(start, end) for leg, start, end in call.turns if leg is Leg.OPERATOR]


def _without(call: Called, turn: tuple[float, float]) -> Talk:
    start, end = turn
    return _operator(
        call, lambda words: [w for w in words if not start - 0.5 <= w.start <= end + 0.5]
    )


def _without_first(call: Called) -> Talk:
    return _without(call, _ours(call)[0])


def _without_last(call: Called) -> Talk:
    return _without(call, _ours(call)[-1])


def _overlaps(call: Called) -> list[float]:
    """Seconds for which both speak at once, of each turn that the operator begins too early."""
    both = (
        one[2] - (two[1] - BREAKS_IN)
        for one, two in pairwise(call.turns)
        if one[0] is Leg.CALLER and two[0] is Leg.OPERATOR
    )
    return [seconds for seconds in both if seconds > 0]


def _breaking_in(call: Called) -> Talk:
    after = _ours(call)[0][1] + 0.5
    return _operator(
        call, lambda words: [_moved(w, -BREAKS_IN) if w.start > after else w for w in words]
    )


def _moved(word: Word, by: float) -> Word:
    return replace(word, start=word.start + by, end=word.end + by)


def _saying(call: Called, phrase: str) -> Talk:
    """The phrase stands where the operator has ended a turn, a quarter of a second a character."""
    turns = _ours(call)
    at = turns[len(turns) // 2][1] + 0.2
    said = [
        Word(text=one, start=at + 0.25 * n, end=at + 0.25 * n + 0.25, conf=0.97)
        for n, one in enumerate(phrase)
    ]
    return _operator(call, lambda words: [*words, *said])


def _silent(call: Called, seconds: float) -> Talk:
    """Everything after the call's third turn comes so much later."""
    after = call.turns[min(2, len(call.turns) - 1)][2] + 0.2
    caller, operator = (
        _leg(
            old,
            [_moved(w, seconds) if w.start > after else w for w in old.words],
            old.audio_seconds + seconds,
        )
        for old in (_side(call, Leg.CALLER), _side(call, Leg.OPERATOR))
    )
    ended = call.talk.ended
    later = None if ended is None else ended + seconds
    return replace(call.talk, caller=caller, operator=operator, ended=later)


PLANTED: Mapping[str, Callable[[Called], Talk]] = {
    "greeting": _without_first,
    "duty_greeting": _without_first,
    "closing": _without_last,
}
