"""The screen pop: what the ring of a call tells of its caller's history."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from hotline.database import Pool
from telephony.calls import Call, Outcome
from tests.hotline.story import Life, at, call

LATER = timedelta(hours=1)


def again(number: int, **given: object) -> Call:
    """Another call of the caller of call 1."""
    shift = LATER * number
    times = {
        name: at(seconds) + shift
        for name, seconds in (
            *(("started_at", 0), ("queued_at", 2), ("ringing_at", 3)),
            *(("answered_at", 6), ("ended_at", 36)),
        )
    }
    return call(number, caller_number=call(1).caller_number, **{**times, **given})


async def rung(pool: Pool) -> list[dict[str, Any]]:
    rows = await pool.fetch("SELECT body FROM journal WHERE event = 'call.ringing' ORDER BY id")
    return [json.loads(row["body"])["history"] for row in rows]


async def test_the_ring_tells_earlier_calls_and_open_cases(pool: Pool, tmp_path: Path) -> None:
    life = Life(pool, tmp_path)
    await life.tell(call(1))
    missed = again(2, answered_at=None, operator=None, outcome=Outcome.ABANDONED)
    await life.tell(missed)
    await life.tell(call(9))  # a stranger
    await life.tell(again(3))
    first, second, stranger, third = await rung(pool)
    assert (first["calls"], first["open"], first["open_cases"]) == (0, 0, [])
    assert first == stranger
    assert (second["calls"], second["not_answered"], second["open"]) == (1, 0, 1)
    assert (third["calls"], third["not_answered"], third["open"]) == (2, 1, 1)
    assert third["last_call_at"].startswith("2026-11-23 03:00:00")
    number = await pool.fetchval("SELECT number FROM cases ORDER BY id LIMIT 1")
    assert [one["number"] for one in third["open_cases"]] == [number]
    assert str(call(1).caller_number) not in json.dumps(third)


async def test_closed_cases_are_left_out_and_many_are_cut_short(pool: Pool, tmp_path: Path) -> None:
    life = Life(pool, tmp_path)
    for number in range(1, 8):
        await life.tell(call(1) if number == 1 else again(number))
    await pool.execute("UPDATE cases SET state = 'closed', closed_at = now() WHERE id = 1")
    await life.tell(again(8))
    last = (await rung(pool))[-1]
    assert (last["calls"], last["open"], len(last["open_cases"])) == (7, 6, 5)


async def test_who_hides_the_number_has_no_history(pool: Pool, tmp_path: Path) -> None:
    life = Life(pool, tmp_path)
    await life.tell(call(1, caller_number="", caller_name=""))
    await life.tell(call(2, caller_number="", caller_name=""))
    assert [one["calls"] for one in await rung(pool)] == [0, 0]
