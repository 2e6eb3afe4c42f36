"""What is wrong with a city's data beyond the shape of its files: every fault, with its place.

Names must be one of a kind, whatever names something must name something that is there, and the
catalogue must say for every category in every area who leads, or openly that nobody is decided.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from routing.catalogue import ALL, CITY, EACH, Catalogue
from routing.city_files import CityData, Folder
from routing.documents import Fault
from routing.rules import LEVEL1

WORDS_FOR_AREAS = frozenset({EACH, CITY, ALL})
FEW = 3


def faults_of(folder: Folder) -> tuple[Fault, ...]:
    """Every fault of a folder; what hangs on a file without its shape is not looked at."""
    if folder.data is None:
        return folder.faults
    check = _Check(folder=folder, data=folder.data)
    return (*folder.faults, *check.names(), *check.units(), *check.cards(), *check.catalogue())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Check:
    folder: Folder
    data: CityData

    @property
    def _areas(self) -> tuple[str, ...]:
        return tuple(area.name for area in self.data.areas)

    def _unit_ids(self) -> frozenset[str]:
        return frozenset(
            f"{unit.id}@{area}" if area else unit.id
            for unit in self.data.units.units
            for area in (self._areas if unit.per_area else (None,))
        )

    def names(self) -> Iterable[Fault]:
        """Areas, units and cards must have names of their own."""
        units = [unit.id for unit in self.data.units.units]
        cards = [card.id for card in self.data.cards.cards]
        yield from self._twice("areas.yaml", "areas", "the area", self._areas)
        yield from self._twice("units.yaml", "units", "the unit id", units)
        yield from self._twice("cards.yaml", "cards", "the card", cards)
        full = [unit.name for unit in self.data.units.units]
        yield from self._twice("units.yaml", "units", "the unit name", full)

    def _twice(self, file: str, key: str, what: str, names: Sequence[str]) -> Iterable[Fault]:
        for name, count in Counter(names).items():
            if count > 1:
                at = len(names) - 1 - names[::-1].index(name)
                yield self.folder.fault(
                    file, key, at, sentence=f"{key}.{at}: {what} {name} stands twice."
                )

    def units(self) -> Iterable[Fault]:
        """A unit's own places must be in areas that are there."""
        for at, unit in enumerate(self.data.units.units):
            for name in sorted(unit.areas.keys() - set(self._areas)):
                yield self.folder.fault(
                    "units.yaml",
                    "units",
                    at,
                    "areas",
                    name,
                    sentence=f"units.{at}.areas: there is no area {name}.",
                )

            if unit.superior is not None and not self._stands_above(unit.superior, unit.id):
                said = f"units.{at}.superior: {unit.superior} is no other unit above it."
                yield self.folder.fault("units.yaml", "units", at, "superior", sentence=said)

    def _stands_above(self, superior: str, unit: str) -> bool:
        """Whether a unit is there and stands, through those above it, under none of its own."""
        above = {it.id: it.superior for it in self.data.units.units}
        seen = {unit}
        name: str | None = superior
        while name is not None:
            if name in seen or name not in above:
                return False
            seen.add(name)
            name = above[name]
        return True

    def cards(self) -> Iterable[Fault]:
        """A card belongs to a unit and a category that are there."""
        units = self._unit_ids()
        for at, card in enumerate(self.data.cards.cards):
            if card.unit not in units:
                said = f"cards.{at}.unit: there is no unit {card.unit}."
                yield self.folder.fault("cards.yaml", "cards", at, "unit", sentence=said)
            if not self._is_category(card.category):
                said = f"cards.{at}.category: there is no category {card.category}."
                yield self.folder.fault("cards.yaml", "cards", at, "category", sentence=said)

    def _is_category(self, written: str) -> bool:
        parts = tuple(written.split("/"))
        if not self.data.categories or len(parts) == 1:
            return parts[0] in LEVEL1
        return any(leaf[: len(parts)] == parts for leaf in self.data.categories)

    def catalogue(self) -> Iterable[Fault]:
        """Rows must name what is there; together they must decide every cell once."""
        catalogue = Catalogue(self.data.catalogue, self._areas, self._unit_ids())
        for at in range(len(self.data.catalogue)):
            yield from self._row(at, catalogue)
        yield from self._cells(catalogue)

    def _row(self, at: int, catalogue: Catalogue) -> Iterable[Fault]:
        row = self.data.catalogue[at]

        def fault(key: str, said: str) -> Fault:
            sentence = f"rows.{at}.{key}: {said}."
            return self.folder.fault("catalogue.yaml", "rows", at, key, sentence=sentence)

        if not self._is_category(row.category):
            yield fault("category", f"there is no category {row.category}")
        for area in row.areas:
            if area not in WORDS_FOR_AREAS and area not in self._areas:
                yield fault("areas", f"there is no area {area}")
        places = [*(None for _ in {CITY, ALL} & set(row.areas)), *self._named(row.areas)]
        for key, names in (("lead", (row.lead,) if row.lead else ()), ("helpers", row.helpers)):
            for name in names:
                lacking = [it for it in places if catalogue.unit_of(name, it) is None]
                if lacking and key == "lead":
                    where = lacking[0] or "the city where no area is known"
                    yield fault(key, f"there is no unit {name} for {where}")
                elif len(lacking) == len(places):
                    yield fault(key, f"there is no unit {name}")
        if row.lead is not None and row.lead in row.helpers:
            yield fault("helpers", f"{row.lead} leads and cannot help itself")

    def _named(self, areas: Sequence[str]) -> Iterable[str]:
        if {EACH, ALL} & set(areas):
            return self._areas
        return [area for area in areas if area in self._areas]

    def _cells(self, catalogue: Catalogue) -> Iterable[Fault]:
        """Cells nobody decides, together for each category; cells decided twice, for each row."""
        open_cells: dict[str, list[str]] = {}
        twice: dict[int, list[str]] = {}
        for cell in catalogue.cells(self.data.categories):
            rows = catalogue.deciding(cell)
            if not rows:
                open_cells.setdefault("/".join(cell.category), []).append(cell.area or CITY)
            elif len(rows) > 1 and not cell.category[len(rows[0][1].category.split("/")) :]:
                twice.setdefault(rows[-1][0], []).append(cell.area or CITY)
        for category, areas in open_cells.items():
            said = f"{category} has no lead and is not said to be undecided in {_few(areas)}."
            yield self.folder.fault("catalogue.yaml", sentence=said)
        for at, areas in twice.items():
            category = self.data.catalogue[at].category
            said = f"rows.{at}: another row decides {category} in {_few(areas)} too."
            yield self.folder.fault("catalogue.yaml", "rows", at, sentence=said)


def _few(names: Sequence[str]) -> str:
    shown = "、".join(names[:FEW])
    return f"{shown} and {len(names) - FEW} more" if len(names) > FEW else shown
