"""The calls of this run as the service tells them, matched with the plan they were placed by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from deploy.demo.script import Fate, ScriptedCall
from hotline.console.case_shapes import CaseView
from hotline.console.shapes import CallView
from hotline.masking import mask_number
from telephony.calls import Leg

BOTH_LEGS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A call of the plan and what the service made of it; None while it has not seen it."""

    plan: ScriptedCall
    call: CallView | None
    case: CaseView | None
    dialled: bool = False

    @property
    def recorded(self) -> int:
        """How many legs are in the store."""
        return 0 if self.call is None else list(self.call.recordings.values()).count("stored")

    @property
    def transcribed(self) -> int:
        """How many legs have become words."""
        return 0 if self.call is None else list(self.call.transcripts.values()).count("done")

    @property
    def settled(self) -> bool:
        """Whether nothing more will happen to it without a person."""
        call = self.call
        if call is None or call.ended_at is None:
            return False
        if call.answered_at is None:
            return True
        recordings = list(call.recordings.values())
        if len(recordings) < BOTH_LEGS or "expected" in recordings:
            return False
        if "stored" not in recordings:
            return True
        words = list(call.transcripts.values())
        if not words or "pending" in words:
            return False
        return self.case is not None and (self.case.kind is not None or "done" not in words)


def match(
    plan: Sequence[ScriptedCall],
    calls: Sequence[CallView],
    cases: Sequence[CaseView],
    dialled: Sequence[ScriptedCall] = (),
) -> list[Placed]:
    """Match each planned call with its row: same masked number, in the order they were placed."""
    left = sorted(calls, key=lambda call: (call.started_at, call.id))
    of_call = {case.call_id: case for case in cases}
    placed = []
    for planned in plan:
        number = mask_number(planned.caller)
        found = next((call for call in left if call.caller == number), None)
        if found is not None:
            left.remove(found)
        placed.append(
            Placed(
                plan=planned,
                call=found,
                case=of_call.get(found.id) if found else None,
                dialled=planned in dialled,
            )
        )
    return placed


OUTCOMES = {
    Fate.ANSWERED: "answered",
    Fate.ABANDONED: "abandoned",
    Fate.UNANSWERED: "unanswered",
}


def lacking(placed: Placed) -> list[str]:
    """What a call lacks that it must have, in words; empty when it is complete."""
    call = placed.call
    if call is None:
        return ["its row"]
    lacks = []
    if call.line != placed.plan.line:
        lacks.append(f"the right line (has {call.line})")
    if call.outcome != OUTCOMES[placed.plan.fate]:
        lacks.append(f"the right outcome (has {call.outcome}, placed as {placed.plan.fate})")
    if placed.plan.fate is not Fate.ANSWERED:
        return lacks
    if placed.recorded != BOTH_LEGS:
        lacks.append(f"a recording of both legs (has {_told(call.recordings)})")
    if placed.transcribed != BOTH_LEGS:
        lacks.append(f"a transcript of both legs (has {_told(call.transcripts)})")
    if placed.case is None:
        lacks.append("a case")
    elif placed.case.kind is None:
        lacks.append("a suggestion for its case")
    return lacks


def _told(states: Mapping[Leg, str]) -> str:
    return ", ".join(f"{leg} {state}" for leg, state in states.items()) or "none"
