"""One exchange in the configuration: its manager interface, its files, its way for browsers."""

import ipaddress
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator

from hotline.config_tables import Port, Table, Text, with_secret
from hotline.errors import ConfigError


class Exchange(Table):
    """One Asterisk: where its manager interface answers and where it leaves its files."""

    system: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
    host: Text = "127.0.0.1"
    port: Port = 5038
    username: Text = "reader"
    secret: SecretStr
    secret_file: Path | None = None
    actor_username: Text = "actor"
    actor_secret: SecretStr | None = None
    actor_secret_file: Path | None = None
    tls: bool = False
    tls_ca: Path | None = None
    cel_file: Path
    queue_log_file: Path
    recordings_dir: Path
    blocked_dir: Path | None = None
    """Where the exchange reads its block list; None keeps nobody out of this exchange."""
    badges_dir: Path | None = None
    """Where the exchange reads the badge of who has logged in at a seat; None tells it none."""
    browser_socket: Annotated[str, Field(pattern=r"^wss?://[^\s/]+/[^\s]*$")] | None = None
    """Where it takes the telephones of browsers, such as ws://127.0.0.1:8088/ws; None takes none.

    Unencrypted it must be on this machine: passwords and numbers pass here.
    """
    browser_secrets_file: Path | None = None
    """The passwords of those telephones, as deploy/asterisk/secrets.py writes them."""

    @model_validator(mode="before")
    @classmethod
    def _read_secret(cls, values: Any) -> Any:
        return with_secret(with_secret(values, "secret"), "actor_secret")

    @model_validator(mode="after")
    def _keep_sockets_private(self) -> Self:
        if self.browser_socket is None:
            return self
        at = urlsplit(self.browser_socket)
        if at.scheme == "ws" and not is_loopback(at.hostname or ""):
            raise ConfigError(
                f"Configuration: exchanges.browser_socket {self.browser_socket} leaves this "
                "machine unencrypted: use wss://, or an exchange on this machine."
            )
        if self.browser_secrets_file is None:
            raise ConfigError(
                "Configuration: exchanges.browser_socket needs exchanges.browser_secrets_file."
            )
        return self


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
