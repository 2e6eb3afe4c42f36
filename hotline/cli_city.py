"""`hotline city`: check a city's folder, and load it into the database as its new version."""

import asyncio
import getpass
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from hotline import city_rows, database
from hotline.casework import policy_packs
from hotline.catalogue import Language, say
from hotline.city_rows import Loaded
from hotline.city_soundness import every_fault, figures_of
from hotline.cli_config import configured
from hotline.errors import MigrationRefusedError
from hotline.services import utc_now
from routing.city_changes import PARTS
from routing.city_files import CityData, read_folder

city_app = typer.Typer(
    name="city", no_args_is_help=True, help="A city's data: check its folder, load it."
)
FolderArgument = Annotated[
    Path, typer.Argument(help="The city's folder, as deploy/cities/mianyang.")
]
FEW = 20


@city_app.command()
def check(folder: FolderArgument) -> None:
    """Say every fault of a city's folder in one sentence with its place; the status is 1 if any."""
    language = configured().language
    found = read_folder(folder)
    faults = every_fault(found, partial(policy_packs, found.path))
    for fault in faults:
        typer.echo(str(fault), err=True)
    if found.data is None or faults:
        typer.echo(say("city.faults", language, count=len(faults)), err=True)
        raise typer.Exit(1)
    _say_parts(found.data, language)


def _say_parts(data: CityData, language: Language) -> None:
    figures = figures_of(data)
    typer.echo(say("city.well", language, city=data.city.city, **asdict(figures)))
    units, cards = figures.sample_units, figures.sample_cards
    if units or cards:
        typer.echo(say("city.samples", language, units=units, cards=cards))


@city_app.command()
def load(
    folder: FolderArgument,
    who: Annotated[str | None, typer.Option("--as", help="Who loads it.")] = None,
) -> None:
    """Make a city's folder the version in force, and say what changed; services take it over."""
    config = configured()
    found = read_folder(folder)
    faults = every_fault(found, partial(policy_packs, found.path))
    if found.data is None or faults:
        for fault in faults:
            typer.echo(str(fault), err=True)
        typer.echo(say("city.not_loaded", config.language, count=len(faults)), err=True)
        raise typer.Exit(1)
    data, by = found.data, who or getpass.getuser()

    async def run() -> Loaded:
        async with (
            database.opened(config.dsn, config.data_dir) as dsn,
            database.connected(dsn) as conn,
        ):
            if any(one.phase == "pre" for one in await database.pending(conn)):
                raise MigrationRefusedError(
                    "The database lacks migrations of this version: run `hotline migrate` first."
                )
            async with conn.transaction():
                return await city_rows.load(conn, data, by=by, at=utc_now())

    _say_loaded(asyncio.run(run()), data, config.language)


def _say_loaded(loaded: Loaded, data: CityData, language: Language) -> None:
    key = "city.loaded" if loaded.new else "city.same"
    typer.echo(say(key, language, city=data.city.city, number=loaded.number))
    for part in PARTS:
        delta = getattr(loaded.changes, part)
        for sort in ("added", "changed", "removed"):
            names = getattr(delta, sort)
            if names:
                shown = "、".join(names[:FEW]) + ("…" if len(names) > FEW else "")
                typer.echo(
                    f"  {say(f'city.part.{part}', language)} "
                    f"{say(f'city.{sort}', language, count=len(names))}: {shown}"
                )
    for case in loaded.open_cases:
        typer.echo(say("city.stranded", language, number=case.number, unit=case.unit))
