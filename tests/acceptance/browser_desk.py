"""An operator's browser as his telephone: real Asterisk, real service, real Chromium, a citizen.

The citizen is a softphone that says a tone and writes what he hears; the browser's microphone is a
file, and what it hears is read out of the page.
"""

import asyncio
import base64
import json
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString

import asyncpg
import pytest

from deploy.asterisk.config import Line
from deploy.asterisk.ports import free_port
from deploy.asterisk.process import Asterisk
from deploy.portable import ensure
from hotline.database import connected, migrate
from hotline.demo.service import Service
from hotline.demo.settings import exchange_of, free_tcp_port, service_toml
from telephony.connection import AmiConnection
from telephony.control import CallControl
from telephony.errors import ActionRefused
from telephony.live import live_channels
from telephony.sealing import KeyFile
from tests.conftest import beside
from tests.hotline.console.browser import Page, browser, installed
from tests.phones.softphones import Softphone, Softphones
from tests.phones.sounds import RATE, loudness, write_tone

HOTLINE, CITIZEN, SEAT = "12345", "13800001111", "1001"
CITIZEN_HZ, OPERATOR_HZ = 440, 1000
PATIENCE = 30.0
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
    """Everything running."""

    asterisk: Asterisk
    service: Service
    page: Page
    citizen: Softphone
    reader: AmiConnection
    actor: AmiConnection
    dsn: str
    keys: KeyFile

    async def begin(self) -> None:
        """End what an earlier test left; the page is the telephone and waits."""
        for channel in await live_channels(self.reader):
            with suppress(ActionRefused):  # gone since the list was made
                await CallControl(self.actor, number=HOTLINE).hang_up(channel)
        await self.page.open(f"{self.service.url}/app/?phone#/phone")
        await self.page.click(".phone input[value=browser]")
        await self.until("registered")
        self.citizen.events.clear()
        self.page.wrong.clear()

    async def sign_in(self) -> None:
        await self.page.open(f"{self.service.url}/app/")
        await self.page.until("document.querySelector('header')")
        await self.page.run(
            "fetch('/api/session', {method: 'POST', headers: {'Content-Type': 'application/json'},"
            f" body: JSON.stringify({{seat: '{SEAT}'}})}}).then((it) => it.status)"
        )
        told = await self.post(f"/api/operators/{SEAT}/login")
        assert told["state"] == "ready", told

    async def post(self, path: str, body: object = None) -> dict[str, object]:
        told = await self.page.run(
            f"fetch('{path}', {{method: 'POST', headers: {{'Content-Type': 'application/json'}},"
            f" body: {json.dumps(json.dumps(body or {}))}}}).then((it) => it.json())"
        )
        assert isinstance(told, dict)
        return told

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

    async def answered_call(self) -> int:
        """The citizen calls, the page rings, a click answers; the citizen's call."""
        call = await self.citizen.dial(HOTLINE)
        await self.until("ringing")
        await self.page.click(".phone .answer")
        await self.until("talking")
        await self.citizen.until("up", call=call)
        return call


def line() -> Line:
    return Line(
        name="mayor", number=HOTLINE, operators=(SEAT,), max_wait_seconds=60, answer="by_operator"
    )


@asynccontextmanager
async def browser_desk(
    folder: Path,
    postgres: str,
    name: str,
    *,
    microphone: Path | None = None,
    citizen: Path | None = None,
) -> AsyncIterator[BrowserDesk]:
    """Start all of it; the operator is signed in and ready, with the telephone on his desk.

    `microphone` and `citizen` are what the two say again and again, instead of their tones.
    """
    program = installed()
    if program is None:
        pytest.skip("there is no Chromium")
    tool = await asyncio.to_thread(ensure, "asterisk")
    exchange = exchange_of(
        folder / "asterisk", (line(),), free_port(), f"{name}-1", browser_port=free_tcp_port()
    )
    async with connected(postgres) as conn:
        await conn.execute(f"CREATE DATABASE {name}")
    dsn = beside(postgres, name)
    async with connected(dsn) as conn:
        await migrate(conn)
    said = microphone or write_tone(folder / "operator.wav", OPERATOR_HZ)
    async with Asterisk(exchange, tool) as asterisk, Softphones(folder / "phones") as phones:
        port = free_tcp_port()
        config = folder / "hotline.toml"
        config.write_text(
            service_toml(
                exchange, asterisk.secrets, data_dir=folder / "data", http_port=port, dsn=dsn
            ),
            encoding="utf-8",
        )
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
            f"--use-file-for-fake-audio-capture={said}",
        )
        (folder / "browser").mkdir()
        async with service, browser(program, folder / "browser", *flags) as page:
            await page.tab.add_init_script(KEEP_CONNECTIONS)
            desk = BrowserDesk(
                asterisk=asterisk,
                service=service,
                page=page,
                citizen=await phones.add(
                    CITIZEN,
                    address="127.0.0.1",
                    server=f"127.0.0.1:{exchange.sip_port}",
                    hertz=CITIZEN_HZ,
                    sound=citizen,
                ),
                reader=reader,
                actor=actor,
                dsn=dsn,
                keys=KeyFile(folder / "data" / "identity.keys"),
            )
            await desk.sign_in()
            yield desk
        for task in following:
            task.cancel()
        await asyncio.gather(*following, return_exceptions=True)


__all__ = ["RATE", "BrowserDesk", "browser_desk"]
