"""A protected report cannot be found by the accused, their chain, or anybody but discipline."""

import json
import re
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from hotline import journal, sighted
from hotline.console.endpoint import Endpoint
from hotline.console.sight import visible_cases
from hotline.database import borrowed, connected
from routing.cases import Move, Role
from tests.conftest import beside
from tests.hotline.console import twins
from tests.hotline.console.conftest import NOW, Site
from tests.hotline.console.filled import Town
from tests.hotline.console.staff import CITY_LIGHTS, WATER, Staff, hire
from tests.hotline.console.twins import ACCUSED, CONFIRMED, SAID, Twin, post


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """The town with the reports, the town without, and the reports' ids."""

    having: Twin
    lacking: Twin
    ids: dict[str, int]
    number: str


@pytest.fixture
async def pair(database: str, postgres: str, template: str, tmp_path: Path) -> AsyncIterator[Pair]:
    name = database.rpartition("/")[2] + "_twin"
    async with connected(postgres) as conn:
        await conn.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    async with (
        twins.lives(tmp_path / "having", database) as having,
        twins.lives(tmp_path / "lacking", beside(postgres, name)) as lacking,
    ):
        for one in (having, lacking):
            await twins.ordinary(one)
        call_id, by_call, by_letter = await twins.reports(having)
        await twins.same_numbers(having, lacking)
        for one in (having, lacking):
            await twins.afterwards(one)
        number = await having.services.pool.fetchval(
            "SELECT number FROM cases WHERE id = $1", by_call
        )
        ids = {"case_id": by_call, "letter_id": by_letter, "call_id": call_id}
        yield Pair(having=having, lacking=lacking, ids=ids, number=number)
    async with connected(postgres) as conn:
        await conn.execute(f"DROP DATABASE {name} WITH (FORCE)")


FIGURES = frozenset({"/metrics", "/api/numbers"})
BY_THE_CALL = {
    *("hotline_calls_answered_total", "hotline_calls_answered_within_target_total"),
    *("hotline_calls_ended_total", "hotline_calls_offered_total", "hotline_calls_registered_total"),
    *("hotline_connect_window_answered", "hotline_connect_window_offered"),
    *("hotline_target_window_answered", "hotline_target_window_offered"),
    *(f"hotline_queue_wait_seconds_{it}" for it in ("bucket", "count", "sum")),
    *(f"hotline_talk_seconds_{it}" for it in ("bucket", "count", "sum")),
    *("hotline_recordings", "hotline_transcripts_audio_seconds_total"),
    *("hotline_transcripts_done_total", "recordings", "lines.answered_in_time_24h"),
    *("lines.connect_24h", "lines.connect_24h_without_short"),
    *("indicator.connect", "indicator.connect_without_short", "indicator.answered_in_time"),
    *("indicator.abandonment", "indicator.speed_of_answer", "indicator.service_level"),
    *("indicator.service_level_4", "indicator.talk_time", "indicator.registered"),
    "indicator.repeated_calls",
}
"""What the reporter's call moves: the telephone counts every call on its line, whatever became of
it. No figure of cases, by state, kind, category, urgency or unit, is among them."""
FILTERING = frozenset({ACCUSED, "desk", "super", "fallen"})
"""Who tries every filter; the others have the rights of one of these, and ask without."""


@pytest.mark.timeout(300)
async def test_every_answer_is_the_same_as_where_no_report_was_made(pair: Pair) -> None:
    having, lacking, found, moved = pair.having, pair.lacking, Counter[str](), set[str]()
    for login in twins.KEPT_OUT:
        one, other = await having.staff.visitor(login), await lacking.staff.visitor(login)
        for endpoint in twins.ASKED:
            filters = login in FILTERING
            if login != ACCUSED and not may(login, endpoint):
                continue  # refused before anything is read
            for path, body in twins.requests(endpoint, pair.ids, pair.number, filters=filters):
                first, second = await twins.both(
                    twins.told(having, one, endpoint, path, body),
                    twins.told(lacking, other, endpoint, path, body),
                )
                if endpoint.path in FIGURES:
                    moved |= moved_by_the_call(path, first, second)
                    continue
                assert first == second, (login, endpoint.method, path)
                found[first[:3]] += 1
    assert found["200"] > 600, found  # they were asked for real
    assert found["404"] > 200, found
    assert moved == BY_THE_CALL
    await they_are_there(pair)
    await the_feed_tells_nobody(pair)
    await refused_looks_are_told_to_discipline(pair)


