"""`hotline reconcile`: whatever the files know and we do not is found, put right and shown."""

import asyncio
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from hotline import flow, sealed
from hotline.cli_reconcile import _reconcile as reconcile
from hotline.cli_reconcile import since_when, table
from hotline.config import Config, load
from hotline.database import Pool, transaction
from hotline.errors import ConfigError
from hotline.spool import sweep
from telephony import store
from telephony.calls import Call
from telephony.reconcile import Difference, DifferenceKind
from telephony.recovery import Recovery
from telephony.sealing import KeyFile
from tests.hotline import city
from tests.hotline.story import BEGAN, NOW, SYSTEM, Life, at, call, events, write_wav

LONG_BEFORE = BEGAN - timedelta(days=1)


@pytest.fixture
def here(tmp_path: Path, database: str) -> tuple[city.City, Config]:
    built = city.build(tmp_path, dsn=database, ami_port=1)
    return built, load(built.toml)


async def run(config: Config, since: datetime = LONG_BEFORE) -> list[Difference]:
    done = await reconcile(config, since, NOW)
    return [difference for one in done for difference in one.differences]


def kinds(found: Sequence[Difference]) -> list[DifferenceKind]:
    return [difference.kind for difference in found]


async def count(pool: Pool, what: str = "calls") -> int:
    found: int = await pool.fetchval(f"SELECT count(*) FROM {what}")  # noqa: S608 - ours
    return found


async def test_a_call_that_only_the_files_know_is_stored_and_shown_once(
    here: tuple[city.City, Config], pool: Pool
) -> None:
    built, config = here
    city.leave_call(built, call())
    assert kinds(await run(config)) == [DifferenceKind.MISSING]
    assert await count(pool) == 1
    assert await count(pool, "differences") == 1
    assert await run(config) == []
    assert await count(pool) == 1


async def test_a_call_in_a_rotated_file_that_was_never_read_is_found(
    here: tuple[city.City, Config], pool: Pool
) -> None:
    built, config = here
    city.leave_call(built, call(1))
    await run(config)
    # The file is replaced twice while nobody looks: the one between is never followed.
    built.cel.rename(built.cel.with_name("calls.csv.2"))
    city.leave_call(built, call(2))
    os.utime(built.cel, (BEGAN.timestamp() + 60,) * 2)
    built.cel.rename(built.cel.with_name("calls.csv.1"))
    (built.folder / "calls.csv.2").unlink()
    city.leave_call(built, call(3))
    await run(config)
    assert [row["id"] for row in await pool.fetch("SELECT id FROM calls ORDER BY id")] == [1, 2, 3]
    assert await run(config) == []


async def test_a_torn_last_line_waits_for_its_end(
    here: tuple[city.City, Config], pool: Pool
) -> None:
    built, config = here
    city.leave_call(built, call())
    whole = built.cel.read_bytes()
    built.cel.write_bytes(whole[:-40])
    await run(config)
    built.cel.write_bytes(whole)
    await run(config)
    assert await count(pool) == 1
    assert (await pool.fetchval("SELECT outcome FROM calls")) == "answered"


async def test_a_wrong_stored_call_is_put_right(here: tuple[city.City, Config], pool: Pool) -> None:
    built, config = here
    city.leave_call(built, call())
    await run(config)
    await pool.execute(
        """UPDATE calls SET operator = '1009', started_at = started_at - interval '1h',
                  talk_ended_at = talk_ended_at + interval '10s'"""
    )
    found = await run(config)
    assert sorted(kinds(found)) == [
        DifferenceKind.OPERATOR,
        DifferenceKind.STARTED_AT,
        DifferenceKind.TALK_ENDED_AT,
    ]
    assert all(difference.repaired for difference in found)
    assert await pool.fetchval("SELECT operator FROM calls") == "1001"
    shown = "\n".join(table(found))
    assert "1009" in shown
    assert "operator: 1" in shown
    assert "1381234" not in shown


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "5", "h"])
def test_a_time_that_is_none_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(ConfigError, match="is no time"):
        since_when(text, NOW)


def test_times_can_be_told_in_three_ways() -> None:
    assert since_when("90m", NOW) == NOW - timedelta(minutes=90)
    assert since_when("2026-11-23T08:00+08:00", NOW) == datetime(2026, 11, 23, tzinfo=UTC)
    assert since_when("2026-11-23", NOW).utcoffset() == timedelta(0)


# ---- recordings ----


def age(paths: Sequence[Path]) -> None:
    for path in paths:
        os.utime(path, (BEGAN.timestamp(),) * 2)


async def swept(pool: Pool, life: Life) -> list[tuple[object, object, bool]]:
    found = await sweep(
        pool, system=SYSTEM, spool=life.spool, sounds=life.sounds, since=LONG_BEFORE, now=NOW
    )
    assert {difference.kind for difference in found} <= {DifferenceKind.RECORDING}
    return [(one.detail["stored"], one.detail["files"], one.repaired) for one in found]


async def states(pool: Pool) -> list[str]:
    rows = await pool.fetch("SELECT leg, state FROM recordings ORDER BY leg")
    return [f"{row['leg']} {row['state']}" for row in rows]


async def test_a_recording_nobody_expected_is_attached_to_its_call(
    pool: Pool, tmp_path: Path
) -> None:
    life, ended = Life(pool, tmp_path), call()
    age(life.record(ended))
    abandoned = call(answered_at=None, operator=None, recordings=(), outcome="abandoned")
    await life.live(abandoned)
    assert await states(pool) == []
    assert await swept(pool, life) == [
        ("orphan", "caller", True),
        ("orphan", "operator", True),
    ]
    await life.work()
    assert await states(pool) == ["caller stored", "operator stored"]
    assert await swept(pool, life) == []
    assert list(life.spool.iterdir()) == []


