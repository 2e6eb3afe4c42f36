"""The configuration of who is told of what: `[[destinations]]` and `[[notices]]`."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, PositiveFloat, SecretStr, model_validator

from hotline.config_tables import Port, Table, Text, Word, with_secret
from routing.destinations.mail import Mail, MailServer, Security
from routing.destinations.notice import Destination
from routing.destinations.sms import Form, Gateway, Sms
from routing.destinations.webhook import Webhook, key_of


def _web_address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be an address that begins with https:// or http://")
    return url


Url = Annotated[str, Field(max_length=1000), AfterValidator(_web_address)]


class WebhookTable(Table):
    """A program that is told by signed POST."""

    kind: Literal["webhook"]
    name: Word
    url: Url
    secret: SecretStr
    secret_file: Path | None = None

    @model_validator(mode="before")
    @classmethod
    def _read_secret(cls, values: Any) -> Any:
        return with_secret(values, "secret")

    @model_validator(mode="after")
    def _usable(self) -> Self:
        key_of(self.secret.get_secret_value())
        return self

    def opened(self) -> Destination:
        """The receiver itself."""
        return Webhook(url=self.url, secret=self.secret.get_secret_value())


class MailTable(Table):
    """A mail server."""

    kind: Literal["mail"]
    name: Word
    host: Text
    port: Port = 587
    security: Security = Security.STARTTLS
    sender: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=200)]
    username: Text | None = None
    password: SecretStr | None = None
    password_file: Path | None = None

    @model_validator(mode="before")
    @classmethod
    def _read_secret(cls, values: Any) -> Any:
        return with_secret(values, "password")

    def opened(self) -> Destination:
        """The receiver itself."""
        return Mail(
            MailServer(
                host=self.host,
                port=self.port,
                security=self.security,
                sender=self.sender,
                username=self.username,
                password=self.password.get_secret_value() if self.password else None,
            )
        )


class SmsTable(Table):
    """An SMS gateway; `headers` may hold its key, so the whole of it may stand in a file."""

    kind: Literal["sms"]
    name: Word
    url: Url
    body: Annotated[str, Field(min_length=1, max_length=4000)]
    form: Form = Form.JSON
    headers: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,100}$")], Text] = Field(
        default_factory=dict
    )
    key_header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,100}$")] = "Authorization"
    key: SecretStr | None = None
    key_file: Path | None = None
    accepted: Annotated[str, Field(max_length=500)] = ""

    @model_validator(mode="before")
    @classmethod
    def _read_secret(cls, values: Any) -> Any:
        return with_secret(values, "key")

    @model_validator(mode="after")
    def _usable(self) -> Self:
        try:
            self.opened()
        except re.error as error:
            raise ValueError(f"accepted is no pattern: {error}") from error
        except ValueError as error:
            raise ValueError(f"body is not JSON once its places are filled: {error}") from error
        return self

    def opened(self) -> Destination:
        """The receiver itself."""
        key = {self.key_header: self.key.get_secret_value()} if self.key else {}
        return Sms(
            Gateway(
                url=self.url,
                body=self.body,
                form=self.form,
                headers={**self.headers, **key},
                accepted=self.accepted,
            )
        )


DestinationTable = Annotated[WebhookTable | MailTable | SmsTable, Field(discriminator="kind")]


class NoticeRule(Table):
    """Which events go to whom, by which destinations.

    An event ends in `*` for all that begin so. `to` is `unit` (the case's), `owner` (who answers
    for it now), `receiver` (whom a supervision's level is told to: the unit, its head by login, or
    `leader`; for the office's own work the person, or `supervisor`), `on_duty` (everybody whom the
    roster names now, `duty` where it names nobody) or a name of the address book; a webhook needs
    none.
    """

    events: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[a-z]+\.([a-z_]+|\*)$")], ...], Field(min_length=1)
    ]
    by: Annotated[tuple[Word, ...], Field(min_length=1)]
    to: Text = "unit"

    @model_validator(mode="after")
    def _no_echo(self) -> Self:
        if any(event.startswith("notice.") for event in self.events):
            raise ValueError("a notice of a notice would never end")
        return self

    def speaks_of(self, event: str) -> bool:
        """Whether this rule is about such an event."""
        return any(
            event.startswith(wanted[:-1]) if wanted.endswith("*") else event == wanted
            for wanted in self.events
        )


class Delivery(Table):
    """How long a notice that cannot be delivered is tried again."""

    first_wait_seconds: PositiveFloat = 10.0
    longest_wait_seconds: PositiveFloat = 3600.0
    give_up_hours: PositiveFloat = 24.0
