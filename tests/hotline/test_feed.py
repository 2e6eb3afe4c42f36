import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import asyncpg
import pytest

from hotline import journal
from hotline.database import Pool, connected, transaction
from hotline.errors import DatabaseUnavailableError
from hotline.feed import Feed
from tests.hotline.story import NOW


async def _write(pool: Pool, times: int = 1) -> list[int]:
    ids = []
    for _ in range(times):
        async with transaction(pool) as tx:
            ids.append(
                await journal.write(tx, at=NOW, actor="test", event="call.started", body={"n": 1})
            )
    return ids


@asynccontextmanager
async def running(pool: Pool, database: str, pids: list[int] | None = None) -> AsyncIterator[Feed]:
    """A feed at work; `pids` takes the server's process of each connection it listens on."""

    @asynccontextmanager
    async def connect() -> AsyncIterator[asyncpg.Connection]:
        async with connected(database) as conn:
            if pids is not None:
                pids.append(conn.get_server_pid())
            yield conn

    feed = Feed(pool=pool, connect=connect)
    task = asyncio.create_task(feed.run(again_after=0.01))
    try:
        yield feed
    finally:
        task.cancel()
        await asyncio.wait({task})


async def _listening(feed: Feed, *, wanted: bool = True) -> None:
    async with asyncio.timeout(10):
        while feed.listening is not wanted:  # noqa: ASYNC110 - each look is one turn of the loop
            await asyncio.sleep(0)


async def _take(feed: Feed, last: int, count: int) -> list[int]:
    found = []
    async with asyncio.timeout(10), aclosing(feed.follow(last, look_every=3600)) as entries:
        async for entry in entries:
            found.append(entry.id)
            if len(found) == count:
                break
    return found


async def test_a_reader_gets_what_it_missed_and_then_what_happens(
    pool: Pool, database: str
) -> None:
    first = await _write(pool, 3)
    async with running(pool, database) as feed:
        await _listening(feed)
        reading = asyncio.create_task(_take(feed, first[0], 4))
        more = await _write(pool, 2)
        assert await reading == [*first[1:], *more]
        assert await feed.last_id() == more[-1]


async def test_many_readers_are_woken_by_one_row(pool: Pool, database: str) -> None:
    async with running(pool, database) as feed:
        await _listening(feed)
        readers = [asyncio.create_task(_take(feed, 0, 1)) for _ in range(20)]
        (row,) = await _write(pool)
        assert await asyncio.gather(*readers) == [[row]] * 20


async def test_the_feed_comes_back_after_its_connection_was_cut(pool: Pool, database: str) -> None:
    pids: list[int] = []
    async with running(pool, database, pids) as feed:
        await _listening(feed)
        await pool.execute("SELECT pg_terminate_backend($1)", pids[0])
        await _listening(feed, wanted=False)
        with pytest.raises(DatabaseUnavailableError):
            await feed.ping()
        await _listening(feed)
        reading = asyncio.create_task(_take(feed, 0, 1))
        assert await _write(pool) == await reading


async def test_a_reader_far_behind_reads_the_journal_and_then_what_is_kept(
    pool: Pool, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hotline.feed.KEPT", 3)
    async with running(pool, database) as feed:
        await _listening(feed)
        first = await _write(pool, 20)
        assert await _take(feed, first[-1] - 1, 1) == [first[-1]]
        assert len(feed._recent) <= 2 * 3 + 1
        assert await _take(feed, 0, 20) == first
        reading = asyncio.create_task(_take(feed, first[4], 17))
        more = await _write(pool, 2)
        assert await reading == [*first[5:], *more]


async def test_readers_who_are_up_to_date_ask_the_database_nothing(
    pool: Pool, database: str
) -> None:
    async with running(pool, database) as feed:
        await _listening(feed)
        feed._pool = None  # type: ignore[assignment]
        readers = [asyncio.create_task(_take(feed, 0, 3)) for _ in range(5)]
        rows = await _write(pool, 3)
        assert await asyncio.gather(*readers) == [rows] * 5


async def test_closing_the_feed_ends_its_readers(pool: Pool, database: str) -> None:
    async with running(pool, database) as feed:
        await _listening(feed)

        async def read_all() -> int:
            return len([entry async for entry in feed.follow(0, look_every=3600)])

        await _write(pool, 2)
        reading = asyncio.create_task(read_all())
        feed.close()
        async with asyncio.timeout(10):
            assert await reading <= 2


async def test_who_is_woken_and_cancelled_at_once_is_cancelled(pool: Pool, database: str) -> None:
    async with running(pool, database) as feed:
        await _listening(feed)
        woken = asyncio.Event()

        async def wait() -> None:
            while True:
                await feed.news(woken, look_every=3600)
                woken.clear()

        waiting = asyncio.create_task(wait())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        woken.set()
        waiting.cancel()
        done, _ = await asyncio.wait({waiting}, timeout=5)
        assert done
        assert waiting.cancelled()


async def test_an_unknown_event_is_refused(pool: Pool) -> None:
    with pytest.raises(ValueError, match="not a valid Event"):
        async with transaction(pool) as tx:
            await journal.write(tx, at=NOW, actor="x", event="call.invented")
