"""An operator's browser as his telephone: real Asterisk, real service, real Chromium, citizens.

One citizen is a softphone that says a tone and writes what he hears; scripted callers are SIPp's.
The browser's microphone is a file that is read anew for each call, and what the browser hears is
read out of the page. Everybody signs in at the page, with a password.
"""

import asyncio
import base64
import json
import re
import shutil
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import LiteralString

import aiohttp
import asyncpg
import pytest

from deploy.asterisk.config import Line
from deploy.asterisk.ports import free_port
from deploy.asterisk.process import Asterisk
from deploy.demo.phones import Telephones
from deploy.portable import cache_root, ensure
from hotline import accounts, cards
from hotline.database import Connection, connected, migrate
from hotline.demo.service import Service
from hotline.demo.settings import exchange_of, free_tcp_port, service_toml
from hotline.services import utc_now
from hotline.users import UserFacts
from routing.cards import CardText
from routing.cases import Role
from telephony.connection import AmiConnection
from telephony.control import CallControl
from telephony.errors import ActionRefused
from telephony.live import live_channels
from telephony.sealing import KeyFile
from tests.acceptance.proxy import Cable
from tests.conftest import beside
from tests.hotline.console.app.seats import shows
from tests.hotline.console.browser import Page, browser, installed
from tests.phones.softphones import Softphone, Softphones
from tests.phones.sounds import RATE, loudness, write_tone
from transcription.models import SMALL_CN

HOTLINE, CITIZEN, SPEAKER, SEAT = "12345", "13800001111", "13800002222", "1001"
OPERATOR = "li.na"
CITIZEN_HZ, OPERATOR_HZ = 440, 1000
PATIENCE = 30.0
UNIT = "涪城区综合行政执法局"
PASSWORD = "涪江-bridge-58"
PEOPLE = {
    "zhao.min": UserFacts(name="赵敏", roles=frozenset({Role.ADMINISTRATOR})),
    OPERATOR: UserFacts(name="李娜", roles=frozenset({Role.OPERATOR}), extension=SEAT),
    "zhou.bo": UserFacts(name="周波", roles=frozenset({Role.UNIT}), unit=UNIT),
    "he.lin": UserFacts(name="何琳", roles=frozenset({Role.AUDITOR})),
    "sun.li": UserFacts(name="孙丽", roles=frozenset({Role.CALL_BACK})),
}
CARD = CardText.model_validate(
    {
        "title": "小区门口路灯坏了怎么报修",
        "unit": "urban",
        "category": "城乡建设",
        "materials": ("路灯杆号或附近门牌",),
        "procedure": ("登记位置", "派员现场查看", "修复后回访"),
        "limit": "一般故障 3 个工作日内修复（样例）",
        "address": "涪城区样例路4号（样例地址）",
        "transport": "乘公交样例1路（样例路线）",
        "hours": "工作日 9:00—17:00（样例）",
        "review": "2036-12-31",
    }
)
PHONE = "document.querySelector('.phone')"
KEEP_CONNECTIONS = """
    window.connections = [];
    window.RTCPeerConnection = class extends RTCPeerConnection {
        constructor(...given) { super(...given); window.connections.push(this); }
    };
"""
LAST_CALL: LiteralString = """
    SELECT c.*, (SELECT array_agg(r.seconds) FROM recordings r
                  WHERE r.call_id = c.id AND r.state = 'stored') AS recorded
      FROM calls c
     WHERE c.id = (SELECT max(id) FROM calls) AND c.ended_at IS NOT NULL
       AND (SELECT count(*) FROM recordings r WHERE r.call_id = c.id AND r.state = 'stored') = 2"""
HEAR = """(async (seconds) => {
    const track = window.connections.at(-1).getReceivers()[0].track;
    const context = new AudioContext({ sampleRate: 8000 });
    const heard = [];
    const source = context.createMediaStreamSource(new MediaStream([track]));
    const ear = context.createScriptProcessor(1024, 1, 1);
    source.connect(ear).connect(context.destination);
    await new Promise((done) => {
        ear.onaudioprocess = (event) => {
            heard.push(...event.inputBuffer.getChannelData(0));
            if (heard.length >= 8000 * seconds) done();
        };
    });
    await context.close();
    const bytes = new Uint8Array(Int16Array.from(heard, (one) => one * 32767).buffer);
    let text = "";
    for (const byte of bytes) text += String.fromCharCode(byte);
    return btoa(text);
})"""


