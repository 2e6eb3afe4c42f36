"""A city's folder: its areas, its units and what each unit is for.

`deploy/cities/<city>/` holds city.yaml (names and which rules apply), areas.yaml, units.yaml and
rules.yaml. Every fault in them is one sentence that names the file.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import Field, field_validator, model_validator

from routing.documents import Document, read_document
from routing.errors import DataFault
from routing.places import FULL_NAME, ROAD, SHORT_NAME, TOWN, Gazetteer, Place
from routing.rules import LEVEL1, Rules, load_rules


class AreaKind(StrEnum):
    """What an area is in the order of the state."""

    DISTRICT = "district"
    COUNTY = "county"
    COUNTY_CITY = "county_city"
    ZONE = "zone"


class Area(Document):
    """A district, county or zone, with names that lead to it."""

    name: str = Field(min_length=2)
    short: tuple[str, ...] = ()
    kind: AreaKind
    towns: tuple[str, ...] = ()
    roads: tuple[str, ...] = ()


class AreaFile(Document):
    """areas.yaml."""

    areas: tuple[Area, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _unique(self) -> Self:
        names = [area.name for area in self.areas]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice:
            raise ValueError(f"the area {twice} stands twice")
        return self


class UnitEntry(Document):
    """One entry of units.yaml; `per_area` stands for one unit in every area."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    name: str = Field(min_length=2)
    per_area: bool = False
    duties: str
    level1: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    address: str = ""
    phone: str = ""
    protected: bool = False

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
        return self


class UnitFile(Document):
    """units.yaml."""

    sample: bool = False
    units: tuple[UnitEntry, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _unique(self) -> Self:
        ids = [unit.id for unit in self.units]
        twice = next((it for it in ids if ids.count(it) > 1), None)
        if twice:
            raise ValueError(f"the unit id {twice} stands twice")
        return self


class CityFile(Document):
    """city.yaml."""

    city: str = Field(min_length=2)
    short: str = Field(min_length=1)
    country_code: str = "86"
    area_code: str = ""
    rules: tuple[str, ...] = Field(min_length=1)
    policy: str = Field(min_length=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A unit that handles cases: of the whole city (`area` is None) or of one area."""

    id: str
    name: str
    area: str | None
    duties: str
    level1: frozenset[str]
    keywords: tuple[str, ...]
    address: str
    phone: str
    protected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class City:
    """Everything routing knows about a city."""

    name: str
    policy: str
    areas: tuple[Area, ...]
    units: tuple[Unit, ...]
    rules: Rules
    places: Gazetteer
    sample: bool

    def unit(self, name: str) -> Unit | None:
        """Return the unit of this name or id."""
        return next((it for it in self.units if name in {it.name, it.id}), None)


def load_city(folder: Path) -> City:
    """Read a city's folder.

    Raises:
        DataFault: a file is missing or wrong; one sentence says which and where.
    """
    if not folder.is_dir():
        raise DataFault(f"The city folder {folder} does not exist.", path=folder)
    city = read_document(folder / "city.yaml", CityFile)
    areas = read_document(folder / "areas.yaml", AreaFile).areas
    units = read_document(folder / "units.yaml", UnitFile)
    return City(
        name=city.city,
        policy=city.policy,
        areas=areas,
        units=tuple(_units(units.units, areas)),
        rules=load_rules(*((folder / name).resolve() for name in city.rules)),
        places=Gazetteer(place for area in areas for place in _places(area)),
        sample=units.sample,
    )


def _units(entries: Iterable[UnitEntry], areas: tuple[Area, ...]) -> Iterable[Unit]:
    for entry in entries:
        for area in areas if entry.per_area else (None,):
            yield Unit(
                id=entry.id if area is None else f"{entry.id}@{area.name}",
                name=entry.name if area is None else entry.name.replace("{area}", area.name),
                area=None if area is None else area.name,
                duties=entry.duties,
                level1=frozenset(entry.level1),
                keywords=entry.keywords,
                address=entry.address,
                phone=entry.phone,
                protected=entry.protected,
            )


def _places(area: Area) -> Iterable[Place]:
    yield Place(name=area.name, area=area.name, weight=FULL_NAME)
    for name in area.short:
        yield Place(name=name, area=area.name, weight=SHORT_NAME)
    for town in area.towns:
        yield Place(name=town, area=area.name, weight=TOWN)
    for road in area.roads:
        yield Place(name=road, area=area.name, weight=ROAD)
    for name in (*area.towns, *area.roads):  # said in one breath, and long enough to be known
        yield Place(name=area.name + name, area=area.name, weight=FULL_NAME + ROAD)
