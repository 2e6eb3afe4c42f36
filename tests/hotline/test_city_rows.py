"""Loading a city's data: versions stay, a report, cards that follow, services take it over."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from hotline import card_rows, cards, city_desk, city_rows
from hotline.card_rows import CardState
from hotline.city_desk import CityDesk
from hotline.config import Config
from hotline.database import Pool, connected, transaction
from hotline.feed import Feed
from routing import store
from routing.city_files import CityData
from routing.directory import read_city

CITIES = Path(__file__).resolve().parents[2] / "deploy" / "cities"
NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
WATER = "市水务（集团）有限公司"
PATIENCE = 20


@pytest.fixture(scope="module")
def data() -> CityData:
    return read_city(CITIES / "mianyang")


def without_water(data: CityData) -> CityData:
    """The city after its water company was merged away: no unit, no row, no card of it."""
    units = tuple(it for it in data.units.units if it.id != "water")
    kept = tuple(it for it in data.cards.cards if it.unit != "water")
    return data.model_copy(
        update={
            "units": data.units.model_copy(update={"units": units}),
            "catalogue": tuple(it for it in data.catalogue if it.lead != "water"),
            "cards": data.cards.model_copy(update={"cards": kept}),
        }
    )


def with_limit(data: CityData, key: str, limit: str) -> CityData:
    entries = tuple(
        it.model_copy(update={"limit": limit}) if it.id == key else it for it in data.cards.cards
    )
    return data.model_copy(update={"cards": data.cards.model_copy(update={"cards": entries})})


async def load(pool: Pool, data: CityData) -> city_rows.Loaded:
    async with transaction(pool) as tx:
        return await city_rows.load(tx, data, by="admin", at=NOW)


async def test_the_same_data_makes_one_version_and_one_row(pool: Pool, data: CityData) -> None:
    first = await load(pool, data)
    assert (first.number, first.new) == (1, True)
    assert len(first.changes.units.added) > 100
    again = await load(pool, data)
    assert (again.number, again.new) == (1, False)
    rows = await pool.fetch("SELECT event, actor, body FROM journal")
    assert [(row["event"], row["actor"]) for row in rows] == [("city.loaded", "admin")]
    assert json.loads(rows[0]["body"])["changes"]["cards"]["added"] == len(data.cards.cards)
    assert await pool.fetchval("SELECT count(*) FROM card_versions") == len(data.cards.cards)
    async with transaction(pool) as tx:
        assert await city_rows.newest(tx) == (1, data)


async def test_two_loads_at_once_make_one_version_after_the_other(
    pool: Pool, data: CityData
) -> None:
    await asyncio.gather(*(load(pool, data) for _ in range(4)))
    assert await pool.fetchval("SELECT count(*) FROM city_versions") == 1


async def test_an_older_versions_data_is_a_new_version_and_all_stay(
    pool: Pool, data: CityData
) -> None:
    for one in (data, without_water(data), data):
        await load(pool, one)
    async with transaction(pool) as tx:
        versions = await city_rows.listed(tx)
    assert [it.number for it in versions] == [3, 2, 1]
    assert versions[0].fingerprint == versions[2].fingerprint != versions[1].fingerprint
    assert versions[1].report["changes"]["units"]["removed"] == [WATER]
    assert versions[0].report["changes"]["units"]["added"] == [WATER]
    for statement in ("UPDATE city_versions SET city = 'x'", "DELETE FROM card_versions"):
        with pytest.raises(asyncpg.PostgresError, match="stay as they are"):
            await pool.execute(statement)


async def test_open_cases_of_a_removed_unit_are_told(pool: Pool, data: CityData) -> None:
    await load(pool, data)
    async with transaction(pool) as tx:
        for _ in range(3):
            await store.open_draft(tx, call_id=None, line="mayor", owner="1001", now=NOW)
    await pool.execute("UPDATE cases SET unit = $1 WHERE id < 3", WATER)
    await pool.execute("UPDATE cases SET closed_at = $1 WHERE id = 2", NOW)
    loaded = await load(pool, without_water(data))
    assert [(it.id, it.unit) for it in loaded.open_cases] == [(1, WATER)]
    body = json.loads(await pool.fetchval("SELECT body FROM journal ORDER BY id DESC LIMIT 1"))
    assert body["open_cases"] == [loaded.open_cases[0].number]
    assert body["changes"]["catalogue"]["removed"] == 1


async def test_cards_follow_the_folder_and_keep_what_people_changed(
    pool: Pool, data: CityData
) -> None:
    await load(pool, data)
    async with transaction(pool) as tx:
        legal = await card_rows.by_key(tx, "legal-aid")
        assert legal is not None
        better = legal.text.model_copy(update={"limit": "5 日"})
        await cards.change(tx, legal.card_id, 1, better, by="justice", at=NOW)
    await load(pool, with_limit(data, "marriage-registration", "半日"))
    await load(pool, with_limit(without_water(data), "marriage-registration", "半日"))
    async with transaction(pool) as tx:
        found = {
            key: await card_rows.by_key(tx, key)
            for key in ("legal-aid", "marriage-registration", "water-transfer", "minimum-living")
        }
    seen = {k: (v.version, v.state, v.text.limit) for k, v in found.items() if v is not None}
    assert seen["legal-aid"] == (2, CardState.PUBLISHED, "5 日")
    assert seen["marriage-registration"] == (2, CardState.PUBLISHED, "半日")
    assert seen["water-transfer"][:2] == (2, CardState.RETIRED)
    assert seen["minimum-living"][0] == 1
    await load(pool, data)
    async with transaction(pool) as tx:
        back = await card_rows.by_key(tx, "water-transfer")
    assert back is not None
    assert (back.version, back.state) == (3, CardState.PUBLISHED)


async def desk_on(pool: Pool, database: str) -> CityDesk:
    config = Config()
    feed = Feed(pool=pool, connect=lambda: connected(database))
    async with transaction(pool) as tx:
        casework, number = await city_desk.opened(tx, config)
    return CityDesk(casework, number, config=config, pool=pool, feed=feed)


async def test_the_folder_rules_until_something_is_loaded_and_the_database_from_then_on(
    pool: Pool, database: str, data: CityData
) -> None:
    desk = await desk_on(pool, database)
    assert desk.number is None
    assert desk.city.unit(WATER) is not None
    await load(pool, without_water(data))
    later = await desk_on(pool, database)
    assert later.number == 1
    assert later.city.unit(WATER) is None


async def test_a_running_service_takes_a_load_over(
    pool: Pool, database: str, data: CityData
) -> None:
    await load(pool, data)
    desk = await desk_on(pool, database)
    running = [asyncio.create_task(desk._feed.run()), asyncio.create_task(desk.run())]
    try:
        assert desk.suggest("我家停水三天了").unit == WATER
        await load(pool, without_water(data))
        async with asyncio.timeout(PATIENCE):
            while desk.number != 2:
                await pool.fetchval("SELECT 1")
        assert desk.suggest("我家停水三天了").unit != WATER
        assert desk.city.unit(WATER) is None
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def test_data_this_program_cannot_use_changes_nothing_and_is_said_once(
    pool: Pool, database: str, data: CityData, caplog: pytest.LogCaptureFixture
) -> None:
    desk = await desk_on(pool, database)
    bad = data.model_copy(update={"city": data.city.model_copy(update={"policy": "mars-2099"})})
    await load(pool, bad)
    before = desk.casework
    assert not await desk.refresh()
    assert not await desk.refresh()
    assert desk.casework is before
    assert sum("not taken over" in it.message for it in caplog.records) == 1
    await load(pool, data)
    assert await desk.refresh()
    assert desk.number == 2


async def test_an_embedded_database_gets_its_city_at_the_first_start_only(
    pool: Pool, database: str
) -> None:
    async with connected(database) as conn:
        await city_desk.first_load(conn, Config(), NOW)
        await city_desk.first_load(conn, Config(), NOW)
    rows = await pool.fetch("SELECT number, loaded_by FROM city_versions")
    assert [tuple(row) for row in rows] == [(1, "first start")]
