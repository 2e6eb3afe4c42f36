"""Whatever somebody does to the journal past the service is found, and named."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from hotline import audit, flow, journal
from hotline.chain import Head, heads_in, written
from hotline.database import connected, migrate, migrations
from hotline.journal import Event
from routing import store
from routing.cases import Move
from tests.routing.life import LIMITS, TO_AUDIT, data_of, maker_of

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
CHAIN = 11
PATH = (*TO_AUDIT, Move.APPROVE, Move.CLOSE, Move.REOPEN)


async def live(conn: asyncpg.Connection, path: tuple[Move, ...] = PATH) -> int:
    """A case with its journal, each step in a transaction of its own."""
    async with conn.transaction():
        drafted = await store.open_draft(conn, call_id=None, line="mayor", owner="1001", now=NOON)
        case = drafted.case
        await journal.write(
            conn,
            at=NOON,
            actor="1001",
            event=Event.CASE_DRAFTED,
            case_id=case.id,
            body=drafted.body,
        )
    for minute, move in enumerate(path, start=1):
        at = NOON + timedelta(minutes=minute)
        more = {"summary": "路灯坏了三天，“急”"} if move is Move.OPEN else {}
        async with conn.transaction():
            moved = await flow.case_moved(
                conn,
                case.id,
                move=move,
                actor=maker_of(move, case),
                now=at,
                data=data_of(move, at, **more),
                limits=LIMITS,
            )
        case = moved.after
    return case.id


@pytest.fixture
async def told(conn: asyncpg.Connection) -> asyncpg.Connection:
    """A journal of two cases whose guards a superuser has switched off."""
    await live(conn)
    await live(conn, PATH[:3])
    await conn.execute("ALTER TABLE journal DISABLE TRIGGER USER")
    return conn


async def fault(conn: asyncpg.Connection, anchors: dict[int, Head] | None = None) -> str:
    report = await audit.verify(conn, anchors)
    assert report.fault is not None
    return report.fault


async def test_what_the_service_writes_holds(conn: asyncpg.Connection) -> None:
    await live(conn)
    report = await audit.verify(conn)
    assert report.fault is None
    assert (report.head.rows, report.cases, report.erased) == (len(PATH) + 1, 1, 0)
    assert report.texts > 0


@pytest.mark.parametrize(
    "change",
    [
        'body = body || \'{"unit": "市公安局"}\'',
        "at = at + interval '1 microsecond'",
        "actor = '1003'",
        "event = 'case.signed'",
        "case_id = NULL",
        "hash = sha256(hash)",
        "prev = sha256(prev)",
    ],
)
async def test_a_changed_row_is_named(told: asyncpg.Connection, change: str) -> None:
    await told.execute(f"UPDATE journal SET {change} WHERE id = 5")  # noqa: S608 - a test's own words
    assert "row 5 was changed" in await fault(told)


async def test_a_changed_row_that_was_hashed_anew_is_found(told: asyncpg.Connection) -> None:
    await told.execute("UPDATE journal SET actor = '1003' WHERE id = 5")
    await told.execute("UPDATE journal j SET hash = journal_hash(j) WHERE id = 5")
    assert "row 5 was changed and hashed anew" in await fault(told)


@pytest.mark.parametrize("row", [1, 5])
async def test_a_removed_row_is_found(told: asyncpg.Connection, row: int) -> None:
    await told.execute("DELETE FROM journal WHERE id = $1", row)
    said = await fault(told)
    assert f"between row {row - 1} and row {row + 1} a row was removed" in said


async def test_removed_last_rows_are_found(told: asyncpg.Connection) -> None:
    last = await told.fetchval("SELECT max(id) FROM journal")
    await told.execute("DELETE FROM journal WHERE id > $1", last - 2)
    assert f"after row {last - 2}, up to row {last}, rows were removed" in await fault(told)


INSERT = """
    INSERT INTO journal (id, at, actor, event, case_id, prev, hash) OVERRIDING SYSTEM VALUE
    SELECT $1, at, '1003', 'case.signed', case_id, hash, hash FROM journal WHERE id = $2"""


async def test_an_inserted_row_is_named_even_with_a_hash_of_its_own(
    conn: asyncpg.Connection,
) -> None:
    await live(conn, PATH[:3])
    attempt = conn.transaction()
    await attempt.start()
    gap = await journal.write(conn, at=NOON, actor="1001", event=Event.CALL_STARTED)
    await attempt.rollback()
    await live(conn, PATH[:3])
    assert (await audit.verify(conn)).fault is None
    await conn.execute("ALTER TABLE journal DISABLE TRIGGER USER")
    await conn.execute(INSERT, gap, gap - 1)
    await conn.execute("UPDATE journal j SET hash = journal_hash(j) WHERE id = $1", gap)
    assert f"row {gap} was inserted" in await fault(conn)


async def test_a_row_past_the_head_was_inserted(told: asyncpg.Connection) -> None:
    last = await told.fetchval("SELECT max(id) FROM journal")
    await told.execute(INSERT, last + 1, last)
    await told.execute("UPDATE journal j SET hash = journal_hash(j) WHERE id = $1", last + 1)
    assert f"row {last + 1} was inserted past the head" in await fault(told)


async def _chain_again(conn: asyncpg.Connection) -> None:
    """What a superuser can do: hash every row anew, and the head."""
    await conn.execute(
        "UPDATE journal_head SET id = 0, rows = 0, hash = decode(repeat('00', 32), 'hex')"
    )
    for row in await conn.fetch("SELECT id FROM journal ORDER BY id"):
        await conn.execute(
            "UPDATE journal SET prev = (SELECT hash FROM journal_head) WHERE id = $1", row["id"]
        )
        await conn.execute("UPDATE journal j SET hash = journal_hash(j) WHERE id = $1", row["id"])
        await conn.execute(
            """UPDATE journal_head SET id = j.id, rows = rows + 1, hash = j.hash
                 FROM journal j WHERE j.id = $1""",
            row["id"],
        )


async def test_a_journal_written_anew_does_not_fit_a_head_kept_elsewhere(
    told: asyncpg.Connection,
) -> None:
    head = await audit.head_of(told)
    anchors = heads_in(written(head, NOON))
    assert anchors == {head.id: head}
    assert (await audit.verify(told, anchors)).fault is None
    await told.execute("UPDATE journal SET actor = '1003' WHERE id = 5")
    await _chain_again(told)
    assert (await audit.verify(told)).fault is None
    assert "not the chain that was written down" in await fault(told, anchors)


async def test_a_case_changed_past_the_journal_is_named_with_what_changed(
    conn: asyncpg.Connection,
) -> None:
    case_id = await live(conn, PATH[:3])
    number = (await store.get(conn, case_id)).number
    await conn.execute("UPDATE cases SET due_at = due_at + interval '3 days'")
    assert await fault(conn) == (
        f"Case {number} is not what its journal made it: due_at changed past the journal."
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE case_texts SET text = '没有修好' WHERE sort = 'reply'", "was changed after"),
        ("DELETE FROM case_texts WHERE sort = 'reply'", "gone without a trace"),
        (
            """INSERT INTO case_texts (case_id, at, actor, move, sort, text, salt, digest)
               SELECT id, now(), 'x', 'answer', 'reply', '已修好', '\\x00', 'x' FROM cases""",
            "does not know of",
        ),
    ],
)
async def test_a_text_changed_removed_or_put_in_is_found(
    conn: asyncpg.Connection, change: str, said: str
) -> None:
    await live(conn)
    await conn.execute(change)
    assert said in await fault(conn)


async def test_an_erased_text_is_no_fault_and_leaves_no_trace(conn: asyncpg.Connection) -> None:
    case_id = await live(conn)
    await conn.execute("UPDATE case_texts SET text = NULL, erased_at = now()")
    await conn.execute("UPDATE cases SET summary = NULL")
    report = await audit.verify(conn)
    assert report.fault is None
    assert report.erased == report.texts > 0
    assert (await store.get(conn, case_id)).summary is None


async def test_rows_from_before_the_chain_are_chained_in_their_order(
    empty_database: str,
) -> None:
    async with connected(empty_database) as conn:
        await migrate(conn, known=[one for one in migrations() if one.number < CHAIN])
        for n in range(7):
            await journal.write(
                conn, at=NOON, actor="1001", event=Event.CALL_STARTED, body={"呼叫": n, "x": 1.5}
            )
        await migrate(conn)
        assert (await audit.verify(conn)).head.rows == 7
        assert (await audit.verify(conn)).fault is None
        await conn.execute("ALTER TABLE journal DISABLE TRIGGER USER")
        await conn.execute("UPDATE journal SET body = '{}' WHERE id = 3")
        assert "row 3 was changed" in await fault(conn)


async def test_many_rows_of_one_statement_are_chained_one_by_one(conn: asyncpg.Connection) -> None:
    await conn.execute(
        """INSERT INTO journal (at, actor, event, body)
           SELECT now(), 'service', 'call.started', jsonb_build_object('n', n)
             FROM generate_series(1, 50) n"""
    )
    report = await audit.verify(conn)
    assert (report.fault, report.head.rows) == (None, 50)


def test_a_file_of_heads_with_a_strange_line_says_which(tmp_path: Path) -> None:
    file = tmp_path / "heads"
    file.write_text("yesterday 12\n")
    with pytest.raises(ValueError, match="yesterday"):
        heads_in(file.read_text())
