"""Users coming in: passwords, waits, sessions, tokens; time stands until a test moves it."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import ClientSession, encode_basic_auth
from argon2 import PasswordHasher

from hotline import accounts, passwords, user_rows
from hotline.config_sign_in import SignIn
from hotline.console.attempts import Pace
from hotline.console.problems import ProblemError
from hotline.database import borrowed, transaction
from hotline.services import Services
from routing.cases import Role
from tests.hotline.console.conftest import NOW, Clock, Site, configured, opened, services_on
from tests.hotline.console.staff import PASSWORD, Staff, hire

ADMIN = Role.ADMINISTRATOR
LIGHT = PasswordHasher(time_cost=2, memory_cost=64, parallelism=1)


async def ask(
    visitor: ClientSession, method: str, path: str, body: object = None, **headers: str
) -> tuple[int, dict[str, Any]]:
    async with visitor.request(method, path, json=body, headers=headers) as answer:
        return answer.status, await answer.json()


async def enter(
    visitor: ClientSession, login: str, password: str = PASSWORD, **more: str
) -> tuple[int, dict[str, Any]]:
    return await ask(
        visitor, "POST", "/api/session", {"login": login, "password": password, **more}
    )


def afar(site: Site, address: str = "203.0.113.9") -> ClientSession:
    visitor = site.visitor()
    visitor.headers["X-Forwarded-For"] = address
    return visitor


async def journal_of(services: Services, event: str) -> list[dict[str, Any]]:
    rows = await services.pool.fetch("SELECT body FROM journal WHERE event = $1", event)
    return [json.loads(row["body"]) for row in rows]


@pytest.fixture(autouse=True)
def light(monkeypatch: pytest.MonkeyPatch) -> None:
    """As little work as Argon2 knows: what it must cost is the library's choice, tested once."""
    monkeypatch.setattr(passwords, "_hasher", LIGHT)


@pytest.fixture
async def boss(services: Services) -> None:
    await hire(services, "boss", ADMIN, password=PASSWORD)


async def test_the_first_administrator_ends_the_open_console(site: Site) -> None:
    visitor = site.visitor()
    status, session = await ask(visitor, "GET", "/api/session")
    assert (status, session["signed_in"], session["login_needed"]) == (200, True, False)
    assert (await ask(visitor, "GET", "/api/cases"))[0] == 200
    user = {"login": "wang", "name": "王某", "roles": ["operator"], "password": PASSWORD}
    status, problem = await ask(visitor, "POST", "/api/users", user)
    assert (status, problem["type"]) == (409, "not_possible")  # the first is an administrator
    boss = user | {"login": "boss", "roles": ["administrator"]}
    assert (await ask(visitor, "POST", "/api/users", boss))[0] == 200
    assert (await ask(visitor, "GET", "/api/cases"))[0] == 401
    _, session = await ask(visitor, "GET", "/api/session")
    assert (session["signed_in"], session["login_needed"], session["roles"]) == (False, True, [])
    assert (await enter(visitor, "boss"))[1]["must_change"] is True


async def test_the_console_password_is_the_way_in_until_there_is_a_user(
    tmp_path: Any, services: Services, database: str, clock: Clock
) -> None:
    config = configured(tmp_path, console_password="only-the-beginning")
    site = await opened(services_on(config, services.pool, database, clock))
    try:
        visitor = afar(site)
        assert (await ask(visitor, "POST", "/api/session", {"password": "only-the-beginning"}))[
            0
        ] == 200
        assert (await ask(visitor, "GET", "/api/cases"))[0] == 200
        await hire(services, "boss", ADMIN, password=PASSWORD)
        assert (await ask(visitor, "GET", "/api/cases"))[0] == 401  # its session is over
        status, problem = await ask(
            visitor, "POST", "/api/session", {"password": "only-the-beginning"}
        )
        assert (status, problem["type"]) == (401, "wrong_password")
        assert (await enter(visitor, "boss"))[0] == 200
        async with afar(site).get("/metrics", headers=_basic("only-the-beginning")) as answer:
            assert answer.status == 200  # Prometheus keeps its way
    finally:
        await site.close()


def _basic(password: str) -> dict[str, str]:
    return {"Authorization": encode_basic_auth("prometheus", password, encoding="utf-8")}


