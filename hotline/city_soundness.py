"""Whether a city's data may be loaded: every fault of its folder, and how much stands in it.

The command line and the console ask here, so that both refuse the same data in the same sentences.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from routing.city_check import faults_of
from routing.city_files import CityData, Folder
from routing.directory import city_of
from routing.documents import Fault
from routing.errors import RoutingError
from routing.policy import Policy, newest

Packs = Callable[[], Mapping[str, Policy]]
"""The policy packs that a city may name; asked only where its files have their shape."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How much stands in a city's data; `cells` are those of the catalogue."""

    areas: int
    units: int
    cards: int
    cells: int
    undecided: int
    sample_units: int
    sample_cards: int


def every_fault(found: Folder, packs: Packs) -> tuple[Fault, ...]:
    """Every fault of a folder, that of a policy which nobody has included."""
    return (*faults_of(found), *_policy_faults(found, packs))


def _policy_faults(found: Folder, packs: Packs) -> Iterator[Fault]:
    if found.data is None:
        return
    try:
        newest(dict(packs()), found.data.city.policy)
    except RoutingError as error:
        yield Fault(path=found.path / "city.yaml", line=None, sentence=f"policy: {error}")


def figures_of(data: CityData) -> Figures:
    """Count a city's parts, and how many of them nobody has checked."""
    city = city_of(data)
    cells = list(city.catalogue.cells(data.categories))
    decided = [city.catalogue.resolve(cell.category, cell.area) for cell in cells]
    return Figures(
        areas=len(city.areas),
        units=len(city.units),
        cards=len(city.cards),
        cells=len(cells),
        undecided=sum(it is not None and it.lead is None for it in decided),
        sample_units=sum(unit.sample for unit in city.units),
        sample_cards=sum(card.sample for card in city.cards.values()),
    )
