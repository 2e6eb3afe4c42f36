"""The finished words of a call as the console gives them: for reading, for the form, for muting."""

from datetime import timedelta

from aiohttp import ClientSession

from telephony.calls import Leg
from tests.hotline.console.conftest import NOW
from tests.hotline.console.filled import Said, Town


async def test_words_are_finished_facts_are_offered_and_numbers_can_be_muted(
    town: Town, visitor: ClientSession
) -> None:
    said = (
        Said(leg=Leg.OPERATOR, start=0.0, text="您好请讲"),
        Said(leg=Leg.CALLER, start=4.0, text="我在佛城区临园路电话幺三八零八幺幺二三四五"),
    )
    call = await town.is_talked(NOW - timedelta(minutes=9), said)
    async with visitor.get(f"/api/calls/{call}/text") as answer:
        assert answer.status == 200
        found = await answer.json()
    operator, caller = found["segments"]
    assert (operator["text"], operator["leg"]) == ("您好请讲。", "operator")
    assert operator["corrections"] == []
    assert caller["text"] == "我在涪城区临园路电话13808112345。"
    assert caller["raw"] == "我在佛城区临园路电话幺三八零八幺幺二三四五"
    (change,) = caller["corrections"]
    assert (change["original"], change["text"]) == ("佛城区临园路", "涪城区临园路")
    assert change["by"] == "vocabulary"
    place, phone = found["facts"]
    assert (place["sort"], place["value"]) == ("place", "涪城区临园路")
    assert (phone["sort"], phone["value"]) == ("phone", "13808112345")
    (muted,) = found["personal"]
    assert muted["sort"] == "mobile"
    assert caller["start"] < muted["start"] < muted["end"] <= caller["end"] + 0.01
    assert caller["text"][muted["first"] : muted["last"]] == "13808112345"
    async with visitor.get("/api/calls/999999/text") as answer:
        assert answer.status == 404
