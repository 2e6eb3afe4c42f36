"""How an administrator finds users, sees who must wait, and names deputies for others."""

from datetime import timedelta
from typing import Any

from aiohttp import ClientSession

from hotline import user_rows
from hotline.database import transaction
from hotline.services import Services
from hotline.users import FREE_FAILURES, LONGEST_WAIT
from routing.cases import Role
from tests.hotline.console.conftest import Site
from tests.hotline.console.staff import CITY_LIGHTS, WATER, Staff, hire


async def got(visitor: ClientSession, path: str, **query: str) -> Any:
    async with visitor.get(path, params=query) as answer:
        return answer.status, await answer.json()


async def found(visitor: ClientSession, **query: str) -> list[str]:
    status, told = await got(visitor, "/api/users", **query)
    assert status == 200, told
    return [one["login"] for one in told["users"]]


async def test_users_are_found_by_a_part_of_their_name_by_role_and_by_unit(
    services: Services, site: Site
) -> None:
    await hire(services, "zhao.min", Role.ADMINISTRATOR, name="赵敏")
    await hire(services, "lin.na", Role.UNIT, unit=WATER, name="林娜")
    await hire(services, "linda", Role.OPERATOR, Role.DISPATCHER, name="王达")
    admin = await Staff(services=services, site=site).visitor("zhao.min")
    assert await found(admin, q="林") == ["lin.na"]
    assert await found(admin, q="LIN") == ["lin.na", "linda"]
    assert await found(admin, q="%") == []
    assert await found(admin, role="dispatcher") == ["linda"]
    assert await found(admin, unit=WATER, role="unit", q="n") == ["lin.na"]


async def test_whoever_must_wait_is_seen_until_the_wait_is_over(
    services: Services, site: Site
) -> None:
    await hire(services, "zhao.min", Role.ADMINISTRATOR)
    lina = await hire(services, "lin.na", Role.OPERATOR)
    admin = await Staff(services=services, site=site).visitor("zhao.min")
    now = services.clock()
    async with transaction(services.pool) as tx:
        for _ in range(FREE_FAILURES):
            await user_rows.failed(tx, lina.id, now, LONGEST_WAIT)
    _, told = await got(admin, f"/api/users/{lina.id}")
    assert told["waits_until"] == (now + timedelta(seconds=2)).isoformat().replace("+00:00", "Z")
    async with transaction(services.pool) as tx:
        await user_rows.succeeded(tx, lina.id)
    assert (await got(admin, f"/api/users/{lina.id}"))[1]["waits_until"] is None


async def test_deputies_of_others_are_told_to_whoever_may_enter_their_absence(
    services: Services, site: Site
) -> None:
    await hire(services, "zhao.min", Role.ADMINISTRATOR)
    await hire(services, "lin.na", Role.UNIT, unit=WATER)
    await hire(services, "wang.da", Role.UNIT, unit=WATER)
    await hire(services, "sun.qi", Role.UNIT, unit=CITY_LIGHTS)
    staff = Staff(services=services, site=site)
    admin, stranger = await staff.visitor("zhao.min"), await staff.visitor("sun.qi")
    _, told = await got(admin, "/api/deputies", who="lin.na")
    assert [one["login"] for one in told["deputies"]] == ["wang.da"]
    assert (await got(stranger, "/api/deputies", who="lin.na"))[0] == 403
    assert (await got(stranger, "/api/deputies"))[1]["deputies"] == []
