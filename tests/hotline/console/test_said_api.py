"""What was said is found by its words and its sounds, and only by whoever may find the call."""

from datetime import timedelta
from typing import Any

import pytest
from aiohttp import ClientSession

from hotline import said_rows
from hotline.casework import SHIPPED
from hotline.finishing import FinishingDesk
from hotline.retaining import Stores, run
from hotline.services import Services
from routing.cases import Move, Role
from routing.retention import Kept, load_retention
from telephony.calls import Leg
from tests.hotline.console.conftest import NOW, Clock, Site
from tests.hotline.console.filled import Said, Town
from tests.hotline.console.staff import Staff, hire
from transcription.vocabulary import Vocabulary

LIGHTS = (
    Said(leg=Leg.OPERATOR, start=0.0, text="您好请讲"),
    Said(leg=Leg.CALLER, start=4.0, text="我在佛城区临园路电话幺三八零八幺幺二三四五"),
    Said(leg=Leg.CALLER, start=14.0, text="路灯坏了三天水费也收错了"),
)
FOREST = (Said(leg=Leg.CALLER, start=3.0, text="林圆路的垃圾没有人收"),)
ESTATE = (Said(leg=Leg.CALLER, start=3.0, text="我住阳光佳苑三栋"),)
SHEEP = (Said(leg=Leg.CALLER, start=3.0, text="我住羊光家院五栋"),)
CONFIRMED = {"kind": "help", "urgency": "normal", "level1": "城乡建设"}


async def search(visitor: ClientSession, words: str, **more: str) -> dict[str, Any]:
    async with visitor.get("/api/transcripts/search", params={"words": words, **more}) as answer:
        found: dict[str, Any] = await answer.json()
        assert answer.status == 200, found
        return found


async def ids(visitor: ClientSession, words: str, **more: str) -> list[int]:
    return [it["call_id"] for it in (await search(visitor, words, **more))["found"]]


async def test_a_word_is_found_with_its_second_and_a_sentence_that_hides_the_number(
    town: Town, visitor: ClientSession
) -> None:
    call = await town.is_talked(NOW - timedelta(minutes=9), LIGHTS)
    (one,) = (await search(visitor, "涪城区"))["found"]
    assert (one["call_id"], one["leg"], one["times"], one["score"]) == (call, "caller", 1, 1.0)
    (hit,) = one["hits"]
    assert hit["sentence"] == "我在涪城区临园路电话***********。"
    assert hit["sentence"][hit["first"] : hit["last"]] == hit["said"] == "涪城区"
    assert (hit["by"], hit["hides"]) == ("text", True)
    # Ten seconds until the answer, four until he speaks, two characters of 0.24 s before it.
    assert (hit["start"], hit["end"]) == (14.48, 15.19)
    assert hit["url"] == f"/api/calls/{call}/sound/caller#t=13.48"
    async with visitor.get(hit["url"]) as answer:
        assert answer.status == 200


async def test_what_the_engine_wrote_is_found_too_and_one_character_is_a_word(
    town: Town, visitor: ClientSession
) -> None:
    call = await town.is_talked(NOW - timedelta(minutes=9), LIGHTS)
    (one,) = (await search(visitor, "佛城"))["found"]
    (hit,) = one["hits"]
    assert (hit["by"], hit["said"], hit["score"]) == ("raw", "佛城", 0.97)
    assert hit["sentence"] == "我在佛城区临园路电话***********"
    for words in ("灯", "水费", "临园 水费", "路灯坏了三天水费也收错了", "您", "您好"):
        assert await ids(visitor, words) == [call], words
    # Said by different sides, over a pause, not said, or only marks between what is.
    for words in ("您好 路灯", "五路灯", "污水", "路灯三天"):
        assert await ids(visitor, words) == [], words


async def test_personal_data_finds_nobody(town: Town, visitor: ClientSession) -> None:
    await town.is_talked(NOW - timedelta(minutes=9), LIGHTS)
    for words in ("13808112345", "2345", "一三八零八", "幺三八", "电话1"):
        assert await ids(visitor, words) == [], words


async def test_what_sounds_alike_is_found_by_sound_and_the_likest_stands_first(
    town: Town, visitor: ClientSession
) -> None:
    exact = await town.is_talked(NOW - timedelta(minutes=19), ESTATE)
    alike = await town.is_talked(NOW - timedelta(minutes=9), SHEEP)
    assert await ids(visitor, "阳光佳苑") == [exact]
    assert await ids(visitor, "阳光佳苑", by_sound="true") == [alike, exact]
    assert await ids(visitor, "阳光佳苑", by_sound="true", order="likeness") == [exact, alike]
    page = await search(visitor, "阳光佳苑", by_sound="true", order="likeness", limit="1")
    page = await search(
        visitor, "阳光佳苑", by_sound="true", order="likeness", limit="1", after=page["next"]
    )
    assert ([it["call_id"] for it in page["found"]], page["next"]) == ([alike], None)
    (hit,) = page["found"][0]["hits"]
    assert hit["said"] == "羊光家院"
    assert 0.9 < hit["score"] < 1.0


