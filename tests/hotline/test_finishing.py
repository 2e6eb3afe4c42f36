"""Words are finished once, whenever that is, and a draft is suggested for by what they became."""

import json
from pathlib import Path
from typing import Any

from hotline.casework import load_casework
from hotline.config import Config
from hotline.database import Pool, borrowed
from hotline.finishing import FinishingDesk
from hotline.likeness_rows import words_of
from routing import store as cases
from telephony.calls import Leg
from tests.hotline.story import OPERATOR_SAYS, Life, call
from transcription.vocabulary import Vocabulary

SAYS = ("我", "在", "佛", "城区", "临园路", "电话", "幺三八零八幺幺二三四五")
NAMES = load_casework(Config()).city.vocabulary


async def routed(pool: Pool, folder: Path, vocabulary: Vocabulary) -> Life:
    """A call that lived through its pass with these names."""
    life = Life(pool, folder)
    life.engine.words = {Leg.CALLER: SAYS, Leg.OPERATOR: OPERATOR_SAYS}
    life.steps._vocabulary = lambda: vocabulary
    life.record(call())
    await life.tell(call())
    await life.work()
    return life


async def places(pool: Pool) -> list[dict[str, Any]]:
    """Why the case is said to be of an area."""
    async with borrowed(pool) as conn:
        found = await cases.suggestion_of(conn, 1)
    assert found is not None
    return [one for one in found["reasons"] if one["sort"] == "area"]


async def suggested(pool: Pool) -> int:
    count = "SELECT count(*) FROM journal WHERE event = 'case.suggested'"
    return int(await pool.fetchval(count))


async def test_a_call_is_suggested_for_by_its_finished_words(pool: Pool, tmp_path: Path) -> None:
    await routed(pool, tmp_path, NAMES)
    (place, *_) = await places(pool)
    assert (place["text"], place["by"]) == ("涪城区临园路", "name")
    async with borrowed(pool) as conn:
        words = await words_of(conn, 1)
    assert words == "我在涪城区临园路电话"  # and no number of anybody
    assert await suggested(pool) == 1


async def test_words_finished_after_the_first_suggestion_give_one_more_and_no_third(
    pool: Pool, tmp_path: Path
) -> None:
    life = await routed(pool, tmp_path, Vocabulary(()))
    assert "sound" in {one["by"] for one in await places(pool)}
    desk = FinishingDesk(pool=pool, vocabulary=lambda: NAMES)
    life.steps._vocabulary = lambda: NAMES
    assert await desk.look() == 2
    assert await life.work() == ["route"]
    assert {one["by"] for one in await places(pool)} == {"name"}
    assert await suggested(pool) == 2
    # Again and again: nothing is left to do, and nothing is told anew.
    assert await desk.look() == 0
    assert await life.work() == []
    await pool.execute("INSERT INTO finishing_looks SELECT call_id, leg FROM finished_texts")
    assert await desk.look() == 2
    assert await life.work() == ["route"]
    assert await suggested(pool) == 2


async def test_a_case_that_a_person_has_in_hand_is_not_suggested_for_anew(
    pool: Pool, tmp_path: Path
) -> None:
    life = await routed(pool, tmp_path, Vocabulary(()))
    await pool.execute("UPDATE cases SET state = 'open'")
    assert await FinishingDesk(pool=pool, vocabulary=lambda: NAMES).look() == 2
    assert await life.work() == []
    assert await suggested(pool) == 1


async def test_the_raw_words_stay_as_they_were_heard(pool: Pool, tmp_path: Path) -> None:
    await routed(pool, tmp_path, NAMES)
    row = await pool.fetchrow("SELECT text, words::text AS words FROM transcripts ORDER BY leg")
    assert row is not None
    assert row["text"] == "".join(SAYS)
    assert [one["w"] for one in json.loads(row["words"])] == list(SAYS)