@pytest.mark.usefixtures("boss")
async def test_a_user_signs_in_at_the_own_seat_and_is_named_by_the_login(
    site: Site, services: Services
) -> None:
    await hire(services, "li.na", Role.OPERATOR, extension="1001", password=PASSWORD)
    visitor = site.visitor()
    status, session = await enter(visitor, "Li.Na")
    assert (status, session["seat"], session["roles"]) == (200, "1001", ["operator"])
    assert session["user"]["login"] == "li.na"
    assert (await journal_of(services, "user.signed_in"))[-1] == {
        "user": "li.na",
        "way": "password",
        "seat": "1001",
    }
    await hire(services, "zhao", Role.OPERATOR, password=PASSWORD)
    assert (await enter(site.visitor(), "zhao", seat="1001"))[0] == 422  # li.na's own
    assert (await enter(site.visitor(), "zhao", seat="9999"))[0] == 422
    assert (await enter(site.visitor(), "zhao", seat="1002"))[1]["seat"] == "1002"


@pytest.mark.parametrize(
    ("login", "password"),
    [("boss", "wrong"), ("nobody", PASSWORD), ("boss", ""), ("", PASSWORD), ("gone", PASSWORD)],
)
@pytest.mark.usefixtures("boss")
async def test_every_wrong_sign_in_is_refused_the_same_way(
    site: Site, services: Services, login: str, password: str
) -> None:
    gone = await hire(services, "gone", Role.OPERATOR, password=PASSWORD)
    async with transaction(services.pool) as tx:
        await accounts.activate(tx, gone.id, active=False, by="test", now=NOW)
    status, problem = await enter(site.visitor(), login, password)
    assert (status, problem["type"]) == (401, "wrong_password")
    assert problem["detail"] == "The login or the password is wrong."


@pytest.mark.usefixtures("boss")
async def test_an_account_waits_longer_and_longer_wherever_the_guesses_come_from(
    site: Site, clock: Clock, services: Services
) -> None:
    statuses = [
        (await enter(afar(site, f"203.0.113.{number}"), "boss", "wrong"))[0] for number in range(6)
    ]
    assert statuses == [401] * 5 + [429]
    assert (await enter(afar(site, "198.51.100.1"), "boss"))[0] == 429  # the right one, too
    clock.forward(seconds=2)
    assert (await enter(afar(site, "198.51.100.1"), "boss"))[0] == 200
    assert [it["failures"] for it in await journal_of(services, "user.refused")] == [1, 2, 3, 4, 5]
    async with borrowed(services.pool) as conn:
        user = await user_rows.by_login(conn, "boss")
    assert user is not None
    assert (user.failures, user.failed_at) == (0, None)


@pytest.mark.usefixtures("boss")
async def test_a_login_nobody_has_waits_like_one_that_exists(site: Site) -> None:
    statuses = [
        (await enter(afar(site, f"203.0.113.{number}"), "nobody", "wrong"))[0]
        for number in range(6)
    ]
    assert statuses == [401] * 5 + [429]


@pytest.mark.usefixtures("boss")
async def test_guesses_from_elsewhere_keep_nobody_out_of_the_machine_always_worked_at(
    site: Site, services: Services, clock: Clock
) -> None:
    """Otherwise anybody could lock the last administrator out for as long as they like."""
    assert (await enter(afar(site, "192.0.2.7"), "boss"))[0] == 200
    async with transaction(services.pool) as tx:
        user = await user_rows.by_login(tx, "boss")
        assert user is not None
        for _ in range(40):
            await user_rows.failed(tx, user.id, clock(), timedelta(minutes=15))
    assert (await enter(afar(site, "198.51.100.1"), "boss"))[0] == 429
    assert (await enter(afar(site, "192.0.2.7"), "boss"))[0] == 200
    async with transaction(services.pool) as tx:
        for _ in range(40):
            await user_rows.failed(tx, user.id, clock(), timedelta(minutes=15))
    clock.forward(minutes=15)
    assert (await enter(afar(site, "198.51.100.1"), "boss"))[0] == 200  # never for ever


