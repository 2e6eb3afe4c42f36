"""AMI over TLS, with a certificate made here and now."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from telephony.connection import AmiConnection
from telephony.errors import Reason
from tests.telephony.exchange import Listener, ManualClock, ScriptedExchange

OPENSSL = shutil.which("openssl")
pytestmark = pytest.mark.skipif(OPENSSL is None, reason="no openssl here to make a certificate")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and certificate for 127.0.0.1 in one file."""
    folder = tmp_path_factory.mktemp("tls")
    key, cert, both = folder / "key.pem", folder / "cert.pem", folder / "both.pem"
    subprocess.run(  # noqa: S603 - a fixed command line
        [
            str(OPENSSL),
            *(
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=exchange",
            ),
            *("-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(cert)),
        ],
        check=True,
        capture_output=True,
    )
    both.write_bytes(key.read_bytes() + cert.read_bytes())
    return both


def server_side(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


async def spoken(
    exchange: ScriptedExchange, context: ssl.SSLContext | None, *awaited: str
) -> AmiConnection:
    """A connection that came as far as the awaited deliveries, or to its first retry."""
    clock, listener = ManualClock(), Listener()
    async with exchange:
        connection = AmiConnection(
            "127.0.0.1",
            exchange.port,
            "reader",
            "s3cret",
            system="mianyang-1",
            ssl=context,
            clock=clock,
        )
        running = asyncio.create_task(connection.run(listener.deliver))
        await (listener.until(*awaited) if awaited else clock.asleep(0.25))
        if awaited:
            assert (await connection.action("Ping")).keys["Ping"] == "Pong"
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
    return connection


async def test_over_tls_everything_is_as_without(certificate: Path) -> None:
    exchange = ScriptedExchange(tls=server_side(certificate))
    context = ssl.create_default_context(cafile=str(certificate))
    connection = await spoken(exchange, context, "Connected", "Snapshot", "FullyBooted")
    assert connection.state.reconnects == {}


async def test_a_certificate_nobody_vouches_for_is_refused(certificate: Path) -> None:
    exchange = ScriptedExchange(tls=server_side(certificate))
    connection = await spoken(exchange, ssl.create_default_context())
    assert connection.state.reconnects == {Reason.TLS: 1}
    assert "does not prove who it is" in str(connection.state.last_error)
    assert exchange.peers == []


async def test_an_exchange_that_speaks_no_tls_is_told_in_a_sentence() -> None:
    connection = await spoken(ScriptedExchange(), ssl.create_default_context())
    assert connection.state.reconnects == {Reason.TLS: 1}
    assert "over TLS" in str(connection.state.last_error)
