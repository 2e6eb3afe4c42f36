"""The demo's exchange and the service's configuration for it, as any city would write them.

The acceptance tests use the same two functions, so what they prove is what the demo shows.
"""

import json
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from deploy.asterisk.config import Exchange, Line, Operator
from deploy.asterisk.ports import free_ports
from deploy.asterisk.secrets import FILE as SECRETS
from deploy.asterisk.secrets import Secrets, write_private
from deploy.portable import cache_root

__all__ = ["demo_exchange", "exchange_of", "free_tcp_port", "service_toml", "write_private"]

SOUNDS = Path(__file__).resolve().parents[2] / "deploy" / "asterisk" / "sounds" / "zh"
SYSTEM = "mianyang-1"
MAYOR_NUMBER = "12345"
DUTY_NUMBER = "2222345"
#: The scripted callers who give up or are never answered find every operator busy.
MAYOR_OPERATORS = ("1001", "1002", "1003", "1004")
DUTY_OPERATORS = ("1101",)
BADGES = {"1001": "1067", "1002": "1086", "1003": "1023", "1004": "1035", "1101": "2001"}
PREFERRED_HTTP_PORT = 8080
Answer = Literal["before_queue", "by_operator"]


def demo_exchange(run_dir: Path, operators_port: int) -> Exchange:
    """Return both lines of a city hall, their operators' telephones at `operators_port`.

    Both lines answer by the operator: caller and operator then start to speak together.
    """
    lines = (
        _line("mayor", MAYOR_NUMBER, MAYOR_OPERATORS, SOUNDS / "mayor-notice.wav"),
        _line("duty", DUTY_NUMBER, DUTY_OPERATORS, SOUNDS / "duty-notice.wav"),
    )
    return exchange_of(run_dir, lines, operators_port)


def exchange_of(
    run_dir: Path,
    lines: Sequence[Line],
    operators_port: int,
    system: str = SYSTEM,
    browser_port: int | None = None,
) -> Exchange:
    """Return an exchange on free ports whose operators all sit at `operators_port`.

    With `browser_port` each may take his calls in a browser instead.
    """
    ports = free_ports()
    extensions = sorted({extension for line in lines for extension in line.operators})
    return Exchange(
        system=system,
        run_dir=run_dir.absolute(),
        sip_port=ports.sip,
        ami_port=ports.ami,
        rtp_ports=ports.rtp,
        browser_port=browser_port,
        lines=tuple(lines),
        operators=tuple(
            Operator(
                extension=extension,
                badge=BADGES.get(extension, extension),
                contact=f"sip:{extension}@127.0.0.1:{operators_port}",
            )
            for extension in extensions
        ),
    )


def _line(name: str, number: str, operators: tuple[str, ...], notice: Path) -> Line:
    return Line(
        name=name,
        number=number,
        operators=operators,
        ring_seconds=15,
        max_wait_seconds=25,
        answer="by_operator",
        notice=notice,
        sorry=SOUNDS / "all-busy.wav",
    )


def service_toml(
    exchange: Exchange,
    secrets: Secrets,
    *,
    data_dir: Path,
    http_port: int,
    ami_port: int | None = None,
    dsn: str | None = None,
    model_path: Path | None = None,
    extra: str = "",
) -> str:
    """Return hotline.toml for the service beside this exchange.

    `ami_port`: another way to the exchange's manager interface, such as a proxy.
    `extra`: further top-level keys, one a line.
    """
    said = json.dumps  # a JSON string is a TOML basic string
    top = [
        f"data_dir = {said(str(data_dir))}",
        f"models_dir = {said(str(cache_root() / 'models'))}",
        f"http_port = {http_port}",
        *([f"database_dsn = {said(dsn)}"] if dsn else []),
        *([extra] if extra else []),
    ]
    tables = [_exchange_table(exchange, secrets, ami_port or exchange.ami_port)]
    tables += [
        f'[[lines]]\nname = "{line.name}"\nnumber = "{line.number}"\nqueue = "{line.name}"\n'
        for line in exchange.lines
    ]
    tables += [
        f'[[operators]]\nextension = "{seat.extension}"\nbadge = "{seat.badge}"\n'
        for seat in exchange.operators
    ]
    speech = f"model_path = {said(str(model_path))}\n" if model_path else ""
    tables.append(f'[speech]\nengine = "vosk"\n{speech}')
    return "\n".join(["\n".join(top) + "\n", *tables])


def _exchange_table(exchange: Exchange, secrets: Secrets, ami_port: int) -> str:
    said = json.dumps
    return (
        "[[exchanges]]\n"
        f'system = "{exchange.system}"\n'
        f"port = {ami_port}\n"
        'username = "reader"\n'
        f"secret = {said(secrets.reader)}\n"
        f"actor_secret = {said(secrets.actor)}\n"
        f"cel_file = {said(str(exchange.cel_file))}\n"
        f"queue_log_file = {said(str(exchange.queue_log_file))}\n"
        f"recordings_dir = {said(str(exchange.recordings_dir))}\n"
        f"{_browsers(exchange)}"
    )


def _browsers(exchange: Exchange) -> str:
    if exchange.browser_port is None:
        return ""
    socket = f"ws://127.0.0.1:{exchange.browser_port}/ws"
    secrets = exchange.run_dir / SECRETS
    return (
        f"browser_socket = {json.dumps(socket)}\n"
        f"browser_secrets_file = {json.dumps(str(secrets))}\n"
    )


def free_tcp_port(preferred: int = 0) -> int:
    """Return the preferred loopback port if nobody holds it, else any free one."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", preferred))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