@pytest.mark.usefixtures("boss")
async def test_a_session_idles_expires_and_ends_everywhere(
    site: Site, clock: Clock, services: Services
) -> None:
    await hire(services, "li", Role.OPERATOR, password=PASSWORD)
    one, other = site.visitor(), site.visitor()
    await enter(one, "li")
    clock.forward(minutes=119)
    assert (await ask(one, "GET", "/api/cases"))[0] == 200
    clock.forward(minutes=119)
    assert (await ask(one, "GET", "/api/cases", **{"X-Hotline-Quiet": "1"}))[0] == 200
    clock.forward(minutes=2)  # a page that asks by itself is nobody at work
    assert (await ask(one, "GET", "/api/cases"))[0] == 401
    await enter(one, "li")
    for _ in range(11):
        clock.forward(hours=1)
        assert (await ask(one, "GET", "/api/cases"))[0] == 200
    clock.forward(hours=1)
    assert (await ask(one, "GET", "/api/cases"))[0] == 401
    await enter(one, "li")
    await enter(other, "li")
    assert (await ask(one, "POST", "/api/session/everywhere/end", {}))[0] == 200
    for visitor in (one, other):
        assert (await ask(visitor, "GET", "/api/cases"))[0] == 401


@pytest.mark.usefixtures("boss")
async def test_sessions_and_their_end_outlive_a_restart(site: Site, services: Services) -> None:
    await hire(services, "li", Role.OPERATOR)
    staff = Staff(services=services, site=site)
    kept, ended = await staff.cookie("li"), await staff.cookie("li")
    leaving = site.visitor()
    await ask(leaving, "DELETE", "/api/session", Cookie=f"hotline_session={ended}")
    again = await opened(services)
    try:
        for cookie, status in ((kept, 200), (ended, 401)):
            headers = {"Cookie": f"hotline_session={cookie}"}
            assert (await ask(again.visitor(), "GET", "/api/cases", **headers))[0] == status
    finally:
        await again.close()


@pytest.mark.usefixtures("boss")
async def test_a_password_set_by_somebody_else_must_be_changed_first(
    site: Site, services: Services
) -> None:
    li = await hire(services, "li", Role.OPERATOR, password=PASSWORD)
    old = site.visitor()
    await enter(old, "li")
    admin = site.visitor()
    await enter(admin, "boss")
    status, told = await ask(
        admin, "POST", f"/api/users/{li.id}/reset-password", {"password": "given-on-paper-9"}
    )
    assert (status, told["must_change"]) == (200, True)
    assert (await ask(old, "GET", "/api/cases"))[0] == 401
    visitor = site.visitor()
    _, session = await enter(visitor, "li", "given-on-paper-9")
    assert session["must_change"] is True
    status, problem = await ask(visitor, "GET", "/api/cases")
    assert (status, problem["type"]) == (403, "password_change_needed")
    change = {"old": "given-on-paper-9", "new": "a-new-one-of-mine"}
    wrong = change | {"old": "guess"}
    assert (await ask(visitor, "POST", "/api/session/password", wrong))[0] == 401
    for weak in ("short", "li-and-more-of-it", "aaaaaaaaaaaa", "given-on-paper-9"):
        weaker = change | {"new": weak}
        assert (await ask(visitor, "POST", "/api/session/password", weaker))[0] == 422, weak
    status, session = await ask(visitor, "POST", "/api/session/password", change)
    assert (status, session["must_change"]) == (200, False)
    assert (await ask(visitor, "GET", "/api/cases"))[0] == 200
    assert (await enter(site.visitor(), "li", "given-on-paper-9"))[0] == 401
    assert (await enter(site.visitor(), "li", "a-new-one-of-mine"))[0] == 200


@pytest.mark.usefixtures("boss")
async def test_nobody_takes_the_last_administrator_away(site: Site, services: Services) -> None:
    visitor = site.visitor()
    await enter(visitor, "boss")
    _, users = await ask(visitor, "GET", "/api/users")
    (boss_id,) = (user["id"] for user in users["users"])
    path = f"/api/users/{boss_id}"
    less = {"name": "王", "roles": ["operator"]}
    for word, body in (("deactivate", {}), ("change", less)):
        status, problem = await ask(visitor, "POST", f"{path}/{word}", body)
        assert (status, problem["type"]) == (409, "not_possible"), word
    await hire(services, "second", ADMIN)
    answers = await asyncio.gather(
        ask(visitor, "POST", f"{path}/deactivate", {}),
        ask(visitor, "POST", f"/api/users/{boss_id + 1}/deactivate", {}),
    )
    assert min(status for status, _ in answers) == 200
    async with transaction(services.pool) as tx:
        assert len(await user_rows.administrators(tx)) == 1


