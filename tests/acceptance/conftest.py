"""One stage for all acceptance tests: Asterisk, telephones, PostgreSQL and the service run once."""

import asyncio
import math
import os
import struct
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.asterisk.config import Line
from deploy.asterisk.process import Asterisk
from deploy.demo.phones import Telephones
from deploy.demo.script import CALLS, load
from deploy.errors import ToolMissing
from deploy.portable import ensure
from hotline.database import connected, migrate
from hotline.demo.service import Service
from hotline.demo.settings import exchange_of, free_tcp_port, service_toml
from telephony.sealing import KeyFile
from tests.acceptance.browser_desk import BrowserDesk, browser_desk
from tests.acceptance.proxy import Cable
from tests.acceptance.stage import Stage, replies
from tests.conftest import beside

NOTICE_SECONDS = 2.0
SORRY_SECONDS = 0.5
MAX_WAIT_SECONDS = 8
SPEECH = CALLS / "12-bus-suggestion-caller.al"


def tone(path: Path, seconds: float) -> Path:
    """A short announcement: what it says does not matter here, how long it lasts does."""
    samples = [int(6000 * math.sin(n * 0.3)) for n in range(int(8000 * seconds))]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    return path


def lines(folder: Path) -> tuple[Line, ...]:
    """Both lines of the city, the two ways to answer one each; and one that asks and listens."""
    notice = tone(folder / "notice.wav", NOTICE_SECONDS)
    sorry = tone(folder / "sorry.wav", SORRY_SECONDS)
    mayor = Line(
        name="mayor",
        number="12345",
        operators=("1001", "1002", "1003", "1004"),
        max_wait_seconds=MAX_WAIT_SECONDS,
        answer="by_operator",
        notice=notice,
        sorry=sorry,
    )
    duty = Line(
        name="duty",
        number="2222345",
        operators=("1101", "1102"),
        max_wait_seconds=MAX_WAIT_SECONDS,
        answer="before_queue",
        notice=notice,
        sorry=sorry,
    )
    night = Line(
        name="night",
        number="12346",
        operators=("1201",),
        max_wait_seconds=2,
        takes_message=True,
        survey=True,
        survey_seconds=1,
    )
    return mayor, duty, night


@asynccontextmanager
async def staged(
    folder: Path, postgres: str, name: str, *, extra: str = ""
) -> AsyncIterator[Stage]:
    """Start everything in reading order; take it down the other way round.

    `name` is the database's; `extra` are further top-level keys of the service's configuration.
    """
    try:
        asterisk_tool = await asyncio.to_thread(ensure, "asterisk")
        sipp = await asyncio.to_thread(ensure, "sipp")
    except ToolMissing as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"acceptance tests need the exchange: {error}")
    async with connected(postgres) as conn:
        await conn.execute(f"CREATE DATABASE {name}")
    dsn = beside(postgres, name)
    async with connected(dsn) as conn:
        await migrate(conn)
    async with Telephones(folder=folder / "phones", sipp=sipp) as telephones:
        port = await telephones.seat(replies(SPEECH, load()))
        exchange = exchange_of(folder / "asterisk", lines(folder), port, system=f"{name}-1")
        async with Asterisk(exchange, asterisk_tool) as asterisk:
            cable = Cable(exchange.ami_port)
            await cable.start()
            http_port = free_tcp_port()
            config = folder / "hotline.toml"
            config.write_text(
                service_toml(
                    exchange,
                    asterisk.secrets,
                    data_dir=folder / "data",
                    http_port=http_port,
                    ami_port=cable.port,
                    dsn=dsn,
                    extra=f"reconcile_every_seconds = 1.0\n{extra}",
                ),
                encoding="utf-8",
            )
            service = Service(
                config=config, url=f"http://127.0.0.1:{http_port}", log=folder / "service.log"
            )
            async with service:
                yield Stage(
                    asterisk=asterisk,
                    telephones=telephones,
                    service=service,
                    cable=cable,
                    dsn=dsn,
                    keys=KeyFile(folder / "data" / "identity.keys"),
                    speech=SPEECH,
                    numbers=count(1),
                )
            await cable.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stage(tmp_path_factory: pytest.TempPathFactory, postgres: str) -> AsyncIterator[Stage]:
    """The stage that all tests share."""
    async with staged(tmp_path_factory.mktemp("stage"), postgres, "acceptance") as stage:
        yield stage


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def desk(
    tmp_path_factory: pytest.TempPathFactory, postgres: str
) -> AsyncIterator[BrowserDesk]:
    """The operator's computer that all tests with a browser share."""
    async with browser_desk(tmp_path_factory.mktemp("desk"), postgres, "browserdesk") as desk:
        yield desk
