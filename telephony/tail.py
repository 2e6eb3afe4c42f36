"""Follows a file that the exchange appends to, through rotation, cutting and replacement.

A file is known by the fingerprint of its first line, which carries a time and so is its own:
inode numbers are used again once a rotated file is deleted, and rows kept under a reused number
would be taken for rows already read. Only whole lines are delivered; a torn last line waits until
its end is written, or until the exchange has gone on to another file. Nothing is remembered here:
the position is the caller's, to be stored together with what was read.
"""

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from io import BufferedReader
from pathlib import Path

from telephony.rows import Chunk, Line, Position

MOST_BYTES = 1 << 20
"""Read at once; of a longer line only so much is delivered, and no parser takes it for a row."""
_LONGEST_FIRST_LINE = 1 << 16
_File = gzip.GzipFile | BufferedReader


def read_new(path: Path, position: Position | None, *, most: int = MOST_BYTES) -> Chunk:
    """What was appended since `position`; from the start of `path` when there is none.

    A rotated file is read to its end before the next one is begun, gzipped ones too. Blocks
    for as long as the disk does; an unreadable file raises `OSError`.
    """
    now = fingerprint(path)
    if position is None:
        start = Position(file=now, offset=0) if now is not None else None
        return Chunk(lines=(), position=start, more=start is not None)
    if now == position.file:
        return _read(path, position, most, following=None)
    rotated = _named(path, position.file)
    if rotated is not None:
        return _read(rotated, position, most, following=_after(path, rotated, now))
    if now is None:
        return Chunk(lines=(), position=position)
    return Chunk(lines=(), position=Position(file=now, offset=0), more=True, lost=True)


def every_file(path: Path) -> list[tuple[Path, int]]:
    """All files that the exchange wrote under this name and that are still there, oldest first."""
    rotated = {other.file: other for other in _siblings(path)}
    files = [(one.path, one.file) for one in sorted(rotated.values(), key=lambda r: r.modified)]
    now = fingerprint(path)
    return [*(one for one in files if one[1] != now), *([(path, now)] if now is not None else [])]


def read_file(path: Path, position: Position, *, most: int = MOST_BYTES) -> Chunk:
    """The next whole lines of this very file, as `read_new` reads them."""
    return _read(path, position, most, following=None)


def fingerprint(path: Path) -> int | None:
    """63 bits of the first line; None while there is no whole first line."""
    try:
        with _opened(path) as file:
            return _fingerprint(file)
    except (FileNotFoundError, EOFError, gzip.BadGzipFile):
        return None


def _fingerprint(file: _File) -> int | None:
    first = file.readline(_LONGEST_FIRST_LINE)
    if not first.endswith(b"\n") and len(first) < _LONGEST_FIRST_LINE:
        return None
    return int.from_bytes(blake2b(first, digest_size=8).digest()) >> 1


def _opened(path: Path) -> _File:
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")


@dataclass(frozen=True, slots=True)
class _Rotated:
    path: Path
    modified: int
    file: int


def _siblings(path: Path) -> Iterator[_Rotated]:
    """The rotated forms of a file: `name.1`, `name-20261123`, `name.2.gz`, `stem-date.csv`."""
    for other in path.parent.iterdir():
        name = other.name
        with_suffix = name.startswith(f"{path.stem}-") and name.endswith(path.suffix or "-")
        if name == path.name or not (
            name.startswith((f"{path.name}.", f"{path.name}-")) or with_suffix
        ):
            continue
        try:
            file, modified = fingerprint(other), other.stat().st_mtime_ns
        except OSError:  # gone or renamed meanwhile: the next look finds it
            continue
        if file is not None:
            yield _Rotated(other, modified, file)


def _named(path: Path, file: int) -> Path | None:
    """The rotated file with this fingerprint; of several copies the largest."""
    found = [other.path for other in _siblings(path) if other.file == file]
    return max(found, key=lambda other: other.stat().st_size, default=None)


def _after(path: Path, rotated: Path, now: int | None) -> int | None:
    """The file begun after this rotated one: the next rotated, or the current, or none yet."""
    this = fingerprint(rotated)
    modified = rotated.stat().st_mtime_ns
    later = [
        other
        for other in _siblings(path)
        if other.file not in (now, this) and other.modified > modified
    ]
    return min(later, key=lambda other: other.modified).file if later else now


def _read(path: Path, position: Position, most: int, *, following: int | None) -> Chunk:
    """The next lines of one file; at its end on to the `following`, if it is finished."""
    with _opened(path) as file:
        if _fingerprint(file) != position.file:  # renamed since we looked
            return Chunk(lines=(), position=position, more=True)
        start = _line_start(file, position.offset)
        file.seek(start)
        data = file.read(most)
        more = len(data) == most
        whole = data.rfind(b"\n") + 1
        text = data[:whole]
        if more and not whole:
            text, whole = data, _past_newline(file, most)
    if following is not None and not more:
        text, whole = data, len(data)
        onward = Position(file=following, offset=0)
    else:
        onward = Position(file=position.file, offset=start + whole)
    return Chunk(
        lines=tuple(_lines(text, start)) if whole else (),
        position=onward,
        file=position.file,
        more=(more and whole > 0) or onward.file != position.file,
        lost=start < position.offset,
    )


def _past_newline(file: _File, length: int) -> int:
    """The length of a line longer than a chunk, with its end; 0 while it has none."""
    while piece := file.read(MOST_BYTES):
        newline = piece.find(b"\n")
        if newline >= 0:
            return length + newline + 1
        length += len(piece)
    return 0


def _line_start(file: _File, offset: int) -> int:
    """`offset` if a line begins there; else the last line start before it that still exists.

    After a power cut a file may be shorter than what was read of it.
    """
    while offset > 0:
        back = min(offset, 1 << 12)
        file.seek(offset - back)
        before = file.read(back)
        if len(before) == back and before.endswith(b"\n"):
            return offset
        newline = before.rfind(b"\n")
        if newline >= 0:
            return offset - back + newline + 1
        offset -= back
    return 0


def _lines(data: bytes, start: int) -> Iterator[Line]:
    for text in data.split(b"\n")[: -1 if data.endswith(b"\n") else None]:
        if text:
            yield Line(offset=start, text=text)
        start += len(text) + 1
