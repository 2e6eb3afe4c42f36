"""The simulator's own log: what it let happen, one JSON object a line, in the order of it.

Nothing in it was read from the service but which life a case belongs to (its id); what the service
refused did not happen and is not in it.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from routing.cases import Case
from telephony.calls import Call
from tests.year.lives import Step

SAID = ("kind", "urgency", "unit", "result", "solved", "satisfied", "days", "statutory")


@dataclass(slots=True)
class Log:
    """Writes down; without a file it forgets."""

    path: Path | None = None

    def __post_init__(self) -> None:
        if self.path is not None:
            self.path.touch()

    def called(self, number: int, call: Call) -> None:
        """A call that ended."""
        survey = call.survey
        self._write(
            {
                "call": str(call.key.linked_id),
                "number": number,
                "line": call.line,
                "asked": call.queued_at,
                "answered": call.answered_at,
                "ended": call.ended_at,
                "outcome": call.outcome,
                "satisfied": None if survey is None else survey.satisfied,
            }
        )

    def moved(self, case_id: int, step: Step, after: Case) -> None:
        """A move that somebody made."""
        told = {name: getattr(step.data, name) for name in SAID}
        self._write(
            {
                "case": case_id,
                "number": after.call_id,
                "line": after.line,
                "at": step.at,
                "move": step.move,
                "contacted": step.data.contacted_at,
                **{name: value for name, value in told.items() if value is not None},
            }
        )

    def _write(self, entry: dict[str, Any]) -> None:
        if self.path is not None:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry, default=str) + "\n")
