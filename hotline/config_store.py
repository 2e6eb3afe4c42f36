"""The table [store] of the configuration."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, SecretStr, model_validator

from hotline.config_tables import Table, Text, with_secret
from hotline.errors import ConfigError


class Store(Table):
    """Where recordings are kept: `data_dir/recordings`, or a bucket of S3-compatible storage."""

    kind: Literal["folder", "s3"] = "folder"
    endpoint: Annotated[str, Field(pattern=r"^(https?://[^/\s]+/?)?$")] = ""
    bucket: Annotated[str, Field(pattern=r"^([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?$")] = ""
    region: Text = "us-east-1"
    access_key: str = ""
    secret: SecretStr | None = None
    secret_file: Path | None = None
    prefix: Annotated[str, Field(pattern=r"^[0-9A-Za-z._-]*(/[0-9A-Za-z._-]+)*/?$")] = ""
    virtual_hosted: bool = False
    """The bucket is part of the host name, as some clouds want it, not of the path."""
    tls_ca: Path | None = None

    @model_validator(mode="before")
    @classmethod
    def _read_secret(cls, values: Any) -> Any:
        return with_secret(values, "secret")

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.kind == "s3":
            for key in ("endpoint", "bucket", "access_key", "secret"):
                if not getattr(self, key):
                    raise ConfigError(f"Configuration: store.kind is s3, so store.{key} is needed.")
        return self
