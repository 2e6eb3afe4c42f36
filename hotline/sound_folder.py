"""Recordings in a folder of this machine."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from hotline.errors import SoundGoneError, StoreAwayError
from hotline.sounds import PIECE, KeptIn, sha256_of_file

_EARLIER = re.compile(r"(?:.*/)?(\d{4}/\d\d/\d\d/\d{8,}-(?:caller|operator)\.wav)", re.ASCII)
"""Before stores had keys, the whole path of the file was stored; its end is the key now."""


class SoundFolder:
    """A store that is a folder; keys are paths in it. Fits `SoundStore`."""

    kind = KeptIn.FOLDER

    def __init__(self, folder: Path) -> None:
        """The folder is made when it is first needed."""
        self._folder = folder

    @property
    def where(self) -> str:
        """The folder."""
        return str(self._folder)

    def path_of(self, key: str) -> Path:
        """The file of a key.

        Raises:
            SoundGoneError: it would not lie in the folder, however its name is written.
        """
        match = _EARLIER.fullmatch(key)
        path = self._folder / (match[1] if match else key)
        if not path.resolve().is_relative_to(self._folder.resolve()):
            raise SoundGoneError("A recording has a name that leads out of the store.")
        return path

    def put(self, file: Path, key: str, sha256: str) -> None:
        """Put it there whole and on disk, or not at all; raises `OSError`."""
        target = self.path_of(key)
        if target.is_file() and sha256_of_file(target) == sha256:
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.name}.part")
        try:
            with file.open("rb") as source, part.open("wb") as copy:
                shutil.copyfileobj(source, copy, PIECE)
                copy.flush()
                os.fsync(copy.fileno())
            part.replace(target)
        except OSError:
            part.unlink(missing_ok=True)
            raise
        _sync_up_to(target.parent, self._folder)
        if sha256_of_file(target) != sha256:
            raise StoreAwayError(f"The disk of {self._folder} gives back other bytes than it got.")

    def size(self, key: str) -> int | None:
        """The length of the file, if it is there."""
        path = self.path_of(key)
        return path.stat().st_size if path.is_file() else None

    def read(self, key: str, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Its bytes from `start` to `stop`."""
        try:
            file = self.path_of(key).open("rb")
        except FileNotFoundError as error:
            raise SoundGoneError(f"The recording {key} is not in {self._folder}.") from error
        return _pieces(file, start, stop)

    def find(self, under: str) -> list[str]:
        """What lies below a folder of the store."""
        return sorted(
            str(path.relative_to(self._folder))
            for path in (self._folder / under).rglob("*.wav")
            if not path.name.startswith(".") and path.is_file()
        )

    def delete(self, key: str) -> None:
        """Remove the file, and the folder of its call when that is empty."""
        path = self.path_of(key)
        path.unlink(missing_ok=True)
        if path.parent != self._folder and path.parent.is_dir() and not any(path.parent.iterdir()):
            path.parent.rmdir()

    def ping(self) -> None:
        """Raise unless the folder, or the one it will be made in, can be written."""
        place = self._folder.absolute()
        while not place.exists():
            place = place.parent
        if not os.access(place, os.R_OK | os.W_OK | os.X_OK):
            raise StoreAwayError(
                f"The folder {place} cannot be read and written: change its rights."
            )


def _pieces(file: BinaryIO, start: int, stop: int | None) -> Iterator[bytes]:
    with file:
        file.seek(start)
        left = None if stop is None else stop - start
        while piece := file.read(PIECE if left is None else min(PIECE, left)):
            left = None if left is None else left - len(piece)
            yield piece


def _sync_up_to(folder: Path, top: Path) -> None:
    """A renamed file is safe from a power cut only when the folders it is in are on disk too."""
    while True:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        if folder in (top, folder.parent):
            return
        folder = folder.parent