def may(login: str, endpoint: Endpoint) -> bool:
    return endpoint.roles is None or bool(endpoint.roles & set(twins.PEOPLE[login]))


def moved_by_the_call(path: str, first: str, second: str) -> set[str]:
    """The figures that differ: series of /metrics without labels, or keys of /api/numbers."""
    if path == "/metrics":
        lines = set(first.splitlines()) ^ set(second.splitlines())
        named = {_series(line) for line in lines}
        # The twin without the report skips the number of its call (`twins.same_numbers`).
        named.discard("hotline_call_numbers_missing")
        return {it for it in named if not it.startswith("hotline_snapshot_")}
    one, other = (json.loads(it[it.index("{") :]) for it in (first, second))
    both = zip(one.pop("lines"), other.pop("lines"), strict=True)
    by_line = {f"lines.{key}" for a, b in both for key in a if a[key] != b[key]}
    return {key for key in one if one[key] != other[key]} | by_line


def _series(line: str) -> str:
    """A series without its labels, but for which indicator it is of."""
    indicator = re.search(r'indicator="([a-z0-9_]+)"', line)
    return f"indicator.{indicator[1]}" if indicator else re.split(r"[{ ]", line)[0]


async def they_are_there(pair: Pair) -> None:
    """Discipline finds both reports where they were made: they are there to be found."""
    clean = await pair.having.staff.visitor("clean")
    async with clean.get("/api/cases?limit=200") as answer:
        ids = {it["id"] for it in (await answer.json())["cases"]}
    assert {pair.ids["case_id"], pair.ids["letter_id"]} <= ids


async def the_feed_tells_nobody(pair: Pair) -> None:
    """The feed's own way of leaving out rows, for everybody, over the whole journal."""
    for login in twins.KEPT_OUT:
        rows = []
        for twin in (pair.having, pair.lacking):
            async with borrowed(twin.services.pool) as conn:
                sight = visible_cases(await twins.person(twin, login))
                shown = await sight.shown(conn, await journal.after(conn, 0, 100_000))
                rows.append([it for it in shown if it.event not in journal.LOOKS])
        first, second = (
            [(it.id, it.event, it.actor, it.call_id, it.case_id, it.body) for it in told]
            for told in rows
        )
        assert first == second, login
        assert not first or not {pair.ids["case_id"]} & {row[4] for row in first}


async def refused_looks_are_told_to_discipline(pair: Pair) -> None:
    """Who looked and who tried to, in one query, and for discipline alone."""
    having, case_id = pair.having, pair.ids["case_id"]
    for login in (ACCUSED, "desk"):
        visitor = await having.staff.visitor(login)
        async with visitor.get(f"/api/cases/{case_id}") as answer:
            assert answer.status == 404
    clean = await having.staff.visitor("clean")
    async with clean.get(f"/api/cases/{case_id}/seen") as answer:
        looks = [(it["actor"], it["event"]) for it in (await answer.json())["looks"]]
    assert looks[:2] == [("desk", "seen.refused"), (ACCUSED, "seen.refused")]
    assert ("clean", "seen.case") in looks
    assert ("clean", "seen.call") in looks
    async with (await having.staff.visitor("super")).get(f"/api/cases/{case_id}/seen") as answer:
        assert answer.status == 404


@pytest.fixture
async def staff(site: Site, services: Any) -> Staff:
    for login, roles in twins.PEOPLE.items():
        await hire(services, login, *roles, extension="1002" if login == "operator" else None)
    return Staff(services=services, site=site)


async def case_of(visitor: ClientSession, case_id: int) -> tuple[int, Any]:
    async with visitor.get(f"/api/cases/{case_id}") as answer:
        return answer.status, await answer.json()


async def refused(visitor: ClientSession, path: str, body: dict[str, Any], word: str) -> None:
    async with visitor.post(path, json=body) as answer:
        assert (await answer.json())["type"] == word, await answer.text()