async def test_a_search_is_narrowed_by_side_line_time_operator_and_category(
    town: Town, visitor: ClientSession
) -> None:
    first = await town.is_talked(NOW - timedelta(days=3), LIGHTS, operator="1001")
    second = await town.is_talked(NOW - timedelta(days=1), LIGHTS, operator="1002", line="duty")
    await town.moves(first, Move.OPEN, NOW, **{**CONFIRMED, "level1": "交通运输"})
    await town.moves(second, Move.OPEN, NOW, **CONFIRMED)
    between = (NOW - timedelta(days=2)).isoformat()
    assert await ids(visitor, "路灯") == [second, first]
    for more, expected in (
        ({"leg": "operator"}, []),
        ({"leg": "caller"}, [second, first]),
        ({"line": "mayor"}, [first]),
        ({"operator": "1002"}, [second]),
        ({"level1": "交通运输"}, [first]),
        ({"level1": "城乡建设", "operator": "1002"}, [second]),
        ({"since": between}, [second]),
        ({"until": between}, [first]),
        ({"until": between, "line": "duty"}, []),
    ):
        assert await ids(visitor, "路灯", **more) == expected, more


@pytest.mark.parametrize("walked", [1, 1000], ids=["by the index", "by walking"])
async def test_pages_follow_without_gaps_or_doubles_either_way(
    town: Town, visitor: ClientSession, monkeypatch: pytest.MonkeyPatch, walked: int
) -> None:
    monkeypatch.setattr(said_rows, "WALKED", walked)
    calls = [await town.is_talked(NOW - timedelta(minutes=n), FOREST) for n in range(5)]
    for order in ("time", "likeness"):
        seen, more = [], dict[str, str]()
        while True:
            page = await search(visitor, "垃圾", limit="2", order=order, **more)
            seen += [it["call_id"] for it in page["found"]]
            if page["next"] is None:
                break
            more = {"after": page["next"]}
        assert seen == calls, order


async def test_hidden_calls_are_found_by_nobody_who_must_not(
    town: Town, services: Services, site: Site
) -> None:
    await hire(services, "boss", Role.ADMINISTRATOR)
    await hire(services, "desk", Role.DISPATCHER)
    await hire(services, "inspector", Role.DISCIPLINE)
    await hire(services, "lights", Role.UNIT)
    staff = Staff(services=services, site=site)
    call = await town.is_talked(NOW - timedelta(minutes=9), LIGHTS)
    desk, inspector = await staff.visitor("desk"), await staff.visitor("inspector")
    assert await ids(desk, "路灯") == await ids(inspector, "路灯") == [call]
    await services.pool.execute(
        """INSERT INTO protections (case_id, against_office, taker, marked_at, marked_by)
           VALUES ($1, false, '1001', now(), '1001')""",
        await town.case_of(call),
    )
    assert (await ids(desk, "路灯"), await ids(inspector, "路灯")) == ([], [call])
    for login, status in (("lights", 403), ("boss", 403)):
        visitor = await staff.visitor(login)
        async with visitor.get("/api/transcripts/search?words=路灯") as answer:
            assert answer.status == status
    seen = await services.pool.fetch(
        "SELECT actor, call_id, body FROM journal WHERE event IN ('seen.search', 'seen.call')"
        " ORDER BY id"
    )
    told = [(row["actor"], row["call_id"], row["body"]) for row in seen]
    assert told[0][:2] == ("desk", None)
    assert '"路灯"' in told[0][2]
    assert told[1][:2] == ("desk", call)
    assert [it[:2] for it in told[2:]] == [
        *(("inspector", None), ("inspector", call)),
        *(("desk", None), ("inspector", None), ("inspector", call)),
    ]


async def test_erased_words_are_found_no_more(
    town: Town, services: Services, visitor: ClientSession, clock: Clock
) -> None:
    call = await town.is_talked(NOW - timedelta(minutes=9), LIGHTS)
    assert len(await ids(visitor, "路灯")) == 1
    await town.moves(call, Move.WITHDRAW, NOW, reason="误拨")
    periods = load_retention(services.config.city_dir, SHIPPED)
    stores = Stores(sounds=services.sounds, evidence=services.config.evidence_dir)
    later = clock() + timedelta(days=32 * periods.classes[Kept.TRANSCRIPTS].months)
    done = [one async for one in run(services.pool, stores, periods, later)]
    assert {one.kind: one.count for one in done}[Kept.TRANSCRIPTS] == 2
    assert await ids(visitor, "路灯") == []
    assert await services.pool.fetchval("SELECT count(*) FROM finished_texts") == 0
    assert await services.pool.fetchval("SELECT count(*) FROM finishing_looks") == 0


async def test_other_names_have_everything_finished_again(
    town: Town, services: Services, visitor: ClientSession
) -> None:
    await town.is_talked(NOW - timedelta(minutes=9), LIGHTS)
    names = Vocabulary(())
    desk = FinishingDesk(pool=services.pool, vocabulary=lambda: names)
    assert await desk.look() == 2
    assert await desk.look() == 0
    assert await ids(visitor, "涪城区") == []
    back = FinishingDesk(pool=services.pool, vocabulary=lambda: services.city.vocabulary)
    assert (await back.look(), await back.look()) == (2, 0)
    assert len(await ids(visitor, "涪城区")) == 1


@pytest.mark.parametrize(
    "query",
    ["", "words=", "words=。，", "words=a&limit=51", "words=a&after=x", "words=a&since=2026-01-01"],
)
async def test_what_cannot_be_looked_for_is_refused(visitor: ClientSession, query: str) -> None:
    async with visitor.get(f"/api/transcripts/search?{query}") as answer:
        assert answer.status == 422
