"""What every test may ask for: a migrated database of its own, and the shared test data.

The server is a real embedded PostgreSQL, one for the whole run in a temporary folder. Each test
that asks for `database`, `pool` or `conn` gets a fresh copy of a migrated template.
Connections are plain asyncpg: `jsonb` goes in and comes out as JSON text.
"""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from hotline.database import EmbeddedPostgres, connected, migrate, pooled
from telephony.sealing import KeyFile

_TEMPLATE = "hotline_template"
_FIRST = ("tests/acceptance", "tests/deploy", "tests/telephony", "tests/hotline")
_MEMORY = "/dev/shm"
_ROOM = 4 * 2**30
_numbers = count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where tests run side by side, those of a file stay together, and so do all on one stage.

    What takes long comes first, so that nobody waits for the last one.
    """
    items.sort(key=lambda item: not item.nodeid.startswith(_FIRST))
    for item in items:
        file = item.nodeid.partition("::")[0]
        one_stage = file.startswith("tests/acceptance") and "test_storm" not in file
        item.add_marker(pytest.mark.xdist_group("the stage" if one_stage else file))


def beside(dsn: str, name: str) -> str:
    """The DSN of another database on the same server."""
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{name}"))


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The DSN of a running, empty PostgreSQL that lives as long as the test run.

    Not below pytest's own temporary folder: each pytest that starts makes that one private again,
    and where the tests run as root the server runs as another user. In memory where there is
    room: a database is cloned there in 20 ms, on a disk in up to half a second.
    """
    with tempfile.TemporaryDirectory(
        prefix="hotline-postgres-", dir=_in_memory(), ignore_cleanup_errors=True
    ) as at:
        server = EmbeddedPostgres(Path(at) / "data")
        dsn = server.start()
        try:
            asyncio.run(_hurry(dsn))
            yield dsn
        finally:
            server.stop()


def _in_memory() -> str | None:
    try:
        free = shutil.disk_usage(_MEMORY).free
    except OSError:
        return None
    return _MEMORY if free > _ROOM else None


async def _hurry(dsn: str) -> None:
    """Skip the waits for the disk: nothing in a test run must survive a power cut."""
    async with connected(dsn) as conn:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            await conn.execute(f"ALTER SYSTEM SET {setting} = off")
        await conn.execute("SELECT pg_reload_conf()")


@pytest.fixture(scope="session")
def template(postgres: str) -> str:
    """The name of a migrated database that tests are cloned from."""

    async def build() -> None:
        async with connected(postgres) as conn:
            await conn.execute(f"CREATE DATABASE {_TEMPLATE}")
        async with connected(beside(postgres, _TEMPLATE)) as conn:
            await migrate(conn)

    asyncio.run(build())
    return _TEMPLATE


@pytest.fixture
async def database(postgres: str, template: str) -> AsyncIterator[str]:
    """The DSN of a migrated database that no other test sees."""
    name = f"test_{next(_numbers)}"
    async with connected(postgres) as conn:
        await conn.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield beside(postgres, name)
    async with connected(postgres) as conn:
        await conn.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def empty_database(postgres: str) -> AsyncIterator[str]:
    """The DSN of a database without any table."""
    name = f"empty_{next(_numbers)}"
    async with connected(postgres) as conn:
        await conn.execute(f"CREATE DATABASE {name}")
    yield beside(postgres, name)
    async with connected(postgres) as conn:
        await conn.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def keys(tmp_path: Path) -> KeyFile:
    """Identity keys where a service with `tmp_path` for its data folder looks for them."""
    return KeyFile(tmp_path / "identity.keys")


@pytest.fixture
async def pool(database: str, keys: KeyFile) -> AsyncIterator["asyncpg.Pool[asyncpg.Record]"]:
    """A pool on this test's own migrated database."""
    async with pooled(database, size=8, keys=keys) as opened:
        yield opened


@pytest.fixture
async def conn(database: str, keys: KeyFile) -> AsyncIterator[asyncpg.Connection]:
    """One connection to this test's own migrated database."""
    async with connected(database, keys) as opened:
        yield opened


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of scripted calls and labelled messages; skips where it is not present."""
    given = os.environ.get("HOTLINE_SHARED_DATA")
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(given) if given else beside
    if not folder.is_dir():
        pytest.skip(f"no test data in {folder} (HOTLINE_SHARED_DATA names the folder)")
    return folder
