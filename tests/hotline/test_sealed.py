"""Names and numbers in the real database: nothing plain, found again, sealed anew under way."""

import asyncio
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from hotline import notice_rows, sealed
from hotline.database import Pool, connected
from hotline.notice_rows import Channel
from telephony.sealing import KeyFile, SealError, write_keys
from telephony.store import caller_token

NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
NUMBER, NAME = "13890115678", "张三丰"


async def whole_table(database: str) -> str:
    """Everything the database knows of callers, as a thief of its files would see it."""
    async with connected(database) as conn:
        return str(await conn.fetchval("SELECT string_agg(i::text, ' ') FROM identities i"))


async def test_nothing_plain_reaches_the_database(conn: asyncpg.Connection, database: str) -> None:
    await caller_token(conn, NUMBER, NAME, NOW)
    told = await whole_table(database)
    for secret in (NUMBER, NAME, NUMBER.encode().hex(), NAME.encode().hex()):
        assert secret not in told
    row = await conn.fetchrow("SELECT number, name FROM identities")
    assert row is not None
    assert tuple(row) == (NUMBER, NAME)


async def test_a_caller_is_found_again_and_a_name_learnt_later(conn: asyncpg.Connection) -> None:
    first = await caller_token(conn, NUMBER, None, NOW)
    assert await caller_token(conn, NUMBER, NAME, NOW) == first
    assert await conn.fetchval("SELECT name FROM identities") == NAME
    assert await caller_token(conn, "13890115679", None, NOW) != first
    assert await caller_token(conn, "", None, NOW) is None


async def test_two_connections_make_one_caller(pool: Pool) -> None:
    async def meet(_: int) -> object:
        async with pool.acquire() as conn:
            return await caller_token(conn, NUMBER, NAME, NOW)  # type: ignore[arg-type]

    assert len(set(await asyncio.gather(*map(meet, range(20))))) == 1


async def test_without_keys_nothing_is_read_or_written(
    conn: asyncpg.Connection, database: str
) -> None:
    await caller_token(conn, NUMBER, NAME, NOW)
    async with connected(database) as blind:
        assert await blind.fetchval("SELECT count(*) FROM identities") == 1
        with pytest.raises(SealError, match="without the identity keys"):
            await blind.fetchval("SELECT number FROM identities")


async def test_other_keys_are_noticed_before_anything_is_done(
    conn: asyncpg.Connection, database: str, keys: KeyFile, tmp_path: Path
) -> None:
    write_keys(keys.path, keys.ring.with_new_key())
    await caller_token(conn, NUMBER, NAME, NOW)
    stranger = KeyFile(tmp_path / "stranger.keys")
    async with connected(database, stranger) as other:
        with pytest.raises(SealError, match="key 2"):
            await sealed.check_keys(other, stranger.ring)


async def test_callers_of_an_earlier_version_are_sealed_and_stay_who_they_were(
    conn: asyncpg.Connection, database: str
) -> None:
    token = await conn.fetchval(
        "INSERT INTO identities (plain_number, plain_name) VALUES ($1, $2) RETURNING token",
        NUMBER,
        NAME,
    )
    assert await sealed.seal_old(conn) == 1
    assert await sealed.seal_old(conn) == 0
    assert await caller_token(conn, NUMBER, None, NOW) == token
    assert NUMBER not in await whole_table(database)


async def test_keys_change_while_callers_come(
    conn: asyncpg.Connection, keys: KeyFile, database: str
) -> None:
    tokens = [await caller_token(conn, f"1389011{n:04d}", NAME, NOW) for n in range(50)]
    old = keys.ring
    write_keys(keys.path, old.with_new_key())
    coming = [await caller_token(conn, f"1389012{n:04d}", NAME, NOW) for n in range(5)]
    assert await sealed.renew(conn, keys.ring) == 50
    assert await sealed.renew(conn, keys.ring) == 0
    write_keys(keys.path, keys.ring.without_old_keys())
    rows = await conn.fetch("SELECT token, number FROM identities")
    assert {row["token"] for row in rows} == {*tokens, *coming}
    assert all(row["number"].startswith("13890") for row in rows)
    async with connected(database, keys) as fresh:
        assert await caller_token(fresh, "13890110007", None, NOW) == tokens[7]


def hotline(folder: Path, dsn: str, *argv: str) -> subprocess.CompletedProcess[str]:
    (folder / "hotline.toml").write_text(f'database_dsn = "{dsn}"\ndata_dir = "{folder}"\n')
    return subprocess.run(  # noqa: S603 - our own program
        [str(Path(sys.executable).parent / "hotline"), *argv],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


async def test_the_commands_rotate_and_prune_but_not_too_early(
    conn: asyncpg.Connection, keys: KeyFile, database: str, tmp_path: Path
) -> None:
    await caller_token(conn, NUMBER, NAME, NOW)
    done = await asyncio.to_thread(hotline, tmp_path, database, "keys", "rotate")
    assert done.returncode == 0, done.stderr
    assert await conn.fetchval("SELECT number FROM identities") == NUMBER  # the file was followed
    early = await asyncio.to_thread(hotline, tmp_path, database, "keys", "prune")
    assert (early.returncode, "10" in early.stderr) == (1, True)
    old = keys.path.stat().st_mtime - 601
    os.utime(keys.path, (old, old))
    done = await asyncio.to_thread(hotline, tmp_path, database, "keys", "prune")
    assert done.returncode == 0, done.stderr
    assert list(keys.ring.keys) == [2]
    assert await conn.fetchval("SELECT number FROM identities") == NUMBER


async def test_addresses_of_an_earlier_version_are_sealed_once(conn: asyncpg.Connection) -> None:
    await conn.execute(
        "INSERT INTO notice_addresses (holder, channel, plain_address, added_by, added_at)"
        " VALUES ('desk', 'sms', '13866665555', 'test', now()),"
        " ('desk', 'mail', 'lamp@example.org', 'test', now())"
    )
    assert await sealed.seal_old(conn) == 2
    assert await sealed.seal_old(conn) == 0
    rows = await conn.fetch("SELECT address, plain_address FROM notice_addresses ORDER BY id")
    assert [tuple(row) for row in rows] == [("13866665555", None), ("lamp@example.org", None)]
    kept = await notice_rows.keep_address(
        conn, holder="desk", channel=Channel.SMS, address="13866665555", by="x", at=NOW
    )
    assert kept.added_by == "test"  # known by its fingerprint, and kept once
    assert await conn.fetchval("SELECT count(*) FROM notice_addresses") == 2
