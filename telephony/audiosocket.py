"""The AudioSocket protocol without I/O: bytes of one connection in, what they say out. Pure.

A message is a type (1 byte), a length (2 bytes, big-endian) and so many bytes. The first one names
the connection by a UUID of 16 bytes; then comes sound, signed 16-bit little-endian mono, of a rate
that the type says. Source: https://docs.asterisk.org/Configuration/Channel-Drivers/AudioSocket/ and
res_audiosocket.h of Asterisk 22 (types from 0x11 on since 22.7.0).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from telephony.errors import AudioSocketBroken

HANGUP, ID, DIGIT, ERROR = 0x00, 0x01, 0x03, 0xFF
_RATES = (8000, 12000, 16000, 24000, 32000, 44100, 48000, 96000, 192000)
RATES = dict(enumerate(_RATES, start=0x10))
"""The sample rate by the type of a message."""
GOODBYE = b"\x00\x00\x00"
"""What ends the connection, and with it the channel."""
_HEADER = struct.Struct(">BH")
_ID_BYTES = 16
_SAMPLE_BYTES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Which connection this is; always the first thing that is said."""

    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """Some sound; whole samples of 16 bits."""

    pcm: bytes
    rate: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The channel is gone, or, with a code, the exchange has given up on it."""

    code: bytes | None = None


Said: TypeAlias = Named | Sound | Ended


class AudioSocket:
    """Reads one connection; what is cut anywhere is made whole. Its memory is one message."""

    __slots__ = ("_named", "_rate", "_rest")

    def __init__(self) -> None:
        self._rest = b""
        self._named = False
        self._rate: int | None = None

    def receive(self, data: bytes) -> Iterator[Said]:
        """What these bytes complete, in order; kinds of messages that say nothing are left out.

        Raises:
            AudioSocketBroken: this is no AudioSocket, or not one of ours; read no further.
        """
        self._rest += data
        at = 0
        try:
            while (end := self._end(at)) is not None:
                kind, payload = self._rest[at], self._rest[at + _HEADER.size : end]
                at = end
                if (said := self._said(kind, payload)) is not None:
                    yield said
        finally:
            self._rest = self._rest[at:]

    def _end(self, at: int) -> int | None:
        """Where the message that begins here ends; None while it is not whole."""
        if len(self._rest) - at < _HEADER.size:
            return None
        kind, length = _HEADER.unpack_from(self._rest, at)
        if not self._named and (kind, length) != (ID, _ID_BYTES):
            raise AudioSocketBroken("A connection did not begin with the id of a tap.")
        end = at + _HEADER.size + int(length)
        return end if len(self._rest) >= end else None

    def _said(self, kind: int, payload: bytes) -> Said | None:
        if kind == ID:
            if self._named:
                raise AudioSocketBroken("A connection named itself twice.")
            self._named = True
            return Named(id=UUID(bytes=payload))
        if kind in RATES:
            return self._sound(RATES[kind], payload)
        if kind == HANGUP:
            return Ended()
        return Ended(code=payload) if kind == ERROR else None

    def _sound(self, rate: int, payload: bytes) -> Sound | None:
        if self._rate not in {None, rate} or len(payload) % _SAMPLE_BYTES:
            raise AudioSocketBroken("A connection changed the form of its sound.")
        self._rate = rate
        return Sound(pcm=payload, rate=rate) if payload else None


def message(kind: int, payload: bytes = b"") -> bytes:
    """One message as bytes."""
    return _HEADER.pack(kind, len(payload)) + payload
