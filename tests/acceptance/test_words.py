"""A scripted call on the real line: its sound in step, its words heard, its case suggested."""

import json

import pytest

from deploy.demo.script import load
from deploy.portable import cache_root
from hotline.database import connected
from tests.acceptance.stage import Stage
from transcription.models import SMALL_CN

CALL = next(call for call in load() if call.name == "07-gas-smell")
WORST_ERROR_RATE = 0.35  # measured 10 to 13 % over all calls; one short call varies more
IN_STEP = 1.0  # seconds; word times are within 0.2 s of the sound

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.model,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(
        not (cache_root() / "models" / SMALL_CN.name).is_dir(),
        reason="the Chinese speech model is not there: run `hotline model fetch`",
    ),
]


def distance(said: str, heard: str) -> int:
    """How many characters must change to make one text of the other (Levenshtein)."""
    row = list(range(len(heard) + 1))
    for i, a in enumerate(said, 1):
        above, row[0] = row[0], i
        for j, b in enumerate(heard, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (a != b))
    return row[-1]


def spoken(who: str) -> str:
    text = "".join(turn.text for turn in CALL.turns if turn.who == who)
    return "".join(character for character in text if character.isalnum())


async def test_a_scripted_call_becomes_an_emergency_case(stage: Stage) -> None:
    caller = stage.scripted(CALL)
    placed = await stage.dial(caller)
    both = (
        "(SELECT count(*) FROM transcripts t WHERE t.call_id = c.id AND t.state = 'done') = 2"
        " AND EXISTS (SELECT FROM cases k WHERE k.call_id = c.id AND k.suggestion IS NOT NULL)"
    )
    stored = await stage.stored(placed.caller.caller, until=both, patience=90)
    call = stored.call
    async with connected(stage.dsn, stage.keys) as conn:
        heard = {
            row["leg"]: row
            for row in await conn.fetch("SELECT * FROM transcripts WHERE call_id = $1", call["id"])
        }
        case = await conn.fetchrow("SELECT * FROM cases WHERE call_id = $1", call["id"])
    assert case is not None
    began = min(row["started_at"] for row in stored.recordings)
    answered = (call["answered_at"] - began).total_seconds()
    for leg in ("caller", "operator"):
        words = json.loads(heard[leg]["words"])
        after = [word for word in words if word["e"] > answered]
        text = "".join(word["w"] for word in after if word["w"] != "[unk]")
        assert distance(spoken(leg), text) / len(spoken(leg)) <= WORST_ERROR_RATE, text
        first_said = next(turn.start for turn in CALL.turns if turn.who == leg)
        assert after[0]["s"] - answered == pytest.approx(first_said, abs=IN_STEP)
    assert case["urgency"] == "emergency"
    assert case["level1"] == CALL.level1
    assert "case.escalated" in stored.journal
    lengths = [row["seconds"] for row in stored.recordings]
    assert max(lengths) - min(lengths) < 0.1, "both legs run on one clock"
