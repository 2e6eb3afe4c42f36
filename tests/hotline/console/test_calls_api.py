import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import ClientSession
from pydantic import SecretStr

from hotline.config_exchange import Exchange
from hotline.exchange import RunningExchange
from hotline.services import Services
from telephony.calls import Leg, Outcome
from tests.calls.recorded import SYSTEM, recorded
from tests.hotline.console.conftest import NOW, Clock, opened
from tests.hotline.console.filled import Said, Town

SAID = (
    Said(leg=Leg.OPERATOR, start=0.5, text="您好市长热线，请讲"),
    Said(leg=Leg.CALLER, start=5.0, text="涪城区临园路的路灯坏了三天了，麻烦来修"),
)


async def test_a_call_is_shown_masked_with_its_times_and_case(
    town: Town, visitor: ClientSession
) -> None:
    call_id = await town.is_talked(NOW - timedelta(minutes=10), SAID, name="张三丰", talk=61)
    async with visitor.get("/api/calls") as answer:
        assert answer.status == 200
        page = await answer.json()
    (call,) = page["calls"]
    assert call["id"] == call_id
    assert (call["caller"], call["name"]) == ("138****5678", "张**")
    assert (call["wait_seconds"], call["talk_seconds"]) == (6.0, 61.0)
    assert call["recordings"] == {"caller": "stored", "operator": "stored"}
    assert call["transcripts"] == {"caller": "done", "operator": "done"}
    assert call["case"]["state"] == "draft"
    assert page["next"] is None


async def test_one_call_tells_its_dialogue_in_order(town: Town, visitor: ClientSession) -> None:
    call_id = await town.is_talked(NOW - timedelta(minutes=10), SAID)
    async with visitor.get(f"/api/calls/{call_id}") as answer:
        call = await answer.json()
    assert [turn["leg"] for turn in call["dialogue"]] == ["operator", "caller"]
    assert "路灯坏了" in call["dialogue"][1]["text"]
    assert {it["leg"]: it["url"] for it in call["sound"]} == {
        leg: f"/api/calls/{call_id}/sound/{leg}" for leg in ("caller", "operator")
    }


async def test_no_full_number_or_name_leaves_by_any_list(
    town: Town, visitor: ClientSession
) -> None:
    call_id = await town.is_talked(NOW, SAID, number="13890115678", name="张三丰")
    case_id = await town.case_of(call_id)
    for path in (
        "/api/calls",
        f"/api/calls/{call_id}",
        "/api/cases",
        f"/api/cases/{case_id}",
        "/api/journal",
        "/api/numbers",
        "/metrics",
    ):
        async with visitor.get(path) as answer:
            text = await answer.text()
            assert answer.status == 200, path
            assert "13890115678" not in text, path
            assert "三丰" not in text, path


async def test_pages_follow_each_other_without_gaps_or_doubles(
    town: Town, visitor: ClientSession
) -> None:
    for number in range(7):
        await town.is_lost(NOW + timedelta(minutes=number), outcome=Outcome.ABANDONED)
    seen, before = [], ""
    while True:
        async with visitor.get(f"/api/calls?limit=3{before}") as answer:
            page = await answer.json()
        seen += [call["id"] for call in page["calls"]]
        if page["next"] is None:
            break
        before = f"&before={page['next']}"
        # A call that comes in between changes no later page.
        await town.is_lost(NOW + timedelta(hours=2), outcome=Outcome.ABANDONED)
    assert seen == [7, 6, 5, 4, 3, 2, 1]


async def test_lists_can_be_narrowed(town: Town, visitor: ClientSession) -> None:
    lost = await town.is_lost(NOW, line="duty", outcome=Outcome.UNANSWERED)
    _, call = await town.starts(town.call(NOW))
    live, _ = await town.rings(call)
    expected = {
        "line=duty": [lost],
        "outcome=unanswered": [lost],
        "live=true": [live],
        "line=mayor&outcome=unanswered": [],
        "line=%27%20OR%201%3D1": [],
    }
    for query, ids in expected.items():
        async with visitor.get(f"/api/calls?{query}") as answer:
            assert [call["id"] for call in (await answer.json())["calls"]] == ids, query


async def test_each_call_that_rings_tells_at_which_seats(
    services: Services, town: Town, tmp_path: Path
) -> None:
    exchange = RunningExchange(
        Exchange(
            system=SYSTEM,
            secret=SecretStr("x"),
            port=1,
            cel_file=tmp_path / "calls.csv",
            queue_log_file=tmp_path / "queue_log",
            recordings_dir=tmp_path,
        ),
        config=services.config,
        pool=services.pool,
        clock=services.clock,
    )
    facts = iter(recorded("two_at_once").ami)
    while len(exchange.tracker.ringing()) < 2:
        for event in exchange.tracker.observe(next(facts)):
            await town.tell(event)
    site = await opened(replace(services, exchanges={SYSTEM: exchange}))
    visitor = site.visitor()
    async with visitor.get("/api/calls?live=true") as answer:
        ringing = {one["line"]: one["ringing"] for one in (await answer.json())["calls"]}
    assert ringing == {"mayor": ["1001"], "duty": ["2001"]}
    for event in (told for fact in facts for told in exchange.tracker.observe(fact)):
        await town.tell(event)
    async with visitor.get("/api/calls") as answer:
        assert all(one["ringing"] == [] for one in (await answer.json())["calls"])
    await site.close()


