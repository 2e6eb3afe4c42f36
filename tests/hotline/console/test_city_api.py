"""A city's data brought over HTTP: checked without a trace, loaded as it was checked."""

import asyncio
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from hotline import city_archive
from hotline.console import city_api
from hotline.services import Services
from routing import store
from routing.cards import CardText
from routing.cases import Role
from tests.hotline.console.app.doing import lit
from tests.hotline.console.conftest import Site
from tests.hotline.console.staff import WATER, Staff, hire

MIANYANG = Path(__file__).resolve().parents[3] / "deploy" / "cities" / "mianyang"
FILES = {path.name: path.read_text(encoding="utf-8") for path in MIANYANG.iterdir()}
Bring = Mapping[str, str | None]


def packed(changed: Bring | None = None, under: str = "mianyang/") -> bytes:
    """The first city's folder as an archive, some of its files otherwise or not at all."""
    files = {**FILES, **(changed or {})}
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packing:
        for name, text in files.items():
            if text is not None:
                packing.writestr(under + name, text)
    return archive.getvalue()


def edited(name: str, old: str, new: str) -> dict[str, str]:
    assert old in FILES[name]
    return {name: FILES[name].replace(old, new, 1)}


async def bring(who: ClientSession, body: bytes, path: str = "api/city/check") -> tuple[int, Any]:
    headers = {"Content-Type": "application/zip"}
    async with who.post(path, data=body, headers=headers) as answer:
        return answer.status, await answer.json()


async def load(who: ClientSession, body: bytes, report: Any, **more: Any) -> tuple[int, Any]:
    given = {"fingerprint": report["fingerprint"], "seen": report["forecast"]["number"]} | more
    asked = "&".join(f"{name}={value}" for name, value in given.items())
    return await bring(who, body, f"api/city/versions?{asked}")


@pytest.fixture
async def staff(services: Services, site: Site) -> Staff:
    await hire(services, "zhao.min", Role.ADMINISTRATOR)
    return Staff(services=services, site=site)


@pytest.fixture
async def admin(staff: Staff) -> ClientSession:
    return await staff.visitor("zhao.min")


async def traces(services: Services) -> tuple[Any, ...]:
    """Whatever a load would leave."""
    row = await services.pool.fetchrow(
        "SELECT (SELECT count(*) FROM city_versions), (SELECT count(*) FROM card_versions), "
        "(SELECT count(*) FROM journal WHERE event LIKE 'city.%')"
    )
    assert row is not None
    return tuple(row)


async def test_data_is_loaded_as_it_was_checked_and_once(
    services: Services, admin: ClientSession
) -> None:
    body = packed()
    status, report = await bring(admin, body)
    assert (status, report["faults"], report["unread"]) == (200, [], [])
    assert (report["figures"]["units"], report["figures"]["sample_cards"]) == (167, 18)
    assert report["forecast"]["number"] == 0
    assert len(report["forecast"]["changes"]["units"]["added"]) == 167
    assert await traces(services) == (0, 0, 0)

    status, problem = await load(
        admin, packed(edited("city.yaml", "short: 绵阳", "short: 绵")), report
    )
    assert (status, problem["type"]) == (409, "conflict")
    assert await traces(services) == (0, 0, 0)
    answers = await asyncio.gather(*(load(admin, body, report) for _ in range(3)))
    assert {status for status, _ in answers} == {200}
    assert sorted(told["new"] for _, told in answers) == [False, False, True]
    assert all(told["number"] == 1 and told["taken_over"] for _, told in answers)
    assert await traces(services) == (1, 18, 1)
    row = await services.pool.fetchrow(
        "SELECT actor, body FROM journal WHERE event = 'city.loaded'"
    )
    assert row is not None
    assert row["actor"] == "zhao.min"
    assert json.loads(row["body"])["changes"]["units"]["added"] == 167
    assert (await bring(admin, body))[1]["forecast"]["same"] is True
    async with admin.get("api/city/versions") as answer:
        (version,) = (await answer.json())["versions"]
    assert (version["loaded_by"], version["in_force"]) == ("zhao.min", True)


async def test_a_version_that_came_between_is_refused(
    services: Services, admin: ClientSession
) -> None:
    first, second = packed(), packed(edited("city.yaml", "short: 绵阳", "short: 绵"))
    (_, one), (_, other) = await bring(admin, first), await bring(admin, second)
    assert (await load(admin, first, one))[0] == 200
    status, problem = await load(admin, second, other)
    assert (status, problem["type"]) == (409, "conflict")
    assert "Version 1" in problem["detail"]
    _, other = await bring(admin, second)
    assert other["forecast"]["changes"]["city"] == {
        "added": [],
        "changed": ["short"],
        "removed": [],
    }
    assert (await load(admin, second, other))[1]["number"] == 2
    assert (await traces(services))[0] == 2