@pytest.mark.usefixtures("boss")
async def test_a_changed_or_deactivated_user_feels_it_at_the_next_request(
    site: Site, services: Services
) -> None:
    li = await hire(services, "li", Role.OPERATOR, password=PASSWORD)
    visitor, admin = site.visitor(), site.visitor()
    await enter(visitor, "li")
    await enter(admin, "boss")
    path = f"/api/users/{li.id}"
    assert (await ask(visitor, "GET", "/api/blocks"))[0] == 200
    change = {"name": "李某", "roles": ["auditor"]}
    assert (await ask(admin, "POST", f"{path}/change", change))[0] == 200
    assert (await ask(visitor, "GET", "/api/blocks"))[0] == 403
    assert (await ask(admin, "POST", f"{path}/deactivate", {}))[0] == 200
    assert (await ask(visitor, "GET", "/api/cases"))[0] == 401
    assert (await ask(admin, "POST", f"{path}/activate", {}))[0] == 200
    assert (await ask(visitor, "GET", "/api/cases"))[0] == 401  # the session stays ended
    assert (await enter(visitor, "li"))[0] == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"roles": ["unit"]},
        {"unit": "市水务（集团）有限公司"},
        {"roles": ["unit"], "unit": "没有的单位"},
        {"roles": ["system"]},
        {"roles": []},
        {"extension": "9999"},
        {"login": "Boss"},
        {"login": "boss"},
        {"password": "short"},
    ],
)
@pytest.mark.usefixtures("boss")
async def test_a_user_that_does_not_fit_together_is_refused(
    site: Site, wrong: dict[str, object]
) -> None:
    visitor = site.visitor()
    await enter(visitor, "boss")
    good = {"login": "li", "name": "李某", "roles": ["operator"], "password": PASSWORD}
    status, problem = await ask(visitor, "POST", "/api/users", good | wrong)
    assert (status, problem["type"]) == (422, "invalid")
    assert PASSWORD not in json.dumps(problem)


@pytest.mark.usefixtures("boss")
async def test_a_token_opens_what_its_roles_open_and_no_more(
    site: Site, services: Services, clock: Clock
) -> None:
    await hire(services, "li", Role.OPERATOR, Role.AUDITOR, password=PASSWORD)
    visitor = site.visitor()
    await enter(visitor, "li")
    wish = {"name": "大屏", "roles": ["auditor"], "days": 30}
    status, made = await ask(visitor, "POST", "/api/tokens", wish)
    assert status == 200
    program = {"Authorization": f"Bearer {made['text']}"}
    assert (await ask(afar(site), "GET", "/api/cases", **program))[0] == 200
    assert (await ask(afar(site), "GET", "/api/blocks", **program))[0] == 403  # operator's
    async with afar(site).get("/metrics", headers=program) as answer:
        assert answer.status == 200
    assert (await ask(afar(site), "POST", "/api/tokens", wish, **program))[0] == 403
    new = {"old": PASSWORD, "new": "stolen-by-a-token"}
    assert (await ask(afar(site), "POST", "/api/session/password", new, **program))[0] == 403
    _, listed = await ask(visitor, "GET", "/api/tokens")
    assert "text" not in listed["tokens"][0]
    assert listed["tokens"][0]["used_at"] is not None
    (row,) = await services.pool.fetch("SELECT * FROM api_tokens")
    assert made["text"].rpartition("_")[2] not in str(dict(row))
    wider = wish | {"roles": ["administrator"]}
    assert (await ask(visitor, "POST", "/api/tokens", wider))[0] == 422
    assert (await ask(visitor, "DELETE", f"/api/tokens/{made['id']}"))[0] == 200
    assert (await ask(afar(site), "GET", "/api/cases", **program))[0] == 401
    _, made = await ask(visitor, "POST", "/api/tokens", wish)
    program = {"Authorization": f"Bearer {made['text']}"}
    clock.forward(days=29)
    assert (await ask(afar(site), "GET", "/api/cases", **program))[0] == 200
    clock.forward(days=1)
    assert (await ask(afar(site), "GET", "/api/cases", **program))[0] == 401