async def test_a_call_from_here_tells_which_way_it_went_and_what_for(
    town: Town, visitor: ClientSession
) -> None:
    _, left = await town.starts(town.call(NOW))
    _, message = await town.leaves_a_message(left, wait=16)
    async with visitor.get("/api/calls?live=true") as answer:
        (told,) = (await answer.json())["calls"]
    assert (told["wait_seconds"], told["outcome"]) == (16.0, None)  # he waits no more
    first, _ = await town.ends(message, NOW + timedelta(seconds=50), Outcome.VOICEMAIL)
    case = await town.case_of(first)
    back = await town.is_dialled(NOW + timedelta(minutes=5), about=first)
    for query, ids in {
        "": [back, first],
        "direction=outgoing": [back],
        "direction=incoming": [first],
        "direction=internal": [],
    }.items():
        async with visitor.get(f"/api/calls?{query}") as answer:
            assert [call["id"] for call in (await answer.json())["calls"]] == ids, query
    async with visitor.get(f"/api/calls/{back}") as answer:
        told = await answer.json()
    assert (told["direction"], told["callee"], told["caller"]) == ("outgoing", "138****5678", "")
    assert (told["about"]["call_id"], told["about"]["callback"]) == (first, True)
    assert told["about"]["case"]["id"] == case
    assert (told["case"], told["wait_seconds"], told["line"]) == (None, None, "")
    async with visitor.get(f"/api/calls/{first}") as answer:
        told = await answer.json()
    # He waited until the tone; what he then said is no wait.
    assert (told["about"], told["wait_seconds"]) == (None, 16.0)


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "before=-1", "outcome=lost", "colour=red"]
)
async def test_a_wrong_query_is_told_by_its_name(visitor: ClientSession, query: str) -> None:
    async with visitor.get(f"/api/calls?{query}") as answer:
        problem = await answer.json()
        assert answer.status == 422
        assert answer.content_type == "application/problem+json"
    assert problem["type"] == "invalid"
    assert problem["detail"].startswith(query.partition("=")[0])


async def test_sound_is_played_whole_and_in_parts(town: Town, visitor: ClientSession) -> None:
    call_id = await town.is_talked(NOW, SAID, talk=5)
    url = f"/api/calls/{call_id}/sound/caller"
    async with visitor.get(url) as answer:
        whole = await answer.read()
        assert answer.status == 200
        assert answer.content_type == "audio/wav"
        assert answer.headers["Accept-Ranges"] == "bytes"
    assert whole[:4] == b"RIFF"
    async with visitor.get(url, headers={"Range": "bytes=100-199"}) as answer:
        assert answer.status == 206
        assert answer.headers["Content-Range"] == f"bytes 100-199/{len(whole)}"
        assert await answer.read() == whole[100:200]
    async with visitor.get(url, headers={"Range": f"bytes={len(whole)}-"}) as answer:
        assert answer.status == 416


async def test_a_path_outside_the_store_is_never_played(
    town: Town, services: Services, visitor: ClientSession
) -> None:
    call_id = await town.is_talked(NOW, SAID, talk=5)
    outside = services.config.data_dir / "secret.wav"
    outside.write_bytes(b"secret")
    inside = services.config.store_dir / "link.wav"
    inside.symlink_to(outside)
    for path in (str(outside), f"{services.config.store_dir}/../secret.wav", str(inside)):
        await services.pool.execute(
            "UPDATE recordings SET path = $1 WHERE call_id = $2 AND leg = 'caller'", path, call_id
        )
        async with visitor.get(f"/api/calls/{call_id}/sound/caller") as answer:
            assert answer.status == 404, path
            assert (await answer.json())["type"] == "no_sound"


async def test_what_is_not_there_is_a_problem_not_a_crash(visitor: ClientSession) -> None:
    for path in (
        "/api/calls/99",
        "/api/calls/99/sound/caller",
        "/api/calls/x",
        "/api/cases/99",
        "/nothing",
        "/web/../server.py",
        "/web/messages/fr.json",
    ):
        async with visitor.get(path) as answer:
            assert answer.status == 404, path
            assert answer.content_type == "application/problem+json"
    async with visitor.post("/api/calls", json={}) as answer:
        assert answer.status == 405
        assert answer.headers["Allow"] == "GET"


async def test_hostile_text_stays_text(town: Town, clock: Clock, visitor: ClientSession) -> None:
    evil = "<img src=x onerror=alert(1)>\u2028\"'&"
    await town.starts(town.call(clock(), number=evil, name=evil))
    async with visitor.get("/api/calls") as answer:
        assert answer.content_type == "application/json"
        text = await answer.text()
    shown = json.loads(text)["calls"][0]
    assert shown["caller"] == "****"
    assert shown["name"] == "<**"
