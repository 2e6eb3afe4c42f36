"""The directory, the catalogue and the cards over HTTP, for whom they are meant."""

from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from hotline import city_rows
from hotline.database import transaction
from hotline.services import Services
from routing.cases import Role
from routing.directory import read_city
from tests.hotline.console.conftest import NOW, Clock, Site
from tests.hotline.console.filled import Town
from tests.hotline.console.staff import WATER, Staff, hire

MIANYANG = Path(__file__).resolve().parents[3] / "deploy" / "cities" / "mianyang"
TEXT = {
    "title": "临时用水申请",
    "unit": "water",
    "category": "城乡建设",
    "materials": ["营业执照"],
    "procedure": ["窗口申请", "现场勘察"],
    "limit": "5 个工作日",
    "address": "样例路 1 号",
    "transport": "乘样例 1 路",
    "hours": "工作日",
    "review": "2027-03-31",
}
ALL = ["materials", "procedure", "limit"]


async def ask(who: ClientSession, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    async with who.request(method, path.removeprefix("/"), json=body) as answer:
        return answer.status, await answer.json()


@pytest.fixture(autouse=True)
async def loaded(services: Services) -> None:
    async with transaction(services.pool) as tx:
        await city_rows.load(tx, read_city(MIANYANG), by="admin", at=NOW)
    await services.city_desk.refresh()


async def test_the_directory_tells_where_a_unit_is_and_how_one_gets_there(
    visitor: ClientSession, clock: Clock
) -> None:
    _, units = await ask(visitor, "GET", "/api/units")
    assert (units["city"], units["version"], len(units["units"])) == ("绵阳市", 1, 167)
    _, found = await ask(visitor, "GET", "/api/units?q=自来水")
    assert [it["id"] for it in found["units"]] == ["water"]
    _, found = await ask(visitor, "GET", "/api/units?area=江油市")
    assert len(found["units"]) == 11
    status, unit = await ask(visitor, "GET", "/api/units/civil-area@江油市")
    assert (status, unit["name"], unit["area"]) == (200, "江油市民政局", "江油市")
    assert unit["address"]
    assert unit["route"]
    assert unit["contacts"][0]["phone"].startswith("0816-0000")
    assert (unit["sample"], unit["stale"]) == (True, False)
    assert (await ask(visitor, "GET", "/api/units/nobody"))[0] == 404
    clock.forward(days=300)
    _, found = await ask(visitor, "GET", "/api/units?stale=true")
    assert len(found["units"]) == 167


@pytest.mark.parametrize(
    ("cell", "lead", "helpers", "by"),
    [
        ("level1=城乡建设", "housing", ["urban"], "城乡建设"),
        (
            "level1=城乡建设&area=三台县",
            "housing-area@三台县",
            ["urban-area@三台县", "housing"],
            "城乡建设",
        ),
        (
            "level1=城乡建设&level2=城市建设和市政管理&level3=自来水供应&area=三台县",
            "water",
            [],
            "城乡建设/城市建设和市政管理/自来水供应",
        ),
        ("level1=农村农业&area=高新区", None, [], "农村农业"),
    ],
)
async def test_the_catalogue_names_one_lead_or_says_why_none(
    visitor: ClientSession, cell: str, lead: str | None, helpers: list[str], by: str
) -> None:
    status, found = await ask(visitor, "GET", f"/api/catalogue/resolve?{cell}")
    assert status == 200
    assert (found["lead"] and found["lead"]["id"]) == lead
    assert [it["id"] for it in found["helpers"]] == helpers
    assert found["by_category"] == by
    assert bool(found["undecided"]) == (lead is None)


@pytest.mark.parametrize(
    "cell", ["level1=天文", "level1=政法&area=火星区", "level1=政法&level3=其他"]
)
async def test_a_cell_that_is_none_is_refused(visitor: ClientSession, cell: str) -> None:
    status, problem = await ask(visitor, "GET", f"/api/catalogue/resolve?{cell}")
    assert (status, problem["type"]) == (422, "invalid")


async def test_a_card_lives_from_its_first_version_to_its_end(
    visitor: ClientSession, clock: Clock
) -> None:
    status, card = await ask(visitor, "POST", "/api/cards", {"key": "water-temp", "text": TEXT})
    assert (status, card["version"], card["unit_name"]) == (200, 1, WATER)
    path = f"/api/cards/{card['id']}"
    again = await ask(visitor, "POST", "/api/cards", {"key": "water-temp", "text": TEXT})
    assert again[0] == 409
    _, found = await ask(visitor, "GET", "/api/cards?q=临时用水")
    assert found["cards"][0]["id"] == card["id"]
    doubt = {"version": 1, "verdict": "outdated", "remark": "窗口搬了"}
    _, said = await ask(visitor, "POST", f"{path}/feedback", doubt)
    assert said["answered"] is False
    _, found = await ask(visitor, "GET", "/api/cards?reported=true")
    assert [it["reported"] for it in found["cards"]] == [1]
    change = {"seen": 1, "text": {**TEXT, "address": "样例路 2 号"}, "reason": "搬迁"}
    status, card = await ask(visitor, "POST", f"{path}/versions", change)
    assert (status, card["version"], card["address"]) == (200, 2, "样例路 2 号")
    assert [it["answered"] for it in card["feedback"]] == [True]
    assert (await ask(visitor, "POST", f"{path}/versions", change))[0] == 409
    _, old = await ask(visitor, "GET", f"{path}/versions/1")
    assert (old["address"], old["version"]) == ("样例路 1 号", 1)
    assert (await ask(visitor, "GET", f"{path}/versions/{2**40}"))[0] == 404
    clock.forward(days=200)
    _, found = await ask(visitor, "GET", "/api/cards?stale=true&unit=water")
    assert {it["key"] for it in found["cards"]} == {"water-temp", "water-transfer"}
    status, card = await ask(visitor, "POST", f"{path}/retire", {"seen": 2, "reason": "取消"})
    assert (status, card["state"], len(card["versions"])) == (200, "retired", 3)
    _, found = await ask(visitor, "GET", "/api/cards?q=临时用水")
    assert card["id"] not in {it["id"] for it in found["cards"]}


@pytest.mark.parametrize(
    "wrong",
    [
        {"unit": "nobody"},
        {"category": "天文"},
        {"materials": []},
        {"limit": " "},
        {"review": "soon"},
    ],
)
async def test_a_card_with_a_fault_is_refused(
    visitor: ClientSession, wrong: dict[str, object]
) -> None:
    status, problem = await ask(
        visitor, "POST", "/api/cards", {"key": "water-temp", "text": {**TEXT, **wrong}}
    )
    assert (status, problem["type"]) == (422, "invalid")


async def test_what_a_caller_was_told_is_noted_and_measured(
    visitor: ClientSession, town: Town, clock: Clock
) -> None:
    _, ringing = await town.starts(town.call(NOW))
    first, _ = await town.answers(ringing)
    _, cards = await ask(visitor, "GET", "/api/cards?q=自来水过户")
    card = cards["cards"][0]
    telling = {"card": card["id"], "version": card["version"], "blocks": ALL}
    status, problem = await ask(
        visitor, "POST", f"/api/calls/{first}/told", {**telling, "blocks": ["materials"]}
    )
    assert (status, problem["missing"]) == (422, ["procedure", "limit"])
    status, told = await ask(visitor, "POST", f"/api/calls/{first}/told", telling)
    assert (status, told["call_id"], told["blocks"]) == (200, first, ALL)
    case_id = await town.case_of(first)
    _, in_case = await ask(visitor, "GET", f"/api/cases/{case_id}/told")
    assert in_case["told"] == [told]
    clock.forward(hours=1)
    again, _ = await town.starts(town.call(clock()))
    await ask(visitor, "POST", f"/api/calls/{again}/told", telling)
    clock.forward(hours=1)
    _, effects = await ask(visitor, "GET", "/api/cards/effects")
    assert [(it["told"], it["repeats"]) for it in effects["cards"]] == [(2, 1)]
    (repeat,) = effects["repeats"]
    assert (repeat["told"]["call_id"], repeat["again_call_id"]) == (first, again)
    for path in ("/api/calls/999/told", "/api/cases/999/told"):
        assert (await ask(visitor, "GET", path))[0] == 404
        assert (await ask(visitor, "POST", path, telling))[0] == 404
    gone = {**telling, "card": 999}
    assert (await ask(visitor, "POST", f"/api/calls/{first}/told", gone))[0] == 404


async def test_a_unit_writes_its_own_cards_and_an_operator_none(
    services: Services, site: Site
) -> None:
    await hire(services, "boss", Role.ADMINISTRATOR)
    await hire(services, "shui", Role.UNIT, unit=WATER)
    await hire(services, "li", Role.OPERATOR)
    staff = Staff(services=services, site=site)
    shui, li, boss = [await staff.visitor(it) for it in ("shui", "li", "boss")]
    own = {"key": "water-temp", "text": TEXT}
    status, card = await ask(shui, "POST", "/api/cards", own)
    assert status == 200
    foreign = {"key": "gas-temp", "text": {**TEXT, "unit": "gas"}}
    assert (await ask(shui, "POST", "/api/cards", foreign))[0] == 403
    path = f"/api/cards/{card['id']}"
    change = {"seen": 1, "text": {**TEXT, "unit": "gas"}}
    assert (await ask(shui, "POST", f"{path}/versions", change))[0] == 403
    _, cards = await ask(shui, "GET", "/api/cards?unit=police")
    other = f"/api/cards/{cards['cards'][0]['id']}/retire"
    assert (await ask(shui, "POST", other, {"seen": 1, "reason": "x"}))[0] == 403
    assert (await ask(li, "POST", f"{path}/versions", change))[0] == 403
    assert (await ask(li, "GET", path))[0] == 200
    assert (await ask(shui, "GET", "/api/cards/effects"))[0] == 403
    assert (await ask(li, "GET", "/api/city/versions"))[0] == 403
    _, versions = await ask(boss, "GET", "/api/city/versions")
    (one,) = versions["versions"]
    assert (one["number"], one["in_force"], one["loaded_by"]) == (1, True, "admin")
    assert len(one["report"]["changes"]["units"]["added"]) == 167
