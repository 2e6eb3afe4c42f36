"""AMI bytes in, asterisk-ami's own `Event` and `Response` out.

Pure: no socket, no clock. Only CR LF ends a line and only two of them end a message.
The library's own `Event.read` also breaks lines on U+2028, U+0085 and others, which any caller
can put in a display name and so write headers of his own; it is never used.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, fields
from sys import intern
from typing import TypeAlias

from asterisk.ami.event import Event
from asterisk.ami.response import Response

Message: TypeAlias = Event | Response

MAX_MESSAGE = 1 << 20
"""Bytes; a longer message is dropped and counted. Asterisk's longest are lists of output."""
MAX_LINE = 1 << 16
"""Bytes; a message with a longer line is dropped and counted."""
MAX_GREETING = 512
_LINES_REMEMBERED = 4096
_LINE_REMEMBERED = 200
"""Lines, and bytes of a line: under a megabyte, and a fifth less time for each event."""
_END = b"\r\n\r\n"
_GREETING = re.compile(rb"Asterisk Call Manager/([0-9][0-9.]*)\s*\Z", re.IGNORECASE)

# These headers say who and what an event is about. Should one come twice, the first is
# Asterisk's: it writes them before any text a caller can choose.
_IDENTITY = (
    "Event",
    "Response",
    "ActionID",
    "EventList",
    "Timestamp",
    "SystemName",
    "Channel",
    "ChannelState",
    "Uniqueid",
    "UniqueID",
    "Linkedid",
    "LinkedID",
    "CallerIDNum",
    "CallerIDName",
    "ConnectedLineNum",
    "ConnectedLineName",
    "Context",
    "Exten",
    "Queue",
    "Position",
    "MemberName",
    "Interface",
    "Location",
    "Reason",
    "Cause",
    "Status",
    "Application",
    "AppData",
    "BridgeType",
    "BridgeTechnology",
    "RingTime",
    "HoldTime",
    "TalkTime",
)
# These come more than once by design; any other repeat is an alarm.
_REPEATABLE = ("Variable", "Output", "Match", "Contacts")

_DISPLAY_NAMES = ("CallerIDName", "ConnectedLineName")
# Asterisk escapes the names of channels wherever it writes one, but for this event (seen on
# 22.10.1: app_queue.c writes the name as it is).
_NAMES_AS_THEY_ARE = frozenset({"QueueEntry"})
_ESCAPE = re.compile(r"\\([abfnrtv\\'\"?])")
_ESCAPED = dict(zip("abfnrtv\\'\"?", "\a\b\f\n\r\t\v\\'\"?", strict=True))


@dataclass(slots=True, kw_only=True)
class WireCounts:
    """What the decoder met since it was made; each number only grows."""

    messages: int = 0
    oversize: int = 0
    unknown: int = 0
    unreadable_lines: int = 0
    repeats: int = 0
    mended: int = 0

    def __add__(self, other: WireCounts) -> WireCounts:
        return WireCounts(
            **{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)}
        )


class _Lines(dict[bytes, tuple[str, str]]):
    """Lines and what they say. Most lines of a busy exchange were on the wire a moment ago."""

    def __missing__(self, line: bytes) -> tuple[str, str]:
        """Raises ValueError for a line without ": " or that is no text."""
        key, value = line.decode().split(": ", 1)
        pair = (intern(key), value)
        if key != "Timestamp" and len(line) <= _LINE_REMEMBERED:
            if len(self) >= _LINES_REMEMBERED:
                self.clear()
            self[line] = pair
        return pair


