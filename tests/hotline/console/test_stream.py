"""The live feed on a real socket: every journal row once, in order, whatever happens to readers."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import ClientResponse, ClientSession

from hotline import journal
from hotline.console import stream
from hotline.console.desk import DESK
from hotline.database import transaction
from hotline.services import Services
from tests.hotline.console.conftest import NOW, Site

pytestmark = pytest.mark.usefixtures("listening")


async def write(services: Services, count: int = 1, size: int = 0) -> list[int]:
    ids = []
    for _ in range(count):
        async with transaction(services.pool) as tx:
            body = {"reason": "x" * size, "mark": "line\nbreak\u2028here"}
            ids.append(
                await journal.write(tx, at=NOW, actor="1001", event="case.sent_back", body=body)
            )
    return ids


@asynccontextmanager
async def reading(
    visitor: ClientSession, last: str | int | None = None, path: str = "/api/feed"
) -> AsyncIterator[ClientResponse]:
    headers = {} if last is None else {"Last-Event-ID": str(last)}
    async with visitor.get(path, headers=headers) as answer:
        assert answer.status == 200
        assert answer.content_type == "text/event-stream"
        yield answer


async def event(answer: ClientResponse) -> dict[str, str]:
    """The next event as its fields; comments are passed over."""
    async with asyncio.timeout(20):
        while True:
            fields: dict[str, str] = {}
            while (line := (await answer.content.readline()).decode()) not in {"\n", ""}:
                name, _, value = line.rstrip("\n").partition(": ")
                fields[name] = value
            if "data" in fields:
                return fields
            assert line, "the feed ended"


async def entries(answer: ClientResponse, count: int) -> list[int]:
    found = []
    for _ in range(count):
        fields = await event(answer)
        told: dict[str, Any] = json.loads(fields["data"])
        assert fields["id"] == str(told["id"])
        found.append(told["id"])
    return found


async def test_a_new_reader_gets_only_what_is_still_to_come(
    services: Services, visitor: ClientSession
) -> None:
    old = await write(services, 3)
    async with reading(visitor) as answer:
        hello = await event(answer)
        assert (hello["event"], hello["id"]) == ("hello", str(old[-1]))
        new = await write(services, 2)
        assert await entries(answer, 2) == new


async def test_a_row_is_told_at_once_and_on_one_line(
    services: Services, visitor: ClientSession
) -> None:
    async with reading(visitor) as answer:
        await event(answer)
        (written,) = await write(services)
        told = json.loads((await event(answer))["data"])
    assert told == {
        "id": written,
        "at": NOW.isoformat(),
        "actor": "1001",
        "event": "case.sent_back",
        "call_id": None,
        "case_id": None,
        "body": {"reason": "", "mark": "line\nbreak\u2028here"},
    }


async def test_a_reader_that_comes_back_misses_nothing_and_sees_nothing_twice(
    services: Services, site: Site
) -> None:
    """Cut again and again while four writers write at once."""
    writing = asyncio.gather(*(write(services, 25) for _ in range(4)))
    seen: list[int] = []
    while len(seen) < 100:
        async with site.visitor() as visitor, reading(visitor, seen[-1] if seen else 0) as answer:
            await event(answer)
            seen += await entries(answer, min(7, 100 - len(seen)))
    written = sorted(number for numbers in await writing for number in numbers)
    assert seen == written


async def test_the_query_says_the_same_as_the_header_and_the_header_counts_more(
    services: Services, visitor: ClientSession
) -> None:
    ids = await write(services, 4)
    async with reading(visitor, path=f"/api/feed?last={ids[1]}") as answer:
        assert (await event(answer))["event"] == "hello"
        assert await entries(answer, 2) == ids[2:]
    async with reading(visitor, ids[2], path=f"/api/feed?last={ids[0]}") as answer:
        await event(answer)
        assert await entries(answer, 1) == ids[3:]


@pytest.mark.parametrize("last", ["99999999", "999999999999999999"])
async def test_a_reader_from_the_future_is_told_to_load_anew(
    services: Services, visitor: ClientSession, last: str
) -> None:
    ids = await write(services, 2)
    async with reading(visitor, last) as answer:
        first = await event(answer)
        assert (first["event"], first["id"]) == ("reset", str(ids[-1]))


async def test_a_reader_too_far_behind_is_told_to_load_anew(
    services: Services, visitor: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "FARTHEST", 3)
    ids = await write(services, 5)
    async with reading(visitor, ids[0]) as answer:
        assert (await event(answer))["event"] == "reset"
    async with reading(visitor, ids[1]) as answer:
        assert (await event(answer))["event"] == "hello"
        assert await entries(answer, 3) == ids[2:]


@pytest.mark.parametrize("last", ["x", "-1", "٣", "1e3", "9" * 40])
async def test_nonsense_for_a_last_id_begins_anew(
    services: Services, visitor: ClientSession, last: str
) -> None:
    await write(services)
    async with reading(visitor, last) as answer:
        assert (await event(answer))["event"] == "hello"


async def test_a_reader_that_takes_nothing_is_let_go_and_holds_no_memory(
    services: Services, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "PATIENCE", 0.5)
    desk = site.runner.app[DESK]
    address = site.runner.addresses[0]
    reader, writer = await asyncio.open_connection(address[0], address[1], limit=1024)
    writer.write(f"GET /api/feed HTTP/1.1\r\nHost: {address[0]}\r\n\r\n".encode())
    await reader.readuntil(b"event: hello")
    assert len(desk.readers) == 1
    # Far more than the buffers of both sockets hold; the reader reads none of it.
    await write(services, 60, size=200_000)
    async with asyncio.timeout(30):
        while desk.readers:  # noqa: ASYNC110 - a set of open readers has nobody to tell
            await asyncio.sleep(0.05)
    writer.close()
    # Others are served as before.
    async with site.visitor() as visitor, reading(visitor) as answer:
        await event(answer)
        new = await write(services)
        assert await entries(answer, 1) == new


async def test_signs_of_life_come_while_nothing_happens(
    visitor: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "BEAT", 0.05)
    async with reading(visitor) as answer:
        await event(answer)
        async with asyncio.timeout(10):
            assert await answer.content.readline() == b": nothing new\n"


async def test_there_is_a_limit_to_readers(
    site: Site, visitor: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "READERS", 1)
    async with reading(visitor) as answer:
        await event(answer)
        async with site.visitor() as other, other.get("/api/feed") as refused:
            assert refused.status == 503
            assert (await refused.json())["type"] == "too_many_readers"


async def test_the_feed_ends_when_the_service_does(
    services: Services, visitor: ClientSession
) -> None:
    async with reading(visitor) as answer:
        await event(answer)
        services.feed.close()
        async with asyncio.timeout(10):
            assert await answer.content.read() == b""
