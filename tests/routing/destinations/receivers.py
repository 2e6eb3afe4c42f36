"""Real receivers on a local port: a program and a gateway that answer HTTP, a mail server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from deploy.asterisk.ports import free_port


@dataclass(slots=True)
class Heard:
    """One request as it came in."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Program:
    """An HTTP server that answers as it is told and keeps what it heard."""

    url: str = ""
    status: int = 200
    says: str = "{}"
    heard: list[Heard] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.heard.append(Heard(path=request.raw_path, headers=headers, body=await request.read()))
        return web.Response(status=self.status, text=self.says)


@asynccontextmanager
async def program() -> AsyncIterator[Program]:
    told = Program()
    app = web.Application()
    app.router.add_route("*", "/{any:.*}", told.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    told.url = f"http://127.0.0.1:{runner.addresses[0][1]}/in"
    try:
        yield told
    finally:
        await runner.cleanup()


@dataclass(slots=True)
class MailBox:
    """A mail server that refuses the recipients it is told to, with their code."""

    port: int = 0
    refuses: dict[str, str] = field(default_factory=dict)
    letters: list[Envelope] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 - the library's name and signature
        self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]
    ) -> str:
        if refusal := self.refuses.get(address):
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802
        self.letters.append(envelope)
        return "250 OK"


@asynccontextmanager
async def mail_box() -> AsyncIterator[MailBox]:
    box = MailBox(port=free_port())
    controller = Controller(box, hostname="127.0.0.1", port=box.port)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()
