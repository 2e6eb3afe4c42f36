"""The files of a city's folder: their shapes, and reading them all as one value.

city.yaml names the city, its rules and its policy; areas.yaml, units.yaml, catalogue.yaml and
cards.yaml say the rest; a categories.csv (level1,level2,level3) may stand beside them. `CityData`
is the whole folder: it is what the database keeps as one version, and what a `City` is made of.
"""

import csv
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import Field, field_validator, model_validator

from routing.documents import D, Document, Examined, Fault, Lines, examined
from routing.rules import LEVEL1, RuleFile

UNIT_ID = r"^[a-z][a-z0-9-]*(@[^@/\s]+)?$"


class AreaKind(StrEnum):
    """What an area is in the order of the state."""

    DISTRICT = "district"
    COUNTY = "county"
    COUNTY_CITY = "county_city"
    ZONE = "zone"


class Area(Document):
    """A district, county or zone, with names that lead to it.

    `tile` is its row and column on a map of tiles, counted from 1 in the north-west; it says about
    where the area lies beside the others, not its border or size.
    """

    name: str = Field(min_length=2)
    short: tuple[str, ...] = ()
    kind: AreaKind
    tile: tuple[int, int] | None = None
    towns: tuple[str, ...] = ()
    roads: tuple[str, ...] = ()


class AreaFile(Document):
    """areas.yaml."""

    areas: tuple[Area, ...] = Field(min_length=1)


class Contact(Document):
    """Whom to ask for at a unit: a post, not a person's name."""

    post: str = Field(min_length=1)
    phone: str = Field(min_length=3)


class Whereabouts(Document):
    """Where a unit of one area is, where that differs from the entry's own."""

    address: str = Field(min_length=1)
    route: str = Field(min_length=1)
    hours: str | None = None
    phone: str | None = None


class UnitEntry(Document):
    """One entry of units.yaml; `per_area` stands for one unit in every area.

    `review` is the day by which somebody must have looked at the entry again; `superior` is the id
    of the unit above this one.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    name: str = Field(min_length=2)
    per_area: bool = False
    duties: str = Field(min_length=1)
    level1: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    address: str = Field(min_length=1)
    route: str = Field(min_length=1)
    hours: str = Field(min_length=1)
    phone: str = Field(min_length=3)
    contacts: tuple[Contact, ...] = ()
    review: date
    protected: bool = False
    superior: str | None = Field(default=None, pattern=r"^[a-z][a-z0-9-]*$")
    sample: bool | None = None
    areas: dict[str, Whereabouts] = Field(default_factory=dict)

    @field_validator("level1")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [name for name in names if name not in LEVEL1]
        if unknown:
            raise ValueError(f"{unknown[0]!r} is no level-1 category")
        return names

    @model_validator(mode="after")
    def _named_by_area(self) -> Self:
        if self.per_area != ("{area}" in self.name):
            raise ValueError(f"{self.id}: {{area}} in the name and per_area belong together")
        if self.areas and not self.per_area:
            raise ValueError(f"{self.id}: areas stand only with per_area")
        return self


class UnitFile(Document):
    """units.yaml; `sample` holds for every entry that does not say otherwise."""

    sample: bool = False
    units: tuple[UnitEntry, ...] = Field(min_length=1)


class CatalogueRow(Document):
    """Who leads and who helps, for a category (its levels with / between) in some areas.

    `areas` are names, or one of: `each` (every area), `city` (no area is known), `all` (both).
    `undecided` instead of a lead says openly that the city has not decided, and why.
    """

    category: str = Field(pattern=r"^[^/]+(/[^/]+){0,2}$")
    areas: tuple[str, ...] = ("all",)
    lead: str | None = Field(default=None, pattern=UNIT_ID)
    helpers: tuple[str, ...] = ()
    undecided: str | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _decided_or_not(self) -> Self:
        if (self.lead is None) == (self.undecided is None):
            raise ValueError("a row has a lead, or says in `undecided` why there is none")
        return self


class CatalogueFile(Document):
    """catalogue.yaml."""

    rows: tuple[CatalogueRow, ...] = Field(min_length=1)


class CardEntry(Document):
    """One matter of cards.yaml, told to a citizen all at once.

    Address, transport and hours are the unit's where the entry has none of its own.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=80)
    title: str = Field(min_length=2, max_length=200)
    unit: str = Field(pattern=UNIT_ID)
    category: str = Field(pattern=r"^[^/]+(/[^/]+){0,2}$")
    keywords: tuple[str, ...] = ()
    materials: tuple[str, ...] = Field(min_length=1)
    procedure: tuple[str, ...] = Field(min_length=1)
    limit: str = Field(min_length=1)
    address: str | None = None
    transport: str | None = None
    hours: str | None = None
    basis: str = ""
    review: date
    sample: bool | None = None


class CardFile(Document):
    """cards.yaml."""

    sample: bool = False
    cards: tuple[CardEntry, ...] = ()


class CityFile(Document):
    """city.yaml."""

    city: str = Field(min_length=2)
    short: str = Field(min_length=1)
    country_code: str = "86"
    area_code: str = ""
    rules: tuple[str, ...] = Field(min_length=1)
    words: tuple[str, ...] = ()
    policy: str = Field(min_length=1)


class SpokenWord(Document):
    """A word of the line that a recogniser may not know, and rare writings that stand for it."""

    text: str = Field(min_length=2)
    heard: tuple[str, ...] = ()


