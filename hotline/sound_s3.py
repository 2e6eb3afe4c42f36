"""Recordings in a bucket of S3-compatible storage, through obstore.

Only obstore's blocking calls are used, in threads: a process whose event loop had used the others
was seen to end with SIGABRT now and then (obstore 0.12.1, CPython 3.11: 2 of 30 short runs), with
these alone never (0 of 100).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from hotline.config_store import Store
from hotline.errors import ConfigError, SoundGoneError, StoreAwayError
from hotline.sounds import KeptIn, checked, sha256_of

if TYPE_CHECKING:
    from obstore import GetOptions, GetResult  # they exist for type checkers only

_ONE_REQUEST = timedelta(seconds=60)
_CONNECT = timedelta(seconds=5)
_ALL_TRIES = timedelta(seconds=20)
_LONGEST_REASON = 200


class SoundBucket:
    """A store that is a bucket, or what lies in it under a prefix. Fits `SoundStore`."""

    kind = KeptIn.S3

    def __init__(self, store: Store) -> None:
        """Nothing is asked of the server before the first use; `store` is of kind `s3`."""
        self._where = f"{store.bucket} at {store.endpoint}"
        self._bucket = S3Store(
            store.bucket,
            prefix=store.prefix or None,
            endpoint=store.endpoint,
            region=store.region,
            access_key_id=store.access_key,
            secret_access_key=store.secret.get_secret_value() if store.secret else "",
            virtual_hosted_style_request=store.virtual_hosted,
            client_options={
                "allow_http": store.endpoint.startswith("http://"),
                "timeout": _ONE_REQUEST,
                "connect_timeout": _CONNECT,
                **({"root_certificate": _certificate(store.tls_ca)} if store.tls_ca else {}),
            },
            retry_config={"max_retries": 2, "retry_timeout": _ALL_TRIES},
        )

    @property
    def where(self) -> str:
        """The bucket and its address."""
        return self._where

    def put(self, file: Path, key: str, sha256: str) -> None:
        """Send it, and read it back: what the server says of itself is no proof."""
        if self.size(key) == file.stat().st_size and self._holds(key, sha256):
            return
        with self._told(key):
            obstore.put(self._bucket, checked(key), file)
        if not self._holds(key, sha256):
            raise StoreAwayError(f"{self._where} gives back other bytes than were put there.")

    def _holds(self, key: str, sha256: str) -> bool:
        return sha256_of(self.read(key)) == sha256

    def size(self, key: str) -> int | None:
        """How long the object is, if there is one."""
        try:
            with self._told(key):
                return int(obstore.head(self._bucket, checked(key))["size"])
        except SoundGoneError:
            return None

    def read(self, key: str, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Its bytes from `start` to `stop`, as they arrive."""
        options: GetOptions = {}
        if stop is not None:
            options = {"range": (start, stop)}
        elif start:
            options = {"range": {"offset": start}}
        with self._told(key):
            found = obstore.get(self._bucket, checked(key), options=options)
        return self._pieces(found, key)

    def _pieces(self, found: "GetResult", key: str) -> Iterator[bytes]:
        with self._told(key):
            for piece in found.stream():
                yield bytes(piece)

    def find(self, under: str) -> list[str]:
        """The keys below `under`."""
        with self._told(under):
            found = obstore.list(self._bucket, prefix=checked(under))
            return sorted(one["path"] for some in found for one in some)

    def delete(self, key: str) -> None:
        """Delete the object."""
        try:
            with self._told(key):
                obstore.delete(self._bucket, checked(key))
        except SoundGoneError:
            return

    def ping(self) -> None:
        """Ask for what is nowhere: a bucket that is not there says so to a list alone."""
        self.find("hotline-check")

    @contextmanager
    def _told(self, key: str) -> Iterator[None]:
        """Whatever the library raises as one sentence of ours, without its inside."""
        try:
            yield
        except FileNotFoundError as error:
            if "NoSuchBucket" in str(error):
                raise StoreAwayError(f"There is no bucket {self._where}: make it.") from error
            raise SoundGoneError(f"The recording {key} is not in {self._where}.") from error
        except (PermissionDeniedError, UnauthenticatedError) as error:
            raise StoreAwayError(
                f"{self._where} refuses us: check access_key, secret and the rights of the key."
            ) from error
        except (BaseError, OSError) as error:
            raise StoreAwayError(f"{self._where} does not do it ({_reason(error)}).") from error


def _reason(error: Exception) -> str:
    """The first line of the library's text; the others are for its programmers."""
    first = str(error).splitlines()[0] if str(error) else type(error).__name__
    return first.rpartition(" - ")[2][:_LONGEST_REASON]


def _certificate(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"Configuration: store.tls_ca names {path}, which cannot be read ({error.strerror})."
        ) from error
