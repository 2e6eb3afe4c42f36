"""`hotline policy ...` and `hotline calendar ...`: look at packs and years before they count.

`check` says one sentence for each fault and leaves everything as it is; `calendar load` takes a
year in only when it has none and follows the years that are there.
"""

import os
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from hotline.casework import SHIPPED_CALENDARS, SHIPPED_POLICIES
from hotline.catalogue import Language, say
from hotline.cli_config import configured
from hotline.config import Config
from routing.calendar import Calendar, YearTable, load_calendar, read_year, year_faults
from routing.errors import DataFault
from routing.limits import Limit, Sourced
from routing.policy import FOLDER, Policy, load_policies, newest, policy_faults, read_policy

policy_app = typer.Typer(name="policy", no_args_is_help=True, help="Packs of limits: check, show.")
calendar_app = typer.Typer(
    name="calendar", no_args_is_help=True, help="The working-day calendar: check a year, load it."
)
Files = Annotated[list[Path], typer.Argument(help="YAML files.")]


@policy_app.command("check")
def check_policy(files: Files) -> None:
    """Say of each pack whether it can be used; the status is 1 if one cannot."""
    config = configured()
    failed = False
    for file in files:
        if faults := policy_faults(file):
            failed = True
            for sentence in faults:
                typer.echo(f"✗ {sentence}")
            continue
        pack = read_policy(file)
        facts = {"file": file, "name": pack.name, "limits": len(pack.limits)}
        typer.echo("✓ " + say("policy.ok", config.language, stages=len(pack.stages), **facts))
    raise typer.Exit(1 if failed else 0)


@policy_app.command()
def show(
    name: Annotated[str, typer.Argument(help="sichuan-2025 for the newest, or sichuan-2025/1.")],
) -> None:
    """Print every limit of a pack with its basis, and how surely each figure is known."""
    config = configured()
    packs = load_policies(SHIPPED_POLICIES, config.city_dir / FOLDER)
    for line in _told(newest(packs, name), config.language):
        typer.echo(line)


def _told(pack: Policy, language: Language) -> list[str]:
    lines = [f"{pack.name}  {pack.title}", pack.source, "", say("policy.limits", language)]
    lines += [_line(limit, language) for limit in pack.limits]
    for stage, limits in pack.stages.items():
        lines += ["", say(f"stage.{stage}", language), *(_line(it, language) for it in limits)]
    if pack.extension is not None:
        count = say("policy.extension", language, count=pack.extension.max_count)
        lines += ["", count, _line(pack.extension, language)]
    if pack.statutory:
        lines += ["", say("policy.statutory", language)]
        lines += [_line(law, language) for law in pack.statutory]
    return [*lines, "", say("policy.archive", language), _line(pack.archive, language)]


def _line(sourced: Sourced, language: Language) -> str:
    unit = say(f"unit.{sourced.unit}", language)
    origin = say(f"origin.{sourced.verified or sourced.origin}", language)
    return f"  {_whom(sourced)}  {sourced.amount} {unit}  [{origin}]  {sourced.basis}"


def _whom(sourced: Sourced) -> str:
    """The cases a limit is for, by the words the pack itself uses."""
    if not isinstance(sourced, Limit):
        return getattr(sourced, "id", "*")
    chosen = (
        sourced.kinds,
        sourced.urgencies,
        sourced.lines,
        sourced.level1,
        sourced.channels,
    )
    return " ".join(",".join(values) for values in chosen if values) or "*"


@calendar_app.command("check")
def check_calendar(files: Files) -> None:
    """Say of each year whether it is whole and could be loaded; the status is 1 if one is not."""
    config = configured()
    failed = False
    for file in files:
        sentence = _refusal(config, file)
        failed |= sentence is not None
        typer.echo(f"✗ {sentence}" if sentence else "✓ " + _fine(config, file))
    raise typer.Exit(1 if failed else 0)


@calendar_app.command()
def load(
    file: Annotated[Path, typer.Argument(help="One year, like deploy/calendars/cn-2026.yaml.")],
) -> None:
    """Take a year in, or take it in anew; the service uses it from its next start on."""
    config = configured()
    if (sentence := _refusal(config, file)) is not None:
        raise DataFault(sentence, path=file)
    fine = _fine(config, file)
    target = config.loaded_calendars / f"cn-{read_year(file).year}.yaml"
    _put(target, file.read_bytes())
    typer.echo(f"{fine} {say('calendar.loaded', config.language, target=target)}")


def _refusal(config: Config, file: Path) -> str | None:
    """Why a year cannot be taken in, in one sentence; None when it can."""
    if faults := year_faults(file):
        return faults[0] if len(faults) == 1 else f"{faults[0][:-1]} (and {len(faults) - 1} more)."
    table = read_year(file)
    known = load_calendar(SHIPPED_CALENDARS, config.loaded_calendars)
    if not known.first.year <= table.year <= known.last.year + 1:
        return (
            f"{file}: {table.year} does not follow the years that are there"
            f" ({known.first.year} to {known.last.year})."
        )
    try:
        _with(config, table)
    except DataFault as error:
        return f"{file}: {error}"
    return None


def _with(config: Config, table: YearTable) -> Calendar:
    """The calendar as it would be with this year."""
    folders = (SHIPPED_CALENDARS, config.loaded_calendars)
    found = (read_year(path) for folder in folders for path in sorted(folder.glob("cn-*.yaml")))
    years = {one.year: one for one in found} | {table.year: table}
    return Calendar.of(years.values())


def _fine(config: Config, file: Path) -> str:
    table = read_year(file)
    calendar = _with(config, table)
    days = [day for holiday in table.holidays for day in holiday.days()]
    made_up = [day for holiday in table.holidays for day in holiday.workdays]
    return say(
        "calendar.ok",
        config.language,
        year=table.year,
        off=len(days),
        worked=len(made_up),
        last=calendar.last,
    )


def _put(target: Path, content: bytes) -> None:
    """Write a file whole or not at all; raises DataFault."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).chmod(0o644)
        Path(file.name).replace(target)
    except OSError as error:
        raise DataFault(f"{target} cannot be written: {error.strerror}.", path=target) from error
