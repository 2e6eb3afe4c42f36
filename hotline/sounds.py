"""Where recordings are kept for good: the port that every store fits, and how sound is named there.

A recording is named by the day of its call (UTC), the call, the leg and the SHA-256 of its bytes:
`2026/11/23/00000007/caller-<sha256>.wav`. The same sound of the same call has the same name in
every store, so putting it twice is putting it once, and what a database forgot is found again by
its call. `sound_folder.py` and `sound_s3.py` are the stores. All of it blocks, except `lent` and
`parts`: call it in a thread.
"""

import asyncio
import hashlib
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from hotline.errors import SoundGoneError, StoreAwayError
from telephony.calls import Leg

PIECE = 256 * 1024
"""Bytes read or sent at a time."""
_PROBE = "hotline-check"
_STALE = timedelta(hours=1)
_KEY = re.compile(r"[0-9A-Za-z._/-]{1,200}\Z", re.ASCII)


class KeptIn(StrEnum):
    """The kinds of stores."""

    FOLDER = "folder"
    S3 = "s3"


class SoundStore(Protocol):
    """Keeps files under keys, each whole or not at all.

    Every method raises:
        StoreAwayError: it cannot be reached, refuses us, or is full; the same can succeed later.
        OSError: the same, from a folder.
    """

    @property
    def kind(self) -> KeptIn:
        """What kind of store it is."""
        ...

    @property
    def where(self) -> str:
        """The store's place, for people: a folder, or a bucket at an address."""
        ...

    def put(self, file: Path, key: str, sha256: str) -> None:
        """Keep a copy of `file`; when this returns, the store was seen to hold those bytes."""
        ...

    def size(self, key: str) -> int | None:
        """How many bytes are kept under a key; None where nothing is."""
        ...

    def read(self, key: str, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The bytes from `start` up to `stop` (not included), piece by piece.

        Raises:
            SoundGoneError: nothing is kept under this key.
        """
        ...

    def find(self, under: str) -> list[str]:
        """The keys below a path of whole parts, `2026/11/23/00000007`, in order."""
        ...

    def delete(self, key: str) -> None:
        """Keep it no longer; what is not there is no fault."""
        ...

    def ping(self) -> None:
        """Return where the store answers; changes nothing."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a recording is of: it has one place in every store."""

    call_id: int
    leg: Leg
    started_at: datetime

    @property
    def folder(self) -> str:
        """Where the recordings of the call are."""
        return f"{self.started_at.astimezone(UTC):%Y/%m/%d}/{self.call_id:08d}"

    def key(self, sha256: str) -> str:
        """The name of this recording with these bytes."""
        return f"{self.folder}/{self.leg}-{sha256}.wav"

    def sha256_of(self, key: str) -> str | None:
        """The hash in a key of this place; None where the key is of another place."""
        match = re.fullmatch(re.escape(self.folder) + rf"/{self.leg}-([0-9a-f]{{64}})\.wav", key)
        return match[1] if match else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Where a recording is kept, and the SHA-256 it was kept with."""

    store: KeptIn
    key: str
    sha256: str


class SoundStores:
    """The store where new recordings go, the one where older ones still are, and a workplace."""

    def __init__(self, *, current: SoundStore, folder: SoundStore, work: Path) -> None:
        """`folder` may be `current`; `work` is a folder of our own for files in hand."""
        self.current = current
        self._folder = folder
        self.work = work

    def of(self, kind: KeptIn) -> SoundStore:
        """The store of this kind.

        Raises:
            StoreAwayError: it is not in the configuration any more.
        """
        for store in (self.current, self._folder):
            if store.kind is kind:
                return store
        raise StoreAwayError(
            f"Recordings are kept in {kind}, which is not in the configuration: add its [store]."
        )

    @property
    def all(self) -> tuple[SoundStore, ...]:
        """Every configured store once."""
        return (self.current,) if self.current is self._folder else (self.current, self._folder)

    @asynccontextmanager
    async def lent(self, kept: Kept) -> AsyncIterator[Path]:
        """A file with the recording's bytes, for as long as it is held.

        Raises:
            SoundGoneError: it is not there, or not what was put there.
            StoreAwayError, OSError: it cannot be had now.
        """
        store = self.of(kept.store)
        if (path := getattr(store, "path_of", None)) is not None:
            yield path(kept.key)
            return
        with self.in_hand(f"heard-{uuid4()}.wav") as copy:
            await asyncio.to_thread(fetch, store, kept.key, kept.sha256, copy)
            yield copy

    @contextmanager
    def in_hand(self, name: str) -> Iterator[Path]:
        """A file in the workplace, gone at the end whatever happens."""
        self.work.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self.work / name
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def clear(self) -> None:
        """Remove what a killed process left in the workplace; what is in hand is younger."""
        for path in self.work.glob("*.wav"):
            if path.stat().st_mtime < time.time() - _STALE.total_seconds():
                path.unlink(missing_ok=True)


def fetch(store: SoundStore, key: str, sha256: str, target: Path) -> None:
    """Bring a recording into a file and make sure that it is what was put there.

    Raises:
        SoundGoneError: it is not there, or not what was put there.
    """
    digest = hashlib.sha256()
    with target.open("wb") as file:
        for piece in store.read(key):
            digest.update(piece)
            file.write(piece)
    if digest.hexdigest() != sha256:
        raise SoundGoneError(
            f"The recording {key} in {store.where} is not what was stored there: its SHA-256 "
            "differs. Restore it from a backup."
        )


def sha256_of(pieces: Iterator[bytes]) -> str:
    """The hash of what comes piece by piece."""
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def sha256_of_file(path: Path) -> str:
    """The hash of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


async def parts(store: SoundStore, key: str, start: int, stop: int) -> AsyncGenerator[bytes, None]:
    """The bytes of a recording, each piece read in a thread; closed by whoever stops reading."""
    pieces = await asyncio.to_thread(store.read, key, start, stop)
    try:
        while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            yield piece
    finally:
        if isinstance(pieces, Generator):
            pieces.close()


def try_out(store: SoundStore, work: Path) -> None:
    """Put a small file, read it and delete it again; raises what does not work."""
    work.mkdir(parents=True, exist_ok=True, mode=0o700)
    probe = work / f"{_PROBE}-{uuid4()}"
    key = f"{_PROBE}/{probe.name}"
    try:
        probe.write_bytes(probe.name.encode())
        store.put(probe, key, sha256_of_file(probe))
        if b"".join(store.read(key)) != probe.name.encode():
            raise StoreAwayError(f"{store.where} gives back other bytes than were put there.")
        store.delete(key)
        if store.size(key) is not None:
            raise StoreAwayError(f"{store.where} does not delete what it is told to.")
    finally:
        probe.unlink(missing_ok=True)


def checked(key: str) -> str:
    """The key, if it is one that may be looked for; else as good as gone."""
    if _KEY.match(key) is None or ".." in key.split("/"):
        raise SoundGoneError("A recording has a name that no store can hold.")
    return key
