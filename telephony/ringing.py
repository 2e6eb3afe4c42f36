"""Rings somebody under a channel id that was written down before, and reads what became of it.

The id goes to the exchange with the order (`ChannelId` of Originate), so its channel event log
tells by that id whether the telephone was rung, acknowledged by key, and left, whoever was
listening. The exchange refuses a second channel of the same id: an order given twice rings once.
"""

import csv
import os
import re
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from telephony.call import CALLOUT_PREFIX
from telephony.control import OUTBOUND, Actor
from telephony.errors import ControlRefused
from telephony.seating import Phone, channel_to

PREFIX = CALLOUT_PREFIX
_CONTEXT = "callout"
_TYPE, _UNIQUE_ID, _COLUMNS = 0, 9, 13
_CHANNEL_ID = re.compile(r"callout-[0-9a-z-]{1,60}\Z", re.ASCII)
_TARGET = re.compile(r"[0-9]{2,20}\Z", re.ASCII)


class Mark(StrEnum):
    """What the event log tells of a channel, by its own event types."""

    RUNG = "CHAN_START"
    PICKED_UP = "ANSWER"
    ACKNOWLEDGED = "CALLOUT_ACK"
    OVER = "CHAN_END"


async def ring(
    actor: Actor,
    channel_id: str,
    target: str,
    *,
    inside: bool,
    shown: str,
    seat: str,
    seconds: int,
    phone: Phone = Phone.DESK,
) -> None:
    """Ring a telephone of ours (`inside`; `phone`: which) or an outside one for so many seconds.

    `shown` is the number it sees, `seat` the operator in whose name an outside call leaves.

    Raises:
        ControlRefused: an argument has a shape the exchange must never see; nothing was sent.
        ActionError: NotConnected and ActionRefused mean that nobody rings, the others do not tell.
    """
    for pattern, text in ((_CHANNEL_ID, channel_id), (_TARGET, target), (_TARGET, seat)):
        if pattern.match(text) is None:
            raise ControlRefused(f"{text!r} cannot be rung; nothing was sent to the exchange.")
    headers = {
        "Channel": channel_to(target, phone) if inside else f"Local/{target}@{OUTBOUND}/n",
        "ChannelId": channel_id,
        "Context": _CONTEXT,
        "Exten": "s",
        "Priority": "1",
        "Async": "true",
        "Timeout": str(seconds * 1000),
        "CallerID": f'"" <{shown}>',
    }
    if not inside:
        headers["OtherChannelId"] = f"{channel_id}-2"
    await actor.action("Originate", headers, variables={"HOTLINE_OPERATOR": seat})


class Marks:
    """Reads the channel event log for our channels; blocking, so it belongs in a thread.

    The first look reads the file from its beginning, and the one it was rotated to (`.1`). A file
    that is replaced is read to its end before the new one is opened; a line that is still being
    written is left for the next look.
    """

    def __init__(self, path: Path) -> None:
        """Nothing is opened before `look`."""
        self._path = path
        self._file: BinaryIO | None = None
        self._found: dict[str, set[Mark]] = {}

    def look(self) -> dict[str, frozenset[Mark]]:
        """Everything that was ever told of our channels, by channel id.

        Raises:
            OSError: the file cannot be read now.
        """
        if self._file is None:
            older = self._path.with_name(self._path.name + ".1")
            if older.exists():
                with older.open("rb") as file:
                    self._read(file)
            self._file = self._path.open("rb")
        self._read(self._file)
        if self._path.exists() and not os.path.samestat(
            os.fstat(self._file.fileno()), self._path.stat()
        ):
            self._file.close()
            self._file = self._path.open("rb")
            self._read(self._file)
        return {channel: frozenset(marks) for channel, marks in self._found.items()}

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _read(self, file: BinaryIO) -> None:
        if file.tell() > os.fstat(file.fileno()).st_size:
            file.seek(0)  # it was cut to nothing and begun again
        while True:
            start = file.tell()
            line = file.readline()
            if not line.endswith(b"\n"):
                file.seek(start)
                return
            if PREFIX.encode() in line:
                self._note(line.decode("utf-8", "replace"))

    def _note(self, line: str) -> None:
        row = next(csv.reader([line]), [])
        if len(row) != _COLUMNS or not row[_UNIQUE_ID].startswith(PREFIX):
            return
        if row[_TYPE] in set(Mark):
            self._found.setdefault(row[_UNIQUE_ID], set()).add(Mark(row[_TYPE]))
