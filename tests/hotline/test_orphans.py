"""A file at the exchange that nobody expects: put with its call where that is sure, else kept."""

import os
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from hotline.cli_reconcile import _reconcile as reconcile
from hotline.cli_reconcile import table
from hotline.config import Config, load
from hotline.database import Pool
from hotline.spool import sweep
from telephony.reconcile import Difference, DifferenceKind
from tests.hotline import city
from tests.hotline.story import BEGAN, NOW, SYSTEM, Life, at, call, write_wav

LONG_BEFORE = BEGAN - timedelta(days=1)
CALL = str(call().key.linked_id)


@pytest.fixture
def here(tmp_path: Path, database: str) -> tuple[city.City, Config]:
    built = city.build(tmp_path, dsn=database, ami_port=1)
    return built, load(built.toml)


async def run(config: Config) -> list[Difference]:
    done = await reconcile(config, LONG_BEFORE, NOW)
    found = [difference for one in done for difference in one.differences]
    return [one for one in found if one.kind is DifferenceKind.RECORDING]


def told(found: Sequence[Difference]) -> list[tuple[object, object, bool]]:
    return [(one.detail["stored"], one.detail["files"], one.repaired) for one in found]


async def known_without_files(built: city.City, config: Config, pool: Pool, log: str) -> None:
    """The call is stored; no row expects a recording, and the spool is empty."""
    built.cel.write_text(log, encoding="utf-8")
    await reconcile(config, LONG_BEFORE, NOW)
    await pool.execute("DELETE FROM recordings")
    assert await pool.fetchval("SELECT count(*) FROM calls") == 1


def lies(built: city.City, name: str, seconds: float = 36) -> Path:
    """A recording in the spool, last written so many seconds after the call began."""
    file = write_wav(built.spool / name)
    os.utime(file, (at(seconds).timestamp(),) * 2)
    return file


async def expected(pool: Pool) -> list[tuple[int, str, str, str]]:
    rows = await pool.fetch(
        "SELECT call_id, leg, state, source_path FROM recordings ORDER BY leg, call_id"
    )
    return [tuple(row) for row in rows]


def without_recording(log: str) -> str:
    """The log as it is where nothing in it tells of a recording."""
    return "".join(row for row in log.splitlines(keepends=True) if '"MixMonitor"' not in row)


async def test_a_file_named_after_another_channel_of_the_call_is_put_with_the_call(
    here: tuple[city.City, Config], pool: Pool
) -> None:
    built, config = here
    await known_without_files(built, config, pool, without_recording(city.cel_rows(call())))
    name = f"{CALL}9-operator.wav"  # the id of the operator's channel
    lies(built, name)
    assert told(await run(config)) == [("orphan", "operator", True)]
    assert await expected(pool) == [(1, "operator", "expected", name)]
    assert told(await run(config)) == []


async def test_a_file_of_any_name_that_the_event_log_tells_of_is_put_with_its_call(
    here: tuple[city.City, Config], pool: Pool
) -> None:
    built, config = here
    log = city.cel_rows(call()).replace(f"r({CALL}-caller.wav)", "r(/var/spool/by-hand.wav)")
    await known_without_files(built, config, pool, log)
    await pool.execute(
        """INSERT INTO recordings (call_id, leg, state, source_path)
           VALUES (1, 'operator', 'missing', 'x.wav')"""
    )
    lies(built, "by-hand.wav")
    assert told(await run(config)) == [("orphan", "caller", True)]
    assert (1, "caller", "expected", "by-hand.wav") in await expected(pool)


async def test_a_file_named_after_a_channel_is_put_with_the_call_it_had_at_that_time(
    here: tuple[city.City, Config], pool: Pool
) -> None:
    built, config = here
    log = without_recording(city.cel_rows(call()))
    await known_without_files(built, config, pool, log)
    lies(built, "rec-PJSIP-1001-00000002.wav")
    assert told(await run(config)) == [("orphan", "operator", True)]
    assert await expected(pool) == [(1, "operator", "expected", "rec-PJSIP-1001-00000002.wav")]


async def test_a_channel_of_another_time_is_nobodys(
    here: tuple[city.City, Config], pool: Pool
) -> None:
    built, config = here
    await known_without_files(built, config, pool, without_recording(city.cel_rows(call())))
    file = lies(built, "rec-PJSIP-1001-00000002.wav", seconds=-60)  # before the channel was
    assert told(await run(config)) == [("no call", file.name, False)]
    assert file.exists()


async def test_a_file_that_could_be_of_two_calls_is_put_with_none(
    here: tuple[city.City, Config], pool: Pool
) -> None:
    built, config = here
    logs = [
        city.cel_rows(call(n)).replace(f"{call(n).key.linked_id}-caller.wav", "same.wav")
        for n in (1, 2)
    ]
    built.cel.write_text("".join(logs), encoding="utf-8")
    await reconcile(config, LONG_BEFORE, NOW)
    lies(built, "same.wav")
    await pool.execute("DELETE FROM recordings")
    found = told(await run(config))
    assert ("no call", "same.wav", False) in found


async def test_a_file_of_no_call_is_listed_each_time_and_kept(
    here: tuple[city.City, Config],
) -> None:
    built, config = here
    files = [lies(built, "mianyang-1-1.99-caller.wav"), lies(built, "13812345678.wav")]
    for _ in range(2):
        found = await run(config)
        assert [one.detail["stored"] for one in found] == ["no call", "no call"]
        shown = "\n".join(table(found))
        assert "mianyang-1-1.99-caller.wav" in shown
        assert "13812345678" not in shown
    assert all(file.exists() for file in files)


async def test_a_second_file_of_a_side_is_listed_and_kept(pool: Pool, tmp_path: Path) -> None:
    life = Life(pool, tmp_path)
    life.record(call())
    await life.live(call())
    await pool.execute("UPDATE recordings SET source_path = 'first.wav' WHERE leg = 'caller'")
    second = write_wav(life.spool / f"{CALL}-caller.wav")
    os.utime(second, (BEGAN.timestamp(),) * 2)
    found = await sweep(
        pool, system=SYSTEM, spool=life.spool, sounds=life.sounds, since=LONG_BEFORE, now=NOW
    )
    assert told(found) == [("a second file of this side", second.name, False)]
    assert second.exists()


async def test_an_orphan_that_a_killed_exchange_left_is_repaired_and_kept(
    pool: Pool, tmp_path: Path
) -> None:
    """Its row was lost, its header has no sizes, and its last second is missing."""
    life, ended = Life(pool, tmp_path), call()
    for file in life.record(ended, seconds=30.0):
        data = bytearray(file.read_bytes())
        data[4:8] = data[40:44] = bytes(4)
        file.write_bytes(data[:-16000])
        os.utime(file, (BEGAN.timestamp(),) * 2)
    await life.tell(ended)
    await pool.execute("DELETE FROM recordings")
    await pool.execute("DELETE FROM pgqueuer")
    found = await sweep(
        pool, system=SYSTEM, spool=life.spool, sounds=life.sounds, since=LONG_BEFORE, now=NOW
    )
    assert told(found) == [("orphan", "caller", True), ("orphan", "operator", True)]
    await life.work()
    rows = await pool.fetch("SELECT state, seconds, reason FROM recordings")
    assert [(row["state"], row["seconds"]) for row in rows] == [("stored", 29.0)] * 2
    assert all("was not closed properly" in row["reason"] for row in rows)
    assert list(life.spool.iterdir()) == []