class Decoder:
    """Bytes of one connection in, messages out, the same for every way the bytes are cut.

    Garbage never raises: it is dropped and counted. Memory stays under `max_message` and one
    chunk. `greeting` holds the first line once it has come, `version` the AMI version in it.
    `only` names the events worth reading; the names of all others go to `unread`, except for what
    answers an action, which is read whatever its name.
    """

    def __init__(
        self,
        *,
        only: Collection[str] | None = None,
        max_message: int = MAX_MESSAGE,
        max_line: int = MAX_LINE,
    ) -> None:
        self.counts = WireCounts()
        self.greeting: str | None = None
        self.version: str | None = None
        self.unread: list[str] = []
        """Names of the events left unread by the last `feed`."""
        self._only = None if only is None else frozenset(name.encode() for name in only)
        self._max_message = max_message
        self._max_line = min(max_line, max_message)
        self._pending = bytearray()
        self._skipping = False
        self._say = _Lines().__getitem__

    @property
    def pending(self) -> int:
        """Bytes kept for a message that is not whole yet."""
        return len(self._pending)

    def feed(self, data: bytes) -> list[Message]:
        """The messages that became whole with `data`, in the order of the wire."""
        self.unread.clear()
        if b"\0" in data:  # never from Asterisk, whose strings end there; PostgreSQL refuses it
            self.counts.mended += data.count(b"\0")
            data = data.replace(b"\0", b"\\x00")
        if self.greeting is None:
            data = self._greet(data)
            if self.greeting is None:
                return []
        if self._pending or self._skipping:
            data = self._join(data)
        blocks = data.split(_END)
        rest = blocks.pop()
        if rest:
            self._append(rest)
            self._bound()
        return self._read_all(blocks) if blocks else []

    def _greet(self, data: bytes) -> bytes:
        """Take the first line off; everything until its end is kept, in bounds."""
        self._pending += data
        end = self._pending.find(b"\r\n", 0, MAX_GREETING + 2)
        if end < 0 and len(self._pending) < MAX_GREETING + 2:
            return b""
        line = bytes(self._pending[: end if end >= 0 else MAX_GREETING])
        rest = bytes(self._pending[len(line) + 2 * (end >= 0) :])
        self._pending.clear()
        self.greeting = line.decode(errors="backslashreplace")
        known = _GREETING.match(line)
        self.version = known.group(1).decode() if known else None
        return rest

    def _join(self, data: bytes) -> bytes:
        """What is to be split now: nothing, until the end of the pending message is there."""
        pending = self._pending
        end = pending.find(_END, max(0, self._append(data) - len(_END) + 1))
        if end < 0:
            self._bound()
            return b""
        if self._skipping:
            self._skipping = False
            del pending[: end + len(_END)]
        whole = bytes(pending)
        pending.clear()
        return whole

    def _append(self, data: bytes) -> int:
        """Keep `data`; returns how many bytes were kept before it."""
        before = len(self._pending)
        self._pending += data
        return before

    def _bound(self) -> None:
        """Stop keeping a message that is too long already; its end is still looked for."""
        tail = len(_END) - 1
        if not self._skipping and len(self._pending) > self._max_message + tail:
            self._skipping = True
            self.counts.oversize += 1
        if self._skipping:
            del self._pending[:-tail]

    def _read_all(self, blocks: list[bytes]) -> list[Message]:
        messages: list[Message] = []
        say, only = self._say, self._only
        for block in blocks:
            if len(block) > self._max_line and self._too_long(block):
                self.counts.oversize += 1
                continue
            if only is not None and self._is_idle(block, only):
                continue
            lines = block.split(b"\r\n")
            try:
                keys = dict(map(say, lines))
            except ValueError:  # a line without ": ", or bytes that are no text
                self._read_slowly(lines, messages)
                continue
            # Nothing repeated and an event: the road of nearly all messages.
            if len(keys) == len(lines) and block.startswith(b"Event: "):
                event = Event(keys.pop("Event"), keys)
                if b"\\" in block:
                    _unescape_names(event)
                messages.append(event)
            else:
                self._read_slowly(lines, messages)
        self.counts.messages += len(messages)
        return messages

    def _is_idle(self, block: bytes, only: frozenset[bytes]) -> bool:
        """Whether it is an event that nobody asked for; its name is noted then."""
        if not block.startswith(b"Event: "):
            return False
        end = block.find(b"\r\n")
        name = block[7:end] if end >= 0 else block[7:]
        if name in only or b"\r\nActionID: " in block:
            return False
        self.unread.append(name.decode(errors="backslashreplace"))
        return True

    def _too_long(self, block: bytes) -> bool:
        return len(block) > self._max_message or any(
            len(line) > self._max_line for line in block.split(b"\r\n")
        )

    def _read_slowly(self, raw: list[bytes], messages: list[Message]) -> None:
        """A message with repeats, odd lines, or an answer: the same rules, line by line."""
        lines = self._mend(raw)
        while lines and not lines[0]:
            del lines[0]
        if not lines:
            return
        kind, _, name = lines[0].partition(":")
        kind = kind.strip().lower()
        if kind not in ("event", "response"):
            self.counts.unknown += 1
            return
        keys, follows = self._headers(lines)
        if kind == "response":
            messages.append(Response(name.strip(), keys, follows))
            return
        self.counts.unreadable_lines += len(follows)
        event = Event(name.strip(), keys)
        _unescape_names(event)
        messages.append(event)

    def _mend(self, raw: list[bytes]) -> list[str]:
        """Lines as text; bytes that are none stay readable, in hexadecimal."""
        try:
            return [line.decode() for line in raw]
        except UnicodeDecodeError:
            self.counts.mended += 1
            return [line.decode(errors="backslashreplace") for line in raw]

    def _headers(self, lines: list[str]) -> tuple[dict[str, str | list[str]], list[str]]:
        kind = lines[0].partition(":")[0].strip()
        keys: dict[str, str | list[str]] = {}
        follows: list[str] = []
        for line in lines[1:]:
            key, colon, value = line.partition(": ")
            if not colon:
                key, colon, value = line.partition(":")
            if not colon:
                if line:
                    follows.append(line)
            elif key in keys or key == kind:
                self._repeat(keys, key, value)
            else:
                keys[key] = [value] if key == "Output" else value
        return keys, follows

    def _repeat(self, keys: dict[str, str | list[str]], key: str, value: str) -> None:
        expected = key.endswith(_REPEATABLE)
        if not expected:
            self.counts.repeats += 1
        if key.endswith(_IDENTITY):
            return
        known = keys[key]
        if isinstance(known, list):
            known.append(value)
        else:
            keys[key] = [known, value]


def _unescape_names(event: Event) -> None:
    """Take Asterisk's own C escaping off the display names, once; a caller's backslashes stay."""
    if event.name in _NAMES_AS_THEY_ARE:
        return
    for key, value in event.keys.items():
        if key.endswith(_DISPLAY_NAMES) and "\\" in value:
            event.keys[key] = _ESCAPE.sub(lambda found: _ESCAPED[found.group(1)], value)


def first(value: str | list[str] | None) -> str | None:
    """The value of a header that may have come more than once: its first."""
    return value[0] if isinstance(value, list) else value


def output(response: Response) -> list[str]:
    """The lines a command printed."""
    lines: list[str] = list(response.keys.get("Output", ())) + list(response.follows or ())
    return lines
