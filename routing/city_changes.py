"""What changed between two versions of a city's data; pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from routing.city_files import CityData
from routing.directory import cards_of, units_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """The names of what was added, changed and removed, in order."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What changed, part by part; of the first version everything is added.

    Units and areas are given by name, cards by their id, rows of the catalogue by category and
    areas, rules by their file's name, and `city` by the key of city.yaml.
    """

    city: Delta
    areas: Delta
    units: Delta
    catalogue: Delta
    cards: Delta
    rules: Delta
    categories: Delta
    words: Delta


PARTS = ("city", "areas", "units", "catalogue", "cards", "rules", "categories", "words")


def changes(old: CityData | None, new: CityData) -> Changes:
    """Compare the data in force, if any, with what is to replace it."""
    before, after = ({} if old is None else _parts(old)), _parts(new)
    return Changes(**{name: _delta(before.get(name, {}), after[name]) for name in PARTS})


def _parts(data: CityData) -> Mapping[str, Mapping[str, object]]:
    """Each part as its entries by name."""
    return {
        "city": dict(data.city),
        "areas": {area.name: area for area in data.areas},
        "units": {unit.name: unit for unit in units_of(data)},
        "catalogue": {f"{row.category} × {'、'.join(row.areas)}": row for row in data.catalogue},
        "cards": cards_of(data),
        "rules": {file.rules: file for file in data.rules},
        "categories": {"/".join(leaf): leaf for leaf in data.categories},
        "words": _words(data),
    }


def _words(data: CityData) -> Mapping[str, object]:
    """Each word, unit's short name and place that transcripts get back by sound."""
    words = {word.text: word for file in data.words for word in file.words}
    units = {name: name for file in data.words for name in file.units}
    places = {
        name: area for file in data.words for area, names in file.places.items() for name in names
    }
    return {**words, **units, **places}


def _delta(old: Mapping[str, object], new: Mapping[str, object]) -> Delta:
    return Delta(
        added=tuple(name for name in new if name not in old),
        changed=tuple(name for name in new if name in old and new[name] != old[name]),
        removed=tuple(name for name in old if name not in new),
    )
