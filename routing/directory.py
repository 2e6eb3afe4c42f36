"""A city: its areas, its units and what each unit is for, its catalogue and its cards.

A `City` is made of what the city's folder says (`city_files.py`), read from the folder itself or
from the version of it that the database keeps: both go the same way.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from routing.cards import CardText
from routing.catalogue import Catalogue
from routing.city_check import faults_of
from routing.city_files import Area, CardEntry, CityData, Contact, UnitEntry, read_folder
from routing.documents import fault_of
from routing.places import FULL_NAME, ROAD, SHORT_NAME, TOWN, Gazetteer, Place
from routing.rules import Rules, joined
from routing.vocabulary import vocabulary_of
from transcription.vocabulary import Vocabulary


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
    route: str
    hours: str
    phone: str
    contacts: tuple[Contact, ...]
    review: date
    protected: bool
    superior: str | None
    sample: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class City:
    """Everything routing knows about a city; `fingerprint` is that of the data it is made of."""

    name: str
    policy: str
    areas: tuple[Area, ...]
    units: tuple[Unit, ...]
    rules: Rules
    places: Gazetteer
    vocabulary: Vocabulary
    sample: bool
    catalogue: Catalogue
    cards: Mapping[str, CardText]
    leaves: tuple[tuple[str, str, str], ...]
    fingerprint: str

    def unit(self, name: str) -> Unit | None:
        """Return the unit of this name or id."""
        return next((it for it in self.units if name in {it.name, it.id}), None)

    def above(self, name: str) -> tuple[str, ...]:
        """The names of the units above one, the next first; as far as the directory says."""
        found: list[str] = []
        unit = self.unit(name)
        while unit is not None and unit.superior is not None:
            unit = self.unit(unit.superior) or self.unit(f"{unit.superior}@{unit.area}")
            if unit is None or unit.name in found:
                break
            found.append(unit.name)
        return tuple(found)


def load_city(folder: Path) -> City:
    """Read a city's folder.

    Raises:
        DataFault: a file is missing or wrong; one sentence says which and where.
    """
    return city_of(read_city(folder))


def read_city(folder: Path) -> CityData:
    """Read and check a city's folder; raises DataFault with the first fault."""
    found = read_folder(folder)
    faults = faults_of(found)
    if found.data is None or faults:
        raise fault_of(faults)
    return found.data


def city_of(data: CityData) -> City:
    """Make a city of what its folder says; the data must have been checked."""
    units = tuple(units_of(data))
    return City(
        name=data.city.city,
        policy=data.city.policy,
        areas=data.areas,
        units=units,
        rules=joined(data.rules),
        places=Gazetteer(place for area in data.areas for place in _places(area)),
        vocabulary=vocabulary_of(data, ((unit.name, unit.area) for unit in units)),
        sample=data.units.sample or any(unit.sample for unit in units),
        catalogue=Catalogue(
            data.catalogue, (area.name for area in data.areas), (unit.id for unit in units)
        ),
        cards=cards_of(data),
        leaves=data.categories,
        fingerprint=data.fingerprint(),
    )


def units_of(data: CityData) -> Iterable[Unit]:
    """Every unit, those that stand for one in each area written out."""
    for entry in data.units.units:
        for area in (it.name for it in data.areas) if entry.per_area else (None,):
            yield _unit(entry, area, sample=data.units.sample)


def _unit(entry: UnitEntry, area: str | None, *, sample: bool) -> Unit:
    own = entry.areas.get(area) if area else None

    def here(text: str) -> str:
        return text if area is None else text.replace("{area}", area)

    return Unit(
        id=entry.id if area is None else f"{entry.id}@{area}",
        name=here(entry.name),
        area=area,
        duties=entry.duties,
        level1=frozenset(entry.level1),
        keywords=entry.keywords,
        address=own.address if own else here(entry.address),
        route=own.route if own else here(entry.route),
        hours=(own and own.hours) or entry.hours,
        phone=(own and own.phone) or entry.phone,
        contacts=entry.contacts,
        review=entry.review,
        protected=entry.protected,
        superior=entry.superior,
        sample=sample if entry.sample is None else entry.sample,
    )


def cards_of(data: CityData) -> Mapping[str, CardText]:
    """Every card as it is told, by its id, with its unit's address where it has none itself."""
    units = {unit.id: unit for unit in units_of(data)}
    return {
        entry.id: _card(entry, units[entry.unit], sample=data.cards.sample)
        for entry in data.cards.cards
    }


def _card(entry: CardEntry, unit: Unit, *, sample: bool) -> CardText:
    return CardText(
        title=entry.title,
        unit=entry.unit,
        category=entry.category,
        keywords=entry.keywords,
        materials=entry.materials,
        procedure=entry.procedure,
        limit=entry.limit,
        address=entry.address or unit.address,
        transport=entry.transport or unit.route,
        hours=entry.hours or unit.hours,
        basis=entry.basis,
        review=entry.review,
        sample=sample if entry.sample is None else entry.sample,
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
