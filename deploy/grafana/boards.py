"""Every dashboard: the line now, the day and week, cases and limits, speech, the service's health.

The pictures are those that people of this field ask for (QueueMetrics, Asternic and the wish list
of the asterisk-users list of July 2003: big numbers first, calls by outcome with the week before,
waits, cases by unit, and whether the numbers can be trusted).
"""

import json
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from deploy.grafana.case_boards import cases
from deploy.grafana.line_boards import day_and_week, line_now
from deploy.grafana.service_boards import health, speech

BOARDS = {
    "now": line_now,
    "day": day_and_week,
    "cases": cases,
    "speech": speech,
    "health": health,
}


def documents() -> dict[str, str]:
    """Each dashboard's JSON by the name of its file."""
    return {
        f"hotline-{name}.json": JSONEncoder(sort_keys=True, indent=2).encode(board()) + "\n"
        for name, board in BOARDS.items()
    }


def write(folder: Path) -> list[Path]:
    """Write them all; each replaces the one that is there at one go."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in documents().items():
        json.loads(text)
        beside = folder / f".{name}.new"
        beside.write_text(text, encoding="utf-8")
        written.append(beside.replace(folder / name))
    return written
