"""Cases from before the journal told every fact: nothing is lost, and their fold begins there."""

import json
from datetime import UTC, datetime, timedelta

import asyncpg

from hotline.database import connected, migrate, migrations
from routing import store, text_store
from routing.cases import CaseState, Outcome, Urgency
from routing.fold import Row, fold

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
BEFORE = 10
OLD = (
    ("draft", None, None, None),
    ("open", "路灯坏了三天", None, None),
    ("dispatched", None, "市水务集团", "case.dispatched"),
    ("closed", None, "市水务集团", "case.closed"),
    ("closed", None, None, "case.closed"),
    ("closed", None, None, "case.withdrawn"),
)


async def old_cases(conn: asyncpg.Connection) -> None:
    for n, (state, summary, unit, event) in enumerate(OLD, start=1):
        dispatched = NOON + timedelta(hours=1) if unit else None
        case_id = await conn.fetchval(
            """INSERT INTO cases (number, line, state, kind, owner, summary, unit, policy,
                                  drafted_at, opened_at, dispatched_at, closed_at)
               VALUES ($1, 'mayor', $2, 'help', '1001', $3, $4, 'sichuan-2025/1', $5, $5, $6, $7)
               RETURNING id""",
            f"20261123-00000{n}-0",
            state,
            summary,
            unit,
            NOON,
            dispatched,
            NOON + timedelta(hours=2) if state == "closed" else None,
        )
        if event:
            await conn.execute(
                "INSERT INTO journal (at, actor, event, case_id) VALUES ($1, '1001', $2, $3)",
                NOON,
                event,
                case_id,
            )
    await conn.execute(
        """INSERT INTO case_texts (case_id, at, actor, move, sort, text)
           VALUES (4, $1, '1002', 'answer', 'reply', '已修好')""",
        NOON,
    )


async def folded(conn: asyncpg.Connection, case_id: int) -> object:
    rows = await conn.fetch("SELECT id, body FROM journal WHERE case_id = $1 ORDER BY id", case_id)
    told = [Row(id=row["id"], case_id=case_id, body=json.loads(row["body"])) for row in rows]
    digests = [it for row in told for it in row.body.get("texts", {}).values()]
    return fold(told, await text_store.by_digest(conn, digests))


async def test_every_old_case_is_carried_over_as_it_stood(empty_database: str) -> None:
    async with connected(empty_database) as conn:
        await migrate(conn, known=[one for one in migrations() if one.number < BEFORE])
        await old_cases(conn)
        await migrate(conn)
        cases = [await store.get(conn, case_id) for case_id in range(1, len(OLD) + 1)]
        assert [case.state for case in cases] == [state for state, *_ in OLD]
        assert [case.outcome for case in cases[3:]] == [
            *(Outcome.HANDLED, Outcome.DIRECT, Outcome.WITHDRAWN)
        ]
        assert cases[2].given_at == cases[2].dispatched_at
        assert {case.urgency for case in cases} == {Urgency.NORMAL}
        for case in cases:
            assert await folded(conn, case.id) == case
        assert cases[1].summary == "路灯坏了三天"
        texts = await text_store.texts_of(conn, 4)
        assert [(it.sort, it.text) for it in texts] == [("reply", "已修好")]
        kept = await conn.fetchval(
            "SELECT body -> 'kept' FROM journal WHERE event = 'case.carried_over' AND case_id = 4"
        )
        digest = await conn.fetchval("SELECT digest FROM case_texts WHERE case_id = 4")
        assert json.loads(kept) == [digest]
        said = " ".join(row["body"] for row in await conn.fetch("SELECT body FROM journal"))
        assert "路灯" not in said
        assert "已修好" not in said


def test_the_states_of_old_are_states_still() -> None:
    assert {state for state, *_ in OLD} < set(CaseState)
