"""A leader's instruction (批示): given, passed on to its unit, done with evidence; pure.

Feedback may come at any time while it is under way. Its date reminds at 80 % and is an alarm from
100 % until it is done.
"""

from datetime import datetime
from enum import StrEnum

SHARES = (80, 100)


class InstructionState(StrEnum):
    """Where an instruction stands."""

    GIVEN = "given"
    PASSED_ON = "passed_on"
    DONE = "done"
    WITHDRAWN = "withdrawn"


class InstructionMove(StrEnum):
    """What can be done with it."""

    PASS_ON = "pass_on"  # noqa: S105 - a word, no secret
    FEEDBACK = "feedback"
    DONE = "done"
    WITHDRAW = "withdraw"


LIVE = frozenset({InstructionState.GIVEN, InstructionState.PASSED_ON})
FROM = {
    InstructionMove.PASS_ON: frozenset({InstructionState.GIVEN}),
    InstructionMove.FEEDBACK: frozenset({InstructionState.PASSED_ON}),
    InstructionMove.DONE: frozenset({InstructionState.PASSED_ON}),
    InstructionMove.WITHDRAW: LIVE,
}
"""From which state each move is legal."""


def shares_reached(given_at: datetime, due_at: datetime, now: datetime) -> tuple[int, ...]:
    """Which per cents of its time have passed."""
    return tuple(share for share in SHARES if given_at + (due_at - given_at) * share / 100 <= now)
