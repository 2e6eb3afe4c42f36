"""A process that dies at any statement of a move, and the same request again: done exactly once."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import asyncpg
import pytest

from hotline import audit, flow, journal, once
from hotline.database import Connection, Pool, borrowed
from hotline.errors import KeyReusedError
from hotline.journal import Event
from routing import store
from routing.cases import Move
from tests.hotline.story import Died
from tests.routing.life import LIMITS, TO_AUDIT, TO_UNIT, data_of, maker_of

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
PATHS: tuple[tuple[Move, ...], ...] = (
    (*TO_AUDIT, Move.APPROVE, Move.CALL_BACK_TRIED, Move.REDO, Move.ANSWER, Move.APPROVE),
    (Move.OPEN, Move.CONSULT, Move.COMMENT, Move.CONCLUDE, Move.RAISE_LEVEL, Move.DISPATCH),
    (*TO_UNIT, Move.ADD_HELPER, Move.HELPER_FEEDBACK, Move.ASK_EXTENSION, Move.GRANT_EXTENSION),
    (*TO_UNIT, Move.ASK_RETURN, Move.REFUSE_RETURN, Move.SIGN, Move.HAND_OVER, Move.ACCEPT),
    (*TO_UNIT, Move.ASK_TERMINATION, Move.APPROVE_TERMINATION, Move.ARCHIVE, Move.REOPEN),
)


class Mortal:
    """A connection whose process dies before its statement number `at`."""

    def __init__(self, conn: asyncpg.Connection, at: int) -> None:
        self._conn, self._left = conn, at

    def _lives(self) -> None:
        self._left -= 1
        if self._left == 0:
            raise Died

    async def fetch(self, *args: Any) -> Any:
        self._lives()
        return await self._conn.fetch(*args)

    async def fetchrow(self, *args: Any) -> Any:
        self._lives()
        return await self._conn.fetchrow(*args)

    async def fetchval(self, *args: Any) -> Any:
        self._lives()
        return await self._conn.fetchval(*args)

    async def execute(self, *args: Any) -> Any:
        self._lives()
        return await self._conn.execute(*args)


async def drafted(conn: asyncpg.Connection) -> int:
    found = await store.open_draft(conn, call_id=None, line="mayor", owner="1001", now=NOON)
    await journal.write(
        conn,
        at=NOON,
        actor="1001",
        event=Event.CASE_DRAFTED,
        case_id=found.case.id,
        body=found.body,
    )
    return found.case.id


async def request(
    conn: asyncpg.Connection, case_id: int, move: Move, at: datetime, *, dies: int = 0
) -> None:
    """One request with a key, as the API makes it: one transaction."""
    case = await store.get(conn, case_id)
    tx = cast("Connection", Mortal(conn, dies))
    async with conn.transaction():
        if await once.is_first(tx, "1001", f"{case_id} {at:%H:%M}", move, NOON):
            await flow.case_moved(
                tx,
                case_id,
                move=move,
                actor=maker_of(move, case),
                now=at,
                data=data_of(move, at),
                limits=LIMITS,
            )
            await once.answered(tx, "1001", f"{case_id} {at:%H:%M}", move)


async def counted(conn: asyncpg.Connection) -> tuple[int, ...]:
    tables = ("journal", "case_texts", "case_units", "requests_made")
    return tuple(
        [await conn.fetchval(f"SELECT count(*) FROM {name}") for name in tables]  # noqa: S608 - ours
    )


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path[-1])
async def test_a_death_at_any_statement_and_the_same_request_again(
    conn: asyncpg.Connection, path: tuple[Move, ...]
) -> None:
    case_id = await drafted(conn)
    for minute, move in enumerate(path, start=1):
        at = NOON + timedelta(minutes=minute)
        before, rows = await store.get(conn, case_id), await counted(conn)
        deaths = 0
        while True:
            try:
                await request(conn, case_id, move, at, dies=deaths + 1)
            except Died:
                deaths += 1
                assert await store.get(conn, case_id) == before
                assert await counted(conn) == rows
                continue
            break
        assert deaths > 5  # it died at every statement of the move, and left nothing
        after, rows = await store.get(conn, case_id), await counted(conn)
        assert after.version == before.version + 1
        # The answer was lost after the commit: the client asks again with the same key.
        await request(conn, case_id, move, at)
        assert await store.get(conn, case_id) == after
        assert await counted(conn) == rows
        assert (await audit.verify(conn)).fault is None


async def test_a_key_serves_one_request_of_one_person_for_a_day(conn: asyncpg.Connection) -> None:
    assert await once.is_first(conn, "1001", "k", "a", NOON)
    assert not await once.is_first(conn, "1001", "k", "a", NOON)
    assert await once.is_first(conn, "1002", "k", "b", NOON)
    with pytest.raises(KeyReusedError):
        await once.is_first(conn, "1001", "k", "b", NOON)
    assert await once.is_first(conn, "1001", "k", "b", NOON + once.LASTS)


async def test_a_suggestion_between_two_looks_is_a_conflict_and_never_overwritten(
    pool: Pool,
) -> None:
    async with borrowed(pool) as conn:
        case_id = await drafted(conn)
        seen = await store.get(conn, case_id)
        await conn.execute("UPDATE cases SET version = version + 1 WHERE id = $1", case_id)
        row = await conn.fetchrow(
            store.MOVE, case_id, seen.version, '{"state": "open", "version": 1}'
        )
        assert row is None