class WordFile(Document):
    """One file of words to be recovered by sound in transcripts.

    `words` are routine words and phrases of the line, `units` short names of units and companies,
    `places` estates, squares, schools and other places by the area they lie in ("" where none).
    """

    words: tuple[SpokenWord, ...] = ()
    units: tuple[str, ...] = ()
    places: dict[str, tuple[str, ...]] = Field(default_factory=dict)


class CityData(Document):
    """Everything a city's folder says, as one value."""

    city: CityFile
    areas: tuple[Area, ...]
    units: UnitFile
    rules: tuple[RuleFile, ...]
    catalogue: tuple[CatalogueRow, ...]
    cards: CardFile
    categories: tuple[tuple[str, str, str], ...] = ()
    words: tuple[WordFile, ...] = ()

    def text(self) -> str:
        """The whole as JSON, the same for the same content; `model_validate_json` reads it."""
        return self.model_dump_json()

    def fingerprint(self) -> str:
        """What tells two contents apart."""
        return hashlib.sha256(self.text().encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A folder that was read: its content where every file has its shape, and what is wrong."""

    path: Path
    data: CityData | None
    lines: dict[str, Lines] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()

    def fault(self, file: str, *place: object, sentence: str) -> Fault:
        """A fault of a part of one of the files."""
        line = self.lines[file].of(*place) if file in self.lines else None
        return Fault(path=self.path / file, line=line, sentence=sentence)


def read_folder(path: Path, within: Path | None = None) -> Folder:
    """Read every file of a city's folder and tell every fault of their shapes; never raises.

    `within` is where files that city.yaml names must lie; without it they may lie anywhere.
    """
    if not path.is_dir():
        missing = Fault(path=path, line=None, sentence="The city folder does not exist.")
        return Folder(path=path, data=None, faults=(missing,))
    city = examined(path / "city.yaml", CityFile)
    areas = examined(path / "areas.yaml", AreaFile)
    units = examined(path / "units.yaml", UnitFile)
    catalogue = examined(path / "catalogue.yaml", CatalogueFile)
    cards = examined(path / "cards.yaml", CardFile)
    names = city.content.rules if city.content else ()
    rules = [_named(path, name, RuleFile, within) for name in names]
    spoken = city.content.words if city.content else ()
    words = [_named(path, name, WordFile, within) for name in spoken]
    leaves, leaf_faults = read_categories(path / "categories.csv")
    files: Sequence[Examined[Document]] = [city, areas, units, catalogue, cards, *rules, *words]  # type: ignore[list-item]
    faults = (*(fault for file in files for fault in file.faults), *leaf_faults)
    lines = {
        "areas.yaml": areas.lines,
        "units.yaml": units.lines,
        "catalogue.yaml": catalogue.lines,
        "cards.yaml": cards.lines,
    }
    if not (
        city.content and areas.content and units.content and catalogue.content and cards.content
    ) or not (all(it.content for it in rules) and all(it.content for it in words)):
        return Folder(path=path, data=None, lines=lines, faults=faults)
    data = CityData(
        city=city.content,
        areas=areas.content.areas,
        units=units.content,
        rules=tuple(it.content for it in rules if it.content),
        catalogue=catalogue.content.rows,
        cards=cards.content,
        categories=leaves,
        words=tuple(it.content for it in words if it.content),
    )
    return Folder(path=path, data=data, lines=lines, faults=faults)


def _named(path: Path, name: str, shape: type[D], within: Path | None) -> Examined[D]:
    """A file that city.yaml names, unless it lies outside of where it may."""
    file = (path / name).resolve()
    if within is None or file.is_relative_to(within.resolve()):
        return examined(file, shape)
    said = f"{name} lies outside of what was brought and is not read."
    fault = Fault(path=path / "city.yaml", line=None, sentence=said)
    return Examined(content=None, lines=Lines(None), faults=(fault,))


def read_categories(path: Path) -> tuple[tuple[tuple[str, str, str], ...], tuple[Fault, ...]]:
    """Return the leaves of a table level1,level2,level3 and its faults; no file is no leaves."""
    if not path.exists():
        return (), ()
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _leaves(path, csv.reader(file, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error):
        return (), (Fault(path=path, line=None, sentence="it cannot be read as a UTF-8 table."),)


def _leaves(
    path: Path, rows: Iterable[list[str]]
) -> tuple[tuple[tuple[str, str, str], ...], tuple[Fault, ...]]:
    numbered = list(enumerate(rows, start=1))
    if not numbered or numbered[0][1] != ["level1", "level2", "level3"]:
        fault = Fault(path=path, line=1, sentence="it must begin with level1,level2,level3.")
        return (), (fault,)
    leaves: dict[tuple[str, str, str], int] = {}
    faults: list[Fault] = []
    for line, row in numbered[1:]:
        names = tuple(name.strip() for name in row)
        said = ""
        if len(names) != 3 or not all(names):  # noqa: PLR2004 - the three levels
            said = "a row has three names."
        elif names[0] not in LEVEL1:
            said = f"{names[0]!r} is no level-1 category."
        elif any("/" in name for name in names):
            said = "a name holds no /."
        elif (names[0], names[1], names[2]) in leaves:
            said = f"{'/'.join(names)} stands twice."
        if said:
            faults.append(Fault(path=path, line=line, sentence=said))
        else:
            leaves[names[0], names[1], names[2]] = line
    return tuple(leaves), tuple(faults)
