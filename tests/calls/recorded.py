"""Real calls as the exchange told them, read from the tables beside this file.

A table has the sections `ami`, `cel` and `queue_log`, each exactly as Asterisk wrote it, with
plain line ends. `python -m tests.calls.record` makes them anew.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from asterisk.ami.event import Event

from telephony import cel, queue_log
from telephony.ami import Decoder
from telephony.calls import TrackerRules
from telephony.events import Fact, System
from telephony.translation import translate

FOLDER = Path(__file__).parent
SYSTEM = System("mianyang-1")
RULES = TrackerRules(
    line_by_number={"12345": "mayor", "8001": "duty"},
    line_by_queue={"mayor": "mayor", "duty": "duty"},
)
NAMES = tuple(sorted(path.stem for path in FOLDER.glob("*.txt")))
_HEADING = "== "


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """One table: the raw bytes of each source, and the facts in them."""

    name: str
    ami_bytes: bytes
    cel_lines: tuple[bytes, ...]
    queue_log_lines: tuple[bytes, ...]

    @property
    def ami(self) -> list[Fact]:
        messages = Decoder().feed(b"Asterisk Call Manager/11.0.0\r\n" + self.ami_bytes)
        now = datetime.now(UTC)
        told = [
            translate(message, system=SYSTEM, received_at=now)
            for message in messages
            if isinstance(message, Event)
        ]
        return [fact for fact in told if fact is not None]

    @property
    def cel(self) -> list[Fact]:
        return [f for line in self.cel_lines if (f := cel.parse(line, SYSTEM)) is not None]

    @property
    def queue_log(self) -> list[Fact]:
        return [
            f for line in self.queue_log_lines if (f := queue_log.parse(line, SYSTEM)) is not None
        ]


@cache
def recorded(name: str) -> Recorded:
    sections: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in (FOLDER / f"{name}.txt").read_text(encoding="utf-8").split("\n"):
        if line.startswith(_HEADING):
            lines = sections.setdefault(line.removeprefix(_HEADING), [])
        else:
            lines.append(line)
    return Recorded(
        name=name,
        ami_bytes="\r\n".join([*sections["ami"], "", ""]).encode(),
        cel_lines=tuple(line.encode() for line in sections["cel"] if line),
        queue_log_lines=tuple(line.encode() for line in sections["queue_log"] if line),
    )
