"""Inspections as the console gives them: filtered, explained, and to whom they may be shown."""

from datetime import timedelta
from typing import Any

import pytest
from aiohttp import ClientSession

from hotline.inspecting import InspectionDesk
from hotline.services import Services
from routing.cases import Role
from telephony.calls import Leg
from tests.hotline.console.conftest import NOW, SEATS, Site
from tests.hotline.console.filled import Said, Town
from tests.hotline.console.staff import Staff, hire
from tests.transcription.inspected import form

GOOD = (
    Said(leg=Leg.OPERATOR, start=0.0, text="您好市长公开电话工号一零八六请讲"),
    Said(
        leg=Leg.CALLER,
        start=5.0,
        text="临园路东段七十二号门口的路灯坏了三天晚上出门不安全麻烦你们派人来修一修",
    ),
    Said(leg=Leg.OPERATOR, start=16.0, text="跟您核对一下临园路东段七十二号路灯坏了对吗"),
    Said(leg=Leg.CALLER, start=24.0, text="是的"),
    Said(leg=Leg.OPERATOR, start=40.0, text="好的会转给城管部门处理感谢您的来电再见"),
)
RUDE = (*GOOD[:3], Said(leg=Leg.OPERATOR, start=27.0, text="你听不懂吗"), GOOD[4])


async def inspected(town: Town, minutes: int, said: tuple[Said, ...] = GOOD, **more: Any) -> int:
    """A call that ended some minutes ago, inspected."""
    call_id = await town.is_talked(NOW - timedelta(minutes=minutes), said, **more)
    services = town.services
    desk = InspectionDesk(
        pool=services.pool,
        form=form,
        badges={one.extension: one.badge for one in SEATS},
        clock=services.clock,
    )
    await desk.inspect({"call_id": call_id})
    return call_id


async def got(visitor: ClientSession, path: str, status: int = 200) -> Any:
    async with visitor.get(path) as answer:
        assert answer.status == status, await answer.text()
        return await answer.json()


async def test_one_call_is_explained_item_by_item(town: Town, visitor: ClientSession) -> None:
    call_id = await inspected(town, 9, RUDE)
    found = await got(visitor, f"/api/calls/{call_id}/inspection")
    assert (found["form"], found["badge"], found["serious"]) == ("default/1", "1086", True)
    assert found["lost"] == ["rude"]
    items = {one["key"]: one for one in found["items"]}
    rude = items["rude"]
    assert (rude["verdict"], rude["lost"], rude["name"]["zh"]) == ("lost", 14, "顶撞训斥")
    (fault,) = rude["deductions"]
    assert fault["words"] == "你听不懂吗"
    assert fault["says"] == {
        "zh": "说了忌语“你听不懂吗”",
        "en": "A forbidden phrase was said: 你听不懂吗",
    }
    assert fault["leg"] == "operator"
    assert 0 < fault["start"] < fault["end"]
    assert items["hold"]["says"]["zh"] == "缺少记录，不评"
    shares = [side["share"] for side in found["measures"]["sides"].values()]
    assert sum(shares) == pytest.approx(1.0, abs=0.001)
    assert found["score"] == pytest.approx(
        100
        * (
            1 - 14 / sum(it["weight"] for it in found["items"] if it["verdict"] in {"kept", "lost"})
        ),
        abs=0.01,
    )


async def test_a_look_at_an_inspection_is_a_row_of_the_journal(
    town: Town, visitor: ClientSession, services: Services
) -> None:
    call_id = await inspected(town, 9)
    await got(visitor, f"/api/calls/{call_id}/inspection")
    row = await services.pool.fetchrow(
        "SELECT call_id, body ->> 'what' AS what FROM journal WHERE event = 'seen.call'"
    )
    assert tuple(row or ()) == (call_id, "inspection")


