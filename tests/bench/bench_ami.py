"""How fast AMI bytes become events and calls, beside the clients people use, on the same stream.

    .cache/venv/bin/python tests/bench/bench_ami.py [EVENTS] [ROUNDS]

Every contender reads the same synthetic Asterisk-22 stream (`ami_stream.py`) in the same run, one
after the other, several rounds; the best round counts. The measure is events per second of the
contender's own processor time, which noise on a shared machine disturbs least. "over TCP" is a
whole client against a server in a process of its own. A ratio is against panoramisk's whole client.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import multiprocessing
import platform
import socket
import sys
import threading
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # run as a script: the repository's root is not on the path
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from asterisk.ami.client import AMIClient

from telephony.ami import Decoder
from telephony.calls import CallEnded, CallTracker, TrackerRules
from telephony.connection import AmiConnection
from telephony.events import System
from telephony.translation import EVENTS, translate
from tests.bench.ami_stream import GREETING, SYSTEM, chunks, stream

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it is of 2021
    from panoramisk.ami_protocol import AMIProtocol
    from panoramisk.manager import Manager

READ = 65_536
EXCHANGE = System(SYSTEM)
RULES = TrackerRules(
    line_by_number={"12345": "mayor", "2222345": "duty"},
    line_by_queue={"mayor": "mayor", "duty": "duty"},
)
WELCOME = (
    b"Response: Success\r\nActionID: %b\r\nMessage: Authentication accepted\r\n\r\n"
    b"Event: FullyBooted\r\nPrivilege: system,all\r\nStatus: Fully Booted\r\n\r\n"
)
ANSWER = b"Response: Success\r\nActionID: %b\r\nChallenge: 1\r\n\r\n"
EMPTY_LIST = (
    b"Response: Success\r\nActionID: %b\r\nEventList: start\r\n\r\n"
    b"Event: Complete\r\nActionID: %b\r\nEventList: Complete\r\nListItems: 0\r\n\r\n"
)
LISTS = (b"CoreShowChannels", b"Status", b"BridgeList", b"QueueStatus")

LAST = "EndOfStream"
END = f"Event: {LAST}\r\nPrivilege: system,all\r\n\r\n".encode()

Contender = Callable[[bytes], int]


def reference(data: bytes) -> int:
    """Twelve lines of plain Python without any safety: what parsing costs at the least."""
    count, rest = 0, b""
    for chunk in chunks(data, READ):
        *blocks, rest = (rest + chunk).split(b"\r\n\r\n")
        for block in blocks:
            event: dict[str, Any] = {}
            for line in block.split(b"\r\n"):
                raw, _, raw_value = line.partition(b": ")
                key, value = raw.decode(), raw_value.decode("utf-8", "replace")
                if key in event:
                    event[key] = [event[key], value]
                else:
                    event[key] = value
            count += 1
    return count


def ours_parse(data: bytes) -> int:
    """Our decoder with all its checks."""
    decoder = Decoder()
    decoder.feed(GREETING)
    return sum(len(decoder.feed(chunk)) for chunk in chunks(data, READ))


def ours_parse_and_track(data: bytes) -> int:
    """Bytes to calls, every event read: decoder, translation into facts, call tracker."""
    return track(Decoder(), data)


def ours_as_in_service(data: bytes) -> int:
    """Bytes to calls as the service does it: events that can tell no fact are counted, not read."""
    return track(Decoder(only=EVENTS), data)


def track(decoder: Decoder, data: bytes) -> int:
    """How many events came; raises if no call came of them."""
    tracker = CallTracker(RULES)
    decoder.feed(GREETING)
    count = ended = 0
    for chunk in chunks(data, READ):
        now = datetime.now(UTC)
        messages = decoder.feed(chunk)
        count += len(messages) + len(decoder.unread)
        for message in messages:
            fact = translate(message, system=EXCHANGE, received_at=now)
            if fact is not None:
                for told in tracker.observe(fact):
                    ended += isinstance(told, CallEnded)
    if not ended:
        raise RuntimeError("the tracker ended no call: the bench measures nothing")
    return count


def asterisk_ami_listen(data: bytes) -> int:
    """asterisk-ami's own client: its listen loop on a socket that is a list of pieces."""
    seen = 0

    def on_event(**_: Any) -> None:
        nonlocal seen
        seen += 1

    class Pieces:
        """As many bytes a call as the client asks for, and then the end."""

        def __init__(self) -> None:
            self._data = memoryview(GREETING + data)
            self._at = 0

        def recv(self, size: int) -> bytes:
            piece = bytes(self._data[self._at : self._at + size])
            self._at += size
            return piece

        def close(self) -> None:
            """Nothing is open."""

    client = AMIClient()
    client._socket, client.finished = Pieces(), threading.Event()
    client.add_event_listener(on_event)
    client.listen()
    return seen


def panoramisk_dispatch(data: bytes) -> int:
    """panoramisk's protocol and dispatch to one callback for all events, without a socket."""
    seen = 0

    def on_event(*_: Any) -> None:
        nonlocal seen
        seen += 1

    manager = Manager(loop=asyncio.new_event_loop())
    manager.register_event("*", on_event)
    protocol = AMIProtocol()
    protocol.connection_made(None)
    protocol.factory, protocol.config, protocol.encoding = manager, manager.config, "utf8"
    protocol.data_received(GREETING)
    for chunk in chunks(data, READ):
        protocol.data_received(chunk)
    manager.loop.close()
    return seen


