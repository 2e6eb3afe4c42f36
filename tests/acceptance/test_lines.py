"""A message and an opinion, from the telephone to the rows that nobody can change."""

import pytest

from hotline.database import connected
from tests.acceptance.stage import NOBODY, OPERATOR_ENDS, Stage

pytestmark = [pytest.mark.acceptance, pytest.mark.asyncio(loop_scope="session")]

UNTIL_THE_BEEP = 2 + 8 + 2  # the queue, the announcement, and some time to spare


async def test_a_message_is_a_case_and_a_callback(stage: Stage) -> None:
    caller = stage.caller("night", NOBODY, talks=UNTIL_THE_BEEP + 4.0)
    stored = await stage.recorded((await stage.dial(caller)).caller.caller)
    assert (stored.call["outcome"], stored.call["hangup_by"]) == ("voicemail", "caller")
    assert stored.cases == 1
    assert stored.journal.count("callback.wanted") == 1
    async with connected(stage.dsn, stage.keys) as conn:
        owed = await conn.fetchrow(
            "SELECT line, reason, done_at FROM callbacks WHERE call_id = $1", stored.call["id"]
        )
    assert owed is not None
    assert tuple(owed) == ("night", "message", None)
    assert await stage.differences(stored.call["linked_id"]) == []


async def test_who_is_asked_and_says_nothing_has_not_answered(stage: Stage) -> None:
    caller = stage.caller("night", OPERATOR_ENDS)
    stored = await stage.stored((await stage.dial(caller)).caller.caller)
    assert (stored.call["outcome"], stored.call["hangup_by"]) == ("answered", "operator")
    assert stored.journal.count("survey.answered") == 1
    async with connected(stage.dsn, stage.keys) as conn:
        told = await conn.fetchrow(
            "SELECT solved, satisfied FROM surveys WHERE call_id = $1", stored.call["id"]
        )
    assert told is not None
    assert tuple(told) == ("not_answered", "not_answered")
    assert await stage.differences(stored.call["linked_id"]) == []
