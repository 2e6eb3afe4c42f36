"""The city's data brought by an administrator: checked first, then loaded as it was checked.

Both addresses take the city's folder as a zip archive. A check writes nothing and tells every fault
with its file and line, what would change, and what hangs on what would be gone. A load takes the
same archive again with the fingerprint and the version that the check told: other data, or a
version that came between, is refused. The same load again finds it done.
"""

import asyncio
from dataclasses import asdict

from hotline import city_rows
from hotline.city_archive import LARGEST_ARCHIVE, Brought, read_archive
from hotline.city_forecast import Forecast, forecast
from hotline.city_soundness import figures_of
from hotline.console.city_shapes import (
    CityCheck,
    CityFault,
    CityFigures,
    CityForecast,
    CityLoad,
    CityLoaded,
)
from hotline.console.desk import Request
from hotline.console.endpoint import Endpoint
from hotline.console.problems import Fault, ProblemError
from hotline.console.who import ADMINISTRATORS
from hotline.database import borrowed, transaction
from hotline.errors import CityChangedError
from routing.city_files import CityData

CHUNK = 64 * 1024
ZIP = "application/zip"


async def check_city(asked: Request) -> CityCheck:
    """Tell everything that is wrong with a city's data, or else what loading it would do."""
    brought = await _brought(asked)
    data = brought.data
    faults = tuple(CityFault(**asdict(fault)) for fault in brought.faults)
    if data is None or faults:
        city = None if data is None else data.city.city
        return CityCheck(city=city, faults=faults, unread=brought.unread)
    async with (
        borrowed(asked.services.pool) as conn,
        conn.transaction(isolation="repeatable_read", readonly=True),
    ):
        told = await forecast(conn, data)
    figures = await asyncio.to_thread(figures_of, data)
    return CityCheck(
        city=data.city.city,
        faults=(),
        unread=brought.unread,
        fingerprint=data.fingerprint(),
        figures=CityFigures(**asdict(figures)),
        forecast=_forecast(told),
    )


async def load_city(asked: Request) -> CityLoaded:
    """Make data that was checked the version in force; the service takes it over at once."""
    given = asked.asked(CityLoad)
    data = _sound(await _brought(asked))
    if data.fingerprint() != given.fingerprint:
        raise ProblemError(
            Fault.CONFLICT, "This is other data than what was checked: check it again."
        )
    try:
        async with transaction(asked.services.pool) as tx:
            loaded = await city_rows.load(
                tx, data, by=asked.who.name, at=asked.services.clock(), seen=given.seen
            )
    except CityChangedError as error:
        raise ProblemError(Fault.CONFLICT, str(error)) from error
    desk = asked.services.city_desk
    await desk.refresh()
    return CityLoaded(number=loaded.number, new=loaded.new, taken_over=desk.number == loaded.number)


async def _brought(asked: Request) -> Brought:
    """What stands in the body, read beside the event loop."""
    too_large = ProblemError(
        Fault.TOO_LARGE, f"A city's archive has at most {LARGEST_ARCHIVE // 2**20} MiB."
    )
    if (asked.http.content_length or 0) > LARGEST_ARCHIVE:
        raise too_large
    body = bytearray()
    async for chunk in asked.http.content.iter_chunked(CHUNK):
        body += chunk
        if len(body) > LARGEST_ARCHIVE:
            raise too_large
    policies = asked.services.policies
    return await asyncio.to_thread(read_archive, bytes(body), lambda: policies)


def _sound(brought: Brought) -> CityData:
    if brought.data is None or brought.faults:
        count = len(brought.faults)
        raise ProblemError(Fault.INVALID, f"Not loaded: mend its faults first ({count}).")
    return brought.data


def _forecast(told: Forecast) -> CityForecast:
    return CityForecast.model_validate(asdict(told))


ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/api/city/check",
        handler=check_city,
        answers=CityCheck,
        upload=ZIP,
        roles=ADMINISTRATORS,
    ),
    Endpoint(
        method="POST",
        path="/api/city/versions",
        handler=load_city,
        query=CityLoad,
        answers=CityLoaded,
        upload=ZIP,
        faults=(Fault.INVALID, Fault.CONFLICT),
        roles=ADMINISTRATORS,
    ),
)
