"""People with accounts, for the tests of who may do what."""

import re
from dataclasses import dataclass

from aiohttp import ClientSession

from hotline import accounts, user_rows
from hotline.console.door import COOKIE, Door, key_in
from hotline.console.endpoint import Endpoint
from hotline.database import transaction
from hotline.services import Services
from hotline.users import User, UserFacts, Way
from routing.cases import Role
from tests.hotline.console.conftest import Site

PASSWORD = "铁塔-river-47"
CITY_LIGHTS = "市城市管理行政执法局"
WATER = "市水务（集团）有限公司"


async def hire(
    services: Services,
    login: str,
    *roles: Role,
    unit: str | None = None,
    extension: str | None = None,
    head: bool = False,
    password: str | None = None,
    name: str | None = None,
) -> User:
    """A new user, made as an administrator would; without a password it costs no time."""
    facts = UserFacts(
        name=name or f"{login}某",
        roles=frozenset(roles),
        unit=unit or (CITY_LIGHTS if Role.UNIT in roles else None),
        extension=extension,
        is_head=head,
    )
    async with transaction(services.pool) as tx:
        return await accounts.add(
            tx, login, facts, password=password, by="test", now=services.clock()
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """Lets users in without asking for a password: the very sessions the console makes."""

    services: Services
    site: Site

    async def cookie(self, login: str, *, way: Way = Way.OPENID) -> str:
        config = self.services.config
        door = Door(
            pool=self.services.pool,
            password=None,
            key=key_in(config.data_dir / "console.key"),
            host=config.http_host,
            sign_in=config.sign_in,
        )
        async with transaction(self.services.pool) as tx:
            user = await user_rows.by_login(tx, login)
            assert user is not None
            cookie, _ = await door.begin(
                tx, user, seat=None, way=way, address="127.0.0.1", now=self.services.clock()
            )
        return cookie

    async def visitor(self, login: str) -> ClientSession:
        visitor = self.site.visitor()
        visitor.headers["Cookie"] = f"{COOKIE}={await self.cookie(login)}"
        return visitor


def path_to(endpoint: Endpoint, number: str = "77") -> str:
    """An address of this endpoint: every id in it is `number`, every word a real one."""
    words = endpoint.path.replace("{leg}", "caller").replace("{unit}", "urban")
    return re.sub(r"\{\w+\}", number, words)
