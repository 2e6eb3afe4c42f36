"""A city's data in PostgreSQL, version after version; the newest is in force.

A load is one transaction: the new version with its report, the cards that changed, one row of the
journal. The same data again makes no new version; an older version's data does.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, LiteralString

from hotline import card_rows, journal
from hotline.card_rows import CardState
from hotline.database import Connection
from hotline.errors import CityChangedError
from hotline.journal import Event
from routing.city_changes import PARTS, Changes, changes
from routing.city_files import CityData
from routing.directory import cards_of, units_of

FOLDER_CHANGED = "The city's folder was loaded."
FOLDER_DROPPED = "The card is no longer in the city's folder."


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCase:
    """A case that is not over and lies with a unit the city no longer has."""

    id: int
    number: str
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What came of a load; `number` is the version in force after it."""

    number: int
    new: bool
    changes: Changes
    open_cases: tuple[OpenCase, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version as a list shows it; `report` is the load's."""

    number: int
    loaded_at: datetime
    loaded_by: str
    city: str
    fingerprint: str
    report: dict[str, Any]


_TURN: LiteralString = "SELECT pg_advisory_xact_lock(hashtextextended('hotline.city', 0))"
_NEWEST: LiteralString = """
    SELECT number, content FROM city_versions ORDER BY number DESC LIMIT 1"""
_NUMBER: LiteralString = "SELECT max(number) FROM city_versions"
_ADD: LiteralString = """
    INSERT INTO city_versions (number, loaded_at, loaded_by, city, fingerprint, content, report)
    VALUES ($1, $2, $3, $4, $5, $6, $7)"""
_LIST: LiteralString = """
    SELECT number, loaded_at, loaded_by, city, fingerprint, report FROM city_versions
     ORDER BY number DESC LIMIT $1"""
_LEFT: LiteralString = """
    SELECT id, number, unit FROM cases
     WHERE unit IS NOT NULL AND closed_at IS NULL AND NOT unit = ANY ($1::text[]) ORDER BY id"""


async def newest(conn: Connection) -> tuple[int, CityData] | None:
    """The version in force with its number; None where nothing was loaded yet."""
    row = await conn.fetchrow(_NEWEST)
    if row is None:
        return None
    return int(row["number"]), CityData.model_validate_json(row["content"])


async def newest_number(conn: Connection) -> int | None:
    """The number of the version in force."""
    found = await conn.fetchval(_NUMBER)
    return None if found is None else int(found)


async def listed(conn: Connection, limit: int = 50) -> Sequence[Version]:
    """The versions, newest first."""
    return [
        Version(**{**dict(row), "report": json.loads(row["report"])})
        for row in await conn.fetch(_LIST, limit)
    ]


async def load(
    tx: Connection, data: CityData, *, by: str, at: datetime, seen: int | None = None
) -> Loaded:
    """Make checked data the version in force; tells what changed and which cases it strands.

    `seen` is the version in force, 0 for none, that the data was compared with before.

    Raises:
        CityChangedError: another version than `seen` is in force.
    """
    await tx.execute(_TURN)
    found = await newest(tx)
    number, old = found or (0, None)
    changed = changes(old, data)
    names = [unit.name for unit in units_of(data)]
    stranded = tuple(OpenCase(**dict(row)) for row in await tx.fetch(_LEFT, names))
    if old is not None and old.fingerprint() == data.fingerprint():
        return Loaded(number=number, new=False, changes=changed, open_cases=stranded)
    if seen is not None and seen != number:
        raise CityChangedError(
            f"Version {number} of the city's data was loaded meanwhile: check yours again."
        )
    loaded = Loaded(number=number + 1, new=True, changes=changed, open_cases=stranded)
    await tx.execute(
        _ADD,
        loaded.number,
        at,
        by,
        data.city.city,
        data.fingerprint(),
        data.text(),
        json.dumps(report_of(loaded), ensure_ascii=False),
    )
    await _follow_cards(tx, loaded, data, by=by, at=at)
    await journal.write(tx, at=at, actor=by, event=Event.CITY_LOADED, body=_body(loaded, data))
    return loaded


async def _follow_cards(
    tx: Connection, loaded: Loaded, data: CityData, *, by: str, at: datetime
) -> None:
    """Cards the folder changed get a new version; what people changed since stays otherwise."""
    texts, delta = cards_of(data), loaded.changes.cards
    for key in (*delta.added, *delta.changed):
        card = await card_rows.by_key(tx, key)
        if card is None:
            await card_rows.add(tx, key, texts[key], by=by, at=at, reason=FOLDER_CHANGED)
        elif card.text != texts[key] or card.state is CardState.RETIRED:
            await card_rows.change(
                tx, card.card_id, card.version, texts[key], by=by, at=at, reason=FOLDER_CHANGED
            )
    for key in delta.removed:
        card = await card_rows.by_key(tx, key)
        if card is not None and card.state is CardState.PUBLISHED:
            await card_rows.change(
                tx,
                card.card_id,
                card.version,
                card.text,
                state=CardState.RETIRED,
                by=by,
                at=at,
                reason=FOLDER_DROPPED,
            )


def report_of(loaded: Loaded) -> dict[str, Any]:
    """A load's report as plain values: what changed, and the cases that must find another unit."""
    return {
        "changes": {name: asdict(getattr(loaded.changes, name)) for name in PARTS},
        "open_cases": [asdict(case) for case in loaded.open_cases],
    }


def _body(loaded: Loaded, data: CityData) -> dict[str, Any]:
    """The journal's row: how much changed, not every name."""
    counts = {
        name: {sort: len(names) for sort, names in asdict(getattr(loaded.changes, name)).items()}
        for name in PARTS
        if getattr(loaded.changes, name)
    }
    return {
        "version": loaded.number,
        "city": data.city.city,
        "fingerprint": data.fingerprint()[:12],
        "changes": counts,
        "open_cases": [case.number for case in loaded.open_cases],
    }
