"""The names of a city as a vocabulary by whose sound transcripts are repaired. Pure."""

from collections.abc import Iterator

from routing.city_files import CityData
from routing.directory import units_of
from transcription.vocabulary import Name, NameSort, Vocabulary

_CITY = "市"


def vocabulary_of(data: CityData) -> Vocabulary:
    """Every name of the city's folder that may be said: areas, towns, roads, units, words."""
    return Vocabulary(_names(data))


def _names(data: CityData) -> Iterator[Name]:
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
    yield from _units(data)
    for file in data.words:
        for word in file.words:
            yield Name(text=word.text, sort=NameSort.WORD, heard=word.heard)


def _units(data: CityData) -> Iterator[Name]:
    """Full names, and those of the city's own units as people say them, without 市."""
    for unit in units_of(data):
        yield Name(text=unit.name, sort=NameSort.UNIT, area=unit.area)
        if unit.area is None and unit.name.startswith(_CITY):
            yield Name(text=unit.name.removeprefix(_CITY), sort=NameSort.UNIT)
    shorts = [text for file in data.words for text in file.units]
    for text in shorts:
        yield Name(text=text, sort=NameSort.UNIT)
    for area in data.areas:
        for text in shorts:
            if text.endswith("局"):
                yield Name(text=area.name + text, sort=NameSort.UNIT, area=area.name)
