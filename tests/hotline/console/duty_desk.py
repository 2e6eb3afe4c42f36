"""A duty desk with people: officers and a leader at their seats, and what tests ask of it."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from hotline.config import Config, Operator
from hotline.services import Services
from routing.cases import Role
from tests.hotline.console.conftest import LINES, Site
from tests.hotline.console.staff import Staff, hire

SEATS = tuple(
    Operator(extension=f"{2001 + n}", badge=f"20{n}", name=name)
    for n, name in enumerate(("李", "王", "张", "赵", "孙", "周"))
)
PEOPLE = (
    ("li", Role.DUTY_OFFICER, "2001"),
    ("wang", Role.DUTY_OFFICER, "2002"),
    ("zhang", Role.DUTY_OFFICER, "2003"),
    ("zhao", Role.DUTY_OFFICER, "2004"),
    ("boss", Role.LEADER, "2005"),
    ("super", Role.SUPERVISOR, "2006"),
    ("agent", Role.OPERATOR, None),
    ("an", Role.UNIT, None),
)


def at_duty_seats(folder: Path, **more: object) -> Config:
    return Config(data_dir=folder, lines=LINES, operators=SEATS, **more)  # type: ignore[arg-type]


async def staffed(site: Site, services: Services) -> Staff:
    await hire(services, "root", Role.ADMINISTRATOR)
    for login, role, seat in PEOPLE:
        await hire(services, login, role, extension=seat)
    return Staff(services=services, site=site)


async def ask(
    visitor: ClientSession, method: str, path: str, body: object = None, key: str | None = None
) -> tuple[int, Any]:
    headers = {"Idempotency-Key": key} if key else {}
    async with visitor.request(method, path, json=body, headers=headers) as answer:
        return answer.status, await answer.json()


def shift(role: str, operator: str, starts: datetime, hours: float = 12) -> dict[str, str]:
    return {
        "role": role,
        "operator": operator,
        "starts_at": starts.isoformat(),
        "ends_at": (starts + timedelta(hours=hours)).isoformat(),
    }