async def test_whoever_took_the_report_keeps_it_until_discipline_has_it(
    staff: Staff, town: Town
) -> None:
    call_id = await town.is_talked(NOW, twins.REPORT, operator="1002")
    case_id = await town.case_of(call_id)
    path = f"/api/cases/{case_id}"
    operator, clean = await staff.visitor("operator"), await staff.visitor("clean")
    async with operator.get(f"{path}/protection") as answer:
        advice = (await answer.json())["suggested"]
    assert advice["against_officials"]
    assert {"举报", "领导", "红包"} <= set(advice["words"])
    await post(operator, f"{path}/protect", {"units": [CITY_LIGHTS], "reason": "举报领导"})
    status, case = await case_of(operator, case_id)
    assert (status, case["owner"]) == (200, "operator")
    await refused(operator, f"/api/calls/{call_id}/reveal", {"reason": "想知道来电人"}, "forbidden")
    await refused(operator, f"{path}/reveal", {"reason": "想知道来电人"}, "forbidden")
    await refused(operator, f"{path}/withdraw", {"reason": "不予办理"}, "illegal_move")
    assert (await case_of(await staff.visitor("desk"), case_id))[0] == 404
    await post(clean, f"{path}/take-over", {})
    assert (await case_of(operator, case_id))[0] == 404
    status, case = await case_of(clean, case_id)
    assert case["owner"] == "clean"
    # Discipline handles it alone: no unit is given it, and the reporter is told for a reason only.
    await post(clean, f"{path}/open", {**CONFIRMED, "kind": "report"})
    await refused(clean, f"{path}/dispatch", {"unit": WATER}, "not_your_role")
    await refused(clean, f"{path}/hand-over", {"person": "desk"}, "illegal_move")
    for revealed in (f"/api/calls/{call_id}/reveal", f"{path}/reveal"):
        caller = await post(clean, revealed, {"reason": "核实举报"})
        assert caller["number"] == "13890115678"
    ended = await post(clean, f"{path}/answer-directly", {**CONFIRMED, "reply": "已查处"})
    assert ended["state"] == "closed"
    # Nobody ends the protection alone.
    for _ in range(2):
        await post(clean, f"{path}/unprotect", {"reason": "查无此事"})
    assert (await case_of(await staff.visitor("desk"), case_id))[0] == 404
    async with clean.get(f"{path}/protection") as answer:
        found = await answer.json()
    assert (found["protected"], found["end_asked_by"]) == (True, "clean")
    await post(await staff.visitor("fallen"), f"{path}/unprotect", {"reason": "复核属实"})
    assert (await case_of(await staff.visitor("desk"), case_id))[0] == 200
    assert (await case_of(await staff.visitor("lights"), case_id))[0] == 404


async def test_a_report_against_whoever_took_it_is_disciplines_at_once(
    staff: Staff, town: Town, services: Any
) -> None:
    case_id = await town.case_of(await town.is_talked(NOW, twins.REPORT, operator="1002"))
    accused = {"against_office": True, "persons": ["1002"], "reason": "举报接线员"}
    await post(await staff.visitor("desk"), f"/api/cases/{case_id}/protect", accused)
    owner = await services.pool.fetchval("SELECT owner FROM cases WHERE id = $1", case_id)
    assert owner == "desk"
    operator = await staff.visitor("operator")  # known by login and by seat
    assert (await case_of(operator, case_id))[0] == 404
    await post(operator, "/api/texts/check", {"text": "我叫王小明，电话13800138000"})
    # Where the only person of discipline is accused too, its desk has the case, and nobody else.
    other = await town.case_of(await town.is_talked(NOW, twins.REPORT, operator="1002"))
    everybody = {"persons": ["clean", "fallen", "operator"], "reason": "举报纪检"}
    await post(await staff.visitor("clean"), f"/api/cases/{other}/protect", everybody)
    owner = await services.pool.fetchval("SELECT owner FROM cases WHERE id = $1", other)
    assert owner == "discipline"
    for login in twins.PEOPLE:
        assert (await case_of(await staff.visitor(login), other))[0] in {403, 404}, login


