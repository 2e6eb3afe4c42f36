"""What loading a city's data would do, told before anything is written.

Beside what changes in the data: which open cases and users hang on units and areas that would be
gone, and which cards that people wrote or changed themselves would be replaced.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import LiteralString

from hotline import card_rows, city_rows
from hotline.card_rows import CardState, CardVersion
from hotline.database import Connection
from routing.cards import CardText
from routing.city_changes import Changes, Delta, changes
from routing.city_files import CityData
from routing.directory import cards_of, units_of

FEW = 20
"""How many numbers of cases are told for each unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoneUnit:
    """A unit that the data no longer has, with whoever still hangs on it."""

    name: str
    open_cases: int
    numbers: tuple[str, ...]
    users: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GoneArea:
    """An area that the data no longer has, with the open cases that lie in it."""

    name: str
    open_cases: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnCard:
    """A card that somebody wrote or changed here, and that the load would overwrite."""

    card_id: int
    key: str
    title: str
    by: str
    retired: bool
    """The load would have it told no longer; otherwise the folder's words come in their place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What a load would do; `number` is the version in force that it was compared with, or 0."""

    number: int
    same: bool
    changes: Changes
    units: tuple[GoneUnit, ...]
    areas: tuple[GoneArea, ...]
    cards: tuple[OwnCard, ...]


_UNITS: LiteralString = """
    WITH held AS (
        SELECT unit, count(*) AS open_cases, (array_agg(number ORDER BY id))[1:$2] AS numbers
          FROM cases WHERE unit IS NOT NULL AND closed_at IS NULL AND unit <> ALL ($1::text[])
         GROUP BY unit),
    people AS (
        SELECT unit, array_agg(login ORDER BY login) AS users
          FROM users WHERE active AND unit IS NOT NULL AND unit <> ALL ($1::text[])
         GROUP BY unit)
    SELECT unit AS name, coalesce(open_cases, 0) AS open_cases, coalesce(numbers, '{}') AS numbers,
           coalesce(users, '{}') AS users
      FROM held FULL JOIN people USING (unit) ORDER BY 2 DESC, 1"""
_AREAS: LiteralString = """
    SELECT area AS name, count(*) AS open_cases FROM cases
     WHERE area IS NOT NULL AND closed_at IS NULL AND area <> ALL ($1::text[])
     GROUP BY area ORDER BY 2 DESC, 1"""


async def forecast(conn: Connection, data: CityData) -> Forecast:
    """Compare checked data with the version in force and with what hangs on it."""
    number, old = await city_rows.newest(conn) or (0, None)
    changed = changes(old, data)
    units = await conn.fetch(_UNITS, [unit.name for unit in units_of(data)], FEW)
    areas = await conn.fetch(_AREAS, [area.name for area in data.areas])
    return Forecast(
        number=number,
        same=old is not None and old.fingerprint() == data.fingerprint(),
        changes=changed,
        units=tuple(
            GoneUnit(
                name=row["name"],
                open_cases=row["open_cases"],
                numbers=tuple(row["numbers"]),
                users=tuple(row["users"]),
            )
            for row in units
        ),
        areas=tuple(GoneArea(**dict(row)) for row in areas),
        cards=await _own_cards(conn, old, data, changed.cards),
    )


async def _own_cards(
    conn: Connection, old: CityData | None, data: CityData, delta: Delta
) -> tuple[OwnCard, ...]:
    """The cards a load would write anew although the folder in force did not say what they say."""
    before, after = ({} if old is None else cards_of(old)), cards_of(data)
    found = await card_rows.by_keys(conn, [*delta.added, *delta.changed, *delta.removed])
    return tuple(_overwritten(found, before, after))


def _overwritten(
    found: Sequence[CardVersion], before: Mapping[str, CardText], after: Mapping[str, CardText]
) -> Iterator[OwnCard]:
    for card in found:
        gone, is_told = card.key not in after, card.state is CardState.PUBLISHED
        if card.text == (after if is_told else {}).get(card.key):
            continue
        if is_told and card.text == before.get(card.key):
            continue
        if gone and not is_told:
            continue
        yield OwnCard(
            card_id=card.card_id, key=card.key, title=card.text.title, by=card.by, retired=gone
        )