async def test_the_report_names_whom_a_gone_unit_leaves_behind(
    services: Services, admin: ClientSession
) -> None:
    body = packed()
    _, report = await bring(admin, body)
    await load(admin, body, report)
    await hire(services, "wang.fang", Role.UNIT, unit=WATER)
    case_id = await lit(services)
    async with services.pool.acquire() as conn, conn.transaction():
        case = await store.get(conn, case_id)
        await conn.execute("UPDATE cases SET unit = $2 WHERE id = $1", case_id, WATER)
    renamed = packed({"units.yaml": FILES["units.yaml"].replace(WATER, "市供水集团")})
    status, report = await bring(admin, renamed)
    assert (status, report["faults"]) == (200, [])
    (gone,) = report["forecast"]["units"]
    assert gone == {
        "name": WATER,
        "open_cases": 1,
        "numbers": [case.number],
        "users": ["wang.fang"],
    }
    assert report["forecast"]["changes"]["units"]["removed"] == [WATER]
    assert report["forecast"]["changes"]["units"]["added"] == ["市供水集团"]


async def test_cards_that_people_changed_here_are_named_before_they_are_written_over(
    services: Services, admin: ClientSession, staff: Staff
) -> None:
    body = packed()
    _, report = await bring(admin, body)
    await load(admin, body, report)
    await hire(services, "liu.wei", Role.DISPATCHER)
    writer = await staff.visitor("liu.wei")
    async with writer.get("api/cards?limit=200") as answer:
        cards = {card["key"]: card["id"] for card in (await answer.json())["cards"]}
    at = f"api/cards/{cards['water-transfer']}"
    async with writer.get(at) as answer:
        card = await answer.json()
    text = {name: card[name] for name in CardText.model_fields}
    given = {"seen": 1, "text": {**text, "limit": "1 个工作日"}, "reason": "提速"}
    async with writer.post(f"{at}/versions", json=given) as answer:
        assert answer.status == 200, await answer.text()
    assert (await bring(admin, body))[1]["forecast"]["cards"] == []  # the folder says nothing new
    again = edited("units.yaml", "hours: 全天（样例）", "hours: 周一至周日（样例）")
    (own,) = (await bring(admin, packed(again)))[1]["forecast"]["cards"]
    assert (own["key"], own["by"], own["retired"]) == ("water-transfer", "liu.wei", False)


PASSWD = edited("city.yaml", "../general/rules.yaml", "../../../../etc/passwd")


@pytest.mark.parametrize(
    ("changed", "place", "says"),
    [
        ({"cards.yaml": None}, ("cards.yaml", None), "cannot be read"),
        (edited("city.yaml", "sichuan-2025", "mars-2099"), ("city.yaml", None), "mars-2099"),
        (edited("units.yaml", "- id: water\n", "- id: gas\n"), ("units.yaml", 72), "gas"),
        (PASSWD, ("city.yaml", None), "outside"),
        (edited("city.yaml", "绵阳\n", "&a 绵阳\nx: *a\n"), ("city.yaml", 5), "references"),
        ({"words.yaml": "words: " + "[" * 100}, ("words.yaml", 1), "deep nesting"),
        ({"categories.csv": "a,b,c\n"}, ("categories.csv", 1), "level1,level2,level3"),
    ],
)
async def test_every_fault_has_its_place_and_nothing_is_written(
    services: Services,
    admin: ClientSession,
    changed: Bring,
    place: tuple[str, int | None],
    says: str,
) -> None:
    body = packed(changed)
    status, report = await bring(admin, body)
    assert (status, report["fingerprint"], report["forecast"]) == (200, None, None)
    said = [it for it in report["faults"] if says in it["sentence"]]
    assert (f"mianyang/{place[0]}", place[1]) in [(it["file"], it["line"]) for it in said], said
    assert "root:" not in str(report)
    made_up = {"fingerprint": "0" * 64, "forecast": {"number": 0}}
    status, problem = await load(admin, body, made_up)
    assert (status, problem["type"]) == (422, "invalid")
    assert await traces(services) == (0, 0, 0)


async def test_what_is_no_citys_archive_is_refused_in_one_sentence(
    admin: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = packed(under="../")
    twice = io.BytesIO()
    with zipfile.ZipFile(twice, "w") as packing:
        packing.writestr("a/city.yaml", FILES["city.yaml"])
        packing.writestr("b/city.yaml", FILES["city.yaml"])
    for body, says in (
        (b"", "no zip archive"),
        (b"PK\x03\x04 and then nothing", "no zip archive"),
        (packed()[:-40], "no zip archive"),
        (packed({**dict.fromkeys(FILES), "readme.yaml": ""}), "no city.yaml"),
        (twice.getvalue(), "more than one city.yaml"),
        (outside, "outside of itself"),
    ):
        status, report = await bring(admin, body)
        assert (status, len(report["faults"])) == (200, 1)
        assert says in report["faults"][0]["sentence"]
    monkeypatch.setattr(city_archive, "LARGEST_CONTENT", 2**20)
    _, report = await bring(admin, packed({"rules.yaml": " " * 2**20}))
    assert "more than 1 MiB" in report["faults"][0]["sentence"]
    monkeypatch.setattr(city_api, "LARGEST_ARCHIVE", 2**19)
    status, problem = await bring(admin, b"x" * (2**19 + 1))
    assert (status, problem["type"]) == (413, "too_large")


async def test_files_at_the_root_serve_and_files_nobody_reads_are_named(
    admin: ClientSession,
) -> None:
    more = {"readme.md": "说明", "extra.yaml": "a: 1\n", ".DS_Store": "x"}
    _, report = await bring(admin, packed(more, under=""))
    assert (report["faults"], report["city"]) == ([], "绵阳市")
    assert sorted(report["unread"]) == ["extra.yaml", "readme.md"]