async def test_a_conflict_moves_the_case_in_the_same_minute(staff: Staff, town: Town) -> None:
    call_id = await town.is_talked(NOW, SAID, operator="1001")
    case_id = await town.case_of(call_id)
    path = f"/api/cases/{case_id}"
    await town.moves(call_id, Move.OPEN, NOW, **CONFIRMED)
    await town.moves(call_id, Move.DISPATCH, NOW, unit=CITY_LIGHTS)
    lights, other = await staff.visitor("lights"), await staff.visitor(ACCUSED)
    desk = await staff.visitor("desk")
    await post(lights, f"{path}/sign", {})
    # Somebody of the unit declares it: a colleague has the case, the unit goes on.
    await post(lights, f"{path}/recuse", {"reason": "来电人是我亲戚"})
    assert (await case_of(lights, case_id))[0] == 404
    status, case = await case_of(other, case_id)
    assert (status, case["owner"], case["state"]) == (200, ACCUSED, "handling")
    await refused(other, f"{path}/hand-over", {"person": "lights"}, "illegal_move")
    await refused(
        other, f"{path}/recuse", {"persons": ["desk"], "reason": "他也有利害"}, "not_your_role"
    )
    # The caller asks that the whole unit stay away: the desk has it again, and cannot give it back.
    asked = {"units": [CITY_LIGHTS], "because": "asked", "reason": "来电人要求回避"}
    await post(desk, f"{path}/recuse", asked)
    assert (await case_of(other, case_id))[0] == 404
    status, case = await case_of(desk, case_id)
    assert (case["owner"], case["state"], case["unit"]) == ("desk", "open", None)
    again = {**CONFIRMED, "unit": CITY_LIGHTS}
    await refused(desk, f"{path}/dispatch", again, "illegal_move")
    await refused(
        desk, f"{path}/dispatch", {**again, "unit": WATER, "helpers": [CITY_LIGHTS]}, "illegal_move"
    )
    await post(desk, f"{path}/dispatch", {**again, "unit": WATER})
    told = [it["event"] for it in (await case_of(desk, case_id))[1]["history"]]
    assert told.count("case.recused") == 2
    # A conflict that is gone is ended by discipline, by its number; the accused never come back.
    clean = await staff.visitor("clean")
    async with clean.get(f"{path}/protection") as answer:
        (one, *_) = (await answer.json())["apart"]
    await refused(clean, f"{path}/rejoin", {"apart": 999, "reason": "已无利害"}, "illegal_move")
    await post(clean, f"{path}/rejoin", {"apart": one["id"], "reason": "亲戚已撤诉"})
    async with clean.get(f"{path}/protection") as answer:
        (one, *_) = (await answer.json())["apart"]
    assert (one["ended_by"], one["ended_at"] is None) == ("clean", False)


async def test_every_table_that_points_at_a_case_or_a_call_is_seen_through_sight(
    conn: Any,
) -> None:
    """A new table with a case or a call in it is hidden by itself, else this test fails.

    Whoever adds a column that holds the id of a case or call calls it `case_id` or `call_id`, or
    gives it a foreign key, or says here why nobody is served from it.
    """
    await conn.execute("CREATE TABLE made_today (about bigint REFERENCES cases (id), note text)")
    await sighted.keep_up(conn, anew=True)
    assert "made_today" in await sighted.shown(conn)
    await conn.execute("DROP TABLE made_today CASCADE")
    rows = await conn.fetch(
        """
        SELECT table_name, column_name, data_type FROM information_schema.columns
         WHERE table_schema = 'public'
           AND (column_name ~ '(case|call)s?(_ids?)?$' OR column_name ~ '_(case|call)_')
        """
    )
    shown = await sighted.shown(conn)
    loose = {f"{it['table_name']}.{it['column_name']}" for it in rows if it[0] not in shown}
    counted = {"mark_total.cases"}  # how many cases were read: a count, and no id
    assert loose == counted, "hide it (hotline/sighted.py) or say here why nobody is served from it"
    assert {"cases", "calls", "journal", "recordings", "transcripts", "notices"} <= shown


def test_the_console_reads_for_people_through_their_own_sight_only() -> None:
    """No file of the console takes the service's own pool, but where this says why."""
    console = Path(__file__).resolve().parents[3] / "hotline" / "console"
    allowed = {
        "counted.py": "figures leave protected cases out by themselves (metrics/store.py)",
        "exporting.py": "a narrower sight: no file holds a protected case, whoever takes it",
        "people_api.py": "the signed-in user's own row",
        "person_requests_api.py": "empties the store of what was decided upon before",
        "reports_api.py": "figures likewise, and the same for whoever reads the report",
        "refused.py": "writes down what the asker cannot find",
        "protected_api.py": "whoever marks or recuses may find the case no longer halfway",
    }
    own = re.compile(r"(desk|self)\._?services\.pool")
    using = {it.name for it in console.glob("*.py") if own.search(it.read_text("utf-8"))}
    assert using == set(allowed), "read through asked.services.pool, or say here why not"


async def test_without_the_views_nobody_is_served_rather_than_everybody(pool: Any) -> None:
    async with borrowed(pool) as conn:
        await sighted.take_down(conn)
    viewer = sighted.viewer(names=frozenset({"x"}), unit=None, discipline=False)
    with pytest.raises(Exception, match="sight"):
        async with borrowed(sighted.sighted(pool, viewer)) as conn:
            await conn.fetch("SELECT * FROM cases")


def test_roles_are_those_that_the_twins_try() -> None:
    tried = {role for login in twins.KEPT_OUT for role in twins.PEOPLE[login]}
    assert tried == set(Role) - {Role.SYSTEM}