def serve(port: socket.socket, data: bytes) -> None:
    """One client after the other: log in, answer a snapshot with empty lists, then the stream."""
    while True:
        client, _ = port.accept()
        with client, suppress(OSError):
            client.sendall(GREETING)
            buffer = b""
            while received := client.recv(4096):
                *blocks, buffer = (buffer + received).split(b"\r\n\r\n")
                for block in blocks:
                    asked = dict(line.split(b": ", 1) for line in block.split(b"\r\n"))
                    client.sendall(answer(asked))
                    # Our client has its snapshot with the queues, panoramisk takes none.
                    plain_login = asked[b"Action"] == b"Login" and b"Key" not in asked
                    if plain_login or asked[b"Action"] == b"QueueStatus":
                        client.sendall(data + END)


def answer(asked: dict[bytes, bytes]) -> bytes:
    """What the exchange says to an action."""
    action, number = asked[b"Action"], asked[b"ActionID"]
    if action == b"Login":
        return WELCOME % number
    return EMPTY_LIST % (number, number) if action in LISTS else ANSWER % number


class Server:
    """The stream over TCP, from a process of its own."""

    def __init__(self, data: bytes) -> None:
        listening = socket.create_server(("127.0.0.1", 0))
        self.port = listening.getsockname()[1]
        context = multiprocessing.get_context("fork")
        self._process = context.Process(target=serve, args=(listening, data), daemon=True)
        self._process.start()
        listening.close()

    def stop(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.join()


def ours_whole(server: Server, expected: int, *, track: bool) -> Contender:
    """Our whole client over TCP, to a consumer that counts, or that translates and tracks."""

    def run(_: bytes) -> int:
        return asyncio.run(_ours_whole(server.port, expected, track=track))

    return run


async def _ours_whole(port: int, expected: int, *, track: bool) -> int:
    done = asyncio.Event()
    tracker = CallTracker(RULES)

    def deliver(delivery: Any) -> None:
        if track and hasattr(delivery, "name"):
            fact = translate(delivery, system=EXCHANGE, received_at=datetime.now(UTC))
            if fact is not None:
                tracker.observe(fact)
        if getattr(delivery, "name", "") == LAST:
            done.set()

    connection = AmiConnection(
        "127.0.0.1",
        port,
        "bench",
        "x",
        system=SYSTEM,
        only={*EVENTS, LAST} if track else None,
        buffer=expected + 10,
    )
    running = asyncio.create_task(connection.run(deliver))
    await done.wait()
    seen = sum(connection.state.events.values()) - 2  # FullyBooted and the last
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    return seen


def panoramisk_whole(server: Server, expected: int) -> Contender:
    """panoramisk's whole client over TCP, to a callback that counts."""

    def run(_: bytes) -> int:
        return asyncio.run(_panoramisk_whole(server.port, expected))

    return run


async def _panoramisk_whole(port: int, expected: int) -> int:
    seen, done = 0, asyncio.Event()

    def on_event(_: Any, event: Any) -> None:
        nonlocal seen
        seen += event["Event"] not in {"FullyBooted", LAST}
        if seen == expected:
            done.set()

    manager = Manager(
        loop=asyncio.get_running_loop(), host="127.0.0.1", port=port, username="bench", secret="x"
    )
    manager.register_event("*", on_event)
    await manager.connect()
    await done.wait()
    manager.close()
    return seen


def measure(
    contenders: dict[str, Contender], data: bytes, expected: int, rounds: int
) -> dict[str, float]:
    """Events per second of processor time, the best of all rounds, by contender."""
    best: dict[str, float] = {}
    for _ in range(rounds):
        for name, contender in contenders.items():
            gc.collect()
            start = time.process_time()
            seen = contender(data)
            spent = time.process_time() - start
            if seen != expected:
                raise RuntimeError(f"{name} saw {seen} events of {expected}")
            best[name] = max(best.get(name, 0.0), expected / spent)
    return best


def main() -> None:
    """Measure all and print the table."""
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 8
    logging.disable(logging.CRITICAL)
    messages = list(stream(events))
    data = b"".join(messages)
    kinds = len({message.split(b"\r\n", 1)[0] for message in messages})
    server = Server(data)
    base, plain = "panoramisk, whole client over TCP", "reference: 12 unsafe lines"
    together, served = "hotline: parse all and track", "hotline: parse and track, as in service"
    try:
        best = measure(
            {
                plain: reference,
                "hotline: parse": ours_parse,
                together: ours_parse_and_track,
                served: ours_as_in_service,
                "hotline, whole client over TCP": ours_whole(server, events, track=False),
                "hotline, whole client over TCP, tracking": ours_whole(server, events, track=True),
                "asterisk-ami: listen loop": asterisk_ami_listen,
                "panoramisk: protocol and dispatch": panoramisk_dispatch,
                base: panoramisk_whole(server, events),
            },
            data,
            events,
            rounds,
        )
    finally:
        server.stop()
    print(f"{events} events of {kinds} kinds, mean {len(data) / events:.0f} bytes; ", end="")
    print(f"Python {platform.python_version()}, best of {rounds} rounds, processor time")
    for name, rate in best.items():
        print(f"{name:<42} {rate:>10,.0f} events/s   RATIO {rate / best[base]:.2f}")
    print(f"parse and track / panoramisk's whole client: {best[served] / best[base]:.2f}, goal 2")
    print(f"parse / 12 unsafe lines: {best['hotline: parse'] / best[plain]:.2f}, goal 0.7")


if __name__ == "__main__":
    main()
