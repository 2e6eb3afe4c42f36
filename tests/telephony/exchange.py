"""A small exchange on a local socket that does what a real one does not do on demand.

It drops, stays silent, sends half lines, is slow, is started anew. What it says by itself follows
Asterisk 22: greeting, Challenge, Login, FullyBooted, Ping, and the lists of a snapshot.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from hashlib import md5
from types import TracebackType
from typing import Any, Self

from asterisk.ami.event import Event

from telephony.buffer import Delivery

Headers = dict[str, str]
Answer = Callable[["Peer", Headers], bytes | None]

BANNER = b"Asterisk Call Manager/11.0.0\r\n"
CHALLENGE = "168426532"


def message(*lines: str) -> bytes:
    """Lines as one message of the wire."""
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def event(name: str, **headers: str) -> bytes:
    return message(f"Event: {name}", *(f"{key}: {value}" for key, value in headers.items()))


def success(asked: Headers, *lines: str) -> bytes:
    return message("Response: Success", f"ActionID: {asked['ActionID']}", *lines)


def error(asked: Headers, sentence: str) -> bytes:
    return message("Response: Error", f"ActionID: {asked['ActionID']}", f"Message: {sentence}")


def listing(asked: Headers, complete: str, *items: tuple[str, ...]) -> bytes:
    """A whole list: its start, an event for each item, its end."""
    number = f"ActionID: {asked['ActionID']}"
    start = message("Response: Success", number, "EventList: start", "Message: will follow")
    body = b"".join(message(f"Event: {item[0]}", number, *item[1:]) for item in items)
    end = message(f"Event: {complete}", number, "EventList: Complete", f"ListItems: {len(items)}")
    return start + body + end


async def until(true: Callable[[], bool]) -> None:
    """Come back when it is true; for facts that ring no bell."""
    while not true():  # noqa: ASYNC110 - each look is one turn of the loop, no time passes
        await asyncio.sleep(0)


class Peer:
    """One client that connected."""

    def __init__(self, exchange: ScriptedExchange, writer: asyncio.StreamWriter) -> None:
        self.asked: list[Headers] = []
        self._exchange = exchange
        self._writer = writer
        self._changed = asyncio.Event()

    def send(self, data: bytes) -> None:
        self._writer.write(data)

    def drop(self) -> None:
        """The connection is gone at once."""
        self._writer.transport.abort()

    def hang_up(self) -> None:
        """The connection ends after what has been sent."""
        self._writer.close()

    def heard(self, headers: Headers) -> None:
        self.asked.append(headers)
        self._changed.set()

    def count(self, action: str) -> int:
        return sum(asked["Action"] == action for asked in self.asked)

    async def received(self, action: str, times: int = 1) -> Headers:
        """Wait until the client has asked this so often; returns the last one."""
        while self.count(action) < times:
            self._changed.clear()
            await self._changed.wait()
        return [asked for asked in self.asked if asked["Action"] == action][-1]


class ScriptedExchange:
    """`async with ScriptedExchange() as exchange:` listens on `exchange.port`."""

    def __init__(self, *, banner: bytes = BANNER, tls: ssl.SSLContext | None = None) -> None:
        self.secret = "s3cret"
        self.banner = banner
        self.started = "2026-11-23 08:00:00"
        self.says_booted = True
        self.peers: list[Peer] = []
        self.port = 0
        self.answers: dict[str, Answer] = {
            "Challenge": lambda _, asked: success(asked, f"Challenge: {CHALLENGE}"),
            "Login": self._login,
            "Logoff": lambda _, asked: message(
                "Response: Goodbye", f"ActionID: {asked['ActionID']}"
            ),
            "Ping": lambda _, asked: success(asked, "Ping: Pong"),
            "CoreStatus": self._status,
            "CoreShowChannels": lambda _, asked: listing(asked, "CoreShowChannelsComplete"),
            "Status": lambda _, asked: listing(asked, "StatusComplete"),
            "BridgeList": lambda _, asked: listing(asked, "BridgeListComplete"),
            "BridgeInfo": lambda _, asked: error(asked, "Specified BridgeUniqueid not found"),
            "QueueStatus": lambda _, asked: listing(asked, "QueueStatusComplete"),
        }
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._changed = asyncio.Event()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen, on the port of before if there was one."""
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", self.port, ssl=self._tls
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Nobody listens any more and every client is cut off."""
        if self._server is not None:
            self._server.close()
            for peer in self.peers:
                peer.drop()
            await self._server.wait_closed()
            self._server = None

    async def peer(self, number: int = 1) -> Peer:
        """The client of the so-manieth connection, when it is there."""
        while len(self.peers) < number:
            self._changed.clear()
            await self._changed.wait()
        return self.peers[number - 1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = Peer(self, writer)
        self.peers.append(peer)
        self._changed.set()
        peer.send(self.banner)
        try:
            while True:
                raw = await reader.readuntil(b"\r\n\r\n")
                asked = dict(
                    line.split(": ", 1) for line in raw.decode().split("\r\n") if ": " in line
                )
                peer.heard(asked)
                answer = self.answers.get(asked["Action"])
                if answer is not None and (reply := answer(peer, asked)):
                    peer.send(reply)
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.transport.abort()

    def _login(self, peer: Peer, asked: Headers) -> bytes | None:
        key = md5(f"{CHALLENGE}{self.secret}".encode(), usedforsecurity=False).hexdigest()
        if asked.get("Key") != key and asked.get("Secret") != self.secret:
            peer.send(error(asked, "Authentication failed"))
            peer.hang_up()
            return None
        welcome = success(asked, "Message: Authentication accepted")
        booted = event("FullyBooted", Privilege="system,all", Status="Fully Booted")
        return welcome + booted if self.says_booted else welcome

    def _status(self, _: Peer, asked: Headers) -> bytes:
        date, time = self.started.split()
        return success(asked, f"CoreStartupDate: {date}", f"CoreStartupTime: {time}")


class Listener:
    """A consumer that remembers; `deliver` may be made to raise by `faults`."""

    def __init__(self) -> None:
        self.got: list[Delivery] = []
        self.faults: list[Exception] = []
        self._changed = asyncio.Event()

    def deliver(self, delivery: Delivery) -> None:
        self.got.append(delivery)
        self._changed.set()
        if self.faults:
            raise self.faults.pop(0)

    def kinds(self) -> list[str]:
        """What came: the names of events, the classes of everything else."""
        return [getattr(item, "name", type(item).__name__) for item in self.got]

    def events(self) -> list[Any]:
        """The events among what came."""
        return [item for item in self.got if isinstance(item, Event)]

    def last(self) -> Any:
        """The last that came, whatever it is."""
        return self.got[-1]

    async def until(self, *kinds: str) -> None:
        """Wait until these have come, in any order and each as often as it is named."""
        while any(self.kinds().count(kind) < kinds.count(kind) for kind in kinds):
            self._changed.clear()
            await self._changed.wait()


class ManualClock:
    """Time that passes only when a test says so, so that hours cost nothing and nothing races."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
        self.chance = 0.0
        self.slept: list[float] = []
        self._sleepers: list[tuple[datetime, float, asyncio.Future[None]]] = []
        self._deadlines: list[tuple[datetime, float, asyncio.Timeout]] = []
        self._changed = asyncio.Event()

    def now(self) -> datetime:
        return self.time

    def luck(self) -> float:
        return self.chance

    async def sleep(self, seconds: float) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        sleeper = (self.time + timedelta(seconds=seconds), seconds, future)
        self._sleepers.append(sleeper)
        self.slept.append(seconds)
        self._changed.set()
        try:
            await future
        finally:
            self._sleepers.remove(sleeper)

    def within(self, seconds: float) -> AbstractAsyncContextManager[object]:
        return self._within(seconds)

    @asynccontextmanager
    async def _within(self, seconds: float) -> AsyncIterator[None]:
        async with asyncio.timeout(None) as deadline:
            entry = (self.time + timedelta(seconds=seconds), seconds, deadline)
            self._deadlines.append(entry)
            self._changed.set()
            try:
                yield
            finally:
                self._deadlines.remove(entry)

    async def asleep(self, seconds: float | None = None) -> None:
        """Wait until somebody sleeps, for just so long if it is said."""
        while not any(seconds in (None, s) and not f.done() for _, s, f in self._sleepers):
            self._changed.clear()
            await self._changed.wait()

    async def limited(self, seconds: float) -> None:
        """Wait until something has just so long to be done."""
        while not any(s == seconds for _, s, _ in self._deadlines):
            self._changed.clear()
            await self._changed.wait()

    async def pass_sleep(self, seconds: float) -> None:
        """Wait until somebody sleeps for just so long, and let it pass."""
        await self.asleep(seconds)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)
        for due, _, future in self._sleepers:
            if due <= self.time and not future.done():
                future.set_result(None)
        for due, _, deadline in self._deadlines:
            if due <= self.time and not deadline.expired():
                deadline.reschedule(asyncio.get_running_loop().time())
