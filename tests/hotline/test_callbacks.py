"""A message becomes a callback and a case; an opinion is kept for good; each once."""

from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from hotline import callbacks, flow
from hotline.callbacks import Result, Tried
from hotline.database import Pool, borrowed, transaction
from hotline.errors import CallbackDoneError, CallbackUnknownError, CallbackUntriedError
from telephony.calls import Call, CallEnded, Outcome, Satisfied, Side, Solved, Survey
from tests.hotline.story import NOW, Life, at, call

OPINION = Survey(solved=Solved.YES, satisfied=Satisfied.NOT_ANSWERED)


def message() -> Call:
    return call(answered_at=None, operator=None, outcome=Outcome.VOICEMAIL, hangup_by=Side.CALLER)


async def _told(pool: Pool) -> list[str]:
    return [row["event"] for row in await pool.fetch("SELECT event FROM journal ORDER BY id")]


async def _end(pool: Pool, ended: Call) -> int:
    async with transaction(pool) as tx:
        assert ended.ended_at is not None
        return await flow.call_changed(tx, CallEnded(call=ended, at=ended.ended_at))


async def test_a_message_is_a_callback_a_case_and_its_words(pool: Pool, tmp_path: Path) -> None:
    life = Life(pool, tmp_path)
    life.record(message())
    await life.tell(message())
    done = await life.work()
    assert done == ["collect_recordings", "transcribe", "route"]  # the caller's words alone
    legs = await pool.fetch("SELECT leg, state FROM transcripts")
    assert [(row["leg"], row["state"]) for row in legs] == [("caller", "done")]
    told = await _told(pool)
    assert told.count("callback.wanted") == 1
    assert told.count("case.drafted") == 1
    assert told[-1] == "case.suggested"
    await _end(pool, message())  # told again, from the files
    assert await _told(pool) == told


async def test_a_callback_is_tried_until_it_is_done_once(pool: Pool) -> None:
    call_id = await _end(pool, message())

    async def settle(result: Tried | Result, actor: str = "1001") -> callbacks.Callback:
        async with transaction(pool) as tx:
            return await flow.callback_settled(tx, call_id, result=result, actor=actor, now=NOW)

    with pytest.raises(CallbackUntriedError):
        await settle(Result.GIVEN_UP)
    assert (await settle(Tried.BUSY)).attempts == 1
    assert (await settle(Tried.NO_ANSWER)).attempts == 2
    async with borrowed(pool) as conn:
        owed = await callbacks.owed(conn, line="mayor", done=False, limit=9)
    assert [(one.call_id, one.attempts, one.last_result) for one in owed] == [
        (call_id, 2, "no_answer")
    ]
    done = await settle(Result.REACHED, "1002")
    assert (done.done_by, done.done_result) == ("1002", "reached")
    for result in (Tried.BUSY, Result.REACHED):
        with pytest.raises(CallbackDoneError):
            await settle(result)
    told = await _told(pool)
    assert told[-3:] == ["callback.tried", "callback.tried", "callback.done"]
    rows = await pool.fetch("SELECT body::text AS body FROM journal")
    assert not any("1381234" in row["body"] and "*" not in row["body"] for row in rows)


async def test_nobody_is_called_back_who_left_no_message(pool: Pool) -> None:
    call_id = await _end(pool, call())
    with pytest.raises(CallbackUnknownError):
        async with transaction(pool) as tx:
            await flow.callback_settled(tx, call_id, result=Tried.BUSY, actor="1001", now=NOW)


async def test_an_opinion_is_kept_once_and_for_good(pool: Pool) -> None:
    ended = replace(call(), survey=OPINION)
    call_id = await _end(pool, ended)
    await _end(pool, replace(ended, survey=Survey(solved=Solved.NO, satisfied=Satisfied.NO)))
    rows = await pool.fetch("SELECT * FROM surveys")
    assert [tuple(row) for row in rows] == [(call_id, at(36), "yes", "not_answered")]
    assert (await _told(pool)).count("survey.answered") == 1
    for statement in (
        "UPDATE surveys SET satisfied = 'yes'",
        "DELETE FROM surveys",
        "TRUNCATE surveys",
    ):
        with pytest.raises(asyncpg.RaiseError, match="stays as it is"):
            await pool.execute(statement)
    assert await pool.fetchval("SELECT satisfied FROM surveys") == "not_answered"


async def test_who_was_not_asked_has_no_opinion(pool: Pool) -> None:
    await _end(pool, call())
    assert await pool.fetchval("SELECT count(*) FROM surveys") == 0
