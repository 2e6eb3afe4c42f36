"""The duty desk's part of the configuration: its line, its limits, how closely it is followed."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, PositiveFloat

from hotline.config_tables import Table, Word


class Duty(Table):
    """Which line is the duty line, and by which pack its incidents are timed.

    Every citizen's call of the line has its entry in the duty log. A handover can be signed from
    `handover_lead_minutes` before the shifts change; without one there is an alarm
    `handover_grace_minutes` after it.
    """

    line: Word = "duty"
    reporting: Path | None = None
    """The pack of reporting limits; None takes the one that ships."""
    look_seconds: PositiveFloat = 5.0
    handover_lead_minutes: Annotated[float, Field(ge=0, le=720)] = 60.0
    handover_grace_minutes: Annotated[float, Field(ge=0, le=720)] = 15.0
