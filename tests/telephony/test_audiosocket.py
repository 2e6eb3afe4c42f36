"""AudioSocket without I/O and on a real socket: cut anywhere it reads the same, no stranger."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony import taps
from telephony.audiosocket import (
    DIGIT,
    ERROR,
    GOODBYE,
    HANGUP,
    ID,
    RATES,
    AudioSocket,
    Ended,
    Named,
    Said,
    Sound,
    message,
)
from telephony.errors import AudioSocketBroken, TapPortTaken
from telephony.taps import Tap, TapServer

NAME = uuid.UUID("6f0c6d0a-2c52-4f0f-9c8e-3c1f1f0f9c55")
NAMED = message(ID, NAME.bytes)
TWENTY_MS = bytes(range(256)) + bytes(64)  # 160 samples of 8 kHz
SOUND = message(0x10, TWENTY_MS)

messages = st.lists(
    st.one_of(
        st.binary(max_size=80).map(lambda it: message(0x10, it * 2)),
        st.sampled_from([message(DIGIT, b"5"), message(HANGUP), message(ERROR, b"\x01")]),
        st.binary(max_size=300).map(lambda it: message(0x7E, it)),
    ),
    max_size=12,
)


def read(*pieces: bytes) -> list[Said]:
    protocol = AudioSocket()
    return [said for piece in pieces for said in protocol.receive(piece)]


@given(messages, st.lists(st.integers(0, 3000), max_size=40))
def test_however_it_is_cut_the_same_is_read(told: list[bytes], cuts: list[int]) -> None:
    stream = NAMED + b"".join(told)
    places = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    assert read(*(stream[a:b] for a, b in pairwise(places))) == read(stream)
    sound = b"".join(it.pcm for it in read(stream) if isinstance(it, Sound))
    assert sound == b"".join(it[3:] for it in told if it[0] == 0x10)


@given(st.binary(max_size=400))
def test_garbage_is_refused_or_waits_for_more(garbage: bytes) -> None:
    protocol = AudioSocket()
    said: list[Said] = []
    with suppress(AudioSocketBroken):
        said.extend(protocol.receive(garbage))
    assert not said or isinstance(said[0], Named)


@pytest.mark.parametrize("kind", RATES)
def test_each_type_has_its_rate(kind: int) -> None:
    assert read(NAMED, message(kind, b"\x01\x02")) == [
        Named(id=NAME),
        Sound(pcm=b"\x01\x02", rate=RATES[kind]),
    ]


@pytest.mark.parametrize(
    "told",
    [
        [SOUND],
        [message(ID, b"short")],
        [message(HANGUP)],
        [NAMED, NAMED],
        [NAMED, message(0x10, b"odd")],
        [NAMED, SOUND, message(0x12, TWENTY_MS)],
    ],
    ids=["no name", "short name", "hangup first", "two names", "half a sample", "another rate"],
)
def test_what_is_no_tap_of_ours_is_broken(told: Sequence[bytes]) -> None:
    with pytest.raises(AudioSocketBroken):
        read(*told)


def test_the_end_is_told_with_its_code() -> None:
    assert read(NAMED, message(ERROR, b"\x02"), message(HANGUP))[1:] == [
        Ended(code=b"\x02"),
        Ended(),
    ]


@pytest.fixture
async def server() -> AsyncIterator[TapServer]:
    server = TapServer("127.0.0.1")
    await server.start()
    yield server
    await server.close()


async def comes(
    server: TapServer, *told: bytes
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, _, port = server.address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"".join(told))
    await writer.drain()
    return reader, writer


def name(tap: Tap) -> bytes:
    return message(ID, tap.id.bytes)


async def test_a_tap_gives_its_sound_in_pieces_of_the_wanted_length(server: TapServer) -> None:
    tap = server.issue()
    _, writer = await comes(server, name(tap), *[SOUND] * 10)
    async with asyncio.timeout(10):
        first = await tap.read(least=0.1, most=0.1)
        rest = await tap.read(least=0.1, most=5.0)
        writer.write(SOUND + GOODBYE)
        last = await tap.read(least=1.0, most=5.0)
        assert first + rest + last == TWENTY_MS * 11
        assert len(first) == 1600
        assert await tap.read(least=1.0, most=5.0) == b""
    assert tap.ended
    assert tap.came is not None
    writer.close()


async def test_an_id_is_taken_once_and_only_where_it_was_given_out(server: TapServer) -> None:
    tap = server.issue()
    _, mine = await comes(server, name(tap), SOUND)
    await tap.read(least=0.02, most=1.0)
    for stranger in (name(tap), message(ID, NAME.bytes), b"GET / HTTP/1.1\r\n\r\n"):
        reader, writer = await comes(server, stranger, SOUND)
        with suppress(ConnectionError):
            assert await reader.read() == b""
        writer.close()
    assert server.refused == 3
    mine.write(SOUND)
    assert await tap.read(least=0.02, most=1.0) == TWENTY_MS
    mine.close()


async def test_a_tap_nobody_reads_ends_and_the_exchange_is_told(server: TapServer) -> None:
    tap = server.issue()
    reader, writer = await comes(server, name(tap), SOUND * int(taps.LONGEST * 50 + 1))
    async with asyncio.timeout(10):
        assert await reader.readexactly(3) == GOODBYE
    assert tap.overflowed
    writer.close()


async def test_nobody_comes_for_it(server: TapServer) -> None:
    tap = server.issue()
    server.withdraw(tap)
    assert await tap.read(least=0.1, most=1.0) == b""


async def test_a_port_that_is_taken_is_one_sentence(server: TapServer) -> None:
    port = int(server.address.rpartition(":")[2])
    with pytest.raises(TapPortTaken, match=r"captions\.port"):
        await TapServer("127.0.0.1", port).start()
