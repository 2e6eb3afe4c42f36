"""A city's folder that came as a zip archive: unpacked to be read, and gone again.

The archive holds city.yaml at its root or in one of its folders. Of what it holds only `.yaml`,
`.yml` and `.csv` are unpacked, within limits of size and number. The general rules and words that
cities share (`../general`) are ours where the archive brings none. A file is looked at before it
is parsed: no references within YAML and no deep nesting, with which small files become huge work.
"""

import io
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import yaml

from hotline.casework import SHIPPED
from hotline.city_soundness import Packs, every_fault
from routing.city_files import CityData, Folder, read_folder
from routing.documents import Fault

LARGEST_ARCHIVE = 8 * 2**20
"""Bytes as they come; the first city's folder has 60 KB, unpacked."""
LARGEST_CONTENT = 32 * 2**20
"""Bytes when unpacked."""
MOST_FILES = 200
DEEPEST = 30
_TEXTS = frozenset({".yaml", ".yml", ".csv"})
_PLAIN = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_OWN = ("city.yaml", "areas.yaml", "units.yaml", "catalogue.yaml", "cards.yaml", "categories.csv")
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One fault, by the name a file has in the archive; no file is the archive itself."""

    file: str | None
    line: int | None
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """What an archive says: the data where every file has its shape, and everything wrong with it.

    `unread` are files of the archive that are no part of a city's data.
    """

    data: CityData | None
    faults: tuple[Place, ...]
    unread: tuple[str, ...] = ()


class _RefusedError(Exception):
    """The archive cannot be unpacked; the sentence says why."""


def read_archive(archive: bytes, packs: Packs) -> Brought:
    """Read a city's folder out of an archive; never raises for what the archive holds."""
    with tempfile.TemporaryDirectory(prefix="hotline-city-") as name:
        place = Path(name).resolve()
        try:
            names, others = _unpack(archive, place / "brought")
            folder = _folder(place / "brought", names)
        except _RefusedError as refused:
            return Brought(data=None, faults=(Place(file=None, line=None, sentence=str(refused)),))
        if shaky := tuple(_shaky(place / "brought", names)):
            return Brought(data=None, faults=shaky, unread=others)
        _add_general(folder)
        found = read_folder(folder, within=place)
        faults = tuple(_place(it, place) for it in every_fault(found, packs))
        return Brought(
            data=found.data, faults=faults, unread=(*others, *_unread(found, names, place))
        )


def _unpack(archive: bytes, to: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Write the archive's texts below a folder; the names of these, and of what else it holds."""
    names, others, left = [], [], LARGEST_CONTENT
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            inside = [it for it in opened.infolist() if not it.is_dir() and not _is_hidden(it)]
            if len(inside) > MOST_FILES:
                raise _RefusedError(f"The archive holds more than {MOST_FILES} files.")
            for info in inside:
                if PurePosixPath(info.filename).suffix.lower() in _TEXTS:
                    left -= _write(opened, info, to, left)
                    names.append(info.filename)
                else:
                    others.append(info.filename)
    except _BROKEN as error:
        raise _RefusedError("The file is no zip archive, or it is damaged.") from error
    return tuple(names), tuple(others)


def _is_hidden(info: zipfile.ZipInfo) -> bool:
    """Whether a file is the system's own, as a Mac puts them beside each other file."""
    parts = PurePosixPath(info.filename).parts
    return "__MACOSX" in parts or any(
        part.startswith(".") and part not in {".", ".."} for part in parts
    )


def _write(opened: zipfile.ZipFile, info: zipfile.ZipInfo, to: Path, left: int) -> int:
    """Unpack one file; how many bytes it has."""
    path = to.joinpath(info.filename)
    if not path.resolve().is_relative_to(to) or "\\" in info.filename:
        raise _RefusedError(f"The archive names a place outside of itself: {info.filename}.")
    if info.flag_bits & 1 or info.compress_type not in _PLAIN:
        raise _RefusedError(
            f"{info.filename} is encrypted or packed in a way that is not read here."
        )
    if path.exists():
        raise _RefusedError(f"{info.filename} stands twice in the archive.")
    with opened.open(info) as packed:
        content = packed.read(left + 1)
    if len(content) > left:
        raise _RefusedError(f"Unpacked, the archive has more than {LARGEST_CONTENT // 2**20} MiB.")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return len(content)


def _folder(root: Path, names: tuple[str, ...]) -> Path:
    """The one folder that has a city.yaml."""
    found = [root / name for name in names if PurePosixPath(name).name == "city.yaml"]
    if not found:
        raise _RefusedError("The archive holds no city.yaml: pack the city's whole folder.")
    if len(found) > 1:
        raise _RefusedError("The archive holds more than one city.yaml: bring one city at a time.")
    return found[0].parent


def _shaky(root: Path, names: tuple[str, ...]) -> Iterator[Place]:
    """Files that would make much work of little text."""
    for name in names:
        if name.endswith(".csv"):
            continue
        depth = 0
        try:
            for event in yaml.parse((root / name).read_bytes(), Loader=yaml.CSafeLoader):
                opens = isinstance(event, yaml.CollectionStartEvent)
                depth += opens - isinstance(event, yaml.CollectionEndEvent)
                if isinstance(event, yaml.AliasEvent) or depth > DEEPEST:
                    said = "references (*name) and deep nesting are not read."
                    line = event.start_mark.line + 1 if event.start_mark else None
                    yield Place(file=name, line=line, sentence=said)
                    break
        except yaml.YAMLError:
            continue  # the reader of the folder says what is wrong


def _add_general(folder: Path) -> None:
    """What the cities share, where the archive brings nothing in its place."""
    if not (general := folder.parent / "general").exists():
        shutil.copytree(SHIPPED / "cities" / "general", general)


def _place(fault: Fault, root: Path) -> Place:
    """A fault with the name that its file has in the archive."""
    brought = root / "brought"
    inside = fault.path.is_relative_to(brought)
    name = fault.path.relative_to(brought if inside else root)
    return Place(file=str(name), line=fault.line, sentence=fault.sentence)


def _unread(found: Folder, names: tuple[str, ...], root: Path) -> Iterator[str]:
    """Texts of the archive that nothing names; not told while the city's own file is wrong."""
    if found.data is None:
        return
    city = found.data.city
    read = {(found.path / name).resolve() for name in (*_OWN, *city.rules, *city.words)}
    yield from (name for name in names if (root / "brought" / name) not in read)
