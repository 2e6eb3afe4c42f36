"""Connections that show one person's world: what must not be found is not there.

`cases`, `calls` and every table that points at one have a view of the same name in the schema
`sight`, without the rows that `hidden_cases` and `hidden_calls` (migration 0130) name for the
viewer. On a connection lent by `SightedPool` these names mean the views, so that every statement
written for all cases, also one that knows nothing of secrecy, finds, counts, changes and exports
only what the viewer may find. The console serves people on such connections alone; what the
service itself needs to do its work reads the tables.

The views are made from the catalogue after each migration: a new table with a `case_id`, a
`call_id` or a foreign key to either gets its view by itself.
"""

import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import LiteralString, cast

import asyncpg

SCHEMA = "sight"
# An entry of the duty log is of each case that a version of it names. A case may name another one
# that it is the same as (same_as), or that it goes with (lead): that hides no row.
_VIEWS: LiteralString = """
    WITH named AS (
        SELECT a.attrelid AS oid, a.attname,
               CASE WHEN a.attname IN ('call_id', 'again_call_id')
                         OR (c.relname = 'calls' AND a.attname = 'id')
                         OR f.confrelid = 'calls'::regclass THEN 'call'
                    WHEN a.attname IN ('case_id', 'repeat_id')
                         OR (c.relname = 'cases' AND a.attname = 'id')
                         OR f.confrelid = 'cases'::regclass THEN 'case' END AS points_at
          FROM pg_attribute a
          JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p', 'v')
          LEFT JOIN pg_constraint f ON f.conrelid = a.attrelid AND f.contype = 'f'
           AND f.conkey = ARRAY[a.attnum]
         WHERE c.relnamespace = current_schema()::regnamespace AND a.attnum > 0
           AND NOT a.attisdropped
           AND NOT (c.relname = 'cases' AND a.attname IN ('same_as', 'lead')))
    SELECT format('CREATE VIEW sight.%1$I AS SELECT * FROM %2$I.%1$I AS it WHERE %3$s', c.relname,
                  current_schema(),
                  string_agg(format(
                      '(it.%1$I IS NULL OR it.%1$I <> ALL (ARRAY(SELECT %2$I.%3$I('
                      'current_setting(''hotline.viewer'')::jsonb))))', named.attname,
                      current_schema(), 'hidden_' || points_at || 's'),
                      ' AND ' ORDER BY named.attname)
                  || CASE WHEN c.relname <> 'duty_log' THEN '' ELSE
                      ' AND NOT EXISTS (SELECT FROM duty_log_versions v WHERE v.entry_id = it.id'
                      ' AND v.case_id = ANY (ARRAY(SELECT hidden_cases('
                      'current_setting(''hotline.viewer'')::jsonb))))' END)
      FROM named JOIN pg_class c USING (oid)
     WHERE points_at IS NOT NULL
     GROUP BY c.relname ORDER BY c.relname"""
_READY: LiteralString = "SELECT to_regproc('hidden_calls') IS NOT NULL"
_MISSING: LiteralString = "SELECT to_regclass('sight.cases') IS NULL"
# Without the views this fails, rather than show everything.
_SEE: LiteralString = """
    SELECT 'sight.cases'::regclass, set_config('hotline.viewer', $1, false),
           set_config('search_path', 'sight, ' || current_setting('search_path'), false)"""
_SHOWN: LiteralString = """
    SELECT c.relname FROM pg_class c
     WHERE c.relnamespace = 'sight'::regnamespace AND c.relkind = 'v' ORDER BY 1"""


async def take_down(conn: asyncpg.Connection) -> None:
    """Remove the views, so that a migration may change the tables below them."""
    await conn.execute("DROP SCHEMA IF EXISTS sight CASCADE")


async def keep_up(conn: asyncpg.Connection, *, anew: bool) -> None:
    """Make a view for every table that points at a case or a call, if there is none or `anew`.

    A database of before there was anything to hide has none, and nobody is served from it.
    """
    if not await conn.fetchval(_READY) or not (anew or await conn.fetchval(_MISSING)):
        return
    async with conn.transaction():
        await take_down(conn)
        await conn.execute("CREATE SCHEMA sight")
        for row in await conn.fetch(_VIEWS):
            await conn.execute(row[0])


async def shown(conn: asyncpg.Connection) -> frozenset[str]:
    """The tables that have a view."""
    return frozenset(row["relname"] for row in await conn.fetch(_SHOWN))


NOBODY = "{}"
"""Somebody who is nobody: how the figures see the cases."""


def viewer(*, names: frozenset[str], unit: str | None, discipline: bool) -> str:
    """A person as `hidden_cases` wants it."""
    return json.dumps({"names": sorted(names), "unit": unit, "discipline": discipline})


async def see_as(conn: asyncpg.Connection, who: str) -> None:
    """Show a viewer's world on this connection until the pool takes it back (RESET ALL)."""
    await conn.fetchrow(_SEE, who)


class SightedPool:
    """Lends the connections of a pool, each showing only what one viewer may find."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", who: str) -> None:
        """`who` comes from `viewer`."""
        self._pool, self._who = pool, who

    def acquire(self) -> AbstractAsyncContextManager[asyncpg.Connection]:
        """One connection; used like that of the pool."""
        return self._acquire()

    @asynccontextmanager
    async def _acquire(self) -> AsyncIterator[asyncpg.Connection]:
        async with self._pool.acquire() as proxy:
            conn = cast("asyncpg.Connection", proxy)
            await see_as(conn, self._who)
            yield conn


def sighted(pool: "asyncpg.Pool[asyncpg.Record]", who: str) -> "asyncpg.Pool[asyncpg.Record]":
    """The pool for what is served to one viewer; stores take it for what it stands for."""
    return cast("asyncpg.Pool[asyncpg.Record]", SightedPool(pool, who))