async def test_lists_filter_and_go_on_page_by_page(town: Town, visitor: ClientSession) -> None:
    first = await inspected(town, 60)
    second = await inspected(town, 50, RUDE, number="13890110002")
    third = await inspected(town, 40, RUDE, number="13890110003", operator="1002")

    async def calls(query: str) -> list[int]:
        found = await got(visitor, f"/api/inspections?{query}")
        return [one["call_id"] for one in found["inspections"]]

    assert await calls("") == [third, second, first]
    assert await calls("operator=1001") == [second, first]
    assert await calls("item=rude") == [third, second]
    assert await calls("serious=false") == [first]
    assert await calls("least=95") == [first]
    assert await calls("most=95") == [third, second]
    assert await calls("judged=false") == []
    assert await calls("line=duty") == []
    since = (NOW - timedelta(minutes=45)).isoformat().replace("+00:00", "Z")
    assert await calls(f"since={since}") == [third]
    assert await calls(f"until={since}") == [second, first]
    page = await got(visitor, "/api/inspections?limit=2")
    assert page["next"] == second
    rest = await got(visitor, f"/api/inspections?limit=2&before={page['next']}")
    assert ([one["call_id"] for one in rest["inspections"]], rest["next"]) == ([first], None)


async def test_the_summary_counts_what_was_judged_and_why_not(
    town: Town, visitor: ClientSession
) -> None:
    await inspected(town, 60)
    await inspected(town, 50, RUDE, number="13890110002")
    await inspected(town, 40, GOOD[1:2], number="13890110003")
    found = await got(visitor, "/api/inspections/summary")
    assert (found["calls"], found["scored"], found["serious"]) == (3, 2, 1)
    items = {one["key"]: one for one in found["items"]}
    rude = items["rude"]
    assert (rude["kept"], rude["lost"], rude["not_judged"], rude["not_asked"]) == (1, 1, 1, 0)
    assert [(one["reason"], one["calls"]) for one in found["unscored"]] == [("too_short", 1)]
    assert found["median"] is not None
    nothing = await got(visitor, "/api/inspections/summary?operator=1002")
    assert (nothing["calls"], nothing["median"], nothing["items"]) == (0, None, [])


async def test_whoever_answers_calls_sees_those_of_the_own_seat_and_no_other(
    town: Town, services: Services, site: Site
) -> None:
    ours = await inspected(town, 60)
    theirs = await inspected(town, 50, RUDE, number="13890110002", operator="1002")
    await hire(services, "root", Role.ADMINISTRATOR)
    await hire(services, "li", Role.OPERATOR, extension="1001")
    await hire(services, "shen", Role.AUDITOR)
    await hire(services, "wu", Role.OPERATOR)
    staff = Staff(services=services, site=site)
    li, shen, wu = [await staff.visitor(one) for one in ("li", "shen", "wu")]

    async def calls(visitor: ClientSession) -> list[int]:
        every = await got(visitor, "/api/inspections")
        return [one["call_id"] for one in every["inspections"]]

    assert await calls(shen) == [theirs, ours]
    assert await calls(li) == [ours]
    assert await calls(wu) == []
    asked = await got(li, "/api/inspections?operator=1002")
    assert [one["call_id"] for one in asked["inspections"]] == [ours]
    await got(li, f"/api/calls/{ours}/inspection")
    await got(li, f"/api/calls/{theirs}/inspection", 404)
    await got(wu, f"/api/calls/{ours}/inspection", 404)
    assert (await got(li, "/api/inspections/summary"))["calls"] == 1


async def test_the_form_in_force_is_told(visitor: ClientSession) -> None:
    found = await got(visitor, "/api/inspections/form")
    assert (found["name"], found["fingerprint"]) == ("default/1", form().fingerprint())
    keys = {one["key"]: one for one in found["items"]}
    assert keys["badge"]["phrases"] == ["工号"]
    assert keys["rude"]["serious"] is True
    assert keys["pace"]["phrases"] == []


async def test_a_call_without_an_inspection_has_none(town: Town, visitor: ClientSession) -> None:
    call_id = await town.is_talked(NOW - timedelta(minutes=9), GOOD)
    await got(visitor, f"/api/calls/{call_id}/inspection", 404)
