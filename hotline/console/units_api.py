"""The directory of units, who leads for a category in an area, and the versions of both."""

from dataclasses import asdict
from urllib.parse import unquote

from hotline import city_rows
from hotline.console.card_shapes import (
    Cell,
    CityVersion,
    CityVersions,
    ContactView,
    Resolved,
    UnitCard,
    UnitQuery,
    Units,
)
from hotline.console.cards_api import today
from hotline.console.desk import Request
from hotline.console.endpoint import get
from hotline.console.problems import Fault, ProblemError
from hotline.console.who import READ_BY_ALL, TELLERS
from hotline.database import borrowed
from routing.directory import Unit
from routing.rules import LEVEL1


async def list_units(asked: Request) -> Units:
    """The units that fit: of an area, with a word in name, duties or matters, or to be reviewed."""
    query, city = asked.asked(UnitQuery), asked.services.city
    found = (
        unit
        for unit in city.units
        if (query.area is None or unit.area == query.area)
        and (not query.stale or unit.review < today(asked))
        and (query.q is None or _speaks_of(unit, query.q))
    )
    return Units(
        city=city.name,
        version=asked.services.city_desk.number,
        units=tuple(_unit(asked, unit) for unit in found),
    )


def _speaks_of(unit: Unit, words: str) -> bool:
    texts = (unit.name, unit.duties, *unit.keywords)
    return any(words in text for text in texts)


async def one_unit(asked: Request) -> UnitCard:
    """A unit as a citizen is told it: duties, address, route, hours, telephone."""
    name = unquote(asked.http.match_info["unit"])
    unit = next((it for it in asked.services.city.units if it.id == name), None)
    if unit is None:
        raise ProblemError(Fault.NOT_FOUND, "The city's directory has no such unit.")
    return _unit(asked, unit)


async def resolve_unit(asked: Request) -> Resolved:
    """Who leads and who helps for a category in an area, by the city's catalogue."""
    cell, city = asked.asked(Cell), asked.services.city
    if cell.level1 not in LEVEL1:
        raise ProblemError(Fault.INVALID, "level1: there is no such category.")
    if cell.area is not None and cell.area not in city.catalogue.areas:
        raise ProblemError(Fault.INVALID, "area: the city's directory has no such area.")
    if cell.level3 is not None and cell.level2 is None:
        raise ProblemError(Fault.INVALID, "level3: it needs a level2.")
    category = tuple(it for it in (cell.level1, cell.level2, cell.level3) if it is not None)
    decision = city.catalogue.resolve(category, cell.area)
    if decision is None:  # the check of the city's data leaves no such cell
        raise ProblemError(Fault.NOT_FOUND, "The catalogue does not decide this cell.")
    lead = city.unit(decision.lead) if decision.lead else None
    helpers = (city.unit(name) for name in decision.helpers)
    return Resolved(
        lead=_unit(asked, lead) if lead else None,
        helpers=tuple(_unit(asked, it) for it in helpers if it is not None),
        undecided=decision.undecided,
        by_category="/".join(decision.category),
    )


async def city_versions(asked: Request) -> CityVersions:
    """The versions of the city's data that were loaded, with what each changed."""
    async with borrowed(asked.services.pool) as conn:
        found = await city_rows.listed(conn)
    return CityVersions(
        versions=tuple(
            CityVersion(**asdict(it), in_force=it.number == asked.services.city_desk.number)
            for it in found
        )
    )


def _unit(asked: Request, unit: Unit) -> UnitCard:
    return UnitCard(
        id=unit.id,
        name=unit.name,
        area=unit.area,
        duties=unit.duties,
        level1=tuple(name for name in LEVEL1 if name in unit.level1),
        address=unit.address,
        route=unit.route,
        hours=unit.hours,
        phone=unit.phone,
        contacts=tuple(ContactView(post=it.post, phone=it.phone) for it in unit.contacts),
        review=unit.review,
        stale=unit.review < today(asked),
        protected=unit.protected,
        sample=unit.sample,
    )


ENDPOINTS = (
    get("/api/units", list_units, Units, query=UnitQuery, roles=READ_BY_ALL),
    get("/api/units/{unit}", one_unit, UnitCard, faults=(Fault.NOT_FOUND,), roles=READ_BY_ALL),
    get(
        "/api/catalogue/resolve",
        resolve_unit,
        Resolved,
        query=Cell,
        faults=(Fault.NOT_FOUND,),
        roles=READ_BY_ALL,
    ),
    get("/api/city/versions", city_versions, CityVersions, roles=TELLERS),
)
