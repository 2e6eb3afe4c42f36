"""The names of a city as a vocabulary by whose sound transcripts are repaired. Pure."""

from collections.abc import Iterable, Iterator

from routing.city_files import CityData
from transcription.vocabulary import Name, NameSort, Vocabulary

_CITY = "市"


def vocabulary_of(data: CityData, units: Iterable[tuple[str, str | None]]) -> Vocabulary:
    """Every name of the city's folder that may be said: areas, towns, roads, units, words.

    `units` are the names of all units, each with its area, None for those of the whole city.
    """
    return Vocabulary(_names(data, units))


def _names(data: CityData, units: Iterable[tuple[str, str | None]]) -> Iterator[Name]:
    for text in (data.city.city, data.city.short):
        yield Name(text=text, sort=NameSort.PLACE)
    for area in data.areas:
        yield Name(text=area.name, sort=NameSort.PLACE, area=area.name)
        for text in area.short:
            yield Name(text=text, sort=NameSort.PLACE, area=area.name)
        for text in (*area.towns, *area.roads):
            yield Name(text=text, sort=NameSort.PLACE, area=area.name)
            # Said in one breath, and long enough to be known by sound alone.
            yield Name(text=area.name + text, sort=NameSort.PLACE, area=area.name)
    for file in data.words:
        for name, places in file.places.items():
            for text in places:
                yield Name(text=text, sort=NameSort.PLACE, area=name or None)
    yield from _units(data, units)
    for file in data.words:
        for word in file.words:
            yield Name(text=word.text, sort=NameSort.WORD, heard=word.heard)


def _units(data: CityData, units: Iterable[tuple[str, str | None]]) -> Iterator[Name]:
    """Full names, and those of the city's own units as people say them, without 市."""
    for name, of in units:
        yield Name(text=name, sort=NameSort.UNIT, area=of)
        if of is None and name.startswith(_CITY):
            yield Name(text=name.removeprefix(_CITY), sort=NameSort.UNIT)
    shorts = [text for file in data.words for text in file.units]
    for text in shorts:
        yield Name(text=text, sort=NameSort.UNIT)
    for area in data.areas:
        for text in shorts:
            if text.endswith("局"):
                yield Name(text=area.name + text, sort=NameSort.UNIT, area=area.name)
