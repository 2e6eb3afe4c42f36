"""A console on a real socket over a database of its own."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from aiohttp import ClientSession, CookieJar, web

from hotline.browser_phones import BrowserPhones
from hotline.callout import CalloutDesk
from hotline.caption_board import CaptionBoard
from hotline.casework import SHIPPED_REPORTING, Casework, load_casework
from hotline.city_desk import CityDesk
from hotline.config import Config, Line, Operator
from hotline.console.server import build
from hotline.control import ControlDesk
from hotline.database import Pool, connected
from hotline.duty import DutyDesk
from hotline.feed import Feed
from hotline.keeping import sounds_of
from hotline.operators import OperatorDesk
from hotline.probe import ProbeDesk
from hotline.services import Services
from routing.duty_policy import read_reporting_policy
from telephony.calls import Leg
from tests.hotline.console.filled import Town
from transcription.transcriber import Transcriber
from transcription.transcripts import Transcript

NOW = datetime(2026, 11, 23, 2, 30, tzinfo=UTC)  # a Monday, 10:30 in Mianyang
LINES = (Line(name="mayor", number="12345"), Line(name="duty", number="2222"))
SEATS = (
    Operator(extension="1001", badge="1086", name="李"),
    Operator(extension="1002", badge="1023", name="王"),
)


@dataclass(slots=True)
class Clock:
    """A clock that stands until it is moved."""

    at: datetime = NOW

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **delta: float) -> None:
        self.at += timedelta(**delta)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def configured(folder: Path, **more: object) -> Config:
    return Config(data_dir=folder, lines=LINES, operators=SEATS, **more)  # type: ignore[arg-type]


async def works() -> None:
    """A part that works."""


@cache
def shipped() -> Casework:
    """The first city as it is shipped; nothing of it can change, so all tests share it."""
    return load_casework(Config())


def services_on(
    config: Config, pool: Pool, database: str, clock: Callable[[], datetime]
) -> Services:
    casework = shipped() if config.city_dir == Config().city_dir else load_casework(config)
    feed = Feed(pool=pool, connect=lambda: connected(database))
    cities = CityDesk(casework, None, config=config, pool=pool, feed=feed)
    callouts = CalloutDesk(config=config, pool=pool, exchanges={}, clock=clock)
    operators = OperatorDesk(config=config, pool=pool, exchanges={}, clock=clock)
    return Services(
        config=config,
        pool=pool,
        feed=feed,
        exchanges={},
        policies=casework.policies,
        calendar=casework.calendar,
        city_desk=cities,
        captions=CaptionBoard(enabled=True),
        transcriber=Silent(),
        sounds=sounds_of(config),
        control=ControlDesk(
            config=config, pool=pool, exchanges={}, city=lambda: cities.city, clock=clock
        ),
        callouts=callouts,
        duty=DutyDesk(
            config=config,
            pool=pool,
            callouts=callouts,
            policy=read_reporting_policy(SHIPPED_REPORTING),
            clock=clock,
        ),
        operators=operators,
        browsers=BrowserPhones(config=config, pool=pool, exchanges={}, operators=operators),
        probes=ProbeDesk(
            config=config, pool=pool, exchanges={}, sounds=sounds_of(config), clock=clock
        ),
        pings={"database": works, "feed": works, "speech": works},
        clock=clock,
    )


class Silent(Transcriber):
    """The console never transcribes; it only needs somebody to hold the place."""

    name = "silent"
    model = "none"

    async def transcribe(self, wav: Path, leg: Leg) -> Transcript:
        raise NotImplementedError

    async def ping(self) -> None:
        """It works as well as it must."""

    async def aclose(self) -> None:
        """Nothing was opened."""


@pytest.fixture
def services(tmp_path: Path, pool: Pool, database: str, clock: Clock) -> Services:
    return services_on(configured(tmp_path), pool, database, clock)


@pytest.fixture
def town(services: Services) -> Town:
    return Town(services)


@dataclass(slots=True)
class Site:
    """A running console and who may be told of its address."""

    url: str
    runner: web.AppRunner
    sessions: list[ClientSession] = field(default_factory=list)

    def visitor(self) -> ClientSession:
        """A browser of its own, without any cookie yet."""
        session = ClientSession(self.url, cookie_jar=CookieJar(unsafe=True))
        self.sessions.append(session)
        return session

    async def close(self) -> None:
        for session in self.sessions:
            await session.close()
        await self.runner.cleanup()


async def opened(services: Services, port: int = 0) -> Site:
    runner = web.AppRunner(build(services), access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return Site(url=f"http://127.0.0.1:{runner.addresses[0][1]}/", runner=runner)


@pytest.fixture
async def site(services: Services) -> AsyncIterator[Site]:
    site = await opened(services)
    yield site
    services.feed.close()
    services.captions.close()
    await site.close()


@pytest.fixture
async def listening(services: Services) -> AsyncIterator[None]:
    """The feed runs while a test does."""
    task = asyncio.create_task(services.feed.run())
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@pytest.fixture
async def visitor(site: Site) -> ClientSession:
    return site.visitor()
