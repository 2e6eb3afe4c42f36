"""The models of the API's import of a city's data."""

from typing import Annotated

from pydantic import Field, StringConstraints

from hotline.console.shapes import Asked, Told

Fingerprint = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class CityLoad(Asked):
    """What a check told of the data that is to be loaded."""

    fingerprint: Fingerprint
    seen: Annotated[int, Field(ge=0, le=2**31 - 1)] = Field(
        description="The version in force that the check compared with; 0 for none."
    )


class CityFault(Told):
    """One thing that is wrong, and where."""

    file: str | None = Field(description="Within the archive; null is the archive itself.")
    line: int | None
    sentence: str


class CityFigures(Told):
    """How much stands in the data; samples are what the city has not checked."""

    areas: int
    units: int
    cards: int
    cells: int = Field(description="Of the catalogue: each category in each area.")
    undecided: int = Field(description="Cells that the data openly says to be undecided.")
    sample_units: int
    sample_cards: int


class CityDelta(Told):
    """Names of what comes, differs and goes."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]


class CityChanges(Told):
    """What would change, part by part."""

    city: CityDelta
    areas: CityDelta
    units: CityDelta
    catalogue: CityDelta
    cards: CityDelta
    rules: CityDelta
    categories: CityDelta
    words: CityDelta


class GoneUnitView(Told):
    """A unit the data does not have, with the open cases and users that are its."""

    name: str
    open_cases: int
    numbers: tuple[str, ...] = Field(description="The first 20 of these cases.")
    users: tuple[str, ...] = Field(description="Logins.")


class GoneAreaView(Told):
    """An area the data does not have, with the open cases that lie there."""

    name: str
    open_cases: int


class OwnCardView(Told):
    """A card that was written or changed here and would be written over."""

    card_id: int
    key: str
    title: str
    by: str
    retired: bool = Field(description="It would be told no longer.")


class CityForecast(Told):
    """What loading the data would do."""

    number: int = Field(description="The version in force that it is compared with; 0 for none.")
    same: bool = Field(description="It is the version in force: loading it changes nothing.")
    changes: CityChanges
    units: tuple[GoneUnitView, ...]
    areas: tuple[GoneAreaView, ...]
    cards: tuple[OwnCardView, ...]


class CityCheck(Told):
    """The report of a check: faults, or what the data is and what loading it would do."""

    city: str | None
    faults: tuple[CityFault, ...]
    unread: tuple[str, ...] = Field(description="Files that are no part of a city's data.")
    fingerprint: str | None = None
    figures: CityFigures | None = None
    forecast: CityForecast | None = None


class CityLoaded(Told):
    """What came of a load."""

    number: int
    new: bool = Field(description="False where this data was in force before.")
    taken_over: bool = Field(description="This service works by it now.")
