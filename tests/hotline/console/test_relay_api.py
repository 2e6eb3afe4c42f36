"""A unit calls the citizen of its case: who may, how it went. It is rung in test_control.py."""

from datetime import timedelta
from pathlib import Path

import pytest

from hotline import dial_orders
from hotline.config import Control
from hotline.database import Pool, transaction
from hotline.services import Services
from routing.cases import Move, Role
from tests.hotline.console.conftest import NOW, Clock, Site, configured, services_on
from tests.hotline.console.filled import Town
from tests.hotline.console.staff import CITY_LIGHTS, WATER, Staff, hire
from tests.hotline.console.test_absences_api import CONFIRMED, SAID, ask

NUMBER = "13977776666"


@pytest.fixture
def services(tmp_path: Path, pool: Pool, database: str, clock: Clock) -> Services:
    control = Control(outside=("0816XXXXXXX", "1XXXXXXXXXX"))
    return services_on(configured(tmp_path, control=control), pool, database, clock)


async def test_only_the_unit_that_has_a_case_rings_its_citizen_and_sees_how_it_went(
    site: Site, services: Services, town: Town, clock: Clock
) -> None:
    await hire(services, "boss", Role.ADMINISTRATOR)
    await hire(services, "an", Role.UNIT)
    await hire(services, "water", Role.UNIT, unit=WATER)
    await hire(services, "desk", Role.DISPATCHER)
    staff = Staff(services=services, site=site)
    an, desk = await staff.visitor("an"), await staff.visitor("desk")
    call_id = await town.is_talked(NOW - timedelta(minutes=9), SAID)
    case_id = await town.case_of(call_id)
    await town.moves(call_id, Move.OPEN, NOW, **CONFIRMED)
    at = f"/api/cases/{case_id}/relays"
    assert (await ask(an, "POST", at, {}))[0] == 404
    await town.moves(call_id, Move.DISPATCH, NOW, unit=CITY_LIGHTS)
    assert (await ask(await staff.visitor("water"), "POST", at, {}))[0] == 404
    assert (await ask(desk, "POST", at, {}))[0] == 403
    # All is in order but the exchange, of which these tests have none.
    status, problem = await ask(an, "POST", at, {})
    assert (status, problem["type"]) == (503, "exchange_away")
    status, problem = await ask(an, "POST", f"/api/control/cases/{case_id}/dial", {})
    assert status == 403
    assert (await ask(an, "GET", at))[1] == {"relays": []}

    async with transaction(services.pool) as tx:
        await dial_orders.record(
            tx, channel="dial-000001-ab", system="test", number=NUMBER, by="an",
            at=NOW, call_id=call_id, case_id=case_id,
        )  # fmt: skip
    status, told = await ask(an, "GET", at)
    (one,) = told["relays"]
    assert (status, one["by"], one["state"]) == (200, "an", "ringing")
    assert NUMBER not in str(told)
    clock.forward(hours=5)
    again = await staff.visitor("an")
    assert (await ask(again, "GET", at))[1]["relays"][0]["state"] == "not_reached"
