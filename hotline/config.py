"""The configuration: a TOML file, an environment twin of every key, secrets from files.

The file is `./hotline.toml` or what `HOTLINE_CONFIG` names. Key `http_port` has the twin
`HOTLINE_HTTP_PORT`, key `workers` of table `speech` the twin `HOTLINE_SPEECH__WORKERS`, and a
list its JSON (`HOTLINE_LINES='[{...}]'`). A twin wins over the file. A secret `x` may stand in a
file of its own, named by `x_file`. Relative paths start at the working directory.
Every mistake raises `ConfigError`: one sentence that names the key and never quotes a secret.
"""

import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    Field,
    PositiveFloat,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

import deploy
from hotline.config_captions import Captions
from hotline.config_duty import Duty
from hotline.config_exchange import Exchange, is_loopback
from hotline.config_notices import Delivery, DestinationTable, NoticeRule
from hotline.config_sign_in import OpenId, SignIn
from hotline.config_speech import Speech
from hotline.config_store import Store
from hotline.config_tables import Port, Table, Text, Word, with_secret
from hotline.errors import ConfigError

__all__ = [
    "Config",
    "Control",
    "Exchange",
    "Line",
    "Operator",
    "Phones",
    "Probe",
    "Seats",
    "load",
    "unknown_variables",
]

FILE_VARIABLE = "HOTLINE_CONFIG"
DEFAULT_FILE = Path("hotline.toml")
_DEPLOY = Path(next(iter(deploy.__path__)))


class Line(Table):
    """One public line: the number citizens dial and the queue that answers it."""

    name: Word
    number: Annotated[str, Field(pattern=r"^\+?[0-9*#]{1,20}$")]
    queue: str = ""
    target_seconds: PositiveFloat = 15.0

    @property
    def queue_name(self) -> str:
        """The Asterisk queue of the line; by default it bears the line's name."""
        return self.queue or self.name


class Operator(Table):
    """One seat: its extension, the badge a caller is told, the person's name."""

    extension: Annotated[str, Field(pattern=r"^[0-9]{2,8}$")]
    badge: Text
    name: str = ""
    secret: SecretStr | None = None
    """The password of his telephone, where it does not stand in the exchange's secrets file."""
    secret_file: Path | None = None
    penalty: Annotated[int, Field(ge=0, le=1000)] | None = None
    """How late lines ring him: 0 first, 10 in the second group; None leaves the exchange's own."""

    @model_validator(mode="before")
    @classmethod
    def _read_secret(cls, values: Any) -> Any:
        return with_secret(values, "secret")


class Phones(Table):
    """Where softphones register, what they speak, and where the exchange keeps their passwords.

    It must agree with the exchange's own configuration; deploy/asterisk offers UDP without SRTP.
    """

    server: Text | None = None
    port: Port = 5060
    transport: Literal["udp", "tcp", "tls"] = "udp"
    srtp: bool = False
    codecs: tuple[Literal["PCMA", "PCMU", "G722"], ...] = ("PCMA", "PCMU")
    secrets_file: Path | None = None
    link_seconds: Annotated[float, Field(ge=30, le=86400)] = 600.0
    public_url: Annotated[str, Field(pattern=r"^https?://[^\s/]+(/[^\s]*)?$")] | None = None
    """How telephones reach this service; default: the address it listens on."""


class Control(Table):
    """Who may listen, which outside numbers operators may call, and what those are shown.

    In `outside` an X stands for any digit; the exchange keeps the same list and has the last word.
    """

    number: Annotated[str, Field(pattern=r"^[0-9]{0,20}$")] = ""
    supervisors: tuple[Annotated[str, Field(pattern=r"^[0-9]{2,8}$")], ...] = ()
    emergency: tuple[Annotated[str, Field(pattern=r"^[0-9]{3,6}$")], ...] = ("110", "119", "120")
    outside: tuple[Annotated[str, Field(pattern=r"^[0-9][0-9X]{2,19}$")], ...] = ()


class Seats(Table):
    """How operators work: the time to write after a call, and how closely queues are followed."""

    wrapup_seconds: Annotated[float, Field(ge=0, le=3600)] = 0.0
    sync_seconds: PositiveFloat = 2.0
    roster_notice_hours: PositiveFloat = 12.0
    callout_ring_seconds: Annotated[int, Field(ge=5, le=120)] = 30


