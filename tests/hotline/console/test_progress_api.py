"""A caller asks how a matter stands, and nobody else finds out by trying."""

from datetime import timedelta

from hotline.database import Pool, transaction
from hotline.protection_rows import mark
from hotline.services import Services
from routing.cases import Move, Role
from tests.hotline.console.conftest import NOW, Clock, Site
from tests.hotline.console.filled import Town
from tests.hotline.console.staff import CITY_LIGHTS, hire
from tests.hotline.console.test_absences_api import CONFIRMED, SAID, ask

PATH = "/api/progress"


async def told_number(town: Town, pool: Pool) -> tuple[int, str]:
    call_id = await town.is_talked(NOW - timedelta(minutes=9), SAID, number="13912345678")
    await town.moves(call_id, Move.OPEN, NOW, **CONFIRMED)
    await town.moves(call_id, Move.DISPATCH, NOW, unit=CITY_LIGHTS)
    case_id = await town.case_of(call_id)
    return case_id, await pool.fetchval("SELECT number FROM cases WHERE id = $1", case_id)


async def test_the_caller_learns_the_promise_and_no_words_of_the_case(
    town: Town, site: Site, pool: Pool
) -> None:
    case_id, number = await told_number(town, pool)
    asked = {"number": number, "tail": "5678"}
    status, told = await ask(site.visitor(), "POST", PATH, asked)
    assert (status, told["state"], told["unit"]) == (200, "dispatched", CITY_LIGHTS)
    assert told["promised_at"] is not None
    assert set(told) == {
        *("number", "state", "accepted_at", "promised_at", "answered_at", "closed_at"),
        *("unit", "reply"),
    }
    async with transaction(pool) as tx:
        await mark(tx, case_id, office=False, by="desk", now=NOW, handed=False)
    status, told = await ask(site.visitor(), "POST", PATH, asked)
    assert (status, told["type"]) == (404, "not_found")  # protected: as if it were not there


async def test_trying_endings_is_made_to_wait_by_address_and_by_number(
    town: Town, site: Site, pool: Pool, clock: Clock, services: Services
) -> None:
    await hire(services, "boss", Role.ADMINISTRATOR)
    _, number = await told_number(town, pool)

    async def tried(tail: str, address: str, of: str = number) -> int:
        async with site.visitor().post(
            PATH, json={"number": of, "tail": tail}, headers={"X-Forwarded-For": address}
        ) as answer:
            return answer.status

    found = [await tried(f"{n:04d}", f"203.0.113.{n}") for n in range(5)]
    assert found == [404] * 5
    assert await tried("5678", "203.0.113.99") == 429  # other addresses do not help
    _, other = await told_number(town, pool)
    assert await tried("5678", "203.0.113.99", other) == 200  # nor do they shut others out
    clock.forward(seconds=3)
    assert await tried("5678", "203.0.113.98") == 200
    for n in range(5):
        await tried("0000", "203.0.113.50", f"20261123-00000{n}-0")
    assert await tried("5678", "203.0.113.50", other) == 429
