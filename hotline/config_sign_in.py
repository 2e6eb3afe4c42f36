"""The tables `[sign_in]` and `[openid]`: how long sessions last, who else vouches for people."""

from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import AnyHttpUrl, Field, PositiveFloat, SecretStr, model_validator

from hotline.config_tables import Table, Text, with_secret
from routing.cases import Role


def is_safe(url: str) -> bool:
    """Whether an address is reached by TLS, or lies on this machine."""
    parts = urlsplit(url)
    here = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and here))


class SignIn(Table):
    """Sessions and how often one person may ask."""

    session_hours: Annotated[float, Field(gt=0, le=168)] = 12.0
    idle_minutes: PositiveFloat = 120.0
    """A session nobody works in ends after this; a page that only watches does not count."""
    requests_per_minute: Annotated[int, Field(ge=60)] = 3000


class OpenId(Table):
    """An OpenID provider: whom it names by `claim` comes in as the user with that login.

    Users are made by an administrator. Only where `roles` is given, a user is made at the first
    sign-in, and its roles are those of the provider's groups at every sign-in.
    """

    issuer: AnyHttpUrl
    client_id: Text
    client_secret: SecretStr | None = None
    client_secret_file: Path | None = None
    redirect_uri: AnyHttpUrl
    """This service's own `/api/openid/back`, as the browser reaches it."""
    scope: Text = "openid profile"
    claim: Text = "preferred_username"
    groups_claim: Text = "groups"
    roles: dict[str, Role] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _read_secret(cls, values: Any) -> Any:
        return with_secret(values, "client_secret")

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if not is_safe(str(self.issuer)):
            raise ValueError("issuer must begin with https://, except on this machine")
        if {Role.UNIT, Role.SYSTEM} & set(self.roles.values()):
            raise ValueError("roles cannot give unit (which needs a unit's name) or system")
        return self
