"""The scripted calls as values: who says what on which line, and how each call ends.

A folder of scripted calls holds `calls.json` (the words), one `<name>-caller.al` and one
`<name>-operator.al` per call (raw A-law; both legs as long as the call) and `plan.toml`.
"""

import json
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

CALLS = Path(__file__).parent / "calls"


class Fate(StrEnum):
    """How a call ends, decided before it is placed."""

    ANSWERED = "answered"
    ABANDONED = "abandoned"
    UNANSWERED = "unanswered"


class Hangup(StrEnum):
    """Who ends an answered call."""

    CALLER = "caller"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """One turn: seconds from the moment the operator answers."""

    who: str
    start: float
    end: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedCall:
    """One call of the plan; times are seconds.

    `patience` (abandoned calls): from the end of the announcement until the caller gives up.
    `rings`: how long the operator's telephone rings before it is picked up.
    """

    name: str
    line: str
    caller: str
    starts: float
    fate: Fate
    hangup: Hangup
    patience: float
    rings: float
    seconds: float
    kind: str
    level1: str
    urgency: str
    area: str | None
    turns: tuple[Spoken, ...]
    caller_audio: Path
    operator_audio: Path


def load(folder: Path = CALLS) -> tuple[ScriptedCall, ...]:
    """Return the planned calls, in the order they are placed."""
    words = json.loads((folder / "calls.json").read_text(encoding="utf-8"))
    plan = tomllib.loads((folder / "plan.toml").read_text(encoding="utf-8"))["call"]
    calls = [_call(folder, planned, words[planned["script"]]) for planned in plan]
    return tuple(sorted(calls, key=lambda call: call.starts))


def _call(folder: Path, planned: dict[str, Any], words: dict[str, Any]) -> ScriptedCall:
    name = planned["script"]
    return ScriptedCall(
        name=name,
        line=words["line"],
        caller=planned["caller"],
        starts=float(planned["starts"]),
        fate=Fate(planned.get("fate", "answered")),
        hangup=Hangup(planned.get("hangup", "caller")),
        patience=float(planned.get("patience", 0)),
        rings=float(planned.get("rings", 1.5)),
        seconds=float(words["seconds"]),
        kind=words["kind"],
        level1=words["level1"],
        urgency=words["urgency"],
        area=words["area"],
        turns=tuple(Spoken(**turn) for turn in words["turns"]),
        caller_audio=folder / f"{name}-caller.al",
        operator_audio=folder / f"{name}-operator.al",
    )