@dataclass(slots=True, kw_only=True)
class BrowserDesk:
    """Everything running; the page reaches the service by a cable that can be cut."""

    asterisk: Asterisk
    service: Service
    cable: Cable
    page: Page
    phones: Softphones
    telephones: Telephones
    citizen: Softphone
    reader: AmiConnection
    actor: AmiConnection
    dsn: str
    keys: KeyFile
    microphone: Path
    tone: Path
    sits: str = ""
    """Who is signed in at this computer."""
    _opened: "count[int]" = field(default_factory=count)

    @property
    def url(self) -> str:
        """Where the page finds the service: at the other end of the cable."""
        return f"http://127.0.0.1:{self.cable.port}"

    async def begin(self, says: Path | None = None) -> None:
        """End what an earlier test left; the page is the telephone and waits.

        `says` is what the operator says in the calls from now on, again and again (else a tone).
        """
        for channel in await live_channels(self.reader):
            if channel.name.startswith("PJSIP/"):  # captions hang up by themselves
                with suppress(ActionRefused):  # gone since the list was made
                    await CallControl(self.actor, number=HOTLINE).hang_up(channel)
        shutil.copyfile(says or self.tone, self.microphone)
        if self.sits != OPERATOR:
            await self.sign_in(OPERATOR, "/seat")
        await self.go("/seat")
        await self.page.click(".phone input[value=browser]")
        await self.until("registered")
        # The seat keeps the last call's form until it is put away: what is written belongs to the
        # next call only once that form is gone.
        await self.page.until(shows("没有通话"))
        await self.page.press("Alt+w")
        await self.page.until("!document.querySelector('#move-summary')")
        self.citizen.events.clear()
        self.page.wrong.clear()

    @asynccontextmanager
    async def network_lost(self) -> AsyncIterator[None]:
        """Nothing of the service reaches the page, neither pages nor the feed nor SIP."""
        await self.page.tab.context.set_offline(offline=True)
        self.cable.cut()  # what is open stays so in a browser that is told to be offline
        try:
            yield
        finally:
            await self.page.tab.context.set_offline(offline=False)
            await self.cable.mend()

    async def go(self, path: str) -> None:
        """Load a page of the app anew and wait until it is drawn."""
        await self.page.open(f"{self.url}/app/?{next(self._opened)}#{path}")
        await self.page.until("document.querySelector('main').children.length > 0")

    async def sign_in(self, login: str, home: str) -> None:
        """A person sits down at this computer, whoever sat there before; `home` is his page."""
        await self.sign_out()
        await self.go("/")
        await self.page.write("#login", login)
        await self.page.write("#password", PASSWORD)
        await self.page.click("button[type=submit]")
        await self.page.until(f"location.hash === '#{home}'")
        self.sits = login

    async def sign_out(self) -> None:
        """Nobody sits here any more."""
        await self.page.tab.context.clear_cookies()
        self.sits = ""

    async def post(self, path: str, body: object = None) -> dict[str, object]:
        told = await self.page.run(
            f"fetch('{path}', {{method: 'POST', headers: {{'Content-Type': 'application/json'}},"
            f" body: {json.dumps(json.dumps(body or {}))}}}).then((it) => it.json())"
        )
        assert isinstance(told, dict)
        return told

    @asynccontextmanager
    async def visitor(self, login: str) -> AsyncIterator[aiohttp.ClientSession]:
        """Somebody signed in without this page."""
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(self.service.url, cookie_jar=jar) as session:
            body = {"login": login, "password": PASSWORD}
            async with session.post("/api/session", json=body) as answer:
                assert answer.status == 200, await answer.text()
            yield session

    async def hears_words(self) -> None:
        """The service has measured how many calls it can caption."""
        url, capacity = f"{self.service.url}/metrics", r"(?m)^hotline_caption_capacity_calls (\S+)"
        async with asyncio.timeout(PATIENCE), aiohttp.ClientSession() as session:
            while True:
                async with session.get(url) as answer:
                    found = re.search(capacity, await answer.text())
                if found and float(found[1]) >= 1:
                    return
                await asyncio.sleep(0.1)

    async def until(self, state: str, seconds: float = PATIENCE) -> None:
        await self.page.until(f"{PHONE}.dataset.state === '{state}'", seconds)

    async def state(self) -> str:
        return str(await self.page.run(f"{PHONE}.dataset.state"))

    async def hears(self, hertz: int, *, seconds: float = 1.0) -> float:
        """How loud a tone is in what the page plays to the operator."""
        return loudness(await self.sound(seconds), hertz)

    async def sound(self, seconds: float) -> list[int]:
        data = base64.b64decode(await self.page.run(f"{HEAR}({seconds})"))
        return list(struct.unpack(f"<{len(data) // 2}h", data))

    async def stored(self) -> asyncpg.Record:
        """The citizen's last call as the service keeps it, once it is over and recorded."""
        async with connected(self.dsn, self.keys) as conn, asyncio.timeout(PATIENCE):
            # The database rings no bell.
            while not (row := await conn.fetchrow(LAST_CALL)):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        return row

    async def differences(self) -> list[str]:
        """What the exchange's files told otherwise of any call."""
        async with connected(self.dsn, self.keys) as conn:
            rows = await conn.fetch("SELECT kind || ' ' || detail::text AS told FROM differences")
        return [row["told"] for row in rows]

    def returns(self) -> int:
        """How often Asterisk says that a citizen was brought back."""
        return self.asterisk.exchange.cel_file.read_text().count('"RETURNED"')

    def queue_log(self, event: str) -> int:
        """How often the queue's own story tells of an event."""
        return self.asterisk.exchange.queue_log_file.read_text().count(f"|{event}|")

    async def answers(self) -> None:
        """The page rings, and a click answers."""
        await self.until("ringing")
        await self.page.click(".phone .answer")
        await self.until("talking")

    async def answered_call(self, citizen: Softphone | None = None) -> int:
        """The citizen calls and is answered; the number of the call at the citizen's telephone."""
        citizen = citizen or self.citizen
        call = await citizen.dial(HOTLINE)
        await self.answers()
        await citizen.until("up", call=call)
        return call

    async def speaker(self, sound: Path) -> Softphone:
        """A citizen who says this again and again."""
        return await self.phones.add(
            SPEAKER,
            address="127.0.0.1",
            server=f"127.0.0.1:{self.asterisk.exchange.sip_port}",
            hertz=CITIZEN_HZ,
            sound=sound,
        )


