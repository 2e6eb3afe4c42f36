"""Where the exchange sends the sound of one leg: a server that takes each id it gave out once.

    issue(id) -> the exchange connects and names itself -> Tap -> read() until the leg is over

Nothing but the id proves who sends, so it is random, expected for some seconds, and taken once;
the port belongs on the loopback address or in a network of telephony alone. Each tap holds what
was not read yet, up to `LONGEST` seconds; more ends it, because a reader so far behind is of no
use, and the exchange must never wait. Nothing here touches a call or its recording.
"""

import asyncio
import logging
import secrets
from collections import deque
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from telephony.audiosocket import GOODBYE, AudioSocket, Ended, Named, Sound
from telephony.errors import AudioSocketBroken, TapPortTaken
from telephony.timing import Clock, SystemClock

log = logging.getLogger(__name__)

EXPECTED_SECONDS = 10.0
"""How long an id is waited for after it was given out; the exchange connects in milliseconds."""
NAMED_SECONDS = 5.0
"""How long a connection may stay without a name."""
LONGEST = 20.0
"""Seconds of sound a tap holds for its reader."""
_SAMPLE_BYTES = 2


class Tap:
    """The sound of one leg as it comes; `came` is None until the first of it."""

    def __init__(self, tap_id: UUID, *, clock: Clock) -> None:
        self.id = tap_id
        self.rate: int | None = None
        self.came: datetime | None = None
        """When the first sound had come; its first sample was said so much earlier."""
        self.ended = False
        self.overflowed = False
        self._clock = clock
        self._pieces: deque[bytes] = deque()
        self._bytes = 0
        self._stirred = asyncio.Event()
        self._transport: asyncio.Transport | None = None

    @property
    def waiting_seconds(self) -> float:
        """How much sound waits to be read."""
        return self._bytes / (_SAMPLE_BYTES * self.rate) if self.rate else 0.0

    @property
    def connected(self) -> bool:
        """Whether the exchange has come for it."""
        return self._transport is not None

    async def read(self, *, least: float, most: float) -> bytes:
        """Between `least` and `most` seconds of sound; less only at its end, then nothing."""
        while not self.ended and self.waiting_seconds < least:
            await self._stirred.wait()
            self._stirred.clear()
        limit = int(most * (self.rate or 0)) * _SAMPLE_BYTES
        taken = bytearray()
        while self._pieces and len(taken) < limit:
            piece = self._pieces.popleft()
            room = limit - len(taken)
            if len(piece) > room:
                self._pieces.appendleft(piece[room:])
            taken += piece[:room]
        self._bytes -= len(taken)
        return bytes(taken)

    def close(self) -> None:
        """Hang up: the tap's channel ends, the call goes on."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(GOODBYE)
            self._transport.close()
        self.end()

    def begin(self, transport: asyncio.Transport) -> None:
        """The exchange has come."""
        self._transport = transport

    def put(self, sound: Sound) -> None:
        """More sound."""
        if self.ended:
            return
        if self.came is None:
            length = len(sound.pcm) / (_SAMPLE_BYTES * sound.rate)
            self.came = self._clock.now() - timedelta(seconds=length)
        self.rate = sound.rate
        self._pieces.append(sound.pcm)
        self._bytes += len(sound.pcm)
        if self.waiting_seconds > LONGEST:
            self.overflowed = True
            self.close()
        self._stirred.set()

    def end(self) -> None:
        """No more sound will come; what is there can still be read."""
        self.ended = True
        self._stirred.set()


class _Connection(asyncio.Protocol):
    """One connection of the exchange: it names a tap, and then fills it."""

    def __init__(self, server: "TapServer") -> None:
        self._server = server
        self._protocol = AudioSocket()
        self._tap: Tap | None = None
        self._transport: asyncio.Transport | None = None
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._server.open.add(self._transport)
        loop = asyncio.get_running_loop()
        self._patience = loop.call_later(NAMED_SECONDS, self._refuse, "It did not name itself.")

    def data_received(self, data: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        try:
            for said in self._protocol.receive(data):
                self._take(said)
        except AudioSocketBroken as error:
            self._refuse(str(error))

    def _take(self, said: Named | Sound | Ended) -> None:
        if isinstance(said, Named):
            self._name(said.id)
        elif self._tap is not None and isinstance(said, Sound):
            self._tap.put(said)
        elif self._transport is not None:
            self._transport.close()

    def _name(self, tap_id: UUID) -> None:
        self._tap = self._server.expected.pop(tap_id, None)
        if self._tap is None or self._transport is None:
            self._refuse("It named a tap that nobody waits for.")
            return
        if self._patience is not None:
            self._patience.cancel()
        self._tap.begin(self._transport)

    def _refuse(self, why: str) -> None:
        self._server.refused += 1
        log.warning("A connection to the caption port was closed. %s", why)
        if self._transport is not None:
            self._transport.abort()

    def connection_lost(self, _: Exception | None) -> None:
        if self._patience is not None:
            self._patience.cancel()
        if self._transport is not None:
            self._server.open.discard(self._transport)
        if self._tap is not None:
            self._tap.end()


class TapServer:
    """Listens for the exchange; `refused` counts connections that were none of ours."""

    def __init__(self, host: str, port: int = 0, *, clock: Clock | None = None) -> None:
        """Nothing is opened before `start`; a port of 0 takes any free one."""
        self._host, self._port = host, port
        self._clock = clock or SystemClock()
        self._server: asyncio.Server | None = None
        self.expected: dict[UUID, Tap] = {}
        self.open: set[asyncio.Transport] = set()
        self.refused = 0

    async def start(self) -> None:
        """Listen.

        Raises:
            TapPortTaken: another program has the port, or the address is not this machine's.
        """
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(
                lambda: _Connection(self), self._host, self._port
            )
        except OSError as error:
            raise TapPortTaken(
                f"The caption port {self._host}:{self._port} cannot be opened ({error.strerror}): "
                "stop the program that has it, or change captions.host and captions.port."
            ) from error
        self._port = self._server.sockets[0].getsockname()[1]

    @property
    def address(self) -> str:
        """Where the exchange connects to, `host:port`."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{host}:{self._port}"

    def issue(self) -> Tap:
        """A tap that waits for the exchange: it ends when nobody comes for it."""
        tap = Tap(UUID(bytes=secrets.token_bytes(16), version=4), clock=self._clock)
        self.expected[tap.id] = tap
        asyncio.get_running_loop().call_later(EXPECTED_SECONDS, self.withdraw, tap)
        return tap

    def withdraw(self, tap: Tap) -> None:
        """Wait no longer for the exchange; nothing where it has come."""
        if self.expected.pop(tap.id, None) is not None:
            tap.end()

    async def close(self) -> None:
        """End every tap."""
        if self._server is not None:
            self._server.close()
        for tap in list(self.expected.values()):
            self.withdraw(tap)
        for transport in list(self.open):
            transport.write(GOODBYE)
            transport.close()
        if self._server is not None:
            await self._server.wait_closed()
