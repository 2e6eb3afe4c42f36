import asyncio
import os
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest
from pgqueuer.queries import Queries

from hotline.database import (
    EmbeddedPostgres,
    Migration,
    connected,
    describe,
    drift,
    migrate,
    migrations,
    pending,
    pooled,
)
from hotline.errors import DatabaseUnavailableError, MigrationRefusedError


async def test_a_fresh_database_gets_every_migration_once(empty_database: str) -> None:
    async with connected(empty_database) as conn:
        assert await migrate(conn) == list(migrations())
        assert await migrate(conn) == []
        assert await pending(conn) == []


async def test_two_programs_started_together_migrate_once(empty_database: str) -> None:
    async def start() -> int:
        async with connected(empty_database) as conn:
            return len(await migrate(conn))

    assert sorted(await asyncio.gather(start(), start())) == [0, len(migrations())]


async def test_the_queue_tables_are_what_the_pinned_installer_wants(
    conn: asyncpg.Connection,
) -> None:
    plan = await Queries.from_asyncpg_connection(conn).plan_upgrade()
    assert list(plan.statements) == []


async def test_a_changed_migration_is_refused_by_name(conn: asyncpg.Connection) -> None:
    first, *rest = migrations()
    changed = [replace(first, sql=first.sql + "-- later thought"), *rest]
    with pytest.raises(MigrationRefusedError, match=r"0001_first_light\.pre\.sql was changed"):
        await migrate(conn, known=changed)


async def test_a_database_of_a_newer_program_is_refused(conn: asyncpg.Connection) -> None:
    later = Migration(number=9000, late=False, name="later", sql="CREATE TABLE later ()")
    await migrate(conn, known=[*migrations(), later])
    with pytest.raises(MigrationRefusedError, match=r"9000_later.*newer version"):
        await pending(conn)


async def test_a_failing_migration_leaves_nothing_and_says_which(conn: asyncpg.Connection) -> None:
    bad = Migration(number=9000, late=False, name="bad", sql="CREATE TABLE half (); SELECT 1/0")
    with pytest.raises(MigrationRefusedError, match=r"9000_bad\.pre\.sql failed.*division by zero"):
        await migrate(conn, known=[*migrations(), bad])
    assert await conn.fetchval("SELECT to_regclass('half')") is None
    assert await migrate(conn) == []


async def test_post_waits_until_it_is_asked_for(conn: asyncpg.Connection) -> None:
    post = Migration(number=9000, late=True, name="tidy", sql="DROP TABLE differences")
    pre = Migration(number=9001, late=False, name="grow", sql="CREATE TABLE more ()")
    known = [*migrations(), post, pre]
    assert await migrate(conn, phases=["pre"], known=known) == [pre]
    assert await migrate(conn, known=known) == [post]


async def test_a_migrated_database_is_what_the_migrations_make(conn: asyncpg.Connection) -> None:
    assert len(await describe(conn)) > 100
    assert await drift(conn) == []
    assert await conn.fetchval("SELECT to_regnamespace('hotline_compared')") is None


async def test_a_change_made_by_hand_is_seen(conn: asyncpg.Connection) -> None:
    await conn.execute("ALTER TABLE calls ALTER COLUMN line DROP NOT NULL")
    await conn.execute("CREATE INDEX mine ON cases (owner)")
    await conn.execute("DROP TRIGGER journal_kept ON journal")
    found = await drift(conn)
    assert found[:2] == [
        "+ column calls.line text",
        "+ index CREATE INDEX mine ON cases USING btree (owner)",
    ]
    assert found[2] == "- column calls.line text not null"
    assert found[3].startswith("- trigger CREATE TRIGGER journal_kept")
    assert len(found) == 4


_SOMEBODY_WAITS = """
    SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database
                    WHERE l.locktype = 'advisory' AND NOT l.granted
                      AND d.datname = current_database())"""


async def test_the_journal_gives_out_ids_in_the_order_of_commits(
    pool: "asyncpg.Pool[asyncpg.Record]",
) -> None:
    write = "INSERT INTO journal (at, actor, event) VALUES (now(), 'test', 'x') RETURNING id"
    async with pool.acquire() as slow, pool.acquire() as quick:
        turn = slow.transaction()
        await turn.start()
        first = await slow.fetchval(write)
        second = asyncio.create_task(quick.fetchval(write))
        # The second writer is seen waiting, so its row cannot be visible before the first.
        async with asyncio.timeout(10):
            while not await pool.fetchval(_SOMEBODY_WAITS):
                assert not second.done()
        await turn.commit()
        assert await second == first + 1


@pytest.mark.parametrize("sql", ["UPDATE journal SET event = 'y'", "DELETE FROM journal"])
async def test_the_journal_only_grows(conn: asyncpg.Connection, sql: str) -> None:
    with pytest.raises(asyncpg.RaiseError, match="only grows"):
        await conn.execute(sql)


async def test_an_unreachable_server_is_one_sentence_without_the_password(tmp_path: Path) -> None:
    dsn = f"postgresql://hotline:geheim@/none?host={tmp_path}"
    with pytest.raises(DatabaseUnavailableError, match="nothing listens there") as raised:
        async with pooled(dsn):
            raise AssertionError
    assert "geheim" not in str(raised.value)


def test_the_embedded_server_comes_back_with_its_data(tmp_path: Path) -> None:
    async def put(dsn: str) -> None:
        async with connected(dsn) as conn:
            await conn.execute("CREATE TABLE kept AS SELECT 42 AS answer")

    async def get(dsn: str) -> int:
        async with connected(dsn) as conn:
            return int(await conn.fetchval("SELECT answer FROM kept"))

    server = EmbeddedPostgres(tmp_path / "pg")
    asyncio.run(put(server.start()))
    server.stop()
    # A reboot may give the recorded pid to another process: here, to this test itself.
    (tmp_path / "pg" / "postmaster.pid").write_text(f"{os.getpid()}\n{tmp_path}\n")
    again = EmbeddedPostgres(tmp_path / "pg")
    try:
        assert asyncio.run(get(again.start())) == 42
    finally:
        again.stop()
