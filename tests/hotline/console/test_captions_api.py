"""A call's captions on a real socket: in order, to whoever may see the call, and to nobody else."""

import json
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import ClientSession

from hotline import dial_orders
from hotline.caption_board import CaptionBoard, CaptionState, ShedReason, Standing
from hotline.caption_calls import dial_key
from hotline.database import borrowed, transaction
from hotline.services import Services
from routing.cases import Role
from telephony.calls import Leg
from tests.hotline.console.conftest import NOW, Site
from tests.hotline.console.filled import SYSTEM, Town
from tests.hotline.console.staff import Staff, hire
from tests.hotline.console.test_stream import event, reading
from tests.hotline.console.twins import post
from transcription.captions import Caption
from transcription.transcripts import Word

ON = Standing(state=CaptionState.ON)
OVER = Standing(state=CaptionState.OVER)


def caption(segment: int, text: str, *, final: bool, leg: Leg = Leg.CALLER) -> Caption:
    return Caption(
        leg=leg,
        segment=segment,
        start=float(segment),
        end=segment + 0.5 if final else None,
        at=NOW + timedelta(seconds=segment),
        text=text,
        words=(Word(text=text, start=float(segment), end=segment + 0.5, conf=0.9),)
        if final
        else (),
    )


@pytest.fixture
def board(services: Services) -> CaptionBoard:
    return services.captions


@pytest.fixture
async def staff(services: Services, site: Site) -> Staff:
    await hire(services, "boss", Role.ADMINISTRATOR)
    await hire(services, "lights", Role.UNIT)
    await hire(services, "desk", Role.DISPATCHER)
    await hire(services, "operator", Role.OPERATOR, extension="1002")
    return Staff(services=services, site=site)


async def talking(town: Town) -> int:
    """A call that two people are having."""
    _, call = await town.starts(town.call(NOW - timedelta(minutes=2)))
    return (await town.answers(call))[0]


async def told(answer: Any) -> tuple[str, dict[str, Any]]:
    fields = await event(answer)
    return fields["event"], json.loads(fields["data"])


async def test_a_reader_sees_words_come_and_one_who_comes_late_sees_what_stands(
    town: Town, visitor: ClientSession, board: CaptionBoard
) -> None:
    call = await talking(town)
    path = f"/api/calls/{call}/captions"
    async with reading(visitor, path=path) as answer:
        whose = {"call_id": call, "dial_id": None}
        assert await told(answer) == ("caption.state", {**whose, "state": "waiting"})
        board.stand(call, ON)
        assert (await told(answer))[1]["state"] == "on"
        board.say(call, caption(1, "你", final=False))
        assert await told(answer) == (
            "caption.partial",
            {
                **whose,
                "leg": "caller",
                "segment": 1,
                "start": 1.0,
                "at": "2026-11-23T02:30:01Z",
                "text": "你",
            },
        )
        board.say(call, caption(1, "你好", final=True))
        name, data = await told(answer)
        assert (name, data["text"], data["end"], data["confidence"]) == (
            "caption.final",
            "你好",
            1.5,
            0.9,
        )
        assert data["words"] == [{"text": "你好", "start": 1.0, "end": 1.5, "confidence": 0.9}]
        async with reading(visitor, path=path) as late:
            assert (await told(late))[1]["state"] == "on"
            assert (await told(late))[1]["text"] == "你好"
            board.stand(call, Standing(state=CaptionState.SHED, reason=ShedReason.LAG))
            assert await told(late) == ("caption.shed", {**whose, "reason": "lag"})
            board.stand(call, OVER)
            assert (await told(late))[1]["state"] == "over"
            assert await late.read() == b""


async def test_a_guess_that_was_replaced_is_never_sent_late(board: CaptionBoard) -> None:
    items = board.follow(7)
    assert await anext(items) == Standing(state=CaptionState.WAITING)
    for text in ("一", "一二", "一二三"):
        board.say(7, caption(1, text, final=False))
    assert (await anext(items)).text == "一二三"  # type: ignore[union-attr]
    board.say(7, caption(2, "四", final=False))
    board.say(7, caption(2, "四五", final=True))
    board.stand(7, OVER)
    assert [it async for it in items] == [caption(2, "四五", final=True), OVER]


async def test_of_a_call_that_has_ended_without_captions_they_are_over_at_once(
    town: Town, visitor: ClientSession
) -> None:
    call = await town.is_talked(NOW - timedelta(minutes=9), ())
    async with reading(visitor, path=f"/api/calls/{call}/captions") as answer:
        assert (await told(answer))[1]["state"] == "over"
        assert await answer.read() == b""


async def test_opening_them_is_a_look_that_is_written_down(
    town: Town, services: Services, visitor: ClientSession
) -> None:
    call = await talking(town)
    async with reading(visitor, path=f"/api/calls/{call}/captions") as answer:
        await told(answer)
    async with borrowed(services.pool) as conn:
        looks = await conn.fetch("SELECT body FROM journal WHERE event = 'seen.call'")
    assert [json.loads(row["body"]) for row in looks] == [{"what": "captions"}]


async def test_who_may_not_see_the_call_reads_nothing(
    town: Town, staff: Staff, board: CaptionBoard
) -> None:
    """Neither from the start, nor from the moment on in which the call's case is protected."""
    call = await talking(town)
    path = f"/api/calls/{call}/captions"
    async with (await staff.visitor("lights")).get(path) as refused:
        assert refused.status == 403
    desk, operator = await staff.visitor("desk"), await staff.visitor("operator")
    async with reading(desk, path=path) as answer:
        assert (await told(answer))[1]["state"] == "waiting"
        board.say(call, caption(1, "我要举报", final=True))
        assert (await told(answer))[1]["text"] == "我要举报"
        body = {"persons": ["desk"], "reason": "举报干部"}
        await post(operator, f"/api/cases/{await town.case_of(call)}/protect", body)
        board.say(call, caption(2, "名字", final=True))
        assert await answer.read() == b""
    async with desk.get(path) as gone:
        assert gone.status == 404


async def test_a_call_that_is_being_dialled_is_listed_and_read_by_its_order(
    town: Town, services: Services, visitor: ClientSession, board: CaptionBoard
) -> None:
    async with transaction(services.pool) as tx:
        await dial_orders.record(
            tx,
            channel="dial-1001-abc",
            system=SYSTEM,
            number="13890115678",
            by="1001",
            at=NOW,
            call_id=None,
            case_id=None,
        )
    async with visitor.get("/api/dials") as answer:
        (dial,) = (await answer.json())["dials"]
    assert (dial["by"], dial["callee"], dial["captions"]) == ("1001", "138****5678", "waiting")
    async with reading(visitor, path=f"/api/dials/{dial['id']}/captions") as answer:
        whose = {"call_id": None, "dial_id": dial["id"]}
        assert await told(answer) == ("caption.state", {**whose, "state": "waiting"})
        board.stand(dial_key(dial["id"]), ON)
        assert await told(answer) == ("caption.state", {**whose, "state": "on"})
        board.say(dial_key(dial["id"]), caption(1, "你好", final=True))
        assert (await told(answer))[1]["text"] == "你好"
    async with visitor.get("/api/dials/99/captions") as answer:
        assert answer.status == 404
    # It is over and stored under the id that it was dialled with: it is among the calls now.
    await town.is_dialled(NOW)
    await services.pool.execute("UPDATE calls SET linked_id = 'dial-1001-abc'")
    async with visitor.get("/api/dials") as answer:
        assert dial["id"] not in [it["id"] for it in (await answer.json())["dials"]]
