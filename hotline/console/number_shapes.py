"""The rates as people and programs read them; definitions stand in metrics/collect.py."""

from datetime import datetime

from pydantic import Field

from hotline.console.shapes import Told
from routing.cases import CaseState
from telephony.probing import Stage


class RatioView(Told):
    """A rate with its two numbers; `value` is null while there is nothing to divide by."""

    numerator: int
    denominator: int
    value: float | None


class ProbeView(Told):
    """The newest test call into a line at one exchange."""

    system: str
    at: datetime
    ok: bool
    stage: Stage = Field(description="How far it got.")
    seconds: float | None = Field(description="To the answer, the notice included.")
    reason: str | None
    last_ok_at: datetime | None


class LineNumbers(Told):
    """The rates of one line; definitions stand in metrics/collect.py."""

    line: str
    target_seconds: float
    waiting: int
    active: int
    oldest_waiting_at: datetime | None
    answered_in_time_24h: RatioView
    connect_24h: RatioView
    connect_24h_without_short: RatioView
    handling_30d: RatioView
    on_time_30d: RatioView
    overdue: int
    not_yet_due: int
    not_yet_due_answered: int
    withdrawn: int
    undated: int
    cases: dict[CaseState, int]
    probes: tuple[ProbeView, ...] = Field(description="Empty where no test calls are made.")


class Numbers(Told):
    """The rates of all lines as of one moment."""

    at: datetime
    promise: float
    lines: tuple[LineNumbers, ...]
    transcripts_pending: int
    transcripts_oldest_pending_at: datetime | None
    transcripts_failed: int
    recordings: dict[str, int]
    differences: int