class Probe(Table):
    """Test calls into the lines: how often (0 = never), into which (all), and how long each may be.

    The exchange needs the dialplan of deploy/asterisk, and the service an actor_secret.
    """

    interval_seconds: Annotated[float, Field(ge=0, le=86400)] = 0.0
    lines: tuple[Word, ...] = ()
    timeout_seconds: Annotated[float, Field(ge=5, le=300)] = 60.0


class Config(BaseSettings):
    """Everything the service is told from outside; immutable."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix="HOTLINE_", env_nested_delimiter="__"
    )

    database_dsn: SecretStr | None = None
    database_dsn_file: Path | None = None
    data_dir: Path = Field(
        default_factory=lambda: Path(os.environ.get("HOTLINE_CACHE", ".cache")) / "hotline"
    )
    models_dir: Path = Field(
        default_factory=lambda: Path(os.environ.get("HOTLINE_CACHE", ".cache")) / "models"
    )
    http_host: Text = "127.0.0.1"
    http_port: Port = 8080
    identity_keys: Path | None = None
    """The keys names and numbers are sealed with; None keeps them in the data folder."""
    console_password: SecretStr | None = None
    console_password_file: Path | None = None
    sign_in: SignIn = SignIn()
    openid: OpenId | None = None
    language: Literal["zh", "en"] = "zh"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    city_dir: Path = _DEPLOY / "cities" / "mianyang"
    policy: str | None = None
    calendars_dir: Path | None = None
    """Where years that `hotline calendar load` took in stand; None means inside `data_dir`."""
    exchanges: tuple[Exchange, ...] = ()
    lines: tuple[Line, ...] = ()
    operators: tuple[Operator, ...] = ()
    store: Store = Store()
    speech: Speech = Speech()
    captions: Captions = Captions()
    control: Control = Control()
    destinations: tuple[DestinationTable, ...] = ()
    notices: tuple[NoticeRule, ...] = ()
    delivery: Delivery = Delivery()
    seats: Seats = Seats()
    probe: Probe = Probe()
    phones: Phones = Phones()
    duty: Duty = Duty()
    classifier_model: Path | None = None
    certificates: tuple[Path, ...] = ()
    evidence_mebibytes: Annotated[int, Field(ge=1, le=1024)] = 10
    short_abandon_seconds: PositiveFloat = 5.0
    recording_grace_seconds: PositiveFloat = 120.0
    reconcile_every_seconds: PositiveFloat = 10.0
    sweep_every_seconds: PositiveFloat = 600.0
    reminders_every_seconds: PositiveFloat = 10.0
    supervision_every_seconds: PositiveFloat = 10.0
    likeness_every_seconds: PositiveFloat = 2.0
    retention_nightly: bool = True
    month_end: bool = True
    facts_kept_days: PositiveFloat = 31.0
    stop_within_seconds: PositiveFloat = 30.0

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the library passes it by name
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - likewise
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - likewise
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment first, then what the TOML file said (passed to the constructor)."""
        return env_settings, init_settings

    @model_validator(mode="before")
    @classmethod
    def _read_secrets(cls, values: Any) -> Any:
        return with_secret(with_secret(values, "database_dsn"), "console_password")

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.console_password is None and not is_loopback(self.http_host):
            raise ConfigError(
                f"Configuration: http_host {self.http_host} can be reached from outside, so "
                "console_password (or console_password_file) must be set."
            )
        if self.console_password is not None and not self.console_password.get_secret_value():
            raise ConfigError("Configuration: console_password is empty.")
        _once("exchanges.system", [exchange.system for exchange in self.exchanges])
        _once("lines.name", [line.name for line in self.lines])
        _once("lines.number", [line.number for line in self.lines])
        _once("lines.queue", [line.queue_name for line in self.lines])
        _once("operators.extension", [operator.extension for operator in self.operators])
        _once("destinations.name", [one.name for one in self.destinations])
        known = {one.name for one in self.destinations}
        for name in (name for rule in self.notices for name in rule.by):
            if name not in known:
                raise ConfigError(f"Configuration: notices.by names {name}, no destination.")
        for name in set(self.probe.lines) - {line.name for line in self.lines}:
            raise ConfigError(f"Configuration: probe.lines names {name}, which is no line.")
        return self

    @property
    def dsn(self) -> str | None:
        """The DSN of the city's own PostgreSQL; None means the embedded one."""
        return self.database_dsn.get_secret_value() if self.database_dsn else None

    @property
    def loaded_calendars(self) -> Path:
        """Where the years of the holiday calendar stand that the city has loaded itself."""
        return self.calendars_dir or self.data_dir / "calendars"

    @property
    def phones_url(self) -> str:
        """Where telephones fetch their settings, without a slash at the end."""
        host = f"[{self.http_host}]" if ":" in self.http_host else self.http_host
        return (self.phones.public_url or f"http://{host}:{self.http_port}").rstrip("/")

    @property
    def keys_path(self) -> Path:
        """The file of the identity keys."""
        return self.identity_keys or self.data_dir / "identity.keys"

    @property
    def open_dir(self) -> Path:
        """What the public may read, as `hotline disclose` wrote it."""
        return self.data_dir / "open"

    @property
    def evidence_dir(self) -> Path:
        """Where the evidence of cases lies."""
        return self.data_dir / "evidence"

    @property
    def store_dir(self) -> Path:
        """The folder where recordings are kept for good, unless a bucket is."""
        return self.data_dir / "recordings"

    @property
    def work_dir(self) -> Path:
        """Where recordings lie while they are brought in or heard."""
        return self.data_dir / "incoming"


