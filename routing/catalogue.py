"""The catalogue: who leads and who helps, for a category in an area; pure.

Of the rows that fit a cell the one with the deepest category decides, then the one that names the
area itself. A cell no row decides, or two rows of equal rank, is a fault of the city's data; a row
may say openly that the city has not decided.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from routing.city_files import CatalogueRow
from routing.rules import LEVEL1

Path = tuple[str, ...]
"""A category: one to three names, level 1 first."""
EACH, CITY, ALL = "each", "city", "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the catalogue says of one cell; `lead` is a unit's id, None where it is undecided."""

    lead: str | None
    helpers: tuple[str, ...]
    undecided: str | None
    row: int
    category: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A category in an area; `area` is None where none is known."""

    category: Path
    area: str | None

    def __str__(self) -> str:
        return f"{'/'.join(self.category)} × {self.area or 'the whole city'}"


class Catalogue:
    """The rows of a city's catalogue, ready to be asked."""

    def __init__(
        self, rows: Sequence[CatalogueRow], areas: Iterable[str], units: Iterable[str]
    ) -> None:
        """`units` are ids; a unit of one area is named `id@area`."""
        self.areas = tuple(areas)
        self._units = frozenset(units)
        self._rows: dict[Path, list[tuple[int, CatalogueRow]]] = {}
        for number, row in enumerate(rows):
            self._rows.setdefault(tuple(row.category.split("/")), []).append((number, row))

    @property
    def categories(self) -> tuple[Path, ...]:
        """The categories that rows are written for."""
        return tuple(self._rows)

    def resolve(self, category: Path, area: str | None) -> Decision | None:
        """Who leads and helps; None where no row fits, or where several do equally."""
        ranked = self.deciding(Cell(category=category, area=area))
        if len(ranked) != 1:
            return None
        number, row = ranked[0]
        lead = self.unit_of(row.lead, area) if row.lead else None
        helpers = (self.unit_of(name, area) for name in row.helpers)
        return Decision(
            lead=lead,
            helpers=tuple(it for it in helpers if it is not None and it != lead),
            undecided=row.undecided,
            row=number,
            category=tuple(row.category.split("/")),
        )

    def deciding(self, cell: Cell) -> list[tuple[int, CatalogueRow]]:
        """The rows of the highest rank that fit a cell."""
        for depth in range(len(cell.category), 0, -1):
            ranks: Mapping[int, list[tuple[int, CatalogueRow]]] = {2: [], 1: [], 0: []}
            for number, row in self._rows.get(cell.category[:depth], ()):
                if (rank := _rank(row, cell.area)) is not None:
                    ranks[rank].append((number, row))
            for rank in ranks:
                if ranks[rank]:
                    return ranks[rank]
        return []

    def unit_of(self, name: str, area: str | None) -> str | None:
        """The id of a row's unit in an area; None where there is no such unit."""
        here = f"{name}@{area}"
        if area is not None and here in self._units:
            return here
        return name if name in self._units else None

    def cells(self, leaves: Iterable[Path] = ()) -> Iterable[Cell]:
        """Every cell that must be decided: each category that is known, in each area and none."""
        known = dict.fromkeys([*((name,) for name in LEVEL1), *leaves, *self._rows])
        for category in known:
            for area in (None, *self.areas):
                yield Cell(category=category, area=area)


def _rank(row: CatalogueRow, area: str | None) -> int | None:
    """How closely a row names an area; None where it does not."""
    if area is not None and area in row.areas:
        return 2
    if (CITY if area is None else EACH) in row.areas:
        return 1
    return 0 if ALL in row.areas else None