@pytest.mark.usefixtures("boss")
async def test_a_token_is_good_for_nothing_once_its_user_is_not(
    site: Site, services: Services
) -> None:
    li = await hire(services, "li", Role.OPERATOR)
    admin = site.visitor()
    await enter(admin, "boss")
    wish = {"name": "同步程序", "roles": ["operator"]}
    _, made = await ask(admin, "POST", f"/api/users/{li.id}/tokens", wish)
    program = {"Authorization": f"Bearer {made['text']}"}
    assert (await ask(afar(site), "GET", "/api/cases", **program))[0] == 200
    other = site.visitor()
    await hire(services, "zhao", Role.OPERATOR, password=PASSWORD)
    await enter(other, "zhao")
    assert (await ask(other, "DELETE", f"/api/tokens/{made['id']}"))[0] == 404  # not hers
    await ask(admin, "POST", f"/api/users/{li.id}/deactivate", {})
    assert (await ask(afar(site), "GET", "/api/cases", **program))[0] == 401


@pytest.mark.parametrize(
    "text", ["", "x", "hotline_1_", "hotline_1_guess", "hotline_x_y", "\udcff"]
)
@pytest.mark.usefixtures("boss")
async def test_a_token_that_was_never_made_opens_nothing(site: Site, text: str) -> None:
    safe = text.encode("utf-8", "replace").decode()
    status, _ = await ask(site.visitor(), "GET", "/api/cases", Authorization=f"Bearer {safe}")
    assert status == 401


@pytest.mark.usefixtures("boss")
async def test_who_asks_too_often_waits_and_others_do_not(
    tmp_path: Any, services: Services, database: str, clock: Clock
) -> None:
    config = configured(tmp_path, sign_in=SignIn(requests_per_minute=60))
    site = await opened(services_on(config, services.pool, database, clock))
    try:
        await hire(services, "li", Role.OPERATOR)
        await hire(services, "zhao", Role.OPERATOR)
        staff = Staff(services=services, site=site)
        li, zhao = await staff.visitor("li"), await staff.visitor("zhao")
        statuses = [(await ask(li, "GET", "/api/session"))[0] for _ in range(61)]
        assert statuses == [200] * 60 + [429]
        assert (await ask(zhao, "GET", "/api/session"))[0] == 200
        clock.forward(seconds=1)
        assert (await ask(li, "GET", "/api/session"))[0] == 200
    finally:
        await site.close()


def test_the_pace_refills_evenly_and_remembers_no_more_people_than_it_must() -> None:
    pace = Pace(60)
    for _ in range(60):
        pace.check("li", NOW)
    with pytest.raises(ProblemError) as refused:
        pace.check("li", NOW)
    assert refused.value.problem.retry_after == 1
    pace.check("li", NOW + timedelta(seconds=1))
    with pytest.raises(ProblemError):
        pace.check("li", NOW + timedelta(seconds=1.5))


@pytest.mark.usefixtures("boss")
async def test_no_password_and_no_name_reaches_the_journal(site: Site, services: Services) -> None:
    visitor = site.visitor()
    await enter(visitor, "boss")
    user = {"login": "li", "name": "李小明", "roles": ["operator"], "password": "open-sesame-22"}
    assert (await ask(visitor, "POST", "/api/users", user))[0] == 200
    await enter(site.visitor(), "li", "not-the-password")
    rows = await services.pool.fetch("SELECT actor, event, body FROM journal")
    told = json.dumps([dict(row) for row in rows], ensure_ascii=False)
    for secret in (PASSWORD, "open-sesame-22", "not-the-password", "李小明"):
        assert secret not in told
    kept = await services.pool.fetchval("SELECT password FROM users WHERE login = 'li'")
    assert kept.startswith("$argon2id$")


@pytest.mark.usefixtures("boss")
async def test_a_password_kept_with_less_work_is_kept_anew_at_the_next_sign_in(
    site: Site, services: Services
) -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)
    await services.pool.execute("UPDATE users SET password = $1 WHERE login = 'boss'", weak)
    assert passwords.is_dated(weak)
    assert (await enter(site.visitor(), "boss"))[0] == 200
    kept = await services.pool.fetchval("SELECT password FROM users WHERE login = 'boss'")
    assert not passwords.is_dated(kept)
    assert (await enter(site.visitor(), "boss"))[0] == 200