def line() -> Line:
    return Line(
        name="mayor", number=HOTLINE, operators=(SEAT,), max_wait_seconds=60, answer="by_operator"
    )


@asynccontextmanager
async def browser_desk(folder: Path, postgres: str, name: str) -> AsyncIterator[BrowserDesk]:
    """Start all of it; the operator is signed in and ready, with the telephone on his desk."""
    program = installed()
    if program is None:
        pytest.skip("there is no Chromium")
    tool, sipp = [await asyncio.to_thread(ensure, one) for one in ("asterisk", "sipp")]
    exchange = exchange_of(
        folder / "asterisk", (line(),), free_port(), f"{name}-1", browser_port=free_tcp_port()
    )
    keys, dsn = KeyFile(folder / "data" / "identity.keys"), beside(postgres, name)
    async with connected(postgres) as conn:
        await conn.execute(f"CREATE DATABASE {name}")
    async with connected(dsn, keys) as conn:
        await migrate(conn)
        await _furnish(conn)
    tone = write_tone(folder / "operator.wav", OPERATOR_HZ)
    microphone = folder / "microphone.wav"
    shutil.copyfile(tone, microphone)
    captions = (cache_root() / "models" / SMALL_CN.name).is_dir()
    async with (
        Asterisk(exchange, tool) as asterisk,
        Softphones(folder / "phones") as phones,
        Telephones(folder=folder / "telephones", sipp=sipp) as telephones,
    ):
        port = free_tcp_port()
        config = folder / "hotline.toml"
        text = service_toml(
            exchange,
            asterisk.secrets,
            data_dir=folder / "data",
            http_port=port,
            dsn=dsn,
            extra=f"captions.enabled = {str(captions).lower()}",
        )
        config.write_text(text, encoding="utf-8")
        service = Service(config=config, url=f"http://127.0.0.1:{port}", log=folder / "service.log")
        reader, actor = (
            AmiConnection("127.0.0.1", exchange.ami_port, name, secret, system="test")
            for name, secret in (
                ("reader", asterisk.secrets.reader),
                ("actor", asterisk.secrets.actor),
            )
        )
        following = [asyncio.create_task(one.run(lambda _: None)) for one in (reader, actor)]
        flags = (
            "--use-fake-device-for-media-stream",
            "--use-fake-ui-for-media-stream",
            f"--use-file-for-fake-audio-capture={microphone}",
        )
        (folder / "browser").mkdir()
        cable = Cable(port)
        await cable.start()
        async with service, browser(program, folder / "browser", *flags) as page:
            await page.tab.add_init_script(KEEP_CONNECTIONS)
            desk = BrowserDesk(
                asterisk=asterisk,
                service=service,
                cable=cable,
                page=page,
                phones=phones,
                telephones=telephones,
                citizen=await phones.add(
                    CITIZEN,
                    address="127.0.0.1",
                    server=f"127.0.0.1:{exchange.sip_port}",
                    hertz=CITIZEN_HZ,
                ),
                reader=reader,
                actor=actor,
                dsn=dsn,
                keys=keys,
                microphone=microphone,
                tone=tone,
            )
            await desk.sign_in(OPERATOR, "/seat")
            told = await desk.post(f"/api/operators/{SEAT}/login")
            assert told["state"] == "ready", told
            yield desk
        await cable.close()
        for task in following:
            task.cancel()
        await asyncio.gather(*following, return_exceptions=True)


async def _furnish(conn: Connection) -> None:
    """The people who work here, each with the same password, and a card they may tell."""
    async with conn.transaction():
        for login, facts in PEOPLE.items():
            await accounts.add(conn, login, facts, password=PASSWORD, by="test", now=utc_now())
        await cards.publish(conn, "lights", CARD, "test", utc_now())


__all__ = ["RATE", "BrowserDesk", "browser_desk"]
