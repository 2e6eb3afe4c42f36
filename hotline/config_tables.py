"""What every table of the configuration is made of: its base, its small types, secrets in files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from hotline.errors import ConfigError

Port = Annotated[int, Field(ge=1, le=65535)]
Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
Text = Annotated[str, Field(min_length=1, max_length=200)]


class Table(BaseModel):
    """A table of the file: immutable, and with no key that is not known."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def with_secret(values: Any, key: str) -> Any:
    """The values with `key` read from the file that `key_file` names."""
    if not isinstance(values, Mapping) or not values.get(f"{key}_file"):
        return values
    path = Path(str(values[f"{key}_file"]))
    if values.get(key) is not None:
        raise ConfigError(f"Configuration: give either {key} or {key}_file, not both.")
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"Configuration: {key}_file names {path}, which cannot be read "
            f"({getattr(error, 'strerror', None) or 'it is not UTF-8 text'})."
        ) from error
    return {**values, key: secret}
