"""People judge calls: drawn, scored blind by two, settled, appealed, decided, coached."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import asyncpg
import pytest
from aiohttp import ClientSession

from hotline.database import transaction
from hotline.inspecting import InspectionDesk
from hotline.retention_rows import SORTS, counted, delete
from hotline.services import Services
from routing.cases import Role
from routing.retention import Kept
from tests.hotline.console.conftest import NOW, Clock, Site
from tests.hotline.console.filled import Said, Town
from tests.hotline.console.staff import Staff, hire
from tests.hotline.console.test_inspection_api import GOOD, RUDE
from tests.transcription.inspected import form

FORM = form()
WEEK = date(2026, 11, 16)
LAST_WEEK = NOW - timedelta(days=5)
DECIDES = "UPDATE inspection_appeals SET state = 'upheld', decided_at = now(), decided_by = "
PEOPLE = {
    "li": Role.OPERATOR,
    "shen": Role.AUDITOR,
    "qian": Role.AUDITOR,
    "sun": Role.SUPERVISOR,
}


@dataclass(slots=True, kw_only=True)
class Office:
    """People who are signed in, and calls of last week."""

    town: Town
    services: Services
    visitors: Mapping[str, ClientSession]
    calls: int = 0

    async def call(self, said: tuple[Said, ...] = GOOD, *, operator: str = "1001") -> int:
        self.calls += 1
        at = LAST_WEEK + timedelta(minutes=5 * self.calls)
        number = f"1389011{self.calls:04d}"
        call_id = await self.town.is_talked(at, said, operator=operator, number=number)
        desk = InspectionDesk(
            pool=self.services.pool, form=form, badges={}, clock=self.services.clock
        )
        await desk.inspect({"call_id": call_id})
        return call_id

    async def get(self, who: str, path: str, status: int = 200) -> Any:
        async with self.visitors[who].get(path) as answer:
            assert answer.status == status, await answer.text()
            return await answer.json()

    async def post(self, who: str, path: str, body: Any, status: int = 200) -> Any:
        async with self.visitors[who].post(path, json=body) as answer:
            assert answer.status == status, await answer.text()
            return await answer.json()

    async def scores(self, who: str, call_id: int, status: int = 200, **lost: int) -> Any:
        path = f"/api/calls/{call_id}/inspection/scores"
        return await self.post(who, path, {"items": marks(**lost)}, status)

    async def twice(self, call_id: int) -> None:
        """Have a call chosen for two."""
        async with transaction(self.services.pool) as tx:
            await tx.execute(
                """INSERT INTO inspection_plans SELECT $1, 'x', $2, $3, 'test'
                   ON CONFLICT DO NOTHING""",
                WEEK,
                FORM.fingerprint(),
                NOW,
            )
            await tx.execute(
                "INSERT INTO inspection_samples VALUES ($1, $2, '1001', '{drawn}', 2)",
                call_id,
                WEEK,
            )


def marks(**lost: int) -> list[dict[str, Any]]:
    return [
        {
            "item": one.key,
            "verdict": "lost" if one.key in lost else "kept",
            "lost": lost.get(one.key, 0),
            **({"start": 27.0, "end": 28.5} if one.key in lost else {}),
        }
        for one in FORM.items
    ]


@pytest.fixture
async def office(town: Town, services: Services, site: Site) -> Office:
    await hire(services, "root", Role.ADMINISTRATOR)
    staff = Staff(services=services, site=site)
    visitors = {}
    for login, role in PEOPLE.items():
        await hire(services, login, role, extension="1001" if login == "li" else None)
        visitors[login] = await staff.visitor(login)
    return Office(town=town, services=services, visitors=visitors)


async def test_a_finished_week_is_drawn_once_and_can_be_drawn_again_by_its_seed(
    office: Office,
) -> None:
    good = [await office.call() for _ in range(6)]
    rude = await office.call(RUDE)
    found = await office.post("sun", "/api/inspections/plans", {"week": "2026-11-16"})
    (plan,) = found["plans"]
    assert (plan["form"], plan["planned_by"], plan["done"]) == ("default/1", "sun", 0)
    assert len(plan["seed"]) == 16
    listed = (await office.get("shen", "/api/inspections/samples"))["samples"]
    assert len(listed) == plan["calls"]
    because = {one["call_id"]: one["because"] for one in listed}
    assert "serious" in because[rude]
    drawn = [why for why in because.values() if "newcomer" in why]
    assert len(drawn) == FORM.people.least  # 0.2 of 7 is less
    assert set(because) <= {*good, rude}
    for body, status in (
        ({"week": "2026-11-16"}, 409),
        ({"week": "2026-11-17"}, 409),
        ({"week": "2026-11-23"}, 409),
    ):
        await office.post("sun", "/api/inspections/plans", body, status)
    await office.post("shen", "/api/inspections/plans", {"week": "2026-11-09"}, 403)


async def test_one_score_stands_and_the_operator_reads_it_without_a_name(office: Office) -> None:
    call_id = await office.call()
    before = await office.get("shen", f"/api/calls/{call_id}/inspection/scores")
    assert (before["stage"], before["may_score"], before["scores"]) == ("wanted", True, [])
    after = await office.scores("shen", call_id, badge=8)
    assert (after["stage"], after["may_score"]) == ("stands", False)
    theirs = await office.get("li", f"/api/calls/{call_id}/inspection/scores")
    (only,) = theirs["scores"]
    assert (only["scorer"], only["stands"], only["part"]) == (None, True, "first")
    assert theirs["may_appeal"] is True
    lost = [it for it in only["items"] if it["lost"]]
    assert [(it["item"], it["name"]["zh"], it["start"]) for it in lost] == [
        ("badge", "报工号", 27.0)
    ]
    (result,) = (await office.get("li", "/api/inspections/results"))["results"]
    assert (result["call_id"], result["lost"], result["score"]) == (
        call_id,
        ["badge"],
        only["score"],
    )
    assert (await office.get("qian", f"/api/calls/{call_id}/inspection/scores"))[
        "may_score"
    ] is False


async def test_two_score_blind_and_where_they_agree_that_stands(office: Office) -> None:
    call_id = await office.call()
    await office.twice(call_id)
    await office.scores("shen", call_id, badge=8)
    blind = await office.get("qian", f"/api/calls/{call_id}/inspection/scores")
    assert (blind["stage"], blind["scores"], blind["may_score"]) == ("half", [], True)
    assert (await office.get("li", f"/api/calls/{call_id}/inspection/scores"))["scores"] == []
    assert (await office.get("li", "/api/inspections/results"))["results"] == []
    after = await office.scores("qian", call_id, badge=8)
    assert (after["stage"], len(after["scores"])) == ("stands", 2)


async def test_where_two_differ_a_third_persons_score_stands(office: Office) -> None:
    call_id = await office.call()
    await office.twice(call_id)
    await office.scores("shen", call_id, badge=8)
    differs = await office.scores("qian", call_id)
    assert differs["stage"] == "differs"
    assert (await office.get("li", "/api/inspections/results"))["results"] == []
    await office.scores("shen", call_id, 409)
    settled = await office.scores("sun", call_id)
    assert settled["stage"] == "stands"
    assert [one["part"] for one in settled["scores"] if one["stands"]] == ["third"]
    agreed = (await office.get("sun", "/api/inspections/agreement"))["items"]
    badge = next(one for one in agreed if one["item"] == "badge")
    assert (badge["pairs"], badge["agreed"], badge["kappa"]) == (1, 0, 0.0)
    greeting = next(one for one in agreed if one["item"] == "greeting")
    assert (greeting["agreed"], greeting["kappa"]) == (1, None)


async def test_two_at_the_same_moment_take_turns(office: Office) -> None:
    call_id = await office.call()
    path = f"/api/calls/{call_id}/inspection/scores"

    async def tries(who: str) -> int:
        async with office.visitors[who].post(path, json={"items": marks()}) as answer:
            return answer.status

    assert sorted(await asyncio.gather(*(tries(who) for who in ("shen", "qian", "sun")))) == [
        200,
        409,
        409,
    ]


async def test_an_appeal_is_decided_by_somebody_who_never_scored_the_call(
    office: Office, services: Services
) -> None:
    call_id = await office.call()
    await office.scores("shen", call_id, badge=8, closing=8)
    path = f"/api/calls/{call_id}/inspection/appeal"
    await office.post("li", path, {"items": ["greeting"], "reason": "没有失分"}, 409)
    await office.post("shen", path, {"items": ["badge"], "reason": "不是我的"}, 404)
    asked = await office.post(
        "li", path, {"items": ["badge"], "reason": "我报了工号，电话13890115678"}
    )
    assert (asked["stage"], asked["may_appeal"]) == ("appealed", False)
    appeal = asked["appeal"]
    assert "13890115678" not in appeal["reason"]
    assert appeal["due_at"] == "2026-11-30T16:00:00Z"  # the end of the fifth working day
    await office.post("li", path, {"items": ["badge"], "reason": "再来一次"}, 409)
    judged = "SELECT count(*) FROM operator_results"
    assert await services.pool.fetchval(judged) == 0  # under appeal it counts for nothing
    decide = f"/api/inspections/appeals/{appeal['id']}/decide"
    answer = {"answer": "听录音核实，工号已报", "items": marks(closing=8)}
    await office.post("shen", decide, answer, 409)
    await office.post("li", decide, answer, 403)
    done = await office.post("qian", decide, answer)
    assert (done["state"], done["decided_by"]) == ("upheld", "qian")
    await office.post("sun", decide, answer, 409)
    (result,) = (await office.get("li", "/api/inspections/results"))["results"]
    assert (result["lost"], result["part"], result["appeal"]) == (["closing"], "appeal", "upheld")
    assert await services.pool.fetchval(judged) == 1
    told = (await office.get("li", "/api/inspections/appeals"))["appeals"]
    assert [(one["id"], one["decided_by"], one["answer"]) for one in told] == [
        (appeal["id"], None, "听录音核实，工号已报")
    ]


async def test_a_dismissed_appeal_leaves_the_result(office: Office) -> None:
    call_id = await office.call()
    await office.scores("shen", call_id, badge=8)
    path = f"/api/calls/{call_id}/inspection/appeal"
    asked = await office.post("li", path, {"items": ["badge"], "reason": "我报了"})
    (open_one,) = (await office.get("sun", "/api/inspections/appeals?state=open"))["appeals"]
    decide = f"/api/inspections/appeals/{open_one['id']}/decide"
    await office.post("sun", decide, {"answer": "录音里没有"})
    after = await office.get("li", f"/api/calls/{call_id}/inspection/scores")
    assert (after["stage"], asked["scores"]) == ("dismissed", after["scores"])


async def test_an_appeal_comes_within_working_days(
    office: Office, services: Services, site: Site, clock: Clock
) -> None:
    call_id = await office.call()
    scored = await office.scores("shen", call_id, badge=8)
    assert scored["appeal_until"] == "2026-11-30T16:00:00Z"
    clock.forward(days=7, hours=13, minutes=31)
    again = await Staff(services=services, site=site).visitor("li")
    office.visitors = {**office.visitors, "li": again}
    path = f"/api/calls/{call_id}/inspection/appeal"
    told = await office.get("li", f"/api/calls/{call_id}/inspection/scores")
    assert told["may_appeal"] is False
    await office.post("li", path, {"items": ["badge"], "reason": "晚了"}, 409)


async def test_nobody_scores_the_own_call_or_sees_anothers(
    office: Office, services: Services, site: Site
) -> None:
    ours, theirs = await office.call(), await office.call(operator="1002")
    await hire(services, "both", Role.AUDITOR, Role.OPERATOR, extension="1002")
    both = await Staff(services=services, site=site).visitor("both")
    office.visitors = {**office.visitors, "both": both}
    await office.scores("both", theirs, 409)
    await office.scores("both", ours)
    await office.get("li", f"/api/calls/{theirs}/inspection/scores", 404)
    await office.scores("li", theirs, 403)
    await office.scores("shen", 999, 404)


async def test_marks_that_do_not_fit_are_refused_in_one_sentence(office: Office) -> None:
    call_id = await office.call()
    path = f"/api/calls/{call_id}/inspection/scores"
    told = await office.post("shen", path, {"items": marks()[1:]}, 422)
    assert "greeting is not marked" in told["detail"]


async def test_coaching_shows_what_is_lost_again_and_again_with_moments_by_people_alone(
    office: Office,
) -> None:
    rude = [await office.call(RUDE) for _ in range(3)]
    assert (await office.get("sun", "/api/inspections/coaching"))["coaching"] == []
    await office.scores("shen", rude[0], rude=14)
    await office.scores("shen", rude[1], rude=14, badge=8)
    await office.scores("shen", rude[2])
    (found,) = (await office.get("li", "/api/inspections/coaching"))["coaching"]
    assert (found["item"], found["times"], found["judged"]) == ("rude", 2, 3)
    assert [(it["call_id"], it["start"]) for it in found["moments"]] == [
        (rude[1], 27.0),
        (rude[0], 27.0),
    ]
    compared = (await office.get("sun", "/api/inspections/agreement"))["items"]
    machine = next(one for one in compared if one["item"] == "rude")
    assert (machine["fired"], machine["confirmed"], machine["missed"]) == (3, 2, 0)
    assert (machine["precision"], machine["recall"]) == (pytest.approx(0.6667), 1.0)
    other = "/api/inspections/coaching?until=2026-11-01T00:00:00Z"
    assert (await office.get("sun", other))["coaching"] == []


async def test_no_score_of_the_machines_enters_what_an_operator_is_judged_by(
    office: Office, services: Services
) -> None:
    await office.call(RUDE)
    results = await office.get("sun", "/api/inspections/results")
    assert results["results"] == []
    read = await services.pool.fetch(
        """SELECT table_name FROM information_schema.view_table_usage
            WHERE view_name = 'operator_results' AND view_schema = current_schema()"""
    )
    assert {row["table_name"] for row in read} == {
        "inspection_results",
        "inspection_scores",
        "inspection_appeals",
    }


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        (
            """INSERT INTO inspection_scores (call_id, scorer, part, fingerprint, score, made_at)
               SELECT 2, 'service', 'first', fingerprint, 50, now() FROM inspections LIMIT 1""",
            asyncpg.CheckViolationError,
        ),
        (
            "INSERT INTO inspection_results VALUES (2, 777, '1001', now())",
            asyncpg.ForeignKeyViolationError,
        ),
        ("UPDATE inspection_scores SET score = 100", asyncpg.RaiseError),
        ("DELETE FROM inspection_scores", asyncpg.RaiseError),
        (
            "UPDATE inspection_results SET call_id = 2 WHERE call_id = 1",
            asyncpg.ForeignKeyViolationError,
        ),
        (
            DECIDES + "'shen'",
            asyncpg.CheckViolationError,
        ),
        (
            DECIDES + "'li'",
            asyncpg.CheckViolationError,
        ),
        ("UPDATE inspection_appeals SET state = 'upheld'", asyncpg.CheckViolationError),
    ],
    ids=[
        "a score by the service",
        "a result without a score",
        "a score changed",
        "a score gone",
        "a result of another call's score",
        "the scorer decides",
        "who appealed decides",
        "nobody decides",
    ],
)
async def test_the_schema_itself_keeps_judging_with_people(
    office: Office, services: Services, statement: str, error: type[Exception]
) -> None:
    call_id, _ = await office.call(), await office.call()
    await office.scores("shen", call_id, badge=8)
    path = f"/api/calls/{call_id}/inspection/appeal"
    await office.post("li", path, {"items": ["badge"], "reason": "我报了"})
    with pytest.raises(error):
        await services.pool.execute(statement)


async def test_what_people_wrote_leaves_after_its_period(
    office: Office, services: Services
) -> None:
    call_id = await office.call()
    body = marks(badge=8)
    body[2]["note"] = "没听到工号"
    await office.post("shen", f"/api/calls/{call_id}/inspection/scores", {"items": body})
    path = f"/api/calls/{call_id}/inspection/appeal"
    asked = await office.post("li", path, {"items": ["badge"], "reason": "我报了"})
    decide = f"/api/inspections/appeals/{asked['appeal']['id']}/decide"
    await office.post("sun", decide, {"answer": "录音里没有"})
    await services.pool.execute("UPDATE cases SET state = 'closed', closed_at = now()")
    appeals, notes = (
        one
        for name in ("FROM inspection_appeals", "FROM inspection_score_items")
        for one in SORTS[Kept.TEXTS]
        if name in one.due
    )
    later = NOW + timedelta(days=1)
    async with transaction(services.pool) as tx:
        assert [await counted(tx, one, later) for one in (appeals, notes)] == [(1, 0), (1, 0)]
        assert await delete(tx, appeals, later, 10) == [f"appeal/{asked['appeal']['id']}"]
        assert len(await delete(tx, notes, later, 10)) == 1
        assert [await counted(tx, one, later) for one in (appeals, notes)] == [(0, 0), (0, 0)]
    (told,) = (await office.get("li", "/api/inspections/appeals"))["appeals"]
    assert (told["reason"], told["answer"], told["state"]) == (None, None, "dismissed")