def _once(key: str, values: list[str]) -> None:
    for value in values:
        if values.count(value) > 1:
            raise ConfigError(f"Configuration: {key} {value} is given twice.")


def load(file: Path | None = None) -> Config:
    """The configuration from `file`, else `HOTLINE_CONFIG`, else `./hotline.toml` if present."""
    try:
        return Config(**_read(file))
    except ValidationError as error:
        raise ConfigError(_sentence(error)) from None
    except SettingsError as error:
        raise ConfigError(f"Configuration: {_unparsable(error)}.") from None


def _read(file: Path | None) -> dict[str, Any]:
    named = file or (Path(value) if (value := os.environ.get(FILE_VARIABLE)) else None)
    path = named or DEFAULT_FILE
    if named is None and not path.exists():
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"The configuration file {path} cannot be read ({error.strerror})."
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"The configuration file {path} is not UTF-8 text.") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"The configuration file {path} is not valid TOML: {error}.") from error


_WORDS = {
    "missing": "is missing",
    "extra_forbidden": "is not a known key",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "string_type": "must be text in quotes",
    "path_type": "must be a path in quotes",
    "tuple_type": "must be a list of tables",
    "model_type": "must be a table",
    "model_attributes_type": "must be a table",
    "string_too_short": "must not be empty",
}


def _sentence(error: ValidationError) -> str:
    """The first mistake as one sentence; the value itself is never quoted."""
    mistakes = error.errors(include_url=False, include_input=False, include_context=False)
    first = mistakes[0]
    said = _WORDS.get(first["type"], "is wrong: " + first["msg"][:1].lower() + first["msg"][1:])
    more = f" (and {len(mistakes) - 1} more mistakes)" if len(mistakes) > 1 else ""
    return f"Configuration: {_key(first['loc'])} {said}{more}."


def _key(loc: tuple[int | str, ...]) -> str:
    """`("exchanges", 0, "port")` as `exchanges[0].port`."""
    key = ""
    for part in loc:
        key += f"[{part}]" if isinstance(part, int) else f".{part}" if key else part
    return key or "the whole"


def _unparsable(error: SettingsError) -> str:
    """Which environment twin is not JSON; the library's own text is for programmers."""
    for name in Config.model_fields:
        variable = f"HOTLINE_{name.upper()}"
        if f'"{name}"' in str(error) and variable in os.environ:
            try:
                json.loads(os.environ[variable])
            except ValueError:
                return f"{variable} ({name}) is not valid JSON"
    return str(error)


def unknown_variables(environ: Mapping[str, str]) -> list[str]:
    """`HOTLINE_*` variables that no key answers to: most likely spelling mistakes."""
    others = {FILE_VARIABLE, "HOTLINE_CACHE", "HOTLINE_SHARED_DATA", "HOTLINE_DEBUG"}
    keys = {f"HOTLINE_{name.upper()}" for name in Config.model_fields}
    return sorted(
        name
        for name in environ
        if name.startswith("HOTLINE_") and name.split("__")[0] not in keys | others
    )