async def test_a_recording_that_came_too_late_is_taken_in_after_all(
    pool: Pool, tmp_path: Path
) -> None:
    life, ended = Life(pool, tmp_path), call()
    await life.live(ended)
    assert await states(pool) == ["caller missing", "operator missing"]
    age(life.record(ended))
    assert [found[0] for found in await swept(pool, life)] == ["given up", "given up"]
    await life.work()
    assert await states(pool) == ["caller stored", "operator stored"]


async def test_a_stored_recording_left_at_the_exchange_leaves_it(
    pool: Pool, tmp_path: Path
) -> None:
    life, ended = Life(pool, tmp_path), call()
    life.record(ended)
    await life.live(ended)
    age(life.record(ended)[:1])  # as if the process had died before it took them away
    assert [found[0] for found in await swept(pool, life)] == ["left behind"]
    await life.work()
    assert list(life.spool.iterdir()) == []
    assert await states(pool) == ["caller stored", "operator stored"]


async def test_a_recording_of_no_call_is_told_and_never_touched(pool: Pool, tmp_path: Path) -> None:
    life = Life(pool, tmp_path)
    age([write_wav(life.spool / "mianyang-1-1.99-caller.wav"), write_wav(life.spool / "other.wav")])
    for _ in range(2):
        assert await swept(pool, life) == [
            ("no call", "mianyang-1-1.99-caller.wav", False),
            ("no call", "other.wav", False),
        ]
    assert len(list(life.spool.iterdir())) == 2


async def test_a_stored_recording_that_is_gone_from_the_store_is_told(
    pool: Pool, tmp_path: Path
) -> None:
    life, ended = Life(pool, tmp_path), call()
    life.record(ended)
    await life.live(ended)
    (kept,) = life.store.rglob("caller-*.wav")
    kept.unlink()
    assert await swept(pool, life) == [("gone from the store", "caller", False)]


async def test_a_recording_shorter_than_the_talk_is_kept_and_says_so(
    pool: Pool, tmp_path: Path
) -> None:
    life, ended = Life(pool, tmp_path), call()
    life.record(ended, seconds=12.0)
    await life.live(ended)
    reason = await pool.fetchval("SELECT reason FROM recordings WHERE leg = 'caller'")
    assert "12.0 s" in reason
    assert "30.0 s" in reason
    assert await states(pool) == ["caller stored", "operator stored"]


async def test_a_recording_is_held_against_the_talk_and_not_against_the_survey(
    pool: Pool, tmp_path: Path
) -> None:
    life, ended = Life(pool, tmp_path), call(talk_ended_at=at(17), badge="8001")
    life.record(ended, seconds=12.0)
    await life.live(ended)
    assert await pool.fetchval("SELECT reason FROM recordings WHERE leg = 'caller'") is None
    row = await pool.fetchrow("SELECT badge, talk_ended_at, ended_at FROM calls")
    assert row is not None
    assert tuple(row) == ("8001", at(17), at(36))


# ---- numbers without a gap ----


async def test_call_numbers_have_no_gap_whoever_dies_on_the_way(
    database: str, pool: Pool, keys: KeyFile
) -> None:
    """Many writers at once, each killed in a third of its transactions, at another point."""

    async def write(ended: Call, die: int) -> None:
        for attempt in range(3):
            conn = await asyncpg.connect(database)
            try:
                await sealed.teach(conn, keys)
                async with conn.transaction():
                    await store.save(conn, events(ended)[0])
                    if attempt == 0 and die % 3 == 1:
                        conn.terminate()  # killed before the commit
                        raise ConnectionAbortedError  # noqa: TRY301 - the fault itself
                    if attempt == 0 and die % 3 == 2:
                        raise ConnectionAbortedError  # noqa: TRY301 - rolled back
            except (ConnectionAbortedError, asyncpg.PostgresError, asyncpg.InterfaceError):
                continue
            else:
                return
            finally:
                conn.terminate()
        raise AssertionError("three attempts were not enough")

    calls = [call(n) for n in range(1, 41)]
    for start in range(0, len(calls), 8):
        await asyncio.gather(
            *(write(ended, n) for n, ended in enumerate(calls[start : start + 8])),
            *(write(ended, 0) for ended in calls[start : start + 8]),  # told twice at once
        )
    ids = [row["id"] for row in await pool.fetch("SELECT id FROM calls ORDER BY id")]
    assert ids == list(range(1, 41))
    assert await pool.fetchval("SELECT last FROM call_counter") == 40


async def test_facts_that_were_compared_are_forgotten_and_calls_are_not(
    here: tuple[city.City, Config], pool: Pool
) -> None:
    built, config = here
    city.leave_call(built, call())
    await run(config)
    assert await count(pool, "exchange_facts") > 0
    recovery: Recovery = running_recovery(config, pool)
    assert await recovery.forget(BEGAN - timedelta(days=1)) == 0
    assert await recovery.forget(NOW) > 0
    assert await count(pool, "exchange_facts") == 0
    assert await count(pool) == 1
    assert await run(config) == []  # the files are still there to be read again


def running_recovery(config: Config, pool: Pool) -> Recovery:
    from hotline.exchange import RunningExchange  # noqa: PLC0415

    running = RunningExchange(config.exchanges[0], config=config, pool=pool, clock=lambda: NOW)
    return running.recovery


async def test_an_ended_call_told_twice_by_the_repair_stays_one(pool: Pool) -> None:
    for event in [*events(call()), *events(call())]:
        async with transaction(pool) as tx:
            await flow.call_changed(tx, event)
    assert await count(pool) == 1
