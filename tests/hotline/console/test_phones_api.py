"""Setting up a softphone over HTTP: by oneself or an administrator, and by the telephone once."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession

from hotline.config import Control, Phones
from hotline.console.desk import DESK
from hotline.database import Pool
from routing.cases import Role
from tests.hotline.console.conftest import SEATS, Clock, Site, configured, opened, services_on
from tests.hotline.console.staff import Staff, hire
from tests.phones.provisioned import read_linphone

SECRET = "made-up-for-the-telephone"
OWN, OTHER = (seat.extension for seat in SEATS[:2])
SUPERVISOR = OTHER


@pytest.fixture
async def site(tmp_path: Path, pool: Pool, database: str, clock: Clock) -> AsyncIterator[Site]:
    file = tmp_path / "secrets.json"
    file.write_text(json.dumps({"operators": {OWN: SECRET, OTHER: "of-another"}}))
    config = configured(
        tmp_path,
        control=Control(supervisors=(SUPERVISOR,)),
        phones=Phones(server="127.0.0.1", secrets_file=file),
    )
    running = await opened(services_on(config, pool, database, clock))
    yield running
    await running.close()


async def signed_in(site: Site, seat: str | None) -> ClientSession:
    visitor = site.visitor()
    async with visitor.post("/api/session", json={"seat": seat}) as answer:
        assert answer.status == 200
    return visitor


async def asked(visitor: ClientSession, operator: str) -> tuple[int, dict[str, object]]:
    path = f"/api/operators/{operator}/provisioning"
    async with visitor.post(path, json={}) as answer:
        return answer.status, json.loads(await answer.text())


async def test_only_oneself_and_a_supervisor_see_a_password(site: Site, pool: Pool) -> None:
    for seat, operator, status in (
        (None, OWN, 403),
        (OWN, OTHER, 403),
        (OWN, OWN, 200),
        (SUPERVISOR, OWN, 200),
    ):
        found, told = await asked(await signed_in(site, seat), operator)
        assert found == status, (seat, operator)
        assert (SECRET in json.dumps(told)) == (status == 200)
    rows = await pool.fetch("SELECT actor, body FROM journal WHERE event = 'phone.provisioned'")
    assert [row["actor"] for row in rows] == [OWN, SUPERVISOR]
    assert SECRET not in str([dict(row) for row in rows])


async def test_the_telephone_fetches_its_settings_once_without_signing_in(site: Site) -> None:
    _, told = await asked(await signed_in(site, OWN), OWN)
    link = str(told["link"])
    assert str(told["qr"]).startswith("data:image/svg+xml")
    path = link[link.index("/phones/") :]
    phone = site.visitor()
    async with phone.get(path) as answer:
        assert (answer.status, answer.content_type) == (200, "application/xml")
        assert answer.headers["Cache-Control"] == "no-store"
        document = await answer.text()
    assert document == told["linphone"]
    assert read_linphone(document)["auth_info_0"]["passwd"] == SECRET
    for again in (path, "/phones/" + "A" * 43):
        async with phone.get(again) as answer:
            assert answer.status == 404
            assert SECRET not in await answer.text()


async def test_a_link_grows_old(site: Site, clock: Clock) -> None:
    _, told = await asked(await signed_in(site, OWN), OWN)
    clock.forward(seconds=601)
    link = str(told["link"])
    async with site.visitor().get(link[link.index("/phones/") :]) as answer:
        assert answer.status == 404


async def test_once_there_are_users_an_administrator_sees_it_and_a_supervisor_does_not(
    site: Site, pool: Pool
) -> None:
    services = site.runner.app[DESK].services
    await hire(services, "root", Role.ADMINISTRATOR)
    await hire(services, "boss", Role.SUPERVISOR)
    staff = Staff(services=services, site=site)
    found, told = await asked(await staff.visitor("root"), OWN)
    assert (found, told["password"]) == (200, SECRET)
    found, told = await asked(await staff.visitor("boss"), OWN)
    assert (found, told["type"]) == (403, "forbidden")
    rows = await pool.fetch("SELECT actor FROM journal WHERE event = 'phone.provisioned'")
    assert [row["actor"] for row in rows] == ["root"]
