"""Likeness and bursts over a real database: each word counted once, each burst raised once."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from hotline import burst_rows, bursts, likeness, likeness_rows
from hotline.database import Connection, Pool, borrowed, transaction
from hotline.errors import BurstAcknowledgedError, BurstUnknownError
from hotline.likeness import LikenessDesk
from routing import store
from routing.likeness import ALIKE

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
WATER = (
    "跃进路阳光花园停水一整天了，跃进路阳光花园三栋没有水",
    "我住跃进路阳光花园，从昨天晚上开始停水，没有通知",
    "阳光花园小区停水，物业说跃进路的水管爆了",
    "跃进路水管破裂，阳光花园停水，老人没法做饭",
    "请问跃进路阳光花园什么时候来水，停水太久了",
    "阳光花园停水，跃进路在挖水管",
)
OTHERS = (
    "幼儿园收费太高，要求退还伙食费",
    "公积金提取需要哪些材料",
    "楼下麻将馆半夜还在营业，噪音扰民",
    "出租车司机拒载并且态度恶劣",
    "医保报销比例怎么算，外地就医",
)


@dataclass
class Clock:
    at: datetime = NOON

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def desk(pool: Pool, clock: Clock) -> LikenessDesk:
    return LikenessDesk(pool=pool, clock=clock, every=0.01)


async def said(
    pool: Pool, words: str, at: datetime, *, area: str | None = "涪城区", level1: str = "城乡建设"
) -> int:
    """A case of which somebody wrote down these words."""
    async with transaction(pool) as tx:
        drafted = await store.open_draft(tx, call_id=None, line="mayor", owner="1001", now=at)
        await tx.execute(
            "UPDATE cases SET summary = $2, area = $3, level1 = $4 WHERE id = $1",
            *(drafted.case.id, words, area, level1),
        )
    return drafted.case.id


async def alike(pool: Pool, case_id: int) -> list[int]:
    async with borrowed(pool) as conn:
        asked = await likeness_rows.asked(conn, await likeness_rows.words_of(conn, case_id))
        near = await likeness_rows.near(
            conn, asked, beside=case_id, since=NOON - timedelta(days=60), least=ALIKE
        )
    return [one.case_id for one in near]


async def raised(pool: Pool) -> list[burst_rows.Burst]:
    async with borrowed(pool) as conn:
        return await burst_rows.listed(conn, live=False)


async def told(pool: Pool) -> list[tuple[str, dict[str, object]]]:
    async with borrowed(pool) as conn:
        rows = await conn.fetch(
            "SELECT event, body FROM journal WHERE event LIKE 'burst.%' ORDER BY id"
        )
    return [(row["event"], json.loads(row["body"])) for row in rows]


async def test_what_says_the_same_is_found_and_what_does_not_is_not(
    pool: Pool, desk: LikenessDesk
) -> None:
    other = [await said(pool, words, NOON) for words in OTHERS]
    water = [await said(pool, words, NOON - timedelta(days=n)) for n, words in enumerate(WATER)]
    assert await desk.look() == len(OTHERS) + len(WATER)
    assert await desk.look() == 0
    assert set(await alike(pool, water[0])) == set(water[1:])
    assert await alike(pool, other[0]) == []


async def test_words_are_counted_once_however_often_they_are_read(
    pool: Pool, desk: LikenessDesk
) -> None:
    case_id = await said(pool, WATER[0], NOON)
    await desk.look()
    async with transaction(pool) as tx:
        before = await tx.fetch("SELECT * FROM mark_counts ORDER BY mark")
        await tx.execute("UPDATE cases SET area = '游仙区' WHERE id = $1", case_id)
    assert await desk.look() == 1
    async with borrowed(pool) as conn:
        assert await conn.fetch("SELECT * FROM mark_counts ORDER BY mark") == before
        assert await conn.fetchval("SELECT cases FROM mark_total") == 1


async def test_erased_words_leave_no_marks(pool: Pool, desk: LikenessDesk) -> None:
    case_id = await said(pool, WATER[0], NOON)
    await desk.look()
    async with transaction(pool) as tx:
        await tx.execute("UPDATE cases SET summary = NULL WHERE id = $1", case_id)
    await desk.look()
    async with borrowed(pool) as conn:
        assert await conn.fetchval("SELECT count(*) FROM case_marks") == 0


async def test_a_case_that_changes_while_it_is_read_is_read_again(
    pool: Pool, desk: LikenessDesk
) -> None:
    case_id = await said(pool, WATER[0], NOON)
    async with borrowed(pool) as conn:
        looks = await likeness_rows.waiting(conn, 10)
    async with transaction(pool) as tx:
        await tx.execute("UPDATE cases SET summary = $2 WHERE id = $1", case_id, OTHERS[0])
    async with transaction(pool) as tx:
        await likeness_rows.looked(tx, looks)
    assert await desk.look() == 1


async def test_a_burst_is_raised_once_grows_and_ends_by_itself(
    pool: Pool, desk: LikenessDesk, clock: Clock
) -> None:
    for n, words in enumerate(OTHERS):
        await said(pool, words, NOON - timedelta(days=n + 1))
    ids = []
    for n, words in enumerate(WATER):
        clock.at = NOON + timedelta(minutes=5 * n)
        ids.append(await said(pool, words, clock.at))
        await desk.look()
    [burst] = await raised(pool)
    assert (burst.sort, burst.area, burst.raised_with, burst.first_case) == (
        *("alike", "涪城区", 4, ids[0]),
    )
    async with borrowed(pool) as conn:
        assert (await burst_rows.cases_of(conn, [burst.id]))[burst.id] == ids
    assert await desk.end() == 0
    clock.at += timedelta(minutes=61)
    assert await desk.end() == 1
    assert await desk.end() == 0
    assert [event for event, _ in await told(pool)] == ["burst.raised", "burst.ended"]
    assert (await told(pool))[0][1]["cases"] == 4


async def test_the_same_words_in_different_areas_are_no_burst(
    pool: Pool, desk: LikenessDesk
) -> None:
    areas = ("涪城区", "游仙区", "安州区")
    for n, words in enumerate(WATER):
        await said(pool, words, NOON + timedelta(minutes=n), area=areas[n % 3])
    await desk.look()
    assert await raised(pool) == []


async def test_many_of_a_category_are_a_burst_even_if_no_word_is_the_same(
    pool: Pool, desk: LikenessDesk
) -> None:
    words = [chr(0x4E00 + 40 * n) * 9 for n in range(9)]
    for n, one in enumerate(words):
        await said(pool, one, NOON + timedelta(minutes=n))
    await desk.look()
    [burst] = await raised(pool)
    assert (burst.sort, burst.raised_with, burst.level1) == ("category", 8, "城乡建设")
    async with borrowed(pool) as conn:
        assert len((await burst_rows.cases_of(conn, [burst.id]))[burst.id]) == 9


class DiedError(Exception):
    """The process was killed here."""


@asynccontextmanager
async def killed_before(pool: Pool) -> AsyncIterator[Connection]:
    async with transaction(pool) as tx:
        yield tx
        raise DiedError


@asynccontextmanager
async def killed_after(pool: Pool) -> AsyncIterator[Connection]:
    async with transaction(pool) as tx:
        yield tx
    raise DiedError


@pytest.mark.parametrize(("killed", "were"), [(killed_before, 0), (killed_after, 1)])
async def test_a_crash_raises_no_burst_twice_and_loses_none(
    pool: Pool,
    desk: LikenessDesk,
    monkeypatch: pytest.MonkeyPatch,
    killed: Callable[[Pool], AbstractAsyncContextManager[Connection]],
    were: int,
) -> None:
    for n, words in enumerate(WATER):
        await said(pool, words, NOON + timedelta(minutes=n))
    with monkeypatch.context() as patch:
        patch.setattr(likeness, "transaction", killed)
        with pytest.raises(DiedError):
            await desk.look()
    assert len(await raised(pool)) == were
    await desk.look()
    assert len(await raised(pool)) == 1
    assert [event for event, _ in await told(pool)] == ["burst.raised"]


async def test_two_readers_count_nothing_twice(pool: Pool, clock: Clock) -> None:
    for n, words in enumerate(WATER):
        await said(pool, words, NOON + timedelta(minutes=n))
    desks = [LikenessDesk(pool=pool, clock=clock, every=0.01) for _ in range(4)]
    await asyncio.gather(*(desk.look() for desk in desks))
    assert len(await raised(pool)) == 1
    async with borrowed(pool) as conn:
        assert await conn.fetchval("SELECT cases FROM mark_total") == len(WATER)


async def test_a_burst_is_acknowledged_by_one_person(
    pool: Pool, desk: LikenessDesk, clock: Clock
) -> None:
    for n, words in enumerate(WATER):
        await said(pool, words, NOON + timedelta(minutes=n))
    await desk.look()
    [burst] = await raised(pool)
    async with transaction(pool) as tx:
        await bursts.acknowledge(tx, burst.id, by="li", now=clock.at)
    with pytest.raises(BurstAcknowledgedError, match="li has"):
        async with transaction(pool) as tx:
            await bursts.acknowledge(tx, burst.id, by="wang", now=clock.at)
    with pytest.raises(BurstUnknownError):
        async with transaction(pool) as tx:
            await bursts.acknowledge(tx, 999, by="wang", now=clock.at)
    assert [event for event, _ in await told(pool)] == ["burst.raised", "burst.acknowledged"]
